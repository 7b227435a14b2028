// Package carrier behaves towards a gateway as Twilio does: it calls and
// texts, walks the TwiML that it is answered with, signs its webhooks and
// tries them again as documented, and serves the REST resources of calls,
// recordings, messages and media. The demo's customers phone through it, and
// tests have it lose, repeat and swap webhooks.
package carrier

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
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
	// Ago dates what happens back, for whoever looks for what is older.
	Ago time.Duration
	// PageMost bounds the pages of lists; 0 leaves it to who asks.
	PageMost int
	// Telnyx has the REST side answer as Telnyx's does where that differs: bearer
	// tokens, files of recordings at a link, lists by days, no messages.
	Telnyx bool
	// Header and Sign replace how webhooks are signed; nil is Twilio's way.
	Sign func(h http.Header, address string, body []byte)
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
	calls      []resource
	messages   []resource
	recordings map[string]*recording
	media      map[string][]byte // by "message/media"
	kinds      map[string]string // of media
	missing    int               // requests for files that are still answered 404
	refuse     int               // error code for the next messages
	deaf       int               // messages that are sent but not answered
	sent       []Message
	callbacks  map[string]string // of sent messages, by Sid
}

// resource is a REST resource, as JSON.
type resource map[string]any

type recording struct {
	resource
	audio   []byte
	deleted bool
}

// New starts a carrier's REST side on a loopback port.
func New(cfg Config) (*Carrier, error) { return NewAt("127.0.0.1:0", cfg) }

// NewAt is New on a given address.
func NewAt(addr string, cfg Config) (*Carrier, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("start the carrier: %w", err)
	}
	dialer := &net.Dialer{Timeout: 5 * time.Second} // Twilio's connect timeout, ct
	c := &Carrier{
		cfg: cfg, addr: l.Addr().String(), recordings: map[string]*recording{}, media: map[string][]byte{}, kinds: map[string]string{}, callbacks: map[string]string{},
	}
	c.http = &http.Client{Timeout: 15 * time.Second, Transport: &http.Transport{
		MaxIdleConnsPerHost: 100,
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			if cfg.Connect != "" {
				addr = cfg.Connect
			}
			return dialer.DialContext(ctx, network, addr)
		},
	}}
	c.server = &http.Server{Handler: c.rest(), ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = c.server.Serve(l) }() // ends with Close
	return c, nil
}

// URL is the base of the REST API, up to /Accounts.
func (c *Carrier) URL() string { return "http://" + c.addr + version }

const version = "/2010-04-01"

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

// Lag has the next n requests for a recording or file answered with 404, as
// happens shortly after a call.
func (c *Carrier) Lag(n int) { c.mu.Lock(); c.missing = n; c.mu.Unlock() }

// Refuse has messages answered with an error code; 0 takes them again.
func (c *Carrier) Refuse(code int) { c.mu.Lock(); c.refuse = code; c.mu.Unlock() }

// Deafen has the next n messages sent, but their senders left without an
// answer: the line breaks.
func (c *Carrier) Deafen(n int) { c.mu.Lock(); c.deaf = n; c.mu.Unlock() }

// Recordings tells how many recordings there are that were not deleted.
func (c *Carrier) Recordings() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for _, r := range c.recordings {
		if !r.deleted {
			n++
		}
	}
	return n
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

func (v verb) has(name string) bool {
	return slices.ContainsFunc(v.Attrs, func(a xml.Attr) bool { return a.Name.Local == name })
}

// maxTwiML bounds an answer, as Twilio does.
const maxTwiML = 64 << 10

// ErrRefused is a webhook that was answered with an error status.
var ErrRefused = errors.New("webhook refused")

// post sends a webhook, as often as Faults says, and returns the last answer.
func (c *Carrier) post(ctx context.Context, address string, form url.Values) ([]verb, error) {
	return c.postFaulty(ctx, address, form, c.cfg.Faults)
}

func (c *Carrier) postFaulty(ctx context.Context, address string, form url.Values, faults func(kind string) int) ([]verb, error) {
	form.Set("AccountSid", c.cfg.AccountSID)
	form.Set("ApiVersion", strings.Trim(version, "/"))
	times := 1
	if faults != nil {
		path, _, _ := strings.Cut(strings.TrimPrefix(address, c.cfg.Line+"/"), "?")
		times = faults(path)
	}
	var verbs []verb
	var err error
	for range times {
		verbs, err = c.postOnce(ctx, address, form)
		var connect *net.OpError
		if errors.As(err, &connect) && connect.Op == "dial" {
			// What Twilio does by default: one more try where it could not connect
			// (https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides).
			verbs, err = c.postOnce(ctx, address, form)
		}
	}
	return verbs, err
}

