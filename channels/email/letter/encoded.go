package letter

import (
	"encoding/base64"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxWord bounds an encoded word. RFC 2047 section 2 says 75 characters; some
// programs put a whole subject into one.
const maxWord = 16 << 10

// decodeWords decodes the RFC 2047 words of a field, wherever they stand, and
// raw 8-bit text between them by hint or by looks. Neighbouring words of one
// charset are joined before they are decoded: many programs split a character
// between two.
func decodeWords(s string, hint *clue) string {
	if !strings.Contains(s, "=?") {
		return plain(s, hint)
	}
	var out strings.Builder
	var run []byte // bytes of neighbouring words
	var runCharset string
	flush := func() {
		if len(run) > 0 {
			text, _ := decodeCharset(runCharset, run, hint)
			out.WriteString(text)
			run = run[:0]
		}
	}
	for s != "" {
		i := strings.Index(s, "=?")
		if i < 0 {
			break
		}
		charset, text, rest, ok := cutWord(s[i:])
		if !ok {
			flush()
			out.WriteString(plain(s[:i+2], hint))
			s = s[i+2:]
			continue
		}
		// Blanks between two encoded words are not part of the text (RFC 2047
		// section 6.2).
		if between := s[:i]; len(run) == 0 || strings.TrimSpace(between) != "" {
			flush()
			out.WriteString(plain(between, hint))
		}
		if len(run) > 0 && !strings.EqualFold(charset, runCharset) {
			flush()
		}
		run, runCharset = append(run, text...), charset
		s = rest
	}
	flush()
	out.WriteString(plain(s, hint))
	return out.String()
}

// cutWord takes the encoded word off the front of s.
func cutWord(s string) (charset string, text []byte, rest string, ok bool) {
	window := s
	if len(window) > maxWord {
		window = window[:maxWord]
	}
	charset, body, ok := strings.Cut(window[2:], "?")
	label := strings.Trim(charset, " \t")
	if !ok || len(charset) > 60 || strings.ContainsAny(strings.TrimPrefix(label, "charset="), " =\t") {
		return "", nil, "", false
	}
	letter, body, ok := strings.Cut(body, "?")
	if letter = strings.Trim(letter, " \t"); !ok || len(letter) != 1 {
		return "", nil, "", false
	}
	enc := letter[0] | 0x20
	end := strings.Index(body, "?=")
	if end < 0 || enc != 'q' && enc != 'b' {
		return "", nil, "", false
	}
	// "?=" may be the start of "?==41": in Q a "?" must be encoded, so it is
	// the end all the same.
	if enc == 'q' {
		text = unquoteWord(body[:end])
	} else {
		text = unbase64Word(body[:end])
	}
	used := len(window) - len(body) + end + 2
	return label, text, s[used:], true
}

// unquoteWord decodes the Q encoding (RFC 2047 section 4.2).
func unquoteWord(s string) []byte {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '_':
			out = append(out, ' ')
		case s[i] == '=' && i+2 < len(s) && unhex(s[i+1]) < 16 && unhex(s[i+2]) < 16:
			out = append(out, unhex(s[i+1])<<4|unhex(s[i+2]))
			i += 2
		default:
			out = append(out, s[i])
		}
	}
	return out
}

// unbase64Word decodes the B encoding, and the alphabet that is meant for
// addresses of pages (RFC 4648 section 5), which some programs take for it.
func unbase64Word(s string) []byte {
	digits := make([]byte, 0, len(s))
	for i := range len(s) {
		switch c := s[i]; {
		case base64Digit[c]:
			digits = append(digits, c)
		case c == '-':
			digits = append(digits, '+')
		case c == '_':
			digits = append(digits, '/')
		}
	}
	out := make([]byte, base64.RawStdEncoding.DecodedLen(len(digits)))
	return out[:decode64(out, digits)]
}

// plain makes valid UTF-8 of text that is not encoded at all.
func plain(s string, hint *clue) string {
	if utf8.ValidString(s) && !switches([]byte(s)) {
		return s
	}
	text, _ := guess([]byte(s), hint)
	return text
}

// oneLine makes text fit for a line: no control characters, no direction
// overrides, blanks collapsed, at most max runes.
func oneLine(s string, max int) string {
	var b strings.Builder
	blank, n := false, 0
	for _, r := range s {
		switch {
		case unicode.IsSpace(r) || unicode.IsControl(r) && r != 0:
			blank = n > 0
			continue
		case unicode.Is(unicode.Cf, r) && r != '\u200c' && r != '\u200d', r == 0, r == utf8.RuneError, unicode.Is(unicode.Zl, r), unicode.Is(unicode.Zp, r):
			continue
		}
		if blank {
			b.WriteByte(' ')
			blank = false
			n++
		}
		if n++; n > max {
			break
		}
		b.WriteRune(r)
	}
	return b.String()
}
