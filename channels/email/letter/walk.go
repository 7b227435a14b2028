package letter

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/emersion/go-message/textproto"
)

// content is the text of a part.
type content struct {
	text string
	html bool   // made of HTML
	page string // HTML that is not made into text yet: in an alternative it seldom must be
	last bool   // only worth showing where nothing else says a word
}

func (c content) blank() bool { return strings.TrimSpace(c.text) == "" }

// shown makes the text of a page that is needed after all.
func (c content) shown(limit int) content {
	if c.page != "" {
		return content{text: htmlText(c.page, limit), html: true, last: c.last}
	}
	return c
}

// walker goes through the parts of one mail.
type walker struct {
	*lines
	keep    Keeper
	limits  Limits
	letter  *Letter
	parts   int
	texts   int   // bytes of text taken
	decoded int64 // bytes of attachments taken
	hint    clue
	within  string          // the type of the multipart that is being read
	cids    map[string]bool // what the pages show by Content-ID
	full    bool            // the bound on parts is reached: nothing more is read
}

// note records doubts, each once.
func (w *walker) note(notes ...string) {
	for _, n := range notes {
		if len(w.letter.Notes) < maxNotes && !slices.Contains(w.letter.Notes, n) {
			w.letter.Notes = append(w.letter.Notes, n)
		}
	}
}

// entity reads what a header block announces, up to the boundary behind it.
func (w *walker) entity(h block, depth int) (content, error) {
	w.note(h.notes...)
	if w.parts++; w.parts > w.limits.Parts {
		w.note(fmt.Sprintf("more than %d parts; the rest is in the original only", w.limits.Parts))
		w.full = true
		return content{}, nil
	}
	ct := w.contentType(h.fields)
	b := w.body()
	b.over = h.closed
	defer func() {
		if !w.full {
			b.drain()
		}
	}()
	switch {
	case h.closed:
		return content{}, nil
	case strings.HasPrefix(ct.main, "multipart/"):
		return w.packed(h.fields, ct, b, depth)
	case ct.main == "message/rfc822" || ct.main == "message/global":
		return w.enclosed(h.fields, b, depth)
	}
	return w.leaf(h.fields, ct, b, depth)
}

// contentType is what a part says that it is, or must be.
func (w *walker) contentType(fields textproto.Header) value {
	ct := parseValue(given(fields, "Content-Type"), &w.hint)
	switch {
	case ct.main == "" && w.within == "multipart/digest":
		ct.main = "message/rfc822" // RFC 2046 section 5.1.5
	case !strings.Contains(ct.main, "/"):
		named := ct.params["name"] != "" || fields.Has("Content-Disposition")
		ct.main = loneType(ct.main, named)
	}
	boundary := ct.params["boundary"]
	switch {
	case ct.main == "text/html" && boundary != "" && w.ahead(boundary):
		ct.main = "multipart/alternative" // a program changed the type alone
	case strings.HasPrefix(ct.main, "text/") && boundary != "" && w.ahead(boundary):
		ct.main = "multipart/mixed"
	case !fields.Has("Content-Type") && fields.Has("Mime-Version") && bytes.HasPrefix(bytes.TrimLeft(w.peek(), "\r\n"), []byte("--")) && w.sniffBoundary() != "":
		ct.main = "multipart/mixed"
	}
	return ct
}

// loneType completes a Content-Type without a subtype. RFC 2045 section 5.2
// has text for what makes no sense, which a file is not.
func loneType(main string, named bool) string {
	switch {
	case main == "html":
		return "text/html"
	case main == "multipart":
		return "multipart/mixed"
	case main == "message":
		return "message/rfc822"
	case main == "" || main == "text" || main == "plain" || !named:
		return "text/plain"
	}
	return "application/octet-stream"
}

// packed reads a multipart, which some programs encode as a whole, though RFC
// 2045 section 6.4 forbids it.
func (w *walker) packed(fields textproto.Header, ct value, b *body, depth int) (content, error) {
	r, _ := transferReader(fields.Get("Content-Transfer-Encoding"), b)
	if r == io.Reader(b) || w.ahead(ct.params["boundary"]) {
		return w.multipart(ct, b, depth)
	}
	outer := w.lines
	w.lines = newLines(r)
	defer func() { w.lines = outer }()
	return w.multipart(ct, w.body(), depth)
}

// multipart reads the parts of a multipart, whose preamble is b.
func (w *walker) multipart(ct value, b *body, depth int) (content, error) {
	if depth >= w.limits.Depth {
		w.note(fmt.Sprintf("more than %d levels of parts; the rest is in the original only", w.limits.Depth))
		return content{}, nil
	}
	boundary, note := w.boundaryOf(ct.params["boundary"])
	if note != "" {
		w.note(note)
	}
	if boundary == "" || len(boundary) > maxBoundary {
		w.note("a multipart has no boundary; it was read as text")
		return w.leaf(textproto.Header{}, value{main: "text/plain"}, b, depth)
	}
	level, outer := len(w.open), w.within
	w.open, w.within = append(w.open, boundary), ct.main
	defer func() { w.open, w.within = w.open[:level], outer }()

	if ct.main == "multipart/report" && depth == 0 { // deeper it is only forwarded
		w.letter.Report = &Report{Type: strings.ToLower(oneLine(ct.params["report-type"], 40))}
	}
	var kids []content
	// The preamble is for programs that know no MIME, unless no part follows.
	var preamble bytes.Buffer
	if _, err := io.Copy(&limited{&preamble, w.limits.Text - w.texts}, b); err != nil {
		return content{}, err
	}
	if w.at.level < level {
		w.note("a multipart has no parts; it was read as text")
		return w.textOf(preamble.Bytes(), value{main: "text/plain", params: ct.params}), nil
	}
	closed := false
	for !w.full && w.at.level == level {
		if w.at.final {
			closed = true
			w.epilogue(level)
			continue
		}
		if closed {
			w.note("a multipart goes on behind its closing boundary")
		}
		c, err := w.entity(w.header(w.limits.Header), depth+1)
		if err != nil {
			return content{}, err
		}
		kids = append(kids, c)
	}
	if !closed && !w.full {
		w.note("a multipart has no closing boundary")
	}
	return join(ct.main, kids, w.limits.Text), nil
}

