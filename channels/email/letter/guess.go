package letter

import (
	"strings"
	"unicode/utf8"

	"github.com/wlynxg/chardet"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
)

// sniffBytes is how much of a text is looked at to guess its charset.
const sniffBytes = 8 << 10

// maxDetections is how often the detector is asked for one mail. It takes
// a millisecond even for a word, and a header has room for ten thousand.
const maxDetections = 50

// clue is what a mail has told of its charset, for those of its texts that
// declare none. A nil clue knows nothing.
type clue struct {
	charset string // that a text of the mail declares
	guessed string // that a longer text looked like
	asked   int    // how often the detector was
}

// learn takes the charset that a text declares, if it is a telling one.
func (c *clue) learn(label string) {
	label = cleanLabel(label)
	if c.charset == "" && label != "us-ascii" && label != "utf-8" && lookup(label) != nil {
		c.charset = label
	}
}

// hintBytes is how long a text must be for its look to tell of the others.
const hintBytes = 16

// saw remembers what a text that declared nothing true turned out to be.
func (c *clue) saw(name string, b []byte) {
	if c != nil && c.guessed == "" && len(b) >= hintBytes && name != "utf-8" && name != "windows-1252" {
		c.guessed = name
	}
}

// detect asks the detector, which is slow, and sure only of longer texts.
func (c *clue) detect(b []byte) string {
	if c != nil {
		if c.asked++; c.asked > maxDetections {
			return ""
		}
	}
	if r := chardet.Detect(b); r.Confidence > 0.2 {
		return strings.ToLower(r.Encoding)
	}
	return ""
}

// guess decodes text that nothing true is said about, and names what it took.
func guess(b []byte, hint *clue) (text, name string) {
	if switches(b) {
		if s, bad := iso2022(b); bad == 0 {
			return s, "iso-2022-jp"
		}
	}
	if utf8.Valid(b) {
		return string(b), "utf-8"
	}
	if damaged, sure := mostlyUTF8(b); sure {
		return damaged, "utf-8"
	}
	if hint != nil {
		for _, name := range []string{hint.charset, hint.guessed} {
			if decode := lookup(name); decode != nil && !lies(name, b) && !(alone(b) && paired(name)) {
				if s, bad := decode(b); bad == 0 {
					return s, name
				}
			}
		}
	}
	if name := looks(head(b)); name != "" {
		if s, ok := decodeAs(name, b); ok {
			hint.saw(name, b)
			return s, name
		}
	}
	if damaged, _ := mostlyUTF8(b); damaged != "" {
		return damaged, "utf-8"
	}
	if name := tongues(head(b), hint); name != "" {
		if s, ok := decodeAs(name, b); ok {
			hint.saw(name, b)
			return s, name
		}
	}
	if s, ok := decodeAs("gb18030", b); ok && !alone(b) {
		return s, "gb18030"
	}
	s, _ := decodeWith(charmap.Windows1252, b)
	return s, "windows-1252"
}

// tongues names the charset of a text that is not of East Asia, as far as can be
// seen.
func tongues(b []byte, hint *clue) string {
	if name, _ := latin(b); name != "" && !solid(b) {
		return name
	}
	detected := hint.detect(b)
	if enc := encodingOf(detected); enc != nil && !singleByte(enc) {
		return detected
	}
	if name := script(b); name != "" {
		return name
	}
	return detected
}

// looks names the encoding that b is in by the look of it; "" where it is not
// one of East Asia.
func looks(b []byte) string {
	switch {
	case looksKorean(b):
		return "euc-kr"
	case looksGB(b):
		return "gb18030"
	case looksSJIS(b):
		return "shift_jis"
	case looksEUCJP(b):
		return "euc-jp"
	case looksBig5(b):
		return "big5"
	}
	return ""
}

// paired tells whether the characters of a charset have two bytes beyond ASCII,
// all but the rarest.
func paired(name string) bool {
	switch encodingOf(name) {
	case simplifiedchinese.GB18030, korean.EUCKR, japanese.EUCJP:
		return true
	}
	return false
}

// alone tells whether no two bytes beyond ASCII stand together.
func alone(b []byte) bool {
	for i := 1; i < len(b); i++ {
		if b[i] >= 0x80 && b[i-1] >= 0x80 {
			return false
		}
	}
	return true
}

// decodeAs decodes b if it is whole in that encoding, but for a last character
// that may be cut off.
func decodeAs(name string, b []byte) (string, bool) {
	decode := lookup(name)
	if decode == nil {
		return "", false
	}
	s, bad := decode(b)
	return s, bad == 0 || bad == 1 && strings.HasSuffix(strings.TrimRight(s, "\r\n \t"), "\uFFFD")
}

func singleByte(enc encoding.Encoding) bool {
	_, ok := enc.(*charmap.Charmap)
	return ok
}

func beyondASCII(b []byte) int {
	n := 0
	for _, c := range b {
		if c >= 0x80 {
			n++
		}
	}
	return n
}

func head(b []byte) []byte {
	if len(b) > sniffBytes {
		return b[:sniffBytes]
	}
	return b
}

// mostlyUTF8 reads b as UTF-8 in which some bytes went wrong, "" where it is
// none: at least half of what is beyond ASCII must be good, which other
// encodings hardly reach. It is sure where nine of ten are, or only the last is
// cut off.
func mostlyUTF8(b []byte) (text string, sure bool) {
	good, bad, cut := 0, 0, false
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 {
			if cut = !utf8.FullRune(b[i:]); cut {
				n = len(b) - i
			}
			bad++
		} else if n > 1 {
			good++
		}
		i += n
	}
	if good == 0 || good < bad || good <= 9*bad && looksGB(head(b)) {
		return "", false
	}
	return strings.ToValidUTF8(string(b), "\uFFFD"), good > 9*bad || cut && bad == 1 && good > 1
}
