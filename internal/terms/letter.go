package terms

import "unicode"

// kind is what a folded character is: asked many times for each, found out
// once.
type kind uint8

const (
	kindWord   kind = 1 << iota // Latin words and numbers are made of it
	kindHan                     // a Chinese character
	kindLetter                  // a letter of any script
	kindUpper                   // the original was an upper-case letter
	kindQuote                   // the apostrophe of didn't
	kindStop                    // may end a sentence
)

// kindOf tells all of it but kindUpper.
func kindOf(r rune) kind {
	var k kind
	if isWord(r) {
		k |= kindWord
	}
	if isHan(r) {
		k |= kindHan
	}
	if unicode.IsLetter(r) {
		k |= kindLetter
	}
	switch r {
	case '\'':
		k |= kindQuote
	case '。', '!', '?', ';', '.':
		k |= kindStop
	}
	return k
}

// stops tells whether a sentence ends at a place that may: a full stop may be
// the point of 3.50, or of example.com.
func (out *folded) stops(at int) bool {
	if out.runes[at] != '.' || at+1 == len(out.runes) {
		return true
	}
	next := out.runes[at+1]
	return !isWord(next) && !unicode.IsDigit(next)
}

// count is how many sentences end within a stretch.
func (out *folded) count(from, to int32) (n int32) {
	for i := from; i < to; i++ {
		if out.kinds[i]&kindStop != 0 && out.stops(int(i)) {
			n++
		}
	}
	return n
}

func isSpace(r rune) bool {
	return r == ' ' || r == '-' || r == '_' || (r >= 0x2010 && r <= 0x2015) || unicode.IsSpace(r)
}

func isHan(r rune) bool {
	return r >= 0x4E00 && r <= 0x9FFF || r >= 0x3400 && unicode.Is(unicode.Han, r)
}

// isWord tells a character that Latin words and numbers are made of.
func isWord(r rune) bool {
	if r < 0x80 {
		return r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z'
	}
	return r < 0x2E80 && (unicode.IsLetter(r) || unicode.IsDigit(r))
}
