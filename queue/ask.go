package queue

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"hearken/complaint"
)

const (
	// overdueEvery is how soon a lead loses what it did not take in time.
	overdueEvery = time.Second
	// overdueMost bounds what one look takes up.
	overdueMost = 100
)

// WatchAcceptance has the dispatcher find another lead for complaints that
// theirs did not take in time, until ctx ends. Any number of processes may do
// it at once: each time that runs out is taken up by one.
func (c *Client) WatchAcceptance(ctx context.Context) error {
	away := new(state)
	for ctx.Err() == nil {
		more := false
		for _, p := range c.parts {
			n, err := c.takeUpOverdue(ctx, p, time.Now())
			if ctx.Err() != nil {
				return nil
			}
			away.note(c.cfg.Log, "look for complaints that nobody took", err)
			more = more || n == overdueMost
		}
		if !more {
			sleep(ctx, overdueEvery)
		}
	}
	return nil
}

func (c *Client) takeUpOverdue(ctx context.Context, p partition, now time.Time) (int, error) {
	due, err := c.write.ZRangeByScoreWithScores(ctx, p.accept(), &redis.ZRangeBy{Min: "-inf", Max: strconv.FormatInt(now.UnixMilli(), 10), Count: overdueMost}).Result()
	if err != nil {
		return 0, fmt.Errorf("read which complaints were to be taken by now: %w", err)
	}
	for _, one := range due {
		number, _ := one.Member.(string)
		at := strconv.FormatInt(int64(one.Score), 10)
		a := Ask{Number: number, Event: complaint.Unaccepted, ID: complaint.RecordID(complaint.Unaccepted, number, at)}
		if _, err := c.askLead(ctx, p, a, at); err != nil {
			return 0, err
		}
	}
	return len(due), nil
}

// Ask asks for another lead of a complaint.
type Ask struct {
	ID     string // the same for the same question
	Number string
	Event  string // one that is complaint.Asked
	By     string
	Reason string
	Lead   string // who leads it now; asked of another, nothing happens. "" for whoever does
}

// Redirect asks the dispatcher's rules anew about a complaint. It tells false
// where the complaint is gone.
func (c *Client) Redirect(ctx context.Context, k *Complaint, by, reason string) (bool, error) {
	if k.Route == nil {
		return false, nil
	}
	a := Ask{Number: k.Number, Event: complaint.Redirected, By: by, Reason: reason, Lead: k.Route.Department}
	a.ID = complaint.RecordID(complaint.Redirected, k.Number, strconv.FormatInt(time.Now().UnixNano(), 10))
	return c.askLead(ctx, k.part, a, "")
}

func (c *Client) askLead(ctx context.Context, p partition, a Ask, at string) (bool, error) {
	n, err := c.run(ctx, c.lua.ask, []string{p.stream(streamIntake), p.complaint(a.Number), p.accept()},
		a.ID, a.Number, a.Event, a.By, a.Reason, a.Lead, at).Int()
	if err != nil {
		return false, fmt.Errorf("ask for another lead of %s: %w", a.Number, err)
	}
	return n == 1, nil
}
