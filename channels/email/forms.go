package email

import (
	"fmt"
	"net/mail"
	"slices"
	"strings"

	"hearken/channels/email/letter"
	"hearken/complaint"
)

// Form is a contact form on a website that mails in its own name what a
// customer has filled in: "label: value", a line each.
type Form struct {
	From string `yaml:"from"` // the address that the form mails from, or "@example.com"
	// Labels of what is filled in. What is left out has the usual ones, in
	// English and Chinese.
	Name    []string `yaml:"name"`
	Email   []string `yaml:"email"`
	Phone   []string `yaml:"phone"`
	Subject []string `yaml:"subject"`
	Message []string `yaml:"message"` // to the end of the mail, or to the next label
}

// The usual labels.
var (
	nameLabels    = []string{"name", "full name", "your name", "contact", "contact name", "customer", "customer name", "姓名", "称呼", "名字", "联系人", "您的姓名", "客户姓名"}
	emailLabels   = []string{"email", "e-mail", "email address", "e-mail address", "your email", "mail", "邮箱", "电子邮箱", "电子邮件", "邮件", "邮箱地址", "您的邮箱"}
	phoneLabels   = []string{"phone", "phone number", "telephone", "mobile", "tel", "your phone", "电话", "手机", "手机号", "联系电话", "手机号码", "电话号码", "联系方式"}
	subjectLabels = []string{"subject", "topic", "title", "主题", "标题", "投诉主题"}
	messageLabels = []string{"message", "your message", "comment", "comments", "complaint", "details", "description", "content", "text", "留言", "内容", "留言内容", "投诉内容", "详情", "描述", "问题描述", "投诉详情"}
)

// check returns what is wrong with the stanza.
func (f Form) check(i int) error {
	addr := f.From
	if strings.HasPrefix(addr, "@") {
		addr = "form" + addr
	}
	if a, err := mail.ParseAddress(addr); err != nil || a.Address != addr {
		return fmt.Errorf("forms[%d].from: %q is neither an address nor @domain", i, f.From)
	}
	return nil
}

// form is the configured form that a mail came from; nil where none did.
func (e *Email) form(l *letter.Letter) *Form {
	for i := range e.cfg.Forms {
		if matches([]string{e.cfg.Forms[i].From}, address(l.From)) || matches([]string{e.cfg.Forms[i].From}, address(l.Sender)) {
			return &e.cfg.Forms[i]
		}
	}
	return nil
}

// read takes from the mail what the customer filled in. Where no address was
// given, Reply-To may be theirs; the form's own is nobody's.
func (f *Form) read(l *letter.Letter, c *complaint.Contact) {
	c.Facts["form"] = strings.ToLower(f.From)
	if matches([]string{f.From}, c.From.Email) {
		c.From = complaint.Person{}
	}
	c.From.Name = "" // From has the form's
	filled := f.fields(l.Text)
	set := func(to *string, key string) {
		if v := strings.TrimSpace(filled[key]); v != "" {
			*to = v
		}
	}
	set(&c.From.Name, "name")
	set(&c.From.Phone, "phone")
	set(&c.Subject, "subject")
	set(&c.Text, "message")
	if v := bareMail.FindString(filled["email"]); letter.ValidAddress(v) {
		c.From.Email = v
	}
	if filled["message"] == "" {
		c.Notes = append(c.Notes, "the form's mail has no message field that is known; its whole text was taken")
	}
}

// fields reads "label: value" lines, and values on the lines below their
// label.
func (f *Form) fields(text string) map[string]string {
	all := map[string][]string{
		"name": orUsual(f.Name, nameLabels), "email": orUsual(f.Email, emailLabels), "phone": orUsual(f.Phone, phoneLabels),
		"subject": orUsual(f.Subject, subjectLabels), "message": orUsual(f.Message, messageLabels),
	}
	out := map[string]string{}
	at := ""
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		label, value, ok := cutLabel(line)
		key := ""
		for k, labels := range all {
			if ok && slices.ContainsFunc(labels, func(l string) bool { return strings.EqualFold(l, label) }) {
				key = k
			}
		}
		switch {
		case key != "" && out[key] == "":
			at = key
			out[key] = value
		case ok && at != "message":
			at = "" // a label that we don't know
		case at == "message", at != "" && out[at] == "":
			out[at] += "\n" + line
		}
	}
	return out
}

// cutLabel takes "E-Mail: a@b" apart, also as a table's row.
func cutLabel(line string) (label, value string, ok bool) {
	line = strings.TrimLeft(line, " *-•|\t")
	i := strings.IndexAny(line, ":：\t|")
	if i < 0 || i > 60 {
		return "", "", false
	}
	rest := strings.TrimLeft(line[i:], ":： \t|*")
	return strings.Trim(line[:i], " *_\t"), rest, true
}

func orUsual(labels, usual []string) []string {
	if len(labels) > 0 {
		return labels
	}
	return usual
}
