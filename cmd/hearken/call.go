package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"hearken"
	"hearken/channels"
	"hearken/channels/phone"
	"hearken/channels/phone/carrier"
	"hearken/complaint"
	"hearken/config"
	"hearken/internal/secret"
)

// callCmd is a rehearsal: a gateway of its own, with the dialogue, words and
// rules of the configuration, a simulated carrier, and data that is thrown
// away. Nothing of a running gateway is touched.
type callCmd struct {
	Config string        `short:"c" type:"path" help:"The configuration whose line is phoned; without it, an example."`
	Line   string        `help:"The name of the line; the first one without it."`
	From   string        `default:"+8613912345678" help:"The caller's number; anonymous withholds it."`
	After  time.Duration `default:"3s" help:"Go on showing what comes of the call until nothing has for so long."`

	in io.Reader // os.Stdin
}

func (c *callCmd) Run(ctx context.Context, s *streams) (err error) {
	dir, err := os.MkdirTemp("", "hearken-call-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	cfg, line, err := c.rehearsal(dir)
	if err != nil {
		return err
	}
	phones, err := carrier.New(carrier.Config{AccountSID: line.AccountSID, AuthToken: line.AuthToken.Reveal(), Line: cfg.HTTP.PublicURL + "/phone/" + line.Name})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, phones.Close()) }()
	line.BaseURL, line.EndWait, line.Reconcile.Every = phones.URL(), time.Second, -1
	line.Transcription = phone.Transcription{By: "http", URL: phones.TranscribeURL()}
	cfg.Channels = channels.Config{Phone: []phone.Config{line}}
	logs, err := os.Create(filepath.Join(dir, "hearken.log"))
	if err != nil {
		return err
	}
	defer logs.Close()
	p, err := assemble(ctx, cfg, []string{roleChannels, roleDispatcher}, slog.New(slog.NewTextHandler(logs, nil)))
	if err != nil {
		return err
	}
	ctx, hangUp := context.WithCancel(ctx)
	defer hangUp()
	var failed error
	p.group.Add("call", func(ctx context.Context) error {
		defer hangUp()
		failed = c.phone(ctx, s, p, phones, line.Numbers[0])
		return nil
	})
	return errors.Join(p.run(ctx), failed)
}

// rehearsal is the configuration, turned away from the world.
func (c *callCmd) rehearsal(dir string) (*config.Config, phone.Config, error) {
	cfg := new(config.Config)
	*cfg = config.Default()
	cfg.Channels.Phone = []phone.Config{{
		Name: "hotline", Numbers: []string{demoLine},
		Menu: []phone.Choice{{Digit: "1", Type: "BILLING", Name: map[string]string{"zh": "计费问题", "en": "billing"}}, {Digit: "2", Type: "DELIVERY", Name: map[string]string{"zh": "配送问题", "en": "delivery"}}},
	}}
	rules := filepath.Join(dir, "rules.yaml")
	if c.Config != "" {
		var err error
		if cfg, err = config.Load(c.Config); err != nil {
			return nil, phone.Config{}, err
		}
		rules = beside(c.Config, cfg.Rules)
	} else if err := os.WriteFile(rules, hearken.ExampleRules, 0o600); err != nil {
		return nil, phone.Config{}, err
	}
	var line phone.Config
	for _, one := range cfg.Channels.Phone {
		if one.Provider != phone.ProviderWebhook && line.Name == "" && (c.Line == "" || one.Name == c.Line) {
			line = one
		}
	}
	if line.Name == "" {
		return nil, line, usage{fmt.Errorf("--line: the configuration has no line %q with a dialogue", c.Line)}
	}
	line.Provider, line.AccountSID, line.AuthToken = "twilio", demoAccount, secret.New(strings.Repeat("0", 32))
	line.NextAuthToken, line.Signature, line.Parameters = secret.Value{}, phone.Signature{}, nil
	http, err := freeAddr("127.0.0.1:0")
	if err != nil {
		return nil, line, err
	}
	admin, err := freeAddr("127.0.0.1:0")
	if err != nil {
		return nil, line, err
	}
	cfg.DataDir, cfg.Rules, cfg.Redis.URL, cfg.Secret = dir, rules, secret.Value{}, secret.Value{}
	cfg.HTTP, cfg.Admin.Listen = config.HTTP{Listen: http, PublicURL: "http://" + http}, admin
	cfg.Location, err = time.LoadLocation(cfg.Timezone)
	return cfg, line, err
}

