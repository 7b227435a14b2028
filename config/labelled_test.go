package config

import (
	"bufio"
	"encoding/json"
	"os"
	"slices"
	"testing"

	"hearken/complaint"
)

// labelled is a complaint with what a person says it is.
type labelled struct {
	Subject  string   `json:"subject"`
	Text     string   `json:"text"`
	Type     string   `json:"type"`  // empty: not looked at
	Class    string   `json:"class"` // empty: complaint
	Priority string   `json:"priority"`
	Flags    []string `json:"flags"`
}

// readSet reads a file of JSON lines.
func readSet[T any](t testing.TB, path string) (out []T) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	for s.Scan() {
		var one T
		if err := json.Unmarshal(s.Bytes(), &one); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		out = append(out, one)
	}
	if err := s.Err(); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return out
}

// share counts how often something was right.
type share struct{ right, of int }

func (s *share) count(right bool) {
	s.of++
	if right {
		s.right++
	}
}

func (s share) value() float64 { return float64(s.right) / float64(max(s.of, 1)) }

// The example rules, with the classifier that comes with Hearken, sort
// complaints of both languages into 16 types; a guess would find 6 per cent.
// "first", "tuned" and "fresh" have been learnt from by now, so they only hold
// what was reached. What is found in words that nobody thought of "blind" tells:
// it was written by somebody who had not seen the keywords, and is measured, not
// read. Whoever tunes by it must write another. The floors are a little under what was
// seen.
func TestLabelledComplaints(t *testing.T) {
	rules, err := LoadRules("../rules.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, half := range []struct {
		name                             string
		types, priorities, flags, urgent float64
	}{
		{"first", 0.97, 0.96, 0.96, 1},
		{"tuned", 0.97, 0.96, 0.98, 1},
		{"fresh", 0.97, 0.95, 0.95, 1},
		{"blind", 0.79, 0.83, 0.80, 0.94},
	} {
		var types, priorities, flags, urgent share
		for _, c := range readSet[labelled](t, "testdata/complaints."+half.name+".jsonl") {
			got := rules.Apply(complaint.Contact{ID: "x", Channel: complaint.Email, Ref: "x", Subject: c.Subject, Text: c.Text})
			wrong := false
			if c.Class != "" {
				types.count(got.IntakeClass == c.Class)
				wrong = got.IntakeClass != c.Class
			} else {
				types.count(got.Type == c.Type)
				wrong = got.Type != c.Type
			}
			priorities.count(got.Priority == c.Priority)
			slices.Sort(got.Flags)
			slices.Sort(c.Flags)
			flags.count(slices.Equal(got.Flags, c.Flags))
			if c.Priority == "P1" {
				urgent.count(got.Priority == "P1")
			}
			if half.name == "tuned" && (wrong || got.Priority != c.Priority || !slices.Equal(got.Flags, c.Flags)) && testing.Verbose() {
				t.Logf("%s %s %v, got %s %s %s %v: %s %s", c.Type, c.Priority, c.Flags, got.IntakeClass, got.Type, got.Priority, got.Flags, c.Subject, c.Text)
			}
		}
		t.Logf("%s: type %.3f, priority %.3f, flags %.3f, P1 found %.3f", half.name, types.value(), priorities.value(), flags.value(), urgent.value())
		if types.value() < half.types || priorities.value() < half.priorities || flags.value() < half.flags || urgent.value() < half.urgent {
			t.Errorf("%s: type %.3f, priority %.3f, flags %.3f, P1 found %.3f; want at least %v", half.name, types.value(), priorities.value(), flags.value(), urgent.value(), half)
		}
	}
}
