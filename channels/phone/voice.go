package phone

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"hearken/complaint"
)

// The webhooks of a call's dialogue, each answered with what follows.

func (p *Phone) state(h hook) talk { return p.recall(h.query.Get) }

// answer takes a new call.
func (p *Phone) answer(ctx context.Context, h hook) (answer, error) {
	if h.get("CallSid") == "" {
		return answer{}, errNoCall
	}
	s := p.script(h, talk{})
	facts := s.talk.facts()
	facts["from"], facts["to"] = h.get("From"), h.get("To") // the news of a recording tells neither
	p.learn(ctx, s.sid, facts)
	return s.play(fromLanguage).answer()
}

var errNoCall = complaint.Permanent(errors.New("the webhook names no call"))

// fallback takes a call whose webhook failed elsewhere: the shortest way to
// the tone.
func (p *Phone) fallback(_ context.Context, h hook) (answer, error) {
	p.deps.Log.Warn("the carrier fell back: a webhook of this call failed", "line", p.cfg.Name, "code", digits(h.get("ErrorCode")))
	return p.script(h, talk{}).play(fromMessage).answer()
}

// learn keeps for the end of the call, on every gateway, what it has told.
// Failing only costs a fact of a call that leaves no message.
func (p *Phone) learn(ctx context.Context, sid string, facts map[string]string) {
	if err := p.deps.Memory.Learn(ctx, callKey(sid), facts); err != nil {
		p.deps.Log.Warn("remember a fact of a call", "line", p.cfg.Name, "err", err)
	}
}

func callKey(sid string) string { return "call:" + sid }

// language takes the digit of a language.
func (p *Phone) language(ctx context.Context, h hook) (answer, error) {
	s := p.script(h, p.state(h))
	if n, err := strconv.Atoi(h.get("Digits")); err == nil && n >= 1 && n <= len(p.cfg.Languages) {
		s.talk.Lang = p.cfg.Languages[n-1]
		p.learn(ctx, s.sid, s.talk.facts())
	}
	s.talk.Lang = s.lang()
	return s.play(fromGreeting).answer()
}

// dialed goes on when a transfer is over: somebody has spoken with the caller,
// or nobody could.
func (p *Phone) dialed(ctx context.Context, h hook) (answer, error) {
	s := p.script(h, p.state(h))
	if status := h.get("DialCallStatus"); status == "completed" || status == "answered" {
		p.learn(ctx, s.sid, map[string]string{"answered": "true"})
		s.goodbye()
		return s.answer()
	}
	s.tell("phone.nobody", nil)
	return s.play(fromNotice).answer()
}

// notice takes the wish not to be recorded: a call back.
func (p *Phone) notice(ctx context.Context, h hook) (answer, error) {
	t := p.state(h)
	if h.get("Digits") != p.cfg.Decline {
		return p.script(h, t).play(fromMenu).answer()
	}
	c, err := p.wordless(h, t, "declined")
	if err != nil {
		return answer{}, err
	}
	c.Facts["recording_consent"] = "declined"
	return p.take(ctx, h, t, c)
}

// menu takes the digit of a type, or of "I have a number".
func (p *Phone) menu(ctx context.Context, h hook) (answer, error) {
	s := p.script(h, p.state(h))
	digit := h.get("Digits")
	if digit == p.cfg.FollowUp {
		s.askNumber()
		return s.play(fromMessage).answer()
	}
	for _, m := range p.cfg.Menu {
		if m.Digit == digit {
			s.talk.Type = m.Type
			p.learn(ctx, s.sid, s.talk.facts())
		}
	}
	return s.play(fromMessage).answer()
}

// number takes a complaint number. After a wrong one the caller is asked
// again; after the last, the call goes on as a complaint of its own.
func (p *Phone) number(ctx context.Context, h hook) (answer, error) {
	s := p.script(h, p.state(h))
	n, err := complaint.ParseNumber(h.get("Digits"))
	switch {
	case err == nil:
		s.talk.Number = n
		p.learn(ctx, s.sid, s.talk.facts())
		s.tell("phone.numbered", map[string]string{"number": spoken(s.lang(), n)})
	case s.talk.Try < maxTries:
		s.tell("phone.wrong", nil)
		s.askNumber()
	default:
		s.tell("phone.without", nil)
	}
	return s.play(fromMessage).answer()
}

