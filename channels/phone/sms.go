package phone

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"

	"hearken/complaint"
)

const whatsApp = "whatsapp:" // before both numbers of a WhatsApp message

// sms takes a text message; the answer is its receipt.
func (p *Phone) sms(ctx context.Context, h hook) (answer, error) {
	c, err := p.text(h)
	if err != nil || c.ID == "" {
		return answer{}, err
	}
	if err := p.noteMedia(c, h); err != nil {
		return answer{}, err
	}
	c.NumberNow = true
	r, err := p.deps.Intake.Accept(ctx, c)
	if err != nil || c.Part {
		return answer{}, err
	}
	if r.Event == complaint.Supplemented && !p.receipts.allows(c.Conversation, time.Now()) {
		return answer{}, nil
	}
	key := "phone.receipt"
	switch {
	case r.Number == "":
		key = "phone.kept"
	case r.Event == complaint.Supplemented:
		key = "phone.supplement"
	}
	text, err := p.book.Say(c.Language, key, map[string]string{"number": complaint.Grouped(r.Number)})
	if err != nil {
		return answer{}, err
	}
	return answer{message: text}, nil
}

// text makes a contact of a text message; an empty one of what is between the
// customer and the carrier.
func (p *Phone) text(h hook) (complaint.Contact, error) {
	sid, body := h.get("MessageSid"), strings.TrimSpace(h.get("Body"))
	if sid == "" {
		return complaint.Contact{}, complaint.Permanent(errors.New("the webhook names no message"))
	}
	if forCarrier(h, body) {
		return complaint.Contact{}, nil
	}
	from, to := h.get("From"), h.get("To")
	c := complaint.Contact{
		ID: complaint.RecordID(complaint.Phone, sid), Channel: complaint.Phone, Account: p.cfg.Name, ContactPoint: to, Ref: sid, ReceivedAt: time.Now(),
		From: complaint.Person{Phone: strings.TrimPrefix(from, whatsApp), Name: strings.TrimSpace(h.get("ProfileName"))},
		Text: h.get("Body"), Language: languageOf(body, p.defaultLanguage(strings.TrimPrefix(to, whatsApp))),
		Conversation: p.textsWith(from), Window: p.cfg.TextWindow, WantsReceipt: true,
		Facts: map[string]string{"line": p.cfg.Name, "message_sid": sid, "medium": "sms"},
	}
	if strings.HasPrefix(from, whatsApp) {
		c.Facts["medium"] = "whatsapp"
	}
	if body == "" {
		c.Text = ""
		var err error
		if err = p.entitle(&c, "phone.notext", nil); err != nil {
			return c, err
		}
	}
	if n, err := complaint.ParseNumber(numberIn.FindString(body)); err == nil {
		c.Number, c.NumberBy = n, "keyed"
	}
	c.Part = c.Conversation != "" && isPart(c.Text, h.get("NumSegments"))
	c.Fragment = c.Part
	return c, nil
}

// textsWith is the conversation of a customer's text messages with the line,
// by whichever of its numbers, and by WhatsApp too.
func (p *Phone) textsWith(number string) string {
	if number == "" { // what nobody sent belongs to nothing
		return ""
	}
	return "sms:" + strings.TrimPrefix(number, whatsApp) + ">" + p.cfg.Name
}

// numberIn finds what may be a complaint number: twelve digits, in groups or
// not.
var numberIn = regexp.MustCompile(`\b[0-9]{4}[ -]?[0-9]{4}[ -]?[0-9]{4}\b`)

// languageOf is Chinese where a Chinese character is in the text, English
// where only Latin ones are.
func languageOf(text, fallback string) string {
	latin := false
	for _, r := range text {
		if unicode.Is(unicode.Han, r) {
			return "zh"
		}
		latin = latin || unicode.IsLetter(r)
	}
	if latin {
		return "en"
	}
	return fallback
}

// maxMedia bounds the files of a message; carriers send at most ten.
const maxMedia = 10

// noteMedia puts down that a message's files are to be fetched, and says on
// the contact how many there are.
func (p *Phone) noteMedia(c complaint.Contact, h hook) error {
	n, _ := strconv.Atoi(digits(h.get("NumMedia")))
	if n == 0 {
		return nil
	}
	c.Facts["media"] = strconv.Itoa(n)
	args := map[string]string{}
	for i := range min(n, maxMedia) {
		at := strconv.Itoa(i)
		// Of the address only the name counts: the rest is made here.
		if u, err := url.Parse(h.get("MediaUrl" + at)); err == nil && p.sid.MatchString(path.Base(u.Path)) {
			args[at], args["type"+at] = path.Base(u.Path), h.get("MediaContentType"+at)
		}
	}
	return p.jobs.add(job{Kind: jobMedia, ID: c.Ref, Contact: c, Args: args})
}

