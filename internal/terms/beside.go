package terms

import (
	"slices"
	"strings"
)

// findNear finds the patterns whose parts stand near each other. It looks only
// at patterns whose first part there is, and for each place of a part only at
// the next one's places beside it.
func (s *Set) findNear(l *look) {
	slices.Sort(l.parts)
	for _, first := range l.parts {
		for i := range s.nears[first] {
			n := &s.nears[first][i]
			if !slices.ContainsFunc(n.parts[1:], func(part int32) bool { return len(l.places[part]) == 0 }) {
				if c, ok := s.closest(l, n); ok {
					l.near = append(l.near, s.hit(l, n, c))
				}
			}
		}
	}
}

// chain are places of a pattern's parts, one near the other.
type chain [maxParts]place

// closest finds where a pattern's parts stand closest together.
func (s *Set) closest(l *look, n *near) (best chain, ok bool) {
	p := &s.patterns[n.pattern]
	least := int32(0)
	var at [maxParts]int // the place of each part that was last looked at
	for _, h := range l.places[n.parts[0]] {
		c := chain{h}
		long := 1
		for ; long < len(n.parts); long++ {
			next, found := s.beside(l, p, c[:long], l.places[n.parts[long]], &at[long])
			if !found {
				break
			}
			c[long] = next
		}
		if long < len(n.parts) || s.excepted(l, p, h.start, h.end) {
			continue
		}
		from, to := span(c[:long])
		if !ok || to-from < least {
			best, ok, least = c, true, to-from
		}
	}
	return best, ok
}

// beside finds the part's place that is closest to the last of the chain and
// over none of it. From at it goes to the places that stand there, which are
// not far from where it was before.
func (s *Set) beside(l *look, p *pattern, chain, places []place, at *int) (best place, ok bool) {
	last := chain[len(chain)-1]
	i := *at
	for i < len(places) && places[i].start < last.start {
		i++
	}
	for i > 0 && places[i-1].start >= last.start {
		i--
	}
	*at = i
	least := 0
	for _, c := range places[max(0, i-2):min(len(places), i+2)] { // those beside may lie over it
		first, second := last, c
		if c.start < last.start {
			first, second = c, last
		}
		if second.stopsStart != first.stopsEnd || second.start-first.end > nearRunes || over(chain, c) {
			continue
		}
		if d := between(l.f.kinds[first.end:second.start]); d <= nearReach && (!ok || d < least) && !s.excepted(l, p, c.start, c.end) {
			best, ok, least = c, true, d
		}
	}
	return best, ok
}

// over tells whether a place lies over one of a chain.
func over(chain []place, p place) bool {
	for _, c := range chain {
		if p.start < c.end && c.start < p.end {
			return true
		}
	}
	return false
}

// span is from where to where a chain goes.
func span(chain []place) (from, to int32) {
	from = chain[0].start
	for _, c := range chain {
		from, to = min(from, c.start), max(to, c.end)
	}
	return from, to
}

func (s *Set) hit(l *look, n *near, c chain) Hit {
	places := c[:len(n.parts)]
	from, to := span(places)
	slices.SortFunc(places, func(a, b place) int { return int(a.start - b.start) })
	var term strings.Builder
	no := false
	for i, at := range places {
		if i > 0 {
			term.WriteString(" … ")
		}
		for _, r := range l.f.runes[at.start:at.end] {
			term.WriteRune(r)
		}
		// A "not" that is a part itself negates nothing.
		var word stretch
		at, negated := negation(l.f, int(at.start), &word)
		no = no || negated && !over(places, place{start: int32(at), end: int32(at) + 1})
	}
	p := &s.patterns[n.pattern]
	return Hit{p.Owner, int(n.pattern), term.String(), int(l.f.at[from]), int(l.f.at[to-1]) + 1, no, true}
}

// between measures what stands between two places, in Chinese characters; from
// out of reach on it does not matter how much that is.
func between(kinds []kind) (length int) {
	inWord := false
	for _, k := range kinds {
		switch {
		case k&kindHan != 0:
			length++
			inWord = false
		case k&kindWord != 0:
			if !inWord {
				length += wordLength
			}
			inWord = true
		case k&kindQuote == 0:
			inWord = false
		}
		if length > nearReach {
			break
		}
	}
	return length
}
