package normalize

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// clean makes a text safe to carry: valid UTF-8, line feeds for all line
// ends, no control characters, no overrides of the writing direction. What
// stands between two characters that are changed is copied at once.
func clean(s string) string {
	var b strings.Builder
	from := 0
	for i := 0; i < len(s); {
		if c := s[i]; c >= ' ' && c < 0x7F || c == '\n' || c == '\t' {
			i++
			continue
		}
		if isChinese(s[i:]) {
			i += 3
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		instead := ""
		switch {
		case r == utf8.RuneError && size == 1:
			size, instead = invalid(s[i:]), "\uFFFD"
		case r == '\r':
			if !strings.HasPrefix(s[i+1:], "\n") {
				instead = "\n"
			}
		case r == 0xA0:
			instead = " "
		case unicode.IsControl(r), r >= 0x202A && r <= 0x202E, r >= 0x2066 && r <= 0x2069, r == 0xFEFF:
		default:
			i += size
			continue
		}
		if b.Cap() == 0 {
			b.Grow(len(s))
		}
		b.WriteString(s[from:i])
		b.WriteString(instead)
		i += size
		from = i
	}
	if from == 0 {
		return s
	}
	b.WriteString(s[from:])
	return b.String()
}

// isChinese tells a text that begins with a character from U+3000 to U+CFFF,
// none of which is changed.
func isChinese(s string) bool {
	return len(s) >= 3 && s[0] >= 0xE3 && s[0] <= 0xEC && !utf8.RuneStart(s[1]) && !utf8.RuneStart(s[2])
}

// invalid is how many bytes at the beginning of a text are of no character.
func invalid(s string) int {
	n := 0
	for n < len(s) {
		if r, size := utf8.DecodeRuneInString(s[n:]); r != utf8.RuneError || size > 1 {
			break
		}
		n++
	}
	return n
}

// oneLine folds white space into single spaces.
func oneLine(s string) string {
	if isOneLine(s) {
		return s
	}
	return strings.Join(strings.Fields(s), " ")
}

// isOneLine tells most texts that oneLine leaves as they are.
func isOneLine(s string) bool {
	before := byte(' ')
	for i := range len(s) {
		c := s[i]
		switch {
		case c == ' ' && before == ' ', c >= '\t' && c <= '\r':
			return false
		case c == 0xC2 || c == 0xE1 || c == 0xE2 || c == 0x80 && before == 0x80: // may be of white space beyond ASCII
			return false
		}
		before = c
	}
	return before != ' ' || s == ""
}
