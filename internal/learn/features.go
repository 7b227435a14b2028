package learn

import "slices"

// The blocks of features. Each is scaled to a length of its own, so that the
// many letter n-grams don't drown the few words.
const (
	blockWords   = iota // a word, or a Chinese character
	blockRuns           // two or three words, two to four Chinese characters
	blockGaps           // two with something between
	blockLetters        // letters within a word: they survive typing errors and endings
	blocks
)

// blockScale is the length of each block, chosen by cross-validation on sets
// of many close labels in both languages.
var blockScale = [blocks]float64{blockWords: 1, blockRuns: 0.4, blockGaps: 0.2, blockLetters: 0.9}

// Lengths of n-grams.
const (
	minLetters = 2
	maxLetters = 5
	maxWords   = 3
	maxHan     = 4
	maxGap     = 2
)

// Marks that keep the kinds of features apart.
const (
	markRun     = 'w'
	markGap     = 'g'
	markLetters = 'c'
)

// gram is a feature as it stands in a text.
type gram struct {
	hash  uint64
	first uint16 // its first token
	last  uint16 // its last token; of letters within a word, the first of them, counted with the edge,
	most  uint8  // and how many
	block uint8
	times uint16 // how often it stands there; of letters, all words like its own together
}

// at is where a gram begins in the text, in runes.
func (t *text) at(g gram) int {
	at := int(t.tokens[g.first].at)
	if g.block == blockLetters {
		at += max(0, int(g.last)-1)
	}
	return at
}

// shown is what a person sees of a gram.
func (t *text) shown(g gram) string {
	first := t.tokens[g.first]
	switch g.block {
	case blockLetters:
		from := int(first.from) - 1 + int(g.last)
		return string(t.runes[from : from+int(g.most)])
	case blockGaps:
		last := t.tokens[g.last]
		return string(t.runes[first.from:first.to]) + " … " + string(t.runes[last.from:last.to])
	}
	out := string(t.runes[first.from:first.to])
	for _, next := range t.tokens[g.first+1 : g.last+1] {
		if !next.han {
			out += " "
		}
		out += string(t.runes[next.from:next.to])
	}
	return out
}

// cut lists the features of a text.
func (t *text) cut() {
	t.grams = slices.Grow(t.grams, len(t.tokens)*(max(maxWords, maxHan)+maxGap)+len(t.runes)*(maxLetters-minLetters+1))
	for i, next := range t.tokens {
		t.runs(i)
		for j := i + 2; j < len(t.tokens) && j <= i+1+maxGap; j++ {
			t.grams = append(t.grams, gram{
				hash:  mix(mix(markGap, next.stem), t.tokens[j].stem),
				first: uint16(i), last: uint16(j), block: blockGaps, times: 1,
			})
		}
		if !next.han && next.times > 0 {
			t.letters(i)
		}
	}
}

// runs adds what begins with a token: it alone, and with those that follow.
func (t *text) runs(first int) {
	most := maxWords
	if t.tokens[first].han {
		most = maxHan
	}
	h, block := uint64(markRun), uint8(blockWords)
	for i := first; i < min(first+most, len(t.tokens)); i++ {
		h = mix(h, t.tokens[i].stem)
		t.grams = append(t.grams, gram{hash: h, first: uint16(first), last: uint16(i), block: block, times: 1})
		block = blockRuns
	}
}

// letters adds the n-grams of letters of a word, with its edges. What stands
// in a text several times is cut once.
func (t *text) letters(at int) {
	word := t.runes[t.tokens[at].from-1 : t.tokens[at].to+1]
	grams, times := t.grams, t.tokens[at].times
	for from := range word[minLetters-1:] {
		h := mix(markLetters, uint64(word[from]))
		for n, r := range word[from+1 : min(from+maxLetters, len(word))] {
			h = mix(h, uint64(r))
			grams = append(grams, gram{h, uint16(at), uint16(from), uint8(n + minLetters), blockLetters, times})
		}
	}
	t.grams = grams
}
