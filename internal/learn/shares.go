package learn

import "math"

// shares are how much each classifier's scores count. Their sizes also set how
// sure the probabilities are.
type shares struct {
	Margin float32 `json:"margin"`
	Net    float32 `json:"net"`
}

// mix appends the probabilities of both classifiers' scores to out, which is
// empty.
func (s shares) mix(out, margin, net []float32) []float32 {
	for l := range margin {
		out = append(out, s.Margin*margin[l]+s.Net*net[l])
	}
	softmax(out)
	return out
}

// fitShares finds the shares under which the held-out examples' own labels are
// likeliest: probabilities that come true as often as they say (temperature
// scaling, Guo et al., 2017, for two classifiers). It searches downhill from
// several places, in steps that get smaller.
func fitShares(h *held) shares {
	best, least := shares{}, math.Inf(1)
	for _, start := range []shares{{4, 0.1}, {1, 0.5}, {0.1, 0.5}} {
		s, loss := start, h.loss(start)
		for factor := float32(2); factor > 1.02; factor = root(factor) {
			for moved := true; moved; {
				moved = false
				for _, next := range []shares{{s.Margin * factor, s.Net}, {s.Margin / factor, s.Net}, {s.Margin, s.Net * factor}, {s.Margin, s.Net / factor}} {
					if l := h.loss(next); l < loss-1e-6 && inRange(next) {
						s, loss, moved = next, l, true
					}
				}
			}
		}
		if loss < least {
			best, least = s, loss
		}
	}
	return best
}

// inRange keeps the search from running away where the examples are too easy.
func inRange(s shares) bool {
	return s.Margin > 1e-3 && s.Margin < 50 && s.Net > 1e-3 && s.Net < 50
}

// loss is how surprised the shares are by the examples' labels, on average.
func (h *held) loss(s shares) float64 {
	sum := 0.0
	for i, y := range h.ys {
		sum -= math.Log(max(float64(s.mix(nil, h.margins[i], h.nets[i])[y]), 1e-12))
	}
	return sum / float64(len(h.ys))
}

func (h *held) accuracy(s shares) float64 {
	right := 0
	for i, y := range h.ys {
		p := s.mix(nil, h.margins[i], h.nets[i])
		best := 0
		for l := range p {
			if p[l] > p[best] {
				best = l
			}
		}
		if best == y {
			right++
		}
	}
	return float64(right) / float64(len(h.ys))
}
