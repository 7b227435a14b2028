package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"hearken/complaint"
)

const (
	// chatKeep is how long a chat session's messages can be read again.
	chatKeep = 30 * 24 * time.Hour
	// chatMost bounds one session's log.
	chatMost = 5000
	// chatOpen is how long a window counts as open after its last Touch.
	chatOpen = 2 * time.Minute
)

// Sessions is the log of what was said into each chat window, in Redis, so
// that any gateway can go on with a session.
type Sessions struct{ c *Client }

// Sessions opens the logs.
func (c *Client) Sessions() *Sessions { return &Sessions{c} }

// part keeps a session's log where its complaint is: both follow from the
// conversation.
func (s *Sessions) part(session string) partition {
	return spread(s.c.parts, "chat:"+session)
}

// Append adds a message, once for each m.ID, and returns its sequence number.
// Every gateway that watches is told.
func (s *Sessions) Append(ctx context.Context, session string, m complaint.ChatMessage) (int64, error) {
	p := s.part(session)
	b, err := json.Marshal(m)
	if err != nil {
		return 0, fmt.Errorf("encode chat message %s: %w", m.ID, err)
	}
	seq, err := s.c.run(ctx, s.c.lua.appendChat, []string{p.chat(session), p.chat(session) + ":ids"},
		m.ID, string(b), chatMost, seconds(chatKeep), p.key("chats"), session).Int64()
	if err != nil {
		return 0, fmt.Errorf("append chat message %s: %w", m.ID, err)
	}
	if seq == 0 {
		return 0, complaint.Permanent(fmt.Errorf("append chat message %s: the session has %d messages", m.ID, chatMost))
	}
	return seq, nil
}

// Since returns the messages after a sequence number, in order.
func (s *Sessions) Since(ctx context.Context, session string, after int64) ([]complaint.ChatMessage, error) {
	after = max(after, 0)
	texts, err := s.c.write.LRange(ctx, s.part(session).chat(session), after, -1).Result()
	if err != nil {
		return nil, fmt.Errorf("read a chat's messages: %w", err)
	}
	out := make([]complaint.ChatMessage, 0, len(texts))
	for i, text := range texts {
		var m complaint.ChatMessage
		if err := json.Unmarshal([]byte(text), &m); err != nil {
			return nil, fmt.Errorf("read a chat's message %d: %w", after+int64(i)+1, err)
		}
		m.Seq = after + int64(i) + 1
		out = append(out, m)
	}
	return out, nil
}

// Touch says that a window of the session is open here (repeat it well within
// two minutes), or closed.
func (s *Sessions) Touch(ctx context.Context, session string, open bool) error {
	key := s.part(session).chat(session) + ":open"
	var err error
	if open {
		err = s.c.write.Set(ctx, key, 1, chatOpen).Err()
	} else {
		err = s.c.write.Del(ctx, key).Err()
	}
	if err != nil {
		return fmt.Errorf("note an open chat: %w", err)
	}
	return nil
}

// Open tells whether a window of the session is open on any gateway.
func (s *Sessions) Open(ctx context.Context, session string) (bool, error) {
	n, err := s.c.write.Exists(ctx, s.part(session).chat(session)+":open").Result()
	if err != nil {
		return false, fmt.Errorf("ask for an open chat: %w", err)
	}
	return n == 1, nil
}

// Status returns the word that a department wrote last about a complaint, ""
// where none has. It returns ErrUnknownNumber where there is no complaint.
func (s *Sessions) Status(ctx context.Context, number string) (string, error) {
	c, err := s.c.Complaint(ctx, number)
	if err != nil {
		return "", fmt.Errorf("look up the status of %s: %w", number, err)
	}
	return c.Status, nil
}

// watchQuiet is how long a subscription may be silent before its line is
// checked.
const watchQuiet = 20 * time.Second

// Watch calls wake with a session whenever a message was appended to it, and
// with "" when messages may have been missed (the line was cut and is back).
// It returns when ctx ends.
func (s *Sessions) Watch(ctx context.Context, wake func(session string)) error {
	var channels []string
	for _, p := range s.c.parts {
		channels = append(channels, p.key("chats"))
	}
	for ctx.Err() == nil {
		err := s.watchLine(ctx, channels, wake)
		if ctx.Err() == nil && err != nil {
			s.c.cfg.Log.Warn("watch for chat messages; will be tried again", "err", err)
			sleep(ctx, time.Second)
		}
	}
	return nil
}

func (s *Sessions) watchLine(ctx context.Context, channels []string, wake func(string)) error {
	sub := s.c.read.Subscribe(ctx, channels...)
	defer sub.Close()
	// ReceiveTimeout can't be interrupted, but by closing the line.
	defer context.AfterFunc(ctx, func() { _ = sub.Close() })()
	quiet := false
	for {
		got, err := sub.ReceiveTimeout(ctx, watchQuiet)
		var timeout interface{ Timeout() bool }
		switch {
		case err != nil && errors.As(err, &timeout) && timeout.Timeout() && !quiet:
			if err := sub.Ping(ctx); err != nil {
				return err
			}
			quiet = true
			continue
		case err != nil:
			return err
		}
		quiet = false
		switch m := got.(type) {
		case *redis.Subscription:
			wake("")
		case *redis.Message:
			wake(m.Payload)
		}
	}
}
