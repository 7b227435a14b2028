// Package carrier behaves towards a gateway as Twilio does: it calls and
// texts, walks the TwiML that it is answered with, signs its webhooks, and
// serves recordings and the messages resource. The demo's customers phone
// through it, and tests have it lose, repeat and swap webhooks.
package carrier

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// Config of a carrier.
type Config struct {
	AccountSID string
	AuthToken  string
	Line       string // public address of the line's webhooks: https://host/phone/<name>
	Connect    string // where that address is really reached: host:port; "" for itself
	// Faults says how a webhook fares: how many times it arrives. nil is once
	// each. kind is the path below Line: voice, voice/recorded, status ...
	Faults func(kind string) int
}

// Message is a text message that the gateway sent.
type Message struct{ From, To, Body string }

// Carrier is a running carrier. Close it.
type Carrier struct {
	cfg    Config
	server *http.Server
	addr   string
	http   *http.Client

	mu         sync.Mutex
	recordings map[string][]byte
	missing    int // requests for recordings that are still answered 404
	refuse     int // error code for the next messages
	sent       []Message
}

// New starts a carrier's REST side on a loopback port.
func New(cfg Config) (*Carrier, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("start the carrier: %w", err)
	}
	dialer := &net.Dialer{Timeout: 5 * time.Second}
	c := &Carrier{cfg: cfg, addr: l.Addr().String(), recordings: map[string][]byte{}}
	c.http = &http.Client{Timeout: 15 * time.Second, Transport: &http.Transport{
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			if cfg.Connect != "" {
				addr = cfg.Connect
			}
			return dialer.DialContext(ctx, network, addr)
		},
	}}
	mux := http.NewServeMux()
	account := "/2010-04-01/Accounts/" + cfg.AccountSID
	mux.HandleFunc("GET "+account+"/Recordings/{file}", c.serveRecording)
	mux.HandleFunc("POST "+account+"/Messages.json", c.serveMessage)
	c.server = &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = c.server.Serve(l) }() // ends with Close
	return c, nil
}

// URL is the base of the REST API.
func (c *Carrier) URL() string { return "http://" + c.addr }

// Close ends the carrier.
func (c *Carrier) Close() error {
	c.http.CloseIdleConnections()
	return c.server.Close()
}

// Sent returns the text messages that the gateway sent.
func (c *Carrier) Sent() []Message {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.sent)
}

// Lag has the next n requests for a recording answered with 404, as happens
// shortly after a call.
func (c *Carrier) Lag(n int) { c.mu.Lock(); c.missing = n; c.mu.Unlock() }

// Refuse has messages answered with an error code; 0 takes them again.
func (c *Carrier) Refuse(code int) { c.mu.Lock(); c.refuse = code; c.mu.Unlock() }

func (c *Carrier) authorized(w http.ResponseWriter, r *http.Request) bool {
	user, pass, _ := r.BasicAuth()
	if user == c.cfg.AccountSID && pass == c.cfg.AuthToken {
		return true
	}
	http.Error(w, `{"code":20003,"message":"Authenticate","status":401}`, http.StatusUnauthorized)
	return false
}

func (c *Carrier) serveRecording(w http.ResponseWriter, r *http.Request) {
	if !c.authorized(w, r) {
		return
	}
	c.mu.Lock()
	b, ok := c.recordings[strings.TrimSuffix(r.PathValue("file"), ".wav")]
	if c.missing > 0 {
		c.missing--
		ok = false
	}
	c.mu.Unlock()
	if !ok {
		http.Error(w, `{"code":20404,"message":"not found","status":404}`, http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "audio/x-wav")
	_, _ = w.Write(b)
}

func (c *Carrier) serveMessage(w http.ResponseWriter, r *http.Request) {
	if !c.authorized(w, r) {
		return
	}
	w.Header().Set("Content-Type", "application/json")
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.refuse != 0 {
		status := http.StatusBadRequest
		if c.refuse == 20429 {
			status = http.StatusTooManyRequests
		}
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]any{"code": c.refuse, "message": "refused", "status": status})
		return
	}
	c.sent = append(c.sent, Message{r.FormValue("From"), r.FormValue("To"), r.FormValue("Body")})
	w.WriteHeader(http.StatusCreated)
	_ = json.NewEncoder(w).Encode(map[string]any{"sid": SID("SM"), "status": "queued"})
}

