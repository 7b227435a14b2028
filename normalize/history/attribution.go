package history

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// certainty is how surely a line is one that a program put above an older
// mail.
type certainty int

const (
	unlikely certainty = iota
	likely             // where quoted lines follow
	sure
)

// Bounds of an attribution.
const (
	maxLine     = 300 // runes, all lines together
	maxWrapped  = 4   // lines it may run over
	maxVerbTail = 4   // bytes behind a verb that still belong to it: "napisał(a)"
)

// attribution returns how many lines from i are "On 3 May 2026 at 10:00, Li
// wrote:" or its kin, and how surely.
func attribution(lines []string, i int) (int, certainty) {
	joined := seen(lines[i])
	if inner := opening(joined); inner != "" && attributes(inner) == sure {
		return 1, sure
	}
	if stamped.MatchString(joined) {
		return 1, likely
	}
	for n := 1; utf8.RuneCountInString(joined) <= maxLine; n++ {
		if endsInColon(joined) {
			return n, attributes(joined)
		}
		if n == maxWrapped || i+n == len(lines) || n == 1 && !startsAttribution(joined) {
			break
		}
		next := seen(lines[i+n])
		if next == "" || isQuote(next) {
			break
		}
		joined += " " + next
	}
	return 0, unlikely
}

// opening is the attribution that a line begins with and goes on behind, as
// programs of phones write it that lose the line's end.
func opening(line string) string {
	at := strings.IndexByte(line, '@')
	if at < 0 || endsInColon(line) {
		return ""
	}
	for n := at; n < len(line); n++ {
		if !strings.HasPrefix(line[n:], ":  ") && !strings.HasPrefix(line[n:], ": >") {
			continue
		}
		if head := line[:n+1]; utf8.RuneCountInString(head) <= maxLine {
			return head
		}
		break
	}
	return ""
}

// endsInColon tells whether a line ends as such a line does, blanks and stars
// of bold type aside.
func endsInColon(line string) bool {
	if n := len(line); n == 0 || line[n-1] < utf8.RuneSelf && strings.IndexByte(": *_", line[n-1]) < 0 {
		return false // most lines, told quickly
	}
	line = strings.TrimRight(line, " \u00a0*_")
	return strings.HasSuffix(line, ":") || strings.HasSuffix(line, "：")
}

// Words that such a line begins with where it runs over several lines and its
// first one has neither date nor address.
var starts = []string{"on ", "at ", "am ", "le ", "el ", "il ", "em ", "op ", "den ", "w dniu", "dnia", "在", "於", "于", "\"", "<", "vào", "da:", "pada ", "dne "}

func startsAttribution(line string) bool {
	if strings.ContainsFunc(line, func(r rune) bool { return r == '@' || unicode.IsDigit(r) }) || strings.HasSuffix(line, "<") {
		return true
	}
	l := strings.ToLower(line)
	for _, s := range starts {
		if strings.HasPrefix(l, s) {
			return true
		}
	}
	return false
}

var (
	address = regexp.MustCompile(`[^\s<>"'@]{1,64}@[^\s<>"'@]{1,255}`)
	boxed   = regexp.MustCompile(`[<(\[]\s?(?:mailto:)?[^\s<>"'@]{1,64}@[^\s<>"'@]{1,255}\s?[>)\]]`)
	clock   = regexp.MustCompile(`\d{1,2}\s?[:.h点點時时시：]\s?\d{2}`)
	year    = regexp.MustCompile(`\b(?:19|20|25)\d\d\b|(?:19|20)\d\d[년年/.-]|\d{1,2}[./-] ?\d{1,2}[./-] ?\d{2}`)
)

// stamped is all that Gmail once wrote: "2011/5/3 Ann <ann@example.com>".
var stamped = regexp.MustCompile(`^(?:19|20)\d\d[/-]\d{1,2}[/-]\d{1,2}\s[^<>]*<[^\s<>@]+@[^\s<>@]+>$`)

// attributes tells whether a line says who wrote an older mail: an address in
// brackets, or a full date and a verb. People do write "on 3 May she wrote:"
// in a complaint, and what they quote is theirs.
func attributes(line string) certainty {
	l := westernDigits(" " + strings.ToLower(line))
	at := strings.IndexByte(l, '@') >= 0
	mail, inBox := at && address.MatchString(l), at && boxed.MatchString(l)
	date := strings.ContainsAny(l, "0123456789") && year.MatchString(l)
	moment := date && clock.MatchString(l)
	verb, last := spoken(strings.TrimRight(l, " *_:："))
	told := containsAny(l, firstPerson) || !moment && containsAny(l, possessives) || !mail && containsAny(l, possessives)
	switch {
	case told && (mail || date):
		return likely
	case inBox && (moment || verb && date || last), moment && verb:
		return sure
	case mail, date && verb:
		return likely
	}
	return unlikely
}

// spoken tells whether a line has one of the verbs, and whether it ends with
// one.
func spoken(line string) (found, last bool) {
	for _, v := range verbs {
		if at := strings.LastIndex(line, v); at >= 0 {
			found = true
			last = last || len(strings.TrimSpace(line[at+len(v):])) <= maxVerbTail
		}
	}
	return found, last
}

// westernDigits writes the digits of all scripts as 0 to 9.
func westernDigits(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r < 0x660:
			return r
		case r <= 0x669: // Arabic
			return r - 0x660 + '0'
		case r >= 0x6f0 && r <= 0x6f9: // Persian
			return r - 0x6f0 + '0'
		case r >= 0x966 && r <= 0x96f: // Devanagari
			return r - 0x966 + '0'
		case r >= 0xe50 && r <= 0xe59: // Thai
			return r - 0xe50 + '0'
		}
		return r
	}, s)
}

// seen is a line as one sees it: without blanks around it and the marks of
// writing direction, all its blanks alike.
func seen(line string) string {
	line = strings.TrimSpace(line)
	if !strings.Contains(line, "\xe2") && !strings.Contains(line, "\xc2\xa0") && !strings.Contains(line, "\xef\xbb\xbf") {
		return line
	}
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case r == 0xa0 || r == 0x202f || r == 0x2009:
			return ' '
		case r >= 0x200b && r <= 0x200f, r >= 0x202a && r <= 0x202e, r >= 0x2060 && r <= 0x2069, r == 0xfeff:
			return -1
		}
		return r
	}, line))
}

func containsAny(s string, any []string) bool {
	for _, a := range any {
		if strings.Contains(s, a) {
			return true
		}
	}
	return false
}
