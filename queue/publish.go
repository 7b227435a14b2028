package queue

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"hearken/complaint"
	"hearken/queue/journal"
)

const (
	publishMost = 256 // entries in one round trip
	backoffMost = 10 * time.Second
)

// pending is an entry on its way through one round of publishing.
type pending struct {
	seq    uint64
	entry  entry
	thread thread
	pub    publication
}

// publication is everything that puts a record on the intake: what is kept
// for a Redis that loses it, and sent again as it was.
type publication struct {
	IDs          []string  `json:"ids"`
	ID           string    `json:"id"`
	Number       string    `json:"number"`
	Event        string    `json:"event"`
	Channel      string    `json:"channel"`
	Record       string    `json:"record"`
	Threads      []string  `json:"threads,omitempty"`
	TTLs         []int64   `json:"ttls,omitempty"`
	Conversation string    `json:"conversation,omitempty"`
	People       []string  `json:"people,omitempty"`
	History      string    `json:"history"`
	Reply        string    `json:"reply,omitempty"`
	ReplyID      string    `json:"reply_id,omitempty"`
	ReplyTo      string    `json:"reply_to,omitempty"`
	Alias        string    `json:"alias,omitempty"` // another number that was told for it
	Partition    int       `json:"partition"`
	At           time.Time `json:"at"`
}

// publish takes entries off the line in order, in rounds, until ctx ends.
func (g *Gateway) publish(ctx context.Context) error {
	backoff := time.Duration(0)
	for {
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
	line, damaged, err := g.first(publishMost)
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
	threads, err := g.client.resolve(ctx, entries)
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
	return len(line) == publishMost || len(round) < len(line) || len(g.wake) > 0 || g.spool.depth() > 0, nil
}

type damagedEntry struct {
	seq    uint64
	entry  []byte // as it lies on disk
	reason string
}

// first reads the head of the line.
func (g *Gateway) first(most int) (line []pending, damaged []damagedEntry, err error) {
	err = g.spool.View(func(tx *journal.Tx) error {
		for key := range tx.Walk(bucketWaiting, "", "") {
			if len(line) == most {
				break
			}
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
				damaged = append(damaged, damagedEntry{p.seq, bytes.Clone(b), fmt.Sprint(err)})
				continue
			}
			line = append(line, p)
		}
		return nil
	})
	return line, damaged, err
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

// renderAlone is how many records are worth a further processor.
const renderAlone = 32

// render makes the records, and sets aside what can't be one.
func (g *Gateway) render(ctx context.Context, todo []pending) error {
	faults := make([]error, len(todo))
	var work sync.WaitGroup
	// Few are left to one processor: somebody waits for a receipt, maybe.
	workers := min(runtime.GOMAXPROCS(0), 1+len(todo)/renderAlone)
	for part := range workers { // reading what people write is most of the work
		work.Go(func() {
			for i := part; i < len(todo); i += workers {
				faults[i] = g.renderOne(&todo[i])
				runtime.Gosched() // who waits for a receipt goes before who waits for a department
			}
		})
	}
	work.Wait()
	for i := range todo {
		p := &todo[i]
		if err := faults[i]; err != nil {
			if err := g.setAside(ctx, p.seq, p.entry.Contacts, p.entry, err.Error()); err != nil {
				return err
			}
			p.seq = 0
		}
	}
	return nil
}

func (g *Gateway) renderOne(p *pending) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic while making the record: %v", v)
		}
	}()
	now := time.Now()
	c := p.entry.merged()
	if p.thread.number == "" && p.thread.repeats > 0 {
		// Before the rules are asked: they may hold a third complaint for urgent.
		c.Facts = maps.Clone(c.Facts)
		if c.Facts == nil {
			c.Facts = map[string]string{}
		}
		c.Facts[complaint.FactRepeats] = strconv.FormatInt(p.thread.repeats, 10)
	}
	r := g.cfg.Normalize(c)
	r.Schema, r.ID, r.RegisteredAt = complaint.Schema, c.ID, now.In(g.cfg.Location)
	r.ReceivedAt = r.ReceivedAt.In(g.cfg.Location)
	r.Number, r.Event = p.entry.Number, complaint.Registered
	pub := publication{At: now, Partition: p.thread.part.index, Channel: c.Channel, Conversation: c.Conversation}
	if p.thread.number != "" {
		r.Number, r.Event = p.thread.number, complaint.Supplemented
		r.Thread = &complaint.Thread{Of: p.thread.number, By: p.thread.by}
		if p.entry.Number != "" && p.entry.Number != p.thread.number {
			pub.Alias = p.entry.Number
		}
	}
	if p.thread.related != "" {
		if r.Facts == nil {
			r.Facts = map[string]string{}
		}
		r.Facts["related"] = p.thread.related
		r.Notes = append(r.Notes, "names complaint "+p.thread.related+", but its sender is not known there")
	}
	record, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("encode the record: %w", err)
	}
	pub.ID, pub.Number, pub.Event, pub.Record = r.ID, r.Number, r.Event, string(record)
	pub.People = people(r.Complainant)
	for _, one := range p.entry.Contacts {
		pub.IDs = append(pub.IDs, one.ID)
	}
	pub.Threads, pub.TTLs = claims(g.client.cfg, c)
	pub.History = historyLine(r.Event, map[string]string{"id": r.ID, "channel": r.Channel, "type": r.Type, "priority": r.Priority})
	if c.WantsReceipt && !p.entry.Told && !c.Automated {
		if err := pub.addReceipt(&r, now); err != nil {
			return err
		}
	}
	p.pub = pub
	return nil
}

