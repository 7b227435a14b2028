package queue

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// versionKeep is how long a process that says no more counts as running.
const versionKeep = time.Minute

// Announce says which version of the rules this process has in force. Say it
// again well within versionKeep.
func (c *Client) Announce(ctx context.Context, version string) error {
	p, now := c.parts[0], time.Now()
	_, err := c.write.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		pipe.HSet(ctx, p.rules(), c.cfg.Consumer, version+" "+strconv.FormatInt(now.Unix(), 10))
		pipe.Expire(ctx, p.rules(), versionKeep)
		return nil
	})
	if err != nil {
		return fmt.Errorf("say which rules are in force: %w", err)
	}
	return nil
}

// RulesInForce returns the versions of the rules that running processes have
// said to have in force, each with the processes' names.
func (c *Client) RulesInForce(ctx context.Context) (map[string][]string, error) {
	all, err := c.write.HGetAll(ctx, c.parts[0].rules()).Result()
	if err != nil {
		return nil, fmt.Errorf("ask which rules are in force: %w", err)
	}
	out := map[string][]string{}
	for process, text := range all {
		version, at, _ := strings.Cut(text, " ")
		said, err := strconv.ParseInt(at, 10, 64)
		if err != nil || time.Since(time.Unix(said, 0)) > versionKeep {
			continue
		}
		out[version] = append(out[version], process)
	}
	return out, nil
}
