package chat

import (
	"context"
	"crypto/rand"
	"maps"
	"slices"
	"strings"
	"time"

	"hearken/complaint"
)

// hello opens a session or goes on with one. The token is proof enough: no
// gateway needs to have heard of the session before.
func (k *conn) hello(f inFrame) (*closing, error) {
	if k.session != "" {
		return nil, bad("bad_frame", "hello was said already")
	}
	session, fresh := f.Session, f.Session == ""
	if fresh {
		session = rand.Text()
	} else if !k.chat.tokens.Verify(session, f.Token, tokenBytes) {
		k.chat.deps.Audit.Rejected(complaint.Chat, k.chat.cfg.Name, "wrong session token")
		return &closeBadToken, nil
	}
	k.page, k.language = f.Page, f.Language
	if k.language == "" {
		k.language = k.chat.cfg.Language
	}
	k.sent = max(f.LastSeq, 0)
	if err := k.ws.SetReadDeadline(time.Now().Add(pongWait)); err != nil {
		return &closeInternal, nil
	}
	seq := new(int64)
	if !fresh {
		seq = k.resume(session)
	}
	k.push(outFrame{Type: "welcome", Session: session, Token: k.chat.tokens.Sign(session, tokenBytes), Seq: seq, MaxFile: k.chat.cfg.MaxFile})
	k.chat.join(k, session)
	if fresh {
		k.greet()
	} else {
		k.nudge()
	}
	return nil, k.identify(f)
}

// greet says the first words. They are the same for all, so they are in no
// log: a window in which nothing is written leaves no trace, and a thousand
// that open at once are welcome without Redis.
func (k *conn) greet() {
	text, err := k.chat.book.Say(k.language, "chat.greeting", nil)
	if err != nil {
		k.chat.deps.Log.Warn("greet in a chat", "site", k.chat.cfg.Name, "err", err)
		return
	}
	k.push(outFrame{Type: "message", Seq: new(int64), From: "gateway", Text: text})
}

// resume takes over what is known of a session, wherever it was before, and
// returns the sequence number of its last message; nil while Redis is away,
// where the browser keeps its own count.
func (k *conn) resume(session string) *int64 {
	ctx, cancel := context.WithTimeout(k.chat.ctx, sayWait)
	defer cancel()
	known, err := k.chat.deps.Sessions.Resume(ctx, session)
	if err != nil {
		return nil // the writer looks again when it is back
	}
	for _, m := range known.Log {
		k.asked = append(k.asked, m.ID)
		if m.ID == registeredID {
			k.told = m.Number
		}
	}
	k.from = complaint.Person{Name: known.Notes["name"], Email: known.Notes["email"], Phone: known.Notes["phone"]}
	k.number, k.ordered, k.asks = known.Notes["number"], known.Notes["ordered"] != "", known.Notes["asks"] != ""
	if l := known.Notes["language"]; l != "" {
		k.language = l // they may write another than the browser's
	}
	if known.Notes["gone"] != "" {
		k.note(session, map[string]string{"gone": ""}) // and came back
	}
	seq := int64(len(known.Log))
	k.sent = min(k.sent, seq) // Redis may have lost messages; what comes is told from here on
	return &seq
}

// note remembers something for the session's next connection; best effort.
func (k *conn) note(session string, notes map[string]string) {
	ctx, cancel := context.WithTimeout(k.chat.ctx, sayWait)
	defer cancel()
	if err := k.chat.deps.Sessions.Note(ctx, session, notes); err != nil {
		k.chat.deps.Log.Debug("note something on a chat", "err", err)
	}
}

// remember notes who the customer is, if do learnt anything of it.
func (k *conn) remember(do func()) {
	yes := map[bool]string{true: "1"}
	who := func() map[string]string {
		return map[string]string{"name": k.from.Name, "email": k.from.Email, "phone": k.from.Phone, "number": k.number, "ordered": yes[k.ordered], "asks": yes[k.asks], "language": k.language}
	}
	before := who()
	do()
	if after := who(); !maps.Equal(before, after) {
		k.note(k.session, after)
	}
}

const tokenBytes = 20

// word makes a message of ours; nil where there is no text for it.
func (k *conn) word(id, key string, args map[string]string) []complaint.ChatMessage {
	text, err := k.chat.book.Say(k.language, key, args)
	if err != nil {
		k.chat.deps.Log.Error("word a chat message", "site", k.chat.cfg.Name, "message", id, "err", err)
		return nil
	}
	return []complaint.ChatMessage{{ID: id, From: "gateway", Text: text, At: time.Now()}}
}

// say puts messages of ours into the session's log, each once by its id.
func (k *conn) say(all []complaint.ChatMessage) {
	if len(all) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(k.chat.ctx, sayWait)
	defer cancel()
	if _, err := k.chat.deps.Sessions.Append(ctx, k.session, all...); err != nil && k.chat.ctx.Err() == nil {
		k.chat.deps.Log.Warn("put messages into a chat's log", "site", k.chat.cfg.Name, "first", all[0].ID, "messages", len(all), "err", err)
	}
}

