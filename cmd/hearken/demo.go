package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"hearken"
	"hearken/channels/chat"
	"hearken/channels/chat/visitor"
	"hearken/channels/email"
	"hearken/channels/email/letter"
	"hearken/channels/email/mailtest"
	"hearken/channels/phone"
	"hearken/channels/phone/carrier"
	"hearken/complaint"
	"hearken/config"
	"hearken/internal/secret"
)

type demoCmd struct {
	For     time.Duration `help:"Stop by itself after so long; without it, run until interrupted."`
	Pause   time.Duration `default:"1500ms" help:"Between two customers."`
	DataDir string        `type:"path" help:"Keep the data here; without it, a temporary folder is used and removed."`
	Listen  string        `default:"127.0.0.1:8080" help:"Where the chat page is; another port is taken if this one is in use."`
}

const (
	demoMailbox = "support@example.com"
	demoLine    = "+14155550100"
	demoAccount = "AC00000000000000000000000000000000"
)

func (c *demoCmd) Run(ctx context.Context, s *streams) (err error) {
	if c.For > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.For)
		defer cancel()
	}
	dir := c.DataDir
	if dir == "" {
		if dir, err = os.MkdirTemp("", "hearken-demo-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	}
	d := &demo{out: s, pause: c.Pause, token: "demo" + strings.Repeat("0", 28)}
	return d.run(ctx, dir, c.Listen)
}

// demo is a gateway with a world around it.
type demo struct {
	out     *streams
	pause   time.Duration
	token   string
	mail    *mailtest.Server
	carrier *carrier.Carrier
	http    string // host:port
	mu      sync.Mutex
}

func (d *demo) say(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	fmt.Fprintf(d.out.out, format+"\n", args...)
}

func (d *demo) run(ctx context.Context, dir, listen string) (err error) {
	if d.http, err = freeAddr(listen); err != nil {
		return err
	}
	accounts := []mailtest.Account{{Address: demoMailbox, Password: d.token}}
	for _, p := range mailers {
		accounts = append(accounts, mailtest.Account{Address: p.address, Password: d.token})
	}
	if d.mail, err = mailtest.Start(accounts...); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.mail.Close()) }()
	if d.carrier, err = carrier.New(carrier.Config{AccountSID: demoAccount, AuthToken: d.token, Line: "http://" + d.http + "/phone/hotline"}); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.carrier.Close()) }()
	cfg, err := d.config(dir)
	if err != nil {
		return err
	}
	logs, err := os.Create(filepath.Join(dir, "hearken.log"))
	if err != nil {
		return err
	}
	defer logs.Close()
	p, err := assemble(ctx, cfg, []string{roleChannels, roleDispatcher}, slog.New(slog.NewTextHandler(logs, nil)))
	if err != nil {
		return err
	}
	p.group.Add("world", func(ctx context.Context) error { return d.world(ctx, p) })
	d.greet(cfg, logs.Name())
	return p.run(ctx)
}

func (d *demo) greet(cfg *config.Config, logs string) {
	d.say("%s  customers mail, phone and chat; every line is a record on a department's stream", d.out.paint("1", "Hearken demo"))
	d.say("  chat with it yourself:  %s", d.out.paint("4", "http://"+d.http+"/chat/web/"))
	d.say("  metrics and readiness:  http://%s/metrics  http://%s/readyz", cfg.Admin.Listen, cfg.Admin.Listen)
	d.say("  log: %s        stop: Ctrl-C\n", logs)
}

// freeAddr is the address, or one beside it where its port is in use.
func freeAddr(addr string) (string, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return "", usage{fmt.Errorf("--listen: %w", err)}
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		if l, err = net.Listen("tcp", net.JoinHostPort(host, "0")); err != nil {
			return "", fmt.Errorf("find a port for the demo: %w", err)
		}
	}
	defer l.Close()
	return l.Addr().String(), nil
}

