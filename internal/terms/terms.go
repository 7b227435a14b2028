// Package terms finds many words and phrases, Chinese and Latin, in one pass
// over a text. It hides folding (case, width, Traditional characters), what
// counts as a word in which script and with which endings, words that count
// only near each other, negation, and the automaton, so that the cost grows
// with the text and its hits, not with the number of terms.
package terms

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
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
	Pattern    int    // its place among the patterns
	Term       string // as in the Pattern; of parts, what stood there: "charged … twice"
	Start, End int    // in runes of the text; of parts, from the first to the last
	Negated    bool   // a "not" stands close before it
	Near       bool   // it is of parts
}

// Set is a compiled list of patterns. It is safe for concurrent use.
type Set struct {
	patterns []pattern
	phrases  []phrase // and one more, where the last one's uses end
	uses     []use
	nears    [][]near // by their first part
	trie     trie
	owners   int // how many there are
	longest  int // exception, in runes
	looks    sync.Pool
	making   making
}

// making is what only the making of a set needs.
type making struct {
	byText  map[string]int32 // phrases as they are written
	byShape map[string]int32 // and as they are looked for
	keys    []keyed
	uses    [][]use // by phrase
	owners  map[int]int32
	parts   map[string]int32 // by how they are written
}

// pattern is a Pattern with its exceptions' phrases.
type pattern struct {
	Pattern
	owner   int32 // counted from 0
	excepts []int32
}

// phrase is what the trie looks for, once for all that it is there for: 16
// bytes, for there are many.
type phrase struct {
	tail   rune // the e or y of the last word, which the trie doesn't know: endings change it
	last   rune // of what it knows
	uses   int32
	word   uint8 // letters of the last word of what it knows
	traits traits
}

// traits are what is to be known of a phrase.
type traits uint8

const (
	needsEnd      traits = 1 << iota // the end of a word, or an ending
	needsCapitals                    // an acronym
	needsNumber                      // the beginning and end of a number
	hasStops                         // a sentence may end in it

	needs = needsEnd | needsCapitals | needsNumber // something around it
)

// use is what a phrase is there for: a pattern, or, below 0, the complement of
// a part, or an exception.
type use int32

const asException use = -1 << 31

// maxTerm bounds a term, in runes.
const maxTerm = 100

func newSet() *Set {
	return &Set{
		making: making{byText: map[string]int32{}, byShape: map[string]int32{}, owners: map[int]int32{}, parts: map[string]int32{}},
	}
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
	s.phrases = append(s.phrases, phrase{})
	for i, uses := range s.making.uses {
		s.uses = append(s.uses, uses...)
		s.phrases[i+1].uses = int32(len(s.uses))
	}
	s.trie = newTrie(s.making.keys)
	s.owners = len(s.making.owners)
	s.making = making{}
	return s, nil
}

// Check tells what is wrong with a term; nil where nothing is.
func Check(term string) error { return newSet().add(Pattern{Term: term}) }

func (s *Set) add(p Pattern) error {
	own := int32(len(s.patterns))
	owner, ok := s.making.owners[p.Owner]
	if !ok {
		owner = int32(len(s.making.owners))
		s.making.owners[p.Owner] = owner
	}
	one := pattern{Pattern: p, owner: owner}
	var errs []error
	for _, e := range p.Except {
		at, err := s.phrase(e)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		s.use(at, asException)
		one.excepts = append(one.excepts, at)
	}
	s.patterns = append(s.patterns, one)
	if IsNear(p.Term) {
		return errors.Join(append(errs, s.addNear(p.Term, own))...)
	}
	at, err := s.phrase(p.Term)
	if err == nil {
		s.use(at, use(own))
	}
	return errors.Join(append(errs, err)...)
}

// use adds what a phrase is there for.
func (s *Set) use(phrase int32, u use) {
	if uses := &s.making.uses[phrase]; u != asException || !slices.Contains(*uses, u) {
		*uses = append(*uses, u)
	}
}

// phrase returns the place of a phrase, which it adds where it is new.
func (s *Set) phrase(term string) (int32, error) {
	if at, ok := s.making.byText[term]; ok {
		return at, nil
	}
	f := theFolder().fold(term, folded{})
	if len(f.runes) == 0 || len(f.runes) > maxTerm {
		return 0, fmt.Errorf("term %q: it must have 1 to %d letters or digits", term, maxTerm)
	}
	acronym := isAcronym(f)
	shape := string(f.runes)
	if acronym {
		shape = strings.ToUpper(shape)
	}
	at, ok := s.making.byShape[shape]
	if !ok {
		at = int32(len(s.phrases))
		p, runes := newPhrase(f, acronym)
		s.phrases = append(s.phrases, p)
		s.making.uses = append(s.making.uses, nil)
		s.longest = max(s.longest, len(f.runes))
		s.making.keys = append(s.making.keys, keyed{runes, at})
		s.making.byShape[shape] = at
	}
	s.making.byText[term] = at
	return at, nil
}

// isAcronym tells a term of two letters or more that are all capitals.
func isAcronym(f folded) bool {
	letters := 0
	for _, k := range f.kinds {
		if k&kindLetter != 0 {
			if k&kindUpper == 0 {
				return false
			}
			letters++
		}
	}
	return letters >= 2
}

// newPhrase makes a phrase, and tells what of it the trie is to know.
func newPhrase(f folded, acronym bool) (phrase, []rune) {
	runes := f.runes
	var p phrase
	if acronym {
		p.traits |= needsCapitals
	} else if p.tail = tail(runes); p.tail != 0 {
		runes = runes[:len(runes)-1]
	}
	if f.kinds[len(f.kinds)-1]&kindWord != 0 {
		p.traits |= needsEnd
	}
	if !slices.ContainsFunc(f.runes, func(r rune) bool { return !unicode.IsDigit(r) }) {
		p.traits = needsNumber
	}
	if slices.ContainsFunc(f.kinds, func(k kind) bool { return k&kindStop != 0 }) {
		p.traits |= hasStops
	}
	p.word, p.last = uint8(lastWord(runes)), runes[len(runes)-1]
	return p, runes
}
