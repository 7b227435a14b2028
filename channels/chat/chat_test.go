package chat

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"hearken/complaint"
	"hearken/internal/audit"
	"hearken/internal/blob"
	"hearken/internal/channeltest"
	"hearken/internal/secret"
	"hearken/internal/words"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// logs is a session log in memory.
type logs struct {
	mu    sync.Mutex
	all   map[string][]complaint.ChatMessage
	notes map[string]map[string]string
	heard map[string]int64
	wake  func(session, signal string)
}

func newLogs() *logs {
	return &logs{all: map[string][]complaint.ChatMessage{}, notes: map[string]map[string]string{}, heard: map[string]int64{}}
}

func (l *logs) Append(_ context.Context, s string, all ...complaint.ChatMessage) (complaint.ChatPlace, error) {
	l.mu.Lock()
	at := 0
	for _, m := range all {
		if at = slices.IndexFunc(l.all[s], func(o complaint.ChatMessage) bool { return o.ID == m.ID }); at < 0 {
			m.Seq = int64(len(l.all[s]) + 1)
			l.all[s] = append(l.all[s], m)
			at = len(l.all[s]) - 1
		}
	}
	place := complaint.ChatPlace{Seq: int64(at + 1), Heard: l.heard[s], Gone: l.notes[s]["gone"] != ""}
	wake := l.wake
	l.mu.Unlock()
	if wake != nil {
		wake(s, "")
	}
	return place, nil
}

func (l *logs) Since(_ context.Context, s string, after int64) ([]complaint.ChatMessage, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.all[s][min(int(after), len(l.all[s])):]), nil
}

func (l *logs) Resume(_ context.Context, s string) (complaint.ChatSession, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return complaint.ChatSession{Log: slices.Clone(l.all[s]), Notes: maps.Clone(l.notes[s])}, nil
}

func (l *logs) Note(_ context.Context, s string, notes map[string]string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.notes[s] == nil {
		l.notes[s] = map[string]string{}
	}
	maps.Copy(l.notes[s], notes)
	return nil
}

func (l *logs) Heard(_ context.Context, s string, seq int64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.heard[s] = max(l.heard[s], seq)
	return nil
}

func (l *logs) Status(context.Context, string) (string, error) { return "in_progress", nil }

func (l *logs) Signal(_ context.Context, s, signal string) error {
	l.mu.Lock()
	wake := l.wake
	l.mu.Unlock()
	wake(s, signal)
	return nil
}

func (l *logs) Watch(ctx context.Context, wake func(session, signal string)) error {
	l.mu.Lock()
	l.wake = wake
	l.mu.Unlock()
	wake("", "")
	<-ctx.Done()
	return nil
}

type rig struct {
	t      testing.TB
	chat   *Chat
	intake *channeltest.Intake
	logs   *logs
	url    string
	stop   func()
}

func newRig(t testing.TB, change ...func(*Config)) *rig {
	t.Helper()
	r := &rig{t: t, intake: new(channeltest.Intake), logs: newLogs()}
	keys, err := secret.LoadKeys(secret.New("a secret for the tests"), "")
	if err != nil {
		t.Fatal(err)
	}
	blobs, err := blob.New(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	cfg := Config{Name: "web", Origins: []string{"https://www.example.com"}, MaxPerIP: 2000}
	for _, c := range change {
		c(&cfg)
	}
	r.chat, err = New(cfg, Deps{
		Intake: r.intake, Sessions: r.logs, Blobs: blobs, Keys: keys, Log: slog.New(slog.DiscardHandler), Audit: audit.Discard(), Metrics: prometheus.NewRegistry(),
		PublicURL: "https://intake.example.com",
	})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	r.chat.Mount(mux)
	srv := httptest.NewServer(mux)
	r.url = srv.URL
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.chat.Run(ctx) }()
	r.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		srv.Close()
		http.DefaultClient.CloseIdleConnections()
	})
	t.Cleanup(r.stop)
	return r
}

// window is a browser's end.
type window struct {
	t       testing.TB
	ws      *websocket.Conn
	upgrade http.Header // how it was taken in
}

