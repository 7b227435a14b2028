// Package phone takes calls and text messages from a carrier that speaks
// TwiML (Twilio, or one compatible with it), and complaints from anybody who
// can POST to a signed webhook. It hides the webhooks and their signatures,
// the dialogue with a caller, the fetching and transcribing of recordings, and
// the search for webhooks that got lost. A call is one conversation: whatever
// reaches us of it, on whichever gateway, in whatever order and however often,
// ends in one complaint.
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

	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"

	"hearken/complaint"
	"hearken/internal/audit"
	"hearken/internal/blob"
	"hearken/internal/secret"
	"hearken/internal/words"
)

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

// Memory keeps small facts about what is going on, for every gateway.
type Memory interface {
	Learn(ctx context.Context, of string, facts map[string]string) error
	Known(ctx context.Context, of string) (map[string]string, error)
}

// History books events on a complaint, once for each id.
type History interface {
	Book(ctx context.Context, number, id, event string, details map[string]string) error
}

// Threads has what comes in a conversation lead to a complaint for window.
type Threads interface {
	Continue(ctx context.Context, number, conversation string, window time.Duration) error
}

// Leases has one gateway at a time do something.
type Leases interface {
	Hold(ctx context.Context, name string, run func(context.Context) error) error
}

// Deps is what the phone is given.
type Deps struct {
	Intake    Intake
	Blobs     *blob.Store
	Notebook  Notebook
	Memory    Memory
	History   History
	Threads   Threads
	Leases    Leases
	Keys      *secret.Keys
	Log       *slog.Logger
	Audit     *audit.Log
	Words     words.Texts
	PublicURL string // the address that the carrier signs: https://intake.example.com
}

// Phone is one line.
type Phone struct {
	cfg      Config
	deps     Deps
	base     string // of our webhooks
	sid      *regexp.Regexp
	verifier *verifier
	signer   *secret.Signer
	book     *words.Book
	account  account
	stt      *http.Client // speech to text
	texts    *rate.Limiter
	jobs     *jobs
	receipts restraint // in answer to texts
}

// New makes one line.
func New(cfg Config, deps Deps) (*Phone, error) {
	cfg.fill()
	if err := errors.Join(cfg.Check()...); err != nil {
		return nil, fmt.Errorf("phone %s: %w", cfg.Name, err)
	}
	if u, err := url.Parse(deps.PublicURL); err != nil || u.Host == "" {
		return nil, fmt.Errorf("phone %s: http.public_url is needed: the address by which the carrier reaches this gateway, as its signatures are made for it", cfg.Name)
	}
	book, err := words.New(texts, deps.Words)
	if err != nil {
		return nil, err
	}
	acc, err := newAccount(cfg)
	if err != nil {
		return nil, fmt.Errorf("phone %s: base_url: %w", cfg.Name, err)
	}
	p := &Phone{
		cfg: cfg, deps: deps, book: book, account: acc, stt: &http.Client{Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, IdleConnTimeout: time.Minute}}, verifier: newVerifier(cfg.Signature), signer: deps.Keys.Signer("phone step"),
		base: strings.TrimSuffix(deps.PublicURL, "/") + "/phone/" + cfg.Name, sid: otherSID, texts: rate.NewLimiter(rate.Limit(cfg.TextRate), 1),
	}
	if cfg.Provider == "twilio" {
		p.sid = twilioSID
	}
	p.jobs = newJobs(deps.Notebook, deps.Log, map[string]func(context.Context, job) error{
		jobEnd: p.endOfCall, jobRecording: p.fetchRecording, jobMedia: p.fetchMedia, jobTranscript: p.transcribe, jobDelete: p.deleteRecording,
		jobText: p.textNumber, jobDelivery: p.bookDelivery,
	})
	return p, nil
}

var (
	twilioSID = regexp.MustCompile(`^[A-Z]{2}[0-9a-fA-F]{32}$`)
	otherSID  = regexp.MustCompile(`^[0-9A-Za-z:_-]{8,128}$`)
)

// Name is the line's, as replies name it.
func (p *Phone) Name() string { return p.cfg.Name }

// Mount puts the webhooks on mux.
func (p *Phone) Mount(mux *http.ServeMux) {
	for path, h := range map[string]handler{
		"voice": p.answer, "voice/fallback": p.fallback, "voice/language": p.language, "voice/dialed": p.dialed, "voice/notice": p.notice, "voice/menu": p.menu,
		"voice/number": p.number, "voice/spoken": p.spoken, "voice/recorded": p.recorded, "voice/silent": p.silent, "voice/text": p.textOffer,
		"status": p.status, "recording": p.recording, "transcription": p.transcription, "sms": p.sms, "sms/fallback": p.sms,
	} {
		mux.Handle("POST /phone/"+p.cfg.Name+"/"+path, p.webhook(path, h))
	}
}

// Run does what calls and texts leave to be done, until ctx ends.
func (p *Phone) Run(ctx context.Context) error {
	defer p.account.close()
	defer p.stt.CloseIdleConnections()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return p.jobs.run(ctx) })
	g.Go(func() error { return p.reconcile(ctx) })
	return g.Wait()
}
