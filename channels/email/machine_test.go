package email

import (
	"strings"
	"testing"

	"hearken/channels/email/mailbox"
	"hearken/complaint"
	"hearken/internal/secret"
)

func TestJudge(t *testing.T) {
	w := newWorld(t)
	e := w.channel(config("127.0.0.1:1", "u"))
	ours := e.ids.id(complaint.Reply{ID: "r", Number: number})
	for _, c := range []struct {
		name, head      string
		automated, file bool
	}{
		{"a person", "From: a@example.cn\nSubject: x\nPrecedence: normal\nAuto-Submitted: no\nX-Auto-Response-Suppress: None", false, false},
		{"auto-generated", "From: a@example.cn\nAuto-Submitted: auto-generated; x=y", true, false},
		{"auto-replied with a comment", "From: a@example.cn\nAuto-Submitted: auto-replied (vacation)", true, false},
		{"null return path", "Return-Path: <>\nFrom: a@example.cn", true, false},
		{"return path", "Return-Path: <a@example.cn>\nFrom: a@example.cn", false, false},
		{"list", "From: a@example.cn\nList-Id: <l.example.cn>", true, false},
		{"bulk", "From: a@example.cn\nPrecedence: Bulk", true, false},
		{"suppress", "From: a@example.cn\nX-Auto-Response-Suppress: DR, OOF, AutoReply", true, false},
		{"feedback id", "From: a@example.cn\nFeedback-ID: x", true, false},
		{"robot", "From: no-reply@example.cn", true, false},
		{"other people's loop header", "From: a@example.cn\nX-Loop: b@example.cn", true, false},
		{"another autoresponder", "From: a@example.cn\nX-Auto-Reply: yes", true, false},
		{"a rule of Exchange", "From: a@example.cn\nX-MS-Exchange-Generated-Message-Source: Mailbox Rules Agent", true, false},
		{"null return path with a blank", "From: a@example.cn\nReturn-Path: < >", true, false},
		{"chinese away", "From: a@example.cn\nSubject: 自动回复: 您的投诉", true, false},
		{"away about our mail", "From: a@example.cn\nSubject: 自动回复: x\nIn-Reply-To: <" + ours + ">", true, true},
		{"away about our number", "From: a@example.cn\nSubject: Automatic reply: x [2611-2300-4279]", true, true},
		{"a person about our mail", "From: a@example.cn\nSubject: Re: x\nIn-Reply-To: <" + ours + ">", false, false},
		{"our own mail", "From: support@example.com\nX-Loop: support@example.com", true, true},
		{"our own Message-ID", "From: b@example.cn\nMessage-ID: <" + ours + ">", true, true},
		{"from our address without our header", "From: support@example.com\nSubject: contact form", true, false},
		{"delivery report", "From: MAILER-DAEMON@example.cn\nContent-Type: multipart/report; report-type=delivery-status; boundary=b", true, true},
		{"free-form bounce", "From: postmaster@example.cn\nSubject: 系统退信", true, true},
		{"complaint about a bounce", "From: a@example.cn\nSubject: Undelivered Mail Returned to Sender: what is this?", false, false},
		{"feedback report", "From: a@example.cn\nContent-Type: multipart/report; report-type=feedback-report; boundary=b", true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := e.judge(parsed(t, w, []byte(c.head+"\n\ntext\n")))
			if v.automated != c.automated || (v.file != "") != c.file {
				t.Errorf("%+v", v)
			}
		})
	}
}

