package clamd

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// daemon runs a real clamd that knows one signature of ours.
func daemon(t *testing.T) *Scanner {
	t.Helper()
	dir, err := os.MkdirTemp("", "clamd") // a socket's path is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	db := filepath.Join(dir, "db")
	if err := os.Mkdir(db, 0o755); err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(dir, "s")
	for name, text := range map[string]string{
		filepath.Join(db, "own.ndb"):     fmt.Sprintf("Hearken.Test:0:*:%x\n", "the virus of the tests"),
		filepath.Join(dir, "clamd.conf"): fmt.Sprintf("Foreground yes\nLocalSocket %s\nDatabaseDirectory %s\nUser %s\nStreamMaxLength 1M\n", socket, db, me.Username),
	} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	path := "/usr/sbin/clamd"
	if found, err := exec.LookPath("clamd"); err == nil {
		path = found
	}
	cmd := exec.Command(path, "-c", filepath.Join(dir, "clamd.conf"))
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatalf("clamd is not installed; install it with: apt-get install -y clamav-daemon: %v", err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	s, err := New("unix:" + socket)
	if err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(30 * time.Second); strings.HasPrefix(s.Scan(t.Context(), strings.NewReader("")), Failed+"clamd does not answer"); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("clamd does not come up: %s", out.String())
		}
	}
	return s
}

func TestScan(t *testing.T) {
	s := daemon(t)
	for want, file := range map[string]string{
		Clean:                                   "an honest file",
		Infected + "Hearken.Test.UNOFFICIAL":    "xx the virus of the tests xx",
		Failed + "INSTREAM size limit exceeded": strings.Repeat("a long file ", 1<<18),
	} {
		if got := s.Scan(t.Context(), strings.NewReader(file)); !strings.HasPrefix(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if got := s.Scan(ended, strings.NewReader("x")); !strings.HasPrefix(got, Failed) {
		t.Errorf("%q", got)
	}
}

func TestNew(t *testing.T) {
	for _, bad := range []string{"", "/run/clamd", "tcp:host", "udp:host:1", "unix:"} {
		if _, err := New(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
	s, err := New("tcp:127.0.0.1:1")
	if err != nil {
		t.Fatal(err)
	}
	if got := s.Scan(t.Context(), strings.NewReader("x")); !strings.HasPrefix(got, Failed+"clamd does not answer") {
		t.Errorf("%q", got)
	}
}
