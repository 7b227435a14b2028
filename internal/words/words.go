// Package words holds what the gateway says to customers, in their language.
// It hides the choice of language and the templates: built-in texts that an
// admin can replace one by one.
package words

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/template"
)

// Texts are templates by language ("zh", "en") and key ("receipt.subject").
type Texts map[string]map[string]string

// Fallback is the language that every key must have.
const Fallback = "en"

// maxSaid bounds a text in bytes: no template that runs wild reaches a
// customer's screen or a carrier's voice.
const maxSaid = 16 << 10

// Book says texts. Make one with New.
type Book struct {
	templates map[string]map[string]*template.Template
}

// Any ends a built-in key that stands for all that begin alike
// ("chat.status.*"): a replacement may add one of them, and what has no text
// of its own is said in that of the key.
const Any = ".*"

// anyOf is the key that stands for all that begin like this one.
func anyOf(key string) string {
	if dot := strings.LastIndexByte(key, '.'); dot >= 0 {
		return key[:dot] + Any
	}
	return key
}

// New compiles the built-in texts with an admin's replacements laid over
// them. A replacement for a key that is not built in is an error (but see Any),
// and so is a template that does not compile.
func New(builtin, replacements Texts) (*Book, error) {
	b := &Book{map[string]map[string]*template.Template{}}
	for lang, texts := range builtin {
		for key, text := range texts {
			if err := b.add(lang, key, text); err != nil {
				return nil, err
			}
		}
	}
	for lang, texts := range replacements {
		for key, text := range texts {
			_, ok := builtin[Fallback][key]
			if _, any := builtin[Fallback][anyOf(key)]; !ok && !any {
				return nil, fmt.Errorf("words: %s: no such text; there are %s", key, strings.Join(slices.Sorted(maps.Keys(builtin[Fallback])), ", "))
			}
			if err := b.add(lang, key, text); err != nil {
				return nil, err
			}
		}
	}
	return b, nil
}

func (b *Book) add(lang, key, text string) error {
	t, err := template.New(key).Option("missingkey=error").Parse(text)
	if err != nil {
		return fmt.Errorf("words: %s.%s: %w", lang, key, err)
	}
	if b.templates[lang] == nil {
		b.templates[lang] = map[string]*template.Template{}
	}
	b.templates[lang][key] = t
	return nil
}

// Say renders the text key in lang ("zh-Hant-TW" finds "zh"), or in Fallback
// where that language has no such text. It fails where the key is unknown or
// args lack what the template names.
func (b *Book) Say(lang, key string, args map[string]string) (string, error) {
	t := b.find(lang, key)
	if t == nil {
		return "", fmt.Errorf("words: no text %s", key)
	}
	w := &limited{left: maxSaid}
	if err := t.Execute(w, args); err != nil {
		return "", fmt.Errorf("words: %s: %w", key, err)
	}
	return w.b.String(), nil
}

func (b *Book) find(lang, key string) *template.Template {
	base, _, _ := strings.Cut(strings.ToLower(lang), "-")
	for _, l := range []string{lang, base, Fallback} {
		for _, k := range []string{key, anyOf(key)} {
			if t := b.templates[l][k]; t != nil {
				return t
			}
		}
	}
	return nil
}

type limited struct {
	b    strings.Builder
	left int
}

func (w *limited) Write(p []byte) (int, error) {
	if len(p) > w.left {
		return 0, fmt.Errorf("the text is longer than %d bytes", maxSaid)
	}
	w.left -= len(p)
	return w.b.Write(p)
}
