package normalize

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// trim returns the part of a text that its writer wrote now: quoted history,
// signature, mobile footer and disclaimer are left out. A text that is nothing
// else is returned whole. trim(trim(x)) is trim(x).
func trim(text string) (string, bool) {
	whole := squeeze(text)
	lines := strings.Split(whole, "\n")
	for {
		kept := dropTail(dropQuotes(cutHistory(lines)))
		if len(kept) == len(lines) {
			break
		}
		lines = kept
	}
	out := squeeze(strings.Join(lines, "\n"))
	if !hasWords(out) {
		return whole, false
	}
	return out, out != whole
}

// squeeze drops white space at the ends of lines and of the text, and more
// than one empty line in a row.
func squeeze(text string) string {
	var b strings.Builder
	empty := 0
	for line := range strings.Lines(text) {
		line = strings.TrimRightFunc(line, unicode.IsSpace)
		if line == "" {
			empty++
			continue
		}
		if b.Len() > 0 {
			b.WriteString(strings.Repeat("\n", 1+min(empty, 1)))
		}
		empty = 0
		b.WriteString(line)
	}
	return b.String()
}

func hasWords(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) })
}

// cutHistory cuts at the first line that begins an older mail, where
// something of its own stands above it.
func cutHistory(lines []string) []string {
	words := false
	for i := range lines {
		if words && beginsHistory(lines, i) {
			return lines[:i]
		}
		words = words || (hasWords(lines[i]) && !isQuote(lines[i]))
	}
	return lines
}

// beginsHistory tells whether an older mail begins at line i.
func beginsHistory(lines []string, i int) bool {
	line := strings.TrimSpace(lines[i])
	if line == "" || utf8.RuneCountInString(line) > 250 {
		return false
	}
	if isSeparator(line) || isAttribution(line) {
		return true
	}
	// "On ... <a@b>" and "wrote:" on the next line.
	if i+1 < len(lines) && startsAttribution(line) && isAttribution(line+" "+strings.TrimSpace(lines[i+1])) {
		return true
	}
	return headerLabel(line) && i+1 < len(lines) && headerLabel(strings.TrimSpace(lines[i+1]))
}

// The words between the dashes of "-----Original Message-----" and its kin.
var separators = []string{
	"original message", "original mail", "forwarded message", "begin forwarded message", "original", "原始邮件", "原邮件", "回复的原邮件",
	"转发的邮件", "转发邮件信息", "原始郵件", "轉寄的郵件", "转发的原邮件", "ursprüngliche nachricht", "message d'origine", "mensaje original", "元のメッセージ",
	"回复邮件", "已转发邮件", "以下是引用的邮件", "邮件原件",
}

func isSeparator(line string) bool {
	core := strings.Trim(line, "-_—–=* :：>")
	marks := len(line) - len(core)
	if core == "" {
		// A long underscore line is Outlook's.
		return len(line) >= 20 && strings.Trim(line, "_") == ""
	}
	core = strings.ToLower(strings.TrimSpace(core))
	for _, s := range separators {
		if core == s && (marks >= 4 || strings.HasPrefix(core, "begin") || strings.HasPrefix(core, "转发邮件")) {
			return true
		}
	}
	return false
}

var attributionStarts = []string{"on ", "am ", "le ", "el ", "在", "於", "于", "2", "a "}

func startsAttribution(line string) bool {
	l := strings.ToLower(strings.TrimLeft(line, "> "))
	for _, s := range attributionStarts {
		if strings.HasPrefix(l, s) {
			return true
		}
	}
	return false
}

var attributionEnds = []string{
	" wrote:", "写道：", "写道:", "寫道：", "寫道:", " schrieb:", "a écrit :", "a écrit:", "escribió:", "のメール:", "書きました:", "书写道:", "来信：",
}

// isAttribution tells "On 3 May, Li wrote:" and its kin. A date or an address
// must be in it: people do write "she wrote:" in a complaint.
func isAttribution(line string) bool {
	l := strings.ToLower(line)
	for _, e := range attributionEnds {
		if strings.HasSuffix(l, e) {
			return strings.ContainsAny(l, "0123456789@")
		}
	}
	return strings.HasSuffix(l, "schrieb am") && strings.ContainsAny(l, "0123456789")
}

var labels = []string{
	"from", "发件人", "寄件者", "寄件人", "发送时间", "发送日期", "傳送日期", "寄件日期", "日期", "时间", "sent", "date", "收件人", "收件者", "to", "抄送", "副本", "cc",
	"主题", "主旨", "subject", "von", "gesendet", "an", "betreff", "de", "envoyé", "à", "objet", "enviado", "para", "asunto", "差出人", "送信日時", "宛先", "件名",
}

