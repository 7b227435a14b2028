package tnef

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"testing"
	"unicode/utf16"
)

// kept is a Keeper in memory.
type kept struct {
	files    []string
	names    []File
	messages []Message
}

func (k *kept) Put(r io.Reader) (int, error) {
	b, err := io.ReadAll(r)
	k.files, k.names = append(k.files, string(b)), append(k.names, File{})
	return len(k.files) - 1, err
}

func (k *kept) Name(id int, f File) { k.names[id] = f }

func (k *kept) Message(r io.Reader) error {
	m, err := Read(r, k)
	k.messages = append(k.messages, m)
	return err
}

// stream writes TNEF by the book (MS-OXTNEF section 2.1.3).
type stream struct{ bytes.Buffer }

func newStream() *stream {
	s := &stream{}
	s.Write([]byte{0x78, 0x9f, 0x3e, 0x22, 1, 0})
	return s
}

func le(v any) []byte {
	b, err := binary.Append(nil, binary.LittleEndian, v)
	if err != nil {
		panic(err)
	}
	return b
}

func (s *stream) attribute(level byte, id uint32, data []byte) *stream {
	var sum uint16
	for _, c := range data {
		sum += uint16(c)
	}
	s.WriteByte(level)
	s.Write(le(id))
	s.Write(le(uint32(len(data))))
	s.Write(data)
	s.Write(le(sum))
	return s
}

func wide(text string) []byte { return le(append(utf16.Encode([]rune(text)), 0)) }

// long is a property of variable length.
func long(typ, id uint16, data []byte) []byte {
	out := append(le(typ), le(id)...)
	out = append(append(out, le(uint32(1))...), le(uint32(len(data)))...)
	out = append(out, data...)
	return append(out, make([]byte, padded(uint32(len(data)))-uint32(len(data)))...)
}

func number(id uint16, v uint32) []byte {
	return append(append(le(uint16(typeLong)), le(id)...), le(v)...)
}

func list(all ...[]byte) []byte {
	out := le(uint32(len(all)))
	for _, p := range all {
		out = append(out, p...)
	}
	return out
}

func TestRead(t *testing.T) {
	named := append(append(append(le(uint16(typeUnicode)), le(uint16(0x8001))...), make([]byte, 16)...), append(le(uint32(1)), append(le(uint32(6)), append(wide("ab"), 0, 0)...)...)...)
	named = append(named, append(le(uint32(1)), append(le(uint32(4)), wide("x")...)...)...)
	inner := newStream().attribute(1, body, []byte("inner words\x00"))
	s := newStream().
		attribute(1, oemCodepage, append(le(uint32(936)), 0, 0, 0, 0)).
		attribute(1, body, []byte("\xcd\xb6\xcb\xdf\x00")).
		attribute(1, messageProp, list(named, number(0x3FDE, 65001), long(typeBinary, 0x1013, []byte("<p>投诉</p>")), long(typeBinary, 0x1009, []byte("rtf")))).
		attribute(2, rendData, make([]byte, 14)).
		attribute(2, attachTitle, []byte("SHORT~1.PDF\x00")).
		attribute(2, attachData, []byte("first")).
		attribute(2, attachProp, list(long(typeUnicode, 0x3707, wide("发票.pdf")), long(typeString, 0x370E, []byte("application/pdf\x00")))).
		attribute(2, rendData, make([]byte, 14)).
		attribute(2, attachTitle, []byte("\xcd\xbc.png\x00")).
		attribute(2, attachData, []byte("second")).
		attribute(2, rendData, make([]byte, 14)).
		attribute(2, attachProp, list(number(0x3705, 5), long(typeObject, 0x3701, append(make([]byte, 16), inner.Bytes()...))))
	k := &kept{}
	m, err := Read(bytes.NewReader(s.Bytes()), k)
	if err != nil {
		t.Fatal(err)
	}
	if m.Body != "投诉" || string(m.HTML) != "<p>投诉</p>" || string(m.RTF) != "rtf" || m.Codepage != 65001 {
		t.Errorf("%+v", m)
	}
	if len(k.files) != 2 || k.files[0] != "first" || k.names[0] != (File{Name: "发票.pdf", MediaType: "application/pdf"}) || k.files[1] != "second" || k.names[1].Name != "图.png" {
		t.Errorf("%q %+v", k.files, k.names)
	}
	if len(k.messages) != 1 || k.messages[0].Body != "inner words" {
		t.Errorf("%+v", k.messages)
	}
	for cut := range s.Len() { // wherever it ends, it ends well
		if _, err := Read(bytes.NewReader(s.Bytes()[:cut]), &kept{}); err != nil && !errors.Is(err, ErrFormat) {
			t.Fatalf("cut at %d: %v", cut, err)
		}
	}
}

func FuzzTNEF(f *testing.F) {
	f.Add(newStream().attribute(1, messageProp, list(number(0x3FDE, 1252), long(typeUnicode, 0x1000, wide("a")))).attribute(2, rendData, nil).attribute(2, attachData, []byte("x")).Bytes())
	f.Fuzz(func(t *testing.T, in []byte) {
		k := &kept{}
		if _, err := Read(bytes.NewReader(in), k); err != nil && !errors.Is(err, ErrFormat) {
			t.Error(err)
		}
		total := 0
		for _, f := range k.files {
			total += len(f)
		}
		if total > len(in) {
			t.Errorf("%d bytes of files from %d", total, len(in))
		}
	})
}
