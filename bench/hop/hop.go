// Package hop measures how many records a second the dispatcher moves from
// the intake to the departments, on a real Redis that keeps everything in its
// append-only file, beside others that do the same hop or less.
package hop

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"hearken/complaint"
	"hearken/config"
	"hearken/dispatcher"
	"hearken/internal/redisserver/redistest"
	"hearken/queue"
)

const (
	Records = 20_000 // moved in a round
	Batch   = 200    // read at once, as the dispatcher does
)

// Rules are the example's, with other routes (YAML, the items of the list).
func Rules(t testing.TB, routes string) *config.Rules {
	t.Helper()
	text, err := os.ReadFile("../../rules.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	head, _, ok := strings.Cut(string(text), "\nroutes:")
	if !ok {
		t.Fatal("the example has no routes")
	}
	path := filepath.Join(t.TempDir(), "rules.yaml")
	if err := os.WriteFile(path, []byte(head+"\nroutes:\n"+routes+"\ndefault: CMO\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	rules, err := config.LoadRules(path)
	if err != nil {
		t.Fatal(err)
	}
	return rules
}

// Product is the name of the i-th thing that rules and records speak of. None
// is a part of another.
func Product(i int) string { return fmt.Sprintf("product%06dx", i) }

// Entry is a record as it lies on the intake.
type Entry struct {
	Record complaint.Record
	Text   string
}

// Entries are records made of the labelled complaints, as the gateway makes
// them; one in ten names one of so many products.
func Entries(t testing.TB, rules *config.Rules, products int) []Entry {
	t.Helper()
	var texts []complaint.Contact
	for _, name := range []string{"first", "tuned", "fresh"} {
		f, err := os.Open("../../config/testdata/complaints." + name + ".jsonl")
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(f)
		for lines.Scan() {
			var c struct{ Subject, Text string }
			if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
				t.Fatal(err)
			}
			texts = append(texts, complaint.Contact{Subject: c.Subject, Text: c.Text})
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	out := make([]Entry, Records)
	for i := range out {
		c := texts[i%len(texts)]
		c.ID, c.Channel, c.Ref, c.ContactPoint = complaint.RecordID("email", fmt.Sprint(i)), complaint.Email, fmt.Sprintf("<%d@example.org>", i), "support@example.com"
		c.From, c.ReceivedAt = complaint.Person{Name: "Ann", Email: fmt.Sprintf("ann%d@example.org", i%997)}, time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
		if i%10 == 0 {
			c.Text += " It is a " + Product(i/10%products) + "."
		}
		r := rules.Normalizer.Record(c)
		r.Number, r.Event, r.RegisteredAt = fmt.Sprintf("%012d", i), complaint.Registered, c.ReceivedAt
		text, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		out[i] = Entry{r, string(text)}
	}
	return out
}

// Site is a Redis with what the gateway leaves there of the records.
type Site struct {
	Server *redistest.Server
	Redis  *redis.Client
}

func NewSite(t testing.TB) *Site {
	t.Helper()
	s := &Site{Server: redistest.Start(t)}
	o, err := redis.ParseURL(s.Server.URL())
	if err != nil {
		t.Fatal(err)
	}
	s.Redis = redis.NewClient(o)
	// The rewrite of the append-only file takes a core now and then; whether it
	// falls into one round or another is not what is measured.
	if err := s.Redis.ConfigSet(t.Context(), "auto-aof-rewrite-percentage", "0").Err(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Redis.Close() })
	return s
}

// Fill empties Redis, and puts all on the intake and where publishing books it.
func (s *Site) Fill(t testing.TB, all []Entry) {
	t.Helper()
	ctx := t.Context()
	if err := s.Redis.FlushAll(ctx).Err(); err != nil {
		t.Fatal(err)
	}
	for part := range slices.Chunk(all, 1000) {
		_, err := s.Redis.Pipelined(ctx, func(p redis.Pipeliner) error {
			for _, e := range part {
				r := e.Record
				p.XAdd(ctx, &redis.XAddArgs{Stream: "{complaints}:intake", Values: []any{"id", r.ID, "number", r.Number, "event", r.Event, "record", e.Text}})
				p.Set(ctx, "{complaints}:contact:"+r.ID, r.Number, time.Hour)
				p.HSet(ctx, "{complaints}:complaint:"+r.Number, "id", r.ID, "record", e.Text, "last", e.Text)
				p.Expire(ctx, "{complaints}:complaint:"+r.Number, time.Hour)
				p.RPush(ctx, "{complaints}:history:"+r.Number, `{"at":"2026-11-23T10:00:00.000000000Z","event":"registered"}`)
				p.Expire(ctx, "{complaints}:history:"+r.Number, time.Hour)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// Bare is the hop without anything: read, add, acknowledge.
func (s *Site) Bare(t testing.TB, n int) time.Duration {
	t.Helper()
	ctx := t.Context()
	if err := s.Redis.XGroupCreate(ctx, "{complaints}:intake", "bare", "0").Err(); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	for left := n; left > 0; {
		got, err := s.Redis.XReadGroup(ctx, &redis.XReadGroupArgs{Group: "bare", Consumer: "one", Streams: []string{"{complaints}:intake", ">"}, Count: Batch, Block: -1}).Result()
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.Redis.Pipelined(ctx, func(p redis.Pipeliner) error {
			for _, m := range got[0].Messages {
				p.XAdd(ctx, &redis.XAddArgs{Stream: "{complaints}:dept:BARE", Values: m.Values})
				p.XAck(ctx, "{complaints}:intake", "bare", m.ID)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		left -= len(got[0].Messages)
	}
	return time.Since(start)
}

// counted is the queue's intake, and says when all has been moved.
type counted struct {
	*queue.Intake
	left atomic.Int64
	done func()
}

func (c *counted) Move(ctx context.Context, moves []complaint.Move) error {
	err := c.Intake.Move(ctx, moves)
	if err == nil {
		if c.left.Add(-int64(len(moves))) <= 0 {
			c.done()
		}
	}
	return err
}

// Dispatch has the dispatcher move everything.
func (s *Site) Dispatch(t testing.TB, rules *config.Rules, n int) time.Duration {
	t.Helper()
	client, err := queue.Dial(queue.Config{URL: s.Server.URL()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	start := time.Now()
	var took time.Duration
	stream := &counted{Intake: client.Intake(), done: func() { took = time.Since(start); cancel() }}
	stream.left.Store(int64(n))
	if err := dispatcher.New(stream, func() *dispatcher.Rules { return rules.Router }, slog.New(slog.DiscardHandler)).Run(ctx); err != nil {
		t.Fatal(err)
	}
	if err := client.Close(); err != nil {
		t.Fatal(err)
	}
	return took
}

// Moved holds a round to its word: every record is on its lead's stream once,
// and acknowledged.
func (s *Site) Moved(t testing.TB, rules *config.Rules, all []Entry) {
	t.Helper()
	ctx := t.Context()
	want := map[string]string{}
	for _, e := range all {
		want[e.Record.ID] = rules.Router.Route(&e.Record).Department
	}
	streams, err := s.Redis.SMembers(ctx, "{complaints}:departments").Result()
	if err != nil {
		t.Fatal(err)
	}
	leads := 0
	for _, stream := range streams {
		msgs, err := s.Redis.XRange(ctx, stream, "-", "+").Result()
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range msgs {
			if m.Values["role"] != "lead" {
				continue
			}
			leads++
			if id := m.Values["id"].(string); !strings.HasSuffix(stream, ":"+want[id]) {
				t.Fatalf("%s is on %s, not with %s", id, stream, want[id])
			}
		}
	}
	pending, err := s.Redis.XPending(ctx, "{complaints}:intake", "dispatchers").Result()
	if err != nil || pending.Count != 0 || leads != len(all) {
		t.Fatalf("%d of %d records are with a lead, %d are pending, %v", leads, len(all), pending.Count, err)
	}
}
