package dispatcher

import (
	"reflect"
	"testing"
	"time"

	"hearken/complaint"
)

// FuzzRoute: whatever a customer sends, a record gets a department of the
// rules, and explaining tells the same as routing did.
func FuzzRoute(f *testing.F) {
	f.Add("重复扣款", "please refund 退款, order AB-12", "Zhang@mail.Example.cn", "1999.50", int64(1_790_000_000))
	f.Add("", "\xff\xfe包裹\u200b\u00ad A1", "a@b@c", "1e999999", int64(-1))
	f.Add("RE: refund", "ﬁre ½ ㎏", "@", "-0/0", int64(1<<40))
	f.Add("parcel", "a\x00b", "odd", "0x10", int64(0))
	when := []When{
		{"text": When{"any": []any{"退款", "refund"}, "none": []any{"parcel"}}, "from": When{"domain": []any{"example.cn"}}},
		{"amount": When{"min": 1000, "max": "5000"}, "hours": When{"days": []any{"mon", "fri"}, "from": "18:00", "to": "09:00"}},
		{"text": When{"all": []any{"包裹", "A1"}, "regexp": `(?i)[a-z]+-?\d`}},
		{"any": []any{When{"text": When{"any": "parcel"}}, When{"not": When{"from": When{"address": "a@b@c"}}}}, "amount": When{"currency": "CNY"}},
		{"not": When{"amount": When{"min": 0}}, "contact_point": "support@example.com"},
	}
	cfg := base
	for i, w := range when {
		cfg.Routes = append(cfg.Routes, RouteRule{Name: string(rune('a' + i)), When: w, To: base.Departments[i%len(base.Departments)]})
		cfg.Floors = append(cfg.Floors, Floor{Priority: Priorities[i%len(Priorities)], When: w})
	}
	rules, err := Compile(cfg)
	if err != nil {
		f.Fatal(err)
	}
	known := map[string]bool{}
	for _, d := range base.Departments {
		known[d] = true
	}
	f.Fuzz(func(t *testing.T, subject, text, email, amount string, at int64) {
		rec := &complaint.Record{Subject: subject, Narrative: text, AmountInvolved: amount, Currency: "CNY", Complainant: complaint.Person{Email: email}, ContactPoint: "support@example.com", ReceivedAt: time.Unix(at%(1<<40), 0)}
		got := rules.Route(rec)
		if !known[got.Department] {
			t.Fatalf("routed to %+v", got)
		}
		e := rules.Explain(rec)
		if !reflect.DeepEqual(got, e.Route) {
			t.Fatalf("routed to %+v, explained as %+v", got, e.Route)
		}
		best := "P4"
		for _, one := range e.Floors {
			if one.Held && one.Rule < best {
				best = one.Rule
			}
		}
		if p, _ := rules.Priority(rec); p != best {
			t.Fatalf("priority %s, explained as %s", p, best)
		}
	})
}
