package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"hearken/complaint"
	"hearken/queue/journal"
)

// A round of publishing is bounded by its entries and by their bytes: each is
// in memory several times over on its way, and two rounds are.
const (
	publishMost  = 256
	publishBytes = 512 << 10
	backoffMost  = 10 * time.Second
)

// pending is an entry on its way through one round of publishing.
type pending struct {
	seq    uint64
	entry  entry
	thread thread
	pub    publication
}

// publish takes entries off the line in order, in rounds, until ctx ends.
func (g *Gateway) publish(ctx context.Context) error {
	backoff := time.Duration(0)
	var seen storm
	var last flight
	defer last.land() // the error is told by turn, or ctx has ended
	for {
		g.giveWay(ctx, &seen)
		more, err := g.turn(ctx, &last, backoff > 0)
		if ctx.Err() != nil {
			return nil
		}
		g.up.Store(err == nil || errors.Is(err, errNoNumber))
		g.away.note(g.client.cfg.Log, "publish to redis", err)
		wait := time.Hour // until nudged
		switch {
		case err != nil:
			backoff = min(max(2*backoff, 100*time.Millisecond), backoffMost)
			wait = backoff/2 + rand.N(backoff/2)
		case more:
			backoff, wait = 0, 0
		default:
			backoff = 0
		}
		if wait == 0 {
			continue
		}
		timer := time.NewTimer(wait)
		nudged := g.wake
		if err != nil {
			nudged = nil // new contacts don't make Redis come back sooner
		}
		select {
		case <-ctx.Done():
		case <-nudged:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// flight is a round that is on its way to Redis, and then out of the line.
type flight struct {
	round  []pending
	landed chan error
}

// land waits for the round, and tells what became of it.
func (f *flight) land() error {
	if f.landed == nil {
		return nil
	}
	err := <-f.landed
	*f = flight{}
	return err
}

// turn makes a round ready, of what is first in line, while the last one is on
// its way, and sends it once that has landed. It tells whether there may be
// more to do at once. After a failure a round goes alone: what becomes of it
// says how long to wait, and whether Redis is up.
func (g *Gateway) turn(ctx context.Context, last *flight, alone bool) (more bool, err error) {
	round, short, err := g.prepare(ctx, last.round)
	if err := last.land(); err != nil {
		return false, err // what was made ready is made again: it stands behind what failed
	}
	if err != nil {
		return false, err
	}
	if len(round) > 0 {
		landed := make(chan error, 1)
		*last = flight{round, landed}
		go func() { landed <- g.send(ctx, round) }()
	}
	if short != nil || alone {
		if err := last.land(); err != nil {
			return false, err
		}
	}
	if short != nil {
		return false, short
	}
	return len(round) > 0 || g.spool.depth() > 0, nil
}

// replace writes an entry anew in its place. It was within the bound before;
// a few bytes more are no reason to refuse it now.
func (g *Gateway) replace(tx *journal.Tx, p pending) error {
	lines := make([]line, len(p.entry.Contacts))
	for i, c := range p.entry.Contacts {
		var err error
		if lines[i], err = newLine(c); err != nil {
			return err
		}
	}
	b, err := sealEntry(p.entry, lines)
	if err != nil {
		return err
	}
	g.leave(tx, p)
	tx.Put(bucketWaiting, journal.Key(p.seq), b)
	return nil
}

// leave takes an entry out of line.
func (g *Gateway) leave(tx *journal.Tx, p pending) {
	g.recent.drop(p.seq)
	tx.Delete(bucketWaiting, journal.Key(p.seq))
	tx.Delete(bucketGiven, journal.Key(p.seq))
}

// drop takes an entry out of line, and forgets its contacts' ids.
func (g *Gateway) drop(tx *journal.Tx, p pending) {
	g.leave(tx, p)
	for _, c := range p.entry.Contacts {
		tx.Delete(bucketIDs, c.ID)
	}
}

// send publishes, and books what came of it. It changes nothing of todo, which
// the next round is held against meanwhile.
func (g *Gateway) send(ctx context.Context, todo []pending) error {
	pubs := make([]publication, len(todo))
	for i, p := range todo {
		pubs[i] = p.pub
	}
	losses := g.marks.noticed()
	results, err := g.sendAll(ctx, pubs)
	if err != nil {
		return err
	}
	if err := g.bookAll(todo, results, losses); err != nil {
		return err
	}
	for i, p := range todo {
		if results[i].what == "ok" {
			g.settled.add(p.entry.Contacts[0])
			g.client.cfg.Audit.Queued(p.pub.Channel, p.pub.ID, p.pub.Number, p.pub.Event, p.entry.age())
		}
	}
	return nil
}

// bookAll writes what came of a round, before which so many losses had been
// noticed. One that was noticed since was made good without the round.
func (g *Gateway) bookAll(todo []pending, results []result, losses int) error {
	err := g.spool.Update(func(tx *journal.Tx) error {
		for i, p := range todo {
			if err := g.book(tx, p, results[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil && g.marks.noticed() != losses {
		g.marks.setLost(true)
	}
	return err
}

// book writes what came of one entry: it is kept for a while, or dropped, or
// changed and left in line for the next round.
func (g *Gateway) book(tx *journal.Tx, p pending, r result) error {
	switch r.what {
	case "ok":
		return g.keep(tx, p)
	case "duplicate":
		if r.number == p.pub.Number { // it was us: the answer was lost
			return g.keep(tx, p)
		}
		g.drop(tx, p)
	case "part":
		seen := map[int]bool{}
		for _, i := range r.seen {
			seen[i] = true
		}
		p.entry = p.entry.without(seen)
		return g.replace(tx, p)
	case "told":
		p.entry.Number = r.number
		return g.replace(tx, p)
	case "moved":
		return nil // the next round's look-up finds the conversation's number
	case "taken":
		// Redis had lost the lease of this number and gave it to another
		// gateway. This complaint gets a new one.
		g.client.cfg.Log.Error("complaint number was given out twice after redis lost data; the later complaint gets a new one", "number", p.pub.Number, "id", p.pub.ID)
		p.entry.Number = ""
		return g.replace(tx, p)
	}
	return nil
}

// keep takes what is published out of line, and keeps it for a Redis that loses
// it.
func (g *Gateway) keep(tx *journal.Tx, p pending) error {
	g.leave(tx, p)
	g.remember(tx, p.entry.Contacts, known{p.pub.Number, p.pub.Event}, p.pub.At)
	b, err := sealPublication(p.pub)
	if err == nil {
		err = g.spool.put(tx, bucketKept, journal.Key(tx.Next(bucketKept)), b)
	}
	if errors.Is(err, complaint.ErrFull) {
		return nil // it is published; only the keeping a while is given up
	}
	return err
}

// setAside gives what can't become a record to the dead stream, with its
// contact as it is.
func (g *Gateway) setAside(ctx context.Context, seq uint64, contacts []complaint.Contact, what any, reason string) error {
	text, err := json.Marshal(what)
	if err != nil {
		return fmt.Errorf("encode a contact for the dead stream: %w", err)
	}
	id := fmt.Sprintf("%s/%d", g.id, seq)
	fields, err := json.Marshal(map[string]string{"contact": string(text)})
	if err != nil {
		return fmt.Errorf("encode a contact for the dead stream: %w", err)
	}
	err = g.client.xadd(ctx, g.client.parts[0].stream(streamDead),
		[]any{"id", id, "stream", streamReturned, "reason", reason, "attempts", 1, "entry", string(fields)})
	if err != nil {
		return err
	}
	g.client.cfg.Audit.Dead("contact", id, reason)
	return g.spool.Update(func(tx *journal.Tx) error {
		g.drop(tx, pending{seq: seq, entry: entry{Contacts: contacts}})
		return nil
	})
}
