package letter

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/wlynxg/chardet"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/ianaindex"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
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
// was not the truth. It never fails: what can't be
// decoded becomes U+FFFD.
//
// Guessing costs time and can be wrong, so it comes only where the declared
// charset fails or says nothing.
func decodeCharset(label string, b []byte, hint *clue) (text, note string) {
	label = cleanLabel(label)
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf")) // a byte order mark
	if isASCII(b) && !stateful(label) && !bytes.Contains(b, []byte("\x1b$")) {
		return string(b), ""
	}
	switch label {
	case "", "us-ascii", "ascii", "ansi_x3.4-1968", "unknown-8bit", "x-unknown", "unknown", "default", "8bit", "7bit":
		text, found := guess(b, hint)
		if found == "utf-8" {
			return text, "" // nothing doubtful: chance hardly makes valid UTF-8
		}
		return text, fmt.Sprintf("charset %s: the text was read as %s", orNone(label), found)
	case "utf-8", "utf8", "utf-8mb4", "utf8mb4", "unicode-1-1-utf-8", "cp65001", "x-utf_8j":
		if utf8.Valid(b) {
			return string(b), ""
		}
		if mostlyUTF8(b) {
			return strings.ToValidUTF8(string(b), "\uFFFD"), "charset utf-8: some bytes are not and were replaced"
		}
		text, found := guess(b, hint)
		return text, "charset utf-8 was read as " + found
	case "utf-7", "unicode-1-1-utf-7", "csunicode11utf7":
		return decodeUTF7(b), ""
	}
	enc := lookup(label)
	if enc == nil {
		text, found := guess(b, hint)
		return text, fmt.Sprintf("charset %.40q is unknown; the text was read as %s", label, found)
	}
	if lies(label, b) {
		text, found := guess(b, hint)
		return text, fmt.Sprintf("charset %s was read as %s", label, found)
	}
	text, bad := decodeWith(enc, b)
	if bad > 0 && bad*20 > utf8.RuneCountInString(text) {
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

func cleanLabel(label string) string {
	label = strings.ToLower(strings.Trim(label, " \t\r\n\"'<>;,"))
	label, _, _ = strings.Cut(label, "*") // RFC 2231 section 5: a language
	if len(label) > 60 {
		return "unknown"
	}
	return label
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

// stateful names the charsets that hide other scripts in seven bits.
func stateful(label string) bool {
	return strings.HasPrefix(label, "iso-2022") || strings.HasPrefix(label, "hz") || strings.Contains(label, "utf-7") ||
		strings.HasPrefix(label, "utf-16") || strings.HasPrefix(label, "utf-32") || label == "csiso2022jp" || label == "csunicode11utf7"
}

var gb2312Names = map[string]bool{"gb2312": true, "gb_2312-80": true, "euc-cn": true, "csgb2312": true, "x-euc-cn": true}

// lookup finds the decoder for a label; nil where there is none. GB18030
// contains GB2312 and GBK, and the world labels all three as gb2312.
func lookup(label string) encoding.Encoding {
	switch label {
	case "gb2312", "gb_2312-80", "euc-cn", "csgb2312", "x-euc-cn", "gbk", "x-gbk", "cp936", "ms936", "windows-936", "gb18030", "gb-18030", "gb18030-2000", "chinese", "gb":
		return simplifiedchinese.GB18030
	case "hz-gb-2312", "hz":
		return simplifiedchinese.HZGB2312
	case "big5", "big-5", "big5-hkscs", "cp950", "ms950", "x-x-big5", "cn-big5":
		return traditionalchinese.Big5
	case "iso-2022-jp", "iso-2022-jp-1", "iso-2022-jp-2", "iso-2022-jp-3", "iso-2022-jp-ms", "csiso2022jp", "cp50220", "cp50221":
		return japanese.ISO2022JP
	case "iso-2022-cn", "iso-2022-kr":
		return nil // the index has decoders for these that lose the text
	}
	if strings.HasPrefix(label, "cp125") {
		label = "windows-" + label[2:]
	}
	if enc, err := htmlindex.Get(label); err == nil && enc != encoding.Replacement {
		return enc
	}
	if enc, err := ianaindex.MIME.Encoding(label); err == nil && enc != nil {
		return enc
	}
	if enc, err := ianaindex.IANA.Encoding(label); err == nil && enc != nil {
		return enc
	}
	return nil
}

func decodeWith(enc encoding.Encoding, b []byte) (text string, bad int) {
	out, err := enc.NewDecoder().Bytes(b)
	if err != nil {
		return strings.ToValidUTF8(string(b), "\uFFFD"), len(b)
	}
	return string(out), bytes.Count(out, []byte("\uFFFD"))
}

// lies tells whether a single-byte label, under which nothing can fail, stands
// on text that is clearly something else: programs write iso-8859-1 on what
// they don't know.
func lies(label string, b []byte) bool {
	switch label {
	case "iso-8859-1", "latin1", "iso8859-1", "windows-1252", "iso-8859-15", "cp819":
		return utf8.Valid(b) || looksGB(head(b)) || looksBig5(head(b))
	}
	return false
}

// guess decodes text that nothing true is said about, and names what it took.
func guess(b []byte, hint *clue) (text, name string) {
	if utf8.Valid(b) && !bytes.Contains(b, []byte("\x1b$")) {
		return string(b), "utf-8"
	}
	if bytes.Contains(b, []byte("\x1b$")) {
		if s, bad := decodeWith(japanese.ISO2022JP, b); bad == 0 {
			return s, "iso-2022-jp"
		}
	}
	if hint != nil {
		for _, name := range []string{hint.charset, hint.guessed} {
			if enc := lookup(name); enc != nil {
				if s, bad := decodeWith(enc, b); bad == 0 {
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
	case kana(b, 0x82, 0x83):
		return "shift_jis"
	case kana(b, 0xa4, 0xa5):
		return "euc-jp"
	case looksBig5(b):
		return "big5"
	}
	return ""
}

// decodeAs decodes b if it is whole in that encoding, but for a last character
// that may be cut off.
func decodeAs(name string, b []byte) (string, bool) {
	enc := lookup(name)
	if enc == nil {
		return "", false
	}
	s, bad := decodeWith(enc, b)
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
