package history

import (
	"strings"
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

// plain is a line in lower case without what decorates it.
func plain(line string) string {
	line = strings.TrimLeft(seen(line), "*_|[](【《「<>#=!⚠\ufe0f -–—~")
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

// of is the beginning that a line has; "" where it has none.
func (b beginnings) of(line string) string {
	if len(line) < 2 {
		return ""
	}
	for _, p := range b[[2]byte{line[0], line[1]}] {
		if strings.HasPrefix(line, p) {
			return p
		}
	}
	return ""
}
