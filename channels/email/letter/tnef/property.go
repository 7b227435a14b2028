package tnef

import (
	"bytes"
	"encoding/binary"
	"io"
	"strings"
	"unicode/utf16"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
)

// property is a MAPI property; data is the first of its values.
type property struct {
	typ, id uint16
	data    []byte
}

// Types of properties (MS-OXCDATA section 2.11.1).
const (
	typeShort   = 0x0002
	typeLong    = 0x0003
	typeFloat   = 0x0004
	typeDouble  = 0x0005
	typeMoney   = 0x0006
	typeAppTime = 0x0007
	typeError   = 0x000A
	typeBool    = 0x000B
	typeObject  = 0x000D
	typeInt64   = 0x0014
	typeString  = 0x001E
	typeUnicode = 0x001F
	typeTime    = 0x0040
	typeGUID    = 0x0048
	typeBinary  = 0x0102
	multiple    = 0x1000 // flag: there are several values
)

// maxList bounds the properties of one list and the values of one property.
const maxList = 10_000

// properties reads a property list (MS-OXTNEF section 2.1.3.4). It gives what
// comes before the first thing that makes no sense.
func properties(b []byte) []property {
	in := &input{b: b}
	var out []property
	for range min(in.u32(), maxList) {
		p := property{typ: in.u16(), id: in.u16()}
		if p.id >= 0x8000 { // named
			in.skip(16)
			if in.u32() == 0 {
				in.skip(4)
			} else {
				in.skip(padded(in.u32()))
			}
		}
		if !in.value(&p) || in.bad {
			break
		}
		out = append(out, p)
	}
	return out
}

type input struct {
	b   []byte
	bad bool
}

func (in *input) take(n uint32) []byte {
	if uint64(n) > uint64(len(in.b)) {
		in.bad, in.b = true, nil
		return nil
	}
	out := in.b[:n]
	in.b = in.b[n:]
	return out
}

func (in *input) skip(n uint32) { in.take(n) }

func (in *input) u16() uint16 {
	if b := in.take(2); b != nil {
		return binary.LittleEndian.Uint16(b)
	}
	return 0
}

func (in *input) u32() uint32 {
	if b := in.take(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

// padded is a length with its padding to four bytes.
func padded(n uint32) uint32 { return n + (4-n%4)%4 }

// value reads the values of p; false where its type is unknown, after which
// nothing can be read.
func (in *input) value(p *property) bool {
	count := uint32(1)
	typ := p.typ &^ multiple
	size, fixed := sizes[typ]
	if p.typ&multiple != 0 || !fixed {
		count = in.u32()
	}
	if !fixed && typ != typeString && typ != typeUnicode && typ != typeBinary && typ != typeObject {
		return false
	}
	for i := range min(count, maxList) {
		n := size
		if !fixed {
			n = in.u32()
		}
		v := in.take(n)
		if i == 0 {
			p.data = v
		}
		in.skip(padded(n) - n)
		if in.bad {
			return false
		}
	}
	return true
}

// sizes are the lengths of the types that have one, before padding.
var sizes = map[uint16]uint32{
	typeShort: 2, typeLong: 4, typeFloat: 4, typeDouble: 8, typeMoney: 8, typeAppTime: 8, typeError: 4, typeBool: 2, typeInt64: 8, typeTime: 8, typeGUID: 16,
}

func (p property) text(codepage int) string {
	if p.typ&^multiple != typeUnicode {
		return decode(p.data, codepage)
	}
	units := make([]uint16, len(p.data)/2)
	for i := range units {
		units[i] = binary.LittleEndian.Uint16(p.data[2*i:])
	}
	return strings.TrimRight(string(utf16.Decode(units)), "\x00")
}

// decode reads text of a Windows code page.
func decode(b []byte, codepage int) string {
	b = bytes.TrimRight(b, "\x00")
	if enc := Encoding(codepage); enc != nil {
		if out, err := enc.NewDecoder().Bytes(b); err == nil {
			return string(out)
		}
	}
	return strings.ToValidUTF8(string(b), "\uFFFD")
}

// Encoding is the encoding of a Windows code page; nil for UTF-8 and those
// that are not known.
func Encoding(codepage int) encoding.Encoding {
	name := map[int]string{
		874: "windows-874", 932: "shift_jis", 936: "gb18030", 949: "euc-kr", 950: "big5", 1250: "windows-1250", 1251: "windows-1251", 1252: "windows-1252",
		1253: "windows-1253", 1254: "windows-1254", 1255: "windows-1255", 1256: "windows-1256", 1257: "windows-1257", 1258: "windows-1258", 20866: "koi8-r",
		21866: "koi8-u", 28591: "windows-1252", 28592: "iso-8859-2", 28595: "iso-8859-5", 28605: "iso-8859-15", 50220: "iso-2022-jp", 51932: "euc-jp", 51936: "gb18030", 54936: "gb18030",
	}[codepage]
	if name == "" {
		return nil
	}
	enc, err := htmlindex.Get(name)
	if err != nil {
		return nil
	}
	return enc
}

func bytesReader(b []byte) io.Reader { return bytes.NewReader(b) }
