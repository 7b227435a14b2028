package config

import (
	"cmp"
	"os"
	"strconv"
	"strings"
	"testing"
)

// formatted formats a text and holds the outcome to what a formatter owes: it
// says the same, has the same comments (Format looks at both itself), and
// formatting it again changes nothing.
func formatted(t *testing.T, text string) string {
	t.Helper()
	out, err := Format("rules.yaml", []byte(text))
	if err != nil {
		t.Fatalf("%v in:\n%s", err, text)
	}
	again, err := Format("rules.yaml", out)
	if err != nil || string(again) != string(out) {
		a, b := strings.Split(string(out), "\n"), strings.Split(string(again), "\n")
		i := 0
		for i < min(len(a), len(b)) && a[i] == b[i] {
			i++
		}
		t.Fatalf("formatted again (%v) it differs at line %d:\n%s\n--- and:\n%s\n--- of:\n%s", err, i+1, strings.Join(a[max(0, i-3):min(len(a), i+4)], "\n"), strings.Join(b[max(0, i-3):min(len(b), i+4)], "\n"), text)
	}
	return string(out)
}

func TestFormatExamples(t *testing.T) {
	for _, path := range []string{"../rules.example.yaml", "testdata/bad-rules/regexp.yaml"} {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		formatted(t, string(text))
	}
}

// drawn is how many files the tests below draw: HEARKEN_RULES=10000 (make
// rules) for many.
func drawn(t *testing.T) uint64 {
	n, err := strconv.ParseUint(cmp.Or(os.Getenv("HEARKEN_RULES"), "300"), 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Parse, format and parse again is the same, whatever the style.
func TestFormatAnyRules(t *testing.T) {
	for seed := range drawn(t) {
		g := newAnyRules(seed)
		formatted(t, g.write(g.tree()))
	}
}

// Whatever a file is, loading it ends with rules that route everything or with
// an error that names a line, and formatting it changes nothing but its form.
func TestAnyBrokenRules(t *testing.T) {
	loaded, faulty, unreadable := 0, 0, 0
	for seed := range drawn(t) {
		g := newAnyRules(seed)
		tree := g.tree()
		if g.odds(2) {
			tree = g.sound()
		}
		text := g.write(tree)
		if g.odds(2) {
			text = g.spoilt(text)
		}
		rules, err := parseRules("any.yaml", []byte(text))
		switch {
		case err == nil:
			loaded++
			if rules.Apply(ruleTest{}.contact()).Route.Department == "" {
				t.Fatalf("rules without a department for everything:\n%s", text)
			}
		case strings.Contains(err.Error(), "panic"):
			t.Fatalf("%v\n%s", err, text)
		default:
			faulty++
		}
		if _, err := Format("any.yaml", []byte(text)); err != nil {
			unreadable++
			continue
		}
		formatted(t, text)
	}
	t.Logf("%d were rules, %d had faults, %d could not be formatted", loaded, faulty, unreadable)
	if loaded == 0 || unreadable == 0 {
		t.Error("the files are all of one kind: not much was tried")
	}
}

func TestFormat(t *testing.T) {
	for name, c := range map[string][2]string{
		"keys, quotes and indentation": {
			"\ufeff\"default\": 'CMO'\r\ndepartments: {\"CMO\": {}, FIN: {name: {'zh': \"财务\"}}}\r\nversion:   1",
			"version: 1\ndepartments:\n  CMO: {}\n  FIN: {name: {zh: 财务}}\ndefault: CMO\n",
		},
		"what needs its quotes keeps them": {
			`flags: {a: {any: ['12315', "no", 'a: b', "#5", 'it''s', "true", "1e3", "2026-11-23", "09:00", "", "two\nlines", "\u200b", don't, "null"]}}`,
			"flags:\n  a:\n    any: [\"12315\", \"no\", \"a: b\", \"#5\", it's, \"true\", \"1e3\", \"2026-11-23\", \"09:00\", \"\", \"two\\nlines\",\n          \"\\u200b\", don't, \"null\"]\n",
		},
		"a short route is a line, a long one is not": {
			"routes:\n- to: FIN\n  when:\n    type:\n    - REFUND\n  name: short\n- name: long\n  when: {type: [REFUND, BILLING], text: {any: [a rather long phrase, another one that is long]}, priority: [P1, P2]}\n  to: FIN\n",
			"routes:\n  - {name: short, when: {type: [REFUND]}, to: FIN}\n  - name: long\n    when:\n      type: [REFUND, BILLING]\n      text: {any: [a rather long phrase, another one that is long]}\n      priority: [P1, P2]\n    to: FIN\n",
		},
		"comments go with what they are about": {
			"# the file\n\n# the default\ndefault: CMO # office\nroutes: # first match wins\n# - {name: off, to: CMO}\n- name: a # why\n  # not yet\n  to: FIN\n  # last of a\n-\n  # about b\n  to: FIN\n  name: b\n  # - {name: c}\n# the end\n",
			"# the file\n\nroutes:  # first match wins\n  # - {name: off, to: CMO}\n  - name: a  # why\n    # not yet\n    to: FIN\n    # last of a\n  # about b\n  - name: b\n    to: FIN\n    # - {name: c}\n# the default\ndefault: CMO  # office\n# the end\n",
		},
		"comments within brackets open them": {
			"flags:\n  legal: {any: [a, # first\n   b], except: [c]} # all\n",
			"flags:\n  legal:  # all\n    any:\n      - a  # first\n      - b\n    except: [c]\n",
		},
		"blank lines stay, one each": {
			"\n\nversion: 1\n\n\ndepartments:\n\n  CMO: {}\n\n  FIN: {}\n\ntypes: {}\n\n",
			"version: 1\n\ndepartments:\n  CMO: {}\n\n  FIN: {}\n\ntypes: {}\n",
		},
		"a block of lines stays one": {
			"tests:\n- {name: x}\n- given:\n     text: |\n        one\n\n          two # no comment\n  name: y\n",
			"tests:\n  - {name: x}\n  - name: \"y\"\n    given:\n      text: |\n        one\n\n          two # no comment\n",
		},
		"nothing":                   {"", ""},
		"only comments":             {"\n# one\n\n# two\n", "# one\n\n# two\n"},
		"unknown keys stay, behind": {"rotes: []\nversion: 1\n", "version: 1\nrotes: []\n"},
	} {
		if got := formatted(t, c[0]); got != c[1] {
			t.Errorf("%s:\n%s\nwant\n%s", name, got, c[1])
		}
	}
	for _, wrong := range []string{"a: [", "a: &x 1\nb: *x", "a: 1\na: 2"} {
		if out, err := Format("rules.yaml", []byte(wrong)); err == nil || !strings.Contains(err.Error(), "rules.yaml:") {
			t.Errorf("%q was formatted: %q, %v", wrong, out, err)
		}
	}
}
