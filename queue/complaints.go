package queue

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"hearken/complaint"
)

// ErrUnknownNumber says that no complaint has the number.
var ErrUnknownNumber = complaint.ErrUnknown

// Complaint is what Redis remembers of one complaint.
type Complaint struct {
	Number  string            `json:"number"`
	Record  complaint.Record  `json:"record"`          // as registered
	Last    complaint.Record  `json:"last"`            // the newest record under the number
	Again   *complaint.Record `json:"again,omitempty"` // by which it was classified and routed anew
	Route   *complaint.Route  `json:"route,omitempty"` // nil until it is routed
	Status  string            `json:"status,omitempty"`
	History []json.RawMessage `json:"history"` // events, oldest first, about 500 at most
	part    partition
}

// Complaint finds a complaint by its number, or by another number that was
// told for it. It returns ErrUnknownNumber where there is none.
func (c *Client) Complaint(ctx context.Context, number string) (*Complaint, error) {
	for range 2 {
		found, alias, err := c.complaint(ctx, number)
		if err != nil || found != nil {
			return found, err
		}
		if alias == "" {
			break
		}
		number = alias
	}
	return nil, fmt.Errorf("%s: %w", complaint.Grouped(number), ErrUnknownNumber)
}

// NumberOf finds the number of the complaint that a record, by its id, is or
// belongs to. It returns ErrUnknownNumber where there is none.
func (c *Client) NumberOf(ctx context.Context, id string) (string, error) {
	for _, p := range c.parts {
		number, err := c.write.Get(ctx, p.contact(id)).Result()
		switch {
		case err == nil:
			return number, nil
		case !errors.Is(err, redis.Nil):
			return "", fmt.Errorf("look up record %s: %w", id, err)
		}
	}
	return "", fmt.Errorf("record %s: %w", id, ErrUnknownNumber)
}

func (c *Client) complaint(ctx context.Context, number string) (found *Complaint, alias string, err error) {
	hashes := make([]*redis.SliceCmd, len(c.parts))
	histories := make([]*redis.StringSliceCmd, len(c.parts))
	_, err = c.write.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, part := range c.parts {
			hashes[i] = p.HMGet(ctx, part.complaint(number), "record", "last", "route", "status", "alias", "again")
			histories[i] = p.LRange(ctx, part.history(number), 0, -1)
		}
		return nil
	})
	if err != nil {
		return nil, "", fmt.Errorf("look up complaint %s: %w", number, err)
	}
	for i, h := range hashes {
		v := h.Val()
		field := func(k int) string { s, _ := v[k].(string); return s }
		if s := field(4); s != "" {
			alias = s
		}
		newest := cmp.Or(field(1), field(0)) // there is no last until something supplements it
		if newest == "" {
			continue
		}
		out := &Complaint{Number: number, Status: field(3), part: c.parts[i]}
		if err := json.Unmarshal([]byte(newest), &out.Last); err != nil {
			return nil, "", fmt.Errorf("read the last record of %s: %w", number, err)
		}
		out.Record = out.Last
		if s := field(0); s != "" {
			out.Record = complaint.Record{}
			if err := json.Unmarshal([]byte(s), &out.Record); err != nil {
				return nil, "", fmt.Errorf("read the record of %s: %w", number, err)
			}
		}
		if s := field(5); s != "" {
			out.Again = new(complaint.Record)
			if err := json.Unmarshal([]byte(s), out.Again); err != nil {
				return nil, "", fmt.Errorf("read the record that routed %s again: %w", number, err)
			}
		}
		if s := field(2); s != "" {
			out.Route = new(complaint.Route)
			if err := json.Unmarshal([]byte(s), out.Route); err != nil {
				return nil, "", fmt.Errorf("read the route of %s: %w", number, err)
			}
		}
		out.History = told(out, histories[i].Val())
		return out, "", nil
	}
	return nil, alias, nil
}

// Address is a Reply to the customer of the complaint, without its words: on
// the channel the complaint came by, in the thread of the newest contact
// there, to the newest address that the customer left.
func (k *Complaint) Address() complaint.Reply {
	r := k.Record.Reply()
	if k.Last.Channel == k.Record.Channel {
		r = k.Last.Reply()
		if r.Subject == "" {
			r.Subject = k.Record.Subject
		}
	}
	for _, from := range []complaint.Person{k.Last.Complainant, k.Record.Complainant} {
		if r.To.Email == "" {
			r.To.Email = from.Email
		}
		if r.To.Phone == "" {
			r.To.Phone = from.Phone
		}
		if r.To.Name == "" {
			r.To.Name = from.Name
		}
	}
	r.Number = k.Number
	return r
}

// Update puts a department's update on the updates stream of the complaint's
// partition, as a ticket system does. It checks that the complaint exists.
func (c *Client) Update(ctx context.Context, u complaint.Update) (entry string, err error) {
	k, err := c.Complaint(ctx, u.Number)
	if err != nil {
		return "", err
	}
	values := []any{"number", k.Number, "status", u.Status}
	for _, f := range [][2]string{{"message", u.Message}, {"by", u.By}, {"note", u.Note}} {
		if f[1] != "" {
			values = append(values, f[0], f[1])
		}
	}
	entry, err = c.write.XAdd(ctx, &redis.XAddArgs{Stream: k.part.stream(streamUpdates), Values: values}).Result()
	if err != nil {
		return "", fmt.Errorf("write the update of %s: %w", k.Number, err)
	}
	return entry, nil
}

