package normalize

import (
	"iter"
	"slices"
	"strings"
	"unicode/utf8"

	"hearken/internal/terms"
)

// passage is a text of the customer's, and what was made of it.
type passage struct {
	field, text string
	weight      float64
	read        *terms.Text
	remedies    []terms.Hit // the words for remedies in it
}

// clauses yields the sentences of a passage in which words for remedies lie,
// with those. What a sentence has, the passage has there; where that is not
// sure, each is looked through for itself.
func (n *Normalizer) clauses(p *passage) iter.Seq2[string, []terms.Hit] {
	if p.read.Whole() {
		return p.clauses
	}
	return func(yield func(string, []terms.Hit) bool) {
		for clause := range strings.FieldsFuncSeq(p.text, endsClause) {
			clause = strings.TrimSpace(clause)
			hits := slices.DeleteFunc(n.keywords.Find(clause), func(h terms.Hit) bool { return n.owners[h.Owner].kind != ofRemedy })
			if len(hits) > 0 && !yield(clause, hits) {
				return
			}
		}
	}
}

func (p *passage) clauses(yield func(string, []terms.Hit) bool) {
	at, runes := 0, 0 // a place in bytes, and in runes
	for hits := p.remedies; len(hits) > 0; {
		at, runes = at+bytesOf(p.text[at:], hits[0].Start-runes), hits[0].Start
		from, to := clauseAt(p.text, at)
		end := runes + utf8.RuneCountInString(p.text[at:to])
		n := 0
		for n < len(hits) && hits[n].Start < end {
			n++
		}
		within := slices.DeleteFunc(hits[:n], func(h terms.Hit) bool { return h.End > end })
		hits = hits[n:]
		if len(within) > 0 && !yield(strings.TrimSpace(p.text[from:to]), within) {
			return
		}
	}
}

// clauseAt is from where to where the clause goes that a place lies in.
func clauseAt(text string, at int) (from, to int) {
	if i := strings.LastIndexFunc(text[:at], endsClause); i >= 0 {
		_, size := utf8.DecodeRuneInString(text[i:])
		from = i + size
	}
	if i := strings.IndexFunc(text[at:], endsClause); i >= 0 {
		return from, at + i
	}
	return from, len(text)
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
