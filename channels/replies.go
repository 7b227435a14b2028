package channels

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"golang.org/x/sync/errgroup"

	"hearken/complaint"
	"hearken/internal/lifecycle"
	"hearken/queue"
)

const (
	readMost = 50
	// sendTries is how often a reply is tried before it is a dead letter, with
	// growing pauses: about a day and a half in all.
	sendTries = 30
	retryMost = time.Hour
	sendWait  = 2 * time.Minute // for one try
)

// Answers carries departments' updates to the customers.
type Answers struct {
	client *queue.Client
	set    *Set
	log    *slog.Logger
}

// NewAnswers makes the loops; call Run.
func NewAnswers(c *queue.Client, s *Set, log *slog.Logger) *Answers { return &Answers{c, s, log} }

// Run reads updates, and the replies of every kind of channel that there is,
// until ctx ends.
func (a *Answers) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return a.updates(ctx) })
	for _, kind := range a.set.Kinds() {
		g.Go(func() error { return a.replies(ctx, kind) })
	}
	return g.Wait()
}

// updates turns what departments write into replies.
func (a *Answers) updates(ctx context.Context) error {
	in := a.client.Updates()
	for ctx.Err() == nil {
		var batch []queue.UpdateDelivery
		lifecycle.Persist(ctx, a.log, "read updates", func() (err error) {
			batch, err = in.Read(ctx, readMost)
			return err
		})
		for _, d := range batch {
			lifecycle.Persist(ctx, a.log, "answer an update", func() error { return a.answer(ctx, in, d) })
		}
	}
	return nil
}

func (a *Answers) answer(ctx context.Context, in *queue.Updates, d queue.UpdateDelivery) error {
	switch {
	case d.Complaint == nil:
		return in.Dead(ctx, d, fmt.Sprintf("no complaint has the number %.40q", d.Update.Number))
	case d.Update.Status == "" && d.Update.Message == "":
		return in.Dead(ctx, d, "the update has neither a status nor a message")
	case d.Update.Message == "" && (d.Update.Status == complaint.PresenceTyping || d.Update.Status == complaint.PresenceJoined):
		return a.presence(ctx, in, d)
	case d.Update.Message == "":
		return in.Answer(ctx, d, nil)
	}
	r := d.Complaint.Address()
	r.ID, r.Kind, r.Text, r.Status, r.By, r.At = "update-"+d.Entry, complaint.ReplyUpdate, d.Update.Message, d.Update.Status, d.Update.By, time.Now()
	if d.Complaint.Record.Source.Automated {
		// A machine's mail is never answered; the update is booked all the same.
		return in.Answer(ctx, d, nil)
	}
	return in.Answer(ctx, d, &r)
}

// presence shows in an open chat who is there. By mail or phone it means
// nothing: booked as said, and said nowhere.
func (a *Answers) presence(ctx context.Context, in *queue.Updates, d queue.UpdateDelivery) error {
	r := d.Complaint.Address()
	r.ID, r.Kind, r.Status, r.By, r.At = "presence-"+d.Entry, complaint.ReplyPresence, d.Update.Status, d.Update.By, time.Now()
	if r.Channel != complaint.Chat || r.Conversation == "" {
		return in.Pass(ctx, d)
	}
	return in.Answer(ctx, d, &r)
}

// attempt is a reply whose sending failed for the time being.
type attempt struct {
	d    queue.ReplyDelivery
	try  int
	next time.Time
}

// replies sends what is to be said on one kind of channel. A reply that fails
// waits for its next try without holding up the others.
func (a *Answers) replies(ctx context.Context, kind string) error {
	in := a.client.Replies(kind)
	alive, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		in.KeepAlive(alive)
	}()
	defer func() { stop(); <-ended }()
	waiting := map[string]attempt{}
	for ctx.Err() == nil {
		var batch []queue.ReplyDelivery
		lifecycle.Persist(ctx, a.log, "read replies", func() (err error) {
			batch, err = in.Read(ctx, readMost)
			return err
		})
		now := time.Now()
		for _, d := range batch {
			if _, again := waiting[d.Reply.ID]; !again { // a claim hands out what waits here
				waiting[d.Reply.ID] = attempt{d: d, next: now}
			}
		}
		for id, t := range waiting {
			if t.next.After(now) || ctx.Err() != nil {
				continue
			}
			delete(waiting, id)
			err := a.send(ctx, in, &t)
			if until, ok := complaint.IsNotYet(err); ok {
				t.next = time.Now().Add(pause(t.try))
				if until.Before(t.next) {
					t.next = until
				}
				t.try++
				waiting[id] = t
				continue
			}
			if err != nil {
				t.next = time.Now().Add(pause(t.try))
				t.try++
				waiting[id] = t
				a.log.Warn("send a reply; will be tried again", "channel", kind, "id", id, "try", t.try, "next", t.next.Format(time.RFC3339), "err", err)
			}
		}
	}
	return nil
}

