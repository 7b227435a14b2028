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

// storm is one that was seen: when it began, zero while there is none, and how
// many looks in a row found few waiting.
type storm struct {
	began time.Time
	calm  int
}

// giveWay waits while contacts storm in. A storm that goes on for too long is
// given way no more until it is over.
func (g *Gateway) giveWay(ctx context.Context, s *storm) {
	for {
		if g.accepting.Load() >= stormFrom {
			if s.calm = 0; s.began.IsZero() {
				s.began = time.Now()
			}
		} else if s.calm++; s.began.IsZero() || s.calm >= stormLooks {
			*s = storm{}
			return
		}
		if time.Since(s.began) > stormMost || ctx.Err() != nil {
			return
		}
		sleep(ctx, time.Second/50)
	}
}
