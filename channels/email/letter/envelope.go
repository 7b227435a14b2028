package letter

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/smallstep/pkcs7"

	"hearken/channels/email/letter/rtf"
	"hearken/channels/email/letter/tnef"
)

// Bounds of what must be in memory whole to be opened.
const (
	maxSigned   = 16 << 20 // an S/MIME envelope
	maxDamaged  = 1 << 20  // a winmail.dat that turns out to be unreadable
	maxCalendar = 256 << 10
)

// smime opens a mail that is signed from within (RFC 8551 section 3.5.2). One
// that is encrypted, or can't be opened, is kept as a file.
func (w *walker) smime(r io.Reader, ct value, f file, depth int) (content, error) {
	raw, err := io.ReadAll(io.LimitReader(r, maxSigned+1))
	if err != nil {
		return content{}, err
	}
	inside, note := signedContent(raw, strings.ToLower(ct.params["smime-type"]))
	if note != "" {
		w.note(note)
	}
	if inside == nil || depth >= w.limits.Depth {
		return content{}, w.attachment(io.MultiReader(bytes.NewReader(raw), r), f)
	}
	outer := w.lines
	w.lines = newLines(bytes.NewReader(inside))
	defer func() { w.lines = outer }()
	return w.entity(w.top(w.limits.Header), depth+1)
}

// signedContent takes the mail out of its envelope; nil where that can't be
// done. note says what the reader must know.
func signedContent(raw []byte, kind string) (inside []byte, note string) {
	const sealed = "the mail is encrypted and could not be read"
	switch {
	case kind == "enveloped-data" || kind == "authenveloped-data":
		return nil, sealed
	case len(raw) > maxSigned:
		return nil, fmt.Sprintf("a signed mail is larger than %d bytes and was not opened", maxSigned)
	}
	defer func() {
		if recover() != nil { // the decoder's, on bytes from outside
			inside, note = nil, "a signed mail could not be opened"
		}
	}()
	p, err := pkcs7.Parse(raw)
	switch {
	case err != nil && kind != "signed-data":
		return nil, "a part is sealed (S/MIME) and could not be opened"
	case err != nil:
		return nil, "a signed mail could not be opened"
	case len(p.Content) == 0 && len(p.Signers) == 0 && len(p.Certificates) == 0:
		return nil, sealed
	case len(p.Content) == 0:
		return nil, "" // certificates alone, or a signature that stands apart
	}
	return p.Content, "the signature was not checked"
}

// winmail opens Outlook's envelope. Its text counts where the mail has no
// other: Outlook mostly sends it outside too.
func (w *walker) winmail(r io.Reader, f file, depth int) (content, error) {
	// What is no TNEF after all is kept as it came.
	head := make([]byte, 4)
	n, err := io.ReadFull(r, head)
	all := io.MultiReader(bytes.NewReader(head[:n]), r)
	if err != nil || !bytes.Equal(head, []byte{0x78, 0x9f, 0x3e, 0x22}) || depth >= w.limits.Depth {
		return content{}, w.attachment(all, f)
	}
	var copied bytes.Buffer
	e := &envelope{walker: w, depth: depth}
	before := len(w.letter.Attachments)
	m, err := tnef.Read(io.TeeReader(all, &limited{&copied, maxDamaged}), e)
	if e.err != nil {
		return content{}, e.err
	}
	if err != nil {
		w.note("winmail.dat is damaged; what could be read of it was")
		if m.Empty() && len(w.letter.Attachments) == before && copied.Len() < maxDamaged {
			return content{}, w.attachment(&copied, f)
		}
	}
	c := content{last: true, text: w.cutText(e.texts.String())}
	if own := w.tnefText(m); own.page != "" || !own.blank() {
		own.last = true
		if c.blank() {
			return own, nil
		}
		own = own.shown(w.limits.Text)
		c.text, c.html = own.text+"\n\n"+c.text, own.html
	}
	return c, nil
}

// cutText counts text against the bound.
func (w *walker) cutText(s string) string {
	s = strings.ToValidUTF8(s[:min(len(s), max(0, w.limits.Text-w.texts))], "")
	w.texts += len(s)
	return s
}