// base is a contact of this session.
func (k *conn) base(id string) complaint.Contact {
	c := complaint.Contact{
		ID: complaint.RecordID(complaint.Chat, k.session, id), Channel: complaint.Chat, Account: k.chat.cfg.Name, ContactPoint: k.chat.cfg.Name,
		Ref: k.session + "/" + id, ReceivedAt: time.Now(), From: k.from, Language: languageOf(k.language), Conversation: "chat:" + k.session,
		Facts: map[string]string{"site": k.chat.cfg.Name, "session": k.session, "page": k.page},
	}
	if k.signed {
		c.Facts["identity"], c.Facts["user"] = "signed", k.user
	}
	return c
}

// languageOf keeps "zh" and "en" of "zh-CN" and "en-GB".
func languageOf(tag string) string {
	base, _, _ := strings.Cut(strings.ToLower(tag), "-")
	return base
}

// contact remembers who writes. Where the complaint exists already, its
// department hears of it too. What is wrong with one part is told, and the
// others are kept.
func (k *conn) contact(f inFrame) error {
	if !k.allowed() {
		return bad("try_again", "too many at once; please send it again")
	}
	wrong := f.dropWrongParts()
	f.Phone = dialable(f.Phone)
	if k.signed { // the site's word stands above the customer's
		f.Name, f.Email, f.Phone = "", "", ""
	}
	if k.told != "" && f.Number != k.told && f.Number != k.number && f.Number != "" {
		k.say(k.ask(sayOther+f.Number, "chat.other_number", complaint.Grouped(f.Number)))
	}
	if k.told != "" {
		f.Number = ""
	}
	k.remember(func() {
		for from, to := range map[*string]*string{&f.Name: &k.from.Name, &f.Email: &k.from.Email, &f.Phone: &k.from.Phone, &f.Number: &k.number} {
			if *from != "" {
				*to = *from
			}
		}
	})
	if k.told == "" || f.Name+f.Email+f.Phone == "" {
		return wrong
	}
	c := k.base("contact-" + complaint.RecordID("", f.Name, f.Email, f.Phone))
	if _, err := k.chat.deps.Intake.Accept(k.chat.ctx, c); err != nil {
		return bad("try_again", "this could not be kept; please send it again")
	}
	return wrong
}

// message keeps what the customer said, and only then says so.
func (k *conn) message(f inFrame) error {
	if k.overtakes(f.ID) || !k.allowed() {
		k.later(f.ID)
		return nil
	}
	files, err := k.attachments(f.Files)
	if err != nil {
		k.settled(f.ID)
		return err
	}
	// A file's name tells nothing of who sends it: recordings are named by whom
	// one called.
	if !slices.ContainsFunc(files, func(a complaint.Attachment) bool { return a.Filename == f.Text }) {
		k.remember(func() { k.learn(f.Text) })
	}
	c := k.base(f.ID)
	c.Text, c.Attachments = f.Text, files
	c.Fragment = len(c.Attachments) == 0 && k.tooLittle(f.Text)
	c.NumberNow = !c.Fragment
	c.WantsReceipt = k.told == "" // where no number can be told now
	if k.number != "" && !k.chat.guessed.spent(k.ip) {
		c.Number, c.NumberBy = k.number, "contact"
	}
	r, err := k.chat.deps.Intake.Accept(k.chat.ctx, c)
	if err != nil {
		k.later(f.ID)
		return nil
	}
	k.settled(f.ID)
	k.push(outFrame{Type: "receipt", ID: f.ID, Number: r.Number})
	k.answer(f.ID, f.Text, r.Number)
	return nil
}

// putOff is a message that was answered by retry, and how long it is waited
// for.
type putOff struct {
	id    string
	until time.Time
}

// later has the browser send a message again.
func (k *conn) later(id string) {
	until := time.Now().Add(putOffWait)
	switch i := slices.IndexFunc(k.refused, func(p putOff) bool { return p.id == id }); {
	case i >= 0:
		k.refused[i].until = until
	case len(k.refused) < maxRefused:
		k.refused = append(k.refused, putOff{id, until})
	}
	k.push(outFrame{Type: "retry", ID: id, AfterMS: retryAfter.Milliseconds()})
}

// overtakes tells a message that must not be kept yet: one before it was put
// off, and the department has to read them in the order they were written.
// One that the browser does not send again, for another tab has, is not
// waited for.
func (k *conn) overtakes(id string) bool {
	now := time.Now()
	k.refused = slices.DeleteFunc(k.refused, func(p putOff) bool { return p.id != id && now.After(p.until) })
	return len(k.refused) > 0 && k.refused[0].id != id
}

// settled says that a message is not waited for any more.
func (k *conn) settled(id string) {
	k.refused = slices.DeleteFunc(k.refused, func(p putOff) bool { return p.id == id })
}

// end registers what was said so far, if nothing is registered yet.
func (k *conn) end() {
	if k.told == "" {
		c := k.base("end")
		c.OnlyOpens, c.WantsReceipt = true, true
		if _, err := k.chat.deps.Intake.Accept(k.chat.ctx, c); err != nil {
			k.chat.deps.Log.Warn("register the rest of an ended chat; it is registered when it has been idle", "site", k.chat.cfg.Name, "err", err)
		}
	}
	k.note(k.session, map[string]string{"gone": "1"}) // another open tab says otherwise soon
	k.push(outFrame{Type: "ended"})
}
