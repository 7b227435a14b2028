package queue

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"hearken/queue/journal"
)

var (
	descWaiting = prometheus.NewDesc("hearken_spool_waiting", "Contacts in the spool that are not on the intake yet.", nil, nil)
	descBytes   = prometheus.NewDesc("hearken_spool_bytes", "Bytes of what the spool holds, against queue.spool.max_bytes.", nil, nil)
	descOldest  = prometheus.NewDesc("hearken_spool_oldest_seconds", "Age of the oldest contact that is not on the intake yet.", nil, nil)
	descUp      = prometheus.NewDesc("hearken_redis_up", "1 while Redis answers.", nil, nil)
	descLength  = prometheus.NewDesc("hearken_stream_length", "Entries on a stream.", []string{"stream"}, nil)
	descLag     = prometheus.NewDesc("hearken_stream_pending", "Entries handed out and not acknowledged.", []string{"stream", "group"}, nil)
)

// Describe serves prometheus.
func (g *Gateway) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descWaiting, descBytes, descOldest, descUp} {
		ch <- d
	}
}

// Collect serves prometheus.
func (g *Gateway) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64) { ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v) }
	up := 0.0
	if g.up.Load() {
		up = 1
	}
	gauge(descWaiting, float64(g.spool.depth()))
	gauge(descBytes, float64(g.spool.Bytes()))
	gauge(descOldest, g.oldest().Seconds())
	gauge(descUp, up)
}

// oldest is how long the first in line has waited.
func (g *Gateway) oldest() (age time.Duration) {
	_ = g.spool.View(func(tx *journal.Tx) error {
		for key := range tx.Walk(bucketWaiting, "", "") {
			var e entry
			if b, err := tx.Get(bucketWaiting, key); err == nil {
				if _, err := unseal(b, &e); err == nil {
					age = e.age()
					break
				}
			}
		}
		return nil
	})
	return age
}

// Streams is a collector of the streams' lengths and of what is pending.
type Streams struct{ C *Client }

// scrapeWait bounds what one scrape asks Redis.
const scrapeWait = 2 * time.Second

// Describe serves prometheus.
func (Streams) Describe(ch chan<- *prometheus.Desc) {
	ch <- descLength
	ch <- descLag
}

// Collect serves prometheus. While Redis is away there is nothing to tell.
func (s Streams) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeWait)
	defer cancel()
	for _, p := range s.C.parts {
		names, err := s.C.write.SMembers(ctx, p.departments()).Result()
		if err != nil {
			return
		}
		for _, name := range append(names, p.stream(streamIntake), p.stream(streamUpdates), p.stream(streamDead), p.replies("email"), p.replies("phone"), p.replies("chat")) {
			n, err := s.C.write.XLen(ctx, name).Result()
			if err != nil {
				return
			}
			ch <- prometheus.MustNewConstMetric(descLength, prometheus.GaugeValue, float64(n), name)
			groups, err := s.C.write.XInfoGroups(ctx, name).Result()
			if err != nil {
				continue // no such stream yet
			}
			for _, g := range groups {
				ch <- prometheus.MustNewConstMetric(descLag, prometheus.GaugeValue, float64(g.Pending), name, g.Name)
			}
		}
	}
}
