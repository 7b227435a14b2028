// Package rtf reads the Rich Text Format that Outlook puts into winmail.dat.
// It hides its compression (MS-OXRTFCP), its control words, and the HTML that
// it may carry within (MS-OXRTFEX).
package rtf

import (
	"encoding/binary"
	"errors"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding"
)

// MaxBytes bounds the text, decompressed.
const MaxBytes = 4 << 20

// ErrFormat says that the bytes are not compressed RTF.
var ErrFormat = errors.New("not compressed RTF")

// dictionary is what the compression takes as written already (MS-OXRTFCP
// section 2.1.2.1).
const dictionary = `{\rtf1\ansi\mac\deff0\deftab720{\fonttbl;}{\f0\fnil \froman \fswiss \fmodern \fscript \fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\colortbl\red0\green0\blue0` + "\r\n" + `\par \pard\plain\f0\fs20\b\i\u\tab\tx`

const (
	compressed   = 0x75465A4C // "LZFu"
	uncompressed = 0x414C454D // "MELA"
)

// Decompress undoes the compression.
func Decompress(b []byte) ([]byte, error) {
	if len(b) < 16 {
		return nil, ErrFormat
	}
	size, kind := binary.LittleEndian.Uint32(b[4:]), binary.LittleEndian.Uint32(b[8:])
	b = b[16:]
	switch {
	case kind == uncompressed:
		return b[:min(len(b), int(min(size, MaxBytes)))], nil
	case kind != compressed:
		return nil, ErrFormat
	}
	var window [4096]byte
	at := copy(window[:], dictionary)
	var out []byte
	write := func(c byte) {
		window[at&4095] = c
		at++
		out = append(out, c)
	}
	for len(b) > 0 && len(out) < MaxBytes {
		flags := b[0]
		b = b[1:]
		for bit := 0; bit < 8 && len(b) > 0; bit++ {
			if flags&(1<<bit) == 0 {
				write(b[0])
				b = b[1:]
				continue
			}
			if len(b) < 2 {
				return out, nil
			}
			ref := int(binary.BigEndian.Uint16(b))
			b = b[2:]
			from, n := ref>>4, ref&15+2
			if from == at&4095 {
				return out, nil // the end mark
			}
			for i := range n {
				write(window[(from+i)&4095])
			}
		}
	}
	return out, nil
}

// Text reads RTF: as the HTML that it was made of, where it was (html is
// true), or as plain text. codepages finds the encoding of a Windows code
// page; nil for unknown ones.
func Text(b []byte, codepages func(int) encoding.Encoding) (text string, html bool) {
	p := &parser{in: string(b[:min(len(b), MaxBytes)]), codepages: codepages, codepage: 1252}
	head := p.in[:min(len(p.in), 400)]
	p.html = strings.Contains(head, `\fromhtml`)
	p.run()
	return p.out.String(), p.html
}

// maxGroups bounds the nesting.
const maxGroups = 200

// group is what holds until its brace closes.
type group struct {
	skip    bool // its text is not the mail's
	tag     bool // within it stands HTML as it was
	rtfOnly bool // \htmlrtf: text for programs that don't know the HTML
	uc      int  // characters that stand in for a \u
}

type parser struct {
	in        string
	codepages func(int) encoding.Encoding
	codepage  int
	html      bool
	out       strings.Builder
	raw       []byte // \'hh bytes that wait to be decoded together
	open      []group
	now       group
	omit      int  // characters still to be left out after a \u
	high      rune // the first half of a surrogate pair
}

func (p *parser) run() {
	p.now.uc = 1
	for i := 0; i < len(p.in) && p.out.Len() < MaxBytes; {
		switch c := p.in[i]; c {
		case '{':
			if len(p.open) >= maxGroups {
				return
			}
			p.flush()
			p.open = append(p.open, p.now)
			p.omit = 0
			i++
		case '}':
			p.flush()
			if n := len(p.open); n > 0 {
				p.now, p.open = p.open[n-1], p.open[:n-1]
			}
			p.omit = 0
			i++
		case '\\':
			i = p.control(i + 1)
		case '\r', '\n':
			i++
		default:
			p.char(c)
			i++
		}
	}
	p.flush()
}

