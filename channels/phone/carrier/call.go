package carrier

import (
	"context"
	"encoding/binary"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// Person is at the other end of a call: a script, or somebody at a terminal.
// false as an answer is to hang up.
type Person interface {
	// Hear is told what the line says.
	Hear(text string) bool
	// Press is asked for keys, at most most of them (0: any number); "" presses
	// none. Where speech is asked for, words may be said instead.
	Press(most int, speech bool) (keys, words string, ok bool)
	// Speak is asked for a message after the tone: so many seconds (0: silence),
	// and its words where the carrier transcribes. stays says that the caller is
	// still there after it.
	Speak() (seconds int, words string, stays bool)
	// Dial is told that somebody else is called, and says what comes of it:
	// completed, no-answer, busy, failed.
	Dial(to string) (status string, ok bool)
}

// Call is one call to be made.
type Call struct {
	SID      string // "" makes one
	From, To string
	Person   Person
	// EndFirst has the end of the call arrive before the message's webhooks.
	EndFirst bool
	// Faults are those of this call, instead of the carrier's.
	Faults func(kind string) int
	// Shuffle puts the callbacks after the call in another order.
	Shuffle func(n int, swap func(i, j int))
}

// maxSteps bounds the webhooks of one call: dialogues that never end are not
// walked for ever.
const maxSteps = 50

// walk is one call under way.
type walk struct {
	*Carrier
	Call
	late  []func() error // callbacks that come after the call
	steps int
}

// Phone makes a call, and returns its Sid when the last webhook is out. A
// webhook that was refused goes to the fallback; where that is refused too the
// call ends, as for a caller it does.
func (c *Carrier) Phone(ctx context.Context, call Call) (sid string, err error) {
	if call.SID == "" {
		call.SID = SID("CA")
	}
	w := &walk{Carrier: c, Call: call}
	began := c.now()
	err = w.follow(ctx, c.cfg.Line+"/voice", w.form("in-progress"))
	c.mu.Lock()
	c.calls = append(c.calls, resource{
		"sid": w.SID, "from": w.From, "to": w.To, "direction": "inbound", "status": "completed", "start_time": began, "end_time": c.now(), "date_updated": c.now(), "duration": "9",
	})
	c.mu.Unlock()
	end := func() error {
		form := w.form("completed")
		for name, value := range map[string]string{"CallDuration": "9", "Duration": "1", "SequenceNumber": "0", "Timestamp": c.now(), "CallbackSource": "call-progress-events"} {
			form.Set(name, value)
		}
		_, err := w.post(ctx, c.cfg.Line+"/status", form)
		return err
	}
	if call.EndFirst {
		w.late = append([]func() error{end}, w.late...)
	} else {
		w.late = append(w.late, end)
	}
	if call.Shuffle != nil {
		call.Shuffle(len(w.late), func(i, j int) { w.late[i], w.late[j] = w.late[j], w.late[i] })
	}
	for _, send := range w.late {
		if e := send(); e != nil && err == nil {
			err = e
		}
	}
	return w.SID, err
}

func (w *walk) post(ctx context.Context, address string, form url.Values) ([]verb, error) {
	if w.Call.Faults != nil {
		return w.postFaulty(ctx, address, form, w.Call.Faults)
	}
	return w.Carrier.post(ctx, address, form)
}

func (w *walk) form(status string) url.Values {
	return url.Values{"CallSid": {w.SID}, "From": {w.From}, "To": {w.To}, "Direction": {"inbound"}, "CallStatus": {status}}
}

// follow fetches TwiML and does what it says.
func (w *walk) follow(ctx context.Context, address string, form url.Values) error {
	if w.steps++; w.steps > maxSteps {
		return fmt.Errorf("the dialogue has more than %d steps", maxSteps)
	}
	verbs, err := w.post(ctx, address, form)
	if err != nil {
		// The number's fallback address
		// (https://www.twilio.com/docs/usage/webhooks/webhooks-faq).
		form := w.form("in-progress")
		form.Set("ErrorCode", "11200")
		form.Set("ErrorUrl", address)
		if verbs, err = w.post(ctx, w.cfg.Line+"/voice/fallback", form); err != nil {
			return err
		}
	}
	_, err = w.walk(ctx, verbs)
	return err
}

// walk carries out verbs until the document is left.
func (w *walk) walk(ctx context.Context, verbs []verb) (left bool, err error) {
	for _, v := range verbs {
		if left, err := w.do(ctx, v); left || err != nil {
			return true, err
		}
	}
	return false, nil
}

// do carries out one verb. left means that the document is left.
func (w *walk) do(ctx context.Context, v verb) (left bool, err error) {
	switch v.XMLName.Local {
	case "Say":
		return !w.Person.Hear(strings.TrimSpace(v.Text)), nil
	case "Play":
		return !w.Person.Hear("[" + strings.TrimSpace(v.Text) + "]"), nil
	case "Pause":
	case "Gather":
		return w.gather(ctx, v)
	case "Record":
		return w.record(ctx, v)
	case "Dial":
		return w.dial(ctx, v)
	case "Redirect":
		return true, w.follow(ctx, strings.TrimSpace(v.Text), w.form("in-progress"))
	case "Hangup", "Reject":
		return true, nil
	default:
		return true, fmt.Errorf("the carrier does not know the verb %s", v.XMLName.Local)
	}
	return false, nil
}

func (w *walk) gather(ctx context.Context, v verb) (bool, error) {
	for _, inner := range v.Inner {
		if left, err := w.do(ctx, inner); left || err != nil {
			return true, err
		}
	}
	most := 0
	_, _ = fmt.Sscan(v.attr("numDigits"), &most)
	keys, words, ok := w.Person.Press(most, strings.Contains(v.attr("input"), "speech"))
	if !ok {
		return true, nil
	}
	if keys == "" && words == "" {
		return false, nil // silence: on to the next verb
	}
	if words == "" {
		if keys = pressed(keys, most, v); keys == "" {
			return false, nil // nothing before the key that ends it
		}
	}
	form := w.form("in-progress")
	if words != "" {
		form.Set("SpeechResult", words)
		form.Set("Confidence", "0.87")
	} else {
		form.Set("Digits", keys)
	}
	return true, w.follow(ctx, v.attr("action"), form)
}

// pressed is what of the keys a Gather takes: up to the one that ends it, and
// no more than it asks for.
func pressed(keys string, most int, v verb) string {
	keys = strings.Map(func(r rune) rune {
		if strings.ContainsRune("0123456789*#", r) {
			return r
		}
		return -1
	}, keys)
	end := "#" // where the attribute is left out; empty is no key at all
	if v.has("finishOnKey") {
		end = v.attr("finishOnKey")
	}
	if i := strings.IndexAny(keys, end); i >= 0 {
		keys = keys[:i]
	}
	if most > 0 && len(keys) > most {
		keys = keys[:most]
	}
	return keys
}

func (w *walk) dial(ctx context.Context, v verb) (bool, error) {
	to := strings.TrimSpace(v.Text)
	for _, inner := range v.Inner {
		to = strings.TrimSpace(inner.Text)
	}
	status, ok := w.Person.Dial(to)
	leg := SID("CA")
	w.mu.Lock()
	w.calls = append(w.calls, resource{
		"sid": leg, "parent_call_sid": w.SID, "from": w.From, "to": to, "direction": "outbound-dial", "status": status, "start_time": w.now(), "end_time": w.now(),
		"duration": map[bool]string{true: "30", false: "0"}[status == "completed"],
	})
	w.mu.Unlock()
	form := w.form("in-progress")
	form.Set("DialCallStatus", status)
	form.Set("DialCallSid", leg)
	if !ok { // the caller hung up: the action is still called
		form.Set("CallStatus", "completed")
		_, err := w.post(ctx, v.attr("action"), form)
		return true, err
	}
	return true, w.follow(ctx, v.attr("action"), form)
}

func (w *walk) record(ctx context.Context, v verb) (bool, error) {
	if !w.Person.Hear("[beep]") {
		return true, nil
	}
	seconds, words, stays := w.Person.Speak()
	re := SID("RE")
	if seconds == 0 { // nothing recorded: the action is not called
		if strings.Contains(v.attr("recordingStatusCallbackEvent"), "absent") {
			w.late = append(w.late, func() error { return w.recordingNews(ctx, v, re, "absent", 0) })
		}
		return !stays, nil
	}
	w.mu.Lock()
	w.recordings[re] = &recording{resource: resource{
		"sid": re, "call_sid": w.SID, "status": "completed", "duration": fmt.Sprint(seconds), "date_created": w.now(), "source": "RecordVerb",
	}, audio: wav(seconds, words)}
	w.mu.Unlock()
	w.late = append(w.late, func() error { return w.recordingNews(ctx, v, re, "completed", seconds) })
	if cb := v.attr("transcribeCallback"); cb != "" && words != "" {
		w.late = append(w.late, func() error {
			form := w.form("completed")
			form.Set("RecordingSid", re)
			form.Set("TranscriptionStatus", "completed")
			form.Set("TranscriptionSid", SID("TR"))
			form.Set("TranscriptionText", words)
			_, err := w.post(ctx, cb, form)
			return err
		})
	}
	form := w.form("in-progress")
	form.Set("RecordingSid", re)
	form.Set("RecordingDuration", fmt.Sprint(seconds))
	form.Set("RecordingUrl", w.URL()+"/Accounts/"+w.cfg.AccountSID+"/Recordings/"+re)
	form.Set("Digits", "#")
	if stays {
		return true, w.follow(ctx, v.attr("action"), form)
	}
	form.Set("Digits", "hangup")
	form.Set("CallStatus", "completed")
	action := func() error {
		_, err := w.post(ctx, v.attr("action"), form)
		return err
	}
	if w.EndFirst || w.Shuffle != nil {
		w.late = slices.Insert(w.late, 0, action)
		return true, nil
	}
	return true, action()
}

// recordingNews tells what became of a recording. It does not tell who called
// (https://www.twilio.com/docs/voice/api/recording#recordingstatuscallback).
func (w *walk) recordingNews(ctx context.Context, v verb, re, status string, seconds int) error {
	_, err := w.post(ctx, v.attr("recordingStatusCallback"), url.Values{
		"CallSid": {w.SID}, "RecordingSid": {re}, "RecordingStatus": {status}, "RecordingDuration": {fmt.Sprint(seconds)}, "RecordingChannels": {"1"}, "RecordingSource": {"RecordVerb"},
		"RecordingUrl": {w.URL() + "/Accounts/" + w.cfg.AccountSID + "/Recordings/" + re}, "RecordingStartTime": {w.now()},
	})
	return err
}

// wordsChunk is the chunk of a WAV file that the words are in, for Transcribe.
const wordsChunk = "WORD"

// wav is silence of so many seconds, 8 kHz, 8 bit, mono, with the words that
// are to be understood in a chunk of their own.
func wav(seconds int, words string) []byte {
	const rate = 8000
	n := uint32(min(seconds, 600) * rate)
	if len(words)%2 == 1 {
		words += " "
	}
	b := []byte("RIFF")
	b = binary.LittleEndian.AppendUint32(b, 36+n+8+uint32(len(words)))
	b = append(b, "WAVEfmt "...)
	for _, v := range []any{uint32(16), uint16(1), uint16(1), uint32(rate), uint32(rate), uint16(1), uint16(8)} {
		switch v := v.(type) {
		case uint16:
			b = binary.LittleEndian.AppendUint16(b, v)
		case uint32:
			b = binary.LittleEndian.AppendUint32(b, v)
		}
	}
	b = append(b, "data"...)
	b = binary.LittleEndian.AppendUint32(b, n)
	silence := make([]byte, n)
	for i := range silence {
		silence[i] = 0x80
	}
	b = append(append(b, silence...), wordsChunk...)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(words)))
	return append(b, words...)
}
