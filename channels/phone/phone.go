// Package phone takes calls and text messages from Twilio. It hides the
// webhooks and their signatures, the dialogue with a caller, and the fetching
// of recordings. A call is one conversation: whatever reaches us of it, in
// whatever order and however often, ends in one complaint.
package phone

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	twilio "github.com/twilio/twilio-go"
	"github.com/twilio/twilio-go/client"

	"hearken/complaint"
	"hearken/internal/audit"
	"hearken/internal/blob"
	"hearken/internal/secret"
	"hearken/internal/words"
)

// Config of one line. Zero values take the defaults named here.
type Config struct {
	Name       string       `yaml:"name"`
	Provider   string       `yaml:"provider"` // twilio
	AccountSID string       `yaml:"account_sid"`
	AuthToken  secret.Value `yaml:"auth_token"`
	// NextAuthToken signs too while the token is being changed.
	NextAuthToken secret.Value  `yaml:"next_auth_token"`
	Numbers       []string      `yaml:"numbers"`   // E.164; the first is the sender of text messages
	Languages     []string      `yaml:"languages"` // zh, en; with several the caller chooses by digit; [zh, en]
	Record        Record        `yaml:"record"`
	Transcribe    bool          `yaml:"transcribe"` // by the provider; English only
	SMSWindow     time.Duration `yaml:"sms_window"` // a number that writes again within it adds to its complaint: 72h
	BaseURL       string        `yaml:"base_url"`   // of the REST API: https://api.twilio.com
	MaxRecording  int64         `yaml:"max_bytes"`  // of one recording: 100 MiB
	Voices        Voices        `yaml:"voices"`
}

// Record is how a message is recorded.
type Record struct {
	MaxLength time.Duration `yaml:"max_length"` // 5m
	Silence   time.Duration `yaml:"silence"`    // that ends it: 5s
}

// Voices that read texts, by language.
type Voices struct {
	ZH string `yaml:"zh"` // Polly.Zhiyu
	EN string `yaml:"en"` // Polly.Joanna
}

// Intake takes contacts; an error means that nothing was kept.
type Intake interface {
	Accept(ctx context.Context, c complaint.Contact) (complaint.Receipt, error)
}

// Notebook keeps small notes on disk: jobs that must survive a crash.
type Notebook interface {
	Put(key string, value []byte) error
	Delete(key string) error
	List(prefix string) (map[string][]byte, error)
}

// Deps is what the phone is given.
type Deps struct {
	Intake    Intake
	Blobs     *blob.Store
	Notebook  Notebook
	Log       *slog.Logger
	Audit     *audit.Log
	Metrics   prometheus.Registerer
	Words     words.Texts
	PublicURL string // the address that Twilio signs: https://intake.example.com
}

// Phone is one line.
type Phone struct {
	cfg        Config
	deps       Deps
	base       string // of our webhooks
	validators []client.RequestValidator
	book       *words.Book
	rest       *twilio.RestClient
	line       *transport
	http       *http.Client // for recordings
	fetch      chan struct{}
}

// New makes one line.
func New(cfg Config, deps Deps) (*Phone, error) {
	cfg.fill()
	if err := errors.Join(cfg.Check()...); err != nil {
		return nil, fmt.Errorf("phone %s: %w", cfg.Name, err)
	}
	if u, err := url.Parse(deps.PublicURL); err != nil || u.Host == "" {
		return nil, fmt.Errorf("phone %s: http.public_url is needed: the address by which Twilio reaches this gateway, as its signatures are made for it", cfg.Name)
	}
	book, err := words.New(texts, deps.Words)
	if err != nil {
		return nil, err
	}
	p := &Phone{cfg: cfg, deps: deps, book: book, base: strings.TrimSuffix(deps.PublicURL, "/") + "/phone/" + cfg.Name, fetch: make(chan struct{}, 1)}
	for _, token := range []secret.Value{cfg.AuthToken, cfg.NextAuthToken} {
		if !token.IsZero() {
			p.validators = append(p.validators, client.NewRequestValidator(token.Reveal()))
		}
	}
	target, err := url.Parse(cfg.BaseURL)
	if err != nil {
		return nil, fmt.Errorf("phone %s: base_url: %w", cfg.Name, err)
	}
	p.line = &transport{target: target, inner: &http.Transport{Proxy: http.ProxyFromEnvironment, IdleConnTimeout: time.Minute, ResponseHeaderTimeout: restWait}}
	p.http = &http.Client{Transport: p.line}
	c := &client.Client{Credentials: client.NewCredentials(cfg.AccountSID, cfg.AuthToken.Reveal()), HTTPClient: &http.Client{Transport: small{p.line}}}
	c.SetAccountSid(cfg.AccountSID)
	p.rest = twilio.NewRestClientWithParams(twilio.ClientParams{Client: c, AccountSid: cfg.AccountSID})
	return p, nil
}

