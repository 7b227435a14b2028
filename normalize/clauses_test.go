package normalize

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"hearken/internal/terms"
)

// What is found of a sentence's words in the whole text is what is found in
// the sentence alone, whatever stands between the sentences.
func TestClauses(t *testing.T) {
	n := normalizer(t)
	piece := rapid.SampledFrom([]string{
		"refund", "Refunds", "my", "money", "money-back", "退款", "退", "款", "换", "一个", "new one", "fix", "it", "x", "é", "\u0301", "\u200b", "包", " ", " ", "\n", "\n\n", ".", "。", "!", "；", "-", "'", "　",
	})
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOfN(piece, 0, 20).Draw(t, "text"), "")
		var want []string
		for clause := range strings.FieldsFuncSeq(text, endsClause) {
			clause = strings.TrimSpace(clause)
			for _, h := range n.keywords.Find(clause) {
				if n.owners[h.Owner].kind == ofRemedy {
					want = append(want, clause+": "+h.Term)
				}
			}
		}
		p := &passage{text: text, read: terms.Read(text)}
		for _, h := range n.keywords.In(p.read) {
			if n.owners[h.Owner].kind == ofRemedy {
				p.remedies = append(p.remedies, h)
			}
		}
		var got []string
		for clause, hits := range n.clauses(p) {
			for _, h := range hits {
				got = append(got, clause+": "+h.Term)
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%q: %q, want %q", text, got, want)
		}
	})
}
