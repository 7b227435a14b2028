package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hearken/complaint"
	"hearken/internal/redisserver/redistest"
)

// Rounds of publishing overlap: what continues a complaint comes after it all
// the same, and in its order, also where Redis goes away between two rounds.
func TestRoundsKeepTheOrderOfEachCustomer(t *testing.T) {
	const customers, mails = 60, 15
	r := newRig(t)
	r.accept(chat("first", "1", "x"))
	r.awaitIntake(1)
	r.redis.Kill()
	ref := func(who, n int) string { return fmt.Sprintf("%d.%d@example.com", n, who) }
	for n := range mails {
		var all sync.WaitGroup
		for who := range customers {
			all.Go(func() {
				c := mail(ref(who, n), fmt.Sprintf("c%d@example.com", who), "the parcel is late")
				if n > 0 {
					c.References = []string{ref(who, 0)}
				}
				if _, err := r.gw.Accept(context.Background(), c); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
	}
	r.redis.Up()
	await(t, "half of the records", func() bool {
		got, err := r.entries(streamIntake)
		return err == nil && len(got) > customers*mails/2
	})
	r.redis.Kill()
	r.redis.Up()
	next := map[string]int{}      // by customer
	number := map[string]string{} // likewise
	for _, m := range r.awaitIntake(1 + customers*mails)[1:] {
		var rec complaint.Record
		if err := json.Unmarshal([]byte(m.text("record")), &rec); err != nil {
			t.Fatal(err)
		}
		who, event := rec.Complainant.Email, complaint.Supplemented
		if next[who] == 0 {
			event, number[who] = complaint.Registered, rec.Number
		}
		if rec.Event != event || rec.Number != number[who] || !strings.HasPrefix(rec.Source.Ref, fmt.Sprintf("%d.", next[who])) {
			t.Fatalf("%s, mail %d: %s %s %s, want %s %s", who, next[who], rec.Event, rec.Number, rec.Source.Ref, event, number[who])
		}
		next[who]++
	}
	if got := len(r.records(streamIntake)); got != 1+customers*mails {
		t.Errorf("%d records of %d contacts", got, 1+customers*mails)
	}
}

// byHand is a gateway whose rounds the test makes.
func byHand(t *testing.T) *Gateway {
	t.Helper()
	c, err := Dial(Config{URL: redistest.Start(t).URL()})
	if err != nil {
		t.Fatal(err)
	}
	normalize := func(c complaint.Contact) complaint.Record {
		r := plain(c)
		if phone, ok := strings.CutPrefix(c.Text, "phone "); ok {
			r.Complainant.Phone = phone
		}
		return r
	}
	g, err := OpenGateway(c, GatewayConfig{Dir: t.TempDir(), Normalize: normalize})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(g.Close(), c.Close()); err != nil {
			t.Error(err)
		}
	})
	if err := g.numbers.refill(t.Context()); err != nil {
		t.Fatal(err)
	}
	return g
}

// The next round waits for what the one on its way makes known: a number that
// was told, and a phone number that only the words have.
func TestNextRoundWaitsForWhatTheLastMakesKnown(t *testing.T) {
	for _, what := range []string{"number", "phone"} {
		t.Run(what, func(t *testing.T) {
			g, ctx := byHand(t), t.Context()
			r, err := g.Accept(ctx, chat("talk", "1", "phone +8613812345678"))
			if err != nil || r.Number == "" {
				t.Fatal(r, err)
			}
			flying, _, err := g.prepare(ctx, nil)
			if err != nil || len(flying) != 1 {
				t.Fatal(len(flying), err)
			}
			more := mail("text", "", "again")
			more.Channel, more.From.Phone = complaint.Phone, "+8613812345678"
			if what == "number" {
				more.Number, more.NumberBy = r.Number, "keyed"
			}
			if _, err := g.Accept(ctx, more); err != nil {
				t.Fatal(err)
			}
			if next, _, err := g.prepare(ctx, flying); err != nil || len(next) != 0 {
				t.Fatalf("it did not wait: %d, %v", len(next), err)
			}
			if err := g.send(ctx, flying); err != nil {
				t.Fatal(err)
			}
			next, _, err := g.prepare(ctx, nil)
			if err != nil || len(next) != 1 {
				t.Fatal(len(next), err)
			}
			if got := next[0]; what == "number" && got.pub.Number != r.Number || what == "phone" && got.thread.repeats != 1 {
				t.Errorf("%s %s, %d repeats", got.pub.Event, got.pub.Number, got.thread.repeats)
			}
		})
	}
}

// lineCounter counts what is logged.
type lineCounter struct{ n atomic.Int64 }

func (c *lineCounter) Write(b []byte) (int, error) { c.n.Add(1); return len(b), nil }

// A Redis that answers questions and takes nothing is away: publishing waits
// longer each time, and says so once.
func TestRedisThatTakesNothingIsAway(t *testing.T) {
	log := new(lineCounter)
	r := newRig(t, func(c *Config, _ *GatewayConfig) { c.Log = slog.New(slog.NewTextHandler(log, nil)) })
	r.accept(mail("a", "a@example.com", "x"))
	r.awaitIntake(1)
	limit := func(most string) {
		if err := r.client.write.ConfigSet(context.Background(), "maxmemory", most).Err(); err != nil {
			t.Fatal(err)
		}
	}
	limit("100kb")
	before := log.n.Load()
	for i := range 3 {
		r.accept(mail(fmt.Sprint(i), fmt.Sprint(i, "@example.com"), "x"))
	}
	time.Sleep(2 * time.Second)
	if n := log.n.Load() - before; n == 0 || n > 5 {
		t.Errorf("%d lines were logged", n)
	}
	limit("0")
	r.awaitIntake(4)
}

// What is published is kept for longer than its time while Redis is away: when
// it comes back it may have lost its last seconds.
func TestKeptOutlivesAnOutage(t *testing.T) {
	r := newRig(t, func(_ *Config, g *GatewayConfig) { g.Keep = 2 * time.Second })
	r.accept(mail("a", "a@example.com", "x"))
	r.awaitIntake(1)
	time.Sleep(1500 * time.Millisecond) // the append-only file has it
	r.redis.Kill()
	had := r.redis.Snapshot()
	r.redis.Up()
	await(t, "redis", func() bool { _, err := r.entries(streamIntake); return err == nil })
	r.accept(mail("b", "b@example.com", "y"))
	r.awaitIntake(2)
	r.redis.Kill()
	r.redis.Restore(had)
	time.Sleep(5 * time.Second)
	r.redis.Up()
	await(t, "what redis lost", func() bool { all, err := r.entries(streamIntake); return err == nil && len(all) == 2 })
}

// A loss that is noticed between Redis' answer and the booking is made good
// once more, with the round that it came upon.
func TestLossBeforeTheBooking(t *testing.T) {
	g, ctx := byHand(t), t.Context()
	for i := range 2 {
		if _, err := g.Accept(ctx, mail(fmt.Sprint(i), fmt.Sprint(i, "@example.com"), "x")); err != nil {
			t.Fatal(err)
		}
		round, _, err := g.prepare(ctx, nil)
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			if err := g.send(ctx, round); err != nil {
				t.Fatal(err)
			}
			continue
		}
		losses := g.marks.noticed()
		results, err := g.sendAll(ctx, []publication{round[0].pub})
		if err != nil {
			t.Fatal(err)
		}
		if err := g.client.write.FlushAll(ctx).Err(); err != nil {
			t.Fatal(err)
		}
		if err := g.checkLoss(ctx); err != nil {
			t.Fatal(err)
		}
		if err := g.bookAll(round, results, losses); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := g.checkLoss(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := g.client.write.XLen(ctx, g.client.parts[0].stream(streamIntake)).Result(); err != nil || n != 2 {
		t.Errorf("%d records of 2 on the intake, %v", n, err)
	}
}
