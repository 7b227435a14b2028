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
	To     string   `json:"to,omitempty"`     // of the rule that decided
	Note   string   `json:"note,omitempty"`   // why there, where the rule leaves it open
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
		out.Floors = append(out.Floors, Tried{Rule: f.priority, Asks: f.when.brief(), Held: f.when.test(v), Failed: f.when.failing(v)})
	}
	for i := range r.routes {
		rule := &r.routes[i]
		one := Tried{Rule: rule.Name, Asks: rule.when.brief(), Failed: rule.when.failing(v)}
		to := r.target(rule, v)
		if one.Held = to.department != ""; one.Held {
			one.To, one.Note = to.department, to.why
			out.Tried = append(out.Tried, one)
			out.Route = r.give(rule, to, v)
			return out
		}
		if len(one.Failed) == 0 {
			one.Failed = []string{to.why}
		}
		out.Tried = append(out.Tried, one)
	}
	out.Route = complaint.Route{Department: r.cfg.Default, Rule: RuleDefault}
	return out
}

// Shadow is a rule that can never decide, because an earlier one always does.
type Shadow struct {
	Rule string `json:"rule"`
	By   string `json:"by"`
}

// Shadowed finds rules that an earlier one hides, by reasoning: whatever
// fulfils them fulfils that one too. It knows of values and terms, not of
// amounts, hours, regular expressions or `not`: what it finds is certain, what
// it does not find may be hidden all the same.
func (r *Rules) Shadowed() []Shadow {
	var out []Shadow
	for j := range r.routes {
		for i := range j {
			if r.alwaysDecides(i) && r.routes[j].when.implies(&r.routes[i].when) {
				out = append(out, Shadow{r.routes[j].Name, r.routes[i].Name})
				break
			}
		}
	}
	return out
}

// alwaysDecides tells whether a rule whose condition holds never passes on.
func (r *Rules) alwaysDecides(i int) bool {
	rule := &r.routes[i]
	to := []string{rule.To}
	switch {
	case len(rule.shares) > 0:
		to = slices.Collect(maps.Keys(rule.Shares))
	case rule.To == TypeDepartment:
		to = nil
		for _, typ := range append(slices.Clone(r.cfg.Types), complaint.DefaultType) {
			to = append(to, r.cfg.TypeDepartments[typ])
		}
	}
	return !slices.ContainsFunc(to, func(code string) bool {
		_, maybeNot := r.conflicts[code]
		return code == "" || maybeNot
	})
}

// Names lists the routes in their order.
func (r *Rules) Names() []string {
	var out []string
	for i := range r.routes {
		out = append(out, r.routes[i].Name)
	}
	return out
}

// FieldNames lists what a `when` can ask, beside any, all, not and fact.NAME.
func FieldNames() []string { return slices.Sorted(maps.Keys(fields())) }