// phone makes the call, and shows what comes of it.
func (c *callCmd) phone(ctx context.Context, s *streams, p *process, phones *carrier.Carrier, to string) error {
	if c.in == nil {
		c.in = os.Stdin
	}
	t := newTerminal(ctx, s, c.in)
	watched, news := make(chan error, 1), make(chan bool, 1)
	var numbers numbersSeen
	watching, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		watched <- p.client.Tail(watching, func(department, role string, r complaint.Record) {
			if department != "" && role == "lead" {
				numbers.add(r.Number)
				t.print("", s.line(department, role, r))
				select {
				case news <- true:
				default:
				}
			}
		})
	}()
	t.print("2", "Enter waits; digits, * and # are keys; /h hangs up. "+c.From+" phones "+to+" ...")
	_, err := phones.Phone(ctx, carrier.Call{From: c.From, To: to, Person: t})
	if ctx.Err() != nil {
		stop()
		<-watched
		t.print("2", "\nInterrupted; the call is thrown away.")
		return nil
	}
	t.print("2", "The call is over. What comes of it:")
	for quiet := false; !quiet && ctx.Err() == nil; {
		select {
		case <-ctx.Done():
		case <-news:
		case <-time.After(c.After):
			quiet = true
		}
	}
	stop()
	err = errors.Join(err, <-watched)
	for _, m := range phones.Sent() {
		t.print("2", "text message to "+m.To+": "+m.Body)
	}
	for _, number := range numbers.all() {
		k, e := p.client.Complaint(ctx, number)
		if e == nil {
			fmt.Fprintln(s.out)
			s.show(k)
		}
		err = errors.Join(err, e)
	}
	return err
}

// numbersSeen are complaint numbers, in order.
type numbersSeen struct {
	mu   sync.Mutex
	list []string
}

func (n *numbersSeen) add(number string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, have := range n.list {
		if have == number {
			return
		}
	}
	n.list = append(n.list, number)
}

func (n *numbersSeen) all() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]string(nil), n.list...)
}

// terminal is a caller who reads and types.
type terminal struct {
	ctx   context.Context
	s     *streams
	lines chan string
	mu    sync.Mutex
}

func newTerminal(ctx context.Context, s *streams, in io.Reader) *terminal {
	t := &terminal{ctx: ctx, s: s, lines: make(chan string)}
	go func() { // a terminal can't be left while it is read: this ends with the input, or the process
		defer close(t.lines)
		for scan := bufio.NewScanner(in); scan.Scan(); {
			select {
			case t.lines <- strings.TrimSpace(scan.Text()):
			case <-ctx.Done():
				return
			}
		}
	}()
	return t
}

func (t *terminal) print(colour, text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if colour != "" {
		text = t.s.paint(colour, text)
	}
	fmt.Fprintln(t.s.out, text)
}

// hangUpWord ends the call, alone or behind what was said.
const hangUpWord = "/h"

// read asks for a line; ok is false where the caller hangs up.
func (t *terminal) read(prompt string) (line string, ok bool) {
	t.mu.Lock()
	fmt.Fprint(t.s.out, t.s.paint("2", prompt+"> "))
	t.mu.Unlock()
	select {
	case <-t.ctx.Done():
		return "", false
	case line, ok = <-t.lines:
	}
	rest, hung := strings.CutSuffix(line, hangUpWord)
	return strings.TrimSpace(rest), ok && !hung
}

// Hear implements carrier.Person.
func (t *terminal) Hear(text string) bool {
	t.print("36", "☎ "+text)
	return t.ctx.Err() == nil
}

// Press implements carrier.Person.
func (t *terminal) Press(_ int, speech bool) (keys, words string, ok bool) {
	if speech {
		words, ok = t.read("say")
		return "", words, ok || words != ""
	}
	for {
		if keys, ok = t.read("keys"); !ok || strings.Trim(keys, "0123456789*# -") == "" {
			return keys, "", ok
		}
		t.print("2", "A telephone has the keys 0 to 9, * and #; the time to speak comes later.")
	}
}

// Speak implements carrier.Person. Whoever says something and hangs up behind
// it has left a message.
func (t *terminal) Speak() (seconds int, words string, stays bool) {
	words, stays = t.read("say")
	if words == "" {
		return 0, "", stays
	}
	return 1 + len([]rune(words))/5, words, stays
}

// Dial implements carrier.Person.
func (t *terminal) Dial(to string) (status string, ok bool) {
	answer, ok := t.read("it rings at " + to + "; does somebody answer? y/n")
	if strings.HasPrefix(strings.ToLower(answer), "y") {
		return "completed", ok
	}
	return "no-answer", ok
}
