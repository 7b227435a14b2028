package chat

import (
	"errors"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"hearken/complaint"
)

// conn is one window's connection. An idle one is a goroutine that reads, with
// a small stack, and nothing else: frames are handled in goroutines that end,
// and so does the one that writes when there is nothing more to write.
type conn struct {
	chat *Chat
	ws   *websocket.Conn
	ip   string

	pinged time.Time // under the chat's lock

	// Set by hello, before the connection is among its session's.
	session  string
	language string
	page     string
	sent     int64 // the sequence number up to which messages went out; the writer's
	noted    int64 // and up to which it noted that the browser has them

	// Of the reader.
	from    complaint.Person
	signed  bool   // who they are is the site's word
	user    string // the site's name for them, where signed
	number  string // of an earlier complaint that they named
	acked   int64  // the highest that a pong brought
	bad     int
	excess  int      // frames beyond the rate
	told    string   // the number that was told in this session
	asked   []string // questions, by id
	ordered bool     // something like an order number was said
	asks    bool     // how a complaint stands, and was not told yet
	refused []putOff // messages that were answered by retry, in their order

	mu      sync.Mutex
	queue   [][]byte
	bytes   int      // in the queue
	news    bool     // the session's log may have more than was sent
	pings   bool     // a ping is due
	heard   int64    // the browser confirmed up to here, and it is not noted yet
	ending  *closing // to be closed with, after the queue is out
	writing bool     // the writer lives
	closed  bool     // and there will be none any more
	writer  sync.WaitGroup
}

// serveSocket takes a browser in. The handler returns at once and leaves the
// connection to a goroutine of its own: net/http's buffers are freed, which
// halves what an idle window costs.
func (c *Chat) serveSocket(w http.ResponseWriter, r *http.Request) {
	ip := c.clientIP(r)
	if !c.checkOrigin(r) {
		c.deps.Audit.Rejected(complaint.Chat, c.cfg.Name, "wrong origin")
		http.Error(w, "this page may not open a chat here; add its origin to channels.chat.origins", http.StatusForbidden)
		return
	}
	if !strings.Contains(r.Header.Get("Sec-WebSocket-Protocol"), Subprotocol) {
		http.Error(w, "the subprotocol "+Subprotocol+" must be asked for", http.StatusBadRequest)
		return
	}
	if !c.came.allow(ip) || !c.admit(ip) {
		c.deps.Audit.Rejected(complaint.Chat, c.cfg.Name, "too many connections")
		w.Header().Set("Retry-After", "30")
		http.Error(w, "too many connections; try again later", http.StatusServiceUnavailable)
		return
	}
	ws, err := c.up.Upgrade(w, r, nil)
	if err != nil {
		c.leave(ip) // Upgrade has answered
		return
	}
	k := &conn{chat: c, ws: ws, ip: ip}
	if !c.add(k) {
		c.leave(ip)
		_ = ws.Close()
		return
	}
	go k.run()
}

// clientIP is the peer's, or what the proxy before us says.
func (c *Chat) clientIP(r *http.Request) string {
	if c.cfg.TrustForwarded {
		all := strings.Split(r.Header.Get("X-Forwarded-For"), ",")
		if ip := net.ParseIP(strings.TrimSpace(all[len(all)-1])); ip != nil {
			return ip.String()
		}
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// run reads until the line is dead or closed.
func (k *conn) run() {
	defer k.chat.running.Done()
	k.shut(k.read())
	k.writer.Wait() // for the close frame
	for {           // until the browser's close frame, or the deadline that the writer set
		if _, _, err := k.ws.NextReader(); err != nil {
			break
		}
	}
	_ = k.ws.Close()
	k.noteHeard(k.acked) // what was confirmed while the line was being closed
	k.chat.remove(k)
	k.chat.leave(k.ip)
}

// read handles frames until the end, and says how it came.
func (k *conn) read() closing {
	k.ws.SetReadLimit(maxFrame)
	if err := k.ws.SetReadDeadline(time.Now().Add(helloWait)); err != nil {
		return closeInternal
	}
	k.ws.SetPongHandler(k.ponged)
	for {
		kind, b, err := k.ws.ReadMessage()
		if err != nil {
			return k.whyRead(err)
		}
		if k.over() {
			return closing{}
		}
		if kind != websocket.TextMessage {
			return closePolicy
		}
		if k.session != "" {
			if err := k.ws.SetReadDeadline(time.Now().Add(pongWait)); err != nil {
				return closeInternal
			}
		}
		// In a goroutine that ends: its stack grows with what it does, and
		// this one's would stay so for as long as the window is idle.
		took := make(chan *closing, 1)
		go func() { took <- k.take(b) }()
		if how := <-took; how != nil {
			return *how
		}
	}
}

// take handles one frame; nil goes on.
func (k *conn) take(b []byte) *closing {
	f, err := readFrame(b)
	if err == nil {
		var end *closing
		if end, err = k.handle(f); end != nil {
			return end
		}
	}
	return k.complain(f.ID, err)
}

// ponged hears the answer to a ping: the line is alive, and the browser has
// what was sent before the ping that carried its number.
func (k *conn) ponged(seq string) error {
	if n, err := strconv.ParseInt(seq, 10, 64); err == nil && n > k.acked && k.session != "" {
		k.acked = n
		k.confirm(n)
	}
	if k.session == "" {
		return nil // who has not said hello gets no time for answering a ping
	}
	return k.ws.SetReadDeadline(time.Now().Add(pongWait))
}

// whyRead says how a failed read ends the connection.
func (k *conn) whyRead(err error) closing {
	var timeout net.Error
	switch {
	case errors.Is(err, websocket.ErrReadLimit):
		return closeTooBig
	case errors.As(err, &timeout) && timeout.Timeout() && k.session == "":
		return closeNoHello
	}
	return closing{code: 0} // the line is gone; there is nobody to tell
}

// complain tells the browser what was wrong with its frame.
func (k *conn) complain(id string, err error) *closing {
	if err == nil {
		return nil
	}
	var f frameError
	if !errors.As(err, &f) {
		f = frameError{"internal", "something went wrong here; please try again"}
		k.chat.deps.Log.Error("handle a chat frame", "site", k.chat.cfg.Name, "err", err)
	}
	k.chat.deps.Audit.Rejected(complaint.Chat, k.chat.cfg.Name, f.code)
	if k.bad++; k.bad > badFramesMax {
		return &closeBadFrames
	}
	if len(id) > 64 {
		id = ""
	}
	k.push(outFrame{Type: "error", ID: id, Code: f.code, Text: f.text})
	return nil
}

func (k *conn) handle(f inFrame) (*closing, error) {
	if k.session == "" && f.Type != "hello" {
		return nil, bad("no_hello", "%v", errNotJoined)
	}
	if k.excess > excessMax {
		return &closeRate, nil
	}
	switch f.Type {
	case "hello":
		return k.hello(f)
	case "contact":
		return nil, k.contact(f)
	case "message":
		return nil, k.message(f)
	case "ping":
		if k.allowed() {
			k.push(outFrame{Type: "pong"})
		}
	case "typing":
		k.allowed() // nothing to do, but that the line is alive
	case "end":
		k.end()
		return &closeNormal, nil
	}
	return nil, nil
}

// allowed counts a frame against its session's rate, whatever lines it comes
// by.
func (k *conn) allowed() bool {
	if k.chat.said.allow(k.session) {
		return true
	}
	k.excess++
	return false
}
