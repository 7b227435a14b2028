// Package dispatcher decides where a record goes, and moves it there. It
// hides how the rules' conditions are compiled and tried. The decision (Rules)
// is pure; the motion is Dispatcher's, over a stream that the queue provides.
package dispatcher

import (
	"slices"
	"time"

	"hearken/complaint"
	"hearken/internal/calendar"
	"hearken/internal/terms"
)

// Config is the part of the rules that says where records go.
type Config struct {
	Departments     []string
	Types           []string
	Flags           []string
	TypeDepartments map[string]string // a type's own department, for `to: type.department`
	Floors          []Floor
	Routes          []RouteRule
	Default         string
	Location        *time.Location // of `hours` and deadlines; nil is UTC

	Calendars  map[string]*calendar.Calendar // by the name that `hours` and durations give
	Conflicts  map[string]When               // a department, and the records that complain about it
	Office     string                        // gets what keeps coming back; Default if left out
	MaxReturns *int                          // how often it may come back before that; nil for 2
}

// When is a condition as it is written: field names to values, as a YAML
// mapping decodes (string, bool, int, float64, []any, map[string]any). All of
// its fields must hold; an empty one always holds.
type When = map[string]any

// Floor is a priority that a record has at least, where When holds.
type Floor struct {
	Priority string
	When     When
}

// RouteRule sends the records for which When holds to a department.
type RouteRule struct {
	Path      string // in the file, for faults; routes[i] if left out
	Fallback  bool   // a tenant's default: also where a complaint goes that its leads return
	Name      string
	When      When
	Within    When              // must hold too: a tenant's own
	To        string            // a department's code, or TypeDepartment
	Shares    map[string]int    // instead of To: departments and their weights
	Then      []string          // who is next, should the lead return it or not take it
	Accept    string            // how long the lead has to take it: 30m, 2h business
	With      []string          // codes, or TypeDepartments
	Deadlines map[string]string // clock name to a duration like 90m, 2h, 3d or 8h business
}

// TypeDepartment in To stands for the department of the record's type, and
// TypeDepartments in With for those of all its types.
const (
	TypeDepartment  = "type.department"
	TypeDepartments = "type.departments"
)

// defaultReturns is how often a complaint may come back before the complaint
// office gets it: a third hand-over would be shuffling it around.
const defaultReturns = 2

// RuleDefault is the Rule of a Route that no rule decided; RuleThread that of
// a supplement, which follows its complaint; RuleConflict that of one which
// does not, because it complains about who leads it.
const (
	RuleDefault  = "default"
	RuleThread   = "thread"
	RuleConflict = "conflict"
)

// Rules is the compiled form. It is safe for concurrent use.
type Rules struct {
	cfg    Config
	terms  *terms.Set
	floors []floor
	routes []route

	maxReturns       int
	fallbacks        []int // of routes
	byName           map[string]int
	conflicts        map[string]condition
	byFloor, byRoute *index
}

type floor struct {
	priority, reason string
	when             condition
}

type route struct {
	RouteRule
	when      condition
	shares    []share
	accept    *duration
	deadlines map[string]duration
}

// Priorities, the highest first, and the channels and classes that rules know.
var (
	Priorities = []string{"P1", "P2", "P3", "P4"}
	Channels   = []string{complaint.Email, complaint.Phone, complaint.Chat}
	Classes    = []string{complaint.ClassComplaint, complaint.ClassEnquiry, complaint.ClassSuggestion, complaint.ClassPraise}
)

// Priority finds the highest floor that holds, and says which did.
func (r *Rules) Priority(rec *complaint.Record) (string, []string) {
	v := &view{Record: rec, rules: r}
	best := len(Priorities) - 1
	var reasons []string
	r.byFloor.candidates(v, func(i int32) bool {
		f := &r.floors[i]
		at := slices.Index(Priorities, f.priority)
		if at > best || !f.when.test(v) {
			return true
		}
		if at < best {
			best, reasons = at, nil
		}
		reasons = append(reasons, f.reason)
		return true
	})
	return Priorities[best], reasons
}

// Route finds the first rule that holds. Every record gets a department.
func (r *Rules) Route(rec *complaint.Record) complaint.Route {
	v := &view{Record: rec, rules: r}
	out := complaint.Route{Rule: RuleDefault}
	r.byRoute.candidates(v, func(i int32) bool {
		rule := &r.routes[i]
		to := r.target(rule, v)
		if to.department == "" {
			return true
		}
		out = r.give(rule, to, v)
		return false
	})
	if out.Department == "" {
		out.Department = r.otherwise(v, r.cfg.Default)
	}
	return out
}

// give makes the route of a rule that decided.
func (r *Rules) give(rule *route, to target, v *view) complaint.Route {
	out := complaint.Route{Department: to.department, Rule: rule.Name}
	var with []string
	for _, code := range rule.With {
		if code != TypeDepartments {
			with = append(with, code)
			continue
		}
		for _, typ := range append([]string{v.Type}, v.SecondaryTypes...) {
			with = append(with, r.cfg.TypeDepartments[typ])
		}
	}
	for _, code := range with {
		if code != "" && code != to.department && !slices.Contains(out.Collaborators, code) && r.complainedAbout(code, v) == "" {
			out.Collaborators = append(out.Collaborators, code)
		}
	}
	for _, code := range rule.Then {
		if code != to.department && r.complainedAbout(code, v) == "" {
			out.Next = append(out.Next, code)
		}
	}
	from := v.ReceivedAt.In(r.cfg.Location)
	for name, d := range rule.deadlines {
		if out.Deadlines == nil {
			out.Deadlines = map[string]string{}
		}
		out.Deadlines[name] = d.after(from).Format(time.RFC3339)
	}
	return out
}
