package phone

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twilio/twilio-go/twiml"

	"hearken/complaint"
)

// The dialogue: answer -> (language) -> recorded, or silent when nothing was
// said. What a step has to know is in the query of its address, which Twilio
// signs together with the rest.

// answer greets a caller, and offers the languages where there are several.
func (p *Phone) answer(_ context.Context, h hook) (answer, error) {
	if len(p.cfg.Languages) == 1 {
		return p.ask(p.cfg.Languages[0], "phone.greeting", 1)
	}
	var choices []twiml.Element
	for i, lang := range p.cfg.Languages {
		say, err := p.say(lang, "phone.choose", map[string]string{"digit": strconv.Itoa(i + 1)})
		if err != nil {
			return answer{}, err
		}
		choices = append(choices, say)
	}
	return answer{[]twiml.Element{
		&twiml.VoiceGather{Input: "dtmf", NumDigits: "1", Timeout: "4", Action: p.step("voice/language", nil), Method: "POST", InnerElements: choices},
		// Nothing pressed: the first language.
		&twiml.VoiceRedirect{Url: p.step("voice/language", nil), Method: "POST"},
	}}, nil
}

// language takes the digit, and asks for the message.
func (p *Phone) language(_ context.Context, h hook) (answer, error) {
	lang := p.cfg.Languages[0]
	if n, err := strconv.Atoi(h.get("Digits")); err == nil && n >= 1 && n <= len(p.cfg.Languages) {
		lang = p.cfg.Languages[n-1]
	}
	return p.ask(lang, "phone.greeting", 1)
}

// ask says the opening, and records. Where nothing is said, Twilio goes on
// with the redirect instead of calling the action.
func (p *Phone) ask(lang, opening string, try int) (answer, error) {
	first, err := p.say(lang, opening, nil)
	if err != nil {
		return answer{}, err
	}
	verbs := []twiml.Element{first}
	if opening == "phone.greeting" {
		speak, err := p.say(lang, "phone.speak", nil)
		if err != nil {
			return answer{}, err
		}
		verbs = append(verbs, speak)
	}
	q := url.Values{"lang": {lang}}
	record := &twiml.VoiceRecord{
		Action: p.step("voice/recorded", q), Method: "POST", FinishOnKey: "#", PlayBeep: "true",
		MaxLength: wholeSeconds(p.cfg.Record.MaxLength), Timeout: wholeSeconds(p.cfg.Record.Silence),
		RecordingStatusCallback: p.step("recording", q), RecordingStatusCallbackMethod: "POST", RecordingStatusCallbackEvent: "completed absent",
	}
	if p.cfg.Transcribe && lang == "en" {
		record.Transcribe, record.TranscribeCallback = "true", p.step("transcription", q)
	}
	q = url.Values{"lang": {lang}, "try": {strconv.Itoa(try)}}
	return answer{append(verbs, record, &twiml.VoiceRedirect{Url: p.step("voice/silent", q), Method: "POST"})}, nil
}

func wholeSeconds(d time.Duration) string { return strconv.Itoa(max(1, int(d/time.Second))) }

// step is the address of a step, as Twilio is to call it.
func (p *Phone) step(path string, q url.Values) string {
	if len(q) == 0 {
		return p.base + "/" + path
	}
	return p.base + "/" + path + "?" + q.Encode()
}

// lang is the language that an earlier step chose.
func (p *Phone) lang(h hook) string {
	if l := h.query.Get("lang"); slices.Contains(p.cfg.Languages, l) {
		return l
	}
	return p.cfg.Languages[0]
}

func (p *Phone) say(lang, key string, args map[string]string) (*twiml.VoiceSay, error) {
	text, err := p.book.Say(lang, key, args)
	if err != nil {
		return nil, err
	}
	if lang == "zh" {
		return &twiml.VoiceSay{Message: text, Language: "cmn-CN", Voice: p.cfg.Voices.ZH}, nil
	}
	return &twiml.VoiceSay{Message: text, Language: "en-US", Voice: p.cfg.Voices.EN}, nil
}

// call is a contact of the call, identified by what follows its CallSid.
func (p *Phone) call(h hook, lang, part string) (complaint.Contact, error) {
	sid := h.get("CallSid")
	if sid == "" {
		return complaint.Contact{}, fmt.Errorf("the webhook names no call")
	}
	from, to := h.get("From"), h.get("To")
	if strings.HasPrefix(h.get("Direction"), "outbound") {
		from, to = to, from
	}
	return complaint.Contact{
		ID: complaint.RecordID(complaint.Phone, sid, part), Channel: complaint.Phone, Account: p.cfg.Name, ContactPoint: to,
		Ref: sid + "/" + part, ReceivedAt: time.Now(), From: complaint.Person{Phone: from}, Language: lang, Conversation: "call:" + sid,
		Facts: map[string]string{"line": p.cfg.Name, "call_sid": sid},
	}, nil
}

