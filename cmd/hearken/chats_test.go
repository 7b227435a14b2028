package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hearken/channels/chat/visitor"
	"hearken/complaint"
	"hearken/internal/redisserver/redistest"
	"hearken/queue"
)

// tunneller is a customer who loses the line at random.
type tunneller struct {
	visitor *visitor.Visitor
	number  string          // told last
	told    map[string]bool // all that were: two gateways that can't ask Redis tell two
	answers map[string]int  // how often each answer was in the window
	losses  int
}

const tunnelMessages = 6

// TestChatsThroughTunnels has customers chat with two gateways while lines are
// lost at random, gateways are killed in turn and Redis hangs now and then:
// every message with a receipt is there once and in order under one number,
// and every answer comes into its window once. HEARKEN_CHATS says how many.
func TestChatsThroughTunnels(t *testing.T) {
	chats := 40
	if s := os.Getenv("HEARKEN_CHATS"); s != "" {
		var err error
		if chats, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	redis := redistest.Start(t)
	site := "  chat:\n    - {name: web, origins: [\"https://www.example.com\"], max_per_ip: 5000}\nsecret: a secret of both gateways\n"
	a, b := newSite(t, site, redis.URL()), newSite(t, site, redis.URL())
	a.start()
	b.start()
	awaitHTTP(t, a, b)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute+time.Duration(chats)*time.Second/4)
	defer cancel()
	all := make([]*tunneller, chats)
	for i := range all {
		at := []string{"ws://" + a.http + "/chat/web/ws", "ws://" + b.http + "/chat/web/ws"}
		if i%2 == 1 {
			slices.Reverse(at)
		}
		c := &tunneller{told: map[string]bool{}, answers: map[string]int{}}
		c.visitor = &visitor.Visitor{Address: at[0], Others: at[1:], Origin: "https://www.example.com", Language: "en", Say: c.hears}
		all[i] = c
	}
	harm, stopHarm := context.WithCancel(ctx)
	kills, pauses := make(chan int, 1), make(chan int, 1)
	go func() { kills <- killInTurn(harm, t, a, b) }()
	go func() { pauses <- pauseOften(harm, redis) }()
	began := time.Now()
	var told atomic.Int64
	each(all, func(c *tunneller) { c.tells(ctx, t); told.Add(1) })
	t.Logf("%d of %d have all their receipts after %s", told.Load(), chats, time.Since(began).Round(time.Second))
	client, err := queue.Dial(queue.Config{URL: redis.URL()})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	answerAll(ctx, t, client, all)
	each(all, func(c *tunneller) { c.listens(ctx, t) })
	stopHarm()
	k, p := <-kills, <-pauses
	if ctx.Err() != nil {
		t.Fatal("not everything came through in time")
	}
	late := judgeChats(t, client, awaitLeads(t, redis.URL(), chats*tunnelMessages), all)
	losses, two := 0, 0
	for _, c := range all {
		losses += c.losses
		if len(c.told) > 1 {
			two++
		}
	}
	t.Logf("%d chats of %d messages, %d lines lost, %d kills, redis hung %d times, %s: %d records came after a later one, with their own time; %d customers were told a second number that leads to the first",
		chats, tunnelMessages, losses, k, p, time.Since(began).Round(time.Second), late, two)
}

func each(all []*tunneller, do func(*tunneller)) {
	var wg sync.WaitGroup
	for _, c := range all {
		wg.Go(func() { do(c) })
	}
	wg.Wait()
}

// pauseOften makes Redis hang for a while, again and again.
func pauseOften(ctx context.Context, redis *redistest.Server) (pauses int) {
	wait := func(d time.Duration) {
		select {
		case <-ctx.Done():
		case <-time.After(d):
		}
	}
	for {
		wait(time.Duration(1000+rand.IntN(1000)) * time.Millisecond)
		if ctx.Err() != nil {
			return pauses
		}
		redis.Pause()
		wait(time.Duration(200+rand.IntN(600)) * time.Millisecond)
		redis.Resume()
		pauses++
	}
}

func (c *tunneller) hears(from, text string) {
	if from == "department" {
		c.answers[text]++
	}
}

