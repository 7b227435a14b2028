package learn

import (
	"cmp"
	"math"
	"slices"
	"strings"
)

// Evidence is a piece of a text that spoke for a label: a word with the letters
// in it, a Chinese character, or several.
type Evidence struct {
	Text   string  `json:"text"`   // folded; "a … b" is two words with something between
	At     int     `json:"at"`     // where it begins, in runes of the text
	Weight float64 `json:"weight"` // what it added to the label's score, in logits above the average label
}

// Explain tells what in the text spoke most for a label, the weightiest first.
// Of pieces that lie within each other one is told.
func (r *Reading) Explain(label string, most int) []Evidence {
	l, known := slices.BinarySearch(r.model.Labels, label)
	if !known {
		return nil
	}
	all := r.byWord(r.contributions(l))
	for i := len(all)/2 - 1; i >= 0; i-- {
		all.sink(i)
	}
	var out []Evidence
	for len(out) < most && len(all) > 0 {
		w := all[0]
		all[0] = all[len(all)-1]
		all = all[:len(all)-1]
		all.sink(0)
		e := Evidence{r.text.shown(w.gram), r.text.at(w.gram), math.Round(float64(w.weight)*100) / 100}
		if !slices.ContainsFunc(out, func(o Evidence) bool { return within(e, o) || within(o, e) }) {
			out = append(out, e)
		}
	}
	return out
}

func within(a, b Evidence) bool {
	return strings.Contains(strings.Trim(b.Text, "_"), strings.Trim(a.Text, "_"))
}

// weighed is a piece of a text, and what it adds to a label's score.
type weighed struct {
	gram   gram
	weight float32
}

// byWord adds what the letters within a word say to what the word itself does:
// nobody can make anything of "hel". What speaks against the label is left out.
func (r *Reading) byWord(all heap) heap {
	why := &r.reason
	why.words = slices.Grow(why.words[:0], len(r.text.tokens))[:len(r.text.tokens)]
	clear(why.words)
	kept := all[:0]
	for _, w := range all {
		if w.gram.block == blockLetters || w.gram.block == blockWords {
			why.words[w.gram.first] += w.weight
		} else if w.weight > 0 {
			kept = append(kept, w)
		}
	}
	for token, weight := range why.words {
		if weight > 0 {
			kept = append(kept, weighed{gram{block: blockWords, first: uint16(token), last: uint16(token)}, weight})
		}
	}
	return kept
}

// heap has the weightiest at its top: few of hundreds are asked for.
type heap []weighed

// sink restores the order below i.
func (h heap) sink(i int) {
	for {
		top := i
		for _, c := range []int{2*i + 1, 2*i + 2} {
			if c < len(h) && h[c].before(h[top]) {
				top = c
			}
		}
		if top == i {
			return
		}
		h[i], h[top] = h[top], h[i]
		i = top
	}
}

func (w weighed) before(o weighed) bool {
	return cmp.Or(cmp.Compare(o.weight, w.weight), cmp.Compare(w.gram.first, o.gram.first), cmp.Compare(w.gram.last, o.gram.last), cmp.Compare(w.gram.block, o.gram.block)) < 0
}

// reason is room to find contributions in.
type reason struct {
	all     heap
	words   []float32 // by token
	slopes  []float32
	whole   []int32
	columns [parts]columns
	unit    [parts]float32 // what 1 of a row's sum stands for
}

// contributions are what the features of the text add to a label's score
// above the average label. The net is taken as it responds at this text: exact
// but for its biases, since a unit that fires is linear.
func (r *Reading) contributions(label int) heap {
	rows, why := &r.model.rows, &r.reason
	why.ofMargin(r.model, label)
	why.ofNet(r.model, r.scores.hidden, label)
	why.all = why.all[:0]
	margin, net := scaleBytes*parts, scaleBytes*parts+rows.widths[partMargin]
	for i, c := range r.vector.cells {
		row := rows.row(c.at)
		sum := why.unit[partMargin]*scale(row, partMargin)*float32(why.columns[partMargin].dot(row[margin:net])) +
			why.unit[partNet]*scale(row, partNet)*float32(why.columns[partNet].dot(row[net:]))
		why.all = append(why.all, weighed{r.text.grams[r.vector.gram[i]], sum * c.value})
	}
	return why.all
}

// ofMargin sets the columns by which a row's margin for a label lies above the
// average label's.
func (why *reason) ofMargin(m *Model, label int) {
	labels := len(m.Labels)
	why.whole = why.whole[:0]
	for range labels {
		why.whole = append(why.whole, -1)
	}
	why.whole[label] += int32(labels)
	why.columns[partMargin].set(why.whole)
	why.unit[partMargin] = m.share.Margin / float32(labels)
}

// ofNet does that for the net.
func (why *reason) ofNet(m *Model, hidden []float32, label int) {
	labels := len(m.Labels)
	why.slopes, why.whole = why.slopes[:0], why.whole[:0]
	most := float32(math.SmallestNonzeroFloat32)
	for u, h := range hidden {
		var slope float32
		if h > 0 {
			slope = above(m.net.out[u*labels:(u+1)*labels], label)
			most = max(most, slope, -slope)
		}
		why.slopes = append(why.slopes, slope)
	}
	unit := most / float32(maxColumn(len(hidden)))
	for _, s := range why.slopes {
		why.whole = append(why.whole, int32(s/unit))
	}
	why.columns[partNet].set(why.whole)
	why.unit[partNet] = m.share.Net * unit
}

// above is how far one value lies above the average.
func above(row []float32, at int) float32 {
	var sum float32
	for _, v := range row {
		sum += v
	}
	return row[at] - sum/float32(len(row))
}
