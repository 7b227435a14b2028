package normalize

import (
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

// classify finds type, flags, class and priority, with the evidence. said are
// the customer's words.
func (n *Normalizer) classify(r *complaint.Record, said string) {
	c := complaint.Classification{Matched: []complaint.Match{}, RulesVersion: n.cfg.Version}
	s := n.scale()
	defer n.done(s)
	own, _ := r.Words()
	passages := []*passage{{field: "subject", weight: subjectWeight, text: own}, {field: "narrative", weight: 1, text: r.Narrative}}
	for _, p := range passages {
		p.read = terms.Read(p.text)
		defer p.read.Done()
		n.weigh(r, p, s)
	}
	r.RemedySought, r.RemedyText = n.remedy(passages)
	r.Type, r.SecondaryTypes, c.Confidence = n.decide(s.scores)
	n.consult(r, &c, s, said)
	for _, f := range n.cfg.Flags { // in the order of the rules
		if slices.Contains(s.raised, f.Name) {
			r.Flags = append(r.Flags, f.Name)
		}
	}
	n.honour(r, &c)
	c.Matched = n.matched(s.evidence, c.Matched)
	r.IntakeClass = class(r, s)
	r.Classification = c
	r.Priority = complaint.DefaultPriority
	if n.cfg.Priority != nil {
		r.Priority, r.Classification.Reasons = n.cfg.Priority(r)
	}
}

// weigh adds what the terms in a passage speak for.
func (n *Normalizer) weigh(r *complaint.Record, p *passage, s *scale) {
	s.hits = n.keywords.Append(s.hits[:0], p.read)
	s.begin()
	for _, h := range n.weightiest(p, s) {
		// A term counts once in each field: repeating is not evidence.
		if !s.first(h) {
			continue
		}
		weight := 0.0
		switch o := &n.owners[h.Owner]; {
		case o.kind == ofType:
			weight = o.weight * p.weight
			if h.Negated {
				weight *= negatedWeight
			}
			s.scores[o.at] += weight
		case !h.Negated || o.flag == flagSelfHarm:
			s.raised = append(s.raised, o.flag)
		case o.flag == "safety":
			r.Notes = append(r.Notes, fmt.Sprintf("safety word %q seems to be negated; please check", h.Term))
		}
		s.evidence = append(s.evidence, evidence{h, p.field, weight})
	}
}

// weightiest leaves out what lies over a weightier term of the same type: the
// same words are not evidence twice. Of equals the longer stays, then the
// first. It takes out what Hearken itself looks for.
func (n *Normalizer) weightiest(p *passage, s *scale) []terms.Hit {
	out := s.hits[:0]
	for _, h := range s.hits {
		switch o := &n.owners[h.Owner]; o.kind {
		case ofFlag:
			out = append(out, h)
		case ofRemedy:
			p.remedies = append(p.remedies, h)
		case ofClass:
			s.cues[o.at] = s.cues[o.at] || !h.Negated
		case ofType:
			last := s.last[o.at] - 1
			if last < 0 || out[last].End <= h.Start {
				out = append(out, h)
				s.last[o.at] = len(out)
				continue
			}
			if before := n.owners[out[last].Owner].weight; o.weight > before || (o.weight == before && h.End-h.Start > out[last].End-out[last].Start) {
				out[last] = h
			}
		}
	}
	return out
}

// matched are the evidence and what else there is, or the heaviest of them
// where there are more than maxMatches, the heaviest first.
func (n *Normalizer) matched(all []evidence, more []complaint.Match) []complaint.Match {
	weights := make([]float64, 0, len(all)+len(more))
	for i := range all {
		weights = append(weights, all[i].weight)
	}
	for i := range more {
		weights = append(weights, more[i].Weight)
	}
	order := heaviest(weights, maxMatches)
	out := make([]complaint.Match, len(order))
	for i, at := range order {
		if at < len(all) {
			out[i] = n.match(&all[at])
		} else {
			out[i] = more[at-len(all)]
		}
	}
	return out
}

// heaviest are the places of most weights, the heaviest first, of equals the
// first; of fewer, all as they stand.
func heaviest(weights []float64, most int) []int {
	order := make([]int, 0, most+1)
	if len(weights) <= most {
		for i := range weights {
			order = append(order, i)
		}
		return order
	}
	for i, w := range weights {
		if len(order) == most && weights[order[most-1]] >= w {
			continue
		}
		at, _ := slices.BinarySearchFunc(order, w, func(i int, w float64) int {
			if weights[i] >= w {
				return -1
			}
			return 1
		})
		order = slices.Insert(order, at, i)
		order = order[:min(len(order), most)]
	}
	return order
}

func (n *Normalizer) match(e *evidence) complaint.Match {
	o := &n.owners[e.hit.Owner]
	m := complaint.Match{Term: e.hit.Term, Field: e.field, Offset: e.hit.Start, Rule: o.rule, Weight: e.weight}
	if e.hit.Negated {
		m.Note = "negated"
	}
	if o.kind == ofFlag {
		m.Flag = o.flag
	} else {
		m.Type = n.cfg.Types[o.at].Code
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

// Words by which a customer asks for something rather than tells of it.
var askings = []string{
	"要求", "请", "希望", "必须", "给我", "我要", "想要", "要", "申请", "尽快", "i want", "i demand", "please", "i would like", "i'd like", "need", "expect", "give me", "must", "should", "ask", "request",
}

// remedy finds what the customer asks for: a word for a remedy in a clause
// that asks.
func (n *Normalizer) remedy(passages []*passage) (codes []string, text string) {
	if !slices.ContainsFunc(passages, func(p *passage) bool { return len(p.remedies) > 0 }) {
		return []string{complaint.Unknown}, "" // no clause need be looked at
	}
	for _, p := range passages {
		for clause, hits := range n.clauses(p) {
			if !containsAny(lower(clause), askings) {
				continue
			}
			for _, h := range hits {
				code := remedies[n.owners[h.Owner].at].code
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
func class(r *complaint.Record, s *scale) string {
	total := 0.0
	for _, score := range s.scores {
		total += score
	}
	if len(r.Flags) > 0 || r.RemedySought[0] != complaint.Unknown || total > mostPraise {
		return complaint.ClassComplaint
	}
	switch {
	case s.cues[cuePraise] && !unhappy(r.Narrative):
		return complaint.ClassPraise
	case s.cues[cueEnquiry] && total == 0:
		return complaint.ClassEnquiry
	case s.cues[cueSuggestion] && total == 0:
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
