package normalize

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// The ways in which a name is given, the surest first.
const (
	nameLabel   = iota // 姓名：张伟, 我叫张伟
	nameChinese        // 我是张伟，
	nameSaid           // my name is John Smith, Name: John
	nameOffered        // this is John Smith
	nameWays
)

// What stands before a Chinese name.
var (
	chineseLabels = []string{"姓名", "联系人", "我叫", "我的名字是", "名字叫"}
	chineseTitles = []string{"客户", "会员", "用户"}
)

const iAm = "我是"

// What stands before a Latin one, in lower case.
var (
	saidBefore    = []string{"my name is", "my name's"}
	offeredBefore = []string{"this is", "i am", "i'm"}
)

// notNames are words that stand where a name may: "我是老客户".
var notNames = []string{"你们", "客户", "会员", "用户", "用戶", "顾客", "一个", "一名", "消费", "老人", "在", "业主", "去年", "今天", "昨天", "想", "来", "要", "不", "因为", "通过", "学生"}

// nameIn finds a name behind words that introduce one. Of each way it looks at
// the first name; the surest that is none of notNames is it.
func nameIn(text string) string {
	text = head(text)
	var names [nameWays]string
	note := func(way int, name string) {
		if names[way] == "" {
			names[way] = name
		}
	}
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c >= 'A' && c <= 'Z':
			if way, name := latinName(text, i); name != "" {
				note(way, name)
			}
		case c >= 0xE5 && i+3 <= len(text):
			switch text[i : i+3] {
			case "姓", "联", "我", "名": // with which the labels begin
				if rest, ok := cutAny(text[i:], chineseLabels); ok {
					note(nameLabel, labelled(rest))
				} else if rest, ok := strings.CutPrefix(text[i:], iAm); ok {
					note(nameChinese, titled(rest))
				}
			}
		}
	}
	for _, name := range names {
		if name != "" && !containsAny(name, notNames) && utf8.RuneCountInString(name) <= maxName {
			return name
		}
	}
	return ""
}

func cutAny(text string, prefixes []string) (rest string, ok bool) {
	for _, p := range prefixes {
		if rest, ok := strings.CutPrefix(text, p); ok {
			return rest, true
		}
	}
	return text, false
}

// blanks are what patterns call white space.
const blanks = "\t\n\f\r "

// labelled is the name behind a label and maybe a colon.
func labelled(text string) string {
	text = strings.TrimLeft(text, blanks)
	text, _ = cutAny(text, []string{":", "："})
	name, _ := chineseName(strings.TrimLeft(text, blanks), 4)
	return name
}

// titled is the name behind 我是, maybe with a title; it ends a clause.
func titled(text string) string {
	ends := func(rest string) bool {
		r, _ := utf8.DecodeRuneInString(rest)
		return rest != "" && strings.ContainsRune(",，。;；"+blanks, r)
	}
	if rest, ok := cutAny(text, chineseTitles); ok {
		if name, rest := chineseName(strings.TrimLeft(rest, blanks), 3); name != "" && ends(rest) {
			return name
		}
	}
	if name, rest := chineseName(strings.TrimLeft(text, blanks), 3); name != "" && ends(rest) {
		return name
	}
	return ""
}

// chineseName cuts a name of two to most characters, behind which there is
// none.
func chineseName(text string, most int) (name, rest string) {
	n := 0
	for i, r := range text {
		if !unicode.Is(unicode.Han, r) {
			if n < 2 {
				return "", text
			}
			return text[:i], text[i:]
		}
		if n++; n > most {
			return "", text
		}
	}
	if n < 2 {
		return "", text
	}
	return text, ""
}

// latinName is the name that begins at a capital, where one is introduced
// there: of up to four words, or of two behind "this is".
func latinName(text string, at int) (way int, name string) {
	before := strings.TrimRight(text[:at], blanks)
	spaces := text[len(before):at]
	if spaces == "" || before == "" {
		return 0, ""
	}
	switch before[len(before)-1] {
	case ':', "："[2], 's', 'S', 'm', 'M':
	default:
		return 0, "" // most capitals begin a sentence
	}
	words := 0
	switch {
	case spaces == " " && endsInAny(before, offeredBefore):
		way, words = nameOffered, 2
	case said(before):
		way, words = nameSaid, 4
	default:
		return 0, ""
	}
	name, n := capitalised(text[at:], words)
	if way == nameOffered && n < words {
		return 0, ""
	}
	return way, name
}

// said tells whether a text ends in words behind which one says one's name.
func said(before string) bool {
	if endsInAny(before, saidBefore) {
		return true
	}
	for _, colon := range []string{":", "："} {
		if label, ok := strings.CutSuffix(before, colon); ok {
			return endsInAny(strings.TrimRight(label, blanks), []string{"name"})
		}
	}
	return false
}

// endsInAny tells whether a text ends in one of the words, in small or capital
// letters.
func endsInAny(text string, words []string) bool {
	for _, w := range words {
		if len(text) >= len(w) && strings.EqualFold(text[len(text)-len(w):], w) {
			return true
		}
	}
	return false
}

// capitalised are the words at the beginning of a text, at most so many, that
// have a capital and more.
func capitalised(text string, most int) (words string, n int) {
	end := 0
	for at := 0; n < most && at < len(text) && text[at] >= 'A' && text[at] <= 'Z'; {
		first := at + 1
		to := len(text)
		if i := strings.IndexFunc(text[first:], func(r rune) bool { return !unicode.IsLetter(r) && !strings.ContainsRune("'’-", r) }); i >= 0 {
			to = first + i
		}
		if to == first {
			break
		}
		n, end = n+1, to
		if to == len(text) || text[to] != ' ' {
			break
		}
		at = to + 1
	}
	return text[:end], n
}
