package dispatcher

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"hearken/complaint"
	"hearken/internal/calendar"
)

func TestSharesAreTheirWeights(t *testing.T) {
	r := compile(t, RouteRule{Name: "all", Shares: map[string]int{"FIN": 3, "LEGAL": 1, "QSAFE": 0}})
	got := map[string]int{}
	const n = 4000
	for i := range n {
		rec := record()
		rec.Number = fmt.Sprintf("2611230%05d", i)
		to := r.Route(rec).Department
		got[to]++
		if again := r.Route(rec).Department; again != to {
			t.Fatalf("%s went to %s and to %s", rec.Number, to, again)
		}
	}
	if math.Abs(float64(got["FIN"])/n-0.75) > 0.05 || got["FIN"]+got["LEGAL"] != n {
		t.Errorf("shared out as %v", got)
	}
	why := r.Explain(record()).Tried[0].Note
	if !strings.Contains(why, "of 4, by the complaint's number") {
		t.Errorf("explained as %q", why)
	}
}

func TestNeverToWhomItComplainsAbout(t *testing.T) {
	cfg := base
	cfg.Conflicts = map[string]When{"FIN": {"text": When{"any": []any{"财务部"}}}}
	cfg.Routes = []RouteRule{
		{Name: "money", When: When{"type": "BILLING"}, To: "FIN"},
		{Name: "shared", When: When{"type": "REFUND"}, Shares: map[string]int{"FIN": 100, "LEGAL": 1}},
		{Name: "law", When: When{"type": "BILLING"}, To: "LEGAL", With: []string{"FIN", "CMO"}, Then: []string{"FIN", "QSAFE"}},
	}
	r, err := Compile(cfg)
	if err != nil {
		t.Fatal(err)
	}
	rec := record()
	if got := r.Route(rec); got.Department != "FIN" {
		t.Fatalf("without a conflict: %+v", got)
	}
	rec.Narrative = "财务部的人骂我"
	got := r.Route(rec)
	want := complaint.Route{Department: "LEGAL", Rule: "law", Collaborators: []string{"CMO"}, Next: []string{"QSAFE"}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	if e := r.Explain(rec); !strings.Contains(strings.Join(e.Tried[0].Failed, " "), "FIN is what is complained about: text.any [财务部]") {
		t.Errorf("explained as %q", e.Tried[0].Failed)
	}
	for i := range 50 {
		rec.Type, rec.Number = "REFUND", fmt.Sprint(i)
		if got := r.Route(rec); got.Department != "LEGAL" {
			t.Fatalf("its share was given to whom it complains about: %+v", got)
		}
	}
	if hidden := r.Shadowed(); len(hidden) > 0 {
		t.Errorf("a rule that may pass on hides none: %v", hidden)
	}
}

func TestDepartmentsOfAllTypes(t *testing.T) {
	r := compile(t, RouteRule{Name: "all", When: When{"any_type": "SAFETY"}, To: "QSAFE", With: []string{TypeDepartments, "LEGAL"}})
	rec := record()
	rec.Type, rec.SecondaryTypes = "BILLING", []string{"SAFETY", "REFUND"}
	if got := r.Route(rec); got.Department != "QSAFE" || !slices.Equal(got.Collaborators, []string{"FIN", "LEGAL"}) {
		t.Errorf("%+v", got)
	}
}

func asked(event, why string) *complaint.Delivery {
	rec := record()
	rec.Event = event
	return &complaint.Delivery{Record: *rec, Reason: why, By: "zh"}
}

func TestReturnedGoesToTheNextAndThenToTheOffice(t *testing.T) {
	cfg := base
	cfg.Default, cfg.Office = "LEGAL", "CMO"
	cfg.Routes = []RouteRule{{Name: "r", To: "FIN", Then: []string{"QSAFE"}}}
	r, err := Compile(cfg)
	if err != nil {
		t.Fatal(err)
	}
	at := r.Route(record())
	for _, want := range []string{"QSAFE", "LEGAL", "CMO", "CMO"} {
		before := at
		at = r.Again(asked(complaint.Returned, "not ours"), at)
		if at.Department != want || !strings.HasPrefix(at.Again, "returned by "+before.Department+": not ours") {
			t.Fatalf("from %s: %+v, want %s", before.Department, at, want)
		}
	}
	if !slices.Equal(at.Before, []string{"FIN", "QSAFE", "LEGAL"}) || !strings.HasSuffix(at.Again, "nobody else") || at.Rule != "r" {
		t.Errorf("in the end %+v", at)
	}
}

// A ticket system that says "not ours" twice says it of itself, not of the
// department that has the complaint now.
func TestReturnedTwiceByTheSame(t *testing.T) {
	r := compile(t, RouteRule{Name: "r", To: "FIN", Then: []string{"QSAFE"}})
	at := r.Route(record())
	d := asked(complaint.Returned, "not ours")
	d.By, d.Current = "FIN", &at
	second, err := askAgain(r, d)
	if err != nil || second.Department != "QSAFE" {
		t.Fatalf("%+v, %v", second, err)
	}
	d = asked(complaint.Returned, "not ours")
	d.By, d.Current = "FIN", &second
	if third, err := askAgain(r, d); err != nil || third.Department != "" || third.Rule != RuleThread {
		t.Errorf("QSAFE lost it by what FIN said: %+v, %v", third, err)
	}
}

// More of a complaint that was passed on follows it, and passes nothing on
// again: its route stays what it is.
func TestSupplementOfWhatWasPassedOn(t *testing.T) {
	r := compile(t, RouteRule{Name: "r", To: "FIN", Then: []string{"QSAFE"}})
	at := r.Again(asked(complaint.Returned, "not ours"), r.Route(record()))
	more := record()
	more.Event = complaint.Supplemented
	got, err := decide(r, &complaint.Delivery{Record: *more, Current: &at})
	if err != nil || got.Department != "QSAFE" || got.Rule != RuleThread || got.Again != "" {
		t.Errorf("%+v, %v", got, err)
	}
}

// What complains about the lead goes to the complaint office, what complains
// about who hears of it to the others; neither changes who leads.
func TestSupplementAboutItsLead(t *testing.T) {
	cfg := base
	cfg.Office = "CMO"
	cfg.Conflicts = map[string]When{"LEGAL": {"text": When{"any": "rude"}}, "FIN": {"text": When{"any": "greedy"}}, "QSAFE": {"text": When{"any": "greedy"}}}
	r, err := Compile(cfg)
	if err != nil {
		t.Fatal(err)
	}
	had := complaint.Route{Department: "LEGAL", Collaborators: []string{"FIN", "CMO", "QSAFE"}, Rule: "by-type", AcceptBy: "2026-11-23T10:00:00+08:00", Next: []string{"QSAFE"}}
	for words, want := range map[string]complaint.Route{
		"any news?":         {Department: "LEGAL", Collaborators: []string{"FIN", "CMO", "QSAFE"}, Rule: RuleThread, AcceptBy: had.AcceptBy, Next: had.Next},
		"they are rude":     {Department: "CMO", Collaborators: []string{"FIN", "QSAFE"}, Rule: RuleConflict},
		"so greedy":         {Department: "LEGAL", Collaborators: []string{"CMO"}, Rule: RuleThread, AcceptBy: had.AcceptBy, Next: had.Next},
		"rude, also greedy": {Department: "CMO", Collaborators: []string{}, Rule: RuleConflict},
	} {
		rec := record()
		rec.Event, rec.Narrative = complaint.Supplemented, words
		got, err := decide(r, &complaint.Delivery{Record: *rec, Current: &had})
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %+v, %v", words, got, err)
		}
	}
	if !slices.Equal(had.Collaborators, []string{"FIN", "CMO", "QSAFE"}) {
		t.Errorf("the complaint's route became %+v", had)
	}
}

