package email

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"hearken/channels/email/access"
	"hearken/channels/email/dovecot"
	"hearken/channels/email/mailbox"
	"hearken/complaint"
	"hearken/internal/secret"
)

// provider gives tokens, and says to the mail server whose they are, as a
// provider's identity service does.
type provider struct {
	*httptest.Server
	mu   sync.Mutex
	n    int
	good map[string]bool
}

func newProvider(t *testing.T, user string) *provider {
	t.Helper()
	p := &provider{good: map[string]bool{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, _ *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.n++
		token := fmt.Sprint("token", p.n)
		p.good[token] = true
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"access_token": token, "token_type": "Bearer", "expires_in": 3600})
	})
	mux.HandleFunc("GET /whose", func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"active": fmt.Sprint(p.good[r.FormValue("token")]), "email": user})
	})
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	return p
}

// revoke makes every token that was given void.
func (p *provider) revoke() {
	p.mu.Lock()
	defer p.mu.Unlock()
	clear(p.good)
}

func TestLoginByToken(t *testing.T) {
	p := newProvider(t, "zhang")
	s, err := dovecot.NewWithTokens(t.TempDir(), p.URL+"/whose?token=")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { must(t, s.Stop()) })
	for i, mechanism := range []string{access.XOAuth2, access.OAuthBearer} {
		t.Run(mechanism, func(t *testing.T) {
			w := newWorld(t)
			cfg := config(s.TLSAddr, "zhang")
			cfg.IMAP.TLS, cfg.IMAP.CAFile, cfg.IMAP.Password = "implicit", s.CAFile, secret.Value{}
			cfg.OAuth = access.OAuth{TokenURL: p.URL + "/token", ClientID: "c", ClientSecret: secret.New("s"), Mechanism: mechanism}
			e := w.channel(cfg)
			// A token that the provider revoked is replaced at once.
			if _, err := e.tokens.Token(t.Context()); err != nil {
				t.Fatal(err)
			}
			p.revoke()
			must(t, s.Append("zhang", "INBOX", mailOf(i)))
			w.run(e)
			w.intake.await(t, count(1))
			must(t, s.AwaitCounts(within(t), "zhang", "INBOX", 0, 0))
		})
	}
	t.Run("a client without rights", func(t *testing.T) {
		w := newWorld(t)
		cfg := config(s.Addr, "somebody-else")
		cfg.IMAP.Password = secret.Value{}
		cfg.OAuth = access.OAuth{TokenURL: p.URL + "/token", ClientID: "c", ClientSecret: secret.New("s")}
		err := w.channel(cfg).read(within(t), "INBOX", &trouble{failed: map[uint32]int{}, tooBig: map[uint32]bool{}}, func() {})
		if !errors.Is(err, mailbox.ErrLogin) {
			t.Errorf("%v", err)
		}
	})
}

func TestTLS(t *testing.T) {
	s := dovecotServer(t)
	for name, c := range map[string]struct{ addr, tls, ca, fault string }{
		"implicit":            {s.TLSAddr, "implicit", s.CAFile, ""},
		"starttls":            {s.Addr, "starttls", s.CAFile, ""},
		"not trusted":         {s.TLSAddr, "implicit", "", "certificate"},
		"starttls, untrusted": {s.Addr, "starttls", "", "certificate"},
		"implicit on a plain": {s.Addr, "implicit", s.CAFile, "tls"},
	} {
		t.Run(name, func(t *testing.T) {
			a := config(c.addr, "zhang").account("INBOX", nil)
			a.TLS, a.CAFile = c.tls, c.ca
			box, err := mailbox.Open(within(t), a)
			if err == nil {
				box.Close()
			}
			if c.fault == "" && err != nil || c.fault != "" && (err == nil || !strings.Contains(err.Error(), c.fault)) {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestSeveralFolders(t *testing.T) {
	s := dovecotServer(t)
	w := newWorld(t)
	must(t, s.Create("zhang", "Junk"))
	must(t, s.Append("zhang", "Junk", mailOf(1)))
	must(t, s.Append("zhang", "INBOX", mailOf(2)))
	cfg := config(s.Addr, "zhang")
	cfg.IMAP.Also = []string{"Junk"}
	w.run(w.channel(cfg))
	w.intake.await(t, count(2))
	must(t, s.AwaitCounts(within(t), "zhang", "Processed", 2, 2))
}

// A mail that the queue can never take goes out of the way with its reason;
// moved back, it is tried again.
func TestFailedMailIsMovedAside(t *testing.T) {
	s := dovecotServer(t)
	w := newWorld(t)
	w.intake.set(func(_ int, c complaint.Contact) error {
		if c.Subject == "order 1" {
			return complaint.Permanent(errors.New("it is beyond all bounds"))
		}
		return nil
	})
	must(t, s.Append("zhang", "INBOX", mails(0, 3)...))
	w.run(w.channel(config(s.Addr, "zhang")))
	w.intake.await(t, count(2))
	must(t, s.AwaitCounts(within(t), "zhang", "INBOX", 0, 0))
	must(t, s.AwaitCounts(within(t), "zhang", "Failed", 2, 2)) // the mail and the note
	notes, err := s.Mails("zhang", "Failed")
	must(t, err)
	if all := strings.Join(notes, ""); !strings.Contains(all, "Why: hand over a mail: it is beyond all bounds") {
		t.Errorf("%s", all)
	}
	w.intake.set(nil)
	for _, m := range notes { // the note too: nobody takes it for a customer's
		must(t, s.Append("zhang", "INBOX", []byte(m)))
	}
	w.intake.await(t, count(3))
	must(t, s.AwaitCounts(within(t), "zhang", "Processed", 4, 4))
	if n := len(w.intake.await(t, count(3))); n != 3 {
		t.Errorf("%d contacts", n)
	}
}
