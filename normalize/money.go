package normalize

import (
	"math/big"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// orderShape wants the word before the number; a tracking number has another.
// It is tried only where one of orderWords stands: looking for it everywhere
// would cost ten times as much.
var orderShape = regexp.MustCompile(`^(?i:(?:订单号|订单编号|订单|单号|訂單編號|訂單號|order\s*(?:number|no\.?|id|ref(?:erence)?|#)|order)\s*(?:是|为|号|:|：|#|＃|is|number|no\.?)*\s*[#＃]?\s*([A-Za-z0-9][A-Za-z0-9_-]{4,39}))`)

// orderWords are what orderShape begins with, in lower case.
var orderWords = []string{"order", "订单", "单号", "訂單"}

// notOrder are the words right before orderShape that make it another number.
var notOrder = []string{"快递", "物流", "运单", "快递单", "tracking"}

// maxOrders bounds how many numbers of a stretch of text are looked at.
const maxOrders = 10

// orderNo finds an order's number: at least five characters with a digit.
func orderNo(text string) string {
	for text := range near(head(text), "", 1, orderBefore, orderAfter) {
		low := lower(text)
		tried := 0
		for from := firstOf(low, 0, orderWords); from < len(text) && tried < maxOrders; {
			m := orderShape.FindStringSubmatchIndex(text[from:])
			if m == nil {
				from = firstOf(low, from+1, orderWords)
				continue
			}
			tried++
			no, before := text[from+m[2]:from+m[3]], strings.TrimRightFunc(low[:from], unicode.IsSpace)
			if strings.ContainsAny(no, "0123456789") && !slices.ContainsFunc(notOrder, func(w string) bool { return strings.HasSuffix(before, w) }) {
				return strings.TrimRight(no, "-_")
			}
			from = firstOf(low, from+m[1], orderWords)
		}
	}
	return ""
}

// firstOf is where the first of the words stands from a place on; the text's
// end where there is none.
func firstOf(text string, from int, words []string) int {
	first := len(text)
	for _, w := range words {
		if at := strings.Index(text[from:min(len(text), first+len(w)-1)], w); at >= 0 {
			first = from + at
		}
	}
	return first
}

// What may stand around the digits of an order's number, in bytes: the rest of
// it, and the words that introduce it.
const (
	orderBefore = 120
	orderAfter  = 40
)

// amountShape is a number with what stands for money around it. It is tried
// only where one begins.
var amountShape = regexp.MustCompile(`^(?i:(¥|￥|\$|US\$|£|€|RMB|CNY|USD|GBP|EUR|HK\$|人民币)?\s*([0-9]{1,3}(?:[,，][0-9]{3})+(?:\.[0-9]{1,2})?|[0-9]{1,12}(?:\.[0-9]{1,2})?)\s*(万元|千元|百元|万块|元|块钱|块|万|美元|欧元|英镑|港币|港元|RMB|CNY|USD|GBP|EUR|dollars?|pounds?|euros?|yuan|usd)?)`)

// signs are those of amountShape before a number, the longer first.
var signs = []string{"us$", "hk$", "人民币", "rmb", "cny", "usd", "gbp", "eur", "¥", "￥", "£", "€", "$"}

// units are the currency and factor that a sign before or a word behind a
// number gives it.
var units = map[string]struct {
	currency string
	factor   int64
}{
	"¥": {"CNY", 1}, "￥": {"CNY", 1}, "rmb": {"CNY", 1}, "cny": {"CNY", 1}, "人民币": {"CNY", 1}, "yuan": {"CNY", 1},
	"元": {"CNY", 1}, "块": {"CNY", 1}, "块钱": {"CNY", 1}, "万元": {"CNY", 10000}, "万块": {"CNY", 10000}, "千元": {"CNY", 1000}, "百元": {"CNY", 100}, "万": {"", 10000},
	"$": {"USD", 1}, "us$": {"USD", 1}, "usd": {"USD", 1}, "美元": {"USD", 1}, "dollar": {"USD", 1}, "dollars": {"USD", 1},
	"£": {"GBP", 1}, "gbp": {"GBP", 1}, "英镑": {"GBP", 1}, "pound": {"GBP", 1}, "pounds": {"GBP", 1},
	"€": {"EUR", 1}, "eur": {"EUR", 1}, "欧元": {"EUR", 1}, "euro": {"EUR", 1}, "euros": {"EUR", 1},
	"hk$": {"HKD", 1}, "港币": {"HKD", 1}, "港元": {"HKD", 1},
}

// maxAmounts bounds how many numbers of a text are looked at.
const maxAmounts = 200

// amounts finds everything that may be a sum.
func amounts(text string) (all [][]string) {
	for text := range near(text, ",.，", 1, 24, 24) {
		low := lower(text)
		if !strings.ContainsFunc(text, isMoney) && !containsAny(low, moneyWords) {
			continue
		}
		for from := 0; len(all) < maxAmounts; {
			digit := strings.IndexAny(text[from:], "0123456789")
			if digit < 0 {
				break
			}
			from += signed(low[from : from+digit])
			m := amountShape.FindStringSubmatch(text[from:])
			all = append(all, m)
			from += len(m[0])
		}
	}
	return all
}

// signed is where a number begins before whose digits stands before, in lower
// case: with its sign, where it has one.
func signed(before string) int {
	before = strings.TrimRight(before, " \t\n\f\r")
	for _, sign := range signs {
		if strings.HasSuffix(before, sign) {
			return len(before) - len(sign)
		}
	}
	return len(before)
}

func isMoney(r rune) bool {
	switch r {
	case '¥', '￥', '$', '£', '€', '元', '块', '万', '币', '镑':
		return true
	}
	return false
}

// moneyWords are the Latin ones, in lower case.
var moneyWords = []string{"rmb", "cny", "usd", "gbp", "eur", "dollar", "pound", "yuan"}

// amount finds the largest sum of money that the text names, as a decimal
// without separators, and its currency.
func amount(text string) (sum, currency string) {
	var best *big.Rat
	for _, m := range amounts(head(text)) {
		before, hasBefore := units[strings.ToLower(m[1])]
		behind, hasBehind := units[strings.ToLower(m[3])]
		cur, factor := before.currency, int64(1)
		if hasBehind {
			factor = behind.factor
			if cur == "" {
				cur = behind.currency
			}
		}
		if cur == "" || !hasBefore && !hasBehind {
			continue
		}
		v, ok := new(big.Rat).SetString(strings.NewReplacer(",", "", "，", "").Replace(m[2]))
		if !ok {
			continue
		}
		v.Mul(v, big.NewRat(factor, 1))
		if v.Sign() > 0 && (best == nil || v.Cmp(best) > 0) {
			best, currency = v, cur
		}
	}
	if best == nil {
		return "", ""
	}
	return best.FloatString(2), currency
}
