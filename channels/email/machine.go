package email

import (
	"regexp"
	"slices"
	"strings"

	"hearken/channels/email/letter"
)

// verdict is what a mail's header tells about who or what wrote it.
type verdict struct {
	automated bool
	why       string // of automated: a few words for the record
	file      string // keep it, but register nothing: the reason
	failure   bool   // it says that a mail of ours did not arrive
}

var (
	awaySubject   = regexp.MustCompile(`(?i)^\s*(` + strings.Join(awayWords, "|") + `)`)
	bounceSubject = regexp.MustCompile(`(?i)(undeliver|delivery (status|failure|has failed)|returned mail|failure notice|mail delivery failed|delivery.*(delayed|failed|failure)|non[- ]?(delivery|remis)|unzustellbar|nicht zugestellt|échec|no entregado|no se pudo entregar|mancata consegna|message blocked|couldn't be delivered|could not be delivered|rejected|配信不能|退信|投递失败|投遞失敗|无法投递|无法送达|未送达|发送失败|被退回|退回|寄件失败|系统退信)`)
	robotLocal    = regexp.MustCompile(`(?i)^(mailer-daemon|postmaster|no-?_?reply|do-?_?not-?_?reply|donotreply|owner-.*|.*-request|.*-bounces?|bounces?([+-].*)?|root|cron|daemon)$`)
	bounceLocal   = regexp.MustCompile(`(?i)^(mailer-daemon|postmaster|mail-daemon|mdaemon|maildaemon|bounce|microsoftexchange[0-9a-f]{32})$`)
)

// awayWords begin the subjects of automatic answers, as the mail programs of the
// world write them. Where a word is one of everyday life too, what follows it
// decides.
var awayWords = []string{
	`auto[- ]?(reply|response|reponse|answer|responder)`, `automatic (reply|response|answer)`, `(i am |i'm )?out of( the)? office`, `(i am |i'm )?on vacation`,
	`vacation (reply|response|message|notice)`, `abwesen(d|heit)`, `auto(matische)?[- ]?antwort`, `réponse (auto|d'absence)`, `absen(ce|te?) du bureau`,
	`r[eé]spuesta autom`, `fuera de( la)? oficina`, `respostas? autom`, `(fora do|ausente do) escritório`, `risposta autom`, `fuori (sede|ufficio)`,
	`automatisch (antwoord|bericht)`, `afwezig`, `autosvar`, `automatiskt? svar`, `frånvaro`, `fravær`, `automaattinen vastaus`, `poissaoloviesti`,
	`autoodpowied`, `automatyczna odpowied`, `odpowiedź automatyczna`, `automatick[áa] odpov`, `automatikus válasz`, `răspuns automat`, `автоответ`, `автоматическ(ий|ое) ответ`,
	`автоматична відповідь`, `otomatik (yanıt|cevap)`, `αυτόματη απάντηση`, `trả lời tự động`, `balasan otomatis`, `ตอบกลับอัตโนมัติ`, `رد تلقائي`, `תשובה אוטומטית`,
	`自动(回复|答复|应答)`, `自動(回覆|回復|答覆|返信|応答)`, `我?(正在|在)?(休假|外出|出差)(中|通知|のお知らせ|\s*$)`, `不在(の|通知|办公室|辦公室|\s*$)`, `자동 ?(회신|응답|답장)`, `부재중`,
}

// judge decides by RFC 3834 and the habits of the field whether a machine
// wrote a mail. Such mail is never answered, so that no two machines ever talk
// to each other; what is only an echo of our own mail is filed.
func (e *Email) judge(l *letter.Letter) verdict {
	if e.ids.ours(l.MessageID) || e.ownSender(l) && strings.Contains(strings.ToLower(l.Get(loopHeader)), strings.ToLower(e.cfg.Address)) {
		return verdict{automated: true, file: "our own mail came back"}
	}
	local := ""
	if len(l.From) > 0 {
		local, _, _ = strings.Cut(l.From[0].Addr, "@")
	}
	if l.Report != nil {
		return report(l.Report)
	}
	if e.bounce(l, local) {
		return verdict{automated: true, file: "delivery report", failure: !delaySubject.MatchString(l.Subject)}
	}
	if e.form(l) != nil {
		return verdict{} // a machine wrote it down, a customer said it
	}
	why := e.machine(l, local)
	if why == "" {
		return verdict{}
	}
	v := verdict{automated: true, why: why}
	switch {
	case e.away(l) && e.answersUs(l):
		v.file = "automatic reply to our mail"
	case e.cfg.Automated == automatedFile:
		v.file = "machine mail: " + why
	}
	return v
}

