package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"hearken/complaint"
	"hearken/config"
	"hearken/dispatcher"
)

// rulesCoverageCmd says which rules do any work.
type rulesCoverageCmd struct {
	archive
	File string `arg:"" default:"rules.yaml" type:"existingfile" help:"The rules file."`
	JSON bool   `name:"json" help:"As JSON."`
}

// covered is a part of the rules and what it did. A type that was decided on
// and a flag that was raised were matched.
type covered struct {
	Kind    string `json:"kind"` // route, priority, type, flag
	Rule    string `json:"rule"`
	Matched int    `json:"matched"`             // complaints that it decided
	Held    int    `json:"held"`                // of a route: complaints that it holds for, decided or not
	Tested  int    `json:"tested"`              // tests of the file that it decided
	Hidden  string `json:"hidden_by,omitempty"` // earlier rules that always decide first
	Never   string `json:"never,omitempty"`     // why it can never do anything, by reasoning

	taken map[string]int // by which other rules, where it held
}

func (c *rulesCoverageCmd) Run(ctx context.Context, s *streams) error {
	rules, err := s.rulesToTry(c.File)
	if err != nil {
		return err
	}
	records, err := c.records(ctx)
	if err != nil {
		if c.Archive != "" || errors.Is(err, context.Canceled) {
			return err
		}
		// What follows from the file alone can be told all the same.
		fmt.Fprintln(s.err, "hearken: no past complaints, only what follows from the file:", err)
	}
	all := coverage{rules: rules, at: map[[2]string]*covered{}}
	all.list()
	for _, r := range records {
		r = rules.Apply(config.Replay(r))
		all.count(r, func(one *covered) { one.Matched++ })
		all.holds(r)
	}
	for _, r := range rules.TestRecords() {
		all.count(r, func(one *covered) { one.Tested++ })
	}
	if c.JSON {
		return json.NewEncoder(s.out).Encode(all.rows)
	}
	return all.table(s, len(records))
}

// coverage counts what the parts of the rules did.
type coverage struct {
	rules *config.Rules
	rows  []*covered
	at    map[[2]string]*covered // by kind and name
}

const (
	kindRoute    = "route"
	kindPriority = "priority"
	kindType     = "type"
	kindFlag     = "flag"
)

// list makes a row of each, in the order of the file, with what reasoning
// finds.
func (c *coverage) list() {
	router := c.rules.Router
	for kind, names := range map[string][]string{kindRoute: append(router.Names(), dispatcher.RuleDefault), kindPriority: router.FloorNames(), kindType: append(slices.Clone(c.rules.Types), complaint.DefaultType), kindFlag: c.rules.Flags} {
		for _, name := range names {
			if c.at[[2]string{kind, name}] != nil {
				continue // a type OTHER that is defined, a floor that stands there twice
			}
			one := &covered{Kind: kind, Rule: name, taken: map[string]int{}}
			c.rows, c.at[[2]string{kind, name}] = append(c.rows, one), one
		}
	}
	order := []string{kindRoute, kindPriority, kindType, kindFlag}
	slices.SortStableFunc(c.rows, func(a, b *covered) int { return slices.Index(order, a.Kind) - slices.Index(order, b.Kind) })
	for kind, found := range map[string][]dispatcher.Shadow{kindRoute: router.Shadowed(), kindPriority: router.IdleFloors()} {
		for _, h := range found {
			one := c.at[[2]string{kind, h.Rule}]
			one.Hidden, one.Never = h.By, h.Why()
		}
	}
}

// count has did count what decided on a record.
func (c *coverage) count(r complaint.Record, did func(*covered)) {
	on := func(kind, name string, do func(*covered)) {
		if one := c.at[[2]string{kind, name}]; one != nil {
			do(one)
		}
	}
	on(kindRoute, r.Route.Rule, did)
	on(kindType, r.Type, did)
	for _, f := range r.Flags {
		on(kindFlag, f, did)
	}
	_, floors := c.rules.Router.Holding(&r)
	for _, name := range floors {
		on(kindPriority, name, did)
	}
}

// holds counts which routes would have taken a record, had none come first.
func (c *coverage) holds(r complaint.Record) {
	routes, _ := c.rules.Router.Holding(&r)
	for _, name := range routes {
		one := c.at[[2]string{kindRoute, name}]
		one.Held++
		one.taken[r.Route.Rule]++
	}
}

// note says in words what an admin may want to change.
func (one *covered) note() string {
	switch {
	case one.Never != "" && one.Kind == kindRoute:
		return "can never decide: " + one.Never
	case one.Never != "":
		return "changes nothing: " + one.Never
	case one.Matched == 0 && one.Held > 0:
		var by []string
		for _, name := range slices.Sorted(maps.Keys(one.taken)) {
			by = append(by, fmt.Sprintf("%s %d", name, one.taken[name]))
		}
		return "never decided, though it holds: " + strings.Join(by, ", ") + " came first"
	case one.Matched == 0 && one.Kind == kindRoute:
		return "never decided"
	case one.Matched == 0:
		return "never found"
	case one.Tested == 0:
		return "no test has it"
	}
	return ""
}

func (c *coverage) table(s *streams, tried int) error {
	fmt.Fprintf(s.out, "%d complaints tried\n", tried)
	w := tabwriter.NewWriter(s.out, 0, 8, 2, ' ', 0)
	kind := ""
	for _, one := range c.rows {
		if one.Kind != kind {
			kind = one.Kind
			fmt.Fprintf(w, "\ncomplaints\ttests\t%s\n", kind)
		}
		fmt.Fprintln(w, strings.TrimRight(fmt.Sprintf("%d\t%d\t%s\t%s", one.Matched, one.Tested, one.Rule, one.note()), "\t"))
	}
	return w.Flush()
}
