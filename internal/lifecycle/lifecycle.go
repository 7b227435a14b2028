// Package lifecycle runs the long-lived parts of a process as one group. It
// hides the order: parts start first to last, and stop last to first, each
// one ended before the one that it stands on is told to stop.
package lifecycle

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
)

// Group is a list of parts. The zero value is ready.
type Group struct {
	parts []part
}

type part struct {
	name string
	run  func(context.Context) error
}

// Add appends a part. run must return soon after its context ends; a return
// before that, with or without an error, ends the whole group.
func (g *Group) Add(name string, run func(context.Context) error) {
	g.parts = append(g.parts, part{name, run})
}

// Run starts every part and waits. When ctx ends, or the first part returns,
// the parts are stopped in reverse order. It returns the first part's error,
// or nil after an end by ctx.
func (g *Group) Run(ctx context.Context) error {
	type ended struct {
		name string
		err  error
	}
	first := make(chan ended, len(g.parts))
	cancels := make([]context.CancelFunc, len(g.parts))
	var waits []*sync.WaitGroup
	for i, p := range g.parts {
		// A part's context does not descend from ctx: it is cancelled in its
		// turn, not together with all others.
		own, cancel := context.WithCancel(context.WithoutCancel(ctx))
		cancels[i] = cancel
		wg := new(sync.WaitGroup)
		waits = append(waits, wg)
		wg.Go(func() { first <- ended{p.name, guard(own, p.run)} })
	}
	var err error
	select {
	case <-ctx.Done():
	case e := <-first:
		err = e.err
		if err == nil && ctx.Err() == nil {
			err = fmt.Errorf("it returned although nobody asked it to")
		}
		if err != nil {
			err = fmt.Errorf("%s: %w", e.name, err)
		}
	}
	for i := len(g.parts) - 1; i >= 0; i-- {
		cancels[i]()
		waits[i].Wait()
	}
	return err
}

// guard turns a panic into an error, so that the other parts still close in
// order.
func guard(ctx context.Context, run func(context.Context) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return run(ctx)
}
