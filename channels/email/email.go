// Package email is the channel of mail: it reads mailboxes by IMAP and answers
// by SMTP. It hides everything about mail: where the reader was when it was
// stopped, what MIME makes of a complaint, which mail must never be answered,
// how an answer finds its thread again.
//
// A mail is moved or flagged only with its Receipt in hand. Whatever happens
// before that, it is read again, and gets the same id.
package email

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"hearken/channels/email/access"
	"hearken/channels/email/letter"
	"hearken/channels/email/mailbox"
	"hearken/complaint"
	"hearken/internal/audit"
	"hearken/internal/clamd"
	"hearken/internal/secret"
	"hearken/internal/words"
)

// Intake takes contacts: with its Receipt a contact is safe.
type Intake interface {
	Accept(ctx context.Context, c complaint.Contact) (complaint.Receipt, error)
}

// Blobs keeps raw mail and attachments.
type Blobs interface {
	Put(r io.Reader, limit int64) (complaint.Blob, error)
	Open(ref string) (*os.File, error)
}

// Cursors remember how far a mailbox is read.
type Cursors interface {
	Load(ctx context.Context, key string) ([]byte, error)
	Save(ctx context.Context, key string, value []byte) error
}

// Leases let one gateway at a time read a mailbox.
type Leases interface {
	Hold(ctx context.Context, name string, run func(ctx context.Context) error) error
}

// Deps is what the channel stands on.
type Deps struct {
	Intake  Intake
	Blobs   Blobs
	Cursors Cursors
	Leases  Leases
	History History
	Log     *slog.Logger
	Audit   *audit.Log
	Keys    *secret.Keys
	Metrics prometheus.Registerer
	Words   words.Texts // an admin's replacements
}

// pace is how fast things are tried again.
type pace struct {
	first, last  time.Duration // between connections
	login        time.Duration // after the first refused login: accounts get locked
	lastLogin    time.Duration // after many
	refused      time.Duration // after the spool was full, at most
	idle, poll   time.Duration
	settingAside int           // how often a mail may fail alone before the others go on
	again        time.Duration // until mail that was set aside or overlooked gets its next chance
}

var normalPace = pace{
	first: time.Second, last: 5 * time.Minute, login: 5 * time.Minute, lastLogin: time.Hour, refused: 30 * time.Second,
	idle: 4 * time.Minute, poll: 30 * time.Second, settingAside: 3, again: time.Hour,
}

// Email is one mailbox.
type Email struct {
	cfg     Config
	deps    Deps
	ids     *outgoing
	book    *words.Book
	log     *slog.Logger
	since   baseline
	maxSize int64
	limits  letter.Limits
	rate    *hourly
	metrics *metrics
	pace    pace
	mailer  mailer
	tokens  *access.Tokens
	scanner *clamd.Scanner // nil for none
}

// New makes the channel of one mailbox. It connects nowhere yet.
func New(cfg Config, deps Deps) (*Email, error) {
	if errs := cfg.Check(); len(errs) > 0 {
		return nil, fmt.Errorf("email channel %q: %w", cfg.Name, errors.Join(errs...))
	}
	book, err := words.New(texts, deps.Words)
	if err != nil {
		return nil, fmt.Errorf("email channel %q: %w", cfg.Name, err)
	}
	m, err := newMetrics(deps.Metrics)
	if err != nil {
		return nil, fmt.Errorf("email channel %q: %w", cfg.Name, err)
	}
	e := &Email{
		cfg: cfg, deps: deps, book: book, log: deps.Log.With("channel", complaint.Email, "account", cfg.Name),
		ids: newOutgoing(deps.Keys, cfg.Address), limits: letter.DefaultLimits, metrics: m, pace: normalPace, tokens: access.NewTokens(cfg.OAuth),
	}
	e.mailer = newMailer(cfg.SMTP, e.tokens)
	if cfg.Attachments.Clamd != "" {
		e.scanner, _ = clamd.New(cfg.Attachments.Clamd) // Check has found it good
	}
	// Check has found all of these good.
	e.since, _ = cfg.since(time.Now())
	e.maxSize, _ = cfg.maxSize()
	perHour, _ := cfg.perHour()
	e.rate = newHourly(perHour)
	return e, nil
}

