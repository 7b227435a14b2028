package learn

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
)

// Example is a text whose label somebody has decided.
type Example struct {
	Text  string
	Label string
}

// Bounds of a training: they keep it, and the file, at what one machine holds.
const (
	maxExamples = 1_000_000
	maxLabels   = 1000
	maxLabel    = 100 // bytes
)

const (
	seed      = 20260101 // any number; always the same
	netCount  = 3        // nets of other beginnings err otherwise
	holdFolds = 5        // parts of which each is held out in turn,
	holdMost  = 1500     // until as many examples have been
)

// Options are what a training can be told.
type Options struct {
	Features int // how many words and n-grams it may learn at most, the most frequent; 0 means MaxFeatures
}

// Train learns from examples. Of each label it needs two at least. It trains
// on parts first and tries itself on the rest, to know how much to believe
// which of its classifiers, and then on all.
func Train(ctx context.Context, examples []Example, o Options) (*Model, error) {
	set, err := newSet(examples)
	if err != nil {
		return nil, err
	}
	if o.Features < 0 || o.Features > MaxFeatures {
		return nil, fmt.Errorf("%d features: at most %d can be learnt", o.Features, MaxFeatures)
	}
	if o.Features > 0 {
		set.features = o.Features
	}
	held, err := set.held(ctx, holdFolds, holdMost)
	if err != nil {
		return nil, err
	}
	share := fitShares(held)
	m, err := set.fit(ctx, func(int) bool { return true })
	if err != nil {
		return nil, err
	}
	m.share = share
	m.Accuracy = held.accuracy(share)
	return m, nil
}

// set is the examples, ready to be learnt from.
type set struct {
	labels   []string // sorted
	texts    [][]gram
	ys       []int // index of the label, by text
	features int   // that may be learnt
}

func newSet(examples []Example) (*set, error) {
	if len(examples) > maxExamples {
		return nil, fmt.Errorf("%d examples: at most %d can be learnt from", len(examples), maxExamples)
	}
	s := &set{features: MaxFeatures}
	count := map[string]int{}
	for i, e := range examples {
		if strings.TrimSpace(e.Label) == "" || len(e.Label) > maxLabel {
			return nil, fmt.Errorf("example %d: its label must have 1 to %d bytes", i+1, maxLabel)
		}
		count[e.Label]++
	}
	var errs []error
	for l, n := range count {
		s.labels = append(s.labels, l)
		if n < 2 {
			errs = append(errs, fmt.Errorf("label %q has one example: it needs two at least", l))
		}
	}
	slices.Sort(s.labels)
	switch {
	case len(errs) > 0:
		slices.SortFunc(errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
		return nil, errors.Join(errs...)
	case len(s.labels) < 2 || len(s.labels) > maxLabels:
		return nil, fmt.Errorf("the examples have %d labels: 2 to %d can be told apart", len(s.labels), maxLabels)
	}
	var t text
	for _, e := range examples {
		y, _ := slices.BinarySearch(s.labels, e.Label)
		t.split(e.Text)
		s.texts, s.ys = append(s.texts, slices.Clone(t.grams)), append(s.ys, y)
	}
	return s, nil
}

// fit trains on the examples of which part is true. The shares are still to
// be set.
func (s *set) fit(ctx context.Context, part func(int) bool) (*Model, error) {
	var texts [][]gram
	var ys []int
	for i := range s.texts {
		if part(i) {
			texts, ys = append(texts, s.texts[i]), append(ys, s.ys[i])
		}
	}
	v := newVocabulary(texts, s.features)
	xs := make([][]cell, len(texts))
	var x vector
	for i, g := range texts {
		x.weigh(v, g)
		xs[i] = slices.Clone(x.cells)
	}
	m := &Model{
		Info:       Info{Labels: s.labels, Texts: len(texts), Features: v.size()},
		vocabulary: v,
	}
	var margin []float32
	nets := make([]*fullNet, netCount)
	group, ctx := errgroup.WithContext(ctx)
	for i := range nets {
		group.Go(func() (err error) {
			nets[i], err = trainNet(ctx, xs, ys, v.size(), len(s.labels), rand.New(rand.NewPCG(seed, uint64(i))))
			return err
		})
	}
	group.Go(func() (err error) {
		margin, m.bias, err = trainMargin(ctx, xs, ys, v.size(), len(s.labels))
		return err
	})
	if err := group.Wait(); err != nil {
		return nil, err
	}
	m.pack(margin, nets)
	return m, nil
}

// pack makes the rows, and one net of all.
func (m *Model) pack(margin []float32, nets []*fullNet) {
	labels := len(m.Labels)
	m.rows = newRows(labels, netWidth*len(nets))
	m.rows.bytes = make([]byte, m.Features*m.rows.stride)
	row := make([]float32, 0, netWidth*len(nets))
	for f := range m.Features {
		row = row[:0]
		for _, n := range nets {
			row = append(row, n.in[f*netWidth:(f+1)*netWidth]...)
		}
		m.rows.set(int32(f), partMargin, margin[f*labels:(f+1)*labels])
		m.rows.set(int32(f), partNet, row)
	}
	m.net.bias = make([]float32, labels)
	for _, n := range nets {
		m.net.inBias = append(m.net.inBias, n.inBias...)
		m.net.out = append(m.net.out, n.out...)
		for l, b := range n.bias {
			m.net.bias[l] += b
		}
	}
}

// held are the scores of examples by models that have not seen them.
type held struct {
	margins, nets [][]float32
	ys            []int
}

// held trains on all but one of n parts and scores that one, for one part
// after the other until there are scores enough.
func (s *set) held(ctx context.Context, n, enough int) (*held, error) {
	h := &held{}
	fold := folds(s.ys, n)
	for f := 0; f < n && len(h.ys) < enough; f++ {
		m, err := s.fit(ctx, func(i int) bool { return fold[i] != f })
		if err != nil {
			return nil, err
		}
		var x vector
		var got scores
		for i, g := range s.texts {
			if fold[i] == f {
				x.weigh(m.vocabulary, g)
				m.score(&got, x.cells)
				h.margins, h.nets, h.ys = append(h.margins, slices.Clone(got.margin)), append(h.nets, slices.Clone(got.net)), append(h.ys, s.ys[i])
			}
		}
	}
	return h, nil
}

// folds deals the examples into n parts, every label evenly.
func folds(ys []int, n int) []int {
	order := rand.New(rand.NewPCG(seed, uint64(n)<<32)).Perm(len(ys))
	slices.SortStableFunc(order, func(a, b int) int { return ys[a] - ys[b] })
	out := make([]int, len(ys))
	for i, at := range order {
		out[at] = i % n
	}
	return out
}