// SID makes an identifier as Twilio does: two letters and 32 hex digits.
func SID(kind string) string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	return kind + hex.EncodeToString(b[:])
}

// Sign makes the signature of a webhook: HMAC-SHA1 over the address and the
// parameters in the order of their names.
func Sign(token, address string, form url.Values) string {
	m := hmac.New(sha1.New, []byte(token))
	m.Write([]byte(address))
	for _, k := range slices.Sorted(maps.Keys(form)) {
		m.Write([]byte(k + form.Get(k)))
	}
	return base64.StdEncoding.EncodeToString(m.Sum(nil))
}

// verb is an element of TwiML.
type verb struct {
	XMLName xml.Name
	Attrs   []xml.Attr `xml:",any,attr"`
	Text    string     `xml:",chardata"`
	Inner   []verb     `xml:",any"`
}

func (v verb) attr(name string) string {
	for _, a := range v.Attrs {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// maxTwiML bounds an answer, as Twilio does.
const maxTwiML = 64 << 10

// ErrRefused is a webhook that was answered with an error status.
var ErrRefused = errors.New("webhook refused")

// post sends a webhook, as often as Faults says, and returns the last answer.
func (c *Carrier) post(ctx context.Context, address string, form url.Values) ([]verb, error) {
	form.Set("AccountSid", c.cfg.AccountSID)
	form.Set("ApiVersion", "2010-04-01")
	times := 1
	if c.cfg.Faults != nil {
		path, _, _ := strings.Cut(strings.TrimPrefix(address, c.cfg.Line+"/"), "?")
		times = c.cfg.Faults(path)
	}
	var verbs []verb
	var err error
	for range times {
		verbs, err = c.postOnce(ctx, address, form)
	}
	return verbs, err
}

func (c *Carrier) postOnce(ctx context.Context, address string, form url.Values) ([]verb, error) {
	// What is really connected to speaks plain HTTP: the proxy that ends TLS
	// is not part of this.
	real := strings.Replace(address, "https://", "http://", 1)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, real, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("X-Twilio-Signature", Sign(c.cfg.AuthToken, address, form))
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxTwiML))
	if err != nil {
		return nil, err
	}
	if resp.StatusCode/100 != 2 {
		return nil, fmt.Errorf("%w: %s: %s", ErrRefused, resp.Status, strings.TrimSpace(string(b)))
	}
	return parse(b)
}

// parse reads TwiML: a <Response> with verbs in it, or nothing.
func parse(b []byte) ([]verb, error) {
	if len(b) == 0 {
		return nil, nil
	}
	var doc verb
	if err := xml.Unmarshal(b, &doc); err != nil {
		return nil, fmt.Errorf("read TwiML: %w", err)
	}
	if doc.XMLName.Local != "Response" {
		return nil, fmt.Errorf("read TwiML: its root is <%s>", doc.XMLName.Local)
	}
	return doc.Inner, nil
}

// Text sends a text message, and returns what the line answers.
func (c *Carrier) Text(ctx context.Context, from, to, body string) ([]string, error) {
	return c.TextAs(ctx, SID("SM"), from, to, body)
}

// TextAs is Text under a given MessageSid: the same one again is a retry.
func (c *Carrier) TextAs(ctx context.Context, sid, from, to, body string) ([]string, error) {
	verbs, err := c.post(ctx, c.cfg.Line+"/sms", url.Values{
		"MessageSid": {sid}, "SmsSid": {sid}, "From": {from}, "To": {to}, "Body": {body}, "NumMedia": {"0"}, "NumSegments": {"1"},
	})
	var out []string
	for _, v := range verbs {
		if v.XMLName.Local == "Message" {
			out = append(out, strings.TrimSpace(v.Text))
		}
	}
	return out, err
}
