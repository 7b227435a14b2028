package chat

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"

	"hearken/complaint"
)

// identity is what a site says about its logged-in user: claims is the text of
// a JSON object, and hmac the HMAC-SHA256 of exactly that text, in hex, under
// the site's identity_key. The site's server makes both; the page only
// carries them.
type identity struct {
	Claims string `json:"claims"`
	HMAC   string `json:"hmac"`
}

// claims are the object's fields. Expires is in Unix seconds and has to be
// there: what leaks from a page is not good for ever.
type claims struct {
	User    string `json:"user"`
	Name    string `json:"name"`
	Email   string `json:"email"`
	Phone   string `json:"phone"`
	Expires int64  `json:"expires"`
}

// identify takes a signed identity. A wrong one is told, and the chat goes on
// without it: a customer whose page is old must still be heard.
func (k *conn) identify(f inFrame) error {
	if f.Identity == nil {
		return nil
	}
	key := k.chat.cfg.IdentityKey.Reveal()
	m := hmac.New(sha256.New, []byte(key))
	m.Write([]byte(f.Identity.Claims))
	mac, err := hex.DecodeString(f.Identity.HMAC)
	if key == "" || err != nil || !hmac.Equal(mac, m.Sum(nil)) {
		return bad("bad_identity", "the identity is not signed with this site's key")
	}
	var c claims
	if err := json.Unmarshal([]byte(f.Identity.Claims), &c); err != nil {
		return bad("bad_identity", "the identity is not a JSON object")
	}
	if time.Now().Unix() > c.Expires {
		return bad("bad_identity", "the identity has expired")
	}
	for _, s := range []*string{&c.User, &c.Name, &c.Email, &c.Phone} {
		*s = clipped(cleanText(*s, false))
	}
	if c.Email != "" && !plainEmail(c.Email) {
		return bad("bad_identity", "the identity's e-mail address is none")
	}
	k.signed, k.user = true, c.User
	k.from = complaint.Person{Name: c.Name, Email: c.Email, Phone: dialable(c.Phone)}
	return nil
}

func clipped(s string) string {
	if r := []rune(s); len(r) > maxField {
		return string(r[:maxField])
	}
	return s
}
