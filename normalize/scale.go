package normalize

import "hearken/internal/terms"

// scale is the memory in which the hits of a text are weighed. It goes from
// one text to the next.
type scale struct {
	hits  []terms.Hit
	last  []int    // by type: the place of its last hit, and one more
	known []uint64 // a bit for each term that was there
	near  map[evidence]bool
}

// evidence is what stood there for a term of parts.
type evidence struct {
	term  string
	owner int
}

// keptHits bounds the memory that is kept, in hits: of a long mail, not of one
// that consists of keywords.
const keptHits = 8 << 10

func (n *Normalizer) scale() *scale {
	if s, ok := n.scales.Get().(*scale); ok {
		return s
	}
	return &scale{last: make([]int, len(n.cfg.Types)), known: make([]uint64, n.terms/64+1), near: map[evidence]bool{}}
}

// done clears the memory for the next text.
func (n *Normalizer) done(s *scale) {
	if cap(s.hits) > keptHits {
		return
	}
	clear(s.hits) // holds texts
	clear(s.last)
	clear(s.known)
	clear(s.near)
	n.scales.Put(s)
}

// first tells whether a term is there for the first time.
func (s *scale) first(h terms.Hit) bool {
	word, bit := h.Pattern/64, uint64(1)<<(h.Pattern%64)
	if s.known[word]&bit != 0 {
		return false
	}
	s.known[word] |= bit
	if !h.Near {
		return true
	}
	// Different patterns may be there by the same words.
	e := evidence{h.Term, h.Owner}
	if s.near[e] {
		return false
	}
	s.near[e] = true
	return true
}
