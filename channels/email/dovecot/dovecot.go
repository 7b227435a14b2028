// Package dovecot runs a real Dovecot as a child process for tests: its own
// folder, its own loopback port, any user with one password. It hides
// Dovecot's configuration.
package dovecot

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

// Password is every user's.
const Password = "secret"

// startTime is how long Dovecot may take to answer, on a busy machine.
const startTime = 30 * time.Second

// Server is a Dovecot. Make one with New, then Start and Stop it at will.
type Server struct {
	Addr    string // host:port of IMAP without TLS, or with STARTTLS
	TLSAddr string // host:port of IMAP over TLS
	CAFile  string // PEM of the certificate that it shows
	dir     string
	tokens  string
	cmd     *exec.Cmd
	done    chan struct{}
}

// New prepares a server in dir, which must be empty, and starts it.
func New(dir string) (*Server, error) { return NewWithTokens(dir, "http://127.0.0.1:1/?token=") }

// NewWithTokens is New for a server that takes access tokens too (XOAUTH2 and
// OAUTHBEARER). It asks the URL introspection, with the token behind it, whose
// they are: a JSON object with "active" and "email" (RFC 7662).
func NewWithTokens(dir, introspection string) (*Server, error) {
	s, err := prepared(dir, introspection)
	if err != nil {
		return nil, err
	}
	return s, s.Start()
}

func prepared(dir, introspection string) (*Server, error) {
	if _, err := exec.LookPath("dovecot"); err != nil {
		return nil, fmt.Errorf("dovecot is not installed; install it with: apt-get install -y dovecot-imapd (or: make deps): %w", err)
	}
	s := &Server{dir: dir, CAFile: filepath.Join(dir, "cert.pem"), tokens: introspection}
	for _, addr := range []*string{&s.Addr, &s.TLSAddr} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("find a port for dovecot: %w", err)
		}
		*addr = l.Addr().String()
		defer l.Close() // both at once, so that they differ
	}
	if err := s.prepare(); err != nil {
		return nil, fmt.Errorf("prepare dovecot: %w", err)
	}
	return s, nil
}

func (s *Server) prepare() error {
	me, err := user.Current()
	if err != nil {
		return err
	}
	uid, gid := os.Getuid(), os.Getgid()
	login := me.Username
	if uid == 0 { // Dovecot keeps no mail as root
		nobody, err := user.Lookup("nobody")
		if err != nil {
			return err
		}
		uid, _ = strconv.Atoi(nobody.Uid)
		gid, _ = strconv.Atoi(nobody.Gid)
		login = "nobody"
	}
	group, err := user.LookupGroupId(strconv.Itoa(gid))
	if err != nil {
		return err
	}
	mail := filepath.Join(s.dir, "mail")
	if err := os.MkdirAll(mail, 0o700); err != nil {
		return err
	}
	if err := os.Chown(mail, uid, gid); err != nil {
		return err
	}
	// A test's folder is its owner's alone; the mail user must get through.
	for d := mail; len(d) > len(os.TempDir()); d = filepath.Dir(d) {
		if fi, err := os.Stat(d); err == nil && d != mail {
			if err := os.Chmod(d, fi.Mode()|0o711); err != nil {
				return err
			}
		}
	}
	if err := certify(s.CAFile, filepath.Join(s.dir, "key.pem")); err != nil {
		return err
	}
	tokens := "introspection_mode = get\nintrospection_url = " + s.tokens + "\nusername_attribute = email\nactive_attribute = active\nactive_value = true\n"
	if err := os.WriteFile(filepath.Join(s.dir, "tokens.conf"), []byte(tokens), 0o644); err != nil {
		return err
	}
	_, port, _ := net.SplitHostPort(s.Addr)
	_, tlsPort, _ := net.SplitHostPort(s.TLSAddr)
	conf := strings.NewReplacer("DIR", s.dir, "TLSPORT", tlsPort, "PORT", port, "PASSWORD", Password, "LOGIN", login,
		"GROUP", group.Name, "UID", strconv.Itoa(uid), "GID", strconv.Itoa(gid)).Replace(config)
	return os.WriteFile(s.conf(), []byte(conf), 0o644)
}

// certify writes a certificate for this machine and its key.
func certify(certFile, keyFile string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "127.0.0.1"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}), 0o644),
		os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600),
	)
}

func (s *Server) conf() string { return filepath.Join(s.dir, "dovecot.conf") }

