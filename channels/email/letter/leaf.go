package letter

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/emersion/go-message/textproto"
)

// leaf reads a part that holds no others.
func (w *walker) leaf(fields textproto.Header, ct value, b *body) (content, error) {
	disposition := parseValue(fields.Get("Content-Disposition"), &w.hint)
	r, known := transferReader(fields.Get("Content-Transfer-Encoding"), b)
	if !known {
		w.note("a part has an unknown transfer encoding and was read as it stands")
	}
	name := disposition.params["filename"]
	if name == "" {
		name = ct.params["name"]
	}
	switch ct.main {
	case "message/delivery-status", "message/feedback-report", "message/disposition-notification", "text/rfc822-headers":
		if w.letter.Report != nil {
			return content{}, w.status(r)
		}
	case "application/pkcs7-signature", "application/x-pkcs7-signature", "application/pgp-signature":
		w.note("a signature was not checked; it is in the original only")
		return content{}, nil
	case "application/pkcs7-mime", "application/x-pkcs7-mime":
		if t := strings.ToLower(ct.params["smime-type"]); t == "enveloped-data" || t == "authenveloped-data" {
			w.note("the mail is encrypted and could not be read")
		}
	case "application/pgp-encrypted":
		w.note("the mail is encrypted and could not be read")
	}
	if w.readable(ct, disposition) {
		return w.text(r, ct)
	}
	return content{}, w.attachment(r, name, ct.main)
}

// readable tells the text of the mail from a text that is attached to it.
func (w *walker) readable(ct, disposition value) bool {
	switch {
	case !strings.HasPrefix(ct.main, "text/") || ct.main == "text/calendar" || disposition.main == "attachment":
		return false
	case ct.main == "text/html" || disposition.params["filename"] == "" && ct.params["name"] == "":
		return true
	}
	// A named text is a file, but some programs name the mail's own text too.
	return w.texts == 0 && disposition.main == ""
}

// text reads a text part.
func (w *walker) text(r io.Reader, ct value) (content, error) {
	room := w.limits.Text - w.texts
	raw, err := io.ReadAll(io.LimitReader(r, int64(room)+1))
	if err != nil {
		return content{}, err
	}
	if len(raw) > room {
		raw = raw[:room]
		w.note(fmt.Sprintf("the text is longer than %d bytes; the rest is in the original only", w.limits.Text))
	}
	return w.textOf(raw, ct), nil
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
	case ct.main == "text/html":
		return content{page: s, html: true}
	case strings.EqualFold(ct.params["format"], "flowed"):
		s = unflow(s, strings.EqualFold(ct.params["delsp"], "yes"))
	}
	return content{text: s}
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
