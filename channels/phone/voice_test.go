package phone

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"hearken/channels/phone/carrier"
	"hearken/complaint"
	"hearken/internal/calendar"
)

func hasAudio(c complaint.Contact) bool {
	return len(c.Attachments) == 1 && c.Attachments[0].Size > 8000
}

func TestCall(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil, func(c *Config) { c.Transcription.By = "carrier" })
	r.carrier.Lag(1)
	zh := &carrier.Caller{Keys: []string{"1"}, Seconds: 3}
	sid := r.call(carrier.Call{Person: zh})
	number := r.intake.Number("call:" + sid)
	if n := strings.Count(zh.Heard(), spoken("zh", number)); n != 2 || !strings.Contains(zh.Heard(), "录音") {
		t.Errorf("heard the number %d times: %s", n, zh.Heard())
	}
	c := r.contact(sid, "the recording", hasAudio)
	if c.Facts["recording_seconds"] != "3" || c.Attachments[0].SHA256 == "" {
		t.Errorf("recording %+v", c)
	}
	en := &carrier.Caller{Keys: []string{"2"}, Seconds: 2, Words: "My parcel is lost"}
	sid = r.call(carrier.Call{From: "+442079460958", Person: en})
	if !strings.Contains(en.Heard(), spoken("en", r.intake.Number("call:"+sid))) {
		t.Errorf("heard: %s", en.Heard())
	}
	c = r.contact(sid, "the transcript", func(c complaint.Contact) bool { return c.Text == "My parcel is lost" })
	if c.Language != "en" || c.Facts[complaint.FactTranscript] != "true" {
		t.Errorf("transcript %+v", c)
	}
	if r.intake.Numbers() != 2 {
		t.Errorf("two calls gave %d complaints", r.intake.Numbers())
	}
}

