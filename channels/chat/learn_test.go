package chat

import (
	"fmt"
	"strings"
	"testing"

	"hearken/complaint"
)

// turn is one message and what the customer reads after it, "" for nothing.
type turn struct{ says, hears string }

// converse says the turns in a session of its own, and fails where the
// gateway says something else.
func converse(t *testing.T, language string, turns ...turn) (*rig, *window) {
	t.Helper()
	r := newRig(t)
	w := r.open()
	w.say(frame{"type": "hello", "language": language})
	w.hear("message") // the greeting
	for i, turn := range turns {
		w.say(frame{"type": "message", "id": fmt.Sprint("m", i), "text": turn.says})
		w.say(frame{"type": "ping"})
		var said []string
		for f := w.any(); f.Type != "pong"; f = w.any() {
			if f.Type == "message" {
				said = append(said, f.Text)
			}
		}
		// What goes through the log may come after the pong.
		for turn.hears != "" && !strings.Contains(strings.Join(said, "\n"), turn.hears) {
			said = append(said, w.hear("message").Text)
		}
		if turn.hears == "" && len(said) > 0 {
			t.Errorf("%q was answered by %q", turn.says, said)
		}
	}
	return r, w
}

func (r *rig) last() complaint.Contact {
	all := r.intake.Contacts()
	return all[len(all)-1]
}

// A number with a wrong digit opens no complaint that says nothing else; each
// wrong one is told.
func TestMistypedNumber(t *testing.T) {
	right, err := complaint.NewNumber("261123", 427)
	if err != nil {
		t.Fatal(err)
	}
	wrong := right[:11] + string('0'+(right[11]-'0'+1)%10)
	r, _ := converse(t, "en",
		turn{"my number is " + complaint.Grouped(wrong), complaint.Grouped(wrong) + " is not a complaint number"},
		turn{"I mean 1111 1111 1112", "1111 1111 1112 is not a complaint number"},
		turn{complaint.Grouped(right), "To continue complaint " + complaint.Grouped(right)},
		turn{"ann@example.com", "registered as a new complaint"}, // the rig knows no other
	)
	for i, c := range r.intake.Contacts() {
		if c.Fragment != (i < 3) {
			t.Errorf("contact %d: %+v", i, c)
		}
	}
	if last := r.last(); last.Number != right || last.From.Email != "ann@example.com" {
		t.Errorf("last: %+v", last)
	}
}

func TestRefusalsAreAccepted(t *testing.T) {
	converse(t, "en",
		turn{"the fridge is broken", "how can we reach you"}, turn{"I won't tell you", "order or contract number"}, turn{"no", ""}, turn{"nothing more", ""})
	r, _ := converse(t, "en",
		turn{"what is the status?", "Which complaint do you mean"}, turn{"I don't know the number", "What went wrong"}, turn{"my fridge is broken", "Its number is"})
	for i, c := range r.intake.Contacts() {
		if c.Fragment != (i < 2) {
			t.Errorf("contact %d: %+v", i, c)
		}
	}
}

// Who a message only speaks of is not its sender.
func TestWhoSpeaks(t *testing.T) {
	for text, want := range map[string]complaint.Person{
		"I wrote to support@shop.test three times and nobody answers": {},
		"快递员 13912345678 态度恶劣，把包裹扔在门口":                                {},
		"Ann Lee, ann@example.com":                                    {Name: "Ann Lee", Email: "ann@example.com"},
		"My name is Ann Lee and my phone is +44 20 7946 0958":         {Name: "Ann Lee", Phone: "+442079460958"},
		"张伟，13812345678":                                              {Name: "张伟", Phone: "+8613812345678"},
		"我叫张伟 邮箱 zhang@example.cn":                                    {Name: "张伟", Email: "zhang@example.cn"},
		"好的 13812345678":                                              {Phone: "+8613812345678"},
		"ok, info@bakery.test":                                        {Email: "info@bakery.test"},
		"Thanks! ann@example.com":                                     {Email: "ann@example.com"},
		"only by ann@example.com, and only after six":                 {Email: "ann@example.com"},
	} {
		k := &conn{told: "1", asked: []string{sayReach}}
		if k.learn(text); k.from != want {
			t.Errorf("%q: %+v, want %+v", text, k.from, want)
		}
	}
}

