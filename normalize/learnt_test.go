package normalize

import (
	"testing"

	"hearken/complaint"
	"hearken/internal/learn"
)

// A classifier decides where it is sure enough and surer than the keywords;
// where they found nothing, half as sure is enough.
func TestConsult(t *testing.T) {
	m, err := learn.Train(t.Context(), []learn.Example{
		{Text: "loud noise at night", Label: "NOISE"}, {Text: "the noise is loud", Label: "NOISE"}, {Text: "noise all night", Label: "NOISE"},
		{Text: "the bill is wrong", Label: "BILLING"}, {Text: "a wrong bill", Label: "BILLING"}, {Text: "my bill is too high", Label: "BILLING"},
	}, learn.Options{})
	if err != nil {
		t.Fatal(err)
	}
	text := "noise at night"
	p := m.Predict(text).Probability
	for name, c := range map[string]struct {
		weight, threshold float64
		used              bool
	}{
		"keywords are surer":           {9, p * 0.9, p > 0.999},
		"keywords are less sure":       {0.1, p * 0.9, true},
		"less sure than the threshold": {0.1, p * 1.01, false},
		"nothing against it":           {0, p * 1.9, true},
		"too unsure even so":           {0, p * 2.1, false},
	} {
		cfg := Config{Learnt: m, Threshold: c.threshold, Types: []Type{
			{Code: "OTHERS", Keywords: []Keywords{{Any: []string{"nothing of it"}}}}, {Code: "NOISE"}, {Code: "BILLING"},
		}}
		if c.weight > 0 {
			cfg.Types[0].Keywords = []Keywords{{Any: []string{"night"}, Weight: c.weight}}
		}
		n, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		r := n.Record(complaint.Contact{Channel: complaint.Email, Text: text})
		if got := r.Classification.Learnt.Used; got != c.used {
			t.Errorf("%s: used %v at %.3f, keywords %.3f", name, got, p, r.Classification.Confidence)
		}
	}
}
