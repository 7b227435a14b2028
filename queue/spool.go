package queue

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"hearken/complaint"
)

// The buckets of the spool file. Keys of entries are sequence numbers in big
// endian, so that a cursor walks them in the order of acceptance.
var (
	bucketWaiting = []byte("waiting")       // sequence -> entry, not yet published
	bucketKept    = []byte("kept")          // sequence -> publication, kept for a while after it
	bucketHeld    = []byte("held")          // conversation NUL sequence -> contact, a fragment
	bucketIDs     = []byte("ids")           // contact id -> receipt given, as long as the spool knows it
	bucketConvs   = []byte("conversations") // conversation -> number told here
	bucketNumbers = []byte("numbers")       // day -> leased blocks
	bucketNotes   = []byte("notes")         // name NUL key -> value
	bucketMeta    = []byte("meta")
)

// spool is the local write-ahead file. All writing goes through one goroutine
// that puts what waits into one transaction, so that many contacts share an
// fsync.
type spool struct {
	db    *bolt.DB
	ops   chan *op
	done  chan struct{}
	bytes atomic.Int64 // of live entries, against the bound
	depth atomic.Int64 // entries in bucketWaiting
	limit int64
}

// op is one change. do runs inside a transaction; an error from it must leave
// nothing written.
type op struct {
	do   func(tx *bolt.Tx) error
	err  error
	done chan struct{}
}

// commitMost bounds how many changes share one transaction.
const commitMost = 512

// lockWait is how long another process may still hold the file at our start.
const lockWait = 5 * time.Second

// ErrLocked says that another process has the spool open.
var ErrLocked = errors.New("another process has it open; two gateways need a data_dir each")

func openSpool(path string, limit int64) (*spool, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("open the spool: %w", err)
	}
	db, err := bolt.Open(path, 0o600, &bolt.Options{Timeout: lockWait, FreelistType: bolt.FreelistMapType})
	if errors.Is(err, bolterrors.ErrTimeout) {
		err = ErrLocked
	}
	if err != nil {
		return nil, fmt.Errorf("open the spool %s: %w", path, err)
	}
	s := &spool{db: db, ops: make(chan *op, commitMost), done: make(chan struct{}), limit: limit}
	err = db.Update(func(tx *bolt.Tx) error {
		for _, name := range [][]byte{bucketWaiting, bucketKept, bucketHeld, bucketIDs, bucketConvs, bucketNumbers, bucketNotes, bucketMeta} {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		for _, name := range [][]byte{bucketWaiting, bucketKept, bucketHeld} {
			c := tx.Bucket(name).Cursor()
			for k, v := c.First(); k != nil; k, v = c.Next() {
				s.bytes.Add(int64(len(v)))
			}
		}
		s.depth.Store(int64(tx.Bucket(bucketWaiting).Stats().KeyN))
		return nil
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open the spool %s: %w", path, err), db.Close())
	}
	go s.commit()
	return s, nil
}

// close waits for what is under way. No update may be called after it.
func (s *spool) close() error {
	close(s.ops)
	<-s.done
	return s.db.Close()
}

// commit is the one writer.
func (s *spool) commit() {
	defer close(s.done)
	for first := range s.ops {
		batch := []*op{first}
		for more := true; more && len(batch) < commitMost; {
			select {
			case o, ok := <-s.ops:
				if more = ok; ok {
					batch = append(batch, o)
				}
			default:
				more = false
			}
		}
		s.commitBatch(batch)
	}
}

func (s *spool) commitBatch(batch []*op) {
	bytes, depth := s.bytes.Load(), s.depth.Load()
	err := s.db.Update(func(tx *bolt.Tx) error {
		for _, o := range batch {
			o.err = guardTx(tx, o.do)
		}
		return nil
	})
	if err != nil {
		// Nothing of the batch is on disk (a full disk, an I/O error).
		s.bytes.Store(bytes)
		s.depth.Store(depth)
		err = fmt.Errorf("write the spool: %w", err)
	}
	for _, o := range batch {
		o.err = errors.Join(o.err, err)
		close(o.done)
	}
}

// guardTx keeps a panic of one change from ending the writer.
func guardTx(tx *bolt.Tx, do func(*bolt.Tx) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic in the spool: %v", p)
		}
	}()
	return do(tx)
}

// update runs do in a transaction and returns once it is on disk.
func (s *spool) update(do func(tx *bolt.Tx) error) error {
	o := &op{do: do, done: make(chan struct{})}
	s.ops <- o
	<-o.done
	return o.err
}

// put writes a value with its checksum: bbolt sums up only its own meta pages.
// It counts the bytes, and refuses those that pass the bound.
func (s *spool) put(tx *bolt.Tx, bucket, key []byte, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode for the spool: %w", err)
	}
	sealed := binary.BigEndian.AppendUint32(nil, crc32.Checksum(b, castagnoli))
	sealed = append(sealed, b...)
	if s.bytes.Load()+int64(len(sealed)) > s.limit {
		return complaint.ErrFull
	}
	if err := tx.Bucket(bucket).Put(key, sealed); err != nil {
		return err
	}
	s.bytes.Add(int64(len(sealed)))
	return nil
}

// remove deletes a value that put wrote.
func (s *spool) remove(tx *bolt.Tx, bucket, key []byte) error {
	b := tx.Bucket(bucket)
	n := len(b.Get(key))
	if err := b.Delete(key); err != nil {
		return err
	}
	s.bytes.Add(int64(-n))
	return nil
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var errDamaged = errors.New("its checksum is wrong: the file was damaged on disk")

// unseal undoes put.
func unseal(sealed []byte, v any) error {
	if len(sealed) < 4 || crc32.Checksum(sealed[4:], castagnoli) != binary.BigEndian.Uint32(sealed) {
		return errDamaged
	}
	return json.Unmarshal(sealed[4:], v)
}

func seqKey(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }
func seqOf(k []byte) uint64  { return binary.BigEndian.Uint64(k) }
