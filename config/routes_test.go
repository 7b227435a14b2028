package config

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"hearken/complaint"
)

const manyFirms = `version: 1
calendars:
  business: {hours: ["09:00-12:00", "13:00-18:00"], holidays: [2026-10-01/2026-10-07], workdays: [2026-10-10]}
departments:
  FIN: {name: {en: Finance}}
  CS: {name: {en: Service}, conflict: {text: {any: [rude agent]}}}
  ACME: {name: {en: Acme}}
  CMO: {name: {en: Office}}
types:
  BILLING: {department: FIN, keywords: [{any: [charged]}]}
routes:
  - {name: late, when: {hours: {calendar: business, open: false}, text: {any: [night]}}, to: CMO, deadlines: {plan: 4h business}}
  - {name: own, when: {type: [BILLING]}, to: type.department}
  - {name: shared, when: {text: {any: [help]}}, to: {CS: 2, FIN: 1}, then: [CMO], unless_accepted_within: 2h business}
default: CS
office: CMO
max_returns: 1
tenants:
  acme:
    contact_points: [help@acme.example.com]
    routes: [{name: money, when: {type: [BILLING]}, to: ACME}, {name: angry, when: {text: {any: [angry]}}, to: CMO}]
    default: ACME
`

func TestCalendarsTenantsAndShares(t *testing.T) {
	rules, err := parseRules("r", []byte(manyFirms))
	if err != nil {
		t.Fatal(err)
	}
	at, err := time.Parse(time.RFC3339, "2026-10-09T20:00:00+08:00")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ to, text, want string }{
		{"help@acme.example.com", "I was charged", "ACME acme/money"},
		{"help@acme.example.com", "I am angry", "CMO acme/angry"},
		{"help@acme.example.com", "hello", "ACME acme/default"},
		{"help@acme.example.com", "last night", "CMO late"},
		{"support@example.com", "I was charged", "FIN own"},
		{"support@example.com", "hello", "CS default"},
		{"support@example.com", "a rude agent, help", "FIN shared"},
	} {
		got := rules.Apply(complaint.Contact{ID: "x", Channel: complaint.Email, Ref: "x", ContactPoint: c.to, Text: c.text, ReceivedAt: at})
		if is := got.Route.Department + " " + got.Route.Rule; is != c.want {
			t.Errorf("%s at %s: %s, want %s", c.text, c.to, is, c.want)
		}
		if got.Route.Rule == "late" && got.Route.Deadlines["plan"] != "2026-10-10T14:00:00+08:00" {
			t.Errorf("deadlines %v", got.Route.Deadlines)
		}
	}
	to := map[string]bool{}
	for i := range 30 {
		got := rules.Apply(complaint.Contact{ID: "x", Number: fmt.Sprint(i), Channel: complaint.Email, Ref: "x", Text: "help", ReceivedAt: at})
		to[got.Route.Department] = true
		if !slices.Equal(got.Route.Next, []string{"CMO"}) {
			t.Fatalf("%+v", got.Route)
		}
	}
	if !to["CS"] || !to["FIN"] || len(to) != 2 {
		t.Errorf("shared out to %v", to)
	}
	if w := rules.Warnings(at); len(w) != 0 {
		t.Errorf("warned of %q", w)
	}
	if w := rules.Warnings(at.AddDate(1, 0, 0)); len(w) != 1 || !strings.Contains(w[0], "calendar business has no holidays or workdays of 2027") {
		t.Errorf("warned of %q", w)
	}
	holds, err := rules.Where("{type: [BILLING]}")
	if err != nil || !holds(&complaint.Record{Type: "BILLING"}) || holds(&complaint.Record{Type: "OTHER"}) {
		t.Errorf("where: %v", err)
	}
	if _, err := rules.Where("{typ: [BILLING]}"); err == nil || !strings.Contains(err.Error(), "did you mean type?") {
		t.Errorf("where: %v", err)
	}
	if _, err := rules.Where("BILLING"); err == nil {
		t.Error("a word is no condition")
	}
}

