package history

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Beginnings of the lines that phones and programs put under a mail, in lower
// case.
var footers = []string{
	"sent from my ", "sent from mail for", "sent from outlook", "sent from yahoo", "sent from aol", "sent from gmail", "sent from samsung", "sent from my", "sent via ", "sent with ", "sent using ", "sent by ",
	"get outlook for", "sent on the go", "this message was sent from my", "cheers from my iphone", "发自我的", "发自 ", "从我的", "來自我的", "来自我的", "从手机发送", "发送自", "由网易邮箱", "发自网易", "来自网易邮箱", "签名由网易邮箱",
	"签名由 网易邮箱", "网易邮箱大师", "发自qq邮箱", "来自qq邮箱", "获取outlook", "获取 outlook", "下载 outlook", "發自我的", "從我的", "傳自我的", "获取适用于", "来自飞书", "来自钉钉", "发自钉钉", "发自飞书",
	"von meinem ", "gesendet mit ", "gesendet von ", "diese nachricht wurde von meinem", "diese nachricht wurde mit", "envoyé de mon ", "envoyé depuis ", "envoyé à partir de", "télécharger outlook", "obtenez outlook",
	"enviado desde ", "enviado de ", "enviado do meu", "obtener outlook", "inviato da", "verzonden vanaf", "verstuurd vanaf", "отправлено с", "отправлено из", "wysłano z", "wysłane z", "sendt fra min", "skickat från min", "lähetetty ",
	"iphoneから送信", "ipadから送信", "androidから送信", "私のiphoneから送信", "yahoo!メール", "나의 iphone에서 보냄", "내 iphone에서 보냄", "iphone에서 보냄", "从 windows 版", "从 iphone", "发送自 windows",
}

// Beginnings of the paragraph that lawyers put under a mail, in lower case.
var disclaimers = []string{
	"this e-mail and any", "this email and any", "this message and any", "this e-mail and its", "this email and its", "this e-mail, including", "this email, including", "this message contains confidential",
	"this email is confidential", "this e-mail is confidential", "this e-mail is intended", "this email is intended", "this message is intended", "this message is confidential", "this electronic message",
	"this transmission", "this communication is intended", "this communication contains", "the information contained in this", "the information in this email", "the information in this e-mail", "the content of this email is confidential",
	"the contents of this e-mail", "the contents of this email", "confidentiality notice", "confidentiality:", "privileged and confidential", "disclaimer:", "important notice:", "notice:this", "notice: this",
	"if you are not the intended recipient", "if you have received this", "please consider the environment", "think before you print", "p please consider", "this e-mail may contain", "this email may contain",
	"this email has been scanned", "this e-mail has been scanned", "virus-free", "avast logo", "diese e-mail wurde von avast", "本邮件及其附件", "本邮件及附件", "本邮件含有", "本邮件包含", "保密声明", "免责声明", "保密提示", "此电子邮件", "本电子邮件", "本电邮",
	"此邮件及", "本信息", "重要提示：本邮件", "本郵件", "此郵件", "免責聲明", "diese e-mail enthält", "diese e-mail und", "diese nachricht ist vertraulich", "der inhalt dieser e-mail", "ce message et", "ce courriel", "cet e-mail",
	"avis de confidentialité", "este mensaje", "este correo", "aviso legal", "la información contenida", "questo messaggio", "le informazioni contenute", "esta mensagem", "dit bericht", "de informatie verzonden",
	"この電子メール", "このメール", "本メール", "이 메일은", "본 메일",
}

// Beginnings of the line that a company's mail server puts above mail from
// outside, in lower case.
var banners = []string{
	"caution: this email originated", "caution: this e-mail originated", "caution: this message originated", "caution: external", "external email:", "external e-mail:", "external sender", "[external]", "[external email]",
	"this email originated from outside", "this message originated from outside", "warning: this email originated", "achtung: diese e-mail", "externe e-mail", "注意：此邮件来自外部", "注意：本邮件来自", "外部邮件", "【外部邮件】", "[外部邮件]",
	"you don't often get email from", "some people who received this message don't often get email",
}

// signatureMost is how many lines a signature may have below "-- ".
const signatureMost = 15

