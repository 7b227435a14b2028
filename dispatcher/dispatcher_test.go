package dispatcher

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"hearken/complaint"
)

var base = Config{
	Departments: []string{"FIN", "CMO", "LEGAL", "QSAFE"}, Types: []string{"BILLING", "REFUND", "SAFETY"}, Flags: []string{"legal", "safety"},
	TypeDepartments: map[string]string{"BILLING": "FIN", "SAFETY": "QSAFE"}, Default: "CMO",
	Location: time.FixedZone("Asia/Shanghai", 8*3600),
}

func compile(t testing.TB, routes ...RouteRule) *Rules {
	t.Helper()
	cfg := base
	cfg.Routes = routes
	r, err := Compile(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func record() *complaint.Record {
	return &complaint.Record{
		Channel: "email", ContactPoint: "support@example.com", Type: "BILLING", SecondaryTypes: []string{"REFUND"}, Priority: "P2", Event: complaint.Registered,
		Flags: []string{"legal"}, Subject: "重复扣款", Narrative: "please refund 退款, order AB-12", AmountInvolved: "1999.50", Currency: "CNY", IntakeClass: "complaint",
		Complainant: complaint.Person{Email: "Zhang@mail.Example.cn", Language: "zh"}, Attachments: make([]complaint.Attachment, 2), RemedySought: []string{"refund"},
		Facts:      map[string]string{"repeat": "true", "customer": "vip, gold", "mailbox": "support"},
		ReceivedAt: time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC), // Monday 10:00 in Shanghai
	}
}

func TestFields(t *testing.T) {
	list := func(s ...any) []any { return s }
	for i, c := range []struct {
		when When
		want bool
	}{
		{nil, true},
		{When{"type": "BILLING"}, true}, {When{"type": list("REFUND")}, false}, {When{"any_type": list("REFUND")}, true},
		{When{"priority": list("P1", "P2")}, true}, {When{"priority": "P1"}, false},
		{When{"channel": "email"}, true}, {When{"channel": list("phone", "chat")}, false},
		{When{"flags": list("legal", "safety")}, true}, {When{"flags": "safety"}, false},
		{When{"event": "registered"}, true}, {When{"class": "praise"}, false},
		{When{"remedy": "refund"}, true}, {When{"contact_point": "SUPPORT@example.com"}, true}, {When{"language": list("en")}, false},
		{When{"customer": "gold"}, true}, {When{"customer": "silver"}, false}, {When{"repeat": true}, true}, {When{"repeat": false}, false}, {When{"automated": true}, false},
		{When{"attachments": true}, true}, {When{"attachments": false}, false}, {When{"attachments": When{"min": 2, "max": 2}}, true}, {When{"attachments": When{"min": 3}}, false},
		{When{"text": When{"any": list("x", "退款")}}, true}, {When{"text": When{"all": list("refund", "重复扣款")}}, true}, {When{"text": When{"all": list("refund", "x")}}, false},
		{When{"text": When{"none": list("refund")}}, false}, {When{"text": When{"none": "x", "any": "refunds"}}, false}, {When{"text": When{"regexp": `AB-\d+`}}, true},
		{When{"from": When{"domain": "example.cn"}}, true}, {When{"from": When{"domain": list("ample.cn")}}, false}, {When{"from": When{"address": "zhang@mail.example.cn"}}, true},
		{When{"amount": When{"min": 1999.5}}, true}, {When{"amount": When{"min": 2000}}, false}, {When{"amount": When{"max": 5000, "currency": "USD"}}, false},
		{When{"hours": When{"days": list("mon"), "from": "09:00", "to": "18:00"}}, true}, {When{"hours": When{"from": "18:00", "to": "09:00"}}, false},
		{When{"hours": When{"days": list("sun"), "from": "18:00", "to": "11:00"}}, true}, {When{"hours": When{"days": list("tue")}}, false},
		{When{"fact.mailbox": "support"}, true}, {When{"fact.line": list("x")}, false},
		{When{"any": list(When{"type": "REFUND"}, When{"priority": "P2"})}, true}, {When{"all": list(When{"type": "REFUND"}, When{"priority": "P2"})}, false},
		{When{"not": When{"type": "REFUND"}}, true}, {When{"type": "BILLING", "not": When{"flags": "legal"}}, false},
	} {
		r := compile(t, RouteRule{Name: "it", When: c.when, To: "LEGAL"})
		if got := r.Route(record()).Rule == "it"; got != c.want {
			t.Errorf("%d: %v: %v, want %v", i, c.when, got, c.want)
		}
	}
}

func TestRoute(t *testing.T) {
	r := compile(t,
		RouteRule{Name: "safety", When: When{"type": "SAFETY"}, To: "QSAFE"},
		RouteRule{Name: "big", When: When{"amount": When{"min": 1000}}, To: TypeDepartment, With: []string{"LEGAL", "FIN", "LEGAL"}, Deadlines: map[string]string{"plan": "2h", "resolve": "3d"}},
		RouteRule{Name: "by-type", To: TypeDepartment},
	)
	got := r.Route(record())
	want := complaint.Route{Department: "FIN", Collaborators: []string{"LEGAL"}, Rule: "big", Deadlines: map[string]string{"plan": "2026-11-23T12:00:00+08:00", "resolve": "2026-11-26T10:00:00+08:00"}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("route %+v, want %+v", got, want)
	}
	other := record()
	other.Type = "REFUND" // has no department of its own
	if got := r.Route(other); got.Department != "CMO" || got.Rule != RuleDefault {
		t.Errorf("a type without a department: %v", got)
	}
}

func TestPriority(t *testing.T) {
	cfg := base
	cfg.Floors = []Floor{
		{"P3", When{"type": []any{"BILLING"}}}, {"P1", When{"flags": []any{"safety"}}}, {"P2", When{"flags": []any{"legal"}}}, {"P2", When{"amount": When{"min": 1000}}},
	}
	r, err := Compile(cfg)
	if err != nil {
		t.Fatal(err)
	}
	p, why := r.Priority(record())
	if p != "P2" || !slices.Equal(why, []string{"flags [legal]: P2", "amount min 1000: P2"}) {
		t.Errorf("priority %s by %q", p, why)
	}
	if p, why := r.Priority(&complaint.Record{Type: "OTHER"}); p != "P4" || why != nil {
		t.Errorf("nothing holds: %s by %q", p, why)
	}
}

func TestCompileReportsAllFaults(t *testing.T) {
	cfg := base
	cfg.Default = "CM0"
	cfg.Floors = []Floor{{"P5", nil}}
	cfg.Routes = []RouteRule{
		{Name: "a", To: "FINN", With: []string{"X"}, Deadlines: map[string]string{"plan": "soon"}, When: When{
			"typ": "BILLING", "type": "BILING", "text": When{"any": []any{"-"}, "regexp": "("}, "hours": When{"from": "9"}, "amount": When{"min": "x"},
			"flags": 3, "repeat": "yes", "not": "x", "any": []any{}, "from": When{"adress": "x"}, "channel": []any{},
		}},
		{Name: "a", To: TypeDepartment},
	}
	_, err := Compile(cfg)
	var faults Faults
	if !errors.As(err, &faults) {
		t.Fatal(err)
	}
	for _, want := range []string{
		`default: "CM0" is not one of the departments; did you mean CMO?`, `priorities[0].priority: "P5"`, `routes[0].to: "FINN" is not one of the departments; did you mean FIN?`,
		"routes[0].with[0]", "routes[0].deadlines.plan", "routes[0].when.typ: no such field; did you mean type?", `routes[0].when.type[0]: "BILING"`,
		"routes[0].when.text.any[0]", "routes[0].when.text.regexp", "routes[0].when.hours.from", "routes[0].when.amount.min", "routes[0].when.flags", "routes[0].when.repeat",
		"routes[0].when.not", "routes[0].when.any", "routes[0].when.from.adress: no such key; did you mean address?", "routes[0].when.channel", "routes[1].name",
	} {
		if !slices.ContainsFunc(faults, func(f Fault) bool { return strings.HasPrefix(f.Error(), want) }) {
			t.Errorf("not reported: %s", want)
		}
	}
}

// anyWhen draws conditions that compile.
func anyWhen(depth int) *rapid.Generator[When] {
	leaf := rapid.OneOf(
		rapid.Map(rapid.SampledFrom(base.Types), func(s string) When { return When{"type": s} }),
		rapid.Map(rapid.SampledFrom(Priorities), func(s string) When { return When{"priority": s} }),
		rapid.Map(rapid.SampledFrom([]string{"退款", "refund", "nothing"}), func(s string) When { return When{"text": When{"any": s}} }),
		rapid.Just(When{}),
	)
	if depth == 0 {
		return leaf
	}
	return rapid.OneOf(leaf,
		rapid.Map(rapid.SliceOfN(anyWhen(depth-1), 1, 3), func(w []When) When {
			var list []any
			for _, one := range w {
				if len(one) > 0 {
					list = append(list, one)
				}
			}
			return When{"any": append(list, When{"repeat": true})}
		}),
		rapid.Map(anyWhen(depth-1), func(w When) When {
			return When{"not": When{"all": []any{When{"repeat": true}}}, "all": []any{When{"any": []any{When{"repeat": false}, When{"repeat": true}}}}}
		}),
	)
}

func TestLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var rules []RouteRule
		for i := range rapid.IntRange(0, 6).Draw(t, "rules") {
			rules = append(rules, RouteRule{Name: fmt.Sprint(i), When: anyWhen(2).Draw(t, "when"), To: rapid.SampledFrom(append([]string{TypeDepartment}, base.Departments...)).Draw(t, "to")})
		}
		rec := record()
		rec.Type = rapid.SampledFrom(append([]string{"OTHER"}, base.Types...)).Draw(t, "type")
		cfg := base
		cfg.Routes = rules
		before, err := Compile(cfg)
		if err != nil {
			t.Fatal(err)
		}
		got := before.Route(rec)
		if !slices.Contains(base.Departments, got.Department) {
			t.Fatalf("no department: %+v", got)
		}
		at := slices.IndexFunc(rules, func(r RouteRule) bool { return r.Name == got.Rule })
		if at < 0 {
			return
		}
		cfg.Routes = slices.Insert(slices.Clone(rules), at+1, RouteRule{Name: "later", To: "LEGAL"})
		after, err := Compile(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if again := after.Route(rec); fmt.Sprint(again) != fmt.Sprint(got) {
			t.Fatalf("a rule behind the match changed %v to %v", got, again)
		}
	})
}

