package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"hearken/channels"
	"hearken/complaint"
	"hearken/config"
	"hearken/dispatcher"
	"hearken/internal/audit"
	"hearken/internal/blob"
	"hearken/internal/lifecycle"
	"hearken/internal/redisserver"
	"hearken/internal/secret"
	"hearken/queue"
)

type serveCmd struct {
	Config string   `short:"c" default:"config.yaml" type:"path" help:"The configuration file."`
	Roles  []string `default:"channels,dispatcher" help:"What this process does: channels, dispatcher."`
}

// The roles of a process.
const (
	roleChannels   = "channels"
	roleDispatcher = "dispatcher"
)

// garbagePercent is how much garbage there may be beside what is alive: with
// the usual 100, emptying a large mailbox takes 120 MB instead of under 100, and
// a gateway shares its machine with Redis. It costs some four per cent more of
// the processor.
const garbagePercent = 50

func (c *serveCmd) Run(ctx context.Context, s *streams) error {
	for _, r := range c.Roles {
		if r != roleChannels && r != roleDispatcher {
			return usage{fmt.Errorf("--roles: %q is neither %s nor %s", r, roleChannels, roleDispatcher)}
		}
	}
	cfg, err := config.Load(c.Config)
	if err != nil {
		return err
	}
	cfg.Rules = beside(c.Config, cfg.Rules)
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbagePercent)
	}
	log := newLog(cfg.Log, s.err)
	p, err := assemble(ctx, cfg, c.Roles, log)
	if err != nil {
		return err
	}
	return p.run(ctx)
}

// beside finds a file that another one names: from the other's folder.
func beside(of, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(filepath.Dir(of), path)
}

func newLog(c config.Log, w io.Writer) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(c.Level)) // checked by config
	o := &slog.HandlerOptions{Level: level}
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}

// process is an assembled hearken: its parts in the order in which they start,
// the last of which stops first.
type process struct {
	cfg      *config.Config
	log      *slog.Logger
	reg      *prometheus.Registry
	audit    *audit.Log
	group    lifecycle.Group
	closers  []func() error
	client   *queue.Client
	gateway  *queue.Gateway
	rules    *config.Live
	stopping atomic.Bool
}

// assemble puts the parts together. It is one straight line, so that what
// stands on what can be read off it.
func assemble(ctx context.Context, cfg *config.Config, roles []string, log *slog.Logger) (p *process, err error) {
	queue.LogTo(log)
	p = &process{cfg: cfg, log: log, reg: prometheus.NewRegistry()}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.close())
		}
	}()
	p.reg.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	p.audit = audit.New(log, p.reg)
	if err := os.MkdirAll(cfg.DataDir, 0o700); err != nil {
		return p, fmt.Errorf("make data_dir: %w", err)
	}
	hasChannels := slices.Contains(roles, roleChannels)
	url, own, err := p.redis(ctx, hasChannels)
	if err != nil {
		return p, err
	}
	if p.client, err = queue.Dial(queueConfig(cfg, url, log, p.audit)); err != nil {
		return p, err
	}
	p.closers = append(p.closers, p.client.Close)
	p.reg.MustRegister(queue.Streams{C: p.client})
	if p.rules, err = config.NewLive(cfg.Rules, log, p.reg); err != nil {
		return p, err
	}
	p.fits(p.rules.Current())
	p.rules.Reloaded = p.fits
	p.group.Add("rules", p.rules.Run)
	p.group.Add("rules version", p.announce)
	if err := p.adminServer(); err != nil {
		return p, err
	}
	if slices.Contains(roles, roleDispatcher) {
		p.group.Add("trimmer", p.client.Trim)
		d := dispatcher.New(p.client.Intake(), func() *dispatcher.Rules { return p.rules.Current().Router }, log)
		p.group.Add("dispatcher", d.Run)
		p.group.Add("acceptance", p.client.WatchAcceptance)
	}
	if hasChannels {
		if err := p.channels(own); err != nil {
			return p, err
		}
	}
	return p, nil
}

