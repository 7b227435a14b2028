package letter

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"path"
	"regexp"
	"strings"
	"sync"

	"hearken/channels/email/letter/textfile"

	"github.com/emersion/go-message/textproto"
)

// leaf reads a part that holds no others.
func (w *walker) leaf(fields textproto.Header, ct value, b *body, depth int) (content, error) {
	encoding := fields.Get("Content-Transfer-Encoding")
	r, known := transferReader(encoding, b)
	defer done(r)
	switch _, base64 := r.(*unbase64); {
	case base64 && !encodedAtAll(w.peek()):
		w.note("a part says that it is base64, which it is not; it was read as it stands")
		r = b
	case !known && textfile.Encoding(transferName(encoding)) && textfile.Has(w.peek()):
		return w.unwrapped(fields, ct, b, depth)
	case !known:
		w.note("a part has an unknown transfer encoding and was read as it stands")
	}
	return w.part(fields, ct, r, depth)
}

// unwrapped reads a part that is uuencoded as a whole. Its name counts where
// its header has none.
func (w *walker) unwrapped(fields textproto.Header, ct value, b *body, depth int) (c content, err error) {
	found := false
	_, _, err = textfile.Split(b, 0, func(name string, r io.Reader) error {
		if found {
			return nil // what follows the file
		}
		found = true
		if ct.params["name"] == "" && ct.main != "text/plain" {
			ct.params["name"] = oneLine(decodeWords(name, &w.hint), maxFilename)
		}
		var err error
		c, err = w.part(fields, ct, r, depth)
		return err
	})
	return c, err
}

// part is leaf, of what the transfer encoding hid.
func (w *walker) part(fields textproto.Header, ct value, r io.Reader, depth int) (content, error) {
	disposition := parseValue(fields.Get("Content-Disposition"), &w.hint)
	f := w.fileOf(fields, ct, disposition)
	if reportParts[ct.main] != nil {
		return content{}, w.reportPart(ct.main, r, f)
	}
	switch ct.main {
	case "text/x-amp-html", "text/watch-html":
		if w.within == "multipart/alternative" {
			return content{}, nil // another form of what the page says
		}
	case "application/pkcs7-signature", "application/x-pkcs7-signature", "application/pgp-signature":
		w.note("the signature was not checked")
	case "application/pkcs7-mime", "application/x-pkcs7-mime":
		return w.smime(r, ct, f, depth)
	case "message/partial": // RFC 2046 section 5.2.2
		w.note("the mail is a piece of one that was sent in several")
	case "application/pgp-encrypted":
		w.note("the mail is encrypted and could not be read")
	case "application/ms-tnef", "application/vnd.ms-tnef":
		return w.winmail(r, f, depth)
	case "text/calendar", "application/ics":
		return w.calendar(r, ct, f)
	}
	switch {
	case w.readable(ct, disposition):
		return w.text(r, ct)
	case ct.main == "text/plain" && disposition.main == "inline" && w.texts == 0:
		return w.shownFile(r, ct, f)
	case strings.EqualFold(f.name, "winmail.dat"):
		return w.winmail(r, f, depth)
	case strings.EqualFold(f.name, "smime.p7m"):
		return w.smime(r, ct, f, depth)
	}
	return content{}, w.attachment(r, f)
}

// fileOf is what a part says of itself as a file.
func (w *walker) fileOf(fields textproto.Header, ct, disposition value) file {
	f := file{name: disposition.params["filename"], mediaType: ct.main, id: contentID(fields.Get("Content-Id"))}
	if f.name == "" {
		f.name = ct.params["name"]
	}
	if f.name == "" {
		f.name = w.nameElsewhere(fields)
	}
	f.inline = disposition.main == "inline" || disposition.main != "attachment" && w.within == "multipart/related"
	return f
}

