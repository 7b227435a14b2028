// Package redisserver starts and supervises a redis-server (or valkey-server)
// of our own, for an installation without one. It hides the child process:
// its configuration, its password, its restarts, and an orphan that a killed
// gateway left behind.
package redisserver

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Server is one redis-server. Make it with New, then Start, then Run.
type Server struct {
	dir      string
	log      *slog.Logger
	program  string
	password string
	port     int

	mu  sync.Mutex
	cmd *exec.Cmd     // nil where an orphan was taken over
	pid int           // of the server that answers
	end chan struct{} // closed when cmd has ended
}

const (
	startWait = 30 * time.Second // loading a big append-only file takes its time
	stopWait  = 15 * time.Second
	// logMost bounds the server's log at each start.
	logMost = 10 << 20
)

// ErrNotInstalled says how to get a server.
var ErrNotInstalled = errors.New("neither redis-server nor valkey-server is installed: install one (Debian: apt-get install redis-server), or name a Redis in config.yaml under redis.url")

// Find returns the path of the server program.
func Find() (string, error) {
	for _, name := range []string{"redis-server", "valkey-server"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", ErrNotInstalled
}

// New prepares a server that keeps everything in dir. Port and password are
// chosen once and remembered there.
func New(dir string, log *slog.Logger) (*Server, error) {
	program, err := Find()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of the own redis: %w", err)
	}
	// The child's folder is its own; a relative path would mean another there.
	if dir, err = filepath.Abs(dir); err != nil {
		return nil, err
	}
	s := &Server{dir: dir, log: log, program: program}
	if err := s.recall(); err != nil {
		return nil, err
	}
	return s, nil
}

// recall reads port and password of an earlier start from the configuration
// that was written then, or chooses new ones.
func (s *Server) recall() error {
	text, err := os.ReadFile(s.file("redis.conf"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("read the own redis' configuration: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch key {
		case "port":
			s.port, _ = strconv.Atoi(value)
		case "requirepass":
			s.password = value
		}
	}
	if s.password == "" {
		s.password = rand.Text()
	}
	return nil
}

func (s *Server) file(name string) string { return filepath.Join(s.dir, name) }

// Addr is where it listens, "127.0.0.1:port", known after Start.
func (s *Server) Addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)) }

// URL leads to it, with the password.
func (s *Server) URL() string {
	u := url.URL{Scheme: "redis", User: url.UserPassword("default", s.password), Host: s.Addr(), Path: "/0"}
	return u.String()
}

// Pid is the process id of the running server.
func (s *Server) Pid() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pid
}

// Start brings the server up, or takes over the one that a killed gateway
// left running, and returns once it answers.
func (s *Server) Start(ctx context.Context) error {
	if s.port != 0 {
		if pid, ok := s.ours(); ok {
			s.log.Info("own redis is running already; taken over", "addr", s.Addr(), "pid", pid)
			s.mu.Lock()
			s.pid = pid
			s.mu.Unlock()
			return s.await(ctx)
		}
	}
	if s.port == 0 || !portFree(s.port) {
		port, err := FreePort()
		if err != nil {
			return fmt.Errorf("find a port for the own redis: %w", err)
		}
		s.port = port
	}
	if err := s.writeConfig(); err != nil {
		return err
	}
	return s.launch(ctx)
}

// ours tells whether the server at the remembered port is the one that was
// started here: it knows our password and works in our folder.
func (s *Server) ours() (pid int, ok bool) {
	conn, err := s.dial()
	if err != nil {
		return 0, false
	}
	defer conn.Close()
	info, err := conn.ask("INFO", "server")
	if err != nil {
		return 0, false
	}
	for line := range strings.Lines(info) {
		if v, found := strings.CutPrefix(strings.TrimSpace(line), "process_id:"); found {
			pid, _ = strconv.Atoi(v)
		}
	}
	dir, err := conn.ask("CONFIG", "GET", "dir")
	return pid, err == nil && pid > 0 && strings.Contains(dir, s.dir)
}

func (s *Server) writeConfig() error {
	conf := fmt.Sprintf(`# Written by hearken at every start; edits are lost.
bind 127.0.0.1
port %d
protected-mode yes
requirepass %s
dir %s
# Everything acknowledged is in the append-only file within a second. What a
# crash loses of that second, the gateway's spool gives back.
appendonly yes
appendfsync everysec
# Rewriting takes a processor for a second, from those who wait for an answer;
# at 64mb, redis' own, a busy hour does it every few seconds.
auto-aof-rewrite-min-size 256mb
save ""
maxmemory-policy noeviction
daemonize no
logfile ""
`, s.port, s.password, s.dir)
	path := s.file("redis.conf")
	if err := os.WriteFile(path+".new", []byte(conf), 0o600); err != nil {
		return fmt.Errorf("write the own redis' configuration: %w", err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("write the own redis' configuration: %w", err)
	}
	return nil
}

func (s *Server) launch(ctx context.Context) error {
	out, err := s.openLog()
	if err != nil {
		return err
	}
	defer out.Close()
	cmd := exec.Command(s.program, s.file("redis.conf"))
	cmd.Dir, cmd.Stdout, cmd.Stderr = s.dir, out, out
	// A group of its own: the terminal's Ctrl-C is for us, and we stop it last.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", s.program, err)
	}
	end := make(chan struct{})
	go func() {
		_ = cmd.Wait() // how it ended stands in its log
		close(end)
	}()
	s.mu.Lock()
	s.cmd, s.pid, s.end = cmd, cmd.Process.Pid, end
	s.mu.Unlock()
	return s.await(ctx)
}

