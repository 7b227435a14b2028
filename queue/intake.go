package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	fastjson "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/redis/go-redis/v9"

	"hearken/complaint"
)

// groupDispatchers is the consumer group of all dispatchers on the intake.
const groupDispatchers = "dispatchers"

// supplementWait is how long a supplement waits for the record that
// registered its complaint to be routed, before it is routed by the rules
// like a new one: longer than a dispatcher's crash and its take-over.
const supplementWait = 90 * time.Second

// Intake is the dispatcher's view of {complaints}:intake.
type Intake struct {
	c     *Client
	g     *group
	later []waiting // supplements whose complaint has no route yet
	// suspects were handed out MaxAttempts times and not finished. One of them
	// may be what ends the dispatcher; the others were only beside it, or
	// beside a power cut. So each is handed out alone.
	suspects []complaint.Delivery
	mean     int // bytes of a record that was read last
	// texts has the memory of a batch's records for the next: it is the most of
	// what moving takes.
	texts sync.Pool
}

const (
	// trialsMost is how often a suspect is handed out alone. A record is seldom
	// what ends a dispatcher (a panic over one is caught), and one given up is
	// one a person must look at: so many ends beside it are no chance.
	trialsMost = 10
	// trialsKeep is how long a trial counts: a crash and a restart are short.
	trialsKeep = time.Hour
)

type waiting struct {
	d     complaint.Delivery
	until time.Time
}

// Intake opens the dispatcher's view. It must be read by one goroutine.
func (c *Client) Intake() *Intake {
	return &Intake{c: c, g: c.group(groupDispatchers, func(p partition) string { return p.stream(streamIntake) })}
}

// Read returns up to most records to be routed, or none after about a second.
// A record that can't be routed, or was handed out too often, comes with Err
// set. Until it is handed over to Move or Dead it comes again.
func (in *Intake) Read(ctx context.Context, most int) ([]complaint.Delivery, error) {
	fresh, err := in.read(ctx, most)
	if err != nil {
		return nil, err
	}
	if len(fresh) == 0 && len(in.suspects) > 0 {
		if fresh, err = in.tryAlone(ctx); err != nil {
			return nil, err
		}
	}
	if len(in.later) == 0 && !slices.ContainsFunc(fresh, follows) {
		return fresh, nil
	}
	return in.withRoutes(ctx, fresh)
}

// read reads what is not suspect; nothing while there are suspects.
func (in *Intake) read(ctx context.Context, most int) ([]complaint.Delivery, error) {
	if len(in.suspects) > 0 {
		return nil, nil
	}
	msgs, err := in.g.read(ctx, in.bounded(most))
	if err != nil {
		return nil, err
	}
	fresh := make([]complaint.Delivery, 0, len(msgs))
	bytes := 0
	for _, m := range msgs {
		bytes += len(m.text("record"))
		if m.fields == nil {
			// Trimmed away by a foreign hand while it was pending.
			in.c.cfg.Audit.Dead(streamIntake, m.id, "the entry is gone from the stream; was it trimmed by hand?")
			if err := in.g.ack(ctx, m); err != nil {
				return nil, err
			}
			continue
		}
		d := complaint.Delivery{Partition: m.part, Entry: m.id, Attempts: m.attempts, Text: m.text("record")}
		in.decode(&d, m.text("event") == complaint.Registered)
		if event := m.text("event"); d.Err == nil && complaint.Asked(event) {
			// The record is the complaint's own: the event is what is new.
			d.Record.ID, d.Record.Event, d.Text = m.text("id"), event, ""
			d.By, d.Reason, d.Lead = m.text("by"), m.text("reason"), m.text("lead")
		}
		if d.Err == nil && d.Attempts > in.c.cfg.MaxAttempts {
			in.suspects = append(in.suspects, d)
			continue
		}
		fresh = append(fresh, d)
	}
	if len(msgs) > 0 {
		in.mean = bytes / len(msgs)
	}
	return fresh, nil
}

// readBytes is about how much is read at once: in memory a record stands several
// times over on its way.
const readBytes = 1 << 20

// bounded is how many records are read at once, by how large they were last
// time.
func (in *Intake) bounded(most int) int {
	if in.mean == 0 {
		return most
	}
	return max(1, min(most, readBytes/in.mean))
}

