package phone

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"hearken/channels/phone/carrier"
	"hearken/complaint"
)

func TestFilesOfATextMessage(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.carrier.Lag(1)
	files := []carrier.File{{MediaType: "image/jpeg", Bytes: []byte("a photo")}, {MediaType: "../../etc/passwd", Bytes: []byte("an attack")}}
	if _, err := r.carrier.Text(t.Context(), "+8613812345678", line, "收到的是坏的", files...); err != nil {
		t.Fatal(err)
	}
	c := r.contact("", "the files", func(c complaint.Contact) bool { return len(c.Attachments) > 0 })
	if len(c.Attachments) != 2 || !strings.HasSuffix(c.Attachments[0].Filename, ".jpg") || c.Attachments[1].MediaType != "application/octet-stream" || strings.ContainsAny(c.Attachments[1].Filename, "/.") {
		t.Errorf("attachments %+v", c.Attachments)
	}
	f, err := r.blobs.Open(c.Attachments[0].Blob)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b := make([]byte, 20)
	if n, _ := f.Read(b); string(b[:n]) != "a photo" || c.Attachments[0].Size != 7 {
		t.Errorf("%q", b[:n])
	}
	if n := r.intake.Numbers(); n != 1 {
		t.Errorf("%d complaints", n)
	}
	if _, err := r.carrier.Text(t.Context(), "+8613812345679", line, "", files[0]); err != nil {
		t.Fatal(err)
	}
	r.contact("", "a message of a file alone", func(c complaint.Contact) bool {
		return c.Text == "" && c.Subject != "" && c.Facts["media"] == "1" && len(c.Attachments) == 0
	})
}

