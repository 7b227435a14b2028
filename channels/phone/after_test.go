package phone

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"hearken/channels/phone/carrier"
	"hearken/complaint"
)

func TestJobSurvivesARestart(t *testing.T) {
	r := newRig(t, nil)
	r.carrier.Lag(1 << 30)
	sid := r.call(carrier.Call{Person: &carrier.Caller{Seconds: 2}})
	r.stop()
	if jobs, _ := r.notes.List("job/recording/"); len(jobs) != 1 {
		t.Fatalf("jobs: %v", jobs)
	}
	r.carrier.Lag(0)
	r.make()
	r.start()
	r.contact(sid, "the recording", hasAudio)
	await(t, "an empty list of jobs", func() bool { jobs, _ := r.notes.List("job/recording/"); return len(jobs) == 0 })
}

// TestLateRecording: a recording that can't be fetched for long does not keep
// its call from being a complaint.
func TestLateRecording(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(kind string) int {
		return map[string]int{"voice/recorded": 0, "status": 0}[kind] + map[bool]int{true: 1}[kind == "voice" || kind == "recording" || kind == "voice/notice"]
	})
	r.carrier.Lag(1 << 30)
	sid := r.call(carrier.Call{Person: &carrier.Caller{Seconds: 2}})
	r.contact(sid, "the complaint", func(c complaint.Contact) bool {
		return c.OnlyOpens && c.WantsReceipt && c.From.Phone == "+8613812345678" && c.ContactPoint == line
	})
	r.carrier.Lag(0)
	r.contact(sid, "the recording", hasAudio)
	if n := r.intake.Numbers(); n != 1 {
		t.Errorf("%d complaints", n)
	}
}

func TestFallback(t *testing.T) {
	r := newRig(t, nil)
	failed := false
	r.intake.Refuse(func() error {
		if failed {
			return nil
		}
		failed = true
		return complaint.ErrFull
	})
	who := &carrier.Caller{Keys: []string{"2"}, Seconds: 2}
	sid := r.call(carrier.Call{Person: who})
	if got := strings.Count(who.Heard(), "[beep]"); got != 2 || r.intake.Number("call:"+sid) == "" {
		t.Errorf("%d recordings after a failure: %s", got, who.Heard())
	}
}

func TestDeleteAtTheCarrier(t *testing.T) {
	r := newRig(t, nil, func(c *Config) { c.Delete = true })
	sid := r.call(carrier.Call{Person: &carrier.Caller{Seconds: 2}})
	r.contact(sid, "the recording", hasAudio)
	await(t, "the deletion", func() bool { return r.carrier.Recordings() == 0 })
}

// TestDeleteAfterTheTranscript: the carrier is left what it transcribes.
func TestDeleteAfterTheTranscript(t *testing.T) {
	r := newRig(t, nil, func(c *Config) { c.Delete, c.Transcription.By = true, byCarrier })
	sid := r.call(carrier.Call{Person: &carrier.Caller{Seconds: 2, Keys: []string{"2"}}})
	r.contact(sid, "the recording", hasAudio)
	await(t, "the job", func() bool { jobs, _ := r.notes.List("job/delete/"); return len(jobs) == 1 })
	if r.carrier.Recordings() != 1 {
		t.Error("it is deleted before it can be transcribed")
	}
}

// TestOfferRefused: that a number could not be sent is in the complaint's
// history.
func TestOfferRefused(t *testing.T) {
	r := newRig(t, nil)
	r.carrier.Refuse(21614)
	sid := r.call(carrier.Call{Person: &carrier.Caller{Seconds: 2, Keys: []string{"2", "", "", "1"}}})
	await(t, "the history", func() bool {
		return strings.Contains(r.memory.history(), r.intake.Number("call:"+sid)+" offer "+sid+" delivery_failed")
	})
}

// TestTranscribe: an endpoint that fails first, and one that says that it
// never will.
func TestTranscribe(t *testing.T) {
	t.Parallel()
	tries := make(chan url.Values, 100)
	never := false
	stt := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.Header.Get("Authorization") != "Bearer stt-token" {
			t.Error("no token")
		}
		f, _, err := req.FormFile("file")
		if err != nil {
			t.Error(err)
			return
		}
		f.Close()
		tries <- url.Values(req.MultipartForm.Value)
		switch {
		case never:
			http.Error(w, "no", http.StatusUnsupportedMediaType)
		case len(tries) == 1:
			http.Error(w, "busy", http.StatusServiceUnavailable)
		default:
			fmt.Fprint(w, `{"text":" 我被扣了两次钱 "}`)
		}
	}))
	defer stt.Close()
	r := newRig(t, nil, func(c *Config) {
		c.Transcription = Transcription{By: "http", URL: stt.URL, Token: secretOf("stt-token"), Model: "whisper-1"}
	})
	sid := r.call(carrier.Call{Person: &carrier.Caller{Keys: []string{"1"}, Seconds: 2}})
	c := r.contact(sid, "the transcript", func(c complaint.Contact) bool { return c.Text == "我被扣了两次钱" })
	if c.Facts[complaint.FactTranscript] != "true" || c.Language != "zh" || len(c.Attachments) != 0 {
		t.Errorf("transcript %+v", c)
	}
	if got := <-tries; got.Get("language") != "zh" || got.Get("model") != "whisper-1" {
		t.Errorf("asked %v", got)
	}
	never = true
	sid = r.call(carrier.Call{From: "+8613812345679", Person: &carrier.Caller{Seconds: 2}})
	r.contact(sid, "the recording", hasAudio)
	await(t, "an end of the trying", func() bool { jobs, _ := r.notes.List("job/"); return len(jobs) == 0 })
}
