package carrier

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// rest is the carrier's API, as far as gateways use it.
func (c *Carrier) rest() http.Handler {
	mux := http.NewServeMux()
	at := version + "/Accounts/" + c.cfg.AccountSID
	for pattern, h := range map[string]func(http.ResponseWriter, *http.Request){
		"GET " + at + "/Calls.json":      c.listCalls,
		"GET " + at + "/Recordings.json": c.listRecordings,
		// net/http's patterns have whole segments only.
		"GET " + at + "/Recordings/{file}":                c.getRecording,
		"DELETE " + at + "/Recordings/{file}":             c.deleteRecording,
		"GET " + at + "/Messages.json":                    c.listMessages,
		"POST " + at + "/Messages.json":                   c.createMessage,
		"GET " + at + "/Messages/{message}/Media.json":    c.listMedia,
		"GET " + at + "/Messages/{message}/Media/{media}": c.getMedia,
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			if !c.knows(r) {
				fail(w, http.StatusUnauthorized, 20003)
				return
			}
			c.mu.Lock()
			defer c.mu.Unlock()
			h(w, r)
		})
	}
	mux.HandleFunc("GET "+linkPath+"{file}", c.getLinked)
	mux.HandleFunc("POST "+transcribePath, transcribe)
	return mux
}

// knows tells whether a request has the account's credentials.
func (c *Carrier) knows(r *http.Request) bool {
	if c.cfg.Telnyx {
		return r.Header.Get("Authorization") == "Bearer "+c.cfg.AuthToken && !strings.Contains(r.URL.Path, "/Messages")
	}
	user, pass, _ := r.BasicAuth()
	return user == c.cfg.AccountSID && pass == c.cfg.AuthToken
}

// linkPath is where files are that anybody may fetch who was told the link.
const linkPath = "/files/"

func (c *Carrier) getLinked(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	one := c.recordings[strings.TrimSuffix(r.PathValue("file"), ".mp3")]
	if one == nil || r.Header.Get("Authorization") != "" { // nobody's credentials belong here
		w.WriteHeader(http.StatusForbidden)
		return
	}
	_, _ = w.Write(one.audio)
}

const transcribePath = "/v1/audio/transcriptions"

// TranscribeURL is a speech-to-text endpoint that understands the recordings
// of this carrier.
func (c *Carrier) TranscribeURL() string { return "http://" + c.addr + transcribePath }

// transcribe reads the words off a recording.
func transcribe(w http.ResponseWriter, r *http.Request) {
	f, _, err := r.FormFile("file")
	if err != nil {
		http.Error(w, "no file", http.StatusBadRequest)
		return
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, 16<<20))
	at := bytes.LastIndex(b, []byte(wordsChunk))
	if err != nil || at < 0 || at+8 > len(b) {
		http.Error(w, "not a recording of this carrier", http.StatusUnprocessableEntity)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]string{"text": strings.TrimSpace(string(b[at+8:]))})
}

// fail answers as the API refuses.
func fail(w http.ResponseWriter, status, code int) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(resource{"code": code, "message": "refused", "more_info": "", "status": status})
}

