package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"hearken/complaint"
)

const (
	// chatKeep is how long a chat session's messages can be read again.
	chatKeep = 30 * 24 * time.Hour
	// chatMost bounds one session's log.
	chatMost = 5000
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

// Append adds messages, once for each ID, and tells the place of the last.
// Every gateway that watches is told.
func (s *Sessions) Append(ctx context.Context, session string, all ...complaint.ChatMessage) (complaint.ChatPlace, error) {
	var place complaint.ChatPlace
	p := s.part(session)
	args := []any{chatMost, seconds(chatKeep), p.key("chats"), session}
	for _, m := range all {
		b, err := json.Marshal(m)
		if err != nil {
			return place, fmt.Errorf("encode chat message %s: %w", m.ID, err)
		}
		args = append(args, m.ID, string(b))
	}
	got, err := s.c.run(ctx, s.c.lua.appendChat, []string{p.chat(session), p.chat(session) + ":ids", p.chatNotes(session)}, args...).Int64Slice()
	if err == nil && len(got) != 3 {
		err = fmt.Errorf("the script returned %d values", len(got))
	}
	if err != nil {
		return place, fmt.Errorf("append %d chat messages: %w", len(all), err)
	}
	if got[0] == 0 {
		return place, complaint.Permanent(fmt.Errorf("append %d chat messages: the session has %d", len(all), chatMost))
	}
	return complaint.ChatPlace{Seq: got[0], Heard: got[1], Gone: got[2] == 1}, nil
}

// Resume returns all that is remembered of a session; nothing for one that
// nobody knows.
func (s *Sessions) Resume(ctx context.Context, session string) (complaint.ChatSession, error) {
	p := s.part(session)
	var texts *redis.StringSliceCmd
	var notes *redis.MapStringStringCmd
	_, err := s.c.write.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		texts, notes = pipe.LRange(ctx, p.chat(session), 0, -1), pipe.HGetAll(ctx, p.chatNotes(session))
		return nil
	})
	if err != nil {
		return complaint.ChatSession{}, fmt.Errorf("read a chat session: %w", err)
	}
	log, err := chatMessages(texts.Val(), 0)
	return complaint.ChatSession{Log: log, Notes: notes.Val()}, err
}

// Note remembers notes beside a session's log; an empty one is forgotten.
// Which notes there are is the chat's business, but "gone": where it is set,
// Append tells so.
func (s *Sessions) Note(ctx context.Context, session string, notes map[string]string) error {
	key := s.part(session).chatNotes(session)
	_, err := s.c.write.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		for name, text := range notes {
			if text == "" {
				pipe.HDel(ctx, key, name)
			} else {
				pipe.HSet(ctx, key, name, text)
			}
		}
		pipe.Expire(ctx, key, chatKeep)
		return nil
	})
	if err != nil {
		return fmt.Errorf("note something on a chat: %w", err)
	}
	return nil
}

// Heard says that a browser has everything up to seq. The highest stays.
func (s *Sessions) Heard(ctx context.Context, session string, seq int64) error {
	err := s.c.run(ctx, s.c.lua.heardChat, []string{s.part(session).chatNotes(session)}, seq, seconds(chatKeep)).Err()
	if err != nil {
		return fmt.Errorf("note what a chat has heard: %w", err)
	}
	return nil
}

// Signal has every gateway's Watch told something about a session that is not
// kept. signal is a word.
func (s *Sessions) Signal(ctx context.Context, session, signal string) error {
	if err := s.c.write.Publish(ctx, s.part(session).key("chats"), session+" "+signal).Err(); err != nil {
		return fmt.Errorf("signal to a chat: %w", err)
	}
	return nil
}

// Since returns the messages after a sequence number, in order.
func (s *Sessions) Since(ctx context.Context, session string, after int64) ([]complaint.ChatMessage, error) {
	after = max(after, 0)
	texts, err := s.c.write.LRange(ctx, s.part(session).chat(session), after, -1).Result()
	if err != nil {
		return nil, fmt.Errorf("read a chat's messages: %w", err)
	}
	return chatMessages(texts, after)
}

// chatMessages reads the messages after a sequence number.
func chatMessages(texts []string, after int64) ([]complaint.ChatMessage, error) {
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
// What was said by Signal comes with its word. It returns when ctx ends.
func (s *Sessions) Watch(ctx context.Context, wake func(session, signal string)) error {
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

func (s *Sessions) watchLine(ctx context.Context, channels []string, wake func(session, signal string)) error {
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
			wake("", "")
		case *redis.Message:
			session, signal, _ := strings.Cut(m.Payload, " ")
			wake(session, signal)
		}
	}
}
