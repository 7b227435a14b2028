package letter

import (
	"strconv"
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
	maxLink   = 500 // bytes of a link's target that are shown
)

// htmlText writes HTML as the text that its reader saw: blocks on lines of
// their own, list marks, table cells apart by tabs, quotations behind "> ",
// a link's target where it differs from its words; what was hidden is gone.
//
// It works on the stream of tokens, not on a tree: its time is linear in the
// input however the elements are nested.
func htmlText(s string, limit int) string {
	w := &page{limit: limit}
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
			w.end(atom.Lookup(name))
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
	hides  bool
	link   string
	linkAt int // where its words begin in the output
	number int // of the next item of an ordered list; 0 in an unordered one
}

type page struct {
	out    strings.Builder
	limit  int
	open   []element
	hidden int // how many open elements hide their content
	pre    int
	quotes int
	breaks int  // line ends owed before the next word
	blank  rune // the blank owed before the next word
	begun  bool // something stands on this line
	quoted int  // quotes of the last word
	marked int  // where the output ended behind a list's mark: its words follow on that line
}

func (p *page) start(t html.Token, selfClosing bool) {
	tag := t.DataAtom
	p.imply(tag)
	e := element{tag: tag, hides: hides(t)}
	if p.hidden == 0 && !e.hides {
		p.show(t, &e)
	}
	if selfClosing || void(tag) || len(p.open) >= maxOpen {
		return
	}
	if e.hides {
		p.hidden++
	}
	switch tag {
	case atom.Pre, atom.Textarea:
		p.pre++
	case atom.Blockquote:
		p.quotes++
	}
	p.open = append(p.open, e)
}

// show writes what an element's start looks like.
func (p *page) show(t html.Token, e *element) {
	switch t.DataAtom {
	case atom.Br:
		p.breaks = min(p.breaks+1, 2)
		p.blank = 0
	case atom.Hr:
		p.line(1)
		p.word("----------")
		p.line(1)
	case atom.Img:
		if alt := oneLine(attr(t, "alt"), 100); alt != "" && attr(t, "width") != "1" && attr(t, "height") != "1" {
			p.word("[" + alt + "]")
		}
	case atom.Td, atom.Th:
		if p.begun && p.breaks == 0 {
			p.blank = '\t'
		}
	case atom.Ol:
		e.number = 1
		if n, err := strconv.Atoi(attr(t, "start")); err == nil && n > 0 {
			e.number = n
		}
		p.line(p.around(atom.Ol))
	case atom.Li:
		p.item()
	case atom.A:
		e.link, e.linkAt = attr(t, "href"), p.out.Len()
	default:
		p.line(p.around(t.DataAtom))
	}
}

// around is gap, but for a list: one in another has no empty line around it.
func (p *page) around(tag atom.Atom) int {
	if tag != atom.Ul && tag != atom.Ol {
		return gap(tag)
	}
	for i := range p.open {
		if p.open[i].tag == atom.Li {
			return 1
		}
	}
	return 2
}

// item begins a list item with its mark.
func (p *page) item() {
	p.line(1)
	depth, mark := 0, "- "
	for i := range p.open {
		if tag := p.open[i].tag; tag == atom.Ul || tag == atom.Ol {
			depth++
			mark = "- "
			if n := p.open[i].number; n > 0 {
				mark = strconv.Itoa(n) + ". "
			}
		}
	}
	for i := len(p.open) - 1; i >= 0; i-- {
		if tag := p.open[i].tag; tag == atom.Ul || tag == atom.Ol {
			if p.open[i].number > 0 {
				p.open[i].number++
			}
			break
		}
	}
	p.word(strings.Repeat("  ", min(max(depth-1, 0), maxQuotes)) + mark)
	p.blank, p.begun, p.marked = 0, true, p.out.Len()
}

