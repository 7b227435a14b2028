package chat

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"hearken/complaint"
	"hearken/internal/reach"
)

// What a message tells beside the complaint: who writes, in which language,
// which complaint they mean.

var (
	emailIn = regexp.MustCompile(`[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,5}`)
	// Mainland mobiles as they are written without a country, and any number
	// with one (E.164: at most 15 digits).
	phoneIn  = regexp.MustCompile(`(?:\+|00)\d[\d \-]{6,17}\d|\b1[3-9]\d[ \-]?\d{4}[ \-]?\d{4}\b`)
	numberIn = regexp.MustCompile(`\d{4}[ \-]?\d{4}[ \-]?\d{4}`)
	orderIn  = regexp.MustCompile(`[A-Za-z]{0,6}\d[\dA-Za-z\-]{4,}`)
	// What is said around a complaint number, or instead of one, and says
	// nothing else.
	aroundNumber = regexp.MustCompile(`(?i)我的|投诉|编号|号码|单号|之前|以前|原来|继续|补充|不知道|不清楚|不记得|没有|忘记?了?|是|\b(?:my|old|earlier|previous|complaint|case|number|is|no|about|continue|add to|the|i|don['’]?t|do not|know|have|it|forgot|lost|idea|remember|any more)\b`)
	// What is said around a name where somebody was asked for it.
	aroundName = regexp.MustCompile(`(?i)\b(?:my name is|my|me|name|i am|i['’]m|this is|e-?mail|mail|phone|mobile|tel|or|and|is|at)\b|我叫|我是|姓名|名字|邮箱|电话|手机号?|或者?|和|是`)
	nameShape  = regexp.MustCompile(`^(?:\p{Lu}[\p{L}\'’.-]*(?: \p{Lu}[\p{L}\'’.-]*){0,3}|\p{Han}{2,4})$`)
)

// learn takes from a message what it tells about its sender, and the earlier
// complaint that it names; a signed identity is not talked over.
func (k *conn) learn(text string) {
	k.follow(text)
	if isStatusQuestion(text) {
		k.asks = true
	}
	k.ordered = k.ordered || digitsIn(text) > 0 && orderIn.MatchString(withoutPeople(text))
	if n := namedNumber(text); n != "" && k.told == "" {
		k.number = n
		text = strings.ReplaceAll(text, numberIn.FindString(text), " ")
	}
	known := k.known()
	if k.from.Email == "" {
		if m := emailOf(text); plainEmail(m) {
			k.from.Email = m
		}
	}
	if k.from.Phone == "" {
		k.from.Phone = phoneOf(text)
	}
	if k.from.Name == "" && !known && k.known() && slices.Contains(k.asked, sayReach) {
		k.from.Name = nameOf(text)
	}
}

// emailOf is the sender's own address in a message; any, where there is
// nothing else in it.
func emailOf(text string) string {
	if !strings.Contains(text, "@") {
		return ""
	}
	if m := reach.Email(text); m != "" || !isFragment(withoutPeople(text)) {
		return m
	}
	return emailIn.FindString(text)
}

func phoneOf(text string) string {
	if digitsIn(text) < phoneDigits {
		return ""
	}
	for _, m := range phoneIn.FindAllStringIndex(text, maxPhones) {
		if !reach.OfSomebodyElse(text[:m[0]]) {
			return dialable(text[m[0]:m[1]])
		}
	}
	return ""
}

// nameOf is the name beside the addresses in an answer; "" where what is there
// need not be one.
func nameOf(text string) string {
	rest := strings.FieldsFunc(aroundName.ReplaceAllString(withoutPeople(text), " "), func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(",，;；:：。!！/", r) })
	name := strings.TrimRight(strings.Join(rest, " "), ".")
	if !nameShape.MatchString(name) || notName.MatchString(name) || utf8.RuneCountInString(name) > maxName {
		return ""
	}
	return name
}

// notName is what people answer with, and what is no name.
var notName = regexp.MustCompile(`(?i)^(?:yes|ok|okay|sure|hi|hello|thanks|thank you|please|here|no|none)\b|[好谢您你我请可不没这那在的了吗]|先生$|女士$`)

const (
	maxName   = 60 // runes
	maxPhones = 5  // of one message that are looked at
)

