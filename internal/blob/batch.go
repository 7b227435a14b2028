package blob

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sync/errgroup"
)

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
	var syncs errgroup.Group
	for _, one := range files { // at once: the journal takes those that wait together
		syncs.Go(one.f.Sync)
	}
	if err := syncs.Wait(); err != nil {
		return err
	}
	folders := map[string]bool{}
	for _, one := range files {
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
	for folder := range folders {
		syncs.Go(func() error { return syncDir(folder) })
	}
	return syncs.Wait()
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