// The dialogue goes on in the language that is written, over a lost line too.
func TestFollowsTheCustomersLanguage(t *testing.T) {
	r, w := converse(t, "en", turn{"我的冰箱坏了，没有人来修", "怎么称呼您"}, turn{"13812345678", "订单号"})
	if got := r.last().Language; got != "zh" {
		t.Errorf("the record's language: %q", got)
	}
	w.ws.Close()
	again, session := r.open(), strings.TrimPrefix(r.last().Conversation, "chat:")
	again.say(frame{"type": "hello", "language": "en", "session": session, "token": r.chat.tokens.Sign(session, tokenBytes)})
	again.say(frame{"type": "contact", "number": "2611 2300 4279"})
	again.heard("开始新的对话")
	for text, want := range map[string]string{"order AB-1234567, iPhone Pro Max 256 GB": "zh-CN", "The parcel is lost": "en", "ok": "zh-CN"} {
		k := &conn{language: "zh-CN"}
		if k.follow(text); k.language != want {
			t.Errorf("after %q: %q, want %q", text, k.language, want)
		}
	}
}

// What is wrong with one part of a contact is told; the others are kept.
func TestContactIsKeptInParts(t *testing.T) {
	r := newRig(t)
	for code, part := range map[string]frame{
		"bad_number": {"number": "2611 2300 4278"}, "bad_email": {"email": "a@b\r\nBcc: c@example.com"}, "bad_phone": {"phone": "abc"},
	} {
		w := r.open()
		w.say(frame{"type": "hello"})
		part["type"], part["name"] = "contact", "Ann"
		w.say(part)
		if got := w.hear("error"); got.Code != code || got.Text == "" {
			t.Errorf("%+v, want %s", got, code)
		}
		w.say(frame{"type": "message", "id": "1", "text": "the parcel is lost"})
		w.hear("receipt")
		if got := r.last(); got.From != (complaint.Person{Name: "Ann"}) || got.Number != "" {
			t.Errorf("%s: %+v", code, got)
		}
	}
}

// A chat is one complaint; who names another one in it is told how to go on.
func TestAnotherNumberInTheSameChat(t *testing.T) {
	other, err := complaint.NewNumber("261101", 7)
	if err != nil {
		t.Fatal(err)
	}
	r, w := converse(t, "en", turn{"the parcel is lost", "Its number is"}, turn{"and complaint " + other + "?", "start a new one"})
	w.say(frame{"type": "contact", "number": other}) // was told already
	w.say(frame{"type": "message", "id": "x", "text": "more"})
	w.hear("receipt")
	if got := r.last(); got.Number != "" {
		t.Errorf("%+v", got)
	}
}

// Who names complaints that are not theirs can't go on guessing, and is told
// nothing that would tell them apart.
func TestGuessingWhoseComplaintItIs(t *testing.T) {
	number, err := complaint.NewNumber("261101", 7)
	if err != nil {
		t.Fatal(err)
	}
	r := newRig(t)
	for i := range guessesAtOnce + 1 {
		w := r.open()
		w.say(frame{"type": "hello", "language": "en"})
		w.say(frame{"type": "message", "id": "1", "text": fmt.Sprintf("status of %s, I am guess%d@example.com", number, i)})
		w.heard("registered as a new complaint") // the rig knows no other
		if got := r.last().Number; (got == number) != (i < guessesAtOnce) {
			t.Errorf("guess %d went to the queue as %q", i, got)
		}
		w.ws.Close()
	}
}

func TestFileNamesTellNobody(t *testing.T) {
	r := newRig(t)
	w := r.open()
	w.say(frame{"type": "hello"})
	session := w.hear("welcome").Session
	ref, err := r.chat.sealRef(session, complaint.Attachment{Filename: "13812345678.mp3", Size: 1})
	if err != nil {
		t.Fatal(err)
	}
	w.say(frame{"type": "message", "id": "1", "text": "13812345678.mp3", "files": []string{ref}})
	w.hear("receipt")
	if got := r.last(); got.From.Phone != "" || len(got.Attachments) != 1 {
		t.Errorf("%+v", got)
	}
}
