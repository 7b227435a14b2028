package letter

import (
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
)

// codeSet is a set of characters that an escape sequence switches to. Its
// bytes are those of an encoding of 8 bits without their highest bit.
type codeSet struct {
	width  int
	prefix string            // what the encoding puts before a character of the set
	enc    encoding.Encoding // nil: ASCII
	yen    bool              // in the place of the backslash
}

var (
	ascii    = codeSet{width: 1}
	roman    = codeSet{width: 1, yen: true} // JIS X 0201
	kanaSet  = codeSet{width: 1, prefix: "\x8e", enc: japanese.EUCJP}
	jis0208  = codeSet{width: 2, enc: japanese.EUCJP}
	jis0212  = codeSet{width: 2, prefix: "\x8f", enc: japanese.EUCJP}
	gb2312   = codeSet{width: 2, enc: simplifiedchinese.GBK}
	ksc5601  = codeSet{width: 2, enc: korean.EUCKR}
	latinSet = codeSet{width: 1, enc: charmap.ISO8859_1}
	greekSet = codeSet{width: 1, enc: charmap.ISO8859_7}
)

// escapes are the sequences, without ESC, of RFC 1468, 1554, 1557, 1922 and
// 2237, and those of Microsoft and of JIS X 0213 that stand for the same.
var escapes = map[string]codeSet{
	"(B": ascii, "(J": roman, "(H": roman, "(I": kanaSet,
	"$@": jis0208, "$B": jis0208, "$(@": jis0208, "$(B": jis0208, "$(O": jis0208, "$(Q": jis0208, "$(D": jis0212,
	"$A": gb2312, "$(A": gb2312, "$(C": ksc5601,
	")I": kanaSet, "$)A": gb2312, "$)C": ksc5601, // to be switched to by SO
	".A": latinSet, ".F": greekSet, // for one character each, by ESC N
}

const esc, so, si = 0x1b, 0x0e, 0x0f

// iso2022 decodes the charsets of mail that switch between sets of characters:
// ISO-2022-JP with all its successors, -KR, and -CN as far as it is GB 2312. A
// line begins in ASCII, whatever the one before forgot.
func iso2022(b []byte) (string, int) {
	d := switching{now: ascii, shifted: ascii, single: ascii}
	for len(b) > 0 {
		switch c := b[0]; {
		case c == esc:
			b = b[d.escape(b[1:])+1:]
		case c == so || c == si:
			d.flush()
			d.out = c == so
			b = b[1:]
		case c == '\n' || c == '\r':
			d.flush()
			d.now, d.out = ascii, false
			d.text.WriteByte(c)
			b = b[1:]
		default:
			d.run = append(d.run, c)
			b = b[1:]
		}
	}
	d.flush()
	return d.text.String(), d.bad
}

type switching struct {
	now, shifted, single codeSet
	out                  bool // shifted is in force
	run                  []byte
	text                 strings.Builder
	bad                  int
}

// escape obeys what follows an ESC, and returns how many bytes that was.
func (d *switching) escape(b []byte) int {
	d.flush()
	if len(b) > 1 && b[0] == 'N' {
		d.run = append(d.run, b[1])
		d.decode(d.single)
		return 2
	}
	for n := 2; n <= 3 && n <= len(b); n++ {
		set, ok := escapes[string(b[:n])]
		if !ok {
			continue
		}
		switch {
		case b[n-2] == ')':
			d.shifted = set
		case b[n-2] == '.':
			d.single = set
		default:
			d.now = set
		}
		return n
	}
	d.bad++
	d.text.WriteRune('\uFFFD')
	return 0
}

func (d *switching) flush() {
	set := d.now
	if d.out {
		set = d.shifted
	}
	d.decode(set)
}

// decode writes the run as what it is in a set.
func (d *switching) decode(set codeSet) {
	run := d.run
	d.run = d.run[:0]
	if set.enc == nil {
		for _, c := range run {
			switch {
			case c >= 0x80: // not of these charsets, which have seven bits
				d.bad++
				d.text.WriteRune('\uFFFD')
			case c == '\\' && set.yen:
				d.text.WriteRune('¥')
			default:
				d.text.WriteByte(c)
			}
		}
		return
	}
	high := make([]byte, 0, 3*len(run))
	for len(run) > 0 {
		if run[0] <= ' ' {
			high = append(high, run[0])
			run = run[1:]
			continue
		}
		high = append(high, set.prefix...)
		n := min(set.width, len(run))
		for _, c := range run[:n] {
			high = append(high, c^0x80) // a byte that has the bit already is wrong here, and stays so
		}
		run = run[n:]
	}
	s, bad := decodeWith(set.enc, high)
	d.bad += bad
	d.text.WriteString(s)
}