// Name is the account's name in config.yaml.
func (e *Email) Name() string { return e.cfg.Name }

// Run reads the mailboxes until ctx ends. It never gives up: servers come
// back, passwords get corrected.
func (e *Email) Run(ctx context.Context) error {
	var all errgroup.Group
	for _, folder := range e.cfg.folders() {
		all.Go(func() error {
			e.follow(ctx, folder)
			return nil
		})
	}
	return all.Wait()
}

// follow reads one mailbox, connection after connection.
func (e *Email) follow(ctx context.Context, folder string) {
	log := e.log
	lease := "mailbox:" + e.cfg.Name
	if folder != e.cfg.folders()[0] {
		log, lease = log.With("mailbox", folder), lease+":"+folder
	}
	trouble := trouble{failed: map[uint32]int{}, tooBig: map[uint32]bool{}}
	wait := e.pace.first
	for ctx.Err() == nil {
		last := e.pace.last
		good := false
		err := e.deps.Leases.Hold(ctx, lease, func(ctx context.Context) error {
			return e.read(ctx, folder, &trouble, func() { good = true })
		})
		e.metrics.connected.WithLabelValues(e.cfg.Name, folder).Set(0)
		if ctx.Err() != nil {
			break
		}
		if good {
			wait = e.pace.first
		}
		switch {
		case errors.Is(err, mailbox.ErrLogin):
			wait, last = max(wait, e.pace.login), e.pace.lastLogin
			log.Error("mailbox can't be read", "err", err, "again_in", wait.String())
		case errors.Is(err, errRefused):
			wait = min(wait, e.pace.refused)
			log.Warn("mail stays in the mailbox for now", "err", err, "again_in", wait.String())
		case err != nil:
			log.Warn("mailbox connection ended", "err", err, "again_in", wait.String())
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait/2 + rand.N(wait/2+1)):
		}
		wait = min(2*wait, last)
	}
}

// read is one connection: sweep, wait, sweep again.
func (e *Email) read(ctx context.Context, folder string, trouble *trouble, good func()) error {
	account := e.cfg.account(folder, e.tokens)
	box, err := mailbox.Open(ctx, account)
	if errors.Is(err, mailbox.ErrLogin) && e.tokens != nil {
		box, err = mailbox.Open(ctx, account) // with a new token
	}
	if err != nil {
		return err
	}
	defer box.Close()
	r := &reader{Email: e, box: box, folder: folder, trouble: trouble}
	if err := r.load(ctx); err != nil {
		return err
	}
	e.metrics.connected.WithLabelValues(e.cfg.Name, folder).Set(1)
	for {
		if err := r.sweep(ctx); err != nil {
			return err
		}
		good()
		e.metrics.swept.WithLabelValues(e.cfg.Name, folder).SetToCurrentTime()
		if err := box.Wait(ctx, e.pace.idle, e.pace.poll); err != nil {
			return err
		}
	}
}

type metrics struct {
	connected, swept *prometheus.GaugeVec
}

// newMetrics registers the gauges, which all mailboxes share.
func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		connected: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "hearken_mailbox_connected", Help: "1 while this gateway reads the mailbox.",
		}, []string{"account", "mailbox"}),
		swept: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "hearken_mailbox_swept_timestamp_seconds", Help: "When the mailbox was last read to its end.",
		}, []string{"account", "mailbox"}),
	}
	if reg == nil {
		return m, nil
	}
	for _, g := range []**prometheus.GaugeVec{&m.connected, &m.swept} {
		err := reg.Register(*g)
		var again prometheus.AlreadyRegisteredError
		if errors.As(err, &again) {
			*g, err = again.ExistingCollector.(*prometheus.GaugeVec), nil
		}
		if err != nil {
			return nil, fmt.Errorf("register metrics: %w", err)
		}
	}
	return m, nil
}
