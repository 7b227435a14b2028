package queue

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"
)

// Facts are what is known of something while it goes on: what a caller has
// pressed so far, that a message is being sent. They lie in Redis, where every
// gateway finds them, and in the spool while Redis is away.

// factsKeep is how long facts are remembered: longer than a carrier's last
// webhook, and than the look-back for webhooks that never came.
const factsKeep = 7 * 24 * time.Hour

const factsNotes = "facts"

// learnt is a note of facts in the spool.
type learnt struct {
	At    time.Time         `json:"at"`
	Facts map[string]string `json:"facts"`
}

func (g *Gateway) factsKey(of string) string {
	return spread(g.client.parts, of).key("facts:" + digest(of))
}

// Learn adds to what is known of something; a fact that was known takes the
// new value. It returns once the facts are in Redis or on this disk.
func (g *Gateway) Learn(ctx context.Context, of string, facts map[string]string) error {
	if len(facts) == 0 {
		return nil
	}
	err := g.learnInRedis(ctx, of, facts)
	if err == nil {
		return nil
	}
	b, err := json.Marshal(learnt{time.Now(), facts})
	if err != nil {
		return fmt.Errorf("encode facts: %w", err)
	}
	return g.Notebook(factsNotes).Put(fmt.Sprintf("%s\x00%020d", of, time.Now().UnixNano()), b)
}

func (g *Gateway) learnInRedis(ctx context.Context, of string, facts map[string]string) error {
	if !g.up.Load() {
		return errAway
	}
	ctx, cancel := context.WithTimeout(ctx, lookupWait)
	defer cancel()
	key := g.factsKey(of)
	_, err := g.client.write.Pipelined(ctx, func(p redis.Pipeliner) error {
		p.HSet(ctx, key, facts)
		p.Expire(ctx, key, factsKeep)
		return nil
	})
	return err
}

var errAway = fmt.Errorf("redis does not answer")

// Known returns what is known of something. While Redis is away that is what
// was learnt here since; the error says so only where here is not readable.
func (g *Gateway) Known(ctx context.Context, of string) (map[string]string, error) {
	out := map[string]string{}
	if g.up.Load() {
		ctx, cancel := context.WithTimeout(ctx, lookupWait)
		defer cancel()
		if shared, err := g.client.write.HGetAll(ctx, g.factsKey(of)).Result(); err == nil {
			out = shared
		}
	}
	notes, err := g.Notebook(factsNotes).List(of + "\x00")
	if err != nil {
		return nil, err
	}
	for _, key := range slices.Sorted(maps.Keys(notes)) {
		var l learnt
		if err := json.Unmarshal(notes[key], &l); err != nil {
			return nil, fmt.Errorf("read facts: %w", err)
		}
		maps.Copy(out, l.Facts)
	}
	return out, nil
}

// forgetFacts drops notes of facts that nobody will ask for any more.
func (g *Gateway) forgetFacts(now time.Time) error {
	notes, err := g.Notebook(factsNotes).List("")
	if err != nil {
		return err
	}
	for key, v := range notes {
		var l learnt
		if json.Unmarshal(v, &l) == nil && now.Sub(l.At) < factsKeep {
			continue
		}
		if err := g.Notebook(factsNotes).Delete(key); err != nil {
			return err
		}
	}
	return nil
}
