package queue

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// Book adds an event to a complaint's history, once for each id, as
// `hearken show` lists it. It returns ErrUnknownNumber where there is no such
// complaint.
func (c *Client) Book(ctx context.Context, number, id, event string, details map[string]string) error {
	line := historyLine(time.Now(), event, details)
	for _, p := range c.parts {
		n, err := c.run(ctx, c.lua.book, []string{p.complaint(number), p.history(number)}, strings.ReplaceAll(id, " ", "_"), line, seconds(c.cfg.Remember)).Int()
		if err != nil {
			return fmt.Errorf("book %s on complaint %s: %w", event, number, err)
		}
		if n >= 0 {
			return nil
		}
	}
	if _, known, err := c.home(ctx, number); err == nil && known != number {
		return c.Book(ctx, known, id, event, details)
	}
	return fmt.Errorf("book %s on complaint %s: %w", event, number, ErrUnknownNumber)
}
