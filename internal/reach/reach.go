// Package reach finds in a text how its writer can be reached. It hides what
// tells their own address from one that they only speak of: an answer must not
// go to the shop that never answered, or to the courier who was rude.
package reach

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

var emailShape = regexp.MustCompile(`^[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,5}`)

// Email is the first e-mail address in a text that is its writer's by all that
// the text says; "" where there is none.
func Email(text string) string {
	likely := -1 // the next @ that may be an address's
	for from := 0; ; {
		i := strings.IndexByte(text[from:], '@')
		if i < 0 {
			return ""
		}
		at := from + i
		if likely < at {
			if likely = likelyEmail(text, at); likely < 0 {
				return ""
			}
		}
		if likely >= at+emailAfter {
			from = at + 1
			continue
		}
		start := at
		for start > max(from, at-emailBefore) && isLocal(text[start-1]) {
			start--
		}
		m := emailShape.FindStringIndex(text[start:min(len(text), at+emailAfter)])
		if m == nil {
			from = at + 1
			continue
		}
		address := strings.TrimRight(text[start:start+m[1]], ".-")
		before := text[:start]
		if !OfSomebodyElse(before) && (!isRole(address) || saysMine(before) || strings.TrimSpace(text) == address) {
			return address
		}
		from = start + m[1]
	}
}

// Around an @, in bytes: how far the rest of an address may go.
const (
	emailBefore = 64
	emailAfter  = 400
)

// likelyEmail is where the first @ stands that has a character of an address
// before it, and a dotted name behind it; -1 where there is none. Texts may be
// full of others.
func likelyEmail(text string, from int) int {
	for at := from; ; at++ {
		i := strings.IndexByte(text[at:], '@')
		if i < 0 {
			return -1
		}
		at += i
		if at == 0 || !isLocal(text[at-1]) {
			continue
		}
		end := at + 1
		for end < len(text) && isHost(text[end]) {
			end++
		}
		if end > at+1 && end+1 < len(text) && text[end] == '.' && isHost(text[end+1]) {
			return at
		}
	}
}

func isLocal(c byte) bool { return isHost(c) || strings.IndexByte("._%+", c) >= 0 }

func isHost(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-'
}

// clauseBytes is how far before an address there may be a word on whose it is.
const clauseBytes = 60

// OfSomebodyElse tells by what stands before an address or a phone number that
// it is not the writer's own.
func OfSomebodyElse(before string) bool {
	if saysMine(before) {
		return false
	}
	c := clause(before)
	return wroteTo.MatchString(c) || others.MatchString(c)
}

var (
	mine = regexp.MustCompile(`\b(?:my|mine|me|please|kindly)\b|请|麻烦|可以|希望|我的?(?:邮|电|手机|号|微信|联系)|联系我|本人`)
	// Where mail went, or came from.
	wroteTo = regexp.MustCompile(`\b(?:wrote|written|mailed|e-?mailed|sent|complained|turned|forwarded|replied|writing)\b.*\b(?:to|at)\s*$|\b(?:contacted|mailed|e-?mailed|called|phoned|rang|dialled|dialed)\s*$|\b(?:got|received|heard|answer|reply|response|called|call)\b.*\b(?:from|by)\s*$` +
		`|(?:给|至|到|向|来自|收到了?|联系(?:了|过)|打了?|拨打了?|打过|致电了?)\s*(?:客服|售后)?(?:邮箱|信箱|电话)?\s*[:：]?\s*$`)
	// Who else has one.
	others = regexp.MustCompile(`(?:courier|driver|rider|seller|shop|store|merchant|support|hotline|service)(?:'s|’s)?(?: (?:phone|mobile|number|e-?mail|address|is|no\.?))*\s*[:,(]?\s*$` +
		`|(?:快递员?|骑手|司机|客服|商家|店家|卖家|商户|师傅|对方|店铺|售后|热线)\s*(?:的|电话|手机|号码|号|邮箱|是)*\s*[:：,，(（]?\s*$`)
)

func saysMine(before string) bool { return mine.MatchString(clause(before)) }

// clause is the end of a text, back to where its sentence begins, in lower
// case.
func clause(before string) string {
	if len(before) > clauseBytes {
		before = before[len(before)-clauseBytes:]
		for before != "" && !utf8.RuneStart(before[0]) {
			before = before[1:]
		}
	}
	if i := strings.LastIndexAny(before, "!?。！？\n;；"); i >= 0 {
		_, n := utf8.DecodeRuneInString(before[i:])
		before = before[i+n:]
	}
	if i := strings.LastIndex(before, ". "); i >= 0 {
		before = before[i+2:]
	}
	return strings.ToLower(before)
}

// roles are the local parts that companies answer under.
var roles = []string{
	"support", "service", "services", "info", "help", "helpdesk", "care", "customercare", "customerservice", "customer.service", "kefu",
	"noreply", "no-reply", "sales", "contact", "complaint", "complaints", "feedback",
}

func isRole(address string) bool {
	local, _, _ := strings.Cut(address, "@")
	return slices.Contains(roles, strings.ToLower(local))
}
