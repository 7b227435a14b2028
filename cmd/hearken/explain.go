package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"hearken/channels/email/letter"
	"hearken/complaint"
	"hearken/config"
)

// rulesExplainCmd says why something goes where it goes.
type rulesExplainCmd struct {
	connection
	What  string `arg:"" help:"A complaint's number, a record's JSON file, a mail (.eml), or words in quotes; - reads words from standard input."`
	Rules string `short:"r" type:"existingfile" help:"Other rules than the configuration's."`
	JSON  bool   `name:"json" help:"As JSON."`
}

func (c *rulesExplainCmd) Run(ctx context.Context, s *streams) error {
	rules, err := c.rules(s)
	if err != nil {
		return err
	}
	contact, err := c.contact(ctx)
	if err != nil {
		return err
	}
	e := rules.Explain(contact)
	if c.JSON {
		return json.NewEncoder(s.out).Encode(e)
	}
	s.explain(e, rules.Version)
	return nil
}

// rules are those that were named, or the configuration's.
func (c *rulesExplainCmd) rules(s *streams) (*config.Rules, error) {
	return s.rulesOf(c.Rules, c.Config)
}

func (s *streams) rulesOf(path, configPath string) (*config.Rules, error) {
	if path == "" {
		cfg, err := config.Load(configPath)
		if err != nil {
			return nil, fmt.Errorf("find the rules (or name them with --rules): %w", err)
		}
		path = beside(configPath, cfg.Rules)
	}
	return s.rulesToTry(path)
}

// rulesToTry loads rules to try something with. Rules whose own tests fail do
// for that, if they are sound otherwise: what they do wrong is to be seen.
func (s *streams) rulesToTry(path string) (*config.Rules, error) {
	rules, err := config.LoadRules(path)
	if err != nil && rules != nil {
		fmt.Fprintf(s.err, "hearken: %s: some of its tests fail, and it would not be taken; hearken rules test tells which\n", path)
		return rules, nil
	}
	return rules, err
}

// contact finds out what was meant.
func (c *rulesExplainCmd) contact(ctx context.Context) (complaint.Contact, error) {
	if number, err := complaint.ParseNumber(c.What); err == nil {
		client, err := c.dial(ctx)
		if err != nil {
			return complaint.Contact{}, err
		}
		defer client.Close()
		found, err := client.Complaint(ctx, number)
		if err != nil {
			return complaint.Contact{}, err
		}
		return config.Replay(found.Record), nil
	}
	words := complaint.Contact{ID: "explain", Channel: complaint.Email, Ref: "explain", ReceivedAt: time.Now(), Text: c.What}
	if c.What == "-" {
		b, err := io.ReadAll(io.LimitReader(os.Stdin, maxExplained))
		words.Text = string(b)
		return words, err
	}
	b, err := os.ReadFile(c.What)
	if err != nil {
		if likePath(c.What) {
			return complaint.Contact{}, fmt.Errorf("%w; words to explain have spaces, or come on standard input: hearken rules explain -", err)
		}
		return words, nil
	}
	if strings.HasSuffix(c.What, ".eml") {
		return mailOf(b)
	}
	var rec complaint.Record
	if err := json.Unmarshal(b, &rec); err == nil && rec.Schema == complaint.Schema {
		return config.Replay(rec), nil
	}
	words.Text = string(b)
	return words, nil
}

// likePath tells a file's name from a customer's words.
func likePath(s string) bool {
	switch filepath.Ext(s) {
	case ".eml", ".json", ".txt", ".yaml":
		return !strings.ContainsAny(s, "\n") && len(strings.Fields(s)) == 1 || strings.ContainsRune(s, filepath.Separator)
	}
	return false
}

// maxExplained bounds words from standard input.
const maxExplained = 1 << 20

// nowhere is a blob store that keeps nothing: only what a mail says is wanted.
type nowhere struct{}

func (nowhere) Put(r io.Reader, limit int64) (complaint.Blob, error) {
	n, err := io.Copy(io.Discard, io.LimitReader(r, limit))
	return complaint.Blob{Size: n}, err
}

func mailOf(raw []byte) (complaint.Contact, error) {
	l, err := letter.Read(bytes.NewReader(raw), nowhere{}, letter.DefaultLimits)
	if err != nil {
		return complaint.Contact{}, err
	}
	c := complaint.Contact{ID: "explain", Channel: complaint.Email, Ref: l.MessageID, ReceivedAt: time.Now(), Subject: l.Subject, Text: l.Text, Attachments: l.Attachments, Notes: l.Notes}
	if len(l.From) > 0 {
		c.From = complaint.Person{Name: l.From[0].Name, Email: l.From[0].Addr}
	}
	return c, nil
}

// explain writes the tree of why.
func (s *streams) explain(e config.Explanation, version string) {
	r := e.Record
	say := func(depth int, format string, args ...any) {
		fmt.Fprintln(s.out, strings.Repeat("  ", depth)+plain(fmt.Sprintf(format, args...)))
	}
	say(0, "rules %s: %s, %s, to %s by %s", version, r.Type, r.Priority, r.Route.Department, r.Route.Rule)
	say(0, "type %s, confidence %.2f%s", r.Type, r.Classification.Confidence, behind("; also ", r.SecondaryTypes))
	for _, m := range r.Classification.Matched {
		note := ""
		if m.Note != "" {
			note = ", " + m.Note
		}
		if m.Type != "" {
			note = fmt.Sprintf(", weight %.2g%s", m.Weight, note)
		}
		say(1, "%s%s: %q in the %s at %d%s, by %s", m.Type, m.Flag, m.Term, m.Field, m.Offset, note, m.Rule)
	}
	if len(r.Classification.Matched) == 0 {
		say(1, "no keyword was found")
	}
	say(0, "priority %s%s", r.Priority, behind("; flags ", r.Flags))
	for _, f := range e.Floors {
		if f.Held {
			say(1, "+ %s because %s", f.Rule, orAlways(f.Asks))
		} else {
			say(1, "- %s would need %s", f.Rule, strings.Join(f.Failed, "; "))
		}
	}
	say(0, "route %s%s", e.Route.Department, behind("; with ", e.Route.Collaborators))
	for _, t := range e.Tried {
		if t.Held {
			say(1, "+ %s: %s, to %s", t.Rule, orAlways(t.Asks), t.To)
		} else {
			say(1, "- %s would need %s", t.Rule, strings.Join(t.Failed, "; "))
		}
	}
	if e.Route.Rule == "default" {
		say(1, "+ default: no route holds")
	}
	for _, name := range slices.Sorted(maps.Keys(e.Route.Deadlines)) {
		say(1, "deadline %s: %s", name, e.Route.Deadlines[name])
	}
}

func behind(before string, list []string) string {
	if len(list) == 0 {
		return ""
	}
	return before + strings.Join(list, ", ")
}

func orAlways(s string) string {
	if s == "" {
		return "always"
	}
	return s
}
