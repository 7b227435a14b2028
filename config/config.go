// Package config reads config.yaml and rules.yaml. It hides YAML: unknown
// keys, wrong values and missing secrets are told all at once, each with its
// place in the file.
package config

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // a time zone must not depend on the machine

	"hearken/channels"
	"hearken/channels/phone"
	"hearken/dispatcher"
	"hearken/internal/secret"
	"hearken/internal/words"
	"hearken/queue"
)

// DefaultTimezone is whose days numbers and deadlines follow.
const DefaultTimezone = "Asia/Shanghai"

// Config is a config.yaml.
type Config struct {
	DataDir  string          `yaml:"data_dir"`
	Timezone string          `yaml:"timezone"`
	Secret   secret.Value    `yaml:"secret"`
	Log      Log             `yaml:"log"`
	Redis    Redis           `yaml:"redis"`
	HTTP     HTTP            `yaml:"http"`
	Admin    Admin           `yaml:"admin"`
	Rules    string          `yaml:"rules"`
	Queue    Queue           `yaml:"queue"`
	Words    words.Texts     `yaml:"words"`
	Channels channels.Config `yaml:"channels"`

	Location *time.Location `yaml:"-"` // of Timezone
}

// Log says how much is logged, and in which form.
type Log struct {
	Level  string `yaml:"level"`  // debug, info, warn, error
	Format string `yaml:"format"` // text or json
}

// Redis says where Redis is; without a URL the gateway starts its own.
type Redis struct {
	URL secret.Value `yaml:"url"` // it may hold a password
}

// HTTP is the address that webhooks and chats come to.
type HTTP struct {
	Listen    string `yaml:"listen"`
	PublicURL string `yaml:"public_url"` // as the world sees it
}

// Admin is the operators' address; never a public one.
type Admin struct {
	Listen string `yaml:"listen"`
}

// Queue says how complaints are kept.
type Queue struct {
	Prefix     string        `yaml:"prefix"`
	Partitions int           `yaml:"partitions"`
	Consumer   string        `yaml:"consumer"` // this process's name in consumer groups; made of host and data_dir
	Dedupe     time.Duration `yaml:"dedupe"`
	Retain     time.Duration `yaml:"retain"`
	Repeats    time.Duration `yaml:"repeats"`
	Attempts   int           `yaml:"max_attempts"`
	Receipts   int           `yaml:"receipts_per_hour"`
	Settle     time.Duration `yaml:"number_settle"`
	Spool      Spool         `yaml:"spool"`
}

// Spool is the local write-ahead file.
type Spool struct {
	Keep     time.Duration `yaml:"keep"`
	MaxBytes Size          `yaml:"max_bytes"`
	Idle     time.Duration `yaml:"fragment_idle"`
}

// Default is what keys that are left out mean.
func Default() Config {
	return Config{
		DataDir: "./data", Timezone: DefaultTimezone, Rules: "rules.yaml", Log: Log{"info", "text"},
		HTTP: HTTP{Listen: "127.0.0.1:8080"}, Admin: Admin{Listen: "127.0.0.1:8081"},
		Queue: Queue{Prefix: "complaints", Partitions: 1, Settle: 2 * time.Second},
	}
}

// Load reads and checks a configuration. The error tells everything that is
// wrong.
func Load(path string) (*Config, error) {
	f, err := read(path, maxConfigBytes)
	if err != nil {
		return nil, err
	}
	return f.config()
}

func (f *file) config() (*Config, error) {
	cfg := Default()
	f.decode(f.root, reflect.ValueOf(&cfg).Elem())
	f.check(&cfg)
	if err := f.err(); err != nil {
		return nil, err
	}
	return &cfg, nil
}

// maxPartitions bounds the shards; every look-up asks them all.
const maxPartitions = 64

