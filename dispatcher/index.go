package dispatcher

import (
	"container/heap"
	"strconv"
	"strings"
)

// index finds which of many conditions may hold for a record, without trying
// them all: each is listed under the keys of the one set that the fewest
// others use. Its cost grows with what a record has, not with their number.
type index struct {
	lists  map[key][]int32 // by key, ascending
	terms  [][]int32       // by a term's owner, ascending
	always []int32         // those that no key leads to
	fields []keyed         // the fields that keys are of
}

// keyed is a field whose values are keys.
type keyed struct {
	name string
	get  func(*view) []string
}

// newIndex lists the conditions.
func newIndex(all []*condition, getters map[string]func(*view) []string, owners int) *index {
	x := &index{lists: map[key][]int32{}, terms: make([][]int32, owners)}
	used := map[key]int{}
	for _, c := range all {
		for _, set := range c.sets {
			for _, k := range set {
				used[k]++
			}
		}
	}
	names := map[string]bool{}
	for i, c := range all {
		best := narrowest(c.sets, used)
		if best < 0 {
			x.always = append(x.always, int32(i))
			continue
		}
		for _, k := range c.sets[best] {
			if k.field == termField {
				owner, _ := strconv.Atoi(k.value)
				x.terms[owner] = appendOnce(x.terms[owner], int32(i))
				continue
			}
			names[k.field] = true
			x.lists[k] = appendOnce(x.lists[k], int32(i))
		}
	}
	for name := range names {
		x.fields = append(x.fields, keyed{name, getters[name]})
	}
	return x
}

// under are the conditions that are looked up by a key.
func (x *index) under(k key) []int32 {
	if k.field != termField {
		return x.lists[k]
	}
	owner, _ := strconv.Atoi(k.value)
	return x.terms[owner]
}

func appendOnce(list []int32, i int32) []int32 {
	if n := len(list); n > 0 && list[n-1] == i {
		return list
	}
	return append(list, i)
}

// candidates yields, in ascending order and each once, those that may hold.
func (x *index) candidates(v *view, yield func(i int32) bool) {
	var h lists
	add := func(list []int32) {
		if len(list) > 0 {
			h = append(h, list)
		}
	}
	add(x.always)
	for _, f := range x.fields {
		for _, value := range f.get(v) {
			add(x.lists[key{f.name, strings.ToLower(value)}])
		}
	}
	if len(x.terms) > 0 {
		for owner := range v.found() {
			add(x.terms[owner])
		}
	}
	heap.Init(&h)
	last := int32(-1)
	for len(h) > 0 {
		i := h[0][0]
		if h[0] = h[0][1:]; len(h[0]) == 0 {
			heap.Pop(&h)
		} else {
			heap.Fix(&h, 0)
		}
		if i == last {
			continue
		}
		if last = i; !yield(i) {
			return
		}
	}
}

// lists is a heap of ascending lists by their first number.
type lists [][]int32

func (l lists) Len() int           { return len(l) }
func (l lists) Less(i, j int) bool { return l[i][0] < l[j][0] }
func (l lists) Swap(i, j int)      { l[i], l[j] = l[j], l[i] }
func (l *lists) Push(x any)        { *l = append(*l, x.([]int32)) }
func (l *lists) Pop() any {
	old := *l
	out := old[len(old)-1]
	*l = old[:len(old)-1]
	return out
}
