package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"hearken"
	"hearken/channels/chat/visitor"
	"hearken/channels/email/dovecot"
	"hearken/channels/email/letter"
	"hearken/channels/email/mailtest"
	"hearken/channels/phone/carrier"
	"hearken/complaint"
	"hearken/internal/redisserver"
	"hearken/internal/redisserver/redistest"
)

// The tests in this file hold the promise to the real program, killed with
// SIGKILL at random: what was told to be received is there once.

var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "hearken-test-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "hearken")
	out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if path, err := binary(); err == nil {
		os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

// site is an installation: a folder with config.yaml and rules.yaml.
type site struct {
	t    testing.TB
	dir  string
	http string
	cmd  *exec.Cmd
}

func newSite(t testing.TB, channels, redis string) *site {
	t.Helper()
	s := &site{t: t, dir: t.TempDir()}
	s.http = port(t)
	text := fmt.Sprintf("data_dir: %s/data\nredis: {url: %q}\nhttp: {listen: %q, public_url: \"http://%s\"}\nadmin: {listen: %q}\nlog: {level: warn}\nqueue: {number_settle: 0s}\nchannels:\n%s",
		s.dir, redis, s.http, s.http, port(t), channels)
	for name, b := range map[string][]byte{"config.yaml": []byte(text), "rules.yaml": hearken.ExampleRules} {
		if err := os.WriteFile(filepath.Join(s.dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		s.stop()
		if redis == "" {
			s.stopRedis()
		}
	})
	return s
}

func port(t testing.TB) string {
	t.Helper()
	addr, err := freeAddr("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return addr
}

func (s *site) start() {
	s.t.Helper()
	path, err := binary()
	if err != nil {
		s.t.Fatal(err)
	}
	s.cmd = exec.Command(path, "serve", "-c", filepath.Join(s.dir, "config.yaml"))
	log, err := os.OpenFile(filepath.Join(s.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		s.t.Fatal(err)
	}
	defer log.Close()
	s.cmd.Stdout, s.cmd.Stderr = log, log
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
}

// kill ends the gateway as a power cut would.
func (s *site) kill() {
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
}

// stop ends it as an operator would.
func (s *site) stop() {
	if s.cmd == nil || s.cmd.ProcessState != nil {
		return
	}
	_ = s.cmd.Process.Signal(os.Interrupt)
	_ = s.cmd.Wait()
}

// stopRedis ends an own Redis that outlived its gateway.
func (s *site) stopRedis() {
	if url, err := redisserver.Known(filepath.Join(s.dir, "data", "redis")); err == nil {
		_, _ = redisCLI(url, "SHUTDOWN", "NOSAVE")
	}
}

func (s *site) redisURL() string {
	s.t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		url, err := redisserver.Known(filepath.Join(s.dir, "data", "redis"))
		if err == nil {
			return url
		}
		if time.Now().After(end) {
			s.t.Fatal(err)
		}
	}
}

// redisCLI asks Redis by redis-cli, as somebody without our code would.
func redisCLI(url string, args ...string) ([]string, error) {
	out, err := exec.Command("redis-cli", append([]string{"-u", url, "--no-auth-warning"}, args...)...).Output()
	text := strings.TrimRight(string(out), "\n")
	if text == "" {
		return nil, err
	}
	return strings.Split(text, "\n"), err
}

// leads reads the records that lead departments got, by redis-cli.
func leads(url string) ([]complaint.Record, error) {
	streams, err := redisCLI(url, "SMEMBERS", "{complaints}:departments")
	if err != nil {
		return nil, err
	}
	var out []complaint.Record
	for _, s := range streams {
		lines, err := redisCLI(url, "XRANGE", s, "-", "+")
		if err != nil {
			return nil, err
		}
		role := ""
		for i, l := range lines {
			if l == "role" {
				role = lines[i+1]
			}
			if l == "record" && role == "lead" {
				var r complaint.Record
				if err := json.Unmarshal([]byte(lines[i+1]), &r); err != nil {
					return nil, err
				}
				out = append(out, r)
			}
		}
	}
	return out, nil
}

// awaitLeads waits until n records are there, and a moment longer for ones
// that must not be.
func awaitLeads(t *testing.T, url string, n int) []complaint.Record {
	t.Helper()
	var got []complaint.Record
	for end := time.Now().Add(60 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		var err error
		if got, err = leads(url); err == nil && len(got) >= n {
			break
		}
		if time.Now().After(end) {
			dead, _ := redisCLI(url, "XLEN", "{complaints}:dead")
			groups, _ := redisCLI(url, "XINFO", "GROUPS", "{complaints}:intake")
			t.Fatalf("%d records at the lead departments, want %d (%v); dead %s; the intake's groups %s", len(got), n, err, dead, groups)
		}
	}
	time.Sleep(2 * time.Second)
	got, err := leads(url)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestMailsSurviveKills(t *testing.T) {
	const mails, kills = 300, 22
	mail, err := dovecot.New(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { mail.Stop() })
	s := newSite(t, fmt.Sprintf(`  email:
    - name: support
      address: support@example.com
      since: all
      imap: {addr: %q, tls: none, username: support, password: %q}
      processed: {move_to: Processed}
`, mail.Addr, dovecot.Password), "")
	appended := make(chan error, 1)
	go func() {
		for i := range mails {
			text := fmt.Sprintf("From: c%d@example.cn\r\nTo: support@example.com\r\nSubject: order %d\r\nMessage-ID: <%d@example.cn>\r\n\r\nparcel %d never arrived\r\n", i, i, i, i)
			if err := mail.Append("support", "INBOX", []byte(text)); err != nil {
				appended <- err
				return
			}
			time.Sleep(15 * time.Millisecond)
		}
		appended <- nil
	}()
	for range kills {
		s.start()
		time.Sleep(time.Duration(100+rand.IntN(500)) * time.Millisecond)
		s.kill()
	}
	if err := <-appended; err != nil {
		t.Fatal(err)
	}
	s.start()
	url := s.redisURL()
	got := awaitLeads(t, url, mails)
	numbers, refs := map[string]bool{}, map[string]bool{}
	for _, r := range got {
		numbers[r.Number], refs[r.Source.Ref] = true, true
	}
	if len(got) != mails || len(numbers) != mails || len(refs) != mails {
		t.Errorf("%d mails, %d kills: %d lead entries, %d numbers, %d mails in them", mails, kills, len(got), len(numbers), len(refs))
	}
	t.Logf("%d mails, %d kills: %d lead entries, %d numbers", mails, kills, len(got), len(numbers))
}

const (
	testAccount = "AC0123456789abcdef0123456789abcdef"
	testToken   = "0123456789abcdef0123456789abcdef"
)

func TestTextsAndChatsSurviveKills(t *testing.T) {
	const texts, chats, messages, kills = 60, 10, 6, 8
	redis := redistest.Start(t)
	s := newSite(t, fmt.Sprintf(`  phone:
    - {name: hotline, account_sid: %s, auth_token: %s, numbers: ["+14155550100"]}
  chat:
    - {name: web, origins: ["https://www.example.com"], max_per_ip: 1000}
`, testAccount, testToken), redis.URL())
	phones, err := carrier.New(carrier.Config{AccountSID: testAccount, AuthToken: testToken, Line: "http://" + s.http + "/phone/hotline"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { phones.Close() })
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	defer cancel()
	sids := make([]string, texts)
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := range sids {
			sids[i] = carrier.SID("SM")
			for ctx.Err() == nil { // the carrier's retries
				if got, err := phones.TextAs(ctx, sids[i], fmt.Sprintf("+86138%08d", i), "+14155550100", fmt.Sprint("包裹丢了 ", i)); err == nil && len(got) == 1 {
					break
				}
				time.Sleep(20 * time.Millisecond)
			}
			time.Sleep(50 * time.Millisecond)
		}
	})
	numbers := make([]string, chats)
	for c := range chats {
		wg.Go(func() {
			v := &visitor.Visitor{Address: "ws://" + s.http + "/chat/web/ws", Origin: "https://www.example.com", Language: "en"}
			defer v.Cut()
			for m := range messages {
				n, err := v.Tell(ctx, fmt.Sprint("m", m), fmt.Sprintf("chat %d message %d: the parcel is lost", c, m))
				if err != nil {
					t.Error(err)
				}
				if n != "" {
					numbers[c] = n
				}
				time.Sleep(time.Duration(rand.IntN(1200)) * time.Millisecond)
			}
		})
	}
	for k := range kills {
		s.start()
		if k == kills/2 {
			redis.Kill()
		}
		time.Sleep(time.Duration(300+rand.IntN(500)) * time.Millisecond)
		if k == kills/2+1 {
			redis.Up()
		}
		s.kill()
	}
	s.start()
	wg.Wait()
	if ctx.Err() != nil {
		t.Fatal("not everything got its receipt in time")
	}
	got := awaitLeads(t, redis.URL(), texts+chats*messages)
	refs := map[string]int{}
	said := map[string][]string{}
	for _, r := range got {
		refs[r.Source.Ref]++
		if r.Channel == complaint.Chat {
			said[r.Number] = append(said[r.Number], r.Narrative)
		}
	}
	for _, sid := range sids {
		if refs[sid] != 1 {
			t.Errorf("text %s is there %d times", sid, refs[sid])
		}
	}
	for c, number := range numbers {
		if len(said[number]) != messages {
			t.Errorf("chat %d, complaint %s has %q", c, number, said[number])
		}
	}
	if len(got) != texts+chats*messages || len(said) != chats {
		t.Errorf("%d records, want %d; %d chats, want %d", len(got), texts+chats*messages, len(said), chats)
	}
	t.Logf("%d texts, %d chat messages, %d kills, redis down for two of them: %d lead entries", texts, chats*messages, kills, len(got))
}

// TestForeignConsumer reads a department's stream with the shell script of
// the docs, which has nothing but redis-cli.
func TestForeignConsumer(t *testing.T) {
	redis := redistest.Start(t)
	s := newSite(t, fmt.Sprintf("  phone:\n    - {name: hotline, account_sid: %s, auth_token: %s, numbers: [\"+14155550100\"]}\n", testAccount, testToken), redis.URL())
	s.start()
	phones, err := carrier.New(carrier.Config{AccountSID: testAccount, AuthToken: testToken, Line: "http://" + s.http + "/phone/hotline"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { phones.Close() })
	for i := range 3 {
		for end := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
			if _, err := phones.Text(t.Context(), fmt.Sprintf("+86138%08d", i), "+14155550100", "快递丢件了"); err == nil {
				break
			} else if time.Now().After(end) {
				t.Fatal(err)
			}
		}
	}
	awaitLeads(t, redis.URL(), 3)
	run := func() string {
		out, err := exec.Command("bash", "../../docs/examples/consume.sh", redis.URL(), "LOG").CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return string(out)
	}
	first, second := run(), run()
	if strings.Count(first, "lead") != 3 || strings.Count(first, "DELIVERY") != 3 || strings.TrimSpace(second) != "" {
		t.Errorf("first run:\n%s\nsecond run:\n%s", first, second)
	}
}

func TestCommandLine(t *testing.T) {
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name, text string) string {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return p
	}
	good := write("config.yaml", "data_dir: "+dir+"/data\nrules: rules.yaml\n")
	rules := write("rules.yaml", string(hearken.ExampleRules))
	bad := write("bad.yaml", "data_dirr: x\nqueue: {partitions: 0}\nredis: {url: \"http://:hunter2@x\"}\n")
	badWords := write("words.yaml", "data_dir: "+dir+"/data\nrules: rules.yaml\nwords: {en: {foo.bar: x, chat.greting: x, widget.titel: x}}\n")
	badRules := write("bad-rules.yaml", strings.Replace(string(hearken.ExampleRules), "to: FIN\n", "to: FINN\n", 1))
	for _, c := range []struct {
		args []string
		code int
		want []string
	}{
		{[]string{"version"}, 0, []string{"hearken "}},
		{[]string{"--help"}, 0, []string{"serve", "demo", "call", "check", "rules", "tail", "show", "update", "dead"}},
		{nil, 0, []string{"serve"}},
		{[]string{"srve"}, 2, []string{"srve"}},
		{[]string{"serve", "--roles", "x"}, 2, []string{"neither channels nor dispatcher"}},
		{[]string{"check", "-c", good}, 0, []string{"config.yaml: ok", "tests passed"}},
		{[]string{"check", "-c", badWords}, 1, []string{"words.en: foo.bar", "chat.greting: no such text", "widget.titel"}},
		{[]string{"check", "-c", good, "--dial"}, 0, []string{"own redis"}},
		{[]string{"check", "-c", bad}, 1, []string{"bad.yaml:1:1: unknown key data_dirr; did you mean data_dir?", "bad.yaml:2:", "bad.yaml:3:"}},
		{[]string{"check", "-c", dir + "/none.yaml"}, 1, []string{"none.yaml"}},
		{[]string{"rules", "test", rules}, 0, []string{"0 failed"}},
		{[]string{"rules", "test", badRules}, 1, []string{`"FINN" is not one of the departments; did you mean FIN?`}},
		{[]string{"show", "-c", good, "2611 2300 4278"}, 2, []string{"check digit"}},
		{[]string{"show", "-c", good, "261123004279"}, 1, []string{"hearken serve"}},
		{[]string{"update", "-c", good, "261123004279", "--status", "x"}, 1, []string{"hearken serve"}},
		{[]string{"dead", "retry", "-c", good}, 2, []string{"--all"}},
	} {
		out, err := exec.Command(path, c.args...).CombinedOutput()
		code := 0
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			code = exit.ExitCode()
		}
		if code != c.code || strings.Contains(string(out), "hunter2") {
			t.Errorf("%v: exit code %d, want %d: %s", c.args, code, c.code, out)
		}
		for _, want := range c.want {
			if !strings.Contains(string(out), want) {
				t.Errorf("%v: no %q in: %s", c.args, want, out)
			}
		}
	}
}

// TestWholeWay sends a mail's worth of commands through a running gateway.
func TestWholeWay(t *testing.T) {
	s := newSite(t, fmt.Sprintf("  phone:\n    - {name: hotline, account_sid: %s, auth_token: %s, numbers: [\"+14155550100\"], base_url: BASE}\n", testAccount, testToken), "")
	phones, err := carrier.New(carrier.Config{AccountSID: testAccount, AuthToken: testToken, Line: "http://" + s.http + "/phone/hotline"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { phones.Close() })
	path := filepath.Join(s.dir, "config.yaml")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(string(text), "BASE", phones.URL(), 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	s.start()
	var answer []string
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if answer, err = phones.Text(t.Context(), "+8613812345678", "+14155550100", "我被扣了两次钱, 请退款"); err == nil {
			break
		} else if time.Now().After(end) {
			t.Fatal(err)
		}
	}
	r := awaitLeads(t, s.redisURL(), 1)[0]
	if !strings.Contains(answer[0], complaint.Grouped(r.Number)) || r.Route.Department != "FIN" || r.Type != "BILLING" || r.Complainant.Phone != "+8613812345678" {
		t.Errorf("answered %q, record %+v", answer, r)
	}
	do := func(args ...string) string {
		bin, _ := binary()
		out, err := exec.Command(bin, append(args, "-c", path)...).CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %v: %s", args, err, out)
		}
		return string(out)
	}
	if out := do("show", complaint.Grouped(r.Number)); !strings.Contains(out, "FIN") || !strings.Contains(out, "扣了两次") {
		t.Errorf("show: %s", out)
	}
	do("update", r.Number, "--status", "plan_decided", "--message", "会退款", "--by", "test")
	for end := time.Now().Add(20 * time.Second); len(phones.Sent()) == 0; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the customer got no answer")
		}
	}
	if got := phones.Sent(); len(got) != 1 || got[0].To != "+8613812345678" || !strings.Contains(got[0].Body, "会退款") {
		t.Errorf("sent %+v", got)
	}
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if out := do("show", r.Number); strings.Contains(out, "replied") && strings.Contains(out, "plan_decided") {
			break
		} else if time.Now().After(end) {
			t.Fatalf("show: %s", out)
		}
	}
	if _, err := redisCLI(s.redisURL(), "XADD", "{complaints}:updates", "*", "number", "123", "status", "x"); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(10 * time.Second); !strings.Contains(do("dead", "list"), "no complaint has the number"); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("an update without a complaint is not on the dead stream")
		}
	}
	s.stop()
	if _, err := redisCLI(s.redisURL(), "PING"); err == nil {
		t.Error("the own redis outlives its gateway")
	}
	log, err := os.ReadFile(filepath.Join(s.dir, "log"))
	if err != nil || slices.ContainsFunc([]string{"13812345678", "扣了两次", testToken}, func(secret string) bool { return strings.Contains(string(log), secret) }) {
		t.Errorf("the log has a customer's words, number or a secret (%v):\n%s", err, log)
	}
}

