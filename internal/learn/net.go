package learn

import (
	"context"
	"math"
	"math/rand/v2"
)

// Settings of the net, chosen by cross-validation on sets of many close
// labels in both languages. The small beginning matters most: words come to
// mean something only through the labels that they occur with.
const (
	netWidth   = 64
	netPasses  = 20 // through the examples, of few
	netFewer   = 14 // of manyTexts
	netStart   = 0.03
	netRate    = 0.05 // of the features' rows; AdaGrad's
	netTopRate = 0.02 // of the rest
	netDropIn  = 0.3  // share of the features left out in a step
	netDropOut = 0.2  // share of the units left out in a step
	netTiny    = 1e-4
)

// fullNet is a classifier with one hidden layer, as it is trained.
type fullNet struct {
	in     []float32 // by feature, then by unit
	inBias []float32
	out    []float32 // by unit, then by label
	bias   []float32
}

// trainNet learns by stochastic gradient descent, with rates after AdaGrad
// (Duchi et al., 2011): one for each feature's row, and for each other weight.
func trainNet(ctx context.Context, xs [][]cell, ys []int, features, labels int, random *rand.Rand) (*fullNet, error) {
	n := &fullNet{make([]float32, features*netWidth), make([]float32, netWidth), make([]float32, netWidth*labels), make([]float32, labels)}
	for i := range n.in {
		n.in[i] = float32(random.NormFloat64() * netStart)
	}
	for i := range n.out {
		n.out[i] = float32(random.NormFloat64() / math.Sqrt(netWidth))
	}
	t := netTrainer{
		fullNet: n, random: random, inSum: make([]float32, features),
		outSum: make([]float32, len(n.out)), inBiasSum: make([]float32, netWidth), biasSum: make([]float32, labels),
		p: make([]float32, labels),
	}
	order := random.Perm(len(xs))
	passes := netPasses
	if len(xs) >= manyTexts {
		passes = netFewer
	}
	for pass := range passes {
		random.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		t.decay = 1 - 0.9*float32(pass)/float32(passes)
		for _, i := range order {
			t.step(xs[i], ys[i])
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	return n, nil
}

// netTrainer is a net with what its training remembers.
type netTrainer struct {
	*fullNet
	random                            *rand.Rand
	decay                             float32   // of the rates
	inSum, outSum, inBiasSum, biasSum []float32 // squares of the slopes so far
	kept                              []cell
	hidden, back                      [netWidth]float32
	p                                 []float32
}

// step learns from one example.
func (t *netTrainer) step(x []cell, y int) {
	t.forward(x)
	softmax(t.p)
	t.p[y]-- // now the slope of the loss
	rate := netTopRate * t.decay
	t.back = [netWidth]float32{}
	for u, h := range &t.hidden {
		if h == 0 {
			continue
		}
		row, sums := t.out[u*len(t.p):(u+1)*len(t.p)], t.outSum[u*len(t.p):(u+1)*len(t.p)]
		var back float32
		for l, g := range t.p {
			back += row[l] * g
			slope := g * h
			sums[l] += slope * slope
			row[l] -= rate * slope / (root(sums[l]) + netTiny)
		}
		t.back[u] = back / (1 - netDropOut)
	}
	for l, g := range t.p {
		descend(&t.bias[l], &t.biasSum[l], g, rate)
	}
	var square float32
	for u, g := range &t.back {
		square += g * g
		if g != 0 {
			descend(&t.inBias[u], &t.inBiasSum[u], g, rate)
		}
	}
	if square == 0 {
		return
	}
	for _, c := range t.kept {
		t.inSum[c.at] += square / netWidth * c.value * c.value
		step := netRate * t.decay * c.value / (root(t.inSum[c.at]) + netTiny)
		row := (*[netWidth]float32)(t.in[int(c.at)*netWidth:])
		for u, g := range &t.back {
			row[u] -= step * g
		}
	}
}

// forward leaves out some of the features and units, so that none relies on
// another, and computes the scores.
func (t *netTrainer) forward(x []cell) {
	t.kept = t.kept[:0]
	copy(t.hidden[:], t.inBias)
	for _, c := range x {
		if t.random.Float32() < netDropIn {
			continue
		}
		c.value /= 1 - netDropIn
		t.kept = append(t.kept, c)
		for u, w := range (*[netWidth]float32)(t.in[int(c.at)*netWidth:]) {
			t.hidden[u] += w * c.value
		}
	}
	for u, h := range &t.hidden {
		if h <= 0 || t.random.Float32() < netDropOut {
			t.hidden[u] = 0
		} else {
			t.hidden[u] = h / (1 - netDropOut)
		}
	}
	copy(t.p, t.bias)
	sumOutputs(t.hidden[:], t.out, t.p)
}

func descend(weight, sum *float32, slope, rate float32) {
	*sum += slope * slope
	*weight -= rate * slope / (root(*sum) + netTiny)
}

func root(x float32) float32 { return float32(math.Sqrt(float64(x))) }

// sumOutputs adds the scores that the hidden units give.
func sumOutputs(hidden, out, to []float32) {
	for u, h := range hidden {
		if h <= 0 {
			continue
		}
		for l, w := range out[u*len(to) : (u+1)*len(to)] {
			to[l] += w * h
		}
	}
}

// softmax turns scores into probabilities, in place.
func softmax(s []float32) {
	top := s[0]
	for _, x := range s {
		top = max(top, x)
	}
	var sum float32
	for i, x := range s {
		s[i] = float32(math.Exp(float64(x - top)))
		sum += s[i]
	}
	for i := range s {
		s[i] /= sum
	}
}
