package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"hearken/complaint"
	"hearken/config"
	"hearken/dispatcher"
)

// archive is where past complaints are: what the intake stream keeps, or a
// file of records, a JSON object a line.
type archive struct {
	connection
	Since   string `default:"30d" help:"How far back: 36h, 30d. The streams keep queue.retain."`
	Archive string `type:"existingfile" help:"Records in a file instead, a JSON object a line."`
	Sample  int    `default:"0" help:"At most so many records, evenly picked; 0 for all."`
}

// maxRecord bounds a line of an archive file.
const maxRecord = 4 << 20

// errNoArchive says that there is nothing to try rules on.
var errNoArchive = errors.New("there are no complaints since then: nothing to try the rules on")

// records reads the past complaints.
func (a *archive) records(ctx context.Context) ([]complaint.Record, error) {
	age, err := dispatcher.ParseDuration(a.Since)
	if err != nil {
		return nil, fmt.Errorf("--since: %w", err)
	}
	since := time.Now().Add(-age)
	var out []complaint.Record
	keep := func(r complaint.Record) error {
		if r.ReceivedAt.IsZero() || r.ReceivedAt.After(since) {
			out = append(out, r)
		}
		return nil
	}
	if a.Archive != "" {
		err = readRecords(a.Archive, keep)
	} else {
		err = a.fromStreams(ctx, since, keep)
	}
	if err != nil {
		return nil, err
	}
	if len(out) == 0 {
		return nil, errNoArchive
	}
	return sampled(out, a.Sample), nil
}

func (a *archive) fromStreams(ctx context.Context, since time.Time, keep func(complaint.Record) error) error {
	client, err := a.dial(ctx)
	if err != nil {
		return err
	}
	return errors.Join(client.Archive(ctx, since, keep), client.Close())
}

func readRecords(path string, keep func(complaint.Record) error) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, maxRecord)
	for n := 1; lines.Scan(); n++ {
		var r complaint.Record
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return fmt.Errorf("%s:%d: not a record: %w", path, n, err)
		}
		if err := keep(r); err != nil {
			return err
		}
	}
	return lines.Err()
}

// sampled picks every so many-th.
func sampled(all []complaint.Record, most int) []complaint.Record {
	if most <= 0 || len(all) <= most {
		return all
	}
	out := make([]complaint.Record, most)
	for i := range out {
		out[i] = all[i*len(all)/most]
	}
	return out
}

// rulesDiffCmd tries new rules on past complaints.
type rulesDiffCmd struct {
	archive
	Old  string `arg:"" type:"existingfile" help:"The rules in force."`
	New  string `arg:"" type:"existingfile" help:"The rules to try."`
	JSON bool   `name:"json" help:"As JSON: every complaint that changes."`
	Show int    `default:"5" help:"Complaints that are named for each change."`
}

// change is a complaint that the new rules treat otherwise.
type change struct {
	Number string  `json:"number"`
	Old    outcome `json:"old"`
	New    outcome `json:"new"`
}

// outcome is what rules make of a complaint.
type outcome struct {
	Department string            `json:"department"`
	With       []string          `json:"with,omitempty"`
	Then       []string          `json:"then,omitempty"`
	Rule       string            `json:"rule"`
	Type       string            `json:"type"`
	Priority   string            `json:"priority"`
	Deadlines  map[string]string `json:"deadlines,omitempty"`
}

func outcomeOf(r complaint.Record) outcome {
	return outcome{r.Route.Department, r.Route.Collaborators, r.Route.Next, r.Route.Rule, r.Type, r.Priority, r.Route.Deadlines}
}

// moved tells what a department would notice: the name of the rule is not it.
func (o outcome) moved(other outcome) bool {
	other.Rule = o.Rule
	return !reflect.DeepEqual(o, other)
}

// brief says it in a few words, and of what stands beside the lead only what
// is otherwise than in another outcome.
func (o outcome) brief(other outcome) string {
	out := o.Department + " " + o.Type + " " + o.Priority
	if !slices.Equal(o.With, other.With) {
		out += " with [" + strings.Join(o.With, ", ") + "]"
	}
	if !slices.Equal(o.Then, other.Then) {
		out += " then [" + strings.Join(o.Then, ", ") + "]"
	}
	for _, clock := range slices.Sorted(maps.Keys(o.Deadlines)) {
		if o.Deadlines[clock] != other.Deadlines[clock] {
			out += " " + clock // whose time is otherwise for each
		}
	}
	return out
}

func (c *rulesDiffCmd) Run(ctx context.Context, s *streams) error {
	before, err := s.rulesToTry(c.Old)
	if err != nil {
		return err
	}
	after, err := s.rulesToTry(c.New)
	if err != nil {
		return err
	}
	records, err := c.records(ctx)
	if err != nil {
		return err
	}
	var changes []change
	loads := map[string]load{}
	for _, r := range records {
		contact := config.Replay(r)
		one := change{r.Number, outcomeOf(before.Apply(contact)), outcomeOf(after.Apply(contact))}
		from := loads[one.Old.Department]
		from.Old++
		loads[one.Old.Department] = from
		to := loads[one.New.Department]
		to.New++
		loads[one.New.Department] = to
		if one.Old.moved(one.New) {
			changes = append(changes, one)
		}
	}
	if c.JSON {
		return json.NewEncoder(s.out).Encode(struct {
			Tried       int             `json:"tried"`
			Departments map[string]load `json:"departments"`
			Changes     []change        `json:"changes"`
		}{len(records), loads, append([]change{}, changes...)})
	}
	return c.table(s, len(records), changes, loads)
}

// load is how many complaints a department leads by the old rules, and by the
// new.
type load struct {
	Old int `json:"old"`
	New int `json:"new"`
}

// table says what moves where, the most frequent first, and what that makes of
// the departments' loads.
func (c *rulesDiffCmd) table(s *streams, tried int, changes []change, loads map[string]load) error {
	type kind struct{ from, to string }
	numbers := map[kind][]string{}
	var kinds []kind
	for _, one := range changes {
		k := kind{one.Old.brief(one.New), one.New.brief(one.Old)}
		if numbers[k] == nil {
			kinds = append(kinds, k)
		}
		numbers[k] = append(numbers[k], complaint.Grouped(one.Number))
	}
	slices.SortStableFunc(kinds, func(a, b kind) int { return len(numbers[b]) - len(numbers[a]) })
	fmt.Fprintf(s.out, "%d complaints tried, %d change\n", tried, len(changes))
	w := tabwriter.NewWriter(s.out, 0, 8, 2, ' ', 0)
	for _, k := range kinds {
		all := numbers[k]
		fmt.Fprintf(w, "%d\t%s\t-> %s\t%s\n", len(all), k.from, k.to, strings.Join(all[:min(len(all), c.Show)], ", "))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, code := range slices.Sorted(maps.Keys(loads)) {
		if l := loads[code]; l.Old != l.New {
			fmt.Fprintf(w, "%s leads\t%d\t-> %d\t%+d\n", code, l.Old, l.New, l.New-l.Old)
		}
	}
	return w.Flush()
}
