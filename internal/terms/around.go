package terms

import (
	"strings"
	"unicode"
)

// found is a hit in folded places: of a phrase, an exception or a pattern.
type found struct {
	of         int32
	start, end int32
}

// fits checks what stands around a hit of a phrase that needs something, and lets it end where its last word
// does but for the ending. That a Latin phrase begins where a word does is
// known.
func (p *phrase) fits(f *folded, h *found) bool {
	if p.traits&needsNumber != 0 {
		return fitsNumber(f, *h)
	}
	if p.traits&needsEnd != 0 && !p.ending(f, int(h.end)) {
		return false
	}
	if p.traits&needsCapitals != 0 {
		for _, k := range f.kinds[h.start:h.end] {
			if k&(kindLetter|kindUpper) == kindLetter {
				return false
			}
		}
	}
	if p.tail != 0 && int(h.end) < len(f.runes) && f.runes[h.end] == p.tail {
		h.end++
	}
	return true
}

// fitsNumber refuses a number that is part of a longer one or of a code like
// AB12345, or an amount.
func fitsNumber(f *folded, h found) bool {
	if h.start > 0 {
		if b := f.runes[h.start-1]; isWord(b) || strings.ContainsRune("¥$£€.,+#", b) {
			return false
		}
	}
	if int(h.end) < len(f.runes) {
		switch a := f.runes[h.end]; {
		case isWord(a) || strings.ContainsRune("元块万%", a):
			return false
		case (a == '.' || a == ',') && int(h.end)+1 < len(f.runes) && unicode.IsDigit(f.runes[h.end+1]):
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

// longestEnding is that of deny: denying has "ying" where deny has "y", and
// rip has "ping".
const longestEnding = 4

// ending tells whether a word ends with the phrase, or goes on with an ending
// that keeps its meaning. Of a phrase with a tail, that is what is still to
// come.
func (p *phrase) ending(f *folded, at int) bool {
	end := at
	for end < len(f.kinds) && f.kinds[end]&kindWord != 0 {
		if end++; end-at > longestEnding {
			return false
		}
	}
	rest := f.runes[at:end]
	switch {
	case p.tail == 'e':
		return is(rest, "e") || is(rest, "es") || is(rest, "ed") || is(rest, "ing")
	case p.tail == 'y':
		return is(rest, "y") || is(rest, "ys") || is(rest, "ies") || is(rest, "ied") || is(rest, "ying")
	case len(rest) == 0:
		return true
	case p.traits&needsCapitals != 0:
		return is(rest, "s")
	case p.word < shortestChanged-1:
		return false
	case is(rest, "s") || is(rest, "es"):
		return true
	case p.word >= shortestChanged && changes(rest):
		return true
	}
	return rest[0] == p.last && !strings.ContainsRune("aeiou", p.last) && changes(rest[1:]) // rip: ripped
}

func changes(rest []rune) bool { return is(rest, "ed") || is(rest, "ing") }

// is compares runes with a word of ASCII.
func is(runes []rune, word string) bool {
	if len(runes) != len(word) {
		return false
	}
	for i, r := range runes {
		if r != rune(word[i]) {
			return false
		}
	}
	return true
}
