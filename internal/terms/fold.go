package terms

import (
	_ "embed"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// simplifiedPairs holds a Traditional character and its Simplified form a
// pair. The mapping is that of the OpenCC dictionaries (TSCharacters), first
// choice, within the basic plane.
//
//go:embed simplified.txt
var simplifiedPairs string

// folder brings texts and terms into one form in which they can be compared.
// What becomes of most characters stands in a table: it is made once and never
// changes.
type folder struct {
	simplified map[rune]rune
	simple     [1 << 16]int32 // of the basic plane: the folded rune, or one of the following
}

const (
	hard  = -1 - iota // is taken apart by the rules of Unicode
	blank             // white space
	gone              // takes no room
)

// theFolder is the one that there is.
var theFolder = sync.OnceValue(func() *folder {
	f := &folder{simplified: make(map[rune]rune, 4096)}
	for _, pair := range strings.Fields(simplifiedPairs) {
		r := []rune(pair)
		f.simplified[r[0]] = r[1]
	}
	for r := range rune(len(f.simple)) {
		f.simple[r] = f.class(r)
	}
	return f
})

func newFolder() *folder { return theFolder() }

// class is what the table says of a character.
func (f *folder) class(r rune) int32 {
	switch {
	case r == 0xAD || r == 0xFEFF || (r >= 0x200B && r <= 0x200F) || (r >= 0x2060 && r <= 0x2064):
		return gone
	case isSpace(r):
		return blank
	case r == '’' || r == '‘' || r == '`' || r == '´':
		return '\'' // don’t is don't
	case r >= 0x80 && (r < 0x4E00 || r > 0x9FFF):
		apart := []rune(norm.NFKD.String(string(r)))
		if len(apart) != 1 || isSpace(apart[0]) || unicode.Is(unicode.Mn, apart[0]) || !utf8.ValidRune(r) {
			return hard
		}
		r = apart[0] // another form of one character
	}
	if to, ok := f.simplified[r]; ok {
		r = to
	}
	return unicode.ToLower(r)
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
	n := utf8.RuneCountInString(text)
	out := folded{runes: make([]rune, 0, n), at: make([]int, 0, n), upper: make([]bool, 0, n)}
	at, pendingSpace := -1, false
	for _, r := range text {
		at++
		c := int32(hard)
		if r < rune(len(f.simple)) {
			c = f.simple[r]
		}
		switch c {
		case gone:
		case blank:
			pendingSpace = true
		case hard:
			out, pendingSpace = f.foldRune(out, r, at, pendingSpace), false
		default:
			if pendingSpace {
				out, pendingSpace = out.spaced(c, at), false
			}
			out.runes, out.at, out.upper = append(out.runes, c), append(out.at, at), append(out.upper, c != r && unicode.IsUpper(r))
		}
	}
	return out
}

// spaced puts a space before r, where one belongs there.
func (out folded) spaced(r rune, at int) folded {
	if n := len(out.runes); n > 0 && (!isHan(out.runes[n-1]) || !isHan(r)) {
		out.runes, out.at, out.upper = append(out.runes, space), append(out.at, at), append(out.upper, false)
	}
	return out
}

func (f *folder) foldRune(out folded, r rune, at int, afterSpace bool) folded {
	upper := unicode.IsUpper(r)
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
	if afterSpace {
		out = out.spaced(r, at)
	}
	out.runes, out.at, out.upper = append(out.runes, unicode.ToLower(r)), append(out.at, at), append(out.upper, upper)
	return out
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

// Folder brings texts into the form in which terms are compared. It is safe
// for concurrent use.
type Folder struct{ folder *folder }

// NewFolder makes a Folder.
func NewFolder() *Folder { return &Folder{newFolder()} }

// Fold returns a text, of which it looks at most runes, in lower case,
// Simplified, of half width, without accents and zero-width characters; white
// space and hyphens are one space, and none between Chinese characters. With
// each rune it tells where in the text that stood, in runes.
func (f *Folder) Fold(text string, most int) (runes []rune, places []int) {
	n := 0
	for i := range text {
		if n++; n > most {
			text = text[:i]
			break
		}
	}
	out := f.folder.fold(text)
	return out.runes, out.at
}
