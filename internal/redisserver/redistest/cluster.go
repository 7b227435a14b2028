package redistest

import (
	"bytes"
	"fmt"
	"net"
	"os/exec"
	"strings"
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
		port, bus := freePort(tb), freePort(tb)
		dir := tb.TempDir()
		var log bytes.Buffer
		node := exec.Command("redis-server", "--bind", "127.0.0.1", "--port", port, "--cluster-enabled", "yes", "--cluster-port", bus,
			"--cluster-node-timeout", "2000", "--appendonly", "yes", "--save", "", "--dir", dir)
		node.Stdout = &log
		if err := node.Start(); err != nil {
			tb.Fatalf("start a node of a cluster: %v", err)
		}
		tb.Cleanup(func() {
			_ = node.Process.Kill()
			_ = node.Wait()
			if tb.Failed() {
				tb.Logf("node %s:\n%s", port, log.String())
			}
		})
		addrs = append(addrs, "127.0.0.1:"+port)
	}
	for _, addr := range addrs {
		awaitCLI(tb, addr, "PONG", "ping")
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
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer l.Close()
	return fmt.Sprint(l.Addr().(*net.TCPAddr).Port)
}
