package normalize

import (
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"hearken/complaint"
	"hearken/internal/learn"
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
// enough, and surer than the keywords can be trusted, its type is the
// record's, and the one that the keywords found comes next. It may add flags;
// what keywords say of safety it can't take away: those flags and their
// priority stand.
func (n *Normalizer) consult(r *complaint.Record, c *complaint.Classification, s *scale, text string) {
	if n.cfg.Learnt == nil || strings.TrimSpace(text) == "" {
		return
	}
	p := n.cfg.Learnt.Read(text)
	defer p.Done()
	n.warn(r, c, s, p)
	said := p.Among(n.HasType)
	if said.Label == "" {
		return // it knows flags alone
	}
	enough := n.cfg.Threshold
	if r.Type == complaint.DefaultType {
		enough *= unopposed
	} else {
		enough = max(enough, keywordTrust*c.Confidence)
	}
	c.Learnt = &complaint.Learnt{
		Type: said.Label, Probability: math.Round(said.Probability*1000) / 1000, Model: n.cfg.Learnt.Sum, Used: said.Probability >= enough,
	}
	if !c.Learnt.Used {
		return
	}
	c.Confidence = math.Round(said.Probability*100) / 100
	c.Matched = append(c.Matched, learntMatches(r, p, complaint.Match{Type: said.Label})...)
	if said.Label == r.Type {
		return
	}
	others := slices.DeleteFunc(r.SecondaryTypes, func(t string) bool { return t == said.Label })
	if r.Type != complaint.DefaultType {
		others = append([]string{r.Type}, others...)
	}
	r.Type, r.SecondaryTypes = said.Label, others[:min(len(others), maxSecondary)]
	if len(r.SecondaryTypes) == 0 {
		r.SecondaryTypes = nil
	}
}

// warn raises the flags that the classifier has learnt, where it is sure enough
// of one.
func (n *Normalizer) warn(r *complaint.Record, c *complaint.Classification, s *scale, p *learn.Reading) {
	for _, flag := range n.learntFlags {
		if p.Probability(flag) < n.cfg.Threshold || slices.Contains(s.raised, flag) {
			continue
		}
		s.raised = append(s.raised, flag)
		c.Matched = append(c.Matched, learntMatches(r, p, complaint.Match{Flag: flag})...)
	}
}

// learntMatches are what of a record's words spoke most for the type or flag of
// like, each like it.
func learntMatches(r *complaint.Record, p *learn.Reading, like complaint.Match) (out []complaint.Match) {
	subject, _ := r.Words()
	before := utf8.RuneCountInString(subject) + 1
	for _, e := range p.Explain(like.Type+like.Flag, learntEvidence) {
		m := like
		m.Term, m.Field, m.Offset, m.Weight, m.Rule = e.Text, "subject", e.At, e.Weight, ruleLearnt
		if e.At >= before {
			m.Field, m.Offset = "narrative", e.At-before
		}
		out = append(out, m)
	}
	return out
}
