package queue

import (
	"context"
	"fmt"
	"testing"
	"time"

	"hearken/complaint"
	"hearken/internal/redisserver/redistest"
)

// On a cluster of three masters, with the partitions on different ones, the
// way of a contact works: intake, follow-ups, routes; and chats.
func TestCluster(t *testing.T) {
	url := redistest.Cluster(t)
	r := newRig(t, func(c *Config, _ *GatewayConfig) { c.URL, c.Partitions = url, 6 })

	const customers = 60
	numbers := map[string]bool{}
	for i := range customers {
		r.accept(mail(fmt.Sprint("first", i, "@example.com"), fmt.Sprint("c", i, "@example.cn"), "one"))
	}
	parts := map[int]bool{}
	for _, m := range r.awaitIntake(customers) {
		numbers[m.text("number")] = true
		parts[m.part] = true
	}
	if len(numbers) != customers || len(parts) != 6 {
		t.Fatalf("%d numbers in %d partitions", len(numbers), len(parts))
	}
	r.dispatch(customers)
	for i := range customers {
		reply := mail(fmt.Sprint("second", i, "@example.com"), fmt.Sprint("other", i, "@example.org"), "two")
		reply.References = []string{fmt.Sprint("first", i, "@example.com")}
		r.accept(reply)
	}
	for _, m := range r.awaitIntake(2 * customers) {
		if !numbers[m.text("number")] {
			t.Errorf("a follow-up became the complaint %s", m.text("number"))
		}
	}
	r.dispatch(customers)
	if n := len(r.records("dept:CMO")); n != 2*customers {
		t.Errorf("%d entries at the lead, want %d", n, 2*customers)
	}
	for number := range numbers {
		k, err := r.client.Complaint(t.Context(), number)
		if err != nil || k.Route == nil || k.Route.Department != "CMO" {
			t.Fatalf("%s: %+v, %v", number, k, err)
		}
	}
	clusterChat(t, r)
}

// clusterChat appends to sessions, each of which lies on some node, and hears
// of every one.
func clusterChat(t *testing.T, r *rig) {
	s := r.client.Sessions()
	woken := make(chan string, 100)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Watch(ctx, func(session, _ string) { woken <- session }) }()
	defer func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	if got := <-woken; got != "" {
		t.Fatalf("woken by %q before the watch stands", got)
	}
	missing := map[string]bool{}
	for i := range 20 {
		session := fmt.Sprintf("SESSION%d", i)
		missing[session] = true
		if _, err := s.Append(ctx, session, complaint.ChatMessage{ID: "a", From: "department", Text: "hello"}); err != nil {
			t.Fatal(err)
		}
		log, err := s.Since(ctx, session, 0)
		if err != nil || len(log) != 1 || log[0].Text != "hello" {
			t.Fatalf("%s: %+v, %v", session, log, err)
		}
	}
	for late := time.After(20 * time.Second); len(missing) > 0; {
		select {
		case session := <-woken:
			delete(missing, session)
		case <-late:
			t.Fatalf("nobody was woken for %v", missing)
		}
	}
}

// The master behind a sentinel dies: what comes meanwhile waits in the spool,
// and what the replica had not got yet is published again, once.
func TestSentinelFailsOver(t *testing.T) {
	url, killMaster := redistest.Sentinel(t)
	r := newRig(t, func(c *Config, _ *GatewayConfig) { c.URL = url })
	const each = 40
	told := map[string]bool{}
	say := func(from, to int) {
		for i := from; i < to; i++ {
			c := chat(fmt.Sprint("S", i), "m1", fmt.Sprint("message ", i))
			c.NumberNow = true
			if got := r.accept(c); got.Number != "" {
				told[got.Number] = true
			}
		}
	}
	say(0, each)
	r.awaitIntake(each)
	killMaster()
	say(each, 2*each)
	var got []message
	await(t, "all records on the new master", func() bool {
		var err error
		got, err = r.entries(streamIntake)
		return err == nil && len(got) >= 2*each // an error: the failover is not over
	})
	texts := map[string]bool{}
	for _, m := range got {
		texts[recordOf(t, m).Narrative] = true
		delete(told, m.text("number"))
	}
	if len(got) != 2*each || len(texts) != 2*each || len(told) > 0 {
		t.Errorf("%d records of %d messages; numbers that were told and are of none: %v", len(got), len(texts), told)
	}
}
