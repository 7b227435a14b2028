package lifecycle

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
)

func TestStopsLastInFirstOut(t *testing.T) {
	var g Group
	var mu sync.Mutex
	var order []string
	started := make(chan struct{}, 3)
	for _, name := range []string{"redis", "queue", "channel"} {
		g.Add(name, func(ctx context.Context) error {
			started <- struct{}{}
			<-ctx.Done()
			mu.Lock()
			order = append(order, name)
			mu.Unlock()
			return nil
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for range 3 {
			<-started
		}
		cancel()
	}()
	if err := g.Run(ctx); err != nil {
		t.Fatal(err)
	}
	if want := []string{"channel", "queue", "redis"}; !slices.Equal(order, want) {
		t.Errorf("stopped %v, want %v", order, want)
	}
}

func TestFirstErrorStopsAll(t *testing.T) {
	boom := errors.New("boom")
	for _, c := range []struct {
		name string
		run  func(context.Context) error
		want string
	}{
		{"error", func(context.Context) error { return boom }, "bad: boom"},
		{"panic", func(context.Context) error { panic("ouch") }, "bad: panic: ouch"},
		{"early return", func(context.Context) error { return nil }, "nobody asked"},
	} {
		var g Group
		stopped := false
		g.Add("good", func(ctx context.Context) error { <-ctx.Done(); stopped = true; return nil })
		g.Add("bad", c.run)
		err := g.Run(t.Context())
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
		if !stopped {
			t.Errorf("%s: the other part was left running", c.name)
		}
	}
}
