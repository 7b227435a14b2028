package letter

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/wlynxg/chardet"
	"golang.org/x/text/encoding/charmap"
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

// decodeCharset turns b into UTF-8. label is what the mail declares of it and
// may be empty, hint what the mail tells elsewhere. note says where the label
// was not the truth. It never fails: what can't be decoded becomes U+FFFD.
//
// Guessing costs time and can be wrong, so it comes only where the declared
// charset fails or says nothing.
func decodeCharset(label string, b []byte, hint *clue) (text, note string) {
	label = cleanLabel(label)
	b, by := marked(b)
	if by != nil {
		text, _ = by(b)
		return text, ""
	}
	if isASCII(b) && !stateful(label) && !switches(b) {
		return string(b), ""
	}
	switch label {
	case "", "us-ascii", "ascii", "ansi_x3.4-1968", "unknown-8bit", "x-unknown", "unknown", "default", "binary", "8bit", "7bit":
		text, found := guess(b, hint)
		if found == "utf-8" {
			return text, "" // nothing doubtful: chance hardly makes valid UTF-8
		}
		return text, fmt.Sprintf("charset %s: the text was read as %s", orNone(label), found)
	case "utf-8", "utf8", "utf-8mb4", "utf8mb4", "utf_8", "utf 8", "utf-8-sig", "csutf8", "unicode-1-1-utf-8", "cp65001", "x-utf_8j", "cesu-8":
		return decodeUTF8(b, hint)
	}
	decode := lookup(label)
	if decode == nil {
		text, found := guess(b, hint)
		return text, fmt.Sprintf("charset %.40q is unknown; the text was read as %s", label, found)
	}
	if lies(label, b) {
		text, found := guess(b, hint)
		return text, fmt.Sprintf("charset %s was read as %s", label, found)
	}
	if enc := twin(label, b); enc != nil {
		text, _ = decodeWith(enc, b)
		return text, ""
	}
	text, bad := decode(b)
	if bad > 0 && !switches(b) && bad*20 > utf8.RuneCountInString(text) {
		if better, found := guess(b, hint); strings.Count(better, "\uFFFD") < bad {
			return better, fmt.Sprintf("charset %s was read as %s", label, found)
		}
	}
	switch {
	case bad > 0:
		note = fmt.Sprintf("charset %s: %d characters could not be read", label, bad)
	case gb2312Names[label] && !onlyGB2312(b):
		note = fmt.Sprintf("charset %s decoded as gb18030", label)
	}
	return text, note
}

func decodeUTF8(b []byte, hint *clue) (text, note string) {
	b = joinSurrogates(b)
	switch {
	case switches(b) && isASCII(b):
		text, found := guess(b, hint)
		return text, "charset utf-8 was read as " + found
	case utf8.Valid(b):
		return string(b), ""
	case mostlyUTF8(b):
		return strings.ToValidUTF8(string(b), "\uFFFD"), "charset utf-8: some bytes are not and were replaced"
	}
	text, found := guess(b, hint)
	return text, "charset utf-8 was read as " + found
}

func orNone(label string) string {
	if label == "" {
		return "not declared"
	}
	return label
}

func isASCII(b []byte) bool {
	for _, c := range b {
		if c >= 0x80 {
			return false
		}
	}
	return true
}

// stateful tells whether a label is of a charset whose characters may all have
// seven bits.
func stateful(label string) bool {
	return strings.HasPrefix(label, "iso-2022") || strings.HasPrefix(label, "csiso2022") || strings.HasPrefix(label, "hz") ||
		strings.Contains(label, "utf-7") || strings.Contains(label, "utf7") || wide(label)
}

// wide tells whether a label is of a charset with two or four bytes for each
// character.
func wide(label string) bool {
	for _, s := range []string{"utf-16", "utf16", "utf-32", "utf32", "ucs-", "unicode"} {
		if strings.Contains(label, s) && !strings.Contains(label, "-utf-") {
			return true
		}
	}
	return false
}

// switches tells whether b switches to the characters of East Asia (see
// iso2022), which nothing but those charsets does.
func switches(b []byte) bool {
	return bytes.Contains(b, []byte("\x1b$"))
}

var gb2312Names = map[string]bool{"gb2312": true, "gb_2312-80": true, "gb2312-80": true, "euc-cn": true, "csgb2312": true, "x-euc-cn": true}

// telling is how many characters must have the form of UTF-8 where the label
// says something else: one or two have it by chance.
const telling = 3

// lies tells whether a label stands on text that is clearly something else:
// programs write iso-8859-1, or what their system has, on what they don't know.
func lies(label string, b []byte) bool {
	if switches(b) && isASCII(b) {
		return !stateful(label)
	}
	short, long, whole := utf8Forms(b)
	switch label {
	case "iso-8859-1", "latin1", "l1", "iso8859-1", "iso_8859-1", "windows-1252", "cp1252", "iso-8859-15", "cp819":
		return whole || looks(head(b)) != "" || solid(head(b))
	case "big5", "cp950", "big5-hkscs":
		return whole && long >= telling || len(b) >= 10 && looksGB(head(b)) && !looksBig5(head(b))
	}
	if wide(label) {
		return utf8.Valid(b) && bytes.IndexByte(b, 0) < 0
	}
	if strings.HasPrefix(label, "iso-8859") || strings.HasPrefix(label, "windows-") || strings.HasPrefix(label, "koi8") {
		return whole && short+long >= telling
	}
	return whole && long >= telling && !stateful(label)
}

// utf8Forms counts the characters of two bytes, and of three and four, that b
// has if it is UTF-8 as a whole.
func utf8Forms(b []byte) (short, long int, whole bool) {
	if !utf8.Valid(b) {
		return 0, 0, false
	}
	for _, c := range b {
		switch {
		case c >= 0xe0:
			long++
		case c >= 0xc0:
			short++
		}
	}
	return short, long, true
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
	if hint != nil {
		for _, name := range []string{hint.charset, hint.guessed} {
			if decode := lookup(name); decode != nil {
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
	if name := hint.detect(head(b)); name != "" {
		if s, ok := decodeAs(name, b); ok {
			hint.saw(name, b)
			return s, name
		}
	}
	if s, ok := decodeAs("gb18030", b); ok {
		return s, "gb18030"
	}
	if mostlyUTF8(b) {
		return strings.ToValidUTF8(string(b), "\uFFFD"), "utf-8"
	}
	s, _ := decodeWith(charmap.Windows1252, b)
	return s, "windows-1252"
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

func head(b []byte) []byte {
	if len(b) > sniffBytes {
		return b[:sniffBytes]
	}
	return b
}

// mostlyUTF8 tells whether b is UTF-8 in which some bytes went wrong: at least
// half of what is beyond ASCII is good, which other encodings hardly reach.
func mostlyUTF8(b []byte) bool {
	good, bad := 0, 0
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 {
			bad++
		} else if n > 1 {
			good++
		}
		i += n
	}
	return good > 0 && (good > 9*bad || good >= bad && !looksGB(head(b)))
}