// addReceipt adds the receipt that the channel could not give at once.
func (pub *publication) addReceipt(r *complaint.Record, now time.Time) error {
	reply := r.Reply()
	reply.ID, reply.Kind, reply.Event, reply.At = "receipt-"+r.ID, complaint.ReplyReceipt, r.Event, now
	switch r.Channel {
	case complaint.Email:
		pub.ReplyTo = reply.To.Email
	case complaint.Phone:
		pub.ReplyTo = reply.To.Phone
	case complaint.Chat:
		pub.ReplyTo = reply.Conversation
	}
	if pub.ReplyTo == "" {
		return nil
	}
	b, err := json.Marshal(reply)
	if err != nil {
		return fmt.Errorf("encode the receipt: %w", err)
	}
	pub.Reply, pub.ReplyID = string(b), reply.ID
	return nil
}

// publishSpec is the JSON argument of publish.lua.
type publishSpec struct {
	IDs          int      `json:"ids"`
	Threads      int      `json:"threads"`
	Conversation bool     `json:"conversation"`
	ID           string   `json:"id"`
	Number       string   `json:"number"`
	Event        string   `json:"event"`
	Reply        string   `json:"reply"`
	ReplyID      string   `json:"reply_id"`
	Receipts     int      `json:"receipts"`
	Dedupe       int64    `json:"dedupe"`
	Remember     int64    `json:"remember"`
	TTLs         []int64  `json:"ttls"`
	People       []string `json:"people"`
	History      string   `json:"history"`
	Mark         string   `json:"mark"`
	Now          int64    `json:"now"`     // s
	Repeats      int64    `json:"repeats"` // s that a complaint counts for the next one of its people
}

