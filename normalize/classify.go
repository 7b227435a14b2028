package normalize

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"hearken/complaint"
	"hearken/internal/terms"
)

const (
	subjectWeight = 2    // a subject says in a few words what it is about
	negatedWeight = 0.25 // "not refunded" is about refunds still; less surely so
	secondaryFrom = 0.5  // of the best score, for a further type to be named
	maxSecondary  = 3
	maxMatches    = 50 // of the evidence, the heaviest
)

// flagSelfHarm stays raised even where its words are negated: to ask once too
// often costs little.
const flagSelfHarm = "self_harm"

// classify finds type, flags, class and priority, with the evidence.
func (n *Normalizer) classify(r *complaint.Record) {
	scores := make([]float64, len(n.cfg.Types))
	c := complaint.Classification{Matched: []complaint.Match{}, RulesVersion: n.cfg.Version}
	own, _ := r.Words()
	subject, narrative := terms.Read(own), terms.Read(r.Narrative)
	defer subject.Done()
	defer narrative.Done()
	r.RemedySought, r.RemedyText = n.built.remedy(passage{own, subject}, passage{r.Narrative, narrative})
	raised := map[string]bool{}
	n.weigh(r, &c, "subject", subject, subjectWeight, scores, raised)
	n.weigh(r, &c, "narrative", narrative, 1, scores, raised)
	for _, f := range n.cfg.Flags { // in the order of the rules
		if raised[f.Name] {
			r.Flags = append(r.Flags, f.Name)
		}
	}
	r.Type, r.SecondaryTypes, c.Confidence = n.decide(scores)
	n.consult(r, &c)
	n.honour(r, &c)
	c.Matched = heaviest(c.Matched, maxMatches)
	r.IntakeClass = n.built.class(r, scores, subject, narrative)
	r.Classification = c
	r.Priority = complaint.DefaultPriority
	if n.cfg.Priority != nil {
		r.Priority, r.Classification.Reasons = n.cfg.Priority(r)
	}
}

// weigh adds what the terms in a field speak for.
func (n *Normalizer) weigh(r *complaint.Record, c *complaint.Classification, field string, text *terms.Text, weight float64, scores []float64, raised map[string]bool) {
	s := n.scale()
	defer n.done(s)
	s.hits = n.keywords.Append(s.hits[:0], text)
	for _, h := range n.weightiest(s) {
		// A term counts once in each field: repeating is not evidence.
		if !s.first(h) {
			continue
		}
		m := n.match(h, field, weight)
		switch o := &n.owners[h.Owner]; {
		case o.typ >= 0:
			scores[o.typ] += m.Weight
		case !h.Negated || o.flag == flagSelfHarm:
			raised[o.flag] = true
		case o.flag == "safety":
			r.Notes = append(r.Notes, fmt.Sprintf("safety word %q seems to be negated; please check", h.Term))
		}
		c.Matched = append(c.Matched, m)
	}
}

// weightiest leaves out what lies over a weightier term of the same type: the
// same words are not evidence twice. Of equals the longer stays, then the
// first.
func (n *Normalizer) weightiest(s *scale) []terms.Hit {
	out := s.hits[:0]
	for _, h := range s.hits {
		o := &n.owners[h.Owner]
		if o.typ < 0 {
			out = append(out, h)
			continue
		}
		last := s.last[o.typ] - 1
		if last < 0 || out[last].End <= h.Start {
			out = append(out, h)
			s.last[o.typ] = len(out)
			continue
		}
		if before := n.owners[out[last].Owner].weight; o.weight > before || (o.weight == before && h.End-h.Start > out[last].End-out[last].Start) {
			out[last] = h
		}
	}
	return out
}

// heaviest are the matches that weigh most, the heaviest first, where there
// are more.
func heaviest(all []complaint.Match, most int) []complaint.Match {
	if len(all) <= most {
		return all
	}
	order := make([]int, len(all))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Or(cmp.Compare(all[b].Weight, all[a].Weight), a-b) })
	out := make([]complaint.Match, most)
	for i := range out {
		out[i] = all[order[i]]
	}
	return out
}

func (n *Normalizer) match(h terms.Hit, field string, weight float64) complaint.Match {
	o := &n.owners[h.Owner]
	m := complaint.Match{Term: h.Term, Field: field, Offset: h.Start, Rule: o.rule}
	if h.Negated {
		m.Note = "negated"
	}
	if o.typ < 0 {
		m.Flag = o.flag
		return m
	}
	m.Type, m.Weight = n.cfg.Types[o.typ].Code, o.weight*weight
	if h.Negated {
		m.Weight *= negatedWeight
	}
	return m
}

// decide names the type with the highest score, the riskier of two, and how
// sure that is: more evidence and a clearer lead make it surer.
func (n *Normalizer) decide(scores []float64) (typ string, secondary []string, confidence float64) {
	best, second := -1, 0.0
	for i, s := range scores {
		switch {
		case s > 0 && (best < 0 || s > scores[best]):
			if best >= 0 {
				second = scores[best]
			}
			best = i
		case s > second:
			second = s
		}
	}
	if best < 0 {
		return complaint.DefaultType, nil, 0
	}
	for i, s := range scores {
		if i != best && s >= secondaryFrom*scores[best] && s > 0 && len(secondary) < maxSecondary {
			secondary = append(secondary, n.cfg.Types[i].Code)
		}
	}
	top := scores[best]
	confidence = (1 - math.Exp(-top)) * (0.5 + 0.5*(top-second)/top)
	return n.cfg.Types[best].Code, secondary, math.Round(confidence*100) / 100
}

