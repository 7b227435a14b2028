package history

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// tailLines is how far from its end a mail's tail may begin.
const tailLines = 60

// dropTail drops signature, mobile footer and disclaimer from the end of a
// piece of a mail, also several of them. A mail has something before them:
// began tells that it was in an earlier piece.
func dropTail(lines []string, began bool) []string {
	first := -1
	if !began {
		for first = 0; first < len(lines) && (!hasWords(lines[first]) || isClosing(lines[first])); first++ {
		}
	}
	for {
		n := len(lines)
		lines = cutTail(dropFooters(lines, first), first)
		if len(lines) == n {
			return lines
		}
	}
}

func cutTail(lines []string, first int) []string {
	for i := max(first+1, len(lines)-tailLines); i < len(lines); i++ {
		switch {
		case isDisclaimer(lines, i):
			return trimRule(lines[:i])
		case beginsSignature(lines, i):
			return trimRule(lines[:i])
		}
	}
	return lines
}

// alone tells whether a paragraph begins at line i: within one, the words are
// the customer's.
func alone(lines []string, i int) bool {
	if i == 0 {
		return true
	}
	prev := strings.TrimSpace(lines[i-1])
	return prev == "" || isRule(prev) || isDashes(prev) || utf8.RuneCountInString(strings.TrimSpace(lines[i])) > maxSpoken
}

// maxSpoken is how long a line may be, in runes, that people write by hand; a
// program's paragraph is one long line.
const maxSpoken = 60

// paragraph is line i and what follows up to an empty line, in lower case.
func paragraph(lines []string, i int) string {
	end := i
	for end < len(lines) && strings.TrimSpace(lines[end]) != "" && end-i < maxParagraph {
		end++
	}
	return strings.ToLower(strings.Join(lines[i:end], " "))
}

// maxParagraph is how many lines of a paragraph are looked at: who has not said
// by then that the mail is confidential does not say so.
const maxParagraph = 12

// bare is a line without what decorates it.
func bare(line string) string {
	return strings.TrimLeft(seen(line), "*_|[](【《「<>#=!⚠\ufe0f -–—~")
}

// plain is the same in lower case.
func plain(line string) string {
	line = bare(line)
	if strings.IndexFunc(line, func(r rune) bool { return r >= utf8.RuneSelf }) >= 0 {
		return strings.ToLower(line)
	}
	return lower(line)
}

// lower makes the letters of ASCII small.
func lower(s string) string {
	for i := range len(s) {
		if s[i] >= 'A' && s[i] <= 'Z' {
			b := []byte(s)
			for j := i; j < len(b); j++ {
				if b[j] >= 'A' && b[j] <= 'Z' {
					b[j] += 'a' - 'A'
				}
			}
			return string(b)
		}
	}
	return s
}

// trimDecoration drops what a program draws around its footer.
func trimDecoration(lines []string) []string {
	for n := len(lines); n > 0 && !hasWords(lines[n-1]); n-- {
		lines = lines[:n-1]
	}
	return lines
}

// beginnings are those of lines by their first two bytes: most lines have
// none of them.
type beginnings map[[2]byte][]string

func beginningsOf(all []string) beginnings {
	b := beginnings{}
	for _, s := range all {
		k := [2]byte{s[0], s[1]}
		b[k] = append(b[k], s)
	}
	return b
}

// of is the beginning that a line has, of whatever case; "" where it has none.
func (b beginnings) of(line string) string {
	var first [2 * utf8.UTFMax]byte
	r, size := utf8.DecodeRuneInString(line)
	n := utf8.EncodeRune(first[:], unicode.ToLower(r))
	if n < 2 {
		r, _ = utf8.DecodeRuneInString(line[size:])
		utf8.EncodeRune(first[n:], unicode.ToLower(r))
	}
	for _, p := range b[[2]byte(first[:2])] {
		if len(line) >= len(p) && strings.EqualFold(line[:len(p)], p) {
			return p
		}
	}
	return ""
}

// firstLetters are those of phrases: most lines begin like none of
// them, and that is told at a tenth of the cost of making a line small.
type firstLetters map[[4]rune]bool

func (o firstLetters) add(phrase string) { o[lettersOf(phrase)] = true }

// begin tells whether one of the phrases may be what the line begins with or
// is.
func (o firstLetters) begin(line string) bool { return o[lettersOf(line)] }

// lettersOf is how a line begins: four characters, small, without white space
// between them, fewer where what comes is in another language or a name.
func lettersOf(line string) (first [4]rune) {
	n := 0
	for _, r := range line {
		switch {
		case r >= 'A' && r <= 'Z':
			r += 'a' - 'A'
		case r >= utf8.RuneSelf:
			r = unicode.ToLower(r)
		}
		if n > 0 && strings.ContainsRune("/|,，", r) {
			break
		}
		if unicode.IsSpace(r) || r == '\u0307' { // the dot of the Turkish i
			continue
		}
		if first[n] = r; n == len(first)-1 {
			break
		}
		n++
	}
	return first
}
