package terms

import (
	"strings"
	"unicode"
)

// fits checks what stands around a hit, and lets it end where its last word
// does but for the ending.
func (s *Set) fits(f folded, h *found) bool {
	p := &s.phrases[h.phrase]
	before, after := rune(0), f.runes[h.end:]
	if h.start > 0 {
		before = f.runes[h.start-1]
	}
	if p.digits {
		return fitsNumber(f.runes, *h)
	}
	if p.latin && isWord(before) {
		return false
	}
	if p.acronym {
		for i := h.start; i < h.end; i++ {
			if unicode.IsLetter(f.runes[i]) && !f.upper[i] {
				return false
			}
		}
	}
	if !p.ends {
		return true
	}
	if !ending(f.runes[h.start:h.end], after, p.tail, p.acronym) {
		return false
	}
	if p.tail != 0 && len(after) > 0 && after[0] == p.tail {
		h.end++
	}
	return true
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

// shortestChanged is the shortest word that takes -ed and -ing, in letters:
// shorter ones would become other words (red, bed, king).
const shortestChanged = 4

// lastWord is how many letters the last word has.
func lastWord(term []rune) int {
	n := 0
	for i := len(term) - 1; i >= 0 && isWord(term[i]); i-- {
		n++
	}
	return n
}

// tail is the last letter of a term where endings change it: the e of charge
// (charging), the y of deliver-y after a consonant (deliveries); 0 where they
// don't.
func tail(term []rune) rune {
	n := len(term)
	if lastWord(term) < shortestChanged {
		return 0
	}
	switch last := term[n-1]; {
	case last == 'e':
		return last
	case last == 'y' && !strings.ContainsRune("aeiou", term[n-2]):
		return last
	}
	return 0
}

// ending tells whether a word ends with the term, or goes on with an ending
// that keeps its meaning. Of a term with a tail, that is what is still to
// come.
func ending(term, after []rune, tail rune, acronym bool) bool {
	n := 0
	for n < len(after) && isWord(after[n]) {
		n++
	}
	rest := string(after[:n])
	word := lastWord(term)
	switch {
	case tail == 'e':
		return rest == "e" || rest == "es" || rest == "ed" || rest == "ing"
	case tail == 'y':
		return rest == "y" || rest == "ys" || rest == "ies" || rest == "ied" || rest == "ying"
	case rest == "":
		return true
	case acronym:
		return rest == "s"
	case word < shortestChanged-1:
		return false
	case rest == "s" || rest == "es":
		return true
	case word >= shortestChanged && (rest == "ed" || rest == "ing"):
		return true
	}
	last := string(term[len(term)-1])
	return !strings.Contains("aeiou", last) && (rest == last+"ed" || rest == last+"ing") // rip: ripped
}
