package terms

import (
	"cmp"
	"slices"
	"sync"
)

// keptRunes bounds the memory that is kept from one text for the next: a long
// mail's, not that of the longest text that ever came.
const keptRunes = 32 << 10

// keptPlaces bounds it for one part of patterns, of which there are hundreds.
const keptPlaces = 1 << 10

// Text is a text made ready to be looked through by several sets.
type Text struct{ f folded }

var texts = sync.Pool{New: func() any { return new(Text) }}

// Read makes a text ready.
func Read(text string) *Text {
	t := texts.Get().(*Text)
	t.f = theFolder().fold(text, t.f)
	return t
}

// Folded is the text in the form in which terms are compared: in lower case,
// Simplified, of half width, without accents and zero-width characters; white
// space and hyphens are one space, and none between Chinese characters. With
// each rune it tells where in the text that stood, in runes. Both are good
// until Done.
func (t *Text) Folded() (runes []rune, places []int32) { return t.f.runes, t.f.at }

// Done gives the text's memory to the next one. It must not be used after.
func (t *Text) Done() {
	if cap(t.f.runes) <= keptRunes {
		texts.Put(t)
	}
}

// Whole tells whether each line and sentence of the text reads by itself as it
// does within the text. Seldom one does not: an accent alone at its beginning
// joins it with what stands before.
func (t *Text) Whole() bool { return !t.f.lost }

// look is the memory in which a set looks through a text.
type look struct {
	f          *folded
	here       []found // phrases that begin at one place, the shorter first
	whole      []found // patterns
	exceptions []found
	owners     []int32   // by owner: where its last hit ends
	places     [][]place // by part: where it stands
	parts      []int32   // those that there are
	near       []Hit
	stops      int32   // how many sentences have ended
	word       stretch // before the last hit
}

// place is where a part stands, and how many sentences end before its
// beginning and its end.
type place struct{ start, end, stopsStart, stopsEnd int32 }

func (s *Set) look(f *folded) *look {
	l, ok := s.looks.Get().(*look)
	if !ok {
		l = &look{owners: make([]int32, s.owners), places: make([][]place, len(s.nears))}
	}
	l.f, l.word, l.stops = f, stretch{}, 0
	return l
}

// done clears the memory for the next text.
func (s *Set) done(l *look) {
	if cap(l.whole) > keptRunes {
		return
	}
	for _, part := range l.parts {
		if l.places[part] = l.places[part][:0]; cap(l.places[part]) > keptPlaces {
			l.places[part] = nil
		}
	}
	for _, h := range l.whole {
		l.owners[s.patterns[h.of].owner] = 0
	}
	clear(l.near) // holds texts
	l.f, l.whole, l.exceptions, l.parts, l.near = nil, l.whole[:0], l.exceptions[:0], l.parts[:0], l.near[:0]
	s.looks.Put(l)
}

// Find is In for a text that is looked through once.
func (s *Set) Find(text string) []Hit {
	t := Read(text)
	defer t.Done()
	return s.In(t)
}

// In returns all hits, in the order of their start. Of one owner's hits that
// lie within each other, the longest counts; what stands near each other
// counts once, where it stands closest.
func (s *Set) In(t *Text) []Hit { return s.Append(nil, t) }

// Append appends to hits what In returns.
func (s *Set) Append(hits []Hit, t *Text) []Hit {
	f := &t.f
	l := s.look(f)
	defer s.done(l)
	s.scan(l)
	before := len(hits)
	start, no := int32(-1), false
	for _, h := range l.whole {
		p := &s.patterns[h.of]
		if h.end <= l.owners[p.owner] {
			continue // within a longer one
		}
		l.owners[p.owner] = h.end
		if s.excepted(l, p, h.start, h.end) {
			continue
		}
		if h.start != start {
			start = h.start
			_, no = negation(f, int(start), &l.word)
		}
		hits = append(hits, Hit{p.Owner, int(h.of), p.Term, int(f.at[h.start]), int(f.at[h.end-1]) + 1, no, false})
	}
	if len(l.parts) > 0 {
		s.findNear(l)
		hits = merge(hits, before, l.near)
	}
	return hits
}

