package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"hearken/complaint"
)

func call(sid, part string) complaint.Contact {
	return complaint.Contact{
		ID: complaint.RecordID(complaint.Phone, sid, part), Channel: complaint.Phone, Account: "hotline", Ref: sid + "/" + part, ReceivedAt: time.Now(),
		From: complaint.Person{Phone: "+8613812345678"}, Conversation: "call:" + sid,
	}
}

// phoneReplies reads what waits to be sent by phone.
func (r *rig) phoneReplies() []string {
	r.t.Helper()
	var out []string
	for _, m := range r.records(streamReplies + complaint.Phone) {
		out = append(out, m.text("reply"))
	}
	return out
}

// awaitRecords waits for n records on the intake.
func (r *rig) awaitRecords(n int) []complaint.Record {
	r.t.Helper()
	var out []complaint.Record
	for _, m := range r.awaitIntake(n) {
		var one complaint.Record
		if err := json.Unmarshal([]byte(m.text("record")), &one); err != nil {
			r.t.Fatal(err)
		}
		out = append(out, one)
	}
	return out
}

// TestFactsAreShared: another gateway knows what one has learnt; while Redis
// is away, one knows at least its own.
func TestFactsAreShared(t *testing.T) {
	r := newRig(t)
	await(t, "redis", r.gw.up.Load)
	other, err := OpenGateway(r.client, GatewayConfig{Dir: t.TempDir(), Normalize: plain})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	other.up.Store(true)
	ctx := t.Context()
	if err := errors.Join(r.gw.Learn(ctx, "call:1", map[string]string{"lang": "zh", "type": "BILLING"}), other.Learn(ctx, "call:1", map[string]string{"lang": "en"})); err != nil {
		t.Fatal(err)
	}
	for _, g := range []*Gateway{r.gw, other} {
		if got, err := g.Known(ctx, "call:1"); err != nil || got["lang"] != "en" || got["type"] != "BILLING" {
			t.Errorf("known: %v, %v", got, err)
		}
	}
	if got, err := other.Known(ctx, "call:2"); err != nil || len(got) != 0 {
		t.Errorf("of another call: %v, %v", got, err)
	}
	r.gw.up.Store(false)
	if err := r.gw.Learn(ctx, "call:1", map[string]string{"number": "261123004279"}); err != nil {
		t.Fatal(err)
	}
	if got, err := r.gw.Known(ctx, "call:1"); err != nil || got["number"] != "261123004279" {
		t.Errorf("while redis is away: %v, %v", got, err)
	}
	if err := r.gw.forgetFacts(time.Now().Add(factsKeep + time.Hour)); err != nil {
		t.Fatal(err)
	}
	if notes, err := r.gw.Notebook(factsNotes).List(""); err != nil || len(notes) != 0 {
		t.Errorf("notes that are too old: %v, %v", notes, err)
	}
}

func TestBook(t *testing.T) {
	r := newRig(t)
	c := mail("m1@example.cn", "zhang@example.cn", "hello")
	c.NumberNow = true
	got, err := r.gw.Accept(t.Context(), c)
	if err != nil || got.Number == "" {
		t.Fatal(got, err)
	}
	r.awaitRecords(1)
	for range 2 {
		if err := r.client.Book(t.Context(), got.Number, "SM1/failed", "delivery_failed", map[string]string{"code": "30003"}); err != nil {
			t.Fatal(err)
		}
	}
	k, err := r.client.Complaint(t.Context(), got.Number)
	if err != nil {
		t.Fatal(err)
	}
	booked := 0
	for _, line := range k.History {
		if strings.Contains(string(line), `"delivery_failed"`) && strings.Contains(string(line), `"30003"`) {
			booked++
		}
	}
	if booked != 1 {
		t.Errorf("booked %d times: %s", booked, k.History)
	}
	if err := r.client.Book(t.Context(), "261123000007", "x", "y", nil); !errors.Is(err, ErrUnknownNumber) {
		t.Errorf("a complaint that is not there: %v", err)
	}
}

// TestReceiptOnlyIfNotTold: who has heard a number gets no message with it.
func TestReceiptOnlyIfNotTold(t *testing.T) {
	r := newRig(t)
	told, untold := call("CA1", "a"), call("CA2", "a")
	told.NumberNow, told.WantsReceipt, untold.WantsReceipt = true, true, true
	untold.From.Phone = "+8613812345679"
	for _, c := range []complaint.Contact{told, untold} {
		got, err := r.gw.Accept(t.Context(), c)
		if err != nil || (got.Number != "") != c.NumberNow {
			t.Fatal(got, err)
		}
	}
	r.awaitRecords(2)
	if got := r.phoneReplies(); len(got) != 1 || !strings.Contains(got[0], "+8613812345679") {
		t.Errorf("replies: %s", got)
	}
}

