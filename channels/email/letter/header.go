package letter

import (
	"bufio"
	"bytes"
	"fmt"

	"github.com/emersion/go-message/textproto"
)

// block is a header block as it was read, before it is cleaned.
type block struct {
	fields textproto.Header
	notes  []string
	closed bool // a boundary or the end of the mail came instead of an empty line
}

// header reads a header block up to its empty line, at most limit bytes and
// maxFields fields of it. Lines that belong to the body because the empty
// line is missing are given back.
func (l *lines) header(limit int) block {
	var b block
	var raw []byte
	var at []int // where the lines of raw begin
	var terminator []byte
	cut := false
	for {
		mid := l.mid
		line, err := l.next()
		if err != nil {
			l.at, b.closed = stop{level: ended}, true
			break
		}
		if !mid {
			if len(bytes.TrimRight(line, "\r\n")) == 0 {
				terminator = line
				break
			}
			if st, ok := l.boundary(line); ok {
				l.at, b.closed = st, true
				terminator = line
				break
			}
		}
		if cut || len(raw)+len(line) > limit {
			cut = true
			continue
		}
		if !mid || len(at) == 0 {
			at = append(at, len(raw))
		}
		raw = append(raw, line...)
	}
	if cut {
		b.notes = append(b.notes, fmt.Sprintf("a header block is longer than %d bytes; the rest of it is in the original only", limit))
	}
	clean, rest, notes := cleanHeader(raw, at)
	b.notes = append(b.notes, notes...)
	if len(rest) > 0 {
		for _, line := range append(rest, terminator) {
			l.back = append(l.back, bytes.Clone(line))
		}
		b.closed = false
	}
	fields, err := textproto.ReadHeader(bufio.NewReaderSize(bytes.NewReader(clean), min(len(clean), 4<<10)))
	if err != nil {
		b.notes = append(b.notes, "a header could be read in part only")
	}
	b.fields = fields
	return b
}

// cleanHeader makes of raw what go-message's reader takes: it refuses a whole
// mail for one line without a colon (go-message #130, #144). It returns the
// clean block and the lines that are body already.
func cleanHeader(raw []byte, at []int) (clean []byte, rest [][]byte, notes []string) {
	line := func(i int) []byte {
		if i+1 < len(at) {
			return raw[at[i]:at[i+1]]
		}
		return raw[at[i]:]
	}
	last := -1 // the last line that is a field
	for i := len(at) - 1; i >= 0; i-- {
		if isField(line(i)) {
			last = i
			break
		}
	}
	clean = make([]byte, 0, len(raw)+2)
	fields, odd := 0, false
	for i := range at {
		s := line(i)
		switch {
		case i == 0 && (bytes.HasPrefix(s, []byte("From ")) || bytes.HasPrefix(s, []byte(">From "))):
			// The line that mbox files put before a mail.
		case isField(s):
			if fields++; fields <= maxFields {
				clean = append(clean, s...)
			}
		case s[0] == ' ' || s[0] == '\t':
			if trimmed := bytes.TrimLeft(s, " \t"); fields == 0 && isField(trimmed) {
				fields++
				clean = append(clean, trimmed...)
			} else if fields > 0 && fields <= maxFields {
				clean = append(clean, s...)
			}
		case i > last:
			for j := i; j < len(at); j++ {
				rest = append(rest, line(j))
			}
			notes = append(notes, "the empty line between header and text is missing")
			return endLine(clean), rest, notes
		default:
			odd = true
			if fields > 0 && fields <= maxFields {
				clean = append(append(clean, ' '), s...)
			}
		}
	}
	if odd {
		notes = append(notes, "a header line has no colon; it was read as part of the line before")
	}
	if fields > maxFields {
		notes = append(notes, fmt.Sprintf("more than %d header fields; the rest is in the original only", maxFields))
	}
	return endLine(clean), rest, notes
}

func endLine(b []byte) []byte {
	if len(b) > 0 && b[len(b)-1] != '\n' {
		b = append(b, '\n')
	}
	return append(b, '\n')
}

// isField tells whether a line begins a field (RFC 5322 section 2.2); blanks
// before the colon are the old form (section 4.5).
func isField(line []byte) bool {
	i := bytes.IndexByte(line, ':')
	if i < 1 || i > maxFieldName {
		return false
	}
	for _, c := range bytes.TrimRight(line[:i], " \t") {
		if c < 33 || c > 126 {
			return false
		}
	}
	return line[0] > 32
}
