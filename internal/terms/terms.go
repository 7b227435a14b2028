// Package terms finds many words and phrases, Chinese and Latin, in one pass
// over a text. It hides folding (case, width, Traditional characters), what
// counts as a word in which script and with which endings, words that count
// only near each other, negation, and the automaton, so that the cost grows
// with the text and its hits, not with the number of terms.
package terms

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"unicode"
)

// Pattern is a term that belongs to somebody. Chinese is found anywhere;
// Latin as a whole word, its last one also with the endings -s, -es, -ed,
// -ing; a hyphen or a space in it stands for any hyphen or space; an acronym
// in capitals (FCA) is found in capitals only; a number (12315) not within a
// longer one, nor where it is an amount.
//
// "a|b ~ c|d" is found where one of a and b stands near one of c and d, in any
// order: in the same sentence, with at most eight words or sixteen Chinese
// characters between. There may be more parts; each must be near the one before
// it.
type Pattern struct {
	Owner  int
	Term   string
	Except []string // phrases around the term in which it means something else
}

// Hit is a term that was found.
type Hit struct {
	Owner      int
	Term       string // as in the Pattern; of parts near each other, what stood there: "charged … twice"
	Start, End int    // in runes of the text; of parts, from the first to the last
	Negated    bool   // a "not" stands close before it
}

// Set is a compiled list of patterns. It is safe for concurrent use.
type Set struct {
	folder   *folder
	patterns []pattern
	phrases  []phrase
	places   map[place]int32 // the phrases by what they are for, while the set is made
	nears    nears
	nodes    []node
	roots    []int32 // the root's next states, by character of the basic plane
}

// pattern is a Pattern with its exceptions' phrases.
type pattern struct {
	Pattern
	excepts []int32
}

// What a phrase is for, where it is not a pattern's own: it is shared.
const (
	forException = -1
	forPart      = -2
)

// phrase is what the automaton looks for.
type phrase struct {
	pattern int32 // whose term it is; or forException, forPart
	part    int32 // of forPart: which
	length  int   // of what the automaton knows, folded, in runes
	tail    rune  // the e or y of the last word, which the automaton doesn't know: endings change it
	acronym bool
	latin   bool // begins and ends as a word does
	ends    bool
	digits  bool
}

// place is where a shared phrase belongs.
type place struct {
	text string
	part int32
}

// maxTerm bounds a term, in runes.
const maxTerm = 100

func newSet() *Set {
	return &Set{folder: newFolder(), nodes: []node{{more: -1}}, places: map[place]int32{}, nears: newNears()}
}

