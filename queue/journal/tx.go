package journal

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"iter"
	"strings"
)

// Tx is one transaction, or a look. It must not be kept.
type Tx struct {
	j *Journal
	w *writing // nil for a look
}

// writing is what a batch of transactions has changed so far.
type writing struct {
	seg   *segment
	frame []byte
	undo  []change
}

// change is what a key was before.
type change struct {
	bucket Bucket
	key    string
	before place
	was    bool
}

// run lets one change do its work: all of it or, with an error or a panic,
// nothing.
func (tx *Tx) run(do func(*Tx) error) (err error) {
	frame, undo := len(tx.w.frame), len(tx.w.undo)
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic in a transaction: %v", p)
		}
		if err != nil {
			tx.undo(undo)
			tx.w.frame = tx.w.frame[:frame]
		}
	}()
	return do(tx)
}

// undo takes back all changes after the first n.
func (tx *Tx) undo(n int) {
	for i := len(tx.w.undo) - 1; i >= n; i-- {
		c := tx.w.undo[i]
		if c.was {
			tx.j.set(c.bucket, c.key, c.before)
		} else {
			tx.j.drop(c.bucket, c.key)
		}
	}
	tx.w.undo = tx.w.undo[:n]
}

// Get returns a value, which must not be changed; nil where there is none.
// ErrDamaged says that it is not what was put.
func (tx *Tx) Get(b Bucket, key string) ([]byte, error) {
	p, ok := tx.j.bucket(b).Get(key)
	if !ok {
		return nil, nil
	}
	return tx.read(b, key, p)
}

func (tx *Tx) read(b Bucket, key string, p place) ([]byte, error) {
	if p.small != nil {
		return p.small, nil
	}
	if tx.w != nil && p.seg == tx.w.seg && p.off >= p.seg.size { // of this very commit
		at := p.off - p.seg.size
		return tx.w.frame[at+4 : at+4+int64(p.n)], nil
	}
	v, err := p.seg.read(p.off, p.n)
	if err != nil {
		return v, fmt.Errorf("read %d/%q: %w", b, key, err)
	}
	return v, nil
}

// Size is how many bytes a value has; 0 where there is none.
func (tx *Tx) Size(b Bucket, key string) int {
	p, _ := tx.j.bucket(b).Get(key)
	return p.n
}

// Put writes a value. An empty one is a value too.
func (tx *Tx) Put(b Bucket, key string, value []byte) {
	f := append(tx.w.frame, opPut, byte(b))
	f = appendText(f, key)
	f = binary.AppendUvarint(f, uint64(len(value)))
	p := place{seg: tx.w.seg, off: tx.w.seg.size + int64(len(f)), n: len(value)}
	f = binary.BigEndian.AppendUint32(f, crc32.Checksum(value, castagnoli))
	tx.w.frame = append(f, value...)
	if len(value) <= smallMost {
		p.small = append([]byte{}, value...)
	}
	before, was := tx.j.set(b, key, p)
	tx.w.undo = append(tx.w.undo, change{b, key, before, was})
}

// Delete drops a value; one that is not there is no error.
func (tx *Tx) Delete(b Bucket, key string) {
	before, was := tx.j.bucket(b).Get(key)
	if !was {
		return
	}
	tx.w.frame = appendText(append(tx.w.frame, opDelete, byte(b)), key)
	tx.w.undo = append(tx.w.undo, change{b, key, before, true})
	tx.j.drop(b, key)
}

// Next is a number above all that the bucket's keys have begun with (Number)
// while the journal was open.
func (tx *Tx) Next(b Bucket) uint64 {
	tx.j.next[b]++
	return tx.j.next[b]
}

// Bytes is the size of what is alive, with this transaction's changes.
func (tx *Tx) Bytes() int64 { return tx.j.bytes }

// Walk yields the keys of a bucket that begin with prefix, from the key from
// on, in order. Changes to the bucket must wait until the walk is over.
func (tx *Tx) Walk(b Bucket, prefix, from string) iter.Seq[string] {
	return func(yield func(string) bool) {
		tx.j.bucket(b).Ascend(max(prefix, from), func(key string, _ place) bool {
			return strings.HasPrefix(key, prefix) && yield(key)
		})
	}
}

// Last is the last key of a bucket, "" where there is none.
func (tx *Tx) Last(b Bucket) string {
	key, _, _ := tx.j.bucket(b).Max()
	return key
}

// Key writes a number so that keys sort by it, for buckets that are queues.
func Key(n uint64) string { return string(binary.BigEndian.AppendUint64(nil, n)) }

// Number reads what Key wrote.
func Number(key string) uint64 {
	if len(key) < 8 {
		return 0
	}
	return binary.BigEndian.Uint64([]byte(key[:8]))
}
