package email

import (
	"errors"
	"strings"
	"testing"

	"hearken/channels/email/mailbox"
	"hearken/complaint"
)

// bounces are what servers of the world say when they can't deliver; {id} is
// the Message-ID of our mail.
var bounces = map[string]struct {
	mail   string
	reason string // a part of it; "" where nothing is to be booked
}{
	"postfix": {"Return-Path: <>\nFrom: MAILER-DAEMON@mx.example.org (Mail Delivery System)\nSubject: Undelivered Mail Returned to Sender\nAuto-Submitted: auto-replied\nContent-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\n\n" +
		"--b\nContent-Type: text/plain\n\nI'm sorry to have to inform you\n\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example.org\n\nFinal-Recipient: rfc822; zhang@example.cn\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 <zhang@example.cn>: Recipient address rejected: User unknown\n\n" +
		"--b\nContent-Type: message/rfc822\n\nMessage-ID: <{id}>\nSubject: Re: x\n\ntext\n--b--\n", "550 5.1.1 (recipient): Recipient address rejected: User unknown"},
	"headers only": {"From: postmaster@example.org\nSubject: Delivery Status Notification (Failure)\nContent-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\n\n" +
		"--b\n\ntext\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\nAction: failed\nStatus: 5.7.1\n\n--b\nContent-Type: text/rfc822-headers\n\nSubject: Re: x\nMessage-ID: <{id}>\n\n--b--\n", "5.7.1"},
	"exchange": {"From: MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@example.org\nSubject: Undeliverable: Re: x\nIn-Reply-To: <{id}>\nContent-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\n\n" +
		"--b\nContent-Type: text/html\n\n<p>The email address wasn't found</p>\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns;x\n\nFinal-recipient: RFC822;\n zhang@example.cn\nAction: failed\nStatus: 5.1.10\nDiagnostic-Code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; not found by SMTP address lookup\n\n--b--\n", "RecipientNotFound"},
	"gmail": {"Return-Path: <>\nFrom: Mail Delivery Subsystem <mailer-daemon@googlemail.com>\nX-Failed-Recipients: zhang@example.cn\nSubject: Delivery Status Notification (Failure)\nReferences: <{id}>\nIn-Reply-To: <{id}>\n\n" +
		"** Address not found **\n\nThe response was:\n550 5.1.1 The email account that you tried to reach does not exist.\n", "5.1.1"},
	"exim":                             {"From: Mail Delivery System <Mailer-Daemon@example.org>\nX-Failed-Recipients: zhang@example.cn\nAuto-Submitted: auto-replied\nSubject: Mail delivery failed: returning message to sender\n\nThe following address failed:\n\n  zhang@example.cn\n    550 no such user\n\n------ This is a copy of the message, including all the headers. ------\n\nFrom: support@example.com\nMessage-Id: <{id}>\n", "550"},
	"qmail":                            {"Return-Path: <>\nFrom: MAILER-DAEMON@example.org\nSubject: failure notice\n\nHi. This is the qmail-send program.\n<zhang@example.cn>:\nSorry, no mailbox here by that name. (#5.1.1)\n\n--- Below this line is a copy of the message.\n\nMessage-ID: <{id}>\n", "5.1.1"},
	"qq":                               {"From: PostMaster@qq.example.cn\nSubject: =?utf-8?B?5p2l6IeqcXEuY29t55qE6YCA5L+h?=\n\n抱歉，您的邮件被退回来了。\n原邮件信息：<{id}>\n退信原因：收件人邮件地址不存在，550 Mailbox not found\n", "550"},
	"netease, no id in sight":          {"From: Postmaster@163.example.cn\nSubject: =?utf-8?B?57O757uf6YCA5L+hL1N5c3RlbXMgYm91bmNl?=\n\n抱歉，您的邮件未能送达\n", ""},
	"null path and our thread":         {"Return-Path: <>\nFrom: systems@example.org\nSubject: Your message could not be delivered\nIn-Reply-To: <{id}>\n\nNo such person.\n", "the reason is in the bounce"},
	"spam report":                      {"From: feedback@isp.example.org\nSubject: FW: x\nContent-Type: multipart/report; report-type=feedback-report; boundary=\"b\"\n\n--b\n\nThis is an email abuse report\n--b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\nVersion: 1\n\n--b\nContent-Type: message/rfc822\n\nMessage-ID: <{id}>\n\nx\n--b--\n", "unwanted"},
	"only late":                        {"From: MAILER-DAEMON@example.org\nSubject: Delayed Mail (still being retried)\nContent-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\n\n--b\n\nx\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\nAction: delayed\nStatus: 4.4.1\n\n--b\nContent-Type: text/rfc822-headers\n\nMessage-ID: <{id}>\n\n--b--\n", ""},
	"a returned mail in a mixed one":   {"From: postmaster@example.org\nSubject: Undeliverable mail\nContent-Type: multipart/mixed; boundary=\"b\"\n\n--b\n\nNo such user: 550 5.1.1\n--b\nContent-Type: message/rfc822; name=original.eml\nContent-Disposition: attachment\n\nMessage-ID: <{id}>\nSubject: Re: x\n\ntext\n--b--\n", "5.1.1"},
	"a report's parts in a mixed mail": {"From: postmaster@example.org\nSubject: Undeliverable mail\nContent-Type: multipart/mixed; boundary=\"b\"\n\n--b\n\nSorry\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\nAction: failed\nStatus: 5.2.2\n\n--b\nContent-Type: text/rfc822-headers\n\nMessage-ID: <{id}>\n\n--b--\n", "5.2.2"},
	"addresses beyond ASCII":           {"From: MAILER-DAEMON@example.org\nSubject: Undelivered\nContent-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\n\n--b\n\nx\n--b\n" + "Content-Type: message/global-delivery-status\n\nReporting-MTA: dns; mx\n\nFinal-Recipient: utf-8; zhang@example.cn\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 unknown\n\n--b\nContent-Type: message/global-headers\n\nMessage-ID: <{id}>\n\n--b--\n", "550 5.1.1 unknown"},
	"lines that are no fields":         {"From: MAILER-DAEMON@example.org\nSubject: Undelivered\nContent-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\n\n--b\n\nx\n--b\n" + "Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx\nmore of it\n\nAction: failed (bad mailbox)\nStatus: 5.1.1 (bad mailbox)\n\n--b\nContent-Type: text/rfc822-headers\n\nmore\nStatus: RO\nMessage-ID: <{id}>\n\n--b--\n", "returned: 5.1.1"},
	"one of two recipients":            {"From: MAILER-DAEMON@example.org\nSubject: Undelivered\nContent-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\n\n--b\n\nx\n--b\n" + "Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx\n\nAction: delivered\nStatus: 2.0.0\n\nAction: failed\nStatus: 5.1.1\n\n--b\nContent-Type: text/rfc822-headers\n\nMessage-ID: <{id}>\n\n--b--\n", "returned: 5.1.1"},
	"not spam after all":               {"From: feedback@isp.example.org\nContent-Type: multipart/report; report-type=feedback-report; boundary=\"b\"\n\n--b\n\nx\n--b\nContent-Type: message/feedback-report\n\nFeedback-Type: not-spam\n\n--b\nContent-Type: text/rfc822-headers\n\nMessage-ID: <{id}>\n\n--b--\n", ""},
	"a report of DMARC":                {"From: dmarc@isp.example.org\nContent-Type: multipart/report; report-type=feedback-report; boundary=\"b\"\n\n--b\n\nx\n--b\nContent-Type: message/feedback-report\n\nFeedback-Type: auth-failure\n\n--b\nContent-Type: text/rfc822-headers\n\nMessage-ID: <{id}>\n\n--b--\n", ""},
	"a forgery":                        {"From: MAILER-DAEMON@example.org\nSubject: failure notice\n\nMessage-ID: <h.261123004279.0123456789abcdef.0123456789abcdef0123@example.com>\n", ""},
}

