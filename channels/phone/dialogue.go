package phone

import (
	"slices"
	"strconv"
	"time"

	"github.com/twilio/twilio-go/twiml"
)

// The dialogue is a list of parts. A webhook is answered with all that follow,
// each one falling through to the next where the caller says and presses
// nothing: somebody who only waits gets from the greeting to the tone without
// another webhook.

// maxTries is how often a caller is asked for the same thing.
const maxTries = 3

// script is an answer in the making.
type script struct {
	p     *Phone
	sid   string // of the call
	from  string // the caller's number, "" where it is withheld
	to    string
	talk  talk
	verbs []twiml.Element
	err   error
}

// part adds its verbs, and tells whether the answer ends with them.
type part func(*script) (ends bool)

var (
	fromLanguage = []part{(*script).askLanguage, (*script).greet, (*script).giveNotice, (*script).askMenu, (*script).takeMessage}
	fromGreeting = fromLanguage[1:]
	fromNotice   = fromLanguage[2:]
	fromMenu     = fromLanguage[3:]
	fromMessage  = fromLanguage[4:]
)

func (p *Phone) script(h hook, t talk) *script {
	if t.At.IsZero() {
		t.At = time.Now()
	}
	from, to := h.people()
	s := &script{p: p, sid: h.get("CallSid"), from: from, to: to, talk: t}
	if s.talk.Lang == "" && len(p.cfg.Languages) == 1 {
		s.talk.Lang = p.cfg.Languages[0]
	}
	return s
}

// play adds parts until one ends the answer.
func (s *script) play(parts []part) *script {
	for _, add := range parts {
		if add(s) || s.err != nil {
			break
		}
	}
	return s
}

func (s *script) answer() (answer, error) { return answer{verbs: s.verbs}, s.err }

// add adds verbs, unless something went wrong before.
func (s *script) add(verbs ...twiml.Element) { s.verbs = append(s.verbs, verbs...) }

// lang is the language chosen, or else the number's.
func (s *script) lang() string {
	if s.talk.Lang != "" {
		return s.talk.Lang
	}
	return s.p.defaultLanguage(s.to)
}

func (p *Phone) defaultLanguage(number string) string {
	if l := p.cfg.NumberLanguages[number]; l != "" {
		return l
	}
	return p.cfg.Languages[0]
}

// say makes a text of the words, in a language.
func (s *script) say(lang, key string, args map[string]string) twiml.Element {
	text, err := s.p.book.Say(lang, key, args)
	if err != nil {
		s.err = err
	}
	v := s.p.cfg.Voices[lang]
	return &twiml.VoiceSay{Message: text, Language: v.Language, Voice: v.Voice}
}

func (s *script) tell(key string, args map[string]string) { s.add(s.say(s.lang(), key, args)) }

// step is the address of a step of this call, with all that it has told.
func (s *script) step(path string) string { return s.p.step(s.sid, path, s.talk.values()) }

// press asks for keys. Who presses none goes on with what follows.
func (s *script) press(path, digits string, wait time.Duration, says ...twiml.Element) {
	s.add(&twiml.VoiceGather{
		Input: "dtmf", NumDigits: digits, Timeout: wholeSeconds(wait), FinishOnKey: "#", Action: s.step(path), Method: "POST", InnerElements: says,
	})
}

// How long a caller has to press a key, once the last word is said.
const (
	waitKey    = 4 * time.Second
	waitNotice = 2 * time.Second // hardly anybody declines; nobody else should wait
	waitNumber = 8 * time.Second
)

// askLanguage offers the languages where there are several.
func (s *script) askLanguage() bool {
	langs := s.p.cfg.Languages
	if len(langs) > 1 {
		var choices []twiml.Element
		for i, lang := range langs {
			choices = append(choices, s.say(lang, "phone.choose", map[string]string{"digit": strconv.Itoa(i + 1)}))
		}
		s.press("voice/language", "1", waitKey, choices...)
	}
	s.talk.Lang = s.lang()
	return false
}

// greet greets, and puts the caller through where somebody is there.
func (s *script) greet() bool {
	cfg := s.p.cfg
	if !cfg.Hours.open(time.Now()) {
		s.tell("phone.closed", nil)
		return false
	}
	s.tell("phone.greeting", nil)
	if cfg.Transfer.To == "" {
		return false
	}
	s.tell("phone.transfer", nil)
	dial := &twiml.VoiceDial{Timeout: wholeSeconds(cfg.Transfer.Ring), CallerId: cfg.Transfer.CallerID, AnswerOnBridge: "true", Action: s.step("voice/dialed"), Method: "POST"}
	if sipShape.MatchString(cfg.Transfer.To) {
		dial.InnerElements = []twiml.Element{&twiml.VoiceSip{SipUrl: cfg.Transfer.To}}
	} else {
		dial.InnerElements = []twiml.Element{&twiml.VoiceNumber{PhoneNumber: cfg.Transfer.To}}
	}
	s.add(dial)
	return true
}

