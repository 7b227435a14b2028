package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"hearken/complaint"
)

// groupGateways is the consumer group of all gateways on updates and replies.
const groupGateways = "gateways"

// Updates is the gateway's view of {complaints}:updates. It must be read by
// one goroutine.
type Updates struct {
	c *Client
	g *group
}

// Updates opens the view.
func (c *Client) Updates() *Updates {
	return &Updates{c, c.group(groupGateways, func(p partition) string { return p.stream(streamUpdates) })}
}

// UpdateDelivery is an update with the complaint that it is about.
type UpdateDelivery struct {
	Update    complaint.Update
	Complaint *Complaint // nil where the number is not known
	Entry     string
	Attempts  int
	part      int
	fields    map[string]any
}

// Read returns up to most updates, or none after about a second.
func (u *Updates) Read(ctx context.Context, most int) ([]UpdateDelivery, error) {
	msgs, err := u.g.read(ctx, most)
	if err != nil {
		return nil, err
	}
	var out []UpdateDelivery
	for _, m := range msgs {
		d := UpdateDelivery{Entry: m.id, Attempts: m.attempts, part: m.part, fields: m.fields, Update: complaint.Update{
			Number: m.text("number"), Status: m.text("status"), Message: m.text("message"), By: m.text("by"), Note: m.text("note"),
		}}
		if n, err := complaint.ParseNumber(d.Update.Number); err == nil {
			d.Update.Number = n
			d.Complaint, err = u.c.Complaint(ctx, n)
			if err != nil && !errors.Is(err, ErrUnknownNumber) {
				return nil, err
			}
		}
		out = append(out, d)
	}
	return out, nil
}

// Answer books the update on its complaint and queues reply (nil for none) to
// the customer, once however often it is called.
func (u *Updates) Answer(ctx context.Context, d UpdateDelivery, reply *complaint.Reply) error {
	p := u.c.parts[d.part]
	if d.Complaint == nil {
		return fmt.Errorf("answer update %s: its complaint is not known", d.Entry)
	}
	if d.Complaint.part != p {
		// Written to another partition than the complaint's: handed on, since
		// a script can't reach across.
		return u.c.handOn(ctx, p, d.Complaint.part, d)
	}
	var id, text, channel string
	if reply != nil {
		b, err := json.Marshal(reply)
		if err != nil {
			return fmt.Errorf("encode reply %s: %w", reply.ID, err)
		}
		id, text, channel = reply.ID, string(b), reply.Channel
	}
	number := d.Complaint.Number
	status, line := d.Update.Status, historyLine(time.Now(), "update", map[string]string{"status": d.Update.Status, "message": d.Update.Message, "by": d.Update.By, "note": d.Update.Note})
	if reply != nil && reply.Kind == complaint.ReplyPresence {
		status, line = "", "" // who types is no part of a complaint's history
	}
	asks, reason, lead := "", "", ""
	if route := d.Complaint.Route; status == complaint.Returned && route != nil {
		asks, reason, lead = complaint.RecordID(complaint.Returned, number, d.Entry), d.Update.Note, route.Department
	}
	err := u.c.run(ctx, u.c.lua.answer,
		[]string{p.stream(streamUpdates), p.complaint(number), p.history(number), p.replies(channel), p.stream(streamIntake), p.accept()},
		groupGateways, d.Entry, number, status, line, id, text, seconds(u.c.cfg.Remember), asks, d.Update.By, reason, lead).Err()
	if err != nil {
		return fmt.Errorf("answer update %s of %s: %w", d.Entry, number, err)
	}
	return nil
}

func (c *Client) handOn(ctx context.Context, from, to partition, d UpdateDelivery) error {
	args := make([]any, 0, 2*len(d.fields))
	for k, v := range d.fields {
		args = append(args, k, v)
	}
	if err := c.xadd(ctx, to.stream(streamUpdates), args); err != nil {
		return err
	}
	return c.write.XAck(ctx, from.stream(streamUpdates), groupGateways, d.Entry).Err()
}

// Pass finishes an update that leaves nothing behind.
func (u *Updates) Pass(ctx context.Context, d UpdateDelivery) error {
	if err := u.c.write.XAck(ctx, u.c.parts[d.part].stream(streamUpdates), groupGateways, d.Entry).Err(); err != nil {
		return fmt.Errorf("pass update %s: %w", d.Entry, err)
	}
	return nil
}

// Dead gives an update up to the dead stream.
func (u *Updates) Dead(ctx context.Context, d UpdateDelivery, reason string) error {
	return u.c.dead(ctx, u.c.parts[d.part], streamUpdates, groupGateways, d.Entry, d.Attempts, d.fields, reason)
}

