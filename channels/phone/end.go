package phone

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"hearken/complaint"
)

// The states in which a call is over
// (https://www.twilio.com/docs/voice/api/call-resource#call-status-values).
var over = []string{"completed", "busy", "failed", "no-answer", "canceled"}

// status takes the end of a call, or what became of a text message.
func (p *Phone) status(_ context.Context, h hook) (answer, error) {
	if h.get("MessageSid") != "" {
		return answer{}, p.noteDelivery(h)
	}
	if !slices.Contains(over, h.get("CallStatus")) || strings.HasPrefix(h.get("Direction"), "outbound") {
		return answer{}, nil
	}
	if h.get("CallSid") == "" {
		return answer{}, errNoCall
	}
	return answer{}, p.noteEnd(h, time.Now().Add(p.cfg.EndWait))
}

// noteEnd puts down that a call is over. What it brought may still be on its
// way, to any gateway: the complaint is registered when that had its time.
func (p *Phone) noteEnd(h hook, due time.Time) error {
	args := map[string]string{}
	for _, name := range []string{"CallSid", "From", "To", "Direction", "CallStatus"} {
		args[name] = h.get(name)
	}
	return p.jobs.add(job{Kind: jobEnd, ID: h.get("CallSid"), Args: args, Due: due})
}

// hook makes a webhook again of what was noted of it.
func (j job) hook() hook {
	form := url.Values{}
	for k, v := range j.Args {
		form.Set(k, v)
	}
	return hook{form: form, query: url.Values{}}
}

// endOfCall registers a call that left nothing, as a wish to be called back.
func (p *Phone) endOfCall(ctx context.Context, j job) error {
	h := j.hook()
	facts, err := p.deps.Memory.Known(ctx, callKey(h.get("CallSid")))
	if err != nil {
		return err
	}
	if facts["answered"] == "true" {
		return nil // somebody has spoken with the caller
	}
	c, err := p.wordless(h, p.recall(func(k string) string { return facts[k] }), "end")
	if err != nil {
		return err
	}
	if s := word(h.get("CallStatus")); s != "completed" {
		c.Facts["call_status"] = s
	}
	c.OnlyOpens, c.WantsReceipt = true, true
	_, err = p.deps.Intake.Accept(ctx, c)
	return err
}

// Message states after which nothing more is told, and whether they are
// failures (https://www.twilio.com/docs/messaging/api/message-resource).
var settled = map[string]bool{"delivered": false, "read": false, "failed": true, "undelivered": true}

// noteDelivery puts down what became of a text message that we sent.
func (p *Phone) noteDelivery(h hook) error {
	status := word(h.get("MessageStatus"))
	failed, ok := settled[status]
	number, err := complaint.ParseNumber(h.query.Get("of"))
	if !ok || err != nil {
		return nil
	}
	sid, code := h.get("MessageSid"), digits(h.get("ErrorCode"))
	if failed {
		p.deps.Log.Warn("a text message did not reach its customer", "line", p.cfg.Name, "number", number, "status", status, "code", code)
	}
	return p.jobs.add(job{Kind: jobDelivery, ID: sid + "/" + status, Args: map[string]string{"number": number, "status": status, "code": code, "sid": sid}})
}

// unknownFor is how long a complaint may be unknown before its history is
// given up: it may wait in a spool.
const unknownFor = 24 * time.Hour

// bookDelivery writes it into the complaint's history.
func (p *Phone) bookDelivery(ctx context.Context, j job) error {
	event := "delivered"
	if settled[j.Args["status"]] {
		event = "delivery_failed"
	}
	err := p.deps.History.Book(ctx, j.Args["number"], j.ID, event, map[string]string{
		"channel": complaint.Phone, "status": j.Args["status"], "code": j.Args["code"], "message_sid": j.Args["sid"],
	})
	if err != nil && time.Since(j.Since) > unknownFor {
		p.deps.Log.Error("what became of a text message is in no complaint's history", "line", p.cfg.Name, "number", j.Args["number"], "err", err)
		return nil
	}
	return err
}

// textNumber sends the number that a caller asked for.
func (p *Phone) textNumber(ctx context.Context, j job) error {
	text, err := p.book.Say(j.Args["lang"], "phone.receipt", map[string]string{"number": complaint.Grouped(j.Args["number"])})
	if err != nil {
		return err
	}
	err = p.sendText(ctx, message{id: "offer-" + j.ID, number: j.Args["number"], from: j.Args["from"], to: j.Args["to"], body: text})
	if errors.Is(err, complaint.ErrUnreachable) || (err != nil && time.Since(j.Since) > unknownFor) {
		p.deps.Log.Warn("a number could not be sent as a text", "line", p.cfg.Name, "number", j.Args["number"], "err", err)
		booked := p.deps.History.Book(ctx, j.Args["number"], "offer "+j.ID, "delivery_failed", map[string]string{"channel": complaint.Phone, "kind": complaint.ReplyReceipt, "reason": err.Error()})
		if booked != nil && time.Since(j.Since) <= unknownFor { // it may be in a spool still
			return booked
		}
		return nil
	}
	if err != nil {
		return fmt.Errorf("send a complaint number by text message: %w", err)
	}
	return nil
}
