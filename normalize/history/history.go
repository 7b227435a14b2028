// Package history finds what a mail's writer wrote now. It hides how mail
// programs of the world quote: the lines they put above an older mail in a
// dozen languages, quote marks, headers, signatures, footers of phones,
// disclaimers. When in doubt it keeps: a line too much hurts less than a word
// of the customer's that nobody reads.
package history

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
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
	whole := squeeze(text, "")
	marked := whole
	if strings.Contains(text, signatureMark) {
		marked = squeeze(text, signatureMark)
	}
	lines := strings.Split(marked, "\n")
	for range maxRounds {
		var kept []string
		began := false
		for _, piece := range pieces(cutHistory(&outline{lines: dropBanner(lines)}, forwarded)) {
			own := dropTail(piece, began)
			if kept = append(kept, own...); len(own) < len(piece) {
				kept = append(kept, "") // what comes now is another paragraph
			}
			began = began || slices.ContainsFunc(own, hasWords)
		}
		kept = trimEmpty(kept)
		if slices.Equal(kept, lines) {
			break
		}
		lines = kept
	}
	out := squeeze(strings.Join(lines, "\n"), "")
	if !hasWords(out) {
		if whole != text {
			return Own(whole, forwarded) // its lines "--" are none above a signature
		}
		return whole, false
	}
	return out, out != whole
}

// squeeze drops white space at the ends of lines and of the text, and more
// than one empty line in a row. A line that is except stays.
func squeeze(text, except string) string {
	var b strings.Builder
	b.Grow(len(text))
	empty := 0
	for line := range strings.Lines(text) {
		if strings.TrimSuffix(line, "\n") != except {
			line = strings.TrimRightFunc(line, unicode.IsSpace)
		}
		line = strings.TrimSuffix(line, "\n")
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
func cutHistory(s *outline, forwarded bool) *outline {
	lines, words := s.lines, false
	for i := 0; i < len(lines); i++ {
		n, kind := s.at(i)
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
		case words && pointsBelow(lines[:i]):
			forwarded = false
		case words:
			return &outline{lines: trimRule(lines[:i])}
		}
		i += n - 1
	}
	return s
}

// pointsBelow tells whether the lines above an older mail lead to it: "this is
// what I got:", or "my answers are below". Then it is shown on purpose, or has
// new words in it that nothing marks.
func pointsBelow(lines []string) bool {
	lines = trimEmpty(lines)
	last := seen(lines[len(lines)-1])
	if endsInColon(last) && isSentence(last) && !isClosing(last) {
		return true
	}
	for _, line := range lines {
		low := strings.ToLower(line)
		if containsAny(low, answersBelow) {
			return true
		}
		for _, a := range answerWords {
			if at := strings.Index(low, a); at >= 0 && containsAny(low[at:min(len(low), at+len(a)+placeNear)], placeWords) {
				return true
			}
		}
	}
	return false
}

// isSentence tells a line of some words from a label and a name.
func isSentence(line string) bool {
	return len(strings.Fields(line)) >= 3 || strings.IndexFunc(line, isCJK) >= 0 && utf8.RuneCountInString(line) >= 4
}

func isCJK(r rune) bool { return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana) }

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
	return len(line) >= 5 && strings.Trim(line, "-_—–‐─━═＿=*·.") == ""
}
