package letter

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// tongue is a language as a charset writes it.
type tongue struct {
	name    string // of the charset
	page    *charmap.Charmap
	letters string // those beyond ASCII; of another script, its most frequent
	kinds   [0x80]kind
}

// kind is what a byte beyond ASCII is to a language.
type kind byte

const (
	harmless kind = iota
	small         // one of its letters
	capital
	sign  // stands between words only
	alien // no character of the charset, or a letter of others
)

// kindOf tells what a character is to the language.
func (t tongue) kindOf(r rune) kind {
	switch {
	case r == utf8.RuneError, unicode.IsControl(r):
		return alien
	case strings.ContainsRune(t.letters, r) || strings.ContainsRune(t.letters, unicode.ToLower(r)):
		if unicode.IsUpper(r) {
			return capital
		}
		return small
	case unicode.IsLetter(r):
		return alien
	case unicode.In(r, unicode.Pi, unicode.Pf, unicode.Pd):
		return harmless
	}
	return sign
}

// latins are the languages of Latin script. The pages of Windows for Western,
// Central European, Turkish and Baltic languages have many letters in the same
// places, so that it is the others which tell them apart: no Western language
// has all that Polish has. Among equals it is a Western one, for there are more
// of them, or the one that has more of the letters.
var latins = func() (out []tongue) {
	for _, of := range []struct {
		name    string
		page    *charmap.Charmap
		letters []string
	}{
		{"windows-1252", charmap.Windows1252, western},
		{"windows-1250", charmap.Windows1250, central},
		{"iso-8859-2", charmap.ISO8859_2, central},
		{"windows-1254", charmap.Windows1254, []string{"çğıİöşüâîû"}},
		{"windows-1257", charmap.Windows1257, []string{"ąčęėįšųūž", "āčēģīķļņšūž", "äõöüšž"}},
		{"macintosh", charmap.Macintosh, western[:5]},
		{"ibm850", charmap.CodePage850, western[:5]},
	} {
		for _, letters := range of.letters {
			t := tongue{name: of.name, page: of.page, letters: letters}
			for c := range t.kinds {
				t.kinds[c] = t.kindOf(t.page.DecodeByte(byte(0x80 + c)))
			}
			out = append(out, t)
		}
	}
	return out
}()

// The letters of languages, those that are spoken by more first: German, French,
// Spanish, Portuguese, Swedish with Danish ...; Polish, Czech, Slovak,
// Hungarian, Romanian, Croatian.
var (
	western = []string{"äöüß", "àâæçéèêëîïôùûüœÿ", "áéíñóúüºª", "àáâãçéêíóôõúüºª", "åäöæøéü", "àèéìíòóùúºª", "áéëèïóöü", "äõöüšž", "áðéíóúýþæö", "àçéèíïóòúü·"}
	central = []string{"ąćęłńóśźż", "áčďéěíňóřšťúůýž", "áäčďéíĺľňóôŕšťúýž", "áéíóöőúüű", "ăâîşţ", "čćđšž"}
)

// scripts are the languages of other scripts, each by a dozen letters that make
// half of any text in it.
var scripts = []tongue{
	{name: "windows-1251", page: charmap.Windows1251, letters: "оеаинтсрвл"}, {name: "koi8-r", page: charmap.KOI8R, letters: "оеаинтсрвл"}, {name: "ibm866", page: charmap.CodePage866, letters: "оеаинтсрвл"},
	{name: "iso-8859-5", page: charmap.ISO8859_5, letters: "оеаинтсрвл"}, {name: "koi8-u", page: charmap.KOI8U, letters: "оаниітвесрє"}, {name: "windows-1251", page: charmap.Windows1251, letters: "оаниітвесрє"},
	{name: "windows-1253", page: charmap.Windows1253, letters: "αοιετνσηυς"}, {name: "windows-1255", page: charmap.Windows1255, letters: "יוהלארתבשמ"},
	{name: "windows-1256", page: charmap.Windows1256, letters: "اليمونرتبة"}, {name: "iso-8859-6", page: charmap.ISO8859_6, letters: "اليمونرتبة"}, {name: "windows-874", page: charmap.Windows874, letters: "านรอกเงมยลว่"},
}