// tells says all messages; some are cut off while they wait for their receipt,
// and said again.
func (c *tunneller) tells(ctx context.Context, t *testing.T) {
	for m := range tunnelMessages {
		id, text := fmt.Sprint("m", m), fmt.Sprintf("message %d: the parcel is lost, order A-88231", m)
		for rand.IntN(3) == 0 {
			short, cancel := context.WithTimeout(ctx, time.Duration(rand.IntN(20))*time.Millisecond)
			_, _ = c.visitor.Tell(short, id, text)
			cancel()
			c.visitor.Cut()
			c.losses++
		}
		number, err := c.visitor.Tell(ctx, id, text)
		if err != nil {
			t.Error(err)
			return
		}
		if number != "" {
			c.number, c.told[number] = number, true
		}
		time.Sleep(time.Duration(rand.IntN(400)) * time.Millisecond)
	}
}

// listens waits for the answer, over lost lines too.
func (c *tunneller) listens(ctx context.Context, t *testing.T) {
	for c.answers[c.answer()] == 0 && ctx.Err() == nil {
		short, cancel := context.WithTimeout(ctx, time.Duration(200+rand.IntN(800))*time.Millisecond)
		err := c.visitor.Listen(short, c.answer())
		cancel()
		if err != nil {
			c.visitor.Cut()
			c.losses++
		}
	}
	if n := c.answers[c.answer()]; n != 1 || len(c.answers) != 1 {
		t.Errorf("the customer of %s heard the answer %d times, and in all %v", c.number, n, c.answers)
	}
	c.visitor.Cut()
}

func (c *tunneller) answer() string { return "we have found the parcel of " + c.number }

// answerAll is the departments: an answer to each complaint.
func answerAll(ctx context.Context, t *testing.T, client *queue.Client, all []*tunneller) {
	for _, c := range all {
		for {
			_, err := client.Update(ctx, complaint.Update{Number: c.number, Status: "in_progress", Message: c.answer(), By: "logistics"})
			if err == nil {
				break
			}
			if ctx.Err() != nil {
				t.Fatal(err)
			}
			time.Sleep(50 * time.Millisecond)
		}
	}
}

// judgeChats holds each chat to its messages, once, in order, under one
// number, to which every number that was told leads. It counts what came later
// than it was received: what a gateway had on disk when it was killed, and the
// customer had gone on with the other.
func judgeChats(t *testing.T, client *queue.Client, got []complaint.Record, all []*tunneller) (late int) {
	bySession := map[string][]complaint.Record{}
	byNumber := map[string]string{} // to the session
	for _, r := range got {
		session := r.Facts["session"]
		bySession[session] = append(bySession[session], r)
		if before, ok := byNumber[r.Number]; ok && before != session {
			t.Errorf("complaint %s has messages of two customers", r.Number)
		}
		byNumber[r.Number] = session
	}
	var want []string
	for m := range tunnelMessages {
		want = append(want, fmt.Sprintf("%d", m))
	}
	for _, c := range all {
		records := []complaint.Record{}
		for number := range c.told {
			k, err := client.Complaint(t.Context(), number)
			if err != nil {
				t.Errorf("the number %s was told: %v", number, err)
				continue
			}
			if len(records) > 0 && records[0].Number != k.Number {
				t.Errorf("%s and %s were told, and lead to different complaints", records[0].Number, number)
			}
			records = bySession[byNumber[k.Number]]
		}
		for i := 1; i < len(records); i++ {
			if records[i].ReceivedAt.Before(records[i-1].ReceivedAt) {
				late++
			}
		}
		slices.SortStableFunc(records, func(x, y complaint.Record) int { return x.ReceivedAt.Compare(y.ReceivedAt) })
		var said []string
		for _, r := range records {
			said = append(said, strings.TrimSuffix(strings.TrimPrefix(r.Narrative, "message "), ": the parcel is lost, order A-88231"))
			if r.Number != records[0].Number {
				t.Errorf("a chat is under %s and %s", r.Number, records[0].Number)
			}
		}
		if !slices.Equal(said, want) {
			t.Errorf("complaint %s has %s", c.number, strings.Join(said, " | "))
		}
	}
	if len(byNumber) != len(all) || len(got) != len(all)*tunnelMessages {
		t.Errorf("%d records of %d complaints, want %d of %d", len(got), len(byNumber), len(all)*tunnelMessages, len(all))
	}
	return late
}