// TestAnswerFollowsTheCustomer has a department answer a chat that is closed:
// the answer goes to the mail address that the customer left.
func TestAnswerFollowsTheCustomer(t *testing.T) {
	mail, err := mailtest.Start(mailtest.Account{Address: "support@example.com", Password: "pw"}, mailtest.Account{Address: "zhao@example.cn", Password: "pw"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { mail.Close() })
	s := newSite(t, fmt.Sprintf(`  email:
    - name: support
      address: support@example.com
      imap: {addr: %q, tls: none, username: support@example.com, password: pw}
      smtp: {addr: %q, tls: none}
  chat:
    - {name: web, origins: ["https://www.example.com"]}
`, mail.IMAPAddr, mail.SMTPAddr), "")
	s.start()
	ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
	defer cancel()
	heard := make(chan string, 10)
	v := &visitor.Visitor{
		Address: "ws://" + s.http + "/chat/web/ws", Origin: "https://www.example.com", Language: "zh",
		Say: func(from, text string) { heard <- from + ": " + text },
	}
	defer v.Cut()
	if err := v.Introduce(ctx, "赵敏", "zhao@example.cn", ""); err != nil {
		t.Fatal(err)
	}
	number, err := v.Tell(ctx, "1", "我的包裹丢了")
	if err != nil || number == "" {
		t.Fatalf("number %q, %v", number, err)
	}
	bin, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	update := func(text string) {
		out, err := exec.Command(bin, "update", "-c", filepath.Join(s.dir, "config.yaml"), number, "--status", "in_progress", "--message", text).CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	awaitLeads(t, s.redisURL(), 1)
	update("正在查找包裹")
	if err := v.Listen(ctx, "正在查找包裹"); err != nil {
		t.Fatalf("the open window did not get the answer: %v", err)
	}
	if err := v.End(ctx); err != nil {
		t.Fatal(err)
	}
	update("包裹找到了")
	got, err := mail.Await(ctx, "zhao@example.cn", 1)
	if err != nil {
		t.Fatal(err)
	}
	l, err := letter.Read(bytes.NewReader(got[0]), noFiles{}, letter.DefaultLimits)
	if err != nil || !strings.Contains(l.Text, "包裹找到了") || !strings.Contains(l.Subject, complaint.Tag(number)) {
		t.Errorf("mail %+v, %v", l, err)
	}
}
