package chat

import (
	"context"
	"fmt"
	"strings"
	"time"

	"hearken/complaint"
)

// Send says a reply in its session's window, on whichever gateway that is.
// Where no browser confirms it, it is kept for the customer's return; after
// FallbackAfter, or soon where they ended the chat, the answer is
// ErrUnreachable for one who left an address, so that it goes there too.
func (c *Chat) Send(ctx context.Context, r complaint.Reply) error {
	session, ok := strings.CutPrefix(r.Conversation, "chat:")
	if !ok || session == "" {
		return complaint.Permanent(fmt.Errorf("say reply %s: it names no chat session", r.ID))
	}
	if r.Kind == complaint.ReplyPresence && r.Status == complaint.PresenceTyping {
		if time.Since(r.At) > typingFresh {
			return nil
		}
		return c.deps.Sessions.Signal(ctx, session, complaint.PresenceTyping)
	}
	m, err := c.worded(r)
	if err != nil {
		return err
	}
	at, err := c.deps.Sessions.Append(ctx, session, m)
	until := r.At.Add(c.cfg.FallbackAfter)
	if at.Gone {
		until = r.At.Add(min(c.cfg.FallbackAfter, goneWait)) // but for another tab
	}
	switch {
	case err != nil:
		return err
	case at.Heard >= at.Seq, r.Kind == complaint.ReplyPresence, r.To.Email == "" && r.To.Phone == "":
		return nil
	case !time.Now().Before(until):
		return fmt.Errorf("reply %s was not heard in its chat: %w", r.ID, complaint.ErrUnreachable)
	}
	return complaint.NotYet(until)
}

// worded is what a reply says in a window.
func (c *Chat) worded(r complaint.Reply) (complaint.ChatMessage, error) {
	m := complaint.ChatMessage{ID: r.ID, From: "gateway", Text: r.Text, Number: r.Number, At: r.At}
	var err error
	switch r.Kind {
	case complaint.ReplyReceipt:
		m.ID = registeredID
		m.Text, err = c.book.Say(r.Language, "chat.registered", map[string]string{"number": complaint.Grouped(r.Number)})
	case complaint.ReplyPresence:
		m.Number = ""
		key := "chat.joined"
		if r.By == "" {
			key = "chat.joined_nameless"
		}
		m.Text, err = c.book.Say(r.Language, key, map[string]string{"by": clipped(cleanText(r.By, false))})
	default:
		m.From = "department"
	}
	return m, err
}
