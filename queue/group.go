package queue

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// group reads a set of streams (the same one of every partition) through one
// consumer group. What it hands out stays pending until it is acknowledged by
// a script; what a crash left pending comes again, first our own, then that
// of consumers that fell silent.
type group struct {
	c       *Client
	name    string
	streams []string // by partition

	mu        sync.Mutex
	ready     bool     // the groups exist
	own       []string // by stream: how far our own pending entries were read; "" when through
	lastClaim time.Time
}

// message is one entry handed out.
type message struct {
	part     int
	id       string
	fields   map[string]any
	attempts int
}

func (c *Client) group(name string, stream func(partition) string) *group {
	g := &group{c: c, name: name}
	for _, p := range c.parts {
		g.streams = append(g.streams, stream(p))
	}
	return g
}

// read returns up to most entries (of each partition), or none after about
// blockFor. It must not be called concurrently with itself.
func (g *group) read(ctx context.Context, most int) ([]message, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := g.prepare(ctx); err != nil {
		return nil, err
	}
	out, err := g.readOwn(ctx, most)
	if err == nil && len(out) == 0 && time.Since(g.lastClaim) > g.c.cfg.ClaimAfter/2 {
		out, err = g.claim(ctx, most)
	}
	if err == nil && len(out) == 0 {
		out, err = g.readNew(ctx, most)
	}
	if err != nil {
		if redis.HasErrorPrefix(err, "NOGROUP") {
			// Redis lost the group (a restart without its data, a failover to
			// an empty replica). It is made anew at the stream's start.
			g.ready = false
		}
		return nil, fmt.Errorf("read %s as %s: %w", strings.Join(g.streams, ", "), g.name, err)
	}
	return out, nil
}

func (g *group) prepare(ctx context.Context) error {
	if g.ready {
		return nil
	}
	for _, s := range g.streams {
		// At 0, never at $: an entry that came before the group counts too.
		err := g.c.write.XGroupCreateMkStream(ctx, s, g.name, "0").Err()
		if err != nil && !redis.HasErrorPrefix(err, "BUSYGROUP") {
			return fmt.Errorf("make group %s of %s: %w", g.name, s, err)
		}
	}
	g.own = slices.Repeat([]string{"0"}, len(g.streams))
	g.ready = true
	return nil
}

func (g *group) readOwn(ctx context.Context, most int) ([]message, error) {
	var out []message
	for part, from := range g.own {
		if from == "" {
			continue
		}
		got, err := g.xread(ctx, []string{g.streams[part], from}, most, -1)
		if err != nil {
			return nil, err
		}
		if len(got) < most {
			g.own[part] = ""
		} else {
			g.own[part] = got[len(got)-1].id
		}
		out = append(out, got...)
	}
	return out, g.count(ctx, out)
}

// claim takes over what consumers that fell silent left unfinished.
func (g *group) claim(ctx context.Context, most int) ([]message, error) {
	var out []message
	for part, s := range g.streams {
		for cursor := "0-0"; ; {
			msgs, next, err := g.c.write.XAutoClaim(ctx, &redis.XAutoClaimArgs{
				Stream: s, Group: g.name, Consumer: g.c.cfg.Consumer, MinIdle: g.c.cfg.ClaimAfter, Start: cursor, Count: int64(most),
			}).Result()
			if err != nil {
				return nil, err
			}
			for _, m := range msgs {
				out = append(out, message{part: part, id: m.ID, fields: m.Values})
			}
			if cursor = next; cursor == "0-0" || len(out) >= most {
				break
			}
		}
	}
	if len(out) == 0 {
		g.lastClaim = time.Now()
	}
	return out, g.count(ctx, out)
}

func (g *group) readNew(ctx context.Context, most int) ([]message, error) {
	if _, clustered := g.c.read.(*redis.ClusterClient); clustered && len(g.streams) > 1 {
		return g.readNewEach(ctx, most)
	}
	args := slices.Clone(g.streams)
	for range g.streams {
		args = append(args, ">")
	}
	return g.xread(ctx, args, most, blockFor)
}

// readNewEach serves a cluster, where one read can't name streams of several
// slots: each is asked without blocking, and the wait is ours.
func (g *group) readNewEach(ctx context.Context, most int) ([]message, error) {
	for end := time.Now().Add(blockFor); ; {
		var out []message
		for part, s := range g.streams {
			got, err := g.xread(ctx, []string{s, ">"}, most, -1)
			if err != nil {
				return nil, err
			}
			for i := range got {
				got[i].part = part
			}
			out = append(out, got...)
		}
		if len(out) > 0 || time.Now().After(end) {
			return out, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// xread reads and flattens; block < 0 means not to wait.
func (g *group) xread(ctx context.Context, streams []string, most int, block time.Duration) ([]message, error) {
	res, err := g.c.read.XReadGroup(ctx, &redis.XReadGroupArgs{
		Group: g.name, Consumer: g.c.cfg.Consumer, Streams: streams, Count: int64(most), Block: block,
	}).Result()
	if errors.Is(err, redis.Nil) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var out []message
	for _, s := range res {
		part := slices.Index(g.streams, s.Stream)
		for _, m := range s.Messages {
			out = append(out, message{part: part, id: m.ID, fields: m.Values, attempts: 1})
		}
	}
	return out, nil
}

// count fills in how often entries have been handed out: those that come a
// second time are few, so one question each is cheap.
func (g *group) count(ctx context.Context, msgs []message) error {
	if len(msgs) == 0 {
		return nil
	}
	cmds := make([]*redis.XPendingExtCmd, len(msgs))
	_, err := g.c.write.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, m := range msgs {
			cmds[i] = p.XPendingExt(ctx, &redis.XPendingExtArgs{Stream: g.streams[m.part], Group: g.name, Start: m.id, End: m.id, Count: 1})
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i, cmd := range cmds {
		msgs[i].attempts = 1
		if p := cmd.Val(); len(p) == 1 {
			msgs[i].attempts = int(p[0].RetryCount)
		}
	}
	return nil
}

// ack drops entries that need nothing more, such as ones whose text is gone.
func (g *group) ack(ctx context.Context, m message) error {
	return g.c.write.XAck(ctx, g.streams[m.part], g.name, m.id).Err()
}

// text returns a field as a string; "" where it is not there.
func (m message) text(field string) string {
	s, _ := m.fields[field].(string)
	return s
}
