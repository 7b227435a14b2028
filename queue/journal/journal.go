// Package journal keeps small things on disk: sorted buckets of keys and
// values, changed in transactions that share an fsync. It hides the log files
// that they lie in, what a crash leaves of them, and how they are cleared.
//
// A log, and not a tree of pages, because of what the spool does: nearly
// everything that is written is gone within minutes. A commit is one write at
// the end of a file and one fsync, however many keys it changes and wherever
// they sort; what is dead is cleared file by file. The keys are in memory,
// about 200 bytes each with small values; values above smallMost are read from
// disk.
package journal

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"

	"github.com/tidwall/btree"
)

// Bucket names a space of keys. Its number is on disk: it never changes.
type Bucket byte

const (
	// commitMost bounds how many changes share one fsync.
	commitMost = 512
	// lockWait is how long another process may still hold the folder at our
	// start.
	lockWait = 5 * time.Second
	// frameMost is up to where a commit's memory is used again.
	frameMost = 4 << 20
	// smallMost is up to where a value stays in memory beside its key.
	smallMost = 256
	// overhead is what a key costs in memory beside its bytes, roughly: it
	// counts against the caller's bound, so that many small things can't pass it.
	overhead = 150
)

// ErrLocked says that another process has the journal open.
var ErrLocked = errors.New("another process has it open; two gateways need a data_dir each")

// ErrDamaged says that a value is not what was written.
var ErrDamaged = errors.New("its checksum is wrong: the file was damaged on disk")

// ErrBroken says that the last write failed and could not be taken back; only
// opening the journal anew tells what is on disk.
var ErrBroken = errors.New("an earlier write failed and could not be undone; start the gateway again once the disk is well")

// Journal is an open folder of log files. All methods may be called at once.
type Journal struct {
	dir  string
	lock *os.File
	ops  chan *op
	done chan struct{}

	mu       sync.RWMutex
	buckets  map[Bucket]*btree.Map[string, place]
	next     map[Bucket]uint64
	segments []*segment // oldest first; the last is written to
	bytes    int64      // of what is alive, with overhead
	disk     int64      // of all segments
	frame    []byte     // of the commit before, for its memory
	broken   error
	unclear  error // why the last clearing did not succeed
}

// place is where a value lies.
type place struct {
	seg   *segment
	off   int64 // of its checksum, in the file
	n     int   // bytes of the value
	small []byte
}

// op is one change. do runs inside a transaction.
type op struct {
	do   func(*Tx) error
	err  error
	done chan struct{}
}

// Open opens the journal in dir, made if need be, and takes up what is there:
// everything that was committed, and of the last commit all or nothing. What
// was damaged on disk since is left out and told in lost, one text each; its
// file is kept beside the others with the ending .damaged.
func Open(dir string) (j *Journal, lost []string, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, nil, err
	}
	j = &Journal{
		dir: dir, ops: make(chan *op, commitMost), done: make(chan struct{}),
		buckets: map[Bucket]*btree.Map[string, place]{}, next: map[Bucket]uint64{},
	}
	if err := j.seize(); err != nil {
		return nil, nil, err
	}
	if lost, err = j.load(); err != nil {
		return nil, nil, errors.Join(err, j.release())
	}
	go j.commit()
	return j, lost, nil
}

// seize locks the folder against other processes.
func (j *Journal) seize() error {
	f, err := os.OpenFile(j.dir+"/lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	for end := time.Now().Add(lockWait); ; time.Sleep(50 * time.Millisecond) {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			j.lock = f
			return nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) || time.Now().After(end) {
			break
		}
	}
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = ErrLocked
	}
	return errors.Join(err, f.Close())
}

// release closes all files.
func (j *Journal) release() error {
	errs := []error{}
	for _, s := range j.segments {
		errs = append(errs, s.f.Close())
	}
	return errors.Join(append(errs, j.lock.Close())...)
}

// Close waits for what is under way. Nothing may be called after it.
func (j *Journal) Close() error {
	close(j.ops)
	<-j.done
	return j.release()
}

// Update runs do in a transaction and returns once what it changed, and what
// it saw, is on disk. With an error, of do or of the disk, nothing of it is
// kept. do runs while nothing else does, and must not wait for anything.
func (j *Journal) Update(do func(*Tx) error) error {
	o := &op{do: do, done: make(chan struct{})}
	j.ops <- o
	<-o.done
	return o.err
}

// View runs do on what is on disk. do must not change anything.
func (j *Journal) View(do func(*Tx) error) error {
	j.mu.RLock()
	defer j.mu.RUnlock()
	return do(&Tx{j: j})
}

// Bytes is the size of what is alive, with what its keys cost in memory.
func (j *Journal) Bytes() int64 {
	j.mu.RLock()
	defer j.mu.RUnlock()
	return j.bytes
}

// Trouble is why what is dead could not be cleared, nil where it could: the
// journal works, and takes more and more of the disk.
func (j *Journal) Trouble() error {
	j.mu.RLock()
	defer j.mu.RUnlock()
	return j.unclear
}

// Len is the number of keys in a bucket.
func (j *Journal) Len(b Bucket) int {
	j.mu.RLock()
	defer j.mu.RUnlock()
	return j.bucket(b).Len()
}

// bucket must be called with the lock held. Reading makes none.
func (j *Journal) bucket(b Bucket) *btree.Map[string, place] {
	if m := j.buckets[b]; m != nil {
		return m
	}
	return &btree.Map[string, place]{}
}

// commit is the one writer.
func (j *Journal) commit() {
	defer close(j.done)
	for first := range j.ops {
		batch := []*op{first}
		for n := -1; len(j.ops) > n; {
			n = len(j.ops)
			runtime.Gosched() // whoever is about to write shares the fsync
		}
		for more := true; more && len(batch) < commitMost; {
			select {
			case o, ok := <-j.ops:
				if more = ok; ok {
					batch = append(batch, o)
				}
			default:
				more = false
			}
		}
		j.commitBatch(batch)
		for _, o := range batch {
			close(o.done)
		}
	}
}

// commitBatch runs the changes, and writes them in one go. Readers wait
// meanwhile: they see what is on disk, and nothing else.
func (j *Journal) commitBatch(batch []*op) {
	j.mu.Lock()
	defer j.mu.Unlock()
	tx := j.begin(j.frame[:0])
	for _, o := range batch {
		if o.err = j.broken; o.err == nil {
			o.err = tx.run(o.do)
		}
	}
	if cap(tx.w.frame) <= frameMost {
		j.frame = tx.w.frame
	}
	if err := j.write(tx); err != nil {
		for _, o := range batch {
			o.err = errors.Join(o.err, fmt.Errorf("write %s: %w", j.dir, err))
		}
		return
	}
	j.unclear = j.clear()
}

// begin starts a commit at the end of the last file.
func (j *Journal) begin(frame []byte) *Tx {
	return &Tx{j: j, w: &writing{seg: j.head(), frame: append(frame, make([]byte, headLen)...)}}
}

// write puts a commit on disk; with an error nothing of it is left.
func (j *Journal) write(tx *Tx) error {
	if len(tx.w.undo) == 0 {
		return nil // it only looked
	}
	before := tx.w.seg.size
	if err := tx.w.seg.append(tx.w.frame); err != nil {
		tx.undo(0)
		if tx.w.seg.cut(before) != nil {
			j.broken = fmt.Errorf("%w (%w)", ErrBroken, err)
		}
		return err
	}
	j.disk += tx.w.seg.size - before
	return nil
}

func (j *Journal) head() *segment { return j.segments[len(j.segments)-1] }
