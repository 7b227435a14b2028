package letter

import (
	"net/url"
	"strings"
	"unicode"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// Bounds of an HTML part. Real mail stays far below; beyond them text still
// comes out, only its layout suffers.
const (
	maxOpen   = 512 // elements open at once
	maxQuotes = 20  // blockquotes in each other
	maxTokens = 1_000_000
)

// htmlText writes HTML as the text that its reader saw: blocks on lines of
// their own, list marks, table cells apart by tabs, quotations behind "> ",
// a link's target where it differs from its words; what was hidden is gone.
//
// It works on the stream of tokens, not on a tree: its time is linear in the
// input however the elements are nested.
func htmlText(s string, limit int) string {
	w := &page{limit: limit, within: maxQuotes}
	z := html.NewTokenizer(strings.NewReader(s))
	for range maxTokens {
		switch z.Next() {
		case html.ErrorToken:
			return w.finish()
		case html.TextToken:
			if w.hidden == 0 {
				w.text(string(z.Text()))
			}
		case html.StartTagToken:
			w.start(z.Token(), false)
		case html.SelfClosingTagToken:
			w.start(z.Token(), true)
		case html.EndTagToken:
			name, _ := z.TagName()
			w.end(atom.Lookup(name), name)
		}
		if w.out.Len() > w.limit {
			break
		}
	}
	return w.finish()
}

// element is an open element.
type element struct {
	tag    atom.Atom
	name   string // where the tag is none of HTML's
	hides  bool
	link   string
	linkAt int // where its words begin in the output
	list   *list
	lineAt int  // the line on which a cell begins
	after  int  // line ends owed behind it
	tiny   bool // what the page's tiny and keeps were before it
	keeps  bool
}

type page struct {
	out    strings.Builder
	limit  int
	base   *url.URL
	open   []element
	hidden int  // how many open elements hide their content
	tiny   bool // words are too small to be seen
	keeps  bool // line ends are seen
	quotes int
	breaks int  // line ends owed before the next word
	within int  // blockquotes in which all of the owed line ends are
	blank  rune // the blank owed before the next word
	begun  bool // something stands on this line
	fresh  bool // a cell or an item has just begun: blocks in it begin where it does
	empty  bool // a hard blank stands on a line of its own
	lines  int  // how many are written
}

func (p *page) start(t html.Token, selfClosing bool) {
	tag := t.DataAtom
	if tag == 0 && strings.Contains(t.Data, "@") {
		p.text("<" + t.Data + ">") // an address that nobody escaped
		return
	}
	p.imply(tag)
	l := lookOf(t)
	e := element{tag: tag, hides: l.hides, tiny: p.tiny, keeps: p.keeps}
	if tag == 0 {
		e.name = t.Data
	}
	if p.hidden == 0 && !e.hides {
		p.show(t, &e, l)
	}
	if selfClosing || void(tag) || len(p.open) >= maxOpen {
		return
	}
	if e.hides {
		p.hidden++
	}
	if l.sized {
		p.tiny = l.tiny
	}
	switch {
	case tag == atom.Pre || tag == atom.Textarea:
		p.keeps = true
	case l.spaced:
		p.keeps = l.keepsLines
	}
	if tag == atom.Blockquote {
		p.quotes++
	}
	p.open = append(p.open, e)
}

// show writes what an element's start looks like.
func (p *page) show(t html.Token, e *element, l look) {
	switch t.DataAtom {
	case atom.Br:
		p.markSignature()
		p.breaks = min(p.breaks+1, 2)
		p.within = min(p.within, p.quotes)
		p.blank, p.fresh, p.empty = 0, false, false
	case atom.Hr:
		p.line(1)
		p.word("----------")
		p.line(1)
	case atom.Img:
		p.image(t)
	case atom.Input:
		if kind := attr(t, "type"); kind != "hidden" && kind != "checkbox" && kind != "radio" {
			p.text(oneLine(attr(t, "value"), maxAlt))
		}
	case atom.Td, atom.Th:
		if p.begun && p.breaks == 0 {
			p.blank = '\t'
		}
		p.fresh, e.lineAt = true, p.lines
		if p.out.Len() > 0 {
			e.lineAt += p.breaks
		}
	case atom.Ol, atom.Ul:
		e.list, e.after = listOf(t), p.around()
		p.line(e.after)
	case atom.Li:
		e.after = 1
		p.item(t)
	case atom.A:
		e.link, e.linkAt = attr(t, "href"), p.out.Len()
	case atom.Base:
		if base, err := url.Parse(attr(t, "href")); err == nil && base.Host != "" {
			p.base = base
		}
	default:
		e.after = gap(t.DataAtom)
		before := e.after
		if before > 1 && l.flatAbove {
			before = 1
		}
		if e.after > 1 && l.flatBelow {
			e.after = 1
		}
		p.line(before)
	}
}

// maxAlt is how much of a picture's words is shown, in bytes.
const maxAlt = 100

// image writes what stands for a picture. Pictures of one dot count readers.
func (p *page) image(t html.Token) {
	alt := oneLine(attr(t, "alt"), maxAlt)
	d := declarations(attr(t, "style"))
	for _, size := range []string{attr(t, "width"), attr(t, "height"), d["width"], d["height"]} {
		if n, ok := length(size); ok && n <= 1 {
			return
		}
	}
	switch {
	case alt == "":
	case strings.ContainsFunc(alt, func(r rune) bool { return r < 0x80 || unicode.IsLetter(r) }):
		p.word("[" + alt + "]")
	default:
		p.word(alt) // an emoji
	}
}

// around is how many line ends stand around a list: one in another has no
// empty line around it.
func (p *page) around() int {
	for i := range p.open {
		if p.open[i].tag == atom.Li {
			return 1
		}
	}
	return 2
}

func (p *page) end(tag atom.Atom, name []byte) {
	at := -1
	for i := len(p.open) - 1; i >= 0 && at < 0; i-- {
		if p.open[i].tag == tag && (tag != 0 || p.open[i].name == string(name)) {
			at = i
		} else if p.open[i].tag == atom.Table && tag != atom.Table && cellLike(tag) {
			return // the end of an outer table's cell
		}
	}
	if at < 0 {
		if tag == atom.P && p.hidden == 0 {
			p.line(2)
		}
		return
	}
	for len(p.open) > at {
		p.pop()
	}
}

// pop closes the innermost element.
func (p *page) pop() {
	e := p.open[len(p.open)-1]
	p.open = p.open[:len(p.open)-1]
	p.tiny, p.keeps = e.tiny, e.keeps
	if e.tag == atom.Blockquote {
		p.line(1)
		p.quotes--
	}
	switch {
	case e.hides:
		p.hidden--
		return
	case p.hidden > 0:
		return
	case e.link != "":
		p.target(e)
	case e.tag == atom.Td || e.tag == atom.Th:
		if p.fresh = false; p.lines == e.lineAt && p.begun {
			p.breaks = 0 // what stands on one line lets the next cell stand beside it
		}
	}
	p.line(e.after)
}

// imply closes what HTML lets people leave open, so that an unclosed hidden
// paragraph does not hide the rest of the mail.
func (p *page) imply(tag atom.Atom) {
	if len(p.open) == 0 {
		return
	}
	top := p.open[len(p.open)-1].tag
	switch {
	case top == atom.P && gap(tag) > 0,
		top == tag && (cellLike(tag) || tag == atom.Li || tag == atom.Option || tag == atom.A),
		(top == atom.Td || top == atom.Th) && cellLike(tag):
		p.pop()
		if cellLike(tag) || tag == atom.Li {
			p.imply(tag)
		}
	}
}

func cellLike(tag atom.Atom) bool { return tag == atom.Td || tag == atom.Th || tag == atom.Tr }

// text writes a stretch of text.
func (p *page) text(s string) {
	if p.tiny {
		return
	}
	if p.keeps && (p.begun || strings.TrimSpace(s) != "") {
		for i, l := range strings.Split(strings.ReplaceAll(s, "\r\n", "\n"), "\n") {
			if i > 0 {
				p.breaks = min(p.breaks+1, 2)
			}
			if l != "" {
				p.word(l)
			}
		}
		return
	}
	for s != "" {
		i := strings.IndexFunc(s, unicode.IsSpace)
		switch {
		case i < 0:
			p.word(visible(s))
			return
		case i > 0:
			p.word(visible(s[:i]))
		}
		rest := strings.TrimLeftFunc(s[i:], unicode.IsSpace)
		blanks := s[i : len(s)-len(rest)]
		s = rest
		if p.begun && p.breaks == 0 {
			if p.blank == 0 {
				p.blank = ' '
			}
		} else if strings.Contains(blanks, "\u00a0") {
			p.empty = true
		}
	}
}

// visible drops what takes no room: preheaders are padded with it.
func visible(s string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case '\u200b', '\u200c', '\u2060', '\ufeff', '\u00ad', '\u034f', '\u061c', '\u180e', 0:
			return -1
		}
		return r
	}, s)
}

