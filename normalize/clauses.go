package normalize

import (
	"iter"
	"strings"
	"unicode/utf8"

	"hearken/internal/terms"
)

// passage is a text, and what was made of it for looking terms up.
type passage struct {
	text string
	read *terms.Text
}

// clauses yields the sentences of a text in which hits lie: what a sentence
// has, the text has there. Of a text of which that is not sure, it yields all.
func (p passage) clauses(hits []terms.Hit) iter.Seq[string] {
	return func(yield func(string) bool) {
		if !p.read.Whole() {
			p.between(0, len(p.text), yield)
			return
		}
		done, at, runes := 0, 0, 0 // up to where clauses were given; a place in bytes, and in runes
		for _, h := range hits {
			from := at + bytesOf(p.text[at:], h.Start-runes)
			at, runes = from, h.Start
			var more bool
			if done, more = p.between(max(from, done), from+bytesOf(p.text[from:], h.End-h.Start), yield); !more {
				return
			}
		}
	}
}

// between yields the clauses that have a part from one place to another, and
// tells where the last one ends.
func (p passage) between(from, to int, yield func(string) bool) (end int, more bool) {
	for end = from; end < to; {
		start := 0
		if i := strings.LastIndexFunc(p.text[:end], endsClause); i >= 0 {
			_, size := utf8.DecodeRuneInString(p.text[i:])
			start = i + size
		}
		next := len(p.text)
		if i := strings.IndexFunc(p.text[end:], endsClause); i >= 0 {
			next = end + i
		}
		if c := strings.TrimSpace(p.text[start:next]); c != "" && !yield(c) {
			return next, false
		}
		_, size := utf8.DecodeRuneInString(p.text[next:])
		end = next + size
	}
	return end, true
}

func endsClause(r rune) bool {
	switch r {
	case '。', '！', '？', '!', '?', '；', ';', '\n':
		return true
	}
	return false
}

// bytesOf is how many bytes the first runes of a text have.
func bytesOf(text string, runes int) int {
	at := 0
	for ; runes > 0 && at < len(text); runes-- {
		_, size := utf8.DecodeRuneInString(text[at:])
		at += size
	}
	return at
}
