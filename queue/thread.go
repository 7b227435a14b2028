package queue

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"hearken/complaint"
)

// thread is what Redis knows about where an entry belongs.
type thread struct {
	number  string // the complaint that it continues; "" for a new one
	by      string
	part    partition
	seen    bool   // every contact of the entry is in a record already, under number
	related string // a complaint that it names without a right to it
	repeats int64  // other complaints that its sender registered lately
}

// maxReferences bounds how many Message-IDs of a mail are looked up: the
// newest of a References header that may be as long as its sender likes.
const maxReferences = 30

// byConversation is the Thread.By of what belongs together at its source.
const byConversation = "conversation"

// names lists what leads to the entry's complaint, best first, each with the
// word for Thread.By.
func threadNames(c complaint.Contact) (names, by []string) {
	if c.Conversation != "" {
		names, by = append(names, talkName(c.Conversation)), append(by, byConversation)
	}
	if c.InReplyTo != "" {
		names, by = append(names, messageName(c.InReplyTo)), append(by, "references")
	}
	for i := len(c.References) - 1; i >= 0 && len(names) < maxReferences; i-- {
		names, by = append(names, messageName(c.References[i])), append(by, "references")
	}
	if c.Topic != "" {
		names, by = append(names, topicName(c)), append(by, "topic")
	}
	return names, by
}

func talkName(conversation string) string { return "conversation " + conversation }
func messageName(id string) string        { return "message " + id }

// topicName is good for one sender only: a topic proves nothing of a stranger.
func topicName(c complaint.Contact) string {
	return "topic " + strings.Join(people(c.From), " ") + " " + c.Topic
}

// claims lists the names that lead to the entry's complaint once it is
// published, each with how long it does; the conversation first.
func claims(cfg Config, c complaint.Contact) (names []string, ttls []int64) {
	if c.Conversation != "" {
		ttl := c.Window
		if ttl == 0 {
			ttl = cfg.Threads
		}
		names, ttls = append(names, talkName(c.Conversation)), append(ttls, max(seconds(ttl), 1))
	}
	if c.AlsoConversation != "" {
		names, ttls = append(names, talkName(c.AlsoConversation)), append(ttls, max(seconds(c.AlsoWindow), 1))
	}
	if c.Channel == complaint.Email {
		names, ttls = append(names, messageName(c.Ref)), append(ttls, seconds(cfg.Threads))
	}
	if c.Topic != "" {
		names, ttls = append(names, topicName(c)), append(ttls, seconds(cfg.Threads))
	}
	return names, ttls
}

// anyOf tells whether one of the addresses is among a complaint's people, a
// line each.
func anyOf(who []string, people string) bool {
	return slices.ContainsFunc(who, func(w string) bool { return strings.Contains(people, "\n"+w+"\n") })
}

// people lists the addresses that a contact's sender is known by.
func people(p complaint.Person) []string {
	var out []string
	for _, address := range []string{strings.ToLower(p.Email), p.Phone} {
		if address != "" && !strings.Contains(address, "\n") { // they are kept a line each
			out = append(out, address)
		}
	}
	return out
}

// customer is the key that spreads complaints over the partitions: what stays
// together must have the same.
func customer(c complaint.Contact) string {
	if c.Conversation != "" {
		return c.Conversation
	}
	if p := people(c.From); len(p) > 0 {
		return p[0]
	}
	return c.ID
}

// lookup is the questions that resolve asks for one entry, of every partition.
type lookup struct {
	ids     [][]*redis.StringCmd // [contact][partition]
	threads [][]*redis.StringCmd // [name][partition]
	known   []*redis.SliceCmd    // [partition] of the number that it names: id, last, people
	by      []string
	repeats []*redis.IntCmd // [address][partition]
}

// resolve finds for each entry whether it has been published, and which
// complaint it continues, in one round trip; and how many complaints its sender
// registered lately, if that is asked for: who waits for a receipt does not.
func (c *Client) resolve(ctx context.Context, entries []entry, repeats bool) ([]thread, error) {
	asked := make([]lookup, len(entries))
	_, err := c.write.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, e := range entries {
			asked[i] = c.ask(ctx, p, e, repeats)
		}
		return nil
	})
	if err != nil && !errors.Is(err, redis.Nil) {
		return nil, fmt.Errorf("look up %d contacts: %w", len(entries), err)
	}
	out := make([]thread, len(entries))
	for i := range entries {
		out[i] = c.settle(entries[i], asked[i])
	}
	return out, nil
}

