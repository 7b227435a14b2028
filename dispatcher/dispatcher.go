package dispatcher

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"hearken/complaint"
	"hearken/internal/lifecycle"
)

// Stream is where records come from and go to; the queue has it. Read is called
// by one goroutine, Move and Dead by others.
type Stream interface {
	// Read returns up to most records, or none after about a second.
	Read(ctx context.Context, most int) ([]complaint.Delivery, error)
	// Move puts every record on its departments' streams, once, and finishes
	// it. After an error it is safe to call it again with the same moves.
	Move(ctx context.Context, moves []complaint.Move) error
	// Dead gives a record up.
	Dead(ctx context.Context, d complaint.Delivery, reason string) error
}

// Dispatcher moves records. Make it with New and call Run.
type Dispatcher struct {
	stream Stream
	rules  func() *Rules
	log    *slog.Logger
}

const readMost = 200 // records in one batch

// New makes a dispatcher that asks rules for the rules of each batch.
func New(stream Stream, rules func() *Rules, log *slog.Logger) *Dispatcher {
	return &Dispatcher{stream, rules, log}
}

// movesAtOnce is how many batches may be on their way: while Redis works on
// one, the next is encoded.
const movesAtOnce = 2

// decided is a batch that has been decided on.
type decided struct {
	moves   []complaint.Move
	refused []refusal
	follows bool // there is in it what follows a complaint that is routed
}

type refusal struct {
	complaint.Delivery
	why error
}

// Run moves records until ctx ends. Troubles of the stream are waited out.
// While batches are on their way to the departments, the next is read and
// decided on. Of a complaint's supplements none overtakes another: a batch
// that has any waits for the one before that had.
func (d *Dispatcher) Run(ctx context.Context) error {
	batches := make(chan decided)
	var group sync.WaitGroup
	defer group.Wait()
	group.Go(func() {
		defer close(batches)
		d.read(ctx, batches)
	})
	slots := make(chan struct{}, movesAtOnce)
	var last chan struct{} // closed when the last batch with supplements is done
	for batch := range batches {
		slots <- struct{}{}
		before, done := last, make(chan struct{})
		if batch.follows {
			last = done
		}
		group.Go(func() {
			defer func() { close(done); <-slots }()
			if batch.follows && before != nil {
				<-before
			}
			d.move(ctx, batch)
		})
	}
	return nil
}

func (d *Dispatcher) read(ctx context.Context, batches chan<- decided) {
	for ctx.Err() == nil {
		var batch []complaint.Delivery
		lifecycle.Persist(ctx, d.log, "read the intake", func() (err error) {
			batch, err = d.stream.Read(ctx, readMost)
			return err
		})
		if len(batch) == 0 {
			continue
		}
		select {
		case batches <- decideAll(d.rules(), batch):
		case <-ctx.Done(): // the batch stays pending, and comes again
		}
	}
}

func decideAll(rules *Rules, batch []complaint.Delivery) decided {
	out := decided{moves: make([]complaint.Move, 0, len(batch))}
	for i := range batch {
		one := &batch[i]
		to, err := complaint.Route{}, one.Err
		if err == nil {
			to, err = decide(rules, one)
		}
		if err != nil {
			out.refused = append(out.refused, refusal{*one, err})
			continue
		}
		out.moves = append(out.moves, complaint.Move{Delivery: *one, Route: to})
		out.follows = out.follows || one.Record.Event != complaint.Registered
	}
	return out
}

// move finishes one batch, or leaves off when ctx ends: what is not finished
// then comes again.
func (d *Dispatcher) move(ctx context.Context, batch decided) {
	for _, one := range batch.refused {
		lifecycle.Persist(ctx, d.log, "give up a record", func() error { return d.stream.Dead(ctx, one.Delivery, one.why.Error()) })
	}
	if len(batch.moves) > 0 {
		lifecycle.Persist(ctx, d.log, "move records to their departments", func() error { return d.stream.Move(ctx, batch.moves) })
	}
}

// decide finds a record's route: a supplement follows its complaint, unless
// it brings the words that its urgency was not known from before.
func decide(rules *Rules, d *complaint.Delivery) (route complaint.Route, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic while routing: %v", p)
		}
	}()
	if why := again(d); why != "" {
		route = rules.Route(&d.Record)
		route.Again, route.Before, route.Returns = why, d.Current.Before, d.Current.Returns
		route.AcceptBy = rules.AcceptBy(route, time.Now())
		// Whoever had it so far goes on hearing of it, unless it is of them.
		v := &view{Record: &d.Record, rules: rules}
		for _, code := range append([]string{d.Current.Department}, d.Current.Collaborators...) {
			if code != route.Department && !slices.Contains(route.Collaborators, code) && rules.complainedAbout(code, v) == "" {
				route.Collaborators = append(route.Collaborators, code)
			}
		}
		return route, nil
	}
	if complaint.Asked(d.Record.Event) {
		return askAgain(rules, d)
	}
	if d.Current != nil {
		return rules.follow(*d.Current, &d.Record), nil
	}
	route = rules.Route(&d.Record)
	route.AcceptBy = rules.AcceptBy(route, time.Now())
	return route, nil
}

// errNoRoute is of a complaint that somebody asks another lead for, and that
// has none.
var errNoRoute = errors.New("the complaint has no route that could be changed")

// askAgain finds the next lead. What the record says stays as it was.
func askAgain(rules *Rules, d *complaint.Delivery) (complaint.Route, error) {
	if d.Current == nil {
		return complaint.Route{}, errNoRoute
	}
	d.Record.Route = nil
	late := d.Record.Event == complaint.Returned && d.By != d.Current.Department && slices.Contains(d.Current.Before, d.By)
	if late || d.Lead != "" && d.Lead != d.Current.Department {
		// Somebody else has got it meanwhile: an answer to what is over. A
		// department that returns it twice does not return it for the next.
		return complaint.Route{Rule: RuleThread}, nil
	}
	route := rules.Again(d, *d.Current)
	if route.Department != d.Current.Department { // there is somebody else
		route.AcceptBy = rules.AcceptBy(route, time.Now())
	}
	d.Record.Event, d.Text = complaint.Rerouted, ""
	return route, nil
}

// again tells why a complaint is to be routed again: a transcript raises its
// priority, or gives it its first words. A priority is never lowered.
func again(d *complaint.Delivery) string {
	if d.Current == nil || d.Before == nil || d.Record.Facts[complaint.FactTranscript] != "true" {
		return ""
	}
	was, is := slices.Index(Priorities, d.Before.Priority), slices.Index(Priorities, d.Record.Priority)
	switch {
	case is < was:
		return "priority " + d.Before.Priority + " to " + d.Record.Priority
	case d.Before.Narrative != "":
		return ""
	case is > was && was >= 0:
		d.Record.Priority, d.Text = d.Before.Priority, ""
		d.Record.Classification.Reasons = append(slices.Clone(d.Record.Classification.Reasons), "had it before: "+d.Before.Priority)
	}
	return "no words before"
}
