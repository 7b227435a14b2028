package email

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"hearken/channels/email/access"
	"hearken/channels/email/mailbox"
	"hearken/complaint"
	"hearken/internal/audit"
	"hearken/internal/blob"
	"hearken/internal/secret"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// intake is an Intake in memory. It remembers contacts in order, and can be
// told to refuse.
type intake struct {
	mu      sync.Mutex
	refuse  func(n int, c complaint.Contact) error // n contacts were taken before
	taken   []complaint.Contact
	repeats int
	changed chan struct{}
}

func newIntake() *intake { return &intake{changed: make(chan struct{})} }

func (i *intake) Accept(_ context.Context, c complaint.Contact) (complaint.Receipt, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.refuse != nil {
		if err := i.refuse(len(i.taken), c); err != nil {
			i.signal()
			return complaint.Receipt{}, err
		}
	}
	if slices.ContainsFunc(i.taken, func(t complaint.Contact) bool { return t.ID == c.ID }) {
		i.repeats++
		i.signal()
		return complaint.Receipt{ID: c.ID, Duplicate: true}, nil
	}
	i.taken = append(i.taken, c)
	i.signal()
	return complaint.Receipt{ID: c.ID}, nil
}

func (i *intake) signal() {
	close(i.changed)
	i.changed = make(chan struct{})
}

func (i *intake) set(refuse func(n int, c complaint.Contact) error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.refuse = refuse
}

// await waits until ok holds.
func (i *intake) await(t *testing.T, ok func(taken []complaint.Contact, repeats int) bool) []complaint.Contact {
	t.Helper()
	late := time.After(30 * time.Second)
	for {
		i.mu.Lock()
		taken, repeats, changed := slices.Clone(i.taken), i.repeats, i.changed
		i.mu.Unlock()
		if ok(taken, repeats) {
			return taken
		}
		select {
		case <-changed:
		case <-late:
			t.Fatalf("not in time: %d contacts, %d repeats", len(taken), repeats)
		}
	}
}

func count(n int) func([]complaint.Contact, int) bool {
	return func(taken []complaint.Contact, _ int) bool { return len(taken) >= n }
}

// memory is Cursors and Leases in memory.
type memory struct {
	mu     sync.Mutex
	notes  map[string][]byte
	fail   error
	leases map[string]*sync.Mutex
}

func newMemory() *memory {
	return &memory{notes: map[string][]byte{}, leases: map[string]*sync.Mutex{}}
}

// awaitRead waits until the cursor of a mailbox has passed a mail: one that is
// only taken is rightly read again after a stop.
func (m *memory) awaitRead(t *testing.T, name, folder string, uid uint32) {
	t.Helper()
	for late := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		raw, _ := m.Load(t.Context(), "mailbox:"+name+":"+folder)
		var at cursor
		if json.Unmarshal(raw, &at) == nil && at.Last >= uid {
			return
		}
		if time.Now().After(late) {
			t.Fatalf("the cursor of %s stays before mail %d: %s", name, uid, raw)
		}
	}
}

func (m *memory) Load(_ context.Context, key string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.notes[key], m.fail
}

func (m *memory) Save(_ context.Context, key string, v []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.notes[key] = v
	return m.fail
}

func (m *memory) Hold(ctx context.Context, name string, run func(context.Context) error) error {
	m.mu.Lock()
	if m.leases[name] == nil {
		m.leases[name] = &sync.Mutex{}
	}
	lease := m.leases[name]
	m.mu.Unlock()
	lease.Lock()
	defer lease.Unlock()
	return run(ctx)
}

type world struct {
	t      testing.TB
	intake *intake
	memory *memory
	blobs  *blob.Store
	keys   *secret.Keys
	reg    *prometheus.Registry
	booked *history
}

// history is a History in memory.
type history struct {
	mu     sync.Mutex
	events []map[string]string // the details, with number, id and event
	fail   error
}

