package lifecycle

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"time"
)

const (
	persistFirst = time.Second
	persistMost  = 30 * time.Second
)

// Persist repeats do, with growing pauses and jitter, until it succeeds or ctx
// ends. A trouble is logged when it begins and when it is over, not every
// time in between.
func Persist(ctx context.Context, log *slog.Logger, what string, do func() error) {
	pause := persistFirst
	for failed := false; ; failed = true {
		err := do()
		if err == nil {
			if failed {
				log.Info("works again", "what", what)
			}
			return
		}
		if ctx.Err() != nil {
			return
		}
		if !failed {
			log.Warn("does not work; will be tried again", "what", what, "err", err)
		}
		t := time.NewTimer(pause/2 + rand.N(pause/2))
		select {
		case <-ctx.Done():
		case <-t.C:
		}
		t.Stop()
		pause = min(2*pause, persistMost)
	}
}
