package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hearken/complaint"
	"hearken/internal/learn"
)

// model trains a small classifier and returns its file.
func model(t *testing.T, dir, other string) {
	t.Helper()
	var examples []learn.Example
	for i := range 8 {
		examples = append(examples,
			learn.Example{Text: fmt.Sprintf("the parrot screams all night %d", i), Label: "NOISE"},
			learn.Example{Text: fmt.Sprintf("鹦鹉整夜叫个不停 %d", i), Label: "NOISE"},
			learn.Example{Text: fmt.Sprintf("the bill shows a sum that I don't owe %d", i), Label: other},
			learn.Example{Text: fmt.Sprintf("账单的数目不对 %d", i), Label: other})
	}
	m, err := learn.Train(t.Context(), examples, learn.Options{})
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(filepath.Join(dir, "past.model"))
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Write(f); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

const withClassifier = `version: 1
departments: {A: {name: {en: A}}}
types:
  NOISE: {name: {en: Noise}, department: A, keywords: [{any: [loud]}]}
  BILLING: {name: {en: Billing}, department: A, keywords: [{any: [invoice]}]}
classifier: {model: past.model, threshold: %v}
routes: [{name: all, when: {}, to: A}]
default: A
`

func TestClassifier(t *testing.T) {
	dir := t.TempDir()
	model(t, dir, "BILLING")
	path := filepath.Join(dir, "rules.yaml")
	load := func(threshold float64) *Rules {
		t.Helper()
		if err := os.WriteFile(path, fmt.Appendf(nil, withClassifier, threshold), 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := LoadRules(path)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	given := complaint.Contact{ID: "x", Channel: complaint.Email, Ref: "x", Subject: "invoice", Text: "your parrot screams all night"}
	r := load(0.5).Apply(given)
	c := r.Classification
	if r.Type != "NOISE" || c.Learnt == nil || !c.Learnt.Used || c.Learnt.Model == "" || c.Confidence < 0.5 {
		t.Errorf("type %s, learnt %+v, confidence %v", r.Type, c.Learnt, c.Confidence)
	}
	if fmt.Sprint(r.SecondaryTypes) != "[BILLING]" {
		t.Errorf("what the keywords found is gone: %v", r.SecondaryTypes)
	}
	shown := false
	for _, m := range c.Matched {
		if m.Rule == "classifier" && m.Type == "NOISE" && m.Weight > 0 {
			first, _, _ := strings.Cut(strings.Trim(m.Term, "_"), " ")
			shown = shown || m.Field == "narrative" && strings.HasPrefix(r.Narrative[m.Offset:], first)
		}
	}
	if !shown {
		t.Errorf("no evidence at its place: %+v", c.Matched)
	}
	given.Text = "xyzzy"
	if r := load(0.99).Apply(given); r.Type != "BILLING" || r.Classification.Learnt.Used {
		t.Errorf("under its threshold the classifier decided: %s", r.Type)
	}
}

func TestClassifierFaults(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "rules.yaml")
	for name, c := range map[string]struct {
		setUp func()
		text  string
		want  string
	}{
		"no file":      {func() {}, fmt.Sprintf(withClassifier, 0.7), "rules.yaml:6:21: classifier.model: learnt model: open"},
		"threshold":    {func() {}, fmt.Sprintf(withClassifier, 7), "must lie between 0 and 1"},
		"no model":     {func() {}, strings.ReplaceAll(fmt.Sprintf(withClassifier, 0.7), "model: past.model, ", ""), "classifier.model: must name a file"},
		"unknown type": {func() { model(t, dir, "WEATHER") }, fmt.Sprintf(withClassifier, 0.7), `neither among types nor flags: WEATHER; add`},
		"no model file": {func() {
			if err := os.WriteFile(filepath.Join(dir, "past.model"), []byte("PK"), 0o600); err != nil {
				t.Fatal(err)
			}
		}, fmt.Sprintf(withClassifier, 0.7), "it is no learnt model"},
	} {
		_ = os.Remove(filepath.Join(dir, "past.model"))
		c.setUp()
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := LoadRules(path); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// A label that is a flag's name raises the flag, with its evidence, and leaves
// the type to the others.
func TestLearntFlag(t *testing.T) {
	dir := t.TempDir()
	model(t, dir, "farewell")
	text := strings.Replace(withClassifier, "routes:", "flags: {farewell: {any: [goodbye]}, loud: {any: [screams]}}\nroutes:", 1)
	path := filepath.Join(dir, "rules.yaml")
	if err := os.WriteFile(path, fmt.Appendf(nil, text, 0.5), 0o600); err != nil {
		t.Fatal(err)
	}
	rules, err := LoadRules(path)
	if err != nil {
		t.Fatal(err)
	}
	apply := func(text string) complaint.Record {
		return rules.Apply(complaint.Contact{ID: "x", Channel: complaint.Email, Ref: "x", Text: text})
	}
	r := apply("the bill shows a sum that I don't owe, and it screams")
	if fmt.Sprint(r.Flags) != "[farewell loud]" || r.Type != complaint.DefaultType || r.Classification.Learnt.Type != "NOISE" || r.Classification.Learnt.Used {
		t.Errorf("%s %v, learnt %+v", r.Type, r.Flags, r.Classification.Learnt)
	}
	told := 0
	for _, m := range r.Classification.Matched {
		if m.Rule == "classifier" && m.Flag == "farewell" && m.Type == "" && m.Weight > 0 {
			told++
		}
	}
	if told == 0 {
		t.Errorf("no evidence of it: %+v", r.Classification.Matched)
	}
	if r := apply("the parrot screams all night"); fmt.Sprint(r.Flags) != "[loud]" || r.Type != "NOISE" {
		t.Errorf("%s %v", r.Type, r.Flags)
	}
}

// One that knows flags alone has no opinion of the type.
func TestClassifierOfFlagsAlone(t *testing.T) {
	dir := t.TempDir()
	model(t, dir, "farewell")
	text := strings.Replace(fmt.Sprintf(withClassifier, 0.5), "routes:", "flags: {farewell: {any: [goodbye]}, NOISE: {any: [loud]}}\nroutes:", 1)
	text = strings.Replace(text, "  NOISE: {name", "  SOUND: {name", 1)
	path := filepath.Join(dir, "rules.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	rules, err := LoadRules(path)
	if err != nil {
		t.Fatal(err)
	}
	r := rules.Apply(complaint.Contact{ID: "x", Channel: complaint.Email, Ref: "x", Text: "the parrot screams all night"})
	if fmt.Sprint(r.Flags) != "[NOISE]" || r.Type != complaint.DefaultType || r.Classification.Learnt != nil {
		t.Errorf("%s %v, learnt %+v", r.Type, r.Flags, r.Classification.Learnt)
	}
}
