package terms

import (
	_ "embed"
	"slices"
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
	simple     [1 << 16]int32 // of the basic plane: the folded rune and its kind, or one of the following
}

const (
	hard  = -1 - iota // is taken apart by the rules of Unicode
	blank             // white space
	gone              // takes no room
)

// kindBits is how much of a table's entry the kind takes, below the rune.
const kindBits = 8

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

// class is what the table says of a character.
func (f *folder) class(r rune) int32 {
	to, upper := r, unicode.IsUpper(r)
	switch {
	case r == 0xAD || r == 0xFEFF || (r >= 0x200B && r <= 0x200F) || (r >= 0x2060 && r <= 0x2064):
		return gone
	case isSpace(r):
		return blank
	case r == '’' || r == '‘' || r == '`' || r == '´':
		to = '\'' // don’t is don't
	case r >= 0x80 && (r < 0x4E00 || r > 0x9FFF):
		apart := []rune(norm.NFKD.String(string(r)))
		bare := slices.DeleteFunc(slices.Clone(apart), func(d rune) bool { return unicode.Is(unicode.Mn, d) })
		if len(bare) != 1 || isSpace(bare[0]) || !utf8.ValidRune(r) {
			return hard
		}
		to = bare[0] // another form of one character, or it with an accent
		upper = upper || len(apart) > 1 && unicode.IsUpper(to)
	}
	if simple, ok := f.simplified[to]; ok {
		to = simple
	}
	to = unicode.ToLower(to)
	k := kindOf(to)
	if to != r && upper {
		k |= kindUpper
	}
	return to<<kindBits | int32(k)
}

// folded is a text in the common form: compatibility forms and full width
// resolved, lower case, Simplified, without accents and zero-width
// characters, every run of white space and hyphens one space, and none
// between two Han characters.
type folded struct {
	runes []rune
	kinds []kind
	at    []int32 // the place in the original text, in runes
	// lost is set where the space between two words is gone with an accent that
	// stood there alone: no part of the text can be folded for itself then.
	lost bool
}

// space stands for white space, hyphens and the like between words.
const space = ' '

// fold folds a text into the memory of out.
func (f *folder) fold(text string, out folded) folded {
	n := len(text) + 1 // characters are fewer
	if n > cap(out.runes) {
		n = utf8.RuneCountInString(text) + 1
	}
	out.lost = false
	out.resize(n)
	runes, kinds, places := out.runes, out.kinds, out.at
	at, end, pendingSpace := int32(-1), 0, false // end: of what is written
	for _, r := range text {
		at++
		c := int32(hard)
		if r < rune(len(f.simple)) {
			c = f.simple[r]
		}
		if c == hard || end+1 >= len(runes) { // seldom: one becomes several
			out.resize(end)
			if c == hard {
				f.foldRune(&out, r, at, pendingSpace)
				end, pendingSpace = len(out.runes), false
			}
			out.resize(max(n, 2*end+2))
			runes, kinds, places = out.runes, out.kinds, out.at
		}
		if c < 0 {
			pendingSpace = pendingSpace || c == blank
			continue
		}
		k := kind(c)
		if pendingSpace {
			pendingSpace = false
			if end > 0 && kinds[end-1]&k&kindHan == 0 {
				runes[end], kinds[end], places[end] = space, 0, at
				end++
			}
		}
		runes[end], kinds[end], places[end] = c>>kindBits, k, at
		end++
	}
	out.resize(end)
	return out
}

// resize makes room for n characters, and keeps those that are there.
func (out *folded) resize(n int) {
	out.runes, out.kinds, out.at = resized(out.runes, n), resized(out.kinds, n), resized(out.at, n)
}

func resized[T any](s []T, n int) []T {
	if n > cap(s) {
		s = append(s[:cap(s)], make([]T, n-cap(s))...)
	}
	return s[:n]
}

func (out *folded) add(r rune, k kind, at int32) {
	out.runes, out.kinds, out.at = append(out.runes, r), append(out.kinds, k), append(out.at, at)
}

// space adds one before a character, where one belongs there.
func (out *folded) space(before kind, at int32) {
	if n := len(out.kinds); n > 0 && out.kinds[n-1]&before&kindHan == 0 {
		out.add(space, 0, at)
	}
}

func (f *folder) foldRune(out *folded, r rune, at int32, afterSpace bool) {
	upper := unicode.IsUpper(r)
	n := len(out.runes)
	for _, d := range norm.NFKD.String(string(r)) {
		switch {
		case unicode.Is(unicode.Mn, d):
		case isSpace(d):
			afterSpace = true
		default:
			f.emit(out, d, at, upper || unicode.IsUpper(d), afterSpace)
			afterSpace = false
		}
	}
	out.lost = out.lost || afterSpace && len(out.runes) == n
}

func (f *folder) emit(out *folded, r rune, at int32, upper, afterSpace bool) {
	if s, ok := f.simplified[r]; ok {
		r = s
	}
	low := unicode.ToLower(r)
	k := kindOf(low)
	if upper {
		k |= kindUpper
	}
	if afterSpace {
		out.space(k, at)
	}
	out.add(low, k, at)
}
