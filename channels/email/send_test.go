package email

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"pgregory.net/rapid"

	"hearken/channels/email/access"
	"hearken/channels/email/letter"
	"hearken/channels/email/mailtest"
	"hearken/complaint"
	"hearken/internal/words"
)

const number = "261123004279"

// post is a mail server with the mailbox and a customer, and the channel
// between.
func post(t *testing.T) (*world, *mailtest.Server, *Email) {
	t.Helper()
	s, err := mailtest.Start(mailtest.Account{Address: "support@example.com", Password: "secret"}, mailtest.Account{Address: "zhang@example.cn", Password: "p"})
	must(t, err)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	w := newWorld(t)
	cfg := config(s.IMAPAddr, "support@example.com")
	cfg.SMTP = SMTP{Addr: s.SMTPAddr, TLS: "none", Username: "support@example.com", Password: secretOf("secret")}
	return w, s, w.channel(cfg)
}

func receipt(id string) complaint.Reply {
	return complaint.Reply{
		ID: id, Number: number, Kind: complaint.ReplyReceipt, Channel: complaint.Email, Account: "support",
		To: complaint.Person{Name: "张伟", Email: "zhang@example.cn"}, Language: "zh", Subject: "Re: 重复扣款", InReplyTo: "m1@example.cn",
		References: []string{"m0@example.cn", "m1@example.cn"}, Event: complaint.Registered, At: time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC),
	}
}

