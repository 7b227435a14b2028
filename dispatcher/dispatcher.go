package dispatcher

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"hearken/complaint"
)

// Stream is where records come from and go to; the queue has it.
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

const (
	readMost    = 200 // records in one batch
	backoffMost = 30 * time.Second
)

// New makes a dispatcher that asks rules for the rules of each batch.
func New(stream Stream, rules func() *Rules, log *slog.Logger) *Dispatcher {
	return &Dispatcher{stream, rules, log}
}

// Run moves records until ctx ends. Troubles of the stream are waited out.
func (d *Dispatcher) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		var batch []complaint.Delivery
		d.persist(ctx, "read the intake", func() (err error) {
			batch, err = d.stream.Read(ctx, readMost)
			return err
		})
		if len(batch) > 0 && ctx.Err() == nil {
			d.dispatch(ctx, batch)
		}
	}
	return nil
}

// dispatch finishes one batch, or leaves off when ctx ends: what is not
// finished then comes again.
func (d *Dispatcher) dispatch(ctx context.Context, batch []complaint.Delivery) {
	rules := d.rules()
	var moves []complaint.Move
	for _, one := range batch {
		err := one.Err
		var route complaint.Route
		if err == nil {
			route, err = decide(rules, &one)
		}
		if err == nil {
			moves = append(moves, complaint.Move{Delivery: one, Route: route})
			continue
		}
		d.persist(ctx, "give up a record", func() error { return d.stream.Dead(ctx, one, err.Error()) })
	}
	if len(moves) > 0 {
		d.persist(ctx, "move records to their departments", func() error { return d.stream.Move(ctx, moves) })
	}
}

// decide finds a record's route: a supplement follows its complaint.
func decide(rules *Rules, d *complaint.Delivery) (route complaint.Route, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic while routing: %v", p)
		}
	}()
	if d.Current != nil {
		route = *d.Current
		route.Rule = RuleThread
		return route, nil
	}
	return rules.Route(&d.Record), nil
}

// persist repeats do with growing pauses until it succeeds or ctx ends. A
// trouble is logged when it begins and when it is over.
func (d *Dispatcher) persist(ctx context.Context, what string, do func() error) {
	pause := time.Second
	for failed := false; ; failed = true {
		err := do()
		if err == nil {
			if failed {
				d.log.Info("works again", "what", what)
			}
			return
		}
		if ctx.Err() != nil {
			return
		}
		if !failed {
			d.log.Warn("does not work; will be tried again", "what", what, "err", err)
		}
		t := time.NewTimer(pause/2 + rand.N(pause/2))
		select {
		case <-ctx.Done():
		case <-t.C:
		}
		t.Stop()
		pause = min(2*pause, backoffMost)
	}
}