const config = `
base_dir = DIR/run
state_dir = DIR/state
log_path = DIR/log
protocols = imap
listen = 127.0.0.1
ssl = yes
ssl_cert = <DIR/cert.pem
ssl_key = <DIR/key.pem
auth_mechanisms = plain login xoauth2 oauthbearer
disable_plaintext_auth = no
default_internal_user = LOGIN
default_internal_group = GROUP
default_login_user = LOGIN
first_valid_uid = 1
first_valid_gid = 1
mail_uid = UID
mail_gid = GID
mail_location = maildir:DIR/mail/%u
mail_max_userip_connections = 0
auth_failure_delay = 0
passdb {
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = DIR/tokens.conf
}
passdb {
  driver = static
  mechanisms = plain login
  args = password=PASSWORD
}
userdb {
  driver = static
  args = uid=UID gid=GID home=DIR/mail/%u
}
service imap-login {
  chroot =
  process_min_avail = 1
  inet_listener imap {
    port = PORT
  }
  inet_listener imaps {
    port = TLSPORT
    ssl = yes
  }
}
service anvil {
  chroot =
}
service stats {
  chroot =
}
`

// Start starts a stopped server and waits until it answers.
func (s *Server) Start() error {
	cmd := exec.Command("dovecot", "-F", "-c", s.conf())
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	// A group of its own, so that Stop reaches its children too: one that
	// serves an IDLE outlives the master by ten seconds.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start dovecot: %w", err)
	}
	s.cmd, s.done = cmd, make(chan struct{})
	go func(done chan struct{}) {
		_ = cmd.Wait() // Stop ends it by a signal
		close(done)
	}(s.done)
	deadline := time.Now().Add(startTime)
	for {
		c, err := s.dial("probe")
		if err == nil {
			return c.Close()
		}
		select {
		case <-s.done:
			log, _ := os.ReadFile(filepath.Join(s.dir, "log"))
			return fmt.Errorf("dovecot ended at its start: %s%s", out.String(), log)
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			return errors.Join(fmt.Errorf("dovecot does not answer: %w", err), s.Stop())
		}
	}
}

// Stop ends the server, which closes all connections, and waits for its end.
func (s *Server) Stop() error {
	if s.cmd == nil {
		return nil
	}
	err := syscall.Kill(-s.cmd.Process.Pid, syscall.SIGTERM)
	if err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("stop dovecot: %w", err)
	}
	select {
	case <-s.done:
	case <-time.After(startTime):
		_ = syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL)
		<-s.done
	}
	s.cmd = nil
	return nil
}

func (s *Server) dial(user string) (*imapclient.Client, error) {
	conn, err := (&net.Dialer{Timeout: time.Second}).Dial("tcp", s.Addr)
	if err != nil {
		return nil, err
	}
	if err := conn.SetReadDeadline(time.Now().Add(startTime)); err != nil {
		return nil, err
	}
	c := imapclient.New(conn, nil)
	if err := c.Login(user, Password).Wait(); err != nil {
		_ = c.Close()
		return nil, err
	}
	return c, nil
}

// Append puts mails into a user's mailbox, over IMAP like any client.
func (s *Server) Append(user, mailbox string, mails ...[]byte) error {
	c, err := s.dial(user)
	if err != nil {
		return fmt.Errorf("append mail: %w", err)
	}
	defer c.Close()
	for _, m := range mails {
		cmd := c.Append(mailbox, int64(len(m)), nil)
		_, err := cmd.Write(m)
		if err := errors.Join(err, cmd.Close()); err != nil {
			return fmt.Errorf("append mail: %w", err)
		}
		if _, err := cmd.Wait(); err != nil {
			return fmt.Errorf("append mail: %w", err)
		}
	}
	return nil
}

// Counts tells how many mails a user's mailbox has and how many of them are
// unseen; a mailbox that does not exist has none.
func (s *Server) Counts(user, mailbox string) (all, unseen int, err error) {
	c, err := s.dial(user)
	if err != nil {
		return 0, 0, fmt.Errorf("count mail: %w", err)
	}
	defer c.Close()
	data, err := c.Status(mailbox, &imap.StatusOptions{NumMessages: true, NumUnseen: true}).Wait()
	var refused *imap.Error
	if errors.As(err, &refused) {
		return 0, 0, nil
	}
	if err != nil {
		return 0, 0, fmt.Errorf("count mail: %w", err)
	}
	return int(*data.NumMessages), int(*data.NumUnseen), nil
}

