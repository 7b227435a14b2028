package chat

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
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
		{"what is the status?", "in_progress"},
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
