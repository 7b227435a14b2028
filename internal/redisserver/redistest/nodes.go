package redistest

import (
	"bytes"
	"fmt"
	"hearken/internal/redisserver"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// clusterNodes is the least that redis-cli makes a cluster of.
const clusterNodes = 3

// Cluster starts a cluster of three masters that ends with the test, and
// returns its URL.
func Cluster(tb testing.TB) string {
	tb.Helper()
	var addrs []string
	for range clusterNodes {
		addr, _ := node(tb, "--cluster-enabled", "yes", "--cluster-port", freePort(tb), "--cluster-node-timeout", "2000")
		addrs = append(addrs, addr)
	}
	create := exec.Command("redis-cli", append(append([]string{"--cluster", "create"}, addrs...), "--cluster-yes")...)
	if out, err := create.CombinedOutput(); err != nil {
		tb.Fatalf("make a cluster: %v\n%s", err, out)
	}
	for _, addr := range addrs {
		awaitCLI(tb, addr, "cluster_state:ok", "cluster", "info")
	}
	return "redis+cluster://" + strings.Join(addrs, ",")
}

// Sentinel starts a master, a replica of it and a sentinel that watches them,
// which end with the test. It returns their URL, and what kills the master.
func Sentinel(tb testing.TB) (url string, killMaster func()) {
	tb.Helper()
	master, kill := node(tb)
	host, port, _ := net.SplitHostPort(master)
	replica, _ := node(tb, "--replicaof", host+" "+port)
	awaitCLI(tb, replica, "master_link_status:up", "info", "replication")
	conf := filepath.Join(tb.TempDir(), "sentinel.conf")
	text := fmt.Sprintf("sentinel monitor main %s %s 1\nsentinel down-after-milliseconds main 500\nsentinel failover-timeout main 2000\n", host, port)
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		tb.Fatal(err)
	}
	sentinel, _ := start(tb, conf, "--sentinel")
	awaitCLI(tb, sentinel, "num-slaves\n1\n", "sentinel", "master", "main")
	return "redis+sentinel://" + sentinel + "/0?master=main", kill
}

// node starts a server with an append-only file.
func node(tb testing.TB, args ...string) (addr string, kill func()) {
	tb.Helper()
	return start(tb, append([]string{"--appendonly", "yes", "--save", ""}, args...)...)
}

// start starts redis-server on a free port, and waits until it answers.
func start(tb testing.TB, args ...string) (addr string, kill func()) {
	tb.Helper()
	port := freePort(tb)
	var log bytes.Buffer
	one := exec.Command("redis-server", append(args, "--bind", "127.0.0.1", "--port", port, "--dir", tb.TempDir())...)
	one.Stdout = &log
	if err := one.Start(); err != nil {
		tb.Fatalf("start a redis-server: %v", err)
	}
	kill = sync.OnceFunc(func() {
		_ = one.Process.Kill()
		_ = one.Wait()
	})
	tb.Cleanup(func() {
		kill()
		if tb.Failed() {
			tb.Logf("redis-server on port %s:\n%s", port, log.String())
		}
	})
	addr = "127.0.0.1:" + port
	awaitCLI(tb, addr, "PONG", "ping")
	return addr, kill
}

// awaitCLI asks a node until its answer has the text.
func awaitCLI(tb testing.TB, addr, text string, command ...string) {
	tb.Helper()
	_, port, _ := net.SplitHostPort(addr)
	var out []byte
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		out, _ = exec.Command("redis-cli", append([]string{"-p", port}, command...)...).CombinedOutput()
		if bytes.Contains(out, []byte(text)) {
			return
		}
	}
	tb.Fatalf("%s does not answer %v with %s: %s", addr, command, text, out)
}

func freePort(tb testing.TB) string {
	tb.Helper()
	port, err := redisserver.FreePort()
	if err != nil {
		tb.Fatal(err)
	}
	return strconv.Itoa(port)
}