func (d *demo) config(dir string) (*config.Config, error) {
	rules := filepath.Join(dir, "rules.yaml")
	if _, err := os.Stat(rules); errors.Is(err, os.ErrNotExist) {
		if err := os.WriteFile(rules, hearken.ExampleRules, 0o600); err != nil {
			return nil, err
		}
	}
	admin, err := freeAddr("127.0.0.1:8081")
	if err != nil {
		return nil, err
	}
	cfg := config.Default()
	cfg.DataDir, cfg.Rules, cfg.HTTP.Listen, cfg.HTTP.PublicURL, cfg.Admin.Listen = dir, rules, d.http, "http://"+d.http, admin
	if cfg.Location, err = time.LoadLocation(cfg.Timezone); err != nil {
		return nil, err
	}
	cfg.Channels.Email = []email.Config{{
		Name: "support", Address: demoMailbox, Since: "all", Processed: email.Processed{MoveTo: "Processed"},
		IMAP: email.IMAP{Addr: d.mail.IMAPAddr, TLS: "none", Username: demoMailbox, Password: secret.New(d.token)},
		SMTP: email.SMTP{Addr: d.mail.SMTPAddr, TLS: "none"},
	}}
	cfg.Channels.Phone = []phone.Config{{
		Name: "hotline", AccountSID: demoAccount, AuthToken: secret.New(d.token), Numbers: []string{demoLine}, BaseURL: d.carrier.URL(), EndWait: 3 * time.Second,
		Transcription: phone.Transcription{By: "http", URL: d.carrier.TranscribeURL()},
	}}
	cfg.Channels.Chat = []chat.Config{{Name: "web"}}
	return &cfg, nil
}

// world is everybody around the gateway: customers, a department that
// answers, and whoever watches.
func (d *demo) world(ctx context.Context, p *process) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return d.watch(ctx, p) })
	g.Go(func() error { d.customers(ctx); <-ctx.Done(); return nil })
	g.Go(func() error { d.listenAtMail(ctx); return nil })
	return g.Wait()
}

// watch shows records as they reach a lead department, and answers some of
// them as a department would.
func (d *demo) watch(ctx context.Context, p *process) error {
	n := 0
	return p.client.Tail(ctx, func(department, role string, r complaint.Record) {
		if department == "" || role != "lead" {
			return
		}
		d.say("%s", d.out.line(department, role, r))
		if n++; r.Event != complaint.Registered || n%2 == 0 {
			return
		}
		text := map[bool]string{true: "您的投诉已由" + department + "受理，我们会尽快给您答复。", false: "Department " + department + " has taken up your complaint and will answer soon."}[r.Complainant.Language == "zh"]
		u := complaint.Update{Number: r.Number, Status: "in_progress", Message: text, By: "demo"}
		if _, err := p.client.Update(ctx, u); err != nil && ctx.Err() == nil {
			p.log.Warn("demo: write an update", "err", err)
		}
	})
}

// heard shows what reaches a customer.
func (d *demo) heard(by, who, text string) {
	text = strings.Join(strings.Fields(plain(text)), " ")
	if r := []rune(text); len(r) > 110 {
		text = string(r[:110]) + "…"
	}
	d.say("%s", d.out.paint("2", fmt.Sprintf("          ↩ %s to %s: %s", by, who, text)))
}

type mailer struct{ address, name, subject, text string }

var mailers = []mailer{
	{"zhang@example.cn", "张伟", "重复扣款", "你好，订单号 2026112300417 被扣了两次钱，一共 398 元，请尽快退款。\n\n张伟\n13812345678"},
	{"jones@example.com", "Pat Jones", "Parcel never arrived", "Hello,\n\nmy parcel never arrived and the courier does not answer. Order #AB12345. I want a refund of $49.99.\n\n-- \nPat Jones"},
	{"li@example.cn", "李娜", "电热水壶漏电", "你们的电热水壶漏电，我妈妈被烫伤住院了！再不处理我就找律师起诉你们。"},
	{"smith@example.com", "Chris Smith", "Your staff was rude", "The man at the counter was rude and insulted me in front of my child. I expect an apology."},
	{"wang@example.cn", "王芳", "App打不开", "App一直闪退，登录不了，里面还有余额，谁来管？"},
}

var callers = []struct {
	from   string
	digits []string
	speech string
	hangs  string
	silent bool
}{
	{from: "+8613912345678", digits: []string{"1"}, speech: "我上周被重复扣款，要求退款，不然我就起诉"},
	{from: "+442079460958", digits: []string{"2"}, speech: "I was charged twice for my subscription, please refund me"},
	{from: "+8613712345678", digits: []string{"1"}, hangs: carrier.DuringRecording},
	{from: "+442079460321", digits: []string{"2"}, silent: true},
}

var texters = []struct{ from, body string }{
	{"+8613612345678", "快递三天没更新，包裹丢件了"},
	{"+442079460777", "There was a data breach and my personal data was sold"},
	{"+8613612345678", "订单号 2026112300888，请赔偿"},
}

var chatters = []struct {
	language, name, email string
	lines                 []string
}{
	{"zh", "赵敏", "zhao@example.cn", []string{"你好，在吗？", "我买的手机是翻新机，明显假货", "订单号 2026112300999，要求退一赔三"}},
	{"en", "Sam Lee", "lee@example.com", []string{"Hello, anyone there?", "My account was hacked and there is an unauthorised transaction of £120"}},
}

