package carrier

import (
	"encoding/binary"
	"testing"
)

// FuzzTwiML walks whatever a gateway may answer with: every document ends, and
// none is walked further than the carrier's bounds.
func FuzzTwiML(f *testing.F) {
	for _, s := range []string{
		`<Response><Say>hello</Say><Gather numDigits="1" action="/a"><Say>press</Say></Gather><Redirect>/b</Redirect></Response>`,
		`<Response><Record action="/a" recordingStatusCallback="/b" transcribeCallback="/c"/><Hangup/></Response>`,
		`<Response><Dial action="/a"><Number>+1</Number></Dial></Response>`,
		`<Response><Gather><Gather><Gather><Say/></Gather></Gather></Gather></Response>`,
		`<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><Response>&b;</Response>`, `<Message/>`, ``,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		verbs, err := parse(b)
		if err != nil {
			return
		}
		if len(verbs) > maxVerbs {
			t.Errorf("%d verbs", len(verbs))
		}
		c := &Carrier{cfg: Config{Faults: func(string) int { return 0 }}, recordings: map[string]*recording{}} // every webhook is lost
		who := &Caller{Keys: []string{"1", "2"}, Seconds: 1, Words: "lost"}
		w := &walk{Carrier: c, Call: Call{SID: "CA", Person: who}}
		_, _ = w.walk(t.Context(), verbs)
		for _, late := range w.late {
			_ = late()
		}
		if w.steps > maxSteps+1 || len(who.Said) > 2*maxVerbs {
			t.Errorf("%d steps, %d things said", w.steps, len(who.Said))
		}
	})
}

func TestRecordingIsAWAVFile(t *testing.T) {
	b := wav(2, "丢了")
	if string(b[:4]) != "RIFF" || int(binary.LittleEndian.Uint32(b[4:]))+8 != len(b) {
		t.Errorf("%d bytes, its head says %d", len(b), binary.LittleEndian.Uint32(b[4:])+8)
	}
}