func (h *history) Book(_ context.Context, number, id, event string, details map[string]string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.fail != nil {
		return h.fail
	}
	details = maps.Clone(details)
	details["number"], details["id"], details["event"] = number, id, event
	h.events = append(h.events, details)
	return nil
}

func (h *history) all() []map[string]string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.events)
}

func newWorld(t testing.TB) *world {
	t.Helper()
	blobs, err := blob.New(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	keys, err := secret.LoadKeys(secret.New("a secret for the tests only"), "")
	if err != nil {
		t.Fatal(err)
	}
	return &world{t, newIntake(), newMemory(), blobs, keys, prometheus.NewRegistry(), &history{}}
}

func config(imapAddr, user string) Config {
	return Config{
		Name: "support", Address: "support@example.com", Since: "all",
		IMAP:      IMAP{Addr: imapAddr, TLS: "none", Username: user, Password: secret.New("secret")},
		SMTP:      SMTP{Addr: "127.0.0.1:1", TLS: "none"}, // nobody is there
		Processed: Processed{MoveTo: "Processed"},
	}
}

func (w *world) channel(cfg Config) *Email {
	w.t.Helper()
	e, err := New(cfg, Deps{
		Intake: w.intake, Blobs: w.blobs, Cursors: w.memory, Leases: w.memory, History: w.booked,
		Log: slog.New(slog.NewTextHandler(w.t.Output(), nil)), Audit: audit.Discard(), Keys: w.keys, Metrics: w.reg,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	e.pace.first, e.pace.last, e.pace.login, e.pace.refused = 5*time.Millisecond, 50*time.Millisecond, 10*time.Millisecond, 10*time.Millisecond
	e.pace.lastLogin = 20 * time.Millisecond
	return e
}

// run runs the channel until stop, which also waits for its end.
func (w *world) run(e *Email) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			w.t.Errorf("Run: %v", err)
		}
	})
	w.t.Cleanup(stop)
	return stop
}

func mailOf(i int) []byte {
	return fmt.Appendf(nil, "Message-ID: <m%d@example.cn>\r\nFrom: =?UTF-8?B?5byg5Lyf?= <zhang%d@example.cn>\r\nTo: support@example.com\r\nSubject: order %d\r\nDate: Mon, 23 Nov 2026 10:00:00 +0800\r\n\r\nI was charged twice, number %d.\r\n", i, i, i, i)
}

func mails(from, to int) [][]byte {
	var out [][]byte
	for i := from; i < to; i++ {
		out = append(out, mailOf(i))
	}
	return out
}

