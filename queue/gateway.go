// Package queue keeps complaints: it is the only owner of Redis and of the
// local spool. It hides how a contact that was accepted gets onto the intake
// stream exactly once and from there to its department, whatever dies in
// between; docs/flow.md tells that story.
//
// Client is the Redis side, used by every role and by the command line.
// Gateway adds the local spool, and is what channels hand their contacts to.
package queue

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"hearken/complaint"
	"hearken/queue/journal"
)

// GatewayConfig of the local side. Zero values take the defaults named here.
type GatewayConfig struct {
	Dir      string        // data_dir; the spool is the folder spool in it
	Keep     time.Duration // how long a published contact stays for a Redis that loses it: 10 min
	MaxBytes int64         // of what is in the spool: 1 GiB
	Idle     time.Duration // how long a fragment waits for its conversation: 10 min
	Receipts int           // receipts an hour to one address: 5
	// Settle is how long a leased number waits before it is used, where Redis
	// may lose its last seconds and other gateways lease from it too: 2 s
	// covers appendfsync everysec. 0 where the Redis is this gateway's own.
	Settle   time.Duration
	Location *time.Location // whose calendar the numbers follow: Asia/Shanghai
	// Normalize makes the standard record of a contact; pure.
	Normalize func(complaint.Contact) complaint.Record
}

// Gateway is the queue of a process that has channels.
type Gateway struct {
	*Client
	cfg     GatewayConfig
	client  *Client
	spool   *spool
	id      string // of this gateway's spool; the same after a restart
	numbers *numbers
	away    *state
	wake    chan struct{}
	marks   marks
	recent  recent
	up      atomic.Bool // Redis answered last time
	// accepting is how many contacts wait for their receipts.
	accepting atomic.Int64
	settled   settled
	lookups   *shared[*complaint.Contact, thread]
	claims    *shared[claim, string]
}

const (
	defaultKeep     = 10 * time.Minute
	defaultMaxBytes = 1 << 30
	defaultIdle     = 10 * time.Minute
	defaultReceipts = 5
)

