package history

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// What a line begins.
type kind int

const (
	nothing kind = iota
	reply        // an older mail that is answered
	forward      // an older mail that is passed on
	marked       // an older mail whose every line is quoted, or gone
)

// maxLine is the longest line, in runes, that introduces an older mail.
const maxLine = 300

// begins tells what begins at line i, and how many lines introduce it.
func begins(lines []string, i int) (n int, k kind) {
	line := strings.TrimSpace(lines[i])
	if !mayBegin(line) && !mayGoOn(lines, i) || isQuote(line) || len(line) > maxLine && utf8.RuneCountInString(line) > maxLine {
		return 0, nothing
	}
	if k := separator(line, lines, i); k != nothing {
		n := 1
		for n < 3 && i+n < len(lines) && strings.TrimSpace(lines[i+n]) == "" {
			n++
		}
		return n + header(lines, i+n, 1), k
	}
	if n := attribution(lines, i); n > 0 {
		return n, reply
	}
	if n := header(lines, i, 2); n > 0 && hasSender(lines[i:i+n]) {
		return n, reply
	}
	return 0, nothing
}

// mayBegin tells quickly of most lines that they begin nothing: what begins an
// older mail has a colon, or is drawn.
func mayBegin(line string) bool {
	if line == "" {
		return false
	}
	switch c := line[0]; {
	case c == '-' || c == '_' || c == '=' || c == '*' || c == '#' || c == '|' || c == '<' || c == '+' || c == '~':
		return true
	case strings.HasPrefix(line, "—"), strings.HasPrefix(line, "–"):
		return true
	}
	return strings.IndexByte(line, ':') >= 0 || strings.Contains(line, "：") || strings.IndexByte(line, '\t') >= 0
}

// mayGoOn tells whether a line without a colon may be the first of several
// that end in one.
func mayGoOn(lines []string, i int) bool {
	if strings.TrimSpace(lines[i]) == "" {
		return false
	}
	for n := 1; n < 4 && i+n < len(lines); n++ {
		next := strings.TrimSpace(lines[i+n])
		if next == "" || isQuote(next) {
			return false
		}
		if endsInColon(next) {
			return true
		}
	}
	return false
}

// The words between the dashes of "-----Original Message-----" and its kin, in
// lower case.
var replyMarks = []string{
	"original message", "original mail", "original email", "original", "original appointment", "reply message", "replied message", "mensaje original", "message d'origine",
	"message d’origine", "message original", "ursprüngliche nachricht", "originalnachricht", "original-nachricht", "messaggio originale", "messaggio originario",
	"mensagem original", "oorspronkelijk bericht", "origineel bericht", "oprindelig meddelelse", "oprindelig besked", "ursprungligt meddelande", "originalmeddelande",
	"opprinnelig melding", "alkuperäinen viesti", "исходное сообщение", "оригинальное сообщение", "původní zpráva", "wiadomość oryginalna", "oryginalna wiadomość", "eredeti üzenet",
	"orijinal mesaj", "özgün ileti", "orijinal ileti", "원본 메시지", "원본 메일", "original von", "元のメッセージ", "元のメール", "thư gốc",
	"原始邮件", "原邮件", "回复的原邮件", "原始郵件", "回复邮件", "以下是引用的邮件", "邮件原件", "回覆的原郵件", "原始信件", "原郵件",
}

var forwardMarks = []string{
	"forwarded message", "forwarded mail", "forwarded email", "begin forwarded message", "forwarded letter", "forwarded by", "weitergeleitete nachricht", "anfang der weitergeleiteten nachricht",
	"message transféré", "message transmis", "début du message transféré", "début du message réexpédié", "mensaje reenviado", "inicio del mensaje reenviado", "messaggio inoltrato",
	"inizio messaggio inoltrato", "mensagem encaminhada", "início da mensagem encaminhada", "doorgestuurd bericht", "begin doorgestuurd bericht", "videresendt besked",
	"vidarebefordrat meddelande", "videresendt melding", "пересылаемое сообщение", "пересланное сообщение", "начало переадресованного сообщения", "przekazana wiadomość", "전달된 메시지",
	"転送されたメッセージ", "転送されたメール", "転送メッセージ", "転送", "转发的邮件", "转发邮件信息", "转发邮件", "轉寄的郵件", "转发的原邮件", "已转发邮件", "轉寄郵件", "开始转发邮件", "轉寄訊息",
	"以下是转发的邮件", "邮件转发信息",
}

