package queue

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"hearken/complaint"
	"hearken/queue/journal"
)

// block is a run of a day's sequence numbers that belongs to this gateway.
type block struct {
	Next int
	Last int
	// Usable is when the lease is safe: Redis has it on disk, so that it can't
	// forget it and give it to another gateway too.
	Usable time.Time
}

// How many numbers are leased at once. The block doubles when it was used up
// within blockQuick, so that a flood does not wait for leases, and a quiet
// gateway does not eat up the day's 99,999.
const (
	blockFirst = 200
	blockMost  = 6400
	blockQuick = 2 * time.Minute
	// numbersLow is more than are on the line at once.
	numbersLow = blockFirst / 2
	// numberKeep is how long Redis remembers a day's counter.
	numberKeep = 4 * 24 * time.Hour
	// tomorrowFrom is the hour from which tomorrow's numbers are leased too,
	// so that a Redis that is away at midnight stops nobody.
	tomorrowFrom = 12
)

// errNoNumber says that no number is at hand: the lease is still under way,
// Redis is away, or the day's numbers are used up.
var errNoNumber = errors.New("no complaint number is leased")

// numbers gives out complaint numbers from leased blocks.
type numbers struct {
	g      *Gateway
	size   atomic.Int64 // of the next block
	leased time.Time    // when today's last block was
	want   chan struct{}
	idle   atomic.Bool // the last try to lease failed: waiting is no use
	low    atomic.Bool // so few are at hand that who needs one must look first
}

// numberWait bounds how long somebody on the line waits for a first lease,
// at the start of a gateway or in a flood.
const numberWait = 3 * time.Second

// await returns once a number is at hand, or none is to be expected soon.
func (n *numbers) await(ctx context.Context) {
	for end := time.Now().Add(numberWait); n.low.Load() && !n.idle.Load() && time.Now().Before(end) && ctx.Err() == nil; sleep(ctx, 10*time.Millisecond) {
		now := time.Now()
		usable := false
		err := n.g.spool.View(func(tx *journal.Tx) error {
			all, err := blocks(tx, complaint.Day(now.In(n.g.cfg.Location)))
			for _, b := range all {
				usable = usable || (b.Next <= b.Last && !now.Before(b.Usable))
			}
			return err
		})
		if usable || err != nil {
			return
		}
	}
}

func blocks(tx *journal.Tx, day string) ([]block, error) {
	b, err := tx.Get(bucketNumbers, day)
	if err != nil {
		return nil, fmt.Errorf("read the leased numbers of %s: %w", day, err)
	}
	out := make([]block, 0, len(b)/blockLen)
	for ; len(b) >= blockLen; b = b[blockLen:] {
		out = append(out, block{
			Next: int(binary.BigEndian.Uint32(b)), Last: int(binary.BigEndian.Uint32(b[4:])),
			Usable: time.Unix(0, int64(binary.BigEndian.Uint64(b[8:]))),
		})
	}
	return out, nil
}

// blockLen is a block on disk: this is written for every number given out.
const blockLen = 16

func putBlocks(tx *journal.Tx, day string, all []block) {
	b := make([]byte, 0, blockLen*len(all))
	for _, one := range all {
		b = binary.BigEndian.AppendUint32(b, uint32(one.Next))
		b = binary.BigEndian.AppendUint32(b, uint32(one.Last))
		b = binary.BigEndian.AppendUint64(b, uint64(one.Usable.UnixNano()))
	}
	tx.Put(bucketNumbers, day, b)
}

// take gives out the next number of today, within the transaction that says
// what it was given for: a number is never given twice, and never lost to a
// crash in between.
func (n *numbers) take(tx *journal.Tx, now time.Time) (string, error) {
	day := complaint.Day(now.In(n.g.cfg.Location))
	all, err := blocks(tx, day)
	if err != nil {
		return "", err
	}
	for i := range all {
		b := &all[i]
		if b.Next > b.Last || now.Before(b.Usable) {
			continue
		}
		number, err := complaint.NewNumber(day, b.Next)
		if err != nil {
			return "", err
		}
		b.Next++
		rest := left(all)
		if rest < int(n.size.Load())/2 {
			n.wake()
		}
		n.low.Store(rest < numbersLow)
		putBlocks(tx, day, all)
		return number, nil
	}
	n.low.Store(true)
	n.wake()
	return "", errNoNumber
}