// mediaTogether is how long the files of a message wait for each other.
const mediaTogether = time.Minute

// fetchMedia fetches the files of a message and adds them to its complaint.
// What can't be had for long holds up nothing else: it follows alone.
func (p *Phone) fetchMedia(ctx context.Context, j job) (err error) {
	c, sid := j.Contact, j.Contact.Facts["message_sid"]
	c.ID, c.Ref = complaint.RecordID(complaint.Phone, j.ID, "media"), j.ID+"/media"
	c.Text, c.NumberNow, c.WantsReceipt, c.Fragment, c.Part = "", false, false, false, false
	if len(j.Args) == 0 {
		if j.Args, err = p.listMedia(ctx, sid); err != nil {
			return fmt.Errorf("list the files of message %s: %w", sid, err)
		}
	}
	missing, late := map[string]string{}, error(nil)
	for i := range maxMedia {
		at := strconv.Itoa(i)
		name, mediaType := j.Args[at], mediaType(j.Args["type"+at])
		if name == "" {
			continue
		}
		b, err := p.download(ctx, "/Accounts/"+url.PathEscape(p.cfg.AccountSID)+"/Messages/"+url.PathEscape(sid)+"/Media/"+url.PathEscape(name))
		switch {
		case err == nil:
			c.Attachments = append(c.Attachments, complaint.Attachment{Filename: name + extension(mediaType), MediaType: mediaType, Size: b.Size, SHA256: b.SHA256, Blob: b.Ref})
		case time.Since(j.Since) < giveUpAfter && !complaint.IsPermanent(err):
			missing[at], missing["type"+at] = name, j.Args["type"+at]
			late = fmt.Errorf("fetch file %s of message %s: %w", name, sid, err)
		default:
			c.Notes = append(c.Notes, "file "+name+" could not be fetched: "+err.Error())
		}
	}
	if late != nil && (len(c.Attachments) == 0 || time.Since(j.Since) < mediaTogether) {
		return late
	}
	if late != nil {
		if err = p.jobs.add(job{Kind: jobMedia, ID: j.ID + "/late", Contact: j.Contact, Args: missing, Since: j.Since}); err != nil {
			return err
		}
	}
	if err = p.entitle(&c, "phone.media", map[string]string{"count": strconv.Itoa(len(c.Attachments))}); err != nil {
		return err
	}
	_, err = p.deps.Intake.Accept(ctx, c)
	return err
}

// listMedia asks the carrier for a message's files, where no webhook told.
func (p *Phone) listMedia(ctx context.Context, sid string) (map[string]string, error) {
	list, err := p.account.api(ctx).ListMedia(sid, nil)
	if status, _, is := refused(err); is && status == http.StatusNotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	args := map[string]string{}
	for i, m := range list {
		if m.Sid != nil && i < maxMedia && p.sid.MatchString(*m.Sid) {
			args[strconv.Itoa(i)], args["type"+strconv.Itoa(i)] = *m.Sid, text(m.ContentType)
		}
	}
	return args, nil
}

// text is what a pointer of the library's points to.
func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

var mediaShape = regexp.MustCompile(`^[a-z]{1,30}/[a-z0-9.+-]{1,60}$`)

func mediaType(s string) string {
	s, _, _ = strings.Cut(strings.ToLower(s), ";")
	if s = strings.TrimSpace(s); mediaShape.MatchString(s) {
		return s
	}
	return "application/octet-stream"
}

// extension of a file, for the kinds that telephones send.
func extension(mediaType string) string {
	return map[string]string{
		"image/jpeg": ".jpg", "image/png": ".png", "image/gif": ".gif", "image/webp": ".webp", "image/heic": ".heic", "audio/ogg": ".ogg", "audio/amr": ".amr",
		"audio/mpeg": ".mp3", wave: ".wav", "audio/mp4": ".m4a", "video/mp4": ".mp4", "video/3gpp": ".3gp", "application/pdf": ".pdf", "text/vcard": ".vcf", "text/plain": ".txt",
	}[mediaType]
}
