package email

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"regexp"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"hearken/channels/email/letter"
	"hearken/channels/email/mailbox"
	"hearken/complaint"
	"hearken/internal/clamd"
)

// raw is a mail as it came off the wire: in memory or in the blob store.
type raw struct {
	bytes []byte
	blob  complaint.Blob
}

// handle makes a mail safe: its original and attachments in the blob store,
// its contact in the spool. Only when it returns nil may the mailbox forget
// the mail. Machine mail that says nothing new is filed: kept, not registered.
func (r *reader) handle(ctx context.Context, m mailbox.Mail, src raw) error {
	if src.blob.Ref == "" {
		b, err := r.deps.Blobs.Put(bytes.NewReader(src.bytes), r.maxSize+partialBytes)
		if err != nil {
			return fmt.Errorf("%w: keep the mail: %w", errRefused, err)
		}
		src.blob = b
	}
	l, err := r.parse(src)
	if err != nil {
		return fmt.Errorf("%w: %w", errRefused, err)
	}
	c := r.contact(m, l)
	c.Raw = src.blob.Ref
	v := r.judge(l)
	if v.failure {
		if err := r.bookFailure(ctx, l, c.ID); err != nil {
			return fmt.Errorf("%w: %w", errRefused, err)
		}
	}
	if v.file != "" {
		r.deps.Audit.Filed(complaint.Email, r.cfg.Name, c.ID, v.file)
		return nil
	}
	c.Automated = v.automated
	// Who answers us knows the number already.
	c.WantsReceipt = !v.automated && !c.NumberProven && c.From.Email != "" && r.cfg.SMTP.Addr != ""
	if v.automated {
		c.Facts["machine"] = v.why
	}
	r.inspect(ctx, &c)
	if _, err := r.deps.Intake.Accept(ctx, c); err != nil {
		if complaint.IsPermanent(err) {
			return fmt.Errorf("hand over a mail: %w", err)
		}
		return fmt.Errorf("%w: %w", errRefused, err)
	}
	return nil
}

// nameless is the ref of a mail without a Message-ID: when it arrived, which
// stays as it is when a server renumbers the mailbox, and what it holds. A UID
// is the last resort.
func (r *reader) nameless(m mailbox.Mail, hash string) string {
	if m.Received.IsZero() || len(hash) < 16 {
		return fmt.Sprintf("uid:%s/%d/%d", r.cfg.Name, r.box.Validity, m.UID)
	}
	return fmt.Sprintf("arrived:%s/%s/%s", r.cfg.Name, m.Received.UTC().Format(time.RFC3339), hash[:16])
}

// inspect has the files scanned, and says in the contact's facts what a rule
// may want to know of them. Nothing is left out: a department decides what it
// opens.
func (r *reader) inspect(ctx context.Context, c *complaint.Contact) {
	for i := range c.Attachments {
		a := &c.Attachments[i]
		if a.Executable {
			c.Facts["executable"] = "true"
		}
		if r.scanner == nil {
			continue
		}
		a.Scan = r.scan(ctx, a.Blob)
		if strings.HasPrefix(a.Scan, clamd.Infected) {
			c.Facts["infected"] = "true"
			r.deps.Audit.Rejected(complaint.Email, r.cfg.Name, "an attachment is "+a.Scan)
		}
	}
}

func (r *reader) scan(ctx context.Context, ref string) string {
	f, err := r.deps.Blobs.Open(ref)
	if err != nil {
		return clamd.Failed + "the file can't be read"
	}
	defer f.Close()
	verdict := r.scanner.Scan(ctx, f)
	if strings.HasPrefix(verdict, clamd.Failed) {
		r.log.Warn("an attachment was not scanned", "blob", ref, "why", verdict)
	}
	return verdict
}

