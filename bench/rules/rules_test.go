// Package rules measures routing beside a compiled expression library: the
// same rules on the same records, in one run.
package rules

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/vm"

	"hearken/complaint"
	"hearken/dispatcher"
)

var (
	departments = []string{"FIN", "LOG", "QA", "LEGAL", "CMO"}
	kinds       = []string{"BILLING", "DELIVERY", "QUALITY", "REFUND"}
	urgencies   = []string{"P1", "P2", "P3", "P4"}
)

// rule is a rule before it is put in either form.
type rule struct {
	words      []string // any of them in the text
	kinds      []string // any of them is the type
	priorities []string
	domain     string
	min        int // of the amount
	to         string
}

// draw makes rules as a company with many products has them: each has words of
// its own, half of them something beside.
func draw(n int) []rule {
	rnd := rand.New(rand.NewPCG(1, 2))
	out := make([]rule, n)
	for i := range out {
		r := rule{words: []string{word(i), fmt.Sprintf("型号第%06d号", i)}, to: departments[rnd.IntN(len(departments)-1)]}
		switch rnd.IntN(8) {
		case 0:
			r.kinds = []string{kinds[rnd.IntN(4)], kinds[rnd.IntN(4)]}
		case 1:
			r.priorities = []string{"P1", "P2"}
		case 2:
			r.domain = fmt.Sprintf("shop%d.example.com", rnd.IntN(n))
		case 3:
			r.min = 100 * (1 + rnd.IntN(20))
		}
		out[i] = r
	}
	return out
}

// word is one that is no part of another, so that looking for it as a word
// and as a piece of text is the same.
func word(i int) string { return fmt.Sprintf("product%06dx", i) }

// router is the rules as the dispatcher has them.
func router(t testing.TB, rules []rule) *dispatcher.Rules {
	t.Helper()
	list := func(all []string) (out []any) {
		for _, s := range all {
			out = append(out, s)
		}
		return out
	}
	cfg := dispatcher.Config{Departments: departments, Types: kinds, Default: "CMO"}
	for i, r := range rules {
		w := dispatcher.When{"text": dispatcher.When{"any": list(r.words)}}
		if r.kinds != nil {
			w["type"] = list(r.kinds)
		}
		if r.priorities != nil {
			w["priority"] = list(r.priorities)
		}
		if r.domain != "" {
			w["from"] = dispatcher.When{"domain": r.domain}
		}
		if r.min > 0 {
			w["amount"] = dispatcher.When{"min": r.min}
		}
		cfg.Routes = append(cfg.Routes, dispatcher.RouteRule{Name: fmt.Sprint(i), When: w, To: r.to})
	}
	out, err := dispatcher.Compile(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// facts is what the expressions see of a record. It is made once for all, and
// not measured; the text is in lower case already.
type facts struct {
	Type, Priority, Domain, Text string
	Amount                       float64
}

// programs are the rules as compiled expressions, cheap questions first.
func programs(t testing.TB, rules []rule) []*vm.Program {
	t.Helper()
	var out []*vm.Program
	for _, r := range rules {
		var and []string
		if r.kinds != nil {
			and = append(and, fmt.Sprintf("Type in [%q, %q]", r.kinds[0], r.kinds[1]))
		}
		if r.priorities != nil {
			and = append(and, fmt.Sprintf("Priority in [%q, %q]", r.priorities[0], r.priorities[1]))
		}
		if r.domain != "" {
			and = append(and, fmt.Sprintf("Domain == %q", r.domain))
		}
		if r.min > 0 {
			and = append(and, fmt.Sprintf("Amount >= %d", r.min))
		}
		and = append(and, fmt.Sprintf("(Text contains %q || Text contains %q)", r.words[0], r.words[1]))
		p, err := expr.Compile(strings.Join(and, " && "), expr.Env(facts{}), expr.AsBool())
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, p)
	}
	return out
}

// inTurn evaluates the programs one after another up to the first that holds.
func inTurn(machine *vm.VM, all []*vm.Program, f facts) (int, error) {
	for i, p := range all {
		held, err := machine.Run(p, f)
		if err != nil {
			return 0, err
		}
		if held.(bool) {
			return i, nil
		}
	}
	return -1, nil
}

// records are complaints of usual length. Each names two of the n products,
// or none, so that any rule may be the one.
func records(n int) ([]*complaint.Record, []facts) {
	rnd := rand.New(rand.NewPCG(3, 4))
	var out []*complaint.Record
	var seen []facts
	for i := range 64 {
		r := &complaint.Record{
			Type: kinds[rnd.IntN(4)], Priority: urgencies[rnd.IntN(4)], Subject: "my order", AmountInvolved: fmt.Sprint(rnd.IntN(3000)), ReceivedAt: time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC),
			Complainant: complaint.Person{Email: fmt.Sprintf("ann@shop%d.example.com", rnd.IntN(n))},
		}
		r.Narrative = strings.Repeat("the parcel never came, and nobody answers. 包裹没有收到，客服不理人。", 8)
		if i%8 > 0 {
			r.Narrative += fmt.Sprintf(" it was %s, or 型号第%06d号", word(rnd.IntN(n)), rnd.IntN(n))
		}
		var amount float64
		fmt.Sscan(r.AmountInvolved, &amount)
		_, domain, _ := strings.Cut(r.Complainant.Email, "@")
		out = append(out, r)
		seen = append(seen, facts{r.Type, r.Priority, domain, strings.ToLower(r.Subject + "\n" + r.Narrative), amount})
	}
	return out, seen
}

var sizes = []int{10, 100, 1_000, 10_000}

// Both must come to the same for every record, or there is nothing to compare.
func TestSameDecisions(t *testing.T) {
	for _, n := range sizes {
		rules := draw(n)
		ours, theirs := router(t, rules), programs(t, rules)
		recs, seen := records(n)
		decided := 0
		for i, rec := range recs {
			at, err := inTurn(&vm.VM{}, theirs, seen[i])
			if err != nil {
				t.Fatal(err)
			}
			rule, department := dispatcher.RuleDefault, "CMO"
			if at >= 0 {
				rule, department = fmt.Sprint(at), rules[at].to
				decided++
			}
			if got := ours.Route(rec); got.Rule != rule || got.Department != department {
				t.Errorf("%d rules, record %d: %s by %s here, %s by %s there", n, i, got.Department, got.Rule, department, rule)
			}
		}
		if decided < 10 || decided > 60 {
			t.Errorf("%d rules: %d of %d records had a rule", n, decided, len(recs))
		}
	}
}

// BenchmarkRoute tells the time a record for more and more rules, and how much
// faster looking rules up is than evaluating them in turn.
func BenchmarkRoute(b *testing.B) {
	for _, n := range sizes {
		rules := draw(n)
		ours, theirs := router(b, rules), programs(b, rules)
		recs, seen := records(n)
		var machine vm.VM
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			var here, there time.Duration
			for b.Loop() {
				start := time.Now()
				for _, rec := range recs {
					ours.Route(rec)
				}
				between := time.Now()
				for _, f := range seen {
					if _, err := inTurn(&machine, theirs, f); err != nil {
						b.Fatal(err)
					}
				}
				here, there = here+between.Sub(start), there+time.Since(between)
			}
			each := float64(b.N * len(recs))
			b.ReportMetric(float64(here.Nanoseconds())/each, "ns/record")
			b.ReportMetric(float64(there.Nanoseconds())/each, "expr-ns/record")
			b.ReportMetric(float64(there)/float64(here), "times-faster")
		})
	}
}
