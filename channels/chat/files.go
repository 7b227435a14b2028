package chat

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"hearken/complaint"
	"hearken/internal/blob"
	"hearken/internal/filetype"
)

// refBytes is the length of a file reference's signature, in bytes.
const refBytes = 16

// serveFile takes a file from a session's browser and answers with a
// reference that only this session can use. The bytes are durable then.
func (c *Chat) serveFile(w http.ResponseWriter, r *http.Request) {
	if !c.allowOrigin(w, r) {
		return
	}
	session, token, _ := strings.Cut(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "), ".")
	if session == "" || !c.tokens.Verify(session, token, tokenBytes) {
		c.deps.Audit.Rejected(complaint.Chat, c.cfg.Name, "file without a session's token")
		http.Error(w, "a file needs its session's token", http.StatusUnauthorized)
		return
	}
	ip := c.clientIP(r)
	if !c.sent.allow(session) || !c.came.allow(ip) || !c.admit(ip) {
		w.Header().Set("Retry-After", "5")
		http.Error(w, "too many at once; try again later", http.StatusServiceUnavailable)
		return
	}
	defer c.leave(ip)
	if err := http.NewResponseController(w).SetReadDeadline(time.Now().Add(uploadWait)); err != nil {
		c.deps.Log.Debug("bound a chat's upload", "err", err)
	}
	head := filetype.NewHead(r.Body)
	b, err := c.deps.Blobs.Put(head, c.cfg.MaxFile)
	switch {
	case errors.Is(err, blob.ErrTooBig):
		http.Error(w, fmt.Sprintf("the file is larger than %.1f MB", float64(c.cfg.MaxFile)/(1<<20)), http.StatusRequestEntityTooLarge)
		return
	case err != nil:
		c.deps.Log.Warn("store a chat's file", "site", c.cfg.Name, "err", err)
		w.Header().Set("Retry-After", "5")
		http.Error(w, "the file could not be kept; please try again", http.StatusServiceUnavailable)
		return
	}
	if b.Size == 0 { // a folder, or a file that its owner's device has not loaded yet
		http.Error(w, "the file is empty", http.StatusBadRequest)
		return
	}
	a := complaint.Attachment{
		Filename: fileName(r.Header.Get("X-Filename")), MediaType: mediaType(r.Header.Get("Content-Type")),
		Size: b.Size, SHA256: b.SHA256, Blob: b.Ref,
	}
	a.Detected, a.Executable = head.Verdict(a.MediaType, a.Filename)
	if !c.takes(a) {
		c.deps.Audit.Rejected(complaint.Chat, c.cfg.Name, "file of a type that is not taken")
		http.Error(w, "files of this type are not taken here", http.StatusUnsupportedMediaType)
		return
	}
	ref, err := c.sealRef(session, a)
	if err != nil {
		http.Error(w, "the file could not be kept; please try again", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]string{"ref": ref}) // a line that is cut is the browser's to retry
}

// takes tells whether a file's type is taken: what its bytes are, where that
// is known, and what the browser claims otherwise. Programs never are.
func (c *Chat) takes(a complaint.Attachment) bool {
	is := a.Detected
	if is == "" {
		is = a.MediaType
	}
	is, _, _ = strings.Cut(is, ";")
	return !a.Executable && (len(c.cfg.FileTypes) == 0 || slices.ContainsFunc(c.cfg.FileTypes, func(t string) bool {
		family, all := strings.CutSuffix(t, "*")
		return t == is || all && strings.HasPrefix(is, family)
	}))
}

// servePreflight answers a browser that asks before it sends a file.
func (c *Chat) servePreflight(w http.ResponseWriter, r *http.Request) {
	if !c.allowOrigin(w, r) {
		return
	}
	w.Header().Set("Access-Control-Allow-Methods", "POST")
	w.Header().Set("Access-Control-Allow-Headers", "Authorization, Content-Type, X-Filename")
	w.Header().Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusNoContent)
}

func (c *Chat) allowOrigin(w http.ResponseWriter, r *http.Request) bool {
	if !c.checkOrigin(r) {
		c.deps.Audit.Rejected(complaint.Chat, c.cfg.Name, "wrong origin")
		http.Error(w, "this page may not send files here", http.StatusForbidden)
		return false
	}
	w.Header().Set("Access-Control-Allow-Origin", r.Header.Get("Origin"))
	w.Header().Set("Vary", "Origin")
	return true
}

// sealRef makes a reference that carries the attachment, signed for its
// session: nothing has to be remembered.
func (c *Chat) sealRef(session string, a complaint.Attachment) (string, error) {
	b, err := json.Marshal(a)
	if err != nil {
		return "", err
	}
	text := base64.RawURLEncoding.EncodeToString(b)
	return text + "." + c.files.Sign(session+" "+text, refBytes), nil
}

// attachments are the files that a message refers to.
func (k *conn) attachments(refs []string) ([]complaint.Attachment, error) {
	var all []complaint.Attachment
	for _, ref := range refs {
		a, err := k.chat.openRef(k.session, ref)
		if err != nil {
			return nil, err
		}
		all = append(all, a)
	}
	return all, nil
}

func (c *Chat) openRef(session, ref string) (complaint.Attachment, error) {
	var a complaint.Attachment
	text, mac, ok := strings.Cut(ref, ".")
	if !ok || !c.files.Verify(session+" "+text, mac, refBytes) {
		return a, bad("bad_file", "this is not a file of this session")
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil {
		err = json.Unmarshal(b, &a)
	}
	return a, err
}

// fileName keeps the last element of what the browser claims, percent-decoded
// by it, without characters that could lead anywhere or mislead.
func fileName(claimed string) string {
	if dec, err := new(mime.WordDecoder).DecodeHeader(claimed); err == nil {
		claimed = dec
	}
	name := path.Base(strings.ReplaceAll(claimed, `\`, "/"))
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || strings.ContainsRune(`/<>:"|?*`, r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(name, ""))
	if name = strings.Trim(name, ". "); name == "" {
		return "file"
	}
	for utf8.RuneCountInString(name) > 100 {
		_, n := utf8.DecodeRuneInString(name)
		name = name[n:] // the ending says more than the beginning
	}
	return name
}

func mediaType(claimed string) string {
	t, _, err := mime.ParseMediaType(claimed)
	if err != nil || len(t) > 100 {
		return "application/octet-stream"
	}
	return t
}
