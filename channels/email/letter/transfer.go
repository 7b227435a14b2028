package letter

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"strings"
	"sync"
)

// transferReader undoes a Content-Transfer-Encoding (RFC 2045 section 6). An
// unknown one is read as it stands, and known says so.
func transferReader(encoding string, r io.Reader) (_ io.Reader, known bool) {
	switch transferName(encoding) {
	case "base64", "xbase64", "b64", "b":
		d := unbase64s.Get().(*unbase64)
		d.r.Reset(r)
		return d, true
	case "quotedprintable", "xquotedprintable", "qp", "q":
		return &unquoted{r: bufio.NewReaderSize(r, 2048)}, true
	case "", "7bit", "8bit", "8bitmime", "binary", "none":
		return r, true
	}
	return r, false
}

// unbase64s are those whose part has been read.
var unbase64s = sync.Pool{New: func() any { return &unbase64{r: bufio.NewReaderSize(nil, base64Buffer)} }}

// done gives the memory of a transferReader to the next one. It must not be
// used after.
func done(r io.Reader) {
	if d, ok := r.(*unbase64); ok {
		d.r.Reset(nil)
		d.keep, d.padded, d.out, d.end = 0, false, nil, false
		unbase64s.Put(d)
	}
}

// transferName is the letters and digits of a transfer encoding's name, which
// people write with blanks, underscores, quotes and comments.
func transferName(encoding string) string {
	name := skipComment(strings.TrimLeft(encoding, " \t"))
	if i := strings.IndexAny(name, ";,("); i > 0 {
		name = name[:i]
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z':
			return r | 0x20
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			return r
		}
		return -1
	}, name)
}

// base64Buffer is how much is decoded at once; a line has 76 characters (RFC
// 2045 section 6.8), mostly.
const base64Buffer = 4 << 10

// unbase64 decodes base64 as mail has it: characters that do not belong there
// are skipped, padding may be missing, and one piece may follow another. The
// words that scanners and lists write behind it are no base64.
type unbase64 struct {
	r      *bufio.Reader
	digits [base64Buffer + 3]byte
	keep   int // digits at the front that wait for the rest of their quantum
	padded bool
	out    []byte
	buf    [base64Buffer]byte
	end    bool
}

var base64Digit = func() (t [256]bool) {
	for _, c := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/" {
		t[c] = true
	}
	return t
}()

func (d *unbase64) Read(p []byte) (int, error) {
	for len(d.out) == 0 {
		if d.end {
			return 0, io.EOF
		}
		d.fill()
	}
	n := copy(p, d.out)
	d.out = d.out[n:]
	return n, nil
}

// fill decodes the next line, or as much of it as the buffer holds.
func (d *unbase64) fill() {
	line, err := d.r.ReadSlice('\n')
	if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
		d.end = true
	}
	if d.keep == 0 && !d.padded { // a line as it should be
		if body := bytes.TrimRight(line, "\r\n"); len(body)%4 == 0 {
			if n, err := base64.RawStdEncoding.Decode(d.buf[:], body); err == nil {
				d.out = d.buf[:n]
				return
			}
		}
	}
	w, o, padded, judged := d.keep, 0, d.padded, false
	for _, c := range line {
		if base64Digit[c] {
			d.digits[w] = c
			w++
			continue
		}
		if c == '=' {
			o += decode64(d.buf[o:], d.digits[:w])
			d.padded = d.padded || w > 0
			w = 0
		} else if c > ' ' && !judged {
			if judged = true; padded || wordy(line) {
				d.end = d.end || padded
				if o == 0 {
					w = d.keep // nothing of this line
				}
				break
			}
		}
	}
	whole := w
	if !d.end {
		whole = w &^ 3
	}
	o += decode64(d.buf[o:], d.digits[:whole])
	d.keep = copy(d.digits[:], d.digits[whole:w])
	d.out = d.buf[:o]
}

// foreign counts what does not belong into base64.
func foreign(line []byte) int {
	n := 0
	for _, c := range line {
		if !base64Digit[c] && c > ' ' && c != '=' {
			n++
		}
	}
	return n
}

// longWord is more than the words of a language have on the average: base64
// with blanks in it has them at greater distances.
const longWord = 16

