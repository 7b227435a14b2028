package phone

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"hearken/channels/phone/carrier"
	"hearken/complaint"
	"hearken/internal/audit"
	"hearken/internal/blob"
	"hearken/internal/channeltest"
	"hearken/internal/secret"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	accountSID = "AC0123456789abcdef0123456789abcdef"
	token      = "0123456789abcdef0123456789abcdef"
	line       = "+14155550100"
)

type rig struct {
	t       *testing.T
	phone   *Phone
	intake  *channeltest.Intake
	notes   *notebook
	memory  *memory
	blobs   *blob.Store
	deps    Deps
	cfg     Config
	carrier *carrier.Carrier
	srv     *httptest.Server
	stop    func()
}

func newRig(t *testing.T, faults func(string) int, change ...func(*Config)) *rig {
	t.Helper()
	return newRigOf(t, carrier.Config{Faults: faults}, change...)
}

func newRigOf(t *testing.T, of carrier.Config, change ...func(*Config)) *rig {
	t.Helper()
	r := &rig{t: t, intake: new(channeltest.Intake), notes: &notebook{m: map[string][]byte{}}, memory: &memory{facts: map[string]map[string]string{}}}
	mux := http.NewServeMux()
	r.srv = httptest.NewServer(mux)
	t.Cleanup(r.srv.Close)
	var err error
	of.AccountSID, of.AuthToken, of.Line, of.Connect = accountSID, token, "https://intake.example.com/phone/hotline", r.srv.Listener.Addr().String()
	r.carrier, err = carrier.New(of)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.carrier.Close() })
	blobs, err := blob.New(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	cfg := Config{
		Name: "hotline", AccountSID: accountSID, AuthToken: secret.New(token), Numbers: []string{line}, BaseURL: r.carrier.URL(), EndWait: 20 * time.Millisecond,
		TextRate: 1000, Reconcile: Reconcile{Every: -1},
	}
	for _, c := range change {
		c(&cfg)
	}
	keys, err := secret.LoadKeys(secret.New("a secret of all gateways"), "")
	if err != nil {
		t.Fatal(err)
	}
	r.cfg, r.blobs, r.deps = cfg, blobs, Deps{
		Intake: r.intake, Blobs: blobs, Notebook: r.notes, Memory: r.memory, History: r.memory, Threads: r.memory, Leases: r.memory, Keys: keys,
		Log: slog.New(slog.DiscardHandler), Audit: audit.Discard(), PublicURL: "https://intake.example.com",
	}
	r.make()
	r.phone.Mount(mux)
	r.start()
	t.Cleanup(func() { r.stop() })
	return r
}

// make makes the line anew, as after a restart; it is mounted only the first
// time.
func (r *rig) make() {
	r.t.Helper()
	var err error
	if r.phone, err = New(r.cfg, r.deps); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) call(c carrier.Call) string {
	r.t.Helper()
	set(&c.From, "+8613812345678")
	c.To = line
	sid, err := r.carrier.Phone(r.t.Context(), c)
	if err != nil {
		r.t.Fatal(err)
	}
	return sid
}

// contact waits for a contact of a call.
func (r *rig) contact(sid, what string, is func(complaint.Contact) bool) complaint.Contact {
	r.t.Helper()
	var found complaint.Contact
	await(r.t, what, func() bool {
		for _, c := range r.intake.Contacts() {
			if (sid == "" || c.Conversation == "call:"+sid) && is(c) {
				found = c
				return true
			}
		}
		return false
	})
	return found
}

func (r *rig) start() {
	r.stop = runOf(r.t, r.phone.Run)
}

// runOf runs something; the function that it returns ends it.
func runOf(t *testing.T, run func(context.Context) error) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- run(ctx) }()
	return sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func secretOf(s string) secret.Value { return secret.New(s) }

func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(15 * time.Second); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

func TestSpoken(t *testing.T) {
	if got := spoken("zh", "261123004279"); got != "二六幺幺，二三零零，四二七九" {
		t.Error(got)
	}
	if got := spoken("en", "261123004279"); got != "two six one one, two three zero zero, four two seven nine" {
		t.Error(got)
	}
}

