package email

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/idna"

	"hearken/channels/email/letter"
	"hearken/complaint"
)

// sendTime bounds the sending of one mail, connection and all.
const sendTime = 2 * time.Minute

// Send mails a reply. Its Message-ID follows from the reply alone: an attempt
// after one whose outcome is unknown sends the same mail, which mail programs
// show once. An error is temporary unless marked; complaint.ErrUnreachable
// says that the server refused the recipient.
func (e *Email) Send(ctx context.Context, r complaint.Reply) error {
	if e.cfg.SMTP.Addr == "" {
		return complaint.Permanent(fmt.Errorf("send mail for %s: channel %s has no smtp.addr", r.Number, e.cfg.Name))
	}
	to, err := recipient(r.To.Email)
	if err != nil {
		return complaint.Permanent(fmt.Errorf("send mail for %s: %w: %w", r.Number, complaint.ErrUnreachable, err))
	}
	if strings.EqualFold(to, e.cfg.Address) {
		return complaint.Permanent(fmt.Errorf("send mail for %s: the recipient is this mailbox itself", r.Number))
	}
	if r.Kind == complaint.ReplyReceipt && !e.rate.take(strings.ToLower(to), time.Now()) {
		// Not an error: more would help nobody, and the complaint is registered.
		e.deps.Audit.Rejected(complaint.Email, e.cfg.Name, "receipt not sent: too many to one address within an hour")
		return nil
	}
	mail, err := e.compose(r, to)
	if err != nil {
		return complaint.Permanent(fmt.Errorf("write mail for %s: %w", r.Number, err))
	}
	from := e.cfg.Address
	if r.Kind == complaint.ReplyReceipt {
		from = "" // RFC 3834 section 3.3: nobody answers a machine's answer
	}
	ctx, cancel := context.WithTimeout(ctx, sendTime)
	defer cancel()
	err = e.mailer.send(ctx, from, to, mail)
	if from == "" && errors.Is(err, errSenderRefused) {
		// Some providers let nobody send with a null return path.
		err = e.mailer.send(ctx, e.cfg.Address, to, mail)
	}
	if err != nil {
		if r.Kind == complaint.ReplyReceipt {
			e.rate.giveBack(strings.ToLower(to))
		}
		return fmt.Errorf("send mail for %s: %w", r.Number, err)
	}
	return nil
}

// recipient makes an address fit for SMTP: domains of other scripts in their
// ASCII form (RFC 5891).
func recipient(addr string) (string, error) {
	if !letter.ValidAddress(addr) {
		return "", errors.New("the customer's address is not one that mail can be sent to")
	}
	at := strings.LastIndexByte(addr, '@')
	domain, err := idna.Lookup.ToASCII(addr[at+1:])
	if err != nil {
		return "", errors.New("the domain of the customer's address is not valid")
	}
	return addr[:at+1] + domain, nil
}

// hourly counts what goes to each address within an hour.
type hourly struct {
	mu    sync.Mutex
	limit int
	sent  map[string][]time.Time
}

func newHourly(limit int) *hourly {
	return &hourly{limit: limit, sent: map[string][]time.Time{}}
}

// sweepAt is how many addresses are remembered before those whose hour is
// over are cleared away.
const sweepAt = 10_000

// take counts one more, or says no.
func (h *hourly) take(addr string, now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.sent) > sweepAt {
		for a, times := range h.sent {
			if now.Sub(times[len(times)-1]) >= time.Hour {
				delete(h.sent, a)
			}
		}
	}
	times := h.sent[addr]
	for len(times) > 0 && now.Sub(times[0]) >= time.Hour {
		times = times[1:]
	}
	if len(times) >= h.limit {
		return false
	}
	h.sent[addr] = append(times, now)
	return true
}

// giveBack takes back the last count: the mail was not sent.
func (h *hourly) giveBack(addr string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if times := h.sent[addr]; len(times) > 1 {
		h.sent[addr] = times[:len(times)-1]
	} else {
		delete(h.sent, addr)
	}
}
