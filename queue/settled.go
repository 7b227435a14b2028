package queue

import (
	"sync"

	"hearken/complaint"
)

// settled knows the conversations whose complaint was published from here
// lately: their number, which the spool has, is no other gateway's to decide
// any more. Where somebody waits for a receipt, that saves asking Redis twice.
type settled struct {
	mu          sync.Mutex
	now, before map[string]struct{} // by age: when now is full, before is forgotten
}

// settledMost bounds each of the two: some 10 MB for both.
const settledMost = 50_000

// has tells whether the contact's number is settled. One with a window may
// begin a new complaint at any time.
func (s *settled) has(c complaint.Contact) bool {
	if c.Conversation == "" || c.Window != 0 {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_, now := s.now[c.Conversation]
	_, before := s.before[c.Conversation]
	return now || before
}

func (s *settled) add(c complaint.Contact) {
	if c.Conversation == "" || c.Window != 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.now == nil || len(s.now) >= settledMost {
		s.now, s.before = map[string]struct{}{}, s.now
	}
	s.now[c.Conversation] = struct{}{}
}
