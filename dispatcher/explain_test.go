package dispatcher

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"hearken/complaint"
)

var someTerms = []string{"退款", "refund", "parcel", "包裹", "律师", "nothing"}

// anyCondition draws conditions of every kind that keys lead to, and some that
// none do.
func anyCondition(depth int) *rapid.Generator[When] {
	some := func(from []string) *rapid.Generator[[]any] {
		return rapid.Map(rapid.SliceOfNDistinct(rapid.SampledFrom(from), 1, 3, rapid.ID), func(s []string) []any {
			var out []any
			for _, one := range s {
				out = append(out, one)
			}
			return out
		})
	}
	one := func(field string, from ...string) *rapid.Generator[When] {
		return rapid.Map(some(from), func(l []any) When { return When{field: l} })
	}
	leaf := rapid.OneOf(
		one("type", base.Types...), one("any_type", base.Types...), one("priority", Priorities...), one("flags", base.Flags...), one("channel", "email", "phone", "chat"),
		one("language", "zh", "EN"), one("fact.region", "north", "south"), one("contact_point", "Support@example.com", "other"),
		rapid.Map(some([]string{"example.cn", "mail.example.cn", "example.org"}), func(l []any) When { return When{"from": When{"domain": l}} }),
		rapid.Map(rapid.Bool(), func(b bool) When { return When{"repeat": b} }),
		rapid.Map(rapid.IntRange(0, 3000), func(n int) When { return When{"amount": When{"min": n}} }),
		rapid.Map(rapid.SampledFrom([]string{"any", "all", "none"}), func(k string) When { return When{"text": When{k: []any{"退款", "parcel"}}} }),
		rapid.Map(some(someTerms), func(l []any) When { return When{"text": When{"any": l}} }),
		rapid.Just(When{"text": When{"regexp": "A[0-9]"}}), rapid.Just(When{}),
	)
	if depth == 0 {
		return leaf
	}
	many := rapid.Map(rapid.SliceOfN(anyCondition(depth-1), 1, 3), func(all []When) []any {
		list := []any{When{"channel": "email"}}
		for _, w := range all {
			if len(w) > 0 {
				list = append(list, w)
			}
		}
		return list
	})
	return rapid.OneOf(leaf,
		rapid.Map(many, func(l []any) When { return When{"any": l} }),
		rapid.Map(many, func(l []any) When { return When{"all": l} }),
		rapid.Map(many, func(l []any) When { return When{"not": l[0]} }),
		rapid.Custom(func(t *rapid.T) When {
			out := When{}
			for range 2 {
				for k, v := range leaf.Draw(t, "part") {
					out[k] = v
				}
			}
			return out
		}),
	)
}

func anyRecord() *rapid.Generator[*complaint.Record] {
	return rapid.Custom(func(t *rapid.T) *complaint.Record {
		r := record()
		r.Type = rapid.SampledFrom(append([]string{"OTHER"}, base.Types...)).Draw(t, "type")
		r.SecondaryTypes = rapid.SliceOfN(rapid.SampledFrom(base.Types), 0, 2).Draw(t, "secondary")
		r.Priority = rapid.SampledFrom(Priorities).Draw(t, "priority")
		r.Channel = rapid.SampledFrom([]string{"email", "phone", "chat"}).Draw(t, "channel")
		r.Flags = rapid.SliceOfNDistinct(rapid.SampledFrom(base.Flags), 0, 2, rapid.ID).Draw(t, "flags")
		r.Complainant.Email = rapid.SampledFrom([]string{"", "a@example.org", "Zhang@mail.Example.cn", "odd"}).Draw(t, "email")
		r.Complainant.Language = rapid.SampledFrom([]string{"", "zh", "en"}).Draw(t, "language")
		r.Number = rapid.StringMatching(`2611[0-9]{8}`).Draw(t, "number")
		r.Narrative = strings.Join(rapid.SliceOfN(rapid.SampledFrom(append(someTerms, "A1")), 0, 4).Draw(t, "words"), " ")
		r.AmountInvolved = rapid.SampledFrom([]string{"", "10.00", "2500"}).Draw(t, "amount")
		r.Facts = map[string]string{"repeat": rapid.SampledFrom([]string{"true", "", "false"}).Draw(t, "repeat"), "region": rapid.SampledFrom([]string{"north", "South", "east"}).Draw(t, "region")}
		return r
	})
}

