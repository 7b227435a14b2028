package queue

import (
	"context"
	"time"
)

// While at least so many contacts wait for their receipts, taking them goes
// before publishing what was taken, for so long at most: a customer waits for
// the one, a department's clocks count hours. A day has 99,999 numbers, so
// that a storm is over soon.
const (
	stormFrom = 32
	stormMost = 5 * time.Second
)

// stormLooks is how often in a row, each a fiftieth of a second apart, few wait
// once a storm is over: in one, too, a moment may look like its end.
const stormLooks = 3

// giveWay waits while contacts storm in, and returns when the storm began: zero
// where it is over. One that goes on for too long is given way no more.
func (g *Gateway) giveWay(ctx context.Context, began time.Time) time.Time {
	calm := 0
	for {
		if g.accepting.Load() < stormFrom {
			if calm++; began.IsZero() || calm == stormLooks {
				return time.Time{}
			}
		} else if calm = 0; began.IsZero() {
			began = time.Now()
		}
		if time.Since(began) > stormMost || ctx.Err() != nil {
			return began
		}
		sleep(ctx, time.Second/50)
	}
}
