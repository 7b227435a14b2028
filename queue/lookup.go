package queue

import (
	"context"
	"runtime"
	"time"

	"github.com/redis/go-redis/v9"

	"hearken/complaint"
)

// lookupWait bounds what Accept asks Redis before it writes: somebody waits
// on the line, and the answer only improves the receipt.
const lookupWait = 300 * time.Millisecond

// shared has many questions that are asked at the same time answered in one
// round trip: hundreds take Redis hardly longer than one.
type shared[Q, A any] struct {
	asks chan ask[Q, A]
	do   func(context.Context, []Q) ([]A, error) // an answer to each
}

type ask[Q, A any] struct {
	question Q
	answer   chan A // takes one without waiting; closed where there is none
}

func newShared[Q, A any](do func(context.Context, []Q) ([]A, error)) *shared[Q, A] {
	return &shared[Q, A]{make(chan ask[Q, A], publishMost), do}
}

// get returns the answer, or ok false where there is none within lookupWait.
func (s *shared[Q, A]) get(ctx context.Context, q Q) (answer A, ok bool) {
	a := ask[Q, A]{q, make(chan A, 1)}
	timer := time.NewTimer(lookupWait)
	defer timer.Stop()
	select {
	case s.asks <- a:
	case <-timer.C:
		return answer, false
	case <-ctx.Done():
		return answer, false
	}
	select {
	case answer, ok = <-a.answer:
	case <-timer.C:
	case <-ctx.Done():
	}
	return answer, ok
}

// run answers until ctx ends.
func (s *shared[Q, A]) run(ctx context.Context) error {
	var asked []ask[Q, A]
	for {
		clear(asked) // nothing is held on to
		asked = asked[:0]
		select {
		case <-ctx.Done():
			return nil
		case a := <-s.asks:
			asked = append(asked, a)
		}
		for n := -1; len(s.asks) > n; {
			n = len(s.asks)
			runtime.Gosched() // whoever is about to ask gets in
		}
		for more := true; more && len(asked) < publishMost; {
			select {
			case a := <-s.asks:
				asked = append(asked, a)
			default:
				more = false
			}
		}
		questions := make([]Q, len(asked))
		for i, a := range asked {
			questions[i] = a.question
		}
		within, cancel := context.WithTimeout(ctx, lookupWait)
		answers, err := s.do(within, questions)
		cancel()
		for i, a := range asked {
			if err == nil {
				a.answer <- answers[i]
			}
			close(a.answer)
		}
	}
}

// lookup asks Redis which complaints contacts continue, so that customers are
// told the right number at once. What it finds is only a hint: publishing
// decides.
func (g *Gateway) lookup(ctx context.Context, contacts []*complaint.Contact) ([]thread, error) {
	entries := make([]entry, len(contacts))
	for i, c := range contacts {
		entries[i] = entry{Contacts: []complaint.Contact{*c}}
	}
	return g.client.resolve(ctx, entries, false)
}

// claim is a number that is about to be told for a conversation.
type claim struct{ conversation, number string }

// claimKeep is how long a claim stands: the time from telling a number to its
// publishing, on a gateway that is not quick.
const claimKeep = 5 * time.Minute

// claim books the numbers that are about to be told, and returns for each the
// one that was booked first. The webhooks of one call can come to two gateways
// at once; the caller hears one number from both.
func (g *Gateway) claim(ctx context.Context, claims []claim) ([]string, error) {
	firsts := make([]*redis.StringCmd, len(claims))
	_, err := g.client.write.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, c := range claims {
			key := spread(g.client.parts, c.conversation).told(c.conversation)
			p.SetNX(ctx, key, c.number, claimKeep)
			firsts[i] = p.Get(ctx, key)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := make([]string, len(claims))
	for i, cmd := range firsts {
		out[i] = cmd.Val()
	}
	return out, nil
}
