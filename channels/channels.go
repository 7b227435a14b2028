// Package channels is the list of channels that a gateway can have, and the
// loops that carry departments' answers back to them. It hides which channels
// there are: everything else sees Channel.
package channels

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"

	"hearken/channels/chat"
	"hearken/channels/email"
	"hearken/channels/phone"
	"hearken/complaint"
	"hearken/internal/audit"
	"hearken/internal/blob"
	"hearken/internal/secret"
	"hearken/internal/words"
	"hearken/queue"
)

// Channel hears customers and speaks to them.
type Channel interface {
	// Name is the mailbox's, line's or site's.
	Name() string
	// Run hears until ctx ends; troubles are its own to wait out.
	Run(ctx context.Context) error
	// Send says a reply. The error is temporary unless it is marked permanent
	// or is complaint.ErrUnreachable.
	Send(ctx context.Context, r complaint.Reply) error
}

// Mounter is a channel that listens on the gateway's HTTP address.
type Mounter interface {
	Mount(mux *http.ServeMux)
}

// Config lists the channels of config.yaml.
type Config struct {
	Email []email.Config `yaml:"email"`
	Phone []phone.Config `yaml:"phone"`
	Chat  []chat.Config  `yaml:"chat"`
}

// Deps is what channels are built with.
type Deps struct {
	Gateway   *queue.Gateway
	Blobs     *blob.Store
	Keys      *secret.Keys
	Log       *slog.Logger
	Audit     *audit.Log
	Metrics   prometheus.Registerer
	Words     words.Texts
	PublicURL string
}

// Set is the channels of a gateway, by kind and name.
type Set struct {
	byKind map[string]map[string]Channel
	order  []Channel
	widget http.Handler // of all chats; nil without one
}

// Build makes the channels of a configuration.
func Build(cfg Config, d Deps) (*Set, error) {
	if err := CheckWords(d.Words); err != nil {
		return nil, err
	}
	s := &Set{byKind: map[string]map[string]Channel{}}
	for _, c := range cfg.Email {
		ch, err := email.New(c, email.Deps{
			Intake: d.Gateway, Blobs: d.Blobs, Cursors: d.Gateway, Leases: d.Gateway, History: d.Gateway, Log: d.log(complaint.Email, c.Name), Audit: d.Audit, Keys: d.Keys,
			Metrics: d.Metrics, Words: ownWords(d.Words, complaint.Email),
		})
		if err := s.add(complaint.Email, ch, err); err != nil {
			return nil, err
		}
	}
	for _, c := range cfg.Phone {
		deps := phone.Deps{
			Intake: d.Gateway, Blobs: d.Blobs, Notebook: d.Gateway.Notebook("phone " + c.Name), Memory: d.Gateway, History: d.Gateway, Threads: d.Gateway, Leases: d.Gateway,
			Keys: d.Keys, Log: d.log(complaint.Phone, c.Name), Audit: d.Audit, Words: ownWords(d.Words, complaint.Phone), PublicURL: d.PublicURL,
		}
		var ch Channel
		var err error
		if c.Provider == phone.ProviderWebhook {
			ch, err = phone.NewHook(c, deps)
		} else {
			ch, err = phone.New(c, deps)
		}
		if err := s.add(complaint.Phone, ch, err); err != nil {
			return nil, err
		}
	}
	for _, c := range cfg.Chat {
		ch, err := chat.New(c, chat.Deps{
			Intake: d.Gateway, Sessions: d.Gateway.Sessions(), Blobs: d.Blobs, Keys: d.Keys, Log: d.log(complaint.Chat, c.Name), Audit: d.Audit,
			Metrics: d.Metrics, Words: ownWords(d.Words, complaint.Chat), PublicURL: d.PublicURL,
		})
		if err := s.add(complaint.Chat, ch, err); err != nil {
			return nil, err
		}
	}
	if len(cfg.Chat) > 0 {
		var err error
		if s.widget, err = chat.Widget(ownWords(d.Words, widget)); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// add keeps a channel. A nil of its own type must not get in as a Channel
// that is not nil, so the error is looked at first.
func (s *Set) add(kind string, c Channel, err error) error {
	if err != nil {
		return err
	}
	if s.byKind[kind] == nil {
		s.byKind[kind] = map[string]Channel{}
	}
	if s.byKind[kind][c.Name()] != nil {
		return fmt.Errorf("there are two %s channels named %s", kind, c.Name())
	}
	s.byKind[kind][c.Name()] = c
	s.order = append(s.order, c)
	return nil
}

func (d Deps) log(kind, name string) *slog.Logger {
	return d.Log.With("channel", kind, "account", name)
}

// All returns the channels in the order of the configuration.
func (s *Set) All() []Channel { return s.order }

// Kinds tells which kinds there are.
func (s *Set) Kinds() []string {
	var out []string
	for _, k := range []string{complaint.Email, complaint.Phone, complaint.Chat} {
		if len(s.byKind[k]) > 0 {
			out = append(out, k)
		}
	}
	return out
}

// Mount puts those that listen on mux.
func (s *Set) Mount(mux *http.ServeMux) {
	if s.widget != nil {
		mux.Handle("GET /chat/widget.js", s.widget)
	}
	for _, c := range s.order {
		if m, ok := c.(Mounter); ok {
			m.Mount(mux)
		}
	}
}

// find returns the channel that a reply is to go out by: the one of its
// account, or any of its kind, where the reply came from another kind.
func (s *Set) find(r complaint.Reply) Channel {
	if c := s.byKind[r.Channel][r.Account]; c != nil {
		return c
	}
	for _, c := range s.order {
		if s.byKind[r.Channel][c.Name()] == c {
			return c
		}
	}
	return nil
}
