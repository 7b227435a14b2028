package blob

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sync/errgroup"

	"hearken/internal/fsync"
)

// batch is files that are made durable together.
type batch struct {
	files []*staged
	done  chan struct{}
	err   error
}

// staged is a file that is not yet in its place: a small one is not even
// written.
type staged struct {
	body   []byte
	f      *os.File
	path   string
	placed bool
}

// write makes the file of a small one.
func (s *Store) write(one *staged) (err error) {
	if one.f != nil {
		return nil
	}
	if one.f, err = os.CreateTemp(s.tmp(), "put-*"); err != nil {
		return err
	}
	_, err = one.f.Write(one.body)
	return err
}

// close leaves nothing behind of a file that did not get to its place.
func (one *staged) close() {
	if one.f == nil {
		return
	}
	_ = one.f.Close() // synced, or thrown away
	if !one.placed {
		_ = os.Remove(one.f.Name())
	}
	one.f = nil
}

// commit makes a file durable in its place. Files that come while others are
// at it wait and go together: the first of them does the work.
func (s *Store) commit(one *staged) error {
	s.mu.Lock()
	first := s.next == nil
	if first {
		s.next = &batch{done: make(chan struct{})}
	}
	b := s.next
	b.files = append(b.files, one)
	s.mu.Unlock()
	if !first {
		<-b.done
		return b.err
	}
	s.turn.Lock()
	s.mu.Lock()
	s.next = nil // who comes now belongs to the next batch
	s.mu.Unlock()
	b.err = s.keep(b.files)
	full := s.full()
	s.turn.Unlock()
	close(b.done)
	// Of a log that can't be cleared our own is told: the disk is not well.
	return errors.Join(b.err, s.clear(full))
}

// keep makes files durable: small ones by the log, others by themselves.
func (s *Store) keep(files []*staged) error {
	var small, large []*staged
	for _, one := range files {
		if one.f == nil && fsync.Whole {
			small = append(small, one)
		} else {
			large = append(large, one)
		}
	}
	if len(small) > 0 {
		if err := s.keepSmall(small); err != nil {
			return err
		}
	}
	for _, one := range large {
		if one.f == nil {
			defer one.close()
		}
		if err := s.write(one); err != nil {
			return err
		}
	}
	return s.place(large)
}

// place syncs files, renames them, and syncs their folders. With an error none
// of them counts as kept; one that got to its place is whole all the same.
func (s *Store) place(files []*staged) error {
	var syncs errgroup.Group
	for _, one := range files { // at once: the journal takes those that wait together
		syncs.Go(one.f.Sync)
	}
	if err := syncs.Wait(); err != nil {
		return err
	}
	folders := map[string]bool{}
	for _, one := range files {
		fresh, err := s.rename(one)
		if err != nil {
			return err
		}
		folder := filepath.Dir(one.path)
		if folders[folder] = true; fresh {
			folders[filepath.Dir(folder)], folders[s.dir] = true, true // its own name must last too
		}
	}
	for folder := range folders {
		syncs.Go(func() error { return fsync.Dir(folder) })
	}
	return syncs.Wait()
}

// rename puts a file in its place, and tells whether its folder is new.
func (s *Store) rename(one *staged) (fresh bool, err error) {
	err = os.Rename(one.f.Name(), one.path)
	if errors.Is(err, fs.ErrNotExist) {
		fresh = true
		if err = os.MkdirAll(filepath.Dir(one.path), 0o700); err == nil {
			err = os.Rename(one.f.Name(), one.path)
		}
	}
	one.placed = err == nil
	return fresh, err
}
