package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"hearken/channels/email/letter"
	"hearken/complaint"
	"hearken/config"
)

// rulesExplainCmd says why something goes where it goes.
type rulesExplainCmd struct {
	connection
	What   string `arg:"" optional:"" help:"A complaint's number, a record's id or JSON file, a mail (.eml), or words in quotes; - reads words from standard input."`
	Rules  string `short:"r" type:"existingfile" help:"Other rules than the configuration's."`
	Given  string `placeholder:"{...}" help:"What else is so, as in a test: {channel: phone, received: \"2026-11-23T10:00:00+08:00\"}."`
	Expect string `placeholder:"{...}" help:"What should come of it, as in a test: {department: FIN}. Otherwise the exit code is 1."`
	JSON   bool   `name:"json" help:"As JSON."`
}

func (c *rulesExplainCmd) Run(ctx context.Context, s *streams) error {
	if c.What == "" && c.Given == "" {
		return usage{errors.New("what is to be explained? A number, a record, a mail, words, or --given")}
	}
	rules, err := s.rulesOf(c.Rules, c.Config)
	if err != nil {
		return err
	}
	differs := func(complaint.Record) []string { return nil }
	if c.Expect != "" {
		if differs, err = config.Expected(c.Expect); err != nil {
			return usage{err}
		}
	}
	what, err := c.find(ctx)
	if err != nil {
		return err
	}
	if c.Given != "" {
		if what.contact, err = config.Given(c.Given, what.contact); err != nil {
			return usage{err}
		}
	}
	e := rules.Explain(what.contact)
	if c.JSON {
		err = json.NewEncoder(s.out).Encode(e)
	} else {
		s.explain(e, rules.Version, what.was)
	}
	if wrong := differs(e.Record); len(wrong) > 0 {
		err = errors.Join(err, errors.New(strings.Join(wrong, "; ")))
	}
	return err
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

// explained is what is to be explained: the contact, and what became of it, if
// it is a complaint already.
type explained struct {
	contact complaint.Contact
	was     string
}

// find finds out what was meant.
func (c *rulesExplainCmd) find(ctx context.Context) (explained, error) {
	number, err := complaint.ParseNumber(c.What)
	if err == nil || recordID.MatchString(c.What) {
		return c.past(ctx, number)
	}
	words := complaint.Contact{ID: "explain", Channel: complaint.Email, Ref: "explain", ReceivedAt: time.Now(), Text: c.What}
	switch c.What {
	case "":
		return explained{contact: words}, nil
	case "-":
		b, err := io.ReadAll(io.LimitReader(os.Stdin, maxExplained))
		words.Text = string(b)
		return explained{contact: words}, err
	}
	b, err := os.ReadFile(c.What)
	if err != nil {
		if likePath(c.What) {
			return explained{}, fmt.Errorf("%w; words to explain have spaces, or come on standard input: hearken rules explain -", err)
		}
		return explained{contact: words}, nil
	}
	if strings.HasSuffix(c.What, ".eml") {
		mail, err := mailOf(b)
		return explained{contact: mail}, err
	}
	var rec complaint.Record
	if err := json.Unmarshal(b, &rec); err == nil && rec.Schema == complaint.Schema {
		return explained{config.Replay(rec), became(rec, rec.Route)}, nil
	}
	words.Text = string(b)
	return explained{contact: words}, nil
}

// recordID is the form of the ids of records.
var recordID = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// past asks for a complaint, by its number or by the id of one of its records.
func (c *rulesExplainCmd) past(ctx context.Context, number string) (explained, error) {
	client, err := c.dial(ctx)
	if err != nil {
		return explained{}, err
	}
	defer client.Close()
	if number == "" {
		if number, err = client.NumberOf(ctx, c.What); err != nil {
			return explained{}, err
		}
	}
	found, err := client.Complaint(ctx, number)
	if err != nil {
		return explained{}, err
	}
	rec := found.Record
	if found.Again != nil { // a transcript had it classified anew
		rec = *found.Again
	}
	return explained{config.Replay(rec), became(rec, found.Route)}, nil
}

// became says what rules once made of a record.
func became(r complaint.Record, to *complaint.Route) string {
	if to == nil {
		return ""
	}
	out := fmt.Sprintf("%s, %s, to %s by %s", r.Type, r.Priority, to.Department, to.Rule)
	if to.Again != "" {
		out += " (" + to.Again + ")"
	}
	return fmt.Sprintf("it was, by rules %s: %s", r.Classification.RulesVersion, out)
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
