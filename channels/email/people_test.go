package email

import (
	"encoding/base64"
	"strings"
	"testing"

	"hearken/channels/email/mailbox"
	"hearken/complaint"
)

// heard is the contact that a mail becomes.
func heard(t *testing.T, w *world, cfg Config, raw string) complaint.Contact {
	t.Helper()
	e := w.channel(cfg)
	r := reader{Email: e, box: &mailbox.Box{}, trouble: &trouble{}}
	return r.contact(mailbox.Mail{UID: 1}, parsed(t, w, []byte(raw)))
}

func TestListsThatRewriteFrom(t *testing.T) {
	w := newWorld(t)
	c := heard(t, w, config("127.0.0.1:1", "u"), "From: 'Ann' via Support <support@example.com>\nX-Original-From: Ann <ann@example.org>\nX-Original-Sender: ann@example.org\nList-Id: <support.example.com>\n\nx\n")
	if c.From != (complaint.Person{Name: "Ann", Email: "ann@example.org"}) {
		t.Errorf("%+v", c.From)
	}
	c = heard(t, w, config("127.0.0.1:1", "u"), "Resent-From: Bob <bob@example.org>\nFrom: Ann <ann@example.org>\n\nx\n")
	if c.From.Email != "ann@example.org" {
		t.Errorf("%+v", c.From)
	}
}

func TestWhoWrote(t *testing.T) {
	for head, want := range map[string]complaint.Person{
		"From: Ann via List <list@lists.example.com>\nReply-To: ann@example.org":             {Name: "Ann", Email: "ann@example.org"},
		"From: \"'Ann' via Support\" <support@example.com>\nReply-To: Ann <ann@example.org>": {Name: "Ann", Email: "ann@example.org"},
		"From: \"Ann via Shop\" <ann@example.org>\nReply-To: <ann@example.org>":              {Name: "Ann via Shop", Email: "ann@example.org"},
		"From: =?utf-8?B?5byg5Lyf?= <>\nReply-To: zhang@example.cn":                          {Name: "张伟", Email: "zhang@example.cn"},
		"From: Ann\nSender: ann@example.org":                                                 {Name: "Ann", Email: "ann@example.org"},
		"From: Ann <ann@example.org>\nReply-To: support@example.com, Bo <bo@example.org>":    {Name: "Ann", Email: "bo@example.org"},
		"From: Ann <ann@example.org>\nReply-To: \"\" <>":                                     {Name: "Ann", Email: "ann@example.org"},
		"From:\nReturn-Path: <ann@example.org>":                                              {Email: "ann@example.org"},
	} {
		if got := heard(t, newWorld(t), config("127.0.0.1:1", "u"), head+"\n\nx\n").From; got != want {
			t.Errorf("%q: %+v", head, got)
		}
	}
}

func TestStaffPassOnACustomersMail(t *testing.T) {
	cfg := config("127.0.0.1:1", "u")
	cfg.Staff = []string{"@shop.example.com", "boss@example.org"}
	for name, c := range map[string]struct {
		mail string
		want complaint.Person
		by   string
	}{
		"gmail":        {"From: Bo <bo@shop.example.com>\nSubject: Fwd: parcel\n\nplease handle\n\n---------- Forwarded message ---------\nFrom: Ann Lee <ann@example.org>\nDate: Mon\nSubject: parcel\n\nIt never came.\n", complaint.Person{Name: "Ann Lee", Email: "ann@example.org"}, "bo@shop.example.com"},
		"outlook":      {"From: Boss <boss@example.org>\nSubject: FW: parcel\n\nFrom: Ann Lee [mailto:ann@example.org]\nSent: Monday\nTo: Boss\n\nIt never came.\n", complaint.Person{Name: "Ann Lee", Email: "ann@example.org"}, "boss@example.org"},
		"foxmail":      {"From: bo@shop.example.com\nContent-Type: text/plain; charset=utf-8\n\n请处理\n\n发件人： 张伟<zhang@example.cn>\n发送时间： 2026-11-23\n\n没收到\n", complaint.Person{Name: "张伟", Email: "zhang@example.cn"}, "bo@shop.example.com"},
		"apple":        {"From: bo@shop.example.com\n\nBegin forwarded message:\n\n> From: Ann Lee <ann@example.org>\n> Subject: x\n>\n> It never came.\n", complaint.Person{Name: "Ann Lee", Email: "ann@example.org"}, "bo@shop.example.com"},
		"attached":     {"From: bo@shop.example.com\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nsee\n--b\nContent-Type: message/rfc822\n\nFrom: Ann Lee <ann@example.org>\n\nIt never came.\n--b--\n", complaint.Person{Name: "Ann Lee", Email: "ann@example.org"}, "bo@shop.example.com"},
		"their own":    {"From: Bo <bo@shop.example.com>\n\nThe lift is broken again.\n", complaint.Person{Name: "Bo", Email: "bo@shop.example.com"}, ""},
		"no colleague": {"From: Eve <eve@evil.example.net>\nSubject: Fwd: x\n\n---------- Forwarded message ---------\nFrom: Ann Lee <ann@example.org>\n\nIt never came.\n", complaint.Person{Name: "Eve", Email: "eve@evil.example.net"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := heard(t, newWorld(t), cfg, c.mail)
			if got.From != c.want || got.Facts["forwarded_by"] != c.by {
				t.Errorf("%+v by %q", got.From, got.Facts["forwarded_by"])
			}
		})
	}
}