func (c *Config) fill() {
	if c.Provider == "" {
		c.Provider = "twilio"
	}
	if len(c.Languages) == 0 {
		c.Languages = []string{"zh", "en"}
	}
	if c.Record.MaxLength == 0 {
		c.Record.MaxLength = 5 * time.Minute
	}
	if c.Record.Silence == 0 {
		c.Record.Silence = 5 * time.Second
	}
	if c.SMSWindow == 0 {
		c.SMSWindow = 72 * time.Hour
	}
	if c.BaseURL == "" {
		c.BaseURL = "https://api.twilio.com"
	}
	if c.MaxRecording == 0 {
		c.MaxRecording = 100 << 20
	}
	if c.Voices.ZH == "" {
		c.Voices.ZH = "Polly.Zhiyu"
	}
	if c.Voices.EN == "" {
		c.Voices.EN = "Polly.Joanna"
	}
}

var (
	accountShape = regexp.MustCompile(`^AC[0-9a-fA-F]{32}$`)
	numberShape  = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)
	nameShape    = regexp.MustCompile(`^[A-Za-z0-9_-]{1,40}$`)
)

// Check reports what is wrong, each with the key that it is about.
func (c Config) Check() []error {
	var errs []error
	fault := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if !nameShape.MatchString(c.Name) {
		fault("name: %q must be 1 to 40 letters, digits, - and _: it is part of an address", c.Name)
	}
	if c.Provider != "" && c.Provider != "twilio" {
		fault("provider: %q is not known; there is twilio", c.Provider)
	}
	if !accountShape.MatchString(c.AccountSID) {
		fault("account_sid: it must be AC and 32 hex digits, as the Twilio console shows it")
	}
	if c.AuthToken.IsZero() {
		fault("auth_token: it is needed to check Twilio's signatures; give it as ${TWILIO_AUTH_TOKEN} or auth_token_file")
	}
	if len(c.Numbers) == 0 {
		fault("numbers: at least one is needed")
	}
	for i, n := range c.Numbers {
		if !numberShape.MatchString(n) {
			fault("numbers[%d]: %q is not a number like +14155550100", i, n)
		}
	}
	for i, l := range c.Languages {
		if texts[l] == nil {
			fault("languages[%d]: %q is not known; there are zh and en", i, l)
		}
	}
	if c.Record.MaxLength < 0 || c.Record.Silence < 0 || c.SMSWindow < 0 || c.MaxRecording < 0 {
		fault("record: bounds must not be negative")
	}
	return errs
}

// Name is the line's, as replies name it.
func (p *Phone) Name() string { return p.cfg.Name }

// Mount puts the webhooks on mux.
func (p *Phone) Mount(mux *http.ServeMux) {
	for path, h := range map[string]func(context.Context, hook) (answer, error){
		"voice": p.answer, "voice/language": p.language, "voice/recorded": p.recorded, "voice/silent": p.silent,
		"status": p.status, "recording": p.recording, "transcription": p.transcription, "sms": p.sms,
	} {
		mux.Handle("POST /phone/"+p.cfg.Name+"/"+path, p.webhook(h))
	}
}

// Run fetches recordings until ctx ends.
func (p *Phone) Run(ctx context.Context) error {
	defer p.line.inner.CloseIdleConnections()
	return p.fetchAll(ctx)
}