// shownFile keeps a text that has a name and is to be seen within the mail. It
// is the mail's text where the mail has no other.
func (w *walker) shownFile(r io.Reader, ct value, f file) (content, error) {
	var copied bytes.Buffer
	if err := w.attachment(io.TeeReader(r, &limited{&copied, w.limits.Text}), f); err != nil {
		return content{}, err
	}
	s, _ := decodeCharset(ct.params["charset"], copied.Bytes(), &w.hint)
	return content{text: strings.ReplaceAll(s, "\r\n", "\n"), last: true}, nil
}

// nameElsewhere is a file's name where programs put it beside its place: into
// the description (RFC 2045 section 8) or the location (RFC 2557).
func (w *walker) nameElsewhere(fields textproto.Header) string {
	for _, field := range []string{"Content-Description", "Content-Location"} {
		s := oneLine(decodeWords(fields.Get(field), &w.hint), maxFilename)
		if field == "Content-Location" {
			s, _, _ = strings.Cut(s, "?")
			s = path.Base(s)
		}
		if ext := path.Ext(s); len(ext) > 2 && len(ext) < len(s) && mime.TypeByExtension(ext) != "" {
			return s
		}
	}
	return ""
}

// contentID is a Content-ID (RFC 2045 section 7) without its angle brackets.
func contentID(s string) string {
	if id := looseID(s); id != "" {
		return id
	}
	return ""
}

// readable tells the text of the mail from a text that is attached to it.
func (w *walker) readable(ct, disposition value) bool {
	switch {
	case !strings.HasPrefix(ct.main, "text/") || textFiles[ct.main]:
		return false
	case disposition.main == "attachment":
		// The mail's only part, without a name, is its text, whatever a
		// program calls it.
		return w.within == "" && disposition.params["filename"] == "" && ct.params["name"] == ""
	case disposition.params["filename"] == "" && ct.params["name"] == "":
		return true
	case w.within == "multipart/alternative", ct.main == "text/html" && (w.texts == 0 || w.within != "multipart/mixed"):
		return true
	}
	// A named text is a file, but some programs name the mail's own text too.
	return w.texts == 0 && disposition.main == ""
}

// textFiles are the types of text that are for programs.
var textFiles = map[string]bool{
	"text/rtf": true, "text/vcard": true, "text/x-vcard": true, "text/directory": true, "text/csv": true, "text/tab-separated-values": true,
	"text/xml": true, "text/css": true, "text/javascript": true, "text/x-amp-html": true, "text/watch-html": true,
}

// buffers are those whose text has been decoded, keptBuffer how large one may
// be to be kept.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

const keptBuffer = 64 << 10

// text reads a text part. A file that was put into the text itself is taken
// out.
func (w *walker) text(r io.Reader, ct value) (content, error) {
	room := w.limits.Text - w.texts
	buf := buffers.Get().(*bytes.Buffer)
	defer func() {
		if buf.Reset(); buf.Cap() <= keptBuffer {
			buffers.Put(buf)
		}
	}()
	if _, err := buf.ReadFrom(io.LimitReader(r, int64(room)+1)); err != nil {
		return content{}, err
	}
	raw, more := buf.Bytes(), buf.Len() > room
	if ct.main != "text/html" && textfile.Has(raw) {
		var err error
		raw, more, err = textfile.Split(io.MultiReader(bytes.NewReader(raw), r), room, func(name string, r io.Reader) error {
			return w.attachment(r, file{name: oneLine(decodeWords(name, &w.hint), maxFilename), mediaType: typeByName(name)})
		})
		if err != nil {
			return content{}, err
		}
	}
	if more {
		raw = raw[:min(room, len(raw))]
		w.note(fmt.Sprintf("the text is longer than %d bytes; the rest is in the original only", w.limits.Text))
	}
	return w.textOf(raw, ct), nil
}

// typeByName is what a file's name says of its type.
func typeByName(name string) string {
	if t, _, err := mime.ParseMediaType(mime.TypeByExtension(path.Ext(name))); err == nil {
		return t
	}
	return "application/octet-stream"
}

