package queue

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"hearken/queue/journal"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	leaseFor   = 20 * time.Second // a silent holder is taken over within leaseFor + leaseEvery
	leaseEvery = 5 * time.Second
)

// fenceKey carries the fencing token of the lease that a context is under.
type fenceKey struct{}

// Hold waits until this gateway holds the lease name, and runs run. The
// context that run gets ends when ctx does, or when another gateway holds the
// lease. While Redis is away the lease stays where it is: nobody else could
// take it. It returns run's error.
func (g *Gateway) Hold(ctx context.Context, name string, run func(context.Context) error) error {
	me := g.id + "/" + rand.Text()
	fence := int64(0)
	for fence == 0 {
		var err error
		fence, err = g.askLease(ctx, name, me, "take")
		g.away.note(g.client.cfg.Log, "take the lease "+name, err)
		if fence == 0 {
			sleep(ctx, leaseEvery)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	held, lose := context.WithCancelCause(context.WithValue(ctx, fenceKey{}, fence))
	defer lose(nil)
	renewed := make(chan struct{})
	go func() {
		defer close(renewed)
		g.renew(held, name, me, lose)
	}()
	err := run(held)
	lose(nil)
	<-renewed
	g.release(name, me)
	return err
}

func (g *Gateway) askLease(ctx context.Context, name, me, how string) (int64, error) {
	c, p := g.client, g.client.parts[0]
	fence, err := c.run(ctx, c.lua.hold, []string{p.lease(name), p.key("fence:" + name)}, me, leaseFor.Milliseconds(), how).Int64()
	if err != nil {
		return 0, fmt.Errorf("%s the lease %s: %w", how, name, err)
	}
	return fence, nil
}

var errLeaseLost = errors.New("another gateway holds the lease now")

func (g *Gateway) renew(ctx context.Context, name, me string, lose context.CancelCauseFunc) {
	for {
		sleep(ctx, leaseEvery)
		if ctx.Err() != nil {
			return
		}
		fence, err := g.askLease(ctx, name, me, "renew")
		if ctx.Err() != nil {
			return
		}
		g.away.note(g.client.cfg.Log, "renew the lease "+name, err)
		if err == nil && fence == 0 {
			lose(errLeaseLost)
			return
		}
	}
}

// release gives the lease back, so that nobody has to wait for its end.
func (g *Gateway) release(name, me string) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	err := g.client.run(ctx, g.client.lua.release, []string{g.client.parts[0].lease(name)}, me).Err()
	if err != nil {
		g.client.cfg.Log.Info("lease is left to run out", "lease", name, "err", err)
	}
}

// Notebook is a durable place on this machine for small notes of a channel:
// jobs that must survive a crash.
type Notebook struct {
	s    *spool
	name string
}

// Notebook opens the notes of a name.
func (g *Gateway) Notebook(name string) *Notebook { return &Notebook{g.spool, name} }

func (n *Notebook) key(key string) string { return n.name + "\x00" + key }

// Put writes a note, and returns once it is on disk.
func (n *Notebook) Put(key string, value []byte) error {
	err := n.s.Update(func(tx *journal.Tx) error {
		tx.Put(bucketNotes, n.key(key), value)
		return nil
	})
	if err != nil {
		return fmt.Errorf("note %s: %w", key, err)
	}
	return nil
}

// Delete drops a note; one that is not there is no error.
func (n *Notebook) Delete(key string) error {
	err := n.s.Update(func(tx *journal.Tx) error {
		tx.Delete(bucketNotes, n.key(key))
		return nil
	})
	if err != nil {
		return fmt.Errorf("drop note %s: %w", key, err)
	}
	return nil
}

// List returns the notes whose key begins with prefix.
func (n *Notebook) List(prefix string) (map[string][]byte, error) {
	out := map[string][]byte{}
	err := n.s.View(func(tx *journal.Tx) error {
		for key := range tx.Walk(bucketNotes, n.key(prefix), "") {
			v, err := tx.Get(bucketNotes, key)
			if err != nil {
				return err
			}
			out[key[len(n.key("")):]] = bytes.Clone(v)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list notes: %w", err)
	}
	return out, nil
}

// position is a cursor as both places keep it; the newer one counts.
type position struct {
	Stamp int64  `json:"stamp"`
	Value []byte `json:"value"`
}

// Load returns the position last saved under key by this gateway or, where
// Redis knows a newer one, by another. It returns nil where there is none.
func (g *Gateway) Load(ctx context.Context, key string) ([]byte, error) {
	notes, err := g.Notebook("cursor").List(key)
	if err != nil {
		return nil, err
	}
	var own, shared position
	if v := notes[key]; v != nil {
		if err := json.Unmarshal(v, &own); err != nil {
			return nil, fmt.Errorf("read position %s: %w", key, err)
		}
	}
	v, err := g.client.write.HGet(ctx, g.client.parts[0].cursor(key), "position").Bytes()
	switch {
	case err == nil:
		if err := json.Unmarshal(v, &shared); err != nil {
			return nil, fmt.Errorf("read position %s: %w", key, err)
		}
	case !errors.Is(err, redis.Nil):
		g.away.note(g.client.cfg.Log, "read the position "+key, err)
	}
	if shared.Stamp > own.Stamp {
		return shared.Value, nil
	}
	return own.Value, nil
}

// Save remembers a position: here for sure, and in Redis if it is there and
// no later holder of the lease has written since.
func (g *Gateway) Save(ctx context.Context, key string, value []byte) error {
	b, err := json.Marshal(position{time.Now().UnixNano(), value})
	if err != nil {
		return err
	}
	if err := g.Notebook("cursor").Put(key, b); err != nil {
		return err
	}
	fence, _ := ctx.Value(fenceKey{}).(int64)
	err = g.client.run(ctx, g.client.lua.saveCursor, []string{g.client.parts[0].cursor(key)}, fence, string(b), time.Now().UnixNano()).Err()
	if ctx.Err() == nil {
		g.away.note(g.client.cfg.Log, "share the position "+key, err)
	}
	return nil
}
