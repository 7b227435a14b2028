package chat

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const (
	// ratesMost bounds how many keys are counted at once: memory, where an
	// attacker has many addresses. Further ones have to wait.
	ratesMost = 100_000
	// ratesSweep is how often keys that have been quiet are forgotten.
	ratesSweep = 10 * time.Second
)

// rates lets each key act so often, and a few times more at once. A key that
// has been quiet for long costs nothing.
type rates struct {
	every rate.Limit // a second
	burst int

	mu    sync.Mutex
	all   map[string]*rate.Limiter
	swept time.Time
}

func newRates(perSecond float64, burst int) *rates {
	return &rates{every: rate.Limit(perSecond), burst: burst, all: map[string]*rate.Limiter{}}
}

// allow tells whether the key may act now, and counts it.
func (r *rates) allow(key string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	l := r.all[key]
	if l == nil {
		if len(r.all) >= ratesMost {
			return false
		}
		l = rate.NewLimiter(r.every, r.burst)
		r.all[key] = l
	}
	return l.Allow()
}

// spent tells whether the key may not act now, and counts nothing.
func (r *rates) spent(key string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	l := r.all[key]
	return l != nil && l.Tokens() < 1
}

// sweep forgets the keys that may act as if they never had.
func (r *rates) sweep(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now.Sub(r.swept) < ratesSweep {
		return
	}
	r.swept = now
	for key, l := range r.all {
		if l.TokensAt(now) >= float64(r.burst) {
			delete(r.all, key)
		}
	}
}
