package journal

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"

	"hearken/internal/fsync"
)

// A segment is one log file: frames, one a commit. A frame is a head and the
// operations of the commit:
//
//	magic 4 | segment 8 | length 4 | sum of the operations 4 | sum of the head so far 4
//	put:    0x01 bucket 1 | key length uvarint, key | value length uvarint | sum of the value 4 | value
//	delete: 0x02 bucket 1 | key length uvarint, key
//
// Numbers are big endian, sums CRC-32C. The head has a sum of its own so that
// what stands behind a damaged frame is found again.
type segment struct {
	number uint64
	f      file
	size   int64
}

// file is what a segment needs of an *os.File.
type file interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	Name() string
	Sync() error
	Truncate(int64) error
}

const (
	headLen  = 24
	opPut    = 0x01
	opDelete = 0x02
	// segmentMost is from where on the next file is begun. Smaller ones are
	// cleared sooner; each costs an open file.
	segmentMost = 16 << 20
)

var (
	magic      = []byte("\x00HJ1")
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
)

func segmentPath(dir string, number uint64) string {
	return filepath.Join(dir, fmt.Sprintf("%016x.log", number))
}

// logFile syncs without the time of the last change.
type logFile struct{ *os.File }

func (f logFile) Sync() error { return fsync.Data(f.File) }

// newSegment makes an empty file whose name is on disk.
func newSegment(dir string, number uint64) (*segment, error) {
	f, err := os.OpenFile(segmentPath(dir, number), os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := fsync.Dir(dir); err != nil {
		_ = f.Close()
		return nil, err
	}
	return &segment{number: number, f: logFile{f}}, nil
}

// append seals a frame and puts it on disk.
func (s *segment) append(frame []byte) error {
	copy(frame, magic)
	binary.BigEndian.PutUint64(frame[4:], s.number)
	binary.BigEndian.PutUint32(frame[12:], uint32(len(frame)-headLen))
	binary.BigEndian.PutUint32(frame[16:], crc32.Checksum(frame[headLen:], castagnoli))
	binary.BigEndian.PutUint32(frame[20:], crc32.Checksum(frame[:20], castagnoli))
	if _, err := s.f.WriteAt(frame, s.size); err != nil {
		return err
	}
	if err := s.f.Sync(); err != nil {
		return err
	}
	s.size += int64(len(frame))
	return nil
}

// cut takes back what a failed append may have left. The next frame is written
// over it: should a crash bring it back, nobody was told anything since.
func (s *segment) cut(size int64) error {
	if err := s.f.Truncate(size); err != nil {
		return err
	}
	s.size = size
	return nil
}

// read returns a value whose checksum lies at off.
func (s *segment) read(off int64, n int) ([]byte, error) {
	b := make([]byte, 4+n)
	if _, err := s.f.ReadAt(b, off); err != nil {
		return nil, err
	}
	if crc32.Checksum(b[4:], castagnoli) != binary.BigEndian.Uint32(b) {
		return b[4:], ErrDamaged
	}
	return b[4:], nil
}

// frameAt returns the length of the operations of the frame at off, or false
// where no head is right there.
func frameAt(b []byte, off int64, number uint64) (length int64, ok bool) {
	if int64(len(b))-off < headLen {
		return 0, false
	}
	h := b[off : off+headLen]
	if !bytes.Equal(h[:4], magic) || binary.BigEndian.Uint64(h[4:]) != number ||
		crc32.Checksum(h[:20], castagnoli) != binary.BigEndian.Uint32(h[20:]) {
		return 0, false
	}
	return int64(binary.BigEndian.Uint32(h[12:])), true
}

// whole tells whether the frame at off, whose head is right, is there in full.
func whole(b []byte, off, length int64) bool {
	end := off + headLen + length
	return end <= int64(len(b)) && crc32.Checksum(b[off+headLen:end], castagnoli) == binary.BigEndian.Uint32(b[off+16:])
}

// nextFrame finds the first frame behind off whose head is right.
func nextFrame(b []byte, off int64, number uint64) (int64, bool) {
	for {
		i := bytes.Index(b[off:], magic)
		if i < 0 {
			return 0, false
		}
		off += int64(i)
		if length, ok := frameAt(b, off, number); ok && whole(b, off, length) {
			return off, true
		}
		off++
	}
}

// operation is one line of a frame.
type operation struct {
	kind   byte
	bucket Bucket
	key    string
	off    int64 // of the value's sum
	value  []byte
}

// operations reads a frame whose sums are right.
func operations(b []byte, off, length int64, do func(operation)) error {
	at, end := off+headLen, off+headLen+length
	take := func() (int64, bool) {
		n, used := binary.Uvarint(b[at:end])
		if used <= 0 || n > uint64(end-at) {
			return 0, false
		}
		at += int64(used)
		return int64(n), at+int64(n) <= end
	}
	bad := fmt.Errorf("the frame at byte %d is not of this version", off)
	for at < end {
		if end-at < 3 {
			return bad
		}
		o := operation{kind: b[at], bucket: Bucket(b[at+1])}
		at += 2
		n, ok := take()
		if !ok {
			return bad
		}
		o.key = string(b[at : at+n])
		at += n
		if o.kind == opPut {
			if n, ok = take(); !ok || at+4+n > end {
				return bad
			}
			o.off, o.value = at, b[at+4:at+4+n]
			at += 4 + n
		} else if o.kind != opDelete {
			return bad
		}
		do(o)
	}
	return nil
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}
