package normalize

import (
	"regexp"
	"strings"
	"unicode"

	"github.com/abadojack/whatlanggo"
	"github.com/nyaruka/phonenumbers"

	"hearken/complaint"
	"hearken/internal/reach"
)

// withheld are what carriers send where a caller hides: the words ANONYMOUS,
// RESTRICTED, BLOCKED, UNKNOWN and UNAVAILABLE on a keypad.
var withheld = map[string]bool{
	"+266696687": true, "+7378742833": true, "+2562533": true, "+8656696": true, "+86282452253": true,
	"266696687": true, "7378742833": true, "2562533": true, "8656696": true, "86282452253": true,
	"anonymous": true, "restricted": true, "blocked": true, "unknown": true, "unavailable": true, "private": true,
}

// person is the sender as the channel knows it, completed by what the text
// tells.
func (n *Normalizer) person(c complaint.Contact, narrative, text string, notes *[]string) complaint.Person {
	p := c.From
	p.Name, _ = shorten(oneLine(clean(p.Name)), maxName)
	p.Email = strings.TrimSpace(p.Email)
	switch raw := strings.ToLower(strings.TrimSpace(p.Phone)); {
	case withheld[raw]:
		p.Phone = ""
		*notes = append(*notes, "caller's number is withheld")
	case raw != "":
		if e164 := n.e164(p.Phone); e164 != "" {
			p.Phone = e164
		} else {
			*notes = append(*notes, "phone number of the sender is not a valid one; it is kept as it came")
		}
	}
	if p.Name == "" {
		p.Name = nameIn(narrative)
	}
	if p.Phone == "" {
		p.Phone = n.phoneIn(text)
	}
	if p.Email == "" {
		p.Email = reach.Email(head(text))
	}
	if c.Language != "" {
		p.Language = c.Language
	}
	if p.Language == "" {
		p.Language = language(c.Subject + "\n" + narrative)
	}
	return p
}

// e164 writes a phone number as +8613812345678; "" where it is not a valid
// one.
func (n *Normalizer) e164(s string) string {
	num, err := phonenumbers.Parse(s, n.cfg.Region)
	if err != nil || !phonenumbers.IsValidNumber(num) {
		return ""
	}
	return phonenumbers.Format(num, phonenumbers.E164)
}

// phoneShape finds what may be a phone number: its word before it, or a form
// that nothing else has (a Chinese mobile, an international number).
var phoneShape = regexp.MustCompile(`(?i)(?:(?:电话|手机|联系方式|手机号|联系电话|致电|phone|mobile|call me (?:at|on)|tel)(?:号码|号|是|为|number|no\.?|is|[:：. ])*\s*)(\+?[0-9][0-9 ()-]{6,18}[0-9])|(?:^|[^0-9A-Za-z])(1[3-9][0-9]{9}|\+[1-9][0-9 ()-]{7,18}[0-9])(?:[^0-9A-Za-z]|$)`)

// scanMost bounds what is searched by patterns, in bytes: contacts that are
// given stand at the beginning or not at all.
const scanMost = 64 << 10

func (n *Normalizer) phoneIn(text string) string {
	for text := range near(head(text), " ()-+", 7, phoneBefore, 1) {
		for _, m := range phoneShape.FindAllStringSubmatchIndex(text, 5) {
			from, to := m[2], m[3] // behind its word
			if from < 0 {
				from, to = m[4], m[5] // of its own form
			}
			if e := n.e164(text[from:to]); e != "" && !reach.OfSomebodyElse(text[:from]) {
				return e
			}
		}
	}
	return ""
}

// phoneBefore is how far before its digits the word for a phone number may
// stand, in bytes.
const phoneBefore = 60

func head(s string) string {
	if len(s) > scanMost {
		return s[:scanMost]
	}
	return s
}

const (
	languageSure    = 0.8 // below it whatlanggo guesses (it takes "投诉 refund please" for Danish)
	languageLetters = 20
)

// languageBytes is how much of a text is compared with the languages: a
// paragraph tells as much as a book.
const languageBytes = 600