func (p *page) end(tag atom.Atom) {
	if tag == 0 {
		return
	}
	at := -1
	for i := len(p.open) - 1; i >= 0 && at < 0; i-- {
		if p.open[i].tag == tag {
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
	if p.hidden == 0 {
		p.line(p.around(tag))
	}
}

func (p *page) pop() {
	e := p.open[len(p.open)-1]
	p.open = p.open[:len(p.open)-1]
	switch e.tag {
	case atom.Pre, atom.Textarea:
		p.pre--
	case atom.Blockquote:
		p.line(1)
		p.quotes--
	}
	if e.hides {
		p.hidden--
	} else if e.link != "" && p.hidden == 0 {
		p.target(e)
	}
}

// target writes a link's target behind its words, unless they say it already.
func (p *page) target(e element) {
	to := strings.TrimSpace(e.link)
	to = strings.TrimPrefix(to, "mailto:")
	if !strings.HasPrefix(to, "http://") && !strings.HasPrefix(to, "https://") && to == strings.TrimSpace(e.link) {
		return // an anchor, a script
	}
	words := ""
	if e.linkAt <= p.out.Len() {
		words = strings.TrimSpace(p.out.String()[e.linkAt:])
	}
	bare := func(s string) string {
		_, rest, ok := strings.Cut(s, "://")
		if !ok {
			rest = s
		}
		return strings.TrimSuffix(rest, "/")
	}
	if words == "" || strings.EqualFold(bare(words), bare(to)) || strings.Contains(words, to) {
		return
	}
	p.blank = ' '
	p.word("(" + oneLine(to, maxLink) + ")")
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
	if p.pre > 0 {
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
		s = strings.TrimLeftFunc(s[i:], unicode.IsSpace)
		if p.begun && p.blank == 0 {
			p.blank = ' '
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
				p.out.WriteString(strings.Repeat(">", min(p.quotes, p.quoted, maxQuotes)))
			}
			p.out.WriteByte('\n')
		}
		p.begun, p.blank = false, 0
	}
	p.breaks = 0
	if !p.begun {
		if p.quotes > 0 {
			p.out.WriteString(strings.Repeat("> ", min(p.quotes, maxQuotes)))
		}
	} else if p.blank != 0 {
		p.out.WriteRune(p.blank)
	}
	p.blank, p.begun, p.quoted = 0, true, p.quotes
	p.out.WriteString(s)
}

// line asks for at least n line ends before the next word.
func (p *page) line(n int) {
	if n > 0 && (p.marked == 0 || p.marked != p.out.Len()) {
		p.breaks = max(p.breaks, n)
		p.blank = 0
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
	case atom.P, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Dl, atom.Figure:
		return 2
	case atom.Div, atom.Table, atom.Tr, atom.Ul, atom.Ol, atom.Li, atom.Blockquote, atom.Pre, atom.Section, atom.Article, atom.Header, atom.Footer, atom.Form, atom.Fieldset, atom.Dt, atom.Dd, atom.Center, atom.Address, atom.Caption, atom.Main, atom.Nav, atom.Aside, atom.Details, atom.Summary, atom.Body:
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

// hides tells whether an element's content was not to be seen: what is no
// text, and the preheaders that mailing tools hide by style.
func hides(t html.Token) bool {
	switch t.DataAtom {
	case atom.Script, atom.Style, atom.Title, atom.Template, atom.Svg, atom.Object, atom.Applet, atom.Iframe, atom.Select, atom.Noscript:
		return true
	}
	for _, a := range t.Attr {
		switch a.Key {
		case "hidden":
			return true
		case "style":
			s := strings.ToLower(strings.Map(func(r rune) rune {
				if unicode.IsSpace(r) {
					return -1
				}
				return r
			}, a.Val))
			for _, h := range []string{"display:none", "visibility:hidden", "mso-hide:all", "font-size:0;", "font-size:0px", "max-height:0;", "max-height:0px", "opacity:0;"} {
				if strings.Contains(s+";", h) {
					return true
				}
			}
		}
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
