package phone

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"

	"hearken/complaint"
	"hearken/internal/audit"
	"hearken/internal/channeltest"
	"hearken/internal/secret"
)

type hookRig struct {
	hook   *Hook
	intake *channeltest.Intake
	srv    *httptest.Server
	stop   func()
}

func newHookRig(t *testing.T, cfg Config) *hookRig {
	t.Helper()
	r := &hookRig{intake: new(channeltest.Intake)}
	cfg.Name, cfg.Provider, cfg.Signature.Key = "cloud", ProviderWebhook, secret.New("hook-key")
	var err error
	r.hook, err = NewHook(cfg, Deps{Intake: r.intake, Log: slog.New(slog.DiscardHandler), Audit: audit.Discard()})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	r.hook.Mount(mux)
	r.srv = httptest.NewServer(mux)
	t.Cleanup(r.srv.Close)
	r.stop = runOf(t, r.hook.Run)
	t.Cleanup(r.stop)
	return r
}

func (r *hookRig) post(t *testing.T, kind, body, key string) (int, map[string]any) {
	t.Helper()
	req, err := http.NewRequest("POST", r.srv.URL+"/phone/cloud/contact", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", kind)
	if key != "" {
		req.Header.Set("X-Hearken-Signature", "sha256="+hex.EncodeToString(macOf(secret.New(key), "", []byte(body))))
	}
	resp, err := r.srv.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var out map[string]any
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, out
}

func TestHook(t *testing.T) {
	r := newHookRig(t, Config{Fields: map[string]string{
		"ref": "call.id", "from": "call.caller.0", "text": "words", "type": "menu", "fact.agent": "call.agent", "number": "old",
	}})
	body := `{"call":{"id":81234567890123456789,"caller":["+8613812345678"],"agent":"007"},"words":"我被扣了两次钱","menu":"BILLING","old":"261123004279"}`
	code, got := r.post(t, "application/json", body, "hook-key")
	number, _ := got["number"].(string)
	if code != 200 || len(number) != 12 || got["event"] != complaint.Registered || got["id"] == "" {
		t.Fatalf("%d %v", code, got)
	}
	c := r.intake.Contacts()[0]
	if c.Ref != "81234567890123456789" || c.From.Phone != "+8613812345678" || c.Text != "我被扣了两次钱" || c.Facts["agent"] != "007" || c.Facts[complaint.FactStatedType] != "BILLING" || c.Number != "261123004279" {
		t.Errorf("contact %+v", c)
	}
	if code, got := r.post(t, "application/json", body, "hook-key"); code != 200 || got["duplicate"] != true {
		t.Errorf("a repetition: %d %v", code, got)
	}
	if code, got := r.post(t, "application/x-www-form-urlencoded", "call.id=2&words=lost+parcel", "hook-key"); code != 200 || got["number"] == number {
		t.Errorf("a form: %d %v", code, got)
	}
	for name, c := range map[string]struct {
		kind, body, key string
		want            int
	}{
		"unsigned":        {"application/json", body, "", 403},
		"another key":     {"application/json", body, "x", 403},
		"no JSON":         {"application/json", "words", "hook-key", 400},
		"nothing in it":   {"application/json", `{"words":["x"]}`, "hook-key", 400},
		"no form":         {"text/plain", "%zz", "hook-key", 400},
		"too much":        {"application/json", `{"words":"` + strings.Repeat("x", maxHookBody) + `"}`, "hook-key", 413},
		"only a number":   {"application/json", `{"call":{"caller":["+8613812345679"]}}`, "hook-key", 200},
		"a body as a ref": {"application/json", `{"words":"a"}`, "hook-key", 200},
	} {
		if code, got := r.post(t, c.kind, c.body, c.key); code != c.want {
			t.Errorf("%s: %d %v", name, code, got)
		}
	}
	if n := len(r.intake.Contacts()); n != 4 {
		t.Errorf("%d contacts", n)
	}
}

// TestHookBodies: what senders really post.
func TestHookBodies(t *testing.T) {
	gbk := func(s string) string {
		b, err := simplifiedchinese.GBK.NewEncoder().String(s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	const words = "我被扣了两次钱"
	multi := "--b\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\n" + words + "\r\n--b\r\nContent-Disposition: form-data; name=\"photo\"; filename=\"a.jpg\"\r\n\r\nx\r\n--b--\r\n"
	form := "application/x-www-form-urlencoded"
	for name, c := range map[string]struct{ kind, body, text, note string }{
		"JSON":                        {"application/json; charset=utf-8", `{"text":"` + words + `"}`, words, ""},
		"JSON that curl calls a form": {form, ` {"text":"` + words + `"}`, words, ""},
		"JSON of a kind":              {"application/vnd.pbx+json", `{"text":"` + words + `"}`, words, ""},
		"JSON in GBK":                 {"application/json; charset=GBK", gbk(`{"text":"` + words + `\\"}`), words + `\`, ""},
		"JSON in GBK, not said":       {"application/json", gbk(`{"text":"` + words + `"}`), words, "gb18030"},
		"JSON in Latin-1, not said":   {"application/json", "{\"text\":\"pay\xe9 deux fois\"}", "payé deux fois", "windows-1252"},
		"a form":                      {form, "text=" + url.QueryEscape(words), words, ""},
		"a form in GBK":               {form + "; charset=gb2312", "text=" + url.QueryEscape(gbk(words)), words, ""},
		"a form that names GBK":       {form, "_charset_=gbk&text=" + url.QueryEscape(gbk(words)), words, ""},
		"a form in GBK, not said":     {form, "text=" + url.QueryEscape(gbk(words)), words, "gb18030"},
		"a form with room for files":  {"multipart/form-data; boundary=b", multi, words, "1 files"},
	} {
		r := newHookRig(t, Config{})
		code, got := r.post(t, c.kind, c.body, "hook-key")
		if code != 200 {
			t.Errorf("%s: %d %v", name, code, got)
			continue
		}
		if one := r.intake.Contacts()[0]; one.Text != c.text || !strings.Contains(strings.Join(one.Notes, " "), c.note) || (c.note == "") != (len(one.Notes) == 0) {
			t.Errorf("%s: %q, notes %q", name, one.Text, one.Notes)
		}
	}
	r := newHookRig(t, Config{})
	for name, c := range map[string]struct{ kind, body string }{
		"an unknown charset": {"application/json; charset=klingon", `{"text":"x"}`},
		"two JSONs":          {"application/json", `{"text":"x"}{"text":"y"}`},
		"no boundary":        {"multipart/form-data", multi},
		"nothing":            {"", ""},
		"null":               {"application/json", "null"},
	} {
		if code, got := r.post(t, c.kind, c.body, "hook-key"); code != 400 || got["error"] == "" {
			t.Errorf("%s: %d %v", name, code, got)
		}
	}
	long := strings.Repeat("长", maxFact)
	r = newHookRig(t, Config{Fields: map[string]string{"fact.agent": "agent"}})
	if code, _ := r.post(t, "application/json", `{"text":"x","type":"物流 投诉","agent":"`+long+`"}`, "hook-key"); code != 200 {
		t.Fatal(code)
	}
	if f := r.intake.Contacts()[0].Facts; f["category"] != "物流 投诉" || f["agent"] == "" || !strings.HasPrefix(long, f["agent"]) {
		t.Errorf("facts %v", f)
	}
}

func TestHookSends(t *testing.T) {
	status := 200
	var body []byte
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ = io.ReadAll(req.Body)
		if want := "sha256=" + hex.EncodeToString(macOf(secret.New("hook-key"), "", body)); req.Header.Get("X-Hearken-Signature") != want || req.Header.Get("Idempotency-Key") != `"u1"` {
			t.Errorf("headers %v", req.Header)
		}
		w.WriteHeader(status)
	}))
	defer srv.Close()
	r := newHookRig(t, Config{ReplyURL: srv.URL})
	reply := complaint.Reply{ID: "u1", Number: "261123004279", Text: "We refund you."}
	for _, c := range []struct {
		status                 int
		permanent, unreachable bool
	}{{200, false, false}, {204, false, false}, {503, false, false}, {429, false, false}, {400, true, false}, {410, false, true}} {
		status = c.status
		err := r.hook.Send(t.Context(), reply)
		if (err == nil) != (c.status < 300) || complaint.IsPermanent(err) != c.permanent || errors.Is(err, complaint.ErrUnreachable) != c.unreachable {
			t.Errorf("%d: %v", c.status, err)
		}
	}
	if !strings.Contains(string(body), "We refund you.") {
		t.Errorf("body %s", body)
	}
	if err := newHookRig(t, Config{}).hook.Send(t.Context(), reply); !errors.Is(err, complaint.ErrUnreachable) {
		t.Errorf("without an address: %v", err)
	}
}

func TestHookConformance(t *testing.T) {
	r := newHookRig(t, Config{})
	channeltest.Conform(t, channeltest.Channel{
		Kind: complaint.Phone, Name: "cloud", Intake: r.intake, Stop: r.stop,
		Offer: func(n int) bool {
			code, got := r.post(t, "application/json", fmt.Sprintf(`{"ref":"r%d","text":"包裹丢了"}`, n), "hook-key")
			return code == 200 && got["id"] != nil
		},
	})
}

func FuzzHook(f *testing.F) {
	for _, s := range []string{`{"ref":"1","text":"x","a":[{"b":[1,2]}]}`, `[[[]]]`, "ref=1&text=x", `{"from":"+1"}`, `null`} {
		for _, kind := range []string{"application/json", "", "application/x-www-form-urlencoded; charset=gbk", "multipart/form-data; boundary=b"} {
			f.Add([]byte(s), kind)
		}
	}
	f.Add([]byte("--b\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\nx\r\n--b--\r\n"), "multipart/form-data; boundary=b")
	k := &Hook{cfg: Config{Name: "cloud", Fields: map[string]string{"text": "a.0.b.1", "fact.x": "a"}}}
	f.Fuzz(func(t *testing.T, body []byte, kind string) {
		c, err := k.contact(body, kind)
		if err == nil && (c.ID == "" || c.Ref == "" || (c.Text == "" && c.Subject == "" && c.Facts["call_back"] == "")) {
			t.Errorf("%q gave %+v", body, c)
		}
	})
}