// TestEndOfACallThatNamesAComplaint adds to it, though it only opens.
func TestEndOfACallThatNamesAComplaint(t *testing.T) {
	r := newRig(t)
	first := call("CA1", "a")
	first.NumberNow = true
	got, err := r.gw.Accept(t.Context(), first)
	if err != nil {
		t.Fatal(err)
	}
	r.awaitRecords(1)
	for _, part := range []string{"end", "end again"} {
		end := call("CA2", part)
		end.OnlyOpens, end.Number, end.NumberBy = true, got.Number, "keyed"
		if _, err := r.gw.Accept(t.Context(), end); err != nil {
			t.Fatal(err)
		}
	}
	last := call("CA3", "a")
	if _, err := r.gw.Accept(t.Context(), last); err != nil {
		t.Fatal(err)
	}
	rs := r.awaitRecords(3)
	if rs[1].Number != got.Number || rs[1].Event != complaint.Supplemented || rs[1].Thread.By != "keyed" || rs[2].Source.Ref != "CA3/a" {
		t.Errorf("records %+v", rs)
	}
}

// TestPartsAreJoined: the parts of a cut text are one record, without a break.
func TestPartsAreJoined(t *testing.T) {
	r := newRig(t)
	for i, text := range []string{"我的包", "裹丢", "了"} {
		c := call("SM", text)
		c.Conversation, c.Text, c.Part = "sms:1", text, i < 2
		c.Fragment = c.Part
		if _, err := r.gw.Accept(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	if got := r.awaitRecords(1); got[0].Narrative != "我的包裹丢了" {
		t.Errorf("narrative %q", got[0].Narrative)
	}
}

// TestTranscriptMoves: what is routed again replaces the route, and the record
// that it was routed by.
func TestTranscriptMoves(t *testing.T) {
	r := newRig(t)
	in := r.client.Intake()
	read := func() complaint.Delivery {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		for {
			got, err := in.Read(ctx, 10)
			if err != nil {
				t.Fatal(err)
			}
			if len(got) > 0 {
				return got[0]
			}
		}
	}
	move := func(d complaint.Delivery, route complaint.Route) {
		t.Helper()
		if err := in.Move(t.Context(), []complaint.Move{{Delivery: d, Route: route}}); err != nil {
			t.Fatal(err)
		}
	}
	accept := func(c complaint.Contact) {
		t.Helper()
		if _, err := r.gw.Accept(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	accept(call("CA1", "a"))
	d := read()
	move(d, complaint.Route{Department: "CMO", Rule: "default"})
	for i, want := range []struct{ department, words string }{{"CMO", ""}, {"FIN", "charged twice"}} {
		c := call("CA1", []string{"t1", "t2"}[i])
		c.Text, c.Account = "charged twice", "transcript"
		accept(c)
		d := read()
		if d.Current == nil || d.Current.Department != want.department || d.Before == nil || d.Before.Narrative != want.words {
			b, _ := json.Marshal(d.Before)
			t.Fatalf("delivery %d: %+v, before %s", i, d.Current, b)
		}
		move(d, complaint.Route{Department: "FIN", Collaborators: []string{"CMO"}, Rule: "by-type", Again: "no words before"})
	}
	// Registered, and routed three times: each is told once.
	if got := events(t, r.client, d.Record.Number); strings.Join(got, " ") != "registered routed supplemented routed supplemented routed" {
		t.Errorf("history: %q", got)
	}
}

// TestTwoGatewaysTellTwoNumbers: the same contact comes to two gateways before
// either has published it. Both numbers that were told lead to the complaint.
func TestTwoGatewaysTellTwoNumbers(t *testing.T) {
	r := newRig(t)
	await(t, "redis", r.gw.up.Load)
	other, err := OpenGateway(r.client, GatewayConfig{Dir: t.TempDir(), Normalize: plain})
	if err != nil {
		t.Fatal(err)
	}
	c := call("CA1", "a")
	c.NumberNow = true
	ctx, cancel := context.WithCancel(t.Context())
	leased := make(chan error, 1)
	go func() { leased <- other.numbers.run(ctx) }() // all of it but the publisher
	there := r.accept(c)
	here, err := other.Accept(ctx, c) // it knows of nothing: its up is false
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	<-leased
	r.awaitRecords(1)
	ctx, cancel = context.WithCancel(t.Context())
	ran := make(chan error, 1)
	go func() { ran <- other.Run(ctx) }()
	await(t, "the other's spool to be empty", func() bool { return other.spool.depth() == 0 })
	cancel()
	if err := errors.Join(<-ran, other.Close()); err != nil {
		t.Fatal(err)
	}
	if there.Number == "" || here.Number == "" || here.Number == there.Number {
		t.Fatalf("numbers %q and %q", there.Number, here.Number)
	}
	for _, number := range []string{there.Number, here.Number} {
		if k, err := r.client.Complaint(t.Context(), number); err != nil || k.Number != there.Number {
			t.Errorf("%s leads to %+v, %v", number, k, err)
		}
	}
	if got := r.records(streamIntake); len(got) != 1 {
		t.Errorf("%d records", len(got))
	}
}

// TestTwoGatewaysTellOneNumber: webhooks of one call come to two gateways
// before either has published; the caller hears one number, and that is the
// complaint's, whoever publishes first.
func TestTwoGatewaysTellOneNumber(t *testing.T) {
	for name, second := range map[string]string{"the same webhook": "a", "another one": "b"} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			await(t, "redis", r.gw.up.Load)
			r.stop()
			// Two gateways that take, look up and claim, and do not publish yet.
			client, err := Dial(r.cfg)
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			var gws []*Gateway
			for range 2 {
				g, err := OpenGateway(client, GatewayConfig{Dir: t.TempDir(), Normalize: plain})
				if err != nil {
					t.Fatal(err)
				}
				gws = append(gws, g)
			}
			ctx, cancel := context.WithCancel(t.Context())
			var parts []chan error
			for _, g := range gws {
				for _, part := range []func(context.Context) error{g.numbers.run, g.lookups.run, g.claims.run} {
					done := make(chan error, 1)
					parts = append(parts, done)
					go func() { done <- part(ctx) }()
				}
				g.up.Store(true)
			}
			var told []string
			for i, part := range []string{"a", second} {
				c := call("CA1", part)
				c.NumberNow = true
				got, err := gws[i].Accept(t.Context(), c)
				if err != nil {
					t.Fatal(err)
				}
				told = append(told, got.Number)
			}
			cancel()
			for _, done := range parts {
				<-done
			}
			// The one that told second publishes first.
			for _, i := range []int{1, 0} {
				ctx, cancel := context.WithCancel(t.Context())
				done := make(chan error, 1)
				go func() { done <- gws[i].Run(ctx) }()
				await(t, "an empty spool", func() bool { return gws[i].spool.depth() == 0 })
				cancel()
				if err := errors.Join(<-done, gws[i].Close()); err != nil {
					t.Fatal(err)
				}
			}
			if told[0] == "" || told[0] != told[1] {
				t.Errorf("told %q", told)
			}
			k, err := client.Complaint(t.Context(), told[0])
			if err != nil || k.Number != told[0] {
				t.Errorf("%s leads to %+v, %v", told[0], k, err)
			}
			msgs, err := client.write.XRange(t.Context(), "{complaints}:intake", "-", "+").Result()
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range msgs {
				if m.Values["number"] != told[0] {
					t.Errorf("a record has the number %v", m.Values["number"])
				}
			}
			if want := map[string]int{"a": 1, "b": 2}[second]; len(msgs) != want {
				t.Errorf("%d records, want %d", len(msgs), want)
			}
		})
	}
}

// TestMarksTellALossAndNothingElse: two questions that cross each other are no
// loss; an answer below what had been acknowledged before the question is.
func TestMarksTellALossAndNothingElse(t *testing.T) {
	var m marks
	m.confirm(0, 0, 0, 10)
	asked := m.floors()            // while this question is on its way ...
	m.confirm(0, 10, 10, 20)       // ... something is published
	m.see(0, asked[0], 10)         // and the answer is older than that
	m.confirm(0, asked[0], 10, 15) // so is this one
	if m.doubtful() {
		t.Fatal("crossing questions are taken for a loss")
	}
	floor := m.floors()[0]
	if floor != 20 {
		t.Fatalf("the floor is %d", floor)
	}
	m.see(0, floor, 10)
	if !m.doubtful() {
		t.Fatal("a loss is not noticed")
	}
	if m.floors()[0] != 10 {
		t.Error("a loss that was noticed once is noticed for ever")
	}
	m.setLost(false)
	m.confirm(0, 10, 10, 30)
	if m.doubtful() {
		t.Error("what was published after a loss is taken for another")
	}
	m.confirm(0, 30, 0, 40)
	if !m.doubtful() {
		t.Error("a loss between two publishings is not noticed")
	}
}

// TestRepeatsAreCounted: a customer's next complaint knows of those before it,
// also where they come together; a supplement is none.
func TestRepeatsAreCounted(t *testing.T) {
	for _, parts := range []int{1, 3} {
		r := newRig(t, func(c *Config, g *GatewayConfig) {
			c.Partitions = parts
			g.Normalize = func(c complaint.Contact) complaint.Record {
				rec := plain(c)
				rec.Facts = c.Facts
				return rec
			}
		})
		r.accept(mail("0@example.com", "li@example.cn", "another customer"))
		for i := 1; i <= 3; i++ {
			r.accept(mail(fmt.Sprint(i, "@example.com"), "Zhang@example.cn", fmt.Sprint(i)))
		}
		more := mail("4@example.com", "zhang@example.cn", "more")
		more.References = []string{"3@example.com"}
		r.accept(more)
		got := map[string]string{}
		for _, m := range r.awaitIntake(5) {
			rec := recordOf(t, m)
			got[rec.Narrative] = rec.Event + rec.Facts[complaint.FactRepeats]
		}
		want := map[string]string{"another customer": "registered", "1": "registered", "2": "registered1", "3": "registered2", "more": "supplemented"}
		if !maps.Equal(got, want) {
			t.Errorf("%d partitions: %v", parts, got)
		}
	}
}
