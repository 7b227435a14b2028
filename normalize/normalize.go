// Package normalize makes the standard record of a contact. It hides how a
// customer's words are read: which of them are new, who writes in which
// language, what is asked for, what it is about and how urgent it is, each
// with its evidence. It is pure: the same contact under the same rules gives
// the same record, and nothing is ever invented.
package normalize

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"hearken/complaint"
	"hearken/internal/learn"
	"hearken/internal/terms"
	"hearken/normalize/history"
)

// Config is the part of the rules that says how contacts are read.
type Config struct {
	Version string
	Types   []Type // the riskiest first: it decides a tie
	Flags   []Flag
	Region  string // for phone numbers without a country code: "CN"
	// Learnt is a classifier trained on past complaints; nil means none. It
	// decides the type where it is at least as sure as Threshold, 0 to 1, and
	// likewise raises flags by whose names it knows something.
	Learnt    *learn.Model
	Threshold float64
	// Priority decides by the finished record; nil means DefaultPriority.
	Priority func(*complaint.Record) (priority string, reasons []string)
}

// Type is a kind of complaint and the terms that speak for it.
type Type struct {
	Code     string
	Keywords []Keywords
}

// Keywords are terms of one weight.
type Keywords struct {
	Any    []string
	Except []string // phrases in which the terms mean something else
	Weight float64  // 0 means 1
}

// Flag is something to be watched for in any complaint.
type Flag struct {
	Name   string
	Any    []string
	Except []string
}

// Bounds of a record's texts, in runes.
const (
	maxSubject   = 200
	maxNarrative = 20000
	maxSummary   = 120
	maxRemedy    = 200
	maxName      = 100
)

// maxRead is how much of a text is looked at, in bytes: many times the longest
// narrative, so that history above an answer does not hide it.
const maxRead = 256 << 10

// Normalizer makes records. It is safe for concurrent use.
type Normalizer struct {
	cfg      Config
	keywords *terms.Set // owners: see owner
	owners   []owner
	patterns int // how many keywords has
	scales   sync.Pool
	// learntFlags are the classifier's labels that are flags.
	learntFlags []string
}

// New compiles the rules. It reports all faults at once.
func New(cfg Config) (*Normalizer, error) {
	if cfg.Region == "" {
		cfg.Region = "CN"
	}
	n := &Normalizer{cfg: cfg}
	var patterns []terms.Pattern
	add := func(o owner, any, except []string) {
		n.owners = append(n.owners, o)
		for _, t := range any {
			patterns = append(patterns, terms.Pattern{Owner: len(n.owners) - 1, Term: t, Except: except})
		}
	}
	var errs []error
	for i, t := range cfg.Types {
		if t.Code == "" {
			errs = append(errs, fmt.Errorf("type %d has no code", i+1))
		}
		for j, k := range t.Keywords {
			weight := k.Weight
			if weight == 0 {
				weight = 1
			}
			add(owner{kind: ofType, at: i, weight: weight, rule: fmt.Sprintf("types.%s.keywords[%d]", t.Code, j)}, k.Any, k.Except)
		}
	}
	for _, f := range cfg.Flags {
		add(owner{kind: ofFlag, flag: f.Name, rule: "flags." + f.Name}, f.Any, f.Except)
	}
	if cfg.Learnt != nil {
		for _, f := range cfg.Flags {
			if slices.Contains(cfg.Learnt.Labels, f.Name) {
				n.learntFlags = append(n.learntFlags, f.Name)
			}
		}
	}
	for i, r := range remedies {
		add(owner{kind: ofRemedy, at: i}, r.any, nil)
	}
	for i, cues := range classCues {
		add(owner{kind: ofClass, at: i}, cues, nil)
	}
	var err error
	if n.keywords, err = terms.Compile(patterns); err != nil {
		errs = append(errs, err)
	}
	n.patterns = len(patterns)
	return n, errors.Join(errs...)
}

// Record makes the standard record of a contact. Number, Event, RegisteredAt,
// Thread and Route are left to the queue and the dispatcher.
func (n *Normalizer) Record(c complaint.Contact) complaint.Record {
	r := complaint.Record{
		Schema: complaint.Schema, ID: c.ID, Channel: c.Channel, ContactPoint: c.ContactPoint, ReceivedAt: c.ReceivedAt,
		Attachments: c.Attachments, Facts: facts(c), Notes: append([]string(nil), c.Notes...),
		Source: complaint.Source{Ref: c.Ref, Raw: c.Raw, InReplyTo: c.InReplyTo, References: c.References, Automated: c.Automated},
	}
	text := clean(c.Text)
	readable := text
	if len(readable) > maxRead {
		readable = strings.ToValidUTF8(readable[:maxRead], "")
		r.Notes = append(r.Notes, fmt.Sprintf("only the first %d bytes of the text were read; the original has the rest", maxRead))
	}
	narrative, trimmed := history.Own(readable, forwarded(c.Subject))
	if trimmed {
		r.Notes = append(r.Notes, "quoted text or a signature was left out of the narrative; the original has it")
	}
	var cut bool
	if r.Narrative, cut = shorten(narrative, maxNarrative); cut {
		r.Notes = append(r.Notes, fmt.Sprintf("narrative cut at %d characters; the original has the rest", maxNarrative))
	}
	r.Subject, _ = shorten(subject(clean(c.Subject)), maxSubject)
	r.Summary = summary(r.Subject, r.Narrative)
	r.Complainant = n.person(c, r.Narrative, text, &r.Notes)
	said := words(&r)
	r.OrderNo = orderNo(said)
	r.AmountInvolved, r.Currency = amount(said)
	n.classify(&r, said)
	return r
}

// words are the customer's own, the subject on the first line.
func words(r *complaint.Record) string {
	subject, narrative := r.Words()
	return subject + "\n" + narrative
}

// facts are the contact's, and where it came in.
func facts(c complaint.Contact) map[string]string {
	out := maps.Clone(c.Facts)
	if out == nil {
		out = map[string]string{}
	}
	set := func(key, value string) {
		if _, ok := out[key]; !ok && value != "" {
			out[key] = value
		}
	}
	switch c.Channel {
	case complaint.Email:
		set("mailbox", c.Account)
	case complaint.Phone:
		set("line", c.Account)
	case complaint.Chat:
		set("site", c.Account)
		set("session", strings.TrimPrefix(c.Conversation, "chat:"))
	}
	return out
}

// shorten cuts s at most runes, and tells whether it did.
func shorten(s string, most int) (string, bool) {
	if len(s) <= most || utf8.RuneCountInString(s) <= most {
		return s, false
	}
	n := 0
	for i := range s {
		if n == most {
			return s[:i], true
		}
		n++
	}
	return s, false
}
