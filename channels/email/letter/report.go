package letter

import (
	"bytes"
	"io"
	"strings"

	"github.com/emersion/go-message/textproto"
)

// reportParts are the machine's parts of reports (RFC 3464, 5965, 6533, 8098).
var reportParts = map[string]func(*Report, textproto.Header){
	"message/delivery-status": delivery, "message/global-delivery-status": delivery, "message/feedback-report": feedback,
	"message/disposition-notification": original, "message/global-disposition-notification": original,
	"text/rfc822-headers": original, "text/rfc822-header": original, "message/rfc822-headers": original, "message/global-headers": original,
}

// reportPart reads a part of a report. In a mail that is none it is a file too.
func (w *walker) reportPart(kind string, r io.Reader, f file) error {
	if w.letter.Report != nil {
		return w.status(kind, r)
	}
	var copied bytes.Buffer
	if err := w.attachment(io.TeeReader(r, &limited{&copied, maxReport}), f); err != nil {
		return err
	}
	return w.status(kind, &copied)
}

// status reads the machine's part of a report: groups of fields, apart by
// empty lines (RFC 3464 section 2.1), or the header of the returned mail.
func (w *walker) status(kind string, r io.Reader) error {
	raw, err := io.ReadAll(io.LimitReader(r, maxReport))
	if err != nil {
		return err
	}
	rep := w.letter.Report
	if rep == nil {
		rep = w.loose()
	}
	groups := newLines(bytes.NewReader(raw))
	for range maxFields {
		group := groups.header(maxReport)
		groups.back = nil // what is no field tells nothing
		reportParts[kind](rep, group.fields)
		if group.closed {
			break
		}
	}
	return nil
}

// loose is the report in a mail that is none itself.
func (w *walker) loose() *Report {
	if w.letter.Loose == nil {
		w.letter.Loose = &Report{}
	}
	return w.letter.Loose
}

// delivery reads the fields of a recipient. One whom the mail did not reach
// counts more than those whom it did.
func delivery(rep *Report, fields textproto.Header) {
	action := firstWord(fields.Get("Action"))
	if action != "" && (rep.Action == "" || action == "failed" && rep.Action != "failed") {
		rep.Action, rep.Status, rep.Reason = action, "", ""
	}
	if rep.Status == "" {
		rep.Status = firstWord(fields.Get("Status"))
	}
	if rep.Reason == "" {
		_, said, _ := strings.Cut(fields.Get("Diagnostic-Code"), ";") // its type: smtp
		rep.Reason = oneLine(decodeWords(said, nil), 300)
	}
	original(rep, fields)
}

// firstWord is a field's value without the comments that some programs add.
func firstWord(s string) string {
	s = oneLine(s, 40)
	if i := strings.IndexAny(s, " (;"); i > 0 {
		s = s[:i]
	}
	return strings.ToLower(s)
}

func feedback(rep *Report, fields textproto.Header) {
	if rep.Action == "" {
		rep.Action = firstWord(fields.Get("Feedback-Type"))
	}
	original(rep, fields)
}

func original(rep *Report, fields textproto.Header) {
	for _, name := range []string{"Original-Message-Id", "Message-Id"} {
		if id := first(threadIDs(fields.Get(name))); id != "" && rep.Original == "" {
			rep.Original = id
		}
	}
}
