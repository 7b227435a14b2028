package queue

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"hearken/queue/journal"
)

// marks notices a Redis that lost what it had acknowledged (a restart with an
// older file, a failover to a replica that lagged). Each publishing writes a
// mark that only grows; a mark that is older than the last one confirmed
// means that everything since is gone, and it is published again from what
// the spool keeps.
type marks struct {
	mu        sync.Mutex
	last      int64
	confirmed map[int]int64 // by partition
	lost      bool
	losses    int       // that were noticed so far
	good      time.Time // when Redis last had everything that was acknowledged
}

// next is a mark greater than any before it, also of earlier processes.
func (m *marks) next() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.last = max(m.last+1, time.Now().UnixNano())
	return m.last
}

// floors are the marks that Redis has acknowledged so far: what it says to a
// question that is asked now must not be below them. Two ask at the same time,
// and what one is told says nothing about an older question.
func (m *marks) floors() map[int]int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := map[int]int64{}
	maps.Copy(out, m.confirmed)
	return out
}

// confirm books a mark that Redis acknowledged, and the one that it had,
// against the floor of the time of asking.
func (m *marks) confirm(part int, floor, before, now int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.confirmed == nil {
		m.confirmed = map[int]int64{}
	}
	if before < floor {
		m.lost = true
	}
	m.confirmed[part] = max(m.confirmed[part], now)
}

// see compares the mark that is in Redis with the floor of the time of asking.
func (m *marks) see(part int, floor, mark int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if mark < floor {
		m.lost = true
		if m.confirmed[part] == floor { // nothing was published since
			m.confirmed[part] = mark
		}
	}
}

func (m *marks) doubtful() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.lost
}

func (m *marks) setLost(lost bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.lost && !lost { // it is about to be made good
		m.losses++
	}
	m.lost = lost
}

// noticed is how many losses were made good so far.
func (m *marks) noticed() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.losses
}

func (m *marks) setGood(at time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.good = at
}

func (m *marks) lastGood() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.good
}

// lossCheckEvery is how soon a loss is noticed where nothing is published.
const lossCheckEvery = time.Second

// watchLoss gives back to Redis what it lost, until ctx ends. At the start it
// offers everything that is kept: what happened to Redis while this gateway
// was down is not known.
func (g *Gateway) watchLoss(ctx context.Context) error {
	g.marks.setLost(true)
	tick := time.NewTicker(lossCheckEvery)
	defer tick.Stop()
	for {
		err := g.checkLoss(ctx)
		if ctx.Err() != nil {
			return nil
		}
		g.away.note(g.client.cfg.Log, "compare redis with the spool", err)
		g.up.Store(err == nil)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (g *Gateway) checkLoss(ctx context.Context) error {
	now := time.Now()
	floors := g.marks.floors()
	for _, p := range g.client.parts {
		text, err := g.client.write.Get(ctx, p.mark(g.id)).Result()
		if err != nil && !errors.Is(err, redis.Nil) {
			return fmt.Errorf("read the mark: %w", err)
		}
		mark, _ := strconv.ParseInt(text, 10, 64) // "" is 0: no mark
		g.marks.see(p.index, floors[p.index], mark)
	}
	if g.marks.doubtful() {
		g.marks.setLost(false) // a loss from here on is noticed again
		if err := g.restore(ctx); err != nil {
			g.marks.setLost(true)
			return err
		}
	}
	g.marks.setGood(now)
	return nil
}

// restoreMost bounds one round trip of restore.
const restoreMost = 256

// restore publishes again, in order, everything that is kept now; what comes
// while it is at that goes its usual way. What Redis still has is not changed
// by it.
func (g *Gateway) restore(ctx context.Context) error {
	if err := g.numbers.assert(ctx); err != nil {
		return err
	}
	newest, from := "", ""
	for {
		var pubs []publication
		err := g.spool.View(func(tx *journal.Tx) error {
			if from == "" {
				newest = tx.Last(bucketKept)
			}
			for key := range tx.Walk(bucketKept, "", from) {
				if key > newest || len(pubs) == restoreMost {
					break
				}
				from = journal.Key(journal.Number(key) + 1)
				b, err := tx.Get(bucketKept, key)
				var p publication
				if err == nil {
					p, err = unsealPublication(b)
				}
				if err != nil { // one that can't be read must not stop the others
					g.client.cfg.Log.Error("a record that is kept for redis can't be read, and is not given back", "err", err)
					continue
				}
				pubs = append(pubs, p)
			}
			return nil
		})
		if err != nil || len(pubs) == 0 {
			return err
		}
		results, err := g.sendAll(ctx, pubs)
		if err != nil {
			return fmt.Errorf("give back what redis lost: %w", err)
		}
		for i, r := range results {
			switch r.what {
			case "ok":
				g.client.cfg.Audit.Restored(pubs[i].ID, pubs[i].Number)
			case "duplicate":
			default:
				g.client.cfg.Log.Error("a record that redis lost can't go back as it was", "id", pubs[i].ID, "number", pubs[i].Number, "answer", r.what)
			}
		}
	}
}
