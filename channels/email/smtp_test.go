package email

import (
	"crypto/tls"
	"io"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"encoding/pem"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// protected is an SMTP server that shows a certificate and takes tokens.
type protected struct {
	addr, caFile string
	good         func(token string) bool

	mu    sync.Mutex
	mails []string
}

func smtpServer(t *testing.T, how string, good func(string) bool) *protected {
	t.Helper()
	// The certificate for loopback that the standard library's test server has.
	web := httptest.NewUnstartedServer(nil)
	web.StartTLS()
	cert := web.TLS.Certificates[0]
	web.Close()
	p := &protected{good: good, caFile: filepath.Join(t.TempDir(), "ca.pem")}
	must(t, os.WriteFile(p.caFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Certificate[0]}), 0o600))
	s := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &protectedSession{p: p}, nil }))
	s.TLSConfig = &tls.Config{Certificates: []tls.Certificate{cert}}
	s.ErrorLog = discard{}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	p.addr = l.Addr().String()
	if how == "implicit" {
		l = tls.NewListener(l, s.TLSConfig)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.Serve(l)
	}()
	t.Cleanup(func() {
		_ = s.Close()
		<-done
	})
	return p
}

type discard struct{}

func (discard) Printf(string, ...any) {}
func (discard) Println(...any)        {}

func (p *protected) taken() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.mails
}

type protectedSession struct {
	p  *protected
	in bool
}

func (s *protectedSession) AuthMechanisms() []string { return []string{"XOAUTH2"} }

func (s *protectedSession) Auth(string) (sasl.Server, error) { return &tokenCheck{s}, nil }

// tokenCheck is the server's side of XOAUTH2.
type tokenCheck struct{ s *protectedSession }

func (c *tokenCheck) Next(response []byte) (challenge []byte, done bool, err error) {
	_, token, _ := strings.Cut(string(response), "auth=Bearer ")
	token, _, _ = strings.Cut(token, "\x01")
	if !c.s.p.good(token) {
		return []byte(`{"status":"401"}`), false, nil
	}
	c.s.in = true
	return nil, true, nil
}

func (s *protectedSession) Mail(string, *smtp.MailOptions) error {
	if !s.in {
		return smtp.ErrAuthRequired
	}
	return nil
}
func (s *protectedSession) Rcpt(string, *smtp.RcptOptions) error { return nil }
func (s *protectedSession) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	s.p.mails = append(s.p.mails, string(b))
	return err
}
func (s *protectedSession) Reset()        {}
func (s *protectedSession) Logout() error { return nil }
