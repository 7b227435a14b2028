package channels

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"hearken/channels/chat"
	"hearken/channels/email"
	"hearken/channels/phone"
	"hearken/complaint"
	"hearken/internal/words"
)

// widget is the beginning of the keys of the chat window's labels, as each
// kind of channel is of its own.
const widget = "widget"

// CheckWords tells what is wrong with an admin's replaced texts: a key that
// there is not, a template that does not compile.
func CheckWords(all words.Texts) error {
	var errs []error
	for lang, texts := range all {
		for key := range texts {
			if kind, _, _ := strings.Cut(key, "."); !slices.Contains([]string{complaint.Email, complaint.Phone, complaint.Chat, widget}, kind) {
				errs = append(errs, fmt.Errorf("words.%s: %s: no such text; they begin with email., phone., chat. or widget.", lang, key))
			}
		}
	}
	return errors.Join(append(errs,
		email.CheckWords(ownWords(all, complaint.Email)), phone.CheckWords(ownWords(all, complaint.Phone)),
		chat.CheckWords(ownWords(all, complaint.Chat), ownWords(all, widget)))...)
}

// ownWords are the replaced texts of one kind.
func ownWords(all words.Texts, kind string) words.Texts {
	own := words.Texts{}
	for lang, texts := range all {
		for key, text := range texts {
			if strings.HasPrefix(key, kind+".") {
				if own[lang] == nil {
					own[lang] = map[string]string{}
				}
				own[lang][key] = text
			}
		}
	}
	return own
}
