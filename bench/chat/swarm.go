package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
)

const origin = "https://www.example.com"

// dialect is how a browser speaks to one of the servers.
type dialect interface {
	path() string
	protocol() []string
	hello() any
	// message is the n'th of a window, and answered tells the frame that
	// answers it.
	message(n int) any
	welcomed(frame []byte) bool
	answered(frame []byte) (n int, ok bool)
	// pong is what a frame is to be answered with; nil for nothing.
	pong(frame []byte) []byte
}

type hearkenChat struct{}

func (hearkenChat) path() string       { return "/chat/web/ws" }
func (hearkenChat) protocol() []string { return []string{"hearken.chat.v1"} }
func (hearkenChat) hello() any         { return map[string]any{"type": "hello", "language": "en"} }
func (hearkenChat) message(n int) any {
	return map[string]any{"type": "message", "id": fmt.Sprint("m", n), "text": fmt.Sprint("the parcel never arrived, says message ", n)}
}
func (hearkenChat) welcomed(b []byte) bool { return bytes.Contains(b, []byte(`"welcome"`)) }
func (hearkenChat) answered(b []byte) (int, bool) {
	var f struct{ Type, ID string }
	var n int
	if json.Unmarshal(b, &f) != nil || f.Type != "receipt" {
		return 0, false
	}
	_, err := fmt.Sscanf(f.ID, "m%d", &n)
	return n, err == nil
}
func (hearkenChat) pong([]byte) []byte { return nil } // websocket's own

type centrifugeJSON struct{}

func (centrifugeJSON) path() string       { return "/connection/websocket" }
func (centrifugeJSON) protocol() []string { return nil }
func (centrifugeJSON) hello() any         { return map[string]any{"id": 1, "connect": map[string]any{}} }
func (centrifugeJSON) message(n int) any {
	return map[string]any{"id": n + 2, "publish": map[string]any{"channel": "complaints", "data": map[string]any{"text": fmt.Sprint("the parcel never arrived, says message ", n)}}}
}
func (centrifugeJSON) welcomed(b []byte) bool { return bytes.Contains(b, []byte(`"connect"`)) }
func (centrifugeJSON) answered(b []byte) (int, bool) {
	var f struct {
		ID    int
		Error json.RawMessage
	}
	err := json.Unmarshal(b, &f)
	return f.ID - 2, err == nil && f.ID >= 2 && f.Error == nil
}
func (centrifugeJSON) pong(b []byte) []byte {
	if string(bytes.TrimSpace(b)) == "{}" {
		return []byte("{}")
	}
	return nil
}

// swarm is many windows.
type swarm struct {
	dialect dialect
	answers chan answer
	addr    string
	mu      sync.Mutex
	windows []*window
	gone    atomic.Int64
	readers sync.WaitGroup
	closing atomic.Bool
}

type window struct {
	ws   *websocket.Conn
	mu   sync.Mutex // of writing
	sent sync.Map   // n to time.Time
}

// open opens n more windows, and returns when each was welcomed.
func (s *swarm) open(ctx context.Context, n, dialers int) error {
	var wg sync.WaitGroup
	var left atomic.Int64
	left.Store(int64(n))
	failed := make(chan error, dialers)
	for range dialers {
		wg.Go(func() {
			for left.Add(-1) >= 0 && ctx.Err() == nil {
				if err := s.openOne(ctx); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	wg.Wait()
	select {
	case err := <-failed:
		return err
	default:
		return ctx.Err()
	}
}

func (s *swarm) openOne(ctx context.Context) error {
	d := websocket.Dialer{Subprotocols: s.dialect.protocol(), ReadBufferSize: 512, WriteBufferSize: 512}
	ws, resp, err := d.DialContext(ctx, "ws://"+s.addr+s.dialect.path(), http.Header{"Origin": {origin}})
	if err != nil {
		if resp != nil {
			return fmt.Errorf("open a window: %w (%s)", err, resp.Status)
		}
		return fmt.Errorf("open a window: %w", err)
	}
	w := &window{ws: ws}
	if err := ws.WriteJSON(s.dialect.hello()); err != nil {
		return err
	}
	for welcomed := false; !welcomed; {
		_, b, err := ws.ReadMessage()
		if err != nil {
			return fmt.Errorf("wait for the welcome: %w", err)
		}
		welcomed = s.dialect.welcomed(b)
	}
	s.mu.Lock()
	s.windows = append(s.windows, w)
	s.mu.Unlock()
	s.readers.Go(func() { s.listen(w) })
	return nil
}

// listen reads until the line ends.
func (s *swarm) listen(w *window) {
	for {
		_, b, err := w.ws.ReadMessage()
		if err != nil {
			if !s.closing.Load() {
				s.gone.Add(1)
			}
			return
		}
		if p := s.dialect.pong(b); p != nil {
			w.write(p)
			continue
		}
		for part := range bytes.Lines(b) { // centrifuge puts several answers into a frame
			if n, ok := s.dialect.answered(part); ok {
				if at, ok := w.sent.LoadAndDelete(n); ok {
					s.answers <- answer{n, time.Since(at.(time.Time))}
				}
			}
		}
	}
}

func (w *window) write(b []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	_ = w.ws.WriteMessage(websocket.TextMessage, b) // a dead line shows in the reader
}

func (s *swarm) lost() int { return int(s.gone.Load()) }

// answer is how long a window's message waited.
type answer struct {
	round int
	took  time.Duration
}

// talk has n of the windows send a message a second each, evenly spread, and
// returns how long the answers took: those to the windows' first messages, each
// of which registers a complaint, and those to the others. A message without
// an answer fails it.
func (s *swarm) talk(ctx context.Context, n int, long time.Duration) (first, others []time.Duration, err error) {
	var collected sync.WaitGroup
	collected.Go(func() {
		for a := range s.answers {
			if a.round == 0 {
				first = append(first, a.took)
			} else {
				others = append(others, a.took)
			}
		}
	})
	rounds := int(long / time.Second)
	var wg sync.WaitGroup
	began := time.Now()
	for i, w := range s.windows[:min(n, len(s.windows))] {
		wg.Go(func() {
			// By the clock, not by pauses: who was late once does not go on
			// in step with all who were late with him.
			next := began.Add(time.Duration(i) * time.Second / time.Duration(n))
			for r := range rounds {
				time.Sleep(time.Until(next))
				next = next.Add(time.Second)
				if ctx.Err() != nil {
					return
				}
				b, _ := json.Marshal(s.dialect.message(r))
				w.sent.Store(r, time.Now())
				w.write(b)
			}
		})
	}
	wg.Wait()
	time.Sleep(2 * time.Second) // for the last answers
	s.closing.Store(true)
	missing := 0
	for _, w := range s.windows {
		w.sent.Range(func(any, any) bool { missing++; return true })
	}
	s.close()
	close(s.answers)
	collected.Wait()
	if missing > 0 || ctx.Err() != nil {
		return nil, nil, fmt.Errorf("%d messages have no answer", missing)
	}
	slices.Sort(first)
	slices.Sort(others)
	return first, others, nil
}

func (s *swarm) close() {
	s.closing.Store(true)
	for _, w := range s.windows {
		_ = w.ws.Close()
	}
	s.readers.Wait()
}

// at is a quantile of sorted durations, in milliseconds.
func at(sorted []time.Duration, q float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return float64(sorted[min(int(q*float64(len(sorted))), len(sorted)-1)].Microseconds()) / 1000
}
