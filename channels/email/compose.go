package email

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"

	"github.com/emersion/go-message"
	"github.com/emersion/go-message/mail"

	"hearken/channels/email/letter"
	"hearken/complaint"
)

// Headers by which machines know each other.
const (
	loopHeader = "X-Loop"
	// maxReferences keeps the References of long threads within the line
	// length of RFC 5322: the first and the newest.
	maxReferences = 20
	maxSubject    = 200       // runes of the customer's subject that are repeated
	maxMail       = 256 << 10 // bytes of a department's words
)

// compose writes a reply as a mail.
func (e *Email) compose(r complaint.Reply, to string) ([]byte, error) {
	text, err := e.text(r)
	if err != nil {
		return nil, err
	}
	subject, err := e.subject(r)
	if err != nil {
		return nil, err
	}
	at := r.At
	if at.IsZero() {
		at = time.Now()
	}
	var h mail.Header
	h.SetDate(at)
	h.SetAddressList("From", []*mail.Address{{Address: e.cfg.Address}})
	h.SetAddressList("To", []*mail.Address{{Address: to}})
	if e.cfg.PlusAddresses {
		h.SetAddressList("Reply-To", []*mail.Address{{Address: e.ids.replyTo(r.Number)}})
	}
	h.SetSubject(subject)
	h.SetMessageID(e.ids.id(r))
	if letter.ValidID(r.InReplyTo) && strings.Contains(r.InReplyTo, "@") {
		h.SetMsgIDList("In-Reply-To", []string{r.InReplyTo})
	}
	if refs := references(r.References); len(refs) > 0 {
		h.SetMsgIDList("References", refs)
	}
	if r.Kind == complaint.ReplyReceipt {
		h.Set("Auto-Submitted", "auto-replied") // RFC 3834 section 3.1.7
		h.Set("Precedence", "bulk")
	}
	// A department's words were written by a person: they are no automatic
	// mail, but an answering machine must leave them alone too.
	h.Set("X-Auto-Response-Suppress", "All")
	h.Set(loopHeader, e.cfg.Address)
	h.Set("Content-Language", r.Language)
	if !plainToken(r.Language) {
		h.Del("Content-Language")
	}
	page, err := e.page(r, text)
	if err != nil {
		return nil, err
	}
	// The boundary follows from the reply too: the mail is the same each time.
	_, boundary, _ := strings.Cut(strings.TrimPrefix(e.ids.id(r), "h."), ".")
	boundary, _, _ = strings.Cut(boundary, "@")
	h.SetContentType("multipart/alternative", map[string]string{"boundary": "hearken-" + strings.ReplaceAll(boundary, ".", "-")})
	var out bytes.Buffer
	w, err := message.CreateWriter(&out, h.Header)
	if err != nil {
		return nil, err
	}
	for _, part := range []struct{ kind, body string }{{"text/plain", text}, {"text/html", page}} {
		if err := writePart(w, part.kind, part.body); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// writePart writes one form of the text.
func writePart(w *message.Writer, kind, body string) error {
	var h message.Header
	h.SetContentType(kind, map[string]string{"charset": "utf-8"})
	h.Set("Content-Transfer-Encoding", "quoted-printable")
	if mostlyBeyondASCII(body) {
		h.Set("Content-Transfer-Encoding", "base64")
	}
	part, err := w.CreatePart(h)
	if err != nil {
		return err
	}
	if _, err := io.WriteString(part, strings.ReplaceAll(body, "\n", "\r\n")); err != nil {
		return err
	}
	return part.Close()
}

// text is what the mail says.
func (e *Email) text(r complaint.Reply) (string, error) {
	args := map[string]string{"number": complaint.Grouped(r.Number)}
	if r.Kind == complaint.ReplyReceipt {
		event := complaint.Registered
		if r.Event == complaint.Supplemented {
			event = r.Event
		}
		return e.book.Say(r.Language, "email.receipt."+event, args)
	}
	footer, err := e.book.Say(r.Language, "email.update.footer", args)
	if err != nil {
		return "", err
	}
	words := strings.ReplaceAll(r.Text, "\r\n", "\n")
	words = strings.Map(func(c rune) rune {
		if unicode.IsControl(c) && c != '\n' && c != '\t' {
			return -1
		}
		return c
	}, strings.ToValidUTF8(words, "\uFFFD"))
	if strings.TrimSpace(words) == "" {
		return "", fmt.Errorf("it has no text")
	}
	if len(words) > maxMail {
		return "", fmt.Errorf("its text has %d bytes; at most %d are sent", len(words), maxMail)
	}
	return strings.TrimRight(words, "\n") + "\n\n" + footer, nil
}

// subject repeats the customer's own with the number: mail programs thread by
// it, and the number finds the complaint where the headers get lost.
func (e *Email) subject(r complaint.Reply) (string, error) {
	s := bareSubject(strings.Map(func(c rune) rune {
		if unicode.IsControl(c) || unicode.IsSpace(c) {
			return ' '
		}
		return c
	}, strings.ToValidUTF8(r.Subject, "")))
	if s == "" {
		own, err := e.book.Say(r.Language, "email.subject", nil)
		if err != nil {
			return "", err
		}
		return strings.TrimSpace(own) + " " + complaint.Tag(r.Number), nil
	}
	if runes := []rune(s); len(runes) > maxSubject {
		s = string(runes[:maxSubject]) + "…"
	}
	return "Re: " + s + " " + complaint.Tag(r.Number), nil
}

func references(ids []string) []string {
	var good []string
	for _, id := range ids {
		if letter.ValidID(id) && strings.Contains(id, "@") {
			good = append(good, id)
		}
	}
	if len(good) > maxReferences {
		good = append(good[:1:1], good[len(good)-maxReferences+1:]...)
	}
	return good
}

func plainToken(s string) bool {
	for _, c := range s {
		if c != '-' && (c < 'A' || c > 'z' || c > 'Z' && c < 'a') {
			return false
		}
	}
	return s != "" && len(s) <= 35
}

func mostlyBeyondASCII(s string) bool {
	n := 0
	for i := range len(s) {
		if s[i] >= 0x80 {
			n++
		}
	}
	return n*3 > len(s)
}