// Compile makes a Set. It reports every pattern that is empty or too long.
func Compile(patterns []Pattern) (*Set, error) {
	s := newSet()
	var errs []error
	for _, p := range patterns {
		errs = append(errs, s.add(p))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	s.link()
	s.places, s.nears.known = nil, nil
	return s, nil
}

// Check tells what is wrong with a term; nil where nothing is.
func Check(term string) error { return newSet().add(Pattern{Term: term}) }

func (s *Set) add(p Pattern) error {
	own := int32(len(s.patterns))
	one := pattern{Pattern: p}
	var errs []error
	for _, e := range p.Except {
		at, err := s.share(e, forException, 0)
		one.excepts, errs = append(one.excepts, at), append(errs, err)
	}
	s.patterns = append(s.patterns, one)
	if IsNear(p.Term) {
		errs = append(errs, s.addNear(p.Term, own))
	} else {
		errs = append(errs, s.phrase(p.Term, own, 0))
	}
	return errors.Join(errs...)
}

// share adds a phrase that belongs to no pattern of its own, once.
func (s *Set) share(text string, what, part int32) (int32, error) {
	at := place{text, part}
	if what == forException {
		at.part = forException
	}
	if known, ok := s.places[at]; ok {
		return known, nil
	}
	err := s.phrase(text, what, part)
	if err == nil {
		s.places[at] = int32(len(s.phrases) - 1)
	}
	return int32(len(s.phrases) - 1), err
}

func (s *Set) phrase(term string, what, part int32) error {
	f := s.folder.fold(term)
	if len(f.runes) == 0 || len(f.runes) > maxTerm {
		return fmt.Errorf("term %q: it must have 1 to %d letters or digits", term, maxTerm)
	}
	p := phrase{pattern: what, part: part}
	p.latin, p.ends = isWord(f.runes[0]), isWord(f.runes[len(f.runes)-1])
	p.digits = !slices.ContainsFunc(f.runes, func(r rune) bool { return !unicode.IsDigit(r) })
	letters := 0
	p.acronym = len(f.runes) >= 2
	for i, r := range f.runes {
		if unicode.IsLetter(r) {
			letters++
			p.acronym = p.acronym && f.upper[i]
		}
	}
	p.acronym = p.acronym && letters >= 2
	runes := f.runes
	if !p.acronym {
		if p.tail = tail(runes); p.tail != 0 {
			runes = runes[:len(runes)-1]
		}
	}
	p.length = len(runes)
	s.grow(runes, int32(len(s.phrases)))
	s.phrases = append(s.phrases, p)
	return nil
}

// found is a hit in folded places.
type found struct {
	phrase     int32
	start, end int
}

// Text is a text made ready to be looked through by several sets.
type Text struct{ f folded }

// Read makes a text ready.
func Read(text string) *Text { return &Text{newFolder().fold(text)} }

// Find is In for a text that is looked through once.
func (s *Set) Find(text string) []Hit { return s.In(Read(text)) }

// In returns all hits, in the order of their start. Of one owner's hits that
// lie within each other, the longest counts; what stands near each other
// counts once, where it stands closest.
func (s *Set) In(t *Text) []Hit {
	f := t.f
	whole, parts, exceptions := s.scan(f)
	out := make([]Hit, 0, len(whole))
	for _, h := range s.longest(whole) {
		p := s.phrases[h.phrase].pattern
		if s.excepted(p, h, exceptions) {
			continue
		}
		_, no := negation(f, h.start)
		out = append(out, Hit{s.patterns[p].Owner, s.patterns[p].Term, f.at[h.start], f.at[h.end-1] + 1, no})
	}
	if len(parts) == 0 {
		return out
	}
	out = append(out, s.near(f, parts, exceptions)...)
	slices.SortStableFunc(out, func(a, b Hit) int { return cmp.Or(a.Start-b.Start, b.End-a.End) })
	return out
}

// excepted tells whether a hit lies within a phrase in which the pattern means
// something else.
func (s *Set) excepted(p int32, h found, exceptions []found) bool {
	return slices.ContainsFunc(exceptions, func(e found) bool {
		return e.start <= h.start && e.end >= h.end && slices.Contains(s.patterns[p].excepts, e.phrase)
	})
}

// scan goes over the text once.
func (s *Set) scan(f folded) (whole, parts, exceptions []found) {
	at := int32(0)
	for i, r := range f.runes {
		at = s.follow(at, r)
		state := at
		if len(s.nodes[state].out) == 0 {
			state = s.nodes[state].more
		}
		for ; state > 0; state = s.nodes[state].more {
			for _, p := range s.nodes[state].out {
				h := found{p, i + 1 - s.phrases[p].length, i + 1}
				if !s.fits(f, &h) {
					continue
				}
				switch s.phrases[p].pattern {
				case forException:
					exceptions = append(exceptions, h)
				case forPart:
					parts = append(parts, h)
				default:
					whole = append(whole, h)
				}
			}
		}
	}
	return whole, parts, exceptions
}

// longest sorts the hits and drops those that lie within a longer one of the
// same owner.
func (s *Set) longest(hits []found) []found {
	sortFound(hits)
	last := map[int]int{} // owner to where its last hit ends
	return slices.DeleteFunc(hits, func(h found) bool {
		owner := s.patterns[s.phrases[h.phrase].pattern].Owner
		if h.end <= last[owner] {
			return true
		}
		last[owner] = h.end
		return false
	})
}

func sortFound(hits []found) {
	slices.SortFunc(hits, func(a, b found) int {
		return cmp.Or(a.start-b.start, b.end-a.end, int(a.phrase-b.phrase))
	})
}