// spoken takes what the carrier has understood. Where a recording follows it
// is a detail more: the complaint is registered now.
func (p *Phone) spoken(ctx context.Context, h hook) (answer, error) {
	t := p.state(h)
	text := strings.TrimSpace(h.get("SpeechResult"))
	if text == "" {
		if len(p.cfg.Message) > 1 {
			s := p.script(h, t)
			s.record("phone.speak")
			return s.answer()
		}
		return p.silent(ctx, h)
	}
	c, err := p.call(h, t, "speech")
	if err != nil {
		return answer{}, err
	}
	c.Text = text
	c.Notes = append(c.Notes, "understood by a machine")
	if f, err := strconv.ParseFloat(h.get("Confidence"), 64); err == nil && f >= 0 && f <= 1 {
		c.Facts["speech_confidence"] = strconv.FormatFloat(f, 'f', 2, 64)
	}
	if len(p.cfg.Message) == 1 {
		return p.take(ctx, h, t, c)
	}
	r, err := p.accept(ctx, h, c)
	if err != nil {
		return answer{}, err
	}
	s := p.script(h, t)
	if r.Number != "" {
		s.tell("phone.number", map[string]string{"number": spoken(s.lang(), r.Number)})
	}
	s.talk.Told = r.Number
	s.record("phone.more")
	return s.answer()
}

// recorded takes the message. The recording itself is fetched later; that it
// exists is on disk before anything is said.
func (p *Phone) recorded(ctx context.Context, h hook) (answer, error) {
	t, re := p.state(h), h.get("RecordingSid")
	if re == "" || digits(h.get("RecordingDuration")) == "0" {
		return p.silent(ctx, h)
	}
	c, err := p.recordingContact(h, t, re)
	if err != nil {
		return answer{}, err
	}
	if err := p.noteRecording(c, re, true); err != nil {
		return answer{}, err
	}
	p.learn(ctx, h.get("CallSid"), map[string]string{"noted:" + re: "true"})
	return p.take(ctx, h, t, c)
}

func (p *Phone) recordingContact(h hook, t talk, re string) (complaint.Contact, error) {
	c, err := p.call(h, t, re)
	if err != nil {
		return c, err
	}
	c.Facts["recording_sid"], c.Facts["recording_seconds"] = re, digits(h.get("RecordingDuration"))
	err = p.entitle(&c, "phone.recorded", nil)
	return c, err
}

// silent asks once more, and then registers that somebody wants to be called
// back. After words that were understood, silence adds nothing.
func (p *Phone) silent(ctx context.Context, h hook) (answer, error) {
	t := p.state(h)
	if t.Told != "" {
		s := p.script(h, t)
		s.farewell("", t.Told)
		return s.answer()
	}
	if t.Try == 1 {
		s := p.script(h, t)
		s.talk.Try = 2
		if slices.Contains(p.cfg.Message, byRecord) {
			s.record("phone.again")
		} else {
			s.listen("phone.describe")
			s.elseSilent()
		}
		return s.answer()
	}
	c, err := p.wordless(h, t, "silent")
	if err != nil {
		return answer{}, err
	}
	c.OnlyOpens = true
	return p.take(ctx, h, t, c)
}

// textOffer takes the wish to have the number as a text message.
func (p *Phone) textOffer(_ context.Context, h hook) (answer, error) {
	s := p.script(h, p.state(h))
	if s.talk.Told != "" && h.get("Digits") == p.cfg.OfferText && numberShape.MatchString(s.from) {
		j := job{Kind: jobText, ID: s.sid, Args: map[string]string{"number": s.talk.Told, "to": s.from, "from": s.to, "lang": s.lang()}}
		if err := p.jobs.add(j); err != nil {
			return answer{}, err
		}
		s.tell("phone.sent", nil)
	}
	s.goodbye()
	return s.answer()
}

