// Package terms finds many words and phrases, Chinese and Latin, in one pass
// over a text. It hides folding (case, width, Traditional characters), what
// counts as a word in which script, and the automaton, so that the cost grows
// with the text and its hits, not with the number of terms.
package terms

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// Pattern is a term that belongs to somebody. Chinese is found anywhere;
// Latin as a whole word, with the endings -s, -es, -ed, -ing; a hyphen or a
// space in it stands for any hyphen or space; an acronym in capitals (FCA) is
// found in capitals only; a number (12315) not within a longer one, nor where
// it is an amount.
type Pattern struct {
	Owner  int
	Term   string
	Except []string // phrases around the term in which it means something else
}

// Hit is a term that was found.
type Hit struct {
	Owner      int
	Term       string // as in the Pattern
	Start, End int    // in runes of the text
	Negated    bool   // a "not" stands close before it
}

// Set is a compiled list of patterns. It is safe for concurrent use.
type Set struct {
	folder   *folder
	patterns []compiled
	nodes    []node
	roots    []int32 // the root's next states, by character of the basic plane
}

type compiled struct {
	Pattern
	exception int // of which pattern this is an exception; -1: none
	length    int // folded, in runes
	acronym   bool
	latin     bool // begins and ends as a word does
	latinEnd  bool
	digits    bool
}

// node is a state of the automaton (Aho and Corasick, 1975).
type node struct {
	next  map[rune]int32 // while the set is made
	edges []edge         // the same, sorted
	fail  int32
	out   []int32 // patterns that end here
	more  int32   // the next state on the way of fails that has some
}

type edge struct {
	on rune
	to int32
}

// maxTerm bounds a term, in runes.
const maxTerm = 100

