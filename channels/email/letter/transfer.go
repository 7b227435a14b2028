package letter

import (
	"bufio"
	"encoding/base64"
	"errors"
	"io"
	"strings"
)

// transferReader undoes a Content-Transfer-Encoding (RFC 2045 section 6). An
// unknown one is read as it stands, and known says so.
func transferReader(encoding string, r io.Reader) (_ io.Reader, known bool) {
	enc := strings.ToLower(strings.Trim(encoding, " \t\"'"))
	if i := strings.IndexAny(enc, " ;("); i > 0 {
		enc = enc[:i]
	}
	switch enc {
	case "base64", "base-64":
		return &unbase64{r: r}, true
	case "quoted-printable", "quotedprintable":
		return &unquoted{r: bufio.NewReaderSize(r, 2048)}, true
	case "", "7bit", "8bit", "7-bit", "8-bit", "binary":
		return r, true
	}
	return r, false
}

// maxLine is a line of base64 with its end (RFC 2045 section 6.8).
const maxLine = 80

// unbase64 decodes base64 as mail has it: characters that do not belong there
// are skipped, padding may be missing, and one piece may follow another.
type unbase64 struct {
	r    io.Reader
	raw  [4 << 10]byte
	keep int // characters at the front of raw that wait for the rest of their quantum
	out  []byte
	buf  [3 << 10]byte
	end  bool
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

// fill decodes the next stretch, up to a padding character or the buffer's end.
func (d *unbase64) fill() {
	n := d.keep
	for n < len(d.raw)-maxLine && !d.end { // a body gives a line at a time
		m, err := d.r.Read(d.raw[n:])
		n += m
		d.end = err != nil
	}
	in := d.raw[d.keep:n]
	w, o := d.keep, 0
	for _, c := range in {
		switch {
		case base64Digit[c]:
			d.raw[w] = c
			w++
		case c == '=':
			// Reading overtakes writing, so what is decoded here is not needed
			// again.
			o += decode64(d.buf[o:], d.raw[:w])
			w = 0
		}
	}
	whole := w
	if !d.end {
		whole = w &^ 3
	}
	o += decode64(d.buf[o:], d.raw[:whole])
	d.keep = copy(d.raw[:], d.raw[whole:w])
	d.out = d.buf[:o]
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
	r *bufio.Reader
}

func (d *unquoted) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		if n > 0 && d.r.Buffered() == 0 {
			break
		}
		c, err := d.r.ReadByte()
		if err != nil {
			if n > 0 {
				return n, nil
			}
			return 0, err
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
	for i := 1; i <= 80; i++ { // a soft line break has a handful of blanks at most
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
