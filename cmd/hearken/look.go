package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/term"

	"hearken/complaint"
	"hearken/config"
	"hearken/internal/audit"
	"hearken/internal/redisserver"
	"hearken/queue"
)

// connection is how the commands that only look find Redis: by the same
// configuration as serve.
type connection struct {
	Config string `short:"c" default:"config.yaml" type:"path" help:"The configuration file."`
}

// dialWait bounds how long a command waits for Redis.
const dialWait = 5 * time.Second

func (c connection) dial(ctx context.Context) (*queue.Client, error) {
	cfg, err := config.Load(c.Config)
	if err != nil {
		return nil, err
	}
	return dialClient(ctx, cfg)
}

func dialClient(ctx context.Context, cfg *config.Config) (*queue.Client, error) {
	log := slog.New(slog.DiscardHandler)
	queue.LogTo(log)
	url := cfg.Redis.URL.Reveal()
	if url == "" {
		var err error
		if url, err = redisserver.Known(filepath.Join(cfg.DataDir, "redis")); err != nil {
			return nil, err
		}
	}
	client, err := queue.Dial(queueConfig(cfg, url, log, audit.Discard()))
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, dialWait)
	defer cancel()
	if err := client.Ping(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("redis does not answer; is `hearken serve` running? %w", err), client.Close())
	}
	return client, nil
}

func colourful(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && os.Getenv("NO_COLOR") == "" && term.IsTerminal(int(f.Fd()))
}

// paint colours a text for a terminal; codes are SGR numbers.
func (s *streams) paint(code, text string) string {
	if !s.tty {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

var priorityColours = map[string]string{"P1": "1;97;41", "P2": "1;31", "P3": "33", "P4": "32"}

// line is a record in one line of a terminal.
func (s *streams) line(department, role string, r complaint.Record) string {
	at := department
	if at == "" {
		at = "intake"
	} else if role == "collaborator" {
		at = "+" + at
	}
	event := "new"
	if r.Event == complaint.Supplemented {
		event = "more"
	}
	flags := ""
	if len(r.Flags) > 0 {
		flags = " " + s.paint("35", "["+strings.Join(r.Flags, " ")+"]")
	}
	return fmt.Sprintf("%s  %s  %s %s  %s  %s  %s%s  %s",
		s.paint("2", r.RegisteredAt.Format("15:04:05")), s.paint("1", complaint.Grouped(r.Number)), pad(event, 4), pad(r.Channel, 5),
		s.paint(priorityColours[r.Priority], r.Priority), s.paint("36", pad(r.Type, 11)), s.paint("1;34", pad(at, 6)), flags, plain(r.Summary))
}

func pad(s string, n int) string { return fmt.Sprintf("%-*s", n, s) }

// plain keeps a customer's words from steering the terminal.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || (r >= 0x80 && r < 0xa0) {
			return ' '
		}
		return r
	}, s)
}

type tailCmd struct {
	connection
	Department string `help:"Only this department's stream."`
	Intake     bool   `help:"Also show records on the intake, before they are routed."`
	JSON       bool   `name:"json" help:"One record a line, as JSON."`
}

func (c *tailCmd) Run(ctx context.Context, s *streams) error {
	return c.with(ctx, func(client *queue.Client) error {
		return client.Tail(ctx, func(department, role string, r complaint.Record) {
			if (department == "" && !c.Intake) || (c.Department != "" && department != c.Department) {
				return
			}
			if c.JSON {
				_ = json.NewEncoder(s.out).Encode(map[string]any{"department": department, "role": role, "record": r})
				return
			}
			fmt.Fprintln(s.out, s.line(department, role, r))
		})
	})
}

type showCmd struct {
	connection
	Number string `arg:"" help:"The complaint's number, with or without spaces."`
	JSON   bool   `name:"json" help:"Everything, as JSON."`
}

func (c *showCmd) Run(ctx context.Context, s *streams) error {
	number, err := complaint.ParseNumber(c.Number)
	if err != nil {
		return usage{err}
	}
	return c.with(ctx, func(client *queue.Client) error {
		k, err := client.Complaint(ctx, number)
		if err != nil {
			return err
		}
		if c.JSON {
			e := json.NewEncoder(s.out)
			e.SetIndent("", "  ")
			return e.Encode(k)
		}
		s.show(k)
		return nil
	})
}

func (s *streams) show(k *queue.Complaint) {
	r := k.Record
	field := func(name, value string) {
		if value != "" {
			fmt.Fprintf(s.out, "%s %s\n", s.paint("2", pad(name, 12)), plain(value))
		}
	}
	class := r // what it is by what is known today
	if k.Again != nil {
		class = *k.Again
	}
	fmt.Fprintln(s.out, s.paint("1", complaint.Grouped(k.Number)), s.paint(priorityColours[class.Priority], class.Priority), s.paint("36", class.Type), strings.Join(class.Flags, " "))
	field("received", r.ReceivedAt.Format(time.DateTime)+" by "+r.Channel+" at "+r.ContactPoint)
	field("complainant", strings.Join(nonEmpty(r.Complainant.Name, r.Complainant.Email, r.Complainant.Phone), ", "))
	field("subject", r.Subject)
	field("asks for", strings.Join(r.RemedySought, ", "))
	field("order", r.OrderNo)
	field("amount", strings.TrimSpace(r.AmountInvolved+" "+r.Currency))
	if k.Route != nil {
		field("department", strings.Join(append([]string{k.Route.Department}, k.Route.Collaborators...), ", ")+" by rule "+k.Route.Rule+again(k.Route))
	} else {
		field("department", "not routed yet")
	}
	field("status", k.Status)
	for _, m := range class.Classification.Matched {
		field("because", fmt.Sprintf("%s%s: %q in the %s %s", m.Type, m.Flag, m.Term, m.Field, m.Note))
	}
	for _, n := range r.Notes {
		field("note", n)
	}
	for _, a := range r.Attachments {
		field("attachment", fmt.Sprintf("%s, %s, %d bytes, %s", a.Filename, a.MediaType, a.Size, a.Blob))
	}
	fmt.Fprintln(s.out)
	if r.Narrative == "" {
		r.Narrative = class.Narrative
	}
	for _, l := range strings.Split(r.Narrative, "\n") {
		fmt.Fprintln(s.out, "  "+plain(l))
	}
	fmt.Fprintln(s.out)
	for _, h := range k.History {
		var line map[string]string
		if json.Unmarshal(h, &line) != nil {
			continue
		}
		at, _ := time.Parse(time.RFC3339Nano, line["at"])
		var rest []string
		for _, key := range []string{"channel", "type", "priority", "department", "rule", "again", "status", "code", "by", "kind", "message", "note"} {
			if line[key] != "" {
				rest = append(rest, key+" "+plain(line[key]))
			}
		}
		fmt.Fprintln(s.out, s.paint("2", at.In(r.ReceivedAt.Location()).Format(time.DateTime)), pad(line["event"], 12), strings.Join(rest, ", "))
	}
}

