package chat

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
	"golang.org/x/time/rate"

	"hearken/complaint"
)

// conn is one window's connection: a goroutine that reads, and one that
// writes while there is something to write or to watch.
type conn struct {
	chat *Chat
	ws   *websocket.Conn
	ip   string

	ctx    context.Context
	cancel context.CancelFunc

	// Set by hello, before the connection is among its session's.
	session  string
	language string
	page     string
	sent     int64 // the sequence number up to which messages went out; the writer's

	// Of the reader.
	from    complaint.Person
	signed  bool   // who they are is the site's word
	user    string // the site's name for them, where signed
	number  string // of an earlier complaint that they named
	limit   *rate.Limiter
	bad     int
	told    string          // the number that was told in this session
	asked   map[string]bool // questions
	ordered bool            // something like an order number was said
	refused []string        // ids of messages that were answered by retry, in their order

	mu     sync.Mutex
	queue  [][]byte
	bytes  int
	news   bool     // the log may have more than was sent
	ending *closing // to be closed with, after the queue is out
	bell   chan struct{}
}

// serveSocket takes a browser in. The handler returns at once and leaves the
// connection to two goroutines of its own: net/http's buffers are freed, which
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
	if !c.admit(ip) {
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
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
	k := &conn{
		chat: c, ws: ws, ip: ip, ctx: ctx, cancel: cancel,
		limit: rate.NewLimiter(ratePerSec, rateBurst), bell: make(chan struct{}, 1),
	}
	if !c.add(k) {
		c.leave(ip)
		cancel()
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

// run reads until the line is dead or closed, with the writer beside it.
func (k *conn) run() {
	defer k.chat.running.Done()
	writer := make(chan struct{})
	go func() {
		defer close(writer)
		k.write()
	}()
	how := k.read()
	k.shut(how)
	<-writer
	for { // until the browser's close frame, or the deadline that the writer set
		if _, _, err := k.ws.NextReader(); err != nil {
			break
		}
	}
	_ = k.ws.Close()
	k.chat.remove(k)
	k.chat.leave(k.ip)
	k.cancel()
	if how == closeNormal {
		// Ended on purpose; another open tab says otherwise soon. After a cut
		// the window counts as open for a while.
		k.touch(false)
	}
}

// shut has the connection closed once what is queued is out.
func (k *conn) shut(how closing) {
	k.mu.Lock()
	if k.ending == nil {
		k.ending = &how
	}
	k.mu.Unlock()
	k.ring()
}

// over tells whether the connection is being closed: what still comes in is
// not kept, and not receipted.
func (k *conn) over() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.ending != nil
}

func (k *conn) ring() {
	select {
	case k.bell <- struct{}{}:
	default:
	}
}

// nudge has the writer look into the session's log.
func (k *conn) nudge() {
	k.mu.Lock()
	k.news = true
	k.mu.Unlock()
	k.ring()
}

// push queues a frame; a browser that does not read is closed, its session
// goes on when it comes back.
func (k *conn) push(f outFrame) {
	b, err := json.Marshal(f)
	if err != nil {
		k.shut(closeInternal)
		return
	}
	k.mu.Lock()
	full := k.bytes+len(b) > maxQueue
	if !full && k.ending == nil {
		k.queue = append(k.queue, b)
		k.bytes += len(b)
	}
	k.mu.Unlock()
	if full {
		k.shut(closeSlow)
		return
	}
	k.ring()
}

// read handles frames until the end, and says how it came.
func (k *conn) read() closing {
	k.ws.SetReadLimit(maxFrame)
	if err := k.ws.SetReadDeadline(time.Now().Add(helloWait)); err != nil {
		return closeInternal
	}
	k.ws.SetPongHandler(func(string) error { return k.ws.SetReadDeadline(time.Now().Add(pongWait)) })
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
		f, err := readFrame(b)
		if err == nil {
			var end *closing
			if end, err = k.handle(f); end != nil {
				return *end
			}
		}
		if how := k.complain(f.ID, err); how != nil {
			return *how
		}
	}
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
	switch f.Type {
	case "hello":
		return k.hello(f)
	case "contact":
		return nil, k.contact(f)
	case "message":
		return nil, k.message(f)
	case "ping":
		if k.limit.Allow() {
			k.push(outFrame{Type: "pong"})
		}
	case "end":
		k.end()
		return &closeNormal, nil
	}
	return nil, nil // typing: nothing to do but that the line is alive
}

