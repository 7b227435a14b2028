package queue

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"hearken/complaint"
)

// archivePage is how many entries one question asks for.
const archivePage = 500

// Archive calls each for every record that was registered since then, as far
// as the intake streams keep them (queue.retain), the oldest first in each
// partition. An error of each ends it.
func (c *Client) Archive(ctx context.Context, since time.Time, each func(complaint.Record) error) error {
	for _, p := range c.parts {
		from := strconv.FormatInt(since.UnixMilli(), 10)
		for {
			msgs, err := c.read.XRangeN(ctx, p.stream(streamIntake), from, "+", archivePage).Result()
			if err != nil {
				return fmt.Errorf("read the archive: %w", err)
			}
			for _, m := range msgs {
				from = "(" + m.ID
				if m.Values["event"] != complaint.Registered {
					continue
				}
				text, _ := m.Values["record"].(string)
				var r complaint.Record
				if json.Unmarshal([]byte(text), &r) != nil {
					continue
				}
				if err := each(r); err != nil {
					return err
				}
			}
			if len(msgs) < archivePage {
				break
			}
		}
	}
	return nil
}