func (c *Client) ask(ctx context.Context, p redis.Pipeliner, e entry, repeats bool) lookup {
	var l lookup
	every := func(key func(partition) string) []*redis.StringCmd {
		cmds := make([]*redis.StringCmd, len(c.parts))
		for i, part := range c.parts {
			cmds[i] = p.Get(ctx, key(part))
		}
		return cmds
	}
	for _, contact := range e.Contacts {
		l.ids = append(l.ids, every(func(part partition) string { return part.contact(contact.ID) }))
	}
	last := e.Contacts[len(e.Contacts)-1]
	if repeats {
		since := strconv.FormatInt(time.Now().Add(-c.cfg.Repeats).Unix(), 10)
		for _, who := range people(last.From) {
			for _, part := range c.parts {
				l.repeats = append(l.repeats, p.ZCount(ctx, part.complaints(who), since, "+inf"))
			}
		}
	}
	names, by := threadNames(last)
	l.by = by
	for _, name := range names {
		l.threads = append(l.threads, every(func(part partition) string { return part.thread(name) }))
	}
	if last.Number != "" {
		for _, part := range c.parts {
			l.known = append(l.known, p.HMGet(ctx, part.complaint(last.Number), "id", "last", "people"))
		}
	}
	return l
}

// settle reads the answers, the surest sign first: the conversation, the
// references, a number that was named.
func (c *Client) settle(e entry, l lookup) thread {
	t := thread{part: spread(c.parts, customer(e.Contacts[0]))}
	for i := range len(l.repeats) / len(c.parts) { // an address and a phone may lead to the same ones
		sum := int64(0)
		for part := range c.parts {
			sum += l.repeats[i*len(c.parts)+part].Val()
		}
		t.repeats = max(t.repeats, sum)
	}
	seen := 0
	for _, cmds := range l.ids {
		for part, cmd := range cmds {
			if n := cmd.Val(); n != "" {
				seen++
				t.number, t.part = n, c.parts[part]
			}
		}
	}
	if t.seen = seen == len(e.Contacts); t.seen {
		return t
	}
	for i, cmds := range l.threads {
		for part, cmd := range cmds {
			if n := cmd.Val(); n != "" {
				t.number, t.by, t.part = n, l.by[i], c.parts[part]
				return t
			}
		}
	}
	last := e.Contacts[len(e.Contacts)-1]
	for part, known := range l.known {
		is := known.Val()
		if len(is) < 3 || (is[0] == nil && is[1] == nil) {
			continue
		}
		there, _ := is[2].(string)
		if last.NumberProven || anyOf(people(last.From), there) {
			t.number, t.by, t.part = last.Number, last.NumberBy, c.parts[part]
			return t
		}
		// A number is no credential: a stranger's contact is a complaint of
		// its own, that says which one it spoke of.
		t.related = last.Number
	}
	return t
}

// merged makes one contact of an entry's: the words of all, with the identity
// of the first and what the last one knew of the sender.
func (e entry) merged() complaint.Contact {
	c := e.Contacts[len(e.Contacts)-1]
	if len(e.Contacts) == 1 {
		return c
	}
	first := e.Contacts[0]
	c.ID, c.Ref, c.ReceivedAt = first.ID, first.Ref, first.ReceivedAt
	var text strings.Builder
	var files []complaint.Attachment
	var notes []string
	between := ""
	for _, one := range e.Contacts {
		if one.Text != "" {
			text.WriteString(between + one.Text)
			if between = "\n"; one.Part {
				between = ""
			}
		}
		files = append(files, one.Attachments...)
		notes = append(notes, one.Notes...)
		c.OnlyOpens = c.OnlyOpens && one.OnlyOpens
	}
	c.Text, c.Attachments, c.Notes = text.String(), files, notes
	return c
}

// without drops the contacts with the given indexes.
func (e entry) without(seen map[int]bool) entry {
	out := entry{Number: e.Number, Told: e.Told, At: e.At}
	for i, c := range e.Contacts {
		if !seen[i] {
			out.Contacts = append(out.Contacts, c)
		}
	}
	return out
}

func (e entry) age() time.Duration { return time.Since(e.At) }
