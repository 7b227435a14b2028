package mailbox

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"hearken/internal/secret"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// script answers a command line; "" answers nothing, "BYE" hangs up. %s in an
// answer is the command's tag.
type script map[string]string

var normal = script{
	"LOGIN":      "%s OK in\r\n",
	"CAPABILITY": "* CAPABILITY IMAP4rev1 UIDPLUS MOVE IDLE\r\n%s OK\r\n",
	"SELECT":     "* 2 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 3] ok\r\n%s OK [READ-WRITE] selected\r\n",
	"UID SEARCH": "* SEARCH 1 2\r\n%s OK\r\n",
	"NOOP":       "%s OK\r\n",
}

func (s script) with(cmd, answer string) script {
	out := script{cmd: answer}
	for k, v := range normal {
		if k != cmd {
			out[k] = v
		}
	}
	return out
}

// fake is an IMAP server that follows a script line by line.
func fake(t *testing.T, s script) Account {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var ends sync.WaitGroup
	var mu sync.Mutex
	var open []net.Conn
	ends.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open = append(open, c)
			mu.Unlock()
			ends.Go(func() { follow(c, s) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		mu.Lock()
		for _, c := range open {
			_ = c.Close()
		}
		mu.Unlock()
		ends.Wait()
	})
	return Account{Addr: l.Addr().String(), TLS: TLSNone, Username: "u", Password: secret.New("p"), Mailbox: "INBOX", Answer: 300 * time.Millisecond}
}

func follow(c net.Conn, s script) {
	defer c.Close()
	greeting, ok := s["greeting"]
	if !ok {
		greeting = "* OK ready\r\n"
	}
	_, _ = io.WriteString(c, greeting)
	in := bufio.NewScanner(c)
	for in.Scan() {
		tag, rest, _ := strings.Cut(in.Text(), " ")
		for cmd, answer := range s {
			if !strings.HasPrefix(rest, cmd) {
				continue
			}
			if answer == "BYE" {
				return
			}
			_, _ = io.WriteString(c, strings.ReplaceAll(answer, "%s", tag))
		}
	}
}

