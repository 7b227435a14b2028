package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"time"

	"hearken/config"
	"hearken/internal/redisserver"
)

type checkCmd struct {
	Config string `short:"c" default:"config.yaml" type:"path" help:"The configuration file."`
	Dial   bool   `help:"Also connect to Redis and to the mail servers."`
}

func (c *checkCmd) Run(ctx context.Context, s *streams) error {
	cfg, err := config.Load(c.Config)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "%s: ok: %d mailboxes, %d lines, %d chats\n", c.Config, len(cfg.Channels.Email), len(cfg.Channels.Phone), len(cfg.Channels.Chat))
	path := beside(c.Config, cfg.Rules)
	rules, err := config.LoadRules(path)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "%s: ok: version %s, %d departments, %d tests passed\n", path, rules.Version, len(rules.Departments), len(rules.Test()))
	if !c.Dial {
		return nil
	}
	return dialAll(ctx, s, cfg)
}

// dialAll connects to everything that the configuration names.
func dialAll(ctx context.Context, s *streams, cfg *config.Config) error {
	var errs []error
	say := func(what string, err error) {
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", what, err))
			return
		}
		fmt.Fprintf(s.out, "%s: ok\n", what)
	}
	if cfg.Redis.URL.IsZero() {
		program, err := redisserver.Find()
		say("own redis ("+program+")", err)
	} else {
		client, err := dialClient(ctx, cfg)
		if err == nil {
			err = client.Close()
		}
		say("redis", err)
	}
	for _, m := range cfg.Channels.Email {
		say("mailbox "+m.Name+" imap "+m.IMAP.Addr, dialServer(ctx, m.IMAP.Addr, m.IMAP.TLS))
		if m.SMTP.Addr != "" {
			say("mailbox "+m.Name+" smtp "+m.SMTP.Addr, dialServer(ctx, m.SMTP.Addr, m.SMTP.TLS))
		}
	}
	return errors.Join(errs...)
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

type rulesCmd struct {
	Test rulesTestCmd `cmd:"" help:"Check a rules file and run the tests in it."`
}

type rulesTestCmd struct {
	File string `arg:"" default:"rules.yaml" type:"path" help:"The rules file."`
	JSON bool   `name:"json" help:"As JSON."`
}

func (c *rulesTestCmd) Run(s *streams) error {
	rules, loadErr := config.LoadRules(c.File)
	if rules == nil {
		return loadErr
	}
	results := rules.Test()
	if c.JSON {
		return errors.Join(json.NewEncoder(s.out).Encode(results), loadErr)
	}
	failed := 0
	for _, r := range results {
		if r.Passed() {
			fmt.Fprintln(s.out, s.paint("32", "ok  "), r.Name)
			continue
		}
		failed++
		fmt.Fprintln(s.out, s.paint("31", "FAIL"), r.Name)
		for _, f := range r.Failures {
			fmt.Fprintln(s.out, "     "+f)
		}
	}
	fmt.Fprintf(s.out, "%d passed, %d failed\n", len(results)-failed, failed)
	if loadErr != nil {
		return fmt.Errorf("%s: %d of its tests fail; it would not be taken", c.File, failed)
	}
	return nil
}
