// Package textfile takes files out of the text of a mail, where programs put
// them before MIME: uuencoded (POSIX uuencode), and yEnc, as Usenet has it
// (www.yenc.org, draft 1.3). It hides both encodings; files stream.
package textfile

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"strconv"
	"strings"
)

// lineBytes is the longest line that is read as one: uuencode has 61
// characters, yEnc 128 to 256 mostly.
const lineBytes = 16 << 10

// maxFiles bounds the files of one text.
const maxFiles = 100

// Has tells whether a text may hold a file. It is quick, and right where it
// says no.
func Has(text []byte) bool {
	return begins(text, "begin ") || begins(text, "begin-base64 ") || begins(text, "=ybegin ")
}

// Encoding tells whether a Content-Transfer-Encoding, without the marks within
// its name, is one of those that the body of a part may have from before MIME.
func Encoding(name string) bool {
	switch name {
	case "xuuencode", "uuencode", "xuue", "uue":
		return true
	}
	return false
}

func begins(text []byte, mark string) bool {
	return bytes.HasPrefix(text, []byte(mark)) || bytes.Contains(text, []byte("\n"+mark))
}

// Split reads a text and calls keep for each file in it; what keep does not
// read is skipped. It returns the text without them, at most limit bytes, and
// whether there was more. It fails only where r or keep does.
func Split(r io.Reader, limit int, keep func(name string, r io.Reader) error) (text []byte, more bool, err error) {
	s := &splitter{br: bufio.NewReaderSize(r, lineBytes)}
	files := 0
	for {
		line, err := s.line()
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return text, more, err
		}
		if files < maxFiles && len(line) > 6 {
			if line[0] == 'b' {
				line = bytes.Clone(line) // looking ahead moves the buffer
			}
			if name, file := s.file(line); file != nil {
				files++
				if err := keep(name, file); err != nil {
					return text, more, err
				}
				if _, err := io.Copy(io.Discard, file); err != nil {
					return text, more, err
				}
				continue
			}
		}
		room := limit - len(text)
		more = more || len(line) > room
		text = append(text, line[:min(len(line), room)]...)
	}
}

type splitter struct {
	br *bufio.Reader
}

// line returns the next line with its end, or a piece of a very long one; the
// slice is good until the next call.
func (s *splitter) line() ([]byte, error) {
	line, err := s.br.ReadSlice('\n')
	if len(line) > 0 && (err == nil || errors.Is(err, bufio.ErrBufferFull) || errors.Is(err, io.EOF)) {
		return line, nil
	}
	return nil, err
}

// file tells whether a file begins behind this line; nil where none does.
func (s *splitter) file(line []byte) (name string, r io.Reader) {
	line = bytes.TrimRight(line, "\r\n")
	if rest, ok := bytes.CutPrefix(line, []byte("=ybegin ")); ok {
		fields, name, ok := strings.Cut(string(rest), "name=")
		if !ok || !strings.Contains(fields, "line=") {
			return "", nil
		}
		return strings.TrimSpace(name), &decoder{s: s, decode: yEncLine}
	}
	if rest, ok := bytes.CutPrefix(line, []byte("begin-base64 ")); ok {
		if _, title, ok := strings.Cut(string(rest), " "); ok {
			return title, &decoder{s: s, decode: base64Line}
		}
	}
	rest, ok := bytes.CutPrefix(line, []byte("begin "))
	if !ok {
		return "", nil
	}
	mode, title, ok := strings.Cut(string(rest), " ")
	if _, err := strconv.ParseUint(mode, 8, 16); err != nil || !ok || len(mode) < 3 || len(mode) > 4 {
		return "", nil // a sentence: "begin with ..."
	}
	next, _ := s.br.Peek(62)
	next, _, _ = bytes.Cut(next, []byte("\n"))
	if len(next) == 0 || !uuLooks(bytes.TrimRight(next, "\r")) {
		return "", nil
	}
	return title, &decoder{s: s, decode: uuLine}
}

// decoder reads a file's lines.
type decoder struct {
	s      *splitter
	decode func(out, line []byte) (_ []byte, end bool)
	out    []byte
	buf    []byte
	end    bool
}

func (d *decoder) Read(p []byte) (int, error) {
	for len(d.out) == 0 {
		if d.end {
			return 0, io.EOF
		}
		line, err := d.s.line()
		if errors.Is(err, io.EOF) {
			d.end = true
			continue
		} else if err != nil {
			return 0, err
		}
		d.out, d.end = d.decode(d.buf[:0], bytes.TrimRight(line, "\r\n"))
		d.buf = d.out
	}
	n := copy(p, d.out)
	d.out = d.out[n:]
	return n, nil
}

// uuLooks tells whether a line is uuencoded: its first character says how many
// bytes follow, four characters for three of them.
func uuLooks(line []byte) bool {
	if len(line) == 0 || line[0] < ' ' || line[0] > '`' {
		return false
	}
	n := int(line[0]-' ') & 63
	want := (n + 2) / 3 * 4
	if n == 0 {
		return len(line) <= 2
	}
	// Blanks at the end get lost on the way, and some programs add a checksum.
	if len(line)-1 < want-3 || len(line)-1 > want+2 {
		return false
	}
	for _, c := range line {
		if c < ' ' || c > '`' {
			return false
		}
	}
	return true
}

func uuLine(out, line []byte) ([]byte, bool) {
	if string(bytes.TrimSpace(line)) == "end" {
		return out, true
	}
	if !uuLooks(line) {
		return out, false // an empty line, or one that got broken
	}
	n := int(line[0]-' ') & 63
	at := func(i int) byte {
		if i < len(line) {
			return (line[i] - ' ') & 63
		}
		return 0
	}
	for i := 1; n > 0; i, n = i+4, n-3 {
		a, b, c, d := at(i), at(i+1), at(i+2), at(i+3)
		three := [3]byte{a<<2 | b>>4, b<<4 | c>>2, c<<6 | d}
		out = append(out, three[:min(n, 3)]...)
	}
	return out, false
}

// base64Line decodes a line of POSIX uuencode's other form.
func base64Line(out, line []byte) ([]byte, bool) {
	if bytes.HasPrefix(line, []byte("====")) {
		return out, true
	}
	decoded, err := base64.StdEncoding.AppendDecode(out, bytes.TrimSpace(line))
	if err != nil {
		return out, false
	}
	return decoded, false
}

func yEncLine(out, line []byte) ([]byte, bool) {
	if bytes.HasPrefix(line, []byte("=yend ")) || string(line) == "=yend" {
		return out, true
	}
	if bytes.HasPrefix(line, []byte("=ypart ")) {
		return out, false
	}
	for i := 0; i < len(line); i++ {
		c := line[i]
		if c == '=' && i+1 < len(line) {
			i++
			c = line[i] - 64
		}
		out = append(out, c-42)
	}
	return out, false
}
