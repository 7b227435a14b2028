package main

import (
	"encoding/json"
	"encoding/xml"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"hearken/complaint"
	"hearken/config"
)

const smallRules = `version: 1
departments: {FIN: {}, CMO: {}, LEGAL: {}}
types:
  BILLING: {department: FIN, keywords: [{any: [overcharged, 多收]}]}
flags:
  legal: {any: [lawyer, 律师]}
priorities:
  - {priority: P2, when: {flags: [legal]}}
routes:
  - {name: legal, when: {flags: [legal]}, to: LEGAL}
  - {name: hidden, when: {flags: [legal], channel: [email]}, to: CMO}
  - {name: own, when: {}, to: type.department}
default: CMO
tests:
  - {name: billing, given: {text: I was overcharged}, expect: {department: FIN}}
`

// rulesSite is a folder with rules and an archive of three complaints.
func rulesSite(t *testing.T) func(name string) string {
	t.Helper()
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	var past []string
	for number, text := range map[string]string{"261123000012": "I was overcharged", "261123000036": "my lawyer says so", "261123000048": "nothing works"} {
		b, err := json.Marshal(complaint.Record{Schema: complaint.Schema, Number: number, Channel: complaint.Email, Narrative: text, ReceivedAt: time.Now()})
		if err != nil {
			t.Fatal(err)
		}
		past = append(past, string(b))
	}
	for name, text := range map[string]string{
		"rules.yaml":   smallRules,
		"new.yaml":     strings.Replace(smallRules, "default: CMO", "default: LEGAL", 1),
		"failing.yaml": strings.Replace(smallRules, "department: FIN, keywords", "department: CMO, keywords", 1),
		"past.jsonl":   strings.Join(past, "\n"),
		"one.json":     past[0],
		"mail.eml":     "From: ann@example.org\r\nSubject: bill\r\n\r\nI was overcharged\r\n\r\nOn Mon, 23 Nov 2026 at 10:00, S <s@example.com> wrote:\r\n> my lawyer\r\n",
		"more.yaml":    "tests:\n  - {name: law, given: {text: my lawyer}, expect: {department: LEGAL}}\n  - {name: wrong, given: {text: my lawyer}, expect: {department: FIN}}\n",
	} {
		if err := os.WriteFile(path(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

func TestRulesExplain(t *testing.T) {
	path := rulesSite(t)
	out, _ := command(t, 0, "rules", "explain", "-r", path("rules.yaml"), "I was overcharged")
	for _, want := range []string{"BILLING, P4, to FIN by own", `"overcharged" in the narrative`, "P2 would need flags [legal] (it has none)", "legal would need flags", "+ own: always, to FIN"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in:\n%s", want, out)
		}
	}
	// A mail's quoted words are not what it says.
	out, _ = command(t, 0, "rules", "explain", "-r", path("rules.yaml"), "--json", path("mail.eml"))
	var e config.Explanation
	if err := json.Unmarshal([]byte(out), &e); err != nil || e.Route.Department != "FIN" || e.Record.Narrative != "I was overcharged" {
		t.Errorf("%s, %v", out, err)
	}
	if out, _ = command(t, 0, "rules", "explain", "-r", path("rules.yaml"), path("one.json")); !strings.HasPrefix(out, "rules ") {
		t.Errorf("%s", out)
	}
	for _, missing := range []string{path("missing.eml"), "missing.txt"} {
		if _, errOut := command(t, exitFailed, "rules", "explain", "-r", path("rules.yaml"), missing); !strings.Contains(errOut, missing) || !strings.Contains(errOut, "words to explain") {
			t.Errorf("%s", errOut)
		}
	}
}

func TestRulesDiffAndCoverage(t *testing.T) {
	path := rulesSite(t)
	out, _ := command(t, 0, "rules", "diff", path("rules.yaml"), path("new.yaml"), "--archive", path("past.jsonl"))
	if !strings.Contains(out, "3 complaints tried, 1 change") || !strings.Contains(out, "CMO OTHER P4") || !strings.Contains(out, "-> LEGAL OTHER P4") || !strings.Contains(out, "2611 2300 0048") {
		t.Errorf("%s", out)
	}
	// Rules whose tests fail are the ones that need a trial.
	out, errOut := command(t, 0, "rules", "diff", path("rules.yaml"), path("failing.yaml"), "--archive", path("past.jsonl"))
	if !strings.Contains(out, "FIN BILLING P4") || !strings.Contains(errOut, "failing.yaml: some of its tests fail") {
		t.Errorf("%s%s", out, errOut)
	}
	out, _ = command(t, 0, "rules", "diff", path("rules.yaml"), path("rules.yaml"), "--archive", path("past.jsonl"), "--json")
	var none struct {
		Tried   int
		Changes []change
	}
	if err := json.Unmarshal([]byte(out), &none); err != nil || none.Tried != 3 || len(none.Changes) != 0 {
		t.Errorf("%s, %v", out, err)
	}
	out, _ = command(t, 0, "rules", "coverage", path("rules.yaml"), "--archive", path("past.jsonl"), "--json")
	var all []covered
	if err := json.Unmarshal([]byte(out), &all); err != nil {
		t.Fatal(err)
	}
	why := "what fulfils it always fulfils legal"
	want := []covered{
		{Kind: "route", Rule: "legal", Matched: 1, Held: 1}, {Kind: "route", Rule: "hidden", Held: 1, Hidden: "legal", Never: why},
		{Kind: "route", Rule: "own", Matched: 1, Held: 3, Tested: 1}, {Kind: "route", Rule: "default", Matched: 1},
		{Kind: "priority", Rule: "flags [legal]: P2", Matched: 1},
		{Kind: "type", Rule: "BILLING", Matched: 1, Tested: 1}, {Kind: "type", Rule: "OTHER", Matched: 2}, {Kind: "flag", Rule: "legal", Matched: 1},
	}
	if !reflect.DeepEqual(all, want) {
		t.Fatalf("%+v, want %+v", all, want)
	}
	if out, _ = command(t, 0, "rules", "coverage", path("rules.yaml"), "--archive", path("past.jsonl")); !strings.Contains(out, "can never decide: "+why) {
		t.Errorf("%s", out)
	}
	// With nothing to try them on, what follows from the file is told.
	out, said := command(t, 0, "rules", "coverage", path("rules.yaml"), "-c", path("none.yaml"))
	if !strings.Contains(out, "can never decide") || !strings.Contains(said, "only what follows from the file") {
		t.Errorf("%s%s", out, said)
	}
	_ = os.WriteFile(path("later.yaml"), []byte(strings.Replace(smallRules, "hidden, when: {flags: [legal], channel: [email]}", "later, when: {text: {any: [lawyer]}}", 1)), 0o600)
	if out, _ = command(t, 0, "rules", "coverage", path("later.yaml"), "--archive", path("past.jsonl")); !strings.Contains(out, "later  never decided, though it holds: legal 1 came first") {
		t.Errorf("%s", out)
	}
}

// Who is asked beside the lead, and by when, is a change too.
func TestRulesDiffShowsAllThatChanges(t *testing.T) {
	path := rulesSite(t)
	changed := strings.NewReplacer("to: LEGAL}", "to: LEGAL, with: [CMO], deadlines: {plan: 2h}}", "default: CMO", "default: FIN").Replace(smallRules)
	if err := os.WriteFile(path("new.yaml"), []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
	out, _ := command(t, 0, "rules", "diff", path("rules.yaml"), path("new.yaml"), "--archive", path("past.jsonl"))
	for _, want := range []string{"LEGAL OTHER P2 with []  -> LEGAL OTHER P2 with [CMO] plan", "CMO leads  1  -> 0  -1", "FIN leads  1  -> 2  +1"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
}

func TestRulesTestFormats(t *testing.T) {
	path := rulesSite(t)
	command(t, 0, "rules", "test", path("rules.yaml"))
	out, errOut := command(t, exitFailed, "rules", "test", path("rules.yaml"), "-t", path("more.yaml"), "--format", "tap")
	if !strings.HasPrefix(out, "TAP version 14\n1..3\nok 1 - billing\nok 2 - law\nnot ok 3 - wrong\n# department is \"LEGAL\"") || !strings.Contains(errOut, "1 of 3 tests fail") {
		t.Errorf("%s%s", out, errOut)
	}
	out, _ = command(t, exitFailed, "rules", "test", path("rules.yaml"), "-t", path("more.yaml"), "--format", "junit")
	var all junitSuites
	if err := xml.Unmarshal([]byte(out), &all); err != nil {
		t.Fatal(err)
	}
	if all.Tests != 3 || all.Failures != 1 || len(all.Suites) != 2 {
		t.Fatalf("%+v", all)
	}
	wrong := all.Suites[1].Cases[1]
	if wrong.Failure == nil || wrong.File != path("more.yaml") || wrong.Line != 3 || !strings.Contains(wrong.Failure.Message, `department is "LEGAL", expected "FIN"`) {
		t.Errorf("%+v", wrong)
	}
}

// A CI server reads the report, not the error: a file that can't be loaded is
// a test that fails.
func TestRulesTestOfABrokenFile(t *testing.T) {
	path := rulesSite(t)
	if err := os.WriteFile(path("broken.yaml"), []byte(strings.Replace(smallRules, "to: LEGAL", "to: LEGEL", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	out, _ := command(t, exitFailed, "rules", "test", path("broken.yaml"), "--format", "junit")
	var all junitSuites
	if err := xml.Unmarshal([]byte(out), &all); err != nil || all.Failures != 1 || !strings.Contains(all.Suites[0].Cases[0].Failure.Text, "did you mean LEGAL?") {
		t.Errorf("%s, %v", out, err)
	}
	if out, _ = command(t, exitFailed, "rules", "test", path("broken.yaml"), "--format", "tap"); !strings.Contains(out, "1..1\nnot ok 1 - the file can be loaded") {
		t.Error(out)
	}
}

func TestRulesTestWarnsAndChooses(t *testing.T) {
	path := rulesSite(t)
	out, said := command(t, 0, "rules", "test", path("rules.yaml"), "-t", path("more.yaml"), "--only", "^law$")
	if out != "ok   law\n1 passed, 0 failed\n" {
		t.Error(out)
	}
	if want := "warning: route hidden can never decide: what fulfils it always fulfils legal"; !strings.Contains(said, want) {
		t.Errorf("%s\nwant %s", said, want)
	}
	command(t, exitFailed, "rules", "test", path("rules.yaml"), "--only", "nothing")
}

// What amtool's `config routes test` does: the facts given, the outcome
// verified by the exit code.
func TestRulesExplainGivenAndExpected(t *testing.T) {
	path := rulesSite(t)
	out, _ := command(t, 0, "rules", "explain", "-r", path("rules.yaml"), "--given", "{text: I was overcharged, channel: phone}", "--expect", "{department: FIN}")
	if !strings.Contains(out, "to FIN by own") {
		t.Error(out)
	}
	_, said := command(t, exitFailed, "rules", "explain", "-r", path("rules.yaml"), "my lawyer", "--expect", "{department: FIN}")
	if !strings.Contains(said, `department is "LEGAL", expected "FIN"`) {
		t.Error(said)
	}
	command(t, exitUsage, "rules", "explain", "-r", path("rules.yaml"), "--given", "{txt: x}")
	command(t, exitUsage, "rules", "explain", "-r", path("rules.yaml"))
}

// A word that was not looked at is not found: the mail's notes say so.
func TestRulesExplainTellsWhatWasLeftOut(t *testing.T) {
	path := rulesSite(t)
	out, _ := command(t, 0, "rules", "explain", "-r", path("rules.yaml"), path("mail.eml"))
	for _, want := range []string{"note: quoted text or a signature was left out", "type BILLING, class complaint"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
}

// The tree says of each part of a condition whether it holds.
func TestRulesExplainIsATree(t *testing.T) {
	path := rulesSite(t)
	nested := strings.Replace(smallRules, "{name: own, when: {}, to: type.department}",
		"{name: own, when: {any: [{type: [BILLING], flags: [legal]}, {not: {channel: [email]}}], event: [registered]}, to: type.department}", 1)
	nested = nested[:strings.Index(nested, "tests:")]
	if err := os.WriteFile(path("nested.yaml"), []byte(nested), 0o600); err != nil {
		t.Fatal(err)
	}
	out, _ := command(t, 0, "rules", "explain", "-r", path("nested.yaml"), "I was overcharged")
	want := `    - any of
      - all of
        - flags [legal] (it has none)
        + type [BILLING]
      - not
        + channel [email]
    + event [registered]
`
	if !strings.Contains(out, want) {
		t.Errorf("%s\nwant\n%s", out, want)
	}
}