// follow notes the language that is written where it is plainly not the one
// that the chat is held in: a browser's language need not be its user's.
func (k *conn) follow(text string) {
	var han, kana, hangul, latin int
	for _, r := range withoutPeople(text) {
		switch {
		case unicode.Is(unicode.Han, r):
			han++
		case unicode.In(r, unicode.Hiragana, unicode.Katakana):
			kana++
		case unicode.Is(unicode.Hangul, r):
			hangul++
		case unicode.Is(unicode.Latin, r):
			latin++
		}
	}
	now := languageOf(k.language)
	switch {
	case han >= 2 && han*3 > latin && kana+hangul == 0 && now != "zh" && now != "ja":
		k.language = "zh"
	case han+kana+hangul == 0 && now == "zh" && englishIn.MatchString(text) && latin >= plainlyLatin:
		k.language = "en"
	}
}

// englishIn finds small words that an order number or a product's name has not.
var englishIn = regexp.MustCompile(`(?i)\b(?:i|my|me|is|was|the|not|and|you|they|it|has|have|please)\b`)

// plainlyLatin is from how many letters on a text is a sentence.
const plainlyLatin = 12

// phoneDigits and numberDigits are the least that a phone number and a
// complaint number have: few messages are worth looking through for one.
const (
	phoneDigits  = 8
	numberDigits = 12
)

func digitsIn(text string) (n int) {
	for i := range len(text) {
		if text[i] >= '0' && text[i] <= '9' {
			n++
		}
	}
	return n
}

// withoutPeople takes addresses and phone numbers out of a text.
func withoutPeople(text string) string {
	if strings.Contains(text, "@") { // first: an address may begin with a phone number
		text = emailIn.ReplaceAllString(text, " ")
	}
	if digitsIn(text) >= phoneDigits {
		text = phoneIn.ReplaceAllString(text, " ")
	}
	return text
}

// isStatusQuestion tells a question how a complaint stands. One with more in
// it ("no progress for three weeks, I want my money back") tells a problem.
func isStatusQuestion(text string) bool {
	if utf8.RuneCountInString(text) > longestQuestion {
		return false
	}
	text = strings.ToLower(text)
	return slices.ContainsFunc(statusWords, func(w string) bool { return strings.Contains(text, w) }) ||
		strings.TrimFunc(text, notWord) == "status"
}

// notWord is \W of a regular expression.
func notWord(r rune) bool {
	return r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
}

// longestQuestion is in runes.
const longestQuestion = 60

// statusWords are in lower case.
var statusWords = []string{
	"进度", "進度", "状态", "狀態", "处理怎么样", "处理得怎么样", "處理怎麼樣", "處理得怎麼樣", "处理到哪", "處理到哪", "有结果", "有結果",
	"what's the status", "what’s the status", "what is the status", "status of", "any news", "any progress", "any update",
}

// namedNumber is the first complaint number in a text, by its check digit.
func namedNumber(text string) string {
	if digitsIn(text) < numberDigits {
		return ""
	}
	for _, m := range numberIn.FindAllString(text, 10) {
		if n, err := complaint.ParseNumber(m); err == nil {
			return n
		}
	}
	return ""
}

// mistyped is what was meant for a complaint number and is none, in a message
// that says nothing else.
func mistyped(text string) string {
	if digitsIn(text) < numberDigits || namedNumber(text) != "" {
		return ""
	}
	m := numberIn.FindString(text)
	if m == "" || !isFragment(aroundNumber.ReplaceAllString(strings.Replace(withoutPeople(text), m, " ", 1), " ")) {
		return ""
	}
	return m
}

// dialable is a phone number as the queue knows people by it: E.164 where the
// country is told or is plain, as written otherwise.
func dialable(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r >= '0' && r <= '9' {
			b.WriteRune(r)
		}
	}
	digits := b.String()
	switch {
	case strings.HasPrefix(strings.TrimSpace(s), "+"):
		return "+" + digits
	case strings.HasPrefix(digits, "00"):
		return "+" + digits[2:]
	case len(digits) == 11 && digits[0] == '1' && digits[1] >= '3':
		return "+86" + digits
	}
	return s
}
