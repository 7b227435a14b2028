package queue

import (
	"bytes"
	"context"
	"time"

	bolt "go.etcd.io/bbolt"

	"hearken/complaint"
)

// A fragment ("hello") is on disk like any other contact, in bucketHeld,
// until its conversation says more, or falls silent for Idle.

func heldPrefix(conversation string) []byte { return append([]byte(conversation), 0) }

// hold keeps a fragment.
func (g *Gateway) hold(tx *bolt.Tx, c complaint.Contact) error {
	seq, err := tx.Bucket(bucketHeld).NextSequence()
	if err != nil {
		return err
	}
	if err := g.spool.put(tx, bucketHeld, append(heldPrefix(c.Conversation), seqKey(seq)...), c); err != nil {
		return err
	}
	return g.remember(tx, []complaint.Contact{c}, known{}, time.Time{})
}

// heldBefore returns the fragments of the contact's conversation, oldest
// first.
func (g *Gateway) heldBefore(tx *bolt.Tx, c complaint.Contact) ([]complaint.Contact, error) {
	if c.Conversation == "" {
		return nil, nil
	}
	var out []complaint.Contact
	prefix := heldPrefix(c.Conversation)
	cur := tx.Bucket(bucketHeld).Cursor()
	for k, v := cur.Seek(prefix); bytes.HasPrefix(k, prefix); k, v = cur.Next() {
		var held complaint.Contact
		if err := unseal(v, &held); err != nil {
			return nil, err
		}
		out = append(out, held)
	}
	return out, nil
}

// unhold drops the fragments of the contact's conversation, which are in an
// entry now.
func (g *Gateway) unhold(tx *bolt.Tx, c complaint.Contact) error {
	prefix := heldPrefix(c.Conversation)
	var keys [][]byte
	cur := tx.Bucket(bucketHeld).Cursor()
	for k, _ := cur.Seek(prefix); bytes.HasPrefix(k, prefix); k, _ = cur.Next() {
		keys = append(keys, bytes.Clone(k))
	}
	for _, k := range keys {
		if err := g.spool.remove(tx, bucketHeld, k); err != nil {
			return err
		}
	}
	return nil
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
		err := g.spool.update(func(tx *bolt.Tx) error {
			if err := g.ripen(tx, now); err != nil {
				return err
			}
			return g.numbers.forget(tx, now)
		})
		if err == nil {
			err = g.forget(now)
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
func (g *Gateway) ripen(tx *bolt.Tx, now time.Time) error {
	newest := map[string]complaint.Contact{}
	cur := tx.Bucket(bucketHeld).Cursor()
	for k, v := cur.First(); k != nil; k, v = cur.Next() {
		var c complaint.Contact
		if err := unseal(v, &c); err != nil {
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
		if err := g.append(tx, entry{Contacts: held, At: now}, known{}); err != nil {
			return err
		}
	}
	return nil
}

// forgetMost bounds what one sweep deletes, so that the writer stays free.
const forgetMost = 2000

// forget drops what was published longer than Keep ago, unless Redis may have
// lost it and has not been given it back yet.
func (g *Gateway) forget(now time.Time) error {
	if g.marks.doubtful() {
		return nil
	}
	return g.spool.update(func(tx *bolt.Tx) error {
		type old struct {
			key []byte
			p   publication
		}
		var due []old
		cur := tx.Bucket(bucketKept).Cursor()
		for k, v := cur.First(); k != nil && len(due) < forgetMost; k, v = cur.Next() {
			var p publication
			if err := unseal(v, &p); err != nil {
				return err
			}
			if now.Sub(p.At) < g.cfg.Keep {
				break
			}
			due = append(due, old{bytes.Clone(k), p})
		}
		for _, d := range due {
			if err := g.spool.remove(tx, bucketKept, d.key); err != nil {
				return err
			}
			for _, id := range d.p.IDs {
				if err := tx.Bucket(bucketIDs).Delete([]byte(id)); err != nil {
					return err
				}
			}
			if c := d.p.Conversation; c != "" {
				if v := tx.Bucket(bucketConvs).Get([]byte(c)); v != nil && now.Sub(readConv(v).At) >= g.cfg.Keep {
					if err := tx.Bucket(bucketConvs).Delete([]byte(c)); err != nil {
						return err
					}
				}
			}
		}
		return nil
	})
}