func TestRefusedContactIsNotConfirmed(t *testing.T) {
	r := newRig(t, nil)
	refused := 0
	r.intake.Refuse(func() error {
		if refused == 0 {
			return nil
		}
		refused--
		return complaint.ErrFull
	})
	refused = 2 // the webhook and its fallback
	sid := carrier.SID("SM")
	if _, err := r.carrier.TextAs(t.Context(), sid, "+8613812345678", line, "包裹丢了"); !errors.Is(err, carrier.ErrRefused) || !strings.Contains(err.Error(), "503") {
		t.Errorf("a refused text: %v", err)
	}
	if got, err := r.carrier.TextAs(t.Context(), sid, "+8613812345678", line, "包裹丢了"); err != nil || len(got) != 1 {
		t.Errorf("the retry: %v, %v", got, err)
	}
	refused = 1
	if got, err := r.carrier.Text(t.Context(), "+8613812345678", line, "包裹还没到"); err != nil || len(got) != 1 {
		t.Errorf("the fallback: %v, %v", got, err)
	}
}

func TestText(t *testing.T) {
	r := newRig(t, nil)
	sid := carrier.SID("SM")
	first, err := r.carrier.TextAs(t.Context(), sid, "+8613812345678", line, "包裹丢了")
	if err != nil {
		t.Fatal(err)
	}
	number := complaint.Grouped(r.intake.Number("sms:+8613812345678>" + line))
	for name, c := range map[string]struct{ from, body, want string }{
		"another of the same": {"+8613812345678", "还没到", "您的补充已记入投诉 " + number},
		"another customer":    {"+442079460958", "My parcel is lost", "Your complaint is registered under number 2611"},
		"stop":                {"+442079460958", "STOP", ""},
	} {
		got, err := r.carrier.Text(t.Context(), c.from, line, c.body)
		if err != nil || !strings.HasPrefix(strings.Join(got, ""), c.want) || (c.want == "") != (len(got) == 0) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if len(first) != 1 || !strings.Contains(first[0], number) || !strings.Contains(first[0], "已登记") {
		t.Errorf("receipt %q, number %s", first, number)
	}
	if n := len(r.intake.Contacts()); n != 3 {
		t.Errorf("%d contacts", n)
	}
}

func TestSend(t *testing.T) {
	r := newRig(t, nil)
	reply := complaint.Reply{ID: "u1", Number: "261123004279", Kind: complaint.ReplyUpdate, Language: "en", Text: "We refund you.", To: complaint.Person{Phone: "+442079460958"}}
	for range 2 {
		if err := r.phone.Send(t.Context(), reply); err != nil {
			t.Fatal(err)
		}
	}
	if got := r.carrier.Sent(); len(got) != 1 || got[0] != (carrier.Message{From: line, To: "+442079460958", Body: "Complaint 2611 2300 4279: We refund you."}) {
		t.Errorf("sent %+v", got)
	}
	reply.ID = "u2"
	r.carrier.Refuse(21614)
	if err := r.phone.Send(t.Context(), reply); !errors.Is(err, complaint.ErrUnreachable) {
		t.Errorf("a landline: %v", err)
	}
	r.carrier.Refuse(20429)
	if err := r.phone.Send(t.Context(), reply); err == nil || complaint.IsPermanent(err) || errors.Is(err, complaint.ErrUnreachable) || strings.Contains(err.Error(), "442079460958") {
		t.Errorf("too fast: %v", err)
	}
	r.carrier.Refuse(0)
	reply.To.Phone = ""
	if err := r.phone.Send(t.Context(), reply); !errors.Is(err, complaint.ErrUnreachable) {
		t.Errorf("no number: %v", err)
	}
}

func TestSignatures(t *testing.T) {
	r := newRig(t, nil, func(c *Config) { c.NextAuthToken = secret.New("the next token") })
	send := func(path, tok, signedURL string, body string) int {
		parsed, _ := url.ParseQuery(body)
		req, err := http.NewRequest("POST", r.srv.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if tok != "" {
			req.Header.Set("X-Twilio-Signature", carrier.Sign(tok, signedURL, parsed))
		}
		resp, err := r.srv.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	public := "https://intake.example.com"
	good := url.Values{"AccountSid": {accountSID}, "MessageSid": {carrier.SID("SM")}, "From": {"+8613812345678"}, "To": {line}, "Body": {"包裹丢了"}}.Encode()
	for name, c := range map[string]struct {
		path, token, signed, body string
		want                      int
	}{
		"good":                 {"/phone/hotline/sms", token, public + "/phone/hotline/sms", good, 200},
		"the next token":       {"/phone/hotline/sms", "the next token", public + "/phone/hotline/sms", good, 200},
		"with the port":        {"/phone/hotline/sms", token, "https://intake.example.com:443/phone/hotline/sms", good, 200},
		"unsigned":             {"/phone/hotline/sms", "", "", good, 403},
		"wrong token":          {"/phone/hotline/sms", "wrong", public + "/phone/hotline/sms", good, 403},
		"another host":         {"/phone/hotline/sms", token, "https://evil.example.com/phone/hotline/sms", good, 403},
		"without TLS":          {"/phone/hotline/sms", token, "http://intake.example.com/phone/hotline/sms", good, 403},
		"another path":         {"/phone/hotline/sms", token, public + "/phone/hotline/voice", good, 403},
		"query added":          {"/phone/hotline/sms?lang=zh", token, public + "/phone/hotline/sms", good, 403},
		"repeated parameter":   {"/phone/hotline/sms", token, public + "/phone/hotline/sms", good + "&Body=more", 400},
		"another account":      {"/phone/hotline/sms", token, public + "/phone/hotline/sms", strings.Replace(good, accountSID, "AC"+strings.Repeat("0", 32), 1), 400},
		"a Sid that is a path": {"/phone/hotline/recording", token, public + "/phone/hotline/recording", "AccountSid=" + accountSID + "&RecordingSid=..%2f..", 400},
		"too large":            {"/phone/hotline/sms", token, public + "/phone/hotline/sms", "Body=" + strings.Repeat("x", maxBody), 413},
	} {
		if got := send(c.path, c.token, c.signed, c.body); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
	if n := len(r.intake.Contacts()); n != 1 {
		t.Errorf("%d contacts: a replay or a forgery got through", n)
	}
}

func TestCheck(t *testing.T) {
	err := errors.Join(Config{Name: "a b", Provider: "carrier pigeon", AccountSID: "AC1", Numbers: []string{"110"}, Languages: []string{"fr"}}.Check()...)
	for _, want := range []string{"name:", "provider:", "account_sid:", "auth_token:", "numbers[0]:", "languages[0]:"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("not reported: %s", want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("AccountSid=" + accountSID + "&CallSid=" + carrier.SID("CA") + "&Digits=1")
	f.Add("%zz&a=b;c")
	f.Add(`{"AccountSid":"` + accountSID + `","Digits":1,"x":[{}],"y":true}`)
	p := &Phone{cfg: Config{AccountSID: accountSID}, sid: twilioSID}
	f.Fuzz(func(t *testing.T, body string) {
		h, err := p.parse([]byte(body), strings.HasPrefix(body, "{"))
		if err != nil {
			return
		}
		for k, v := range h.form {
			if len(v) != 1 || (strings.HasSuffix(k, "Sid") && v[0] != "" && !twilioSID.MatchString(v[0])) {
				t.Errorf("passed: %s=%q", k, v)
			}
		}
	})
}

func TestConformance(t *testing.T) {
	r := newRig(t, nil)
	sids := map[int]string{}
	channeltest.Conform(t, channeltest.Channel{
		Kind: complaint.Phone, Name: "hotline", Intake: r.intake, Stop: r.stop,
		Offer: func(n int) bool {
			if sids[n] == "" {
				sids[n] = carrier.SID("SM")
			}
			got, err := r.carrier.TextAs(t.Context(), sids[n], "+8613812345678", line, "包裹丢了")
			return err == nil && len(got) == 1
		},
	})
}