func (r *rig) dial(origin string, protocols ...string) (*websocket.Conn, *http.Response, error) {
	d := websocket.Dialer{Subprotocols: protocols, EnableCompression: true} // is offered, as browsers do
	h := http.Header{}
	if origin != "" {
		h.Set("Origin", origin)
	}
	return d.Dial(strings.Replace(r.url, "http", "ws", 1)+"/chat/web/ws", h)
}

func (r *rig) open() *window {
	r.t.Helper()
	ws, resp, err := r.dial("https://www.example.com", Subprotocol)
	if err != nil {
		r.t.Fatal(err)
	}
	w := &window{r.t, ws, resp.Header}
	r.t.Cleanup(func() { ws.Close() })
	return w
}

func (w *window) say(v any) {
	w.t.Helper()
	if err := w.ws.WriteJSON(v); err != nil {
		w.t.Fatal(err)
	}
}

// hear waits for a frame of the type and returns it.
func (w *window) hear(typ string) outFrame {
	w.t.Helper()
	if err := w.ws.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		w.t.Fatal(err)
	}
	for {
		var f outFrame
		if err := w.ws.ReadJSON(&f); err != nil {
			w.t.Fatalf("waiting for %s: %v", typ, err)
		}
		if f.Type == typ {
			return f
		}
	}
}

// told waits for a message's receipt and for the words with the number, in
// the order that they come in.
func (w *window) told(id string) (number, said string) {
	w.t.Helper()
	for receipt := false; !receipt || said == ""; {
		f := w.any()
		switch {
		case f.Type == "receipt" && f.ID == id:
			number, receipt = f.Number, true
		case f.Type == "message" && f.Number != "":
			said = f.Text
		}
	}
	return number, said
}

// heard waits for a message from the gateway that has the words.
func (w *window) heard(words string) {
	w.t.Helper()
	for f := w.hear("message"); !strings.Contains(f.Text, words); f = w.hear("message") {
	}
}

// any returns the next frame.
func (w *window) any() (f outFrame) {
	w.t.Helper()
	if err := w.ws.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		w.t.Fatal(err)
	}
	if err := w.ws.ReadJSON(&f); err != nil {
		w.t.Fatalf("waiting for a frame: %v", err)
	}
	return f
}

// closed waits for the close frame and returns its code.
func (w *window) closed() int {
	w.t.Helper()
	if err := w.ws.SetReadDeadline(time.Now().Add(15 * time.Second)); err != nil {
		w.t.Fatal(err)
	}
	for {
		if _, _, err := w.ws.ReadMessage(); err != nil {
			var c *websocket.CloseError
			if errors.As(err, &c) {
				return c.Code
			}
			w.t.Fatalf("cut without a close frame: %v", err)
		}
	}
}

type frame = map[string]any

