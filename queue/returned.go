package queue

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"hearken/complaint"
)

type pipeliner = redis.Pipeliner

func (c *Client) xadd(ctx context.Context, stream string, values []any) error {
	if err := c.write.XAdd(ctx, &redis.XAddArgs{Stream: stream, Values: values}).Err(); err != nil {
		return fmt.Errorf("add to %s: %w", stream, err)
	}
	return nil
}

// takeReturned accepts anew the contacts that `hearken dead retry` gave back,
// until ctx ends.
func (g *Gateway) takeReturned(ctx context.Context) error {
	in := g.client.group(groupGateways, func(p partition) string { return p.stream(streamReturned) })
	for ctx.Err() == nil {
		msgs, err := in.read(ctx, 16)
		if err == nil {
			for _, m := range msgs {
				if err = g.takeBack(ctx, in, m); err != nil {
					break
				}
			}
		}
		if ctx.Err() != nil {
			return nil
		}
		g.away.note(g.client.cfg.Log, "read contacts given back", err)
		if err != nil {
			sleep(ctx, time.Second)
		}
	}
	return nil
}

func (g *Gateway) takeBack(ctx context.Context, in *group, m message) error {
	var e entry
	if err := json.Unmarshal([]byte(m.text("contact")), &e); err != nil || len(e.Contacts) == 0 {
		reason := fmt.Sprintf("the field contact holds no contact: %v", err)
		return g.client.dead(ctx, g.client.parts[m.part], streamReturned, groupGateways, m.id, m.attempts, m.fields, reason)
	}
	for _, c := range e.Contacts {
		if _, err := g.Accept(ctx, c); err != nil && !complaint.IsPermanent(err) {
			return err
		}
	}
	return in.ack(ctx, m)
}

// sleep waits, or returns early when ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