func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func opened(t *testing.T, s script) *Box {
	t.Helper()
	b, err := Open(within(t), fake(t, s))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

func TestAServerThatFallsSilent(t *testing.T) {
	for _, cmd := range []string{"greeting", "LOGIN", "CAPABILITY", "SELECT"} {
		t.Run(cmd, func(t *testing.T) {
			if _, err := Open(within(t), fake(t, normal.with(cmd, ""))); err == nil {
				t.Error("no error")
			}
		})
	}
	t.Run("UID SEARCH", func(t *testing.T) {
		if _, err := opened(t, normal.with("UID SEARCH", "")).Search(within(t), Search{}); err == nil {
			t.Error("no error")
		}
	})
	t.Run("IDLE", func(t *testing.T) {
		if err := opened(t, normal.with("IDLE", "")).Wait(within(t), time.Millisecond, time.Millisecond); err == nil {
			t.Error("no error")
		}
	})
	t.Run("in the middle of a mail", func(t *testing.T) {
		b := opened(t, normal.with("UID FETCH", "* 1 FETCH (UID 1 RFC822.SIZE 100 BODY[] {100}\r\nhalf of it"))
		err := b.Fetch(within(t), []uint32{1}, 0, func(_ Mail, r io.Reader) error {
			_, err := io.Copy(io.Discard, r)
			return err
		})
		if err == nil {
			t.Error("no error")
		}
	})
}

func TestAServerThatTalksNonsense(t *testing.T) {
	for name, answer := range map[string]string{
		"an unknown item":        "* 1 FETCH (UID 1 X-GM-LABELS (x) BODY[] {1}\r\na)\r\n%s OK\r\n",
		"a broken line":          "* 1 FETCH (((\r\n%s OK\r\n",
		"more than can be meant": "* 1 FETCH (UID 1 FLAGS (" + strings.Repeat("x ", answerBytes) + "x))\r\n%s OK\r\n",
		"a hang-up":              "BYE",
	} {
		t.Run(name, func(t *testing.T) {
			b := opened(t, normal.with("UID FETCH", answer))
			if err := b.Fetch(within(t), []uint32{1}, 0, func(Mail, io.Reader) error { return nil }); err == nil || Refused(err) {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestFetch(t *testing.T) {
	b := opened(t, normal.with("UID FETCH", "* 1 FETCH (UID 1 INTERNALDATE \"23-Nov-2026 10:00:00 +0800\" RFC822.SIZE 5 BODY[] {5}\r\nhello)\r\n* 2 FETCH (UID 2 BODY[] NIL)\r\n%s OK\r\n"))
	var got []string
	err := b.Fetch(within(t), []uint32{1, 2}, 0, func(m Mail, r io.Reader) error {
		body, err := io.ReadAll(r)
		got = append(got, fmt.Sprint(m.UID, m.Size, m.Received.UTC().Hour(), string(body)))
		return err
	})
	if err != nil || len(got) != 1 || got[0] != "1 5 2hello" {
		t.Errorf("%q, %v", got, err)
	}
	stop := errors.New("stop")
	if err := b.Fetch(within(t), []uint32{1}, 0, func(Mail, io.Reader) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("%v", err)
	}
}

func TestSearchDropsWhatIsBelow(t *testing.T) {
	b := opened(t, normal) // answers "1 2" to whatever is asked
	if got, err := b.Search(within(t), Search{After: 1}); err != nil || len(got) != 1 || got[0] != 2 {
		t.Errorf("%v, %v", got, err)
	}
	if b.Validity != 7 || b.Next != 3 {
		t.Errorf("%d %d", b.Validity, b.Next)
	}
}

func TestWithoutIdleWePoll(t *testing.T) {
	b := opened(t, normal.with("IDLE", "%s BAD what?\r\n"))
	for range 2 {
		if err := b.Wait(within(t), time.Hour, time.Millisecond); err != nil {
			t.Error(err)
		}
	}
}

func TestIdleWakes(t *testing.T) {
	b := opened(t, script{
		"IDLE": "+ go on\r\n* 3 EXISTS\r\n", "LOGIN": normal["LOGIN"], "CAPABILITY": normal["CAPABILITY"], "SELECT": normal["SELECT"],
		"UID SEARCH": normal["UID SEARCH"],
	})
	// The end of IDLE is never confirmed: the connection is given up.
	if err := b.Wait(within(t), time.Hour, time.Hour); err == nil || Refused(err) {
		t.Errorf("%v", err)
	}
}

func TestLoginErrors(t *testing.T) {
	for answer, refused := range map[string]bool{
		"%s NO [AUTHENTICATIONFAILED] wrong\r\n": true,
		"%s NO wrong\r\n":                        true,
		"%s NO [UNAVAILABLE] later\r\n":          false,
		"%s BAD what?\r\n":                       false,
		"BYE":                                    false,
	} {
		if _, err := Open(within(t), fake(t, normal.with("LOGIN", answer))); errors.Is(err, ErrLogin) != refused || err == nil {
			t.Errorf("%q: %v", answer, err)
		}
	}
}

// NetEase refuses SELECT until it has heard who we are.
func TestUnsafeLogin(t *testing.T) {
	a := fake(t, normal)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var ends sync.WaitGroup
	ends.Go(func() {
		for range 2 {
			c, err := l.Accept()
			if err != nil {
				return
			}
			ends.Go(func() { netEase(c) })
		}
	})
	a.Addr, a.ID = l.Addr().String(), "auto"
	b, err := Open(within(t), a)
	if err != nil {
		t.Error(err)
	} else {
		b.Close()
	}
	_ = l.Close()
	ends.Wait()
}

func netEase(c net.Conn) {
	defer c.Close()
	_, _ = io.WriteString(c, "* OK Coremail System IMap Server Ready\r\n")
	known := false
	in := bufio.NewScanner(c)
	for in.Scan() {
		tag, rest, _ := strings.Cut(in.Text(), " ")
		answer := tag + " OK done\r\n"
		switch {
		case strings.HasPrefix(rest, "ID"):
			known = true
			answer = "* ID NIL\r\n" + answer
		case strings.HasPrefix(rest, "CAPABILITY"):
			answer = "* CAPABILITY IMAP4rev1\r\n" + answer
		case strings.HasPrefix(rest, "SELECT") && !known:
			answer = tag + " NO SELECT Unsafe Login. Please contact the provider\r\n"
		case strings.HasPrefix(rest, "SELECT"):
			answer = "* 0 EXISTS\r\n* OK [UIDVALIDITY 1] ok\r\n" + answer
		}
		_, _ = io.WriteString(c, answer)
	}
}

// Some servers want no LOGIN, only AUTHENTICATE (RFC 9051 section 6.2.3).
func TestLoginDisabled(t *testing.T) {
	const caps = "* CAPABILITY IMAP4rev1 SASL-IR UIDPLUS LOGINDISABLED"
	for offer, good := range map[string]bool{caps + " AUTH=PLAIN": true, caps: false} {
		full := normal.with("LOGIN", "%s NO not that way\r\n")
		full["AUTHENTICATE PLAIN AHUAcA=="] = "%s OK in\r\n"
		full["CAPABILITY"] = offer + "\r\n%s OK\r\n"
		b, err := Open(within(t), fake(t, full))
		if b != nil {
			b.Close()
		}
		if good && err != nil || !good && (err == nil || !strings.Contains(err.Error(), "imap.tls")) {
			t.Errorf("%s: %v", offer, err)
		}
	}
}
