package letter

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
)

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
	return decodeLabelled(label, b, hint)
}

// decodeLabelled is decodeCharset for a label that says something.
func decodeLabelled(label string, b []byte, hint *clue) (text, note string) {
	decode := lookup(label)
	switch {
	case decode == nil:
		text, found := guess(b, hint)
		return text, fmt.Sprintf("charset %.40q is unknown; the text was read as %s", label, found)
	case lies(label, b):
		text, found := guess(b, hint)
		return text, fmt.Sprintf("charset %s was read as %s", label, found)
	}
	if enc := twin(label, b); enc != nil {
		text, _ = decodeWith(enc, b)
		return text, ""
	}
	text, bad := decode(b)
	if all := utf8.RuneCountInString(text); bad*20 > all && !switches(b) {
		better, found := guess(b, hint)
		// A charset of single bytes fits everything: it takes more to believe it.
		few := bad*5 < all && singleByte(encodingOf(found))
		if strings.Count(better, "\uFFFD") < bad && !few {
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
	}
	if damaged, _ := mostlyUTF8(b); damaged != "" {
		return damaged, "charset utf-8: some bytes are not and were replaced"
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

// lies tells whether a label stands on text that is clearly something else:
// programs write iso-8859-1, or what their system has, on what they don't know.
func lies(label string, b []byte) bool {
	if stateful(label) {
		return wide(label) && utf8.Valid(b) && bytes.IndexByte(b, 0) < 0
	}
	if switches(b) && isASCII(b) {
		return true
	}
	short, long, whole := utf8Forms(b)
	enc := encodingOf(label)
	switch enc {
	case charmap.Windows1252, charmap.ISO8859_1, charmap.ISO8859_15:
		return whole || unwestern(head(b))
	case charmap.Windows874, charmap.CodePage866, charmap.CodePage855, charmap.MacintoshCyrillic:
		return whole && long >= 3 // a short word may have that form
	case charmap.Windows1251, charmap.KOI8R, charmap.KOI8U:
		return whole && short+long >= 2
	case traditionalchinese.Big5:
		if len(b) >= sureBytes && looksGB(head(b)) && !looksBig5(head(b)) {
			return true
		}
	case simplifiedchinese.GB18030:
		if len(b) >= sureBytes && looksBig5(head(b)) && !looksGB(head(b)) && !onlyGB2312(b) {
			return true
		}
	}
	if singleByte(enc) {
		return whole && short+long > 0
	}
	return whole && long >= 2 && looks(head(b)) == ""
}

// sureBytes is how long a text must be to tell the two writings of Chinese
// apart.
const sureBytes = 10

// unwestern tells whether a text under a Western label is of another script, or
// of a language that has other letters.
func unwestern(b []byte) bool {
	if looks(b) != "" || solid(b) {
		return true
	}
	if beyondASCII(b) < manyLetters {
		return false
	}
	name, foreign := latin(b)
	return name != "" && name != "windows-1252" && foreign >= foreignLetters
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