func byPlace(a, b Hit) int { return cmp.Or(a.Start-b.Start, b.End-a.End) }

// merge puts more hits among those from a place on, which are in order.
func merge(hits []Hit, from int, more []Hit) []Hit {
	slices.SortStableFunc(more, byPlace)
	i, j := len(hits)-1, len(more)-1
	hits = append(hits, more...)
	for at := len(hits) - 1; j >= 0; at-- {
		if i >= from && byPlace(hits[i], more[j]) > 0 {
			hits[at], i = hits[i], i-1
		} else {
			hits[at], j = more[j], j-1
		}
	}
	return hits
}

// excepted tells whether a hit lies within a phrase in which the pattern means
// something else.
func (s *Set) excepted(l *look, p *pattern, start, end int32) bool {
	if len(p.excepts) == 0 || len(l.exceptions) == 0 {
		return false
	}
	reach := end - int32(s.longest) // an exception that begins before ends before
	from, _ := slices.BinarySearchFunc(l.exceptions, reach, func(e found, at int32) int { return cmp.Compare(e.start, at) })
	for _, e := range l.exceptions[from:] {
		if e.start > start {
			break
		}
		if e.end >= end && slices.Contains(p.excepts, e.of) {
			return true
		}
	}
	return false
}

// scan goes over the text once, and follows the phrases from each place where
// one can begin: any but within a Latin word.
func (s *Set) scan(l *look) {
	f, nodes := l.f, s.trie.nodes
	before := kind(0)
	for i, r := range f.runes {
		k := f.kinds[i]
		if before&kindStop != 0 && f.stops(i-1) {
			l.stops++
		}
		within := k&before&kindWord != 0
		before = k
		if within {
			continue
		}
		at := s.trie.begin(r)
		if at == 0 {
			continue
		}
		l.here = l.here[:0]
		for next := i + 1; ; next++ {
			for e := nodes[at].end; e < nodes[at+1].end; e++ {
				h := found{s.trie.ends[e], int32(i), int32(next)}
				if p := &s.phrases[h.of]; p.traits&needs == 0 || p.fits(f, &h) {
					l.here = append(l.here, h)
				}
			}
			if next == len(f.runes) {
				break
			}
			if at = s.trie.follow(at, f.runes[next]); at == 0 {
				break
			}
		}
		if len(l.here) > 0 {
			s.sort(l)
		}
	}
}

// sort puts the phrases that begin at one place, the longest first, to what
// they are for.
func (s *Set) sort(l *look) {
	from := len(l.whole)
	for i := len(l.here) - 1; i >= 0; i-- {
		h := l.here[i]
		p := &s.phrases[h.of]
		end := l.stops
		if p.traits&hasStops != 0 {
			end += l.f.count(h.start, h.end)
		}
		for _, u := range s.uses[p.uses:s.phrases[h.of+1].uses] {
			switch {
			case u >= 0:
				l.whole = append(l.whole, found{int32(u), h.start, h.end})
			case u == asException:
				l.exceptions = append(l.exceptions, h)
			default:
				l.place(int32(^u), place{h.start, h.end, l.stops, end})
			}
		}
	}
	if len(l.whole) > from+1 { // of one length, in the order of the patterns
		slices.SortFunc(l.whole[from:], func(a, b found) int { return cmp.Or(int(b.end-a.end), int(a.of-b.of)) })
	}
}

// place adds a place of a part, unless it lies within another.
func (l *look) place(part int32, p place) {
	places := l.places[part]
	if n := len(places); n == 0 {
		l.parts = append(l.parts, part)
	} else if p.end <= places[n-1].end {
		return
	}
	l.places[part] = append(places, p)
}