// hello opens a session or goes on with one. The token is proof enough: no
// gateway needs to have heard of the session before.
func (k *conn) hello(f inFrame) (*closing, error) {
	if k.session != "" {
		return nil, bad("bad_frame", "hello was said already")
	}
	session, fresh := f.Session, f.Session == ""
	if fresh {
		session = rand.Text()
	} else if !k.chat.tokens.Verify(session, f.Token, tokenBytes) {
		k.chat.deps.Audit.Rejected(complaint.Chat, k.chat.cfg.Name, "wrong session token")
		return &closeBadToken, nil
	}
	k.page, k.language = f.Page, f.Language
	if k.language == "" {
		k.language = k.chat.cfg.Language
	}
	k.sent = max(f.LastSeq, 0)
	if err := k.ws.SetReadDeadline(time.Now().Add(pongWait)); err != nil {
		return &closeInternal, nil
	}
	if k.asked == nil {
		k.asked = map[string]bool{}
	}
	log, err := k.chat.deps.Sessions.Since(k.ctx, session, 0)
	if err != nil {
		log = nil // Redis is away: the writer looks again when it is back
	}
	var seq *int64 // unknown while Redis is away: the browser keeps its own count
	if err == nil {
		n := int64(len(log))
		seq, k.sent = &n, min(k.sent, n) // Redis may have lost messages; what comes is told from here on
	}
	for _, m := range log {
		k.asked[m.ID] = true
		if m.ID == registeredID {
			k.told = m.Number
		}
	}
	k.push(outFrame{Type: "welcome", Session: session, Token: k.chat.tokens.Sign(session, tokenBytes), Seq: seq})
	k.chat.join(k, session)
	if fresh {
		k.say(sayGreeting, "chat.greeting", "")
	}
	k.nudge()
	return nil, k.identify(f)
}

const tokenBytes = 20

// say puts a message of ours into the session's log, once by its id.
func (k *conn) say(id, key, number string) {
	told := ""
	if id == registeredID {
		told = number
	}
	k.sayWith(id, key, told, map[string]string{"number": complaint.Grouped(number)})
}

func (k *conn) sayWith(id, key, number string, words map[string]string) {
	text, err := k.chat.book.Say(k.language, key, words)
	if err == nil {
		_, err = k.chat.deps.Sessions.Append(k.ctx, k.session, complaint.ChatMessage{ID: id, From: "gateway", Text: text, Number: number, At: time.Now()})
	}
	if err != nil && k.ctx.Err() == nil {
		k.chat.deps.Log.Warn("put a message into a chat's log", "site", k.chat.cfg.Name, "message", id, "err", err)
	}
}

// base is a contact of this session.
func (k *conn) base(id string) complaint.Contact {
	c := complaint.Contact{
		ID: complaint.RecordID(complaint.Chat, k.session, id), Channel: complaint.Chat, Account: k.chat.cfg.Name, ContactPoint: k.chat.cfg.Name,
		Ref: k.session + "/" + id, ReceivedAt: time.Now(), From: k.from, Language: languageOf(k.language), Conversation: "chat:" + k.session,
		Facts: map[string]string{"session": k.session, "page": k.page},
	}
	if k.signed {
		c.Facts["identity"], c.Facts["user"] = "signed", k.user
	}
	return c
}

// languageOf keeps "zh" and "en" of "zh-CN" and "en-GB".
func languageOf(tag string) string {
	base, _, _ := strings.Cut(strings.ToLower(tag), "-")
	return base
}

// contact remembers who writes. Where the complaint exists already, its
// department hears of it too.
func (k *conn) contact(f inFrame) error {
	if !k.limit.Allow() {
		return bad("try_again", "too many at once; please send it again")
	}
	f.Phone = dialable(f.Phone)
	if k.signed { // the site's word stands above the customer's
		f.Name, f.Email, f.Phone = "", "", ""
	}
	for from, to := range map[*string]*string{&f.Name: &k.from.Name, &f.Email: &k.from.Email, &f.Phone: &k.from.Phone, &f.Number: &k.number} {
		if *from != "" {
			*to = *from
		}
	}
	if k.told == "" || f.Name+f.Email+f.Phone == "" {
		return nil
	}
	c := k.base("contact-" + complaint.RecordID("", f.Name, f.Email, f.Phone))
	_, err := k.chat.deps.Intake.Accept(k.ctx, c)
	if err != nil && k.ctx.Err() == nil {
		return bad("try_again", "this could not be kept; please send it again")
	}
	return nil
}

