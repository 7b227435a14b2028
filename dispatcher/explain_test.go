package dispatcher

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"hearken/complaint"
	"hearken/internal/calendar"
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
		rapid.Map(rapid.IntRange(0, 3000), func(n int) When { return When{"amount": When{"max": n, "currency": "CNY"}} }),
		rapid.Map(rapid.IntRange(0, 2), func(n int) When { return When{"attachments": When{"min": n, "max": n + 1}} }),
		rapid.Map(rapid.SampledFrom([][2]string{{"09:00", "18:00"}, {"18:00", "09:00"}, {"10:00", "12:00"}, {"22:00", "02:00"}}), func(h [2]string) When {
			return When{"hours": When{"from": h[0], "to": h[1], "days": []any{"mon", "fri", "sat"}}}
		}),
		rapid.Map(rapid.Bool(), func(open bool) When { return When{"hours": When{"calendar": "business", "open": open}} }),
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
		r.ReceivedAt = r.ReceivedAt.Add(time.Duration(rapid.IntRange(0, 7*24*60).Draw(t, "minutes")) * time.Minute)
		r.Attachments = make([]complaint.Attachment, rapid.IntRange(0, 4).Draw(t, "files"))
		r.Currency = rapid.SampledFrom([]string{"CNY", "EUR"}).Draw(t, "currency")
		r.AmountInvolved = rapid.SampledFrom([]string{"", "10.00", "2500"}).Draw(t, "amount")
		r.Facts = map[string]string{"repeat": rapid.SampledFrom([]string{"true", "", "false"}).Draw(t, "repeat"), "region": rapid.SampledFrom([]string{"north", "South", "east"}).Draw(t, "region")}
		return r
	})
}