// tryAlone hands out the first suspect, and counts that before: if it ends the
// dispatcher, the count is what is left.
func (in *Intake) tryAlone(ctx context.Context) ([]complaint.Delivery, error) {
	d := in.suspects[0]
	key := in.c.parts[d.Partition].key("trial:" + d.Entry)
	var trials *redis.IntCmd
	_, err := in.c.write.Pipelined(ctx, func(p redis.Pipeliner) error {
		trials = p.Incr(ctx, key)
		p.Expire(ctx, key, trialsKeep)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("count the trials of entry %s: %w", d.Entry, err)
	}
	in.suspects = in.suspects[1:]
	if trials.Val() > trialsMost {
		d.Err = fmt.Errorf("it was handed out %d times, the last %d of them alone, and never finished", d.Attempts-1, trialsMost)
	}
	return []complaint.Delivery{d}, nil
}

// decode reads the record of a delivery, or says in Err why it can't be routed.
// What is new is moved as the text that it came as, and its evidence, of which
// no rule asks, is not read: it is most of a record.
func (in *Intake) decode(d *complaint.Delivery, isNew bool) {
	options := []fastjson.Options{jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true)}
	lean := options
	if isNew {
		lean = append(options, fastjson.WithUnmarshalers(skipEvidence))
	}
	err := fastjson.UnmarshalRead(strings.NewReader(d.Text), &d.Record, lean...)
	if err == nil && d.Record.Route != nil && isNew { // it will be written anew
		d.Record = complaint.Record{}
		err = fastjson.UnmarshalRead(strings.NewReader(d.Text), &d.Record, options...)
	}
	if err != nil {
		d.Err = fmt.Errorf("the field record is not a record: %w", err)
	} else if d.Record.ID == "" || d.Record.Number == "" {
		d.Err = errors.New("the record has no id or no number")
	}
}

var skipEvidence = fastjson.UnmarshalFromFunc(func(d *jsontext.Decoder, _ *[]complaint.Match) error { return d.SkipValue() })

// follows tells whether a delivery goes where its complaint is.
func follows(d complaint.Delivery) bool {
	return d.Err == nil && d.Record.Event != complaint.Registered
}

// withRoutes fills Current of supplements, and keeps back those whose
// complaint is not routed yet: it is in this very batch, or in the hands of
// another dispatcher.
func (in *Intake) withRoutes(ctx context.Context, fresh []complaint.Delivery) ([]complaint.Delivery, error) {
	now := time.Now()
	before := in.later
	for _, d := range fresh {
		same := func(w waiting) bool { return w.d.Partition == d.Partition && w.d.Entry == d.Entry }
		if !slices.ContainsFunc(before, same) { // a claim hands out again what waits here
			in.later = append(in.later, waiting{d, now.Add(supplementWait)})
		}
	}
	cmds := make([]*redis.SliceCmd, len(in.later))
	_, err := in.c.write.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, w := range in.later {
			if follows(w.d) {
				fields := []string{"route"}
				if w.d.Record.Facts[complaint.FactTranscript] == "true" {
					fields = []string{"route", "record", "again"}
				}
				cmds[i] = p.HMGet(ctx, in.c.parts[w.d.Partition].complaint(w.d.Record.Number), fields...)
			}
		}
		return nil
	})
	if err != nil && !errors.Is(err, redis.Nil) {
		return nil, fmt.Errorf("look up routes: %w", err)
	}
	out := make([]complaint.Delivery, 0, len(in.later))
	var keep []waiting
	kept := map[string]bool{}  // numbers: a route that comes between two questions lets nothing overtake
	asked := map[string]bool{} // numbers whose route is about to change: what comes after waits for it
	for i, w := range in.later {
		if cmds[i] == nil {
			out = append(out, w.d)
			continue
		}
		w.d.Current, w.d.Booked, w.d.Before = routed(cmds[i].Val())
		if asked[w.d.Record.Number] {
			kept[w.d.Record.Number] = true
		}
		asked[w.d.Record.Number] = asked[w.d.Record.Number] || complaint.Asked(w.d.Record.Event)
		if !kept[w.d.Record.Number] && (w.d.Current != nil || now.After(w.until)) {
			out = append(out, w.d)
			continue
		}
		kept[w.d.Record.Number] = true
		keep = append(keep, w)
	}
	in.later = keep
	return out, nil
}

// routed reads the route that a complaint has, and the record by which it got
// it: the one that was routed again, or the first.
func routed(fields []any) (route *complaint.Route, booked string, _ *complaint.Record) {
	var before *complaint.Record
	for i, f := range fields {
		text, _ := f.(string)
		if i == 0 {
			var r complaint.Route
			if json.Unmarshal([]byte(text), &r) == nil && r.Department != "" {
				route, booked = &r, text
			}
			continue
		}
		var r complaint.Record
		if json.Unmarshal([]byte(text), &r) == nil && r.ID != "" {
			before = &r
		}
	}
	return route, booked, before
}