// Compile makes a Set. It reports every pattern that is empty or too long.
func Compile(patterns []Pattern) (*Set, error) {
	s := &Set{folder: newFolder(), nodes: []node{{more: -1}}}
	var errs []error
	for _, p := range patterns {
		own := len(s.patterns)
		errs = append(errs, s.add(p, p.Term, -1))
		for _, e := range p.Except {
			errs = append(errs, s.add(p, e, own))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	s.link()
	return s, nil
}

// Check tells what is wrong with a term; nil where nothing is.
func Check(term string) error {
	s := &Set{folder: newFolder(), nodes: []node{{more: -1}}}
	return s.add(Pattern{Term: term}, term, -1)
}

func (s *Set) add(p Pattern, term string, exception int) error {
	f := s.folder.fold(term)
	if len(f.runes) == 0 || len(f.runes) > maxTerm {
		return fmt.Errorf("term %q: it must have 1 to %d letters or digits", term, maxTerm)
	}
	c := compiled{Pattern: p, exception: exception, length: len(f.runes)}
	c.latin, c.latinEnd = isWord(f.runes[0]), isWord(f.runes[len(f.runes)-1])
	c.digits = !slices.ContainsFunc(f.runes, func(r rune) bool { return !unicode.IsDigit(r) })
	letters := 0
	c.acronym = len(f.runes) >= 2
	for i, r := range f.runes {
		if unicode.IsLetter(r) {
			letters++
			c.acronym = c.acronym && f.upper[i]
		}
	}
	c.acronym = c.acronym && letters >= 2
	at := int32(0)
	for _, r := range f.runes {
		next, ok := s.nodes[at].next[r]
		if !ok {
			next = int32(len(s.nodes))
			s.nodes = append(s.nodes, node{more: -1})
			if s.nodes[at].next == nil {
				s.nodes[at].next = map[rune]int32{}
			}
			s.nodes[at].next[r] = next
		}
		at = next
	}
	s.nodes[at].out = append(s.nodes[at].out, int32(len(s.patterns)))
	s.patterns = append(s.patterns, c)
	return nil
}

// link sets the fails, breadth first.
func (s *Set) link() {
	queue := []int32{0}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		for r, child := range s.nodes[at].next {
			if at != 0 {
				s.nodes[child].fail = s.step(s.nodes[at].fail, r)
			}
			fail := s.nodes[child].fail
			if s.nodes[child].more = fail; len(s.nodes[fail].out) == 0 {
				s.nodes[child].more = s.nodes[fail].more
			}
			queue = append(queue, child)
		}
	}
	s.pack()
}

// pack puts the maps into lists, which are quicker to look through, and the
// root's into a table: most characters of a text end there.
func (s *Set) pack() {
	s.roots = make([]int32, 1<<16)
	for i := range s.nodes {
		n := &s.nodes[i]
		for r, to := range n.next {
			if i == 0 && r < rune(len(s.roots)) {
				s.roots[r] = to
			}
			n.edges = append(n.edges, edge{r, to})
		}
		slices.SortFunc(n.edges, func(a, b edge) int { return int(a.on - b.on) })
		n.next = nil
	}
}

// step follows the maps, while the set is made.
func (s *Set) step(at int32, r rune) int32 {
	for {
		if next, ok := s.nodes[at].next[r]; ok {
			return next
		}
		if at == 0 {
			return 0
		}
		at = s.nodes[at].fail
	}
}

// fewEdges is how many are quicker looked through than searched.
const fewEdges = 8

// follow is step for the finished set.
func (s *Set) follow(at int32, r rune) int32 {
	for at != 0 {
		edges := s.nodes[at].edges
		if len(edges) > fewEdges {
			if i, ok := slices.BinarySearchFunc(edges, r, func(e edge, r rune) int { return int(e.on - r) }); ok {
				return edges[i].to
			}
		} else {
			for _, e := range edges {
				if e.on == r {
					return e.to
				}
			}
		}
		at = s.nodes[at].fail
	}
	if r < rune(len(s.roots)) {
		return s.roots[r]
	}
	for _, e := range s.nodes[0].edges {
		if e.on == r {
			return e.to
		}
	}
	return 0
}

// found is a hit in folded places.
type found struct {
	pattern    int32
	start, end int
}

// Text is a text made ready to be looked through by several sets.
type Text struct{ f folded }

// Read makes a text ready.
func Read(text string) *Text { return &Text{newFolder().fold(text)} }

// Find is In for a text that is looked through once.
func (s *Set) Find(text string) []Hit { return s.In(Read(text)) }

// In returns all hits, in the order of their start. Of one owner's hits that
// overlap, the longest counts.
func (s *Set) In(t *Text) []Hit {
	f := t.f
	hits, exceptions := s.scan(f)
	out := make([]Hit, 0, len(hits))
	for _, h := range s.longest(hits) {
		c := s.patterns[h.pattern]
		if slices.ContainsFunc(exceptions, func(e found) bool {
			return s.patterns[e.pattern].exception == int(h.pattern) && e.start <= h.start && e.end >= h.end
		}) {
			continue
		}
		out = append(out, Hit{c.Owner, c.Term, f.at[h.start], f.at[h.end-1] + 1, negated(f, h.start)})
	}
	return out
}

func (s *Set) scan(f folded) (hits, exceptions []found) {
	at := int32(0)
	for i, r := range f.runes {
		at = s.follow(at, r)
		state := at
		if len(s.nodes[state].out) == 0 {
			state = s.nodes[state].more
		}
		for ; state > 0; state = s.nodes[state].more {
			for _, p := range s.nodes[state].out {
				h := found{p, i + 1 - s.patterns[p].length, i + 1}
				switch {
				case !s.fits(f, h):
				case s.patterns[p].exception >= 0:
					exceptions = append(exceptions, h)
				default:
					hits = append(hits, h)
				}
			}
		}
	}
	return hits, exceptions
}

// longest sorts the hits and drops those that lie within a longer one of the
// same owner.
func (s *Set) longest(hits []found) []found {
	slices.SortFunc(hits, func(a, b found) int {
		return cmp.Or(a.start-b.start, b.end-a.end, int(a.pattern-b.pattern))
	})
	last := map[int]int{} // owner to where its last hit ends
	return slices.DeleteFunc(hits, func(h found) bool {
		owner := s.patterns[h.pattern].Owner
		if h.end <= last[owner] {
			return true
		}
		last[owner] = h.end
		return false
	})
}

// fits checks what stands around a hit.
func (s *Set) fits(f folded, h found) bool {
	c := s.patterns[h.pattern]
	before, after := rune(0), f.runes[h.end:]
	if h.start > 0 {
		before = f.runes[h.start-1]
	}
	if c.digits {
		return fitsNumber(f.runes, h)
	}
	if c.latin && isWord(before) {
		return false
	}
	if c.acronym {
		for i := h.start; i < h.end; i++ {
			if unicode.IsLetter(f.runes[i]) && !f.upper[i] {
				return false
			}
		}
	}
	return !c.latinEnd || ending(f.runes[h.start:h.end], after, c.acronym)
}

// fitsNumber refuses a number that is part of a longer one or of a code like
// AB12345, or an amount.
func fitsNumber(runes []rune, h found) bool {
	if h.start > 0 {
		if b := runes[h.start-1]; isWord(b) || strings.ContainsRune("¥$£€.,+#", b) {
			return false
		}
	}
	if h.end < len(runes) {
		switch a := runes[h.end]; {
		case isWord(a) || strings.ContainsRune("元块万%", a):
			return false
		case (a == '.' || a == ',') && h.end+1 < len(runes) && unicode.IsDigit(runes[h.end+1]):
			return false
		}
	}
	return true
}

// ending tells whether a word ends with the term, or goes on with an ending
// that keeps its meaning.
func ending(term, after []rune, acronym bool) bool {
	n := 0
	for n < len(after) && isWord(after[n]) {
		n++
	}
	rest := string(after[:n])
	if rest == "" {
		return true
	}
	word := 0
	for i := len(term) - 1; i >= 0 && isWord(term[i]); i-- {
		word++
	}
	switch {
	case acronym:
		return rest == "s"
	case word < 3:
		return false
	case rest == "s" || rest == "es":
		return true
	case rest == "d":
		return word >= 4 && term[len(term)-1] == 'e'
	case rest == "ed" || rest == "ing":
		return word >= 4
	}
	return false
}

// How far before a term a negation reaches: three Chinese characters or
// three English words.
const negationReach = 3

// negated looks for a negation before a hit, within the same clause.
func negated(f folded, start int) bool {
	i := start
	words, han := 0, 0
	for i > 0 {
		r := f.runes[i-1]
		switch {
		case isHan(r):
			if han++; han > negationReach {
				return false
			}
			if isNo(f.runes[:i]) {
				return true
			}
			i--
		case isWord(r):
			end := i
			for i > 0 && (isWord(f.runes[i-1]) || f.runes[i-1] == '\'' || f.runes[i-1] == '’') {
				i--
			}
			if words++; words > negationReach {
				return false
			}
			switch w := strings.ReplaceAll(string(f.runes[i:end]), "’", "'"); {
			case w == "no", w == "not", w == "never", w == "without", w == "nobody", w == "none", w == "nor", strings.HasSuffix(w, "n't"):
				return true
			}
		case r == space:
			i--
		default:
			return false // a new clause
		}
	}
	return false
}

// isNo tells whether the text ends in a Chinese word of negation.
func isNo(before []rune) bool {
	tail := string(before[max(0, len(before)-2):])
	switch last := before[len(before)-1]; last {
	case '未', '没':
		return true
	case '有':
		return tail == "没有"
	case '无':
		return true
	case '非':
		return tail == "并非"
	case '是':
		return tail == "不是"
	}
	return false
}