// take hands a contact over, and says farewell.
func (p *Phone) take(ctx context.Context, h hook, t talk, c complaint.Contact) (answer, error) {
	r, err := p.accept(ctx, h, c)
	if err != nil {
		return answer{}, err
	}
	before := ""
	if c.Facts["call_back"] != "" && (r.Event != complaint.Supplemented || r.Number == t.Number) {
		if before = "phone.callback"; c.From.Phone == "" {
			before = "phone.withheld"
		}
	}
	s := p.script(h, t)
	s.farewell(before, r.Number)
	return s.answer()
}

// accept hands over a contact that somebody on the line waits for, and returns
// the receipt to tell. Who has hung up gets it as a text.
func (p *Phone) accept(ctx context.Context, h hook, c complaint.Contact) (complaint.Receipt, error) {
	c.WantsReceipt = true
	c.NumberNow = h.get("Digits") != "hangup" && !slices.Contains(over, h.get("CallStatus"))
	return p.deps.Intake.Accept(ctx, c)
}

// withheld are the numbers that stand for a caller who shows none: the words
// that carriers send, and what Twilio makes of them, spelled on a keypad
// (https://help.twilio.com/articles/223179988).
var withheld = []string{
	"", "anonymous", "restricted", "blocked", "unknown", "unavailable", "+266696687", "+7378742833", "+2562533", "+8656696", "+86282452253", "+464",
}

// people are the caller, "" where the number is withheld, and the number that
// was called.
func (h hook) people() (from, to string) {
	from, to = h.get("From"), h.get("To")
	if strings.HasPrefix(h.get("Direction"), "outbound") {
		from, to = to, from
	}
	if slices.Contains(withheld, strings.ToLower(from)) {
		from = ""
	}
	return from, to
}

// call is a contact of the call, identified by what follows its CallSid.
func (p *Phone) call(h hook, t talk, part string) (complaint.Contact, error) {
	sid := h.get("CallSid")
	if sid == "" {
		return complaint.Contact{}, errNoCall
	}
	from, to := h.people()
	if t.Lang == "" {
		t.Lang = p.defaultLanguage(to)
	}
	if t.At.IsZero() {
		t.At = time.Now()
	}
	c := complaint.Contact{
		ID: complaint.RecordID(complaint.Phone, sid, part), Channel: complaint.Phone, Account: p.cfg.Name, ContactPoint: to,
		Ref: sid + "/" + part, ReceivedAt: t.At, From: complaint.Person{Phone: from}, Language: t.Lang, Conversation: callKey(sid),
		Facts: map[string]string{"line": p.cfg.Name, "call_sid": sid, "medium": "call"},
	}
	if c.ContactPoint == "" {
		c.ContactPoint = p.cfg.Numbers[0]
	}
	if from != "" { // who has phoned may go on by text
		c.AlsoConversation, c.AlsoWindow = p.textsWith(from), p.cfg.TextWindow
	}
	if from == "" {
		c.Notes = append(c.Notes, "the caller's number is withheld")
	}
	if t.Type != "" {
		c.Facts[complaint.FactStatedType] = t.Type
	}
	if t.Number != "" {
		c.Number, c.NumberBy = t.Number, "keyed"
	}
	return c, nil
}

// wordless is a contact of a call that left no words.
func (p *Phone) wordless(h hook, t talk, part string) (complaint.Contact, error) {
	c, err := p.call(h, t, part)
	if err != nil {
		return c, err
	}
	c.Facts["call_back"] = "true"
	c.Notes = append(c.Notes, "caller left no words")
	err = p.entitle(&c, "phone.nowords", nil)
	return c, err
}

// entitle gives a contact a subject of ours: calls and texts have none.
func (p *Phone) entitle(c *complaint.Contact, key string, args map[string]string) (err error) {
	c.Facts[complaint.FactSubjectBy] = complaint.SubjectByGateway
	c.Subject, err = p.book.Say(c.Language, key, args)
	return err
}

// digits and word keep what comes from outside from spreading: a number or a
// plain word, or nothing.
func digits(s string) string {
	if len(s) > 10 || strings.Trim(s, "0123456789") != "" {
		return ""
	}
	return s
}

func word(s string) string {
	if len(s) > 30 || strings.Trim(strings.ToLower(s), "abcdefghijklmnopqrstuvwxyz-_") != "" {
		return ""
	}
	return s
}
