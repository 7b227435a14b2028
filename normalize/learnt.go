package normalize

import (
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"hearken/complaint"
)

// learntEvidence is how many n-grams are shown of those that spoke most for a
// learnt type.
const learntEvidence = 5

// ruleLearnt is the Rule of evidence that the learnt classifier gives.
const ruleLearnt = "classifier"

// unopposed is the share of the threshold that is enough where the keywords
// found nothing: a likely type is better than none.
const unopposed = 0.5

// keywordTrust is how often keywords are right, of how often they say: what they
// call sure is that no other type's were found. On complaints in words that
// they were not made for it is half; the classifier's word is a probability.
const keywordTrust = 0.5

// consult asks the learnt classifier, where there is one. Where it is sure
// enough, and surer than the keywords can be trusted, its type is the record's,
// and the one that the keywords found comes next. What keywords say of safety it can't take away: those flags and their
// priority stand.
func (n *Normalizer) consult(r *complaint.Record, c *complaint.Classification, text string) {
	if n.cfg.Learnt == nil || strings.TrimSpace(text) == "" {
		return
	}
	p := n.cfg.Learnt.Read(text)
	defer p.Done()
	enough := n.cfg.Threshold
	if r.Type == complaint.DefaultType {
		enough *= unopposed
	} else {
		enough = max(enough, keywordTrust*c.Confidence)
	}
	c.Learnt = &complaint.Learnt{
		Type: p.Label, Probability: math.Round(p.Probability*1000) / 1000, Model: n.cfg.Learnt.Sum, Used: p.Probability >= enough,
	}
	if !c.Learnt.Used {
		return
	}
	c.Confidence = math.Round(p.Probability*100) / 100
	subject, _ := r.Words()
	before := utf8.RuneCountInString(subject) + 1
	for _, e := range p.Explain(p.Label, learntEvidence) {
		m := complaint.Match{Type: p.Label, Term: e.Text, Field: "subject", Offset: e.At, Weight: e.Weight, Rule: ruleLearnt}
		if e.At >= before {
			m.Field, m.Offset = "narrative", e.At-before
		}
		c.Matched = append(c.Matched, m)
	}
	if p.Label == r.Type {
		return
	}
	others := slices.DeleteFunc(r.SecondaryTypes, func(t string) bool { return t == p.Label })
	if r.Type != complaint.DefaultType {
		others = append([]string{r.Type}, others...)
	}
	r.Type, r.SecondaryTypes = p.Label, others[:min(len(others), maxSecondary)]
	if len(r.SecondaryTypes) == 0 {
		r.SecondaryTypes = nil
	}
}