// memory is a stream that fails on demand.
type memory struct {
	sync.Mutex
	in    []complaint.Delivery
	moved []complaint.Move
	dead  map[string]string
	fail  int
}

func (m *memory) trouble() error {
	m.Lock()
	defer m.Unlock()
	if m.fail > 0 {
		m.fail--
		return errors.New("redis is away")
	}
	return nil
}

func (m *memory) Read(ctx context.Context, most int) ([]complaint.Delivery, error) {
	if err := m.trouble(); err != nil {
		return nil, err
	}
	n := min(most, len(m.in))
	out := m.in[:n]
	m.in = m.in[n:]
	if n == 0 {
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
	return out, nil
}

func (m *memory) Move(_ context.Context, moves []complaint.Move) error {
	if err := m.trouble(); err != nil {
		return err
	}
	m.Lock()
	defer m.Unlock()
	m.moved = append(m.moved, moves...)
	return nil
}

func (m *memory) Dead(_ context.Context, d complaint.Delivery, reason string) error {
	m.Lock()
	m.dead[d.Entry] = reason
	m.Unlock()
	return m.trouble()
}

func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rules := compile(t, RouteRule{Name: "by-type", To: TypeDepartment})
		m := &memory{dead: map[string]string{}, fail: 3, in: []complaint.Delivery{
			{Entry: "1", Record: *record()},
			{Entry: "2", Err: errors.New("not a record")},
			{Entry: "3", Record: *record(), Current: &complaint.Route{Department: "LEGAL", Collaborators: []string{"CMO"}, Rule: "old"}},
		}}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- New(m, func() *Rules { return rules }, slog.New(slog.DiscardHandler)).Run(ctx) }()
		time.Sleep(time.Minute) // of the bubble's clock
		cancel()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if len(m.moved) != 2 || m.moved[0].Route.Department != "FIN" || m.moved[1].Route.Department != "LEGAL" || m.moved[1].Route.Rule != RuleThread {
			t.Errorf("moved %+v", m.moved)
		}
		if m.dead["2"] != "not a record" || len(m.dead) != 1 {
			t.Errorf("dead %v", m.dead)
		}
	})
}

