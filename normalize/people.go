package normalize

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

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

// nameShapes find a name behind words that introduce one; without one of the
// words there is nothing to look for.
var nameShapes = []struct {
	words []string
	shape *regexp.Regexp
}{
	{[]string{"姓名", "联系人", "我叫", "名字"}, regexp.MustCompile(`(?:姓名|联系人|我叫|我的名字是|名字叫)\s*[:：]?\s*(\p{Han}{2,4})(?:[^\p{Han}]|$)`)},
	{[]string{"我是"}, regexp.MustCompile(`我是(?:客户|会员|用户)?\s*(\p{Han}{2,3})[,，。;；\s]`)},
	{[]string{"name"}, regexp.MustCompile(`(?i:my name is|my name's|name\s*[:：])\s+([A-Z][\p{L}'’-]+(?: [A-Z][\p{L}'’-]+){0,3})`)},
	{[]string{"this is", "i am", "i'm"}, regexp.MustCompile(`(?i:this is|i am|i'm) ([A-Z][\p{L}'’-]+ [A-Z][\p{L}'’-]+)`)},
}

// notNames are words that stand where a name may: "我是老客户".
var notNames = []string{"你们", "客户", "会员", "用户", "用戶", "顾客", "一个", "一名", "消费", "老人", "在", "业主", "去年", "今天", "昨天", "想", "来", "要", "不", "因为", "通过", "学生"}

func nameIn(text string) string {
	text = head(text)
	low := lower(text)
	for _, n := range nameShapes {
		if !containsAny(low, n.words) {
			continue
		}
		m := n.shape.FindStringSubmatch(text)
		if m == nil {
			continue
		}
		name := m[1]
		plain := true
		for _, w := range notNames {
			plain = plain && !strings.Contains(name, w)
		}
		if plain && utf8.RuneCountInString(name) <= maxName {
			return name
		}
	}
	return ""
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
		case r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= 0xC0 && r <= 0x24F:
			latin++
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
		if info := whatlanggo.DetectWithOptions(some(text), languages); info.Confidence >= languageSure {
			if code := info.Lang.Iso6391(); code != "" {
				return code
			}
		}
	}
	if cyrillic > latin {
		return "ru"
	}
	return "en"
}