// giveNotice says that the message will be recorded, and how to do without.
func (s *script) giveNotice() bool {
	if !slices.Contains(s.p.cfg.Message, byRecord) {
		return false
	}
	if s.p.cfg.Decline == None {
		s.tell("phone.notice", nil)
		return false
	}
	lang := s.lang()
	s.press("voice/notice", "1", waitNotice, s.say(lang, "phone.notice", nil), s.say(lang, "phone.decline", map[string]string{"digit": s.p.cfg.Decline}))
	return false
}

// askMenu asks what it is about.
func (s *script) askMenu() bool {
	cfg, lang := s.p.cfg, s.lang()
	var says []twiml.Element
	for _, m := range cfg.Menu {
		says = append(says, s.say(lang, "phone.option", map[string]string{"name": m.Name[lang], "digit": m.Digit}))
	}
	if cfg.FollowUp != None {
		says = append(says, s.say(lang, "phone.followup", map[string]string{"digit": cfg.FollowUp}))
	}
	if len(says) > 0 {
		s.press("voice/menu", "1", waitKey, append(says, s.say(lang, "phone.otherwise", nil))...)
	}
	return false
}

// askNumber asks for a complaint number. Who keys in none goes on without.
func (s *script) askNumber() bool {
	s.talk.Try++
	s.press("voice/number", "12", waitNumber, s.say(s.lang(), "phone.enter", nil))
	s.talk.Try = 0
	return false
}

// takeMessage has the caller speak.
func (s *script) takeMessage() bool {
	s.talk.Try = 1
	if s.p.cfg.Message[0] == bySpeech {
		s.listen("phone.describe")
		if len(s.p.cfg.Message) == 1 {
			return s.elseSilent()
		}
	}
	return s.record("phone.speak")
}

// listen has the carrier understand a sentence.
func (s *script) listen(prompt string) {
	lang := s.lang()
	v := s.p.cfg.Voices[lang]
	s.add(&twiml.VoiceGather{
		Input: "speech", Language: v.Speech, SpeechModel: v.Model, ProfanityFilter: "false", Timeout: "5", SpeechTimeout: wholeSeconds(min(s.p.cfg.Record.Silence, 5*time.Second)),
		Action: s.step("voice/spoken"), Method: "POST", InnerElements: []twiml.Element{s.say(lang, prompt, nil)},
	})
}

// record records what is said after the tone. Where nothing is said, Twilio
// does not call the action but goes on with the next verb
// (https://www.twilio.com/docs/voice/twiml/record).
func (s *script) record(prompt string) bool {
	cfg := s.p.cfg
	s.tell(prompt, map[string]string{"key": cfg.Record.FinishKey})
	r := &twiml.VoiceRecord{
		Action: s.step("voice/recorded"), Method: "POST", FinishOnKey: cfg.Record.FinishKey, PlayBeep: "true",
		MaxLength: wholeSeconds(cfg.Record.MaxLength), Timeout: wholeSeconds(cfg.Record.Silence),
		RecordingStatusCallback: s.step("recording"), RecordingStatusCallbackMethod: "POST", RecordingStatusCallbackEvent: "completed absent",
	}
	if cfg.Transcription.By == byCarrier && s.lang() == "en" { // it knows no other language
		r.Transcribe, r.TranscribeCallback = "true", s.step("transcription")
	}
	s.add(r)
	return s.elseSilent()
}

func (s *script) elseSilent() bool {
	s.add(&twiml.VoiceRedirect{Url: s.step("voice/silent"), Method: "POST"})
	return true
}

// farewell says the number, repeats it, offers it as a text, and ends.
func (s *script) farewell(before, number string) bool {
	if before != "" {
		s.tell(before, nil)
	}
	lang := s.lang()
	said := map[string]string{"number": spoken(lang, number)}
	switch {
	case number == "":
		s.tell("phone.nonumber", nil)
	case number == s.talk.Number:
		s.tell("phone.added", said)
	default:
		s.tell("phone.number", said)
		s.add(&twiml.VoicePause{Length: "1"})
		s.tell("phone.repeat", said)
	}
	if number != "" && number != s.talk.Number && numberShape.MatchString(s.from) && s.p.cfg.OfferText != None && !s.p.dialect().noTexts {
		s.talk.Told = number
		s.add(&twiml.VoiceGather{
			Input: "dtmf", NumDigits: "1", Timeout: wholeSeconds(waitKey), Action: s.step("voice/text"), Method: "POST",
			InnerElements: []twiml.Element{s.say(lang, "phone.offer", map[string]string{"digit": s.p.cfg.OfferText})},
		})
	}
	s.goodbye()
	return true
}

func (s *script) goodbye() {
	s.tell("phone.goodbye", nil)
	s.add(&twiml.VoiceHangup{})
}

func wholeSeconds(d time.Duration) string { return strconv.Itoa(max(1, int(d/time.Second))) }
