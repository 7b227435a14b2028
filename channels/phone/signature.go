package phone

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/twilio/twilio-go/client"

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
		// https://www.twilio.com/docs/usage/security#validating-requests: the
		// address and the form's parameters, or for JSON the address, which
		// then holds the body's hash.
		if isJSON(mediaType) != strings.Contains(address, "bodySHA256=") {
			return false
		}
		twilio := client.NewRequestValidator(key.Reveal())
		return twilio.ValidateBody(address, body, signature)
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

// macOf is HMAC-SHA256 of the body or, with a timestamp, of "timestamp.body".
func macOf(key secret.Value, at string, body []byte) []byte {
	m := hmac.New(sha256.New, []byte(key.Reveal()))
	if at != "" {
		m.Write([]byte(at + "."))
	}
	m.Write(body)
	return m.Sum(nil)
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
