package letter

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"

	"github.com/emersion/go-message/textproto"
)

// status reads the machine's part of a report: groups of fields, apart by
// empty lines (RFC 3464 section 2.1), or the header of the returned mail.
func (w *walker) status(r io.Reader) error {
	raw, err := io.ReadAll(io.LimitReader(r, maxReport))
	if err != nil {
		return err
	}
	rep := w.letter.Report
	br := bufio.NewReader(bytes.NewReader(raw))
	for range maxFields {
		fields, err := textproto.ReadHeader(br)
		if s := fields.Get("Action"); rep.Action == "" {
			rep.Action = strings.ToLower(oneLine(s, 40))
		}
		if s := fields.Get("Status"); rep.Status == "" {
			rep.Status = oneLine(s, 40)
		}
		if s := fields.Get("Diagnostic-Code"); rep.Reason == "" {
			_, s, _ = strings.Cut(s, ";") // its type: smtp
			rep.Reason = oneLine(s, 300)
		}
		for _, name := range []string{"Message-Id", "Original-Message-Id"} {
			if id := first(messageIDs(fields.Get(name))); id != "" && rep.Original == "" {
				rep.Original = id
			}
		}
		if _, peekErr := br.Peek(1); err != nil && !errors.Is(err, io.EOF) || peekErr != nil {
			break
		}
	}
	return nil
}