func (p *page) word(s string) {
	if s == "" || p.out.Len() > p.limit {
		return
	}
	if p.out.Len() > 0 && p.breaks > 0 {
		for i := range p.breaks {
			if i > 0 {
				p.out.WriteString(strings.Repeat(">", min(p.within, p.quotes, maxQuotes)))
			}
			p.out.WriteByte('\n')
		}
		p.lines += p.breaks
		p.begun, p.blank = false, 0
	}
	p.breaks, p.within, p.fresh, p.empty = 0, maxQuotes, false, false
	if !p.begun {
		if p.quotes > 0 {
			p.out.WriteString(strings.Repeat("> ", min(p.quotes, maxQuotes)))
		}
	} else if p.blank != 0 {
		p.out.WriteRune(p.blank)
	}
	p.blank, p.begun = 0, true
	p.out.WriteString(s)
}

// line asks for at least n line ends before the next word.
func (p *page) line(n int) {
	if n == 0 || p.fresh {
		return
	}
	p.markSignature()
	if p.empty {
		n, p.empty = 2, false
	}
	p.breaks = max(p.breaks, n)
	p.within = min(p.within, p.quotes)
	p.blank = 0
}

// markSignature keeps the blank of the line above a signature: by it that line
// is known.
func (p *page) markSignature() {
	if p.blank == ' ' && (p.out.String() == "--" || strings.HasSuffix(p.out.String(), "\n--")) {
		p.out.WriteByte(' ')
	}
}

