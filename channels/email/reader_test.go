package email

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hearken/complaint"
)

// hostile is an IMAP server with ten mails, one of which can't be fetched.
type hostile struct {
	addr   string
	poison func(tag string) string // what it answers for the mail with UID 5
	mu     sync.Mutex
	there  []int
	dials  int
}

func startHostile(t *testing.T, poison func(tag string) string) *hostile {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	h := &hostile{addr: l.Addr().String(), poison: poison, there: []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}}
	var ends sync.WaitGroup
	ends.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			h.mu.Lock()
			h.dials++
			h.mu.Unlock()
			ends.Go(func() { h.serve(c) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		ends.Wait()
	})
	return h
}

var uidSet = regexp.MustCompile(`^UID (?:FETCH|MOVE|SEARCH.* UID) ([0-9:,*]+)`)

func (h *hostile) serve(c net.Conn) {
	defer c.Close()
	_, _ = io.WriteString(c, "* OK ready\r\n")
	in := bufio.NewScanner(c)
	for in.Scan() {
		tag, cmd, _ := strings.Cut(in.Text(), " ")
		_, err := io.WriteString(c, h.answer(tag, cmd))
		if err != nil {
			return
		}
	}
}

func (h *hostile) answer(tag, cmd string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	ok := tag + " OK done\r\n"
	var uids []int
	if m := uidSet.FindStringSubmatch(cmd); m != nil {
		for _, uid := range h.there {
			if inSet(m[1], uid) {
				uids = append(uids, uid)
			}
		}
	}
	switch {
	case strings.HasPrefix(cmd, "CAPABILITY"):
		return "* CAPABILITY IMAP4rev1 UIDPLUS MOVE\r\n" + ok
	case strings.HasPrefix(cmd, "SELECT"):
		return "* 10 EXISTS\r\n* OK [UIDVALIDITY 1] ok\r\n* OK [UIDNEXT 11] ok\r\n" + ok
	case strings.HasPrefix(cmd, "UID SEARCH") && strings.Contains(cmd, "LARGER"):
		return "* SEARCH\r\n" + ok
	case strings.HasPrefix(cmd, "UID SEARCH"):
		return strings.TrimRight("* SEARCH "+strings.Trim(fmt.Sprint(uids), "[]"), " ") + "\r\n" + ok
	case strings.HasPrefix(cmd, "UID MOVE"):
		h.there = slices.DeleteFunc(h.there, func(uid int) bool { return slices.Contains(uids, uid) })
		return ok
	case strings.HasPrefix(cmd, "UID FETCH"):
		var b strings.Builder
		for _, uid := range uids {
			if uid == 5 {
				b.WriteString(h.poison(tag))
				continue
			}
			b.WriteString(good(uid, ")\r\n"))
		}
		return b.String() + ok
	}
	return ok
}

// good is a mail as it should come, but for its end.
func good(uid int, end string) string {
	m := mailOf(uid)
	return fmt.Sprintf("* %d FETCH (UID %d INTERNALDATE \"23-Nov-2026 10:00:00 +0800\" RFC822.SIZE %d BODY[] {%d}\r\n%s%s", uid, uid, len(m), len(m), m, end)
}

func inSet(set string, uid int) bool {
	for r := range strings.SplitSeq(set, ",") {
		from, to := 0, 0
		if n, _ := fmt.Sscanf(strings.ReplaceAll(r, "*", "999"), "%d:%d", &from, &to); n < 2 {
			to = from
		}
		if uid >= from && uid <= to {
			return true
		}
	}
	return false
}

