package learn

import (
	"context"
	"math/rand/v2"
	"runtime"
	"sync"
)

// Settings of the margin classifier.
const (
	marginCost   = 1.0 // of an example on the wrong side of its margin
	marginPasses = 10  // through the examples, for each label
)

// trainMargin learns a hyperplane for each label against all others, with the
// squared hinge loss, by dual coordinate descent (Hsieh et al., 2008). The
// weights are by feature, then by label; the biases stand behind them. Each
// label has its own random order, so the result doesn't depend on the number
// of processors.
func trainMargin(ctx context.Context, xs [][]cell, ys []int, features, labels int) (weights, bias []float32, err error) {
	weights, bias = make([]float32, features*labels), make([]float32, labels)
	squares := make([]float32, len(xs))
	for i, x := range xs {
		squares[i] = 1 // of the bias
		for _, c := range x {
			squares[i] += c.value * c.value
		}
	}
	next := make(chan int)
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for label := range next {
				w, b := trainPlane(xs, ys, label, squares, features, rand.New(rand.NewPCG(seed, uint64(label))))
				for f, x := range w {
					weights[f*labels+label] = x
				}
				bias[label] = b
			}
		})
	}
	for label := range labels {
		if ctx.Err() != nil {
			break
		}
		next <- label
	}
	close(next)
	workers.Wait()
	return weights, bias, ctx.Err()
}

func trainPlane(xs [][]cell, ys []int, label int, squares []float32, features int, random *rand.Rand) (w []float32, b float32) {
	w = make([]float32, features)
	alpha := make([]float32, len(xs))
	order := random.Perm(len(xs))
	const diagonal = 1 / (2 * marginCost)
	for range marginPasses {
		random.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		for _, i := range order {
			side := float32(-1)
			if ys[i] == label {
				side = 1
			}
			score := b
			for _, c := range xs[i] {
				score += w[c.at] * c.value
			}
			slope := side*score - 1 + diagonal*alpha[i]
			if slope >= 0 && alpha[i] == 0 {
				continue
			}
			moved := max(alpha[i]-slope/(squares[i]+diagonal), 0)
			step := (moved - alpha[i]) * side
			alpha[i] = moved
			for _, c := range xs[i] {
				w[c.at] += step * c.value
			}
			b += step
		}
	}
	return w, b
}