// epilogue skips what is behind a closing boundary, which nobody reads, unless
// the same boundary comes once more: some programs close a multipart too early.
func (w *walker) epilogue(level int) {
	if slices.Contains(w.open[:level], w.open[level]) {
		w.open = w.open[:level] // an outer multipart has that boundary too, and goes on
	}
	w.body().drain()
}

// limited keeps the first n bytes and swallows the rest.
type limited struct {
	b *bytes.Buffer
	n int
}

func (l *limited) Write(p []byte) (int, error) {
	if room := l.n - l.b.Len(); room > 0 {
		l.b.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}

// join makes one text of the parts of a multipart.
func join(kind string, kids []content, limit int) content {
	if kind == "multipart/alternative" {
		return choose(kids, limit)
	}
	if len(kids) == 1 {
		return kids[0]
	}
	said := slices.ContainsFunc(kids, func(k content) bool { return !k.last && (k.page != "" || !k.blank()) })
	var text strings.Builder
	out := content{last: !said}
	for _, k := range kids {
		if k.last && said {
			continue
		}
		if k = k.shown(limit); k.blank() {
			continue
		}
		if text.Len() > 0 {
			text.WriteString("\n\n")
		}
		text.WriteString(strings.Trim(k.text, "\n"))
		out.html = out.html || k.html
	}
	out.text = text.String()
	return out
}

// A plain text of fewer runes than stubRunes may be a mere stub: it is one
// where the page says stubTimes as much.
const (
	stubRunes = 400
	stubTimes = 3
)

// choose takes one of the forms of a multipart/alternative. The sender's own
// plain text reads better than ours made of HTML, unless it only says that
// there is something to be seen elsewhere.
func choose(kids []content, limit int) content {
	var plain, page, last content
	for _, k := range kids {
		switch {
		case k.last && last.text == "":
			last = k
		case k.last:
		case k.page != "" || k.html:
			if page.page == "" && page.blank() {
				page = k
			}
		case plain.blank():
			plain = k
		}
	}
	switch n := utf8.RuneCountInString(strings.TrimSpace(plain.text)); {
	case n > 0 && (n >= stubRunes || page.page == "" && page.blank()):
		return plain
	case n > 0:
		if page = page.shown(limit); utf8.RuneCountInString(page.text) < stubTimes*n || strings.Contains(bareWords(page.text), bareWords(plain.text)) && n > 40 {
			return plain
		}
		return page
	}
	if page = page.shown(limit); !page.blank() {
		return page
	}
	return last
}

// bareWords is a text without its white space, to compare two forms of it.
func bareWords(s string) string { return strings.Join(strings.Fields(s), "") }

// enclosed reads a mail within the mail: a forwarded one, or the returned one
// of a report.
func (w *walker) enclosed(fields textproto.Header, b *body, depth int) (content, error) {
	if depth >= w.limits.Depth {
		w.note(fmt.Sprintf("more than %d levels of parts; the rest is in the original only", w.limits.Depth))
		return content{}, nil
	}
	outer, within := w.lines, w.within
	w.within = ""
	defer func() { w.within = within }()
	r, _ := transferReader(fields.Get("Content-Transfer-Encoding"), b)
	if r != io.Reader(b) {
		// RFC 2046 section 5.2.1 forbids it, and it happens.
		w.lines = newLines(r)
		defer func() { w.lines = outer }()
	}
	h := w.top(w.limits.Header)
	b.over = b.over || w.lines == outer // the parts below read the lines up to the boundary
	inner := Letter{fields: h.fields}
	if w.letter.Report != nil {
		original(w.letter.Report, h.fields)
	} else if depth <= 1 {
		original(w.loose(), h.fields)
	}
	c, err := w.entity(h, depth+1)
	if err != nil || w.letter.Report != nil {
		return content{}, err
	}
	inner.people(&w.hint)
	if w.letter.Forwarded == nil {
		w.letter.Forwarded = inner.From
	}
	c = c.shown(w.limits.Text)
	var head strings.Builder
	head.WriteString("-------- Forwarded Message --------\n")
	if len(inner.From) > 0 {
		fmt.Fprintf(&head, "From: %s <%s>\n", inner.From[0].Name, inner.From[0].Addr)
	}
	if d := oneLine(h.fields.Get("Date"), 100); d != "" {
		fmt.Fprintf(&head, "Date: %s\n", d)
	}
	fmt.Fprintf(&head, "Subject: %s\n\n", inner.Subject)
	return content{text: head.String() + c.text, html: c.html}, nil
}
