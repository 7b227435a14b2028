package journal

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"go.uber.org/goleak"
	"pgregory.net/rapid"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// state is all that a journal holds, by "bucket/key".
type state map[string]string

func holds(t testing.TB, j *Journal) state {
	t.Helper()
	out := state{}
	err := j.View(func(tx *Tx) error {
		for b := range Bucket(4) {
			last := ""
			for key := range tx.Walk(b, "", "") {
				v, err := tx.Get(b, key)
				if err != nil {
					return err
				}
				out[fmt.Sprintf("%d/%s", b, key)] = string(v)
				if last >= key && last != "" {
					t.Errorf("%q after %q", key, last)
				}
				last = key
			}
			if tx.Last(b) != last {
				t.Errorf("the last of %d is %q, told as %q", b, last, tx.Last(b))
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func open(t testing.TB, dir string) *Journal {
	t.Helper()
	j, lost, err := Open(dir)
	if err != nil || len(lost) > 0 {
		t.Fatal(lost, err)
	}
	return j
}

func shut(t testing.TB, j *Journal) {
	t.Helper()
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
}

// put is one value on its way in.
func put(t testing.TB, j *Journal, key string, value []byte) {
	t.Helper()
	if err := j.Update(func(tx *Tx) error { tx.Put(1, key, value); return nil }); err != nil {
		t.Fatal(err)
	}
}

var errNo = errors.New("no")

// TestAnyCutLeavesWholeCommits writes commits of all kinds, cuts the file
// anywhere as a loss of power does, and finds the commits before the cut:
// all of each or nothing.
func TestAnyCutLeavesWholeCommits(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		dir := t.TempDir()
		j := open(t, dir)
		now := state{}
		ends := []int64{0} // of the file after each commit
		after := []state{{}}
		for range rapid.IntRange(1, 8).Draw(rt, "commits") {
			want := maps.Clone(now)
			fail := rapid.IntRange(0, 4).Draw(rt, "fail") == 0
			err := j.Update(func(tx *Tx) error {
				for range rapid.IntRange(0, 5).Draw(rt, "changes") {
					b := Bucket(rapid.IntRange(0, 3).Draw(rt, "bucket"))
					key := rapid.StringMatching(`[a-c]{0,2}`).Draw(rt, "key")
					name := fmt.Sprintf("%d/%s", b, key)
					if rapid.Bool().Draw(rt, "delete") {
						tx.Delete(b, key)
						delete(want, name)
					} else {
						size := rapid.SampledFrom([]int{0, 1, smallMost, smallMost + 1, 700}).Draw(rt, "size")
						v := bytes.Repeat([]byte{byte(size), 'x', magic[1]}, size)[:size]
						tx.Put(b, key, v)
						want[name] = string(v)
					}
					if v, err := tx.Get(b, key); err != nil || string(v) != want[name] {
						rt.Fatalf("within the commit: %q, %v", v, err)
					}
				}
				if fail {
					return errNo
				}
				return nil
			})
			if fail != errors.Is(err, errNo) {
				rt.Fatal(err)
			}
			if !fail {
				now = want
			}
			if got := holds(t, j); !maps.Equal(got, now) {
				rt.Fatalf("holds %q, want %q", got, now)
			}
			ends, after = append(ends, j.head().size), append(after, maps.Clone(now))
		}
		shut(t, j)
		file := segmentPath(dir, 1)
		whole, err := os.ReadFile(file)
		if err != nil {
			rt.Fatal(err)
		}
		cuts := rapid.SliceOfN(rapid.IntRange(0, len(whole)), 20, 40).Draw(rt, "cuts")
		for _, end := range ends {
			cuts = append(cuts, int(end), int(end)-1, int(end)+1, int(end)+headLen)
		}
		for i, cut := range cuts {
			cut = min(max(cut, 0), len(whole))
			if err := os.WriteFile(file, whole[:cut], 0o600); err != nil {
				rt.Fatal(err)
			}
			j := open(t, dir)
			n := 0
			for c, end := range ends {
				if end <= int64(cut) {
					n = c
				}
			}
			if got := holds(t, j); !maps.Equal(got, after[n]) {
				rt.Fatalf("cut at %d of %d: %q, want %q", cut, len(whole), got, after[n])
			}
			if i == 0 { // what is written behind a cut lasts
				put(t, j, "new", []byte("x"))
				shut(t, j)
				j = open(t, dir)
				if got := holds(t, j); got["1/new"] != "x" || len(got) != len(after[n])+1 {
					rt.Fatalf("after the cut and a write: %q", got)
				}
			}
			shut(t, j)
		}
	})
}

// TestClearing fills many files with what soon dies, and some that lives.
func TestClearing(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir)
	put(t, j, "for years", []byte("here"))
	big := bytes.Repeat([]byte("0123456789abcdef"), 64<<10/16)
	for i := range 2000 { // 128 MB in all, 50 alive
		err := j.Update(func(tx *Tx) error {
			tx.Put(2, Key(tx.Next(2)), append(big, Key(uint64(i))...))
			if i >= 50 {
				for key := range tx.Walk(2, "", "") {
					tx.Delete(2, key)
					break
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Trouble(); err != nil {
		t.Fatal(err)
	}
	want := holds(t, j)
	if len(want) != 51 || want["1/for years"] != "here" {
		t.Fatalf("%d values alive", len(want))
	}
	shut(t, j)
	names, err := filepath.Glob(dir + "/*.log")
	if err != nil || len(names) > 5 || slices.Contains(names, segmentPath(dir, 1)) {
		t.Errorf("files left: %v, %v", names, err)
	}
	j = open(t, dir)
	if !maps.Equal(holds(t, j), want) {
		t.Error("opened again, it holds something else")
	}
	if err := j.Update(func(tx *Tx) error {
		if n := tx.Next(2); n != 2001 {
			t.Errorf("the next number is %d", n)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	shut(t, j)
}

// weak is a file on a disk that fails.
type weak struct {
	file
	room     int  // bytes that it still takes; a write beyond is done in part
	syncs    bool // whether Sync works
	truncate bool // whether Truncate works
}

func (w *weak) WriteAt(b []byte, off int64) (int, error) {
	n := min(len(b), w.room)
	w.room -= n
	if _, err := w.file.WriteAt(b[:n], off); err != nil {
		return 0, err
	}
	if n < len(b) {
		return n, syscall.ENOSPC
	}
	return n, nil
}

func (w *weak) Sync() error {
	if !w.syncs {
		return syscall.EIO
	}
	return w.file.Sync()
}

func (w *weak) Truncate(n int64) error {
	if !w.truncate {
		return syscall.EIO
	}
	return w.file.Truncate(n)
}

func TestFailingDisk(t *testing.T) {
	for name, c := range map[string]struct {
		disk  weak
		heals bool
	}{
		"full":                        {weak{room: 10, syncs: true, truncate: true}, true},
		"full from the first byte":    {weak{room: 0, syncs: true, truncate: true}, true},
		"sync fails":                  {weak{room: 1 << 20, syncs: false, truncate: true}, true},
		"neither sync nor taken back": {weak{room: 1 << 20, syncs: false}, false},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			j := open(t, dir)
			put(t, j, "a", []byte("before"))
			want := holds(t, j)
			bytes := j.Bytes()
			good, disk := j.head().f, c.disk
			disk.file = good
			j.head().f = &disk
			err := j.Update(func(tx *Tx) error {
				tx.Put(1, "a", []byte("after"))
				tx.Put(1, "b", []byte("new"))
				return nil
			})
			if err == nil || !strings.Contains(err.Error(), dir) {
				t.Fatalf("told %v", err)
			}
			if got := holds(t, j); !maps.Equal(got, want) || j.Bytes() != bytes {
				t.Errorf("after a refusal it holds %q", got)
			}
			j.head().f = good
			err = j.Update(func(tx *Tx) error { tx.Put(1, "c", []byte("later")); return nil })
			if c.heals {
				want["1/c"] = "later"
			}
			if c.heals != (err == nil) || (!c.heals && !errors.Is(err, ErrBroken)) {
				t.Fatalf("once the disk is well: %v", err)
			}
			shut(t, j)
			if !c.heals {
				return // what is on such a disk nobody knows
			}
			j = open(t, dir)
			if got := holds(t, j); !maps.Equal(got, want) {
				t.Errorf("opened again: %q, want %q", got, want)
			}
			shut(t, j)
		})
	}
}

// TestDamage turns over each byte of a file with five commits: the others are
// there, and what is lost is told, except at the end, where damage can't be
// told from a commit that was not finished.
func TestDamage(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir)
	ends := []int64{}
	for i := range 5 {
		put(t, j, fmt.Sprint(i), fmt.Appendf(nil, "value %d", i))
		ends = append(ends, j.head().size)
	}
	shut(t, j)
	file := segmentPath(dir, 1)
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for at := range whole {
		bad := bytes.Clone(whole)
		bad[at] ^= 0x55
		if err := os.WriteFile(file, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		j, lost, err := Open(dir)
		if err != nil {
			t.Fatal(at, err)
		}
		hit := slices.IndexFunc(ends, func(end int64) bool { return int64(at) < end })
		got := holds(t, j)
		for i := range 5 {
			if v := got[fmt.Sprintf("1/%d", i)]; (v == "") != (i == hit) {
				t.Errorf("byte %d is of commit %d; value %d is %q", at, hit, i, v)
			}
		}
		if (len(lost) == 1) != (hit < 4) {
			t.Errorf("byte %d: told %q", at, lost)
		}
		if copied, err := os.ReadFile(file + ".damaged"); hit < 4 && !bytes.Equal(copied, bad) {
			t.Errorf("byte %d: no copy: %v", at, err)
		}
		shut(t, j)
		_ = os.Remove(file + ".damaged")
	}
}

func TestDamageWhileOpen(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir)
	v := bytes.Repeat([]byte("words "), 100)
	put(t, j, "a", v)
	if _, err := j.head().f.WriteAt([]byte("!"), j.head().size-1); err != nil {
		t.Fatal(err)
	}
	err := j.View(func(tx *Tx) error {
		got, err := tx.Get(1, "a")
		if len(got) != len(v) {
			t.Errorf("what is left is %q", got)
		}
		return err
	})
	if !errors.Is(err, ErrDamaged) {
		t.Errorf("told %v", err)
	}
	shut(t, j)
}

func TestMissingFileIsTold(t *testing.T) {
	dir := t.TempDir()
	for _, n := range []uint64{3, 5} {
		s, err := newSegment(dir, n)
		if err != nil {
			t.Fatal(err)
		}
		s.f.Close()
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	j, lost, err := Open(dir)
	if err != nil || len(lost) != 1 || !strings.Contains(lost[0], "missing") {
		t.Fatal(lost, err)
	}
	shut(t, j)
}

func TestOnlyOneAtATime(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	j := open(t, dir)
	if _, _, err := Open(dir); !errors.Is(err, ErrLocked) {
		t.Errorf("opened twice: %v", err)
	}
	shut(t, j)
	shut(t, open(t, dir))
}

// TestManyAtOnce has writers and readers at the same time; a reader sees
// commits whole.
func TestManyAtOnce(t *testing.T) {
	j := open(t, t.TempDir())
	var wg sync.WaitGroup
	for w := range 20 {
		wg.Go(func() {
			for i := range 20 {
				err := j.Update(func(tx *Tx) error {
					tx.Put(1, fmt.Sprintf("%d/%d", w, i), []byte("a"))
					tx.Put(2, fmt.Sprintf("%d/%d", w, i), []byte("b"))
					if i == 10 {
						panic("in the middle")
					}
					return nil
				})
				if (err != nil) != (i == 10) {
					t.Errorf("change %d: %v", i, err)
				}
			}
		})
		wg.Go(func() {
			for range 20 {
				_ = j.View(func(tx *Tx) error {
					if a, b := len(slices.Collect(tx.Walk(1, "", ""))), len(slices.Collect(tx.Walk(2, "", ""))); a != b {
						t.Errorf("half a commit: %d and %d", a, b)
					}
					return nil
				})
			}
		})
	}
	wg.Wait()
	if j.Len(1) != 20*19 {
		t.Errorf("%d keys", j.Len(1))
	}
	shut(t, j)
}

func FuzzLoad(f *testing.F) {
	dir := f.TempDir()
	j := open(f, dir)
	put(f, j, "a", []byte("small"))
	put(f, j, "b", bytes.Repeat([]byte("large"), 100))
	shut(f, j)
	whole, err := os.ReadFile(segmentPath(dir, 1))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add(whole[10:])
	f.Add([]byte(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		dir := t.TempDir()
		if err := os.WriteFile(segmentPath(dir, 1), b, 0o600); err != nil {
			t.Fatal(err)
		}
		j, _, err := Open(dir)
		if err != nil {
			return
		}
		put(t, j, "new", []byte("x"))
		want := holds(t, j)
		shut(t, j)
		j, lost, err := Open(dir)
		if err != nil || !maps.Equal(holds(t, j), want) {
			t.Errorf("written behind what was there: %v, %v", lost, err)
		}
		shut(t, j)
	})
}

// BenchmarkUpdate has 100 writers of 4 KB: go test -bench . ./queue/journal
func BenchmarkUpdate(b *testing.B) {
	j := open(b, b.TempDir())
	v := bytes.Repeat([]byte("x"), 4096)
	b.SetParallelism(50)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			err := j.Update(func(tx *Tx) error {
				key := Key(tx.Next(1))
				tx.Put(1, key, v)
				tx.Delete(1, Key(Number(key)-1000))
				return nil
			})
			if err != nil {
				b.Fatal(err)
			}
		}
	})
	shut(b, j)
}