// TestDialogue walks what callers can do.
func TestDialogue(t *testing.T) {
	menu := func(c *Config) {
		c.Menu = []Choice{{Digit: "1", Type: "BILLING", Name: map[string]string{"zh": "计费问题", "en": "billing"}}, {Digit: "2", Type: "DELIVERY", Name: map[string]string{"zh": "配送问题", "en": "delivery"}}}
		c.NumberLanguages = map[string]string{line: "en"}
	}
	speech := func(modes ...string) func(*Config) { return func(c *Config) { c.Message = modes } }
	transfer := func(c *Config) { c.Transfer = Transfer{To: "+442079460000"} }
	closed := func(c *Config) {
		transfer(c)
		today := time.Now().UTC().Weekday()
		c.Hours = Hours{Days: []string{calendar.Weekdays[(today+3)%7]}, Timezone: "UTC"}
	}
	for name, c := range map[string]struct {
		config func(*Config)
		from   string
		who    carrier.Caller
		hears  []string // in this order
		never  string
		is     func(complaint.Contact) bool // a contact of it
		none   bool                         // no complaint
	}{
		"the language of the number, and a type": {
			config: menu, who: carrier.Caller{Keys: []string{"", "", "2"}, Seconds: 2},
			hears: []string{"For English, press 2", "Thank you for calling", "will be recorded", "For billing, press 1", "For delivery, press 2", "press 9", "After the tone", "[beep]", "is registered", "I repeat"},
			is: func(c complaint.Contact) bool {
				return c.Facts[complaint.FactStatedType] == "DELIVERY" && c.Language == "en"
			},
		},
		"hangs up after the menu": {
			config: menu, who: carrier.Caller{Keys: []string{"1", "", "1"}, HangsUp: carrier.BeforeRecording},
			hears: []string{"计费问题，请按1", "[beep]"},
			is: func(c complaint.Contact) bool {
				return c.Facts[complaint.FactStatedType] == "BILLING" && c.Language == "zh" && c.Facts["call_back"] == "true" && c.OnlyOpens && c.WantsReceipt && c.From.Phone != ""
			},
		},
		"declines to be recorded": {
			who: carrier.Caller{Keys: []string{"1", "2"}, Seconds: 5}, hears: []string{"如不愿录音，请按2", "会有人给您回电", "编号是"}, never: "[beep]",
			is: func(c complaint.Contact) bool {
				return c.Facts["recording_consent"] == "declined" && c.Facts["call_back"] == "true"
			},
		},
		"a number at the third try": {
			who:   carrier.Caller{Keys: []string{"2", "", "9", "111111111111", "12", "261123004279"}, Seconds: 2},
			hears: []string{"press 9", "enter the twelve digits", "not a complaint number", "enter the twelve digits", "not a complaint number", "You call about complaint two six one one", "[beep]"},
			is: func(c complaint.Contact) bool {
				return c.Number == "261123004279" && c.NumberBy == "keyed" && c.NumberNow
			},
		},
		"no number at the third try": {
			who:   carrier.Caller{Keys: []string{"2", "", "9", "111111111111", "12", "261123004270"}, Seconds: 2},
			hears: []string{"not a complaint number", "not a complaint number", "without the number", "[beep]", "is registered"},
			is:    func(c complaint.Contact) bool { return c.Number == "" && c.NumberNow },
		},
		"no number at all": {
			who: carrier.Caller{Keys: []string{"2", "", "9"}, Seconds: 2}, hears: []string{"enter the twelve digits", "After the tone"},
			is: func(c complaint.Contact) bool { return c.Number == "" && c.NumberNow },
		},
		"silent": {
			who: carrier.Caller{Keys: []string{"2"}}, hears: []string{"[beep]", "did not hear you", "[beep]", "to be called back", "number is"},
			is: func(c complaint.Contact) bool {
				return c.Facts["call_back"] == "true" && c.Subject != "" && c.Facts[complaint.FactSubjectBy] == complaint.SubjectByGateway
			},
		},
		"silent, and the number is withheld": {
			from: "anonymous", who: carrier.Caller{Keys: []string{"2"}}, hears: []string{"we can't call you back", "number is"}, never: "text message",
			is: func(c complaint.Contact) bool {
				return c.From.Phone == "" && slices.Contains(c.Notes, "the caller's number is withheld")
			},
		},
		"speech": {
			config: speech("speech"), who: carrier.Caller{Keys: []string{"2"}, Says: []string{"I was charged twice"}}, hears: []string{"in a sentence or two", "is registered"}, never: "[beep]",
			is: func(c complaint.Contact) bool {
				return c.Text == "I was charged twice" && c.Facts["speech_confidence"] == "0.87" && c.NumberNow
			},
		},
		"speech, not heard the first time": {
			config: speech("speech"), who: carrier.Caller{Keys: []string{"2"}, Says: []string{"", "I was charged twice"}}, hears: []string{"in a sentence or two", "in a sentence or two", "is registered"},
			is: func(c complaint.Contact) bool { return c.Text == "I was charged twice" },
		},
		"speech and a recording": {
			config: speech("speech", "record"), who: carrier.Caller{Keys: []string{"2"}, Says: []string{"I was charged twice"}, Seconds: 2},
			hears: []string{"in a sentence or two", "is registered", "want to say more", "[beep]", "is registered"}, is: hasAudio,
		},
		"speech, and nothing more": {
			config: speech("speech", "record"), who: carrier.Caller{Keys: []string{"2"}, Says: []string{"I was charged twice"}}, hears: []string{"is registered", "[beep]", "is registered", "press 1"}, never: "did not hear",
			is: func(c complaint.Contact) bool { return c.Text == "I was charged twice" },
		},
		"speech for a number, and nothing more": {
			config: speech("speech", "record"), who: carrier.Caller{Keys: []string{"2", "", "9", "261123004279"}, Says: []string{"It is still broken"}}, hears: []string{"You call about", "Goodbye"}, never: "would like to be called back",
			is: func(c complaint.Contact) bool { return c.Text == "It is still broken" && c.Number == "261123004279" },
		},
		"the number as a text": {
			who: carrier.Caller{Keys: []string{"2", "", "", "1"}, Seconds: 2}, hears: []string{"I repeat", "To get the number as a text message, press 1", "on its way", "Goodbye"}, is: hasAudio,
		},
		"put through": {
			config: transfer, who: carrier.Caller{Keys: []string{"2"}, Dialed: "completed"}, hears: []string{"putting you through", "Goodbye"}, never: "[beep]", none: true,
		},
		"nobody answers": {
			config: transfer, who: carrier.Caller{Keys: []string{"2"}, Seconds: 2}, hears: []string{"putting you through", "Nobody is free", "will be recorded", "[beep]", "is registered"}, is: hasAudio,
		},
		"after hours": {
			config: closed, who: carrier.Caller{Keys: []string{"2"}, Seconds: 2}, hears: []string{"Nobody is here at this hour", "[beep]"}, never: "putting you through", is: hasAudio,
		},
	} {
		t.Run(name, func(t *testing.T) {
			if c.config == nil {
				c.config = func(*Config) {}
			}
			r := newRig(t, nil, c.config)
			sid := r.call(carrier.Call{From: c.from, Person: &c.who})
			heard := c.who.Heard()
			for _, want := range c.hears {
				_, after, ok := strings.Cut(heard, want)
				if !ok {
					t.Fatalf("not heard (in its place): %q\nheard: %s", want, c.who.Heard())
				}
				heard = after
			}
			if c.never != "" && strings.Contains(c.who.Heard(), c.never) {
				t.Errorf("heard %q: %s", c.never, c.who.Heard())
			}
			await(t, "the end of the call", func() bool { return r.memoryOfJobs(sid) == "done" })
			if c.none {
				if n := r.intake.Numbers(); n != 0 {
					t.Errorf("%d complaints", n)
				}
				return
			}
			r.contact(sid, "the contact", c.is)
			if n := r.intake.Numbers(); n != 1 {
				t.Errorf("%d complaints", n)
			}
			if strings.Contains(name, "as a text") {
				await(t, "the text", func() bool { return len(r.carrier.Sent()) == 1 })
				if got := r.carrier.Sent()[0]; got.To != "+8613812345678" || !strings.Contains(got.Body, complaint.Grouped(r.intake.Number("call:"+sid))) {
					t.Errorf("text %+v", got)
				}
			}
		})
	}
}

