// Package redistest gives a test a real redis-server of its own, that it can
// kill, pause and set back.
package redistest

import (
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"hearken/internal/redisserver"
)

// Server is a running redis-server with an append-only file.
type Server struct {
	tb  testing.TB
	dir string
	*redisserver.Server
}

// Start starts a server that ends with the test. Where none is installed the
// test fails, and says how to install one.
func Start(tb testing.TB) *Server {
	tb.Helper()
	s := &Server{tb: tb, dir: tb.TempDir()}
	var err error
	if s.Server, err = redisserver.New(s.dir, slog.New(slog.DiscardHandler)); err != nil {
		tb.Fatal(err)
	}
	s.Up()
	tb.Cleanup(func() {
		s.Resume()
		s.Kill()
	})
	return s
}

// Up starts the server again on its old port.
func (s *Server) Up() {
	s.tb.Helper()
	if err := s.Server.Start(context.Background()); err != nil {
		s.tb.Fatal(err)
	}
}

func (s *Server) signal(sig syscall.Signal) { _ = syscall.Kill(s.Pid(), sig) }

// Kill ends the server at once and waits for it to be gone.
func (s *Server) Kill() {
	pid := s.Pid()
	s.signal(syscall.SIGKILL)
	for syscall.Kill(pid, 0) == nil {
		time.Sleep(2 * time.Millisecond) // the process table has no event to wait for
	}
}

// Pause makes the server hang; Resume lets it go on.
func (s *Server) Pause()  { s.signal(syscall.SIGSTOP) }
func (s *Server) Resume() { s.signal(syscall.SIGCONT) }

// Snapshot copies the data as it is on disk. The server must be down.
func (s *Server) Snapshot() (dir string) {
	s.tb.Helper()
	dir = s.tb.TempDir()
	s.copyTree(filepath.Join(s.dir, "appendonlydir"), dir)
	return dir
}

// Restore sets the data back to a snapshot. The server must be down.
func (s *Server) Restore(dir string) {
	s.tb.Helper()
	to := filepath.Join(s.dir, "appendonlydir")
	if err := os.RemoveAll(to); err != nil {
		s.tb.Fatal(err)
	}
	s.copyTree(dir, to)
}

func (s *Server) copyTree(from, to string) {
	s.tb.Helper()
	if err := os.MkdirAll(to, 0o700); err != nil {
		s.tb.Fatal(err)
	}
	files, err := os.ReadDir(from)
	if err != nil {
		s.tb.Fatal(err)
	}
	for _, f := range files {
		if err := copyFile(filepath.Join(from, f.Name()), filepath.Join(to, f.Name())); err != nil {
			s.tb.Fatal(err)
		}
	}
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		return err
	}
	return out.Close()
}
