package phone

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/twilio/twilio-go/twiml"

	"hearken/complaint"
)

// maxBody bounds a webhook's body; Twilio's have a few kilobytes.
const maxBody = 64 << 10

// hook is a webhook whose signature was good.
type hook struct {
	form  url.Values // of the body: each parameter once
	query url.Values // of the address that we gave, which is signed too
}

func (h hook) get(name string) string { return h.form.Get(name) }

// answer is what Twilio gets: TwiML, or nothing.
type answer struct{ verbs []twiml.Element }

var sidShape = regexp.MustCompile(`^[A-Z]{2}[0-9a-fA-F]{32}$`)

// webhook checks a request and answers it. Before the signature is known to
// be good, nothing of the body is looked at.
func (p *Phone) webhook(handle func(context.Context, hook) (answer, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		if err != nil {
			p.reject(w, http.StatusRequestEntityTooLarge, "body is too large or was cut")
			return
		}
		// The address that Twilio was given, not the one that a proxy or a
		// forged Host header makes of it.
		address := strings.TrimSuffix(p.deps.PublicURL, "/") + r.URL.RequestURI()
		if !p.signed(address, body, r.Header.Get("X-Twilio-Signature")) {
			p.reject(w, http.StatusForbidden, "signature is wrong: check auth_token, and that http.public_url is the very address that Twilio calls")
			return
		}
		h, err := p.parse(body, r.URL.Query())
		if err != nil {
			p.reject(w, http.StatusBadRequest, err.Error())
			return
		}
		a, err := handle(r.Context(), h)
		if err != nil {
			// Not taken: Twilio goes to the fallback address, or calls again
			// where the number is set up for that (rp=5xx).
			p.deps.Log.Error("webhook not taken", "line", p.cfg.Name, "path", r.URL.Path, "err", err)
			w.Header().Set("Retry-After", "5")
			http.Error(w, "not taken; please try again", http.StatusServiceUnavailable)
			return
		}
		p.write(w, a)
	})
}

func (p *Phone) reject(w http.ResponseWriter, code int, reason string) {
	p.deps.Audit.Rejected(complaint.Phone, p.cfg.Name, reason)
	http.Error(w, reason, code)
}

func (p *Phone) signed(address string, body []byte, signature string) bool {
	if signature == "" {
		return false
	}
	for i := range p.validators {
		if p.validators[i].ValidateBody(address, body, signature) {
			return true
		}
	}
	return false
}

// parse reads a form whose signature was good. A parameter that stands twice
// is refused: only its first value is covered by the check.
func (p *Phone) parse(body []byte, query url.Values) (hook, error) {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return hook{}, fmt.Errorf("body is not a form")
	}
	for name, values := range form {
		if len(values) != 1 {
			return hook{}, fmt.Errorf("a parameter stands %d times", len(values))
		}
		if strings.HasSuffix(name, "Sid") && values[0] != "" && !sidShape.MatchString(values[0]) {
			return hook{}, fmt.Errorf("a Sid has the wrong form")
		}
	}
	if form.Get("AccountSid") != p.cfg.AccountSID {
		return hook{}, fmt.Errorf("AccountSid is not this line's")
	}
	return hook{form, query}, nil
}

func (p *Phone) write(w http.ResponseWriter, a answer) {
	w.Header().Set("Content-Type", "text/xml; charset=utf-8")
	text, err := twiml.Voice(a.verbs) // the same root for messages: <Response>
	if err != nil {
		p.deps.Log.Error("write TwiML", "line", p.cfg.Name, "err", err)
		http.Error(w, "no TwiML", http.StatusInternalServerError)
		return
	}
	_, _ = io.WriteString(w, text)
}
