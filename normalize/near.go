package normalize

import (
	"iter"
	"slices"
	"strings"
	"unicode/utf8"
)

// near gives the stretches of text around its numbers: what patterns are
// looked for in, which on the whole of every mail would cost more than all
// else. A number is a run of digits, with characters of between among them,
// that has at least so many digits; before and after are the bytes around it.
// Stretches that touch are one.
func near(text, between string, digits, before, after int) iter.Seq[string] {
	return func(yield func(string) bool) {
		from, to := 0, 0 // of the stretch that is open
		for i := 0; i < len(text); {
			if text[i] < '0' || text[i] > '9' {
				i++
				continue
			}
			n, end := 0, i
			for end < len(text) {
				if c := text[end]; c >= '0' && c <= '9' {
					n++
				} else if strings.IndexByte(between, c) < 0 {
					break
				}
				end++
			}
			if n >= digits {
				start := max(0, i-before)
				if start > to {
					if to > from && !yield(whole(text, from, to)) {
						return
					}
					from = start
				}
				to = min(len(text), end+after)
			}
			i = end
		}
		if to > from {
			yield(whole(text, from, to))
		}
	}
}

// whole is text[from:to] without the halves of characters at its ends.
func whole(text string, from, to int) string {
	for from < to && !utf8.RuneStart(text[from]) {
		from++
	}
	for to < len(text) && to > from && !utf8.RuneStart(text[to]) {
		to--
	}
	return text[from:to]
}

// lower makes the letters of ASCII small: all that is needed to find words of
// English and Chinese, at a tenth of what Unicode costs.
func lower(s string) string {
	for i := range len(s) {
		if s[i] >= 'A' && s[i] <= 'Z' {
			b := []byte(s)
			for j := i; j < len(b); j++ {
				if b[j] >= 'A' && b[j] <= 'Z' {
					b[j] += 'a' - 'A'
				}
			}
			return string(b)
		}
	}
	return s
}

// containsAny tells whether one of the words is in the text.
func containsAny(text string, words []string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(text, w) })
}