func (f *file) check(cfg *Config) {
	fault := func(path, format string, args ...any) {
		line, col := f.root.at(path)
		f.fault(line, col, path+": "+format, args...)
	}
	var err error
	if cfg.Location, err = time.LoadLocation(cfg.Timezone); err != nil {
		fault("timezone", "%v", err)
	}
	if !slices.Contains([]string{"debug", "info", "warn", "error"}, cfg.Log.Level) {
		fault("log.level", "%q is not one of debug, info, warn, error", cfg.Log.Level)
	}
	if cfg.Log.Format != "text" && cfg.Log.Format != "json" {
		fault("log.format", "%q is neither text nor json", cfg.Log.Format)
	}
	if u := cfg.Redis.URL.Reveal(); u != "" {
		if err := queue.Check(u); err != nil {
			fault("redis.url", "%v", err)
		}
	}
	for path, addr := range map[string]string{"http.listen": cfg.HTTP.Listen, "admin.listen": cfg.Admin.Listen} {
		if _, _, err := net.SplitHostPort(addr); err != nil {
			fault(path, "%q is not host:port", addr)
		}
	}
	if u, err := url.Parse(cfg.HTTP.PublicURL); cfg.HTTP.PublicURL != "" && (err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https")) {
		fault("http.public_url", "%q is not an address like https://intake.example.com", cfg.HTTP.PublicURL)
	}
	if !plainCode(cfg.Queue.Prefix) {
		fault("queue.prefix", "%q must be letters, digits, - and _: it is part of the streams' names", cfg.Queue.Prefix)
	}
	if cfg.Queue.Partitions < 1 || cfg.Queue.Partitions > maxPartitions {
		fault("queue.partitions", "must be 1 to %d", maxPartitions)
	}
	f.checkChannels(cfg, fault)
}

func (f *file) checkChannels(cfg *Config, fault func(path, format string, args ...any)) {
	each := func(kind string, n int, name func(int) string, check func(int) []error) {
		seen := map[string]bool{}
		for i := range n {
			path := fmt.Sprintf("channels.%s[%d]", kind, i)
			for _, err := range check(i) {
				key, message, ok := strings.Cut(err.Error(), ": ")
				if !ok {
					key, message = "", err.Error()
				}
				fault(strings.TrimSuffix(path+"."+key, "."), "%s", message)
			}
			if seen[name(i)] {
				fault(path+".name", "%q is the name of another %s channel", name(i), kind)
			}
			seen[name(i)] = true
		}
	}
	c := cfg.Channels
	each("email", len(c.Email), func(i int) string { return c.Email[i].Name }, func(i int) []error { return c.Email[i].Check() })
	each("phone", len(c.Phone), func(i int) string { return c.Phone[i].Name }, func(i int) []error { return c.Phone[i].Check() })
	each("chat", len(c.Chat), func(i int) string { return c.Chat[i].Name }, func(i int) []error { return c.Chat[i].Check() })
	carried := slices.ContainsFunc(c.Phone, func(p phone.Config) bool { return p.Provider != phone.ProviderWebhook })
	if carried && cfg.HTTP.PublicURL == "" {
		fault("http", "public_url is needed: Twilio's signatures are made for the address that it calls")
	}
}

// Against tells what of the configuration does not fit the rules.
func (cfg *Config) Against(r *Rules) error {
	var errs []error
	for i, line := range cfg.Channels.Phone {
		for k, m := range line.Menu {
			if !r.Normalizer.HasType(m.Type) {
				errs = append(errs, fmt.Errorf("channels.phone[%d].menu[%d].type: %q is no type of the rules %s", i, k, m.Type, r.Version))
			}
		}
	}
	return errors.Join(errs...)
}

// Unreached tells which contact points the rules ask for that no channel has:
// such a rule, or tenant, gets nothing. Whom a line of provider webhook stands
// for only its posts say, so where there is one nothing can be told.
func (cfg *Config) Unreached(r *Rules) []string {
	var reached []string
	for _, m := range cfg.Channels.Email {
		reached = append(reached, m.Address)
	}
	for _, l := range cfg.Channels.Phone {
		if l.Provider == phone.ProviderWebhook {
			return nil
		}
		reached = append(reached, l.Numbers...)
	}
	for _, c := range cfg.Channels.Chat {
		reached = append(reached, c.Name)
	}
	var out []string
	for _, point := range r.Router.Asked("contact_point") {
		if !slices.ContainsFunc(reached, func(have string) bool { return strings.EqualFold(have, point) }) {
			out = append(out, fmt.Sprintf("the rules ask for the contact point %s, which no channel has%s", point, dispatcher.Nearest(point, reached)))
		}
	}
	return out
}
