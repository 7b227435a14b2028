package email

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"hearken/complaint"
	"hearken/internal/secret"
)

// macBytes is how much of the signature stands in a Message-ID: 80 bits can't
// be guessed by mailing.
const macBytes = 10

// outgoing makes and recognises our own Message-IDs:
// h.<number>.<reply>.<mac>@<domain>. An answer names it in In-Reply-To, which
// proves that its writer got our mail about that complaint.
type outgoing struct {
	signer        *secret.Signer
	replies       *secret.Signer
	local, domain string
}

func newOutgoing(keys *secret.Keys, address string) *outgoing {
	local, domain, _ := strings.Cut(address, "@")
	return &outgoing{keys.Signer("mail message-id"), keys.Signer("mail reply address"), local, domain}
}

// id is the Message-ID, without angle brackets, of a reply: always the same
// for the same reply, so that one sent twice by mischance is one mail.
func (o *outgoing) id(r complaint.Reply) string {
	h := sha256.Sum256([]byte(r.ID))
	body := r.Number + "." + hex.EncodeToString(h[:8])
	return "h." + body + "." + o.signer.Sign(body, macBytes) + "@" + o.domain
}

// number reads the complaint's number off one of our Message-IDs.
func (o *outgoing) number(id string) (string, bool) {
	local, _, _ := strings.Cut(id, "@")
	parts := strings.Split(local, ".")
	if len(parts) != 4 || parts[0] != "h" || !o.signer.Verify(parts[1]+"."+parts[2], parts[3], macBytes) {
		return "", false
	}
	n, err := complaint.ParseNumber(parts[1])
	return n, err == nil
}

// ours tells whether we made this Message-ID.
func (o *outgoing) ours(id string) bool {
	_, ok := o.number(id)
	return ok
}

// replyTo is the address that an answer about a complaint may go to, where the
// mailbox takes plus addresses: support+<number>.<mac>@example.com. It finds
// the complaint even where a mail program drops every other trace.
func (o *outgoing) replyTo(number string) string {
	return o.local + "+" + number + "." + o.replies.Sign(number, macBytes) + "@" + o.domain
}

// numberOf reads the complaint's number off one of those.
func (o *outgoing) numberOf(addr string) (string, bool) {
	local, domain, _ := strings.Cut(strings.ToLower(addr), "@")
	rest, ok := strings.CutPrefix(local, strings.ToLower(o.local)+"+")
	number, mac, _ := strings.Cut(rest, ".")
	if !ok || !strings.EqualFold(domain, o.domain) || !o.replies.Verify(number, mac, macBytes) {
		return "", false
	}
	n, err := complaint.ParseNumber(number)
	return n, err == nil
}
