package chat

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"hearken/complaint"
)

// closing is how a connection is ended by us, and what the browser had best
// do: 4000 to 4099 and the standard codes mean to reconnect, 4400 and above
// not to.
type closing struct {
	code      int
	reason    string
	reconnect bool
}

// The closings, as docs/streams.md lists them.
var (
	closeNormal    = closing{1000, "ended", false}
	closeGoingAway = closing{1001, "gateway restarts", true}
	closePolicy    = closing{1008, "only text frames", false}
	closeTooBig    = closing{1009, "frame too large", false}
	closeInternal  = closing{1011, "internal error", true}
	closeSlow      = closing{1013, "read too slowly", true}
	closeBadFrames = closing{4400, "too many bad frames", false}
	closeBadToken  = closing{4401, "session or token is wrong", false}
	closeNoHello   = closing{4408, "no hello in time", true}
	closeRate      = closing{4429, "too many messages", false}
)

// Closings lists the close codes for the docs.
func Closings() [][3]string {
	var out [][3]string
	for _, c := range []closing{
		closeNormal, closeGoingAway, closePolicy, closeTooBig, closeInternal, closeSlow, closeBadFrames, closeBadToken, closeNoHello, closeRate,
	} {
		out = append(out, [3]string{fmt.Sprint(c.code), c.reason, map[bool]string{true: "yes", false: "no"}[c.reconnect]})
	}
	return out
}

// inFrame is any frame from a browser.
type inFrame struct {
	Type     string   `json:"type"`
	Session  string   `json:"session"`
	Token    string   `json:"token"`
	LastSeq  int64    `json:"last_seq"`
	Language string   `json:"language"`
	Page     string   `json:"page"`
	ID       string   `json:"id"`
	Text     string   `json:"text"`
	Files    []string `json:"files"`
	Name     string   `json:"name"`
	Email    string   `json:"email"`
	Phone    string   `json:"phone"`
	Number   string   `json:"number"`

	Identity *identity `json:"identity"`
}

// outFrame is any frame to a browser.
type outFrame struct {
	Type    string `json:"type"`
	Session string `json:"session,omitempty"`
	Token   string `json:"token,omitempty"`
	Seq     *int64 `json:"seq,omitempty"`
	ID      string `json:"id,omitempty"`
	Number  string `json:"number,omitempty"`
	From    string `json:"from,omitempty"`
	Text    string `json:"text,omitempty"`
	Code    string `json:"code,omitempty"`
	AfterMS int64  `json:"after_ms,omitempty"`
	MaxFile int64  `json:"max_file,omitempty"` // bytes; a browser need not send what is larger
}

// frameError is told to the browser as {"type":"error"}.
type frameError struct{ code, text string }

func (e frameError) Error() string { return e.code + ": " + e.text }

func bad(code, text string, args ...any) error { return frameError{code, fmt.Sprintf(text, args...)} }

// readFrame decodes and checks one frame; texts come out clean.
func readFrame(b []byte) (inFrame, error) {
	var f inFrame
	if !utf8.Valid(b) {
		return f, bad("bad_frame", "a frame must be UTF-8")
	}
	if err := json.Unmarshal(b, &f); err != nil {
		return f, bad("bad_frame", "a frame must be a JSON object with a type")
	}
	switch f.Type {
	case "hello", "contact", "typing", "end", "ping":
	case "message":
		if !plainID(f.ID) {
			return f, bad("bad_id", "a message needs an id of 1 to 64 letters, digits, -, _ and .")
		}
		if f.Text = strings.TrimSpace(cleanText(f.Text, true)); f.Text == "" && len(f.Files) == 0 {
			return f, bad("empty", "the message has no text")
		}
		if utf8.RuneCountInString(f.Text) > maxText || len(f.Files) > maxFiles {
			return f, bad("too_long", "a message has at most %d characters and %d files", maxText, maxFiles)
		}
	default:
		return f, bad("bad_frame", "this type of frame is not known")
	}
	for _, s := range []*string{&f.Name, &f.Email, &f.Phone, &f.Number, &f.Language, &f.Page} {
		*s = strings.TrimSpace(cleanText(*s, false))
		if utf8.RuneCountInString(*s) > maxField {
			return f, bad("too_long", "a field has at most %d characters", maxField)
		}
	}
	if len(f.Language) > 35 || strings.Trim(f.Language, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		f.Language = "" // BCP 47; nothing hangs on it
	}
	return f, nil
}

// dropWrongParts empties what of a contact frame can't be right, and says what
// that is.
func (f *inFrame) dropWrongParts() (wrong error) {
	if f.Email != "" && !plainEmail(f.Email) {
		f.Email, wrong = "", bad("bad_email", "this is not an e-mail address")
	}
	if n := digitsIn(f.Phone); f.Phone != "" && (n < fewestPhoneDigits || n > mostPhoneDigits) {
		f.Phone, wrong = "", bad("bad_phone", "this is not a phone number")
	}
	if f.Number != "" {
		n, err := complaint.ParseNumber(f.Number)
		if err != nil {
			wrong = bad("bad_number", "%v", err)
		}
		f.Number = n
	}
	return wrong
}

// The digits of a phone number: a short code's, and E.164's with an extension.
const (
	fewestPhoneDigits = 5
	mostPhoneDigits   = 20
)

func plainID(s string) bool {
	return s != "" && len(s) <= 64 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.") == ""
}

// plainEmail is a sanity check, not RFC 5322: one @, a dot behind it, nothing
// that could end up in a header.
func plainEmail(s string) bool {
	local, host, ok := strings.Cut(s, "@")
	return ok && local != "" && strings.Contains(host, ".") && len(s) <= 254 &&
		!strings.ContainsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune("<>,;:\"()[]\\", r) }) && !strings.Contains(host, "@")
}

// cleanText drops control characters, and line ends too where they have no
// business.
func cleanText(s string, lines bool) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' && lines || r == '\t' && lines {
			return r
		}
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, s)
}

// Openings that say nothing about what is wrong.
var openings = []string{
	"你好", "您好", "在吗", "在么", "有人吗", "有人在吗", "客服", "人工", "人工客服", "转人工", "喂", "嗨", "哈喽", "请问", "我要投诉", "投诉", "我想投诉",
	"hi", "hello", "hey", "hello there", "hi there", "anyone there", "is anyone there", "anybody there", "good morning", "good afternoon", "good evening",
	"agent", "human", "help", "i want to complain", "complaint", "i have a complaint",
}

// isFragment tells a message that is too little to register a complaint by.
// In doubt it is enough: a number too early does no harm.
func isFragment(text string) bool {
	plain := strings.ToLower(strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return ' '
	}, text))
	plain = strings.Join(strings.Fields(plain), " ")
	// What is left after taking all openings off.
	for again := true; again; {
		again = false
		for _, o := range openings {
			rest, ok := strings.CutPrefix(plain, o)
			if ok && (rest == "" || rest[0] == ' ' || o[0] >= 0x80) {
				plain, again = strings.TrimSpace(rest), true
			}
		}
	}
	n := 0
	for _, r := range plain {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			n++
			if unicode.Is(unicode.Han, r) {
				n++ // says as much as several Latin letters
			}
		}
	}
	return n < 5
}

var errNotJoined = errors.New("say hello first")
