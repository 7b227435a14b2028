// Package audit tells the business events of the gateway, one typed method
// each. It hides where they go: a structured log line and a counter. No
// method takes a customer's words or address, so none can slip out here.
package audit

import (
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Log records events. Make one with New; it is safe for concurrent use.
type Log struct {
	log    *slog.Logger
	events *prometheus.CounterVec
	intake prometheus.Histogram
}

// New makes a Log that writes to log and counts in reg.
func New(log *slog.Logger, reg prometheus.Registerer) *Log {
	l := &Log{
		log: log.With("log", "audit"),
		events: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hearken_events_total", Help: "Business events by name and by channel or department.",
		}, []string{"event", "at"}),
		intake: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "hearken_publish_seconds", Help: "From a contact's receipt to its record on the intake stream.",
			Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 5, 30, 120, 600, 3600},
		}),
	}
	reg.MustRegister(l.events, l.intake)
	return l
}

// Discard makes a Log that tells nobody, for tests and one-shot commands.
func Discard() *Log {
	return New(slog.New(slog.DiscardHandler), prometheus.NewRegistry())
}

func (l *Log) event(name, at string, args ...any) {
	l.events.WithLabelValues(name, at).Inc()
	l.log.Info(name, args...)
}

// Received: a contact is safe in the spool.
func (l *Log) Received(channel, account, id string) {
	l.event("received", channel, "channel", channel, "account", account, "id", id)
}

// Duplicate: a contact came again and changed nothing.
func (l *Log) Duplicate(channel, account, id string) {
	l.event("duplicate", channel, "channel", channel, "account", account, "id", id)
}

// Refused: a contact could not be taken; its source keeps it.
func (l *Log) Refused(channel, account, id string, err error) {
	l.events.WithLabelValues("refused", channel).Inc()
	l.log.Error("refused", "channel", channel, "account", account, "id", id, "err", err)
}

// Rejected: something from outside was turned away before it was a contact
// (a bad signature, a wrong origin, a frame that is not JSON).
func (l *Log) Rejected(channel, account, reason string) {
	l.events.WithLabelValues("rejected", channel).Inc()
	l.log.Warn("rejected", "channel", channel, "account", account, "reason", reason)
}

// Filed: machine mail was kept and not registered.
func (l *Log) Filed(channel, account, id, reason string) {
	l.event("filed", channel, "channel", channel, "account", account, "id", id, "reason", reason)
}

// Queued: a record is on the intake stream, took after its receipt.
func (l *Log) Queued(channel, id, number, event string, took time.Duration) {
	l.intake.Observe(took.Seconds())
	l.event("queued", channel, "channel", channel, "id", id, "number", number, "event", event)
}

// Restored: a record that Redis had lost is back under its number.
func (l *Log) Restored(id, number string) {
	l.event("restored", "queue", "id", id, "number", number)
}

// Routed: a record is on its department's stream.
func (l *Log) Routed(id, number, department, rule string) {
	l.event("routed", department, "id", id, "number", number, "department", department, "rule", rule)
}

// Replied: a reply was handed to the customer's side.
func (l *Log) Replied(channel, id, number, kind string) {
	l.event("replied", channel, "channel", channel, "id", id, "number", number, "kind", kind)
}

// DeliveryFailed: what was said to a customer did not reach them. reason holds
// no address.
func (l *Log) DeliveryFailed(channel, number, reason string) {
	l.events.WithLabelValues("delivery_failed", channel).Inc()
	l.log.Warn("delivery_failed", "channel", channel, "number", number, "reason", reason)
}

// Dead: something was given up and lies on the dead stream.
func (l *Log) Dead(stream, id, reason string) {
	l.events.WithLabelValues("dead", stream).Inc()
	l.log.Error("dead", "stream", stream, "id", id, "reason", reason)
}