// Tail calls show for every record that comes onto the intake (department
// "") and the departments' streams from now on, until ctx ends.
func (c *Client) Tail(ctx context.Context, show func(department, role string, r complaint.Record)) error {
	at := map[string]string{}
	for {
		if err := c.tailStreams(ctx, at); err != nil {
			return err
		}
		var args, ids []string
		for s, id := range at {
			args, ids = append(args, s), append(ids, id)
		}
		res, err := c.read.XRead(ctx, &redis.XReadArgs{Streams: append(args, ids...), Count: 100, Block: blockFor}).Result()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil && !errors.Is(err, redis.Nil) {
			return fmt.Errorf("read the streams: %w", err)
		}
		for _, s := range res {
			for _, m := range s.Messages {
				at[s.Stream] = m.ID
				text, _ := m.Values["record"].(string)
				role, _ := m.Values["role"].(string)
				var r complaint.Record
				if json.Unmarshal([]byte(text), &r) == nil {
					show(c.departmentOf(s.Stream), role, r)
				}
			}
		}
	}
}

// tailStreams adds the streams that are new. One that was not there when Tail
// began is shown from its start.
func (c *Client) tailStreams(ctx context.Context, at map[string]string) error {
	began := len(at) == 0
	for _, p := range c.parts {
		names, err := c.write.SMembers(ctx, p.departments()).Result()
		if err != nil {
			return fmt.Errorf("list the departments' streams: %w", err)
		}
		for _, s := range append(names, p.stream(streamIntake)) {
			if _, ok := at[s]; ok {
				continue
			}
			at[s] = "0-0"
			if !began {
				continue
			}
			last, err := c.write.XRevRangeN(ctx, s, "+", "-", 1).Result()
			if err != nil {
				return fmt.Errorf("find the end of %s: %w", s, err)
			}
			if len(last) == 1 {
				at[s] = last[0].ID
			}
		}
	}
	return nil
}

func (c *Client) departmentOf(stream string) string {
	for _, p := range c.parts {
		if prefix := p.dept(""); len(stream) > len(prefix) && stream[:len(prefix)] == prefix {
			return stream[len(prefix):]
		}
	}
	return ""
}

// DeadEntry is something that was given up.
type DeadEntry struct {
	ID       string         `json:"id"` // of the entry on the dead stream, with "/n" behind it in partition n
	Record   string         `json:"record,omitempty"`
	Stream   string         `json:"stream"`
	Reason   string         `json:"reason"`
	Attempts string         `json:"attempts"`
	At       time.Time      `json:"at"`
	Entry    map[string]any `json:"entry"` // the fields as they stood on Stream
	part     int
	entry    string
}

// dead gives an entry of a stream up to the dead stream of its partition.
func (c *Client) dead(ctx context.Context, p partition, stream, group, entry string, attempts int, fields map[string]any, reason string) error {
	text, err := json.Marshal(fields)
	if err != nil {
		return fmt.Errorf("encode the dead entry %s: %w", entry, err)
	}
	id, _ := fields["id"].(string)
	err = c.run(ctx, c.lua.hand, []string{p.stream(stream), p.stream(streamDead)}, group, entry,
		"id", id, "stream", stream, "reason", reason, "attempts", attempts, "entry", string(text)).Err()
	if err != nil {
		return fmt.Errorf("give entry %s of %s up to the dead stream: %w", entry, stream, err)
	}
	if id == "" {
		id = entry
	}
	c.cfg.Audit.Dead(stream, id, reason)
	return nil
}

// maxDead bounds what DeadList reads at once.
const maxDead = 10000

// DeadList returns what lies on the dead stream, oldest first.
func (c *Client) DeadList(ctx context.Context) ([]DeadEntry, error) {
	var out []DeadEntry
	for _, p := range c.parts {
		msgs, err := c.write.XRangeN(ctx, p.stream(streamDead), "-", "+", maxDead).Result()
		if err != nil {
			return nil, fmt.Errorf("read the dead stream: %w", err)
		}
		for _, m := range msgs {
			msg := message{fields: m.Values}
			e := DeadEntry{
				ID: m.ID, Record: msg.text("id"), Stream: msg.text("stream"), Reason: msg.text("reason"), Attempts: msg.text("attempts"),
				At: entryTime(m.ID), part: p.index, entry: m.ID,
			}
			if len(c.parts) > 1 {
				e.ID = fmt.Sprintf("%s/%d", m.ID, p.index)
			}
			if err := json.Unmarshal([]byte(msg.text("entry")), &e.Entry); err != nil {
				e.Entry = map[string]any{}
			}
			out = append(out, e)
		}
	}
	return out, nil
}

// DeadRetry puts a dead entry back where it came from. It is safe to call
// twice: an entry that is gone already is an error and changes nothing.
func (c *Client) DeadRetry(ctx context.Context, id string) error {
	all, err := c.DeadList(ctx)
	if err != nil {
		return err
	}
	for _, e := range all {
		if e.ID != id {
			continue
		}
		p := c.parts[e.part]
		args := []any{"", e.entry}
		for k, v := range e.Entry {
			args = append(args, k, v)
		}
		if len(e.Entry) == 0 {
			return fmt.Errorf("retry dead entry %s: its original is not readable; see `hearken dead show %s`", id, id)
		}
		got, err := c.run(ctx, c.lua.hand, []string{p.stream(streamDead), p.stream(e.Stream)}, args...).Text()
		if err != nil {
			return fmt.Errorf("retry dead entry %s: %w", id, err)
		}
		if got != "" {
			return nil
		}
	}
	return fmt.Errorf("no dead entry %s; `hearken dead list` shows what there is", id)
}

// entryTime is the time in a stream entry's id.
func entryTime(id string) time.Time {
	var ms int64
	if _, err := fmt.Sscanf(id, "%d-", &ms); err != nil {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}
