package letter

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/emersion/go-message/textproto"
)

// block is a header block as it was read, before it is cleaned.
type block struct {
	fields textproto.Header
	notes  []string
	closed bool // a boundary or the end of the mail came instead of an empty line
}

// known are the fields one of which a mail begins with: what stands before them
// is no mail yet.
var known = []string{"from:", "to:", "subject:", "date:", "received:", "return-path:", "delivered-to:", "message-id:", "mime-version:", "content-type:", "reply-to:", "sender:", "x-", "dkim-signature:", "arc-", "authentication-results:"}

// top reads the header block of a mail: the same as header, but for a byte
// order mark and empty lines before the first field, which some programs write.
func (l *lines) top(limit int) block {
	if mark, _ := l.br.Peek(3); string(mark) == "\xef\xbb\xbf" && len(l.back) == 0 {
		_, _ = l.br.Discard(3)
	}
	if start, _ := l.br.Peek(maxBlank); len(l.back) == 0 && len(start) > 0 {
		fields := bytes.TrimLeft(start, "\r\n")
		field := fields
		if bytes.HasPrefix(fields, []byte("From ")) { // of an mbox file
			_, field, _ = bytes.Cut(fields, lf)
		}
		for _, name := range known {
			if len(field) > len(name) && strings.EqualFold(string(field[:len(name)]), name) {
				_, _ = l.br.Discard(len(start) - len(fields))
				break
			}
		}
	}
	return l.header(limit)
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
	br := borrow(bytes.NewReader(clean))
	fields, err := textproto.ReadHeader(br)
	giveBack(br)
	if err != nil {
		b.notes = append(b.notes, "a header could be read in part only")
	}
	b.fields = fields
	return b
}

// maxBlank is how much is looked at for the first field of a mail.
const maxBlank = 200

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
	fields, odd, strange := 0, false, false
	for i := range at {
		s := line(i)
		folded := s[0] == ' ' || s[0] == '\t'
		strange = strange && folded
		switch {
		case strange:
		case i == 0 && bytes.HasPrefix(s, []byte("From ")) || bytes.HasPrefix(s, []byte(">From ")):
			// The line that mbox files put before a mail.
		case isField(s):
			if fields++; fields <= maxFields {
				clean = append(clean, s...)
			}
		case folded:
			if trimmed := bytes.TrimLeft(s, " \t"); fields == 0 && isField(trimmed) {
				fields++
				clean = append(clean, trimmed...)
			} else if fields > 0 && fields <= maxFields {
				clean = append(clean, s...)
			}
		case i < last && isStrange(s):
			strange = true
			notes = append(notes, "a header field has no proper name and was left out")
		case i > last, bytes.HasPrefix(s, []byte("--")): // text, or a boundary
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

// isStrange tells whether a line looks like a field, with a name that is none.
func isStrange(line []byte) bool {
	i := bytes.IndexByte(line, ':')
	return i > 0 && !bytes.ContainsAny(line[:i], " \t") && i+1 < len(line) && (line[i+1] == ' ' || line[i+1] == '\t')
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
