package phone

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	api "github.com/twilio/twilio-go/rest/api/v2010"

	"hearken/complaint"
)

// maxText is how long one text message may be, in characters
// (https://www.twilio.com/docs/api/errors/21617).
const maxText = 1600

// Send sends a reply as a text message, by the number that the customer
// reached, and by WhatsApp where it came by that.
func (p *Phone) Send(ctx context.Context, r complaint.Reply) error {
	if !numberShape.MatchString(r.To.Phone) {
		return fmt.Errorf("send reply %s: the customer has no phone number: %w", r.ID, complaint.ErrUnreachable)
	}
	if p.dialect().noTexts {
		return fmt.Errorf("send reply %s: %s has no text messages: %w", r.ID, p.cfg.Provider, complaint.ErrUnreachable)
	}
	text, err := p.wording(r)
	if err != nil {
		return complaint.Permanent(err)
	}
	m := message{id: r.ID, number: r.Number, from: r.Conversation, to: r.To.Phone}
	if strings.HasPrefix(r.Conversation, whatsApp) {
		m.to = whatsApp + m.to
	}
	for i, part := range pieces(text, maxText) {
		if m.body = part; i > 0 {
			m.id = r.ID + "/" + strconv.Itoa(i+1)
		}
		if err := p.sendText(ctx, m); err != nil {
			return fmt.Errorf("send reply %s by text message: %w", r.ID, err)
		}
	}
	return nil
}

func (p *Phone) wording(r complaint.Reply) (string, error) {
	args := map[string]string{"number": complaint.Grouped(r.Number), "text": r.Text}
	switch {
	case r.Kind != complaint.ReplyReceipt:
		return p.book.Say(r.Language, "phone.update", args)
	case r.Event == complaint.Supplemented:
		return p.book.Say(r.Language, "phone.supplement", args)
	}
	return p.book.Say(r.Language, "phone.receipt", args)
}

// pieces cuts a text at most runes, at white space where there is some near.
func pieces(s string, most int) []string {
	var out []string
	for rest := []rune(s); ; {
		if len(rest) <= most {
			return append(out, string(rest))
		}
		cut := most
		if i := strings.LastIndexAny(string(rest[most-100:most]), " \n"); i >= 0 {
			cut = most - 100 + len([]rune(string(rest[most-100 : most])[:i])) + 1
		}
		out, rest = append(out, string(rest[:cut])), rest[cut:]
	}
}

// message is a text message to be sent, once for each id.
type message struct {
	id     string
	number string // the complaint that it is about
	from   string // one of ours; else the first
	to     string
	body   string
}

// sendText sends a message. The carrier has no way to be told the same thing
// twice and do it once, so the outcome is kept where every gateway sees it,
// and where it is not known the carrier is asked what it has sent.
func (p *Phone) sendText(ctx context.Context, m message) error {
	if !slices.Contains(p.cfg.Numbers, strings.TrimPrefix(m.from, whatsApp)) {
		m.from = p.cfg.Numbers[0]
		m.to = strings.TrimPrefix(m.to, whatsApp)
	}
	known, err := p.deps.Memory.Known(ctx, "text:"+m.id)
	if err != nil || known["sid"] != "" {
		return err
	}
	if tried := known["tried"]; tried != "" {
		sid, err := p.alreadySent(ctx, m, tried)
		if err != nil || sid != "" {
			return err
		}
	}
	if err := p.texts.Wait(ctx); err != nil {
		return fmt.Errorf("wait for a turn: %w", err)
	}
	if err := p.deps.Memory.Learn(ctx, "text:"+m.id, map[string]string{"tried": strconv.FormatInt(time.Now().Unix(), 10)}); err != nil {
		return err
	}
	p.expectAnswer(ctx, m)
	params := &api.CreateMessageParams{}
	params.SetTo(m.to)
	params.SetFrom(m.from)
	params.SetBody(m.body)
	params.SetStatusCallback(p.step("", "status", url.Values{"of": {m.number}}))
	sent, err := p.account.api(ctx).CreateMessage(params)
	if err != nil {
		return p.sendError(ctx, m.id, err)
	}
	p.sentOnce(ctx, m.id, text(sent.Sid))
	return nil
}

// expectAnswer has the answer to a message lead to the complaint that it is
// about, however old that is and by whichever channel it came.
func (p *Phone) expectAnswer(ctx context.Context, m message) {
	err := p.deps.Threads.Continue(ctx, m.number, p.textsWith(m.to), p.cfg.TextWindow)
	if err != nil && !errors.Is(err, complaint.ErrUnknown) { // then it is in a spool, and leads there by itself
		p.deps.Log.Warn("an answer to a text message may become a complaint of its own", "line", p.cfg.Name, "number", m.number, "err", err)
	}
}

// sentOnce keeps that a message is out. A failure is no reason to send it
// again; a repetition asks the carrier.
func (p *Phone) sentOnce(ctx context.Context, id, sid string) {
	if sid == "" {
		sid = "unnamed"
	}
	if err := p.deps.Memory.Learn(ctx, "text:"+id, map[string]string{"sid": sid}); err != nil {
		p.deps.Log.Warn("remember that a text message was sent", "line", p.cfg.Name, "id", id, "err", err)
	}
}

// skew is how far a carrier's clock may be behind ours.
const skew = 5 * time.Minute

// sentMost bounds how many messages to one number are looked through.
const sentMost = 100

// alreadySent asks the carrier for a message whose outcome is not known.
func (p *Phone) alreadySent(ctx context.Context, m message, tried string) (sid string, err error) {
	at, err := strconv.ParseInt(tried, 10, 64)
	if err != nil {
		return "", nil
	}
	params := &api.ListMessageParams{}
	params.SetTo(m.to)
	params.SetFrom(m.from)
	params.SetDateSentAfter(time.Unix(at, 0).Add(-24 * time.Hour).UTC()) // carriers compare days
	params.SetLimit(sentMost)
	list, err := p.account.api(ctx).ListMessage(params)
	if err != nil {
		return "", fmt.Errorf("ask the carrier what it has sent: %w", p.sendError(ctx, "", err))
	}
	for _, one := range list {
		created := moment(text(one.DateCreated))
		if text(one.Body) == m.body && (created.IsZero() || !created.Before(time.Unix(at, 0).Add(-skew))) {
			p.sentOnce(ctx, m.id, text(one.Sid))
			return text(one.Sid), nil
		}
	}
	return "", nil
}

// Twilio's codes that mean: this number will never get it
// (https://www.twilio.com/docs/api/errors).
var unreachable = map[int]bool{
	21211: true, 21214: true, 21217: true, 21408: true, 21421: true, 21610: true, 21612: true, 21614: true, 21635: true, 30003: true, 30005: true, 30006: true, 63003: true, 63016: true, 63024: true,
}

// sendError says what a refusal means. A refusal is a known outcome: the next
// try need not ask.
func (p *Phone) sendError(ctx context.Context, id string, err error) error {
	status, code, is := refused(err)
	if !is {
		return err // no answer: unknown
	}
	if id != "" {
		if err := p.deps.Memory.Learn(ctx, "text:"+id, map[string]string{"tried": ""}); err != nil {
			return err
		}
	}
	if unreachable[code] {
		return fmt.Errorf("carrier's code %d: %w", code, complaint.ErrUnreachable)
	}
	return fmt.Errorf("carrier answered %d, code %d (see its error dictionary)", status, code)
}
