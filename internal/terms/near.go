package terms

import (
	"fmt"
	"slices"
	"strings"
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

// near is a pattern of parts.
type near struct {
	pattern int32
	parts   []int32
}

// addNear adds a pattern of parts. A part that several patterns have is looked
// for once.
func (s *Set) addNear(term string, pattern int32) error {
	n := near{pattern: pattern}
	texts := strings.Split(term, Near)
	if len(texts) > maxParts {
		return fmt.Errorf("term %q: it has more than %d parts", term, maxParts)
	}
	for _, text := range texts {
		part, err := s.part(term, text)
		if err != nil {
			return err
		}
		n.parts = append(n.parts, part)
	}
	s.nears[n.parts[0]] = append(s.nears[n.parts[0]], n)
	return nil
}

// part returns the place of a part, which it adds where it is new.
func (s *Set) part(term, text string) (int32, error) {
	either := strings.Split(text, Either)
	for i := range either {
		either[i] = strings.TrimSpace(either[i])
	}
	if len(either) > maxEithers {
		return 0, fmt.Errorf("term %.40q...: a part has more than %d words", term, maxEithers)
	}
	slices.Sort(either)
	key := strings.Join(either, Either)
	if part, ok := s.making.parts[key]; ok {
		return part, nil
	}
	part := int32(len(s.nears))
	s.nears = append(s.nears, nil)
	s.making.parts[key] = part
	for _, word := range either {
		at, err := s.phrase(word)
		if err != nil {
			return 0, fmt.Errorf("term %.40q: %w", term, err)
		}
		s.use(at, use(^part))
	}
	return part, nil
}
