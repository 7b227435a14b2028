package redisserver

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"syscall"
	"testing"
	"time"
)

var quiet = slog.New(slog.DiscardHandler)

func start(t *testing.T, dir string) *Server {
	t.Helper()
	s, err := New(dir, quiet)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Stop() })
	return s
}

func ask(t *testing.T, s *Server, args ...string) string {
	t.Helper()
	c, err := s.dial()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	answer, err := c.ask(args...)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

func TestKeepsDataAndPortOverRestart(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir)
	ask(t, s, "SET", "a", "1")
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	again := start(t, dir)
	if again.Addr() != s.Addr() || ask(t, again, "GET", "a") != "1" {
		t.Errorf("after a restart: %s, was %s", again.Addr(), s.Addr())
	}
}

func TestRunStartsItAgainAndStopsItLast(t *testing.T) {
	s := start(t, t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- s.Run(ctx) }()
	old := s.Pid()
	if err := syscall.Kill(old, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(10 * time.Second); s.Pid() == old || s.ping() != nil; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it stays dead")
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if s.ping() == nil {
		t.Error("it still runs after Run")
	}
}

func TestTakesOverAnOrphan(t *testing.T) {
	dir := t.TempDir()
	orphan := start(t, dir)
	taker := start(t, dir)
	if taker.Pid() != orphan.Pid() {
		t.Fatalf("started %d beside %d on the same data", taker.Pid(), orphan.Pid())
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- taker.Run(ctx) }()
	cancel()
	if err := <-done; err != nil || taker.ping() == nil {
		t.Errorf("the orphan was not stopped: %v", err)
	}
}

func TestPasswordIsNeeded(t *testing.T) {
	s := start(t, t.TempDir())
	other := &Server{port: s.port, password: "wrong"}
	if err := other.ping(); err == nil || !strings.Contains(err.Error(), "WRONGPASS") {
		t.Errorf("a stranger got %v", err)
	}
}

func TestNotInstalled(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if _, err := New(t.TempDir(), quiet); !errors.Is(err, ErrNotInstalled) {
		t.Errorf("New without a server: %v", err)
	}
}
