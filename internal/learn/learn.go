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
	"sync"
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
	done       sync.Pool // of *Reading: a text has hundreds of features, and texts come by the thousand
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
	r := m.Read(text)
	defer r.Done()
	return r.Prediction
}

// Reading is what a model made of a text.
type Reading struct {
	Prediction
	model  *Model
	grams  []gram
	rows   []int32 // of the grams in the vocabulary; -1 where it has none
	tokens []token
	x      []cell
	found  []int32
	hidden [][]float32 // of each net
}

// Done gives the reading's memory to the next one. It must not be used after.
func (r *Reading) Done() { r.model.done.Put(r) }

// Read sorts a text, as Predict does, and can tell why.
func (m *Model) Read(text string) *Reading {
	r, _ := m.done.Get().(*Reading)
	if r == nil {
		r = &Reading{model: m}
	}
	r.tokens = m.extractor.tokens(r.tokens[:0], text)
	r.grams = m.extractor.grams(r.grams[:0], r.tokens)
	r.rows = m.vocabulary.known(r.rows[:0], r.grams)
	r.x, r.found = m.vocabulary.vector(r.x[:0], r.found[:0], r.rows)
	r.hidden = r.hidden[:0]
	margin, net := m.scores(r.x, func(hidden []float32) { r.hidden = append(r.hidden, hidden) })
	p := m.share.mix(margin, net)
	best := 0
	for l := range p {
		if p[l] > p[best] {
			best = l
		}
	}
	r.Prediction = Prediction{m.Labels[best], float64(p[best])}
	return r
}

// scores are those of the margins and of the nets together; each net's hidden
// units are handed out on the way.
func (m *Model) scores(x []cell, units func([]float32)) (margin, net []float32) {
	margin, net = slices.Clone(m.bias), make([]float32, len(m.bias))
	m.margin.sum(x, margin)
	for i := range m.nets {
		n := &m.nets[i]
		hidden := slices.Clone(n.inBias)
		n.in.sum(x, hidden)
		n.logits(hidden, net)
		units(hidden)
	}
	return margin, net
}

// Explain tells what in the text spoke most for a label, the weightiest first.
// Of pieces that lie within each other one is told.
func (r *Reading) Explain(label string, most int) []Evidence {
	l, known := slices.BinarySearch(r.model.Labels, label)
	if !known {
		return nil
	}
	weight := r.contributions(l)
	all := make([]weighed, 0, len(r.x))
	told := make([]bool, len(r.x))
	for i, row := range r.rows {
		if row < 0 {
			continue
		}
		at, _ := slices.BinarySearchFunc(r.x, row, func(c cell, row int32) int { return cmp.Compare(c.at, row) })
		if !told[at] && weight[at] > 0 {
			told[at] = true
			all = append(all, weighed{i, weight[at]})
		}
	}
	slices.SortStableFunc(all, func(a, b weighed) int { return cmp.Compare(b.weight, a.weight) })
	var out []Evidence
	for _, w := range all {
		if len(out) == most {
			break
		}
		g := r.grams[w.gram]
		e := Evidence{g.shown(r.tokens), g.at(r.tokens), math.Round(float64(w.weight)*100) / 100}
		if !slices.ContainsFunc(out, func(o Evidence) bool { return within(e, o) || within(o, e) }) {
			out = append(out, e)
		}
	}
	return out
}

// weighed is one of a text's grams, and what it adds to a label's score.
type weighed struct {
	gram   int
	weight float32
}

func within(a, b Evidence) bool {
	return strings.Contains(strings.Trim(b.Text, "_"), strings.Trim(a.Text, "_"))
}

// contributions are what each feature of the text adds to a label's score
// above the average label. The net is taken as it responds at this text: exact
// but for its biases, since a unit that fires is linear.
func (r *Reading) contributions(label int) []float32 {
	m := r.model
	out := make([]float32, len(r.x))
	for i, c := range r.x {
		row := m.margin.row(c.at)
		sum := 0
		for _, v := range row {
			sum += int(int8(v))
		}
		above := float32(int8(row[label])) - float32(sum)/float32(len(row))
		out[i] = above * m.margin.scale[c.at] * c.value * m.share.Margin
	}
	labels := len(m.bias)
	slope := make([]float32, netWidth)
	for n, hidden := range r.hidden {
		net := &m.nets[n]
		clear(slope)
		for u, h := range hidden {
			if h > 0 {
				slope[u] = m.share.Net * above(net.out[u*labels:(u+1)*labels], label)
			}
		}
		for i, c := range r.x {
			out[i] += c.value * net.in.dot(c.at, slope)
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

// smallNet is a net as it is kept.
type smallNet struct {
	in     matrix
	inBias []float32
	out    []float32 // by unit, then by label
	bias   []float32
}

// logits adds the net's scores.
func (n *smallNet) logits(hidden, to []float32) { sumOutputs(hidden, n.out, n.bias, to) }