// memoryOfJobs tells whether the end of a call was worked off.
func (r *rig) memoryOfJobs(sid string) string {
	done, _ := r.notes.List(doneKey + "job/end/" + sid)
	if len(done) == 1 {
		return "done"
	}
	return "open"
}

// TestEveryCallIsOneComplaint walks hang-ups at every step, with webhooks
// lost, repeated and swapped.
func TestEveryCallIsOneComplaint(t *testing.T) {
	kinds := []string{"voice/recorded", "recording", "status"}
	for _, who := range []carrier.Caller{
		{}, {Seconds: 2}, {HangsUp: carrier.DuringGreeting}, {HangsUp: carrier.BeforeRecording}, {HangsUp: carrier.DuringRecording, Seconds: 2},
	} {
		for fault := range 27 { // how often each of the three kinds arrives: 0, 1 or 2 times
			times := map[string]int{}
			for i, k := range kinds {
				times[k] = fault / []int{1, 3, 9}[i] % 3
			}
			endFirst := fault%2 == 1
			t.Run(fmt.Sprintf("%q, %d s, end first %v, %v", who.HangsUp, who.Seconds, endFirst, times), func(t *testing.T) {
				t.Parallel()
				one := who
				oneComplaint(t, carrier.Call{Person: &one, EndFirst: endFirst}, times)
			})
		}
	}
}

func oneComplaint(t *testing.T, call carrier.Call, times map[string]int) {
	who := call.Person.(*carrier.Caller)
	spoke := who.Seconds > 0 && (who.HangsUp == carrier.Stays || who.HangsUp == carrier.DuringRecording)
	r := newRig(t, func(kind string) int {
		if n, ok := times[kind]; ok {
			return n
		}
		return 1
	})
	sid := r.call(call)
	toldOf := spoke && (times["voice/recorded"] > 0 || times["recording"] > 0)
	want := 0
	if times["status"] > 0 || toldOf || (who.Seconds == 0 && who.HangsUp == carrier.Stays) {
		want = 1
	}
	if times["status"] > 0 {
		await(t, "the end", func() bool { return r.memoryOfJobs(sid) == "done" })
	}
	if toldOf {
		r.contact(sid, "the recording", hasAudio)
	}
	r.stop()
	if n := r.intake.Numbers(); n != want {
		t.Errorf("%d complaints, want %d", n, want)
	}
	recordings := 0
	for _, c := range r.intake.Contacts() {
		recordings += len(c.Attachments)
	}
	if toldOf && recordings != 1 {
		t.Errorf("%d recordings on the complaint", recordings)
	}
}

// TestSteps: an address that was changed, or made for another call, carries no
// state.
func TestSteps(t *testing.T) {
	r := newRig(t, nil)
	sid, other := carrier.SID("CA"), carrier.SID("CA")
	address := r.phone.step(sid, "voice/menu", url.Values{"lang": {"en"}})
	post := func(path string, call string) int {
		form := url.Values{"AccountSid": {accountSID}, "CallSid": {call}, "From": {"+8613812345678"}, "To": {line}, "Digits": {"9"}}
		req, err := http.NewRequest("POST", r.srv.URL+path, strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("X-Twilio-Signature", carrier.Sign(token, "https://intake.example.com"+path, form))
		resp, err := r.srv.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	path := strings.TrimPrefix(address, "https://intake.example.com")
	for name, c := range map[string]struct {
		path, call string
		want       int
	}{
		"as given":       {path, sid, 200},
		"another call":   {path, other, 403},
		"changed":        {strings.Replace(path, "lang=en", "lang=zh", 1), sid, 403},
		"added":          {path + "&number=261123004279", sid, 403},
		"another step":   {strings.Replace(path, "menu", "number", 1), sid, 403},
		"without a seal": {"/phone/hotline/voice/menu?lang=en", sid, 200},
	} {
		if got := post(c.path, c.call); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}
