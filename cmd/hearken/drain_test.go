package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"hearken/channels/email/dovecot"
)

// BenchmarkDrain empties a mailbox of 10,000 mails of 8 KB into Redis with the
// real program, and has mbsync (Debian: isync) pull the same mailbox into a
// Maildir with its fsync on, in the same run: both keep each mail durably.
func BenchmarkDrain(b *testing.B) {
	const n = 10_000
	if _, err := exec.LookPath("mbsync"); err != nil {
		b.Fatal("mbsync is what this is measured beside; install it with: apt-get install -y isync")
	}
	if _, err := binary(); err != nil { // building it is not what is measured
		b.Fatal(err)
	}
	words := strings.Repeat("The parcel never came, and nobody answers. 包裹没有收到，客服不理人。\r\n", 80)
	mail := func(i int) []byte {
		return fmt.Appendf(nil, "Message-ID: <d%d@example.org>\r\nFrom: Ann <ann%d@example.org>\r\nTo: support@example.com\r\nSubject: order %d\r\nDate: Mon, 23 Nov 2026 10:00:00 +0800\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n%s", i, i%997, i, words)
	}
	for range b.N {
		server, err := dovecot.New(b.TempDir())
		if err != nil {
			b.Fatal(err)
		}
		for _, user := range []string{"pulled", "drained"} {
			if err := server.Fill(user, n, mail, func(int) time.Time { return time.Now() }); err != nil {
				b.Fatal(err)
			}
			// The first look indexes the mailbox: not what is measured.
			if all, _, err := server.Counts(user, "INBOX"); err != nil || all != n {
				b.Fatal(all, err)
			}
		}
		took := pull(b, server.Addr, n)
		b.ReportMetric(n/took.Seconds(), "mbsync-mails/s")
		took, peak := drain(b, server, n)
		b.ReportMetric(n/took.Seconds(), "mails/s")
		b.ReportMetric(float64(peak)/(1<<20), "MB-peak")
		if err := server.Stop(); err != nil {
			b.Fatal(err)
		}
	}
}

// pull has mbsync copy the mailbox.
func pull(b *testing.B, addr string, n int) time.Duration {
	b.Helper()
	dir := b.TempDir()
	host, port, _ := net.SplitHostPort(addr)
	conf := fmt.Sprintf("FSync yes\nIMAPAccount far\nHost %s\nPort %s\nUser pulled\nPass %s\nSSLType None\nAuthMechs LOGIN\n\nIMAPStore far\nAccount far\n\nMaildirStore near\nPath %s/\nInbox %s/INBOX\nSubFolders Verbatim\n\nChannel all\nFar :far:\nNear :near:\nPatterns INBOX\nCreate Near\nSync Pull\nSyncState *\n", host, port, dovecot.Password, dir, dir)
	file := filepath.Join(dir, "mbsyncrc")
	if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
		b.Fatal(err)
	}
	start := time.Now()
	if out, err := exec.Command("mbsync", "-q", "-c", file, "all").CombinedOutput(); err != nil {
		b.Fatalf("mbsync: %v: %s", err, out)
	}
	took := time.Since(start)
	if got, err := filepath.Glob(filepath.Join(dir, "INBOX", "*", "*")); err != nil || len(got) < n {
		b.Fatalf("mbsync pulled %d of %d mails: %v", len(got), n, err)
	}
	return took
}

// drain has the gateway take everything: until each mail is a record on the
// intake stream and moved away.
func drain(b *testing.B, server *dovecot.Server, n int) (took time.Duration, peak int64) {
	b.Helper()
	s := newSite(b, fmt.Sprintf("  email:\n    - name: support\n      address: support@example.com\n      since: all\n      imap: {addr: %q, tls: none, username: drained, password: %s}\n      processed: {move_to: Processed}\n", server.Addr, dovecot.Password), "")
	start := time.Now()
	s.start()
	url := s.redisURL()
	for end := start.Add(2 * time.Minute); added(url) < n; time.Sleep(200 * time.Millisecond) {
		if time.Now().After(end) {
			b.Fatalf("%d of %d records after 2 minutes", added(url), n)
		}
	}
	for {
		all, _, err := server.Counts("drained", "INBOX")
		if err != nil {
			b.Fatal(err)
		}
		if all == 0 {
			break
		}
		time.Sleep(200 * time.Millisecond)
	}
	took = time.Since(start)
	return took, s.peak()
}

// added is how many entries the intake stream ever had.
func added(url string) int {
	lines, err := redisCLI(url, "XINFO", "STREAM", "{complaints}:intake")
	if err != nil {
		return 0
	}
	for i, l := range lines {
		if l == "entries-added" && i+1 < len(lines) {
			n, _ := strconv.Atoi(lines[i+1])
			return n
		}
	}
	return 0
}