// char takes a byte of text.
func (p *parser) char(c byte) {
	if p.omit > 0 {
		p.omit--
		return
	}
	if p.shown() {
		p.raw = append(p.raw, c)
	}
}

func (p *parser) shown() bool {
	return !p.now.skip && !p.now.rtfOnly
}

// flush decodes the bytes that wait.
func (p *parser) flush() {
	if len(p.raw) == 0 {
		return
	}
	raw := p.raw
	p.raw = p.raw[:0]
	if !ascii(raw) {
		if enc := p.codepages(p.codepage); enc != nil {
			if s, err := enc.NewDecoder().Bytes(raw); err == nil {
				p.out.Write(s)
				return
			}
		}
	}
	p.out.WriteString(strings.ToValidUTF8(string(raw), "\uFFFD"))
}

func ascii(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func (p *parser) say(s string) {
	if p.shown() {
		p.flush()
		p.out.WriteString(s)
	}
}

// control reads what follows a backslash and returns where to go on.
func (p *parser) control(i int) int {
	if i >= len(p.in) {
		return i
	}
	if c := p.in[i]; c < 'a' || c > 'z' {
		return p.symbol(c, i)
	}
	end := i
	for end < len(p.in) && p.in[end] >= 'a' && p.in[end] <= 'z' && end-i < 32 {
		end++
	}
	word := p.in[i:end]
	num := end
	if num < len(p.in) && p.in[num] == '-' {
		num++
	}
	for num < len(p.in) && p.in[num] >= '0' && p.in[num] <= '9' && num-end < 10 {
		num++
	}
	arg, err := strconv.Atoi(p.in[end:num])
	given := err == nil
	if given {
		end = num
	}
	if end < len(p.in) && p.in[end] == ' ' {
		end++ // the blank that ends the word
	}
	if word == "bin" && given && arg > 0 {
		return min(end+arg, len(p.in))
	}
	p.word(word, arg, given)
	return end
}

// symbol is a control that is no word.
func (p *parser) symbol(c byte, i int) int {
	switch c {
	case '\'':
		if i+2 < len(p.in) {
			if n, err := strconv.ParseUint(p.in[i+1:i+3], 16, 8); err == nil {
				p.char(byte(n))
				return i + 3
			}
		}
	case '*':
		// A destination that may be passed over, but for the one with the HTML.
		if !strings.HasPrefix(p.in[i+1:], `\htmltag`) {
			p.now.skip = true
		}
	case '\\', '{', '}':
		p.char(c)
	case '~':
		p.say("\u00a0")
	case '_':
		p.say("-")
	case '\r', '\n':
		p.say("\n")
	}
	return i + 1
}

func (p *parser) word(word string, arg int, given bool) {
	switch word {
	case "ansicpg":
		p.codepage = arg
	case "fonttbl", "colortbl", "stylesheet", "info", "pict", "object", "header", "footer", "listtable", "themedata":
		p.now.skip = true
	case "htmltag":
		p.now.tag = p.html
		p.now.skip = !p.html
	case "htmlrtf":
		p.flush()
		p.now.rtfOnly = p.html && (!given || arg != 0)
	case "uc":
		p.now.uc = max(0, min(arg, 10))
	case "u":
		if p.omit > 0 {
			p.omit--
			return
		}
		if arg < 0 {
			arg += 1 << 16
		}
		p.unicode(rune(arg))
		p.omit = p.now.uc
	case "par", "line", "row", "sect", "page":
		if !p.html || p.now.tag {
			p.say("\n")
		}
	case "tab", "cell":
		p.say("\t")
	case "lquote":
		p.say("‘")
	case "rquote":
		p.say("’")
	case "ldblquote":
		p.say("“")
	case "rdblquote":
		p.say("”")
	case "bullet":
		p.say("•")
	case "endash":
		p.say("–")
	case "emdash":
		p.say("—")
	}
}

// unicode writes a UTF-16 unit; a pair of them is one character.
func (p *parser) unicode(r rune) {
	high := p.high
	p.high = 0
	switch {
	case r >= 0xD800 && r < 0xDC00:
		p.high = r
	case r >= 0xDC00 && r < 0xE000:
		if r = utf16.DecodeRune(high, r); r != utf8.RuneError {
			p.say(string(r))
		}
	case r > 0 && utf8.ValidRune(r):
		p.say(string(r))
	}
}
