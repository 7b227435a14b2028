package phone

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/twilio/twilio-go/client"
	api "github.com/twilio/twilio-go/rest/api/v2010"
	"github.com/twilio/twilio-go/twiml"

	"hearken/complaint"
)

// Words that carriers act on: to register them would answer a person who
// asked not to be written to.
var carrierWords = map[string]bool{
	"stop": true, "stopall": true, "unsubscribe": true, "cancel": true, "end": true, "quit": true, "optout": true, "revoke": true,
	"start": true, "unstop": true, "help": true, "info": true, "td": true, "退订": true, "t": true,
}

// sms takes a text message; the answer is its receipt.
func (p *Phone) sms(ctx context.Context, h hook) (answer, error) {
	sid, body := h.get("MessageSid"), strings.TrimSpace(h.get("Body"))
	if sid == "" {
		return answer{}, complaint.Permanent(errors.New("the webhook names no message"))
	}
	if carrierWords[strings.ToLower(strings.Trim(body, ".! "))] {
		return answer{}, nil
	}
	from, to := h.get("From"), h.get("To")
	c := complaint.Contact{
		ID: complaint.RecordID(complaint.Phone, sid), Channel: complaint.Phone, Account: p.cfg.Name, ContactPoint: to, Ref: sid, ReceivedAt: time.Now(),
		From: complaint.Person{Phone: strings.TrimPrefix(from, "whatsapp:")}, Text: body, Language: languageOf(body, p.cfg.Languages[0]),
		Conversation: "sms:" + from + ">" + to, Window: p.cfg.SMSWindow, NumberNow: true, Facts: map[string]string{"line": p.cfg.Name, "message_sid": sid},
	}
	if n := digits(h.get("NumMedia")); n != "" && n != "0" {
		c.Notes = append(c.Notes, "the message came with "+n+" files, which are at the provider")
	}
	r, err := p.deps.Intake.Accept(ctx, c)
	if err != nil {
		return answer{}, err
	}
	key := "phone.receipt"
	switch {
	case r.Number == "":
		key = "phone.kept"
	case r.Event == complaint.Supplemented:
		key = "phone.supplement"
	}
	text, err := p.book.Say(c.Language, key, map[string]string{"number": complaint.Grouped(r.Number)})
	if err != nil {
		return answer{}, err
	}
	return answer{[]twiml.Element{&twiml.MessagingMessage{Body: text}}}, nil
}

// languageOf is Chinese where a Chinese character is in the text, English
// where only Latin ones are.
func languageOf(text, fallback string) string {
	latin := false
	for _, r := range text {
		if unicode.Is(unicode.Han, r) {
			return "zh"
		}
		latin = latin || unicode.IsLetter(r)
	}
	if latin {
		return "en"
	}
	return fallback
}

// Send sends a reply as a text message. Twilio has no way to say the same
// thing twice and mean it once: what was sent is noted, and after an unknown
// outcome it is sent again, since twice is better than never.
func (p *Phone) Send(_ context.Context, r complaint.Reply) error {
	if !numberShape.MatchString(r.To.Phone) {
		return fmt.Errorf("send reply %s: the customer has no phone number: %w", r.ID, complaint.ErrUnreachable)
	}
	if sent, err := p.deps.Notebook.List(sentKey + r.ID); err != nil || len(sent) > 0 {
		return err
	}
	text, err := p.wording(r)
	if err != nil {
		return complaint.Permanent(err)
	}
	params := &api.CreateMessageParams{}
	params.SetTo(r.To.Phone)
	params.SetFrom(p.cfg.Numbers[0])
	params.SetBody(text)
	params.SetStatusCallback(p.step("status", nil))
	if _, err := p.rest.Api.CreateMessage(params); err != nil {
		return fmt.Errorf("send reply %s by text message: %w", r.ID, sendError(err))
	}
	return p.stamp(sentKey + r.ID)
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

// Twilio's codes that mean: this number will never get it.
var unreachable = map[int]bool{
	21211: true, 21214: true, 21217: true, 21408: true, 21421: true, 21610: true, 21612: true, 21614: true, 21635: true, 30003: true, 30005: true, 30006: true,
}

func sendError(err error) error {
	var rest *client.TwilioRestError
	if !errors.As(err, &rest) {
		return err // no answer: unknown, tried again
	}
	if unreachable[rest.Code] {
		return fmt.Errorf("provider's code %d: %w", rest.Code, complaint.ErrUnreachable)
	}
	// The text of the error may hold the number; the code says enough.
	return fmt.Errorf("provider answered %d, code %d (see its error dictionary)", rest.Status, rest.Code)
}

// Keys of the notebook.
const (
	jobKey  = "recording/"
	doneKey = "fetched/"
	sentKey = "sent/"
)

// stamp notes that something is done, so that a repetition is noticed.
func (p *Phone) stamp(key string) error {
	b, err := json.Marshal(time.Now())
	if err != nil {
		return err
	}
	return p.deps.Notebook.Put(key, b)
}
