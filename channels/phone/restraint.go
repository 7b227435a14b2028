package phone

import (
	"sync"
	"time"
)

// receiptsMost is how many texts of a number are answered within an hour, once
// its complaint is registered. Whoever writes in many small messages knows by
// then that they arrive; and at the other end may be a machine that answers
// each of ours.
const receiptsMost = 5

// restraint counts the answers to each number.
type restraint struct {
	mu    sync.Mutex
	since time.Time
	sent  map[string]int
}

// allows tells whether one more answer may go to a number, and counts it.
func (r *restraint) allows(number string, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.sent == nil || now.Sub(r.since) >= time.Hour {
		r.since, r.sent = now, map[string]int{}
	}
	r.sent[number]++
	return r.sent[number] <= receiptsMost
}
