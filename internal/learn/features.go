package learn

import (
	"math"
	"slices"
	"strings"
	"unicode"

	"hearken/internal/terms"
)

// maxText bounds how much of a text is looked at, in runes: what a complaint
// is about stands at its beginning, and the cost must not depend on its
// writer.
const maxText = 1200

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
var blockScale = [blocks]float64{blockWords: 0.6, blockRuns: 0.2, blockGaps: 0.15, blockLetters: 0.9}

// Lengths of n-grams.
const (
	minLetters = 2
	maxLetters = 5
	maxWords   = 3
	maxHan     = 4
	maxGap     = 2
)

// gram is a feature as it stands in a text.
type gram struct {
	hash        uint64
	first, last int32  // its tokens; of letters within a word, both are it
	from        uint16 // of letters: the first of them, counted with the mark of the word's beginning,
	most        uint8  // and how many
	block       uint8
}

// at is where a gram begins in the text, in runes.
func (g gram) at(tokens []token) int {
	return tokens[g.first].at + max(0, int(g.from)-1)
}

// shown is what a person sees of a gram.
func (g gram) shown(tokens []token) string {
	switch g.block {
	case blockLetters:
		padded := []rune("_" + tokens[g.first].text + "_")
		return string(padded[g.from : g.from+uint16(g.most)])
	case blockGaps:
		return tokens[g.first].text + " … " + tokens[g.last].text
	}
	text := tokens[g.first].text
	for _, t := range tokens[g.first+1 : g.last+1] {
		if !t.han {
			text += " "
		}
		text += t.text
	}
	return text
}

// extractor makes features of texts. It is safe for concurrent use.
type extractor struct{ folder *terms.Folder }

func newExtractor() *extractor { return &extractor{terms.NewFolder()} }

// token is a word, or one Chinese character.
type token struct {
	text, stem string // folded; every digit is 0
	at         int
	han        bool
}

// tokens splits a text into words and Chinese characters, and appends them to
// out. What stands between two of them is left out.
func (e *extractor) tokens(out []token, text string) []token {
	var word []rune
	start := 0
	end := func() {
		if len(word) > 0 {
			w := string(word)
			out = append(out, token{text: w, stem: stem(w), at: start})
			word = word[:0]
		}
	}
	runes, places := e.folder.Fold(text, maxText)
	for i, r := range runes {
		switch {
		case r >= 0x2E80 && unicode.IsLetter(r):
			end()
			out = append(out, token{text: string(r), stem: string(r), at: places[i], han: true})
			continue
		case unicode.IsDigit(r):
			r = '0' // which number it is says nothing
		case unicode.IsLetter(r):
		case r == '\'' || r == '’':
			continue // don't and dont are one
		default:
			end()
			continue
		}
		if len(word) == 0 {
			start = places[i]
		}
		word = append(word, r)
	}
	end()
	return out
}

// stem takes off the endings of English that keep a word's meaning.
func stem(w string) string {
	for _, end := range []string{"ing", "ed", "es", "s", "e"} {
		s, ok := strings.CutSuffix(w, end)
		if !ok || len(s) < 3 || strings.HasSuffix(w, "ss") {
			continue
		}
		if n := len(s); n >= 4 && len(end) > 1 && s[n-1] == s[n-2] {
			s = s[:n-1] // topped: top
		}
		return strings.TrimSuffix(s, "e")
	}
	return w
}

// Marks that keep the kinds of features apart.
const (
	markRun     = 'w'
	markGap     = 'g'
	markLetters = 'c'
)

// FNV-1a, 64 bits.
const (
	fnvOffset = 14695981039346656037
	fnvPrime  = 1099511628211
)

// hash goes on with a part of a feature.
func hash(h uint64, part string) uint64 {
	for i := range len(part) {
		h = (h ^ uint64(part[i])) * fnvPrime
	}
	return closed(h)
}

// closed ends a part: no UTF-8 has this byte, so the parts stay apart.
func closed(h uint64) uint64 { return (h ^ 0xFF) * fnvPrime }

func marked(mark byte) uint64 { return (fnvOffset ^ uint64(mark)) * fnvPrime }

// grams appends the features of a text to out, repeats included.
func (e *extractor) grams(out []gram, tokens []token) []gram {
	room := 0
	for _, t := range tokens {
		room += max(maxWords, maxHan) + maxGap
		if !t.han {
			room += (maxLetters - minLetters + 1) * (len(t.text) + 1)
		}
	}
	out = slices.Grow(out, room)
	var starts []int
	for i, t := range tokens {
		out = runs(out, tokens, i)
		for j := i + 2; j < len(tokens) && j <= i+1+maxGap; j++ {
			out = append(out, gram{
				hash: hash(hash(marked(markGap), t.stem), tokens[j].stem), block: blockGaps,
				first: int32(i), last: int32(j),
			})
		}
		if !t.han {
			out, starts = letters(out, tokens, i, starts[:0])
		}
	}
	return out
}

