// Package learn sorts short texts into labels after examples that people have
// sorted. It hides what it looks at (words, pairs of words, letter and
// character n-grams, so Chinese needs no segmenter), two classifiers that
// disagree usefully (a margin for each label, and a small net in which words
// of like use come to mean the same), how their votes become a probability
// that can be believed, and the file that keeps it all. The same examples give
// the same model, on any number of processors.
package learn

import (
	"cmp"
	"math"
	"slices"
	"strings"
)

// Model is a trained classifier. It is safe for concurrent use.
type Model struct {
	Info
	extractor  *extractor
	vocabulary *vocabulary
	margin     matrix
	bias       []float32 // of the margins, by label
	nets       []smallNet
	share      shares
}

// Info says what a model was made of.
type Info struct {
	Labels   []string `json:"labels"`   // sorted
	Texts    int      `json:"texts"`    // examples that it was trained on
	Features int      `json:"features"` // words and n-grams that it knows
	Accuracy float64  `json:"accuracy"` // on examples held out while it was trained
	Sum      string   `json:"-"`        // the beginning of the file's SHA-256; empty before it is written
}

// Prediction is a label with how likely it is.
type Prediction struct {
	Label       string  `json:"label"`
	Probability float64 `json:"probability"` // 0 to 1
}

// Evidence is a piece of a text that spoke for a label.
type Evidence struct {
	Text   string  `json:"text"`   // folded; "a … b" is two words with something between
	At     int     `json:"at"`     // where it begins, in runes of the text
	Weight float64 `json:"weight"` // what it added to the label's score, in logits above the average label
}

// Predict sorts a text. A text of which the model knows nothing gets a label
// all the same, with a low probability.
func (m *Model) Predict(text string) Prediction {
	p := m.probabilities(m.extractor.grams(text, false))
	best := 0
	for l := range p {
		if p[l] > p[best] {
			best = l
		}
	}
	return Prediction{m.Labels[best], float64(p[best])}
}

func (m *Model) probabilities(grams []gram) []float32 {
	margin, net := m.scores(m.vocabulary.vector(grams))
	return m.share.mix(margin, net)
}

func (m *Model) scores(x []cell) (margin, net []float32) {
	margin, net = slices.Clone(m.bias), make([]float32, len(m.bias))
	for _, c := range x {
		m.margin.add(c.at, c.value, margin)
	}
	for i := range m.nets {
		n := &m.nets[i]
		n.logits(n.hidden(x), net)
	}
	return margin, net
}

// Explain tells what in a text spoke most for a label, the weightiest first.
// Of pieces that lie within each other one is told.
func (m *Model) Explain(text, label string, most int) []Evidence {
	l, known := slices.BinarySearch(m.Labels, label)
	if !known {
		return nil
	}
	grams := m.extractor.grams(text, true)
	x := m.vocabulary.vector(grams)
	weight := m.contributions(x, l)
	var all []Evidence
	told := map[int32]bool{}
	for _, g := range grams {
		at, known := m.vocabulary.rows[g.hash]
		if known && !told[at] && weight[at] > 0 {
			told[at] = true
			all = append(all, Evidence{g.text, g.at, float64(weight[at])})
		}
	}
	slices.SortStableFunc(all, func(a, b Evidence) int { return cmp.Compare(b.Weight, a.Weight) })
	var out []Evidence
	for _, e := range all {
		if len(out) == most {
			break
		}
		if !slices.ContainsFunc(out, func(o Evidence) bool { return within(e, o) || within(o, e) }) {
			e.Weight = math.Round(e.Weight*100) / 100
			out = append(out, e)
		}
	}
	return out
}

func within(a, b Evidence) bool {
	return strings.Contains(strings.Trim(b.Text, "_"), strings.Trim(a.Text, "_"))
}

// contributions are what each feature adds to a label's score above the
// average label. The net is taken as it responds at this text: exact but for
// its biases, since a unit that fires is linear.
func (m *Model) contributions(x []cell, label int) map[int32]float32 {
	out := make(map[int32]float32, len(x))
	row := make([]float32, len(m.bias))
	for _, c := range x {
		clear(row)
		m.margin.add(c.at, c.value*m.share.Margin, row)
		out[c.at] += above(row, label)
	}
	for i := range m.nets {
		n := &m.nets[i]
		hidden := n.hidden(x)
		slope := make([]float32, len(hidden))
		for u, h := range hidden {
			if h > 0 {
				slope[u] = m.share.Net * above(n.out[u*len(row):(u+1)*len(row)], label)
			}
		}
		for _, c := range x {
			out[c.at] += c.value * n.in.dot(c.at, slope)
		}
	}
	return out
}

// above is how far one value lies above the average.
func above(row []float32, at int) float32 {
	var sum float32
	for _, v := range row {
		sum += v
	}
	return row[at] - sum/float32(len(row))
}

// matrix holds rows of weights in a byte each.
type matrix struct {
	width int
	scale []float32 // by row: what a weight of 1 stands for
	cells []int8
}

const maxCell = 127

func pack(full []float32, width int) matrix {
	m := matrix{width, make([]float32, len(full)/width), make([]int8, len(full))}
	for r := range m.scale {
		row := full[r*width : (r+1)*width]
		var most float32
		for _, v := range row {
			most = max(most, v, -v)
		}
		if most == 0 {
			continue
		}
		m.scale[r] = most / maxCell
		for i, v := range row {
			m.cells[r*width+i] = int8(math.Round(float64(v / m.scale[r])))
		}
	}
	return m
}

func (m *matrix) row(r int32) []int8 { return m.cells[int(r)*m.width : (int(r)+1)*m.width] }

// add adds a row times by.
func (m *matrix) add(r int32, by float32, to []float32) {
	by *= m.scale[r]
	row := m.row(r)
	to = to[:len(row)]
	for i, v := range row {
		to[i] += float32(v) * by
	}
}

func (m *matrix) dot(r int32, with []float32) float32 {
	var sum float32
	for i, v := range m.row(r) {
		sum += float32(v) * with[i]
	}
	return sum * m.scale[r]
}

// smallNet is a net as it is kept.
type smallNet struct {
	in     matrix
	inBias []float32
	out    []float32 // by unit, then by label
	bias   []float32
}

func (n *smallNet) hidden(x []cell) []float32 {
	h := slices.Clone(n.inBias)
	for _, c := range x {
		n.in.add(c.at, c.value, h)
	}
	return h
}

// logits adds the net's scores.
func (n *smallNet) logits(hidden, to []float32) { sumOutputs(hidden, n.out, n.bias, to) }
