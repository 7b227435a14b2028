package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"hearken/complaint"
	"hearken/internal/redisserver/redistest"
	"hearken/queue/journal"
)

func TestMain(m *testing.M) {
	LogTo(slog.New(slog.DiscardHandler))
	goleak.VerifyTestMain(m)
}

// rig is a gateway on a real Redis, and a dispatcher's hand on the intake.
type rig struct {
	t      testing.TB
	redis  *redistest.Server
	dir    string
	cfg    Config
	gcfg   GatewayConfig
	client *Client
	gw     *Gateway
	stop   func()
}

func newRig(t testing.TB, change ...func(*Config, *GatewayConfig)) *rig {
	t.Helper()
	r := &rig{t: t, redis: redistest.Start(t), dir: t.TempDir()}
	r.cfg = Config{URL: r.redis.URL(), Log: slog.New(slog.DiscardHandler)}
	r.gcfg = GatewayConfig{Dir: r.dir, Normalize: plain}
	for _, c := range change {
		c(&r.cfg, &r.gcfg)
	}
	r.start()
	t.Cleanup(func() { r.stop() })
	return r
}

// plain makes a record that has of the contact what these tests look at.
func plain(c complaint.Contact) complaint.Record {
	return complaint.Record{
		ID: c.ID, Channel: c.Channel, ContactPoint: c.ContactPoint, ReceivedAt: c.ReceivedAt, Complainant: c.From, Narrative: c.Text,
		Type: complaint.DefaultType, Priority: complaint.DefaultPriority, Source: complaint.Source{Ref: c.Ref, References: c.References},
		Facts: map[string]string{"mailbox": c.Account, "line": c.Account, "site": c.Account, "session": strings.TrimPrefix(c.Conversation, "chat:"), complaint.FactTranscript: fmt.Sprint(c.Account == "transcript")},
	}
}

func (r *rig) start() {
	r.t.Helper()
	var err error
	if r.client, err = Dial(r.cfg); err != nil {
		r.t.Fatal(err)
	}
	if r.gw, err = OpenGateway(r.client, r.gcfg); err != nil {
		r.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.gw.Run(ctx) }()
	r.stop = sync.OnceFunc(func() {
		cancel()
		if err := errors.Join(<-done, r.gw.Close(), r.client.Close()); err != nil {
			r.t.Error(err)
		}
	})
}

func mail(ref, from, text string) complaint.Contact {
	return complaint.Contact{
		ID: complaint.RecordID("email", ref), Channel: complaint.Email, Account: "support", Ref: ref, ReceivedAt: time.Now(),
		From: complaint.Person{Email: from}, Text: text,
	}
}

func chat(session, id, text string) complaint.Contact {
	return complaint.Contact{
		ID: complaint.RecordID("chat", session, id), Channel: complaint.Chat, Account: "web", Ref: session + "/" + id,
		Conversation: "chat:" + session, ReceivedAt: time.Now(), Text: text, NumberNow: true,
	}
}

func (r *rig) accept(c complaint.Contact) complaint.Receipt {
	r.t.Helper()
	got, err := r.gw.Accept(r.t.(*testing.T).Context(), c)
	if err != nil {
		r.t.Fatal(err)
	}
	return got
}

