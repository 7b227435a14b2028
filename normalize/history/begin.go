package history

import (
	"strings"
	"unicode/utf8"
)

// What a line begins.
type kind int

const (
	nothing kind = iota
	reply        // an older mail that is answered
	said         // the same, by a line that says who wrote it
	forward      // an older mail that is passed on
	above        // what a mark stands over that asks to write above it
)

// maxMark is longer than any of the marks, in bytes.
const maxMark = 200

// outline remembers what begins at which of some lines: more than one asks.
type outline struct {
	lines []string
	known []start // by line
}

type start struct {
	told bool
	n    int // lines that introduce it
	kind kind
}

// at is what begins tells of line i.
func (s *outline) at(i int) (n int, k kind) {
	if s.known == nil {
		s.known = make([]start, len(s.lines))
	}
	one := &s.known[i]
	if !one.told {
		one.n, one.kind = begins(s.lines, i)
		one.told = true
	}
	return one.n, one.kind
}

// begins tells what begins at line i, and how many lines introduce it.
func begins(lines []string, i int) (n int, k kind) {
	line := seen(lines[i])
	if line == "" {
		return 0, nothing
	}
	if isQuote(line) {
		if rewritten(line) && !quoted(lines, i+1) {
			return 1, reply
		}
		return 0, nothing
	}
	if k := separator(line, lines, i); k != nothing {
		n := 1
		for n < 3 && i+n < len(lines) && strings.TrimSpace(lines[i+n]) == "" {
			n++
		}
		n += headerBelow(lines, i+n)
		if i+n < len(lines) {
			if more, c := attribution(lines, i+n); c == sure { // Proton
				n += more
			}
		}
		return n, k
	}
	if !mayBegin(line) && !mayGoOn(lines, i) {
		return 0, nothing
	}
	if n, c := attribution(lines, i); c == sure || c == likely && (quoted(lines, i+n) || foreignMark(lines, i+n) != "") {
		return n, said
	}
	if n := header(lines, i); n > 0 {
		return n, reply
	}
	return 0, nothing
}

// mayBegin tells quickly of most lines that they begin nothing: what begins an
// older mail has a colon, or ends with an address, or is drawn.
func mayBegin(line string) bool {
	return drawn(line) || strings.IndexByte(line, ':') >= 0 || strings.Contains(line, "：") || strings.IndexByte(line, '\t') >= 0 || line[len(line)-1] == '>'
}

// drawn tells whether a line begins with what lines are drawn with; all of
// those beyond ASCII have the same first byte.
func drawn(line string) bool {
	return strings.IndexByte("-_=*#|<[+~\xe2", line[0]) >= 0
}

// mayGoOn tells whether a line without a colon may be the first of several
// that end in one.
func mayGoOn(lines []string, i int) bool {
	for n := 1; n < maxWrapped && i+n < len(lines); n++ {
		next := strings.TrimSpace(lines[i+n])
		if next == "" || isQuote(next) {
			return false
		}
		if endsInColon(next) {
			return true
		}
	}
	return false
}

// drawing is what lines are drawn with.
const drawing = "-_—–‐‑─━═＿=*#~+<>[] :：|\u00a0"

// separator tells a line that stands between two mails.
func separator(line string, lines []string, i int) kind {
	if len(line) > maxMark || !drawn(line) && len(line) > maxBareMark {
		return nothing
	}
	line = strings.ReplaceAll(line, "&nbsp;", " ") // QQ writes it into plain text too
	core := strings.Trim(line, drawing)
	if core == "" {
		// Outlook draws underscores, others dashes: only with a header below.
		if isRule(line) && len(line) >= 10 && headerSoon(lines, i+1) {
			return reply
		}
		return nothing
	}
	boxed := len(line)-len(core) >= 4 && utf8.RuneCountInString(line)-utf8.RuneCountInString(core) >= 4
	if !boxed && !beforeMarks.begin(core) {
		return nothing
	}
	low := strings.ToLower(strings.Join(strings.Fields(core), " "))
	low = strings.ReplaceAll(low, "\u0307", "") // of the Turkish capital I
	colon := strings.HasSuffix(line, ":") || strings.HasSuffix(line, "：")
	switch k := marks[low]; {
	case k == above, strings.Contains(low, aboveWords) && startsWithAny(low, aboveStarts):
		return reply
	case k == reply && (boxed || headerSoon(lines, i+1)), k == forward && (boxed || colon || headerSoon(lines, i+1)):
		return k
	case boxed && strings.HasPrefix(low, "forwarded by"):
		return forward
	case boxed && strings.HasSuffix(low, " wrote"), strings.HasPrefix(low, notesMark):
		return reply
	case boxed && strings.Contains(low, "@") && attributes(core) == sure: // Zoho
		return said
	}
	return nothing
}

