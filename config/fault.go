package config

import (
	"fmt"
	"strings"
	"unicode"
)

// shownWidth is how many columns of a long line are shown.
const shownWidth = 100

// pointed shows a line of the file, with what is meant underlined.
func (f *file) pointed(at place) string {
	line := []rune(f.shown(at.line))
	from := min(max(at.col-1, 0), len(line))
	to := from + max(1, extent(line[from:]))
	first := 0
	if textWidth(string(line)) > shownWidth {
		for first < from && textWidth(string(line[first:min(to, len(line))])) > shownWidth*2/3 {
			first++
		}
		last := first
		for last < len(line) && textWidth(string(line[first:last])) < shownWidth {
			last++
		}
		line = line[:last]
	}
	shown, before := string(line[first:]), string(line[first:from])
	if first > 0 {
		shown, before = "..."+shown, "..."+before
	}
	under := textWidth(string(line[from:min(to, len(line))]))
	return fmt.Sprintf("\n  | %s\n  | %s%s", shown, strings.Repeat(" ", textWidth(before)), strings.Repeat("^", max(1, under)))
}

// curly tells whether there is a quotation mark of a text processor, which
// YAML takes for a letter.
func (f *file) curly(at place) bool {
	if at.line < 1 || at.line > len(f.lines) {
		return false
	}
	line := []rune(f.lines[at.line-1])
	return at.col >= 1 && at.col <= len(line) && strings.ContainsRune("“”‘’„«「", line[at.col-1])
}

// extent is how many characters the word or the quoted text has that a line
// begins with.
func extent(line []rune) int {
	if len(line) == 0 {
		return 0
	}
	if q := line[0]; q == '"' || q == '\'' {
		for i := 1; i < len(line); i++ {
			if line[i] == q {
				return i + 1
			}
		}
		return len(line)
	}
	n := 0
	for i, r := range line {
		next := ' '
		if i+1 < len(line) {
			next = line[i+1]
		}
		if strings.ContainsRune(",[]{}", r) || r == ':' && next == ' ' || r == ' ' && next == '#' {
			break
		}
		n = i + 1
	}
	return len([]rune(strings.TrimRightFunc(string(line[:n]), unicode.IsSpace)))
}

// syntax notes what keeps the file from being read as YAML: the parser's words
// say what it met, these what a person may have done.
func (f *file) syntax(at place, said string) {
	line := ""
	if at.line >= 1 && at.line <= len(f.lines) {
		line = f.lines[at.line-1]
	}
	hint := said
	switch {
	case strings.Contains(strings.TrimRight(line, "\t"), "\t") && strings.Contains(said, "cannot start any token"):
		hint = "a tab: indent with spaces"
	case strings.Contains(line, "："):
		hint = "a full-width colon (：): write : and a space"
		if i := strings.Index(line, "："); i >= 0 {
			at.col = len([]rune(line[:i])) + 1
		}
	case strings.Contains(said, "non-map value"):
		hint = "here must be a key and its value, like to: FIN; is the colon missing, or the space behind it?"
	case strings.Contains(said, "',' or ']'"):
		hint = "a list that begins with [ before this is not closed, or a comma is missing"
	case strings.Contains(said, "',' or '}'"):
		hint = "a mapping that begins with { before this is not closed, or a comma is missing"
	case strings.Contains(said, "not allowed in this context"), strings.Contains(said, "unexpected key name"), strings.Contains(said, "invalid header option"):
		hint = "this does not fit the lines above; is it indented as they are?"
	case strings.Contains(said, "end character of"):
		hint = "the quotation mark here is not closed"
	}
	f.fault(at.line, at.col, "%s", hint)
}