func TestConversation(t *testing.T) {
	r := newRig(t)
	w := r.open()
	w.say(frame{"type": "hello", "language": "zh-CN", "page": "/help"})
	welcome := w.hear("welcome")
	if got := w.hear("message"); got.From != "gateway" || !strings.Contains(got.Text, "您好") || *got.Seq != 0 {
		t.Errorf("greeting: %+v", got)
	}
	w.say(frame{"type": "contact", "name": "张伟", "email": "zhang@example.cn"})
	w.say(frame{"type": "message", "id": "1", "text": "你好，在吗？"})
	if got := w.hear("receipt"); got.ID != "1" || got.Number != "" {
		t.Errorf("a greeting got %+v", got)
	}
	w.say(frame{"type": "message", "id": "2", "text": "我的包裹丢了"})
	told, said := w.told("2")
	if told == "" || !strings.Contains(said, complaint.Grouped(told)) {
		t.Fatalf("told %q, said %q", told, said)
	}
	w.say(frame{"type": "message", "id": "2", "text": "我的包裹丢了"})
	if got := w.hear("receipt"); got.Number != told {
		t.Errorf("the same message again: %+v", got)
	}
	w.ws.Close() // a tunnel

	again := r.open()
	again.say(frame{"type": "hello", "session": welcome.Session, "token": welcome.Token, "last_seq": 1})
	if got := again.hear("welcome"); got.Session != welcome.Session || *got.Seq < 3 {
		t.Errorf("resumed: %+v", got)
	}
	if got := again.hear("message"); *got.Seq != 2 {
		t.Errorf("missed message: %+v", got)
	}
	again.say(frame{"type": "message", "id": "3", "text": "ok"})
	again.hear("receipt")
	again.say(frame{"type": "end"})
	again.hear("ended")
	if code := again.closed(); code != 1000 {
		t.Errorf("closed with %d", code)
	}
	got := r.intake.Contacts()
	if len(got) != 3 {
		t.Fatalf("contacts: %+v", got)
	}
	for i, want := range []complaint.Contact{{Text: "你好，在吗？", Fragment: true}, {Text: "我的包裹丢了", NumberNow: true}, {Text: "ok", NumberNow: true}} {
		c := got[i]
		if c.Text != want.Text || c.Fragment != want.Fragment || c.NumberNow != want.NumberNow || c.Conversation != "chat:"+welcome.Session || c.Language == "zh-CN" {
			t.Errorf("contact %d: %+v", i, c)
		}
	}
	if r := (&complaint.Record{Channel: complaint.Chat, Facts: got[1].Facts}).Reply(); r.Account != "web" || r.Conversation != "chat:"+welcome.Session {
		t.Errorf("what is said to its customer goes to %+v", r)
	}
	if got[1].From != (complaint.Person{Name: "张伟", Email: "zhang@example.cn"}) {
		t.Errorf("from: %+v", got[1].From)
	}
}

func TestRefusedMessageIsTriedAgain(t *testing.T) {
	r := newRig(t)
	refused := false
	r.intake.Refuse(func() error {
		if refused {
			return nil
		}
		refused = true
		return complaint.ErrFull
	})
	w := r.open()
	w.say(frame{"type": "hello"})
	w.say(frame{"type": "message", "id": "1", "text": "我的包裹丢了"})
	if got := w.hear("retry"); got.ID != "1" || got.AfterMS <= 0 {
		t.Errorf("retry: %+v", got)
	}
	w.say(frame{"type": "message", "id": "1", "text": "我的包裹丢了"})
	w.hear("receipt")
	if n := len(r.intake.Contacts()); n != 1 {
		t.Errorf("%d contacts", n)
	}
}

// An answer is in every open window; it is waited for that a browser confirms
// it, and where none does it goes elsewhere.
func TestAnswersReachEveryWindowOrTheNextOne(t *testing.T) {
	r := newRig(t)
	one, two := r.open(), r.open()
	one.say(frame{"type": "hello"})
	welcome := one.hear("welcome")
	two.say(frame{"type": "hello", "session": welcome.Session, "token": welcome.Token})
	two.hear("welcome")
	reply := complaint.Reply{ID: "u1", Kind: complaint.ReplyUpdate, Account: "web", Conversation: "chat:" + welcome.Session, Text: "会退款", To: complaint.Person{Email: "z@example.cn"}, At: time.Now()}
	if err := r.chat.Send(t.Context(), reply); !isNotYet(err) {
		t.Errorf("before it was confirmed: %v", err)
	}
	for _, w := range []*window{one, two} {
		for f := w.hear("message"); f.From != "department"; f = w.hear("message") {
		}
	}
	reading := make(chan struct{})
	go func() { // a browser reads all the time, and so answers pings
		defer close(reading)
		for {
			if _, _, err := two.ws.ReadMessage(); err != nil {
				return
			}
		}
	}()
	await(t, "the browser to confirm the answer", func() bool { return r.chat.Send(t.Context(), reply) == nil })
	one.ws.Close()
	two.ws.Close()
	<-reading

	reply.ID = "u2" // nobody is there
	if err := r.chat.Send(t.Context(), reply); !isNotYet(err) {
		t.Errorf("just now: %v", err)
	}
	reply.At = time.Now().Add(-r.chat.cfg.FallbackAfter)
	if err := r.chat.Send(t.Context(), reply); !errors.Is(err, complaint.ErrUnreachable) {
		t.Errorf("later, with another address: %v", err)
	}
	again := r.open()
	again.say(frame{"type": "hello", "session": welcome.Session, "token": welcome.Token, "last_seq": 1})
	if got := again.hear("message"); got.From != "department" || *got.Seq != 2 {
		t.Errorf("kept for the customer's return: %+v", got)
	}
	again.say(frame{"type": "end"})
	again.closed()
	reply.ID, reply.At = "u3", time.Now().Add(-goneWait)
	if err := r.chat.Send(t.Context(), reply); !errors.Is(err, complaint.ErrUnreachable) {
		t.Errorf("an ended chat, another address: %v", err)
	}
	reply.ID, reply.To = "u4", complaint.Person{}
	if err := r.chat.Send(t.Context(), reply); err != nil {
		t.Errorf("an ended chat, no other address: %v", err)
	}
	if log, _ := r.logs.Since(t.Context(), welcome.Session, 0); len(log) != 4 {
		t.Errorf("log: %+v", log)
	}
	reply.Conversation = "call:CA1"
	if err := r.chat.Send(t.Context(), reply); !complaint.IsPermanent(err) {
		t.Errorf("a reply without a session: %v", err)
	}
}

