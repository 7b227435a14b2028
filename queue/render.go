package queue

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"runtime"
	"strconv"
	"sync"
	"time"

	"hearken/complaint"
)

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
	History      string    `json:"history,omitempty"`
	Reply        string    `json:"reply,omitempty"`
	ReplyID      string    `json:"reply_id,omitempty"`
	ReplyTo      string    `json:"reply_to,omitempty"`
	Alias        string    `json:"alias,omitempty"` // another number that was told for it
	Partition    int       `json:"partition"`
	At           time.Time `json:"at"`
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
	if r.Event != complaint.Registered { // of that the record itself tells
		pub.History = historyLine(now, r.Event, map[string]string{"id": r.ID, "channel": r.Channel, "type": r.Type, "priority": r.Priority})
	}
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