// runs adds what begins with a token: it alone, and with those that follow.
func runs(out []gram, tokens []token, first int) []gram {
	most := maxWords
	if tokens[first].han {
		most = maxHan
	}
	h, block := marked(markRun), uint8(blockWords)
	for i := first; i < min(first+most, len(tokens)); i++ {
		h = hash(h, tokens[i].stem)
		out = append(out, gram{hash: h, block: block, first: int32(first), last: int32(i)})
		block = blockRuns
	}
	return out
}

// letters adds the n-grams of letters of a word; _ stands for its ends. It
// returns starts, which it needs room for, too.
func letters(out []gram, tokens []token, at int, starts []int) ([]gram, []int) {
	t := tokens[at]
	padded := "_" + t.text + "_"
	for i := range padded {
		starts = append(starts, i)
	}
	starts = append(starts, len(padded))
	for k := 0; k+minLetters < len(starts); k++ {
		h := marked(markLetters)
		for n := 1; n <= maxLetters && k+n < len(starts); n++ {
			end := starts[k+n]
			for i := starts[k+n-1]; i < end; i++ {
				h = (h ^ uint64(padded[i])) * fnvPrime
			}
			if n >= minLetters {
				out = append(out, gram{hash: closed(h), block: blockLetters, first: int32(at), last: int32(at), from: uint16(k), most: uint8(n)})
			}
		}
	}
	return out, starts
}

// vocabulary is what features are known, and how much each says.
type vocabulary struct {
	hashes []uint64 // by row, ascending
	block  []uint8
	rarity []float32 // the square root of the inverse document frequency
	rows   map[uint64]int32
}

// MaxFeatures bounds a model: 40,000 keep it near ten megabytes, and what is
// rarer adds nothing that can be measured.
const MaxFeatures = 40_000

// manyTexts is from how many examples on a feature must stand in two of them
// to be learnt. Of few examples every word is needed.
const manyTexts = 3000

func newVocabulary(texts [][]gram, most int) *vocabulary {
	type seen struct {
		texts, last int
		block       uint8
	}
	all := map[uint64]seen{}
	for i, grams := range texts {
		for _, g := range grams {
			if s := all[g.hash]; s.last != i+1 {
				all[g.hash] = seen{s.texts + 1, i + 1, g.block}
			}
		}
	}
	least := 1
	if len(texts) >= manyTexts {
		least = 2
	}
	v := &vocabulary{}
	for h, s := range all {
		if s.texts >= least {
			v.hashes = append(v.hashes, h)
		}
	}
	slices.SortFunc(v.hashes, func(a, b uint64) int { // the most frequent first; a fixed order
		if d := all[b].texts - all[a].texts; d != 0 {
			return d
		}
		if a < b {
			return -1
		}
		return 1
	})
	v.hashes = slices.Clone(v.hashes[:min(len(v.hashes), most)])
	slices.Sort(v.hashes)
	for _, h := range v.hashes {
		s := all[h]
		v.block = append(v.block, s.block)
		v.rarity = append(v.rarity, float32(math.Sqrt(math.Log(float64(1+len(texts))/float64(1+s.texts))+1)))
	}
	v.index()
	return v
}

func (v *vocabulary) index() {
	v.rows = make(map[uint64]int32, len(v.hashes))
	for i, h := range v.hashes {
		v.rows[h] = int32(i)
	}
}

// cell is one feature of a text with its value.
type cell struct {
	at    int32 // row of the vocabulary
	value float32
}

// known appends the rows of a text's features to out, by gram; -1 where there
// is none.
func (v *vocabulary) known(out []int32, grams []gram) []int32 {
	out = slices.Grow(out, len(grams))
	for _, g := range grams {
		at, ok := v.rows[g.hash]
		if !ok {
			at = -1
		}
		out = append(out, at)
	}
	return out
}

// vector weighs the features of a text that the vocabulary knows: by how
// often they stand in it (damped) and how rare they are; each block to its
// share, the whole to length 1. The cells are appended to out, which is empty;
// found is room to work in.
func (v *vocabulary) vector(out []cell, found, known []int32) ([]cell, []int32) {
	found = slices.Grow(found, len(known))
	for _, at := range known {
		if at >= 0 {
			found = append(found, at)
		}
	}
	slices.Sort(found)
	out = slices.Grow(out, len(found))
	var square [blocks]float64
	for i := 0; i < len(found); {
		at, n := found[i], 0
		for ; i < len(found) && found[i] == at; i++ {
			n++
		}
		x := v.rarity[at]
		if n > 1 {
			x *= float32(1 + math.Log(float64(n)))
		}
		out = append(out, cell{at, x})
		square[v.block[at]] += float64(x) * float64(x)
	}
	whole := 0.0
	for b := range square {
		if square[b] > 0 {
			whole += blockScale[b] * blockScale[b]
		}
	}
	var scale [blocks]float32
	for b := range square {
		if square[b] > 0 {
			scale[b] = float32(blockScale[b] / math.Sqrt(whole*square[b]))
		}
	}
	for i, c := range out {
		out[i].value *= scale[v.block[c.at]]
	}
	return out, found
}
