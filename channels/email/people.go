package email

import (
	"regexp"
	"slices"
	"strings"

	"hearken/channels/email/letter"
	"hearken/complaint"
)

// attribute says whose complaint a mail is.
func (e *Email) attribute(l *letter.Letter, c *complaint.Contact) {
	c.From = e.person(l)
	if f := e.form(l); f != nil {
		f.read(l, c)
		return
	}
	if !matches(e.cfg.Staff, address(l.From)) {
		return
	}
	// A colleague passes on what a customer wrote to them.
	if p, ok := original(l); ok {
		c.Facts["forwarded_by"] = address(l.From)
		c.From = p
	}
}

// person is who wrote. Reply-To is where they want the answer, which is why its
// address comes before that of From, whose name is theirs. Lists that rewrite
// From, as those of Google do, leave the true one in X-Original-From. That
// Reply-To names ourselves is a mistake of forms and mailing programs.
func (e *Email) person(l *letter.Letter) complaint.Person {
	var p complaint.Person
	lists := [][]letter.Address{l.From, l.Sender, l.Mailboxes("Resent-From"), l.Mailboxes("Return-Path")}
	if e.ownSender(l) || len(l.From) > 0 && strings.Contains(strings.ToLower(l.From[0].Name), " via ") {
		lists = append([][]letter.Address{l.Mailboxes("X-Original-From"), l.Mailboxes("X-Original-Sender")}, lists...)
	}
	for _, list := range lists {
		if len(list) > 0 && p.Email == "" {
			p = complaint.Person{Name: list[0].Name, Email: list[0].Addr}
		}
	}
	if p.Name == "" {
		p.Name = l.WrittenName()
	}
	for _, to := range l.ReplyTo {
		if strings.EqualFold(to.Addr, e.cfg.Address) || e.plusAddress(to.Addr) {
			continue
		}
		if name, _, via := strings.Cut(p.Name, " via "); via && !strings.EqualFold(p.Email, to.Addr) {
			p.Name = strings.Trim(name, "'\" ") // a list sent it in its own name (DMARC)
		}
		p.Email = to.Addr
		if p.Name == "" {
			p.Name = to.Name
		}
		break
	}
	return p
}

func (e *Email) plusAddress(addr string) bool {
	_, ok := e.ids.numberOf(addr)
	return ok
}

func address(list []letter.Address) string {
	if len(list) == 0 {
		return ""
	}
	return list[0].Addr
}

// matches tells whether addr is one of list: an address, or "@example.com" for
// all of a domain.
func matches(list []string, addr string) bool {
	addr = strings.ToLower(addr)
	at := strings.LastIndexByte(addr, '@')
	return at > 0 && slices.ContainsFunc(list, func(one string) bool {
		one = strings.ToLower(one)
		return one == addr || one == addr[at:]
	})
}

var (
	// fromLabel is the line that names the writer of a mail that is passed on.
	fromLabel = regexp.MustCompile(`(?im)^[ \t>*_|]*(?:from|von|de|da|van|fra|från|od|lähettäjä|feladó|gönderen|kimden|от|від|από|từ|จาก|من|מאת|发件人|发送人|寄件者|寄件人|差出人|送信者|보낸 ?사람)[ \t*_|]*[:：|][ \t*_]*(.{3,300})$`)
	mailtoTag = regexp.MustCompile(`[\[<(]\s*mailto:[^\])>]*[\])>]`)
	bareMail  = regexp.MustCompile(`[A-Za-z0-9._%+'-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,5}`)
)

// original is who wrote the mail that l passes on.
func original(l *letter.Letter) (complaint.Person, bool) {
	if len(l.Forwarded) > 0 {
		return complaint.Person{Name: l.Forwarded[0].Name, Email: l.Forwarded[0].Addr}, true
	}
	for _, m := range fromLabel.FindAllStringSubmatch(l.Text, 5) {
		line := m[1]
		addr := bareMail.FindString(line)
		if addr == "" {
			continue
		}
		name, _, _ := strings.Cut(mailtoTag.ReplaceAllString(line, " "), addr)
		return complaint.Person{Name: strings.Trim(name, " \t\"'<>[]();,*_|"), Email: addr}, true
	}
	return complaint.Person{}, false
}
