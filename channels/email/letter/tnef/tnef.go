// Package tnef opens winmail.dat, the envelope in which Outlook hides a mail's
// text and files when it believes that everybody has Outlook (MS-OXTNEF). It
// hides attributes, MAPI properties and their many string types; files stream,
// everything else is bounded.
package tnef

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

const signature = 0x223E9F78

// Attributes that matter (MS-OXTNEF section 2.1.3.3).
const (
	oemCodepage = 0x00069007
	body        = 0x0002800C
	messageProp = 0x00069003
	rendData    = 0x00069002 // begins an attachment
	attachTitle = 0x00018010
	attachData  = 0x0006800F
	attachProp  = 0x00069005
)

// Bounds of what is held in memory, and of the number of things: Outlook
// writes some fifty properties and a handful of files.
const (
	maxProperties = 8 << 20
	maxText       = 2 << 20
	maxTitle      = 4 << 10
	maxAttributes = 10_000
	maxFiles      = 500
)

// ErrFormat says that the bytes are not TNEF, or end being it.
var ErrFormat = errors.New("not a TNEF stream")

// File is an attachment.
type File struct {
	Name      string
	MediaType string // as Outlook gives it; may be empty
	ContentID string // without angle brackets
}

// Keeper takes the files. Put is called while the bytes are there, before the
// name is known; Name is called for each once it is, with what Put returned.
type Keeper interface {
	Put(r io.Reader) (id int, err error)
	Name(id int, f File)
	// Message is called for a mail within the mail, itself a TNEF stream.
	Message(r io.Reader) error
}

// Message is the text of the mail, in whichever forms are there.
type Message struct {
	Body     string // plain
	HTML     []byte
	RTF      []byte // compressed, see package rtf
	Codepage int    // of HTML, a Windows code page; 0 where it is not told
}

// Empty tells whether there is no text at all.
func (m Message) Empty() bool { return m.Body == "" && len(m.HTML) == 0 && len(m.RTF) == 0 }

// Read reads a TNEF stream. With an error, what was found before it is good
// all the same.
func Read(src io.Reader, keep Keeper) (Message, error) {
	r := &reader{br: bufio.NewReader(src), keep: keep, current: -1}
	err := r.read()
	r.name()
	return r.message, err
}

type reader struct {
	br       *bufio.Reader
	keep     Keeper
	message  Message
	codepage int
	current  int // id of the attachment that is being read; -1: it has no bytes yet
	file     File
	files    int
}

func (r *reader) read() error {
	var head [6]byte
	if _, err := io.ReadFull(r.br, head[:]); err != nil || binary.LittleEndian.Uint32(head[:]) != signature {
		return ErrFormat
	}
	for range maxAttributes {
		var h [9]byte
		if _, err := io.ReadFull(r.br, h[:]); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("%w: it is cut off", ErrFormat)
		}
		if h[0] != 1 && h[0] != 2 { // the level: message, attachment
			return fmt.Errorf("%w: an attribute of level %d", ErrFormat, h[0])
		}
		id, size := binary.LittleEndian.Uint32(h[1:]), int64(binary.LittleEndian.Uint32(h[5:]))
		data := io.LimitReader(r.br, size)
		if err := r.attribute(id, data); err != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, data); err != nil {
			return err
		}
		if _, err := r.br.Discard(2); err != nil { // a checksum, which programs get wrong
			return fmt.Errorf("%w: it is cut off", ErrFormat)
		}
	}
	return nil
}

func (r *reader) attribute(id uint32, data io.Reader) error {
	switch id {
	case oemCodepage:
		if b, _ := take(data, 4); len(b) == 4 {
			r.codepage = int(binary.LittleEndian.Uint32(b))
		}
	case body:
		b, err := take(data, maxText)
		if r.message.Body == "" {
			r.message.Body = decode(b, r.codepage)
		}
		return err
	case messageProp:
		b, err := take(data, maxProperties)
		for _, p := range properties(b) {
			r.messageProperty(p)
		}
		return err
	case rendData:
		r.name()
	case attachTitle:
		b, err := take(data, maxTitle)
		if r.file.Name == "" {
			r.file.Name = decode(b, r.codepage)
		}
		return err
	case attachData:
		return r.put(data)
	case attachProp:
		b, err := take(data, maxProperties)
		if err != nil {
			return err
		}
		return r.attachment(properties(b))
	}
	return nil
}

func (r *reader) messageProperty(p property) {
	switch p.id {
	case 0x1000:
		r.message.Body = p.text(r.codepage)
	case 0x1013:
		r.message.HTML = p.data
	case 0x1009:
		r.message.RTF = p.data
	case 0x3FDE: // of the internet mail that Outlook would have sent
		if len(p.data) >= 4 {
			r.message.Codepage = int(binary.LittleEndian.Uint32(p.data))
		}
	}
}

// put keeps the bytes of the attachment.
func (r *reader) put(data io.Reader) error {
	if r.current >= 0 || r.files >= maxFiles {
		return nil
	}
	r.files++
	id, err := r.keep.Put(data)
	if err != nil {
		return err
	}
	r.current = id
	return nil
}

// name ends an attachment: all that is known of it is.
func (r *reader) name() {
	if r.current >= 0 {
		r.keep.Name(r.current, r.file)
	}
	r.current, r.file = -1, File{}
}

func (r *reader) attachment(all []property) error {
	embedded := false
	var object []byte
	short := ""
	for _, p := range all {
		switch p.id {
		case 0x3707:
			r.file.Name = p.text(r.codepage)
		case 0x3704:
			short = p.text(r.codepage)
		case 0x370E:
			r.file.MediaType = p.text(r.codepage)
		case 0x3712:
			r.file.ContentID = p.text(r.codepage)
		case 0x3705:
			embedded = len(p.data) > 0 && p.data[0] == 5
		case 0x3701:
			object = p.data
		}
	}
	if r.file.Name == "" {
		r.file.Name = short
	}
	// An object begins with the id of its interface (16 bytes).
	switch {
	case len(object) <= 16:
		return nil
	case embedded:
		return r.keep.Message(bytesReader(object[16:]))
	}
	return r.put(bytesReader(object))
}

func take(r io.Reader, limit int64) ([]byte, error) { return io.ReadAll(io.LimitReader(r, limit)) }
