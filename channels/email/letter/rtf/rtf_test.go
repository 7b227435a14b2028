package rtf

import (
	"encoding/hex"
	"strings"
	"testing"

	"hearken/channels/email/letter/tnef"
)

// The two examples of MS-OXRTFCP section 4.
func TestDecompress(t *testing.T) {
	for in, want := range map[string]string{
		"2d0000002b0000004c5a4675f1c5c7a703000a007263706731323542320af32068656c090020627705b06c647d0a800fa0": `{\rtf1\ansi\ansicpg1252\pard hello world}` + "\r\n",
		"1a0000001c0000004c5a4675e2d44b5141000420575859" + "5a0d6e7d010eb0":                                  `{\rtf1 WXYZWXYZWXYZWXYZWXYZ}`,
	} {
		b, err := hex.DecodeString(in)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := Decompress(b); err != nil || string(got) != want {
			t.Errorf("%q, %v", got, err)
		}
	}
	if _, err := Decompress([]byte("short")); err == nil {
		t.Error("no error")
	}
}

func TestText(t *testing.T) {
	for name, c := range map[string]struct {
		in, want string
		html     bool
	}{
		"plain":       {`{\rtf1\ansi\ansicpg1252{\fonttbl{\f0 Arial;}}\pard Caf\'e9 \b bold\b0\par next\tab x}`, "Café bold\nnext\tx", false},
		"chinese":     {`{\rtf1\ansi\ansicpg936\pard \'cd\'b6\'cb\'df}`, "投诉", false},
		"unicode":     {`{\rtf1\ansi\uc1 \u25237?\u-29751?\uc0\u55357\u56832 .}`, "投诉😀.", false},
		"destination": {`{\rtf1{\*\generator x;}{\info{\title no}}yes}`, "yes", false},
		"html": {`{\rtf1\ansi\ansicpg1252\fromhtml1 \deff0{\*\htmltag19 <html>}{\*\htmltag50 <body>}\htmlrtf {\f0\htmlrtf0 ` +
			`{\*\htmltag84 <b>}\htmlrtf {\b\htmlrtf0 hi \'e9{\*\htmltag92 </b>}\htmlrtf }\htmlrtf0 {\*\htmltag58 </body>}}`, "<html><body><b>hi é</b></body>", true},
		"never closed": {`{\rtf1 a{b{c`, "abc", false},
		"a bin":        {`{\rtf1 a\bin3 }}}b}`, "ab", false},
	} {
		t.Run(name, func(t *testing.T) {
			got, html := Text([]byte(c.in), tnef.Encoding)
			if got != c.want || html != c.html {
				t.Errorf("%q, %v", got, html)
			}
		})
	}
}

func FuzzRTF(f *testing.F) {
	f.Add([]byte(`{\rtf1\ansi\ansicpg936\fromhtml1{\*\htmltag84 <b>}\'cd\'b6\u25237?\bin2 xx}`), false)
	b, err := hex.DecodeString("1a0000001c0000004c5a4675e2d44b51410004205758595a0d6e7d010eb0")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b, true)
	f.Fuzz(func(t *testing.T, in []byte, packed bool) {
		if packed {
			out, err := Decompress(in)
			if err != nil {
				return
			}
			if len(out) > MaxBytes+20 {
				t.Fatalf("%d bytes", len(out))
			}
			in = out
		}
		s, _ := Text(in, tnef.Encoding)
		if strings.ToValidUTF8(s, "") != s {
			t.Errorf("not UTF-8: %q", s)
		}
	})
}
