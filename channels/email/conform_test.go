package email

import (
	"log/slog"
	"testing"
	"time"

	"hearken/complaint"
	"hearken/internal/audit"
	"hearken/internal/channeltest"
)

func TestConformance(t *testing.T) {
	server := dovecotServer(t)
	w, in := newWorld(t), new(channeltest.Intake)
	cfg := config(server.Addr, "support")
	e, err := New(cfg, Deps{
		Intake: in, Blobs: w.blobs, Cursors: w.memory, Leases: w.memory, Log: slog.New(slog.DiscardHandler), Audit: audit.Discard(), Keys: w.keys, Metrics: w.reg,
	})
	if err != nil {
		t.Fatal(err)
	}
	e.pace.first, e.pace.last, e.pace.refused = 5*time.Millisecond, 50*time.Millisecond, 10*time.Millisecond
	stop := w.run(e)
	waiting := map[int]bool{}
	channeltest.Conform(t, channeltest.Channel{
		Kind: complaint.Email, Name: "support", Intake: in, Stop: stop,
		// A mail is told to be received when it leaves the inbox.
		Offer: func(n int) bool {
			if !waiting[n] {
				if err := server.Append("support", "INBOX", mailOf(n)); err != nil {
					t.Fatal(err)
				}
				waiting[n] = true
			}
			for end := time.Now().Add(3 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
				all, _, err := server.Counts("support", "INBOX")
				if err != nil {
					t.Fatal(err)
				}
				if all == 0 {
					waiting[n] = false
					return true
				}
			}
			return false
		},
	})
}
