package terms

import (
	_ "embed"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// simplifiedPairs holds a Traditional character and its Simplified form a
// pair. The mapping is that of the OpenCC dictionaries (TSCharacters), first
// choice, within the basic plane.
//
//go:embed simplified.txt
var simplifiedPairs string

// folder brings texts and terms into one form in which they can be compared.
type folder struct {
	simplified map[rune]rune
}

func newFolder() *folder {
	f := &folder{make(map[rune]rune, 4096)}
	for _, pair := range strings.Fields(simplifiedPairs) {
		r := []rune(pair)
		f.simplified[r[0]] = r[1]
	}
	return f
}

// folded is a text in the common form: compatibility forms and full width
// resolved, lower case, Simplified, without accents and zero-width
// characters, every run of white space and hyphens one space, and none
// between two Han characters.
type folded struct {
	runes []rune
	at    []int  // the place in the original text, in runes
	upper []bool // the original was an upper-case letter
}

// space stands for white space, hyphens and the like between words.
const space = ' '

func (f *folder) fold(text string) folded {
	out := folded{runes: make([]rune, 0, len(text)), at: make([]int, 0, len(text)), upper: make([]bool, 0, len(text))}
	at, pendingSpace := -1, false
	for _, r := range text {
		at++
		switch {
		case r == 0xAD || r == 0xFEFF || (r >= 0x200B && r <= 0x200F) || (r >= 0x2060 && r <= 0x2064):
			continue // zero width
		case isSpace(r):
			pendingSpace = true
			continue
		}
		out, pendingSpace = f.foldRune(out, r, at, pendingSpace), false
	}
	return out
}

func (f *folder) foldRune(out folded, r rune, at int, afterSpace bool) folded {
	upper := unicode.IsUpper(r)
	if r < 0x80 || (r >= 0x4E00 && r <= 0x9FFF) {
		return f.emit(out, r, at, upper, afterSpace)
	}
	for _, d := range norm.NFKD.String(string(r)) {
		switch {
		case unicode.Is(unicode.Mn, d):
		case isSpace(d):
			afterSpace = true
		default:
			out, afterSpace = f.emit(out, d, at, upper || unicode.IsUpper(d), afterSpace), false
		}
	}
	return out
}

func (f *folder) emit(out folded, r rune, at int, upper, afterSpace bool) folded {
	if r >= 0x80 {
		if s, ok := f.simplified[r]; ok {
			r = s
		}
	}
	if n := len(out.runes); afterSpace && n > 0 && (!isHan(out.runes[n-1]) || !isHan(r)) {
		out.runes, out.at, out.upper = append(out.runes, space), append(out.at, at), append(out.upper, false)
	}
	out.runes, out.at, out.upper = append(out.runes, unicode.ToLower(r)), append(out.at, at), append(out.upper, upper)
	return out
}

func isSpace(r rune) bool {
	return r == ' ' || r == '-' || r == '_' || (r >= 0x2010 && r <= 0x2015) || unicode.IsSpace(r)
}

func isHan(r rune) bool { return r >= 0x3400 && unicode.Is(unicode.Han, r) }

// isWord tells a character that Latin words and numbers are made of.
func isWord(r rune) bool { return r < 0x2E80 && (unicode.IsLetter(r) || unicode.IsDigit(r)) }