// Bounds of what a guess needs to be one.
const (
	fewLetters     = 3  // beyond ASCII, in a text of Latin script
	manyLetters    = 6  // that are needed to contradict a label, and of them
	foreignLetters = 2  // those that no Western language has
	shortScript    = 6  // letters of another script
	usualShare     = 45 // per cent of the frequent letters in a text
)

// latin names the charset of a text of Latin script that declares none, and
// tells how many of its characters no Western language has; "" where that is
// not to be seen.
func latin(b []byte) (name string, foreign int) {
	seen, plainLetters := highsOf(b)
	found, best, letters := "", len(b), 0
	for i := range latins {
		if i == len(western) {
			foreign = best
		}
		hits, misses := latins[i].fits(&seen)
		if misses < best || misses == best && hits > letters && (i < len(western) || foreign > best) {
			found, best, letters = latins[i].name, misses, hits
		}
	}
	if letters < fewLetters || letters > plainLetters || best*10 > letters {
		return "", 0
	}
	return found, foreign
}

// highs are the bytes beyond ASCII of a text, with what stands around them:
// thirty languages are asked about them, which are few, and not about the text.
type highs struct {
	times [0x80][4]int // by byte, and by place
	used  []byte       // those that there are
}

// Places of a byte.
const (
	behindSmall = 1 << iota // a capital there is none
	withinWord
)

// highsOf gathers them, and counts the letters of ASCII.
func highsOf(b []byte) (h highs, plainLetters int) {
	for i, c := range b {
		if c < 0x80 {
			if isLetter(c) {
				plainLetters++
			}
			continue
		}
		before, at := i > 0 && isLetter(b[i-1]), 0
		if before && b[i-1] >= 'a' {
			at |= behindSmall
		}
		if before && i+1 < len(b) && isLetter(b[i+1]) {
			at |= withinWord
		}
		c -= 0x80
		if h.times[c] == [4]int{} {
			h.used = append(h.used, c)
		}
		h.times[c][at]++
	}
	return h, plainLetters
}

// fits counts the letters beyond ASCII that the language has, and what can't be
// in it: other letters, capitals behind small letters, and signs within words.
func (t *tongue) fits(seen *highs) (hits, misses int) {
	for _, c := range seen.used {
		n := &seen.times[c]
		all := n[0] + n[behindSmall] + n[withinWord] + n[behindSmall|withinWord]
		switch t.kinds[c] {
		case small:
			hits += all
		case capital:
			wrong := n[behindSmall] + n[behindSmall|withinWord]
			hits, misses = hits+all-wrong, misses+wrong
		case sign:
			misses += n[withinWord] + n[behindSmall|withinWord]
		case alien:
			misses += all
		}
	}
	return hits, misses
}

// script names the charset of a text of one of the other scripts that are
// written in single bytes; "" where it is in none.
func script(b []byte) string {
	high, together := 0, 0
	for i, c := range b {
		if c >= 0x80 {
			high++
			if i > 0 && b[i-1] >= 0x80 || i+1 < len(b) && b[i+1] >= 0x80 {
				together++
			}
		}
	}
	if high < shortScript || together*10 < high*7 {
		return "" // letters here and there
	}
	found, best := "", usualShare
	for _, t := range scripts {
		if share := t.usual(b) * 100 / high; share > best {
			found, best = t.name, share
		}
	}
	return found
}

// usual counts the frequent letters of the language. They are small but for the
// first of a word: what is large there was written in another charset (KOI8-R
// has them the other way round), or aloud, which is rarer.
func (t tongue) usual(b []byte) int {
	usual, large, small := 0, 0, 0
	for _, c := range b {
		if c < 0x80 {
			continue
		}
		r := t.page.DecodeByte(c)
		if unicode.IsLower(r) {
			small++
		}
		switch {
		case strings.ContainsRune(t.letters, r):
			usual++
		case strings.ContainsRune(t.letters, unicode.ToLower(r)):
			large++
		}
	}
	switch {
	case large <= usual:
		return usual + large
	case small > 0:
		return 0
	}
	return large * 4 / 5
}