func TestForms(t *testing.T) {
	cfg := config("127.0.0.1:1", "u")
	cfg.Forms = []Form{{From: "noreply@forms.example.com"}, {From: "@cms.example.com", Message: []string{"Beschwerde"}, Email: []string{"Ihre Adresse"}}}
	for name, c := range map[string]struct {
		mail, subject, text string
		from                complaint.Person
	}{
		"english": {"From: Website <noreply@forms.example.com>\nSubject: New submission\n\nName: Ann Lee\nEmail: ann@example.org\nPhone: +44 20 7946 0000\nSubject: parcel\nMessage: It never came.\nPlease: refund.\n\nAnn\n",
			"parcel", "It never came.\nPlease: refund.\n\nAnn", complaint.Person{Name: "Ann Lee", Email: "ann@example.org", Phone: "+44 20 7946 0000"}},
		"chinese": {"From: noreply@forms.example.com\nSubject: 新留言\nContent-Type: text/plain; charset=utf-8\n\n姓名：张伟\n手机：13812345678\n邮箱：zhang@example.cn\n来源页面：/help\n留言内容：\n没收到包裹\n请退款\n",
			"新留言", "没收到包裹\n请退款", complaint.Person{Name: "张伟", Email: "zhang@example.cn", Phone: "13812345678"}},
		"html table, own labels": {"From: web@cms.example.com\nSubject: Formular\nContent-Type: text/html\n\n<table><tr><td>Name</td><td>Ann Lee</td></tr><tr><td>Ihre Adresse</td><td>ann@example.org</td></tr><tr><td>Beschwerde</td><td>It never came.</td></tr></table>\n",
			"Formular", "It never came.", complaint.Person{Name: "Ann Lee", Email: "ann@example.org"}},
		"reply-to": {"From: noreply@forms.example.com\nReply-To: ann@example.org\nSubject: x\n\nIt never came.\n", "x", "It never came.", complaint.Person{Email: "ann@example.org"}},
		"nobody":   {"From: noreply@forms.example.com\nSubject: x\n\nIt never came.\n", "x", "It never came.", complaint.Person{}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			got := heard(t, w, cfg, c.mail)
			if got.From != c.from || got.Subject != c.subject || strings.TrimSpace(got.Text) != c.text {
				t.Errorf("%+v %q %q", got.From, got.Subject, got.Text)
			}
			if v := w.channel(cfg).judge(parsed(t, w, []byte("Auto-Submitted: auto-generated\n"+c.mail))); v.automated {
				t.Errorf("a customer's words count as a machine's: %+v", v)
			}
		})
	}
}

func TestThreadIndexNamesATopic(t *testing.T) {
	first := make([]byte, 22)
	first[0] = 1
	w := newWorld(t)
	mail := func(index []byte) string {
		return "From: a@example.cn\nThread-Index: " + base64.StdEncoding.EncodeToString(index) + "\n\nx\n"
	}
	a := heard(t, w, config("127.0.0.1:1", "u"), mail(first)).Topic
	b := heard(t, w, config("127.0.0.1:1", "u"), mail(append(first, 1, 2, 3, 4, 5))).Topic
	if a == "" || a != b {
		t.Errorf("%q %q", a, b)
	}
	if got := heard(t, w, config("127.0.0.1:1", "u"), mail(first[:10])).Topic; got != "" {
		t.Errorf("%q", got)
	}
}

func TestReplyAddress(t *testing.T) {
	w := newWorld(t)
	e := w.channel(config("127.0.0.1:1", "u"))
	to := e.ids.replyTo(number)
	for field, proven := range map[string]bool{"To: " + to: true, "Cc: x@example.org, <" + to + ">": true, "Delivered-To: " + to: true, "X-Envelope-To: " + to: true, "To: support+" + number + ".00000000000000000000@example.com": false} {
		got := heard(t, w, config("127.0.0.1:1", "u"), "From: ann@example.org\n"+field+"\n\nx\n")
		if got.NumberProven != proven || proven && (got.Number != number || got.NumberBy != "reply_address") {
			t.Errorf("%s: %+v", field, got)
		}
	}
	// It is no address of the customer's, wherever a program puts it.
	if got := heard(t, w, config("127.0.0.1:1", "u"), "From: ann@example.org\nReply-To: "+to+"\n\nx\n"); got.From.Email != "ann@example.org" {
		t.Errorf("%+v", got.From)
	}
}
