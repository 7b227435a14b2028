package journal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"hearken/internal/fsync"
)

// slack is how much of the disk may be dead before anything is cleared.
const slack = 2 * segmentMost

// clear begins a new file where the last is full, and clears the oldest where
// more than half of the disk's bytes are dead: what lives in it is written
// again at the end, and the file removed. Always the oldest: a deletion must
// not go before what it deletes. The lock is held.
func (j *Journal) clear() error {
	if j.head().size >= segmentMost {
		s, err := newSegment(j.dir, j.head().number+1)
		if err != nil {
			return fmt.Errorf("begin a new file in %s: %w", j.dir, err)
		}
		j.segments = append(j.segments, s)
	}
	if len(j.segments) < 2 || j.disk <= 2*j.bytes+slack {
		return nil
	}
	old := j.segments[0]
	tx, err := j.rescue(old)
	if err == nil {
		err = j.write(tx)
	}
	if err == nil {
		if err = os.Remove(old.f.Name()); errors.Is(err, fs.ErrNotExist) {
			err = nil // only the sync behind it had failed
		}
	}
	if err == nil {
		err = fsync.Dir(j.dir) // it must not come back once a later file is gone
	}
	if err != nil {
		return fmt.Errorf("clear %s: %w", old.f.Name(), err)
	}
	j.segments = j.segments[1:]
	j.disk -= old.size
	return old.f.Close()
}

// rescue begins a commit of what lives in a segment. All of it is in memory
// for a moment: at most a segment and a commit.
func (j *Journal) rescue(old *segment) (*Tx, error) {
	tx := j.begin(nil)
	b := make([]byte, old.size)
	if _, err := io.ReadFull(io.NewSectionReader(old.f, 0, old.size), b); err != nil {
		return nil, err
	}
	for off := int64(0); off < old.size; {
		length, ok := frameAt(b, off, old.number)
		if !ok || !whole(b, off, length) { // a copy was kept when it was found
			next, found := nextFrame(b, off+1, old.number)
			if !found {
				break
			}
			off = next
			continue
		}
		err := operations(b, off, length, func(o operation) {
			if p, ok := j.bucket(o.bucket).Get(o.key); ok && o.kind == opPut && p.seg == old && p.off == o.off {
				tx.Put(o.bucket, o.key, o.value)
			}
		})
		if err != nil {
			return nil, err
		}
		off += headLen + length
	}
	return tx, nil
}