func anyRules(t *rapid.T) Config {
	cfg := base
	for i := range rapid.IntRange(0, 12).Draw(t, "rules") {
		rule := RouteRule{Name: fmt.Sprint("r", i), When: anyCondition(2).Draw(t, "when"), With: rapid.SliceOfN(rapid.SampledFrom(append([]string{TypeDepartments}, base.Departments...)), 0, 2).Draw(t, "with")}
		rule.Then = rapid.SliceOfN(rapid.SampledFrom(base.Departments), 0, 3).Draw(t, "then")
		rule.To = rapid.SampledFrom(append([]string{TypeDepartment, ""}, base.Departments...)).Draw(t, "to")
		if rule.To == "" {
			rule.Shares = map[string]int{"FIN": rapid.IntRange(0, 3).Draw(t, "fin"), "CMO": 1, "LEGAL": rapid.IntRange(0, 1).Draw(t, "legal")}
		}
		cfg.Routes = append(cfg.Routes, rule)
	}
	if rapid.Bool().Draw(t, "conflicts") {
		cfg.Conflicts = map[string]When{"FIN": anyCondition(1).Draw(t, "fin"), "QSAFE": anyCondition(0).Draw(t, "qsafe")}
	}
	for range rapid.IntRange(0, 4).Draw(t, "floors") {
		cfg.Floors = append(cfg.Floors, Floor{Priority: rapid.SampledFrom(Priorities).Draw(t, "floor"), When: anyCondition(1).Draw(t, "when")})
	}
	return cfg
}

// Explain tries the rules one after another, Route looks them up: they must
// never disagree.
func TestExplainAndRouteAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, err := Compile(anyRules(t))
		if err != nil {
			t.Fatal(err)
		}
		rec := anyRecord().Draw(t, "record")
		e := r.Explain(rec)
		if got := r.Route(rec); !reflect.DeepEqual(got, e.Route) {
			t.Fatalf("routed to %+v, explained as %+v", got, e.Route)
		}
		best := "P4"
		for _, f := range e.Floors {
			if f.Held && f.Rule < best {
				best = f.Rule
			}
			if f.Held == (len(f.Failed) > 0) {
				t.Fatalf("%+v", f)
			}
		}
		if got, _ := r.Priority(rec); got != best {
			t.Fatalf("priority %s, explained as %s", got, best)
		}
		for i, one := range e.Tried {
			if one.Held != (i == len(e.Tried)-1 && e.Route.Rule != RuleDefault) || one.Held == (len(one.Failed) > 0) {
				t.Fatalf("%+v in %+v", one, e)
			}
		}
	})
}

// A rule that is called hidden may go: nothing changes for any record.
func TestShadowedRulesNeverDecide(t *testing.T) {
	found := 0
	rapid.Check(t, func(t *rapid.T) {
		r, err := Compile(anyRules(t))
		if err != nil {
			t.Fatal(err)
		}
		hidden := r.Shadowed()
		found += len(hidden)
		for range 20 {
			got := r.Route(anyRecord().Draw(t, "record")).Rule
			if i := slices.IndexFunc(hidden, func(s Shadow) bool { return s.Rule == got }); i >= 0 {
				t.Fatalf("%s decided, and is said to be hidden by %s", got, hidden[i].By)
			}
		}
	})
	if found == 0 {
		t.Error("nothing was ever hidden: nothing was tried")
	}
}

func TestShadowed(t *testing.T) {
	r := compile(t,
		RouteRule{Name: "wide", When: When{"type": []any{"BILLING", "REFUND"}}, To: "FIN"},
		RouteRule{Name: "narrow", When: When{"type": "REFUND", "priority": "P1"}, To: "CMO"},
		RouteRule{Name: "other", When: When{"type": "SAFETY"}, To: "QSAFE"},
		RouteRule{Name: "words", When: When{"text": When{"any": []any{"refund", "退款"}}}, To: "FIN"},
		RouteRule{Name: "fewer words", When: When{"text": When{"any": []any{"refund"}}, "channel": "email"}, To: "FIN"},
		RouteRule{Name: "own", When: When{}, To: TypeDepartment},
		RouteRule{Name: "behind own", When: When{"priority": "P2"}, To: "FIN"},
	)
	if got, want := fmt.Sprint(r.Shadowed()), "[{narrow wide} {fewer words words}]"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// manyRules are rules as a large company may have them: each with terms of its
// own, and a few fields beside.
func manyRules(n int) []RouteRule {
	rnd := rand.New(rand.NewPCG(1, 2))
	rules := make([]RouteRule, n)
	for i := range rules {
		w := When{"text": When{"any": []any{fmt.Sprintf("product%d", i), fmt.Sprintf("型号%d号", i)}}}
		switch rnd.IntN(4) {
		case 0:
			w["type"] = []any{base.Types[rnd.IntN(3)], base.Types[rnd.IntN(3)]}
		case 1:
			w["priority"] = []any{"P1", "P2"}
		case 2:
			w["from"] = When{"domain": fmt.Sprintf("shop%d.example.com", rnd.IntN(n))}
		}
		rules[i] = RouteRule{Name: fmt.Sprint("rule", i), When: w, To: base.Departments[rnd.IntN(4)]}
	}
	return rules
}

// BenchmarkRoute routes a record of usual length among more and more rules.
func BenchmarkRoute(b *testing.B) {
	for _, n := range []int{10, 100, 1_000, 10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			r := compile(b, manyRules(n)...)
			rec := record()
			rec.Narrative = strings.Repeat("The parcel never came, and nobody answers. 包裹没有收到，客服不理人。", 8) + fmt.Sprintf(" product%d ", n/2)
			b.ReportAllocs()
			for b.Loop() {
				r.Route(rec)
			}
		})
	}
}