func TestBouncesAreBookedOnTheirComplaint(t *testing.T) {
	for name, c := range bounces {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			e := w.channel(config("127.0.0.1:1", "u"))
			id := e.ids.id(complaint.Reply{ID: "r", Number: number})
			text := strings.ReplaceAll(strings.ReplaceAll(c.mail, "{id}", id), "\n", "\r\n")
			r := reader{Email: e, box: &mailbox.Box{}, trouble: &trouble{}}
			if err := r.handle(t.Context(), mailbox.Mail{UID: 1}, raw{bytes: []byte(text)}); err != nil {
				t.Fatal(err)
			}
			if len(w.intake.taken) != 0 {
				t.Errorf("it was registered: %+v", w.intake.taken)
			}
			events := w.booked.all()
			if c.reason == "" {
				if len(events) != 0 {
					t.Errorf("booked: %v", events)
				}
				return
			}
			if len(events) != 1 || events[0]["number"] != number || events[0]["event"] != "delivery_failed" || !strings.Contains(events[0]["reason"], c.reason) {
				t.Fatalf("%v", events)
			}
			if strings.Contains(events[0]["reason"], "zhang@") {
				t.Error("the customer's address is told")
			}
		})
	}
}

// While the complaint can't be reached the bounce stays in the mailbox.
func TestABounceWaitsForRedis(t *testing.T) {
	w := newWorld(t)
	e := w.channel(config("127.0.0.1:1", "u"))
	w.booked.fail = errors.New("away")
	id := e.ids.id(complaint.Reply{ID: "r", Number: number})
	r := reader{Email: e, box: &mailbox.Box{}, trouble: &trouble{}}
	bounce := raw{bytes: []byte("From: MAILER-DAEMON@example.org\r\nSubject: failure notice\r\nIn-Reply-To: <" + id + ">\r\n\r\nx\r\n")}
	if err := r.handle(t.Context(), mailbox.Mail{UID: 1}, bounce); !errors.Is(err, errRefused) {
		t.Errorf("%v", err)
	}
	w.booked.fail = complaint.ErrUnknown
	if err := r.handle(t.Context(), mailbox.Mail{UID: 1}, bounce); err != nil {
		t.Errorf("%v", err)
	}
}
