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
	"hearken/internal/terms"
)

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
		"priorities": Priorities, "channels": Channels, "events": {complaint.Registered, complaint.Supplemented}, "classes": Classes,
	}}
	r := &Rules{cfg: cfg, conflicts: map[string]condition{}, byName: map[string]int{}}
	r.cfg.Office, r.maxReturns = cmp.Or(cfg.Office, cfg.Default), defaultReturns
	if cfg.MaxReturns != nil {
		r.maxReturns = *cfg.MaxReturns
	}
	for i, f := range cfg.Floors {
		path := fmt.Sprintf("priorities[%d]", i)
		c.mustKnow(path+".priority", "priorities", f.Priority)
		when := c.when(path+".when", f.When, 0)
		r.floors = append(r.floors, floor{f.Priority, cmp.Or(when.brief(), "always") + ": " + f.Priority, when})
	}
	names := map[string]bool{}
	for i, rule := range cfg.Routes {
		path := cmp.Or(rule.Path, fmt.Sprintf("routes[%d]", i))
		switch {
		case rule.Name == "":
			c.fault(path+".name", "a route needs a name: records and reports tell it")
		case names[rule.Name]:
			c.fault(path+".name", fmt.Sprintf("another route has the name %q", rule.Name))
		case rule.Name == RuleDefault || rule.Name == RuleThread || rule.Name == RuleConflict:
			c.fault(path+".name", fmt.Sprintf("%q is what routing without a rule is called; choose another name", rule.Name))
		}
		names[rule.Name], r.byName[rule.Name] = true, i
		if rule.Fallback {
			r.fallbacks = append(r.fallbacks, i)
		}
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
	if cfg.MaxReturns != nil && *cfg.MaxReturns < 0 {
		c.fault("max_returns", "must be 0 or more: how often a complaint may come back before the office gets it")
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
	if len(rule.Within) > 0 {
		within := c.when(path+".within", rule.Within, 0)
		out.when = every("all", append(within.kids, out.when.kids...))
	}
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
		case value == nil:
			c.faults = append(c.faults, Fault{Path: at, Message: "has no value: write one, or leave the field out", Key: true})
		case name == "any" || name == "all":
			kids = append(kids, c.nested(at, value, name == "any", depth))
		case name == "not":
			kids = append(kids, unless(c.when(at, c.condition(at, value), depth+1)))
		case isFact:
			kids = append(kids, c.fact(name, fact, c.list(at, value)))
		case c.fields[name] != nil:
			kids = append(kids, c.fields[name](c, name, at, value))
		default:
			all := append(slices.Collect(maps.Keys(c.fields)), "any", "all", "not", "fact.NAME")
			c.faults = append(c.faults, Fault{Path: at, Message: "no such field" + Nearest(name, all), Key: true})
		}
	}
	return every("all", kids)
}

// fact holds where the record has one of the listed values of a fact.
func (c *compiler) fact(name, fact string, list []string) condition {
	out := c.oneOf(name, list, func(r *complaint.Record) []string {
		if s, ok := r.Facts[fact]; ok {
			return []string{s}
		}
		return nil
	})
	out.alone = true
	return out
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
		c.fault(path, "must be a mapping with some of "+strings.Join(keys, ", ")+fmt.Sprintf(", like {%s: ...}", keys[0]))
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