// dropBanner drops a banner that stands above all else.
func dropBanner(lines []string) []string {
	lines = trimEmpty(lines)
	if len(lines) > 1 && bannerStarts.of(plain(lines[0])) && hasWords(strings.Join(lines[1:], "")) {
		return trimEmpty(lines[1:])
	}
	return lines
}

// plain is a line in lower case without what decorates it.
func plain(line string) string {
	line = strings.TrimLeft(strings.TrimSpace(line), "*_|[]( \u00a0\ufeff")
	if r, n := utf8.DecodeRuneInString(line); n > 1 && unicode.IsUpper(r) {
		return strings.ToLower(line)
	}
	return lower(line)
}

// tailLines is how far from its end a mail's tail may begin.
const tailLines = 60

// dropTail drops signature, mobile footer and disclaimer from the end, also
// several of them.
func dropTail(lines []string) []string {
	first := 0 // the first line with words: a tail comes after it
	for first < len(lines) && !hasWords(lines[first]) {
		first++
	}
	for {
		kept := cutTail(lines, first)
		if len(kept) == len(lines) {
			return lines
		}
		lines = kept
	}
}

func cutTail(lines []string, first int) []string {
	for i := max(first+1, len(lines)-tailLines); i < len(lines); i++ {
		low := plain(lines[i])
		switch {
		case isSignature(lines[i]) && len(lines)-i <= signatureMost+1:
			return lines[:i] // RFC 3676 section 4.3
		case utf8.RuneCountInString(low) <= 80 && isFooter(low) && nearEnd(lines, i):
			return trimDecoration(lines[:i])
		case disclaimerStarts.of(low) && alone(lines, i):
			return trimRule(lines[:i])
		}
	}
	return lines
}

// isSignature tells the line above a signature; blanks get lost on the way.
func isSignature(line string) bool {
	line = strings.TrimRight(line, " \u00a0")
	return line == "--" || line == "—" || line == "－－" || line == "--\u00a0"
}

func isFooter(low string) bool {
	if footerStarts.of(low) {
		// "Sent by registered mail on Monday" is a story; a footer names a
		// device or a program and stops.
		return !strings.HasPrefix(low, "sent by ") && !strings.HasPrefix(low, "发自 ") || utf8.RuneCountInString(low) <= 30
	}
	return false
}

// alone tells whether a paragraph begins at line i: within one, the words are
// the customer's.
func alone(lines []string, i int) bool {
	prev := strings.TrimSpace(lines[i-1])
	return prev == "" || isRule(prev) || isSignature(prev) || utf8.RuneCountInString(strings.TrimSpace(lines[i])) > 60
}

// trimDecoration drops what a program draws around its footer.
func trimDecoration(lines []string) []string {
	for n := len(lines); n > 0 && !hasWords(lines[n-1]); n-- {
		lines = lines[:n-1]
	}
	return lines
}

// lower makes the letters of ASCII small; the others of the lists are so.
func lower(s string) string {
	for i := range len(s) {
		if s[i] >= 'A' && s[i] <= 'Z' {
			b := []byte(s)
			for j := i; j < len(b); j++ {
				if b[j] >= 'A' && b[j] <= 'Z' {
					b[j] += 'a' - 'A'
				}
			}
			return string(b)
		}
	}
	return s
}

// beginnings are those of lines by their first two bytes: most lines have
// none of them.
type beginnings map[[2]byte][]string

func beginningsOf(all []string) beginnings {
	b := beginnings{}
	for _, s := range all {
		k := [2]byte{s[0], s[1]}
		b[k] = append(b[k], s)
	}
	return b
}

var (
	footerStarts     = beginningsOf(footers)
	disclaimerStarts = beginningsOf(disclaimers)
	bannerStarts     = beginningsOf(banners)
)

func (b beginnings) of(line string) bool {
	if len(line) < 2 {
		return false
	}
	for _, p := range b[[2]byte{line[0], line[1]}] {
		if strings.HasPrefix(line, p) {
			return true
		}
	}
	return false
}

// nearEnd tells whether at most three lines with words follow.
func nearEnd(lines []string, i int) bool {
	n := 0
	for _, l := range lines[i+1:] {
		if hasWords(l) {
			n++
		}
	}
	return n <= 3
}
