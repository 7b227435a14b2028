package queue

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/redis/go-redis/v9"
)

// result is an answer of publish.lua.
type result struct {
	what   string
	number string
	seen   []int
}

// sendMost is how many records are published by one script: at fifty
// millionths of a second each, whoever asks Redis something meanwhile, because
// a customer waits for the answer, is served soon.
const sendMost = 16

// sendAll publishes, many records by one script, and answers for each. Each
// script leaves a mark, so that a Redis that lost what it had acknowledged is
// noticed at the next one.
func (g *Gateway) sendAll(ctx context.Context, pubs []publication) ([]result, error) {
	byPart := make([][]int, len(g.client.parts))
	for i, pub := range pubs {
		byPart[pub.Partition] = append(byPart[pub.Partition], i)
	}
	out := make([]result, len(pubs))
	for part, all := range byPart {
		for some := range slices.Chunk(all, sendMost) {
			if err := g.sendSome(ctx, g.client.parts[part], pubs, some, out); err != nil {
				return nil, fmt.Errorf("publish %d records: %w", len(pubs), err)
			}
		}
	}
	return out, g.alias(ctx, pubs, out)
}

// sendSome publishes those of pubs that are named by their indexes, all of one
// partition, and writes what came of them to out.
func (g *Gateway) sendSome(ctx context.Context, p partition, pubs []publication, some []int, out []result) error {
	mark, floor := g.marks.next(), g.marks.floors()[p.index]
	keys, args := g.publishHead(p, mark, len(some))
	for _, i := range some {
		keys, args = appendPublication(keys, args, p, &pubs[i])
	}
	answers, err := g.client.run(ctx, g.client.lua.publish, keys, args...).Slice()
	if err == nil && len(answers) != 1+len(some) {
		err = fmt.Errorf("redis answered for %d of them", len(answers)-1)
	}
	if err != nil {
		return err
	}
	for at, i := range some {
		if out[i], err = readResult(answers[1+at]); err != nil {
			return fmt.Errorf("%s: %w", pubs[i].ID, err)
		}
	}
	text, _ := answers[0].(string)
	before, _ := strconv.ParseInt(text, 10, 64) // "" is 0: no mark
	g.marks.confirm(p.index, floor, before, mark)
	return nil
}

// publishHead are the keys and arguments of publish.lua before the first
// record, with room for so many.
func (g *Gateway) publishHead(p partition, mark int64, records int) (keys []string, args []any) {
	keys = append(make([]string, 0, 2+8*records), p.stream(streamIntake), p.mark(g.id))
	args = append(make([]any, 0, 5+16*records),
		seconds(g.client.cfg.Dedupe), seconds(g.client.cfg.Remember), seconds(g.client.cfg.Repeats), g.cfg.Receipts, strconv.FormatInt(mark, 10))
	return keys, args
}

// appendPublication adds a record's keys and arguments.
func appendPublication(keys []string, args []any, p partition, pub *publication) ([]string, []any) {
	keys = append(keys, p.complaint(pub.Number), p.history(pub.Number))
	for _, id := range pub.IDs {
		keys = append(keys, p.contact(id))
	}
	for _, name := range pub.Threads {
		keys = append(keys, p.thread(name))
	}
	for _, who := range pub.People {
		keys = append(keys, p.complaints(who))
	}
	talk := "0"
	if pub.Conversation != "" {
		talk, keys = "1", append(keys, p.told(pub.Conversation))
	}
	if pub.Reply != "" {
		keys = append(keys, p.replies(pub.Channel), p.receipts(pub.ReplyTo))
	}
	args = append(args, len(pub.IDs), len(pub.Threads), len(pub.People), talk,
		pub.ID, pub.Number, pub.Event, pub.Record, pub.History, pub.At.Unix(), pub.ReplyID, pub.Reply)
	for _, ttl := range pub.TTLs {
		args = append(args, ttl)
	}
	for _, who := range pub.People {
		args = append(args, who)
	}
	return keys, args
}

// alias makes numbers that were told, but turned out to be of a complaint
// that existed, lead to it.
func (g *Gateway) alias(ctx context.Context, pubs []publication, results []result) error {
	for i, pub := range pubs {
		part, err := g.client.parts[pub.Partition], error(nil)
		switch results[i].what {
		case "ok":
			err = g.client.lead(ctx, part, pub.Alias, pub.Number)
		case "told":
			err = g.client.lead(ctx, part, pub.Number, results[i].number)
		case "duplicate":
			err = errors.Join(g.client.lead(ctx, part, pub.Alias, results[i].number), g.client.lead(ctx, part, pub.Number, results[i].number))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// lead makes a number that was told lead to the complaint's own.
func (c *Client) lead(ctx context.Context, part partition, told, number string) error {
	if told == "" || number == "" || told == number {
		return nil
	}
	key := part.complaint(told)
	_, err := c.write.Pipelined(ctx, func(p redis.Pipeliner) error {
		p.HSet(ctx, key, "alias", number)
		p.Expire(ctx, key, c.cfg.Remember)
		return nil
	})
	if err != nil {
		return fmt.Errorf("make %s lead to %s: %w", told, number, err)
	}
	return nil
}

func readResult(answer any) (result, error) {
	v, _ := answer.([]any)
	r := result{}
	if len(v) > 0 {
		r.what, _ = v[0].(string)
	}
	switch r.what {
	case "ok", "taken":
	case "duplicate", "moved", "told":
		if len(v) > 1 {
			r.number, _ = v[1].(string)
		}
	case "part":
		for _, i := range v[1:] {
			n, _ := i.(int64)
			r.seen = append(r.seen, int(n)-1)
		}
	default:
		return r, fmt.Errorf("redis answered %v", v)
	}
	return r, nil
}