// message keeps what the customer said, and only then says so.
func (k *conn) message(f inFrame) error {
	if k.overtakes(f.ID) || !k.limit.Allow() {
		k.later(f.ID)
		return nil
	}
	k.learn(f.Text)
	c := k.base(f.ID)
	c.Text = f.Text
	for _, ref := range f.Files {
		a, err := k.chat.openRef(k.session, ref)
		if err != nil {
			k.settled(f.ID)
			return err
		}
		c.Attachments = append(c.Attachments, a)
	}
	if c.Fragment = len(c.Attachments) == 0 && k.tooLittle(f.Text); !c.Fragment {
		c.NumberNow = true
	}
	if k.number != "" {
		c.Number, c.NumberBy = k.number, "contact"
	}
	r, err := k.chat.deps.Intake.Accept(k.ctx, c)
	if err != nil {
		if k.ctx.Err() == nil {
			k.later(f.ID)
		}
		return nil
	}
	k.settled(f.ID)
	k.push(outFrame{Type: "receipt", ID: f.ID, Number: r.Number})
	k.answer(f.ID, f.Text, r.Number)
	return nil
}

// later has the browser send a message again.
func (k *conn) later(id string) {
	if !slices.Contains(k.refused, id) && len(k.refused) < maxRefused {
		k.refused = append(k.refused, id)
	}
	k.push(outFrame{Type: "retry", ID: id, AfterMS: retryAfter.Milliseconds()})
}

// overtakes tells a message that must not be kept yet: one before it was put
// off, and the department has to read them in the order they were written.
func (k *conn) overtakes(id string) bool { return len(k.refused) > 0 && k.refused[0] != id }

// settled says that a message is not waited for any more.
func (k *conn) settled(id string) {
	k.refused = slices.DeleteFunc(k.refused, func(s string) bool { return s == id })
}

// end registers what was said so far, if nothing is registered yet.
func (k *conn) end() {
	if k.told == "" {
		c := k.base("end")
		c.OnlyOpens = true
		if _, err := k.chat.deps.Intake.Accept(k.ctx, c); err != nil {
			k.chat.deps.Log.Warn("register the rest of an ended chat; it is registered when it has been idle", "site", k.chat.cfg.Name, "err", err)
		}
	}
	k.push(outFrame{Type: "ended"})
}

// write sends what is queued and what the session's log has, until the
// connection ends. It is the only writer.
func (k *conn) write() {
	ping := time.NewTicker(pingEvery)
	defer ping.Stop()
	touched := time.Time{}
	for {
		frames, news, ending := k.take()
		for _, b := range frames {
			if !k.send(websocket.TextMessage, b) {
				return
			}
		}
		if news && !k.sendLog() {
			return
		}
		if ending != nil {
			if ending.code != 0 {
				k.send(websocket.CloseMessage, websocket.FormatCloseMessage(ending.code, ending.reason))
				// So long the close frame has to arrive and be answered.
				_ = k.ws.SetReadDeadline(time.Now().Add(closeWait))
				return
			}
			_ = k.ws.Close()
			return
		}
		if time.Since(touched) > touchEvery && k.joined() {
			touched = time.Now()
			k.touch(true)
		}
		select {
		case <-k.bell:
		case <-ping.C:
			if !k.send(websocket.PingMessage, nil) {
				return
			}
		}
	}
}

func (k *conn) take() (frames [][]byte, news bool, ending *closing) {
	k.mu.Lock()
	defer k.mu.Unlock()
	frames, news, ending = k.queue, k.news, k.ending
	k.queue, k.bytes, k.news = nil, 0, false
	return frames, news, ending
}

func (k *conn) joined() bool {
	k.chat.mu.Lock()
	defer k.chat.mu.Unlock()
	return k.chat.sessions[k.session][k]
}

func (k *conn) send(kind int, b []byte) bool {
	if err := k.ws.SetWriteDeadline(time.Now().Add(writeWait)); err != nil {
		return false
	}
	if err := k.ws.WriteMessage(kind, b); err != nil {
		_ = k.ws.Close() // wakes the reader
		return false
	}
	return true
}

// sendLog sends what the session's log has that this window has not.
func (k *conn) sendLog() bool {
	if !k.joined() {
		return true
	}
	log, err := k.chat.deps.Sessions.Since(k.ctx, k.session, k.sent)
	if err != nil {
		return true // told again when Redis is back
	}
	for _, m := range log {
		b, err := json.Marshal(outFrame{Type: "message", Seq: &m.Seq, From: m.From, Text: m.Text, Number: m.Number})
		if err != nil || !k.send(websocket.TextMessage, b) {
			return false
		}
		k.sent = m.Seq
	}
	return true
}

// touch says whether a window of the session is open; best effort.
func (k *conn) touch(open bool) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(k.ctx), 2*time.Second)
	defer cancel()
	if err := k.chat.deps.Sessions.Touch(ctx, k.session, open); err != nil {
		k.chat.deps.Log.Debug("note an open chat", "err", err)
	}
}