func left(all []block) (n int) {
	for _, b := range all {
		n += b.Last - b.Next + 1
	}
	return n
}

func (n *numbers) wake() {
	select {
	case n.want <- struct{}{}:
	default:
	}
}

// run leases numbers ahead of need until ctx ends.
func (n *numbers) run(ctx context.Context) error {
	wait := time.NewTimer(0)
	defer wait.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-n.want:
		case <-wait.C:
		}
		next := 10 * time.Second
		err := n.refill(ctx)
		if ctx.Err() != nil {
			return nil
		}
		n.idle.Store(err != nil)
		n.g.away.note(n.g.client.cfg.Log, "lease complaint numbers", err)
		if err != nil {
			next = time.Second
		}
		wait.Reset(next)
	}
}

// refill leases a block for every day that is short of numbers.
func (n *numbers) refill(ctx context.Context) error {
	now := time.Now().In(n.g.cfg.Location)
	days := []string{complaint.Day(now)}
	if now.Hour() >= tomorrowFrom {
		days = append(days, complaint.Day(now.AddDate(0, 0, 1)))
	}
	for _, day := range days {
		var all []block
		err := n.g.spool.View(func(tx *journal.Tx) (err error) {
			all, err = blocks(tx, day)
			return err
		})
		if err != nil {
			return err
		}
		size := int(n.size.Load())
		if left(all) >= size/2 {
			continue
		}
		if day == days[0] && !n.leased.IsZero() && time.Since(n.leased) < blockQuick && size < blockMost {
			size *= 2
			n.size.Store(int64(size))
		}
		if err := n.lease(ctx, day, all, size); err != nil {
			return err
		}
		if day == days[0] {
			n.leased = time.Now()
		}
	}
	return nil
}

// lease gets count numbers of day; with 0 it only tells Redis which are given
// out already, after Redis has lost its memory of them.
func (n *numbers) lease(ctx context.Context, day string, have []block, count int) error {
	high := 0
	for _, b := range have {
		high = max(high, b.Last)
	}
	c := n.g.client
	got, err := c.run(ctx, c.lua.leaseNumbers, []string{c.parts[0].numbers(day)}, count, high, complaint.MaxSequence, seconds(numberKeep)).Int64Slice()
	if err != nil {
		return fmt.Errorf("lease %d numbers of %s: %w", count, day, err)
	}
	if count == 0 {
		return nil
	}
	if len(got) != 2 || got[0] == 0 {
		return fmt.Errorf("lease numbers of %s: all %d of the day are given out; contacts wait in the spool for tomorrow's", day, complaint.MaxSequence)
	}
	b := block{Next: int(got[0]), Last: int(got[1]), Usable: time.Now().Add(n.g.cfg.Settle)}
	return n.g.spool.Update(func(tx *journal.Tx) error {
		all, err := blocks(tx, day)
		if err != nil {
			return err
		}
		// Used-up blocks go, but the last stays: it is the floor of the next.
		kept := all[:0]
		for i, old := range all {
			if old.Next <= old.Last || i == len(all)-1 {
				kept = append(kept, old)
			}
		}
		putBlocks(tx, day, append(kept, b))
		return nil
	})
}

// assert tells a Redis that lost data which numbers are given out.
func (n *numbers) assert(ctx context.Context) error {
	known := map[string][]block{}
	err := n.g.spool.View(func(tx *journal.Tx) error {
		for day := range tx.Walk(bucketNumbers, "", "") {
			all, err := blocks(tx, day)
			if err != nil {
				return err
			}
			known[day] = all
		}
		return nil
	})
	if err != nil {
		return err
	}
	for day, all := range known {
		if err := n.lease(ctx, day, all, 0); err != nil {
			return err
		}
	}
	return nil
}

// forget drops the blocks of days gone by.
func (n *numbers) forget(tx *journal.Tx, now time.Time) error {
	oldest := complaint.Day(now.In(n.g.cfg.Location).AddDate(0, 0, -2))
	for _, day := range slices.Collect(tx.Walk(bucketNumbers, "", "")) {
		if day < oldest {
			tx.Delete(bucketNumbers, day)
		}
	}
	return nil
}
