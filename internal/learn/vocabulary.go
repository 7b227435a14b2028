package learn

import (
	"cmp"
	"encoding/binary"
	"errors"
	"math"
	"math/bits"
	"slices"
)

// vocabulary is what features are known, and how rare each is.
type vocabulary struct {
	entries []byte   // by row, ascending: a hash and its rarity, entryBytes each. Of a file it is a piece
	starts  []uint16 // by the first bits of a hash: the first row that may hold it
	shift   int      // that leaves those bits
}

const entryBytes = 8 + 4

// MaxFeatures bounds a model: 40,000 keep it near ten megabytes, and what is
// rarer adds nothing that can be measured. Rows are counted in 16 bits.
const MaxFeatures = 40_000

// manyTexts is from how many examples on a feature must stand in two of them
// to be learnt. Of few examples every word is needed.
const manyTexts = 3000

func newVocabulary(texts [][]gram, most int) *vocabulary {
	type seen struct{ texts, last int }
	all := map[uint64]seen{}
	for i, grams := range texts {
		for _, g := range grams {
			if s := all[g.hash]; s.last != i+1 {
				all[g.hash] = seen{s.texts + 1, i + 1}
			}
		}
	}
	least := 1
	if len(texts) >= manyTexts {
		least = 2
	}
	var hashes []uint64
	for h, s := range all {
		if s.texts >= least {
			hashes = append(hashes, h)
		}
	}
	slices.SortFunc(hashes, func(a, b uint64) int { // the most frequent first; a fixed order
		return cmp.Or(all[b].texts-all[a].texts, cmp.Compare(a, b))
	})
	hashes = hashes[:min(len(hashes), most)]
	slices.Sort(hashes)
	v := &vocabulary{entries: make([]byte, 0, entryBytes*len(hashes))}
	for _, h := range hashes {
		// The square root of the inverse document frequency.
		rarity := math.Sqrt(math.Log(float64(1+len(texts))/float64(1+all[h].texts)) + 1)
		v.entries = binary.LittleEndian.AppendUint64(v.entries, h)
		v.entries = binary.LittleEndian.AppendUint32(v.entries, math.Float32bits(float32(rarity)))
	}
	v.index()
	return v
}

func (v *vocabulary) size() int { return len(v.entries) / entryBytes }

func (v *vocabulary) hash(row int) uint64 {
	return binary.LittleEndian.Uint64(v.entries[row*entryBytes:])
}

func (v *vocabulary) rarity(row int32) float32 {
	return math.Float32frombits(binary.LittleEndian.Uint32(v.entries[int(row)*entryBytes+8:]))
}

// index makes the table of starts, of one row each to two on average.
func (v *vocabulary) index() {
	n := bits.Len(uint(v.size()))
	v.shift = 64 - n
	v.starts = make([]uint16, 1<<n+1)
	row := 0
	for first := range v.starts {
		for row < v.size() && v.hash(row)>>v.shift < uint64(first) {
			row++
		}
		v.starts[first] = uint16(row)
	}
}

// check holds the entries to what find and vector rely on.
func (v *vocabulary) check() error {
	for row := range v.size() {
		if row > 0 && v.hash(row) <= v.hash(row-1) {
			return errors.New("its features are out of order")
		}
		if r := v.rarity(int32(row)); !(r > 1e-3 && r <= maxWeight) {
			return errors.New("a feature's rarity is not positive, or out of bounds")
		}
	}
	return nil
}

// find is the row of a hash; -1 if there is none.
func (v *vocabulary) find(h uint64) int32 {
	first := h >> v.shift
	for row := int(v.starts[first]); row < int(v.starts[first+1]); row++ {
		if v.hash(row) == h {
			return int32(row)
		}
	}
	return -1
}

// cell is one feature of a text with its value.
type cell struct {
	at    int32 // row of the vocabulary
	value float32
}

// vector is a text as the classifiers see it.
type vector struct {
	cells []cell
	gram  []int32  // by cell: the first of its grams,
	times []int32  // and how many there are
	slots []uint16 // by row of the vocabulary: its cell, counted from one. All 0 between two texts
}

// fewWords is of how many known words a text has more to say than not: a text
// that says little must not sound as sure as one that says much. Chosen by
// cross-validation.
const fewWords = 10

// weigh weighs the features of a text that the vocabulary knows: by how often
// they stand in it (damped) and how rare they are; each block to its share,
// the whole to a length below 1, which is the shorter the less the text says.
func (x *vector) weigh(v *vocabulary, grams []gram) {
	x.count(v, grams)
	var square [blocks]float64
	words := 1.0 // one more: the letters of a word that is not known say something too
	for i := range x.cells {
		c := &x.cells[i]
		x.slots[c.at] = 0
		c.value = v.rarity(c.at)
		if n := x.times[i]; n > 1 {
			c.value *= float32(1 + math.Log(float64(n)))
		}
		block := grams[x.gram[i]].block
		square[block] += float64(c.value) * float64(c.value)
		if block == blockWords {
			words++
		}
	}
	whole := 0.0
	for b := range square {
		if square[b] > 0 {
			whole += blockScale[b] * blockScale[b]
		}
	}
	length := math.Sqrt(words / (words + fewWords))
	var scale [blocks]float32
	for b := range square {
		if square[b] > 0 {
			scale[b] = float32(length * blockScale[b] / math.Sqrt(whole*square[b]))
		}
	}
	for i := range x.cells {
		x.cells[i].value *= scale[grams[x.gram[i]].block]
	}
}

// count makes a cell of each feature that is known, with how often it stands
// in the text.
func (x *vector) count(v *vocabulary, grams []gram) {
	x.cells, x.gram, x.times = x.cells[:0], x.gram[:0], x.times[:0]
	if x.slots == nil {
		x.slots = make([]uint16, v.size())
	}
	for i := range grams {
		row := v.find(grams[i].hash)
		if row < 0 {
			continue
		}
		if at := x.slots[row]; at > 0 {
			x.times[at-1] += int32(grams[i].times)
			continue
		}
		x.cells, x.gram, x.times = append(x.cells, cell{at: row}), append(x.gram, int32(i)), append(x.times, int32(grams[i].times))
		x.slots[row] = uint16(len(x.cells))
	}
}