func TestFaultsOfRoutesAreAtTheirPlace(t *testing.T) {
	bad := strings.NewReplacer(`"09:00-12:00"`, `"9-12"`, "to: {CS: 2, FIN: 1}", "to: {CS: x, FINN: 1}", "contact_points: [help@acme.example.com]", "contact_points: []", "4h business", "4h busines").Replace(manyFirms)
	_, err := parseRules("r", []byte(bad))
	for _, want := range []string{`r:3:`, `calendars.business.hours[0]: "9-12"`, "routes[2].to.CS: a weight is a whole number", `"FINN" is not one of the departments`, "tenants.acme.contact_points: must name", `"busines" is not one of the calendars`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v\nwant %s", err, want)
		}
	}
}

// A past complaint is shared out as it was, tried again.
func TestReplayedSharesAreTheSame(t *testing.T) {
	rules, err := parseRules("r", []byte(manyFirms))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 50 {
		first := rules.Apply(complaint.Contact{ID: fmt.Sprint("id", i), Number: fmt.Sprintf("2611230%05d", i), Channel: complaint.Email, Ref: "x", Text: "help"})
		if again := rules.Apply(Replay(first)); again.Route.Department != first.Route.Department {
			t.Fatalf("%s went to %s, and tried again to %s", first.Number, first.Route.Department, again.Route.Department)
		}
	}
}

func TestTenantsFaults(t *testing.T) {
	for _, c := range []struct{ was, is, says string }{
		{"name: money, when: {type: [BILLING]}", "name: money, when: {tpye: [BILLING]}", "r:21:35: tenants.acme.routes[0].when.tpye: no such field; did you mean type?"},
		{"conflict: {text: {any: [rude agent]}}", "conflict: {}", "departments.CS.conflict: always holds"},
		{"{name: money, ", "{", "tenants.acme.routes[0].name: a route needs a name"},
		{"    default: ACME\n", "    default: ACME\n  other: {contact_points: [HELP@acme.example.com]}\n", "r:23:28: tenants.other.contact_points[0]: HELP@acme.example.com is the tenant acme's already"},
	} {
		if _, err := parseRules("r", []byte(strings.Replace(manyFirms, c.was, c.is, 1))); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%v\nwant %s", err, c.says)
		}
	}
}

func TestIdleIsWarnedOf(t *testing.T) {
	text := strings.Replace(manyFirms, "default: CS\n", "  - {name: late too, when: {type: [BILLING], amount: {min: 5}}, to: CMO, then: [CMO]}\ndefault: CS\n", 1)
	rules, err := parseRules("r", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	want := "[route late too can never decide: what fulfils it always fulfils own route late too: then names CMO, which leads already]"
	if got := fmt.Sprint(rules.Idle()); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}

// The lists of words are for conditions too, wherever they ask for a text.
func TestListsInConditions(t *testing.T) {
	text := `version: 1
words: {angry: [furious, livid], staff: [agent, clerk]}
departments: {CS: {conflict: {text: {any: "@staff ~ rude"}}}, LEGAL: {}, CMO: {}}
priorities: [{priority: P2, when: {text: {any: ["@angry", urgent]}}}]
routes:
  - {name: angry, when: {any: [{text: {any: ["@angry"]}}, {channel: [chat]}], not: {text: {any: ["@staff"]}}}, to: LEGAL}
  - {name: service, when: {text: {none: ["@angry"]}}, to: CS}
default: CMO
`
	rules, err := parseRules("r", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	for words, want := range map[string]string{
		"I am livid":            "P2 LEGAL angry",
		"livid with your clerk": "P2 CMO default",
		"hello":                 "P4 CS service",
		"the clerk was so rude": "P4 CMO default",
	} {
		got := rules.Apply(complaint.Contact{ID: "x", Channel: complaint.Email, Ref: "x", Text: words})
		if is := got.Priority + " " + got.Route.Department + " " + got.Route.Rule; is != want {
			t.Errorf("%s: %s, want %s", words, is, want)
		}
	}
	holds, err := rules.Where(`{text: {any: ["@angry"]}}`)
	if err != nil || !holds(&complaint.Record{Narrative: "furious"}) {
		t.Errorf("where: %v", err)
	}
}