// customers come one after another, over all channels, until all have been.
func (d *demo) customers(ctx context.Context) {
	steps := max(len(mailers), len(callers), len(texters), len(chatters))
	for i := range steps {
		if i < len(mailers) {
			d.next(ctx, "a mail", func() error { return d.mail.Deliver(demoMailbox, compose(mailers[i])) })
		}
		if i < len(texters) {
			d.next(ctx, "a text", func() error { return d.text(ctx, texters[i].from, texters[i].body) })
		}
		if i < len(callers) {
			d.next(ctx, "a call", func() error { return d.call(ctx, i) })
		}
		if i < len(chatters) {
			d.next(ctx, "a chat", func() error { return d.chat(ctx, i) })
		}
	}
	if ctx.Err() == nil {
		d.say("\nAll customers have been. The chat page is still there: %s", d.out.paint("4", "http://"+d.http+"/chat/web/"))
	}
}

func (d *demo) next(ctx context.Context, what string, do func() error) {
	select {
	case <-ctx.Done():
		return
	case <-time.After(d.pause):
	}
	if err := do(); err != nil && ctx.Err() == nil {
		d.say("%s", d.out.paint("31", "demo: "+what+" failed: "+err.Error()))
	}
}

func compose(m mailer) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "From: =?utf-8?q?%s?= <%s>\r\nTo: %s\r\nSubject: =?utf-8?q?%s?=\r\n", qEncode(m.name), m.address, demoMailbox, qEncode(m.subject))
	fmt.Fprintf(&b, "Date: %s\r\nMessage-ID: <%d.%s>\r\n", time.Now().Format(time.RFC1123Z), time.Now().UnixNano(), m.address)
	fmt.Fprintf(&b, "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n%s\r\n", strings.ReplaceAll(m.text, "\n", "\r\n"))
	return []byte(b.String())
}

// qEncode is the inside of an encoded word (RFC 2047 section 4.2).
func qEncode(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		fmt.Fprintf(&b, "=%02X", c)
	}
	return b.String()
}

func (d *demo) text(ctx context.Context, from, body string) error {
	answers, err := d.carrier.Text(ctx, from, demoLine, body)
	for _, a := range answers {
		d.heard("text", from, a)
	}
	return err
}

func (d *demo) call(ctx context.Context, i int) error {
	c := callers[i]
	who := &carrier.Caller{Keys: c.digits, Seconds: 4, Words: c.speech, HangsUp: c.hangs}
	if c.silent {
		who.Seconds = 0
	}
	_, err := d.carrier.Phone(ctx, carrier.Call{From: c.from, To: demoLine, Person: who})
	for _, line := range who.Said {
		if strings.ContainsAny(line, "幺二三四五六七八九") || strings.Contains(line, "number is") {
			d.heard("voice", c.from, line)
		}
	}
	return err
}

func (d *demo) chat(ctx context.Context, i int) error {
	c := chatters[i]
	v := &visitor.Visitor{
		Address: "ws://" + d.http + "/chat/web/ws", Origin: "http://" + d.http, Language: c.language,
		Say: func(from, text string) { d.heard("chat ("+from+")", c.name, text) },
	}
	defer v.Cut()
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	if err := v.Introduce(ctx, c.name, c.email, ""); err != nil {
		return err
	}
	for n, line := range c.lines {
		if _, err := v.Tell(ctx, fmt.Sprint("demo-", n), line); err != nil {
			return err
		}
	}
	listen, done := context.WithTimeout(ctx, 2*time.Second)
	defer done()
	_ = v.Listen(listen, "\x00nothing") // whatever is said in the meantime
	return nil
}

// listenAtMail shows the mails that customers get.
func (d *demo) listenAtMail(ctx context.Context) {
	var wg sync.WaitGroup
	for _, m := range mailers {
		wg.Go(func() {
			for n := 1; ctx.Err() == nil; n++ {
				got, err := d.mail.Await(ctx, m.address, n)
				if err != nil || len(got) < n {
					return
				}
				d.heard("mail", m.address, mailText(got[n-1]))
			}
		})
	}
	wg.Wait()
}

// mailText is a mail's text, for the eye.
func mailText(raw []byte) string {
	l, err := letter.Read(bytes.NewReader(raw), noFiles{}, letter.DefaultLimits)
	if err != nil {
		return "(a mail)"
	}
	return l.Text
}

// noFiles drops attachments.
type noFiles struct{}

func (noFiles) Put(r io.Reader, limit int64) (complaint.Blob, error) {
	n, err := io.Copy(io.Discard, io.LimitReader(r, limit))
	return complaint.Blob{Size: n}, err
}