// pause grows from a second to an hour, with jitter.
func pause(try int) time.Duration {
	d := min(time.Second<<min(try, 20), retryMost)
	return d/2 + rand.N(d/2)
}

// send tries once. nil means that nothing more is to be done.
func (a *Answers) send(ctx context.Context, in *queue.Replies, t *attempt) error {
	r := t.d.Reply
	if t.d.Err != nil {
		return in.Dead(ctx, t.d, t.d.Err.Error())
	}
	c := a.set.find(r)
	if c == nil {
		return in.Dead(ctx, t.d, fmt.Sprintf("no %s channel is set up", r.Channel))
	}
	one, cancel := context.WithTimeout(ctx, sendWait)
	defer cancel()
	err := c.Send(one, r)
	switch {
	case err == nil:
		return in.Done(ctx, t.d)
	case isNotYet(err):
		return err
	case errors.Is(err, complaint.ErrUnreachable):
		return a.elsewhere(ctx, in, t.d, err)
	case complaint.IsPermanent(err) || t.try >= sendTries:
		return a.giveUp(ctx, in, t.d, err)
	}
	return err
}

func isNotYet(err error) bool { _, ok := complaint.IsNotYet(err); return ok }

// giveUp makes a reply a dead letter, and says so on its complaint.
func (a *Answers) giveUp(ctx context.Context, in *queue.Replies, d queue.ReplyDelivery, why error) error {
	if err := a.book(ctx, d.Reply, why); err != nil {
		return err
	}
	return in.Dead(ctx, d, why.Error())
}

// book says on the complaint that a reply did not reach the customer.
func (a *Answers) book(ctx context.Context, r complaint.Reply, why error) error {
	err := a.client.Book(ctx, r.Number, "failed "+r.ID, "delivery_failed", map[string]string{"channel": r.Channel, "reply": r.ID, "kind": r.Kind, "reason": why.Error()})
	if errors.Is(err, complaint.ErrUnknown) {
		return nil
	}
	return err
}

// elsewhere tries the next channel by which the customer may be reached. A
// receipt that reaches nobody is no dead letter: nobody is waiting for it.
func (a *Answers) elsewhere(ctx context.Context, in *queue.Replies, d queue.ReplyDelivery, why error) error {
	to := d.Reply
	tried := map[string]bool{d.Reply.Channel: true}
	if d.Reply.Channel == complaint.Phone {
		tried[complaint.Email] = d.Reply.InReplyTo != "" // it came from there
	}
	switch {
	case to.To.Email != "" && !tried[complaint.Email] && len(a.set.byKind[complaint.Email]) > 0:
		to.Channel, to.Account = complaint.Email, ""
	case to.To.Phone != "" && !tried[complaint.Phone] && len(a.set.byKind[complaint.Phone]) > 0:
		to.Channel, to.Account = complaint.Phone, ""
	case d.Reply.Channel == complaint.Chat:
		a.log.Info("an answer stays in its chat until the customer comes back: nothing else can bring it", "id", d.Reply.ID, "number", d.Reply.Number)
		return in.Done(ctx, d)
	case d.Reply.Kind == complaint.ReplyReceipt:
		a.log.Info("a receipt reaches nobody", "id", d.Reply.ID, "number", d.Reply.Number)
		if err := a.book(ctx, d.Reply, why); err != nil {
			return err
		}
		return in.Done(ctx, d)
	default:
		return a.giveUp(ctx, in, d, why)
	}
	if c := a.set.find(to); c != nil {
		to.Account = c.Name()
	}
	return in.Redirect(ctx, d, to)
}