func (c *Carrier) postOnce(ctx context.Context, address string, form url.Values) ([]verb, error) {
	// What is really connected to speaks plain HTTP: the proxy that ends TLS
	// is not part of this.
	real := strings.Replace(address, "https://", "http://", 1)
	body := form.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, real, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if c.cfg.Sign != nil {
		c.cfg.Sign(req.Header, address, []byte(body))
	} else {
		req.Header.Set("X-Twilio-Signature", Sign(c.cfg.AuthToken, address, form))
	}
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
	// https://www.twilio.com/docs/api/errors/12300
	if kind, _, _ := strings.Cut(resp.Header.Get("Content-Type"), ";"); len(b) > 0 && kind != "text/xml" && kind != "application/xml" {
		return nil, fmt.Errorf("%w: error 12300: content type %q is no TwiML", ErrRefused, kind)
	}
	return parse(b)
}

// Bounds of TwiML that is walked.
const (
	maxDepth = 10
	maxVerbs = 500
)

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
	if n := count(doc, maxDepth); n < 0 || n > maxVerbs {
		return nil, fmt.Errorf("read TwiML: it has more than %d verbs, or is nested more than %d deep", maxVerbs, maxDepth)
	}
	return doc.Inner, nil
}

// count counts verbs; negative where they are nested too deep.
func count(v verb, depth int) int {
	if depth == 0 {
		return -maxVerbs * maxVerbs
	}
	n := 1
	for _, inner := range v.Inner {
		n += count(inner, depth-1)
	}
	return n
}

// now is when something happens.
func (c *Carrier) now() string { return time.Now().Add(-c.cfg.Ago).UTC().Format(time.RFC1123Z) }

// File is a file of a text message.
type File struct {
	MediaType string
	Bytes     []byte
	Missing   bool // it can't be fetched
}

// Text sends a text message, and returns what the line answers.
func (c *Carrier) Text(ctx context.Context, from, to, body string, files ...File) ([]string, error) {
	return c.TextAs(ctx, SID("SM"), from, to, body, files...)
}

// TextAs is Text under a given MessageSid: the same one again is a retry.
func (c *Carrier) TextAs(ctx context.Context, sid, from, to, body string, files ...File) ([]string, error) {
	form := url.Values{
		"MessageSid": {sid}, "SmsSid": {sid}, "From": {from}, "To": {to}, "Body": {body}, "NumMedia": {fmt.Sprint(len(files))}, "NumSegments": {"1"},
	}
	c.mu.Lock()
	for i, f := range files {
		me := SID("ME")
		if !f.Missing {
			c.media[sid+"/"+me], c.kinds[sid+"/"+me] = f.Bytes, f.MediaType
		}
		form.Set(fmt.Sprint("MediaUrl", i), c.URL()+"/Accounts/"+c.cfg.AccountSID+"/Messages/"+sid+"/Media/"+me)
		form.Set(fmt.Sprint("MediaContentType", i), f.MediaType)
	}
	if !slices.ContainsFunc(c.messages, func(m resource) bool { return m["sid"] == sid }) {
		c.messages = append(c.messages, resource{
			"sid": sid, "from": from, "to": to, "body": body, "direction": "inbound", "status": "received", "num_media": fmt.Sprint(len(files)), "num_segments": "1",
			"date_created": c.now(), "date_sent": c.now(),
		})
	}
	c.mu.Unlock()
	verbs, err := c.post(ctx, c.cfg.Line+"/sms", form)
	if err != nil { // to the number's fallback address, as for calls
		form.Set("ErrorCode", "11200")
		form.Set("ErrorUrl", c.cfg.Line+"/sms")
		verbs, err = c.post(ctx, c.cfg.Line+"/sms/fallback", form)
	}
	var out []string
	for _, v := range verbs {
		if v.XMLName.Local == "Message" {
			out = append(out, strings.TrimSpace(v.Text))
		}
	}
	return out, err
}

// Settle tells the gateway what became of the n'th message that it sent:
// delivered, undelivered, failed.
func (c *Carrier) Settle(ctx context.Context, n int, status, code string) error {
	c.mu.Lock()
	var sid string
	i := 0
	for _, m := range c.messages {
		if m["direction"] == "outbound-api" {
			if i == n {
				sid, _ = m["sid"].(string)
			}
			i++
		}
	}
	address := c.callbacks[sid]
	c.mu.Unlock()
	if address == "" {
		return errors.New("the message asked for no callback")
	}
	form := url.Values{"MessageSid": {sid}, "SmsSid": {sid}, "MessageStatus": {status}, "SmsStatus": {status}}
	if code != "" {
		form.Set("ErrorCode", code)
	}
	_, err := c.post(ctx, address, form)
	return err
}
