// Package chat holds live-chat sessions with customers' browsers. It hides
// the websocket: frames, tokens, resuming after a lost line, slow and hostile
// peers. What a customer says becomes a contact before its receipt is sent;
// what is said to a customer goes through the session's log, which any
// gateway can read on.
package chat

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
	"github.com/prometheus/client_golang/prometheus"

	"hearken/complaint"
	"hearken/internal/audit"
	"hearken/internal/blob"
	"hearken/internal/secret"
	"hearken/internal/words"
)

// Subprotocol is what a browser has to ask for.
const Subprotocol = "hearken.chat.v1"

// Bounds of what a browser may do.
const (
	maxFrame     = 16 << 10 // bytes; a text of maxText Chinese characters fits
	maxText      = 4000     // runes of a message
	maxFiles     = 10       // of a message
	maxField     = 300      // runes of a name, an address, a page
	maxRefused   = 100      // messages put off whose order is remembered
	maxQueue     = 256 << 10
	helloWait    = 5 * time.Second
	pingEvery    = 25 * time.Second
	pongWait     = 60 * time.Second
	writeWait    = 10 * time.Second
	uploadWait   = 5 * time.Minute // for a whole file
	sayWait      = 2 * time.Second // for Redis, where somebody waits behind it
	drainWait    = 5 * time.Second
	closeWait    = time.Second
	badFramesMax = 5
	ratePerSec   = 5   // frames of a session, lasting
	rateBurst    = 30  // and at once: an outbox sent after a tunnel
	filesPerSec  = 0.5 // of a session
	// Wrong e-mail addresses and phone numbers for complaints, of one address:
	// many customers may share it, none mistypes that often.
	guessesAtOnce = 20
	guessesPerSec = 1.0 / 60
	excessMax     = 200 // frames beyond the rate before the line is closed
	retryAfter    = 2 * time.Second
	putOffWait    = 3 * retryAfter   // for a message that was put off, before others go past it
	goneWait      = 3 * time.Second  // for an answer to be heard where one tab ended the chat
	typingFresh   = 10 * time.Second // what a browser shows "typing" for, about
)

// Intake takes contacts; an error means that nothing was kept.
type Intake interface {
	Accept(ctx context.Context, c complaint.Contact) (complaint.Receipt, error)
}

// Sessions is what any gateway can go on with: the log of what was said into
// each window, and what is known beside it.
type Sessions interface {
	Log
	Memory
	Wire
}

// Log is what was said into each window.
type Log interface {
	Append(ctx context.Context, session string, m ...complaint.ChatMessage) (complaint.ChatPlace, error)
	Since(ctx context.Context, session string, after int64) ([]complaint.ChatMessage, error)
	Resume(ctx context.Context, session string) (complaint.ChatSession, error)
}

// Memory is what is known of sessions and complaints.
type Memory interface {
	Note(ctx context.Context, session string, notes map[string]string) error
	Heard(ctx context.Context, session string, seq int64) error
	// Status is how a complaint stands, in its department's word; "" until one
	// has written.
	Status(ctx context.Context, number string) (string, error)
}

// Wire is how gateways tell each other that there is something new.
type Wire interface {
	Watch(ctx context.Context, wake func(session, signal string)) error
	Signal(ctx context.Context, session, signal string) error
}

// Deps is what the chat is given.
type Deps struct {
	Intake    Intake
	Sessions  Sessions
	Blobs     *blob.Store
	Keys      *secret.Keys
	Log       *slog.Logger
	Audit     *audit.Log
	Metrics   prometheus.Registerer
	Words     words.Texts
	PublicURL string
}

// Chat is one site's chat.
type Chat struct {
	cfg     Config
	deps    Deps
	tokens  *secret.Signer
	files   *secret.Signer
	book    *words.Book
	up      websocket.Upgrader
	origins map[string]bool
	came    *rates          // connections and files, by address
	said    *rates          // frames, by session
	sent    *rates          // files, by session
	guessed *rates          // complaints that were not the customer's, by address
	ctx     context.Context // of all connections: they outlive their request
	cancel  context.CancelFunc

	mu       sync.Mutex
	conns    map[*conn]bool
	sessions map[string][]*conn
	perIP    map[string]int
	draining bool
	running  sync.WaitGroup // of connections
	open     prometheus.Gauge
}

// New makes the chat of one site.
func New(cfg Config, deps Deps) (*Chat, error) {
	cfg.fill()
	if err := errors.Join(cfg.Check()...); err != nil {
		return nil, fmt.Errorf("chat %s: %w", cfg.Name, err)
	}
	book, err := words.New(texts, deps.Words)
	if err != nil {
		return nil, err
	}
	c := &Chat{
		cfg: cfg, deps: deps, book: book, origins: map[string]bool{},
		tokens: deps.Keys.Signer("chat session"), files: deps.Keys.Signer("chat file"),
		conns: map[*conn]bool{}, sessions: map[string][]*conn{}, perIP: map[string]int{},
		// An address may open as many in a minute as it may hold.
		came: newRates(float64(cfg.MaxPerIP)/60, cfg.MaxPerIP), said: newRates(ratePerSec, rateBurst), sent: newRates(filesPerSec, maxFiles),
		guessed: newRates(guessesPerSec, guessesAtOnce),
		open:    prometheus.NewGauge(prometheus.GaugeOpts{Name: "hearken_chat_connections", Help: "Open chat windows.", ConstLabels: prometheus.Labels{"site": cfg.Name}}),
	}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	if deps.Metrics != nil {
		deps.Metrics.MustRegister(c.open)
	}
	for _, o := range append(cfg.Origins, originOf(deps.PublicURL)) {
		c.origins[strings.ToLower(strings.TrimSuffix(o, "/"))] = true
	}
	c.up = websocket.Upgrader{
		HandshakeTimeout: helloWait, Subprotocols: []string{Subprotocol}, CheckOrigin: c.checkOrigin,
		// Small buffers, and write buffers shared: an idle window is cheap.
		// Compression stays off: a small frame can unfold into a huge one.
		ReadBufferSize: 256, WriteBufferSize: 1024, WriteBufferPool: new(sync.Pool),
	}
	return c, nil
}

// Name is the site's, as replies name it.
func (c *Chat) Name() string { return c.cfg.Name }

// Mount puts the chat's addresses on mux.
func (c *Chat) Mount(mux *http.ServeMux) {
	base := "/chat/" + c.cfg.Name + "/"
	mux.HandleFunc("GET "+base+"ws", c.serveSocket)
	mux.HandleFunc("POST "+base+"files", c.serveFile)
	mux.HandleFunc("OPTIONS "+base+"files", c.servePreflight)
	mux.HandleFunc("GET "+base+"{$}", c.servePage)
	mux.HandleFunc("GET "+base+"{file}", c.servePage)
}

// checkOrigin lets only known pages in: without it, any page that a customer
// visits could speak in their name.
func (c *Chat) checkOrigin(r *http.Request) bool {
	return c.origins[strings.ToLower(r.Header.Get("Origin"))] && r.Header.Get("Origin") != ""
}

// Run hands messages to open windows until ctx ends, and then closes the
// windows with the advice to reconnect.
func (c *Chat) Run(ctx context.Context) error {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		c.keep(ctx)
	}()
	err := c.deps.Sessions.Watch(ctx, c.wake)
	<-ended
	c.drain()
	return err
}
