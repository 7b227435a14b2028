package carrier

import (
	"context"
	"encoding/binary"
	"fmt"
	"net/url"
	"strings"
)

// Where a caller hangs up.
const (
	Stays           = ""
	BeforeRecording = "before recording"
	DuringRecording = "during recording"
	BeforeTheNumber = "before the number" // after the message, before hearing more
	DuringGreeting  = "during the greeting"
)

// Caller is what a customer does in a call.
type Caller struct {
	SID        string // "" makes one
	From, To   string
	Digits     []string // pressed when asked, one for each time
	Seconds    int      // of speech; 0 says nothing
	Transcript string   // where the line asks for one
	HangsUp    string
	// EndFirst has the end of the call arrive before the message's webhooks.
	EndFirst bool
}

// Heard is what a call came to.
type Heard struct {
	SID  string
	Said []string // what the line said, and [beep]
}

// maxSteps bounds the webhooks of one call: dialogues that never end are not
// walked for ever.
const maxSteps = 50

// walk is one call under way.
type walk struct {
	*Carrier
	Caller
	heard Heard
	late  []func() error // callbacks that come after the call
	steps int
}

// Call phones the line, and returns when the last webhook of the call is out.
// A webhook that was refused ends the call, as for a caller it does.
func (c *Carrier) Call(ctx context.Context, caller Caller) (Heard, error) {
	if caller.SID == "" {
		caller.SID = SID("CA")
	}
	w := &walk{Carrier: c, Caller: caller, heard: Heard{SID: caller.SID}}
	err := w.follow(ctx, c.cfg.Line+"/voice", w.form("in-progress"))
	end := func() error {
		_, err := c.post(ctx, c.cfg.Line+"/status", w.form("completed"))
		return err
	}
	if caller.EndFirst {
		w.late = append([]func() error{end}, w.late...)
	} else {
		w.late = append(w.late, end)
	}
	for _, send := range w.late {
		if e := send(); e != nil && err == nil {
			err = e
		}
	}
	return w.heard, err
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
		return err
	}
	if w.HangsUp == DuringGreeting {
		return nil
	}
	for _, v := range verbs {
		done, err := w.do(ctx, v)
		if done || err != nil {
			return err
		}
	}
	return nil
}

// do carries out one verb. done means that the document is left.
func (w *walk) do(ctx context.Context, v verb) (done bool, err error) {
	switch v.XMLName.Local {
	case "Say":
		w.heard.Said = append(w.heard.Said, strings.TrimSpace(v.Text))
	case "Pause", "Play":
	case "Gather":
		for _, inner := range v.Inner {
			if _, err := w.do(ctx, inner); err != nil {
				return true, err
			}
		}
		if len(w.Digits) == 0 {
			return false, nil // silence: on to the next verb
		}
		form := w.form("in-progress")
		form.Set("Digits", w.Digits[0])
		w.Digits = w.Digits[1:]
		return true, w.follow(ctx, v.attr("action"), form)
	case "Record":
		return w.record(ctx, v)
	case "Redirect":
		return true, w.follow(ctx, strings.TrimSpace(v.Text), w.form("in-progress"))
	case "Hangup":
		return true, nil
	default:
		return true, fmt.Errorf("the carrier does not know the verb %s", v.XMLName.Local)
	}
	return false, nil
}

func (w *walk) record(ctx context.Context, v verb) (bool, error) {
	w.heard.Said = append(w.heard.Said, "[beep]")
	if w.HangsUp == BeforeRecording {
		return true, nil
	}
	if w.Seconds == 0 {
		return false, nil // nothing recorded: the action is not called
	}
	re := SID("RE")
	w.mu.Lock()
	w.recordings[re] = wav(w.Seconds)
	w.mu.Unlock()
	of := func(status string) url.Values {
		form := w.form(status)
		form.Set("RecordingSid", re)
		form.Set("RecordingDuration", fmt.Sprint(w.Seconds))
		form.Set("RecordingUrl", w.URL()+"/2010-04-01/Accounts/"+w.cfg.AccountSID+"/Recordings/"+re)
		return form
	}
	w.late = append(w.late, func() error {
		form := of("completed")
		form.Set("RecordingStatus", "completed")
		_, err := w.post(ctx, v.attr("recordingStatusCallback"), form)
		return err
	})
	if cb := v.attr("transcribeCallback"); cb != "" && w.Transcript != "" {
		w.late = append(w.late, func() error {
			form := of("completed")
			form.Set("TranscriptionStatus", "completed")
			form.Set("TranscriptionSid", SID("TR"))
			form.Set("TranscriptionText", w.Transcript)
			_, err := w.post(ctx, cb, form)
			return err
		})
	}
	form := of("in-progress")
	form.Set("Digits", "#")
	if w.HangsUp == DuringRecording || w.HangsUp == BeforeTheNumber {
		form.Set("Digits", "hangup")
		action := func() error {
			_, err := w.post(ctx, v.attr("action"), form)
			return err
		}
		if w.EndFirst {
			w.late = append(w.late, action)
			return true, nil
		}
		return true, action()
	}
	return true, w.follow(ctx, v.attr("action"), form)
}

// wav is silence of so many seconds: 8 kHz, 8 bit, mono.
func wav(seconds int) []byte {
	const rate = 8000
	n := uint32(min(seconds, 600) * rate)
	b := []byte("RIFF")
	b = binary.LittleEndian.AppendUint32(b, 36+n)
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
	return append(b, silence...)
}
