package email

import (
	"context"
	"errors"
	"regexp"
	"strings"

	"hearken/channels/email/letter"
	"hearken/complaint"
)

// History books what happened to a complaint.
type History interface {
	// Book is once-only by id; the error is complaint.ErrUnknown where there is
	// no such complaint.
	Book(ctx context.Context, number, id, event string, details map[string]string) error
}

// EventFailed is what a bounce is booked as.
const eventFailed = "delivery_failed"

var (
	ourID      = regexp.MustCompile(`h\.\d{12}\.[0-9a-f]{16}\.[0-9a-f]{20}@[A-Za-z0-9.-]{1,255}`)
	statusCode = regexp.MustCompile(`\b([45]\.\d{1,3}\.\d{1,3})\b`)
	smtpCode   = regexp.MustCompile(`\b(5[05]\d)[ -]`)
)

// maxIDsLookedAt bounds how many Message-IDs of a bounce are verified.
const maxIDsLookedAt = 20

// bookFailure books a bounce, or a mail that was called spam, on the complaint
// that ours was about. One that is not about a mail of ours is nobody's: it is
// filed.
func (r *reader) bookFailure(ctx context.Context, l *letter.Letter, id string) error {
	number, reply := r.returned(l)
	if number == "" {
		return nil
	}
	reason := failureReason(l)
	err := r.deps.History.Book(ctx, number, id, eventFailed, map[string]string{"channel": complaint.Email, "reply": reply, "reason": reason})
	if errors.Is(err, complaint.ErrUnknown) {
		return nil // forgotten by now, or from another installation
	}
	if err != nil {
		return err
	}
	r.deps.Audit.DeliveryFailed(complaint.Email, number, reason)
	return nil
}

// returned finds which mail of ours a bounce is about: the report says it, the
// thread shows it, or its text repeats our header.
func (e *Email) returned(l *letter.Letter) (number, reply string) {
	var ids []string
	if rep := reported(l); rep != nil {
		ids = append(ids, rep.Original)
	}
	ids = append(append(ids, l.InReplyTo...), l.References...)
	ids = append(ids, ourID.FindAllString(l.Text, maxIDsLookedAt)...)
	for _, id := range ids[:min(len(ids), maxIDsLookedAt)] {
		if n, ok := e.ids.number(id); ok {
			return n, strings.Split(id, ".")[2]
		}
	}
	return "", ""
}

// reported is what a report says, be it one of RFC 3464 or only have its parts.
func reported(l *letter.Letter) *letter.Report {
	if l.Report != nil {
		return l.Report
	}
	return l.Loose
}

// failureReason is what the other side said, without the customer's address.
func failureReason(l *letter.Letter) string {
	status, said := "", ""
	if rep := reported(l); rep != nil {
		if rep.Type == "feedback-report" {
			return "the recipient's provider reports the mail as unwanted"
		}
		status, said = rep.Status, rep.Reason
	}
	if status == "" {
		if m := statusCode.FindStringSubmatch(l.Text); m != nil {
			status = m[1]
		} else if m := smtpCode.FindStringSubmatch(l.Text); m != nil {
			status = m[1]
		}
	}
	said = addressLike.ReplaceAllString(said, "(recipient)")
	switch {
	case status == "" && said == "":
		return "returned; the reason is in the bounce"
	case said == "":
		return "returned: " + status
	case status == "" || strings.Contains(said, status):
		return "returned: " + said
	}
	return "returned: " + status + " " + said
}

var addressLike = regexp.MustCompile(`<?[^\s<>@]{1,64}@[^\s<>@]{1,255}>?`)