func TestAutomaticAnswersInTheWorldsLanguages(t *testing.T) {
	w := newWorld(t)
	e := w.channel(config("127.0.0.1:1", "u"))
	for automated, subjects := range map[bool][]string{
		true: {"Automatische Antwort: x", "Abwesenheitsnotiz: x", "Réponse automatique : x", "Absence du bureau : x", "Respuesta automática: x", "Fuera de la oficina: x", "Resposta automática: x",
			"Risposta automatica: x", "Fuori ufficio: x", "Automatisch antwoord: x", "Afwezig: x", "Autosvar: x", "Automatiskt svar: x", "Automatisk svar: x", "Automaattinen vastaus: x", "Autoodpowiedź: x",
			"Odpowiedź automatyczna: x", "Automatická odpověď: x", "Automatikus válasz: x", "Răspuns automat: x", "Автоответ: x", "Автоматический ответ: x", "Автоматична відповідь: x", "Otomatik yanıt: x",
			"Αυτόματη απάντηση: x", "自動応答: x", "自動返信: x", "自动回复：x", "自動回覆: x", "自动答复: x", "자동 회신: x", "부재중: x", "Trả lời tự động: x", "ตอบกลับอัตโนมัติ: x", "Balasan Otomatis: x", "رد تلقائي: x",
			"תשובה אוטומטית: x", "Auto Reply: x", "Automatic response: x", "Out of Office AutoReply: x", "I am out of office", "On vacation", "休假通知", "我在休假", "不在のお知らせ", "外出中"},
		false: {"Vacation rental complaint", "外出时家中被盗", "休假期间被扣钱", "不在配送范围内", "Automatic payment was charged twice", "Re: Automatic reply: x", "Autotransport Schaden", "Out of order coffee machine"},
	} {
		for _, s := range subjects {
			if v := e.judge(parsed(t, w, []byte("From: a@example.cn\nSubject: "+s+"\n\ntext\n"))); v.automated != automated {
				t.Errorf("%q: %+v", s, v)
			}
		}
	}
}

func TestMachineMailMayBeFiled(t *testing.T) {
	w := newWorld(t)
	cfg := config("127.0.0.1:1", "u")
	cfg.Automated = "file"
	e := w.channel(cfg)
	for head, file := range map[string]bool{"From: news@example.cn\nList-Id: <n.example.cn>": true, "From: noreply@example.cn": true, "From: ann@example.cn": false} {
		if v := e.judge(parsed(t, w, []byte(head+"\n\ntext\n"))); (v.file != "") != file || v.failure {
			t.Errorf("%q: %+v", head, v)
		}
	}
}

func TestFiledMailIsPutAwayAndNotRegistered(t *testing.T) {
	w, s, e := post(t)
	w.run(e)
	must(t, s.Deliver("support@example.com", []byte("Message-ID: <b1@example.cn>\r\nFrom: MAILER-DAEMON@example.cn\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\r\nfailed\r\n--b--\r\n")))
	must(t, s.Deliver("support@example.com", mailOf(1)))
	got := w.intake.await(t, count(1))
	if len(got) != 1 || got[0].Subject != "order 1" {
		t.Errorf("%d contacts", len(got))
	}
}

// Two gateways that are each other's customer stop after one answer.
func TestTwoGatewaysDoNotTalkForEver(t *testing.T) {
	a, b := newWorld(t), newWorld(t)
	keys, err := secret.LoadKeys(secret.New("the secret of another gateway"), "")
	must(t, err)
	b.keys = keys
	one := a.channel(config("127.0.0.1:1", "u"))
	cfg := config("127.0.0.1:1", "u")
	cfg.Address, cfg.PlusAddresses = "care@example.org", true
	two := b.channel(cfg)
	hear := func(w *world, e *Email, mail []byte) (complaint.Contact, bool) {
		r := reader{Email: e, box: &mailbox.Box{}, trouble: &trouble{}}
		n := len(w.intake.taken)
		must(t, r.handle(t.Context(), mailbox.Mail{UID: 1}, raw0(mail)))
		if len(w.intake.taken) == n {
			return complaint.Contact{}, false
		}
		return w.intake.taken[n], true
	}
	// A receipt from the one is registered by the other, and not answered.
	r := receipt("r1")
	raw, err := one.compose(r, "care@example.org")
	must(t, err)
	if c, registered := hear(b, two, raw); registered {
		t.Errorf("a receipt: %+v", c)
	}
	// What a department says is a person's words, and bears the wish that no
	// machine answers them.
	r.ID, r.Kind, r.Text = "u1", complaint.ReplyUpdate, "we are looking into it"
	raw, err = one.compose(r, "care@example.org")
	must(t, err)
	c, registered := hear(b, two, raw)
	if !registered || c.WantsReceipt {
		t.Errorf("an answer: %v %+v", registered, c)
	}
	// Should the other side answer all the same, that answer is filed.
	back := receipt("r2")
	back.InReplyTo, back.References = c.Ref, append(c.References, c.Ref)
	raw, err = two.compose(back, "support@example.com")
	must(t, err)
	if !strings.Contains(string(raw), "Reply-To: <"+two.ids.replyTo(number)+">") {
		t.Errorf("no reply address: %s", raw)
	}
	if c, registered = hear(a, one, raw); registered {
		t.Errorf("a receipt for our answer: %+v", c)
	}
}

func raw0(b []byte) raw { return raw{bytes: b} }
