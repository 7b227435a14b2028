package chat

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"hearken/complaint"
)

// The ids of what the gateway says, each once in a session: its log is the
// memory of the dialogue, on whichever gateway it goes on.
const (
	sayWhat   = "ask-what"
	sayProve  = "ask-prove"
	sayNumber = "ask-number"
	sayReach  = "ask-reach"
	sayOrder  = "ask-order"
	// registeredID is whatever tells the number.
	registeredID = "registered"
)

var (
	emailIn = regexp.MustCompile(`[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,5}`)
	// Mainland mobiles as they are written without a country, and any number
	// with one (E.164: at most 15 digits).
	phoneIn  = regexp.MustCompile(`(?:\+|00)\d[\d \-]{6,17}\d|\b1[3-9]\d[ \-]?\d{4}[ \-]?\d{4}\b`)
	numberIn = regexp.MustCompile(`\d{4}[ \-]?\d{4}[ \-]?\d{4}`)
	orderIn  = regexp.MustCompile(`[A-Za-z]{0,6}\d[\dA-Za-z\-]{4,}`)
	// What is said around a complaint number and says nothing else.
	aroundNumber = regexp.MustCompile(`(?i)我的|投诉|编号|号码|单号|之前|以前|原来|继续|补充|是|my|old|earlier|previous|complaint|case|number|is|no\b|about|continue|add to|the`)
)

// learn takes from a message what it tells about its sender, and the earlier
// complaint that it names; a signed identity is not talked over.
func (k *conn) learn(text string) {
	digits := digitsIn(text)
	if n := namedNumber(text); n != "" && k.told == "" {
		k.number = n
		text = strings.ReplaceAll(text, numberIn.FindString(text), " ")
	}
	if k.from.Email == "" && strings.Contains(text, "@") {
		if m := emailIn.FindString(text); plainEmail(m) {
			k.from.Email = m
		}
	}
	if k.from.Phone == "" && digits >= phoneDigits {
		if m := phoneIn.FindString(text); m != "" {
			k.from.Phone = dialable(m)
		}
	}
	if isStatusQuestion(text) {
		k.asks = true
	}
	k.ordered = k.ordered || digits > 0 && orderIn.MatchString(withoutPeople(text))
}

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

// tooLittle tells a message that can't stand for a complaint yet: it greets,
// names an earlier complaint, or is only an answer to who somebody is.
func (k *conn) tooLittle(text string) bool {
	if k.told != "" {
		return false
	}
	question := isStatusQuestion(text)
	if k.number != "" {
		if k.known() {
			return false // who they are is told, so the complaint can be found
		}
		rest := numberIn.ReplaceAllString(text, " ")
		return question || isFragment(aroundNumber.ReplaceAllString(rest, " "))
	}
	if question && !slices.Contains(k.asked, sayNumber) {
		return true // of which complaint?
	}
	return isFragment(withoutPeople(text))
}

func (k *conn) known() bool { return k.from.Email != "" || k.from.Phone != "" }

// answer says what follows from a message that is safe: the number, or what
// is still missing. It asks one thing at a time, and each at most once; who
// does not answer is not asked again.
func (k *conn) answer(id, number string) {
	var all []complaint.ChatMessage
	if number != "" && k.told == "" {
		all = k.tellNumber(number)
	}
	switch {
	case k.told == "" && k.number != "" && !k.known():
		all = append(all, k.once(sayProve)...)
	case k.told == "" && k.asks:
		all = append(all, k.once(sayNumber)...)
	case k.told == "":
		all = append(all, k.once(sayWhat)...)
	case k.asks:
		k.remember(func() { k.asks = false })
		all = append(all, k.status(id)...)
	case !k.known():
		all = append(all, k.once(sayReach)...)
	case !k.ordered && k.number == "":
		all = append(all, k.once(sayOrder)...)
	}
	k.say(all)
}

// tellNumber says under which number this chat is registered.
func (k *conn) tellNumber(number string) []complaint.ChatMessage {
	key := "chat.registered"
	switch k.number {
	case "":
	case number:
		key = "chat.continued"
	default:
		key = "chat.unproven"
	}
	if k.number != number {
		// Of another complaint they are told nothing, and of this one there is nothing yet.
		k.remember(func() { k.asks = false })
	}
	k.told = number
	all := k.word(registeredID, key, map[string]string{"number": complaint.Grouped(number)})
	for i := range all {
		all[i].Number = number
	}
	return all
}

// once asks a question that was not asked in this session.
func (k *conn) once(id string) []complaint.ChatMessage {
	if slices.Contains(k.asked, id) {
		return nil
	}
	k.asked = append(k.asked, id)
	return k.word(id, "chat."+strings.ReplaceAll(id, "-", "_"), map[string]string{"number": complaint.Grouped(k.number)})
}

// status says how the session's own complaint stands; never another's.
func (k *conn) status(id string) []complaint.ChatMessage {
	ctx, cancel := context.WithTimeout(k.chat.ctx, sayWait)
	defer cancel()
	status, err := k.chat.deps.Sessions.Status(ctx, k.told)
	if err != nil {
		k.chat.deps.Log.Warn("look up a complaint's status", "site", k.chat.cfg.Name, "number", k.told, "err", err)
		return nil
	}
	key := "chat.status." + strings.ReplaceAll(status, ".", "_")
	if status == "" {
		key = "chat.status_new"
	}
	return k.word("status-"+id, key, map[string]string{"number": complaint.Grouped(k.told), "status": strings.ReplaceAll(status, "_", " ")})
}
