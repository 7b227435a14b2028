package queue

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"hearken/complaint"
)

// TestEveryRouteIsToldOnce: of a complaint that is passed on, and on again,
// whose history tells each lead once, and nothing of answers to what is over.
func TestEveryRouteIsToldOnce(t *testing.T) {
	now := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	k := &Complaint{Number: "261123004279"}
	var lines []string
	move := func(event string, to complaint.Route) {
		now = now.Add(time.Minute)
		m := complaint.Move{Delivery: complaint.Delivery{Record: complaint.Record{ID: to.Department, Event: event}, Current: k.Route}, Route: to}
		if line := routing(&m, now); line != "" {
			lines = append(lines, line)
		}
		if m.Route.Department != "" && event != complaint.Supplemented {
			k.Route = &m.Route
		}
	}
	move(complaint.Registered, complaint.Route{Department: "FIN", Rule: "own"})
	move(complaint.Rerouted, complaint.Route{Department: "LEGAL", Rule: "own", Again: "returned by FIN"})
	move(complaint.Returned, complaint.Route{Rule: "thread"})
	move(complaint.Rerouted, complaint.Route{Department: "CMO", Rule: "own", Again: "returned by LEGAL"})
	var leads []string
	for _, text := range told(k, lines) {
		var line struct{ Department string }
		if err := json.Unmarshal(text, &line); err != nil {
			t.Fatal(err)
		}
		leads = append(leads, line.Department)
	}
	if got := strings.Join(leads, " "); got != "FIN LEGAL CMO" {
		t.Errorf("told of %s", got)
	}
}