// tnefText is the best form of the text within TNEF.
func (w *walker) tnefText(m tnef.Message) content {
	if len(m.HTML) > 0 {
		label := metaCharset(m.HTML)
		if enc := tnef.Encoding(m.Codepage); enc != nil && label == "" {
			if b, err := enc.NewDecoder().Bytes(m.HTML); err == nil {
				return content{page: w.cutText(string(b)), html: true}
			}
		}
		s, _ := decodeCharset(label, m.HTML, &w.hint)
		return content{page: w.cutText(s), html: true}
	}
	if len(m.RTF) > 0 {
		if b, err := rtf.Decompress(m.RTF); err == nil {
			s, html := rtf.Text(b, tnef.Encoding)
			if html {
				return content{page: w.cutText(s), html: true}
			}
			if strings.TrimSpace(s) != "" {
				return content{text: w.cutText(s)}
			}
		}
	}
	return content{text: w.cutText(strings.ReplaceAll(m.Body, "\r\n", "\n"))}
}

// envelope keeps what TNEF holds.
type envelope struct {
	*walker
	depth int
	texts strings.Builder // of mails within it
	err   error           // of the store: nothing that the envelope is to blame for
}

func (e *envelope) Put(r io.Reader) (int, error) {
	if e.parts++; e.parts > e.limits.Parts {
		return 0, fmt.Errorf("more than %d parts", e.limits.Parts)
	}
	if e.err = e.attachment(r, file{name: "file", mediaType: "application/octet-stream"}); e.err != nil {
		return 0, e.err
	}
	return len(e.letter.Attachments) - 1, nil
}

func (e *envelope) Name(id int, f tnef.File) {
	if id < 0 || id >= len(e.letter.Attachments) {
		return
	}
	a := &e.letter.Attachments[id]
	a.MediaType = oneLine(f.MediaType, 100)
	if a.MediaType == "" {
		a.MediaType = typeByName(f.Name)
	}
	if a.Detected == a.MediaType {
		a.Detected = ""
	}
	a.Filename, a.ContentID = e.filename(f.Name, a.MediaType), contentID(f.ContentID)
}

func (e *envelope) Message(r io.Reader) error {
	c, err := e.winmail(r, file{name: "message.tnef", mediaType: "application/ms-tnef"}, e.depth+1)
	if err != nil {
		e.err = err
		return err
	}
	if c = c.shown(e.limits.Text); !c.blank() {
		e.texts.WriteString("\n\n" + c.text)
	}
	return nil
}

// calendar keeps an invitation as the file that it is, and says what it is
// about where the mail has no other words.
func (w *walker) calendar(r io.Reader, ct value, f file) (content, error) {
	var head bytes.Buffer
	if f.name == "" {
		f.name = "invitation.ics"
	}
	if err := w.attachment(io.TeeReader(r, &limited{&head, maxCalendar}), f); err != nil {
		return content{}, err
	}
	s, _ := decodeCharset(ct.params["charset"], head.Bytes(), &w.hint)
	return content{text: w.cutText(event(s)), last: true}, nil
}

// eventFields are what is told of an event (RFC 5545 section 3.8), in this
// order.
var eventFields = []string{"SUMMARY", "DTSTART", "DTEND", "LOCATION", "ORGANIZER", "DESCRIPTION"}

// event says what an iCalendar object is about, a field a line.
func event(s string) string {
	s = strings.ReplaceAll(s, "\r\n", "\n")
	s = strings.NewReplacer("\n ", "", "\n\t", "").Replace(s) // RFC 5545 section 3.1: folded lines
	_, s, _ = strings.Cut(s, "BEGIN:VEVENT")
	found := map[string]string{}
	for line := range strings.Lines(s) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), ":")
		params := name
		name, _, _ = strings.Cut(strings.ToUpper(name), ";")
		if name == "END" || name == "BEGIN" {
			break // an alarm within has a description of its own
		}
		if name == "ORGANIZER" {
			if _, cn, has := strings.Cut(params, "CN="); has {
				cn, _, _ = strings.Cut(cn, ";")
				value = strings.Trim(cn, `"`) + " " + value
			}
		}
		if ok && found[name] == "" {
			found[name] = strings.NewReplacer(`\n`, "\n", `\N`, "\n", `\,`, ",", `\;`, ";", `\\`, `\`).Replace(value)
		}
	}
	var out strings.Builder
	for _, name := range eventFields {
		if v := strings.TrimSpace(found[name]); v != "" {
			fmt.Fprintf(&out, "%s: %s\n", name, v)
		}
	}
	return out.String()
}

var _ tnef.Keeper = (*envelope)(nil)
