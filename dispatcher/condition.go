package dispatcher

import (
	"fmt"
	"slices"
	"strings"
)

// condition is a compiled `when`, or a part of one. It can be tried, can say
// what it wants and what a record has instead, and can tell by which keys it
// may be looked up.
type condition struct {
	what string // the field, or "any", "all", "not"
	want string // the value as it was written
	test func(*view) bool
	got  func(*view) string // what the record has; nil for any, all, not
	kids []condition

	// sets are what a record must have for the condition to hold: of each set
	// at least one key. None: nothing is known, any record may do.
	sets [][]key
	// exact says that sets are all there is to it: who has them fulfils it.
	exact bool
	// alone says that a record has one value of the field at most.
	alone bool
	// reach and week are what a condition on a number or a time takes in.
	reach *reach
	week  *week
}

// key is something that a record has: a value of a field. A term's value is
// its owner's number.
type key struct{ field, value string }

// every holds where all of kids do.
func every(what string, kids []condition) condition {
	out := condition{what: what, kids: kids, exact: true}
	for _, k := range kids {
		out.sets = append(out.sets, k.sets...)
		out.exact = out.exact && k.exact
	}
	out.test = func(v *view) bool {
		for i := range kids {
			if !kids[i].test(v) {
				return false
			}
		}
		return true
	}
	return out
}

// either holds where one of kids does.
func either(kids []condition) condition {
	out := condition{what: "any", kids: kids, exact: true, test: func(v *view) bool {
		return slices.ContainsFunc(kids, func(k condition) bool { return k.test(v) })
	}}
	var union []key
	for _, k := range kids {
		best := narrowest(k.sets, nil)
		if best < 0 { // it may hold for any record, and so may all of it
			return condition{what: out.what, kids: kids, test: out.test}
		}
		union = append(union, k.sets[best]...)
		out.exact = out.exact && k.exact && len(k.sets) == 1
	}
	out.sets = [][]key{union}
	return out
}

// unless holds where kid does not.
func unless(kid condition) condition {
	return condition{what: "not", kids: []condition{kid}, test: func(v *view) bool { return !kid.test(v) }}
}

// narrowest is the index of the set that is best to look a condition up by:
// the one whose keys are used least; -1 where there are no sets.
func narrowest(sets [][]key, used map[key]int) int {
	best, least := -1, 0
	for i, set := range sets {
		n := 0
		for _, k := range set {
			n += 1 + used[k]
		}
		if best < 0 || n < least {
			best, least = i, n
		}
	}
	return best
}

// Part is a condition, or a part of one, as it stands for a record.
type Part struct {
	Asks  string `json:"asks"`
	Held  bool   `json:"held"`
	Has   string `json:"has,omitempty"` // what the record has instead
	Parts []Part `json:"parts,omitempty"`
}

// parts is the tree of the condition, of which each leaf says whether it
// holds; nil for one that asks nothing.
func (c *condition) parts(v *view) []Part {
	if c.what != "any" && c.what != "not" && c.got == nil {
		var out []Part
		for i := range c.kids {
			out = append(out, c.kids[i].parts(v)...)
		}
		return out
	}
	one := Part{Asks: c.what, Held: c.test(v)}
	switch {
	case c.what == "any":
		one.Asks = "any of"
		for i := range c.kids {
			kid := c.kids[i].parts(v)
			if len(kid) != 1 { // several that must hold together are one choice
				kid = []Part{{Asks: "all of", Held: c.kids[i].test(v), Parts: kid}}
			}
			one.Parts = append(one.Parts, kid...)
		}
	case c.what == "not":
		one.Parts = c.kids[0].parts(v)
	default:
		if one.Asks = c.asks(); !one.Held {
			one.Has = c.has(v)
		}
	}
	return []Part{one}
}

func (c *condition) asks() string { return strings.TrimSpace(c.what + " " + c.want) }

// has is what a record has of what the condition asks for.
func (c *condition) has(v *view) string {
	if s := c.got(v); s != "" {
		return s
	}
	return "none"
}

// failing lists what of the condition does not hold for v, a line each.
func (c *condition) failing(v *view) []string {
	if c.test(v) {
		return nil
	}
	switch {
	case c.what == "not":
		return []string{"not " + c.kids[0].brief() + ", but it is so"}
	case c.what == "any":
		var all []string
		for i := range c.kids {
			all = append(all, strings.Join(c.kids[i].failing(v), " and "))
		}
		return []string{"one of: " + strings.Join(all, ", or ")}
	case c.got == nil:
		var all []string
		for i := range c.kids {
			all = append(all, c.kids[i].failing(v)...)
		}
		return all
	}
	return []string{fmt.Sprintf("%s (it has %s)", c.asks(), c.has(v))}
}

// brief says in a line what the condition asks.
func (c *condition) brief() string {
	switch {
	case len(c.kids) == 0 && c.got == nil:
		return "" // asks nothing
	case len(c.kids) == 0:
		return c.asks()
	}
	var parts []string
	for i := range c.kids {
		parts = append(parts, c.kids[i].brief())
	}
	joined := strings.Join(parts, ", ")
	if c.what == "any" {
		return "any of (" + strings.Join(parts, " | ") + ")"
	}
	if c.what == "not" {
		return "not (" + joined + ")"
	}
	return joined
}