// The number of what was registered because the customer fell silent is in the
// window when they come back, and is told once.
func TestNumberOfASilentChat(t *testing.T) {
	r := newRig(t)
	w := r.open()
	w.say(frame{"type": "hello", "language": "en"})
	welcome := w.hear("welcome")
	w.say(frame{"type": "message", "id": "1", "text": "hello?"})
	w.heard("What went wrong")
	if c := r.intake.Contacts()[0]; !c.Fragment || !c.WantsReceipt {
		t.Errorf("%+v", c)
	}
	w.ws.Close()
	number, err := complaint.NewNumber("261123", 1) // as the rig's intake tells first
	if err != nil {
		t.Fatal(err)
	}
	receipt := complaint.Reply{ID: "receipt-1", Kind: complaint.ReplyReceipt, Conversation: "chat:" + welcome.Session, Language: "en", Number: number, At: time.Now()}
	if err := r.chat.Send(t.Context(), receipt); err != nil {
		t.Fatal(err)
	}
	again := r.open()
	again.say(frame{"type": "hello", "session": welcome.Session, "token": welcome.Token, "last_seq": 1, "language": "en"})
	if got := again.hear("message"); got.Number != number || !strings.Contains(got.Text, complaint.Grouped(number)) {
		t.Errorf("%+v", got)
	}
	again.say(frame{"type": "message", "id": "2", "text": "the parcel is lost"})
	if got := again.hear("message"); got.Number != "" || !strings.Contains(got.Text, "reach you") {
		t.Errorf("after that: %+v", got)
	}
}

func isNotYet(err error) bool { _, ok := complaint.IsNotYet(err); return ok }

func TestPresence(t *testing.T) {
	r := newRig(t)
	w := r.open()
	w.say(frame{"type": "hello", "language": "en"})
	session := w.hear("welcome").Session
	w.hear("message")
	reply := complaint.Reply{ID: "p1", Kind: complaint.ReplyPresence, Conversation: "chat:" + session, Language: "en", By: "Li\x00 Na", Status: complaint.PresenceJoined, To: complaint.Person{Email: "z@example.cn"}, At: time.Now()}
	if err := r.chat.Send(t.Context(), reply); err != nil {
		t.Fatal(err)
	}
	if got := w.hear("message"); got.From != "gateway" || got.Text != "Li Na has joined the chat." {
		t.Errorf("joined: %+v", got)
	}
	reply.Status = complaint.PresenceTyping
	if err := r.chat.Send(t.Context(), reply); err != nil {
		t.Fatal(err)
	}
	if got := w.hear("typing"); got.From != "department" {
		t.Errorf("typing: %+v", got)
	}
	reply.At = time.Now().Add(-time.Minute) // long over
	if err := r.chat.Send(t.Context(), reply); err != nil {
		t.Fatal(err)
	}
	w.say(frame{"type": "ping"})
	if got := w.any(); got.Type != "pong" {
		t.Errorf("old typing: %+v", got)
	}
}

