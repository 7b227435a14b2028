package terms

import (
	"slices"
	"strings"
)

// How far before a term a negation reaches: three Chinese characters or
// three English words.
const negationReach = 3

// negation looks for a negation before a hit, within the same clause, and
// tells where it begins.
func negation(f *folded, start int, last *stretch) (at int, negated bool) {
	i := start
	words, han := 0, 0
	for i > 0 {
		switch k := f.kinds[i-1]; {
		case k&kindHan != 0:
			if han++; han > negationReach {
				return 0, false
			}
			if no := noBefore(f.runes, i); no > 0 {
				return i - no, true
			}
			i--
		case k&kindWord != 0:
			if words++; words > negationReach {
				return 0, false
			}
			end := i
			if words == 1 {
				*last = last.back(f, i)
				i = last.from
			} else {
				i = stretch{}.back(f, i).from
			}
			switch meaning(f.runes[i:end]) {
			case turns:
				return 0, false
			case negates:
				return i, true
			}
		case f.runes[i-1] == space:
			i--
		default:
			return 0, false // a new clause
		}
	}
	return 0, false
}

// stretch is a word, or its beginning: what was found of the last one, so that
// the terms within one endless word do not each look for where it begins.
type stretch struct{ from, to int }

// back finds where the word begins that stands before a place.
func (s stretch) back(f *folded, to int) stretch {
	from := to
	for from > 0 && f.kinds[from-1]&(kindWord|kindQuote) != 0 {
		if from > s.from && from <= s.to {
			from = s.from
			break
		}
		from--
	}
	return stretch{from, to}
}

// What a word before a hit does to it.
const (
	nothing = iota
	negates
	turns // takes a negation before it away
)

// meanings are the words that do something.
var meanings = func() map[string]int {
	m := map[string]int{}
	for _, w := range noWords {
		m[w] = negates
	}
	for _, w := range turnings {
		m[w] = turns
	}
	return m
}()

// longestMeaning is the length of the longest of them.
const longestMeaning = 7

func meaning(word []rune) int {
	if n := len(word); n <= longestMeaning {
		var ascii [longestMeaning]byte
		for i, r := range word {
			if r >= 0x80 {
				r = 0
			}
			ascii[i] = byte(r)
		}
		if m := meanings[string(ascii[:n])]; m != nothing {
			return m
		}
	}
	if n := len(word); n >= 3 && is(word[n-3:], "n't") {
		return negates
	}
	return nothing
}

var noWords = []string{
	"no", "not", "never", "without", "nobody", "none", "nor", "nothing", "cannot", "neither", "didnt", "dont", "doesnt", "wasnt", "isnt", "arent",
	"werent", "havent", "hasnt", "hadnt", "wont", "couldnt", "wouldnt",
}

// turnings take the negation away from what follows: "did not stop burning",
// "not only rude".
var turnings = []string{"stop", "only", "just", "until", "before", "because", "but", "help", "prevent", "avoid", "notice", "long"}

// noBefore is how many characters the Chinese word of negation has that the
// text ends in before a place; 0 where it ends in none.
func noBefore(runes []rune, at int) int {
	last, before := runes[at-1], rune(0)
	if at > 1 {
		before = runes[at-2]
	}
	n := 0
	switch {
	case last == '未' || last == '没' || last == '无':
		n = 1
	case last == '有' && before == '没', last == '是' && before == '不', last == '非' && before == '并':
		n = 2
	}
	if n == 0 || n == 2 && at > 2 && strings.ContainsRune("有是要还", runes[at-3]) {
		return 0 // 有没有, 是不是, 要不是, 还不是 do not deny
	}
	for _, rest := range notNoRests[last] {
		if len(runes)-at >= len(rest) && slices.Equal(runes[at:at+len(rest)], rest) {
			return 0
		}
	}
	return n
}

// notNo are words that begin as a negation does and are none, or tell of
// something else: 没想到 (unexpectedly), 没几天 (within days), 无故 (for no
// reason), 未成年 (under age). 没有 is looked at as a whole.
var notNo = []string{
	"没想", "没料", "没几", "没两", "没多", "没过", "没用", "没等", "没注意", "没完", "没人管", "没人理", "没准", "没错", "没有", "没穿", "没戴", "没吃", "没开", "没法", "没办",
	"未成", "未来", "未必", "未经", "未满", "未曾想", "未料",
	"无故", "无端", "无缘", "无数", "无良", "无证", "无人机", "无语", "无理", "无照", "无耻", "无辜", "无法", "无意", "无比", "无时",
	"有想", "有料", "有几", "有多久", "有人管", "有人理", "有注意",
}

// notNoRests are what follows their first characters.
var notNoRests = func() map[rune][][]rune {
	m := map[rune][][]rune{}
	for _, word := range notNo {
		r := []rune(word)
		m[r[0]] = append(m[r[0]], r[1:])
	}
	return m
}()