func TestConfigCheck(t *testing.T) {
	good := config("imap.example.com:993", "u")
	good.IMAP.TLS = ""
	if errs := good.Check(); len(errs) > 0 {
		t.Errorf("a good config: %v", errs)
	}
	for key, spoil := range map[string]func(*Config){
		"name:":                func(c *Config) { c.Name = "" },
		"address:":             func(c *Config) { c.Address = "support" },
		"imap.addr:":           func(c *Config) { c.IMAP.Addr = "imap.example.com" },
		"imap.tls: none would": func(c *Config) { c.IMAP.TLS = "none" },
		"imap.tls: \"ssl\"":    func(c *Config) { c.IMAP.TLS = "ssl" },
		"imap.username:":       func(c *Config) { c.IMAP.Username = "" },
		"imap.password:":       func(c *Config) { c.IMAP.Password = secret.Value{} },
		"imap.id:":             func(c *Config) { c.IMAP.ID = "yes" },
		"smtp.addr:":           func(c *Config) { c.SMTP.Addr = "x" },
		"smtp.username:":       func(c *Config) { c.SMTP.Addr = "x:25"; c.SMTP.Username = "u" },
		"imap.ca_file:":        func(c *Config) { c.IMAP.CAFile = "/nowhere.pem" },
		"imap.also:":           func(c *Config) { c.IMAP.Also = []string{"Junk", "Junk"} },
		"processed.failed_to:": func(c *Config) { c.Processed.FailedTo = "INBOX" },
		"smtp.per_minute:":     func(c *Config) { c.SMTP.PerMinute = -1 },
		"oauth.token_url:": func(c *Config) {
			c.OAuth = access.OAuth{TokenURL: "http://login.example.com/token", ClientID: "c", ClientSecret: secret.New("s")}
		},
		"oauth.client_secret:": func(c *Config) { c.OAuth = access.OAuth{TokenURL: "https://login.example.com/token", ClientID: "c"} },
		"attachments.clamd:":   func(c *Config) { c.Attachments.Clamd = "/run/clamd" },
		"processed: give":      func(c *Config) { c.Processed.Flag = "seen" },
		"processed.flag:":      func(c *Config) { c.Processed = Processed{Flag: "x"} },
		"processed.move_to:":   func(c *Config) { c.Processed.MoveTo = "inbox" },
		"since:":               func(c *Config) { c.Since = "yesterday" },
		"max_size:":            func(c *Config) { c.MaxSize = "1KiB" },
		"receipts.per_hour:":   func(c *Config) { c.Receipts.PerHour = "0" },
		"automated:":           func(c *Config) { c.Automated = "drop" },
		"staff[0]:":            func(c *Config) { c.Staff = []string{"example.com"} },
		"forms[0].from:":       func(c *Config) { c.Forms = []Form{{From: "the form"}} },
	} {
		c := good
		spoil(&c)
		errs := c.Check()
		if len(errs) != 1 || !strings.HasPrefix(errs[0].Error(), key) {
			t.Errorf("%s: %v", key, errs)
		}
		if _, err := New(c, Deps{}); err == nil {
			t.Errorf("%s: New took it", key)
		}
	}
	insecure := good
	insecure.IMAP.TLS, insecure.IMAP.AllowInsecure = "none", true
	if errs := insecure.Check(); len(errs) > 0 {
		t.Error(errs)
	}
}

func TestSizes(t *testing.T) {
	for in, want := range map[string]int64{"": 256 << 20, "1MiB": 1 << 20, "5 MB": 5e6, "1GiB": 1 << 30, "70000": 70000} {
		if got, err := (Config{MaxSize: in}).maxSize(); err != nil || got != want {
			t.Errorf("%q: %d, %v", in, got, err)
		}
	}
}

func TestOutgoingIDs(t *testing.T) {
	w := newWorld(t)
	o := newOutgoing(w.keys, "support@example.com")
	r := complaint.Reply{ID: "r1", Number: "261123004279"}
	id := o.id(r)
	if o.id(r) != id || o.id(complaint.Reply{ID: "r2", Number: r.Number}) == id {
		t.Error("the id does not follow from the reply")
	}
	if n, ok := o.number(id); !ok || n != r.Number {
		t.Errorf("%s: %s, %v", id, n, ok)
	}
	for _, forged := range []string{"", "@", "h.261123004279.x.y@example.com", strings.Replace(id, "261123004279", "261123004286", 1), "x" + id, strings.Replace(id, ".", "..", 1)} {
		if o.ours(forged) {
			t.Errorf("%q was taken for ours", forged)
		}
	}
}

func TestHourly(t *testing.T) {
	h, now := newHourly(2), time.Now()
	if !h.take("a", now) || !h.take("a", now) || h.take("a", now) || !h.take("b", now) {
		t.Error("not two an hour")
	}
	if !h.take("a", now.Add(time.Hour)) {
		t.Error("it never ends")
	}
	h.giveBack("a")
	if !h.take("a", now.Add(time.Hour)) || !h.take("a", now.Add(time.Hour)) {
		t.Error("giveBack gave nothing back")
	}
}

var errTest = errors.New("the spool is broken")

var errLogin = mailbox.ErrLogin

func secretOf(s string) secret.Value { return secret.New(s) }

func (m *memory) saved() map[string][]byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.notes)
}