// redis starts a Redis of our own where none is configured.
func (p *process) redis(ctx context.Context, hasChannels bool) (url string, own bool, err error) {
	if url := p.cfg.Redis.URL.Reveal(); url != "" {
		return url, false, nil
	}
	dir := filepath.Join(p.cfg.DataDir, "redis")
	if !hasChannels {
		// The process with the channels looks after it.
		url, err := redisserver.Known(dir)
		return url, true, err
	}
	server, err := redisserver.New(dir, p.log)
	if err != nil {
		return "", false, err
	}
	if err := server.Start(ctx); err != nil {
		return "", false, err
	}
	p.log.Info("own redis is up", "addr", server.Addr(), "data", dir)
	running := false
	p.group.Add("redis", func(ctx context.Context) error { running = true; return server.Run(ctx) })
	p.closers = append(p.closers, func() error {
		if running {
			return nil // Run has stopped it
		}
		return server.Stop()
	})
	return server.URL(), true, nil
}

// queueConfig is also what the commands use that only look.
func queueConfig(cfg *config.Config, url string, log *slog.Logger, a *audit.Log) queue.Config {
	q := cfg.Queue
	consumer := q.Consumer
	if consumer == "" {
		host, _ := os.Hostname() // without one, data_dir alone makes the name
		dir, _ := filepath.Abs(cfg.DataDir)
		sum := sha256.Sum256([]byte(dir))
		consumer = host + "-" + hex.EncodeToString(sum[:4])
	}
	return queue.Config{
		URL: url, Prefix: q.Prefix, Partitions: q.Partitions, Consumer: consumer, Dedupe: q.Dedupe, Retain: q.Retain, Repeats: q.Repeats, MaxAttempts: q.Attempts, Log: log, Audit: a,
	}
}

// channels adds the gateway: spool, channels, answers and the HTTP address.
func (p *process) channels(ownRedis bool) error {
	q := p.cfg.Queue
	settle := q.Settle
	if ownRedis {
		settle = 0 // nobody else leases from it, and the spool knows what was leased
	}
	var err error
	p.gateway, err = queue.OpenGateway(p.client, queue.GatewayConfig{
		Dir: p.cfg.DataDir, Keep: q.Spool.Keep, MaxBytes: int64(q.Spool.MaxBytes), Idle: q.Spool.Idle, Receipts: q.Receipts, Settle: settle, Location: p.cfg.Location,
		Normalize: func(c complaint.Contact) complaint.Record { return p.rules.Current().Normalizer.Record(c) },
	})
	if err != nil {
		return err
	}
	p.closers = append(p.closers, p.gateway.Close)
	p.reg.MustRegister(p.gateway)
	p.group.Add("publisher", p.gateway.Run)
	blobs, err := blob.New(filepath.Join(p.cfg.DataDir, "blobs"))
	if err != nil {
		return err
	}
	p.closers = append(p.closers, blobs.Close)
	keys, err := secret.LoadKeys(p.cfg.Secret, p.cfg.DataDir)
	if err != nil {
		return err
	}
	set, err := channels.Build(p.cfg.Channels, channels.Deps{
		Gateway: p.gateway, Blobs: blobs, Keys: keys, Log: p.log, Audit: p.audit, Metrics: p.reg, Words: p.cfg.Words, PublicURL: p.cfg.HTTP.PublicURL,
	})
	if err != nil {
		return err
	}
	if len(set.All()) == 0 {
		p.log.Warn("no channel is configured: nobody can complain here")
	}
	p.group.Add("answers", channels.NewAnswers(p.client, set, p.log).Run)
	for _, c := range set.All() {
		p.group.Add("channel "+c.Name(), c.Run)
	}
	mux := http.NewServeMux()
	set.Mount(mux)
	return p.listen("http", p.cfg.HTTP.Listen, mux)
}

// Bounds of the HTTP servers.
const (
	headerWait  = 5 * time.Second
	idleWait    = 2 * time.Minute
	maxHeader   = 64 << 10
	shutdownFor = 15 * time.Second
)

