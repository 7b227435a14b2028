package queue

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// trimEvery is how often the streams are cut behind their readers.
const trimEvery = time.Minute

// Trim keeps the streams from growing for ever, until ctx ends: entries older
// than Retain go, but never one that a group has not acknowledged, and none
// of a stream that nobody reads by a group.
func (c *Client) Trim(ctx context.Context) error {
	trouble := new(state)
	for ctx.Err() == nil {
		err := c.trimAll(ctx, time.Now().Add(-c.cfg.Retain))
		if ctx.Err() == nil {
			trouble.note(c.cfg.Log, "trim the streams", err)
		}
		sleep(ctx, trimEvery)
	}
	return nil
}

func (c *Client) trimAll(ctx context.Context, before time.Time) error {
	var errs []error
	for _, p := range c.parts {
		streams, err := c.write.SMembers(ctx, p.departments()).Result()
		errs = append(errs, err)
		streams = append(streams, p.stream(streamIntake), p.stream(streamUpdates), p.stream(streamReturned),
			p.replies("email"), p.replies("phone"), p.replies("chat"))
		for _, s := range streams {
			errs = append(errs, c.trim(ctx, s, before))
		}
	}
	return errors.Join(errs...)
}

// trim cuts one stream at the smaller of before and the oldest entry that
// some group still needs.
func (c *Client) trim(ctx context.Context, stream string, before time.Time) error {
	groups, err := c.write.XInfoGroups(ctx, stream).Result()
	if err != nil {
		if strings.Contains(err.Error(), "no such key") {
			return nil
		}
		return fmt.Errorf("look at the groups of %s: %w", stream, err)
	}
	if len(groups) == 0 {
		return nil
	}
	least := entryID{uint64(before.UnixMilli()), 0}
	for _, g := range groups {
		// Everything up to the last delivered entry was handed out; what is
		// pending of it is still needed.
		needed := parseEntry(g.LastDeliveredID).next()
		if g.Pending > 0 {
			p, err := c.write.XPending(ctx, stream, g.Name).Result()
			if err != nil && !errors.Is(err, redis.Nil) {
				return fmt.Errorf("look at what %s has pending of %s: %w", g.Name, stream, err)
			}
			if p != nil && p.Lower != "" && parseEntry(p.Lower).less(needed) {
				needed = parseEntry(p.Lower)
			}
		}
		if needed.less(least) {
			least = needed
		}
	}
	if err := c.write.XTrimMinID(ctx, stream, least.String()).Err(); err != nil {
		return fmt.Errorf("trim %s: %w", stream, err)
	}
	return nil
}

// entryID is a stream entry's id, to be compared.
type entryID struct{ ms, seq uint64 }

func parseEntry(s string) entryID {
	ms, seq, _ := strings.Cut(s, "-")
	var e entryID
	e.ms, _ = strconv.ParseUint(ms, 10, 64) // Redis's own writing
	e.seq, _ = strconv.ParseUint(seq, 10, 64)
	return e
}

func (e entryID) next() entryID { return entryID{e.ms, e.seq + 1} }

func (e entryID) less(o entryID) bool {
	return e.ms < o.ms || (e.ms == o.ms && e.seq < o.seq)
}

func (e entryID) String() string { return fmt.Sprintf("%d-%d", e.ms, e.seq) }