// report judges a multipart/report (RFC 6522). Only a failure tells something
// of a complaint: a mail that is late arrives yet.
func report(rep *letter.Report) verdict {
	v := verdict{automated: true, file: "delivery report"}
	switch rep.Type {
	case "feedback-report":
		// Others are no complaints of a recipient (RFC 6430, 6591).
		v.file, v.failure = "feedback report", rep.Action != "not-spam" && rep.Action != "auth-failure"
	case "disposition-notification":
		v.file = "read receipt"
	default:
		v.failure = rep.Action == "failed" || rep.Action == ""
	}
	return v
}

var delaySubject = regexp.MustCompile(`(?i)(delayed|delay notification|warning: (could not send|message)|延迟|verzögert|retardé)`)

// bounce tells whether a mail is one of the free-form bounces that providers
// write beside those of RFC 3464.
func (e *Email) bounce(l *letter.Letter, local string) bool {
	daemon := bounceLocal.MatchString(local)
	switch {
	case daemon && bounceSubject.MatchString(l.Subject), l.Has("X-Failed-Recipients"):
		return true
	case daemon || nullPath(l) && bounceSubject.MatchString(l.Subject):
		number, _ := e.returned(l)
		return number != ""
	}
	return false
}

func nullPath(l *letter.Letter) bool {
	rp := strings.Join(strings.Fields(l.Get("Return-Path")), "")
	return l.Has("Return-Path") && (rp == "" || rp == "<>")
}

// machine names the first sign of a machine; "" where there is none.
func (e *Email) machine(l *letter.Letter, local string) string {
	if s := word(l.Get("Auto-Submitted")); s != "" && s != "no" {
		return "auto-submitted" // RFC 3834 section 5
	}
	if nullPath(l) {
		return "null return path"
	}
	for _, name := range []string{"Precedence", "X-Precedence"} {
		switch word(l.Get(name)) {
		case "bulk", "list", "junk", "auto_reply", "auto-reply":
			return "precedence"
		}
	}
	for _, s := range strings.FieldsFunc(strings.ToLower(l.Get("X-Auto-Response-Suppress")), func(r rune) bool { return r == ',' || r == ' ' || r == ';' }) {
		if s == "all" || s == "dr" || s == "autoreply" || s == "oof" {
			return "x-auto-response-suppress"
		}
	}
	for _, name := range l.FieldNames() {
		switch {
		case strings.HasPrefix(name, "List-"):
			return "mailing list"
		case machineFields[name], answeringFields[name]:
			return strings.ToLower(name)
		}
	}
	switch {
	case robotLocal.MatchString(local):
		return "sender is a robot"
	case e.ownSender(l):
		return "sender is this mailbox"
	case awaySubject.MatchString(l.Subject):
		return "automatic reply"
	}
	return ""
}

// Fields that only machines write: of an answer, and of any mail.
var (
	answeringFields = map[string]bool{"X-Autoreply": true, "X-Auto-Reply": true, "X-Autoreply-From": true, "X-Mail-Autoreply": true, "X-Autorespond": true, "X-Autoresponder": true}
	machineFields   = map[string]bool{"Feedback-Id": true, "X-Autogenerated": true, "X-Loop": true, "X-Fc-Machinegenerated": true, "X-Ms-Exchange-Generated-Message-Source": true, "X-Cron-Env": true}
)

// away tells whether a mail is an automatic answer to one that its sender got.
func (e *Email) away(l *letter.Letter) bool {
	precedence := word(l.Get("Precedence"))
	return word(l.Get("Auto-Submitted")) == "auto-replied" || awaySubject.MatchString(l.Subject) || precedence == "auto_reply" || precedence == "auto-reply" ||
		slices.ContainsFunc(l.FieldNames(), func(name string) bool { return answeringFields[name] })
}

// answersUs tells whether a mail answers one of ours.
func (e *Email) answersUs(l *letter.Letter) bool {
	for _, ids := range [][]string{l.InReplyTo, l.References} {
		for _, id := range ids {
			if e.ids.ours(id) {
				return true
			}
		}
	}
	return subjectTag.MatchString(l.Subject)
}

func (e *Email) ownSender(l *letter.Letter) bool {
	return len(l.From) > 0 && strings.EqualFold(l.From[0].Addr, e.cfg.Address)
}

// word is a field's value without parameters and comments, in lower case.
func word(s string) string {
	if i := strings.IndexAny(s, ";( \t"); i >= 0 && strings.TrimSpace(s[:i]) != "" {
		s = s[:i]
	}
	return strings.ToLower(strings.TrimSpace(s))
}
