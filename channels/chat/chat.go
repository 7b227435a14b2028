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
	"math/rand/v2"
	"net/http"
	"net/url"
	"regexp"
	"slices"
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

// Config of one site's chat. Zero values take the defaults named here.
type Config struct {
	Name           string   `yaml:"name"`
	Origins        []string `yaml:"origins"`         // pages that may open a chat, https://www.example.com
	Language       string   `yaml:"language"`        // where the browser names none: zh
	MaxConnections int      `yaml:"max_connections"` // 20000
	MaxPerIP       int      `yaml:"max_per_ip"`      // 50
	MaxFile        int64    `yaml:"max_file"`        // bytes: 20 MiB
	// TrustForwarded takes the client's address from X-Forwarded-For; only
	// behind a proxy that sets it.
	TrustForwarded bool `yaml:"trust_forwarded"`
	// FallbackAfter is how long an answer waits for the customer to come back
	// before it goes to the address that they left: 10 minutes.
	FallbackAfter time.Duration `yaml:"fallback_after"`
	// FileTypes are the media types that are taken, image/* for all images;
	// none means all but programs.
	FileTypes []string `yaml:"file_types"`
	// IdentityKey signs who is logged in at the site; without one, nobody is.
	IdentityKey secret.Value `yaml:"identity_key"`
}

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
	excessMax    = 200 // frames beyond the rate before the line is closed
	retryAfter   = 2 * time.Second
	goneWait     = 3 * time.Second  // for an answer to be heard where one tab ended the chat
	typingFresh  = 10 * time.Second // what a browser shows "typing" for, about
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
		open: prometheus.NewGauge(prometheus.GaugeOpts{Name: "hearken_chat_connections", Help: "Open chat windows.", ConstLabels: prometheus.Labels{"site": cfg.Name}}),
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

func (c *Config) fill() {
	if c.Language == "" {
		c.Language = "zh"
	}
	if c.MaxConnections == 0 {
		c.MaxConnections = 20000
	}
	if c.MaxPerIP == 0 {
		c.MaxPerIP = 50
	}
	if c.MaxFile == 0 {
		c.MaxFile = 20 << 20
	}
	if c.FallbackAfter == 0 {
		c.FallbackAfter = 10 * time.Minute
	}
}

// Check reports what is wrong, each with the key that it is about.
func (c Config) Check() []error {
	var errs []error
	if !plainName(c.Name) {
		errs = append(errs, fmt.Errorf("name: %q must be 1 to 40 letters, digits, - and _: it is part of an address", c.Name))
	}
	for i, o := range c.Origins {
		if u, err := url.Parse(o); err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || strings.Trim(u.Path, "/") != "" {
			errs = append(errs, fmt.Errorf("origins[%d]: %q is not an origin like https://www.example.com", i, o))
		}
	}
	if c.MaxConnections < 0 || c.MaxPerIP < 0 || c.MaxFile < 0 {
		errs = append(errs, errors.New("max_connections: bounds must not be negative"))
	}
	if c.FallbackAfter < 0 {
		errs = append(errs, errors.New("fallback_after: a time must not be negative"))
	}
	for i, t := range c.FileTypes {
		if !fileType.MatchString(t) {
			errs = append(errs, fmt.Errorf("file_types[%d]: %q is not a media type like application/pdf or image/*", i, t))
		}
	}
	return errs
}

var fileType = regexp.MustCompile(`^[a-z]+/(\*|[a-z0-9.+-]+)$`)

func plainName(s string) bool {
	return s != "" && len(s) <= 40 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") == ""
}

func originOf(publicURL string) string {
	u, err := url.Parse(publicURL)
	if err != nil || u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host
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

// keep pings the windows, each in its turn, so that no window needs a timer.
func (c *Chat) keep(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			for _, k := range c.due(now) {
				k.ping()
			}
			for _, r := range []*rates{c.came, c.said, c.sent} {
				r.sweep(now)
			}
		}
	}
}

// due are the windows that were not pinged for a while.
func (c *Chat) due(now time.Time) (due []*conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for k := range c.conns {
		if now.Sub(k.pinged) >= pingEvery {
			k.pinged = now
			due = append(due, k)
		}
	}
	return due
}

// wake lets the windows of a session fetch what is new, or tells them a
// signal; "" means all.
func (c *Chat) wake(session, signal string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if session == "" {
		for k := range c.conns {
			k.nudge()
		}
		return
	}
	for _, k := range c.sessions[session] {
		switch signal {
		case "":
			k.nudge()
		case complaint.PresenceTyping:
			k.push(outFrame{Type: "typing", From: "department"})
		}
	}
}

func (c *Chat) drain() {
	defer c.cancel()
	c.mu.Lock()
	c.draining = true
	for k := range c.conns {
		k.shut(closeGoingAway)
	}
	c.mu.Unlock()
	done := make(chan struct{})
	go func() { c.running.Wait(); close(done) }()
	select {
	case <-done:
		return
	case <-time.After(drainWait):
	}
	c.cancel()
	c.mu.Lock()
	for k := range c.conns {
		_ = k.ws.Close() // what is left does not answer
	}
	c.mu.Unlock()
	<-done
}

// admit books a connection from an address, if there is room.
func (c *Chat) admit(ip string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.draining || len(c.conns) >= c.cfg.MaxConnections || c.perIP[ip] >= c.cfg.MaxPerIP {
		return false
	}
	c.perIP[ip]++
	return true
}

func (c *Chat) leave(ip string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.perIP[ip]--; c.perIP[ip] <= 0 {
		delete(c.perIP, ip)
	}
}

// add makes a connection known; false while the gateway is closing.
func (c *Chat) add(k *conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.draining {
		return false
	}
	// Windows that were opened at once, after a restart, are not pinged at once.
	k.pinged = time.Now().Add(-rand.N(pingEvery))
	c.conns[k] = true
	c.running.Add(1)
	c.open.Inc()
	return true
}

// join makes the connection one of a session's.
func (c *Chat) join(k *conn, session string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k.session = session // under the lock: the writer asks for it too
	c.sessions[session] = append(c.sessions[session], k)
}

// joined tells whether the connection is one of its session's.
func (c *Chat) joined(k *conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return k.session != ""
}

// remove forgets a connection.
func (c *Chat) remove(k *conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.conns, k)
	c.open.Dec()
	if k.session == "" {
		return
	}
	rest := slices.DeleteFunc(c.sessions[k.session], func(o *conn) bool { return o == k })
	if len(rest) == 0 {
		delete(c.sessions, k.session)
		return
	}
	c.sessions[k.session] = rest
}
