package queue

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"hearken/complaint"
	"hearken/queue/journal"
)

// prepare makes a round ready, of what is first in line behind what is on its
// way. Where numbers are short it holds only what has one; the second error
// says so.
func (g *Gateway) prepare(ctx context.Context, ahead []pending) (todo []pending, short, err error) {
	line, damaged, err := g.first(ahead)
	if err != nil {
		return nil, nil, err
	}
	for _, d := range damaged {
		if err := g.setAside(ctx, d.seq, nil, d.entry, "the spool's entry can't be read: "+d.reason); err != nil {
			return nil, nil, err
		}
	}
	round := independent(g.client.cfg, ahead, line)
	if len(round) == 0 {
		return nil, nil, nil
	}
	entries := make([]entry, len(round))
	for i, p := range round {
		entries[i] = p.entry
	}
	threads, err := g.client.resolve(ctx, entries, true)
	if err != nil {
		return nil, nil, err
	}
	for i := range round {
		round[i].thread = threads[i]
	}
	if err := g.leadDropped(ctx, round); err != nil {
		return nil, nil, err
	}
	if todo, short, err = g.assign(round); err != nil {
		return nil, nil, err
	}
	if err := g.render(ctx, todo); err != nil {
		return nil, nil, err
	}
	return slices.DeleteFunc(todo, func(p pending) bool { return p.seq == 0 }), short, nil
}

type damagedEntry struct {
	seq    uint64
	entry  []byte // as it lies on disk
	reason string
}

// first reads the head of the line, but for what is on its way.
func (g *Gateway) first(ahead []pending) (line []pending, damaged []damagedEntry, err error) {
	flying := make(map[uint64]bool, len(ahead))
	for _, p := range ahead {
		flying[p.seq] = true
	}
	err = g.spool.View(func(tx *journal.Tx) error {
		bytes := 0
		for key := range tx.Walk(bucketWaiting, "", "") {
			if len(line) == publishMost || bytes >= publishBytes {
				break
			}
			p := pending{seq: journal.Number(key)}
			if flying[p.seq] {
				continue
			}
			bytes += tx.Size(bucketWaiting, key)
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
	return line, damaged, err
}

// independent drops entries that may continue one that stands before them in
// the line, or is on its way: where they belong is known only once that one is
// published.
func independent(cfg Config, ahead, line []pending) []pending {
	claimed := map[string]bool{}
	ties := func(c complaint.Contact, names []string) []string {
		for _, who := range people(c.From) {
			names = append(names, "from "+who) // whose next complaint is a repeat
		}
		return append(names, "id "+c.ID)
	}
	claim := func(p pending) {
		claimed["number "+p.entry.Number] = true // was told, maybe, and is named
		for _, c := range p.entry.Contacts {
			names, _ := claims(cfg, c)
			for _, name := range ties(c, names) {
				claimed[name] = true
			}
		}
	}
	waits := func(p pending) bool {
		for _, c := range p.entry.Contacts {
			names, _ := threadNames(c)
			if c.Number != "" {
				names = append(names, "number "+c.Number)
			}
			if slices.ContainsFunc(ties(c, names), func(name string) bool { return claimed[name] }) {
				return true
			}
		}
		return false
	}
	for _, p := range ahead {
		claim(p)
		for _, who := range p.pub.People { // its words may tell of more than its sender
			claimed["from "+who] = true
		}
	}
	var out []pending
	for _, p := range line {
		if !waits(p) {
			out = append(out, p)
		}
		claim(p)
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