func await(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

func TestHostileBrowsers(t *testing.T) {
	r := newRig(t, func(c *Config) { c.MaxPerIP = 8 })
	for origin, want := range map[string]int{"": 403, "null": 403, "https://evil.example.com": 403, "https://www.example.com.evil.example.com": 403} {
		if _, resp, err := r.dial(origin, Subprotocol); err == nil || resp.StatusCode != want {
			t.Errorf("origin %q: %v", origin, resp)
		}
	}
	if _, resp, err := r.dial("https://www.example.com"); err == nil || resp.StatusCode != 400 {
		t.Errorf("without the subprotocol: %v", resp)
	}
	for name, c := range map[string]struct {
		send func(w *window)
		code int
	}{
		"too large":   {func(w *window) { w.say(frame{"type": "message", "id": "1", "text": strings.Repeat("x", maxFrame)}) }, 1009},
		"binary":      {func(w *window) { _ = w.ws.WriteMessage(websocket.BinaryMessage, []byte("{}")) }, 1008},
		"wrong token": {func(w *window) { w.say(frame{"type": "hello", "session": "abc", "token": strings.Repeat("0", 40)}) }, 4401},
		"junk": {func(w *window) {
			for range badFramesMax + 1 {
				_ = w.ws.WriteMessage(websocket.TextMessage, []byte("{nope"))
			}
		}, 4400},
		"silent": {func(*window) {}, 4408},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := r.open()
			w.t = t
			c.send(w)
			if code := w.closed(); code != c.code {
				t.Errorf("closed with %d, want %d", code, c.code)
			}
		})
	}
}

// A small frame that unfolds into a huge one, a flood by one session over
// however many lines, and a token of somebody else.
func TestAbuse(t *testing.T) {
	r := newRig(t)
	w := r.open()
	if got := w.upgrade.Get("Sec-WebSocket-Extensions"); got != "" {
		t.Errorf("agreed to %q", got)
	}
	// A text frame that claims to be compressed (RSV1), RFC 7692, 6.
	bomb := append([]byte{0xC1, 0x80 | 4, 0, 0, 0, 0}, 0xAA, 0x56, 0x4A, 0x04)
	if _, err := w.ws.NetConn().Write(bomb); err != nil {
		t.Fatal(err)
	}
	if code := w.closed(); code != websocket.CloseProtocolError {
		t.Errorf("a compressed frame: closed with %d", code)
	}

	w = r.open()
	w.say(frame{"type": "hello"})
	welcome := w.hear("welcome")
	again := frame{"type": "hello", "session": welcome.Session, "token": welcome.Token}
	other := r.open()
	other.say(again)
	other.hear("welcome")
	for i := range rateBurst + 5 { // what one line may say at once
		w.say(frame{"type": "message", "id": fmt.Sprint(i), "text": "我的包裹丢了"})
	}
	w.hear("retry")
	other.say(frame{"type": "message", "id": "x", "text": "我的包裹丢了"})
	other.hear("retry")
	for range excessMax + 20 {
		if w.ws.WriteJSON(frame{"type": "typing"}) != nil {
			break // it was closed meanwhile
		}
	}
	if code := w.closed(); code != 4429 {
		t.Errorf("a flood: closed with %d", code)
	}

	thief := r.open()
	thief.say(frame{"type": "hello"})
	mine := thief.hear("welcome")
	thief = r.open()
	thief.say(frame{"type": "hello", "session": welcome.Session, "token": mine.Token})
	if code := thief.closed(); code != 4401 {
		t.Errorf("another session's token: closed with %d", code)
	}
}

// Whoever opens and closes without end is slowed down, though few are open.
func TestConnectionsComeAtARate(t *testing.T) {
	r := newRig(t, func(c *Config) { c.MaxPerIP = 4 })
	for range 4 {
		r.open().ws.Close()
		await(t, "the window to be gone", func() bool {
			r.chat.mu.Lock()
			defer r.chat.mu.Unlock()
			return len(r.chat.conns) == 0 && len(r.chat.perIP) == 0
		})
	}
	_, resp, err := r.dial("https://www.example.com", Subprotocol)
	if err == nil || resp.StatusCode != 503 || resp.Header.Get("Retry-After") == "" {
		t.Errorf("the fifth within a second: %v", resp)
	}
}

