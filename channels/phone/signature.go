package phone

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"hearken/internal/secret"
)

// stale is how far a signed timestamp may be from our clock. Telnyx's own
// libraries allow five minutes.
const stale = 5 * time.Minute

// verifier tells whether a request was signed with one of its keys.
type verifier struct {
	cfg  Signature
	keys []secret.Value
	now  func() time.Time
}

func newVerifier(cfg Signature) *verifier {
	v := &verifier{cfg: cfg, now: time.Now}
	for _, k := range []secret.Value{cfg.Key, cfg.NextKey} {
		if !k.IsZero() {
			v.keys = append(v.keys, k)
		}
	}
	return v
}

// signed tells whether the body, sent to address, has a good signature.
// address is the one that the carrier was given.
func (v *verifier) signed(h http.Header, address string, body []byte) bool {
	signature := h.Get(v.cfg.Header)
	if signature == "" {
		return false
	}
	at := ""
	if v.cfg.Timestamp != "" {
		at = h.Get(v.cfg.Timestamp)
		seconds, err := strconv.ParseInt(at, 10, 64)
		if err != nil || v.now().Sub(time.Unix(seconds, 0)).Abs() > stale {
			return false
		}
	}
	for _, key := range v.keys {
		if v.signedWith(key, signature, at, address, body, h.Get("Content-Type")) {
			return true
		}
	}
	return false
}

func (v *verifier) signedWith(key secret.Value, signature, at, address string, body []byte, mediaType string) bool {
	switch v.cfg.Scheme {
	case schemeHMACSHA1:
		return signedByTwilio([]byte(key.Reveal()), signature, address, body, isJSON(mediaType))
	case schemeEd25519:
		// https://developers.telnyx.com/docs/messaging/messages/webhook-signing:
		// timestamp, a bar, the body.
		public, err := publicKey(key)
		sum, err2 := base64.StdEncoding.DecodeString(signature)
		return err == nil && err2 == nil && ed25519.Verify(public, append([]byte(at+"|"), body...), sum)
	case schemeHMACSHA256:
		want := macOf(key, at, body)
		_, text, found := strings.Cut(signature, "=") // sha256=..., as many senders write it
		if !found || !strings.HasPrefix(signature, "sha256=") {
			text = signature
		}
		if got, err := hex.DecodeString(text); err == nil && hmac.Equal(got, want) {
			return true
		}
		got, err := base64.StdEncoding.DecodeString(text)
		return err == nil && hmac.Equal(got, want)
	}
	return false
}

// signedByTwilio checks HMAC-SHA1 after
// https://www.twilio.com/docs/usage/security#validating-requests: of the
// address and the form's parameters, or for JSON of the address alone, which
// then holds the body's hash. twilio-go can do it too, at five times the cost;
// a test holds the two together.
func signedByTwilio(key []byte, signature, address string, body []byte, asJSON bool) bool {
	want, err := base64.StdEncoding.DecodeString(signature)
	if err != nil || asJSON != strings.Contains(address, "bodySHA256=") {
		return false
	}
	var parameters string
	if asJSON {
		at, err := url.Parse(address)
		sum := sha256.Sum256(body)
		if err != nil || !hmac.Equal([]byte(at.Query().Get("bodySHA256")), []byte(hex.EncodeToString(sum[:]))) {
			return false
		}
	} else if parameters, err = inOrder(body); err != nil {
		return false
	}
	for _, one := range []string{address, otherPort(address)} {
		mac := hmac.New(sha1.New, key)
		mac.Write([]byte(one))
		mac.Write([]byte(parameters))
		if hmac.Equal(mac.Sum(nil), want) {
			return true
		}
	}
	return false
}

// inOrder is a form's parameters, name and value without anything between, by
// the order of their names; of a name that stands twice the first.
func inOrder(body []byte) (string, error) {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return "", err
	}
	names := make([]string, 0, len(form))
	for name := range form {
		names = append(names, name)
	}
	slices.Sort(names)
	var out strings.Builder
	for _, name := range names {
		out.WriteString(name)
		out.WriteString(form[name][0])
	}
	return out.String(), nil
}

// otherPort is the address without its port or, where it has none, with the
// scheme's own: carriers are not at one on which they sign.
func otherPort(address string) string {
	scheme, rest, ok := strings.Cut(address, "://")
	if !ok {
		return address
	}
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	host, path := rest[:end], rest[end:]
	// Behind a user with a password, and behind an IPv6 address.
	if at := strings.LastIndexByte(host, ':'); at > strings.LastIndexAny(host, "]@") {
		return scheme + "://" + host[:at] + path
	}
	port := ":80"
	if strings.EqualFold(scheme, "https") {
		port = ":443"
	}
	return scheme + "://" + host + port + path
}

// macOf is HMAC-SHA256 of the body or, with a timestamp, of "timestamp.body".
func macOf(key secret.Value, at string, body []byte) []byte {
	m := hmac.New(sha256.New, []byte(key.Reveal()))
	if at != "" {
		m.Write([]byte(at + "."))
	}
	m.Write(body)
	return m.Sum(nil)
}

// expected says how a webhook that anybody may send is to be signed.
func (s Signature) expected() string {
	signed := "the body"
	if s.Timestamp != "" {
		signed = `"timestamp.body", with the Unix time of now in ` + s.Timestamp + " (it counts for " + stale.String() + ")"
	}
	if s.Scheme == schemeEd25519 {
		return s.Header + ` must be the base64 Ed25519 signature of ` + strings.Replace(signed, "timestamp.body", "timestamp|body", 1)
	}
	return s.Header + " must be sha256= and the hex HMAC-SHA256 of " + signed
}

func publicKey(v secret.Value) (ed25519.PublicKey, error) {
	b, err := base64.StdEncoding.DecodeString(v.Reveal())
	if err == nil && len(b) != ed25519.PublicKeySize {
		err = errors.New("it has the wrong length")
	}
	return b, err
}

func isJSON(mediaType string) bool {
	base, _, _ := strings.Cut(mediaType, ";")
	return strings.EqualFold(strings.TrimSpace(base), "application/json")
}
