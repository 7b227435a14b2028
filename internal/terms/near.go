package terms

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// How a term of parts is written.
const (
	Near   = " ~ " // between two parts
	Either = "|"   // between words of which any will do
)

// Bounds of such a term.
const (
	maxParts   = 4
	maxEithers = 500 // words of one part
)

// nearReach is how much may stand between two parts: eight words, or sixteen
// Chinese characters. Further apart they seldom belong together.
const (
	nearReach  = 16
	wordLength = 2  // of a Latin word, in Chinese characters
	nearRunes  = 80 // what that is at most, so that no text of one long word costs more
)

// IsNear tells a term of parts that must stand near each other.
func IsNear(term string) bool { return strings.Contains(term, Near) }

// nears are the patterns of parts.
type nears struct {
	known map[string]int32 // the parts that there are, by how they are written
	count int32            // of parts
	first map[int32][]near // by their first part
}

// near is a pattern of parts.
type near struct {
	pattern int32
	parts   []int32
}

func newNears() nears { return nears{map[string]int32{}, 0, map[int32][]near{}} }

// addNear adds a pattern of parts. A part that several patterns have is looked
// for once.
func (s *Set) addNear(term string, pattern int32) error {
	n := near{pattern: pattern}
	texts := strings.Split(term, Near)
	if len(texts) > maxParts {
		return fmt.Errorf("term %q: it has more than %d parts", term, maxParts)
	}
	for _, text := range texts {
		either := strings.Split(text, Either)
		for i := range either {
			either[i] = strings.TrimSpace(either[i])
		}
		if len(either) > maxEithers {
			return fmt.Errorf("term %.40q...: a part has more than %d words", term, maxEithers)
		}
		slices.Sort(either)
		key := strings.Join(either, Either)
		part, ok := s.nears.known[key]
		if !ok {
			part = s.nears.count
			s.nears.count++
			s.nears.known[key] = part
			for _, word := range either {
				if _, err := s.share(word, forPart, part); err != nil {
					return fmt.Errorf("term %.40q: %w", term, err)
				}
			}
		}
		n.parts = append(n.parts, part)
	}
	s.nears.first[n.parts[0]] = append(s.nears.first[n.parts[0]], n)
	return nil
}

// near finds the patterns whose parts stand near each other. It looks only at
// patterns whose first part there is, and for each place of a part only at the
// next one's places beside it.
func (s *Set) near(f folded, parts, exceptions []found) []Hit {
	sortFound(parts)
	byPart := map[int32][]found{}
	for _, h := range parts {
		part := s.phrases[h.phrase].part
		if all := byPart[part]; len(all) == 0 || h.end > all[len(all)-1].end { // none within another
			byPart[part] = append(all, h)
		}
	}
	var out []Hit
	for part := range s.nears.count {
		if len(byPart[part]) == 0 {
			continue
		}
		for _, n := range s.nears.first[part] {
			if h, ok := s.closest(f, n, byPart, exceptions); ok {
				out = append(out, h)
			}
		}
	}
	return out
}

// closest finds where a pattern's parts stand closest together.
func (s *Set) closest(f folded, n near, byPart map[int32][]found, exceptions []found) (best Hit, ok bool) {
	for _, part := range n.parts[1:] {
		if len(byPart[part]) == 0 {
			return best, false
		}
	}
	least := 0
	for _, h := range byPart[n.parts[0]] {
		if s.excepted(n.pattern, h, exceptions) {
			continue
		}
		chain := []found{h}
		for _, part := range n.parts[1:] {
			next, found := s.beside(f, n.pattern, chain, byPart[part], exceptions)
			if !found {
				break
			}
			chain = append(chain, next)
		}
		if len(chain) < len(n.parts) {
			continue
		}
		sortFound(chain)
		from, to := chain[0].start, 0
		for _, c := range chain {
			to = max(to, c.end)
		}
		if !ok || to-from < least {
			best, ok, least = s.hit(f, n.pattern, chain, from, to), true, to-from
		}
	}
	return best, ok
}

// beside finds the part's place that is closest to the last of the chain and
// over none of it.
func (s *Set) beside(f folded, pattern int32, chain, places, exceptions []found) (best found, ok bool) {
	last := chain[len(chain)-1]
	at, _ := slices.BinarySearchFunc(places, last.start, func(p found, start int) int { return cmp.Compare(p.start, start) })
	least := 0
	for _, i := range []int{at - 2, at - 1, at, at + 1} { // those beside may lie over it
		if i < 0 || i >= len(places) {
			continue
		}
		p := places[i]
		if slices.ContainsFunc(chain, func(c found) bool { return p.start < c.end && c.start < p.end }) || s.excepted(pattern, p, exceptions) {
			continue
		}
		d, reached := between(f, min(p.end, last.end), max(p.start, last.start))
		if reached && (!ok || d < least) {
			best, ok, least = p, true, d
		}
	}
	return best, ok
}

func (s *Set) hit(f folded, pattern int32, chain []found, from, to int) Hit {
	texts := make([]string, len(chain))
	no := false
	for i, c := range chain {
		texts[i] = string(f.runes[c.start:c.end])
		at, negated := negation(f, c.start)
		// A "not" that is a part itself negates nothing.
		no = no || negated && !slices.ContainsFunc(chain, func(c found) bool { return c.start <= at && at < c.end })
	}
	return Hit{s.patterns[pattern].Owner, strings.Join(texts, " … "), f.at[from], f.at[to-1] + 1, no}
}

// between measures what stands between two places, in Chinese characters, and
// tells whether it is one sentence and within reach.
func between(f folded, from, to int) (length int, ok bool) {
	if to-from > nearRunes {
		return 0, false
	}
	inWord := false
	for i := from; i < to; i++ {
		r := f.runes[i]
		switch {
		case isHan(r):
			length++
			inWord = false
		case isWord(r):
			if !inWord {
				length += wordLength
			}
			inWord = true
		case r == '\'':
		case endsSentence(f.runes, i):
			return 0, false
		default:
			inWord = false
		}
	}
	return length, length <= nearReach
}

func endsSentence(runes []rune, at int) bool {
	switch runes[at] {
	case '。', '!', '?', ';':
		return true
	case '.':
		return at+1 == len(runes) || !unicode.IsDigit(runes[at+1]) && !isWord(runes[at+1])
	}
	return false
}