// TestTenFiles: a file that can't be had keeps neither the others from their
// complaint nor, once it is there, itself.
func TestTenFiles(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	files := make([]carrier.File, maxMedia)
	for i := range files {
		files[i] = carrier.File{MediaType: "image/png", Bytes: []byte{byte(i)}, Missing: i == 3}
	}
	if _, err := r.carrier.Text(t.Context(), "+8613812345678", line, "收到的是坏的", files...); err != nil {
		t.Fatal(err)
	}
	r.stop() // the job is ours now
	jobs, _ := r.notes.List("job/media/")
	var j job
	for _, b := range jobs {
		if err := json.Unmarshal(b, &j); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.phone.fetchMedia(t.Context(), j); err == nil || len(r.intake.Contacts()) != 1 {
		t.Fatalf("they did not wait for each other: %v", err)
	}
	j.Since = time.Now().Add(-2 * mediaTogether)
	if err := r.phone.fetchMedia(t.Context(), j); err != nil {
		t.Fatal(err)
	}
	if c := r.intake.Contacts()[1]; len(c.Attachments) != 9 {
		t.Errorf("%d files", len(c.Attachments))
	}
	key := "job/media/" + j.ID + "/late"
	jobs, _ = r.notes.List(key)
	j = job{}
	if err := json.Unmarshal(jobs[key], &j); err != nil {
		t.Fatal(err)
	}
	if err := r.phone.fetchMedia(t.Context(), j); err == nil {
		t.Error("the missing one was given up at once")
	}
	j.Since = time.Now().Add(-giveUpAfter)
	if err := r.phone.fetchMedia(t.Context(), j); err != nil {
		t.Fatal(err)
	}
	if c := r.intake.Contacts()[2]; len(c.Notes) != 1 || !strings.Contains(c.Notes[0], "could not be fetched") || c.ID == r.intake.Contacts()[1].ID {
		t.Errorf("given up: %+v", c)
	}
}

// TestAnsweringMachine: a machine that answers each of our texts is heard, and
// left without an answer after some.
func TestAnsweringMachine(t *testing.T) {
	r := newRig(t, nil)
	answered := 0
	for range 3 * receiptsMost {
		got, err := r.carrier.Text(t.Context(), "+442079460958", line, "I am driving and will answer later.")
		if err != nil {
			t.Fatal(err)
		}
		answered += len(got)
	}
	if got := len(r.intake.Contacts()); answered != 1+receiptsMost || got != 3*receiptsMost {
		t.Errorf("%d texts taken, %d answered", got, answered)
	}
	if got, _ := r.carrier.Text(t.Context(), "+442079460959", line, "my parcel"); len(got) != 1 {
		t.Error("another number was left without an answer")
	}
	var an restraint
	for range receiptsMost + 1 {
		an.allows("a", time.Now())
	}
	if !an.allows("a", time.Now().Add(time.Hour)) {
		t.Error("it is left without an answer for ever")
	}
}

func TestWhatsApp(t *testing.T) {
	r := newRig(t, nil)
	got, err := r.carrier.Text(t.Context(), "whatsapp:+8613812345678", "whatsapp:"+line, "包裹丢了")
	if err != nil || len(got) != 1 {
		t.Fatal(got, err)
	}
	c := r.intake.Contacts()[0]
	if c.From.Phone != "+8613812345678" || c.Facts["medium"] != "whatsapp" || c.ContactPoint != "whatsapp:"+line {
		t.Errorf("contact %+v", c)
	}
	rec := complaint.Record{Channel: complaint.Phone, ContactPoint: c.ContactPoint, Complainant: c.From, Facts: c.Facts}
	reply := rec.Reply()
	reply.ID, reply.Text, reply.Kind = "u1", "已找到", complaint.ReplyUpdate
	if err := r.phone.Send(t.Context(), reply); err != nil {
		t.Fatal(err)
	}
	if got := r.carrier.Sent(); len(got) != 1 || got[0].From != "whatsapp:"+line || got[0].To != "whatsapp:+8613812345678" {
		t.Errorf("sent %+v", got)
	}
}

func TestCarriersOwnWords(t *testing.T) {
	r := newRig(t, nil)
	for _, body := range []string{"STOP", " stop. ", "\"Stop all\"", "ＳＴＯＰ", "Help", "UNSUBSCRIBE", "退订。", "停止", "TD", "ARRÊT", "Baja!"} {
		if got, err := r.carrier.Text(t.Context(), "+442079460958", line, body); err != nil || len(got) != 0 {
			t.Errorf("%q was answered: %v, %v", body, got, err)
		}
	}
	said := []string{"Stop charging me twice", "请停止扣费", "Yes", "cancel my order", "Ayuda"}
	for _, body := range said {
		if _, err := r.carrier.Text(t.Context(), "+442079460958", line, body); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := r.carrier.Text(t.Context(), "+442079460958", line, "Help", carrier.File{MediaType: "image/jpeg", Bytes: []byte("what they did")}); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range r.intake.Contacts() {
		if c.Text != "" {
			got = append(got, c.Text)
		}
	}
	if !slices.Equal(got, append(said, "Help")) {
		t.Errorf("registered: %q", got)
	}
}

// TestOneConversation: a customer who writes to another of the line's numbers,
// by WhatsApp, or after a call, goes on; so does the answer to what we wrote.
func TestOneConversation(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	for _, prefix := range []string{"", whatsApp} {
		for _, to := range []string{line, "+861055550100"} {
			if _, err := r.carrier.Text(t.Context(), prefix+"+8613812345678", prefix+to, "my parcel"); err != nil {
				t.Fatal(err)
			}
		}
	}
	if n := r.intake.Numbers(); n != 1 {
		t.Errorf("%d complaints", n)
	}
	texts := r.intake.Contacts()[0].Conversation
	sid := r.call(carrier.Call{Person: &carrier.Caller{Seconds: 2, Keys: []string{"", "", "", "1"}}})
	r.contact(sid, "the call", func(c complaint.Contact) bool { return c.AlsoConversation == texts && c.AlsoWindow == 72*time.Hour })
	r.contact(sid, "the recording", func(c complaint.Contact) bool { return hasAudio(c) && c.AlsoConversation == "" })
	sid = r.call(carrier.Call{From: "+266696687", Person: &carrier.Caller{Seconds: 2}})
	r.contact(sid, "a call without a number", func(c complaint.Contact) bool { return c.AlsoConversation == "" })
	if err := r.phone.Send(t.Context(), complaint.Reply{ID: "u1", Number: "261123004279", Text: "Refunded.", To: complaint.Person{Phone: "+8613812345678"}, Language: "en"}); err != nil {
		t.Fatal(err)
	}
	r.memory.mu.Lock()
	defer r.memory.mu.Unlock()
	if want := texts + " 261123004279"; !slices.Contains(r.memory.led, want) {
		t.Errorf("led %q, want %q", r.memory.led, want)
	}
}

func TestParts(t *testing.T) {
	r := newRig(t, nil)
	first := strings.Repeat("包裹丢了", 17)[:67*3]
	got, err := r.carrier.Text(t.Context(), "+8613812345678", line, first)
	if err != nil || len(got) != 0 {
		t.Fatalf("a first part was answered: %v, %v", got, err)
	}
	if c := r.intake.Contacts()[0]; !c.Fragment || !c.Part || !c.WantsReceipt {
		t.Errorf("first part %+v", c)
	}
	if got, err := r.carrier.Text(t.Context(), "+8613812345678", line, "请退款"); err != nil || len(got) != 1 {
		t.Errorf("the last part: %v, %v", got, err)
	}
	for _, c := range []struct {
		body, segments string
		want           bool
	}{
		{strings.Repeat("a", 160), "1", true}, {strings.Repeat("a", 153), "", true}, {strings.Repeat("a", 159), "1", false}, {strings.Repeat("a", 160), "2", false},
		{strings.Repeat("字", 70), "1", true}, {strings.Repeat("😀", 35), "1", true}, {strings.Repeat("字", 69), "1", false},
		{strings.Repeat("é", 160), "1", true}, {strings.Repeat("€", 80), "1", true}, {strings.Repeat("a", 152), "1", true}, {strings.Repeat("字", 66), "", true},
		{strings.Repeat("`", 70), "1", true}, {strings.Repeat("`", 160), "1", false}, {strings.Repeat("a", 152) + " ", "1", true},
	} {
		if got := isPart(c.body, c.segments); got != c.want {
			t.Errorf("%d bytes in %q segments: %v", len(c.body), c.segments, got)
		}
	}
}

func TestNumberInAText(t *testing.T) {
	r := newRig(t, nil)
	for body, want := range map[string]string{"about 2611 2300 4279: any news?": "261123004279", "261123004279 还没到": "261123004279", "2611-2300-4278 is wrong": "", "call 861381234567890": ""} {
		if _, err := r.carrier.Text(t.Context(), "+8613812345678", line, body); err != nil {
			t.Fatal(err)
		}
		all := r.intake.Contacts()
		if got := all[len(all)-1].Number; got != want {
			t.Errorf("%q: %q", body, got)
		}
	}
}

// TestUndelivered: what became of a message is booked on its complaint, once.
func TestUndelivered(t *testing.T) {
	r := newRig(t, nil)
	reply := complaint.Reply{ID: "u1", Number: "261123004279", Kind: complaint.ReplyUpdate, Language: "en", Text: "We refund you.", To: complaint.Person{Phone: "+442079460958"}}
	if err := r.phone.Send(t.Context(), reply); err != nil {
		t.Fatal(err)
	}
	for _, status := range []string{"sent", "undelivered", "undelivered"} {
		if err := r.carrier.Settle(t.Context(), 0, status, "30003"); err != nil {
			t.Fatal(err)
		}
	}
	await(t, "the history", func() bool { return strings.Contains(r.memory.history(), "delivery_failed undelivered 30003") })
	await(t, "the job", func() bool { jobs, _ := r.notes.List("job/"); return len(jobs) == 0 })
	if got := r.memory.history(); strings.Count(got, "261123004279") != 1 {
		t.Errorf("booked: %s", got)
	}
}

// TestSentOnce: after a line that broke, the carrier is asked, not told again;
// another gateway knows as much.
func TestSentOnce(t *testing.T) {
	r := newRig(t, nil)
	reply := complaint.Reply{ID: "u1", Number: "261123004279", Kind: complaint.ReplyUpdate, Language: "en", Text: "We refund you.", To: complaint.Person{Phone: "+442079460958"}}
	r.carrier.Deafen(1)
	if err := r.phone.Send(t.Context(), reply); err == nil {
		t.Fatal("no error without an answer")
	}
	r.make() // another gateway, with the same memory
	for range 2 {
		if err := r.phone.Send(t.Context(), reply); err != nil {
			t.Error(err)
		}
	}
	if got := r.carrier.Sent(); len(got) != 1 {
		t.Errorf("sent %d times", len(got))
	}
	// A refusal is an outcome: it is sent when the carrier takes it.
	reply.ID, reply.Text = "u2", "And we apologise."
	r.carrier.Refuse(20429)
	if err := r.phone.Send(t.Context(), reply); err == nil {
		t.Error("no error for a refusal")
	}
	r.carrier.Refuse(0)
	if err := r.phone.Send(t.Context(), reply); err != nil || len(r.carrier.Sent()) != 2 {
		t.Errorf("after a refusal: %v, %d sent", err, len(r.carrier.Sent()))
	}
}

func TestSendingIsSlow(t *testing.T) {
	r := newRig(t, nil, func(c *Config) { c.TextRate = 0.001 })
	send := func(id string) error {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		return r.phone.Send(ctx, complaint.Reply{ID: id, Kind: complaint.ReplyUpdate, Text: "x", To: complaint.Person{Phone: "+442079460958"}})
	}
	if err := send("1"); err != nil {
		t.Fatal(err)
	}
	if err := send("2"); err == nil || complaint.IsPermanent(err) || errors.Is(err, complaint.ErrUnreachable) {
		t.Errorf("faster than the rate: %v", err)
	}
}

// TestPieces: nothing of a long text gets lost, and no piece is too long.
func TestPieces(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := strings.ToValidUTF8(strings.Repeat(rapid.StringOfN(rapid.RuneFrom([]rune("ab 字\n😀")), 0, 400, -1).Draw(t, "text"), 3), "")
		got := pieces(s, 200)
		if strings.Join(got, "") != s {
			t.Fatalf("%q became %q", s, got)
		}
		if slices.ContainsFunc(got, func(p string) bool { return len([]rune(p)) > 200 }) {
			t.Fatalf("a piece is too long: %q", got)
		}
	})
}