// Move puts every record on its lead's and collaborators' streams, once, and
// takes it off the intake: one script for each partition's share of the
// batch. After an error it may have happened or not; repeating it is safe.
func (in *Intake) Move(ctx context.Context, moves []complaint.Move) error {
	byPart := map[int][]*complaint.Move{}
	for i := range moves {
		m := &moves[i]
		byPart[m.Partition] = append(byPart[m.Partition], m)
	}
	for part, batch := range byPart {
		if err := in.movePart(ctx, in.c.parts[part], batch); err != nil {
			return err
		}
	}
	return nil
}

func (in *Intake) movePart(ctx context.Context, p partition, batch []*complaint.Move) error {
	keys := append(make([]string, 0, 3+4*len(batch)), p.stream(streamIntake), p.departments(), p.accept())
	args := append(make([]any, 0, 2+13*len(batch)), groupDispatchers, seconds(in.c.cfg.Remember))
	texts, _ := in.texts.Get().(*[]byte)
	if texts == nil {
		texts = new([]byte)
	}
	defer func() { in.texts.Put(texts) }()
	*texts = (*texts)[:0]
	for _, m := range batch {
		r := &m.Record
		history := routing(m, time.Now())
		route, err := json.Marshal(m.Route)
		if err != nil {
			return fmt.Errorf("encode the route of %s: %w", r.ID, err)
		}
		from := len(*texts)
		if *texts, err = appendRouted(*texts, m, route); err != nil {
			return fmt.Errorf("encode record %s: %w", r.ID, err)
		}
		record := (*texts)[from:] // stays as it is should texts grow
		again, accept := "", acceptAt(m.Route)
		switch {
		case r.Event == complaint.Rerouted:
			again = "2"
		case m.Route.Again != "":
			again = "1"
		case m.Route.Department == "", r.Event == complaint.Supplemented, accept == "0":
			accept = "" // what follows books no route; what is new never had a time
		}
		to := recipients(m)
		keys = append(keys, p.complaint(r.Number), p.history(r.Number))
		for _, code := range to {
			keys = append(keys, p.dept(code))
		}
		args = append(args, len(to), m.Entry, r.ID, r.Number, r.Event, r.Type, r.Priority, string(route), again, history, record, accept, m.Booked)
	}
	moved, err := in.c.run(ctx, in.c.lua.move, keys, args...).Slice()
	if err == nil && len(moved) != len(batch) {
		err = fmt.Errorf("redis answered for %d of them", len(moved))
	}
	if err != nil {
		return fmt.Errorf("move %d records to their departments: %w", len(batch), err)
	}
	for i, m := range batch {
		switch what := moved[i].(type) {
		case string:
			if err := in.Dead(ctx, m.Delivery, "it can't be added to "+what); err != nil {
				return err
			}
		case int64:
			if what == 1 {
				in.c.cfg.Audit.Routed(m.Record.ID, m.Record.Number, m.Route.Department, m.Route.Rule)
			}
		}
	}
	return nil
}

// recipients are the departments that an entry goes to, the lead first. Who led
// it until now hears once more: that it has another lead.
func recipients(m *complaint.Move) []string {
	if m.Route.Department == "" {
		return nil
	}
	to := append([]string{m.Route.Department}, m.Route.Collaborators...)
	if m.Record.Event == complaint.Rerouted && m.Current != nil && !slices.Contains(to, m.Current.Department) {
		to = append(to, m.Current.Department)
	}
	return to
}

// acceptAt is when the lead loses the complaint, in ms; "0" for never.
func acceptAt(r complaint.Route) string {
	t, err := time.Parse(time.RFC3339, r.AcceptBy)
	if err != nil {
		return "0"
	}
	return strconv.FormatInt(t.UnixMilli(), 10)
}

// appendRouted appends the record with its route, JSON. Where the record is
// still as it came, the route is put into its text: that costs a tenth of
// encoding it, and keeps what a newer gateway may have written into it.
func appendRouted(b []byte, m *complaint.Move, route []byte) ([]byte, error) {
	if body, ok := strings.CutSuffix(m.Text, "}"); ok && m.Record.Route == nil {
		b = append(append(b, body...), `,"route":`...)
		return append(append(b, route...), '}'), nil
	}
	r := m.Record
	r.Route = &m.Route
	text, err := json.Marshal(r)
	return append(b, text...), err
}

// Dead gives a delivery up to the dead stream, with its reason.
func (in *Intake) Dead(ctx context.Context, d complaint.Delivery, reason string) error {
	p := in.c.parts[d.Partition]
	stream := p.stream(streamIntake)
	raw, err := in.c.write.XRangeN(ctx, stream, d.Entry, d.Entry, 1).Result()
	if err != nil {
		return fmt.Errorf("read entry %s of the intake: %w", d.Entry, err)
	}
	fields := map[string]any{}
	if len(raw) == 1 {
		fields = raw[0].Values
	}
	return in.c.dead(ctx, p, streamIntake, groupDispatchers, d.Entry, d.Attempts, fields, reason)
}
