package email

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"hearken/channels/email/dovecot"
	"hearken/complaint"
)

func dovecotServer(t *testing.T) *dovecot.Server {
	t.Helper()
	s, err := dovecot.New(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestDovecot(t *testing.T) {
	s := dovecotServer(t)
	var users atomic.Int64
	// Each test has a mailbox of its own.
	fresh := func(t *testing.T) (*world, Config, string) {
		user := fmt.Sprintf("user%d", users.Add(1))
		return newWorld(t), config(s.Addr, user), user
	}

	t.Run("mail arrives while we wait and is moved with its receipt", func(t *testing.T) {
		w, cfg, user := fresh(t)
		must(t, s.Append(user, "INBOX", mailOf(1)))
		e := w.channel(cfg)
		e.pace.poll = time.Hour // only IDLE can wake it
		w.run(e)
		w.intake.await(t, count(1))
		must(t, s.AwaitCounts(within(t), user, "Processed", 1, 1))
		must(t, s.Append(user, "INBOX", mailOf(2)))
		got := w.intake.await(t, count(2))
		must(t, s.AwaitCounts(within(t), user, "INBOX", 0, 0))
		must(t, s.AwaitCounts(within(t), user, "Processed", 2, 2))
		c := got[1]
		if c.Ref != "m2@example.cn" || c.From.Name != "张伟" || c.Subject != "order 2" || c.Text != "I was charged twice, number 2." || !c.WantsReceipt || c.Account != "support" || c.ContactPoint != "support@example.com" || c.Facts["mailbox"] != "support" {
			t.Errorf("%+v", c)
		}
		if age := time.Since(c.ReceivedAt); age < -time.Minute || age > time.Minute {
			t.Errorf("received at %v, which is not the server's time", c.ReceivedAt)
		}
		f, err := w.blobs.Open(c.Raw)
		must(t, err)
		defer f.Close()
		raw, err := os.ReadFile(f.Name())
		if err != nil || string(raw) != string(mailOf(2)) {
			t.Errorf("the original is %q, %v", raw, err)
		}
	})

	t.Run("two hundred mails, once each", func(t *testing.T) {
		w, cfg, user := fresh(t)
		cfg.Processed = Processed{}
		must(t, s.Append(user, "INBOX", mails(0, 230)...))
		stop := w.run(w.channel(cfg))
		w.intake.await(t, count(230))
		must(t, s.AwaitCounts(within(t), user, "INBOX", 230, 0))
		w.memory.awaitRead(t, cfg.Name, "INBOX", 230)
		stop()
		// A restart goes on where it was: nothing is read again.
		must(t, s.Append(user, "INBOX", mailOf(230)))
		w.run(w.channel(cfg))
		w.intake.await(t, count(231))
		if n := w.intake.repeats; n > 0 {
			t.Errorf("%d mails were read again", n)
		}
	})

	t.Run("a full spool leaves the mail where it is", func(t *testing.T) {
		w, cfg, user := fresh(t)
		w.intake.set(func(n int, c complaint.Contact) error {
			if c.Subject == "order 3" {
				return complaint.ErrFull
			}
			return nil
		})
		must(t, s.Append(user, "INBOX", mails(0, 6)...))
		w.run(w.channel(cfg))
		w.intake.await(t, count(5))
		must(t, s.AwaitCounts(within(t), user, "Processed", 5, 5))
		must(t, s.AwaitCounts(within(t), user, "INBOX", 1, 1))
		w.intake.set(nil)
		w.intake.await(t, count(6))
		must(t, s.AwaitCounts(within(t), user, "INBOX", 0, 0))
	})

	t.Run("a mail that the intake can never take stops no other", func(t *testing.T) {
		w, cfg, user := fresh(t)
		w.intake.set(func(_ int, c complaint.Contact) error {
			if c.Subject == "order 1" {
				return complaint.Permanent(errTest)
			}
			return nil
		})
		must(t, s.Append(user, "INBOX", mails(0, 3)...))
		w.run(w.channel(cfg))
		w.intake.await(t, count(2))
		must(t, s.Append(user, "INBOX", mailOf(3)))
		w.intake.await(t, count(3))
		must(t, s.AwaitCounts(within(t), user, "INBOX", 0, 0))
	})

	t.Run("a crash between receipt and move changes nothing", func(t *testing.T) {
		w, cfg, user := fresh(t)
		must(t, s.Append(user, "INBOX", mails(0, 4)...))
		ctx, cancel := context.WithCancel(context.Background())
		w.intake.set(func(n int, _ complaint.Contact) error {
			if n == 3 {
				cancel() // all later steps fail
			}
			return nil
		})
		must(t, w.channel(cfg).Run(ctx))
		w.intake.set(nil)
		w.run(w.channel(cfg))
		w.intake.await(t, func(taken []complaint.Contact, repeats int) bool { return len(taken) == 4 })
		must(t, s.AwaitCounts(within(t), user, "INBOX", 0, 0))
		must(t, s.AwaitCounts(within(t), user, "Processed", 4, 4))
	})

	t.Run("first start takes what since says", func(t *testing.T) {
		w, cfg, user := fresh(t)
		cfg.Since = "now"
		must(t, s.Append(user, "INBOX", mails(0, 3)...))
		stop := w.run(w.channel(cfg))
		// The next mail can only come once the line is drawn.
		for len(w.memory.saved()) == 0 {
			time.Sleep(time.Millisecond)
		}
		must(t, s.Append(user, "INBOX", mailOf(3)))
		got := w.intake.await(t, count(1))
		stop()
		if len(got) != 1 || got[0].Subject != "order 3" {
			t.Errorf("%d contacts", len(got))
		}
	})

	t.Run("no identification by Message-ID", func(t *testing.T) {
		w, cfg, user := fresh(t)
		same := []byte("From: a@example.cn\r\nSubject: x\r\n\r\nsame\r\n")
		other := []byte("Message-ID: <m1@example.cn>\r\nFrom: b@example.cn\r\n\r\nother words under the same id\r\n")
		must(t, s.Append(user, "INBOX", same, same, mailOf(1), other, mailOf(1)))
		w.run(w.channel(cfg))
		must(t, s.AwaitCounts(within(t), user, "Processed", 5, 5))
		// The two that are the same to the byte are one, if they arrived within
		// the same second.
		w.intake.await(t, func(taken []complaint.Contact, repeats int) bool {
			return len(taken)+repeats == 5 && (repeats == 1 || repeats == 2)
		})
	})

	t.Run("a large mail streams", func(t *testing.T) {
		w, cfg, user := fresh(t)
		big := []byte("Message-ID: <big@example.cn>\r\nFrom: a@example.cn\r\nSubject: big\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nsee the film\r\n--b\r\nContent-Type: video/mp4; name=film.mp4\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
			strings.Repeat(strings.Repeat("QUJD", 19)+"\r\n", 40<<20/78) + "--b--\r\n")
		must(t, s.Append(user, "INBOX", big))
		size := len(big)
		big = nil
		runtime.GC()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		stop := w.run(w.channel(cfg))
		c := w.intake.await(t, count(1))[0]
		must(t, s.AwaitCounts(within(t), user, "Processed", 1, 1))
		stop()
		runtime.ReadMemStats(&after)
		if got := after.TotalAlloc - before.TotalAlloc; got > 16<<20 {
			t.Errorf("%d bytes were allocated for a mail of %d", got, size)
		}
		if c.Text != "see the film" || len(c.Attachments) != 1 || c.Attachments[0].Size < 25<<20 {
			t.Errorf("%q %+v", c.Text, c.Attachments)
		}
	})

	t.Run("a mail beyond max_size gives its beginning", func(t *testing.T) {
		w, cfg, user := fresh(t)
		cfg.MaxSize = "1MiB"
		huge := []byte("Message-ID: <huge@example.cn>\r\nFrom: a@example.cn\r\nSubject: huge\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nsee the film\r\n--b\r\nContent-Type: video/mp4; name=film.mp4\r\n\r\n" + strings.Repeat("film\r\n", 1<<18) + "--b--\r\n")
		must(t, s.Append(user, "INBOX", huge, mailOf(1)))
		w.run(w.channel(cfg))
		for _, c := range w.intake.await(t, count(2)) {
			if c.Subject == "huge" && (c.Text != "see the film" || !strings.Contains(strings.Join(c.Notes, ";"), "only its beginning was read")) {
				t.Errorf("%q %q", c.Text, c.Notes)
			}
		}
		must(t, s.AwaitCounts(within(t), user, "Processed", 2, 2))
	})

	t.Run("wrong password", func(t *testing.T) {
		w, cfg, _ := fresh(t)
		cfg.IMAP.Password = secretOf("wrong")
		e := w.channel(cfg)
		err := e.read(within(t), "INBOX", &trouble{failed: map[uint32]int{}, tooBig: map[uint32]bool{}}, func() {})
		if !errors.Is(err, errLogin) || strings.Contains(err.Error(), "wrong") {
			t.Errorf("%v", err)
		}
	})
}

// A mailbox of years is not taken in: of HEARKEN_OLD_MAILS old and unread ones
// (2,000 without it) none, of the week's all.
func TestFirstStartOnAnOldMailbox(t *testing.T) {
	n := 2000
	if v := os.Getenv("HEARKEN_OLD_MAILS"); v != "" {
		var err error
		n, err = strconv.Atoi(v)
		must(t, err)
	}
	const recent = 20
	s := dovecotServer(t)
	must(t, s.Fill("zhang", n+recent, mailOf, func(i int) time.Time {
		if i < n {
			return time.Now().Add(-30*24*time.Hour - time.Duration(n-i)*time.Minute)
		}
		return time.Now().Add(-time.Duration(n+recent-i) * time.Hour)
	}))
	w := newWorld(t)
	cfg := config(s.Addr, "zhang")
	cfg.Since = "" // a week, as where nothing is said
	began := time.Now()
	stop := w.run(w.channel(cfg))
	for late := time.Now().Add(5 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
		if got, _, err := s.Counts("zhang", "Processed"); err == nil && got == recent {
			break
		}
		if time.Now().After(late) {
			t.Fatalf("the week's mails were not put away; %d are taken", len(w.intake.await(t, count(0))))
		}
	}
	t.Logf("%d mails, of which %d are of this week, which were kept and moved after %v", n+recent, recent, time.Since(began).Round(time.Millisecond))
	w.memory.awaitRead(t, cfg.Name, "INBOX", uint32(n+recent))
	stop()
	all, _, err := s.Counts("zhang", "INBOX")
	must(t, err)
	if got := w.intake.await(t, count(recent)); len(got) != recent || all != n {
		t.Errorf("%d taken, %d left", len(got), all)
	}
}

func TestDovecotGoesAway(t *testing.T) {
	s := dovecotServer(t)
	w := newWorld(t)
	cfg := config(s.Addr, "zhang")
	cfg.Processed = Processed{Flag: "seen"}
	// One has no Message-ID to know it by.
	_, nameless, _ := bytes.Cut(mailOf(2), []byte("\r\n"))
	must(t, s.Append("zhang", "INBOX", mailOf(0), mailOf(1), nameless))
	stop := w.run(w.channel(cfg))
	w.intake.await(t, count(3))
	must(t, s.AwaitCounts(within(t), "zhang", "INBOX", 3, 0))
	w.memory.awaitRead(t, cfg.Name, "INBOX", 3)

	// It comes back, and so do we.
	must(t, s.Stop())
	must(t, s.Start())
	must(t, s.Append("zhang", "INBOX", mailOf(3)))
	w.intake.await(t, count(4))
	must(t, s.AwaitCounts(within(t), "zhang", "INBOX", 4, 0))
	if w.intake.repeats > 0 {
		t.Errorf("%d mails were read again", w.intake.repeats)
	}

	// It renumbers the mailbox: all is known, only what is new is taken.
	stop()
	must(t, s.Append("zhang", "INBOX", mailOf(4)))
	must(t, s.Stop())
	must(t, s.Renumber("zhang"))
	must(t, s.Start())
	w.run(w.channel(cfg))
	w.intake.await(t, func(taken []complaint.Contact, repeats int) bool { return len(taken) == 5 && repeats == 4 })
	must(t, s.AwaitCounts(within(t), "zhang", "INBOX", 5, 0))
	must(t, s.Append("zhang", "INBOX", mailOf(5)))
	w.intake.await(t, count(6))
}