// Lines below which programs put what was said before: customers are asked to
// write above them.
var aboveMarks = []string{
	"please type your reply above this line", "reply above this line", "please reply above this line", "write above this line", "to reply, write above this line",
	"please enter your reply above this line", "请在此线上方回复", "请在此行上方回复", "请在这条线上方回复", "bitte oberhalb dieser linie antworten", "bitte antworten sie oberhalb dieser linie",
	"répondre au-dessus de cette ligne", "responda por encima de esta línea", "この行より上に返信してください",
}

// separator tells a line that stands between two mails.
func separator(line string, lines []string, i int) kind {
	line = strings.ReplaceAll(line, "&nbsp;", " ") // QQ writes it into plain text too
	core := strings.Trim(line, "-_—–=*#~+<>[] :：|\u00a0")
	if core == "" {
		// Outlook draws underscores, others dashes: only with a header below.
		if isRule(line) && len(line) >= 10 && headerSoon(lines, i+1) {
			return reply
		}
		return nothing
	}
	if len(core) > maxMark {
		return nothing
	}
	low := strings.ToLower(strings.Join(strings.Fields(core), " "))
	drawn := utf8.RuneCountInString(line)-utf8.RuneCountInString(core) >= 4
	switch k := marks[low]; {
	case k == above:
		return reply
	case k == reply && drawn, k == forward && (drawn || strings.HasSuffix(line, ":") || strings.HasSuffix(line, "：")):
		return k
	case drawn && strings.HasPrefix(low, "forwarded by"):
		return forward
	case drawn && strings.HasSuffix(low, " wrote"): // Notes: "-----Li wrote: -----"
		return reply
	}
	return nothing
}

// maxMark is longer than any of the marks, in bytes.
const maxMark = 200

// above is what aboveMarks are, which need not be drawn.
const above kind = -1

// marks finds what a mark begins.
var marks = func() map[string]kind {
	m := map[string]kind{}
	for k, list := range map[kind][]string{reply: replyMarks, forward: forwardMarks, above: aboveMarks} {
		for _, s := range list {
			m[s] = k
		}
	}
	return m
}()

// headerSoon tells whether a header begins within the next two lines.
func headerSoon(lines []string, i int) bool {
	for end := min(i+2, len(lines)); i < end; i++ {
		if header(lines, i, 2) > 0 && hasSender(lines[i:min(i+6, len(lines))]) {
			return true
		}
	}
	return false
}

// Labels of the header that mail programs put above an older mail, in the
// languages of Outlook and the programs of China, Japan and Korea.
var labels = set(`from sent date to cc bcc subject reply-to importance attachments
	发件人 发送人 寄件者 寄件人 发件时间 发送时间 发送日期 傳送日期 寄件日期 寄件時間 日期 时间 時間 收件人 收件者 抄送 抄送人 副本 密送 主题 主旨 主題 附件 答复
	von gesendet datum an betreff kopie
	de envoyé à objet date cc envoyé_le pour
	enviado enviado_el fecha para asunto cc
	da inviato a oggetto data per
	enviada enviada_em para assunto
	van verzonden verzonden_op aan onderwerp
	fra sendt til emne dato
	från skickat till ämne
	lähettäjä lähetetty vastaanottaja aihe päivämäärä
	от отправлено дата кому тема копия от_кого
	od wysłano do temat odesláno komu předmět
	feladó elküldve címzett tárgy kimden gönderildi tarih kime konu
	差出人 送信日時 送信日 日時 宛先 件名
	보낸_사람 보낸사람 보낸_날짜 보낸날짜 받는_사람 받는사람 제목 참조 날짜`)

func set(words string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(words) {
		m[strings.ReplaceAll(w, "_", " ")] = true
	}
	return m
}

// header returns how many lines from i are a header block of at least so many
// labels; 0 where none is. Values may go on in lines of their own, and be
// empty.
func header(lines []string, i, least int) int {
	last, found := 0, 0
	for n := 0; i+n < len(lines) && n < 20; n++ {
		line := strings.TrimSpace(lines[i+n])
		if isLabel(line) {
			found++
			last = n + 1
			continue
		}
		// Recipients run over, one line or two; an empty line may stand between
		// label lines made of a table.
		if n == 0 || found == 0 || n-last >= 2 {
			break
		}
	}
	if found < least {
		return 0
	}
	return last
}

// senders are the labels that only such a header has: "Date:" and "Subject:"
// people write themselves.
var senders = set("from 发件人 发送人 寄件者 寄件人 von de da van fra från lähettäjä от od feladó kimden 差出人 보낸_사람 보낸사람 expéditeur remitente mittente")

