package blob

import (
	"errors"
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
	err := filepath.WalkDir(dir, func(_ string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
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
