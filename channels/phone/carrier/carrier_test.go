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

func TestPressed(t *testing.T) {
	for _, c := range []struct {
		keys   string
		most   int
		gather string
		want   string
	}{
		{"12345", 1, `<Gather/>`, "1"},
		{"12#345", 12, `<Gather/>`, "12"},
		{"#1", 1, `<Gather/>`, ""},
		{"1*#", 0, `<Gather finishOnKey="*"/>`, "1"},
		{"1#2", 0, `<Gather finishOnKey=""/>`, "1#2"},
		{"2611 2300-4279 ?", 12, `<Gather finishOnKey="#"/>`, "261123004279"},
	} {
		verbs, err := parse([]byte("<Response>" + c.gather + "</Response>"))
		if err != nil {
			t.Fatal(err)
		}
		if got := pressed(c.keys, c.most, verbs[0]); got != c.want {
			t.Errorf("%q in %s: %q", c.keys, c.gather, got)
		}
	}
}

func TestRecordingIsAWAVFile(t *testing.T) {
	b := wav(2, "丢了")
	if string(b[:4]) != "RIFF" || int(binary.LittleEndian.Uint32(b[4:]))+8 != len(b) {
		t.Errorf("%d bytes, its head says %d", len(b), binary.LittleEndian.Uint32(b[4:])+8)
	}
}