// openLog opens the server's log, begun anew where it has grown too long.
func (s *Server) openLog() (*os.File, error) {
	path := s.file("redis.log")
	if fi, err := os.Stat(path); err == nil && fi.Size() > logMost {
		if err := os.Rename(path, path+".1"); err != nil {
			return nil, fmt.Errorf("turn the own redis' log: %w", err)
		}
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the own redis' log: %w", err)
	}
	return f, nil
}

// await returns once the server answers and has loaded its data.
func (s *Server) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startWait)
	defer cancel()
	s.mu.Lock()
	end := s.end
	s.mu.Unlock()
	for {
		err := s.ping()
		if err == nil {
			return nil
		}
		select {
		case <-end:
			return fmt.Errorf("own redis ended at its start; its log %s says why: %s", s.file("redis.log"), s.lastLog())
		case <-ctx.Done():
			return fmt.Errorf("own redis does not answer at %s (log: %s): %w", s.Addr(), s.file("redis.log"), err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// lastLog is the last line of the server's log.
func (s *Server) lastLog() string {
	b, err := os.ReadFile(s.file("redis.log"))
	if err != nil {
		return err.Error()
	}
	text := strings.TrimSpace(string(b))
	return text[strings.LastIndexByte(text, '\n')+1:]
}

// Run watches over the server, starts it again when it dies, and stops it
// when ctx ends.
func (s *Server) Run(ctx context.Context) error {
	backoff := 100 * time.Millisecond
	for {
		if !s.awaitEnd(ctx) {
			return s.Stop()
		}
		s.log.Error("own redis died; starting it again", "addr", s.Addr(), "log", s.file("redis.log"))
		err := s.launch(ctx)
		if err == nil {
			backoff = 100 * time.Millisecond
			s.log.Info("own redis is back", "addr", s.Addr(), "pid", s.Pid())
			continue
		}
		if ctx.Err() == nil {
			s.log.Error("own redis can't be started; will be tried again", "err", err, "in", backoff)
		}
		select {
		case <-ctx.Done():
		case <-time.After(backoff):
		}
		backoff = min(2*backoff, 10*time.Second)
	}
}

// awaitEnd waits for the server to die (true) or for ctx (false).
func (s *Server) awaitEnd(ctx context.Context) bool {
	s.mu.Lock()
	end, pid, adopted := s.end, s.pid, s.cmd == nil
	s.mu.Unlock()
	if !adopted {
		select {
		case <-ctx.Done():
			return false
		case <-end:
			return true
		}
	}
	// Not our child: all we can do is ask whether the process is there.
	for syscall.Kill(pid, 0) == nil {
		select {
		case <-ctx.Done():
			return false
		case <-time.After(200 * time.Millisecond):
		}
	}
	return true
}

// Stop ends the server cleanly: it writes what it has before it goes.
func (s *Server) Stop() error {
	pid := s.Pid()
	if pid == 0 || syscall.Kill(pid, syscall.SIGTERM) != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), stopWait)
	defer cancel()
	if s.awaitEnd(ctx) {
		return nil
	}
	_ = syscall.Kill(pid, syscall.SIGKILL)
	return fmt.Errorf("own redis did not stop within %v and was killed", stopWait)
}

// ping is nil once the server takes commands.
func (s *Server) ping() error {
	conn, err := s.dial()
	if err != nil {
		return err
	}
	defer conn.Close()
	answer, err := conn.ask("PING")
	if err == nil && answer != "PONG" {
		err = fmt.Errorf("it answers %q", answer)
	}
	return err
}

// resp is a connection that speaks just enough RESP to ask how things are.
type resp struct {
	net.Conn
	r *bufio.Reader
}

const respWait = 2 * time.Second

func (s *Server) dial() (*resp, error) {
	conn, err := net.DialTimeout("tcp", s.Addr(), respWait)
	if err != nil {
		return nil, err
	}
	c := &resp{conn, bufio.NewReader(conn)}
	if _, err := c.ask("AUTH", s.password); err != nil {
		conn.Close()
		return nil, err
	}
	return c, nil
}

func (c *resp) ask(args ...string) (string, error) {
	if err := c.SetDeadline(time.Now().Add(respWait)); err != nil {
		return "", err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "*%d\r\n", len(args))
	for _, a := range args {
		fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(a), a)
	}
	if _, err := io.WriteString(c, b.String()); err != nil {
		return "", err
	}
	return c.read()
}

// respMost bounds an answer; INFO has a few kilobytes.
const respMost = 1 << 20

func (c *resp) read() (string, error) {
	line, err := c.r.ReadString('\n')
	if err != nil {
		return "", err
	}
	line = strings.TrimRight(line, "\r\n")
	if line == "" {
		return "", errors.New("empty answer")
	}
	n, _ := strconv.Atoi(line[1:])
	switch line[0] {
	case '-':
		return "", errors.New(line[1:])
	case '$':
		if n < 0 || n > respMost {
			return "", fmt.Errorf("answer of %d bytes", n)
		}
		b := make([]byte, n+2)
		_, err := io.ReadFull(c.r, b)
		return string(b[:n]), err
	case '*':
		var all []string
		for range n {
			one, err := c.read()
			if err != nil {
				return "", err
			}
			all = append(all, one)
		}
		return strings.Join(all, "\n"), nil
	}
	return line[1:], nil
}

func portFree(port int) bool {
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return false
	}
	return l.Close() == nil
}

// FreePort is a port of loopback that nothing listened on a moment ago.
func FreePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// Known returns the URL of the server that was started in dir, without
// starting one: for commands that talk to a running gateway's Redis.
func Known(dir string) (string, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	s := &Server{dir: abs}
	if err := s.recall(); err != nil {
		return "", err
	}
	if s.port == 0 {
		return "", fmt.Errorf("no own redis was ever started in %s: is `hearken serve` running with the same data_dir?", dir)
	}
	return s.URL(), nil
}
