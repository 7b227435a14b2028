package queue

import (
	"context"
	"slices"
	"time"

	"hearken/complaint"
	"hearken/queue/journal"
)

// A fragment ("hello") is on disk like any other contact, in bucketHeld,
// until its conversation says more, or falls silent for Idle.

func heldPrefix(conversation string) string { return conversation + "\x00" }

// hold keeps a fragment.
func (g *Gateway) hold(tx *journal.Tx, l line) error {
	prefix := heldPrefix(l.contact.Conversation)
	seq := uint64(1)
	for key := range tx.Walk(bucketHeld, prefix, "") {
		seq = journal.Number(key[len(prefix):]) + 1
	}
	if err := g.spool.put(tx, bucketHeld, prefix+journal.Key(seq), l.text); err != nil {
		return err
	}
	g.remember(tx, []complaint.Contact{l.contact}, known{}, time.Time{})
	return nil
}

// heldBefore returns the fragments of the contact's conversation, oldest
// first.
func (g *Gateway) heldBefore(tx *journal.Tx, c complaint.Contact) ([]line, error) {
	if c.Conversation == "" {
		return nil, nil
	}
	var out []line
	for key := range tx.Walk(bucketHeld, heldPrefix(c.Conversation), "") {
		b, err := tx.Get(bucketHeld, key)
		if err != nil {
			return nil, err
		}
		l, err := readLine(b)
		if err != nil {
			return nil, err
		}
		out = append(out, l)
	}
	return out, nil
}

// unhold drops the fragments of the contact's conversation, which are in an
// entry now.
func (g *Gateway) unhold(tx *journal.Tx, c complaint.Contact) {
	for _, key := range slices.Collect(tx.Walk(bucketHeld, heldPrefix(c.Conversation), "")) {
		tx.Delete(bucketHeld, key)
	}
}

// sweepEvery is how often the spool is looked through for what is due.
const sweepEvery = 5 * time.Second

// sweep registers fragments whose conversation fell silent, and forgets what
// was kept long enough.
func (g *Gateway) sweep(ctx context.Context) error {
	tick := time.NewTicker(min(sweepEvery, g.cfg.Idle, g.cfg.Keep))
	defer tick.Stop()
	tidied := time.Time{}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		now := time.Now()
		err := g.spool.Update(func(tx *journal.Tx) error {
			if err := g.ripen(tx, now); err != nil {
				return err
			}
			return g.numbers.forget(tx, now)
		})
		if err == nil {
			err = g.forget(g.marks.lastGood()) // while Redis is away, nobody knows what it has
		}
		if err == nil && now.Sub(tidied) > time.Hour {
			tidied = now
			err = g.forgetFacts(now)
		}
		g.away.note(g.client.cfg.Log, "sweep the spool", err)
		g.nudge()
	}
}

// partWait is how long the first part of a cut text waits for the next one:
// carriers deliver them within seconds of each other.
const partWait = 20 * time.Second

// ripen moves the fragments of silent conversations into the line.
func (g *Gateway) ripen(tx *journal.Tx, now time.Time) error {
	newest := map[string]complaint.Contact{}
	for key := range tx.Walk(bucketHeld, "", "") {
		var c complaint.Contact
		if _, err := get(tx, bucketHeld, key, &c); err != nil {
			return err
		}
		newest[c.Conversation] = c
	}
	for _, c := range newest {
		wait := g.cfg.Idle
		if c.Part {
			wait = min(wait, partWait)
		}
		if now.Sub(c.ReceivedAt) < wait {
			continue
		}
		held, err := g.heldBefore(tx, c)
		if err != nil {
			return err
		}
		if err := g.append(tx, entry{At: now}, held, known{}); err != nil {
			return err
		}
	}
	return nil
}

// forgetMost bounds what one transaction looks at, so that the writer stays
// free.
const forgetMost = 500

// forget drops what was published longer than Keep ago, unless Redis may have
// lost it and has not been given it back yet.
func (g *Gateway) forget(now time.Time) error {
	for more := true; more && !g.marks.doubtful(); {
		err := g.spool.Update(func(tx *journal.Tx) (err error) {
			more, err = g.forgetSome(tx, now)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// forgetSome tells whether there is more that is due.
func (g *Gateway) forgetSome(tx *journal.Tx, now time.Time) (bool, error) {
	due := map[string]publication{}
	for key := range tx.Walk(bucketKept, "", "") {
		var p publication
		b, err := tx.Get(bucketKept, key)
		if err == nil {
			_, err = unseal(b, &p)
		}
		if err != nil { // it can't be given back; what goes with it is forgotten with the gateway
			p = publication{}
		}
		if now.Sub(p.At) < g.cfg.Keep || len(due) == forgetMost {
			break
		}
		due[key] = p
	}
	for key, p := range due {
		tx.Delete(bucketKept, key)
		for _, id := range p.IDs {
			tx.Delete(bucketIDs, id)
		}
		if conv, ok := convOf(tx, p.Conversation); ok && now.Sub(conv.At) >= g.cfg.Keep {
			tx.Delete(bucketConvs, p.Conversation)
		}
	}
	return len(due) == forgetMost, nil
}