// builtin holds the terms that do not depend on a company's rules.
type builtin struct {
	remedies *terms.Set
	codes    []string
	classes  *terms.Set
}

// The remedies that are asked for, after the list of ISO 10002.
var remedies = []struct {
	code string
	any  []string
}{
	{"refund", []string{"退款", "退钱", "退还", "退回", "返还", "refund", "money-back", "reimburse", "reimbursement", "my money"}},
	{"replacement", []string{"换货", "换一个", "换新", "更换", "补发", "replace", "replacement", "exchange", "new one", "resend"}},
	{"repair", []string{"维修", "修好", "返修", "修理", "上门修", "repair", "fix it", "fix this"}},
	{"compensation", []string{"赔偿", "赔付", "补偿", "索赔", "三倍", "十倍", "compensation", "compensate", "damages"}},
	{"apology", []string{"道歉", "赔礼", "apology", "apologise", "apologize"}},
	{"correction", []string{"更正", "改正", "撤销", "恢复", "解冻", "解封", "correct this", "correct my", "restore", "unfreeze", "unlock", "reverse the"}},
	{"information", []string{"说明", "解释", "答复", "给个说法", "explain", "explanation", "an answer"}},
	{"staff_action", []string{"处理这个员工", "开除", "处分", "严肃处理", "disciplined", "disciplinary"}},
}

// Words of praise, of a question and of a proposal, for the intake class.
const (
	cuePraise = iota
	cueEnquiry
	cueSuggestion
)

var classCues = [...][]string{
	cuePraise:     {"表扬", "点赞", "感谢", "谢谢你们", "很满意", "非常满意", "处理得很好", "服务很好", "thank-you", "thanks", "great service", "excellent service", "very satisfied", "well done"},
	cueEnquiry:    {"请问", "咨询", "怎么办理", "如何办理", "营业时间", "想了解", "how do i", "could you tell me", "i would like to know", "what are your", "opening hours", "can you tell me"},
	cueSuggestion: {"建议", "希望增加", "希望你们能", "suggestion", "i suggest", "it would be nice", "please consider"},
}

func newBuiltin() (*builtin, error) {
	b := &builtin{}
	var patterns []terms.Pattern
	for i, r := range remedies {
		b.codes = append(b.codes, r.code)
		for _, t := range r.any {
			patterns = append(patterns, terms.Pattern{Owner: i, Term: t})
		}
	}
	var err error
	if b.remedies, err = terms.Compile(patterns); err != nil {
		return nil, fmt.Errorf("built-in remedies: %w", err)
	}
	patterns = nil
	for i, cues := range classCues {
		for _, t := range cues {
			patterns = append(patterns, terms.Pattern{Owner: i, Term: t})
		}
	}
	if b.classes, err = terms.Compile(patterns); err != nil {
		return nil, fmt.Errorf("built-in classes: %w", err)
	}
	return b, nil
}

// Words by which a customer asks for something rather than tells of it.
var askings = []string{
	"要求", "请", "希望", "必须", "给我", "我要", "想要", "要", "申请", "尽快", "i want", "i demand", "please", "i would like", "i'd like", "need", "expect", "give me", "must", "should", "ask", "request",
}

// remedy finds what the customer asks for: a word for a remedy in a clause
// that asks.
func (b *builtin) remedy(passages ...passage) (codes []string, text string) {
	var hits [][]terms.Hit
	found := 0
	for i, p := range passages {
		hits = append(hits, b.remedies.In(p.read))
		found += len(hits[i])
	}
	if found == 0 {
		return []string{complaint.Unknown}, "" // no clause need be looked at
	}
	for i, p := range passages {
		for clause := range p.clauses(hits[i]) {
			if !containsAny(lower(clause), askings) {
				continue
			}
			for _, h := range b.remedies.Find(clause) {
				code := b.codes[h.Owner]
				if slices.Contains(codes, code) {
					continue
				}
				codes = append(codes, code)
				if text == "" {
					text, _ = shorten(oneLine(clause), maxRemedy)
				}
			}
		}
	}
	if len(codes) == 0 {
		return []string{complaint.Unknown}, ""
	}
	return codes, text
}

// class tells praise, a question or a proposal from a complaint. Any doubt is
// a complaint: one that nobody handles is worse than a thank-you that somebody
// reads.
func (b *builtin) class(r *complaint.Record, scores []float64, subject, narrative *terms.Text) string {
	total := 0.0
	for _, s := range scores {
		total += s
	}
	if len(r.Flags) > 0 || r.RemedySought[0] != complaint.Unknown || total > mostPraise {
		return complaint.ClassComplaint
	}
	var cue [len(classCues)]bool
	for _, text := range []*terms.Text{subject, narrative} {
		for _, h := range b.classes.In(text) {
			cue[h.Owner] = cue[h.Owner] || !h.Negated
		}
	}
	switch {
	case cue[cuePraise] && !unhappy(r.Narrative):
		return complaint.ClassPraise
	case cue[cueEnquiry] && total == 0:
		return complaint.ClassEnquiry
	case cue[cueSuggestion] && total == 0:
		return complaint.ClassSuggestion
	}
	return complaint.ClassComplaint
}

// mostPraise is how much may speak for a type in words of praise: they name
// what was done well.
const mostPraise = 2

// unhappy tells words that turn praise into its opposite.
func unhappy(text string) bool {
	low := lower(text)
	for _, w := range []string{"但是", "可是", "然而", "却", "居然", "竟然", "不满", "太差", "but ", "however", "unfortunately", "terrible", "awful", "for nothing", "投诉你们", "我要投诉"} {
		if strings.Contains(low, w) {
			return true
		}
	}
	return false
}
