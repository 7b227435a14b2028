package phone

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twilio/twilio-go/client"
	"pgregory.net/rapid"

	"hearken/channels/phone/carrier"
	"hearken/complaint"
	"hearken/internal/secret"
)

// TestPublishedSignatures holds the check to what Twilio publishes: the
// examples of https://www.twilio.com/docs/usage/security and of its own
// libraries' tests.
func TestPublishedSignatures(t *testing.T) {
	const (
		page     = "https://mycompany.com/myapp.php?foo=1&bar=2"
		bodyHash = "0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620"
		jsonBody = `{"property": "value", "boolean": true}`
		form     = "application/x-www-form-urlencoded"
	)
	call := func(number string) string {
		return url.Values{"CallSid": {"CA1234567890ABCDE"}, "Caller": {number}, "Digits": {"1234"}, "From": {number}, "To": {"+18005551212"}}.Encode()
	}
	v := newVerifier(Signature{Scheme: schemeHMACSHA1, Header: "X-Twilio-Signature", Key: secret.New("12345")})
	for name, c := range map[string]struct {
		address, body, kind, signature string
		want                           bool
	}{
		"a form":                     {page, call("+14158675309"), form, "RSOYDt4T1cUTdK1PDd93/VVr8B8=", true},
		"another form":               {page, call("+12349013030"), form, "0/KCTR6DLpKmkAf8muzZqo1nDgQ=", true},
		"with a port":                {strings.Replace(page, ".com", ".com:443", 1), call("+14158675309"), form, "RSOYDt4T1cUTdK1PDd93/VVr8B8=", true},
		"a form of another number":   {page, call("+14158675309"), form, "0/KCTR6DLpKmkAf8muzZqo1nDgQ=", false},
		"another scheme":             {strings.Replace(page, "https", "http", 1), call("+14158675309"), form, "RSOYDt4T1cUTdK1PDd93/VVr8B8=", false},
		"JSON":                       {page + "&bodySHA256=" + bodyHash, jsonBody, "application/json", "a9nBmqA0ju/hNViExpshrM61xv4=", true},
		"JSON, nothing else":         {"https://mycompany.com/myapp.php?bodySHA256=" + bodyHash, jsonBody, "application/json; charset=utf-8", "y77kIzt2vzLz71DgmJGsen2scGs=", true},
		"JSON, changed":              {page + "&bodySHA256=" + bodyHash, jsonBody + " ", "application/json", "a9nBmqA0ju/hNViExpshrM61xv4=", false},
		"JSON without its hash":      {page, jsonBody, "application/json", carrier.Sign("12345", page, nil), false},
		"a form under a JSON's hash": {page + "&bodySHA256=" + bodyHash, jsonBody, form, "a9nBmqA0ju/hNViExpshrM61xv4=", false},
	} {
		h := http.Header{}
		h.Set("Content-Type", c.kind)
		h.Set("X-Twilio-Signature", c.signature)
		if got := v.signed(h, c.address, []byte(c.body)); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// TestSignedAsTheLibraryDoes: our check and twilio-go's agree on any form, any
// address and any signature, right or wrong.
func TestSignedAsTheLibraryDoes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		form := url.Values{}
		for name, value := range rapid.MapOf(rapid.StringN(1, 8, -1), rapid.String()).Draw(t, "form") {
			form.Set(name, value)
		}
		address := rapid.SampledFrom([]string{"http", "https"}).Draw(t, "scheme") + "://" + rapid.SampledFrom([]string{"", "user:pass@"}).Draw(t, "user") + "intake.example.com" +
			rapid.SampledFrom([]string{"", ":443", ":80", ":8443"}).Draw(t, "port") + "/phone/hotline/sms" + rapid.SampledFrom([]string{"", "?a=b&c=%20d"}).Draw(t, "query")
		signedFor := rapid.SampledFrom([]string{address, otherPort(address), address + "x"}).Draw(t, "signed for")
		signature := carrier.Sign("key", signedFor, form)
		if rapid.IntRange(0, 9).Draw(t, "spoil") == 0 {
			signature = rapid.String().Draw(t, "signature")
		}
		library := client.NewRequestValidator("key")
		want := library.ValidateBody(address, []byte(form.Encode()), signature)
		if got := signedByTwilio([]byte("key"), signature, address, []byte(form.Encode()), false); got != want {
			t.Fatalf("%v, the library %v: %s signed for %s", got, want, address, signedFor)
		}
	})
}

