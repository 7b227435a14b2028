package queue

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"hearken/complaint"
)

// A complaint's history is a list of lines in JSON, with the time of each. That
// it was registered and first routed is not among them: its record and its
// route tell that, and most complaints have no more to tell.

// historyLine is one event of a complaint, as `hearken show` lists it.
func historyLine(at time.Time, what string, more map[string]string) string {
	line := map[string]string{"at": at.Format(time.RFC3339Nano), "event": what}
	for k, v := range more {
		if v != "" {
			line[k] = v
		}
	}
	b, _ := json.Marshal(line) // a map of strings always encodes
	return string(b)
}

// routing dates a move's route, and returns what is to be written down of it:
// nothing where the route itself will tell, or where nothing is done, and the
// first route together with the one that replaces it.
func routing(m *complaint.Move, now time.Time) string {
	if m.Record.Event == complaint.Supplemented && m.Route.Again == "" {
		return historyLine(now, "routed", routedMore(m.Record.ID, m.Route)) // where its complaint is
	}
	if m.Route.Department == "" {
		return ""
	}
	m.Route.RoutedAt = now.Format(time.RFC3339Nano)
	if m.Current == nil {
		return ""
	}
	lines := historyLine(now, "routed", routedMore(m.Record.ID, m.Route))
	if before := m.Current.RoutedAt; before != "" && m.Current.Again == "" {
		lines = routedLine(before, "", *m.Current) + "\n" + lines
	}
	return lines
}

func routedMore(id string, r complaint.Route) map[string]string {
	return map[string]string{"id": id, "department": r.Department, "rule": r.Rule, "again": r.Again}
}

// routedLine is what a route tells of itself.
func routedLine(at, id string, r complaint.Route) string {
	t, _ := time.Parse(time.RFC3339Nano, at)
	return historyLine(t, "routed", routedMore(id, r))
}

// told is a complaint's whole history, oldest first: the lines that were
// written down, and what its record and route tell.
func told(k *Complaint, lines []string) []json.RawMessage {
	type dated struct {
		at   time.Time
		text string
	}
	var all []dated
	routed := map[int64]bool{} // a route that replaces another is written down, and again as what the next one replaces
	add := func(text string) {
		var line struct {
			At    time.Time `json:"at"`
			Event string    `json:"event"`
		}
		_ = json.Unmarshal([]byte(text), &line) // what has no time stands first
		if line.Event == "routed" {
			if routed[line.At.UnixNano()] {
				return
			}
			routed[line.At.UnixNano()] = true
		}
		all = append(all, dated{line.At, text})
	}
	if r := k.Record; r.Event == complaint.Registered {
		add(historyLine(r.RegisteredAt, r.Event, map[string]string{"id": r.ID, "channel": r.Channel, "type": r.Type, "priority": r.Priority}))
	}
	if k.Route != nil && k.Route.RoutedAt != "" && k.Route.Again == "" { // one that replaced another was written down
		add(routedLine(k.Route.RoutedAt, k.Record.ID, *k.Route))
	}
	for _, l := range lines {
		for text := range strings.SplitSeq(l, "\n") {
			add(text)
		}
	}
	slices.SortStableFunc(all, func(a, b dated) int { return a.at.Compare(b.at) })
	out := make([]json.RawMessage, len(all))
	for i, d := range all {
		out[i] = json.RawMessage(d.text)
	}
	return out
}
