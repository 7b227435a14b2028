package chat

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"hearken/complaint"
	"hearken/internal/secret"
)

func TestAsksForWhatIsMissing(t *testing.T) {
	r := newRig(t)
	w := r.open()
	w.say(frame{"type": "hello", "language": "en"})
	for i, turn := range []struct{ says, hears string }{
		{"hello", "What went wrong"},
		{"the parcel never arrived", "how can we reach you"},
		{"ann@example.com", "order or contract number"},
		{"order A-88231", ""},
		{"what is the status?", "being worked on"},
	} {
		w.say(frame{"type": "message", "id": fmt.Sprint(i), "text": turn.says})
		if turn.hears != "" {
			w.heard(turn.hears)
		}
	}
	w.say(frame{"type": "end"})
	w.hear("ended")
	got := r.intake.Contacts()
	last := got[len(got)-1]
	if len(got) != 5 || !got[0].Fragment || got[1].Fragment || last.From.Email != "ann@example.com" {
		t.Errorf("contacts: %+v", got)
	}
}

// Who can't say by which address a complaint was made is asked, before the
// words go anywhere.
func TestContinuesAnOldComplaint(t *testing.T) {
	r := newRig(t)
	number, err := complaint.NewNumber("261101", 7)
	if err != nil {
		t.Fatal(err)
	}
	w := r.open()
	w.say(frame{"type": "hello", "language": "zh"})
	w.say(frame{"type": "message", "id": "1", "text": "我的投诉编号是 " + complaint.Grouped(number)})
	w.heard("当时留下的邮箱或电话")
	w.say(frame{"type": "message", "id": "2", "text": "138 1234 5678"})
	w.told("2")
	got := r.intake.Contacts()
	if !got[0].Fragment || got[1].Fragment || got[1].Number != number || got[1].From.Phone != "+8613812345678" {
		t.Errorf("contacts: %+v", got)
	}
}

// Who asks how a complaint stands is asked which, proves to be its customer,
// and is told; over a lost line too. Nobody is told of another's.
func TestTellsHowAnOldComplaintStands(t *testing.T) {
	number, err := complaint.NewNumber("261123", 1) // the one that the intake continues
	if err != nil {
		t.Fatal(err)
	}
	r := newRig(t)
	w := r.open()
	w.say(frame{"type": "hello", "language": "en"})
	welcome := w.hear("welcome")
	w.say(frame{"type": "message", "id": "1", "text": "What is the status of my complaint?"})
	w.heard("Which complaint do you mean")
	w.ws.Close()
	w = r.open()
	w.say(frame{"type": "hello", "language": "en", "session": welcome.Session, "token": welcome.Token})
	w.say(frame{"type": "message", "id": "2", "text": "my number is " + complaint.Grouped(number)})
	w.heard("please tell us the e-mail address")
	w.say(frame{"type": "message", "id": "3", "text": "ann@example.com"})
	w.heard(complaint.Grouped(number) + " is being worked on")
	got := r.intake.Contacts()
	if len(got) != 3 || !got[0].Fragment || !got[1].Fragment || got[2].Number != number {
		t.Errorf("contacts: %+v", got)
	}

	w = r.open() // the intake finds that this number is not theirs
	w.say(frame{"type": "hello", "language": "en"})
	w.say(frame{"type": "message", "id": "1", "text": "status of " + complaint.Grouped(number) + ", I am bob@example.com"})
	w.heard("could not match")
	w = r.open() // who names no number in spite of the question has a new complaint
	w.say(frame{"type": "hello", "language": "zh"})
	w.say(frame{"type": "message", "id": "1", "text": "进度怎么样了"})
	w.heard("是哪一件投诉")
	w.say(frame{"type": "message", "id": "2", "text": "我不知道编号，冰箱三周没人修，还是没有进度"})
	if told, said := w.told("2"); told == "" || told == number || !strings.Contains(said, "已登记") {
		t.Errorf("told %q, said %q", told, said)
	}
	told := 0
	r.logs.mu.Lock()
	defer r.logs.mu.Unlock()
	for _, log := range r.logs.all {
		for _, m := range log {
			told += strings.Count(m.Text, "being worked on")
		}
	}
	if told != 1 {
		t.Errorf("the status was told %d times", told)
	}
}

