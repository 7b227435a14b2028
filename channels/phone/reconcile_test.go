package phone

import (
	"testing"
	"time"

	"hearken/channels/phone/carrier"
	"hearken/complaint"
)

// TestLostWebhooks: calls, recordings and texts of which no webhook arrived
// are taken in, once; what arrived is not taken again.
func TestLostWebhooks(t *testing.T) {
	down := false
	r := newRigOf(t, carrier.Config{Ago: time.Hour, PageMost: 1, Faults: func(kind string) int {
		if down && kind != "voice" && kind != "voice/notice" {
			return 0
		}
		return 1
	}}, func(c *Config) { c.Reconcile = Reconcile{Every: 50 * time.Millisecond} })
	heard := r.call(carrier.Call{Person: &carrier.Caller{Seconds: 2}})
	if _, err := r.carrier.Text(t.Context(), "+442079460001", line, "the first parcel is lost"); err != nil {
		t.Fatal(err)
	}
	r.contact(heard, "the recording", hasAudio)
	down = true
	spoke := r.call(carrier.Call{From: "+442079460002", Person: &carrier.Caller{Seconds: 3}})
	silent := r.call(carrier.Call{From: "+442079460003", Person: &carrier.Caller{HangsUp: carrier.DuringGreeting}})
	if _, err := r.carrier.Text(t.Context(), "+442079460004", line, "the second parcel is lost", carrier.File{MediaType: "image/png", Bytes: []byte("x")}); err != nil {
		t.Fatal(err)
	}
	c := r.contact(spoke, "the lost recording", hasAudio)
	if c.From.Phone != "+442079460002" || c.Facts["recording_seconds"] != "3" {
		t.Errorf("lost recording %+v", c)
	}
	r.contact(silent, "the lost call", func(c complaint.Contact) bool { return c.Facts["call_back"] == "true" && c.OnlyOpens && c.WantsReceipt })
	text := r.contact("", "the lost text", func(c complaint.Contact) bool { return c.Text == "the second parcel is lost" })
	if !text.WantsReceipt || text.NumberNow || time.Since(text.ReceivedAt) < 50*time.Minute {
		t.Errorf("lost text %+v", text)
	}
	r.contact("", "the lost file", func(c complaint.Contact) bool {
		return len(c.Attachments) == 1 && c.Attachments[0].MediaType == "image/png"
	})
	if n := r.intake.Numbers(); n != 5 {
		t.Errorf("%d complaints", n)
	}
	before := len(r.intake.Contacts())
	// Another gateway takes over, and looks at everything again.
	r.stop()
	r.notes = &notebook{m: map[string][]byte{}}
	r.deps.Notebook = r.notes
	r.make()
	r.start()
	await(t, "another round", func() bool {
		return r.memoryOfJobs(heard) == "done" && r.memoryOfJobs(spoke) == "done" && r.memoryOfJobs(silent) == "done"
	})
	await(t, "an end of the jobs", func() bool { jobs, _ := r.notes.List("job/"); return len(jobs) == 0 })
	if got := len(r.intake.Contacts()); got != before {
		t.Errorf("%d contacts more at the second look", got-before)
	}
}
