// Package secret keeps passwords, tokens and keys from being printed, and
// derives the gateway's own keys from its one secret. It hides the value from
// every formatter and encoder; only Reveal gives it out.
package secret

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
)

const hidden = "***"

// Value is a secret string. The zero value is "no secret".
type Value struct{ s string }

// New hides s.
func New(s string) Value { return Value{s} }

// Reveal returns the secret itself, for the one place that needs it.
func (v Value) Reveal() string { return v.s }

// IsZero tells whether there is no secret.
func (v Value) IsZero() bool { return v.s == "" }

func (v Value) mask() string {
	if v.s == "" {
		return ""
	}
	return hidden
}

// The ways in which a value could slip out.
func (v Value) String() string               { return v.mask() }
func (v Value) GoString() string             { return v.mask() }
func (v Value) Format(f fmt.State, _ rune)   { _, _ = f.Write([]byte(v.mask())) }
func (v Value) MarshalText() ([]byte, error) { return []byte(v.mask()), nil }
func (v Value) MarshalJSON() ([]byte, error) { return []byte(`"` + v.mask() + `"`), nil }
func (v Value) LogValue() slog.Value         { return slog.StringValue(v.mask()) }

// Keys derives purpose-bound keys from the gateway's one secret. Every
// gateway of an installation must have the same secret, so that a chat token
// or a signed Message-ID of one is good at the others.
type Keys struct{ root []byte }

// minSecret is the least entropy, in characters, that a configured secret
// must have; the secret made by LoadKeys has 52.
const minSecret = 16

// LoadKeys uses the configured secret or, where there is none, the one in the
// file "secret" in dataDir, which it makes (mode 0600) if it is not there.
func LoadKeys(configured Value, dataDir string) (*Keys, error) {
	if !configured.IsZero() {
		if len(configured.s) < minSecret {
			return nil, fmt.Errorf("secret: it has %d characters; at least %d are needed (try: openssl rand -hex 32)", len(configured.s), minSecret)
		}
		return &Keys{[]byte(configured.s)}, nil
	}
	path := filepath.Join(dataDir, "secret")
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return makeSecret(path)
	}
	if err != nil {
		return nil, fmt.Errorf("read the gateway's secret: %w", err)
	}
	s := strings.TrimSpace(string(b))
	if len(s) < minSecret {
		return nil, fmt.Errorf("the gateway's secret in %s is cut short; restore it from a backup, or remove the file to have a new one made (open chats then have to start again)", path)
	}
	return &Keys{[]byte(s)}, nil
}

// makeSecret writes a new secret so that it is there whole or not at all, and
// so that of two processes starting at once both end up with the same one.
func makeSecret(path string) (*Keys, error) {
	var raw [32]byte
	_, _ = rand.Read(raw[:]) // never fails (crypto/rand)
	s := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(raw[:])
	f, err := os.CreateTemp(filepath.Dir(path), ".secret-*")
	if err != nil {
		return nil, fmt.Errorf("make the gateway's secret: %w", err)
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(s + "\n")
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Link(f.Name(), path) // unlike rename, it does not replace
	}
	if errors.Is(err, fs.ErrExist) {
		return LoadKeys(Value{}, filepath.Dir(path))
	}
	if err != nil {
		return nil, fmt.Errorf("make the gateway's secret: %w", err)
	}
	return &Keys{[]byte(s)}, nil
}

// Signer signs for one purpose: what was signed for another never verifies.
type Signer struct{ key []byte }

// Signer derives the key for purpose, for example "chat session".
func (k *Keys) Signer(purpose string) *Signer {
	key, err := hkdf.Key(sha256.New, k.root, nil, "hearken "+purpose, 32)
	if err != nil {
		panic("hkdf of 32 bytes can't fail: " + err.Error()) // RFC 5869 allows 255 times the hash
	}
	return &Signer{key}
}

// Sign returns the first n bytes (at most 32) of the HMAC-SHA256 of text, in
// lower-case hex.
func (s *Signer) Sign(text string, n int) string {
	m := hmac.New(sha256.New, s.key)
	m.Write([]byte(text))
	return hex.EncodeToString(m.Sum(nil)[:n])
}

// Verify tells in constant time whether mac is Sign(text, n).
func (s *Signer) Verify(text, mac string, n int) bool {
	return hmac.Equal([]byte(s.Sign(text, n)), []byte(mac))
}
