package textfile

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// uuencode as POSIX has it, with "`" for a zero as most programs do.
func uuencode(name string, b []byte) string {
	var out strings.Builder
	fmt.Fprintf(&out, "begin 644 %s\n", name)
	c := func(v byte) byte {
		if v == 0 {
			return '`'
		}
		return v + ' '
	}
	for len(b) > 0 {
		n := min(45, len(b))
		line := make([]byte, (n+2)/3*3)
		copy(line, b[:n])
		out.WriteByte(c(byte(n)))
		for i := 0; i < len(line); i += 3 {
			out.Write([]byte{c(line[i] >> 2), c(line[i]<<4&63 | line[i+1]>>4), c(line[i+1]<<2&63 | line[i+2]>>6), c(line[i+2] & 63)})
		}
		out.WriteByte('\n')
		b = b[n:]
	}
	out.WriteString("`\nend\n")
	return out.String()
}

func yEncode(name string, b []byte) string {
	var out bytes.Buffer
	fmt.Fprintf(&out, "=ybegin line=128 size=%d name=%s\r\n", len(b), name)
	col := 0
	for _, c := range b {
		c += 42
		if c == 0 || c == '\n' || c == '\r' || c == '=' {
			out.WriteByte('=')
			c += 64
			col++
		}
		out.WriteByte(c)
		if col++; col >= 128 {
			out.WriteString("\r\n")
			col = 0
		}
	}
	fmt.Fprintf(&out, "\r\n=yend size=%d\r\n", len(b))
	return out.String()
}

func split(t interface{ Fatal(...any) }, in string, limit int) (string, bool, []string) {
	var files []string
	text, more, err := Split(strings.NewReader(in), limit, func(name string, r io.Reader) error {
		b, err := io.ReadAll(r)
		files = append(files, name+"="+string(b))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(text), more, files
}

func TestSplitGivesBackWhatWasPutIn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.SliceOf(rapid.Byte()).Draw(t, "a"), rapid.SliceOf(rapid.Byte()).Draw(t, "b")
		in := "Hello\n" + uuencode("a b.bin", a) + "between\n" + yEncode("图.jpg", b) + "end of it\n"
		if !Has([]byte(in)) {
			t.Fatal("not seen")
		}
		text, more, files := split(t, in, 1000)
		if len(a) == 0 { // an empty file has no first line to know it by
			if !strings.HasSuffix(text, "between\nend of it\n") {
				t.Fatalf("%q", text)
			}
			return
		}
		if text != "Hello\nbetween\nend of it\n" || more || len(files) != 2 || files[0] != "a b.bin="+string(a) || files[1] != "图.jpg="+string(b) {
			t.Fatalf("%q %v %q", text, more, files)
		}
	})
}

func TestOnlyFilesAreFiles(t *testing.T) {
	for _, in := range []string{
		"begin with the beginning\nand go on\n",
		"begin 644 name\nthis is a sentence\n",
		"begin 999 name\n#:&5L\n",
		"=ybegin is a word\nxx\n",
		"we begin 644 x\n#:&5L\n",
		"begin 644 x",
	} {
		if text, _, files := split(t, in, 1000); text != in || len(files) != 0 {
			t.Errorf("%q: %q %q", in, text, files)
		}
	}
	if text, more, _ := split(t, "123456789", 5); text != "12345" || !more {
		t.Errorf("%q %v", text, more)
	}
	// What never ends ends with the text.
	if _, _, files := split(t, "begin 644 x\n#:&5L", 100); len(files) != 1 || files[0] != "x=hel" {
		t.Errorf("%q", files)
	}
}

func FuzzSplit(f *testing.F) {
	f.Add([]byte(uuencode("x", []byte("hello"))))
	f.Add([]byte(yEncode("x", []byte("hello"))))
	f.Fuzz(func(t *testing.T, in []byte) {
		size := 0
		text, _, err := Split(bytes.NewReader(in), 1000, func(_ string, r io.Reader) error {
			n, err := io.Copy(io.Discard, r)
			size += int(n)
			return err
		})
		if err != nil || len(text) > 1000 || size+len(text) > len(in) {
			t.Errorf("%d bytes of text, %d of files: %v", len(text), size, err)
		}
	})
}

func TestBase64InText(t *testing.T) {
	text, _, files := split(t, "hi\nbegin-base64 644 a b.txt\naGVsbG8g\nd29ybGQ=\n====\nbye\n", 100)
	if text != "hi\nbye\n" || len(files) != 1 || !strings.Contains(files[0], "hello world") {
		t.Errorf("%q %q", text, files)
	}
}