// again says that a complaint was routed anew.
func again(r *complaint.Route) string {
	if r.Again == "" {
		return ""
	}
	return " (routed again: " + r.Again + ")"
}

func nonEmpty(all ...string) (out []string) {
	for _, s := range all {
		if s != "" {
			out = append(out, s)
		}
	}
	return out
}

type updateCmd struct {
	connection
	Number  string `arg:"" help:"The complaint's number."`
	Status  string `required:"" help:"The new status, such as in_progress, plan_decided, resolved."`
	Message string `help:"For the customer; sent on their channel."`
	By      string `help:"Who writes."`
	Note    string `help:"For colleagues; never sent."`
	JSON    bool   `name:"json" help:"The result, as JSON."`
}

func (c *updateCmd) Run(ctx context.Context, s *streams) error {
	number, err := complaint.ParseNumber(c.Number)
	if err != nil {
		return usage{err}
	}
	return c.with(ctx, func(client *queue.Client) error {
		entry, err := client.Update(ctx, complaint.Update{Number: number, Status: c.Status, Message: c.Message, By: c.By, Note: c.Note})
		if err != nil {
			return err
		}
		if c.JSON {
			return json.NewEncoder(s.out).Encode(map[string]string{"number": number, "entry": entry})
		}
		fmt.Fprintf(s.out, "update %s of %s is queued\n", entry, complaint.Grouped(number))
		return nil
	})
}

type deadCmd struct {
	List  deadListCmd  `cmd:"" help:"List what was given up, oldest first."`
	Show  deadShowCmd  `cmd:"" help:"Show one entry as it lay on its stream."`
	Retry deadRetryCmd `cmd:"" help:"Put entries back where they came from."`
}

type deadListCmd struct {
	connection
	JSON bool `name:"json" help:"As JSON."`
}

func (c *deadListCmd) Run(ctx context.Context, s *streams) error {
	return c.with(ctx, func(client *queue.Client) error {
		all, err := client.DeadList(ctx)
		if err != nil {
			return err
		}
		if c.JSON {
			return json.NewEncoder(s.out).Encode(append([]queue.DeadEntry{}, all...))
		}
		for _, e := range all {
			fmt.Fprintf(s.out, "%s  %s  %s  %s\n", s.paint("1", e.ID), e.At.Format(time.DateTime), s.paint("36", pad(e.Stream, 14)), plain(e.Reason))
		}
		if len(all) == 0 {
			fmt.Fprintln(s.out, "nothing is dead")
		}
		return nil
	})
}

// with runs do with a connection.
func (c connection) with(ctx context.Context, do func(*queue.Client) error) error {
	client, err := c.dial(ctx)
	if err != nil {
		return err
	}
	defer client.Close()
	return do(client)
}

type deadShowCmd struct {
	connection
	ID string `arg:"" help:"As dead list shows it."`
}

func (c *deadShowCmd) Run(ctx context.Context, s *streams) error {
	return c.with(ctx, func(client *queue.Client) error {
		all, err := client.DeadList(ctx)
		if err != nil {
			return err
		}
		for _, e := range all {
			if e.ID == c.ID {
				enc := json.NewEncoder(s.out)
				enc.SetIndent("", "  ")
				return enc.Encode(e)
			}
		}
		return fmt.Errorf("no dead entry %s; `hearken dead list` shows what there is", c.ID)
	})
}

type deadRetryCmd struct {
	connection
	IDs  []string `arg:"" optional:"" help:"As dead list shows them."`
	All  bool     `help:"Everything."`
	JSON bool     `name:"json" help:"The ids that are back in line, as JSON."`
}

func (c *deadRetryCmd) Run(ctx context.Context, s *streams) error {
	if c.All == (len(c.IDs) > 0) {
		return usage{errors.New("dead retry: name entries, or give --all")}
	}
	return c.with(ctx, func(client *queue.Client) error {
		ids := c.IDs
		if c.All {
			all, err := client.DeadList(ctx)
			if err != nil {
				return err
			}
			for _, e := range all {
				ids = append(ids, e.ID)
			}
		}
		var errs []error
		back := []string{}
		for _, id := range ids {
			if err := client.DeadRetry(ctx, id); err != nil {
				errs = append(errs, err)
				continue
			}
			back = append(back, id)
			if !c.JSON {
				fmt.Fprintln(s.out, "back in line:", id)
			}
		}
		if c.JSON {
			errs = append(errs, json.NewEncoder(s.out).Encode(back))
		}
		return errors.Join(errs...)
	})
}