// list answers with a page of a list, and says where the next one is: an
// address without its host, with a token that stands for the place
// (https://www.twilio.com/docs/usage/twilios-response#pagination).
func (c *Carrier) list(w http.ResponseWriter, r *http.Request, name string, all []resource) {
	q := r.URL.Query()
	size, from := 50, 0
	_, _ = fmt.Sscan(q.Get("PageSize"), &size)
	_, _ = fmt.Sscanf(q.Get("PageToken"), "PA%d", &from)
	if c.cfg.PageMost > 0 {
		size = min(size, c.cfg.PageMost)
	}
	from = min(max(from, 0), len(all))
	to := min(from+max(size, 1), len(all))
	page := resource{name: slices.Concat([]resource{}, all[from:to]), "page": from / max(size, 1), "page_size": size, "next_page_uri": nil}
	if to < len(all) {
		q.Set("PageToken", fmt.Sprintf("PA%d", to))
		page["next_page_uri"] = r.URL.Path + "?" + q.Encode()
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(page)
}

// match keeps the resources that have what the query asks for.
func match(all []resource, q url.Values, same map[string]string, after, since string) []resource {
	from, _ := time.Parse(time.RFC3339, q.Get(after))
	var out []resource
	for _, r := range all {
		ok := true
		for param, field := range same {
			ok = ok && (q.Get(param) == "" || q.Get(param) == r[field])
		}
		text, _ := r[since].(string)
		if at, err := time.Parse(time.RFC1123Z, text); err == nil && at.Before(from) {
			ok = false
		}
		if ok {
			out = append(out, r)
		}
	}
	slices.Reverse(out) // the newest first
	return out
}

func (c *Carrier) listCalls(w http.ResponseWriter, r *http.Request) {
	q, same := r.URL.Query(), map[string]string{"To": "to", "From": "from", "ParentCallSid": "parent_call_sid"}
	if c.cfg.Telnyx {
		if q.Has("StartTime>") {
			fail(w, http.StatusUnprocessableEntity, 10015)
			return
		}
		if day, err := time.Parse(time.DateOnly, q.Get("StartTime_gt")); err == nil {
			q.Set("StartTime>", day.AddDate(0, 0, 1).Format(time.RFC3339))
		}
		delete(same, "ParentCallSid") // it knows no such question, and answers with all
	}
	c.list(w, r, "calls", match(c.calls, q, same, "StartTime>", "start_time"))
}

func (c *Carrier) listMessages(w http.ResponseWriter, r *http.Request) {
	c.list(w, r, "messages", match(c.messages, r.URL.Query(), map[string]string{"To": "to", "From": "from"}, "DateSent>", "date_sent"))
}

func (c *Carrier) listRecordings(w http.ResponseWriter, r *http.Request) {
	var all []resource
	for _, sid := range slices.Sorted(maps.Keys(c.recordings)) { // the same on every page
		if one := c.recordings[sid]; !one.deleted {
			all = append(all, one.resource)
		}
	}
	c.list(w, r, "recordings", match(all, r.URL.Query(), map[string]string{"CallSid": "call_sid"}, "DateCreated>", "date_created"))
}

func (c *Carrier) listMedia(w http.ResponseWriter, r *http.Request) {
	var all []resource
	for _, key := range slices.Sorted(maps.Keys(c.media)) {
		if message, me, _ := strings.Cut(key, "/"); message == r.PathValue("message") {
			all = append(all, resource{"sid": me, "parent_sid": message, "content_type": c.kinds[key]})
		}
	}
	c.list(w, r, "media_list", all)
}

// lagging tells whether a file is still answered with 404.
func (c *Carrier) lagging() bool {
	if c.missing > 0 {
		c.missing--
		return true
	}
	return false
}

func (c *Carrier) getRecording(w http.ResponseWriter, r *http.Request) {
	if re, is := strings.CutSuffix(r.PathValue("file"), ".json"); is && c.cfg.Telnyx && c.recordings[re] != nil && !c.lagging() {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(resource{"sid": re, "status": "completed", "media_url": "http://" + c.addr + linkPath + re + ".mp3?signature=x"})
		return
	}
	one := c.recordings[strings.TrimSuffix(r.PathValue("file"), ".wav")]
	if c.lagging() || one == nil || one.deleted || c.cfg.Telnyx {
		fail(w, http.StatusNotFound, 20404)
		return
	}
	w.Header().Set("Content-Type", "audio/x-wav")
	_, _ = w.Write(one.audio)
}

func (c *Carrier) deleteRecording(w http.ResponseWriter, r *http.Request) {
	one := c.recordings[strings.TrimSuffix(r.PathValue("file"), ".json")]
	if one == nil || one.deleted {
		fail(w, http.StatusNotFound, 20404)
		return
	}
	one.deleted = true
	w.WriteHeader(http.StatusNoContent)
}

func (c *Carrier) getMedia(w http.ResponseWriter, r *http.Request) {
	key := r.PathValue("message") + "/" + r.PathValue("media")
	b, ok := c.media[key]
	if c.lagging() || !ok {
		fail(w, http.StatusNotFound, 20404)
		return
	}
	w.Header().Set("Content-Type", c.kinds[key])
	_, _ = w.Write(b)
}

func (c *Carrier) createMessage(w http.ResponseWriter, r *http.Request) {
	if c.refuse != 0 {
		status := http.StatusBadRequest
		if c.refuse == 20429 {
			status = http.StatusTooManyRequests
		}
		fail(w, status, c.refuse)
		return
	}
	sid := SID("SM")
	c.sent = append(c.sent, Message{r.FormValue("From"), r.FormValue("To"), r.FormValue("Body")})
	c.messages = append(c.messages, resource{
		"sid": sid, "from": r.FormValue("From"), "to": r.FormValue("To"), "body": r.FormValue("Body"), "direction": "outbound-api", "status": "queued",
		"date_created": c.now(), "date_sent": c.now(),
	})
	c.callbacks[sid] = r.FormValue("StatusCallback")
	if c.deaf > 0 {
		c.deaf--
		panic(http.ErrAbortHandler) // the line breaks
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusCreated)
	_ = json.NewEncoder(w).Encode(resource{"sid": sid, "status": "queued"})
}
