// Package learn sorts short texts into labels after examples that people have
// sorted. It hides what it looks at (words, pairs of words, letter and
// character n-grams, so Chinese needs no segmenter), two classifiers that
// disagree usefully (a margin for each label, and a small net in which words
// of like use come to mean the same), how their votes become a probability
// that can be believed, and the file that keeps it all. The same examples give
// the same model, on any number of processors.
package learn

import (
	"slices"
	"sync"
)

// Model is a trained classifier. It is safe for concurrent use.
type Model struct {
	Info
	vocabulary *vocabulary
	rows       rows      // of the vocabulary
	bias       []float32 // of the margins, by label
	net        smallNet
	share      shares
	done       sync.Pool // of *Reading: a text has hundreds of features, and texts come by the thousand
}

// smallNet is all nets together, as one that has all their units, but for the
// rows of the features.
type smallNet struct {
	inBias []float32 // by unit
	out    []float32 // by unit, then by label
	bias   []float32 // by label
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
	text   text
	vector vector
	scores scores
	reason reason
}

// Done gives the reading's memory to the next one. It must not be used after.
func (r *Reading) Done() { r.model.done.Put(r) }

// Read sorts a text, as Predict does, and can tell why.
func (m *Model) Read(text string) *Reading {
	r, _ := m.done.Get().(*Reading)
	if r == nil {
		r = &Reading{model: m}
	}
	r.text.split(text)
	r.vector.weigh(m.vocabulary, r.text.grams)
	m.score(&r.scores, r.vector.cells)
	p := r.scores.mix(m.share)
	best := 0
	for l := range p {
		if p[l] > p[best] {
			best = l
		}
	}
	r.Prediction = Prediction{m.Labels[best], float64(p[best])}
	return r
}

// Probability is how likely a label is, 0 to 1; 0 for one that the model does
// not have.
func (r *Reading) Probability(label string) float64 {
	l, known := slices.BinarySearch(r.model.Labels, label)
	if !known {
		return 0
	}
	return float64(r.scores.mixed[l])
}

// Among is the likeliest of some labels; the zero Prediction where there is
// none.
func (r *Reading) Among(some func(label string) bool) (best Prediction) {
	for l, label := range r.model.Labels {
		if p := float64(r.scores.mixed[l]); some(label) && (p > best.Probability || best.Label == "") {
			best = Prediction{label, p}
		}
	}
	return best
}

// scores are what the classifiers say of a text.
type scores struct {
	margin, net []float32 // by label
	hidden      []float32 // by unit of the net
	mixed       []float32 // the probabilities that come of both, by label
	sums        [parts]sums
}

func (s *scores) mix(share shares) []float32 {
	s.mixed = share.mix(s.mixed[:0], s.margin, s.net)
	return s.mixed
}

// score computes the scores of a text.
func (m *Model) score(s *scores, x []cell) {
	m.rows.addRows(&s.sums, x)
	s.margin, s.hidden, s.net = append(s.margin[:0], m.bias...), append(s.hidden[:0], m.net.inBias...), append(s.net[:0], m.net.bias...)
	s.sums[partMargin].addTo(s.margin)
	s.sums[partNet].addTo(s.hidden)
	sumOutputs(s.hidden, m.net.out, s.net)
}
