package channels

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"hearken/channels/phone"
	"hearken/channels/phone/carrier"
	"hearken/complaint"
	"hearken/internal/audit"
	"hearken/internal/blob"
	"hearken/internal/redisserver/redistest"
	"hearken/internal/secret"
	"hearken/queue"
	"hearken/queue/queuetest"
)

// connections is how many send webhooks at once.
const connections = 100

// BenchmarkWebhook compares a text message's webhook, signed, checked, fsynced
// and answered with its number, with a bare handler that does one XADD, in one
// run: go test -run '^$' -bench Webhook -benchtime 20000x ./channels
func BenchmarkWebhook(b *testing.B) {
	// Each has a Redis of its own: what the one left there costs the other time.
	b.Run("bare", func(b *testing.B) {
		redis := redistest.Start(b)
		stream, err := queuetest.Open(redis.URL())
		if err != nil {
			b.Fatal(err)
		}
		defer stream.Close()
		storm(b, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err == nil {
				err = stream.Add(r.Context(), string(body))
			}
			if err != nil {
				http.Error(w, "no", http.StatusServiceUnavailable)
				return
			}
			_, _ = io.WriteString(w, "<Response/>")
		}))
	})
	b.Run("hearken", func(b *testing.B) {
		redis := redistest.Start(b)
		log, dir := slog.New(slog.DiscardHandler), b.TempDir()
		trail := audit.New(log, prometheus.NewRegistry())
		client, err := queue.Dial(queue.Config{URL: redis.URL(), Log: log, Audit: trail})
		if err != nil {
			b.Fatal(err)
		}
		defer client.Close()
		g, err := queue.OpenGateway(client, queue.GatewayConfig{Dir: dir, Normalize: func(c complaint.Contact) complaint.Record {
			return complaint.Record{ID: c.ID, Channel: c.Channel, Complainant: c.From, Narrative: c.Text, Facts: c.Facts, Source: complaint.Source{Ref: c.Ref}}
		}})
		if err != nil {
			b.Fatal(err)
		}
		blobs, err := blob.New(dir + "/blobs")
		if err != nil {
			b.Fatal(err)
		}
		keys, err := secret.LoadKeys(secret.New("a secret of sixteen"), "")
		if err != nil {
			b.Fatal(err)
		}
		set, err := Build(Config{Phone: []phone.Config{{
			Name: "hotline", AccountSID: benchAccount, AuthToken: secret.New(benchToken), Numbers: []string{"+14155550100"}, Reconcile: phone.Reconcile{Every: -1},
		}}}, Deps{Gateway: g, Blobs: blobs, Keys: keys, Log: log, Audit: trail, PublicURL: benchPublic})
		if err != nil {
			b.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		ran := make(chan error, 1)
		go func() { ran <- g.Run(ctx) }()
		defer func() {
			cancel()
			if err := errors.Join(<-ran, g.Close()); err != nil {
				b.Error(err)
			}
		}()
		mux := http.NewServeMux()
		set.Mount(mux)
		storm(b, mux)
	})
}

const (
	benchAccount = "AC0123456789abcdef0123456789abcdef"
	benchToken   = "0123456789abcdef0123456789abcdef"
	benchPublic  = "https://intake.example.com"
)

// storm sends b.N webhooks over 100 connections, and reports req/s, p50 and
// p99. Every webhook has another customer and message.
func storm(b *testing.B, h http.Handler) {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	server := &http.Server{Handler: h}
	go func() { _ = server.Serve(l) }()
	defer server.Close()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: connections, MaxConnsPerHost: connections}}
	defer client.CloseIdleConnections()
	const path = "/phone/hotline/sms"
	type prepared struct{ body, signature string }
	todo := make([]prepared, b.N)
	for i := range todo {
		form := url.Values{
			"AccountSid": {benchAccount}, "MessageSid": {carrier.SID("SM")}, "From": {fmt.Sprintf("+861381%07d", i)}, "To": {"+14155550100"}, "Body": {"我的包裹丢了三天, 请赔偿"}, "NumMedia": {"0"},
		}
		todo[i] = prepared{form.Encode(), carrier.Sign(benchToken, benchPublic+path, form)}
	}
	took := make([]time.Duration, b.N)
	var next atomic.Int64
	var wg sync.WaitGroup
	b.ResetTimer()
	began := time.Now()
	for range connections {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(b.N); i = next.Add(1) - 1 {
				start := time.Now()
				req, _ := http.NewRequest("POST", "http://"+l.Addr().String()+path, strings.NewReader(todo[i].body))
				req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				req.Header.Set("X-Twilio-Signature", todo[i].signature)
				resp, err := client.Do(req)
				if err != nil {
					b.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
				if resp.StatusCode != 200 {
					b.Errorf("status %s", resp.Status)
				}
				took[i] = time.Since(start)
			}
		})
	}
	wg.Wait()
	whole := time.Since(began)
	b.StopTimer()
	slices.Sort(took)
	b.ReportMetric(float64(b.N)/whole.Seconds(), "req/s")
	b.ReportMetric(float64(took[b.N/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(took[b.N*99/100].Microseconds())/1000, "p99-ms")
}
