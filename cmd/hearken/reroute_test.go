package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"hearken/channels/phone/carrier"
	"hearken/complaint"
	"hearken/internal/redisserver/redistest"
)

// passRules route by what a text says.
const passRules = `version: 1
departments:
  CS: {name: {en: Service}}
  LOG: {name: {en: Logistics}}
  LEGAL: {name: {en: Legal}}
  CMO: {name: {en: Complaint office}}
types:
  DELIVERY: {department: LOG, keywords: [{any: [parcel]}]}
routes:
  - {name: parcels, when: {type: [DELIVERY]}, to: LOG, then: [CS], with: [LEGAL]}
  - {name: quick, when: {text: {any: [quick]}}, to: CS, then: [LEGAL], unless_accepted_within: 1s}
  - {name: taken, when: {text: {any: [taken]}}, to: CS, unless_accepted_within: 3s}
default: CMO
max_returns: 2
`

// entry is what a department's stream has.
type entry struct {
	stream, number, event, role string
	record                      complaint.Record
}

// entries reads all departments' streams.
func entries(t *testing.T, url string) (out []entry) {
	t.Helper()
	for _, dept := range []string{"CS", "LOG", "LEGAL", "CMO"} {
		lines, err := redisCLI(url, "XRANGE", "{complaints}:dept:"+dept, "-", "+")
		if err != nil {
			t.Fatal(err)
		}
		one := entry{stream: dept}
		for i := 0; i+1 < len(lines); i++ {
			switch v := lines[i+1]; lines[i] {
			case "number":
				one.number = v
			case "event":
				one.event = v
			case "role":
				one.role = v
			case "record":
				one.record = complaint.Record{}
				if err := json.Unmarshal([]byte(v), &one.record); err != nil {
					t.Fatal(err)
				}
				out = append(out, one)
			}
		}
	}
	return out
}

// TestPassingOn has departments return complaints, leave them lying, and an
// operator change the rules, against the real program and Redis.
func TestPassingOn(t *testing.T) {
	redis := redistest.Start(t)
	s := newSite(t, fmt.Sprintf("  phone:\n    - {name: hotline, account_sid: %s, auth_token: %s, numbers: [\"+14155550100\"]}\n", testAccount, testToken), redis.URL())
	rules := filepath.Join(s.dir, "rules.yaml")
	if err := os.WriteFile(rules, []byte(passRules), 0o600); err != nil {
		t.Fatal(err)
	}
	s.start()
	phones, err := carrier.New(carrier.Config{AccountSID: testAccount, AuthToken: testToken, Line: "http://" + s.http + "/phone/hotline"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { phones.Close() })
	await := func(what string, ok func([]entry) bool) []entry {
		t.Helper()
		for end := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
			all := entries(t, redis.URL())
			if ok(all) {
				return all
			}
			if time.Now().After(end) {
				t.Fatalf("no %s in %+v", what, all)
			}
		}
	}
	text := func(from, words string) (number string) {
		t.Helper()
		for end := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
			if _, err := phones.Text(t.Context(), from, "+14155550100", words); err == nil {
				break
			} else if time.Now().After(end) {
				t.Fatal(err)
			}
		}
		await(words, func(all []entry) bool {
			return slices.ContainsFunc(all, func(e entry) bool {
				number = e.number
				return e.event == complaint.Registered && e.record.Narrative == words
			})
		})
		return number
	}
	leads := func(all []entry, number string) (out []string) {
		for _, e := range all {
			if e.number == number && e.role == "lead" {
				out = append(out, e.stream+" "+e.event)
			}
		}
		slices.Sort(out)
		return out
	}
	hearken := func(args ...string) string {
		t.Helper()
		path, err := binary()
		if err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command(path, append(args, "-c", filepath.Join(s.dir, "config.yaml"))...).CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %v: %s", args, err, out)
		}
		return string(out)
	}

	// A complaint that two departments return ends with the complaint office.
	parcel := text("+8613800000001", "where is my parcel")
	hearken("update", parcel, "--status", "returned", "--by", "log", "--note", "we did not carry it")
	all := await("the next lead", func(all []entry) bool { return slices.Contains(leads(all, parcel), "CS rerouted") })
	for _, e := range all {
		if e.number == parcel && e.event == complaint.Rerouted && (e.record.Route.Department != "CS" || e.record.Route.Again != "returned by LOG: we did not carry it" || e.record.Narrative != "where is my parcel") {
			t.Errorf("%s was told %+v", e.stream, e.record.Route)
		}
	}
	if !slices.ContainsFunc(all, func(e entry) bool {
		return e.stream == "LOG" && e.event == complaint.Rerouted && e.role == "collaborator"
	}) {
		t.Errorf("who returned it does not hear that it is rid of it: %+v", all)
	}
	hearken("update", parcel, "--status", "returned", "--note", "nor did we")
	await("the office", func(all []entry) bool { return slices.Contains(leads(all, parcel), "CMO rerouted") })

	// What nobody takes goes on in time; what is taken stays.
	quick, taken := text("+8613800000002", "quick, please"), text("+8613800000003", "this is taken")
	hearken("update", taken, "--status", "in_progress")
	await("who comes next, and then the office", func(all []entry) bool {
		return slices.Equal(leads(all, quick), []string{"CMO rerouted", "CS registered", "LEGAL rerouted"})
	})

	// A changed rule moves what is open, once.
	changed := strings.Replace(passRules, "when: {text: {any: [taken]}}, to: CS", "when: {text: {any: [taken]}}, to: LEGAL", 1)
	if err := os.WriteFile(rules, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
	if out := hearken("reroute", "--where", "{text: {any: [taken]}}", "--dry-run"); !strings.Contains(out, "CS  -> LEGAL  by taken") || !strings.Contains(out, "1 would go elsewhere; nothing was moved") {
		t.Errorf("dry run: %s", out)
	}
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		if out := hearken("check"); strings.Contains(out, "rules in force: ok") && !strings.Contains(out, "WARNING") {
			break
		} else if time.Now().After(end) {
			t.Fatalf("the new rules are not in force: %s", out)
		}
	}
	hearken("reroute", "--where", "{text: {any: [taken]}}", "--reason", "new rules")
	await("the new lead", func(all []entry) bool {
		return slices.Equal(leads(all, taken), []string{"CS registered", "LEGAL rerouted"})
	})
	if out := hearken("reroute", "--where", "{text: {any: [taken]}}"); !strings.Contains(out, " 0 are on their way") {
		t.Errorf("again: %s", out)
	}
	if leads := leads(entries(t, redis.URL()), parcel); !slices.Equal(leads, []string{"CMO rerouted", "CS rerouted", "LOG registered"}) {
		t.Errorf("the parcel was led by %v", leads)
	}
}
