package queue

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"hearken/complaint"
	"hearken/queue/journal"
)

// The buckets of the spool. The keys of the line and of what is kept are
// sequence numbers: a walk goes in the order of acceptance.
const (
	bucketWaiting journal.Bucket = 1 // sequence -> entry, not yet published
	bucketKept    journal.Bucket = 2 // sequence -> publication, kept for a while after it
	bucketHeld    journal.Bucket = 3 // conversation NUL sequence -> contact, a fragment
	bucketIDs     journal.Bucket = 4 // contact id -> receipt given, as long as the spool knows it
	bucketConvs   journal.Bucket = 5 // conversation -> number told here
	bucketNumbers journal.Bucket = 6 // day -> leased blocks
	bucketNotes   journal.Bucket = 7 // name NUL key -> value
	bucketMeta    journal.Bucket = 8
	bucketGiven   journal.Bucket = 9 // sequence -> number that was given to what waits
)

// spool is the local write-ahead file: a journal with a bound.
type spool struct {
	*journal.Journal
	limit int64
}

// openSpool opens the spool in the folder of that name below dir.
func openSpool(dir string, limit int64, log faults) (*spool, error) {
	path := filepath.Join(dir, "spool")
	if old := filepath.Join(dir, "spool.db"); exists(old) {
		return nil, fmt.Errorf("open the spool: %s is the spool of an earlier version, which this one can't read: start that version until nothing waits (hearken_spool_waiting is 0), then remove the file", old)
	}
	j, lost, err := journal.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open the spool %s: %w", path, err)
	}
	for _, what := range lost {
		log.Error("part of the spool can't be read; what was in it and not yet on redis is lost, unless its source still has it", "what", what)
	}
	return &spool{j, limit}, nil
}

func exists(name string) bool {
	_, err := os.Lstat(name)
	return err == nil
}

type faults interface {
	Error(msg string, args ...any)
}

// put writes what is large, unless it would pass the bound.
func (s *spool) put(tx *journal.Tx, bucket journal.Bucket, key string, b []byte) error {
	if tx.Bytes()+int64(len(b)) > s.limit {
		return complaint.ErrFull
	}
	tx.Put(bucket, key, b)
	return nil
}

// get reads a value that is JSON; false where there is none.
func get(tx *journal.Tx, bucket journal.Bucket, key string, v any) (bool, error) {
	b, err := tx.Get(bucket, key)
	if b == nil || err != nil {
		return false, err
	}
	if err := json.Unmarshal(b, v); err != nil {
		return false, fmt.Errorf("read what the spool keeps as %d/%q: %w", bucket, key, err)
	}
	return true, nil
}

// depth is how many entries are in line.
func (s *spool) depth() int { return s.Len(bucketWaiting) }