// headerLabel tells a line like "From: ..." of the header that mail programs
// put above an older mail.
func headerLabel(line string) bool {
	l := strings.ToLower(strings.TrimLeft(line, "> *"))
	colon := strings.IndexAny(l, ":：")
	if colon < 0 || colon > 30 {
		return false
	}
	label := strings.Trim(l[:colon], " *\u3000")
	for _, known := range labels {
		if label == known {
			return true
		}
	}
	return false
}

func isQuote(line string) bool {
	l := strings.TrimSpace(line)
	return strings.HasPrefix(l, ">") || strings.HasPrefix(l, "&gt;")
}

// dropQuotes drops lines that are quoted with ">", wherever they stand: what
// is between them is the answer.
func dropQuotes(lines []string) []string {
	var out []string
	for i, l := range lines {
		if isQuote(l) {
			continue
		}
		// The attribution above a quote goes with it.
		if i+1 < len(lines) && isQuote(lines[i+1]) && isAttribution(strings.TrimSpace(l)) {
			continue
		}
		out = append(out, l)
	}
	return out
}

var footers = []string{
	"sent from my ", "sent from mail for", "sent from outlook", "sent from yahoo", "get outlook for", "发自我的", "从我的", "來自我的", "发自我的iphone", "来自我的",
	"von meinem ", "envoyé de mon ", "enviado desde mi ", "sent via ", "iphoneから送信", "发送自", "由网易邮箱", "发自网易", "来自网易邮箱", "发自qq邮箱", "此邮件由",
}

var disclaimers = []string{
	"this e-mail and any", "this email and any", "this message and any", "this message contains confidential", "this email is confidential", "this e-mail is confidential",
	"confidentiality notice", "the information contained in this", "disclaimer:", "本邮件及其附件", "本邮件含有", "保密声明", "免责声明", "此电子邮件", "本电子邮件",
	"this communication is intended", "if you are not the intended recipient", "diese e-mail enthält",
}

// signatureMost is how many lines a signature may have below "-- ".
const signatureMost = 12

// dropTail drops signature, mobile footer and disclaimer from the end.
func dropTail(lines []string) []string {
	for i, l := range lines {
		if i == 0 || !hasWords(strings.Join(lines[:i], "")) {
			continue
		}
		low := strings.ToLower(strings.TrimSpace(l))
		switch {
		case strings.TrimRight(l, " ") == "--" && len(lines)-i <= signatureMost+1:
			return lines[:i] // RFC 3676 section 4.3
		case utf8.RuneCountInString(low) <= 60 && hasPrefix(low, footers) && nearEnd(lines, i):
			return lines[:i]
		case hasPrefix(low, disclaimers):
			return lines[:i]
		}
	}
	return lines
}

func hasPrefix(line string, all []string) bool {
	for _, p := range all {
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

var replyPrefixes = []string{"re", "fw", "fwd", "aw", "wg", "sv", "tr", "rv", "回复", "答复", "转发", "回覆", "轉寄", "答覆", "自动回复"}

// subject strips "Re:", "回复：" and our own "[2611-2300-4279]" from a subject,
// however often they stand there.
func subject(s string) string {
	s = oneLine(s)
	for {
		before := s
		low := strings.ToLower(s)
		for _, p := range replyPrefixes {
			rest, ok := strings.CutPrefix(low, p)
			if !ok {
				continue
			}
			if end := strings.IndexByte(rest, ']'); strings.HasPrefix(rest, "[") && end > 0 && end <= 3 {
				rest = rest[end+1:] // Re[2]:
			}
			rest = strings.TrimLeft(rest, " ")
			if tail, ok := strings.CutPrefix(rest, ":"); ok {
				rest = tail
			} else if tail, ok := strings.CutPrefix(rest, "："); ok {
				rest = tail
			} else {
				continue
			}
			if len(rest) <= len(s) && strings.HasSuffix(strings.ToLower(s), rest) {
				s = strings.TrimSpace(s[len(s)-len(rest):])
			}
			break
		}
		s = strings.TrimSpace(dropTag(s))
		if s == before {
			return s
		}
	}
}

// dropTag takes the first [2611-2300-4279] out.
func dropTag(s string) string {
	for from := 0; ; {
		open := strings.IndexByte(s[from:], '[')
		if open < 0 {
			return s
		}
		open += from
		end := strings.IndexByte(s[open:], ']')
		if end < 0 {
			return s
		}
		inside := s[open+1 : open+end]
		if len(inside) == 14 && strings.Trim(inside, "0123456789-") == "" {
			return oneLine(s[:open] + " " + s[open+end+1:])
		}
		from = open + 1
	}
}