func TestNothingOvertakesWhatWasPutOff(t *testing.T) {
	r := newRig(t)
	refuse := true
	r.intake.Refuse(func() error {
		if refuse {
			refuse = false
			return complaint.ErrFull
		}
		return nil
	})
	w := r.open()
	w.say(frame{"type": "hello"})
	for _, id := range []string{"1", "2", "3"} {
		w.say(frame{"type": "message", "id": id, "text": "我的包裹丢了 " + id})
		if got := w.hear("retry"); got.ID != id {
			t.Errorf("put off: %+v", got)
		}
	}
	w.say(frame{"type": "message", "id": "2", "text": "我的包裹丢了 2"})
	w.hear("retry")
	for _, id := range []string{"1", "2", "3"} {
		w.say(frame{"type": "message", "id": id, "text": "我的包裹丢了 " + id})
		if got := w.hear("receipt"); got.ID != id {
			t.Errorf("receipt: %+v", got)
		}
	}
	for i, c := range r.intake.Contacts() {
		if want := fmt.Sprint("我的包裹丢了 ", i+1); c.Text != want {
			t.Errorf("contact %d is %q", i, c.Text)
		}
	}
}

func TestSignedIdentity(t *testing.T) {
	const key = "a key of the site"
	r := newRig(t, func(c *Config) { c.IdentityKey = secret.New(key) })
	sign := func(claims, key string) frame {
		m := hmac.New(sha256.New, []byte(key))
		m.Write([]byte(claims))
		return frame{"claims": claims, "hmac": hex.EncodeToString(m.Sum(nil))}
	}
	good := fmt.Sprintf(`{"user":"u7","name":"Ann","email":"ann@example.com","expires":%d}`, time.Now().Add(time.Hour).Unix())
	for name, id := range map[string]frame{
		"another key": sign(good, "guessed"), "no signature": {"claims": good}, "expired": sign(`{"email":"ann@example.com","expires":1}`, key),
		"no expiry": sign(`{"email":"ann@example.com"}`, key), "no object": sign(`7`, key),
	} {
		w := r.open()
		w.say(frame{"type": "hello", "identity": id})
		if got := w.hear("error"); got.Code != "bad_identity" {
			t.Errorf("%s: %+v", name, got)
		}
		w.say(frame{"type": "message", "id": "1", "text": "我的包裹丢了"})
		w.hear("receipt") // heard all the same
	}
	for _, c := range r.intake.Contacts() {
		if c.From != (complaint.Person{}) || c.Facts["identity"] != "" {
			t.Errorf("a wrong identity was taken: %+v", c)
		}
	}
	before := len(r.intake.Contacts())
	w := r.open()
	w.say(frame{"type": "hello", "identity": sign(good, key)})
	w.say(frame{"type": "contact", "email": "mallory@example.com"})
	w.say(frame{"type": "message", "id": "1", "text": "my address is eve@example.com"})
	w.hear("receipt")
	c := r.intake.Contacts()[before]
	if c.From.Email != "ann@example.com" || c.Facts["identity"] != "signed" || c.Facts["user"] != "u7" {
		t.Errorf("contact: %+v", c)
	}
}

func TestIsStatusQuestion(t *testing.T) {
	for text, want := range map[string]bool{
		"status": true, "Status?": true, "投诉 STATUS？": true, "处理得怎么样了": true, "What's the status": true, "any news?": true,
		"status 2": false, "my_status": false, "the parcel is lost": false,
		"no progress for three weeks, any news would be welcome, and I want my money back now": false,
	} {
		if got := isStatusQuestion(text); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

// Another tab of the same customer may send what this one was asked to send
// again; this one then goes on with the next.
func TestWhatAnotherTabSentIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	refuse := true
	r.intake.Refuse(func() error {
		if refuse {
			refuse = false
			return complaint.ErrFull
		}
		return nil
	})
	one, two := r.open(), r.open()
	one.say(frame{"type": "hello"})
	welcome := one.hear("welcome")
	two.say(frame{"type": "hello", "session": welcome.Session, "token": welcome.Token})
	one.say(frame{"type": "message", "id": "1", "text": "我的包裹丢了"})
	one.hear("retry")
	two.say(frame{"type": "message", "id": "1", "text": "我的包裹丢了"})
	two.hear("receipt")
	for end := time.Now().Add(2 * putOffWait); ; time.Sleep(retryAfter / 4) {
		one.say(frame{"type": "message", "id": "2", "text": "订单 88231"})
		f := one.any()
		for f.Type == "message" || f.Type == "welcome" {
			f = one.any()
		}
		if f.Type == "receipt" {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("still waits for the first message: %+v", f)
		}
	}
}
