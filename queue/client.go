package queue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"hearken/internal/audit"
)

// Config of the Redis side. Zero values take the defaults named here.
type Config struct {
	// URL of Redis: redis:// rediss:// unix:// for one server,
	// redis+sentinel://host:port,host:port/db?master=name (rediss+sentinel://)
	// and redis+cluster://host:port,host:port (rediss+cluster://).
	URL         string
	Prefix      string        // "complaints"
	Partitions  int           // 1
	Consumer    string        // name of this process in its groups; must be the same after a restart
	Dedupe      time.Duration // how long a contact is remembered by its id: 30 days
	Threads     time.Duration // how long a Message-ID leads to its complaint: 180 days
	Remember    time.Duration // how long a complaint is remembered after its last event: 400 days
	Repeats     time.Duration // how long a complaint makes the customer's next one a repeat: 30 days
	Retain      time.Duration // how long read entries stay on the streams: 7 days
	MaxAttempts int           // deliveries of an entry among others, before it is tried alone: 5
	ClaimAfter  time.Duration // how long an entry may lie with a silent consumer: 30 s
	Log         *slog.Logger
	Audit       *audit.Log
}

func (c *Config) fill() {
	set := func(d *time.Duration, to time.Duration) {
		if *d == 0 {
			*d = to
		}
	}
	set(&c.Dedupe, 30*24*time.Hour)
	set(&c.Threads, 180*24*time.Hour)
	set(&c.Repeats, 30*24*time.Hour)
	set(&c.Remember, 400*24*time.Hour)
	set(&c.Retain, 7*24*time.Hour)
	set(&c.ClaimAfter, 30*time.Second)
	if c.Prefix == "" {
		c.Prefix = "complaints"
	}
	if c.Partitions == 0 {
		c.Partitions = 1
	}
	if c.MaxAttempts == 0 {
		c.MaxAttempts = 5
	}
	if c.Consumer == "" {
		c.Consumer = "hearken"
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Audit == nil {
		c.Audit = audit.Discard()
	}
}

// Client is the Redis side of the queue: streams, complaints, chat logs,
// leases. It is safe for concurrent use. Every method that talks to Redis
// returns a temporary error while Redis is away.
type Client struct {
	cfg   Config
	parts []partition
	lua   *scripts
	// write never repeats a command by itself: a publish whose answer was
	// lost is repeated by us, through a script that notices.
	write redis.UniversalClient
	// read is for blocking reads, that must not take writers' connections.
	read redis.UniversalClient
}

const (
	dialTimeout  = time.Second
	writeTimeout = 3 * time.Second
	// blockFor bounds a blocking read, which a context can't interrupt
	// (go-redis #2556): so long does a shutdown wait at the most.
	blockFor = time.Second
)

// Dial prepares the connection; it does not wait for Redis to be there.
func Dial(cfg Config) (*Client, error) {
	cfg.fill()
	lua, err := loadScripts()
	if err != nil {
		return nil, fmt.Errorf("load the queue's scripts: %w", err)
	}
	c := &Client{cfg: cfg, parts: partitions(cfg.Prefix, cfg.Partitions), lua: lua}
	for _, to := range []*redis.UniversalClient{&c.write, &c.read} {
		if *to, err = open(cfg.URL); err != nil {
			return nil, errors.Join(err, c.Close())
		}
	}
	return c, nil
}

// LogTo sends what go-redis says of its connections to log at level debug: it
// prints to stderr otherwise. Call it once, before Dial.
func LogTo(log *slog.Logger) { redis.SetLogger(chatter{log}) }

type chatter struct{ log *slog.Logger }

// Printf serves go-redis.
func (c chatter) Printf(ctx context.Context, format string, v ...any) {
	c.log.DebugContext(ctx, "go-redis", "says", fmt.Sprintf(format, v...))
}

// Check says whether url is one that Dial can use. It does not dial.
func Check(rawURL string) error {
	_, _, err := options(rawURL)
	return err
}

func open(rawURL string) (redis.UniversalClient, error) {
	o, cluster, err := options(rawURL)
	if err != nil {
		return nil, err
	}
	switch {
	case cluster:
		return redis.NewClusterClient(o.Cluster()), nil
	case o.MasterName != "":
		return redis.NewFailoverClient(o.Failover()), nil
	}
	return redis.NewClient(o.Simple()), nil
}

// options reads a Redis URL. go-redis has a reader for each mode, each with
// its own habits; here one form serves all, and the error names the URL
// without its password.
func options(rawURL string) (*redis.UniversalOptions, bool, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, false, errors.New("redis url: it can't be read as a URL (is a character of the password not percent-encoded?)")
	}
	scheme, mode, _ := strings.Cut(u.Scheme, "+")
	hosts := strings.Split(u.Host, ",")
	query := u.Query()
	master := query.Get("master")
	plain := *u
	plain.Scheme, plain.Host = scheme, hosts[0]
	query.Del("master")
	plain.RawQuery = query.Encode()
	simple, err := redis.ParseURL(plain.String())
	switch {
	case err != nil:
		return nil, false, fmt.Errorf("redis url %s: %w", u.Redacted(), err)
	case mode != "" && mode != "sentinel" && mode != "cluster":
		return nil, false, fmt.Errorf("redis url %s: unknown mode %q; use redis://, rediss://, unix://, redis+sentinel:// or redis+cluster://", u.Redacted(), mode)
	case mode == "sentinel" && master == "":
		return nil, false, fmt.Errorf("redis url %s: a sentinel URL needs ?master=NAME", u.Redacted())
	case mode == "" && len(hosts) > 1:
		return nil, false, fmt.Errorf("redis url %s: several hosts need redis+sentinel:// or redis+cluster://", u.Redacted())
	}
	o := &redis.UniversalOptions{
		Addrs: []string{simple.Addr}, DB: simple.DB, Username: simple.Username, Password: simple.Password, TLSConfig: simple.TLSConfig,
		MasterName:  master,
		MaxRetries:  -1,
		DialTimeout: dialTimeout, ReadTimeout: writeTimeout, WriteTimeout: writeTimeout,
		DialerRetries: 1,
		// Probing for it is noisy on Valkey and behind proxies (go-redis #3536).
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
	if mode != "" {
		o.Addrs = hosts
	}
	return o, mode == "cluster", nil
}

// Close frees the connections.
func (c *Client) Close() error {
	var errs []error
	for _, r := range []redis.UniversalClient{c.write, c.read} {
		if r != nil {
			errs = append(errs, r.Close())
		}
	}
	return errors.Join(errs...)
}

// Ping tells whether Redis answers.
func (c *Client) Ping(ctx context.Context) error {
	if err := c.write.Ping(ctx).Err(); err != nil {
		return fmt.Errorf("ping redis: %w", err)
	}
	return nil
}

// run calls a script. Where the server does not know it (it was restarted), it
// is sent along: every script is safe to repeat.
func (c *Client) run(ctx context.Context, s *redis.Script, keys []string, args ...any) *redis.Cmd {
	return s.Run(ctx, c.write, keys, args...)
}

func seconds(d time.Duration) int64 { return int64(d / time.Second) }