func (w *walker) textOf(raw []byte, ct value) content {
	w.texts += len(raw)
	label := ct.params["charset"]
	if ct.main == "text/html" && label == "" {
		label = metaCharset(raw)
	}
	s, note := decodeCharset(label, raw, &w.hint)
	if note != "" {
		w.note(note)
	}
	if !lies(cleanLabel(label), raw) { // or it tells nothing of the header
		w.hint.learn(label)
	}
	for _, end := range []string{"\r\r\n", "\r\n", "\r"} { // the first of mail that was converted once too often
		s = strings.ReplaceAll(s, end, "\n")
	}
	s = strings.ReplaceAll(s, "\x00", "")
	switch {
	case ct.main == "text/html" || isPage(s):
		w.seeCIDs(s)
		return content{page: s, html: true}
	case ct.main == "text/enriched", ct.main == "text/richtext":
		return content{text: enriched(s)}
	case strings.EqualFold(ct.params["format"], "flowed"):
		s = unflow(s, strings.EqualFold(ct.params["delsp"], "yes"))
	}
	return content{text: w.unarmour(s)}
}

// isPage tells whether a text that says it is plain is HTML all the same.
func isPage(s string) bool {
	s = strings.TrimLeft(s[:min(len(s), 300)], " \t\n\ufeff")
	if _, page, ok := strings.Cut(s, "?>"); ok && strings.HasPrefix(s, "<?xml") {
		s = strings.TrimLeft(page, " \t\n")
	}
	for _, start := range []string{"<!doctype html", "<html"} {
		if len(s) >= len(start) && strings.EqualFold(s[:len(start)], start) {
			return true
		}
	}
	return false
}

var enrichedTag = regexp.MustCompile(`<(/?[A-Za-z-]{1,60}|<)>?`)

// enriched reads text/enriched (RFC 1896): commands in angle brackets, and
// line ends that count from the second on.
func enriched(s string) string {
	s = enrichedTag.ReplaceAllStringFunc(s, func(tag string) string {
		if strings.HasPrefix(tag, "<<") {
			return "<"
		}
		return ""
	})
	var out strings.Builder
	for i := 0; i < len(s); {
		n := 0
		for i+n < len(s) && s[i+n] == '\n' {
			n++
		}
		switch {
		case n == 0:
			out.WriteByte(s[i])
			n = 1
		case n == 1:
			out.WriteByte(' ')
		default:
			out.WriteString(s[i+1 : i+n])
		}
		i += n
	}
	return out.String()
}

// Lines of PGP's armour (RFC 9580 section 6.2).
const (
	pgpSigned    = "-----BEGIN PGP SIGNED MESSAGE-----"
	pgpSignature = "-----BEGIN PGP SIGNATURE-----"
	pgpMessage   = "-----BEGIN PGP MESSAGE-----"
)

// unarmour takes PGP's armour off a signed text (RFC 9580 section 7).
func (w *walker) unarmour(s string) string {
	if strings.HasPrefix(strings.TrimSpace(s), pgpMessage) {
		w.note("the mail is encrypted and could not be read")
		return s
	}
	before, signed, ok := strings.Cut(s, pgpSigned+"\n")
	if !ok {
		return s
	}
	_, signed, ok = strings.Cut(signed, "\n\n") // fields like "Hash: SHA256"
	if !ok {
		return s
	}
	w.note("the signature was not checked")
	after := ""
	if i := strings.Index(signed, pgpSignature); i >= 0 {
		_, after, _ = strings.Cut(signed[i:], "-----END PGP SIGNATURE-----")
		signed = signed[:i]
	}
	signed = strings.ReplaceAll("\n"+signed, "\n- ", "\n")[1:]
	return before + signed + after
}

// metaCharset finds the charset that an HTML page declares itself.
func metaCharset(raw []byte) string {
	top := bytes.ToLower(raw[:min(len(raw), 2048)])
	_, after, ok := bytes.Cut(top, []byte("charset="))
	if !ok {
		return ""
	}
	after = bytes.TrimLeft(after, "\"' ")
	if end := bytes.IndexAny(after, "\"' >;/"); end >= 0 {
		return string(after[:end])
	}
	return ""
}
