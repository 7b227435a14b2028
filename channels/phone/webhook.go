package phone

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/twilio/twilio-go/twiml"

	"hearken/complaint"
)

// Bounds of a webhook. Twilio's have a few kilobytes and some thirty
// parameters.
const (
	maxBody       = 64 << 10
	maxParameters = 500
)

// hook is a webhook whose signature was good.
type hook struct {
	form  url.Values // of the body: each parameter once, by Twilio's name
	query url.Values // of the address, where we made it for this very call; else empty
}

func (h hook) get(name string) string { return h.form.Get(name) }

// answer is what the carrier gets: verbs of a call, or the text of a message
// that goes back, or nothing.
type answer struct {
	verbs   []twiml.Element
	message string
}

type handler func(context.Context, hook) (answer, error)

// webhook checks a request and answers it. Before the signature is known to
// be good, nothing of the body is looked at.
func (p *Phone) webhook(path string, handle handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		if err != nil {
			p.reject(w, http.StatusRequestEntityTooLarge, "body is too large or was cut")
			return
		}
		// The address that the carrier was given, not the one that a proxy or a
		// forged Host header makes of it.
		address := strings.TrimSuffix(p.deps.PublicURL, "/") + r.URL.RequestURI()
		if !p.verifier.signed(r.Header, address, body) {
			p.reject(w, http.StatusForbidden, "signature is wrong: check auth_token, and that http.public_url is the very address that the carrier calls")
			return
		}
		h, err := p.parse(body, isJSON(r.Header.Get("Content-Type")))
		if err != nil {
			p.reject(w, http.StatusBadRequest, err.Error())
			return
		}
		if q := r.URL.Query(); q.Has("seal") {
			if !p.sealed(h.get("CallSid"), path, q) {
				p.reject(w, http.StatusForbidden, "the address is not one that was given out for this call: do all gateways have the same secret?")
				return
			}
			h.query = q
		}
		a, err := handle(r.Context(), h)
		switch {
		case complaint.IsPermanent(err):
			p.reject(w, http.StatusBadRequest, err.Error())
		case err != nil:
			// Not taken: the carrier goes to the fallback address, or calls again
			// where the number is set up for that (rp=5xx).
			p.deps.Log.Error("webhook not taken", "line", p.cfg.Name, "path", path, "err", err)
			w.Header().Set("Retry-After", "5")
			http.Error(w, "not taken; please try again", http.StatusServiceUnavailable)
		default:
			p.write(w, a)
		}
	})
}

func (p *Phone) reject(w http.ResponseWriter, code int, reason string) {
	p.deps.Audit.Rejected(complaint.Phone, p.cfg.Name, reason)
	http.Error(w, reason, code)
}

// parse reads a body whose signature was good. A parameter that stands twice
// is refused: the signature covers only its first value.
func (p *Phone) parse(body []byte, asJSON bool) (hook, error) {
	form, err := url.ParseQuery(string(body))
	if asJSON {
		form, err = flat(body)
	}
	switch {
	case err != nil:
		return hook{}, errors.New("body is neither a form nor a flat JSON object")
	case len(form) > maxParameters:
		return hook{}, fmt.Errorf("body has more than %d parameters", maxParameters)
	}
	for ours, theirs := range p.cfg.Parameters {
		if v, ok := form[theirs]; ok {
			form[ours] = v
		}
	}
	for name, values := range form {
		if len(values) != 1 {
			return hook{}, fmt.Errorf("a parameter stands %d times", len(values))
		}
		if strings.HasSuffix(name, "Sid") && values[0] != "" && !p.sid.MatchString(values[0]) {
			return hook{}, errors.New("a Sid has the wrong form")
		}
	}
	if form.Get("AccountSid") != p.cfg.AccountSID {
		return hook{}, errors.New("AccountSid is not this line's")
	}
	return hook{form: form, query: url.Values{}}, nil
}

// flat reads a JSON object as if it were a form; what is no text, number or
// truth value in it is left out.
func flat(body []byte) (url.Values, error) {
	var m map[string]any
	if err := json.Unmarshal(body, &m); err != nil || m == nil {
		return nil, errors.New("not a JSON object")
	}
	form := url.Values{}
	for k, v := range m {
		switch v := v.(type) {
		case string:
			form.Set(k, v)
		case float64:
			form.Set(k, strconv.FormatFloat(v, 'f', -1, 64))
		case bool:
			form.Set(k, strconv.FormatBool(v))
		}
	}
	return form, nil
}

// twiml is the answer as the carrier reads it. Text messages come by the
// thousand, and what goes back is one element: it is written here, at a tenth
// of what the library's document costs.
func (a answer) twiml() (string, error) {
	if len(a.verbs) > 0 {
		return twiml.Voice(a.verbs)
	}
	var b strings.Builder
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?><Response>`)
	if a.message != "" {
		b.WriteString("<Message>")
		if err := xml.EscapeText(&b, []byte(a.message)); err != nil {
			return "", err
		}
		b.WriteString("</Message>")
	}
	b.WriteString("</Response>")
	return b.String(), nil
}

func (p *Phone) write(w http.ResponseWriter, a answer) {
	w.Header().Set("Content-Type", "text/xml; charset=utf-8")
	text, err := a.twiml()
	if err != nil {
		p.deps.Log.Error("write TwiML", "line", p.cfg.Name, "err", err)
		http.Error(w, "no TwiML", http.StatusInternalServerError)
		return
	}
	_, _ = io.WriteString(w, text)
}
