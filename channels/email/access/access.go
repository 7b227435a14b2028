// Package access gets a mail connection protected and logged in: which
// certificates are trusted, and how access tokens are fetched, kept fresh and
// shown to a server. It hides OAuth 2.0 and the two SASL mechanisms that carry
// its tokens.
package access

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/emersion/go-sasl"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"hearken/internal/secret"
)

// TLS makes the configuration for a server. caFile names a PEM file of
// certificates that are trusted instead of the system's; "" for the system's.
func TLS(addr, caFile string) (*tls.Config, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("connect to %q: %w", addr, err)
	}
	config := &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}
	if caFile == "" {
		return config, nil
	}
	pem, err := os.ReadFile(caFile)
	if err != nil {
		return nil, fmt.Errorf("read the trusted certificates: %w", err)
	}
	config.RootCAs = x509.NewCertPool()
	if !config.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("read the trusted certificates: %s has none in PEM", caFile)
	}
	return config, nil
}

// Mechanisms that carry a token.
const (
	XOAuth2     = "xoauth2"     // Microsoft's and Google's own
	OAuthBearer = "oauthbearer" // RFC 7628
)

// OAuth says how to get access tokens.
type OAuth struct {
	TokenURL     string       `yaml:"token_url"`
	ClientID     string       `yaml:"client_id"`
	ClientSecret secret.Value `yaml:"client_secret"`
	// RefreshToken is what the mailbox's owner granted; without it the client
	// has rights of its own (client credentials, RFC 6749 section 4.4).
	RefreshToken secret.Value `yaml:"refresh_token"`
	Scope        string       `yaml:"scope"`     // https://outlook.office365.com/.default, https://mail.google.com/
	Mechanism    string       `yaml:"mechanism"` // xoauth2 (default) or oauthbearer
}

// Configured tells whether anything is set.
func (o OAuth) Configured() bool { return o.TokenURL != "" || o.ClientID != "" }

// Check returns everything that is wrong with the stanza.
func (o OAuth) Check() []error {
	if !o.Configured() {
		return nil
	}
	var errs []error
	u, err := url.Parse(o.TokenURL)
	if err != nil || u.Host == "" || u.Scheme != "https" && !(u.Scheme == "http" && loopback(u.Hostname())) {
		errs = append(errs, fmt.Errorf("oauth.token_url: %q is no https:// address", o.TokenURL))
	}
	if o.ClientID == "" {
		errs = append(errs, errors.New("oauth.client_id: it is empty"))
	}
	if o.RefreshToken.IsZero() && o.ClientSecret.IsZero() {
		errs = append(errs, errors.New("oauth.client_secret: it is empty, and there is no refresh_token either; set one by ${ENV} or client_secret_file"))
	}
	if o.Mechanism != "" && o.Mechanism != XOAuth2 && o.Mechanism != OAuthBearer {
		errs = append(errs, fmt.Errorf("oauth.mechanism: %q is neither xoauth2 nor oauthbearer", o.Mechanism))
	}
	return errs
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

const (
	// early is how long before its end a token is renewed: a login must not
	// lose the race with the clock, ours or theirs.
	early = 5 * time.Minute
	// tokenTime bounds the asking for one.
	tokenTime = 30 * time.Second
)

// Tokens keeps an access token fresh. It is safe for concurrent use.
type Tokens struct {
	cfg OAuth

	mu      sync.Mutex
	token   *oauth2.Token
	refresh string // the newest refresh token: providers give a new one with each use
}

// NewTokens asks for nothing yet; nil where nothing is configured.
func NewTokens(cfg OAuth) *Tokens {
	if !cfg.Configured() {
		return nil
	}
	return &Tokens{cfg: cfg, refresh: cfg.RefreshToken.Reveal()}
}

// Token returns a token that is good for some minutes yet.
func (t *Tokens) Token(ctx context.Context) (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.token != nil && (t.token.Expiry.IsZero() || time.Until(t.token.Expiry) > early) {
		return t.token.AccessToken, nil
	}
	ctx, cancel := context.WithTimeout(ctx, tokenTime)
	defer cancel()
	ctx = context.WithValue(ctx, oauth2.HTTPClient, &http.Client{Timeout: tokenTime})
	token, err := t.ask(ctx)
	if err != nil {
		// The error of the library holds the server's answer, which has no
		// secret but may be long.
		return "", fmt.Errorf("get an access token from %s (check oauth.client_id, client_secret, refresh_token and scope): %.500s", t.cfg.TokenURL, err.Error())
	}
	t.token = token
	if token.RefreshToken != "" {
		t.refresh = token.RefreshToken
	}
	return token.AccessToken, nil
}

func (t *Tokens) ask(ctx context.Context) (*oauth2.Token, error) {
	var scopes []string
	if t.cfg.Scope != "" {
		scopes = []string{t.cfg.Scope}
	}
	if t.refresh == "" {
		c := clientcredentials.Config{ClientID: t.cfg.ClientID, ClientSecret: t.cfg.ClientSecret.Reveal(), TokenURL: t.cfg.TokenURL, Scopes: scopes}
		return c.Token(ctx)
	}
	c := oauth2.Config{ClientID: t.cfg.ClientID, ClientSecret: t.cfg.ClientSecret.Reveal(), Endpoint: oauth2.Endpoint{TokenURL: t.cfg.TokenURL}, Scopes: scopes}
	return c.TokenSource(ctx, &oauth2.Token{RefreshToken: t.refresh}).Token()
}

// Forget drops a token that a server refused, so that the next is a new one.
func (t *Tokens) Forget() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.token = nil
}

// Client shows a token to the server at addr.
func (t *Tokens) Client(addr, username, token string) sasl.Client {
	if t.cfg.Mechanism == OAuthBearer {
		host, port, _ := net.SplitHostPort(addr)
		n, _ := strconv.Atoi(port)
		return sasl.NewOAuthBearerClient(&sasl.OAuthBearerOptions{Username: username, Token: token, Host: host, Port: n})
	}
	return &xoauth2{username, token}
}

// xoauth2 is Google's mechanism, which Microsoft took over
// (developers.google.com, "The SASL XOAUTH2 Mechanism").
type xoauth2 struct{ username, token string }

func (x *xoauth2) Start() (mech string, ir []byte, err error) {
	return "XOAUTH2", []byte("user=" + x.username + "\x01auth=Bearer " + x.token + "\x01\x01"), nil
}

// Next gets the server's reason for a refusal, a JSON text. The exchange ends
// here: the empty answer that would bring the refusal itself is written by
// go-imap as "=", which servers don't take.
func (x *xoauth2) Next(reason []byte) ([]byte, error) {
	return nil, fmt.Errorf("the server refused the token: %.200q", reason)
}