// parse reads a mail. Whatever the parser makes of it, there is a letter; only
// a store that fails is an error.
func (e *Email) parse(src raw) (l *letter.Letter, err error) {
	defer func() {
		if p := recover(); p != nil {
			e.log.Error("a mail could not be read and is registered by its original alone", "blob", src.blob.Ref, "panic", p, "stack", string(debug.Stack()))
			l, err = &letter.Letter{BodyHash: src.blob.SHA256, Notes: []string{"the mail could not be read; see the original"}}, nil
		}
	}()
	var in io.Reader = bytes.NewReader(src.bytes)
	if src.bytes == nil {
		f, err := e.deps.Blobs.Open(src.blob.Ref)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	return letter.Read(in, e.deps.Blobs, e.limits)
}

// contact says what a mail means.
func (r *reader) contact(m mailbox.Mail, l *letter.Letter) complaint.Contact {
	c := complaint.Contact{
		Channel: complaint.Email, Account: r.cfg.Name, ContactPoint: r.cfg.Address,
		Ref: l.MessageID, ReceivedAt: m.Received, Subject: l.Subject, Text: l.Text, Attachments: l.Attachments,
		References: l.References, Topic: topic(l), Facts: map[string]string{"mailbox": r.cfg.Name}, Notes: l.Notes,
	}
	r.attribute(l, &c)
	if c.ReceivedAt.IsZero() { // the server did not say
		c.ReceivedAt = time.Now()
	}
	if len(l.InReplyTo) > 0 {
		c.InReplyTo = l.InReplyTo[0]
	}
	hash := l.BodyHash
	if m.Size > r.maxSize {
		// Only the beginning was read, how much of it is a setting.
		hash = "size:" + strconv.FormatInt(m.Size, 10)
		c.Notes = append(c.Notes, fmt.Sprintf("the mail has %d bytes; only its beginning was read, the mail itself is in the mailbox", m.Size))
	}
	// Message-IDs are reused by broken programs and by cunning people: with
	// other content it is another mail.
	c.ID = complaint.RecordID(complaint.Email, l.MessageID, hash, l.Get("From"), l.Get("Date"))
	if c.Ref == "" {
		c.Ref = r.nameless(m, hash)
		c.ID = complaint.RecordID(complaint.Email, c.Ref, hash, l.Get("From"), l.Get("Date"))
	}
	if l.FromHTML {
		c.Facts["format"] = "html"
	}
	r.ids.findNumber(l, &c)
	return c
}

var subjectTag = regexp.MustCompile(`\[\s?(\d{4}[- ]\d{4}[- ]\d{4})\s?\]`)

// maxTags is how many numbers of a subject are looked at.
const maxTags = 5

// topic is the thread that Outlook says a mail belongs to, in its Thread-Index
// (MS-OXOMSG section 2.2.1.3): 22 bytes for the thread, 5 more for each answer.
func topic(l *letter.Letter) string {
	raw, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(l.Get("Thread-Index")), ""))
	if err != nil || len(raw) < 22 || len(raw) > 22+5*1000 {
		return ""
	}
	return "outlook " + hex.EncodeToString(raw[:22])
}

// findNumber finds the complaint that a mail is about: by our own signed
// Message-ID or reply address, which prove it, or by the tag in its subject,
// which does not.
func (o *outgoing) findNumber(l *letter.Letter, c *complaint.Contact) {
	for _, ids := range [][]string{l.InReplyTo, reversed(l.References)} {
		for _, id := range ids {
			if n, ok := o.number(id); ok {
				c.Number, c.NumberBy, c.NumberProven = n, "message_id", true
				return
			}
		}
	}
	for _, addr := range l.Recipients() {
		if n, ok := o.numberOf(addr); ok {
			c.Number, c.NumberBy, c.NumberProven = n, "reply_address", true
			return
		}
	}
	for _, m := range subjectTag.FindAllStringSubmatch(l.Subject, maxTags) {
		if n, err := complaint.ParseNumber(m[1]); err == nil {
			c.Number, c.NumberBy = n, "subject"
			return
		}
	}
}

func reversed(s []string) []string {
	out := make([]string, 0, len(s))
	for i := len(s) - 1; i >= 0; i-- {
		out = append(out, s[i])
	}
	return out
}

// bareSubject takes reply prefixes and our own tag off a subject.
func bareSubject(s string) string {
	s = subjectTag.ReplaceAllString(s, " ")
	for {
		t := replyPrefix.ReplaceAllString(strings.TrimSpace(s), "")
		if t == s {
			return strings.Join(strings.Fields(s), " ")
		}
		s = t
	}
}

var replyPrefix = regexp.MustCompile(`^(?i:re|fwd?|aw|wg|sv|vs|vb|tr|rif|res|enc|rv|antw|odp|ynt|отв|ответ|回复|答复|转发|回覆|答覆|轉寄|轉發|返信|転送|회신|답장|전달)(\[\d{1,3}\]|\(\d{1,3}\)|\^\d{1,3})?\s*[:：]\s*`)
