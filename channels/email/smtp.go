package email

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"golang.org/x/time/rate"

	"hearken/channels/email/access"
	"hearken/channels/email/mailbox"
	"hearken/complaint"
)

// errSenderRefused says that the server does not take the envelope's sender.
var errSenderRefused = errors.New("the server refused the sender")

// mailer hands mails to one SMTP server.
type mailer struct {
	cfg    SMTP
	tokens *access.Tokens // instead of a password; nil for none
	pace   *rate.Limiter
}

// perMinute is how many mails are sent within a minute where nothing is set.
const perMinute = 120

func newMailer(cfg SMTP, tokens *access.Tokens) mailer {
	n := cfg.PerMinute
	if n == 0 {
		n = perMinute
	}
	return mailer{cfg: cfg, tokens: tokens, pace: rate.NewLimiter(rate.Limit(float64(n)/60), max(1, n/4))}
}

// send delivers one mail in one connection. Its errors never name the
// recipient.
func (m mailer) send(ctx context.Context, from, to string, mail []byte) error {
	if err := m.pace.Wait(ctx); err != nil {
		return fmt.Errorf("wait for its turn (smtp.per_minute): %w", err)
	}
	c, err := m.dial(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.Hello(hostname()); err != nil {
		return m.fault("greeted", to, err)
	}
	if err := m.login(ctx, c); err != nil {
		// Passwords get corrected: worth another try.
		return fmt.Errorf("log in to %s (check smtp.username and smtp.password): %s", m.cfg.Addr, mask(err, to))
	}
	options := &smtp.MailOptions{Size: int64(len(mail))}
	for i := range len(to) {
		if to[i] >= 0x80 {
			if ok, _ := c.Extension("SMTPUTF8"); !ok {
				return complaint.Permanent(fmt.Errorf("%w: %s takes no addresses beyond ASCII", complaint.ErrUnreachable, m.cfg.Addr))
			}
			options.UTF8 = true
			break
		}
	}
	if err := c.Mail(from, options); err != nil {
		if code(err) >= 500 {
			return complaint.Permanent(fmt.Errorf("%w: %s", errSenderRefused, mask(err, to)))
		}
		return m.fault("was told the sender", to, err)
	}
	if err := c.Rcpt(to, nil); err != nil {
		if code(err) >= 500 {
			return complaint.Permanent(fmt.Errorf("%w: %s", complaint.ErrUnreachable, mask(err, to)))
		}
		return m.fault("was told the recipient", to, err)
	}
	w, err := c.Data()
	if err != nil {
		return m.fault("was offered the mail", to, err)
	}
	if _, err := w.Write(mail); err != nil {
		return m.fault("was given the mail", to, err)
	}
	if err := w.Close(); err != nil {
		return m.fault("had the mail", to, err)
	}
	_ = c.Quit() // the mail is theirs
	return nil
}

func (m mailer) dial(ctx context.Context) (*smtp.Client, error) {
	config, err := access.TLS(m.cfg.Addr, m.cfg.CAFile)
	if err != nil {
		return nil, err
	}
	var conn net.Conn
	if orDefault(m.cfg.TLS, mailbox.TLSImplicit) == mailbox.TLSImplicit {
		conn, err = (&tls.Dialer{Config: config}).DialContext(ctx, "tcp", m.cfg.Addr)
	} else {
		conn, err = (&net.Dialer{}).DialContext(ctx, "tcp", m.cfg.Addr)
	}
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", m.cfg.Addr, err)
	}
	// go-smtp knows no context: closing the connection ends any call.
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	conn = &watched{conn, stop}
	var c *smtp.Client
	if m.cfg.TLS == mailbox.TLSStart {
		if c, err = smtp.NewClientStartTLS(conn, config); err != nil {
			conn.Close()
			return nil, fmt.Errorf("start TLS with %s: %w", m.cfg.Addr, err)
		}
	} else {
		c = smtp.NewClient(conn)
	}
	c.CommandTimeout, c.SubmissionTimeout = time.Minute, sendTime
	return c, nil
}

// watched ends its watch with the connection.
type watched struct {
	net.Conn
	stop func() bool
}

func (w *watched) Close() error {
	w.stop()
	return w.Conn.Close()
}

func (m mailer) login(ctx context.Context, c *smtp.Client) error {
	if m.tokens != nil {
		token, err := m.tokens.Token(ctx)
		if err != nil {
			return err
		}
		err = c.Auth(m.tokens.Client(m.cfg.Addr, m.cfg.Username, token))
		if err != nil {
			m.tokens.Forget()
		}
		return err
	}
	user, pass := m.cfg.Username, m.cfg.Password.Reveal()
	switch {
	case user == "":
		return nil
	case c.SupportsAuth(sasl.Plain):
		return c.Auth(sasl.NewPlainClient("", user, pass))
	case c.SupportsAuth(sasl.Login):
		return c.Auth(sasl.NewLoginClient(user, pass))
	}
	return errors.New("the server offers neither PLAIN nor LOGIN on this connection")
}

// fault marks what the server refuses for good (RFC 5321 section 4.2.1).
func (m mailer) fault(when, to string, err error) error {
	out := fmt.Errorf("%s, when it %s: %s", m.cfg.Addr, when, mask(err, to))
	if code(err) >= 500 {
		return complaint.Permanent(out)
	}
	return out
}

func code(err error) int {
	var e *smtp.SMTPError
	if errors.As(err, &e) {
		return e.Code
	}
	return 0
}

// mask is an error's text without the customer's address, which servers like
// to repeat.
func mask(err error, to string) string {
	text := err.Error()
	var e *smtp.SMTPError
	if errors.As(err, &e) {
		text = fmt.Sprintf("%d %s", e.Code, e.Message)
	}
	var b bytes.Buffer
	for lower := strings.ToLower(text); ; {
		i := strings.Index(lower, strings.ToLower(to))
		if i < 0 || len(lower) != len(text) {
			b.WriteString(text)
			break
		}
		b.WriteString(text[:i] + "(recipient)")
		text, lower = text[i+len(to):], lower[i+len(to):]
	}
	if b.Len() > 300 {
		b.Truncate(300)
	}
	return strings.ToValidUTF8(b.String(), "")
}

func hostname() string {
	h, err := os.Hostname()
	if err != nil || !plainHost(h) {
		return "localhost"
	}
	return h
}

func plainHost(h string) bool {
	for _, c := range h {
		if c != '-' && c != '.' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return h != ""
}
