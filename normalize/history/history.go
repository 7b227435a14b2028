// Package history finds what a mail's writer wrote now. It hides how mail
// programs of the world quote: the lines they put above an older mail in a
// dozen languages, quote marks, headers, signatures, footers of phones,
// disclaimers. When in doubt it keeps: a line too much hurts less than a word
// of the customer's that nobody reads.
package history

import (
	"strings"
	"unicode"
)

// maxRounds bounds how often a text is looked through: what was hidden below
// one thing may be another. Mail needs two or three.
const maxRounds = 10

// Own returns the part of text that is new, and whether something was left
// out. A text that is nothing else is returned whole. forwarded says that the
// mail passes another one on, as its subject or its writer tells: then the
// first older mail is what it is about, and stays. Own of what it returned
// changes nothing.
func Own(text string, forwarded bool) (own string, cut bool) {
	whole := squeeze(text)
	lines := strings.Split(whole, "\n")
	for range maxRounds {
		kept := dropTail(dropQuotes(cutHistory(dropBanner(lines), forwarded)))
		kept = trimEmpty(kept)
		if len(kept) == len(lines) {
			break
		}
		lines = kept
	}
	out := squeeze(strings.Join(lines, "\n"))
	if !hasWords(out) {
		return whole, false
	}
	return out, out != whole
}

// squeeze drops white space at the ends of lines and of the text, and more
// than one empty line in a row.
func squeeze(text string) string {
	var b strings.Builder
	empty := 0
	for line := range strings.Lines(text) {
		line = strings.TrimRightFunc(line, unicode.IsSpace)
		if line == "" {
			empty++
			continue
		}
		if b.Len() > 0 {
			b.WriteString(strings.Repeat("\n", 1+min(empty, 1)))
		}
		empty = 0
		b.WriteString(line)
	}
	return b.String()
}

func trimEmpty(lines []string) []string {
	for len(lines) > 0 && strings.TrimSpace(lines[0]) == "" {
		lines = lines[1:]
	}
	for len(lines) > 0 && strings.TrimSpace(lines[len(lines)-1]) == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}

func hasWords(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) })
}

// cutHistory cuts at the first line that begins an older mail, where
// something of its own stands above it.
func cutHistory(lines []string, forwarded bool) []string {
	words := false
	for i := 0; i < len(lines); i++ {
		n, kind := begins(lines, i)
		switch {
		case kind == nothing:
			words = words || hasWords(lines[i]) && !isQuote(lines[i])
			continue
		case quoted(lines, i+n):
			// The quote marks tell what is old; between them may be answers.
		case kind == forward, forwarded:
			// What is passed on is what the mail is about; its own history is not.
			forwarded = false
			words = true
		case words:
			return trimRule(lines[:i])
		}
		i += n - 1
	}
	return lines
}

// trimRule drops the line that some programs draw above an older mail.
func trimRule(lines []string) []string {
	lines = trimEmpty(lines)
	if n := len(lines); n > 0 && isRule(lines[n-1]) {
		lines = lines[:n-1]
	}
	return lines
}

// isRule tells a line that is drawn: dashes, underscores, stars.
func isRule(line string) bool {
	line = strings.TrimSpace(line)
	return len(line) >= 5 && strings.Trim(line, "-_—–=*·.") == ""
}

func isQuote(line string) bool {
	l := strings.TrimSpace(line)
	return strings.HasPrefix(l, ">") || strings.HasPrefix(l, "&gt;") || strings.HasPrefix(l, "＞")
}

// quoted tells whether the next line that is not empty is quoted.
func quoted(lines []string, i int) bool {
	for ; i < len(lines); i++ {
		if strings.TrimSpace(lines[i]) != "" {
			return isQuote(lines[i])
		}
	}
	return false
}

// dropQuotes drops lines that are quoted with ">", wherever they stand, and
// the lines that introduce them: what is between them is the answer.
func dropQuotes(lines []string) []string {
	var out []string
	for i := 0; i < len(lines); i++ {
		if isQuote(lines[i]) {
			continue
		}
		if n, kind := begins(lines, i); kind != nothing && quoted(lines, i+n) {
			i += n - 1
			continue
		}
		out = append(out, lines[i])
	}
	return out
}
