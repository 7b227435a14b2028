package queue

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// Continue has what comes in a conversation lead to a complaint for window: it
// was answered there. It returns ErrUnknownNumber where there is no such
// complaint.
func (c *Client) Continue(ctx context.Context, number, conversation string, window time.Duration) error {
	part, number, err := c.home(ctx, number)
	if err != nil {
		return fmt.Errorf("have a conversation lead to complaint %s: %w", number, err)
	}
	name := talkName(conversation)
	_, err = c.write.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, other := range c.parts {
			if other != part { // it led to a complaint there
				p.Del(ctx, other.thread(name))
			}
		}
		return p.Set(ctx, part.thread(name), number, max(window, time.Second)).Err()
	})
	if err != nil {
		return fmt.Errorf("have a conversation lead to complaint %s: %w", number, err)
	}
	return nil
}

// home is the partition of a complaint, and the number that it goes by.
func (c *Client) home(ctx context.Context, number string) (partition, string, error) {
	for range 2 { // another number may have been told for it
		known := make([]*redis.SliceCmd, len(c.parts))
		_, err := c.write.Pipelined(ctx, func(p redis.Pipeliner) error {
			for i, part := range c.parts {
				known[i] = p.HMGet(ctx, part.complaint(number), "id", "last", "alias")
			}
			return nil
		})
		if err != nil {
			return partition{}, number, err
		}
		alias := ""
		for i, k := range known {
			v := k.Val()
			if v[0] != nil || v[1] != nil {
				return c.parts[i], number, nil
			}
			if s, _ := v[2].(string); s != "" {
				alias = s
			}
		}
		if alias == "" {
			break
		}
		number = alias
	}
	return partition{}, number, ErrUnknownNumber
}
