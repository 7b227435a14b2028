package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"hearken/complaint"
	"hearken/queue/journal"
)

// A round of publishing is bounded by its entries and by their bytes: each is
// in memory several times over on its way.
const (
	publishMost  = 256
	publishBytes = 1 << 20
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
	for {
		g.giveWay(ctx, &seen)
		more, err := g.publishRound(ctx)
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

// publishRound publishes what is first in line, at most publishMost entries.
// It tells whether there may be more to do at once.
func (g *Gateway) publishRound(ctx context.Context) (more bool, err error) {
	line, damaged, more, err := g.first()
	if err != nil {
		return false, err
	}
	for _, d := range damaged {
		if err := g.setAside(ctx, d.seq, nil, d.entry, "the spool's entry can't be read: "+d.reason); err != nil {
			return false, err
		}
	}
	if len(line) == 0 {
		return len(damaged) > 0, nil
	}
	round := independent(g.client.cfg, line)
	entries := make([]entry, len(round))
	for i, p := range round {
		entries[i] = p.entry
	}
	threads, err := g.client.resolve(ctx, entries, true)
	if err != nil {
		return false, err
	}
	for i := range round {
		round[i].thread = threads[i]
	}
	if err := g.leadDropped(ctx, round); err != nil {
		return false, err
	}
	todo, numbers, err := g.assign(round)
	if err != nil {
		return false, err
	}
	if err := g.render(ctx, todo); err != nil {
		return false, err
	}
	if err := g.send(ctx, todo); err != nil {
		return false, err
	}
	if numbers != nil {
		return false, numbers
	}
	return more || len(round) < len(line) || len(g.wake) > 0 || g.spool.depth() > 0, nil
}

type damagedEntry struct {
	seq    uint64
	entry  []byte // as it lies on disk
	reason string
}

// first reads the head of the line, and tells whether more stands behind it.
func (g *Gateway) first() (line []pending, damaged []damagedEntry, more bool, err error) {
	err = g.spool.View(func(tx *journal.Tx) error {
		bytes := 0
		for key := range tx.Walk(bucketWaiting, "", "") {
			if more = len(line) == publishMost || bytes >= publishBytes; more {
				break
			}
			bytes += tx.Size(bucketWaiting, key)
			p := pending{seq: journal.Number(key)}
			var b []byte
			var err error
			if e, ok := g.recent.get(p.seq); ok {
				p.entry = e
			} else if b, err = tx.Get(bucketWaiting, key); err == nil {
				p.entry, err = unsealEntry(b)
			}
			if number, err := tx.Get(bucketGiven, key); err == nil && number != nil {
				p.entry.Number = string(number)
			}
			if err != nil {
				damaged = append(damaged, damagedEntry{p.seq, slices.Clone(b), fmt.Sprint(err)})
				continue
			}
			line = append(line, p)
		}
		return nil
	})
	return line, damaged, more, err
}

// independent drops entries that may continue one that stands before them in
// the same round: where they belong is known only once that one is published.
func independent(cfg Config, line []pending) []pending {
	claimed := map[string]bool{}
	var out []pending
	for _, p := range line {
		waits := false
		for _, c := range p.entry.Contacts {
			names, _ := threadNames(c)
			for _, who := range people(c.From) {
				names = append(names, "from "+who)
			}
			for _, name := range append(names, "id "+c.ID) {
				waits = waits || claimed[name]
			}
		}
		for _, c := range p.entry.Contacts {
			names, _ := claims(cfg, c)
			for _, who := range people(c.From) {
				names = append(names, "from "+who) // whose next complaint is a repeat
			}
			for _, name := range append(names, "id "+c.ID) {
				claimed[name] = true
			}
		}
		if !waits {
			out = append(out, p)
		}
	}
	return out
}

// assign drops what adds nothing, and gives new complaints their numbers, on
// disk before anybody hears of them. Entries for which no number is at hand
// stay in line; the second error says so.
func (g *Gateway) assign(round []pending) (todo []pending, short, err error) {
	if !slices.ContainsFunc(round, func(p pending) bool { return p.addsNothing() || p.wantsNumber() }) {
		return round, nil, nil // nothing to write, and so no fsync that others wait for
	}
	now := time.Now()
	err = g.spool.Update(func(tx *journal.Tx) error {
		todo, short = nil, nil
		for _, p := range round {
			last := p.entry.Contacts[len(p.entry.Contacts)-1]
			if p.addsNothing() {
				g.drop(tx, p)
				g.client.cfg.Audit.Duplicate(last.Channel, last.Account, last.ID)
				continue
			}
			if p.wantsNumber() {
				number, err := g.numbers.take(tx, now)
				if errors.Is(err, errNoNumber) {
					short = err
					continue
				}
				if err != nil {
					return err
				}
				p.entry.Number = number
				tx.Put(bucketGiven, journal.Key(p.seq), []byte(number))
			}
			todo = append(todo, p)
		}
		return nil
	})
	return todo, short, err
}

// addsNothing tells an entry that is in a record already, or that only opens a
// conversation that is open.
func (p pending) addsNothing() bool {
	return p.thread.seen || (p.thread.by == byConversation && p.entry.merged().OnlyOpens)
}

func (p pending) wantsNumber() bool { return p.thread.number == "" && p.entry.Number == "" }

// leadDropped makes the numbers that were told for what will be dropped lead
// to the complaint that it is: the same contact may have come to two gateways
// at once, and each has told a number.
func (g *Gateway) leadDropped(ctx context.Context, round []pending) error {
	for _, p := range round {
		if !p.addsNothing() {
			continue
		}
		if err := g.client.lead(ctx, p.thread.part, p.entry.Number, p.thread.number); err != nil {
			return err
		}
	}
	return nil
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

// send publishes, and books what came of it.
func (g *Gateway) send(ctx context.Context, todo []pending) error {
	todo = slices.DeleteFunc(todo, func(p pending) bool { return p.seq == 0 })
	if len(todo) == 0 {
		return nil
	}
	pubs := make([]publication, len(todo))
	for i, p := range todo {
		pubs[i] = p.pub
	}
	results, err := g.sendAll(ctx, pubs)
	if err != nil {
		return err
	}
	err = g.spool.Update(func(tx *journal.Tx) error {
		for i, p := range todo {
			if err := g.book(tx, p, results[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
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
