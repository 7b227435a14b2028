package queue

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"sync"

	json "github.com/go-json-experiment/json/v1" // as encoding/json, and reads twice as fast

	"hearken/complaint"
)

// What the spool keeps of an entry, and of a publication, is a line of JSON
// about it and then what is large as it is, a line each: a contact or a record
// is encoded once, and never as a text within a text.

var errNoEntry = errors.New("it is no entry of this version's")

// seal encodes a value that is kept.
func seal[T string | []byte](head any, lines ...T) ([]byte, error) {
	b, err := json.Marshal(head)
	if err != nil {
		return nil, fmt.Errorf("encode for the spool: %w", err)
	}
	room := 0
	for _, line := range lines {
		room += 1 + len(line)
	}
	b = slices.Grow(b, room)
	for _, line := range lines {
		b = append(append(b, '\n'), line...)
	}
	return b, nil
}

// unseal reads the head, and returns the lines behind it.
func unseal(b []byte, head any) ([][]byte, error) {
	first, rest, more := bytes.Cut(b, []byte{'\n'})
	if err := json.Unmarshal(first, head); err != nil {
		return nil, fmt.Errorf("%w: %w", errNoEntry, err)
	}
	if !more {
		return nil, nil
	}
	return bytes.Split(rest, []byte{'\n'}), nil
}

// line is a contact and its encoding.
type line struct {
	contact complaint.Contact
	text    []byte
}

func newLine(c complaint.Contact) (line, error) {
	text, err := json.Marshal(c)
	if err != nil {
		return line{}, fmt.Errorf("encode contact %s: %w", c.ID, err)
	}
	return line{c, text}, nil
}

func readLine(text []byte) (l line, err error) {
	l.text = bytes.Clone(text)
	return l, json.Unmarshal(text, &l.contact)
}

// sealEntry encodes an entry of these contacts.
func sealEntry(e entry, lines []line) ([]byte, error) {
	texts := make([][]byte, len(lines))
	for i, l := range lines {
		texts[i] = l.text
	}
	e.Contacts = nil
	return seal(e, texts...)
}

func unsealEntry(b []byte) (e entry, err error) {
	lines, err := unseal(b, &e)
	if err == nil && len(lines) == 0 {
		err = errNoEntry
	}
	if err != nil {
		return e, err
	}
	e.Contacts = make([]complaint.Contact, len(lines))
	for i, line := range lines {
		if err := json.Unmarshal(line, &e.Contacts[i]); err != nil {
			return e, fmt.Errorf("%w: %w", errNoEntry, err)
		}
	}
	return e, nil
}

func sealPublication(p publication) ([]byte, error) {
	record := p.Record
	p.Record = ""
	return seal(p, record)
}

func unsealPublication(b []byte) (p publication, err error) {
	lines, err := unseal(b, &p)
	if err != nil {
		return p, err
	}
	if len(lines) != 1 {
		return p, errNoEntry
	}
	p.Record = string(lines[0])
	return p, nil
}

// recent has entries at hand as they are in memory, so that what is published
// soon is not read back. What is not in it is on disk.
type recent struct {
	mu      sync.Mutex
	entries map[uint64]sized
	bytes   int
}

type sized struct {
	entry
	size int
}

// recentMost bounds it, in bytes as they lie on disk: in memory an entry takes
// about as many again.
const recentMost = 4 << 20

func (r *recent) add(seq uint64, e entry, size int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.entries == nil {
		r.entries = map[uint64]sized{}
	}
	if r.bytes+size <= recentMost {
		r.entries[seq] = sized{e, size}
		r.bytes += size
	}
}

func (r *recent) get(seq uint64) (entry, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e, ok := r.entries[seq]
	return e.entry, ok
}

func (r *recent) drop(seq uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.bytes -= r.entries[seq].size
	delete(r.entries, seq)
}

func (r *recent) clear() {
	r.mu.Lock()
	defer r.mu.Unlock()
	clear(r.entries)
	r.bytes = 0
}
