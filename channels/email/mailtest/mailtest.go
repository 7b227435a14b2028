// Package mailtest is a small mail server inside the process: SMTP in, IMAP
// out, on loopback, all in memory. The demo has its customers and the support
// mailbox on it, and tests of the usual ways use it. It hides both protocols.
package mailtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// Bounds of a server that lives in memory.
const (
	maxMail = 64 << 20 // bytes
	maxKept = 1000     // mails that Received remembers for an address
)

// Account is a mailbox. Its user name is its address.
type Account struct {
	Address  string
	Password string
}

// Server is a running mail server. Make one with Start and end it with Close.
type Server struct {
	IMAPAddr, SMTPAddr string // host:port

	close func() error
	users map[string]*user

	mu       sync.Mutex
	received map[string][][]byte
	changed  chan struct{} // closed and made anew with every delivery
	refuse   func(from, to string) error
}

type user struct {
	*imapmemserver.User
	password string
}

// Start starts the server with these accounts.
func Start(accounts ...Account) (*Server, error) {
	s := &Server{users: map[string]*user{}, received: map[string][][]byte{}, changed: make(chan struct{})}
	mem := imapmemserver.New()
	for _, a := range accounts {
		u := imapmemserver.NewUser(a.Address, a.Password)
		if err := u.Create("INBOX", nil); err != nil {
			return nil, fmt.Errorf("start the mail server: %w", err)
		}
		mem.AddUser(u)
		s.users[strings.ToLower(a.Address)] = &user{u, a.Password}
	}
	imapListener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("start the mail server: %w", err)
	}
	smtpListener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		_ = imapListener.Close()
		return nil, fmt.Errorf("start the mail server: %w", err)
	}
	s.IMAPAddr, s.SMTPAddr = imapListener.Addr().String(), smtpListener.Addr().String()
	imapServer := imapserver.New(&imapserver.Options{
		NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			return reading{mem.NewSession().(imapserver.SessionIMAP4rev2)}, nil, nil
		},
		Caps:         imap.CapSet{imap.CapIMAP4rev1: {}, imap.CapIMAP4rev2: {}},
		InsecureAuth: true, // loopback
		Logger:       silent{},
	})
	smtpServer := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &session{server: s}, nil }))
	smtpServer.Domain = "localhost"
	smtpServer.AllowInsecureAuth = true
	smtpServer.MaxMessageBytes = maxMail
	smtpServer.MaxRecipients = 100
	smtpServer.ReadTimeout, smtpServer.WriteTimeout = time.Minute, time.Minute
	smtpServer.ErrorLog = silent{}
	var ends sync.WaitGroup
	ends.Go(func() { _ = imapServer.Serve(imapListener) }) // ends by Close
	ends.Go(func() { _ = smtpServer.Serve(smtpListener) })
	s.close = sync.OnceValue(func() error {
		err := errors.Join(imapServer.Close(), smtpServer.Close())
		ends.Wait()
		return err
	})
	return s, nil
}

// reading is one IMAP connection. go-imap's own Idle forgets what arrived
// between the last command and the IDLE.
type reading struct {
	imapserver.SessionIMAP4rev2
}

// idleTick is how late an IDLE may tell of a mail.
const idleTick = 20 * time.Millisecond

func (r reading) Idle(w *imapserver.UpdateWriter, stop <-chan struct{}) error {
	tick := time.NewTicker(idleTick)
	defer tick.Stop()
	for {
		if err := r.Poll(w, true); err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-stop:
			return nil
		}
	}
}

type silent struct{}

func (silent) Printf(string, ...any) {}
func (silent) Println(...any)        {}

// Close ends the server and all its connections. It may be called again.
func (s *Server) Close() error {
	if err := s.close(); err != nil {
		return fmt.Errorf("stop the mail server: %w", err)
	}
	return nil
}

// Deliver puts a mail into the INBOX of an account, as SMTP does.
func (s *Server) Deliver(to string, mail []byte) error {
	u := s.users[strings.ToLower(to)]
	if u == nil {
		return fmt.Errorf("deliver a mail: there is no account %q", to)
	}
	if _, err := u.Append("INBOX", literal{bytes.NewReader(mail), int64(len(mail))}, &imap.AppendOptions{Time: time.Now()}); err != nil {
		return fmt.Errorf("deliver a mail: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	key := strings.ToLower(to)
	kept := append(s.received[key], mail)
	if len(kept) > maxKept {
		kept = kept[len(kept)-maxKept:]
	}
	s.received[key] = kept
	close(s.changed)
	s.changed = make(chan struct{})
	return nil
}

type literal struct {
	*bytes.Reader
	size int64
}

func (l literal) Size() int64 { return l.size }

// Received returns the mails that an address got, oldest first.
func (s *Server) Received(address string) [][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([][]byte(nil), s.received[strings.ToLower(address)]...)
}

// Await waits until an address has got n mails and returns them.
func (s *Server) Await(ctx context.Context, address string, n int) ([][]byte, error) {
	for {
		s.mu.Lock()
		got, changed := append([][]byte(nil), s.received[strings.ToLower(address)]...), s.changed
		s.mu.Unlock()
		if len(got) >= n {
			return got, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return got, fmt.Errorf("wait for %d mails: there are %d: %w", n, len(got), ctx.Err())
		}
	}
}

// Refuse makes SMTP ask decide before it takes a sender, with to empty, and
// before it takes a recipient; nil takes all senders and all accounts. An error
// that is an *smtp.SMTPError is answered as it stands.
func (s *Server) Refuse(decide func(from, to string) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse = decide
}

func (s *Server) ask(from, to string) error {
	s.mu.Lock()
	decide := s.refuse
	s.mu.Unlock()
	if decide == nil {
		return nil
	}
	return decide(from, to)
}

// session is one SMTP connection.
type session struct {
	server *Server
	from   string
	to     []string
}

func (*session) AuthMechanisms() []string { return []string{sasl.Plain} }

func (c *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, username, password string) error {
		if u := c.server.users[strings.ToLower(username)]; u == nil || u.password != password {
			return smtp.ErrAuthFailed
		}
		return nil
	}), nil
}

func (c *session) Mail(from string, _ *smtp.MailOptions) error {
	if err := c.server.ask(from, ""); err != nil {
		return err
	}
	c.from = from
	return nil
}

func (c *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	if err := c.server.ask(c.from, to); err != nil {
		return err
	}
	if c.server.users[strings.ToLower(to)] == nil {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "<" + to + ">: no such mailbox here"}
	}
	c.to = append(c.to, to)
	return nil
}

func (c *session) Data(r io.Reader) error {
	mail, err := io.ReadAll(r) // bounded by MaxMessageBytes
	if err != nil {
		return err
	}
	mail = append([]byte("Return-Path: <"+c.from+">\r\n"), mail...)
	for _, to := range c.to {
		if err := c.server.Deliver(to, mail); err != nil {
			return err
		}
	}
	return nil
}

func (c *session) Reset()      { c.from, c.to = "", nil }
func (*session) Logout() error { return nil }
