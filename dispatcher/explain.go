package dispatcher

import (
	"maps"
	"slices"

	"hearken/complaint"
)

// Tried is a rule that was asked about a record.
type Tried struct {
	Rule   string   `json:"rule"`
	Asks   string   `json:"asks,omitempty"` // its condition in a line; "" for none
	Held   bool     `json:"held"`
	Failed []string `json:"failed,omitempty"` // what would have to be otherwise
	Parts  []Part   `json:"parts,omitempty"`  // the condition, part by part
	To     string   `json:"to,omitempty"`     // of the rule that decided
	Note   string   `json:"note,omitempty"`   // why there, or why it passed on though it held
}

// Explanation says why a record goes where it goes.
type Explanation struct {
	Floors []Tried         `json:"priorities"` // every floor
	Tried  []Tried         `json:"routes"`     // up to the one that decided
	Route  complaint.Route `json:"route"`
}

// Explain finds the route as Route does, and tells of each rule that was tried
// before what of its condition failed.
func (r *Rules) Explain(rec *complaint.Record) Explanation {
	v := &view{Record: rec, rules: r}
	var out Explanation
	for i := range r.floors {
		f := &r.floors[i]
		out.Floors = append(out.Floors, Tried{Rule: f.priority, Asks: f.when.brief(), Held: f.when.test(v), Failed: f.when.failing(v), Parts: f.when.parts(v)})
	}
	for i := range r.routes {
		rule := &r.routes[i]
		one := Tried{Rule: rule.Name, Asks: rule.when.brief(), Failed: rule.when.failing(v), Parts: rule.when.parts(v)}
		to := r.target(rule, v)
		if one.Held = to.department != ""; one.Held {
			one.To, one.Note = to.department, to.why
			out.Tried = append(out.Tried, one)
			out.Route = r.give(rule, to, v)
			return out
		}
		if len(one.Failed) == 0 {
			one.Note, one.Failed = to.why, []string{to.why}
		}
		out.Tried = append(out.Tried, one)
	}
	out.Route = complaint.Route{Department: r.otherwise(v, r.cfg.Default), Rule: RuleDefault}
	return out
}

// Names lists the routes in their order.
func (r *Rules) Names() []string {
	var out []string
	for i := range r.routes {
		out = append(out, r.routes[i].Name)
	}
	return out
}

// FloorNames lists the priorities as records name them, in their order.
func (r *Rules) FloorNames() []string {
	var out []string
	for i := range r.floors {
		out = append(out, r.floors[i].reason)
	}
	return out
}

// Holding lists the routes and the floors whose conditions hold for a record,
// whether they decide or not.
func (r *Rules) Holding(rec *complaint.Record) (routes, floors []string) {
	v := &view{Record: rec, rules: r}
	r.byRoute.candidates(v, func(i int32) bool {
		if r.routes[i].when.test(v) {
			routes = append(routes, r.routes[i].Name)
		}
		return true
	})
	r.byFloor.candidates(v, func(i int32) bool {
		if r.floors[i].when.test(v) {
			floors = append(floors, r.floors[i].reason)
		}
		return true
	})
	return routes, floors
}

// Asked lists the values that the routes ask a field for, each once, in lower
// case.
func (r *Rules) Asked(field string) []string {
	var out []string
	var walk func(*condition)
	walk = func(c *condition) {
		for i := range c.kids {
			walk(&c.kids[i])
		}
		if !c.leaf() || c.what != field {
			return
		}
		for _, set := range c.sets {
			for _, k := range set {
				out = append(out, k.value)
			}
		}
	}
	for i := range r.routes {
		walk(&r.routes[i].when)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// FieldNames lists what a `when` can ask, beside any, all, not and fact.NAME.
func FieldNames() []string { return slices.Sorted(maps.Keys(fields())) }
