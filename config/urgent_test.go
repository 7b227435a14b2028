package config

import (
	"os"
	"slices"
	"testing"

	"hearken/complaint"
)

// danger is a complaint, with whether it is one of life and limb.
type danger struct {
	Text  string   `json:"text"`
	P1    bool     `json:"p1"`
	Flags []string `json:"flags"`
	Why   string   `json:"why"`
}

// What endangers people is found where it is told in passing, in everyday words,
// and jokes and figures of speech are left alone. All sets were written to be
// hard; those of farewell are hints at it, half of them next to none. The tuned
// halves have been learnt from. The blind ones were not read, but measured
// several times: how many texts about danger the starter has was chosen so. The
// floors are a little under what was seen.
func TestUrgentComplaints(t *testing.T) {
	rules, err := LoadRules("../rules.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, half := range []struct {
		name          string
		found, called float64 // of those that are, the share called so; of those called so, the share that are
	}{
		{"urgent.tuned", 0.91, 0.86},
		{"urgent.blind", 0.75, 0.69},
		{"farewell.tuned", 0.98, 0.82},
		{"farewell.blind", 0.63, 0.79},
	} {
		var found, called share
		flags := map[string]*share{}
		for _, c := range readSet[danger](t, "testdata/"+half.name+".jsonl") {
			got := rules.Apply(complaint.Contact{ID: "x", Channel: complaint.Chat, Ref: "x", Text: c.Text})
			is := got.Priority == "P1"
			if c.P1 {
				found.count(is)
			}
			if is {
				called.count(c.P1)
			}
			if is != c.P1 && half.name == os.Getenv("SHOW") && testing.Verbose() {
				t.Logf("P1 %v, got %s %s %v (%s): %s", c.P1, got.Type, got.Priority, got.Flags, c.Why, c.Text)
			}
			for _, f := range c.Flags {
				if flags[f] == nil {
					flags[f] = new(share)
				}
				flags[f].count(slices.Contains(got.Flags, f))
			}
		}
		t.Logf("%s: P1 found %.3f, right %.3f", half.name, found.value(), called.value())
		for f, s := range flags {
			t.Logf("%s: flag %s found in %d of %d", half.name, f, s.right, s.of)
		}
		if found.value() < half.found || called.value() < half.called {
			t.Errorf("%s: P1 found %.3f, right %.3f; want at least %v", half.name, found.value(), called.value(), half)
		}
	}
}