func TestBadFramesAreAnswered(t *testing.T) {
	for in, want := range map[string]string{
		`{"type":"message","id":"1","text":"x"}`: "no_hello", `[]`: "bad_frame", `{"type":"drop"}`: "bad_frame", "{\"type\":\"\xff\"}": "bad_frame",
		`{"type":"message","id":"../1","text":"x"}`: "bad_id", `{"type":"message","id":"1","text":" "}`: "empty",
		`{"type":"message","id":"1","text":"` + strings.Repeat("长", maxText+1) + `"}`: "too_long",
	} {
		r := newRig(t)
		w := r.open()
		if err := w.ws.WriteMessage(websocket.TextMessage, []byte(in)); err != nil {
			t.Fatal(err)
		}
		if got := w.hear("error"); got.Code != want || got.Text == "" {
			t.Errorf("%s: %+v, want %s", in, got, want)
		}
		r.stop()
	}
}

func TestTooMany(t *testing.T) {
	r := newRig(t, func(c *Config) { c.MaxPerIP = 2 })
	w := r.open()
	r.open()
	if _, resp, err := r.dial("https://www.example.com", Subprotocol); err == nil || resp.StatusCode != 503 {
		t.Errorf("a third window of one address: %v", resp)
	}
	w.say(frame{"type": "hello"})
	for i := range rateBurst + 10 {
		w.say(frame{"type": "message", "id": fmt.Sprint(i), "text": "我的包裹丢了"})
	}
	if got := w.hear("retry"); got.AfterMS == 0 {
		t.Errorf("a flood: %+v", got)
	}
}

func TestFiles(t *testing.T) {
	r := newRig(t, func(c *Config) { c.MaxFile = 10 })
	w := r.open()
	w.say(frame{"type": "hello"})
	welcome := w.hear("welcome")
	post := func(token, body string) (int, string) {
		req, err := http.NewRequest("POST", r.url+"/chat/web/files", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+token)
		req.Header.Set("Origin", "https://www.example.com")
		req.Header.Set("X-Filename", `..\..\=?utf-8?B?5Y+R56Wo?=.pdf`)
		req.Header.Set("Content-Type", "application/pdf; x=y")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, _ := io.ReadAll(resp.Body)
		return resp.StatusCode, string(b)
	}
	token := welcome.Session + "." + welcome.Token
	if code, _ := post(token+"0", "x"); code != 401 {
		t.Errorf("a wrong token: %d", code)
	}
	if code, _ := post(token, "12345678901"); code != 413 {
		t.Errorf("too large: %d", code)
	}
	if welcome.MaxFile != 10 {
		t.Errorf("the browser was told %d bytes", welcome.MaxFile)
	}
	if code, _ := post(token, ""); code != 400 {
		t.Errorf("an empty file: %d", code)
	}
	code, body := post(token, "1234567890")
	var got struct{ Ref string }
	if err := json.Unmarshal([]byte(body), &got); err != nil || code != 200 {
		t.Fatalf("%d %s", code, body)
	}
	other := r.open()
	other.say(frame{"type": "hello"})
	other.say(frame{"type": "message", "id": "1", "files": []string{got.Ref}})
	if got := other.hear("error"); got.Code != "bad_file" {
		t.Errorf("another session's file: %+v", got)
	}
	w.say(frame{"type": "message", "id": "1", "files": []string{got.Ref}})
	w.hear("receipt")
	a := r.intake.Contacts()[0].Attachments
	if len(a) != 1 || a[0].Size != 10 || a[0].MediaType != "application/pdf" || strings.ContainsAny(a[0].Filename, `/\?`) || !strings.HasSuffix(a[0].Filename, ".pdf") {
		t.Errorf("attachment %+v", a)
	}
}

