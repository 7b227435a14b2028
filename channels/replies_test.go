package channels

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"hearken/complaint"
	"hearken/internal/redisserver/redistest"
	"hearken/queue"
)

func TestMain(m *testing.M) {
	queue.LogTo(slog.New(slog.DiscardHandler))
	goleak.VerifyTestMain(m)
}

// refusing is a Channel whose every reply is refused, for good where no other
// channel may try.
type refusing struct{ why error }

func (refusing) Name() string                                  { return "support" }
func (refusing) Run(ctx context.Context) error                 { <-ctx.Done(); return nil }
func (r refusing) Send(context.Context, complaint.Reply) error { return complaint.Permanent(r.why) }

// answering has a department answer one contact, over a channel whose every
// reply is refused, and returns the complaint's history and what is dead.
func answering(t *testing.T, c complaint.Contact, why error) (history func() map[string]string, dead func() int) {
	t.Helper()
	redis := redistest.Start(t)
	client, err := queue.Dial(queue.Config{URL: redis.URL(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	gateway, err := queue.OpenGateway(client, queue.GatewayConfig{Dir: t.TempDir(), Normalize: func(c complaint.Contact) complaint.Record {
		return complaint.Record{ID: c.ID, Channel: c.Channel, Complainant: c.From, Narrative: c.Text, Source: complaint.Source{Ref: c.Ref}, Facts: map[string]string{"mailbox": "support"}}
	}})
	if err != nil {
		t.Fatal(err)
	}
	set := &Set{byKind: map[string]map[string]Channel{}}
	if err := set.add(c.Channel, refusing{why}, nil); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var parts sync.WaitGroup
	parts.Go(func() { _ = gateway.Run(ctx) })
	parts.Go(func() { _ = NewAnswers(client, set, slog.New(slog.DiscardHandler)).Run(ctx) })
	t.Cleanup(func() {
		cancel()
		parts.Wait()
		if err := errors.Join(gateway.Close(), client.Close()); err != nil {
			t.Error(err)
		}
	})
	got, err := gateway.Accept(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	await(t, "the complaint", func() bool { _, err := client.Complaint(ctx, got.Number); return err == nil })
	if _, err := client.Update(ctx, complaint.Update{Number: got.Number, Status: "resolved", Message: "we pay"}); err != nil {
		t.Fatal(err)
	}
	history = func() map[string]string {
		c, err := client.Complaint(ctx, got.Number)
		if err != nil {
			return nil
		}
		reasons := map[string]string{}
		for _, line := range c.History {
			var e struct{ Event, Reason, Channel string }
			if json.Unmarshal(line, &e) == nil {
				reasons[e.Event] = e.Channel + ": " + e.Reason
			}
		}
		return reasons
	}
	dead = func() int {
		all, err := client.DeadList(ctx)
		if err != nil {
			return -1
		}
		return len(all)
	}
	return history, dead
}

// A reply that the other side refuses is a dead letter, and its complaint
// says why.
func TestARefusedReplyIsBookedOnItsComplaint(t *testing.T) {
	history, dead := answering(t, complaint.Contact{
		ID: "one", Channel: complaint.Email, Account: "support", Ref: "a@example.org", ReceivedAt: time.Now(), NumberNow: true, From: complaint.Person{Email: "ann@example.org"}, Text: "x",
	}, errors.New("550 no such user"))
	await(t, "the failure on the complaint", func() bool { return history()["delivery_failed"] == "email: 550 no such user" })
	await(t, "the dead letter", func() bool { return dead() == 1 })
}

// An answer that nobody heard in a chat is kept in its window: where nothing
// else can bring it, that is no failure.
func TestAnUnheardAnswerStaysInItsChat(t *testing.T) {
	history, dead := answering(t, complaint.Contact{
		ID: "one", Channel: complaint.Chat, Account: "web", Ref: "s/1", Conversation: "chat:s", ReceivedAt: time.Now(), NumberNow: true, From: complaint.Person{Email: "ann@example.org"}, Text: "x",
	}, complaint.ErrUnreachable)
	await(t, "the answer to be done", func() bool { _, ok := history()["replied"]; return ok })
	if failed, ok := history()["delivery_failed"]; ok || dead() != 0 {
		t.Errorf("failed with %q, %d dead", failed, dead())
	}
}

// await waits for what other goroutines bring about.
func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}