// AwaitCounts waits until the counts are as wanted.
func (s *Server) AwaitCounts(ctx context.Context, user, mailbox string, all, unseen int) error {
	for {
		a, u, err := s.Counts(user, mailbox)
		if err == nil && a == all && u == unseen {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for %d mails (%d unseen) in %s: there are %d (%d): %w", all, unseen, mailbox, a, u, errors.Join(err, ctx.Err()))
		case <-time.After(20 * time.Millisecond):
		}
	}
}

var validity = regexp.MustCompile(`\bV(\d+)\b`)

// Renumber gives a user's INBOX another UIDVALIDITY and all its mails other
// UIDs. The server must be stopped.
func (s *Server) Renumber(user string) error {
	dir := filepath.Join(s.dir, "mail", user)
	path := filepath.Join(dir, "dovecot-uidlist")
	list, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("renumber a mailbox: %w", err)
	}
	head, _, _ := strings.Cut(string(list), "\n")
	m := validity.FindStringSubmatch(head)
	if m == nil {
		return fmt.Errorf("renumber a mailbox: no UIDVALIDITY in %q", head)
	}
	old, err := strconv.ParseUint(m[1], 10, 32)
	if err != nil {
		return fmt.Errorf("renumber a mailbox: %w", err)
	}
	if err := os.WriteFile(path, fmt.Appendf(nil, "3 V%d N1\n", old+1), 0o666); err != nil {
		return fmt.Errorf("renumber a mailbox: %w", err)
	}
	indexes, err := filepath.Glob(filepath.Join(dir, "dovecot.index*"))
	if err != nil {
		return fmt.Errorf("renumber a mailbox: %w", err)
	}
	for _, f := range indexes {
		if err := os.Remove(f); err != nil {
			return fmt.Errorf("renumber a mailbox: %w", err)
		}
	}
	return nil
}

// Create makes a mailbox.
func (s *Server) Create(user, mailbox string) error {
	c, err := s.dial(user)
	if err != nil {
		return fmt.Errorf("make mailbox %s: %w", mailbox, err)
	}
	defer c.Close()
	if err := c.Create(mailbox, nil).Wait(); err != nil {
		return fmt.Errorf("make mailbox %s: %w", mailbox, err)
	}
	return nil
}

// Mails returns the mails of a mailbox.
func (s *Server) Mails(user, mailbox string) ([]string, error) {
	c, err := s.dial(user)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", mailbox, err)
	}
	defer c.Close()
	if _, err := c.Select(mailbox, &imap.SelectOptions{ReadOnly: true}).Wait(); err != nil {
		return nil, fmt.Errorf("read %s: %w", mailbox, err)
	}
	got, err := c.Fetch(imap.SeqSet{{Start: 1, Stop: 0}}, &imap.FetchOptions{BodySection: []*imap.FetchItemBodySection{{Peek: true}}}).Collect()
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", mailbox, err)
	}
	var out []string
	for _, m := range got {
		for _, section := range m.BodySection {
			out = append(out, string(section.Bytes))
		}
	}
	return out, nil
}

// Fill puts mails into a user's INBOX that has none yet, beside the server:
// for many it is far quicker than Append. mail gives the i-th, and received when
// it came (its INTERNALDATE).
func (s *Server) Fill(user string, n int, mail func(i int) []byte, received func(i int) time.Time) error {
	top := filepath.Join(s.dir, "mail", user)
	var owner os.FileInfo
	owner, err := os.Stat(filepath.Join(s.dir, "mail"))
	if err != nil {
		return fmt.Errorf("fill a mailbox: %w", err)
	}
	uid, gid := int(owner.Sys().(*syscall.Stat_t).Uid), int(owner.Sys().(*syscall.Stat_t).Gid)
	for _, dir := range []string{top, filepath.Join(top, "cur"), filepath.Join(top, "new"), filepath.Join(top, "tmp")} {
		if err := errors.Join(os.MkdirAll(dir, 0o700), os.Chown(dir, uid, gid)); err != nil {
			return fmt.Errorf("fill a mailbox: %w", err)
		}
	}
	for i := range n {
		b := mail(i)
		// As Dovecot names what it delivers. It hashes names: one where a counter
		// stands twice collides with thousands of others, and a move takes ages.
		name := fmt.Sprintf("%d.M%dP%d.host,S=%d,W=%d:2,", 1_700_000_000+i/3, i*386_093%1_000_000, 1000+i*7907%30_000, len(b), len(b))
		path := filepath.Join(top, "cur", name)
		at := received(i)
		if err := errors.Join(os.WriteFile(path, b, 0o600), os.Chown(path, uid, gid), os.Chtimes(path, at, at)); err != nil {
			return fmt.Errorf("fill a mailbox: %w", err)
		}
	}
	return nil
}