func some(text string) string {
	if len(text) > languageBytes {
		return whole(text, 0, languageBytes)
	}
	return text
}

// englishWords are the small words that English can't do without and that few
// other languages have.
var englishWords = map[string]bool{
	"the": true, "and": true, "of": true, "is": true, "was": true, "my": true, "that": true, "it": true, "for": true, "you": true, "your": true, "with": true,
	"have": true, "not": true, "this": true, "are": true, "but": true, "they": true, "from": true, "i": true, "we": true, "has": true, "been": true, "to": true,
}

// languages are those in Latin and Cyrillic letters that customers are likely
// to write: fewer to compare with, and fewer to be taken for.
var languages = whatlanggo.Options{Whitelist: map[whatlanggo.Lang]bool{
	whatlanggo.Eng: true, whatlanggo.Fra: true, whatlanggo.Deu: true, whatlanggo.Spa: true, whatlanggo.Por: true, whatlanggo.Ita: true, whatlanggo.Nld: true,
	whatlanggo.Pol: true, whatlanggo.Swe: true, whatlanggo.Dan: true, whatlanggo.Nob: true, whatlanggo.Fin: true, whatlanggo.Ces: true, whatlanggo.Ron: true,
	whatlanggo.Hun: true, whatlanggo.Tur: true, whatlanggo.Vie: true, whatlanggo.Ind: true, whatlanggo.Hrv: true, whatlanggo.Slv: true, whatlanggo.Est: true,
	whatlanggo.Lit: true, whatlanggo.Lav: true, whatlanggo.Tgl: true, whatlanggo.Rus: true, whatlanggo.Ukr: true, whatlanggo.Bul: true, whatlanggo.Srp: true,
	whatlanggo.Bel: true, whatlanggo.Mkd: true,
}}

// plainlyEnglish tells most English texts without the cost of statistics: a
// third of their words are small ones.
func plainlyEnglish(text string) bool {
	small, all := 0, 0
	for w := range strings.FieldsFuncSeq(text, func(r rune) bool { return !unicode.IsLetter(r) }) {
		all++
		if len(w) <= 5 && englishWords[strings.ToLower(w)] {
			small++
		}
	}
	return all >= 8 && small*5 >= all
}

// language counts scripts first; Latin text is left to statistics, and to
// English where they are not sure. "" where there is nothing to go by.
func language(text string) string {
	var han, kana, hangul, latin, cyrillic int
	for _, r := range head(text) {
		switch {
		case r < 0x80:
			if r |= 0x20; r >= 'a' && r <= 'z' {
				latin++
			}
		case r >= 0x4E00 && r <= 0x9FFF:
			han++
		case r < 0x400:
			if r >= 0xC0 && r <= 0x24F {
				latin++
			}
		case r >= 0x2000 && r < 0x2DE0, r >= 0x3000 && r < 0x3005, r >= 0xFF00 && r < 0xFF66: // punctuation
		case unicode.Is(unicode.Han, r):
			han++
		case unicode.In(r, unicode.Hiragana, unicode.Katakana):
			kana++
		case unicode.Is(unicode.Hangul, r):
			hangul++
		case unicode.Is(unicode.Cyrillic, r):
			cyrillic++
		}
	}
	switch {
	case kana > 0 && kana*4 >= han:
		return "ja"
	case hangul > 0 && hangul >= han:
		return "ko"
	case han > 0 && han*6 >= latin: // a Chinese character says as much as a word of letters
		return "zh"
	case latin+cyrillic == 0:
		return ""
	}
	if cyrillic == 0 && plainlyEnglish(some(text)) {
		return "en"
	}
	if latin+cyrillic >= languageLetters {
		if code, sure := detect(some(text)); sure >= languageSure && code != "" {
			return code
		}
	}
	if cyrillic > latin {
		return "ru"
	}
	return "en"
}

// detect leaves a text to statistics.
func detect(text string) (code string, sure float64) {
	if code, sure, ok := latinLanguage(text); ok {
		return code, sure
	}
	info := whatlanggo.DetectWithOptions(text, languages)
	return info.Lang.Iso6391(), info.Confidence
}