// maxBareMark is how long a mark may be that nothing is drawn around, in
// bytes.
const maxBareMark = 100

func startsWithAny(s string, any []string) bool {
	for _, a := range any {
		if strings.HasPrefix(s, a) {
			return true
		}
	}
	return false
}

// headerSoon tells whether a header begins within the next two lines.
func headerSoon(lines []string, i int) bool {
	for end := min(i+2, len(lines)); i < end; i++ {
		if header(lines, i) > 0 {
			return true
		}
	}
	return false
}

// heading is what label lines say about an older mail.
type heading struct {
	lines, labels int
	has           [other + 1]bool
	address       bool
	sent          bool // it says when in words or to the minute
}

// maxHeader is how many lines a header may have: recipients run over.
const maxHeader = 20

// read reads the label lines from i on. Values may go on in lines of their
// own, and be empty; an empty line may stand between label lines made of a
// table.
func read(lines []string, i int) (h heading) {
	for n := 0; i+n < len(lines) && n < maxHeader; n++ {
		line := lines[i+n]
		r := label(line)
		if r == unlabelled {
			if n == 0 || n-h.lines >= 2 {
				break
			}
			continue
		}
		h.lines = n + 1
		h.labels++
		h.has[r] = true
		h.address = h.address || strings.Contains(line, "@")
		h.sent = h.sent || r == when && (!startsWithAny(strings.ToLower(strings.TrimLeft(seen(line), "*_•·-| ")), dates) || clock.MatchString(line))
	}
	return h
}

// header returns how many lines from i are the header of an older mail; 0
// where none is. People write "From: Beijing, To: Shanghai" and fill in forms:
// a header says when or about what, and has an address or both.
func header(lines []string, i int) int {
	if label(lines[i]) == unlabelled || i > 0 && label(lines[i-1]) != unlabelled {
		return 0 // the rest of what was none from its first label on is none
	}
	if oneLine(lines[i]) {
		return 1
	}
	if h := read(lines, i); h.has[sender] && (h.has[when] || h.has[subject]) && (h.address || h.sent && h.has[subject]) {
		return h.lines
	}
	return 0
}

// headerBelow returns how many lines from i are a header, where a mark above
// says that one may be there. There a program leaves out the colons.
func headerBelow(lines []string, i int) int {
	if n := read(lines, i).lines; n > 0 || i >= len(lines) || !strings.ContainsAny(lines[i], "@\"") || firstWord(lines[i]) != sender {
		return n
	}
	n := 0
	for i+n < len(lines) && firstWord(lines[i+n]) != unlabelled {
		n++
	}
	return n
}

func firstWord(line string) role {
	word, _, _ := strings.Cut(seen(line), " ")
	return labels[strings.ToLower(word)]
}

// oneLine tells a header whose line ends were lost.
func oneLine(line string) bool {
	if !strings.Contains(line, "@") || label(line) != sender {
		return false
	}
	var has [other + 1]bool
	for _, piece := range strings.FieldsFunc(strings.ToLower(line), func(r rune) bool { return r == ':' || r == '：' }) {
		words := strings.Fields(piece)
		if len(words) == 0 {
			continue
		}
		has[known(words[len(words)-1])] = true
		if len(words) > 1 {
			has[known(words[len(words)-2]+" "+words[len(words)-1])] = true
		}
	}
	return has[when] && has[subject]
}

// maxLabel is longer than any label, in bytes, what decorates it included.
const maxLabel = 60

// label is what a line like "From: ...", "*Von:* ..." or "| 发件人 | 张三 |"
// begins with.
func label(line string) role {
	line = strings.TrimLeft(seen(line), "*_•·- ")
	if cells, ok := strings.CutPrefix(line, "|"); ok {
		cell, _, _ := strings.Cut(cells, "|")
		return known(strings.ToLower(cell[:min(len(cell), maxLabel)]))
	}
	end := strings.IndexAny(line[:min(len(line), maxLabel)], ":：\t")
	if end < 0 {
		return unlabelled
	}
	return known(strings.ToLower(line[:end]))
}

func known(s string) role {
	s = strings.Trim(s, " *_:：\u3000\u00a0")
	if r := labels[s]; r != unlabelled {
		return r
	}
	return labels[strings.Join(strings.Fields(s), "")] // "发 件 人"
}
