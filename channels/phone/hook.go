package phone

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"hearken/complaint"
)

// Hook takes complaints from anything that can POST: a cloud hotline, a
// script of a PBX, a form on a web page. It is a line without a dialogue: one
// signed request is one contact, and the answer its receipt.
type Hook struct {
	cfg      Config
	deps     Deps
	verifier *verifier
	http     *http.Client
}

// hookFields are what a body can tell, each with its path where the
// configuration names none.
var hookFields = []string{"ref", "from", "name", "email", "to", "subject", "text", "language", "conversation", "number", "type"}

// factField begins the name of a field that becomes a fact of the record.
const factField = "fact."

const (
	maxHookBody = 256 << 10
	maxPath     = 10 // steps
	maxFact     = 500
	hookWait    = 20 * time.Second
)

func (c Config) checkHook(f *faults) {
	c.checkSignature(f)
	if c.Signature.Scheme == schemeHMACSHA1 {
		f.add("signature.scheme: hmac-sha1 is how carriers sign; there are %s and %s here", schemeHMACSHA256, schemeEd25519)
	}
	for name, path := range c.Fields {
		if !slices.Contains(hookFields, name) && (!strings.HasPrefix(name, factField) || !nameShape.MatchString(strings.TrimPrefix(name, factField))) {
			f.add("fields.%s: it is not known; there are %s and fact.NAME", name, strings.Join(hookFields, ", "))
		}
		if steps := strings.Count(path, ".") + 1; path == "" || steps > maxPath {
			f.add("fields.%s: %q is not a path like call.customer.phone", name, path)
		}
	}
	if c.ReplyURL != "" {
		f.address("reply_url", c.ReplyURL)
	}
}

// NewHook makes one.
func NewHook(cfg Config, deps Deps) (*Hook, error) {
	cfg.fill()
	if err := errors.Join(cfg.Check()...); err != nil {
		return nil, fmt.Errorf("phone %s: %w", cfg.Name, err)
	}
	return &Hook{cfg: cfg, deps: deps, verifier: newVerifier(cfg.Signature), http: &http.Client{Timeout: hookWait, Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, IdleConnTimeout: time.Minute}}}, nil
}

// Name is the line's, as replies name it.
func (k *Hook) Name() string { return k.cfg.Name }

// Run waits for ctx: everything happens while somebody waits for the answer.
func (k *Hook) Run(ctx context.Context) error {
	<-ctx.Done()
	k.http.CloseIdleConnections()
	return nil
}

// Mount puts the webhook on mux.
func (k *Hook) Mount(mux *http.ServeMux) {
	mux.HandleFunc("POST /phone/"+k.cfg.Name+"/contact", k.serve)
}

// receipt is the answer to a contact.
type receipt struct {
	ID        string `json:"id"`
	Number    string `json:"number,omitempty"` // "" where it can't be told yet; it is kept all the same
	Event     string `json:"event,omitempty"`
	Duplicate bool   `json:"duplicate,omitempty"` // the same contact was taken before
}

func (k *Hook) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxHookBody))
	if err != nil {
		k.refuse(w, http.StatusRequestEntityTooLarge, fmt.Sprintf("body is larger than %d bytes, or was cut", maxHookBody))
		return
	}
	if !k.verifier.signed(r.Header, "", body) {
		k.refuse(w, http.StatusForbidden, "signature is wrong: "+k.cfg.Signature.expected())
		return
	}
	c, err := k.contact(body, r.Header.Get("Content-Type"))
	if err != nil {
		k.refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	got, err := k.deps.Intake.Accept(r.Context(), c)
	switch {
	case complaint.IsPermanent(err):
		k.refuse(w, http.StatusBadRequest, "not a contact")
	case err != nil:
		k.deps.Log.Error("webhook not taken", "line", k.cfg.Name, "err", err)
		w.Header().Set("Retry-After", "5")
		k.say(w, http.StatusServiceUnavailable, map[string]string{"error": "not taken; please send it again"})
	default:
		k.say(w, http.StatusOK, receipt{got.ID, got.Number, got.Event, got.Duplicate})
	}
}

func (k *Hook) refuse(w http.ResponseWriter, code int, reason string) {
	k.deps.Audit.Rejected(complaint.Phone, k.cfg.Name, reason)
	k.say(w, code, map[string]string{"error": reason})
}

func (k *Hook) say(w http.ResponseWriter, code int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(v)
}

