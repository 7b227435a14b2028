package email

import (
	"testing"

	"hearken/channels/email/letter"
	"hearken/complaint"
)

func TestPerson(t *testing.T) {
	w := newWorld(t)
	e := w.channel(config("127.0.0.1:1", "u"))
	for head, want := range map[string]complaint.Person{
		"From: Zhang <a@example.cn>":                                                       {Name: "Zhang", Email: "a@example.cn"},
		"From: Zhang <a@example.cn>\nReply-To: b@example.cn":                               {Name: "Zhang", Email: "b@example.cn"},
		"From: a@example.cn\nReply-To: Wei <b@example.cn>":                                 {Name: "Wei", Email: "b@example.cn"},
		"From: Zhang <a@example.cn>\nReply-To: Support@Example.com":                        {Name: "Zhang", Email: "a@example.cn"},
		"From: Zhang <a@example.cn>\nReply-To: support@example.com, Office <c@example.cn>": {Name: "Zhang", Email: "c@example.cn"},
		"From: Zhang <a@example.cn>\nReply-To: nonsense":                                   {Name: "Zhang", Email: "a@example.cn"},
		"From: undisclosed:;\nSender: s@example.cn":                                        {Email: "s@example.cn"},
		"Subject: nobody wrote this":                                                       {},
	} {
		if got := e.person(parsed(t, w, []byte(head+"\n\ntext\n"))); got != want {
			t.Errorf("%q: %+v, want %+v", head, got, want)
		}
	}
}

func TestFindNumber(t *testing.T) {
	w := newWorld(t)
	e := w.channel(config("127.0.0.1:1", "u"))
	ours := e.ids.id(complaint.Reply{ID: "r", Number: number})
	tag := complaint.Tag(number)
	for name, c := range map[string]struct {
		letter letter.Letter
		by     string
		proven bool
	}{
		"nothing":            {letter.Letter{Subject: "x"}, "", false},
		"our id":             {letter.Letter{InReplyTo: []string{ours}}, "message_id", true},
		"our id further up":  {letter.Letter{InReplyTo: []string{"x@example.cn"}, References: []string{ours, "y@example.cn"}}, "message_id", true},
		"the tag":            {letter.Letter{Subject: "回复: Re: x " + tag}, "subject", false},
		"a tag with a typo":  {letter.Letter{Subject: "x [2611-2300-4270]"}, "", false},
		"a number at large":  {letter.Letter{Subject: "order 2611-2300-4279"}, "", false},
		"the id and the tag": {letter.Letter{Subject: tag, References: []string{ours}}, "message_id", true},
	} {
		t.Run(name, func(t *testing.T) {
			var got complaint.Contact
			e.ids.findNumber(&c.letter, &got)
			if got.NumberBy != c.by || got.NumberProven != c.proven || (got.Number == number) != (c.by != "") {
				t.Errorf("%q by %q, proven %v", got.Number, got.NumberBy, got.NumberProven)
			}
		})
	}
}
