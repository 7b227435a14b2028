// Package channeltest is what every channel has to pass, whatever it speaks:
// nothing is told to be received before it is kept, nothing that was offered
// again is another contact, and Run ends when it is told to.
package channeltest

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"hearken/complaint"
)

// Intake keeps contacts in memory as the queue keeps them on disk: once by
// their id, with one number for each conversation.
type Intake struct {
	mu      sync.Mutex
	refuse  func() error
	got     []complaint.Contact
	numbers map[string]string
}

// Accept serves a channel.
func (in *Intake) Accept(_ context.Context, c complaint.Contact) (complaint.Receipt, error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.refuse != nil {
		if err := in.refuse(); err != nil {
			return complaint.Receipt{}, err
		}
	}
	if in.numbers == nil {
		in.numbers = map[string]string{}
	}
	conversation := c.Conversation
	if conversation == "" {
		conversation = c.ID
	}
	number := in.numbers[conversation]
	r := complaint.Receipt{ID: c.ID, Number: number, Event: complaint.Supplemented}
	if slices.ContainsFunc(in.got, func(o complaint.Contact) bool { return o.ID == c.ID }) || (c.OnlyOpens && number != "") {
		r.Duplicate = true
		return r, nil
	}
	if number == "" && !c.Fragment {
		r.Event = complaint.Registered
		r.Number, _ = complaint.NewNumber("261123", len(in.numbers)+1)
		in.numbers[conversation] = r.Number
	}
	in.got = append(in.got, c)
	return r, nil
}

// Refuse has contacts refused while why returns an error; nil takes them.
func (in *Intake) Refuse(why func() error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.refuse = why
}

// Contacts returns what was taken, in order.
func (in *Intake) Contacts() []complaint.Contact {
	in.mu.Lock()
	defer in.mu.Unlock()
	return slices.Clone(in.got)
}

// Number is the one that a conversation has; "" for none.
func (in *Intake) Number(conversation string) string {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.numbers[conversation]
}

// Numbers is how many complaints there are.
func (in *Intake) Numbers() int {
	in.mu.Lock()
	defer in.mu.Unlock()
	return len(in.numbers)
}

// Channel is a channel under test, with its source.
type Channel struct {
	Kind   string // complaint.Email ...
	Name   string
	Intake *Intake
	// Offer has the source offer its n'th thing, again if it did before, and
	// tells whether it was told that it is received.
	Offer func(n int) (told bool)
	// Stop ends Run and waits for it.
	Stop func()
}

// stopWithin bounds how long a channel may take to end.
const stopWithin = 10 * time.Second

// Conform runs the suite.
func Conform(t *testing.T, c Channel) {
	t.Helper()
	c.Intake.Refuse(func() error { return complaint.ErrFull })
	if c.Offer(1) {
		t.Error("the source was told that a refused contact is received")
	}
	if n := len(c.Intake.Contacts()); n != 0 {
		t.Errorf("%d contacts were taken while all were refused", n)
	}
	c.Intake.Refuse(nil)
	for i, n := range []int{1, 2, 2, 1, 3} {
		if !c.Offer(n) {
			t.Errorf("offer %d, of thing %d: the source was not told that it is received", i+1, n)
		}
	}
	got := c.Intake.Contacts()
	if len(got) != 3 {
		t.Errorf("three things gave %d contacts", len(got))
	}
	for _, k := range got {
		if k.ID == "" || k.Ref == "" || k.Channel != c.Kind || k.Account != c.Name || k.ContactPoint == "" || time.Since(k.ReceivedAt).Abs() > time.Hour {
			t.Errorf("contact is not complete: %+v", k)
		}
	}
	ended := make(chan struct{})
	go func() { c.Stop(); close(ended) }()
	select {
	case <-ended:
	case <-time.After(stopWithin):
		t.Error("Run does not end")
	}
}