// await waits for the condition, which outside events bring about.
func await(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// records reads everything on a stream.
func (r *rig) records(stream string) []message {
	r.t.Helper()
	out, err := r.entries(stream)
	if err != nil {
		r.t.Fatal(err)
	}
	return out
}

// entries is records for a Redis that may be away.
func (r *rig) entries(stream string) (out []message, err error) {
	for _, p := range r.client.parts {
		msgs, err := r.client.write.XRange(context.Background(), p.stream(stream), "-", "+").Result()
		if err != nil {
			return nil, err
		}
		for _, m := range msgs {
			out = append(out, message{part: p.index, id: m.ID, fields: m.Values})
		}
	}
	return out, nil
}

func (r *rig) awaitIntake(n int) []message {
	r.t.Helper()
	await(r.t, fmt.Sprintf("%d records on the intake", n), func() bool { return len(r.records(streamIntake)) >= n })
	return r.records(streamIntake)
}

// dispatch moves what is on the intake to one department.
func (r *rig) dispatch(n int) {
	r.t.Helper()
	in := r.client.Intake()
	await(r.t, "the dispatcher", func() bool {
		got, err := in.Read(context.Background(), 100)
		if err != nil {
			r.t.Fatal(err)
		}
		var moves []complaint.Move
		for _, d := range got {
			route := complaint.Route{Department: "CMO", Collaborators: []string{"LEGAL"}, Rule: "default"}
			if d.Current != nil {
				route = *d.Current
			}
			moves = append(moves, complaint.Move{Delivery: d, Route: route})
		}
		if len(moves) > 0 {
			if err := in.Move(context.Background(), moves); err != nil {
				r.t.Fatal(err)
			}
		}
		n -= len(moves)
		return n <= 0
	})
}

func TestContactBecomesOneNumberedRecord(t *testing.T) {
	r := newRig(t)
	c := mail("a@example.com", "zhang@example.cn", "我被扣了两次钱")
	c.WantsReceipt = true
	r.accept(c)
	if again := r.accept(c); !again.Duplicate {
		t.Error("the same contact was taken twice")
	}
	got := r.awaitIntake(1)
	if len(got) != 1 || got[0].text("event") != complaint.Registered {
		t.Fatalf("intake: %+v", got)
	}
	number := got[0].text("number")
	if _, err := complaint.ParseNumber(number); err != nil {
		t.Errorf("number %s: %v", number, err)
	}
	if day := complaint.Day(time.Now().In(r.gw.cfg.Location)); !strings.HasPrefix(number, day) {
		t.Errorf("number %s is not of day %s", number, day)
	}
	await(t, "the receipt", func() bool { return len(r.records("replies:email")) == 1 })
	r.dispatch(1)
	for code, role := range map[string]string{"CMO": "lead", "LEGAL": "collaborator"} {
		dept := r.records("dept:" + code)
		if len(dept) != 1 || dept[0].text("role") != role || !strings.Contains(dept[0].text("record"), `"rule":"default"`) {
			t.Errorf("%s: %+v", code, dept)
		}
	}
	k, err := r.client.Complaint(t.Context(), number)
	if err != nil || k.Route == nil || k.Route.Department != "CMO" || len(k.History) != 2 {
		t.Errorf("complaint: %+v, %v", k, err)
	}
}

func TestFollowUpsFindTheirComplaint(t *testing.T) {
	for _, parts := range []int{1, 3} {
		t.Run(fmt.Sprint(parts, " partitions"), func(t *testing.T) {
			r := newRig(t, func(c *Config, _ *GatewayConfig) { c.Partitions = parts })
			r.accept(mail("first@example.com", "zhang@example.cn", "one"))
			number := r.awaitIntake(1)[0].text("number")
			reply := mail("second@example.com", "other@example.com", "two")
			reply.References = []string{"first@example.com"}
			subject := mail("third@example.com", "Zhang@Example.cn", "three")
			subject.Number, subject.NumberBy = number, "subject"
			stranger := mail("fourth@example.com", "stranger@example.com", "four")
			stranger.Number, stranger.NumberBy = number, "subject"
			proven := mail("fifth@example.com", "new@example.com", "five")
			proven.Number, proven.NumberBy, proven.NumberProven = number, "message_id", true
			for _, c := range []complaint.Contact{reply, subject, stranger, proven} {
				r.accept(c)
			}
			by := map[string]string{}
			for _, m := range r.awaitIntake(5) {
				if m.text("number") == number {
					by[recordOf(t, m).Narrative] = m.text("event")
				} else if rec := recordOf(t, m); rec.Narrative != "four" || rec.Facts["related"] != number || rec.Event != complaint.Registered {
					t.Errorf("not under %s: %+v", number, rec)
				}
			}
			want := map[string]string{"one": "registered", "two": "supplemented", "three": "supplemented", "five": "supplemented"}
			if fmt.Sprint(by) != fmt.Sprint(want) {
				t.Errorf("under %s: %v, want %v", number, by, want)
			}
			r.dispatch(5)
			if n := len(r.records("dept:CMO")); n != 5 {
				t.Errorf("%d entries at the lead, want 5", n)
			}
		})
	}
}

// Outlook's thread is a help for the same sender, and proves nothing of others.
func TestATopicIsGoodForItsSender(t *testing.T) {
	r := newRig(t)
	first, again, stranger := mail("a@example.com", "zhang@example.cn", "one"), mail("b@example.com", "Zhang@example.cn", "two"), mail("c@example.com", "eve@example.net", "three")
	first.Topic, again.Topic, stranger.Topic = "outlook 01", "outlook 01", "outlook 01"
	r.accept(first)
	number := r.awaitIntake(1)[0].text("number")
	r.accept(again)
	r.accept(stranger)
	for _, m := range r.awaitIntake(3) {
		rec := recordOf(t, m)
		if same := m.text("number") == number; same != (rec.Narrative != "three") {
			t.Errorf("%q is under %s", rec.Narrative, m.text("number"))
		}
		if rec.Narrative == "two" && (rec.Thread == nil || rec.Thread.By != "topic") {
			t.Errorf("%+v", rec.Thread)
		}
	}
}

func TestCallIsOneComplaintInAnyOrder(t *testing.T) {
	call := func(sid, part string, opens bool) complaint.Contact {
		return complaint.Contact{
			ID: complaint.RecordID("phone", sid, part), Channel: complaint.Phone, Account: "hotline", Ref: sid + "/" + part,
			Conversation: "call:" + sid, OnlyOpens: opens, NumberNow: !opens, ReceivedAt: time.Now(), Text: part,
		}
	}
	r := newRig(t)
	first := r.accept(call("CA1", "recording", false))
	if first.Number == "" || first.Event != complaint.Registered {
		t.Fatalf("the caller hears no number: %+v", first)
	}
	r.accept(call("CA1", "hangup", true))
	r.accept(call("CA1", "transcript", false))
	r.accept(call("CA2", "hangup", true))
	r.accept(call("CA2", "recording", false))
	r.accept(call("CA3", "hangup", true))
	r.accept(call("CA3", "hangup", true))
	await(t, "an empty line", func() bool { return r.gw.spool.depth() == 0 })
	events := map[string][]string{}
	for _, m := range r.awaitIntake(5) {
		events[m.text("number")] = append(events[m.text("number")], m.text("event"))
	}
	if len(events) != 3 || !slices.Equal(events[first.Number], []string{"registered", "supplemented"}) {
		t.Errorf("three calls gave %v", events)
	}
}

func TestFragmentsWaitForTheirChat(t *testing.T) {
	r := newRig(t, func(_ *Config, g *GatewayConfig) { g.Idle = 300 * time.Millisecond })
	hello := chat("s1", "1", "你好")
	hello.Fragment = true
	if got := r.accept(hello); got.Number != "" {
		t.Errorf("hello got a number: %+v", got)
	}
	told := r.accept(chat("s1", "2", "包裹丢了"))
	if told.Number == "" {
		t.Fatal("no number for a complaint")
	}
	if again := r.accept(hello); !again.Duplicate {
		t.Errorf("the fragment again: %+v", again)
	}
	if got := recordOf(t, r.awaitIntake(1)[0]); got.Narrative != "你好\n包裹丢了" || got.Number != told.Number || got.ID != hello.ID {
		t.Errorf("record: %+v", got)
	}
	silent := chat("s2", "1", "在吗")
	silent.Fragment = true
	r.accept(silent)
	if got := recordOf(t, r.awaitIntake(2)[1]); got.Narrative != "在吗" || got.Number == "" {
		t.Errorf("a customer who vanished: %+v", got)
	}
	more := r.accept(chat("s1", "3", "还没收到"))
	if more.Number != told.Number || more.Event != complaint.Supplemented {
		t.Errorf("more of the first chat: %+v", more)
	}
}

func TestRedisAwayStopsNobody(t *testing.T) {
	r := newRig(t)
	r.accept(chat("s0", "1", "x"))
	r.awaitIntake(1)
	r.redis.Kill()
	told := map[string]bool{}
	for i := range 20 {
		got := r.accept(chat(fmt.Sprint("away", i), "1", "y"))
		if got.Number == "" || told[got.Number] {
			t.Fatalf("contact %d: %+v", i, got)
		}
		told[got.Number] = true
	}
	if more := r.accept(chat("away3", "2", "z")); !told[more.Number] || more.Event != complaint.Supplemented {
		t.Errorf("more of a chat: %+v", more)
	}
	r.stop() // and the gateway dies too
	r.start()
	if got := r.accept(chat("away-after-restart", "1", "y")); got.Number == "" || told[got.Number] {
		t.Errorf("after the restart: %+v", got)
	}
	r.redis.Up()
	for _, m := range r.awaitIntake(23) {
		delete(told, m.text("number"))
	}
	if len(told) != 0 {
		t.Errorf("told, but not on the intake: %v", told)
	}
}

func TestRedisSetBackGetsItsRecordsBack(t *testing.T) {
	r := newRig(t)
	r.accept(mail("old@example.com", "a@example.com", "old"))
	r.awaitIntake(1)
	r.redis.Kill()
	snapshot := r.redis.Snapshot()
	r.redis.Up()
	for i := range 50 {
		c := mail(fmt.Sprint(i, "@example.com"), fmt.Sprint(i, "@example.cn"), "new")
		if i%10 == 9 {
			c.References = []string{fmt.Sprint(i-1, "@example.com")}
		}
		r.accept(c)
	}
	before := numbersOf(t, r.awaitIntake(51))
	r.dispatch(51)
	r.redis.Kill()
	r.redis.Restore(snapshot)
	r.redis.Up()
	await(t, "the lost records", func() bool { return len(r.records(streamIntake)) == 51 })
	if after := numbersOf(t, r.records(streamIntake)); fmt.Sprint(after) != fmt.Sprint(before) {
		t.Errorf("numbers changed:\n%v\n%v", before, after)
	}
	fresh := r.accept(chat("fresh", "1", "x"))
	if slices.ContainsFunc(slices.Collect(maps.Values(before)), func(n string) bool { return strings.HasPrefix(n, fresh.Number) }) || fresh.Number == "" {
		t.Errorf("number %s was given out twice", fresh.Number)
	}
	r.awaitIntake(52)
	r.dispatch(52)
	if n := len(r.records("dept:CMO")); n != 52 {
		t.Errorf("%d entries at the lead, want 52", n)
	}
}

// numbersOf maps the id of each record to its number and event.
func numbersOf(t *testing.T, msgs []message) map[string]string {
	out := map[string]string{}
	for _, m := range msgs {
		out[m.text("id")] = m.text("number") + m.text("event")
	}
	return out
}

func TestFullSpoolRefuses(t *testing.T) {
	r := newRig(t, func(_ *Config, g *GatewayConfig) { g.MaxBytes = 64 << 10 })
	r.redis.Kill()
	var taken []string
	var refused error
	for i := 0; refused == nil && i < 1000; i++ {
		c := mail(fmt.Sprint(i, "@example.com"), "a@example.com", strings.Repeat("x", 1000))
		if _, refused = r.gw.Accept(t.Context(), c); refused == nil {
			taken = append(taken, c.ID)
		}
	}
	if !errors.Is(refused, complaint.ErrFull) || len(taken) == 0 {
		t.Fatalf("took %d, then %v", len(taken), refused)
	}
	if !errors.Is(r.gw.Ready(), complaint.ErrFull) {
		t.Error("a full gateway says it is ready")
	}
	r.redis.Up()
	var got []string
	for _, m := range r.awaitIntake(len(taken)) {
		got = append(got, m.text("id"))
	}
	if !slices.Equal(got, taken) {
		t.Errorf("published %d, took %d", len(got), len(taken))
	}
}

func TestDamagedEntryGoesToTheDeadStreamAndBack(t *testing.T) {
	r := newRig(t)
	r.accept(mail("warm@example.com", "a@example.com", "x"))
	r.awaitIntake(1)
	boom := mail("boom@example.com", "b@example.com", "boom")
	broken := true
	var mu sync.Mutex
	r.gw.cfg.Normalize = func(c complaint.Contact) complaint.Record {
		mu.Lock()
		defer mu.Unlock()
		if broken && c.Text == "boom" {
			panic("can't")
		}
		return plain(c)
	}
	r.accept(boom)
	r.accept(mail("next@example.com", "c@example.com", "y"))
	r.awaitIntake(2)
	await(t, "a dead letter", func() bool { return len(r.records(streamDead)) == 1 })
	dead, err := r.client.DeadList(t.Context())
	if err != nil || len(dead) != 1 || !strings.Contains(dead[0].Reason, "can't") {
		t.Fatalf("dead: %+v, %v", dead, err)
	}
	mu.Lock()
	broken = false
	mu.Unlock()
	if err := r.client.DeadRetry(t.Context(), dead[0].ID); err != nil {
		t.Fatal(err)
	}
	if err := r.client.DeadRetry(t.Context(), dead[0].ID); err == nil {
		t.Error("retried twice")
	}
	if got := recordOf(t, r.awaitIntake(3)[2]); got.Narrative != "boom" {
		t.Errorf("came back as %+v", got)
	}
}

func TestAnswerIsQueuedOnce(t *testing.T) {
	r := newRig(t)
	told := r.accept(chat("s", "1", "x"))
	r.awaitIntake(1)
	if _, err := r.client.Update(t.Context(), complaint.Update{Number: complaint.Grouped(told.Number), Status: "x"}); err == nil {
		t.Error("a number must be parsed before it gets here")
	}
	if _, err := r.client.Update(t.Context(), complaint.Update{Number: told.Number, Status: "plan_decided", Message: "我们会退款"}); err != nil {
		t.Fatal(err)
	}
	u := r.client.Updates()
	got, err := u.Read(t.Context(), 10)
	if err != nil || len(got) != 1 || got[0].Complaint == nil {
		t.Fatalf("updates: %+v, %v", got, err)
	}
	reply := got[0].Complaint.Address()
	reply.ID, reply.Kind, reply.Text = "update-"+got[0].Entry, complaint.ReplyUpdate, got[0].Update.Message
	for range 2 {
		if err := u.Answer(t.Context(), got[0], &reply); err != nil {
			t.Fatal(err)
		}
	}
	out := r.client.Replies(complaint.Chat)
	replies, err := out.Read(t.Context(), 10)
	if err != nil || len(replies) != 1 || replies[0].Reply.Text != "我们会退款" || replies[0].Reply.Conversation != "chat:s" {
		t.Fatalf("replies: %+v, %v", replies, err)
	}
	mailTo := replies[0].Reply
	mailTo.Channel = complaint.Email
	if err := out.Redirect(t.Context(), replies[0], mailTo); err != nil {
		t.Fatal(err)
	}
	other := r.client.Replies(complaint.Email)
	replies, err = other.Read(t.Context(), 10)
	if err != nil || len(replies) != 1 {
		t.Fatalf("redirected: %+v, %v", replies, err)
	}
	if err := other.Dead(t.Context(), replies[0], "no such address"); err != nil {
		t.Fatal(err)
	}
	if dead, err := r.client.DeadList(t.Context()); err != nil || len(dead) != 1 || dead[0].Stream != "replies:email" {
		t.Errorf("dead: %+v, %v", dead, err)
	}
}

// A record that ends every dispatcher which has it in hand is given up in the
// end; those that were in hand with it are not.
func TestOnlyTheRecordThatEndsDispatchersIsGivenUp(t *testing.T) {
	r := newRig(t, func(c *Config, _ *GatewayConfig) { c.ClaimAfter = 100 * time.Millisecond; c.MaxAttempts = 3 })
	const records = 6
	for i := range records {
		r.accept(mail(fmt.Sprint(i, "@example.com"), "a@example.com", fmt.Sprint("mail ", i)))
	}
	r.awaitIntake(records)
	poison, crashes, moved := "", 0, 0
	for dispatcher := 0; ; dispatcher++ {
		if dispatcher > 40 {
			t.Fatalf("after %d dispatchers %d records are moved", dispatcher, moved)
		}
		cfg := r.cfg
		cfg.Consumer = fmt.Sprint("dispatcher-", dispatcher)
		c, err := Dial(cfg)
		if err != nil {
			t.Fatal(err)
		}
		in, ended := c.Intake(), false
		for !ended {
			var got []complaint.Delivery
			await(t, "a record", func() bool {
				got, err = in.Read(t.Context(), 10)
				return err != nil || len(got) > 0
			})
			if err != nil {
				t.Fatal(err)
			}
			if poison == "" {
				poison = got[2].Record.ID // neither the first nor the last
			}
			bad := slices.IndexFunc(got, func(d complaint.Delivery) bool { return d.Record.ID == poison })
			switch {
			case bad >= 0 && got[bad].Err != nil:
				if err := in.Dead(t.Context(), got[bad], got[bad].Err.Error()); err != nil {
					t.Fatal(err)
				}
				poison = "given up"
			case bad >= 0:
				crashes++
				ended = true
			default:
				for _, d := range got {
					if d.Err != nil {
						t.Errorf("%s is given up: %v", d.Record.ID, d.Err)
					}
					if err := in.Move(t.Context(), []complaint.Move{{Delivery: d, Route: complaint.Route{Department: "CMO"}}}); err != nil {
						t.Fatal(err)
					}
					moved++
				}
			}
			if moved == records-1 && poison == "given up" {
				ended = true
			}
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		if moved == records-1 && poison == "given up" {
			break
		}
	}
	if crashes != 3+trialsMost {
		t.Errorf("it ended %d dispatchers", crashes)
	}
	dead, err := r.client.DeadList(t.Context())
	if err != nil || len(dead) != 1 || dead[0].Stream != streamIntake {
		t.Fatalf("dead: %+v, %v", dead, err)
	}
	if err := r.client.DeadRetry(t.Context(), dead[0].ID); err != nil {
		t.Fatal(err)
	}
	r.dispatch(1)
	if n := len(r.records("dept:CMO")); n != records {
		t.Errorf("%d entries at the lead", n)
	}
}

func TestLeaseIsHeldByOne(t *testing.T) {
	r := newRig(t)
	other := &rig{t: t, redis: r.redis, cfg: r.cfg, gcfg: r.gcfg}
	other.gcfg.Dir = t.TempDir()
	other.start()
	t.Cleanup(other.stop)
	held := make(chan string)
	hold := func(g *Gateway, name string, ctx context.Context) {
		_ = g.Hold(ctx, "mailbox:support", func(ctx context.Context) error {
			held <- name
			<-ctx.Done()
			return g.Save(ctx, "support", []byte(name))
		})
	}
	one, stopOne := context.WithCancel(t.Context())
	go hold(r.gw, "one", one)
	if got := <-held; got != "one" {
		t.Fatal(got)
	}
	go hold(other.gw, "other", t.Context())
	select {
	case got := <-held:
		t.Fatalf("%s holds it too", got)
	case <-time.After(500 * time.Millisecond):
	}
	stopOne()
	if got := <-held; got != "other" {
		t.Fatal(got)
	}
	if v, err := r.gw.Load(t.Context(), "support"); err != nil || string(v) != "one" {
		t.Errorf("position %q, %v", v, err)
	}
}

func TestNotebookAndSpoolSurvive(t *testing.T) {
	r := newRig(t)
	n := r.gw.Notebook("phone")
	if err := errors.Join(n.Put("recording/1", []byte("a")), n.Put("recording/2", []byte("b")), n.Put("sent/1", nil), n.Delete("recording/2")); err != nil {
		t.Fatal(err)
	}
	r.stop()
	r.start()
	got, err := r.gw.Notebook("phone").List("recording/")
	if err != nil || len(got) != 1 || string(got["recording/1"]) != "a" {
		t.Errorf("notes: %q, %v", got, err)
	}
	if _, err := openSpool(r.dir, 1, slog.Default()); !errors.Is(err, journal.ErrLocked) {
		t.Errorf("a second process: %v", err)
	}
}

func TestChatLog(t *testing.T) {
	r := newRig(t)
	s := r.client.Sessions()
	woken := make(chan string, 10)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		done <- s.Watch(ctx, func(session, signal string) { woken <- strings.TrimSpace(session + " " + signal) })
	}()
	if got := <-woken; got != "" {
		t.Fatalf("woken first for %q", got)
	}
	for i, id := range []string{"a", "b", "a"} {
		at, err := s.Append(t.Context(), "s1", complaint.ChatMessage{ID: id, From: "department", Text: id})
		if want := (complaint.ChatPlace{Seq: []int64{1, 2, 1}[i]}); err != nil || at != want {
			t.Errorf("append %s: %+v, %v", id, at, err)
		}
	}
	if got := []string{<-woken, <-woken}; !slices.Equal(got, []string{"s1", "s1"}) {
		t.Errorf("woken for %v", got)
	}
	got, err := s.Since(t.Context(), "s1", 1)
	if err != nil || len(got) != 1 || got[0].Text != "b" || got[0].Seq != 2 {
		t.Errorf("since 1: %+v, %v", got, err)
	}
	for _, seq := range []int64{2, 1} { // of two tabs, one is behind
		if err := s.Heard(t.Context(), "s1", seq); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Note(t.Context(), "s1", map[string]string{"gone": "1", "email": "ann@example.com"}); err != nil {
		t.Fatal(err)
	}
	if at, err := s.Append(t.Context(), "s1", complaint.ChatMessage{ID: "a"}); err != nil || at != (complaint.ChatPlace{Seq: 1, Heard: 2, Gone: true}) {
		t.Errorf("heard and gone: %+v, %v", at, err)
	}
	if err := s.Note(t.Context(), "s1", map[string]string{"gone": ""}); err != nil {
		t.Fatal(err)
	}
	if all, err := s.Resume(t.Context(), "s1"); err != nil || len(all.Log) != 2 || all.Notes["email"] != "ann@example.com" || all.Notes["gone"] != "" {
		t.Errorf("resumed: %+v, %v", all, err)
	}
	if err := s.Signal(t.Context(), "s1", "typing"); err != nil {
		t.Fatal(err)
	}
	if got := <-woken; got != "s1 typing" {
		t.Errorf("signalled %q", got)
	}
	r.redis.Kill()
	r.redis.Up()
	if got := <-woken; got != "" {
		t.Errorf("after the cut: woken for %q", got)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestDayWithoutNumbersKeepsContacts(t *testing.T) {
	r := newRig(t)
	err := r.gw.spool.Update(func(tx *journal.Tx) error {
		putBlocks(tx, complaint.Day(time.Now().In(r.gw.cfg.Location)), []block{{Next: complaint.MaxSequence + 1, Last: complaint.MaxSequence, Usable: time.Now()}})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	// The rig's first block may be on its way; take what is left of it.
	got := r.accept(chat("s", "1", "x"))
	if got.ID == "" {
		t.Fatal("not accepted")
	}
	if r.gw.spool.depth() == 0 && len(r.records(streamIntake)) == 0 {
		t.Error("the contact is neither in the spool nor on the intake")
	}
}

func TestOptions(t *testing.T) {
	for _, ok := range []string{
		"redis://127.0.0.1:6379", "rediss://user:pw@redis.example.com:6380/2", "unix:///run/redis.sock",
		"redis+sentinel://:pw@a.example.com:26379,b.example.com:26379/0?master=main", "redis+cluster://a.example.com:7000,b.example.com:7000",
	} {
		if err := Check(ok); err != nil {
			t.Errorf("%s: %v", ok, err)
		}
	}
	for bad, want := range map[string]string{
		"http://x":                      "scheme",
		"redis+sentinel://:hunter2@a:1": "master=NAME",
		"redis://:hunter2@a:1,b:2":      "several hosts",
		"redis+ring://:hunter2@a:1":     "unknown mode",
		"redis://:hunter2%zz@a:1":       "percent-encoded",
	} {
		err := Check(bad)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v, want %q and no password", bad, err, want)
		}
	}
}

func recordOf(t *testing.T, m message) complaint.Record {
	t.Helper()
	var r complaint.Record
	if err := json.Unmarshal([]byte(m.text("record")), &r); err != nil {
		t.Fatal(err)
	}
	return r
}