func TestDrainTellsClientsToComeBack(t *testing.T) {
	r := newRig(t)
	w := r.open()
	w.say(frame{"type": "hello"})
	w.hear("welcome")
	code := make(chan int)
	go func() { code <- w.closed() }()
	r.stop()
	if got := <-code; got != 1001 {
		t.Errorf("closed with %d", got)
	}
}

func TestSlowReaderIsClosed(t *testing.T) {
	r := newRig(t)
	w := r.open()
	w.say(frame{"type": "hello"})
	welcome := w.hear("welcome")
	var k *conn
	await(t, "the connection to be its session's", func() bool { // the welcome goes out a moment before
		r.chat.mu.Lock()
		defer r.chat.mu.Unlock()
		for _, one := range r.chat.sessions[welcome.Session] {
			k = one
		}
		return k != nil
	})
	k.mu.Lock()
	k.queue, k.bytes = append(k.queue, make([]byte, 10)), maxQueue // as if it had not read for long
	k.mu.Unlock()
	k.push(outFrame{Type: "message"})
	if code := w.closed(); code != 1013 {
		t.Errorf("closed with %d", code)
	}
}

// TestTunnels has many customers lose their line at random while they write;
// each resends what has no receipt. Every message must be kept once, in order.
func TestTunnels(t *testing.T) {
	r := newRig(t)
	const customers, messages = 100, 10
	var wg sync.WaitGroup
	for c := range customers {
		wg.Go(func() { r.customer(t, c, messages) })
	}
	wg.Wait()
	bySession := map[string][]string{}
	for _, c := range r.intake.Contacts() {
		bySession[c.Conversation] = append(bySession[c.Conversation], c.Text)
	}
	if len(bySession) != customers {
		t.Errorf("%d sessions, want %d", len(bySession), customers)
	}
	for s, texts := range bySession {
		for i, text := range texts {
			if want := fmt.Sprint("message number ", i); text != want || len(texts) != messages {
				t.Fatalf("%s: %q", s, texts)
			}
		}
	}
}

func (r *rig) customer(t *testing.T, c, messages int) {
	rnd := rand.New(rand.NewPCG(uint64(c), 1))
	var session, token string
	for sent := 0; sent < messages; {
		ws, _, err := r.dial("https://www.example.com", Subprotocol)
		if err != nil {
			continue
		}
		_ = ws.WriteJSON(frame{"type": "hello", "session": session, "token": token})
		_ = ws.SetReadDeadline(time.Now().Add(10 * time.Second))
		for sent < messages {
			var f outFrame
			if err := ws.ReadJSON(&f); err != nil {
				t.Errorf("customer %d: %v", c, err)
				break
			}
			if f.Type == "welcome" {
				session, token = f.Session, f.Token
			}
			if f.Type == "receipt" {
				sent++
			}
			if sent < messages && (f.Type == "welcome" || f.Type == "receipt") {
				_ = ws.WriteJSON(frame{"type": "message", "id": fmt.Sprint(sent), "text": fmt.Sprint("message number ", sent)})
				if rnd.IntN(3) == 0 {
					break // the tunnel, with a message under way
				}
			}
		}
		ws.Close()
	}
}

func TestIsFragment(t *testing.T) {
	for text, want := range map[string]bool{
		"你好": true, "您好，在吗？": true, "Hello!": true, "hi, anyone there?": true, "？？？": true, "我要投诉": true, "I want to complain": true, "转人工": true,
		"包裹丢了": false, "你好，我的包裹丢了": false, "refund": false, "Hello, my parcel is lost": false, "help me the heater burns": false, "没收到": false, "很差": true,
	} {
		if got := isFragment(text); got != want {
			t.Errorf("isFragment(%q) = %v", text, got)
		}
	}
}

func TestCheck(t *testing.T) {
	if err := errors.Join(Config{Name: "a/b", Origins: []string{"www.example.com", "https://x.example.com/path"}}.Check()...); err == nil || strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("faults: %v", err)
	}
}

func TestPage(t *testing.T) {
	r := newRig(t)
	for path, want := range map[string]int{"": 200, "demo.css": 200, "widget.js": 404, "nope": 404, "..%2fchat.go": 404} {
		resp, err := http.Get(r.url + "/chat/web/" + path)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want || (want == 200 && resp.Header.Get("Content-Security-Policy") == "") {
			t.Errorf("%s: %d", path, resp.StatusCode)
		}
	}
}

