package phone

import (
	"net/url"
	"slices"
	"strconv"
	"time"

	"hearken/complaint"
)

// talk is what a call has told so far. It goes from step to step in the
// addresses that the carrier is given, so that any gateway can go on with the
// call; each address is signed by us, for this call and step. What matters
// beyond the dialogue is learnt as facts too, for the end of the call.
type talk struct {
	At     time.Time // when the call came
	Lang   string
	Type   string // chosen from the menu
	Number string // of the complaint that the caller keyed in
	Told   string // the number that the caller has heard
	Try    int    // of the step, from 1
}

// sealBytes is the length of an address's seal: half a SHA-256 can't be
// guessed.
const sealBytes = 16

// callWindow bounds the start of a call that an address may tell: longer than
// any call.
const callWindow = 24 * time.Hour

func (t talk) values() url.Values {
	q := url.Values{}
	for name, v := range t.facts() {
		q.Set(name, v)
	}
	if t.Told != "" {
		q.Set("told", t.Told)
	}
	if t.Try > 0 {
		q.Set("try", strconv.Itoa(t.Try))
	}
	return q
}

// facts are what of it any gateway may need after the dialogue.
func (t talk) facts() map[string]string {
	out := map[string]string{}
	for name, v := range map[string]string{"lang": t.Lang, "type": t.Type, "number": t.Number} {
		if v != "" {
			out[name] = v
		}
	}
	if !t.At.IsZero() {
		out["at"] = strconv.FormatInt(t.At.Unix(), 10)
	}
	return out
}

// recall reads a talk from what values or facts give. What does not fit the
// configuration (it may have changed during the call) is left out.
func (p *Phone) recall(get func(string) string) talk {
	var t talk
	if l := get("lang"); slices.Contains(p.cfg.Languages, l) {
		t.Lang = l
	}
	if slices.ContainsFunc(p.cfg.Menu, func(m Choice) bool { return m.Type == get("type") }) {
		t.Type = get("type")
	}
	if n, err := complaint.ParseNumber(get("number")); err == nil {
		t.Number = n
	}
	if n, err := complaint.ParseNumber(get("told")); err == nil {
		t.Told = n
	}
	if s, err := strconv.ParseInt(get("at"), 10, 64); err == nil {
		if at := time.Unix(s, 0); time.Since(at).Abs() < callWindow {
			t.At = at
		}
	}
	t.Try, _ = strconv.Atoi(get("try"))
	t.Try = min(max(t.Try, 0), maxTries)
	return t
}

// step is the address of a step of a call, as the carrier is to call it.
func (p *Phone) step(sid, path string, q url.Values) string {
	q.Set("seal", p.seal(sid, path, q))
	return p.base + "/" + path + "?" + q.Encode()
}

func (p *Phone) seal(sid, path string, q url.Values) string {
	return p.signer.Sign(p.sealText(sid, path, q), sealBytes)
}

// sealed tells whether an address's query is one that step made. A query
// without a seal is nobody's state and is not looked at.
func (p *Phone) sealed(sid, path string, q url.Values) bool {
	return p.signer.Verify(p.sealText(sid, path, q), q.Get("seal"), sealBytes)
}

func (p *Phone) sealText(sid, path string, q url.Values) string {
	plain := url.Values{}
	for k, v := range q {
		if k != "seal" && k != "bodySHA256" { // the carrier adds the latter
			plain[k] = v
		}
	}
	return p.cfg.Name + "\n" + sid + "\n" + path + "\n" + plain.Encode()
}
