package letter

import (
	"bufio"
	"bytes"
	"errors"
	"hash"
	"io"
	"sync"
)

// readBuffer is how much of the mail is in memory at once. A longer line is
// handled in pieces.
const readBuffer = 8 << 10

// ended is the level of a stop that is the end of the mail itself.
const ended = -1

// stop says what ended a body: the boundary of an open multipart, or the end.
type stop struct {
	level int  // index in lines.open, or ended
	final bool // the multipart's closing boundary
}

// lines reads a mail line by line and knows the boundaries of all multiparts
// that are open. One pass over the bytes serves any depth, and a boundary of
// an outer multipart ends the inner ones, which is how mail with a missing
// closing boundary must be read (RFC 2046 section 5.1.2).
type lines struct {
	br   *bufio.Reader
	back [][]byte // lines that were read too far, to be read again
	open []string // boundaries, outermost first
	at   stop     // what ended the last body
	mid  bool     // the last piece was not the end of its line
	src  tap      // what br reads from
	err  error    // what the source failed with, other than its end
}

// tap adds to a hash what is read through it, once it has one: in pieces as
// large as a buffer, not line by line, which is slower by a third.
type tap struct {
	r    io.Reader
	hash hash.Hash
	err  error // what r failed with, other than its end: a Peek tells it once
}

func (t *tap) Read(p []byte) (int, error) {
	if t.err != nil {
		return 0, t.err
	}
	n, err := t.r.Read(p)
	if t.hash != nil {
		t.hash.Write(p[:n])
	}
	if err != nil && !errors.Is(err, io.EOF) {
		t.err = err
	}
	return n, err
}

// sum adds to h everything from here to the end.
func (l *lines) sum(h hash.Hash) {
	for _, line := range l.back {
		h.Write(line)
	}
	ahead, _ := l.br.Peek(l.br.Buffered())
	h.Write(ahead)
	l.src.hash = h
}

// readers are those whose mail has been read: a buffer is as large as most
// mails are.
var readers = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, readBuffer) }}

func borrow(r io.Reader) *bufio.Reader {
	br := readers.Get().(*bufio.Reader)
	br.Reset(r)
	return br
}

func giveBack(br *bufio.Reader) {
	br.Reset(nil)
	readers.Put(br)
}

func newLines(r io.Reader) *lines {
	l := &lines{src: tap{r: r}}
	l.br = borrow(&l.src)
	// Mail from old Macs and broken scripts ends its lines by CR alone.
	if head, _ := l.br.Peek(readBuffer); bytes.IndexByte(head, '\n') < 0 && bytes.IndexByte(head, '\r') >= 0 {
		l.src.r = crToLF{io.MultiReader(bytes.NewReader(bytes.Clone(head)), r)}
		l.br.Reset(&l.src)
	}
	return l
}

// done gives the buffer to the next mail. Nothing may be read after it.
func (l *lines) done() {
	giveBack(l.br)
	l.br = nil
}

type crToLF struct{ r io.Reader }

func (c crToLF) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	for i, b := range p[:n] {
		if b == '\r' {
			p[i] = '\n'
		}
	}
	return n, err
}

// next returns the next line with its end, or a piece of a very long one. It
// is good until the following call.
func (l *lines) next() ([]byte, error) {
	for len(l.back) > 0 {
		line := l.back[0]
		l.back = l.back[1:]
		if len(line) > 0 {
			l.mid = line[len(line)-1] != '\n'
			return line, nil
		}
	}
	line, err := l.br.ReadSlice('\n')
	switch {
	case err == nil:
		l.mid = false
		return line, nil
	case errors.Is(err, bufio.ErrBufferFull):
		l.mid = true
		return line, nil
	case len(line) > 0:
		return line, nil // the error comes again
	case !errors.Is(err, io.EOF):
		l.err = err
	}
	return nil, io.EOF
}

// boundary tells whether line is a boundary of an open multipart.
func (l *lines) boundary(line []byte) (stop, bool) {
	if len(l.open) == 0 || len(line) < 3 || line[0] != '-' || line[1] != '-' {
		return stop{}, false
	}
	rest := bytes.TrimRight(line[2:], " \t\r\n")
	for i := len(l.open) - 1; i >= 0; i-- {
		b := l.open[i]
		if len(rest) < len(b) || string(rest[:len(b)]) != b {
			continue
		}
		switch string(bytes.TrimLeft(rest[len(b):], " \t")) {
		case "":
			return stop{i, false}, true
		case "--":
			return stop{i, true}, true
		}
	}
	return stop{}, false
}

// body returns a reader of everything up to the next boundary. It must be
// drained before anything else is read.
func (l *lines) body() *body { return &body{l: l} }

type body struct {
	l    *lines
	eol  []byte // the last line's end, held back: it belongs to a boundary that follows
	out  []byte // still to be given
	held []byte // after out
	over bool
}

var crlf, lf = []byte("\r\n"), []byte("\n")

func (b *body) Read(p []byte) (int, error) {
	for len(b.out) == 0 {
		if len(b.held) > 0 {
			b.out, b.held = b.held, nil
			break
		}
		if b.over {
			return 0, io.EOF
		}
		b.advance()
	}
	n := copy(p, b.out)
	b.out = b.out[n:]
	return n, nil
}

// WriteTo spares io.Copy a buffer.
func (b *body) WriteTo(w io.Writer) (int64, error) {
	var n int64
	for {
		for len(b.out) > 0 || len(b.held) > 0 {
			m, err := w.Write(b.out)
			n += int64(m)
			if err != nil {
				return n, err
			}
			b.out, b.held = b.held, nil
		}
		if b.over {
			return n, nil
		}
		b.advance()
	}
}

func (b *body) advance() {
	mid := b.l.mid
	line, err := b.l.next()
	if err != nil {
		b.l.at, b.over = stop{level: ended}, true
		b.out, b.eol = b.eol, nil
		return
	}
	if !mid {
		if at, ok := b.l.boundary(line); ok {
			b.l.at, b.over = at, true
			return
		}
	}
	b.out, b.eol = b.eol, nil
	switch {
	case bytes.HasSuffix(line, crlf):
		b.eol, line = crlf, line[:len(line)-2]
	case bytes.HasSuffix(line, lf):
		b.eol, line = lf, line[:len(line)-1]
	}
	b.held = line
}

// drain skips what is left of the body.
func (b *body) drain() {
	b.out, b.held = nil, nil
	for !b.over {
		b.advance()
	}
	b.out, b.held = nil, nil
}
