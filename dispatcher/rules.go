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
	"strconv"
	"strings"
	"time"

	"hearken/complaint"
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
	Name      string
	When      When
	To        string // a department's code, or TypeDepartment
	With      []string
	Deadlines map[string]string // clock name to a duration like 90m, 2h or 3d
}

// TypeDepartment in To stands for the department of the record's type.
const TypeDepartment = "type.department"

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

	byFloor, byRoute *index
}

type floor struct {
	priority, reason string
	when             condition
}

type route struct {
	RouteRule
	when      condition
	deadlines map[string]time.Duration
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
	r := &Rules{cfg: cfg}
	for i, f := range cfg.Floors {
		path := fmt.Sprintf("priorities[%d]", i)
		c.mustKnow(path+".priority", "priorities", f.Priority)
		r.floors = append(r.floors, floor{f.Priority, describe(f), c.when(path+".when", f.When, 0)})
	}
	names := map[string]bool{}
	for i, rule := range cfg.Routes {
		path := fmt.Sprintf("routes[%d]", i)
		if rule.Name == "" || names[rule.Name] || rule.Name == RuleDefault || rule.Name == RuleThread {
			c.fault(path+".name", fmt.Sprintf("%q must be a name that no other route has, and neither %s nor %s", rule.Name, RuleDefault, RuleThread))
		}
		names[rule.Name] = true
		r.routes = append(r.routes, c.route(path, rule))
	}
	if cfg.Default == "" {
		c.fault("default", "there must be a default department: every record has to reach one")
	} else {
		c.mustKnow("default", "departments", cfg.Default)
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
	out := route{RouteRule: rule, when: c.when(path+".when", rule.When, 0), deadlines: map[string]time.Duration{}}
	if rule.To != TypeDepartment {
		c.mustKnow(path+".to", "departments", rule.To)
	}
	for i, code := range rule.With {
		c.mustKnow(fmt.Sprintf("%s.with[%d]", path, i), "departments", code)
	}
	for name, text := range rule.Deadlines {
		d, err := ParseDuration(text)
		if err != nil {
			c.fault(path+".deadlines."+name, err.Error())
		}
		out.deadlines[name] = d
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
			c.fault(at, "no such field"+Nearest(name, all))
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
	c.faults = append(c.faults, Fault{path, message})
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
			c.fault(path+"."+k, "no such key"+Nearest(k, keys))
		}
	}
	return m
}

func (c *compiler) decimal(path string, value any) *big.Rat {
	if value == nil {
		return nil
	}
	r, ok := new(big.Rat).SetString(fmt.Sprint(value))
	if !ok {
		c.fault(path, "must be a number")
	}
	return r
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
		to, holds := r.target(rule, v)
		if holds {
			out = rule.give(to, rec.ReceivedAt.In(r.cfg.Location))
		}
		return !holds
	})
	return out
}

// target tells whether a rule decides, and to which department. A type
// without a department of its own (OTHER) goes on to the next rule.
func (r *Rules) target(rule *route, v *view) (to string, holds bool) {
	if !rule.when.test(v) {
		return "", false
	}
	if rule.To != TypeDepartment {
		return rule.To, true
	}
	to = r.cfg.TypeDepartments[v.Type]
	return to, to != ""
}

func (rule *route) give(to string, from time.Time) complaint.Route {
	out := complaint.Route{Department: to, Rule: rule.Name}
	for _, code := range rule.With {
		if code != to && !slices.Contains(out.Collaborators, code) {
			out.Collaborators = append(out.Collaborators, code)
		}
	}
	for name, d := range rule.deadlines {
		if out.Deadlines == nil {
			out.Deadlines = map[string]string{}
		}
		out.Deadlines[name] = from.Add(d).Format(time.RFC3339)
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

// maxDeadline bounds a duration of the rules: ten years.
const maxDeadline = 3650 * 24 * time.Hour

// ParseDuration reads 90m, 2h, 1h30m or, in days of 24 hours, 3d.
func ParseDuration(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if days, ok := strings.CutSuffix(s, "d"); ok {
		var n int64
		n, err = strconv.ParseInt(days, 10, 32)
		d = time.Duration(n) * 24 * time.Hour
	}
	if err != nil || d <= 0 || d > maxDeadline {
		return 0, fmt.Errorf("%q is not a duration like 90m, 2h or 3d", s)
	}
	return d, nil
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
