package blob

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// syncWhole is from how many files on it is quicker to sync the whole file
// system than file by file: each fsync waits for a turn of the journal.
const syncWhole = 3

// batch is files that are made durable together.
type batch struct {
	files []staged
	done  chan struct{}
	err   error
}

// staged is a file that is written and not yet in its place.
type staged struct {
	f    *os.File
	path string
}

// commit makes a written file durable in its place. Files that come while
// others are at it wait and go together: the first of them does the work.
func (s *Store) commit(f *os.File, path string) error {
	s.mu.Lock()
	first := s.next == nil
	if first {
		s.next = &batch{done: make(chan struct{})}
	}
	b := s.next
	b.files = append(b.files, staged{f, path})
	s.mu.Unlock()
	if !first {
		<-b.done
		return b.err
	}
	s.turn.Lock()
	defer s.turn.Unlock()
	s.mu.Lock()
	s.next = nil // who comes now belongs to the next batch
	s.mu.Unlock()
	b.err = s.place(b.files)
	close(b.done)
	return b.err
}

// place syncs the files, renames them, and syncs their folders. With an error
// none of them counts as kept; one that got to its place is whole all the same.
func (s *Store) place(files []staged) error {
	whole := len(files) >= syncWhole
	if whole {
		if err := syncFS(s.dir); errors.Is(err, errors.ErrUnsupported) {
			whole = false
		} else if err != nil {
			return fmt.Errorf("sync the file system: %w", err)
		}
	}
	folders := map[string]bool{}
	for _, one := range files {
		if !whole {
			if err := one.f.Sync(); err != nil {
				return err
			}
		}
		folder := filepath.Dir(one.path)
		folders[folder] = true
		if _, err := os.Stat(folder); errors.Is(err, fs.ErrNotExist) {
			if err := os.MkdirAll(folder, 0o700); err != nil {
				return err
			}
			folders[filepath.Dir(folder)], folders[s.dir] = true, true // its own name must last too
		}
		if err := os.Rename(one.f.Name(), one.path); err != nil {
			return err
		}
	}
	if whole {
		return syncFS(s.dir)
	}
	for folder := range folders {
		if err := syncDir(folder); err != nil {
			return err
		}
	}
	return nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