// contact maps a body to a contact.
func (k *Hook) contact(body []byte, contentType string) (complaint.Contact, error) {
	doc, err := readDocument(body, contentType)
	if err != nil {
		return complaint.Contact{}, err
	}
	get := func(field string) string {
		path, ok := k.cfg.Fields[field]
		if !ok {
			path = field
		}
		return strings.TrimSpace(find(doc.root, path))
	}
	ref := get("ref")
	if ref == "" { // the same body is the same contact
		sum := sha256.Sum256(body)
		ref = "body-" + hex.EncodeToString(sum[:])
	}
	c := complaint.Contact{
		ID: complaint.RecordID(complaint.Phone, k.cfg.Name, ref), Channel: complaint.Phone, Account: k.cfg.Name, ContactPoint: get("to"), Ref: ref, ReceivedAt: time.Now(),
		From:    complaint.Person{Name: get("name"), Email: get("email"), Phone: get("from")},
		Subject: get("subject"), Text: get("text"), Language: get("language"), Window: k.cfg.TextWindow, NumberNow: true,
		Facts: map[string]string{"line": k.cfg.Name, "medium": ProviderWebhook}, Notes: doc.notes,
	}
	if c.ContactPoint == "" {
		c.ContactPoint = k.cfg.Name
	}
	if s := get("conversation"); s != "" {
		c.Conversation = "hook:" + k.cfg.Name + ":" + s
	}
	if n, err := complaint.ParseNumber(get("number")); err == nil {
		c.Number, c.NumberBy = n, "keyed"
	} else if get("number") != "" {
		c.Notes = append(c.Notes, "the complaint number that came with it is not a valid one")
	}
	if s := get("type"); nameShape.MatchString(s) {
		c.Facts[complaint.FactStatedType] = s
	} else if s != "" { // a word of theirs, and no type of the rules
		c.Facts["category"] = cut(s, maxFact)
	}
	for field := range k.cfg.Fields {
		if name, is := strings.CutPrefix(field, factField); is {
			if v := get(field); v != "" {
				c.Facts[name] = cut(v, maxFact)
			}
		}
	}
	if c.Text == "" && c.Subject == "" {
		if c.From.Phone == "" {
			return c, errors.New("it has no text, no subject and no number to call back: check fields")
		}
		c.Facts["call_back"] = "true"
		c.Notes = append(c.Notes, "caller left no words")
	}
	return c, nil
}

// cut shortens a text to so many bytes.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "")
}

// find follows a path of member names and list indexes; "" where it leads
// nowhere, or to something that is no single value.
func find(doc any, path string) string {
	if m, ok := doc.(map[string]any); ok { // a form's names may have dots
		if v, ok := m[path]; ok {
			return single(v)
		}
	}
	for _, step := range strings.SplitN(path, ".", maxPath) {
		switch at := doc.(type) {
		case map[string]any:
			doc = at[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(at) {
				return ""
			}
			doc = at[i]
		default:
			return ""
		}
	}
	return single(doc)
}

func single(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}

// Send posts a reply to reply_url, signed like the contacts. Whoever gets it
// knows a repetition by its id.
func (k *Hook) Send(ctx context.Context, r complaint.Reply) error {
	if k.cfg.ReplyURL == "" {
		return fmt.Errorf("send reply %s: the line has no reply_url: %w", r.ID, complaint.ErrUnreachable)
	}
	body, err := json.Marshal(r)
	if err != nil {
		return complaint.Permanent(fmt.Errorf("send reply %s: %w", r.ID, err))
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, k.cfg.ReplyURL, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("send reply %s: %w", r.ID, err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Idempotency-Key", strconv.Quote(r.ID))
	if k.cfg.Signature.Scheme == schemeHMACSHA256 {
		at := ""
		if k.cfg.Signature.Timestamp != "" {
			at = strconv.FormatInt(time.Now().Unix(), 10)
			req.Header.Set(k.cfg.Signature.Timestamp, at)
		}
		req.Header.Set(k.cfg.Signature.Header, "sha256="+hex.EncodeToString(macOf(k.cfg.Signature.Key, at, body)))
	}
	resp, err := k.http.Do(req)
	if err != nil {
		return fmt.Errorf("send reply %s: %w", r.ID, noAddress(err))
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxHookBody))
	switch code := resp.StatusCode; {
	case code/100 == 2:
		return nil
	case code == http.StatusNotFound || code == http.StatusGone:
		return fmt.Errorf("send reply %s: reply_url answered %s: %w", r.ID, resp.Status, complaint.ErrUnreachable)
	case code/100 == 4 && code != http.StatusRequestTimeout && code != http.StatusTooManyRequests:
		return complaint.Permanent(fmt.Errorf("send reply %s: reply_url answered %s", r.ID, resp.Status))
	}
	return fmt.Errorf("send reply %s: reply_url answered %s", r.ID, resp.Status)
}