func (g *Gateway) call(pub publication, mark int64) (scriptCall, error) {
	p := g.client.parts[pub.Partition]
	spec, err := json.Marshal(publishSpec{
		IDs: len(pub.IDs), Threads: len(pub.Threads), Conversation: pub.Conversation != "",
		ID: pub.ID, Number: pub.Number, Event: pub.Event, Reply: pub.Reply, ReplyID: pub.ReplyID, Receipts: g.cfg.Receipts,
		Dedupe: seconds(g.client.cfg.Dedupe), Remember: seconds(g.client.cfg.Remember),
		TTLs: append([]int64{}, pub.TTLs...), People: append([]string{}, pub.People...), History: pub.History,
		Mark: strconv.FormatInt(mark, 10), Now: pub.At.Unix(), Repeats: seconds(g.client.cfg.Repeats),
	})
	if err != nil {
		return scriptCall{}, fmt.Errorf("encode the publishing of %s: %w", pub.ID, err)
	}
	keys := []string{
		p.stream(streamIntake), p.complaint(pub.Number), p.people(pub.Number), p.history(pub.Number),
		p.replies(pub.Channel), p.receipts(pub.ReplyTo), p.mark(g.id),
	}
	for _, id := range pub.IDs {
		keys = append(keys, p.record(id))
	}
	for _, name := range pub.Threads {
		keys = append(keys, p.thread(name))
	}
	for _, who := range pub.People {
		keys = append(keys, p.complaints(who))
	}
	if pub.Conversation != "" {
		keys = append(keys, p.told(pub.Conversation))
	}
	return scriptCall{keys, []any{string(spec), pub.Record}}, nil
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

// result is an answer of publish.lua.
type result struct {
	what   string
	number string
	before int64 // the mark that stood in Redis
	seen   []int
}

// sendAll publishes in one round trip. Each publishing leaves a mark, so that
// a Redis that lost what it had acknowledged is noticed at the next one.
func (g *Gateway) sendAll(ctx context.Context, pubs []publication) ([]result, error) {
	calls := make([]scriptCall, len(pubs))
	marks := make([]int64, len(pubs))
	for i, pub := range pubs {
		var err error
		marks[i] = g.marks.next()
		if calls[i], err = g.call(pub, marks[i]); err != nil {
			return nil, err
		}
	}
	floors := g.marks.floors()
	cmds, err := g.client.runScripts(ctx, g.client.lua.publish, calls)
	if err != nil {
		return nil, fmt.Errorf("publish %d records: %w", len(pubs), err)
	}
	out := make([]result, len(pubs))
	for i, cmd := range cmds {
		if out[i], err = readResult(cmd); err != nil {
			return nil, fmt.Errorf("publish %s: %w", pubs[i].ID, err)
		}
		if out[i].what == "ok" {
			part := pubs[i].Partition
			g.marks.confirm(part, floors[part], out[i].before, marks[i])
			floors[part] = marks[i] // the next one's answer came after it
		}
	}
	return out, g.alias(ctx, pubs, out)
}

// alias makes numbers that were told, but turned out to be of a complaint
// that existed, lead to it.
func (g *Gateway) alias(ctx context.Context, pubs []publication, results []result) error {
	for i, pub := range pubs {
		part, err := g.client.parts[pub.Partition], error(nil)
		switch results[i].what {
		case "ok":
			err = g.client.lead(ctx, part, pub.Alias, pub.Number)
		case "told":
			err = g.client.lead(ctx, part, pub.Number, results[i].number)
		case "duplicate":
			err = errors.Join(g.client.lead(ctx, part, pub.Alias, results[i].number), g.client.lead(ctx, part, pub.Number, results[i].number))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// lead makes a number that was told lead to the complaint's own.
func (c *Client) lead(ctx context.Context, part partition, told, number string) error {
	if told == "" || number == "" || told == number {
		return nil
	}
	key := part.complaint(told)
	_, err := c.write.Pipelined(ctx, func(p redis.Pipeliner) error {
		p.HSet(ctx, key, "alias", number)
		p.Expire(ctx, key, c.cfg.Remember)
		return nil
	})
	if err != nil {
		return fmt.Errorf("make %s lead to %s: %w", told, number, err)
	}
	return nil
}

func readResult(cmd *redis.Cmd) (result, error) {
	v, err := cmd.Slice()
	if err != nil {
		return result{}, err
	}
	r := result{}
	if len(v) > 0 {
		r.what, _ = v[0].(string)
	}
	switch r.what {
	case "taken":
	case "ok":
		if len(v) > 2 {
			text, _ := v[2].(string)
			r.before, _ = strconv.ParseInt(text, 10, 64) // "" is 0: no mark
		}
	case "duplicate", "moved", "told":
		if len(v) > 1 {
			r.number, _ = v[1].(string)
		}
	case "part":
		for _, i := range v[1:] {
			n, _ := i.(int64)
			r.seen = append(r.seen, int(n)-1)
		}
	default:
		return r, fmt.Errorf("unknown answer %v", v)
	}
	return r, nil
}

// book writes what came of one entry: it is kept for a while, or dropped, or
// changed and left in line for the next round.
func (g *Gateway) book(tx *journal.Tx, p pending, r result) error {
	switch r.what {
	case "ok":
		g.leave(tx, p)
		if err := g.remember(tx, p.entry.Contacts, known{p.pub.Number, p.pub.Event}, p.pub.At); err != nil {
			return err
		}
		b, err := sealPublication(p.pub)
		if err == nil {
			err = g.spool.put(tx, bucketKept, journal.Key(tx.Next(bucketKept)), b)
		}
		if errors.Is(err, complaint.ErrFull) {
			return nil // it is published; only the keeping a while is given up
		}
		return err
	case "duplicate":
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
