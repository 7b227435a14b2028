package letter

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"path"
	"regexp"
	"strings"

	"hearken/channels/email/letter/textfile"

	"github.com/emersion/go-message/textproto"
)

// leaf reads a part that holds no others.
func (w *walker) leaf(fields textproto.Header, ct value, b *body, depth int) (content, error) {
	disposition := parseValue(fields.Get("Content-Disposition"), &w.hint)
	r, known := transferReader(fields.Get("Content-Transfer-Encoding"), b)
	if !known {
		w.note("a part has an unknown transfer encoding and was read as it stands")
	}
	f := file{name: disposition.params["filename"], mediaType: ct.main, id: contentID(fields.Get("Content-Id"))}
	if f.name == "" {
		f.name = ct.params["name"]
	}
	f.inline = disposition.main == "inline" || disposition.main != "attachment" && w.within == "multipart/related"
	switch ct.main {
	case "message/delivery-status", "message/feedback-report", "message/disposition-notification", "text/rfc822-headers":
		if w.letter.Report != nil {
			return content{}, w.status(r)
		}
	case "application/pkcs7-signature", "application/x-pkcs7-signature", "application/pgp-signature":
		w.note("the signature was not checked")
	case "application/pkcs7-mime", "application/x-pkcs7-mime":
		return w.smime(r, ct, f, depth)
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
	case strings.EqualFold(f.name, "winmail.dat"):
		return w.winmail(r, f, depth)
	case strings.EqualFold(f.name, "smime.p7m"):
		return w.smime(r, ct, f, depth)
	}
	return content{}, w.attachment(r, f)
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
	case !strings.HasPrefix(ct.main, "text/") || disposition.main == "attachment":
		return false
	case ct.main == "text/rtf", ct.main == "text/x-vcard", ct.main == "text/vcard", ct.main == "text/directory", ct.main == "text/x-amp-html", ct.main == "text/watch-html":
		return false
	case ct.main == "text/html" || disposition.params["filename"] == "" && ct.params["name"] == "":
		return true
	}
	// A named text is a file, but some programs name the mail's own text too.
	return w.texts == 0 && disposition.main == ""
}

// text reads a text part. A file that was put into the text itself is taken
// out.
func (w *walker) text(r io.Reader, ct value) (content, error) {
	room := w.limits.Text - w.texts
	raw, err := io.ReadAll(io.LimitReader(r, int64(room)+1))
	if err != nil {
		return content{}, err
	}
	more := len(raw) > room
	if ct.main != "text/html" && textfile.Has(raw) {
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
	w.hint.learn(label)
	s = strings.ReplaceAll(s, "\r\n", "\n")
	s = strings.ReplaceAll(s, "\r", "\n")
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
