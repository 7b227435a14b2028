package dispatcher

import (
	"math/big"
	"slices"
)

// reasoning finds out what follows from conditions alone, whatever records
// come. true is certain, false may be ignorance.
type reasoning struct{ steps int }

// maxSteps bounds the reasoning on one pair of conditions: nested ones could
// be compared in more ways than anybody waits for.
const maxSteps = 2000

func (r *reasoning) tired() bool {
	r.steps++
	return r.steps > maxSteps
}

func implies(c, other *condition) bool { return new(reasoning).implies(c, other) }

// impossible tells that no record fulfils c: two of its parts exclude each
// other.
func impossible(c *condition) bool {
	switch {
	case c.what == "any":
		return !slices.ContainsFunc(c.kids, func(k condition) bool { return !impossible(&k) })
	case c.what == "not" || c.leaf():
		return false
	}
	for i := range c.kids {
		if impossible(&c.kids[i]) || slices.ContainsFunc(c.kids[:i], func(k condition) bool { return new(reasoning).excludes(&k, &c.kids[i]) }) {
			return true
		}
	}
	return false
}

// leaf tells a condition on a field from one that puts others together.
func (c *condition) leaf() bool { return c.got != nil }

// both tells that all kids of c must hold.
func (c *condition) both() bool { return !c.leaf() && c.what != "any" && c.what != "not" }

// implies tells whether whatever fulfils c fulfils other too.
func (r *reasoning) implies(c, other *condition) bool {
	if r.tired() {
		return false
	}
	some := func(kids []condition, holds func(*condition) bool) bool {
		return slices.ContainsFunc(kids, func(k condition) bool { return holds(&k) })
	}
	all := func(kids []condition, holds func(*condition) bool) bool {
		return !slices.ContainsFunc(kids, func(k condition) bool { return !holds(&k) })
	}
	switch {
	case other.both():
		return all(other.kids, func(k *condition) bool { return r.implies(c, k) })
	case c.what == "any":
		return all(c.kids, func(k *condition) bool { return r.implies(k, other) })
	case c.leaf() && other.leaf():
		return leafImplies(c, other)
	}
	return c.both() && some(c.kids, func(k *condition) bool { return r.implies(k, other) }) ||
		other.what == "any" && some(other.kids, func(k *condition) bool { return r.implies(c, k) }) ||
		other.what == "not" && r.excludes(c, &other.kids[0])
}

// excludes tells whether nothing fulfils both.
func (r *reasoning) excludes(a, b *condition) bool {
	if r.tired() {
		return false
	}
	if a.leaf() && b.leaf() {
		return leafExcludes(a, b)
	}
	split := func(a, b *condition) bool {
		switch {
		case a.leaf():
			return false
		case a.what == "not":
			return r.implies(b, &a.kids[0])
		case a.what == "any":
			return !slices.ContainsFunc(a.kids, func(k condition) bool { return !r.excludes(&k, b) })
		}
		return slices.ContainsFunc(a.kids, func(k condition) bool { return r.excludes(&k, b) })
	}
	return split(a, b) || split(b, a)
}

func leafImplies(c, other *condition) bool {
	switch {
	case c.what != other.what:
		return keysImply(c, other) // type within any_type is not known here, terms are
	case c.reach != nil && other.reach != nil:
		return c.reach.within(other.reach)
	case c.week != nil && other.week != nil:
		return c.week.within(other.week)
	case other.exact:
		return keysImply(c, other)
	}
	return c.want == other.want // the same words ask the same
}

// keysImply compares by what a record must have: other wants nothing that c
// does not.
func keysImply(c, other *condition) bool {
	if !other.exact || len(other.sets) == 0 {
		return false
	}
	for _, wide := range other.sets {
		if !slices.ContainsFunc(c.sets, func(narrow []key) bool {
			return !slices.ContainsFunc(narrow, func(k key) bool { return !slices.Contains(wide, k) })
		}) {
			return false
		}
	}
	return true
}

func leafExcludes(a, b *condition) bool {
	switch {
	case a.what != b.what:
		return false
	case a.reach != nil && b.reach != nil:
		return a.reach.apart(b.reach)
	case a.week != nil && b.week != nil:
		return a.week.apart(b.week)
	case !a.alone || len(a.sets) != 1 || len(b.sets) != 1:
		return false
	}
	return !slices.ContainsFunc(a.sets[0], func(k key) bool { return slices.Contains(b.sets[0], k) })
}

// reach is what a condition on a number takes in: from low to high, where nil
// is without end; of money, in one of the currencies, or in any.
type reach struct {
	low, high  *big.Rat
	currencies []string
}

func (r *reach) has(x *big.Rat) bool {
	return (r.low == nil || x.Cmp(r.low) >= 0) && (r.high == nil || x.Cmp(r.high) <= 0)
}

func (r *reach) within(o *reach) bool {
	return (o.low == nil || r.low != nil && r.low.Cmp(o.low) >= 0) &&
		(o.high == nil || r.high != nil && r.high.Cmp(o.high) <= 0) &&
		(len(o.currencies) == 0 || len(r.currencies) > 0 && !slices.ContainsFunc(r.currencies, func(c string) bool { return !slices.Contains(o.currencies, c) }))
}

func (r *reach) apart(o *reach) bool {
	above := func(a, b *reach) bool { return a.low != nil && b.high != nil && a.low.Cmp(b.high) > 0 }
	return above(r, o) || above(o, r) ||
		len(r.currencies) > 0 && len(o.currencies) > 0 && !slices.ContainsFunc(r.currencies, func(c string) bool { return slices.Contains(o.currencies, c) })
}

// week is what a condition on the time takes in: on some days, from one minute
// to another, over midnight where it ends before it begins.
type week struct {
	days       [7]bool // by the day it begins on
	begin, end int
}

const dayMinutes = 24 * 60

// holds tells of a minute of a weekday whether it is taken in.
func (w *week) holds(day, minute int) bool {
	if w.begin <= w.end {
		return w.days[day] && minute >= w.begin && minute < w.end
	}
	return w.days[day] && minute >= w.begin || w.days[(day+6)%7] && minute < w.end // the night belongs to the day before
}

func (w *week) within(o *week) bool {
	return !anyMinute(func(day, minute int) bool { return w.holds(day, minute) && !o.holds(day, minute) })
}

func (w *week) apart(o *week) bool {
	return !anyMinute(func(day, minute int) bool { return w.holds(day, minute) && o.holds(day, minute) })
}

func anyMinute(is func(day, minute int) bool) bool {
	for day := range 7 {
		for minute := range dayMinutes {
			if is(day, minute) {
				return true
			}
		}
	}
	return false
}
