// Command chat measures the live chat of the real program beside a minimal
// server on the centrifuge library, one after the other in the same run: what
// an idle window costs, how fast windows open, and how long a message waits
// for its answer. Hearken's answer is the receipt of a message that is on
// disk; centrifuge's is that of a plain publish into memory. The first message
// of each window, which registers its complaint, is told apart.
//
//	go run . -idle 10000 -active 1000 -for 20s -settle 130s
//
// The servers are processes of their own; this one plays the browsers.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

type plan struct {
	idle, active int
	dialers      int           // windows that are opened at once
	settle       time.Duration // for the collector to run, which it does every two minutes at rest
	talk         time.Duration
}

func main() {
	if len(os.Args) == 3 && os.Args[1] == "centrifuge" {
		if err := serveCentrifuge(os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	var p plan
	flag.IntVar(&p.idle, "idle", 10_000, "windows that are open and silent")
	flag.IntVar(&p.active, "active", 1_000, "windows that send a message a second")
	flag.IntVar(&p.dialers, "dialers", 64, "windows that are opened at the same time")
	flag.DurationVar(&p.settle, "settle", 130*time.Second, "between opening and looking at the memory; Go's collector runs at least every two minutes")
	flag.DurationVar(&p.talk, "for", 20*time.Second, "how long they send")
	only := flag.String("only", "", "hearken or centrifuge; both without it")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, p, *only); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, p plan, only string) error {
	dir, err := os.MkdirTemp("", "hearken-bench-chat-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	fmt.Printf("%-12s %8s %10s %12s %10s %8s %8s %8s %8s %14s\n", "server", "windows", "opened/s", "KB each now", "KB settled", "msgs", "p50 ms", "p99 ms", "max ms", "first: p99 ms")
	for _, s := range []struct {
		name  string
		start func(context.Context, string) (*server, error)
	}{{"hearken", startHearken}, {"centrifuge", startCentrifuge}} {
		if only != "" && only != s.name {
			continue
		}
		if err := measure(ctx, p, s.name, dir, s.start); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return nil
}

// measure takes one server through the plan and prints its line.
func measure(ctx context.Context, p plan, name, dir string, start func(context.Context, string) (*server, error)) error {
	s, err := start(ctx, dir)
	if err != nil {
		return err
	}
	defer s.stop()
	// A first few: what a server makes once is not a window's cost.
	swarm := &swarm{dialect: s.dialect, addr: s.addr, answers: make(chan answer)}
	defer swarm.close()
	if err := swarm.open(ctx, 10, p.dialers); err != nil {
		return err
	}
	before, err := s.rss()
	if err != nil {
		return err
	}
	began := time.Now()
	if err := swarm.open(ctx, p.idle, p.dialers); err != nil {
		return err
	}
	took := time.Since(began)
	now, err := s.rss()
	if err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(p.settle):
	}
	settled, err := s.rss()
	if err != nil {
		return err
	}
	if lost := swarm.lost(); lost > 0 {
		return fmt.Errorf("%d windows were closed while they were idle", lost)
	}
	first, waits, err := swarm.talk(ctx, p.active, p.talk)
	if err != nil {
		return err
	}
	each := func(kb int) float64 { return float64(kb-before) / float64(p.idle) }
	fmt.Printf("%-12s %8d %10.0f %12.1f %10.1f %8d %8.2f %8.2f %8.2f %14.2f\n", name, p.idle, float64(p.idle)/took.Seconds(), each(now), each(settled),
		len(waits), at(waits, 0.5), at(waits, 0.99), at(waits, 1), at(first, 0.99))
	return nil
}

// server is a process that is measured.
type server struct {
	cmd     *exec.Cmd
	addr    string
	dialect dialect
}

func (s *server) stop() {
	_ = s.cmd.Process.Signal(os.Interrupt)
	_ = s.cmd.Wait()
}

// rss is the resident memory in KB.
func (s *server) rss() (int, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		if kb, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			return strconv.Atoi(strings.Fields(kb)[0])
		}
	}
	return 0, errors.New("no VmRSS in its status")
}

// up waits until the address answers.
func (s *server) up(ctx context.Context) (*server, error) {
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		c, err := net.Dial("tcp", s.addr)
		if err == nil {
			return s, c.Close()
		}
		if time.Now().After(end) || ctx.Err() != nil {
			s.stop()
			return nil, err
		}
	}
}

func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// startHearken builds the program and has it serve one chat, with a Redis of
// its own.
func startHearken(ctx context.Context, dir string) (*server, error) {
	binary := filepath.Join(dir, "hearken")
	build := exec.CommandContext(ctx, "go", "build", "-o", binary, "./cmd/hearken")
	build.Dir = "../.."
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build hearken (start this in bench/chat): %w: %s", err, out)
	}
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	admin, err := freeAddr()
	if err != nil {
		return nil, err
	}
	rules, err := filepath.Abs("../../rules.example.yaml")
	if err != nil {
		return nil, err
	}
	config := filepath.Join(dir, "config.yaml")
	text := fmt.Sprintf("data_dir: %s/data\nrules: %s\nhttp: {listen: %q, public_url: \"http://%s\"}\nadmin: {listen: %q}\nlog: {level: warn}\nchannels:\n  chat:\n    - {name: web, origins: [%q], max_connections: 50000, max_per_ip: 50000}\n", dir, rules, addr, addr, admin, origin)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return nil, err
	}
	cmd := exec.Command(binary, "serve", "-c", config)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return (&server{cmd, addr, hearkenChat{}}).up(ctx)
}

// startCentrifuge starts this program again, as the other server.
func startCentrifuge(ctx context.Context, _ string) (*server, error) {
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self, "centrifuge", addr)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return (&server{cmd, addr, centrifugeJSON{}}).up(ctx)
}
