package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"hearken/complaint"
)

// hostPage is a page of somebody's site: a strict policy, and styles that
// would spoil whatever they reached; /rtl runs from right to left and unsets
// all that can be, /head has the tag where there is no body yet.
func hostPage(gateway string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/spoil.css" {
			w.Header().Set("Content-Type", "text/css")
			_, _ = io.WriteString(w, `* { color: #600 !important; float: left; font-size: 30px !important } p, button { display: none !important } h1 { display: block }
[dir=rtl] * { all: unset !important; direction: rtl !important; font-size: 30px !important }`)
			return
		}
		tag := `<script src="http://` + gateway + `/chat/widget.js" data-site="web" data-privacy="https://www.example.com/privacy" `
		head, dir, body := "", "ltr", tag+"async></script>"
		switch r.URL.Path {
		case "/rtl":
			dir = "rtl"
		case "/head":
			head, body = tag+"></script>", ""
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", fmt.Sprintf("default-src 'none'; script-src http://%[1]s; connect-src http://%[1]s ws://%[1]s; style-src 'self'; require-trusted-types-for 'script'", gateway))
		_, _ = fmt.Fprintf(w, `<!doctype html><html lang="zh" dir="%s"><meta name="viewport" content="width=device-width"><title>shop</title><link rel="stylesheet" href="/spoil.css">%s
<main><h1>商店</h1></main>%s</html>`, dir, head, body)
	})
}

// chatInABrowser lets a script use the widget on somebody's page, in Chromium.
// With HEARKEN_SHOTS=folder the screenshots stay there.
func chatInABrowser(t *testing.T, script, options string) *site {
	t.Helper()
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal("chromium is missing; run scripts/install test: ", err)
	}
	page := httptest.NewUnstartedServer(nil)
	origin := "http://" + page.Listener.Addr().String()
	s := newSite(t, fmt.Sprintf("  chat:\n    - {name: web, origins: [%q]%s}\n", origin, options), "")
	page.Config.Handler = hostPage(s.http)
	page.Start()
	t.Cleanup(page.Close)
	s.start()
	awaitHTTP(t, s)
	shots := os.Getenv("HEARKEN_SHOTS")
	if shots == "" {
		shots = t.TempDir()
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Second)
	defer cancel()
	drive(ctx, t, s, chromium, shots, script, "http://"+s.http, origin)
	return s
}

// TestChatOnOtherPeoplesPages holds the widget to what pages and customers do
// to it.
func TestChatOnOtherPeoplesPages(t *testing.T) {
	s := chatInABrowser(t, "pages.mjs", ", max_file: 200000")
	var files, numbers []string
	var long int
	for _, r := range awaitLeads(t, s.redisURL(), 10) {
		for _, a := range r.Attachments {
			files = append(files, a.Filename)
		}
		if !slices.Contains(numbers, r.Number) {
			numbers = append(numbers, r.Number)
		}
		if strings.Contains(r.Narrative, "a long story") {
			long += strings.Count(r.Narrative, "long")
		}
	}
	if !slices.Equal(files, []string{"photo 1.txt"}) || len(numbers) != 5 || long != 500 {
		t.Errorf("files %q, complaints %q, %d of 500 words of a long message", files, numbers, long)
	}
}

// TestChatInABrowser holds the widget to a customer's whole conversation.
func TestChatInABrowser(t *testing.T) {
	s := chatInABrowser(t, "chat.mjs", "")
	got := awaitLeads(t, s.redisURL(), 8)
	slices.SortStableFunc(got, func(a, b complaint.Record) int { return a.ReceivedAt.Compare(b.ReceivedAt) })
	var said []string
	for _, r := range got[:min(len(got), 7)] {
		if r.Number != got[0].Number {
			t.Errorf("%q is under %s, not %s", r.Narrative, r.Number, got[0].Number)
		}
		said = append(said, r.Narrative)
		for _, a := range r.Attachments {
			said = append(said, fmt.Sprint(a.Filename, " ", a.Size))
		}
	}
	want := []string{
		"我的包裹丢了，订单 88231，请退款", "隧道里的第一句", "隧道里的第二句", "网关停了的时候写的", "第二个窗口写的",
		"发票 1.txt", "发票 1.txt 400000", "照片.png", "照片.png 5",
	}
	if !slices.Equal(said, want) {
		t.Errorf("the complaint has %q, want %q", said, want)
	}
	if len(got) != 8 || got[7].Complainant.Email != "ann@example.com" {
		t.Errorf("%d records, the last of %q", len(got), got[len(got)-1].Complainant.Email)
	}
}

// drive runs the script and does what it asks for.
func drive(ctx context.Context, t *testing.T, s *site, chromium, shots, script string, args ...string) {
	t.Helper()
	node := exec.CommandContext(ctx, "node", append(append([]string{script}, args...), shots)...)
	node.Dir, node.Stderr = "browser", os.Stderr
	node.Env = append(os.Environ(), "CHROMIUM="+chromium)
	node.Cancel = func() error { return node.Process.Signal(os.Interrupt) } // it closes its browser
	node.WaitDelay = 10 * time.Second
	in, err := node.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := node.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := node.Start(); err != nil {
		t.Fatal("start the browser's script; run scripts/install test: ", err)
	}
	passed := false
	for lines := bufio.NewScanner(out); lines.Scan(); {
		t.Log(lines.Text())
		words := strings.SplitN(lines.Text(), " ", 4)
		switch {
		case words[0] == "passed":
			passed = true
		case words[0] != "ask":
			continue
		case words[1] == "kill":
			s.kill()
		case words[1] == "start":
			s.start()
			awaitHTTP(t, s)
		case words[1] == "update":
			path, err := binary()
			if err != nil {
				t.Fatal(err)
			}
			awaitLeads(t, s.redisURL(), 1)
			if b, err := exec.Command(path, "update", "-c", filepath.Join(s.dir, "config.yaml"), words[2], "--status", "in_progress", "--message", words[3]).CombinedOutput(); err != nil {
				t.Errorf("update: %v: %s", err, b)
			}
		}
		if words[0] == "ask" {
			_, _ = io.WriteString(in, "done\n")
		}
	}
	if err := node.Wait(); err != nil || !passed {
		t.Fatalf("the browser's script failed: %v (screenshots in %s)", err, shots)
	}
}
