package dispatcher

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"hearken/complaint"
)

// Shadow is a rule that can never decide.
type Shadow struct {
	Rule string `json:"rule"`
	By   string `json:"by"` // the earlier ones that always do, or "" where the rule contradicts itself
}

// Why says it in words.
func (s Shadow) Why() string {
	if s.By == "" {
		return "no record can fulfil it, its conditions exclude each other"
	}
	return "what fulfils it always fulfils " + s.By
}

// Shadowed finds routes that can never decide, by reasoning on values, terms,
// amounts, hours and what any, all and not make of them: because an earlier
// one always does, or several do between them, or because no record can fulfil
// them. What it finds is certain; what it does not find may be hidden all the
// same.
func (r *Rules) Shadowed() []Shadow {
	whens, names := make([]*condition, len(r.routes)), make([]string, len(r.routes))
	for i := range r.routes {
		whens[i], names[i] = &r.routes[i].when, r.routes[i].Name
	}
	sure := make([]bool, len(r.routes))
	for i := range r.routes {
		sure[i] = r.surelySends(i, nil)
	}
	return r.byRoute.shadows(whens, names, func(i, j int, narrowed *condition) bool {
		return i < j && (sure[i] || r.surelySends(i, narrowed))
	})
}

// IdleFloors finds priorities that change nothing: another that is as high or
// higher always holds too. They have no names; Rule and By say what they ask.
func (r *Rules) IdleFloors() []Shadow {
	whens, names := make([]*condition, len(r.floors)), make([]string, len(r.floors))
	at := make([]int, len(r.floors))
	for i := range r.floors {
		f := &r.floors[i]
		whens[i], names[i], at[i] = &f.when, f.reason, slices.Index(Priorities, f.priority)
	}
	return r.byFloor.shadows(whens, names, func(i, j int, _ *condition) bool { return at[i] < at[j] || at[i] == at[j] && i < j })
}

// shadows finds conditions for which first tells that another decides before
// them, whatever fulfils them; first is asked of those that do hold then.
func (x *index) shadows(all []*condition, names []string, first func(i, j int, narrowed *condition) bool) []Shadow {
	var out []Shadow
	pairs := 0
	hiddenBy := func(j int, narrowed *condition) string {
		for _, i := range x.wider(narrowed) {
			if pairs++; pairs > maxPairs {
				break
			}
			if i := int(i); i != j && implies(narrowed, all[i]) && first(i, j, narrowed) {
				return names[i]
			}
		}
		return ""
	}
	for j, c := range all {
		if impossible(c) {
			out = append(out, Shadow{Rule: names[j]})
			continue
		}
		by := hiddenBy(j, c)
		if by == "" {
			by = inCases(c, func(one *condition) string { return hiddenBy(j, one) })
		}
		if by != "" {
			out = append(out, Shadow{names[j], by})
		}
	}
	return out
}

// Slips tells what routes say to no effect: a step that can't be the next, a
// time in which nobody has to take it.
func (r *Rules) Slips() []string {
	var out []string
	for i := range r.routes {
		rule := &r.routes[i]
		slip := func(format string, args ...any) {
			out = append(out, fmt.Sprintf("route %s: ", rule.Name)+fmt.Sprintf(format, args...))
		}
		for what, list := range map[string][]string{"with": rule.With, "then": rule.Then} {
			for k, code := range list {
				if code == rule.To {
					slip("%s names %s, which leads already", what, code)
				} else if slices.Contains(list[:k], code) {
					slip("%s names %s twice", what, code)
				}
			}
		}
		if rule.accept != nil && rule.To == r.cfg.Office {
			slip("unless_accepted_within has no effect on %s: it is the complaint office, nobody comes after it", rule.To)
		}
	}
	slices.Sort(out)
	return out
}

// maxPairs bounds how many conditions are compared: some seconds of it.
const maxPairs = 3_000_000

// wider lists, in ascending order, the conditions that another may imply: those
// found by all the keys of something that it must have, and those that no key
// leads to.
func (x *index) wider(c *condition) []int32 {
	out := slices.Clone(x.always)
	for _, set := range c.sets {
		out = append(out, x.under(set[0])...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// mostCases bounds the values of a list that are looked at one by one.
const mostCases = 50

// inCases looks at the values of one of a condition's lists one by one, each
// of which another rule may take: "" unless all are taken.
func inCases(c *condition, taken func(*condition) string) string {
	for i := range c.kids {
		if k := &c.kids[i]; !k.leaf() || !k.exact || len(k.sets) != 1 || len(k.sets[0]) < 2 || len(k.sets[0]) > mostCases {
			continue
		}
		var by []string
		for _, value := range c.kids[i].sets[0] {
			one := narrowed(c, i, value)
			name := taken(&one)
			if name == "" {
				by = nil
				break
			}
			if !slices.Contains(by, name) {
				by = append(by, name)
			}
		}
		if len(by) > 0 {
			return strings.Join(by, ", ")
		}
	}
	return ""
}

// narrowed is a condition of which one list has one value left.
func narrowed(c *condition, i int, value key) condition {
	kids := slices.Clone(c.kids)
	kids[i].sets = [][]key{{value}}
	kids[i].want = fmt.Sprintf("[%s]", value.value)
	return every(c.what, kids)
}

// surelySends tells whether a route whose condition holds never passes on to
// the next, of records that fulfil another condition too (nil for any).
func (r *Rules) surelySends(i int, narrowed *condition) bool {
	rule := &r.routes[i]
	to := []string{rule.To}
	switch {
	case len(rule.shares) > 0:
		to = slices.Collect(maps.Keys(rule.Shares))
	case rule.To == TypeDepartment:
		to = nil
		for _, typ := range append(slices.Clone(r.cfg.Types), complaint.DefaultType) {
			if mayBeOf(&rule.when, typ) && (narrowed == nil || mayBeOf(narrowed, typ)) {
				to = append(to, r.cfg.TypeDepartments[typ])
			}
		}
	}
	return !slices.ContainsFunc(to, func(code string) bool {
		conflict, may := r.conflicts[code]
		return code == "" || may && !(narrowed != nil && new(reasoning).excludes(narrowed, &conflict))
	})
}

// mayBeOf tells whether a record of the type may fulfil the condition.
func mayBeOf(c *condition, typ string) bool {
	of := condition{what: "type", got: func(*view) string { return "" }, alone: true, exact: true, sets: [][]key{keysOf("type", []string{typ})}}
	return !new(reasoning).excludes(c, &of)
}
