// Package visitor is a customer's end of a chat, as the page in a browser
// has it: it reconnects, resumes its session, and sends again what has no
// receipt. The demo's customers chat through it, and tests do.
package visitor

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/gorilla/websocket"

	"hearken/channels/chat"
)

// Visitor is one customer. It is used by one goroutine.
type Visitor struct {
	Address  string   // ws://host/chat/web/ws
	Others   []string // of further gateways: a lost line is taken up on the next one
	Origin   string
	Language string
	// Say is called for every message into the window; nil hears nothing.
	Say func(from, text string)

	ws             *websocket.Conn
	lines          int // that were tried
	session, token string
	seq            int64
}

type frame struct {
	Type    string `json:"type"`
	Session string `json:"session,omitempty"`
	Token   string `json:"token,omitempty"`
	LastSeq int64  `json:"last_seq,omitempty"`
	Seq     int64  `json:"seq,omitempty"`
	ID      string `json:"id,omitempty"`
	Text    string `json:"text,omitempty"`
	Number  string `json:"number,omitempty"`
	From    string `json:"from,omitempty"`
	Name    string `json:"name,omitempty"`
	Email   string `json:"email,omitempty"`
	Phone   string `json:"phone,omitempty"`
	AfterMS int64  `json:"after_ms,omitempty"`
	Lang    string `json:"language,omitempty"`
}

const (
	answerWait = 10 * time.Second
	retryPause = 50 * time.Millisecond
)

// connect opens the line and says hello, until it works or ctx ends.
func (v *Visitor) connect(ctx context.Context) error {
	for v.ws == nil {
		d := websocket.Dialer{Subprotocols: []string{chat.Subprotocol}, HandshakeTimeout: answerWait}
		at := append([]string{v.Address}, v.Others...)[v.lines%(1+len(v.Others))]
		v.lines++
		ws, resp, err := d.DialContext(ctx, at, http.Header{"Origin": {v.Origin}})
		if resp != nil && resp.Body != nil {
			resp.Body.Close()
		}
		if err == nil {
			v.ws = ws
			err = v.ws.WriteJSON(frame{Type: "hello", Session: v.session, Token: v.token, LastSeq: v.seq, Lang: v.Language})
			if err == nil {
				_, err = v.until(ctx, func(f frame) bool { return f.Type == "welcome" })
			}
			if err == nil {
				return nil
			}
			v.Cut()
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("open the chat: %w", ctx.Err())
		case <-time.After(retryPause):
		}
	}
	return nil
}

// until reads frames until one fits, or the context's time is over.
func (v *Visitor) until(ctx context.Context, fits func(frame) bool) (frame, error) {
	deadline := time.Now().Add(answerWait)
	if d, ok := ctx.Deadline(); ok && d.Before(deadline) {
		deadline = d
	}
	if err := v.ws.SetReadDeadline(deadline); err != nil {
		return frame{}, err
	}
	for {
		var f frame
		if err := v.ws.ReadJSON(&f); err != nil {
			return f, err
		}
		switch f.Type {
		case "welcome":
			v.session, v.token = f.Session, f.Token
		case "message":
			if f.Seq > v.seq || f.Seq == 0 { // the greeting is in no log
				v.seq = max(v.seq, f.Seq)
				if v.Say != nil {
					v.Say(f.From, f.Text)
				}
			}
		}
		if fits(f) {
			return f, nil
		}
	}
}

// Introduce tells who the customer is.
func (v *Visitor) Introduce(ctx context.Context, name, email, phone string) error {
	if err := v.connect(ctx); err != nil {
		return err
	}
	return v.ws.WriteJSON(frame{Type: "contact", Name: name, Email: email, Phone: phone})
}

// Tell says something, and returns with its receipt: the number, once there
// is one. It goes on over lost lines until ctx ends.
func (v *Visitor) Tell(ctx context.Context, id, text string) (number string, err error) {
	for ctx.Err() == nil {
		if err := v.connect(ctx); err != nil {
			return "", err
		}
		err := v.ws.WriteJSON(frame{Type: "message", ID: id, Text: text})
		var f frame
		if err == nil {
			f, err = v.until(ctx, func(f frame) bool {
				return f.ID == id && (f.Type == "receipt" || f.Type == "retry" || f.Type == "error")
			})
		}
		switch {
		case err != nil:
			v.Cut()
		case f.Type == "receipt":
			return f.Number, nil
		case f.Type == "error":
			return "", fmt.Errorf("message %s was refused: %s", id, f.Text)
		default:
			time.Sleep(time.Duration(f.AfterMS) * time.Millisecond)
		}
	}
	return "", fmt.Errorf("message %s has no receipt: %w", id, ctx.Err())
}

// Listen hears messages until one has the text, or ctx ends.
func (v *Visitor) Listen(ctx context.Context, text string) error {
	for ctx.Err() == nil {
		if err := v.connect(ctx); err != nil {
			return err
		}
		_, err := v.until(ctx, func(f frame) bool { return f.Type == "message" && strings.Contains(f.Text, text) })
		if err == nil {
			return nil
		}
		v.Cut()
	}
	return ctx.Err()
}

// Cut loses the line, as in a tunnel.
func (v *Visitor) Cut() {
	if v.ws != nil {
		v.ws.Close()
		v.ws = nil
	}
}

// End closes the chat as the customer's wish, and waits until it is closed.
func (v *Visitor) End(ctx context.Context) error {
	if err := v.connect(ctx); err != nil {
		return err
	}
	defer v.Cut()
	if err := v.ws.WriteJSON(frame{Type: "end"}); err != nil {
		return fmt.Errorf("end the chat: %w", err)
	}
	_, err := v.until(ctx, func(f frame) bool { return f.Type == "ended" })
	return err
}
