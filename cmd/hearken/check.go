package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"time"

	"hearken/channels"
	"hearken/config"
	"hearken/internal/redisserver"
)

type checkCmd struct {
	Config string `short:"c" default:"config.yaml" type:"path" help:"The configuration file."`
	Dial   bool   `help:"Also connect to Redis and to the mail servers."`
	JSON   bool   `name:"json" help:"As JSON: what was checked, and what is wrong."`
}

// askWait bounds how long a check asks running processes for their rules.
const askWait = 2 * time.Second

// checked is one line of a check.
type checked struct {
	What     string   `json:"what"`
	Note     string   `json:"note,omitempty"`
	Warnings []string `json:"warnings,omitempty"`
	Error    string   `json:"error,omitempty"`
}

// saying tells what came of a check: a note, what should be seen to, or what
// is wrong.
type saying func(what, note string, err error, warnings ...string)

func (c *checkCmd) Run(ctx context.Context, s *streams) error {
	var all []checked
	var errs []error
	say := func(what, note string, err error, warnings ...string) {
		one := checked{What: what, Note: note, Warnings: warnings}
		if err != nil {
			one.Error = err.Error()
			errs = append(errs, err)
		}
		all = append(all, one)
		if err == nil && !c.JSON {
			fmt.Fprintln(s.out, strings.TrimSuffix(what+": ok: "+note, ": "))
			for _, w := range warnings {
				fmt.Fprintln(s.out, what+": WARNING: "+w)
			}
		}
	}
	cfg, err := config.Load(c.Config)
	if err != nil {
		say(c.Config, "", err)
	} else {
		say(c.Config, fmt.Sprintf("%d mailboxes, %d lines, %d chats", len(cfg.Channels.Email), len(cfg.Channels.Phone), len(cfg.Channels.Chat)), nil)
		if err := channels.CheckWords(cfg.Words); err != nil {
			say("words", "", err)
		}
		checkRules(ctx, beside(c.Config, cfg.Rules), cfg, say)
		if c.Dial {
			dialAll(ctx, cfg, say)
		}
	}
	if c.JSON {
		errs = append(errs, json.NewEncoder(s.out).Encode(all))
	}
	return errors.Join(errs...)
}

func checkRules(ctx context.Context, path string, cfg *config.Config, say saying) {
	rules, err := config.LoadRules(path)
	if err != nil {
		say(path, "", err)
		return
	}
	if err := cfg.Against(rules); err != nil {
		say("config and rules", "", err)
	}
	note := fmt.Sprintf("version %s, %d departments, %d tests passed", rules.Version, len(rules.Departments), len(rules.Test()))
	say(path, note, nil, append(rules.Warnings(time.Now()), cfg.Unreached(rules)...)...)
	inForce(ctx, cfg, rules.Version, say)
}

// inForce warns where running processes have other rules than this file, or
// than each other. Where none can be asked there is nothing to say.
func inForce(ctx context.Context, cfg *config.Config, version string, say saying) {
	ctx, cancel := context.WithTimeout(ctx, askWait)
	defer cancel()
	client, err := dialClient(ctx, cfg)
	if err != nil {
		return
	}
	defer client.Close()
	running, err := client.RulesInForce(ctx)
	if err != nil || len(running) == 0 {
		return
	}
	var parts []string
	for _, v := range slices.Sorted(maps.Keys(running)) {
		parts = append(parts, fmt.Sprintf("%s has %s", strings.Join(slices.Sorted(slices.Values(running[v])), ", "), v))
	}
	note := strings.Join(parts, "; ")
	switch {
	case len(running) > 1:
		say("rules in force", note, nil, "running processes have different rules")
	case running[version] == nil:
		say("rules in force", note, nil, "they are not the rules of this file")
	default:
		say("rules in force", note, nil)
	}
}

// dialAll connects to everything that the configuration names.
func dialAll(ctx context.Context, cfg *config.Config, say saying) {
	tried := func(what string, err error) {
		if err != nil {
			err = fmt.Errorf("%s: %w", what, err)
		}
		say(what, "", err)
	}
	if cfg.Redis.URL.IsZero() {
		program, err := redisserver.Find()
		say("own redis", program, err)
	} else {
		client, err := dialClient(ctx, cfg)
		if err == nil {
			err = client.Close()
		}
		tried("redis", err)
	}
	for _, m := range cfg.Channels.Email {
		tried("mailbox "+m.Name+" imap "+m.IMAP.Addr, dialServer(ctx, m.IMAP.Addr, m.IMAP.TLS))
		if m.SMTP.Addr != "" {
			tried("mailbox "+m.Name+" smtp "+m.SMTP.Addr, dialServer(ctx, m.SMTP.Addr, m.SMTP.TLS))
		}
	}
}

// dialServer waits for a server's greeting, which both IMAP and SMTP begin
// with.
func dialServer(ctx context.Context, addr, mode string) error {
	ctx, cancel := context.WithTimeout(ctx, dialWait)
	defer cancel()
	var conn net.Conn
	var err error
	if mode == "" || mode == "implicit" {
		conn, err = new(tls.Dialer).DialContext(ctx, "tcp", addr)
	} else {
		conn, err = new(net.Dialer).DialContext(ctx, "tcp", addr)
	}
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetReadDeadline(time.Now().Add(dialWait)); err != nil {
		return err
	}
	_, err = conn.Read(make([]byte, 1))
	return err
}
