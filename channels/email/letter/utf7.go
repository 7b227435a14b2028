package letter

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"strings"
	"unicode/utf16"
)

// shiftOf is a UTF-7: the characters that begin a stretch of UTF-16 in base64
// and stand for the digit 63 in it.
type shiftOf struct{ begin, slash byte }

var (
	utf7     = shiftOf{'+', '/'} // RFC 2152
	utf7IMAP = shiftOf{'&', ','} // RFC 3501 section 5.1.3
)

// decode leaves what is malformed as it is.
func (u shiftOf) decode(b []byte) (string, int) {
	var out strings.Builder
	for len(b) > 0 {
		i := bytes.IndexByte(b, u.begin)
		if i < 0 {
			out.Write(b)
			break
		}
		out.Write(b[:i])
		b = b[i+1:]
		n := 0
		for n < len(b) && (base64Digit[b[n]] && b[n] != '/' || b[n] == u.slash) {
			n++
		}
		switch raw, err := base64.RawStdEncoding.DecodeString(strings.ReplaceAll(string(b[:n]), ",", "/")); {
		case n == 0:
			out.WriteByte(u.begin)
		case err != nil && n%4 == 1:
			out.WriteByte(u.begin)
			out.Write(b[:n])
		default:
			units := make([]uint16, len(raw)/2)
			for i := range units {
				units[i] = binary.BigEndian.Uint16(raw[2*i:])
			}
			out.WriteString(string(utf16.Decode(units)))
		}
		b = b[n:]
		if len(b) > 0 && b[0] == '-' {
			b = b[1:]
		}
	}
	return strings.ToValidUTF8(out.String(), "\uFFFD"), 0
}
