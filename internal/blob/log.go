package blob

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"hearken/internal/fsync"
)

// A log makes small files durable many at a time: their bodies are written
// into it one behind the other, and one sync serves all of them. The files
// themselves are put in their places unsynced; the system writes them when it
// suits it. Once the log is large, everything is synced in one go, and the log
// removed. What a crash leaves of it is put in place at the next start.
//
// Each body stands behind a head: magic 4 | length 4 | CRC-32C of the body 4.
type log struct {
	f    *os.File
	size int64
	buf  []byte // what is added; its memory serves the next batch
}

const (
	logName = "log-*"
	logHead = 12
	// logMost is from where on a log is cleared: so much is read again after a
	// crash, in well under a second, and so many mails share the sync.
	logMost = 32 << 20
	// keptBuf bounds the memory that is kept between batches.
	keptBuf = 1 << 20
)

var (
	logMagic   = []byte("HBL1")
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
)

// newLog makes a log that is locked as long as this process lives.
func newLog(dir string) (*log, error) {
	f, err := os.CreateTemp(dir, logName)
	if err != nil {
		return nil, err
	}
	if err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err == nil {
		err = fsync.Dir(dir)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close(), os.Remove(f.Name()))
	}
	return &log{f: f}, nil
}

// add makes bodies durable: all of them, or with an error none that counts.
func (l *log) add(files []*staged) error {
	b := l.buf[:0]
	for _, one := range files {
		b = append(b, logMagic...)
		b = binary.BigEndian.AppendUint32(b, uint32(len(one.body)))
		b = binary.BigEndian.AppendUint32(b, crc32.Checksum(one.body, castagnoli))
		b = append(b, one.body...)
	}
	if _, err := l.f.WriteAt(b, l.size); err != nil {
		return err
	}
	if err := fsync.Data(l.f); err != nil {
		return err
	}
	l.size += int64(len(b))
	if l.buf = b; cap(b) > keptBuf {
		l.buf = nil
	}
	return nil
}

// keepSmall makes small files durable and puts them in their places.
func (s *Store) keepSmall(files []*staged) (err error) {
	if s.log == nil {
		if s.log, err = newLog(s.dir); err != nil {
			return err
		}
	}
	if err := s.log.add(files); err != nil {
		return err
	}
	for _, one := range files {
		if err := s.unsynced(one); err != nil {
			return err
		}
	}
	return nil
}

// unsynced puts a small file in its place; that it is durable is up to a log.
// Nobody knows its name yet, so it is written there at once; only where the
// place is taken, by half a file or by the same one, it is written beside it.
func (s *Store) unsynced(one *staged) error {
	f, err := os.OpenFile(one.path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrNotExist) {
		if err = os.MkdirAll(filepath.Dir(one.path), 0o700); err == nil {
			f, err = os.OpenFile(one.path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		}
	}
	if err == nil {
		if _, err = f.Write(one.body); err != nil {
			return errors.Join(err, f.Close(), os.Remove(one.path))
		}
		return f.Close()
	}
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	defer one.close()
	if err := s.write(one); err != nil {
		return err
	}
	_, err = s.rename(one)
	return err
}

// full takes the log away where it is large enough to be cleared. The turn is
// held.
func (s *Store) full() *log {
	l := s.log
	if l == nil || l.size < logMost {
		return nil
	}
	s.log = nil
	return l
}

// clear syncs everything, and removes a log that nobody needs any more. With
// an error it stays for the next start.
func (s *Store) clear(l *log) error {
	if l == nil {
		return nil
	}
	if err := fsync.All(s.dir); err != nil {
		return fmt.Errorf("sync what %s holds: %w", l.f.Name(), errors.Join(err, l.f.Close()))
	}
	return errors.Join(os.Remove(l.f.Name()), l.f.Close())
}

// recover puts what logs of ended processes hold in place, and clears them.
func (s *Store) recover() error {
	names, err := filepath.Glob(filepath.Join(s.dir, logName))
	if err != nil {
		return err
	}
	var left []*log
	for _, name := range names {
		f, err := os.OpenFile(name, os.O_RDWR, 0)
		if err != nil {
			return err
		}
		if syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil { // another process is at it
			if err := f.Close(); err != nil {
				return err
			}
			continue
		}
		left = append(left, &log{f: f})
	}
	for _, l := range left {
		if err := s.replay(l.f); err != nil {
			return fmt.Errorf("read %s: %w", l.f.Name(), err)
		}
	}
	for _, l := range left {
		if err := s.clear(l); err != nil {
			return err
		}
	}
	return nil
}

// replay puts every body of a log in its place where it is not there whole.
// The log ends with the first body that is not whole: nobody was told that it
// is kept.
func (s *Store) replay(f *os.File) error {
	in := bufio.NewReader(f)
	head := make([]byte, logHead)
	for {
		if _, err := io.ReadFull(in, head); err != nil || !bytes.Equal(head[:4], logMagic) {
			return ended(err)
		}
		n := binary.BigEndian.Uint32(head[4:])
		if n > smallMost {
			return nil
		}
		body := make([]byte, n)
		if _, err := io.ReadFull(in, body); err != nil || crc32.Checksum(body, castagnoli) != binary.BigEndian.Uint32(head[8:]) {
			return ended(err)
		}
		one := &staged{body: body, path: s.path(sumOf(body))}
		if there, err := os.ReadFile(one.path); err == nil && slices.Equal(there, body) {
			continue
		}
		if err := s.unsynced(one); err != nil {
			return err
		}
	}
}

// ended is nil for a log that just ends.
func ended(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return err
}