// TestOtherSignatures: Telnyx's, and HMAC-SHA256 of a body.
func TestOtherSignatures(t *testing.T) {
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	body, now := []byte("CallSid=abc"), time.Now()
	telnyx := newVerifier(Signature{Scheme: schemeEd25519, Header: "Telnyx-Signature-Ed25519", Timestamp: "Telnyx-Timestamp", Key: secret.New(base64.StdEncoding.EncodeToString(public))})
	plain := newVerifier(Signature{Scheme: schemeHMACSHA256, Header: "X-Sum", Key: secret.New("old"), NextKey: secret.New("new")})
	timed := newVerifier(Signature{Scheme: schemeHMACSHA256, Header: "X-Sum", Timestamp: "X-Time", Key: secret.New("key")})
	at := func(d time.Duration) string { return strconv.FormatInt(now.Add(d).Unix(), 10) }
	ed := func(at string) string {
		return base64.StdEncoding.EncodeToString(ed25519.Sign(private, append([]byte(at+"|"), body...)))
	}
	sum := func(key, at string) []byte { return macOf(secret.New(key), at, body) }
	for name, c := range map[string]struct {
		v             *verifier
		at, signature string
		want          bool
	}{
		"ed25519":              {telnyx, at(0), ed(at(0)), true},
		"ed25519, old":         {telnyx, at(-time.Hour), ed(at(-time.Hour)), false},
		"ed25519, later":       {telnyx, at(time.Second), ed(at(0)), false},
		"ed25519, no time":     {telnyx, "", ed(""), false},
		"ed25519, no base64":   {telnyx, at(0), "?", false},
		"hex":                  {plain, "", hex.EncodeToString(sum("old", "")), true},
		"hex with its name":    {plain, "", "sha256=" + hex.EncodeToString(sum("new", "")), true},
		"base64":               {plain, "", base64.StdEncoding.EncodeToString(sum("new", "")), true},
		"another key":          {plain, "", hex.EncodeToString(sum("other", "")), false},
		"nothing":              {plain, "", "", false},
		"with a time":          {timed, at(0), hex.EncodeToString(sum("key", at(0))), true},
		"with an old time":     {timed, at(-time.Hour), hex.EncodeToString(sum("key", at(-time.Hour))), false},
		"time is not what was": {timed, at(time.Second), hex.EncodeToString(sum("key", at(0))), false},
	} {
		h := http.Header{}
		h.Set(c.v.cfg.Header, c.signature)
		if c.v.cfg.Timestamp != "" {
			h.Set(c.v.cfg.Timestamp, c.at)
		}
		if got := c.v.signed(h, "", body); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// TestAnotherCarrier: a whole call of a carrier that signs, names and counts
// otherwise.
func TestAnotherCarrier(t *testing.T) {
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	r := newRigOf(t, carrier.Config{Telnyx: true, Ago: time.Hour, Sign: func(h http.Header, _ string, body []byte) {
		at := strconv.FormatInt(time.Now().Unix(), 10)
		h.Set("Telnyx-Timestamp", at)
		h.Set("Telnyx-Signature-Ed25519", base64.StdEncoding.EncodeToString(ed25519.Sign(private, append([]byte(at+"|"), body...))))
	}}, func(c *Config) {
		c.Provider, c.Signature.Key = "telnyx", secret.New(base64.StdEncoding.EncodeToString(public))
		c.Parameters = map[string]string{"From": "Caller"}
		c.Reconcile = Reconcile{Every: 50 * time.Millisecond}
		c.Transfer = Transfer{To: "+442079460000"}
	})
	sid := r.call(carrier.Call{SID: "v3:2d1e0f9a-7c1b-4c54-9a55-1f6c3a2b1d10", Person: &carrier.Caller{Keys: []string{"2"}, HangsUp: carrier.DuringGreeting}})
	await(t, "the end", func() bool { return r.memoryOfJobs(sid) == "done" })
	if n := r.intake.Numbers(); n != 1 {
		t.Errorf("%d complaints", n)
	}
	who := &carrier.Caller{Keys: []string{"2"}, Seconds: 2}
	sid = r.call(carrier.Call{SID: "v3:2d1e0f9a-7c1b-4c54-9a55-1f6c3a2b1d11", Person: who})
	c := r.contact(sid, "the recording, by its link", hasAudio)
	if a := c.Attachments[0]; a.MediaType != "audio/mpeg" || !strings.HasSuffix(a.Filename, ".mp3") {
		t.Errorf("attachment %+v", a)
	}
	if strings.Contains(who.Heard(), "text message") {
		t.Errorf("a text was offered: %s", who.Heard())
	}
	if err := r.phone.Send(t.Context(), complaint.Reply{ID: "u1", Number: "261123004279", Text: "x", To: complaint.Person{Phone: "+442079460958"}, Language: "en"}); !errors.Is(err, complaint.ErrUnreachable) {
		t.Errorf("a text: %v", err)
	}
	lost := "v3:2d1e0f9a-7c1b-4c54-9a55-1f6c3a2b1d12"
	r.call(carrier.Call{SID: lost, Person: &carrier.Caller{Keys: []string{"2"}, HangsUp: carrier.DuringGreeting}, Faults: func(string) int { return 0 }})
	r.contact(lost, "the lost call", func(c complaint.Contact) bool { return c.Facts["call_back"] == "true" })
	if h, err := r.phone.parse([]byte("AccountSid="+accountSID+"&Caller=%2B44123456789"), false); err != nil || h.get("From") != "+44123456789" {
		t.Errorf("a parameter by another name: %v, %v", h, err)
	}
}
