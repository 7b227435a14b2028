package letter

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/ianaindex"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
)

// decoder makes UTF-8 of b and tells how many characters it could not read.
type decoder func(b []byte) (text string, bad int)

func decodeWith(enc encoding.Encoding, b []byte) (text string, bad int) {
	out, err := enc.NewDecoder().Bytes(b)
	if err != nil {
		return strings.ToValidUTF8(string(b), "\uFFFD"), len(b)
	}
	return string(out), bytes.Count(out, []byte("\uFFFD"))
}

func cleanLabel(label string) string {
	label = strings.ToLower(strings.Trim(label, " \t\r\n\"'<>;:,"))
	label, _, _ = strings.Cut(label, "*") // RFC 2231 section 5: a language
	label = strings.TrimPrefix(label, "charset=")
	if i := strings.IndexAny(label, ";,("); i > 0 {
		label = label[:i] // a parameter or a comment that was glued to it
	}
	label = strings.Trim(label, " \t\"'")
	if len(label) > 60 {
		return "unknown"
	}
	return label
}

// lookup finds the decoder for a clean label; nil where there is none.
func lookup(label string) decoder {
	switch {
	case label == "":
		return nil
	case strings.HasPrefix(label, "iso-2022-") || label == "csiso2022jp" || label == "csiso2022kr":
		return iso2022
	}
	switch label {
	case "utf-7", "unicode-1-1-utf-7", "csunicode11utf7", "cp65000":
		return utf7.decode
	case "utf-7-imap", "x-imap4-modified-utf7":
		return utf7IMAP.decode
	case "utf-16le", "utf-16be", "utf-32le", "utf-32be", "ucs-2le", "ucs-2be":
		return units{size: unitSize(label), big: strings.HasSuffix(label, "be")}.decode
	case "utf-16", "utf16", "utf-32", "utf32", "ucs-2", "ucs-4", "iso-10646-ucs-2", "iso-10646-ucs-4", "unicode", "csunicode":
		return func(b []byte) (string, int) { return orderless(b, unitSize(label)).decode(b) }
	}
	if enc := encodingOf(label); enc != nil {
		return func(b []byte) (string, int) { return decodeWith(enc, b) }
	}
	return nil
}

// encodingOf is lookup for what the library decodes. GB18030 contains GB2312
// and GBK, and the world labels all three as gb2312.
func encodingOf(label string) encoding.Encoding {
	switch label {
	case "gb2312", "gb_2312-80", "gb2312-80", "euc-cn", "csgb2312", "x-euc-cn", "gbk", "x-gbk", "gb18030", "gb-18030", "gb_18030", "gb18030-2000", "chinese", "gb":
		return simplifiedchinese.GB18030
	case "hz-gb-2312", "hz":
		return simplifiedchinese.HZGB2312
	case "big5", "big-5", "big5-hkscs", "big5hkscs", "x-x-big5", "x-big5", "cn-big5", "big5-eten":
		return traditionalchinese.Big5
	case "uhc", "johab", "ks_c_5601", "ksc5601", "ks-c-5601", "ksc_5601":
		return korean.EUCKR
	case "x-user-defined":
		return nil // a name for "I don't know", which the index takes for a charset
	}
	if enc, err := htmlindex.Get(label); err == nil && enc != encoding.Replacement {
		return enc
	}
	if enc := numbered(label); enc != nil {
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

// codePages are those of Microsoft and IBM that mail is written in.
var codePages = map[int]encoding.Encoding{
	437: charmap.CodePage437, 850: charmap.CodePage850, 852: charmap.CodePage852, 855: charmap.CodePage855,
	858: charmap.CodePage858, 860: charmap.CodePage860, 862: charmap.CodePage862, 863: charmap.CodePage863,
	865: charmap.CodePage865, 866: charmap.CodePage866, 874: charmap.Windows874,
	932: japanese.ShiftJIS, 943: japanese.ShiftJIS, 51932: japanese.EUCJP,
	936: simplifiedchinese.GB18030, 54936: simplifiedchinese.GB18030,
	949: korean.EUCKR, 51949: korean.EUCKR, 950: traditionalchinese.Big5,
	1250: charmap.Windows1250, 1251: charmap.Windows1251, 1252: charmap.Windows1252, 1253: charmap.Windows1253,
	1254: charmap.Windows1254, 1255: charmap.Windows1255, 1256: charmap.Windows1256, 1257: charmap.Windows1257,
	1258: charmap.Windows1258, 10000: charmap.Macintosh, 10007: charmap.MacintoshCyrillic,
	20866: charmap.KOI8R, 21866: charmap.KOI8U,
}

var (
	pageLabel = regexp.MustCompile(`^(?:x-)?(?:cp|ms|ibm|win|windows|codepage|oem)?[-_ ]?(\d{3,5})$`)
	isoLabel  = regexp.MustCompile(`^(?:x-)?(?:iso)?[-_ ]?8859[-_ ]?(\d{1,2})(?:[-_: ].*)?$`)
)

// numbered reads the labels that programs make of a number: "cp-850",
// "win1251", "8859_1".
func numbered(label string) encoding.Encoding {
	if m := isoLabel.FindStringSubmatch(label); m != nil {
		if enc, err := htmlindex.Get("iso-8859-" + m[1]); err == nil {
			return enc
		}
	}
	if m := pageLabel.FindStringSubmatch(label); m != nil {
		n, _ := strconv.Atoi(m[1])
		return codePages[n]
	}
	return nil
}

// twins are the charsets of Windows that are meant where an ISO label stands
// on bytes from 80 to 9F, where ISO has no characters (WHATWG Encoding section
// 4.2 has the same for 8859-1 and 8859-9).
var twins = map[string]encoding.Encoding{
	"iso-8859-2": charmap.Windows1250, "latin2": charmap.Windows1250, "iso-8859-4": charmap.Windows1257,
	"iso-8859-6": charmap.Windows1256, "iso-8859-7": charmap.Windows1253, "iso-8859-8": charmap.Windows1255,
	"iso-8859-8-i": charmap.Windows1255, "iso-8859-13": charmap.Windows1257,
}

// twin is the charset of Windows that label, on these bytes, must mean; nil
// where there is none.
func twin(label string, b []byte) encoding.Encoding {
	enc := twins[label]
	if enc == nil {
		return nil
	}
	for _, c := range b {
		if c >= 0x80 && c < 0xa0 {
			return enc
		}
	}
	return nil
}