// The whole widget, with its texts and styles, must stay small: it is on every
// page of a site.
func TestWidgetIsSmall(t *testing.T) {
	const most = 15_000 // bytes, packed
	widget, err := Widget(nil)
	if err != nil {
		t.Fatal(err)
	}
	get := func(header, value string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, "/chat/widget.js", nil)
		r.Header.Set("Accept-Encoding", "gzip")
		r.Header.Set(header, value)
		w := httptest.NewRecorder()
		widget.ServeHTTP(w, r)
		return w
	}
	packed := get("X-None", "")
	if n := packed.Body.Len(); n > most || n < 1000 {
		t.Errorf("the widget has %d bytes packed, want at most %d", n, most)
	}
	t.Logf("%d bytes packed", packed.Body.Len())
	plain := get("Accept-Encoding", "identity")
	z, err := gzip.NewReader(packed.Body)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(z); err != nil || string(b) != plain.Body.String() || !strings.Contains(string(b), "投诉编号") || !strings.Contains(string(b), ".launch") {
		t.Errorf("packed is not plain, or parts are missing (%v)", err)
	}
	if again := get("If-None-Match", packed.Header().Get("ETag")); again.Code != http.StatusNotModified {
		t.Errorf("asked again with its tag: %d", again.Code)
	}
}

// Every language has every text.
func TestWidgetTexts(t *testing.T) {
	b, err := page.ReadFile("page/texts.json")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]map[string]string{}
	if err := json.Unmarshal(b, &all); err != nil {
		t.Fatal(err)
	}
	for lang, texts := range all {
		for key := range all["en"] {
			if texts[key] == "" {
				t.Errorf("%s lacks %s", lang, key)
			}
		}
		if len(texts) != len(all["en"]) {
			t.Errorf("%s has texts that en has not", lang)
		}
	}
}

func TestWidgetTextsAreReplaced(t *testing.T) {
	said, err := widgetTexts(words.Texts{"fr": {"widget.title": "Réclamations"}, "en": {"widget.open": "Something wrong?"}})
	if err != nil || said["fr"]["title"] != "Réclamations" || said["en"]["open"] != "Something wrong?" || said["en"]["title"] == "" {
		t.Errorf("%v, %v", said, err)
	}
	if _, err := Widget(words.Texts{"en": {"widget.titel": "x"}}); err == nil || !strings.Contains(err.Error(), "title") {
		t.Errorf("a text that there is not: %v", err)
	}
}

func FuzzReadFrame(f *testing.F) {
	f.Add([]byte(`{"type":"hello","session":"","last_seq":-1}`))
	f.Add([]byte(`{"type":"message","id":"1","text":"你好\u0000"}`))
	f.Add([]byte(`{"type":"contact","email":"a@b.c","number":"2611 2300 4279"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		fr, err := readFrame(b)
		if err != nil {
			return
		}
		if fr.Type == "message" && (!plainID(fr.ID) || strings.ContainsAny(fr.Text, "\x00\r")) {
			t.Errorf("passed: %+v", fr)
		}
		if strings.ContainsAny(fr.Email+fr.Name+fr.Phone+fr.Page, "\r\n\x00") {
			t.Errorf("control characters passed: %+v", fr)
		}
		_ = isFragment(fr.Text)
	})
}

func TestConformance(t *testing.T) {
	r := newRig(t)
	w := r.open()
	w.say(frame{"type": "hello"})
	channeltest.Conform(t, channeltest.Channel{
		Kind: complaint.Chat, Name: "web", Intake: r.intake, Stop: r.stop,
		Offer: func(n int) bool {
			w.say(frame{"type": "message", "id": fmt.Sprint(n), "text": "我的包裹丢了"})
			for {
				var f outFrame
				if err := w.ws.ReadJSON(&f); err != nil {
					t.Fatal(err)
				}
				if f.ID == fmt.Sprint(n) {
					return f.Type == "receipt"
				}
			}
		},
	})
}