// listen opens an address now, so that a taken one is told at once, and
// serves it as a part of the group.
func (p *process) listen(name, addr string, h http.Handler) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("open %s.listen: %w", name, err)
	}
	p.closers = append(p.closers, func() error { // where it never came to serve
		if err := l.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			return err
		}
		return nil
	})
	p.log.Info("listening", "for", name, "addr", l.Addr())
	server := &http.Server{Handler: h, ReadHeaderTimeout: headerWait, IdleTimeout: idleWait, MaxHeaderBytes: maxHeader, ErrorLog: slog.NewLogLogger(p.log.Handler(), slog.LevelDebug)}
	p.group.Add(name, func(ctx context.Context) error {
		failed := make(chan error, 1)
		go func() { failed <- server.Serve(l) }()
		select {
		case err := <-failed:
			return err
		case <-ctx.Done():
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownFor)
		defer cancel()
		if err := server.Shutdown(ctx); err != nil {
			return errors.Join(fmt.Errorf("finish requests: %w", err), server.Close())
		}
		return nil
	})
	return nil
}

// fits tells, of the rules that are in force now, what of the configuration
// they do not fit.
func (p *process) fits(rules *config.Rules) {
	if err := p.cfg.Against(rules); err != nil {
		p.log.Error("the configuration does not fit the rules; such types are not stated", "err", err)
	}
	for _, w := range p.cfg.Unreached(rules) {
		p.log.Warn(w, "rules_version", rules.Version)
	}
}

// announceEvery is how soon others see which rules a process has.
const announceEvery = 10 * time.Second

// announce tells the other processes which rules this one has, until ctx ends.
func (p *process) announce(ctx context.Context) error {
	for ctx.Err() == nil {
		_ = p.client.Announce(ctx, p.rules.Current().Version) // Redis being away is told elsewhere
		select {
		case <-ctx.Done():
		case <-time.After(announceEvery):
		}
	}
	return nil
}

// adminServer serves the operators.
func (p *process) adminServer() error {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") })
	mux.HandleFunc("GET /readyz", p.ready)
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	mux.Handle("GET /metrics", promhttp.HandlerFor(p.reg, promhttp.HandlerOpts{}))
	return p.listen("admin", p.cfg.Admin.Listen, mux)
}

// ready says whether a contact could be kept now. Redis being away does not
// make a gateway unready: the spool takes over.
func (p *process) ready(w http.ResponseWriter, r *http.Request) {
	var lines []string
	bad := p.stopping.Load()
	say := func(what string, err error, matters bool) {
		state := "ok"
		if err != nil {
			state = err.Error()
			bad = bad || matters
		}
		lines = append(lines, what+": "+state)
	}
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	if p.gateway != nil {
		say("spool", p.gateway.Ready(), true)
	}
	say("redis", p.client.Ping(ctx), p.gateway == nil)
	say("rules "+p.rules.Current().Version, p.rules.Err(), false)
	if bad {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	if p.stopping.Load() {
		lines = append(lines, "stopping")
	}
	_, _ = io.WriteString(w, strings.Join(lines, "\n")+"\n")
}

// run runs until ctx ends, and closes what was opened. SIGHUP reloads the
// rules.
func (p *process) run(ctx context.Context) error {
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	p.group.Add("signals", func(ctx context.Context) error {
		for {
			select {
			case <-ctx.Done():
				return nil
			case <-hup:
				p.rules.Reload()
			}
		}
	})
	defer context.AfterFunc(ctx, func() { p.stopping.Store(true) })()
	p.log.Info("hearken is up", "version", version, "rules_version", p.rules.Current().Version)
	err := p.group.Run(ctx)
	err = errors.Join(err, p.close())
	p.log.Info("hearken is down")
	return err
}

func (p *process) close() error {
	var errs []error
	for i := len(p.closers) - 1; i >= 0; i-- {
		errs = append(errs, p.closers[i]())
	}
	p.closers = nil
	return errors.Join(errs...)
}
