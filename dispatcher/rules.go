// Package dispatcher decides where a record goes, and moves it there. It
// hides how the rules' conditions are compiled and tried. The decision (Rules)
// is pure; the motion is Dispatcher's, over a stream that the queue provides.
package dispatcher

import (
	"cmp"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
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
	MaxReturns int                           // how often it may come back before that; 2 if 0
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
	Name      string
	When      When
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
// a supplement, which follows its complaint.
const (
	RuleDefault = "default"
	RuleThread  = "thread"
)

// Fault is something wrong with the rules. Path leads to it in the file:
// routes[2].when.type[0].
type Fault struct {
	Path    string
	Message string
	Key     bool // the last key of Path is what is wrong, not its value
}

func (f Fault) Error() string { return f.Path + ": " + f.Message }

// Faults are all that Compile found.
type Faults []Fault

func (f Faults) Error() string {
	var lines []string
	for _, one := range f {
		lines = append(lines, one.Error())
	}
	return strings.Join(lines, "\n")
}

// Rules is the compiled form. It is safe for concurrent use.
type Rules struct {
	cfg    Config
	terms  *terms.Set
	floors []floor
	routes []route

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

// Priorities, the highest first.
var Priorities = []string{"P1", "P2", "P3", "P4"}

type compiler struct {
	cfg      Config
	fields   map[string]field
	known    map[string][]string
	patterns []terms.Pattern
	owners   map[string]int
	getters  map[string]func(*view) []string // of the fields whose values are keys
	faults   Faults
}

// Compile checks the rules and makes them ready. The error is Faults: all of
// them.
func Compile(cfg Config) (*Rules, error) {
	if cfg.Location == nil {
		cfg.Location = time.UTC
	}
	c := &compiler{cfg: cfg, fields: fields(), owners: map[string]int{}, getters: map[string]func(*view) []string{}, known: map[string][]string{
		"departments": cfg.Departments, "types": append(slices.Clone(cfg.Types), complaint.DefaultType), "flags": cfg.Flags,
		"priorities": Priorities, "channels": {complaint.Email, complaint.Phone, complaint.Chat},
		"events":  {complaint.Registered, complaint.Supplemented},
		"classes": {complaint.ClassComplaint, complaint.ClassEnquiry, complaint.ClassSuggestion, complaint.ClassPraise},
	}}
	r := &Rules{cfg: cfg, conflicts: map[string]condition{}, byName: map[string]int{}}
	r.cfg.Office, r.cfg.MaxReturns = cmp.Or(cfg.Office, cfg.Default), cmp.Or(cfg.MaxReturns, defaultReturns)
	for i, f := range cfg.Floors {
		path := fmt.Sprintf("priorities[%d]", i)
		c.mustKnow(path+".priority", "priorities", f.Priority)
		r.floors = append(r.floors, floor{f.Priority, describe(f), c.when(path+".when", f.When, 0)})
	}
	names := map[string]bool{}
	for i, rule := range cfg.Routes {
		path := cmp.Or(rule.Path, fmt.Sprintf("routes[%d]", i))
		switch {
		case rule.Name == "":
			c.fault(path+".name", "a route needs a name: records and reports tell it")
		case names[rule.Name]:
			c.fault(path+".name", fmt.Sprintf("another route has the name %q", rule.Name))
		case rule.Name == RuleDefault || rule.Name == RuleThread:
			c.fault(path+".name", fmt.Sprintf("%q is what routing without a rule is called; choose another name", rule.Name))
		}
		names[rule.Name], r.byName[rule.Name] = true, i
		r.routes = append(r.routes, c.route(path, rule))
	}
	if cfg.Default == "" {
		c.fault("default", "there must be a default department: every record has to reach one")
	} else {
		c.mustKnow("default", "departments", cfg.Default)
	}
	if cfg.Office != "" {
		c.mustKnow("office", "departments", cfg.Office)
	}
	for _, code := range slices.Sorted(maps.Keys(cfg.Conflicts)) {
		r.conflicts[code] = c.when("departments."+code+".conflict", cfg.Conflicts[code], 0)
	}
	for typ, dept := range cfg.TypeDepartments {
		c.mustKnow("types."+typ+".department", "departments", dept)
	}
	if len(c.faults) > 0 {
		return nil, c.faults
	}
	var err error
	if r.terms, err = terms.Compile(c.patterns); err != nil {
		return nil, err
	}
	var floors, routes []*condition
	for i := range r.floors {
		floors = append(floors, &r.floors[i].when)
	}
	for i := range r.routes {
		routes = append(routes, &r.routes[i].when)
	}
	r.byFloor, r.byRoute = newIndex(floors, c.getters, len(c.patterns)), newIndex(routes, c.getters, len(c.patterns))
	return r, nil
}

func (c *compiler) route(path string, rule RouteRule) route {
	out := route{RouteRule: rule, when: c.when(path+".when", rule.When, 0), deadlines: map[string]duration{}}
	out.shares = c.shares(path+".to", rule.Shares)
	if rule.To != TypeDepartment && len(rule.Shares) == 0 {
		c.mustKnow(path+".to", "departments", rule.To)
	}
	for i, code := range rule.With {
		if code != TypeDepartments {
			c.mustKnow(fmt.Sprintf("%s.with[%d]", path, i), "departments", code)
		}
	}
	for i, code := range rule.Then {
		c.mustKnow(fmt.Sprintf("%s.then[%d]", path, i), "departments", code)
	}
	if rule.Accept != "" {
		d := c.duration(path+".unless_accepted_within", rule.Accept)
		out.accept = &d
	}
	for name, text := range rule.Deadlines {
		out.deadlines[name] = c.duration(path+".deadlines."+name, text)
	}
	return out
}

// maxNesting bounds any/all/not within each other.
const maxNesting = 20

// when compiles a condition. Fields are tried in the order of their names, so
// that the outcome of a compile never varies.
func (c *compiler) when(path string, w When, depth int) condition {
	if depth > maxNesting {
		c.fault(path, fmt.Sprintf("conditions are nested more than %d deep", maxNesting))
		return every("all", nil)
	}
	var kids []condition
	for _, name := range slices.Sorted(maps.Keys(w)) {
		at, value := path+"."+name, w[name]
		switch fact, isFact := strings.CutPrefix(name, "fact."); {
		case name == "any" || name == "all":
			kids = append(kids, c.nested(at, value, name == "any", depth))
		case name == "not":
			kids = append(kids, unless(c.when(at, c.condition(at, value), depth+1)))
		case isFact:
			kids = append(kids, c.oneOf(name, c.list(at, value), func(r *complaint.Record) []string {
				if s, ok := r.Facts[fact]; ok {
					return []string{s}
				}
				return nil
			}))
		case c.fields[name] != nil:
			kids = append(kids, c.fields[name](c, name, at, value))
		default:
			all := append(slices.Collect(maps.Keys(c.fields)), "any", "all", "not", "fact.NAME")
			c.faults = append(c.faults, Fault{Path: at, Message: "no such field" + Nearest(name, all), Key: true})
		}
	}
	return every("all", kids)
}

func (c *compiler) nested(path string, value any, anyOne bool, depth int) condition {
	list, ok := value.([]any)
	if !ok || len(list) == 0 {
		c.fault(path, "must be a list of conditions")
	}
	var kids []condition
	for i, v := range list {
		at := fmt.Sprintf("%s[%d]", path, i)
		kids = append(kids, c.when(at, c.condition(at, v), depth+1))
	}
	if anyOne {
		return either(kids)
	}
	return every("all", kids)
}

func (c *compiler) condition(path string, value any) When {
	w, ok := value.(When)
	if !ok || len(w) == 0 {
		c.fault(path, "must be a condition, like {type: [REFUND]}")
	}
	return w
}

func (c *compiler) fault(path, message string) {
	c.faults = append(c.faults, Fault{Path: path, Message: message})
}

func (c *compiler) mustKnow(path, kind, name string) {
	if !slices.Contains(c.known[kind], name) {
		c.fault(path, fmt.Sprintf("%q is not one of the %s%s", name, kind, Nearest(name, c.known[kind])))
	}
}

// list reads one string, or a list of them.
func (c *compiler) list(path string, value any) []string {
	switch v := value.(type) {
	case nil:
		return nil
	case string:
		return []string{v}
	case []any:
		var out []string
		for i, one := range v {
			switch s := one.(type) {
			case string:
				out = append(out, s)
			case int, int64, uint64, float64:
				out = append(out, fmt.Sprint(s))
			default:
				c.fault(fmt.Sprintf("%s[%d]", path, i), "must be a string")
			}
		}
		if len(out) == 0 {
			c.fault(path, "must have at least one value")
		}
		return out
	case int, int64, uint64, float64:
		return []string{fmt.Sprint(v)}
	}
	c.fault(path, "must be a string or a list of strings")
	return nil
}

// object reads a mapping with the given keys, at least one of them.
func (c *compiler) object(path string, value any, keys ...string) map[string]any {
	m, ok := value.(map[string]any)
	if !ok || len(m) == 0 {
		c.fault(path, "must be a mapping with some of "+strings.Join(keys, ", "))
		return nil
	}
	for _, k := range slices.Sorted(maps.Keys(m)) {
		if !slices.Contains(keys, k) {
			c.faults = append(c.faults, Fault{Path: path + "." + k, Message: "no such key" + Nearest(k, keys), Key: true})
		}
	}
	return m
}

func (c *compiler) decimal(path string, value any) *big.Rat {
	if value == nil {
		return nil
	}
	r, ok := exact(fmt.Sprint(value))
	if !ok {
		c.fault(path, "must be a number")
	}
	return r
}

// maxDigits bounds a number as it is written.
const maxDigits = 40

// exact reads a decimal number. Exponents are not read: ten characters of them
// can ask for more digits than there is memory.
func exact(s string) (*big.Rat, bool) {
	if len(s) > maxDigits || strings.Trim(s, "0123456789.-") != "" {
		return nil, false
	}
	return new(big.Rat).SetString(s)
}

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
	out := complaint.Route{Department: r.cfg.Default, Rule: RuleDefault}
	r.byRoute.candidates(v, func(i int32) bool {
		rule := &r.routes[i]
		to := r.target(rule, v)
		if to.department == "" {
			return true
		}
		out = r.give(rule, to, v)
		return false
	})
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

// describe says in a line what a floor asks.
func describe(f Floor) string {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(f.When)) {
		parts = append(parts, fmt.Sprintf("%s %v", k, f.When[k]))
	}
	return cmp.Or(strings.Join(parts, ", "), "always") + ": " + f.Priority
}

// Nearest suggests the candidate that s was probably meant to be: ", did you
// mean ...?", or lists what there is where none is near and they are few.
func Nearest(s string, candidates []string) string {
	best, least := "", 1+len(s)/3
	for _, c := range candidates {
		if d := distance(strings.ToLower(s), strings.ToLower(c)); d <= least && (best == "" || d < least) {
			best, least = c, d
		}
	}
	if best != "" {
		return fmt.Sprintf("; did you mean %s?", best)
	}
	if len(candidates) == 0 {
		return ""
	}
	sorted := slices.Sorted(slices.Values(candidates))
	if len(sorted) > 25 {
		sorted = append(sorted[:25], "...")
	}
	return "; there are " + strings.Join(sorted, ", ")
}

// distance is the number of changes (Levenshtein) between two words.
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	row := make([]int, len(y)+1)
	for j := range row {
		row[j] = j
	}
	for i := range x {
		before := row[0]
		row[0] = i + 1
		for j := range y {
			cost := before
			if x[i] != y[j] {
				cost = 1 + min(before, row[j], row[j+1])
			}
			before, row[j+1] = row[j+1], cost
		}
	}
	return row[len(y)]
}
