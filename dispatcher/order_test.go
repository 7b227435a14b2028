package dispatcher

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"hearken/complaint"
)

// gated is a stream of batches of one, whose moves end when they are told to.
type gated struct {
	batches chan complaint.Delivery
	mu      sync.Mutex
	begun   []string
	end     map[string]chan struct{}
}

func (g *gated) Read(ctx context.Context, _ int) ([]complaint.Delivery, error) {
	select {
	case d := <-g.batches:
		return []complaint.Delivery{d}, nil
	case <-ctx.Done():
		return nil, nil
	}
}

func (g *gated) Move(_ context.Context, moves []complaint.Move) error {
	g.mu.Lock()
	g.begun = append(g.begun, moves[0].Entry)
	end := g.end[moves[0].Entry]
	g.mu.Unlock()
	<-end
	return nil
}

func (g *gated) Dead(context.Context, complaint.Delivery, string) error { return nil }

// Two batches are on their way at once, but a supplement never overtakes
// another.
func TestSupplementsKeepTheirOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rules := compile(t)
		g := &gated{batches: make(chan complaint.Delivery), end: map[string]chan struct{}{}}
		entries := []string{"supplement 1", "supplement 2", "new 1", "new 2", "supplement 3"}
		for _, e := range entries {
			g.end[e] = make(chan struct{})
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- New(g, func() *Rules { return rules }, slog.New(slog.DiscardHandler)).Run(ctx) }()
		go func() {
			for _, e := range entries {
				d := complaint.Delivery{Entry: e, Record: *record()}
				if e[0] == 's' {
					d.Record.Event, d.Current = complaint.Supplemented, &complaint.Route{Department: "CMO"}
				}
				g.batches <- d
			}
		}()
		begun := func(want ...string) {
			t.Helper()
			synctest.Wait()
			g.mu.Lock()
			defer g.mu.Unlock()
			got := slices.Sorted(slices.Values(g.begun)) // two that begin at once do so in any order
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("begun: %q, want %q", g.begun, want)
			}
		}
		begun("supplement 1") // the second has a slot, and waits
		close(g.end["supplement 1"])
		begun("supplement 1", "supplement 2", "new 1")
		close(g.end["new 1"])
		begun("supplement 1", "supplement 2", "new 1", "new 2")
		close(g.end["new 2"])
		begun("supplement 1", "supplement 2", "new 1", "new 2") // the third waits for the second
		close(g.end["supplement 2"])
		begun("supplement 1", "supplement 2", "new 1", "new 2", "supplement 3")
		close(g.end["supplement 3"])
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}
