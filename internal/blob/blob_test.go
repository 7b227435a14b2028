package blob

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
)

func open(t *testing.T) (*Store, string) {
	t.Helper()
	dir := t.TempDir()
	s, err := New(dir)
	if err != nil {
		t.Fatal(err)
	}
	return s, dir
}

func files(t *testing.T, dir string) (n int) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() && filepath.Dir(path) != dir { // not a log
			n++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestPutOnceAndRead(t *testing.T) {
	s, dir := open(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			b, err := s.Put(strings.NewReader("你好"), 100)
			if err != nil || b.Size != 6 || b.Ref != "sha256/"+b.SHA256 {
				t.Errorf("Put: %+v, %v", b, err)
				return
			}
			f, err := s.Open(b.Ref)
			if err != nil {
				t.Error(err)
				return
			}
			defer f.Close()
			if got, err := io.ReadAll(f); err != nil || string(got) != "你好" {
				t.Errorf("read %q, %v", got, err)
			}
		})
	}
	wg.Wait()
	if n := files(t, dir); n != 1 {
		t.Errorf("the same bytes are kept in %d files", n)
	}
}

func TestPutKeepsNothingOfAFailure(t *testing.T) {
	s, dir := open(t)
	if _, err := s.Put(strings.NewReader("12345"), 4); !errors.Is(err, ErrTooBig) {
		t.Errorf("five bytes of four: %v", err)
	}
	cut := errors.New("line cut")
	if _, err := s.Put(io.MultiReader(strings.NewReader("123"), iotest.ErrReader(cut)), 100); !errors.Is(err, cut) {
		t.Errorf("a cut line: %v", err)
	}
	if n := files(t, dir); n != 0 {
		t.Errorf("%d files are left", n)
	}
	if _, err := s.Put(strings.NewReader("1234"), 4); err != nil {
		t.Errorf("four bytes of four: %v", err)
	}
}

func TestOpenRefusesOtherFiles(t *testing.T) {
	s, _ := open(t)
	for _, ref := range []string{"", "sha256/", "sha256/../../../etc/passwd", "/etc/passwd", "sha256/" + strings.Repeat("A", 64), "sha256/" + strings.Repeat("0", 63)} {
		if f, err := s.Open(ref); err == nil {
			f.Close()
			t.Errorf("Open(%q) gave a file", ref)
		}
	}
	if _, err := s.Open("sha256/" + strings.Repeat("0", 64)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a blob that is not there: %v", err)
	}
}

// crash ends a store as the system does: what it has not synced may be gone.
func crash(t *testing.T, s *Store) {
	t.Helper()
	if s.log != nil {
		if err := s.log.f.Close(); err != nil { // and with it the lock
			t.Fatal(err)
		}
	}
}

func logs(t *testing.T, dir string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, logName))
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// What Put said is kept comes back after a crash that took all that was not
// synced; of the log itself, the end may be torn.
func TestKeptThroughACrash(t *testing.T) {
	s, dir := open(t)
	var kept []string
	for _, text := range []string{"gone", "emptied", "cut", "whole", ""} {
		b, err := s.Put(strings.NewReader(text), 100)
		if err != nil {
			t.Fatal(err)
		}
		kept = append(kept, b.SHA256)
	}
	crash(t, s)
	for i, do := range []func(string) error{os.Remove, func(p string) error { return os.Truncate(p, 0) }, func(p string) error { return os.WriteFile(p, []byte("cu\x00"), 0o600) }} {
		if err := do(s.path(kept[i])); err != nil {
			t.Fatal(err)
		}
	}
	log, err := os.OpenFile(logs(t, dir)[0], os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := log.WriteString("HBL1\x00\x00\x00\x09\x00\x00\x00\x00torn"); err != nil {
		t.Fatal(err)
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err = New(dir); err != nil {
		t.Fatal(err)
	}
	for i, text := range []string{"gone", "emptied", "cut", "whole", ""} {
		f, err := s.Open(prefix + kept[i])
		if err != nil {
			t.Error(err)
			continue
		}
		if got, err := io.ReadAll(f); err != nil || string(got) != text {
			t.Errorf("%q came back as %q, %v", text, got, err)
		}
		f.Close()
	}
	if n := files(t, dir); n != len(kept) {
		t.Errorf("%d files of %d", n, len(kept))
	}
	if left := logs(t, dir); len(left) != 0 {
		t.Errorf("logs are left: %q", left)
	}
}

// A log of a process that lives is its own.
func TestAnotherProcessesLogStays(t *testing.T) {
	s, dir := open(t)
	if _, err := s.Put(strings.NewReader("x"), 100); err != nil {
		t.Fatal(err)
	}
	other, err := New(dir)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(logs(t, dir)); n != 1 {
		t.Errorf("%d logs", n)
	}
	if err := errors.Join(s.Close(), other.Close()); err != nil {
		t.Error(err)
	}
	if n := len(logs(t, dir)); n != 0 {
		t.Errorf("%d logs after closing", n)
	}
}

// A full log is cleared while others go on putting.
func TestFullLogIsCleared(t *testing.T) {
	s, dir := open(t)
	body := strings.Repeat("x", smallMost-10)
	var wg sync.WaitGroup
	for part := range 4 {
		wg.Go(func() {
			for i := range 200 {
				if _, err := s.Put(strings.NewReader(fmt.Sprintf("%02d%04d", part, i)+body), smallMost); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if n := files(t, dir); n != 800 {
		t.Errorf("%d files", n)
	}
	sum := int64(0)
	for _, name := range logs(t, dir) {
		fi, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		sum += fi.Size()
	}
	if sum >= logMost {
		t.Errorf("the logs have %d bytes", sum)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