// Whatever a server does with one mail, the others are taken and it is
// remembered.
func TestOneBadMailStopsNoOther(t *testing.T) {
	m := mailOf(5)
	for name, c := range map[string]struct {
		poison func(string) string
		taken  int
	}{
		"the connection breaks":                 {func(string) string { return "* 5 FETCH (UID 5 X-NONSENSE\x00((\r\n" }, 9},
		"the connection breaks behind the mail": {func(string) string { return good(5, " X-NONSENSE\x00((\r\n") }, 10},
		"the body comes first":                  {func(string) string { return fmt.Sprintf("* 5 FETCH (BODY[] {%d}\r\n%s UID 5)\r\n", len(m), m) }, 9},
		"nothing comes":                         {func(string) string { return "" }, 9},
	} {
		t.Run(name, func(t *testing.T) {
			var healed atomic.Bool
			h := startHostile(t, func(tag string) string {
				if healed.Load() {
					return good(5, ")\r\n")
				}
				return c.poison(tag)
			})
			w := newWorld(t)
			e := w.channel(config(h.addr, "u"))
			e.pace.poll, e.pace.again = 5*time.Millisecond, 20*time.Millisecond
			stop := w.run(e)
			w.intake.await(t, count(c.taken))
			// The cursor passes the bad one, and knows it.
			for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
				h.mu.Lock()
				there := fmt.Sprint(h.there)
				h.mu.Unlock()
				saved := string(w.memory.saved()["mailbox:support:INBOX"])
				if there == "[5]" && strings.Contains(saved, `"aside":{"5":`) {
					break
				}
				if time.Now().After(deadline) {
					t.Fatalf("in the mailbox are %s, the cursor is %s", there, saved)
				}
			}
			// A server that learns to give it, after an update, gets it taken.
			healed.Store(true)
			w.intake.await(t, count(10))
			for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
				h.mu.Lock()
				left := len(h.there)
				h.mu.Unlock()
				saved := string(w.memory.saved()["mailbox:support:INBOX"])
				if left == 0 && !strings.Contains(saved, "aside") {
					break
				}
				if time.Now().After(deadline) {
					t.Fatalf("%d mails are left, the cursor is %s", left, saved)
				}
			}
			stop()
		})
	}
}

// A mail that appears below a UID that was read already is taken all the same.
func TestALateMailIsNotOverlooked(t *testing.T) {
	h := startHostile(t, func(string) string { return good(5, ")\r\n") })
	h.there = []int{1, 2, 4, 5, 6}
	w := newWorld(t)
	e := w.channel(config(h.addr, "u"))
	e.pace.poll, e.pace.again = 5*time.Millisecond, 20*time.Millisecond
	w.run(e)
	w.intake.await(t, count(5))
	h.mu.Lock()
	h.there = append(h.there, 3)
	h.mu.Unlock()
	for _, c := range w.intake.await(t, count(6)) {
		if c.ReceivedAt.IsZero() {
			t.Errorf("%s has no time", c.Ref)
		}
	}
}

func TestACursorThatCantBeKeptLosesNothing(t *testing.T) {
	h := startHostile(t, func(string) string {
		m := mailOf(5)
		return fmt.Sprintf("* 5 FETCH (UID 5 BODY[] {%d}\r\n%s)\r\n", len(m), m) // without a date
	})
	w := newWorld(t)
	w.memory.fail = errTest
	e := w.channel(config(h.addr, "u"))
	stop := w.run(e)
	for {
		h.mu.Lock()
		dials := h.dials
		h.mu.Unlock()
		if dials > 2 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	w.memory.mu.Lock()
	w.memory.fail = nil
	w.memory.mu.Unlock()
	for _, c := range w.intake.await(t, count(10)) {
		if age := time.Since(c.ReceivedAt); c.Subject == "order 5" && (age < -time.Minute || age > time.Minute) {
			t.Errorf("without a date of the server the mail is of %v", c.ReceivedAt)
		}
	}
	stop()
}

func TestRunEndsWhileTheServerIsDown(t *testing.T) {
	w := newWorld(t)
	e := w.channel(config("127.0.0.1:1", "u"))
	e.pace = normalPace
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	must(t, e.Run(ctx))
}

func TestAParserThatPanicsLosesNoMail(t *testing.T) {
	w := newWorld(t)
	e := w.channel(config("127.0.0.1:1", "u"))
	e.deps.Blobs = panicking{w.blobs}
	l, err := e.parse(raw{bytes: []byte("Content-Type: application/x; name=a\n\nx"), blob: complaint.Blob{SHA256: "x"}})
	if err != nil || len(l.Notes) != 1 || l.BodyHash != "x" {
		t.Errorf("%+v, %v", l, err)
	}
}

type panicking struct{ Blobs }

func (panicking) Put(io.Reader, int64) (complaint.Blob, error) { panic("as if a parser had") }
