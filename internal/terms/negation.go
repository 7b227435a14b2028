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
func negation(f folded, start int) (at int, negated bool) {
	i := start
	words, han := 0, 0
	for i > 0 {
		r := f.runes[i-1]
		switch {
		case isHan(r):
			if han++; han > negationReach {
				return 0, false
			}
			if no := noBefore(f.runes, i); no > 0 {
				return i - no, true
			}
			i--
		case isWord(r):
			end := i
			for i > 0 && (isWord(f.runes[i-1]) || f.runes[i-1] == '\'') {
				i--
			}
			if words++; words > negationReach {
				return 0, false
			}
			switch w := string(f.runes[i:end]); {
			case slices.Contains(turnings, w):
				return 0, false
			case slices.Contains(noWords, w) || strings.HasSuffix(w, "n't"):
				return i, true
			}
		case r == space:
			i--
		default:
			return 0, false // a new clause
		}
	}
	return 0, false
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
	rest := string(runes[at:min(len(runes), at+2)])
	for _, other := range notNo {
		if word, ok := strings.CutPrefix(other, string(last)); ok && strings.HasPrefix(rest, word) {
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
