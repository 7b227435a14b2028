package chat

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"hearken/complaint"
)

// The open windows of a gateway: who is let in, which belong to a session, and
// how they are kept alive, told that there is news, and closed.

// keep pings the windows, each in its turn, so that no window needs a timer.
func (c *Chat) keep(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			for _, k := range c.due(now) {
				k.ping()
			}
			for _, r := range []*rates{c.came, c.said, c.sent, c.guessed} {
				r.sweep(now)
			}
		}
	}
}

// due are the windows that were not pinged for a while.
func (c *Chat) due(now time.Time) (due []*conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for k := range c.conns {
		if now.Sub(k.pinged) >= pingEvery {
			k.pinged = now
			due = append(due, k)
		}
	}
	return due
}

// wake lets the windows of a session fetch what is new, or tells them a
// signal; "" means all.
func (c *Chat) wake(session, signal string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if session == "" {
		for k := range c.conns {
			k.nudge()
		}
		return
	}
	for _, k := range c.sessions[session] {
		switch signal {
		case "":
			k.nudge()
		case complaint.PresenceTyping:
			k.push(outFrame{Type: "typing", From: "department"})
		}
	}
}

func (c *Chat) drain() {
	defer c.cancel()
	c.mu.Lock()
	c.draining = true
	for k := range c.conns {
		k.shut(closeGoingAway)
	}
	c.mu.Unlock()
	done := make(chan struct{})
	go func() { c.running.Wait(); close(done) }()
	select {
	case <-done:
		return
	case <-time.After(drainWait):
	}
	c.cancel()
	c.mu.Lock()
	for k := range c.conns {
		_ = k.ws.Close() // what is left does not answer
	}
	c.mu.Unlock()
	<-done
}

// admit books a connection from an address, if there is room.
func (c *Chat) admit(ip string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.draining || len(c.conns) >= c.cfg.MaxConnections || c.perIP[ip] >= c.cfg.MaxPerIP {
		return false
	}
	c.perIP[ip]++
	return true
}

func (c *Chat) leave(ip string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.perIP[ip]--; c.perIP[ip] <= 0 {
		delete(c.perIP, ip)
	}
}

// add makes a connection known; false while the gateway is closing.
func (c *Chat) add(k *conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.draining {
		return false
	}
	// Windows that were opened at once, after a restart, are not pinged at once.
	k.pinged = time.Now().Add(-rand.N(pingEvery))
	c.conns[k] = true
	c.running.Add(1)
	c.open.Inc()
	return true
}

// join makes the connection one of a session's.
func (c *Chat) join(k *conn, session string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k.session = session // under the lock: the writer asks for it too
	c.sessions[session] = append(c.sessions[session], k)
}

// joined tells whether the connection is one of its session's.
func (c *Chat) joined(k *conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return k.session != ""
}

// remove forgets a connection.
func (c *Chat) remove(k *conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.conns, k)
	c.open.Dec()
	if k.session == "" {
		return
	}
	rest := slices.DeleteFunc(c.sessions[k.session], func(o *conn) bool { return o == k })
	if len(rest) == 0 {
		delete(c.sessions, k.session)
		return
	}
	c.sessions[k.session] = rest
}