// recorded takes the message and reads out the number. The recording itself
// is fetched later; that it exists is on disk before anything is said.
func (p *Phone) recorded(ctx context.Context, h hook) (answer, error) {
	re := h.get("RecordingSid")
	if re == "" {
		return p.silent(ctx, h)
	}
	lang := p.lang(h)
	c, err := p.call(h, lang, re)
	if err != nil {
		return answer{}, err
	}
	if c.Subject, err = p.book.Say(lang, "phone.recorded", nil); err != nil {
		return answer{}, err
	}
	c.NumberNow = true
	c.Facts["recording_sid"], c.Facts["recording_seconds"] = re, digits(h.get("RecordingDuration"))
	if err := p.noteRecording(c, re); err != nil {
		return answer{}, err
	}
	r, err := p.deps.Intake.Accept(ctx, c)
	if err != nil {
		return answer{}, err
	}
	p.nudge()
	return p.farewell(lang, r.Number, "")
}

// silent asks once more, and then registers that somebody wants to be called
// back.
func (p *Phone) silent(ctx context.Context, h hook) (answer, error) {
	lang := p.lang(h)
	if h.query.Get("try") == "1" {
		return p.ask(lang, "phone.again", 2)
	}
	c, err := p.callBack(h, lang, "silent")
	if err != nil {
		return answer{}, err
	}
	c.NumberNow = true
	r, err := p.deps.Intake.Accept(ctx, c)
	if err != nil {
		return answer{}, err
	}
	return p.farewell(lang, r.Number, "phone.callback")
}

// callBack is a contact without words.
func (p *Phone) callBack(h hook, lang, part string) (complaint.Contact, error) {
	c, err := p.call(h, lang, part)
	if err != nil {
		return c, err
	}
	c.Facts["call_back"] = "true"
	c.Notes = append(c.Notes, "caller left no words")
	c.Subject, err = p.book.Say(lang, "phone.nowords", nil)
	return c, err
}

// farewell says the number twice.
func (p *Phone) farewell(lang, number, extra string) (answer, error) {
	var verbs []twiml.Element
	keys := []string{"phone.number", "phone.repeat"}
	if number == "" {
		keys = []string{"phone.nonumber"}
	}
	if extra != "" {
		keys = append([]string{extra}, keys...)
	}
	for _, key := range append(keys, "phone.goodbye") {
		say, err := p.say(lang, key, map[string]string{"number": spoken(lang, number)})
		if err != nil {
			return answer{}, err
		}
		verbs = append(verbs, say)
	}
	return answer{append(verbs, &twiml.VoiceHangup{})}, nil
}

// The states in which a call is over.
var over = []string{"completed", "busy", "failed", "no-answer", "canceled"}

// status takes the end of a call: one that left no message is a request to be
// called back. The state of a text message that we sent is only noted.
func (p *Phone) status(ctx context.Context, h hook) (answer, error) {
	if sid := h.get("MessageSid"); sid != "" {
		p.deps.Log.Info("text message", "line", p.cfg.Name, "sid", sid, "status", word(h.get("MessageStatus")), "code", digits(h.get("ErrorCode")))
		return answer{}, nil
	}
	if !slices.Contains(over, h.get("CallStatus")) || strings.HasPrefix(h.get("Direction"), "outbound") {
		return answer{}, nil
	}
	c, err := p.callBack(h, p.cfg.Languages[0], "end")
	if err != nil {
		return answer{}, err
	}
	c.OnlyOpens, c.WantsReceipt = true, true
	_, err = p.deps.Intake.Accept(ctx, c)
	return answer{}, err
}

// recording takes the news that a recording can be fetched, or that there is
// none.
func (p *Phone) recording(_ context.Context, h hook) (answer, error) {
	re := h.get("RecordingSid")
	if re == "" || h.get("RecordingStatus") != "completed" {
		return answer{}, nil // the end of the call says the rest
	}
	c, err := p.call(h, p.lang(h), re)
	if err != nil {
		return answer{}, err
	}
	c.Facts["recording_sid"], c.Facts["recording_seconds"] = re, digits(h.get("RecordingDuration"))
	if err := p.noteRecording(c, re); err != nil {
		return answer{}, err
	}
	p.nudge()
	return answer{}, nil
}

// noteRecording writes the job to fetch a recording, before anybody is told
// that it is known. Once fetched, it is not noted again.
func (p *Phone) noteRecording(c complaint.Contact, re string) error {
	c.NumberNow = false
	done, err := p.deps.Notebook.List(doneKey + re)
	if err != nil || len(done) > 0 {
		return err
	}
	have, err := p.deps.Notebook.List(jobKey + re)
	if err != nil || len(have) > 0 {
		return err
	}
	b, err := json.Marshal(job{Contact: c, Recording: re, Since: time.Now()})
	if err != nil {
		return err
	}
	return p.deps.Notebook.Put(jobKey+re, b)
}

// transcription takes the provider's transcript of a recording.
func (p *Phone) transcription(ctx context.Context, h hook) (answer, error) {
	text := strings.TrimSpace(h.get("TranscriptionText"))
	if h.get("TranscriptionStatus") != "completed" || text == "" {
		return answer{}, nil // never, or without words: the recording stays
	}
	c, err := p.call(h, p.lang(h), h.get("RecordingSid")+"/transcript")
	if err != nil {
		return answer{}, err
	}
	if c.Subject, err = p.book.Say(c.Language, "phone.transcript", nil); err != nil {
		return answer{}, err
	}
	c.Text = text
	c.Notes = append(c.Notes, "transcribed by a machine")
	_, err = p.deps.Intake.Accept(ctx, c)
	return answer{}, err
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
