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
	records = 20_000 // moved in a round
	batch   = 200    // read at once, as the dispatcher does
)

// rulesWith loads the example rules with routes before its own, so that there
// are n in all: each asks for a product's name, and half of them for more.
func rulesWith(t testing.TB, n int) *config.Rules {
	t.Helper()
	text, err := os.ReadFile("../../rules.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	before, after, ok := strings.Cut(string(text), "\nroutes:\n")
	if !ok {
		t.Fatal("the example has no routes")
	}
	own := strings.Count(after[:strings.Index(after, "\ndefault:")], "- name:") + strings.Count(after[:strings.Index(after, "\ndefault:")], "- {name:")
	var b strings.Builder
	for i := range n - own {
		more := [...]string{"", ", channel: [email]", ", priority: [P1, P2]", ", amount: {min: 1000}"}[i%4]
		fmt.Fprintf(&b, "  - {name: product-%d, when: {text: {any: [product%06dx, 型号第%06d号]}%s}, to: %s}\n", i, i, i, more, [...]string{"QA", "LOG", "FIN", "CS"}[i/4%4])
	}
	path := filepath.Join(t.TempDir(), "rules.yaml")
	if err := os.WriteFile(path, []byte(before+"\nroutes:\n"+b.String()+after), 0o600); err != nil {
		t.Fatal(err)
	}
	rules, err := config.LoadRules(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := len(rules.Router.Names()); got != n {
		t.Fatalf("%d routes, not %d", got, n)
	}
	return rules
}

// entry is a record as it lies on the intake.
type entry struct {
	record complaint.Record
	text   string
}

// entries are records made of the labelled complaints, as the gateway makes
// them; one in ten names a product that a rule asks for.
func entries(t testing.TB, rules *config.Rules) []entry {
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
	out := make([]entry, records)
	for i := range out {
		c := texts[i%len(texts)]
		c.ID, c.Channel, c.Ref, c.ContactPoint = complaint.RecordID("email", fmt.Sprint(i)), complaint.Email, fmt.Sprintf("<%d@example.org>", i), "support@example.com"
		c.From, c.ReceivedAt = complaint.Person{Name: "Ann", Email: fmt.Sprintf("ann%d@example.org", i%997)}, time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
		if i%10 == 0 {
			c.Text += fmt.Sprintf(" It is a product%06dx.", i/10%900)
		}
		r := rules.Normalizer.Record(c)
		r.Number, r.Event, r.RegisteredAt = fmt.Sprintf("%012d", i), complaint.Registered, c.ReceivedAt
		text, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		out[i] = entry{r, string(text)}
	}
	return out
}

// site is a Redis with what the gateway leaves there of the records.
type site struct {
	server *redistest.Server
	redis  *redis.Client
}

func newSite(t testing.TB) *site {
	t.Helper()
	s := &site{server: redistest.Start(t)}
	o, err := redis.ParseURL(s.server.URL())
	if err != nil {
		t.Fatal(err)
	}
	s.redis = redis.NewClient(o)
	// The rewrite of the append-only file takes a core now and then; whether it
	// falls into one round or another is not what is measured.
	if err := s.redis.ConfigSet(t.Context(), "auto-aof-rewrite-percentage", "0").Err(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.redis.Close() })
	return s
}

// fill empties Redis, and puts all on the intake and where publishing books it.
func (s *site) fill(t testing.TB, all []entry) {
	t.Helper()
	ctx := t.Context()
	if err := s.redis.FlushAll(ctx).Err(); err != nil {
		t.Fatal(err)
	}
	for part := range slices.Chunk(all, 1000) {
		_, err := s.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
			for _, e := range part {
				r := e.record
				p.XAdd(ctx, &redis.XAddArgs{Stream: "{complaints}:intake", Values: []any{"id", r.ID, "number", r.Number, "event", r.Event, "record", e.text}})
				p.HSet(ctx, "{complaints}:record:"+r.ID, "number", r.Number, "entry", "0-0")
				p.Expire(ctx, "{complaints}:record:"+r.ID, time.Hour)
				p.HSet(ctx, "{complaints}:complaint:"+r.Number, "id", r.ID, "record", e.text, "last", e.text)
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

// bare is the hop without anything: read, add, acknowledge.
func (s *site) bare(t testing.TB, n int) time.Duration {
	t.Helper()
	ctx := t.Context()
	if err := s.redis.XGroupCreate(ctx, "{complaints}:intake", "bare", "0").Err(); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	for left := n; left > 0; {
		got, err := s.redis.XReadGroup(ctx, &redis.XReadGroupArgs{Group: "bare", Consumer: "one", Streams: []string{"{complaints}:intake", ">"}, Count: batch, Block: -1}).Result()
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
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
	left int
	done func()
}

func (c *counted) Move(ctx context.Context, moves []complaint.Move) error {
	err := c.Intake.Move(ctx, moves)
	if err == nil {
		if c.left -= len(moves); c.left <= 0 {
			c.done()
		}
	}
	return err
}

// dispatch has the dispatcher move everything.
func (s *site) dispatch(t testing.TB, rules *config.Rules, n int) time.Duration {
	t.Helper()
	client, err := queue.Dial(queue.Config{URL: s.server.URL()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	start := time.Now()
	var took time.Duration
	stream := &counted{client.Intake(), n, func() { took = time.Since(start); cancel() }}
	if err := dispatcher.New(stream, func() *dispatcher.Rules { return rules.Router }, slog.New(slog.DiscardHandler)).Run(ctx); err != nil {
		t.Fatal(err)
	}
	if err := client.Close(); err != nil {
		t.Fatal(err)
	}
	return took
}

// moved holds a round to its word: every record is on its lead's stream once,
// and acknowledged.
func (s *site) moved(t testing.TB, rules *config.Rules, all []entry) {
	t.Helper()
	ctx := t.Context()
	want := map[string]string{}
	for _, e := range all {
		want[e.record.ID] = rules.Router.Route(&e.record).Department
	}
	streams, err := s.redis.SMembers(ctx, "{complaints}:departments").Result()
	if err != nil {
		t.Fatal(err)
	}
	leads := 0
	for _, stream := range streams {
		msgs, err := s.redis.XRange(ctx, stream, "-", "+").Result()
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
	pending, err := s.redis.XPending(ctx, "{complaints}:intake", "dispatchers").Result()
	if err != nil || pending.Count != 0 || leads != len(all) {
		t.Fatalf("%d of %d records are with a lead, %d are pending, %v", leads, len(all), pending.Count, err)
	}
}

// BenchmarkDispatch moves records by 1,000 rules, and in turn with it does the
// bare hop. One round of each is one operation.
func BenchmarkDispatch(b *testing.B) {
	rules := rulesWith(b, 1000)
	all := entries(b, rules)
	s := newSite(b)
	var bare, ours time.Duration
	for b.Loop() {
		s.fill(b, all)
		bare += s.bare(b, len(all))
		s.fill(b, all)
		ours += s.dispatch(b, rules, len(all))
		s.moved(b, rules, all)
	}
	n := float64(b.N * len(all))
	b.ReportMetric(n/bare.Seconds(), "bare-records/s")
	b.ReportMetric(n/ours.Seconds(), "records/s")
	b.ReportMetric(bare.Seconds()/ours.Seconds(), "of-bare")
	size := 0
	for _, e := range all {
		size += len(e.text)
	}
	b.ReportMetric(float64(size)/float64(len(all)), "bytes/record")
}