// OpenGateway opens the spool. Close the gateway after Run has ended.
func OpenGateway(c *Client, cfg GatewayConfig) (*Gateway, error) {
	if cfg.Keep == 0 {
		cfg.Keep = defaultKeep
	}
	if cfg.MaxBytes == 0 {
		cfg.MaxBytes = defaultMaxBytes
	}
	if cfg.Idle == 0 {
		cfg.Idle = defaultIdle
	}
	if cfg.Receipts == 0 {
		cfg.Receipts = defaultReceipts
	}
	if cfg.Location == nil {
		cfg.Location = time.FixedZone("Asia/Shanghai", 8*60*60)
	}
	s, err := openSpool(cfg.Dir, cfg.MaxBytes, c.cfg.Log)
	if err != nil {
		return nil, err
	}
	g := &Gateway{Client: c, client: c, cfg: cfg, spool: s, away: new(state), wake: make(chan struct{}, 1)}
	g.lookups, g.claims = newShared(g.lookup), newShared(g.claim)
	g.numbers = &numbers{g: g, want: make(chan struct{}, 1)}
	g.numbers.size.Store(blockFirst)
	g.numbers.low.Store(true)
	if err := g.identify(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return g, nil
}

// identify gives the spool a name of its own, once.
func (g *Gateway) identify() error {
	err := g.spool.Update(func(tx *journal.Tx) error {
		v, err := tx.Get(bucketMeta, "id")
		if g.id = string(v); v == nil && err == nil {
			g.id = rand.Text()
			tx.Put(bucketMeta, "id", []byte(g.id))
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("name the spool: %w", err)
	}
	return nil
}

// Close closes the spool. The Client stays open.
func (g *Gateway) Close() error { return g.spool.Close() }

// Run publishes what is accepted, until ctx ends. Redis being away is no
// error: contacts wait in the spool.
func (g *Gateway) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, part := range []func(context.Context) error{
		g.numbers.run, g.publish, g.watchLoss, g.sweep, g.takeReturned, g.lookups.run, g.claims.run,
	} {
		group.Go(func() error { return part(ctx) })
	}
	return group.Wait()
}

// Ready tells whether a contact could be accepted now. The last sixteenth of
// the bound counts as full: a larger contact would be refused already.
func (g *Gateway) Ready() error {
	if g.spool.Bytes() >= g.spool.limit-g.spool.limit/16 {
		return complaint.ErrFull
	}
	err := g.spool.Update(func(tx *journal.Tx) error {
		tx.Put(bucketMeta, "probe", []byte(time.Now().Format(time.RFC3339)))
		return nil
	})
	if err == nil {
		err = g.spool.Trouble()
	}
	return err
}

// entry is what waits in the spool: usually one contact, or one with the
// fragments of its conversation before it. All become one record.
type entry struct {
	Contacts []complaint.Contact `json:"contacts,omitempty"`
	Number   string              `json:"number,omitempty"` // once one was assigned
	Told     bool                `json:"told,omitempty"`   // somebody on the line heard a number
	At       time.Time           `json:"at"`
}

// known is what the spool remembers of a contact by its id.
type known struct {
	Number string `json:"number,omitempty"`
	Event  string `json:"event,omitempty"`
}

// Accept takes a contact into the spool, and returns once it is on disk. An
// error means that nothing was kept: the source must hold on to the contact
// and offer it again. complaint.ErrFull says that the spool is at its bound.
func (g *Gateway) Accept(ctx context.Context, c complaint.Contact) (complaint.Receipt, error) {
	if c.ID == "" || c.Channel == "" || c.Ref == "" {
		return complaint.Receipt{}, complaint.Permanent(fmt.Errorf("accept a contact of %q: it has no id, channel or ref", c.Account))
	}
	if err := ctx.Err(); err != nil {
		return complaint.Receipt{}, err
	}
	g.accepting.Add(1)
	defer g.accepting.Add(-1)
	var found thread
	asks := c.NumberNow && !g.settled.has(c)
	if asks && g.up.Load() {
		found, _ = g.lookups.get(ctx, &c)
	}
	if asks && found.number == "" {
		g.numbers.await(ctx)
	}
	now := time.Now()
	r := complaint.Receipt{ID: c.ID}
	l, err := newLine(c)
	if err != nil {
		return r, complaint.Permanent(err)
	}
	err = g.spool.Update(func(tx *journal.Tx) (err error) {
		r, err = g.acceptTx(tx, l, found, now)
		return err
	})
	if err != nil {
		g.recent.clear() // it may be among them, and is not on disk
		g.client.cfg.Audit.Refused(c.Channel, c.Account, c.ID, err)
		return complaint.Receipt{}, fmt.Errorf("keep contact %s: %w", c.ID, err)
	}
	// A call has no window: its webhooks come close together, and anywhere.
	if asks && c.Conversation != "" && c.Window == 0 && r.Number != "" && g.up.Load() {
		if first, ok := g.claims.get(ctx, claim{c.Conversation, r.Number}); ok && first != "" {
			r.Number = first
		}
	}
	if r.Duplicate {
		g.client.cfg.Audit.Duplicate(c.Channel, c.Account, c.ID)
		return r, nil
	}
	g.client.cfg.Audit.Received(c.Channel, c.Account, c.ID)
	g.nudge()
	return r, nil
}

// acceptTx writes the contact.
func (g *Gateway) acceptTx(tx *journal.Tx, l line, found thread, now time.Time) (complaint.Receipt, error) {
	c := l.contact
	r := complaint.Receipt{ID: c.ID}
	var k known
	if found, err := get(tx, bucketIDs, c.ID, &k); found || err != nil {
		r.Duplicate, r.Number, r.Event = found, k.Number, k.Event
		return r, err
	}
	if c.Fragment {
		return r, g.hold(tx, l)
	}
	k = g.tell(tx, c, found, now)
	lines, err := g.heldBefore(tx, c)
	if err != nil {
		return r, err
	}
	if err := g.append(tx, entry{Number: k.Number, Told: c.NumberNow && k.Number != "", At: now}, append(lines, l), k); err != nil {
		return r, err
	}
	r.Number, r.Event, r.Duplicate = k.Number, k.Event, found.seen
	return r, nil
}

// tell finds the number for the receipt: the complaint's that the contact
// continues, or a new one. Without a number the contact is kept all the same.
func (g *Gateway) tell(tx *journal.Tx, c complaint.Contact, found thread, now time.Time) known {
	if found.seen {
		return known{found.number, ""}
	}
	if found.number != "" {
		return known{found.number, complaint.Supplemented}
	}
	if c.Conversation != "" {
		if conv, ok := convOf(tx, c.Conversation); ok && (c.Window == 0 || now.Sub(conv.At) < c.Window) {
			return known{conv.Number, complaint.Supplemented}
		}
	}
	if !c.NumberNow {
		return known{}
	}
	number, err := g.numbers.take(tx, now)
	if err != nil {
		if !errors.Is(err, errNoNumber) {
			g.client.cfg.Log.Error("take a complaint number", "err", err)
		}
		return known{}
	}
	return known{number, complaint.Registered}
}

// line is the encoding in JSON. It is made for every contact, of digits and
// names of events: nothing in it needs to be escaped.
func (k known) line() []byte {
	switch {
	case k.Number == "" && k.Event == "":
		return []byte("{}")
	case k.Event == "":
		return []byte(`{"number":"` + k.Number + `"}`)
	}
	return []byte(`{"number":"` + k.Number + `","event":"` + k.Event + `"}`)
}

// conv is what the spool remembers of a conversation.
type conv struct {
	Number string    `json:"number"`
	At     time.Time `json:"at"`
}

func (c conv) line() []byte {
	return append(c.At.AppendFormat([]byte(`{"number":"`+c.Number+`","at":"`), time.RFC3339Nano), `"}`...)
}

// convOf is what is known of a conversation; what can't be read is unknown.
func convOf(tx *journal.Tx, conversation string) (c conv, ok bool) {
	ok, err := get(tx, bucketConvs, conversation, &c)
	return c, ok && err == nil
}

// append puts an entry of these contacts in line and remembers them by id.
func (g *Gateway) append(tx *journal.Tx, e entry, lines []line, k known) error {
	b, err := sealEntry(e, lines)
	if err != nil {
		return err
	}
	seq := tx.Next(bucketWaiting)
	if err := g.spool.put(tx, bucketWaiting, journal.Key(seq), b); err != nil {
		return err
	}
	for _, l := range lines {
		e.Contacts = append(e.Contacts, l.contact)
		if l.contact.Conversation != "" {
			g.unhold(tx, l.contact)
		}
	}
	g.recent.add(seq, e, len(b))
	g.remember(tx, e.Contacts, k, e.At)
	return nil
}

// remember books what is known of contacts and of their conversation.
func (g *Gateway) remember(tx *journal.Tx, contacts []complaint.Contact, k known, at time.Time) {
	v := k.line()
	for _, c := range contacts {
		if before, err := tx.Get(bucketIDs, c.ID); err == nil && bytes.Equal(before, v) {
			continue // told at the accepting, and the same now
		}
		tx.Put(bucketIDs, c.ID, v)
		if c.Conversation == "" || k.Number == "" {
			continue
		}
		tx.Put(bucketConvs, c.Conversation, conv{k.Number, at}.line())
	}
}

func (g *Gateway) nudge() {
	select {
	case g.wake <- struct{}{}:
	default:
	}
}

// state logs a trouble when it begins, when it changes and when it is over,
// not every second in between.
type state struct {
	mu   sync.Mutex
	what map[string]string
}

func (s *state) note(log logger, what string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.what == nil {
		s.what = map[string]string{}
	}
	before := s.what[what]
	switch {
	case err == nil && before != "":
		delete(s.what, what)
		log.Info("works again", "what", what)
	case err != nil && before != err.Error():
		s.what[what] = err.Error()
		log.Warn("does not work; will be tried again", "what", what, "err", err)
	}
}

type logger interface {
	Info(msg string, args ...any)
	Warn(msg string, args ...any)
}
