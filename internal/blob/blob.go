// Package blob keeps big bodies (raw mail, attachments, recordings) as files
// named by their SHA-256. It hides how a file becomes durable: written beside
// its place, synced, renamed, its folder synced, many files at a time, and small
// ones by way of a log; it is there whole or not at all.
package blob

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"hearken/complaint"
	"hearken/internal/fsync"
)

// ErrTooBig says that a body had more bytes than Put was told to take.
// Nothing of it is kept.
var ErrTooBig = errors.New("body is larger than allowed")

const prefix = "sha256/"

// strayAge is how old a half-written file must be before Open clears it away:
// older than any single download may last.
const strayAge = 24 * time.Hour

// Store is a folder of blobs. It is safe for concurrent use, also by several
// processes.
type Store struct {
	dir string

	mu   sync.Mutex
	next *batch     // that the next files join
	turn sync.Mutex // of the batch that is being made durable
	log  *log       // that small files go to; nil until one does
}

// New opens the store in dir, making the folder if needed, and clears away
// what a crash left half-written. Close it, so that the next start has nothing
// to look through.
func New(dir string) (*Store, error) {
	s := &Store{dir: dir}
	if err := os.MkdirAll(s.tmp(), 0o700); err != nil {
		return nil, fmt.Errorf("open the blob store: %w", err)
	}
	stray, err := os.ReadDir(s.tmp())
	if err != nil {
		return nil, fmt.Errorf("open the blob store: %w", err)
	}
	for _, e := range stray {
		if fi, err := e.Info(); err == nil && time.Since(fi.ModTime()) > strayAge {
			_ = os.Remove(filepath.Join(s.tmp(), e.Name()))
		}
	}
	if err := s.recover(); err != nil {
		return nil, fmt.Errorf("open the blob store: %w", err)
	}
	return s, nil
}

// Close syncs what is there. Nothing may be put after it.
func (s *Store) Close() error {
	s.turn.Lock()
	defer s.turn.Unlock()
	l := s.log
	s.log = nil
	if err := s.clear(l); err != nil {
		return fmt.Errorf("close the blob store: %w", err)
	}
	return nil
}

// smallMost is up to where a body waits in memory for its file: many files are
// made one after the other much faster than at the same time, when they wait
// for each other's folder.
const smallMost = 64 << 10

// Put stores everything that r gives, at most limit bytes, durably. The same
// bytes give the same Blob and are kept once. It streams: memory stays flat.
func (s *Store) Put(r io.Reader, limit int64) (complaint.Blob, error) {
	b, err := s.put(r, limit)
	if err != nil {
		return complaint.Blob{}, fmt.Errorf("store a blob: %w", err)
	}
	return b, nil
}

func (s *Store) put(from io.Reader, limit int64) (complaint.Blob, error) {
	h := sha256.New()
	r := io.TeeReader(io.LimitReader(from, limit+1), h)
	var head bytes.Buffer
	if in, ok := from.(interface{ Len() int }); ok { // it is in memory already
		head.Grow(min(in.Len(), smallMost) + bytes.MinRead)
	}
	n, err := head.ReadFrom(io.LimitReader(r, smallMost+1))
	if err != nil {
		return complaint.Blob{}, err
	}
	one := &staged{body: head.Bytes()}
	if n > smallMost {
		f, err := os.CreateTemp(s.tmp(), "put-*")
		if err != nil {
			return complaint.Blob{}, err
		}
		one = &staged{f: f}
		defer one.close()
		more, err := io.Copy(f, io.MultiReader(&head, r))
		if err != nil {
			return complaint.Blob{}, err
		}
		n = more
	}
	if n > limit {
		return complaint.Blob{}, fmt.Errorf("more than %d bytes: %w", limit, ErrTooBig)
	}
	sum := hex.EncodeToString(h.Sum(nil)) // as sumOf, of what streamed past
	one.path = s.path(sum)
	b := complaint.Blob{Ref: prefix + sum, SHA256: sum, Size: n}
	if fi, err := os.Stat(one.path); err == nil && fi.Size() == n {
		return b, s.settled(fi, one.path)
	}
	return b, s.commit(one)
}

// settleTime is longer than a batch takes from the first rename to the last
// sync.
const settleTime = time.Minute

// settled makes sure that a file which is there stays: it was synced before it
// was renamed, but whoever did that may not have synced its folder yet.
func (s *Store) settled(fi os.FileInfo, path string) error {
	if time.Since(fi.ModTime()) > settleTime {
		return nil
	}
	return fsync.Dir(filepath.Dir(path))
}

func (s *Store) tmp() string { return filepath.Join(s.dir, "tmp") }

// Open opens a blob for reading by its reference. A reference is checked, so
// that it can't name any other file.
func (s *Store) Open(ref string) (*os.File, error) {
	sum, ok := strings.CutPrefix(ref, prefix)
	if raw, err := hex.DecodeString(sum); !ok || err != nil || len(raw) != sha256.Size || strings.ToLower(sum) != sum {
		return nil, fmt.Errorf("open blob %.80q: not a blob reference", ref)
	}
	f, err := os.Open(s.path(sum))
	if err != nil {
		return nil, fmt.Errorf("open blob %s: %w", ref, err)
	}
	return f, nil
}

func sumOf(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// path spreads the files over 256 folders.
func (s *Store) path(sum string) string {
	return filepath.Join(s.dir, "sha256", sum[:2], sum)
}
