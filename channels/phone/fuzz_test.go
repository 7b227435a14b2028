package phone

import (
	"encoding/xml"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/twilio/twilio-go/twiml"

	"hearken/channels/phone/carrier"
	"hearken/internal/audit"
	"hearken/internal/blob"
	"hearken/internal/channeltest"
	"hearken/internal/secret"
)

// FuzzDialogue gives every step any parameters and any state: what it answers
// is well-formed, and leads to our own sealed addresses only.
func FuzzDialogue(f *testing.F) {
	blobs, err := blob.New(f.TempDir())
	if err != nil {
		f.Fatal(err)
	}
	keys, err := secret.LoadKeys(secret.New("a secret of all gateways"), "")
	if err != nil {
		f.Fatal(err)
	}
	m := &memory{facts: map[string]map[string]string{}}
	p, err := New(Config{
		Name: "hotline", AccountSID: accountSID, AuthToken: secret.New(token), Numbers: []string{line}, Message: []string{bySpeech, byRecord}, Transfer: Transfer{To: "sip:desk@example.com"},
		Menu: []Choice{{Digit: "1", Type: "BILLING", Name: map[string]string{"zh": "<&>", "en": "\"'"}}},
	}, Deps{
		Intake: new(channeltest.Intake), Blobs: blobs, Notebook: &notebook{m: map[string][]byte{}}, Memory: m, History: m, Threads: m, Leases: m, Keys: keys, Log: slog.New(slog.DiscardHandler), Audit: audit.Discard(),
		PublicURL: "https://intake.example.com",
	})
	if err != nil {
		f.Fatal(err)
	}
	steps := []handler{p.answer, p.fallback, p.language, p.dialed, p.notice, p.menu, p.number, p.spoken, p.recorded, p.silent, p.textOffer, p.status, p.recording, p.transcription, p.sms}
	sid, re := carrier.SID("CA"), carrier.SID("RE")
	for i := range steps {
		f.Add(uint8(i), "CallSid="+sid+"&From=%2B8613812345678&To=%2B14155550100&Digits=2&RecordingSid="+re+"&RecordingDuration=3&SpeechResult=%3Cx%3E&DialCallStatus=busy", "lang=en&type=BILLING&number=261123004279&at=1&try=1&told=261123004279")
		f.Add(uint8(i), "CallSid="+sid+"&From=anonymous&CallStatus=completed&RecordingStatus=completed&RecordingSid="+re+"&TranscriptionStatus=completed&TranscriptionText=x&MessageSid="+carrier.SID("SM")+"&MessageStatus=failed&Body=%00&NumMedia=99", "try=-1&lang=%ff")
	}
	f.Fuzz(func(t *testing.T, step uint8, form, query string) {
		h, err := p.parse([]byte("AccountSid="+accountSID+"&"+form), false)
		if err != nil {
			return
		}
		if h.query, err = url.ParseQuery(query); err != nil {
			return
		}
		a, err := steps[int(step)%len(steps)](t.Context(), h)
		if err != nil {
			return
		}
		text, err := twiml.Voice(a.verbs)
		if err != nil {
			t.Fatal(err)
		}
		d := xml.NewDecoder(strings.NewReader(text))
		for {
			tok, err := d.Token()
			if tok == nil {
				if err != nil && err.Error() != "EOF" {
					t.Fatalf("%v: %s", err, text)
				}
				break
			}
			start, _ := tok.(xml.StartElement)
			for _, attr := range start.Attr {
				if !slices.Contains([]string{"action", "recordingStatusCallback", "transcribeCallback"}, attr.Name.Local) {
					continue
				}
				u, err := url.Parse(attr.Value)
				path, ours := strings.CutPrefix(attr.Value, p.base+"/")
				path, _, _ = strings.Cut(path, "?")
				if err != nil || !ours || !p.sealed(h.get("CallSid"), path, u.Query()) {
					t.Errorf("leads to %s", attr.Value)
				}
			}
		}
	})
}
