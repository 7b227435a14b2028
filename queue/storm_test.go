package queue

import (
	"testing"
	"testing/synctest"
	"time"
)

// Publishing goes on at once where few wait for receipts, waits while many do,
// and waits no longer than it may.
func TestGiveWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, s, start := new(Gateway), storm{}, time.Now()
		took := func() time.Duration {
			start = time.Now()
			g.giveWay(t.Context(), &s)
			return time.Since(start)
		}
		g.accepting.Store(stormFrom - 1)
		if d := took(); d != 0 || s != (storm{}) {
			t.Errorf("without a storm it took %v, %+v", d, s)
		}
		g.accepting.Store(stormFrom)
		time.AfterFunc(time.Second, func() { g.accepting.Store(0) })
		// A moment's lull is not its end.
		time.AfterFunc(time.Second/2, func() { g.accepting.Store(0) })
		time.AfterFunc(time.Second/2+time.Second/50, func() { g.accepting.Store(stormFrom) })
		if d := took(); d < time.Second || d > 2*time.Second || s != (storm{}) {
			t.Errorf("a storm of a second took %v, %+v", d, s)
		}
		g.accepting.Store(stormFrom)
		if d := took(); d < stormMost || d > stormMost+time.Second {
			t.Errorf("a storm without end took %v", d)
		}
		if d := took(); d != 0 {
			t.Errorf("a storm that was given way to was given way again, for %v", d)
		}
		g.accepting.Store(0)
		for range stormLooks {
			if d := took(); d != 0 {
				t.Errorf("when it was over it took %v", d)
			}
		}
		g.accepting.Store(stormFrom)
		if d := took(); d < stormMost {
			t.Errorf("the next storm was given way for %v", d)
		}
	})
}
