package terms

import (
	"math/bits"
	"slices"
)

// trie holds the folded phrases by their runes. Its nodes are numbered breadth
// first, so that a node's children stand beside each other: which of them
// belongs to a rune, not where it is, is all that needs to be kept, and a walk
// touches little memory.
type trie struct {
	nodes []node  // and one more, where the last one's children and phrases end
	label []rune  // by node: the rune that leads to it
	ends  []int32 // the phrases that end at the nodes, one node after the other

	lowest rune    // of the root's children that are not plain
	roots  []int32 // those children, by rune from the lowest on: most characters of a text end here
}

// node is 16 bytes.
type node struct {
	plain uint64 // which plain runes lead on; those children stand first, in order
	child int32  // the first child
	end   int32  // where its phrases begin in ends
}

// isPlain tells the half of ASCII that folded words are made of: small letters,
// digits, the space, most punctuation.
func isPlain(r rune) bool { return r < 0x80 && r&0x20 != 0 }

// bit is that of a plain rune; they are in the order of the runes.
func bit(r rune) uint64 { return 1 << (r&0x1F | r&0x40>>1) }

// keyed is a phrase by its folded runes.
type keyed struct {
	runes  []rune
	phrase int32
}

// newTrie makes the trie of phrases whose runes differ, or not.
func newTrie(keys []keyed) trie {
	slices.SortStableFunc(keys, func(a, b keyed) int { return slices.CompareFunc(a.runes, b.runes, plainFirst) })
	type stretch struct{ from, to, depth int } // of keys that begin with the same runes
	t := trie{label: []rune{0}}
	open := []stretch{{0, len(keys), 0}}
	for i := 0; i < len(open); i++ { // grows as it goes
		at := open[i]
		n := node{child: int32(len(open)), end: int32(len(t.ends))}
		for at.from < at.to && len(keys[at.from].runes) == at.depth {
			t.ends = append(t.ends, keys[at.from].phrase)
			at.from++
		}
		for at.from < at.to {
			r := keys[at.from].runes[at.depth]
			same := at.from + 1
			for same < at.to && keys[same].runes[at.depth] == r {
				same++
			}
			if isPlain(r) {
				n.plain |= bit(r)
			}
			t.label = append(t.label, r)
			open = append(open, stretch{at.from, same, at.depth + 1})
			at.from = same
		}
		t.nodes = append(t.nodes, n)
	}
	t.nodes = append(t.nodes, node{child: int32(len(open)), end: int32(len(t.ends))})
	t.spread()
	return t
}

func plainFirst(a, b rune) int {
	switch {
	case isPlain(a) == isPlain(b):
		return int(a - b)
	case isPlain(a):
		return -1
	}
	return 1
}

// spread puts the root's children that are not plain into a table.
func (t *trie) spread() {
	first, last := t.beyond(0)
	if first == last {
		return
	}
	t.lowest = t.label[first]
	t.roots = make([]int32, t.label[last-1]-t.lowest+1)
	for i := first; i < last; i++ {
		t.roots[t.label[i]-t.lowest] = i
	}
}

// beyond is where the children of a node stand that are not plain.
func (t *trie) beyond(at int32) (first, last int32) {
	n := &t.nodes[at]
	return n.child + int32(bits.OnesCount64(n.plain)), t.nodes[at+1].child
}

// begin is where phrases that begin with a rune lead to; 0 is nowhere.
func (t *trie) begin(r rune) int32 {
	if isPlain(r) {
		return t.follow(0, r)
	}
	if i := int(r - t.lowest); i >= 0 && i < len(t.roots) {
		return t.roots[i]
	}
	return 0
}

// follow is where a rune leads to from a node; 0 is nowhere.
func (t *trie) follow(at int32, r rune) int32 {
	if !isPlain(r) {
		return t.search(at, r)
	}
	n, b := &t.nodes[at], bit(r)
	if n.plain&b == 0 {
		return 0
	}
	return n.child + int32(bits.OnesCount64(n.plain&(b-1)))
}

// fewLabels is how many are quicker looked through than searched.
const fewLabels = 8

// search is follow for a rune that is not plain.
func (t *trie) search(at int32, r rune) int32 {
	first, last := t.beyond(at)
	for last-first > fewLabels {
		if half := (first + last) / 2; t.label[half] <= r {
			first = half
		} else {
			last = half
		}
	}
	for ; first < last; first++ {
		if t.label[first] == r {
			return first
		}
	}
	return 0
}