func TestPanicIsADeadLetter(t *testing.T) {
	d := complaint.Delivery{Record: *record()}
	if _, err := decide(nil, &d); err == nil || !strings.Contains(err.Error(), "panic") {
		t.Errorf("routing without rules: %v", err)
	}
}

// TestFollowsWithoutBeingRoutedAgain: what comes after a complaint was routed
// anew goes there, and does not itself route it anew.
func TestFollowsWithoutBeingRoutedAgain(t *testing.T) {
	d := complaint.Delivery{Record: *record(), Current: &complaint.Route{Department: "FIN", Rule: "by-type", Again: "priority P4 to P3"}}
	d.Record.Event = complaint.Supplemented
	got, err := decide(compile(t, RouteRule{Name: "by-type", To: TypeDepartment}), &d)
	if err != nil || got.Department != "FIN" || got.Rule != RuleThread || got.Again != "" {
		t.Errorf("%+v, %v", got, err)
	}
}

// again: a transcript that brings the first words, or raises the priority,
// has its complaint routed again; whoever had it stays with it.
func TestTranscriptRoutesAgain(t *testing.T) {
	rules := compile(t, RouteRule{Name: "urgent", When: When{"priority": "P1"}, To: "QSAFE"}, RouteRule{Name: "by-type", To: TypeDepartment})
	had := complaint.Route{Department: "CMO", Collaborators: []string{"LEGAL"}, Rule: RuleDefault}
	for name, c := range map[string]struct {
		before, is string // priorities
		words      string // before
		transcript string
		again      string
		priority   string
		want       string
	}{
		"first words":                 {"P4", "P4", "", "true", "no words before", "P4", "FIN CMO,LEGAL"},
		"first words, lower priority": {"P2", "P4", "", "true", "no words before", "P2", "FIN CMO,LEGAL"},
		"raised":                      {"P4", "P1", "hello", "true", "priority P4 to P1", "P1", "QSAFE CMO,LEGAL"},
		"raised, and first words":     {"P3", "P1", "", "true", "priority P3 to P1", "P1", "QSAFE CMO,LEGAL"},
		"the same":                    {"P3", "P3", "hello", "true", "", "P3", "CMO LEGAL"},
		"lower":                       {"P3", "P4", "hello", "true", "", "P4", "CMO LEGAL"},
		"no transcript":               {"P4", "P1", "", "", "", "P1", "CMO LEGAL"},
	} {
		r := record()
		r.Priority, r.Facts = c.is, map[string]string{complaint.FactTranscript: c.transcript}
		d := &complaint.Delivery{Record: *r, Current: &had, Before: &complaint.Record{ID: "x", Priority: c.before, Narrative: c.words}}
		got, err := decide(rules, d)
		if err != nil {
			t.Fatal(err)
		}
		if to := got.Department + " " + strings.Join(got.Collaborators, ","); to != c.want || got.Again != c.again || d.Record.Priority != c.priority {
			t.Errorf("%s: %s, again %q, priority %s; want %s, %q, %s", name, to, got.Again, d.Record.Priority, c.want, c.again, c.priority)
		}
	}
}
