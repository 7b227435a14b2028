// Package letter reads a mail, however broken, and never refuses one. It
// hides MIME: multiparts and their boundaries, transfer encodings, charsets
// declared and guessed, RFC 2047 and 2231, HTML, and the bounds on all of
// them. What was cut or is doubtful stands in Notes.
//
// It is one pass over the bytes with flat memory: texts are kept up to
// Limits.Text, attachments stream to the blob store. Headers are read by
// go-message after a cleaning that lets nothing fail; multiparts are split by
// a reader of our own, whose time does not grow with the depth and to which a
// missing boundary is no end.
package letter

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strings"

	"github.com/emersion/go-message/textproto"

	"hearken/complaint"
)

// Bounds that are no matter of taste, see Limits for those that are.
const (
	maxFields    = 1000
	maxFieldName = 76
	maxSubject   = 998 // RFC 5322 section 2.1.1: a line; in runes here
	maxFilename  = 255 // runes; file systems take no more
	maxReport    = 64 << 10
	maxNotes     = 50
)

// Limits bound what is taken of one mail.
type Limits struct {
	Depth   int   // multiparts and mails within each other
	Parts   int   // leaves and multiparts together
	Header  int   // bytes of one header block
	Text    int   // bytes of text, decoded, all text parts together
	Decoded int64 // bytes of all attachments, decoded
}

// DefaultLimits are far beyond what people send and far below what hurts.
var DefaultLimits = Limits{Depth: 20, Parts: 500, Header: 256 << 10, Text: 2 << 20, Decoded: 512 << 20}

// Keeper is where attachments go.
type Keeper interface {
	Put(r io.Reader, limit int64) (complaint.Blob, error)
}

// Letter is what a mail says.
type Letter struct {
	MessageID  string   // without angle brackets
	InReplyTo  []string // likewise
	References []string // likewise, oldest first

	From, Sender, ReplyTo, To, Cc []Address

	Subject     string // one line
	Text        string // line ends are "\n"
	FromHTML    bool   // Text was made of HTML
	Attachments []complaint.Attachment
	Report      *Report // of a multipart/report
	// Loose is what a mail that is no report has of one: its parts, or a mail
	// that it holds. Any mail that is passed on has it too.
	Loose *Report
	// Forwarded is who wrote the first mail that this one holds whole.
	Forwarded []Address
	Notes     []string

	// BodyHash is the SHA-256, in hex, of everything behind the header: the
	// same for two copies of a mail that came by different ways.
	BodyHash string

	fields textproto.Header
}

// Report is what a delivery or feedback report tells (RFC 3464, 5965).
type Report struct {
	Type     string // "delivery-status", "feedback-report", "disposition-notification" ...
	Action   string // "failed" if a recipient's is; else the first's: "delayed", "delivered" ...; or the type of a feedback: "abuse" ...
	Status   string // "5.1.1"
	Reason   string // the other server's words
	Original string // the Message-ID that it is about, without angle brackets
}

// Get returns the first field of that name as it stands, unfolded; "" where
// there is none.
func (l *Letter) Get(name string) string { return l.fields.Get(name) }

// Recipients are the addresses that the mail went to, as its header and the
// servers on its way tell.
func (l *Letter) Recipients() []string {
	var out []string
	for _, list := range [][]Address{l.To, l.Cc} {
		for _, a := range list {
			out = append(out, a.Addr)
		}
	}
	for _, name := range []string{"Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "X-Delivered-To", "Apparently-To", "Resent-To", "Bcc"} {
		for _, a := range l.Mailboxes(name) {
			out = append(out, a.Addr)
		}
	}
	return out
}

// Mailboxes reads a field as a list of addresses.
func (l *Letter) Mailboxes(name string) []Address { return l.addresses(name, &clue{}) }

// WrittenName is the name in a From that has no address.
func (l *Letter) WrittenName() string {
	name, _, _ := strings.Cut(l.fields.Get("From"), "<")
	if len(l.From) > 0 || strings.ContainsAny(name, "@;") { // a group has none
		return ""
	}
	return oneLine(bareName(decodeWords(unquote(plain(name, nil)), nil)), maxName)
}

// Has tells whether there is a field of that name.
func (l *Letter) Has(name string) bool { return l.fields.Has(name) }

// FieldNames lists the names of all fields in canonical form.
func (l *Letter) FieldNames() []string {
	var names []string
	for f := l.fields.Fields(); f.Next(); {
		names = append(names, f.Key())
	}
	return names
}

// Read reads a mail from r. It fails only where r or keep fails: there is no
// mail that it refuses.
func Read(r io.Reader, keep Keeper, limits Limits) (*Letter, error) {
	l := newLines(r)
	defer l.done()
	top := l.top(limits.Header)
	hash := sha256.New()
	l.sum(hash)
	w := &walker{lines: l, keep: keep, limits: limits, letter: &Letter{fields: top.fields}}
	w.note(top.notes...)
	c, err := w.entity(top, 0)
	if err != nil {
		return nil, err
	}
	for { // what the limits left unread belongs to the hash
		if _, err := l.next(); err != nil {
			break
		}
	}
	if l.err != nil {
		return nil, fmt.Errorf("read a mail: %w", l.err)
	}
	c = c.shown(limits.Text)
	w.shownInline()
	out := w.letter
	out.Text, out.FromHTML = strings.TrimSpace(c.text), c.html
	out.BodyHash = hex.EncodeToString(hash.Sum(nil))
	out.people(&w.hint)
	return out, nil
}

// people fills in what the header tells. It comes last, when the charset of
// the text is known: raw 8-bit headers mostly have the same.
func (l *Letter) people(hint *clue) {
	l.MessageID = first(messageIDs(l.fields.Get("Message-Id")))
	if l.MessageID == "" {
		l.MessageID = looseID(l.fields.Get("Message-Id"))
	}
	l.InReplyTo = threadIDs(strings.Join(l.fields.Values("In-Reply-To"), " "))
	l.References = threadIDs(strings.Join(l.fields.Values("References"), " "))
	l.From = l.addresses("From", hint)
	l.Sender = l.addresses("Sender", hint)
	l.ReplyTo = l.addresses("Reply-To", hint)
	l.To = l.addresses("To", hint)
	l.Cc = l.addresses("Cc", hint)
	l.Subject = oneLine(decodeWords(given(l.fields, "Subject"), hint), maxSubject)
}

// given is the first field of a name that says something.
func given(fields textproto.Header, name string) string {
	for _, v := range fields.Values(name) {
		if strings.TrimSpace(v) != "" {
			return v
		}
	}
	return ""
}

func (l *Letter) addresses(name string, hint *clue) []Address {
	var out []Address
	for _, v := range l.fields.Values(name) {
		out = append(out, parseAddresses(v, hint)...)
		if len(out) > maxAddresses {
			return out[:maxAddresses]
		}
	}
	return out
}

func first(s []string) string {
	if len(s) > 0 {
		return s[0]
	}
	return ""
}
