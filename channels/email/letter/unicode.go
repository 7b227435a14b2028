package letter

import (
	"bytes"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// units are those of UTF-16 or UTF-32 (RFC 2781).
type units struct {
	size int // bytes
	big  bool
}

func unitSize(label string) int {
	if strings.Contains(label, "32") || strings.Contains(label, "ucs-4") {
		return 4
	}
	return 2
}

func (u units) at(b []byte) rune {
	var r rune
	for i := range u.size {
		if u.big {
			r = r<<8 | rune(b[i])
		} else {
			r |= rune(b[i]) << (8 * i)
		}
	}
	return r
}

func (u units) decode(b []byte) (string, int) {
	var out strings.Builder
	bad := 0
	for len(b) >= u.size {
		r := u.at(b)
		b = b[u.size:]
		if utf16.IsSurrogate(r) && len(b) >= u.size {
			if pair := utf16.DecodeRune(r, u.at(b)); pair != utf8.RuneError {
				r, b = pair, b[u.size:]
			}
		}
		if !utf8.ValidRune(r) {
			r = utf8.RuneError
		}
		if r == utf8.RuneError {
			bad++
		}
		out.WriteRune(r)
	}
	if len(bytes.Trim(b, "\r\n\x00")) > 0 { // the line end of the part is one byte
		bad++
	}
	return out.String(), bad
}

// marked takes a byte order mark off a text. It says more of the text than a
// label does (WHATWG Encoding section 6).
func marked(b []byte) (rest []byte, by decoder) {
	switch {
	case bytes.HasPrefix(b, []byte("\xff\xfe\x00\x00")):
		return b[4:], units{4, false}.decode
	case bytes.HasPrefix(b, []byte("\x00\x00\xfe\xff")):
		return b[4:], units{4, true}.decode
	case bytes.HasPrefix(b, []byte("\xff\xfe")):
		return b[2:], units{2, false}.decode
	case bytes.HasPrefix(b, []byte("\xfe\xff")):
		return b[2:], units{2, true}.decode
	}
	return bytes.TrimPrefix(b, []byte("\xef\xbb\xbf")), nil
}

// orderless finds the order of the bytes in a text without a mark: the higher
// ones are nearly all zero, or of the CJK block and its punctuation. By RFC
// 2781 section 4.3 the big end comes first.
func orderless(b []byte, size int) units {
	first, last := 0, 0
	high := func(c byte) bool { return c == 0 || c == 0x30 || c == 0xff || c >= 0x4e && c <= 0x9f }
	for b = head(b); len(b) >= size; b = b[size:] {
		if high(b[0]) {
			first++
		}
		if high(b[size-1]) {
			last++
		}
	}
	return units{size, first >= last}
}

// joinSurrogates makes UTF-8 of CESU-8 (Unicode TR 26), in which Java and old
// databases write what is beyond the basic plane: two surrogates of three
// bytes each.
func joinSurrogates(b []byte) []byte {
	if bytes.IndexByte(b, 0xed) < 0 {
		return b
	}
	out := make([]byte, 0, len(b))
	half := func(b []byte) rune { return 0xd000 | rune(b[1]&0x3f)<<6 | rune(b[2]&0x3f) }
	for len(b) > 0 {
		if len(b) >= 6 && b[0] == 0xed && b[3] == 0xed {
			if r := utf16.DecodeRune(half(b), half(b[3:])); r != utf8.RuneError {
				out = utf8.AppendRune(out, r)
				b = b[6:]
				continue
			}
		}
		out = append(out, b[0])
		b = b[1:]
	}
	return out
}