// Nobody is waited for where there is nobody else.
func TestNobodyElseMayTakeItsTime(t *testing.T) {
	cfg := base
	cfg.Conflicts = map[string]When{cfg.Default: {"type": "BILLING"}, "LEGAL": {"type": "BILLING"}, "QSAFE": {"type": "BILLING"}}
	cfg.Routes = []RouteRule{{Name: "r", To: "FIN", Accept: "30m"}}
	r, err := Compile(cfg)
	if err != nil {
		t.Fatal(err)
	}
	at := r.Route(record())
	d := asked(complaint.Unaccepted, "")
	d.Current = &at
	if got, err := askAgain(r, d); err != nil || got.Department != "FIN" || got.AcceptBy != "" {
		t.Errorf("%+v, %v", got, err)
	}
}

// A recording whose words complain about who had the call: they hear no more
// of it.
func TestTranscriptAboutItsLead(t *testing.T) {
	cfg := base
	cfg.Conflicts = map[string]When{"LEGAL": {"text": When{"any": "rude"}}}
	r, err := Compile(cfg)
	if err != nil {
		t.Fatal(err)
	}
	rec := record()
	rec.Narrative, rec.Facts = "they were rude", map[string]string{complaint.FactTranscript: "true"}
	had := complaint.Route{Department: "LEGAL", Collaborators: []string{"FIN"}}
	got, err := decide(r, &complaint.Delivery{Record: *rec, Current: &had, Before: &complaint.Record{Priority: "P4"}})
	if err != nil || got.Department != "CMO" || !slices.Equal(got.Collaborators, []string{"FIN"}) {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestReturnsNoneAtAll(t *testing.T) {
	cfg := base
	cfg.Office, cfg.MaxReturns = "LEGAL", new(int)
	cfg.Routes = []RouteRule{{Name: "r", To: "FIN", Then: []string{"QSAFE"}}}
	r, err := Compile(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if got := r.Again(asked(complaint.Returned, ""), r.Route(record())); got.Department != "LEGAL" {
		t.Errorf("max_returns: 0 is none: %+v", got)
	}
}

// What a tenant's department returns stays with that tenant.
func TestReturnedStaysWithTheTenant(t *testing.T) {
	cfg := base
	acme := When{"contact_point": "help@acme.example.com"}
	cfg.Routes = []RouteRule{{Name: "acme/money", When: acme, To: "FIN"}, {Name: "acme/default", When: acme, To: "LEGAL", Fallback: true}}
	r, err := Compile(cfg)
	if err != nil {
		t.Fatal(err)
	}
	d := asked(complaint.Returned, "")
	d.Record.ContactPoint = "help@acme.example.com"
	if got := r.Again(d, r.Route(&d.Record)); got.Department != "LEGAL" {
		t.Errorf("%+v", got)
	}
}

func TestUnacceptedGoesOn(t *testing.T) {
	cal, err := calendar.New(calendar.Config{Hours: []string{"09:00-18:00"}, Location: base.Location})
	if err != nil {
		t.Fatal(err)
	}
	cfg := base
	cfg.Calendars = map[string]*calendar.Calendar{"business": cal}
	cfg.Routes = []RouteRule{{Name: "r", To: "FIN", Then: []string{"QSAFE"}, Accept: "30m business"}}
	r, err := Compile(cfg)
	if err != nil {
		t.Fatal(err)
	}
	friday := time.Date(2026, 11, 20, 17, 45, 0, 0, base.Location)
	at := r.Route(record())
	if got := r.AcceptBy(at, friday); got != "2026-11-23T09:15:00+08:00" {
		t.Errorf("to be accepted by %s", got)
	}
	for _, want := range []string{"QSAFE", "CMO"} {
		at = r.Again(asked(complaint.Unaccepted, ""), at)
		if at.Department != want || at.Returns != 0 || !strings.HasSuffix(at.Again, "in time") {
			t.Fatalf("%+v, want %s", at, want)
		}
	}
	if got := r.AcceptBy(at, friday); got != "" {
		t.Errorf("the office has to accept it by %s", got)
	}
}

func TestRedirectedAsksTheRulesAnew(t *testing.T) {
	r := compile(t, RouteRule{Name: "r", To: "FIN"})
	got := r.Again(asked(complaint.Redirected, "new rules"), complaint.Route{Department: "LEGAL", Rule: "old", Returns: 1})
	want := complaint.Route{Department: "FIN", Rule: "r", Again: "asked anew by zh: new rules", Before: []string{"LEGAL"}, Returns: 1}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// However often it is returned or left lying, a complaint has a known lead, is
// never given back to one that had it, and ends with the complaint office.
func TestPassingOnEnds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cfg := anyRules(t)
		cfg.Office = rapid.SampledFrom(base.Departments).Draw(t, "office")
		r, err := Compile(cfg)
		if err != nil {
			t.Fatal(err)
		}
		rec := anyRecord().Draw(t, "record")
		last := r.otherwise(&view{Record: rec, rules: r}, cfg.Office) // another where it complains about the office
		at := r.Route(rec)
		for range 2 * len(base.Departments) {
			d := &complaint.Delivery{Record: *rec}
			d.Record.Event = rapid.SampledFrom([]string{complaint.Returned, complaint.Unaccepted}).Draw(t, "event")
			next := r.Again(d, at)
			if !slices.Contains(base.Departments, next.Department) || next.Again == "" || slices.Contains(next.Collaborators, next.Department) {
				t.Fatalf("%+v after %+v", next, at)
			}
			if next.Department != last && slices.Contains(next.Before, next.Department) {
				t.Fatalf("back to one that had it: %+v", next)
			}
			at = next
		}
		if at.Department != last {
			t.Fatalf("it does not end: %+v", at)
		}
	})
}

func TestHoursOfACalendar(t *testing.T) {
	cal, err := calendar.New(calendar.Config{Hours: []string{"09:00-12:00", "13:00-18:00"}, Location: base.Location, Holidays: []string{"2026-11-23"}})
	if err != nil {
		t.Fatal(err)
	}
	cfg := base
	cfg.Calendars = map[string]*calendar.Calendar{"business": cal}
	cfg.Routes = []RouteRule{{Name: "in", When: When{"hours": When{"calendar": "business"}}, To: "FIN"}, {Name: "out", When: When{"hours": When{"calendar": "business", "open": false}}, To: "LEGAL", Deadlines: map[string]string{"plan": "2h business", "reply": "1d business"}}}
	r, err := Compile(cfg)
	if err != nil {
		t.Fatal(err)
	}
	rec := record()
	for at, want := range map[string]string{"2026-11-23T10:00:00+08:00": "out", "2026-11-24T10:00:00+08:00": "in", "2026-11-24T12:30:00+08:00": "out", "2026-11-28T10:00:00+08:00": "out"} {
		rec.ReceivedAt, _ = time.Parse(time.RFC3339, at)
		if got := r.Route(rec); got.Rule != want {
			t.Errorf("%s: %s, want %s", at, got.Rule, want)
		}
	}
	rec.ReceivedAt, _ = time.Parse(time.RFC3339, "2026-11-23T10:00:00+08:00")
	if got := r.Route(rec).Deadlines; got["plan"] != "2026-11-24T11:00:00+08:00" || got["reply"] != "2026-11-24T18:00:00+08:00" {
		t.Errorf("deadlines %v", got)
	}
}

func TestRepeat(t *testing.T) {
	rec := record()
	for facts, want := range map[string][3]bool{"": {false, true, false}, "1": {true, false, false}, "2": {true, false, true}} {
		rec.Facts = map[string]string{complaint.FactRepeats: facts}
		for i, w := range []When{{"repeat": true}, {"repeat": false}, {"repeat": When{"min": 2}}} {
			r := compile(t, RouteRule{Name: "it", When: w, To: "LEGAL"})
			if got := r.Route(rec).Rule == "it"; got != want[i] {
				t.Errorf("%q repeats and %v: %v", facts, w, got)
			}
		}
	}
}

func TestFaultsOfTargets(t *testing.T) {
	cfg := base
	cfg.Office = "CM"
	cfg.Conflicts = map[string]When{"FIN": {"typ": "x"}}
	cfg.Routes = []RouteRule{{Name: "a", Shares: map[string]int{"FIN": 0, "FOO": 0}, Then: []string{"BAR"}, Accept: "soon", Deadlines: map[string]string{"plan": "2h busines"}, When: When{"hours": When{"calendar": "x", "from": "09:00"}}}}
	_, err := Compile(cfg)
	for _, want := range []string{
		`routes[0].to.FOO: "FOO" is not one of the departments`, "routes[0].to: one weight", `routes[0].then[0]: "BAR"`, "routes[0].unless_accepted_within", `routes[0].deadlines.plan: "busines" is not one of the calendars`,
		`routes[0].when.hours.calendar: "x"`, "routes[0].when.hours: a calendar takes", `office: "CM"`, "departments.FIN.conflict.typ: no such field",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v\nwant %s", err, want)
		}
	}
}