// Replies is a gateway's view of {complaints}:replies:<channel>. It must be
// read by one goroutine.
type Replies struct {
	c       *Client
	g       *group
	channel string

	mu   sync.Mutex
	hand map[string]ReplyDelivery // read, and not finished
}

// Replies opens the view of one channel.
func (c *Client) Replies(channel string) *Replies {
	return &Replies{
		c: c, g: c.group(groupGateways, func(p partition) string { return p.replies(channel) }), channel: channel, hand: map[string]ReplyDelivery{},
	}
}

// KeepAlive tells the other gateways, until ctx ends, that what was read is
// still in hand here: a reply may be under way for minutes, or wait for its
// next try, and must not be sent by two.
func (r *Replies) KeepAlive(ctx context.Context) {
	for ctx.Err() == nil {
		sleep(ctx, r.c.cfg.ClaimAfter/3)
		r.mu.Lock()
		byPart := map[int][]string{}
		for _, d := range r.hand {
			byPart[d.part] = append(byPart[d.part], d.entry)
		}
		r.mu.Unlock()
		for part, entries := range byPart {
			err := r.c.write.XClaimJustID(ctx, &redis.XClaimArgs{
				Stream: r.c.parts[part].replies(r.channel), Group: groupGateways, Consumer: r.c.cfg.Consumer, Messages: entries,
			}).Err()
			if err != nil && ctx.Err() == nil {
				r.c.cfg.Log.Warn("keep replies in hand", "channel", r.channel, "err", err)
			}
		}
	}
}

func (r *Replies) finished(d ReplyDelivery, err error) error {
	if err == nil {
		r.mu.Lock()
		delete(r.hand, d.entry)
		r.mu.Unlock()
	}
	return err
}

// ReplyDelivery is a reply on its way out.
type ReplyDelivery struct {
	Reply    complaint.Reply
	Err      error // it can't be read as a reply
	Attempts int
	entry    string
	part     int
	fields   map[string]any
}

// Read returns up to most replies, or none after about a second.
func (r *Replies) Read(ctx context.Context, most int) ([]ReplyDelivery, error) {
	msgs, err := r.g.read(ctx, most)
	if err != nil {
		return nil, err
	}
	var out []ReplyDelivery
	for _, m := range msgs {
		d := ReplyDelivery{Attempts: m.attempts, entry: m.id, part: m.part, fields: m.fields}
		if err := json.Unmarshal([]byte(m.text("reply")), &d.Reply); err != nil {
			d.Err = fmt.Errorf("the field reply is not a reply: %w", err)
		}
		r.mu.Lock()
		r.hand[d.entry] = d
		r.mu.Unlock()
		out = append(out, d)
	}
	return out, nil
}

// Done says that the reply is out.
func (r *Replies) Done(ctx context.Context, d ReplyDelivery) error {
	p := r.c.parts[d.part]
	presence := d.Reply.Kind == complaint.ReplyPresence
	line := historyLine(time.Now(), "replied", map[string]string{"id": d.Reply.ID, "channel": r.channel, "kind": d.Reply.Kind})
	cmds, err := r.c.write.Pipelined(ctx, func(pipe pipeliner) error {
		pipe.XAck(ctx, p.replies(r.channel), groupGateways, d.entry)
		if !presence {
			pipe.RPush(ctx, p.history(d.Reply.Number), line)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("book reply %s as sent (%d commands): %w", d.Reply.ID, len(cmds), err)
	}
	if !presence {
		r.c.cfg.Audit.Replied(r.channel, d.Reply.ID, d.Reply.Number, d.Reply.Kind)
	}
	return r.finished(d, nil)
}

// Redirect hands a reply to another channel that may reach the customer.
func (r *Replies) Redirect(ctx context.Context, d ReplyDelivery, to complaint.Reply) error {
	b, err := json.Marshal(to)
	if err != nil {
		return fmt.Errorf("encode reply %s: %w", to.ID, err)
	}
	p := r.c.parts[d.part]
	err = r.c.run(ctx, r.c.lua.hand, []string{p.replies(r.channel), p.replies(to.Channel)}, groupGateways, d.entry,
		"id", to.ID, "number", to.Number, "reply", string(b)).Err()
	if err != nil {
		return fmt.Errorf("redirect reply %s from %s to %s: %w", to.ID, r.channel, to.Channel, err)
	}
	return r.finished(d, nil)
}

// Dead gives a reply up to the dead stream.
func (r *Replies) Dead(ctx context.Context, d ReplyDelivery, reason string) error {
	return r.finished(d, r.c.dead(ctx, r.c.parts[d.part], streamReplies+r.channel, groupGateways, d.entry, d.Attempts, d.fields, reason))
}
