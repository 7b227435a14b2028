// Package queuetest is the least that can be done with Redis, for benchmarks
// to compare with: one XADD a call, and nothing else.
package queuetest

import (
	"context"

	"github.com/redis/go-redis/v9"
)

// Stream adds to one stream. Close it.
type Stream struct{ c *redis.Client }

// Open opens a stream of the Redis at url.
func Open(url string) (*Stream, error) {
	o, err := redis.ParseURL(url)
	if err != nil {
		return nil, err
	}
	return &Stream{redis.NewClient(o)}, nil
}

// Add adds one entry.
func (s *Stream) Add(ctx context.Context, text string) error {
	return s.c.XAdd(ctx, &redis.XAddArgs{Stream: "bare", Values: []any{"body", text}}).Err()
}

// Close closes the connections.
func (s *Stream) Close() error { return s.c.Close() }
