package queue

import (
	"context"
	"time"

	"hearken/complaint"
)

// lookupWait bounds what Accept asks Redis before it writes: somebody waits
// on the line, and the answer only improves the receipt.
const lookupWait = 300 * time.Millisecond

// ask is a contact whose complaint somebody waits for.
type ask struct {
	contact complaint.Contact
	found   chan thread // takes one answer without waiting
}

// lookupForReceipt asks Redis which complaint the contact continues, so that
// the customer is told the right number at once. What it finds is only a
// hint: publishing decides.
func (g *Gateway) lookupForReceipt(ctx context.Context, c complaint.Contact) thread {
	a := ask{c, make(chan thread, 1)}
	timer := time.NewTimer(lookupWait)
	defer timer.Stop()
	select {
	case g.asks <- a:
	case <-timer.C:
		return thread{}
	case <-ctx.Done():
		return thread{}
	}
	select {
	case found := <-a.found:
		return found
	case <-timer.C:
	case <-ctx.Done():
	}
	return thread{}
}

// answerAsks answers what is asked, until ctx ends. What is asked while an
// answer is under way shares the next round trip: it is what a webhook costs
// most, and hundreds of questions take hardly longer than one.
func (g *Gateway) answerAsks(ctx context.Context) error {
	for {
		var asked []ask
		select {
		case <-ctx.Done():
			return nil
		case a := <-g.asks:
			asked = append(asked, a)
		}
		for more := true; more && len(asked) < publishMost; {
			select {
			case a := <-g.asks:
				asked = append(asked, a)
			default:
				more = false
			}
		}
		entries := make([]entry, len(asked))
		for i, a := range asked {
			entries[i] = entry{Contacts: []complaint.Contact{a.contact}}
		}
		within, cancel := context.WithTimeout(ctx, lookupWait)
		found, err := g.client.resolve(within, entries)
		cancel()
		for i, a := range asked {
			if err != nil {
				a.found <- thread{}
			} else {
				a.found <- found[i]
			}
		}
	}
}