func parsed(t testing.TB, w *world, raw []byte) *letter.Letter {
	t.Helper()
	l, err := letter.Read(bytes.NewReader(raw), w.blobs, letter.DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestReceipt(t *testing.T) {
	w, s, e := post(t)
	must(t, e.Send(within(t), receipt("r1")))
	must(t, e.Send(within(t), receipt("r1"))) // tried again
	got, err := s.Await(within(t), "zhang@example.cn", 2)
	must(t, err)
	l := parsed(t, w, got[0])
	if l.Subject != "Re: 重复扣款 [2611-2300-4279]" || l.From[0].Addr != "support@example.com" || l.To[0].Addr != "zhang@example.cn" {
		t.Errorf("%+v", l)
	}
	if l.InReplyTo[0] != "m1@example.cn" || len(l.References) != 2 || l.Get("Auto-Submitted") != "auto-replied" || l.Get("Return-Path") != "<>" || l.Get("X-Auto-Response-Suppress") != "All" {
		t.Errorf("headers: %s", got[0])
	}
	if !strings.Contains(l.Text, "2611 2300 4279") || !strings.Contains(l.Text, "您好") || len(l.Notes) > 0 {
		t.Errorf("%q %q", l.Text, l.Notes)
	}
	page := string(got[0])
	if !strings.Contains(page, "multipart/alternative") || !strings.Contains(page, "text/html") {
		t.Error("there is no page")
	}
	if !bytes.Equal(got[0], got[1]) {
		t.Error("the second attempt is another mail")
	}
	if n, ok := e.ids.number(l.MessageID); !ok || n != number {
		t.Errorf("Message-ID %s", l.MessageID)
	}
	// Our own receipt is a machine's mail to us.
	if v := e.judge(l); v.file == "" {
		t.Errorf("%+v", v)
	}
}

func TestUpdate(t *testing.T) {
	w, s, e := post(t)
	r := receipt("u1")
	r.Kind, r.Language, r.Text, r.Subject = complaint.ReplyUpdate, "en", "We have paid back 199.00.\r\nSorry!\n", ""
	must(t, e.Send(within(t), r))
	got, err := s.Await(within(t), "zhang@example.cn", 1)
	must(t, err)
	l := parsed(t, w, got[0])
	if l.Subject != "Your complaint [2611-2300-4279]" || l.Has("Auto-Submitted") || l.Get("Return-Path") != "<support@example.com>" {
		t.Errorf("%s", got[0])
	}
	if want := "We have paid back 199.00.\nSorry!\n\n--\nComplaint 2611 2300 4279. To write back, just reply to this mail."; l.Text != want {
		t.Errorf("%q", l.Text)
	}
}

func TestAnAnswerFindsItsComplaint(t *testing.T) {
	w, s, e := post(t)
	must(t, e.Send(within(t), receipt("r1")))
	got, err := s.Await(within(t), "zhang@example.cn", 1)
	must(t, err)
	ours := parsed(t, w, got[0])
	w.run(e)
	must(t, s.Deliver("support@example.com", []byte("Message-ID: <a1@example.cn>\r\nFrom: zhang@example.cn\r\nSubject: "+"Re: x"+"\r\nIn-Reply-To: <"+ours.MessageID+">\r\n\r\nmore\r\n")))
	c := w.intake.await(t, count(1))[0]
	if c.Number != number || c.NumberBy != "message_id" || !c.NumberProven || c.WantsReceipt || c.InReplyTo != ours.MessageID {
		t.Errorf("%+v", c)
	}
	must(t, s.Deliver("support@example.com", []byte("Message-ID: <a2@example.cn>\r\nFrom: b@example.cn\r\nReply-To: c@example.cn\r\nSubject: about [2611-2300-4279]\r\n\r\nmore\r\n")))
	c = w.intake.await(t, count(2))[1]
	if c.Number != number || c.NumberBy != "subject" || c.NumberProven || !c.WantsReceipt || c.From.Email != "c@example.cn" {
		t.Errorf("%+v", c)
	}
	// A wrong check digit is no number.
	must(t, s.Deliver("support@example.com", []byte("Message-ID: <a3@example.cn>\r\nFrom: b@example.cn\r\nSubject: about [2611-2300-4278]\r\n\r\nmore\r\n")))
	if c = w.intake.await(t, count(3))[2]; c.Number != "" {
		t.Errorf("%+v", c)
	}
}

func TestSendErrors(t *testing.T) {
	_, s, e := post(t)
	refuse := func(code int) {
		s.Refuse(func(_, to string) error {
			if to == "" {
				return nil
			}
			return &smtp.SMTPError{Code: code, Message: "<" + to + "> no"}
		})
	}
	refuse(450)
	if err := e.Send(within(t), receipt("r")); err == nil || complaint.IsPermanent(err) || errors.Is(err, complaint.ErrUnreachable) || strings.Contains(err.Error(), "zhang") {
		t.Errorf("450: %v", err)
	}
	refuse(550)
	if err := e.Send(within(t), receipt("r")); !complaint.IsPermanent(err) || !errors.Is(err, complaint.ErrUnreachable) || strings.Contains(err.Error(), "zhang") {
		t.Errorf("550: %v", err)
	}
	s.Refuse(nil)
	for _, to := range []string{"", "a", "a@b\r\nRCPT TO:<x@y>", "<a@b>", "a b@example.cn", "support@example.com"} {
		r := receipt("r")
		r.To.Email = to
		if err := e.Send(within(t), r); !complaint.IsPermanent(err) {
			t.Errorf("%q: %v", to, err)
		}
	}
	r := receipt("u")
	r.Kind = complaint.ReplyUpdate
	if err := e.Send(within(t), r); !complaint.IsPermanent(err) {
		t.Errorf("an update without words: %v", err)
	}
	bad := e.cfg
	bad.SMTP.Password = secretOf("wrong")
	e.mailer = newMailer(bad.SMTP, nil)
	if err := e.Send(within(t), receipt("r")); err == nil || complaint.IsPermanent(err) {
		t.Errorf("wrong password: %v", err)
	}
	must(t, s.Close())
	if err := e.Send(within(t), receipt("r")); err == nil || complaint.IsPermanent(err) {
		t.Errorf("no server: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := e.Send(ctx, receipt("r")); err == nil || complaint.IsPermanent(err) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestANullSenderThatIsRefused(t *testing.T) {
	w, s, e := post(t)
	s.Refuse(func(from, _ string) error {
		if from == "" {
			return &smtp.SMTPError{Code: 550, Message: "say who you are"}
		}
		return nil
	})
	must(t, e.Send(within(t), receipt("r1")))
	if l := parsed(t, w, s.Received("zhang@example.cn")[0]); l.Get("Return-Path") != "<support@example.com>" || l.Get("Auto-Submitted") != "auto-replied" {
		t.Error(l.Get("Return-Path"))
	}
}

func TestNoMoreReceiptsThanAgreed(t *testing.T) {
	_, s, e := post(t)
	e.rate = newHourly(2)
	for _, id := range []string{"r1", "r2", "r3"} {
		must(t, e.Send(within(t), receipt(id)))
	}
	if n := len(s.Received("zhang@example.cn")); n != 2 {
		t.Errorf("%d receipts", n)
	}
}

func TestReplacedWords(t *testing.T) {
	w := newWorld(t)
	deps := Deps{Blobs: w.blobs, Keys: w.keys, Log: w.channel(config("127.0.0.1:1", "u")).log, Words: words.Texts{"zh": {"email.subject": "您的反馈"}}}
	e, err := New(config("127.0.0.1:1", "u"), deps)
	must(t, err)
	r := receipt("r")
	r.Subject = ""
	if s, err := e.subject(r); err != nil || s != "您的反馈 [2611-2300-4279]" {
		t.Error(s, err)
	}
	deps.Words = words.Texts{"zh": {"email.nothing": "x"}}
	if _, err := New(config("127.0.0.1:1", "u"), deps); err == nil {
		t.Error("an unknown text was taken")
	}
}

// Whatever stands in a reply, the mail has our headers and no others.
func TestNothingInjectsAHeader(t *testing.T) {
	w := newWorld(t)
	e := w.channel(config("127.0.0.1:1", "u"))
	rapid.Check(t, func(rt *rapid.T) {
		hostile := rapid.OneOf(rapid.String(), rapid.StringMatching(`[a\r\n :<>@=?é中\x00]{0,40}`), rapid.Just("x\r\nBcc: y@example.cn\r\n\r\nbody"))
		r := receipt(hostile.Draw(rt, "id"))
		r.Subject, r.InReplyTo, r.Language = hostile.Draw(rt, "subject"), hostile.Draw(rt, "irt"), hostile.Draw(rt, "language")
		r.References = []string{hostile.Draw(rt, "ref"), hostile.Draw(rt, "ref2") + "@x"}
		r.Kind, r.Text = complaint.ReplyUpdate, "x"+hostile.Draw(rt, "text")
		raw, err := e.compose(r, "zhang@example.cn")
		if err != nil {
			rt.Fatal(err)
		}
		l := parsed(w.t, w, raw)
		for _, name := range l.FieldNames() {
			switch name {
			case "Date", "From", "To", "Subject", "Message-Id", "In-Reply-To", "References", "X-Auto-Response-Suppress", "X-Loop", "Content-Language", "Content-Type", "Content-Transfer-Encoding", "Mime-Version":
			default:
				rt.Fatalf("header %s in\n%s", name, raw)
			}
		}
		if len(l.Notes) > 0 || !strings.Contains(l.Text, "2611 2300 4279") {
			rt.Fatalf("%q\n%s", l.Notes, raw)
		}
	})
}

func TestBareSubject(t *testing.T) {
	for in, want := range map[string]string{
		"Re: 回复：Fwd: AW: x": "x", "RE[2]: x [2611-2300-4279]": "x", "答复: 转发: 投诉": "投诉", "Antw: SV: Re(2): Odp: x": "x", "Return of goods": "Return of goods", "": "", "Re:": "",
	} {
		if got := bareSubject(in); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
}

func TestThePageIsTheText(t *testing.T) {
	w := newWorld(t)
	e := w.channel(config("127.0.0.1:1", "u"))
	r := receipt("u2")
	r.Kind, r.Language, r.Text = complaint.ReplyUpdate, "zh", "已退款 <script>alert(1)</script> & 谢谢。\n\n见 https://shop.example.com/o?id=1&x=2。\n第二行"
	text, err := e.text(r)
	must(t, err)
	page, err := e.page(r, text)
	must(t, err)
	for _, want := range []string{`lang="zh"`, "&lt;script&gt;", `<a href="https://shop.example.com/o?id=1&amp;x=2">`, "<br>\n第二行", "2611 2300 4279"} {
		if !strings.Contains(page, want) {
			t.Errorf("%s is not in %s", want, page)
		}
	}
	if strings.Contains(page, "<script>") {
		t.Error("a department's words are markup")
	}
	r.Language = `zh"><b>`
	if page, err = e.page(r, text); err != nil || strings.Contains(page, "<b>") {
		t.Errorf("%s, %v", page, err)
	}
}

// The same over protected connections, and with a token.
func TestSendProtected(t *testing.T) {
	p := newProvider(t, "support@example.com")
	for _, how := range []string{"implicit", "starttls"} {
		t.Run(how, func(t *testing.T) {
			s := smtpServer(t, how, func(token string) bool {
				p.mu.Lock()
				defer p.mu.Unlock()
				return p.good[token]
			})
			w := newWorld(t)
			cfg := config("127.0.0.1:1", "u")
			cfg.SMTP = SMTP{Addr: s.addr, TLS: how, CAFile: s.caFile, Username: "support@example.com"}
			cfg.OAuth = access.OAuth{TokenURL: p.URL + "/token", ClientID: "c", ClientSecret: secretOf("s")}
			e := w.channel(cfg)
			must(t, e.Send(within(t), receipt("r1")))
			p.revoke()
			if err := e.Send(within(t), receipt("r1")); err == nil || complaint.IsPermanent(err) {
				t.Fatalf("a token that is void: %v", err)
			}
			must(t, e.Send(within(t), receipt("r1"))) // with a new one
			if n := len(s.taken()); n != 2 {
				t.Errorf("%d mails", n)
			}
			cfg.SMTP.CAFile = ""
			if err := w.channel(cfg).Send(within(t), receipt("r1")); err == nil || !strings.Contains(err.Error(), "certificate") {
				t.Errorf("a server that nobody vouches for: %v", err)
			}
		})
	}
}
