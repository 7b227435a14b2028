package learn

import (
	"context"
	"math"
	"slices"
	"strings"
)

// Report says how well labels are found.
type Report struct {
	Texts    int     `json:"texts"`
	Accuracy float64 `json:"accuracy"` // share of the texts whose label was found
	MacroF1  float64 `json:"macro_f1"` // average over the labels, each counting the same
	// CalibrationError is by how much the probabilities miss the shares that
	// came true, on average (expected calibration error, ten bins).
	CalibrationError float64       `json:"calibration_error"`
	Labels           []LabelReport `json:"labels"`      // sorted
	Confusion        []Confusion   `json:"confusion"`   // what was taken for what; the most frequent first
	Calibration      []Bin         `json:"calibration"` // by probability
	Thresholds       []Threshold   `json:"thresholds"`
}

// LabelReport is how well one label is found.
type LabelReport struct {
	Label     string  `json:"label"`
	Texts     int     `json:"texts"`
	Precision float64 `json:"precision"` // of those called so, the share that are
	Recall    float64 `json:"recall"`    // of those that are, the share called so
	F1        float64 `json:"f1"`
}

// Confusion counts the texts of a label that were taken for another.
type Confusion struct {
	Label string `json:"label"`
	Taken string `json:"taken"`
	Texts int    `json:"texts"`
}

// Bin holds the predictions of one range of probability.
type Bin struct {
	From     float64 `json:"from"` // to 0.1 more
	Texts    int     `json:"texts"`
	Said     float64 `json:"said"` // their average probability
	CameTrue float64 `json:"came_true"`
}

// Threshold says what a threshold would let through.
type Threshold struct {
	At       float64 `json:"at"`
	Share    float64 `json:"share"`    // of the texts that are decided
	Accuracy float64 `json:"accuracy"` // of those
}

// Evaluate compares a model's predictions with the examples' labels. Labels
// that the model does not know count as missed.
func (m *Model) Evaluate(examples []Example) Report {
	got := make([]Prediction, len(examples))
	for i, e := range examples {
		got[i] = m.Predict(e.Text)
	}
	return NewReport(examples, got)
}

// CrossValidate trains on all but one of n parts, tries that one, for each
// part, and reports on all.
func CrossValidate(ctx context.Context, examples []Example, n int) (Report, error) {
	ys, labels := make([]int, len(examples)), map[string]int{}
	for i, e := range examples {
		if _, ok := labels[e.Label]; !ok {
			labels[e.Label] = len(labels)
		}
		ys[i] = labels[e.Label]
	}
	fold := folds(ys, n)
	got := make([]Prediction, len(examples))
	for f := range n {
		var rest []Example
		for i, e := range examples {
			if fold[i] != f {
				rest = append(rest, e)
			}
		}
		m, err := Train(ctx, rest, Options{})
		if err != nil {
			return Report{}, err
		}
		for i, e := range examples {
			if fold[i] == f {
				got[i] = m.Predict(e.Text)
			}
		}
	}
	return NewReport(examples, got), nil
}

// NewReport compares predictions with the labels of their examples.
func NewReport(examples []Example, got []Prediction) Report {
	r := Report{Texts: len(examples), Labels: []LabelReport{}, Confusion: []Confusion{}, Calibration: []Bin{}, Thresholds: []Threshold{}}
	type tally struct{ texts, called, right int }
	labels := map[string]*tally{}
	of := func(l string) *tally {
		if labels[l] == nil {
			labels[l] = &tally{}
		}
		return labels[l]
	}
	confused := map[Confusion]int{}
	right := 0
	for i, e := range examples {
		of(e.Label).texts++
		of(got[i].Label).called++
		if e.Label == got[i].Label {
			of(e.Label).right++
			right++
		} else {
			confused[Confusion{e.Label, got[i].Label, 0}]++
		}
	}
	r.Accuracy = ratio(right, len(examples))
	known := 0
	for l, t := range labels {
		one := LabelReport{l, t.texts, ratio(t.right, t.called), ratio(t.right, t.texts), ratio(2*t.right, t.called+t.texts)}
		r.Labels = append(r.Labels, one)
		if t.texts > 0 {
			known++
			r.MacroF1 += one.F1
		}
	}
	r.MacroF1 /= float64(max(known, 1))
	slices.SortFunc(r.Labels, func(a, b LabelReport) int { return strings.Compare(a.Label, b.Label) })
	for c, n := range confused {
		c.Texts = n
		r.Confusion = append(r.Confusion, c)
	}
	slices.SortFunc(r.Confusion, func(a, b Confusion) int {
		if a.Texts != b.Texts {
			return b.Texts - a.Texts
		}
		return strings.Compare(a.Label+"\x00"+a.Taken, b.Label+"\x00"+b.Taken)
	})
	r.calibration(examples, got)
	return r
}

const bins = 10

func (r *Report) calibration(examples []Example, got []Prediction) {
	all := make([]struct {
		texts, right int
		said         float64
	}, bins)
	for i, p := range got {
		b := &all[min(int(p.Probability*bins), bins-1)]
		b.texts++
		b.said += p.Probability
		if p.Label == examples[i].Label {
			b.right++
		}
	}
	for i, b := range all {
		if b.texts == 0 {
			continue
		}
		one := Bin{float64(i) / bins, b.texts, b.said / float64(b.texts), ratio(b.right, b.texts)}
		r.Calibration = append(r.Calibration, one)
		r.CalibrationError += math.Abs(one.Said-one.CameTrue) * ratio(b.texts, len(examples))
	}
	for _, at := range []float64{0.5, 0.6, 0.7, 0.8, 0.9, 0.95} {
		over, right := 0, 0
		for i, p := range got {
			if p.Probability >= at {
				over++
				if p.Label == examples[i].Label {
					right++
				}
			}
		}
		r.Thresholds = append(r.Thresholds, Threshold{at, ratio(over, len(examples)), ratio(right, over)})
	}
}

// ratio is a/b; 0 of nothing.
func ratio(a, b int) float64 {
	if b == 0 {
		return 0
	}
	return float64(a) / float64(b)
}