func hasSender(lines []string) bool {
	for _, line := range lines {
		if senders[label(line)] {
			return true
		}
	}
	return false
}

// isLabel tells a line like "From: ...", "*Von:* ..." or "| 发件人 | 张三 |".
func isLabel(line string) bool { return label(line) != "" }

// label is the known label that a line begins with; "" where it has none.
func label(line string) string {
	line = strings.TrimSpace(line)
	l := strings.ToLower(strings.TrimLeft(line, " *_•·-|"))
	if strings.HasPrefix(line, "|") {
		cell, _, _ := strings.Cut(l, "|")
		return known(cell)
	}
	end := strings.IndexAny(l, ":：\t")
	if end < 0 || end > 40 {
		return ""
	}
	return known(l[:end])
}

func known(s string) string {
	s = strings.Trim(s, " *_\u3000\u00a0")
	if labels[s] || senders[s] {
		return s
	}
	if s = strings.Join(strings.Fields(s), ""); labels[s] || senders[s] {
		return s // "发 件 人"
	}
	return ""
}

// Verbs of the line above an older mail, in lower case.
var verbs = []string{
	"wrote", "writes", "schrieb", "hat geschrieben", "a écrit", "escribió", "ha scritto", "escreveu", "schreef", "napisał", "skrev", "kirjoitti", "писал", "написал", "пишет", "пише",
	"写道", "寫道", "写到", "书写道", "来信", "写信", "書きました", "のメール", "からのメール", "書いた", "님이 작성", "작성:", "đã viết", "yazdı", "a scris", "napsal", "írta", "έγραψε", "כתב", "كتب", "ส่งข้อความ",
}

// Words that such a line begins with where it runs over several lines.
var starts = []string{"on ", "at ", "am ", "le ", "el ", "il ", "em ", "op ", "den ", "w dniu", "dnia", "在", "於", "于", "2", "1", "3", "0", "\"", "<", "vào", "da:", "tarihinde"}

var (
	address = regexp.MustCompile(`[^\s<>"'@]{1,64}@[^\s<>"'@]{1,255}`)
	clock   = regexp.MustCompile(`\d{1,2}\s?[:.h点時时：]\s?\d{2}`)
	year    = regexp.MustCompile(`\b(19|20)\d\d\b|(19|20)\d\d[年/.-]|\d{1,2}[./]\d{1,2}[./]\d{2}`)
)

// attribution returns how many lines from i are "On 3 May 2026 at 10:00, Li
// wrote:" or its kin; 0 where they are not. A full date or an address must be
// in it: people do write "she wrote:" in a complaint.
func attribution(lines []string, i int) int {
	joined := strings.TrimSpace(lines[i])
	for n := 1; ; n++ {
		if utf8.RuneCountInString(joined) > maxLine {
			return 0
		}
		if endsInColon(joined) {
			if isAttribution(joined) {
				return n
			}
			return 0
		}
		if n == 4 || i+n == len(lines) || n == 1 && !startsAttribution(joined) {
			return 0
		}
		next := strings.TrimSpace(lines[i+n])
		if next == "" || isQuote(next) {
			return 0
		}
		joined += " " + next
	}
}

// endsInColon tells whether a line ends as such a line does, blanks and stars
// of bold type aside.
func endsInColon(line string) bool {
	line = strings.TrimRight(line, " \u00a0*_")
	return strings.HasSuffix(line, ":") || strings.HasSuffix(line, "：")
}

func startsAttribution(line string) bool {
	l := strings.ToLower(line)
	for _, s := range starts {
		if strings.HasPrefix(l, s) {
			return true
		}
	}
	return strings.Contains(l, "@")
}

func isAttribution(line string) bool {
	l := strings.ToLower(line)
	bare := strings.TrimRight(l, " \u00a0*_:：")
	mail, when := address.MatchString(l), clock.MatchString(l) && (year.MatchString(l) || strings.ContainsAny(l, ",，"))
	if !mail && !when && !year.MatchString(l) {
		return false
	}
	for _, v := range verbs {
		v = strings.TrimSuffix(v, ":")
		at := strings.LastIndex(bare, v)
		if at < 0 {
			continue
		}
		rest := strings.TrimSpace(bare[at+len(v):])
		// The verb ends the line, or a name or a date follows it.
		if rest == "" || mail || when {
			return true
		}
	}
	// "2026年11月23日(月) 10:00 山田 <y@example.org>:"
	return mail && clock.MatchString(l) && year.MatchString(l) && strings.HasSuffix(strings.TrimRight(bare, " "), ">")
}
