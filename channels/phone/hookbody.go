package phone

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/url"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/simplifiedchinese"
)

// document is what a webhook's body says, whatever it is written in.
type document struct {
	root  any // as encoding/json gives it
	notes []string
}

// readDocument reads JSON, which many senders forget to name, or a form.
func readDocument(body []byte, contentType string) (document, error) {
	kind, params, _ := mime.ParseMediaType(contentType)
	charset := charset{name: params["charset"]}
	if kind == "multipart/form-data" {
		return readMultipart(body, params["boundary"])
	}
	if text, err := charset.utf8(body); err != nil {
		return document{}, err
	} else if isJSON(contentType) || strings.HasSuffix(kind, "+json") || looksLikeJSON(text) {
		root, err := readJSON(text)
		return document{root, charset.notes()}, err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return document{}, errNeither
	}
	return fromForm(form, &charset)
}

var errNeither = errors.New("body is neither JSON nor a form")

// looksLikeJSON tells JSON from a form, of which none begins like that.
func looksLikeJSON(text string) bool {
	return strings.HasPrefix(strings.TrimSpace(text), "{") && json.Valid([]byte(text))
}

func readJSON(text string) (root any, err error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&root); err != nil {
		return nil, errors.New("body is not JSON")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the JSON of the body")
	}
	return root, nil
}

func fromForm(form url.Values, charset *charset) (document, error) {
	if len(form) > maxParameters {
		return document{}, fmt.Errorf("form has more than %d fields", maxParameters)
	}
	if named := form.Get("_charset_"); named != "" && charset.name == "" { // as browsers tell it
		charset.name = named
	}
	root := map[string]any{}
	for name := range form {
		value, err := charset.utf8([]byte(form.Get(name)))
		if err != nil {
			return document{}, err
		}
		root[name] = value
	}
	return document{root, charset.notes()}, nil
}

// readMultipart reads the fields of a form as pages send it that could have
// files.
func readMultipart(body []byte, boundary string) (document, error) {
	form, err := multipart.NewReader(bytes.NewReader(body), boundary).ReadForm(maxHookBody) // nothing of it goes to disk
	if err != nil {
		return document{}, errNeither
	}
	defer func() { _ = form.RemoveAll() }()
	d, err := fromForm(form.Value, new(charset))
	if len(form.File) > 0 {
		d.notes = append(d.notes, fmt.Sprintf("%d files that came with it were not taken", len(form.File)))
	}
	return d, err
}

// charset makes UTF-8 of texts in a charset that is named or, where none is
// and it is not UTF-8, guessed: a complaint is not refused for it.
type charset struct {
	name    string
	guessed string
}

func (c *charset) utf8(b []byte) (string, error) {
	if c.name != "" {
		enc, err := htmlindex.Get(c.name)
		if err != nil {
			return "", errors.New("the charset of the body is not known")
		}
		out, err := enc.NewDecoder().Bytes(b)
		return string(out), err
	}
	if utf8.Valid(b) {
		return string(b), nil
	}
	if out, err := simplifiedchinese.GB18030.NewDecoder().Bytes(b); err == nil && !bytes.ContainsRune(out, utf8.RuneError) {
		c.guessed = "gb18030"
		return string(out), nil
	}
	c.guessed = "windows-1252"
	out, err := charmap.Windows1252.NewDecoder().Bytes(b)
	return string(out), err
}

func (c *charset) notes() []string {
	if c.guessed == "" {
		return nil
	}
	return []string{"the text was not UTF-8, and is read as " + c.guessed}
}
