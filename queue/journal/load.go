package journal

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/btree"
)

// set books where a value lies. The lock is held.
func (j *Journal) set(b Bucket, key string, p place) (old place, was bool) {
	m := j.buckets[b]
	if m == nil {
		m = &btree.Map[string, place]{}
		j.buckets[b] = m
	}
	old, was = m.Set(key, p)
	j.bytes += cost(key, p)
	if was {
		j.bytes -= cost(key, old)
	}
	j.next[b] = max(j.next[b], Number(key))
	return old, was
}

// drop forgets a key. The lock is held.
func (j *Journal) drop(b Bucket, key string) {
	if old, was := j.bucket(b).Delete(key); was {
		j.bytes -= cost(key, old)
	}
}

func cost(key string, p place) int64 { return int64(len(key) + p.n + overhead) }

// load reads what is in the folder.
func (j *Journal) load() (lost []string, err error) {
	names, err := filepath.Glob(filepath.Join(j.dir, "*.log"))
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	last := uint64(0)
	for i, name := range names {
		number, err := strconv.ParseUint(strings.TrimSuffix(filepath.Base(name), ".log"), 16, 64)
		if err != nil {
			return nil, fmt.Errorf("%s is no file of the spool: %w", name, err)
		}
		if i > 0 && number != last+1 {
			lost = append(lost, fmt.Sprintf("between %s and %s at least one file is missing", names[i-1], filepath.Base(name)))
		}
		more, err := j.loadSegment(name, number, i == len(names)-1)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		lost, last = append(lost, more...), number
	}
	if len(names) > 0 && j.head().size < segmentMost {
		return lost, nil
	}
	s, err := newSegment(j.dir, last+1)
	if err != nil {
		return nil, err
	}
	j.segments = append(j.segments, s)
	return lost, nil
}

// loadSegment takes up one file. The end of the last one may be half a frame:
// a commit that nobody was told of. Anything else that is not whole was
// damaged later.
func (j *Journal) loadSegment(name string, number uint64, newest bool) (lost []string, err error) {
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	s := &segment{number: number, f: logFile{f}}
	j.segments = append(j.segments, s)
	b, err := io.ReadAll(f)
	if err != nil {
		return nil, err
	}
	for s.size < int64(len(b)) {
		length, ok := frameAt(b, s.size, number)
		if ok && whole(b, s.size, length) {
			if err := operations(b, s.size, length, func(o operation) { j.replay(s, o) }); err != nil {
				return nil, err
			}
			s.size += headLen + length
			continue
		}
		next, found := nextFrame(b, s.size+1, number)
		if !found && newest {
			if err := f.Truncate(s.size); err != nil {
				return nil, err
			}
			break
		}
		if len(lost) == 0 {
			if err := keepCopy(name+".damaged", b); err != nil {
				return nil, err
			}
		}
		if !found {
			next = int64(len(b))
		}
		lost = append(lost, fmt.Sprintf("bytes %d to %d of %s were damaged on disk; a copy is kept as %s.damaged", s.size, next, name, filepath.Base(name)))
		s.size = next
	}
	j.disk += s.size
	return lost, nil
}

// replay does again what a commit did.
func (j *Journal) replay(s *segment, o operation) {
	if o.kind == opDelete {
		j.drop(o.bucket, o.key)
		return
	}
	p := place{seg: s, off: o.off, n: len(o.value)}
	if p.n <= smallMost {
		p.small = append([]byte{}, o.value...)
	}
	j.set(o.bucket, o.key, p)
}

// keepCopy writes a file unless it is there.
func keepCopy(name string, b []byte) error {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, os.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	return errors.Join(err, f.Sync(), f.Close())
}
