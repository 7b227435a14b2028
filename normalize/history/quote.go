package history

import (
	"regexp"
	"slices"
	"strings"
)

// Faces that begin like a quoted line.
var faces = []string{">:(", ">:[", ">:-(", ">_<", ">.<", ">_>", ">.>", ">o<"}

func isQuote(line string) bool {
	l := strings.TrimSpace(line)
	return strings.HasPrefix(l, ">") && !startsWithAny(l, faces) || strings.HasPrefix(l, "&gt;") || strings.HasPrefix(l, "＞")
}

// rewritten tells the line that GroupWise puts above an older mail: it looks
// quoted and the mail does not.
func rewritten(line string) bool {
	return strings.HasPrefix(line, ">>> ") && clock.MatchString(line) && year.MatchString(line) && (strings.HasSuffix(line, ">>>") || strings.Contains(line, "@"))
}

// quoted tells whether the next line that is not empty is quoted.
func quoted(lines []string, i int) bool {
	i = nextLine(lines, i)
	return i < len(lines) && isQuote(lines[i])
}

// nextLine is the first line from i on that is not empty.
func nextLine(lines []string, i int) int {
	for i < len(lines) && strings.TrimSpace(lines[i]) == "" {
		i++
	}
	return i
}

// initials are a way to quote: "JD> your words".
var initials = regexp.MustCompile(`^[A-Z][A-Za-z]{0,3}>\s`)

// foreignMark is what the next line that is not empty is quoted with, where
// it is not ">"; "" where it is not quoted. Such lines are quotes only below
// a line that introduces them: people write tables and paste consoles.
func foreignMark(lines []string, i int) string {
	i = nextLine(lines, i)
	if i == len(lines) {
		return ""
	}
	line := strings.TrimSpace(lines[i])
	if strings.HasPrefix(line, "| ") && !strings.HasSuffix(line, "|") || strings.HasPrefix(line, "] ") {
		return line[:1]
	}
	return strings.TrimSpace(initials.FindString(line))
}

// pieces returns, in lines of their own, what is left of a mail without the
// lines that are quoted with ">", wherever they stand, and the lines that
// introduce them: what is between them are answers.
func pieces(s *outline) [][]string {
	lines := s.lines
	if loneQuote(lines) {
		return [][]string{slices.Clone(lines)}
	}
	var all [][]string
	var piece []string
	end := func() {
		if len(piece) > 0 {
			all = append(all, piece)
		}
		piece = nil
	}
	for i := 0; i < len(lines); i++ {
		if isQuote(lines[i]) {
			end()
			continue
		}
		n, k := s.at(i)
		mark := ""
		if k == said {
			mark = foreignMark(lines, i+n)
		}
		if k != nothing && (mark != "" || quoted(lines, i+n)) {
			end()
			i += n
			for mark != "" && i < len(lines) && (strings.TrimSpace(lines[i]) == "" || strings.HasPrefix(strings.TrimSpace(lines[i]), mark)) {
				i++
			}
			i--
			continue
		}
		piece = append(piece, lines[i])
	}
	end()
	return all
}

// loneQuote tells whether the only line with a quote mark stands amid a
// paragraph: that is the writer's "> 3 weeks", nobody's older mail.
func loneQuote(lines []string) bool {
	at := -1
	for i, line := range lines {
		if !isQuote(line) {
			continue
		}
		if at >= 0 {
			return false
		}
		at = i
	}
	if at < 1 || at+1 >= len(lines) || strings.TrimSpace(lines[at+1]) == "" {
		return false
	}
	above := seen(lines[at-1])
	return above != "" && !endsInColon(above)
}
