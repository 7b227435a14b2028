package config

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fsnotify/fsnotify"
	"github.com/prometheus/client_golang/prometheus"
)

const (
	// settle lets an editor or a ConfigMap finish what it does in steps.
	settle = 200 * time.Millisecond
	// pollEvery finds changes that no event tells of (network file systems).
	pollEvery = 30 * time.Second
)

// Live is a rules file that is followed while the process runs. A broken file
// leaves the rules that were.
type Live struct {
	Reloaded func(*Rules) // is told of other rules in force; may be nil

	path    string
	log     *slog.Logger
	current atomic.Pointer[Rules]
	poke    chan struct{}
	reloads *prometheus.CounterVec
	broken  prometheus.Gauge
	version *prometheus.GaugeVec

	mu  sync.Mutex
	sum []byte // of the file as it was last read, good or not
	err error
}

// NewLive loads the rules for the first time; broken ones are an error then.
func NewLive(path string, log *slog.Logger, reg prometheus.Registerer) (*Live, error) {
	l := &Live{path: path, log: log, poke: make(chan struct{}, 1),
		reloads: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "hearken_rules_reloads_total", Help: "Reloads of the rules by result."}, []string{"result"}),
		broken:  prometheus.NewGauge(prometheus.GaugeOpts{Name: "hearken_rules_broken", Help: "1 while the rules file is broken and the old rules are kept."}),
		version: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "hearken_rules_info", Help: "1, with the version of the rules that this process has in force."}, []string{"version"}),
	}
	reg.MustRegister(l.reloads, l.broken, l.version)
	l.sum = l.hash()
	rules, err := LoadRules(path)
	if err != nil {
		return nil, err
	}
	l.current.Store(rules)
	l.tell(rules)
	return l, nil
}

// Current returns the rules in force.
func (l *Live) Current() *Rules { return l.current.Load() }

// Err tells why the file on disk is not in force; nil where it is.
func (l *Live) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// Reload reads the file again soon, also where it looks unchanged (SIGHUP).
func (l *Live) Reload() {
	select {
	case l.poke <- struct{}{}:
	default:
	}
}

// Run follows the file until ctx ends.
func (l *Live) Run(ctx context.Context) error {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("watch the rules: %w", err)
	}
	defer w.Close()
	if err := l.watch(w); err != nil {
		return fmt.Errorf("watch the folder of the rules: %w", err)
	}
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	var soon <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-l.poke:
			l.load(true)
		case <-w.Events:
			soon = time.After(settle)
		case err := <-w.Errors:
			l.log.Warn("watch the rules", "err", err)
		case <-soon:
			soon = nil
			l.load(false)
			_ = l.watch(w) // a link may lead elsewhere now; where it can't be watched there is the poll
		case <-poll.C:
			l.load(false)
		}
	}
}

// watch has changes told of the file's folder, and of the one that a link
// leads to. The folder, not the file: a ConfigMap swaps a link beside it, an
// editor puts a new file in its place.
func (l *Live) watch(w *fsnotify.Watcher) error {
	err := w.Add(filepath.Dir(l.path))
	if real, linkErr := filepath.EvalSymlinks(l.path); linkErr == nil {
		err = errors.Join(err, w.Add(filepath.Dir(real)))
	}
	return err
}

func (l *Live) hash() []byte {
	b, err := os.ReadFile(l.path)
	if err != nil {
		return []byte(err.Error())
	}
	s := sha256.Sum256(b)
	return s[:]
}

func (l *Live) load(always bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	sum := l.hash()
	if bytes.Equal(sum, l.sum) && !always {
		return
	}
	l.sum = sum
	rules, err := LoadRules(l.path)
	if l.err = err; err != nil {
		l.reloads.WithLabelValues("refused").Inc()
		l.broken.Set(1)
		l.log.Error("the rules file is broken; the old rules stay in force", "rules_version", l.Current().Version, "err", err)
		return
	}
	old := l.current.Swap(rules)
	l.reloads.WithLabelValues("ok").Inc()
	l.broken.Set(0)
	l.tell(rules)
	l.log.Info("rules reloaded", "rules_version", rules.Version, "before", old.Version)
	if l.Reloaded != nil {
		l.Reloaded(rules)
	}
}

// tell says which rules are in force, and what should be seen to in them.
func (l *Live) tell(rules *Rules) {
	l.version.Reset()
	l.version.WithLabelValues(rules.Version).Set(1)
	for _, w := range rules.Warnings(time.Now()) {
		l.log.Warn(w, "rules_version", rules.Version)
	}
}