// wordy tells whether a line is words, or bytes, and not base64.
func wordy(line []byte) bool {
	words, high := 1, 0
	for i, c := range line {
		switch {
		case c >= 0x80:
			high++
		case c == ' ' && i > 0 && line[i-1] != ' ':
			words++
		}
	}
	return words >= 3 && len(line) < words*longWord || high*4 > len(line)
}

// encodedAtAll tells whether a body that is said to be base64 begins like it:
// some programs write the label alone.
func encodedAtAll(start []byte) bool {
	for line := range bytes.Lines(start) {
		line = bytes.TrimSpace(line)
		switch {
		case len(line) == 0:
			continue
		case bytes.HasPrefix(line, []byte("--")):
			return true // nothing there at all
		}
		strange, blank := foreign(line), bytes.IndexByte(line, ' ')
		return !wordy(line) && strange*4 <= len(line) && (strange == 0 || blank < 0 || blank >= longWord)
	}
	return true
}

func decode64(dst, src []byte) int {
	if len(src)%4 == 1 {
		src = src[:len(src)-1] // six bits are no byte
	}
	n, _ := base64.RawStdEncoding.Decode(dst, src) // all are digits
	return n
}

// unquoted decodes quoted-printable; an "=" that is no escape stays.
type unquoted struct {
	r    *bufio.Reader
	stay int // blanks that come next and are not at a line's end
}

func (d *unquoted) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		if n > 0 && d.r.Buffered() == 0 {
			break
		}
		if k := d.plain(p[n:]); k > 0 {
			n += k
			continue
		}
		c, err := d.r.ReadByte()
		if err != nil {
			if n > 0 {
				return n, nil
			}
			return 0, err
		}
		if c == ' ' || c == '\t' {
			if d.stay > 0 {
				d.stay--
			} else if d.lost() {
				continue
			}
		}
		if c != '=' {
			p[n] = c
			n++
			continue
		}
		if b, ok := d.escape(); ok {
			p[n] = b
			n++
		}
	}
	return n, nil
}

// plain copies what is at hand and stands for itself: most of any text.
func (d *unquoted) plain(p []byte) int {
	if d.stay > 0 {
		return 0
	}
	b, _ := d.r.Peek(min(len(p), d.r.Buffered()))
	n := 0
	for n < len(b) && b[n] != '=' {
		if blank(b[n]) && (n+1 == len(b) || blank(b[n+1]) || b[n+1] == '\r' || b[n+1] == '\n') {
			break // it may be at a line's end
		}
		n++
	}
	copy(p, b[:n])
	_, _ = d.r.Discard(n)
	return n
}

func blank(c byte) bool { return c == ' ' || c == '\t' }

// lost skips the blanks at a line's end, which a server on the way put there
// (RFC 2045 section 6.7, rule 3), and tells whether it did.
func (d *unquoted) lost() bool {
	for i := 1; i <= maxLost; i++ {
		next, _ := d.r.Peek(i)
		if len(next) < i {
			return len(bytes.Trim(next, " \t\r")) == 0
		}
		switch next[i-1] {
		case ' ', '\t':
		case '\n', '\r':
			_, _ = d.r.Discard(i - 1)
			return true
		default:
			d.stay = i - 1
			return false
		}
	}
	d.stay = maxLost
	return false
}

// maxLost bounds the blanks that are looked through for a line's end.
const maxLost = 80

// escape reads what follows "=": two hex digits, or a line end with blanks
// before it, which gives no byte.
func (d *unquoted) escape() (byte, bool) {
	next, err := d.r.Peek(2)
	if len(next) == 2 {
		hi, lo := unhex(next[0]), unhex(next[1])
		if hi < 16 && lo < 16 {
			_, _ = d.r.Discard(2)
			return hi<<4 | lo, true
		}
	}
	if len(next) == 0 && errors.Is(err, io.EOF) {
		return 0, false
	}
	for i := 1; i <= maxLost; i++ {
		next, _ = d.r.Peek(i)
		if len(next) < i {
			break
		}
		switch next[i-1] {
		case ' ', '\t', '\r':
			continue
		case '\n':
			_, _ = d.r.Discard(i)
			return 0, false
		}
		break
	}
	return '=', true
}

func unhex(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10
	}
	return 16
}
