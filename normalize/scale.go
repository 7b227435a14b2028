package normalize

import "hearken/internal/terms"

// owner is what a keyword speaks for.
type owner struct {
	kind   ownerKind
	at     int    // which type, remedy or class
	flag   string // of ofFlag
	weight float64
	rule   string // the place in the rules
}

type ownerKind uint8

const (
	ofType ownerKind = iota
	ofFlag
	ofRemedy // of those that Hearken knows
	ofClass
)

// scale is the memory in which a record's hits are weighed. It goes from one
// record to the next.
type scale struct {
	hits     []terms.Hit // of one passage
	last     []int       // by type: the place of its last hit, and one more
	known    []uint64    // a bit for each pattern that was there
	near     map[stood]bool
	evidence []evidence
	scores   []float64 // by type
	raised   []string  // flags
	cues     [len(classCues)]bool
}

// stood is what stood there for a pattern of parts.
type stood struct {
	term  string
	owner int
}

// evidence is a hit that counts.
type evidence struct {
	hit    terms.Hit
	field  string
	weight float64
}

// keptHits bounds the memory that is kept, in hits: of a long mail, not of one
// that consists of keywords.
const keptHits = 8 << 10

func (n *Normalizer) scale() *scale {
	if s, ok := n.scales.Get().(*scale); ok {
		return s
	}
	return &scale{
		last: make([]int, len(n.cfg.Types)), known: make([]uint64, n.patterns/64+1), near: map[stood]bool{}, scores: make([]float64, len(n.cfg.Types)),
	}
}

// done clears the memory for the next record. What it holds of texts goes when
// it is written over.
func (n *Normalizer) done(s *scale) {
	if cap(s.hits) > keptHits {
		return
	}
	s.evidence, s.raised, s.cues = s.evidence[:0], s.raised[:0], [len(classCues)]bool{}
	clear(s.scores)
	n.scales.Put(s)
}

// begin forgets the passage before.
func (s *scale) begin() {
	clear(s.last)
	clear(s.known)
	clear(s.near)
}

// first tells whether a term is in a passage for the first time.
func (s *scale) first(h terms.Hit) bool {
	word, bit := h.Pattern/64, uint64(1)<<(h.Pattern%64)
	if s.known[word]&bit != 0 {
		return false
	}
	s.known[word] |= bit
	if !h.Near {
		return true
	}
	w := stood{h.Term, h.Owner} // different patterns may be there by the same words
	if s.near[w] {
		return false
	}
	s.near[w] = true
	return true
}