func (p *page) finish() string {
	s := p.out.String()
	if len(s) > p.limit {
		s = strings.ToValidUTF8(s[:p.limit], "")
	}
	return strings.TrimSpace(s)
}

// gap is how many line ends stand around an element.
func gap(tag atom.Atom) int {
	switch tag {
	case atom.P, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Dl, atom.Figure, atom.Hgroup:
		return 2
	case atom.Div, atom.Table, atom.Tr, atom.Ul, atom.Ol, atom.Li, atom.Blockquote, atom.Pre, atom.Section, atom.Article, atom.Header, atom.Footer, atom.Form, atom.Fieldset, atom.Dt, atom.Dd, atom.Center, atom.Address, atom.Caption, atom.Main, atom.Nav, atom.Aside, atom.Body, atom.Details, atom.Summary, atom.Figcaption, atom.Legend, atom.Dialog:
		return 1
	}
	return 0
}

func void(tag atom.Atom) bool {
	switch tag {
	case atom.Br, atom.Hr, atom.Img, atom.Input, atom.Meta, atom.Link, atom.Area, atom.Base, atom.Col, atom.Embed, atom.Param, atom.Source, atom.Track, atom.Wbr:
		return true
	}
	return false
}

func attr(t html.Token, key string) string {
	for _, a := range t.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}