func anyRules(t *rapid.T) Config {
	cfg := base
	business, err := calendar.New(calendar.Config{Hours: []string{"09:00-18:00"}, Location: base.Location})
	if err != nil {
		t.Fatal(err)
	}
	cfg.Calendars = map[string]*calendar.Calendar{"business": business}
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
		cfg.Conflicts = map[string]When{"FIN": anyCondition(1).Draw(t, "fin"), "QSAFE": anyCondition(0).Draw(t, "qsafe"), cfg.Default: anyCondition(1).Draw(t, "default")}
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

// No department gets what complains about it, also by default, while there is
// another.
func TestNeverToWhomItComplainsAboutByAnyRules(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, err := Compile(anyRules(t))
		if err != nil {
			t.Fatal(err)
		}
		rec := anyRecord().Draw(t, "record")
		v := &view{Record: rec, rules: r}
		open := slices.ContainsFunc(r.cfg.Departments, func(code string) bool { return r.complainedAbout(code, v) == "" })
		got := r.Route(rec)
		for _, code := range append(got.Collaborators, got.Department) {
			if why := r.complainedAbout(code, v); open && why != "" {
				t.Fatalf("%+v: %s", got, why)
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
			rec := anyRecord().Draw(t, "record")
			for i := range r.floors {
				if impossible(&r.floors[i].when) && r.floors[i].when.test(&view{Record: rec, rules: r}) {
					t.Fatalf("priorities[%d] holds, and is said to be impossible", i)
				}
			}
			got := r.Route(rec).Rule
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

// What an admin would want to be told of, and what must not be said: the
// second of two rules can never decide, or can.
func TestShadowedByReasoning(t *testing.T) {
	night := When{"from": "22:00", "to": "06:00"}
	for _, c := range []struct {
		name          string
		first, second When
		hidden        bool
	}{
		{"a smaller amount", When{"amount": When{"min": 100}}, When{"amount": When{"min": 500}}, true},
		{"a larger amount", When{"amount": When{"min": 500}}, When{"amount": When{"min": 100}}, false},
		{"an amount within", When{"amount": When{"min": 100, "max": 900}}, When{"amount": When{"min": 200, "max": 300, "currency": "CNY"}}, true},
		{"another currency", When{"amount": When{"min": 100, "currency": "EUR"}}, When{"amount": When{"min": 200}}, false},
		{"more attachments", When{"attachments": true}, When{"attachments": When{"min": 3}}, true},
		{"an hour of the night", When{"hours": night}, When{"hours": When{"from": "23:00", "to": "05:00", "days": []any{"sat"}}}, true},
		{"an hour of the morning", When{"hours": night}, When{"hours": When{"from": "05:00", "to": "07:00"}}, false},
		{"not of another type", When{"not": When{"type": "SAFETY"}}, When{"type": "REFUND"}, true},
		{"not of the same", When{"not": When{"type": "SAFETY"}}, When{"type": []any{"REFUND", "SAFETY"}}, false},
		{"not of fewer", When{"not": When{"type": "SAFETY"}}, When{"not": When{"type": []any{"SAFETY", "REFUND"}}}, true},
		{"one of two", When{"any": []any{When{"type": "REFUND"}, When{"channel": "chat"}}}, When{"type": "REFUND", "priority": "P1"}, true},
		{"all of two", When{"flags": "legal"}, When{"all": []any{When{"flags": "legal"}, When{"repeat": true}}}, true},
		{"any of which all do", When{"channel": []any{"chat", "phone"}}, When{"any": []any{When{"channel": "chat", "repeat": true}, When{"channel": "phone"}}}, true},
		{"the same expression", When{"text": When{"regexp": "A[0-9]"}}, When{"text": When{"regexp": "A[0-9]"}, "type": "REFUND"}, true},
		{"fewer words missing", When{"text": When{"none": []any{"refund"}}}, When{"text": When{"none": []any{"refund", "parcel"}}}, true},
		{"itself: two types at once", When{"channel": "chat"}, When{"all": []any{When{"type": "REFUND"}, When{"type": "SAFETY"}}}, true},
		{"itself: a thing and its contrary", When{"channel": "chat"}, When{"flags": "legal", "not": When{"flags": "legal"}}, true},
		{"two flags at once", When{"channel": "chat"}, When{"all": []any{When{"flags": "legal"}, When{"flags": "safety"}}}, false},
	} {
		r := compile(t, RouteRule{Name: "first", When: c.first, To: "FIN"}, RouteRule{Name: "second", When: c.second, To: "CMO"})
		if got := r.Shadowed(); len(got) > 0 != c.hidden {
			t.Errorf("%s: %v", c.name, got)
		}
	}
	between := compile(t,
		RouteRule{Name: "mail", When: When{"channel": "email"}, To: "FIN"},
		RouteRule{Name: "calls", When: When{"channel": "phone"}, To: "FIN"},
		RouteRule{Name: "own", When: When{}, To: TypeDepartment},
		RouteRule{Name: "both", When: When{"channel": []any{"email", "phone"}}, To: "CMO"},
		RouteRule{Name: "too late", When: When{"type": "BILLING"}, To: "CMO"},
	)
	if got, want := fmt.Sprint(between.Shadowed()), "[{both mail, calls} {too late own}]"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestIdleFloors(t *testing.T) {
	cfg := base
	cfg.Floors = []Floor{
		{"P2", When{"type": []any{"BILLING", "REFUND"}}}, {"P3", When{"type": "REFUND", "repeat": true}}, {"P1", When{"type": "REFUND", "flags": "legal"}},
	}
	r, err := Compile(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprint(r.IdleFloors()), "[{repeat true, type [REFUND]: P3 type [BILLING, REFUND]: P2}]"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestSlips(t *testing.T) {
	cfg := base
	cfg.Routes = []RouteRule{{Name: "r", To: cfg.Default, Then: []string{"FIN", "FIN"}, With: []string{cfg.Default}, Accept: "30m"}}
	r, err := Compile(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if got := r.Slips(); len(got) != 3 {
		t.Errorf("%q", got)
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
