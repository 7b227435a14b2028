package chat

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"hearken/internal/words"
)

// The widget and the demo page. texts.json has the widget's texts by language.
//
//go:embed page
var page embed.FS

// Widget serves GET /chat/widget.js, the same for every site: the script with
// its texts and styles put in, packed once. replaced are texts laid over the
// built-in ones, "widget.title" and so on; another language is one more in it.
func Widget(replaced words.Texts) (http.Handler, error) {
	said, err := widgetTexts(replaced)
	if err != nil {
		return nil, err
	}
	script, err := widgetScript(said)
	if err != nil {
		return nil, err
	}
	var packed bytes.Buffer
	z, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err == nil {
		_, err = z.Write(script)
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("pack the chat widget: %w", err)
	}
	sum := sha256.Sum256(script)
	tag := hex.EncodeToString(sum[:8])
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Type", "text/javascript; charset=utf-8")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cross-Origin-Resource-Policy", "cross-origin") // it is made for other sites' pages
		h.Set("Cache-Control", "public, max-age=300")
		h.Set("Vary", "Accept-Encoding")
		body, etag := script, `"`+tag+`"`
		if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			h.Set("Content-Encoding", "gzip")
			body, etag = packed.Bytes(), `"`+tag+`-gzip"`
		}
		h.Set("ETag", etag)
		if r.Header.Get("If-None-Match") == etag {
			h.Del("Content-Encoding")
			w.WriteHeader(http.StatusNotModified)
			return
		}
		_, _ = w.Write(body)
	}), nil
}

// widgetTexts are the widget's texts by language and key, replacements in.
func widgetTexts(replaced words.Texts) (map[string]map[string]string, error) {
	said := map[string]map[string]string{}
	b, err := page.ReadFile("page/texts.json")
	if err == nil {
		err = json.Unmarshal(b, &said)
	}
	if err != nil {
		return nil, fmt.Errorf("read the chat widget's texts: %w", err)
	}
	for lang, texts := range replaced {
		for name, text := range texts {
			key, _ := strings.CutPrefix(name, "widget.")
			if _, ok := said[words.Fallback][key]; !ok {
				return nil, fmt.Errorf("words: %s: no such text of the widget; there are %s", name, strings.Join(slices.Sorted(maps.Keys(said[words.Fallback])), ", "))
			}
			if said[lang] == nil {
				said[lang] = map[string]string{}
			}
			said[lang][key] = text
		}
	}
	return said, nil
}

// widgetScript is widget.js with texts and styles in the places it marks.
func widgetScript(said map[string]map[string]string) ([]byte, error) {
	script, err := page.ReadFile("page/widget.js")
	if err != nil {
		return nil, fmt.Errorf("read the chat widget: %w", err)
	}
	style, err := page.ReadFile("page/widget.css")
	if err != nil {
		return nil, fmt.Errorf("read the chat widget's style: %w", err)
	}
	for _, part := range []struct {
		mark  string
		value any
	}{
		{"LANGUAGES = {}; // texts.json", said}, {`STYLE = ""; // widget.css`, string(style)},
	} {
		if !bytes.Contains(script, []byte(part.mark)) {
			return nil, fmt.Errorf("the chat widget has no place %q", part.mark)
		}
		value, err := json.Marshal(part.value)
		if err != nil {
			return nil, fmt.Errorf("put %q into the chat widget: %w", part.mark, err)
		}
		name, _, _ := strings.Cut(part.mark, " = ")
		script = bytes.Replace(script, []byte(part.mark), []byte(name+" = "+string(value)+";"), 1)
	}
	return script, nil
}

// demoPolicy is as strict as a site's can be; the widget needs no more.
const demoPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

// servePage serves the demo page, a host page as any other.
func (c *Chat) servePage(w http.ResponseWriter, r *http.Request) {
	name, kind := "index.html", "text/html; charset=utf-8"
	switch r.PathValue("file") {
	case "":
	case "demo.css":
		name, kind = "demo.css", "text/css; charset=utf-8"
	default:
		http.NotFound(w, r)
		return
	}
	b, err := page.ReadFile("page/" + name)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Security-Policy", demoPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-cache")
	_, _ = w.Write(bytes.ReplaceAll(b, []byte("SITE"), []byte(c.cfg.Name))) // a name of letters, digits, - and _
}
