package learn

import (
	"slices"
	"unicode"

	"hearken/internal/terms"
)

// maxText bounds how much of a text is looked at, in runes: what a complaint
// is about stands at its beginning, and the cost must not depend on its
// writer.
const maxText = 800

// text is a text taken apart. Its memory serves the next one.
type text struct {
	runes  []rune // of its words, each between two edges, and of its Chinese characters
	tokens []token
	grams  []gram            // repeats included, but for letters
	words  [wordSlots]uint16 // the first token of each word, counted from one, by its hash
}

// wordSlots is more than twice the words that a text can have.
const wordSlots = 2048

// token is a word, or one Chinese character.
type token struct {
	from, to int32 // in the text's runes, which are folded; every digit is 0
	at       int32 // where it begins in the original, in runes
	han      bool
	times    uint16 // how often the word stands in the text; 0 where it did before
	stem     uint64 // hash of what keeps its meaning
}

// edge stands for a word's ends.
const edge = '_'

// split takes a text apart.
func (t *text) split(s string) {
	t.runes, t.tokens, t.grams = t.runes[:0], t.tokens[:0], t.grams[:0]
	clear(t.words[:])
	folded := terms.Read(atMost(s, maxText))
	defer folded.Done()
	runes, places := folded.Folded()
	word := -1 // where the word that is being read begins
	for i, r := range runes {
		kind := kindOf(r)
		if kind == apostrophe {
			continue // don't and dont are one
		}
		if word >= 0 && kind != letter {
			t.endWord(word)
			word = -1
		}
		switch {
		case kind == han:
			n := int32(len(t.runes))
			t.runes = append(t.runes, r)
			t.tokens = append(t.tokens, token{n, n + 1, places[i], true, 1, mix(0, uint64(r))})
		case kind == letter && word < 0:
			t.runes = append(t.runes, edge)
			word = len(t.runes)
			t.tokens = append(t.tokens, token{from: int32(word), at: places[i]})
			fallthrough
		case kind == letter:
			if unicode.IsDigit(r) {
				r = '0' // which number it is says nothing
			}
			t.runes = append(t.runes, r)
		}
	}
	if word >= 0 {
		t.endWord(word)
	}
	t.cut()
}

// atMost is the beginning of a text, so many runes of it at most.
func atMost(s string, runes int) string {
	n := 0
	for i := range s {
		if n++; n > runes {
			return s[:i]
		}
	}
	return s
}

// endWord ends the word that begins at from.
func (t *text) endWord(from int) {
	last := &t.tokens[len(t.tokens)-1]
	word := t.runes[from:]
	last.to = int32(len(t.runes))
	n := stem(word)
	for _, r := range word[:n] {
		last.stem = mix(last.stem, uint64(r))
	}
	whole := last.stem
	for _, r := range word[n:] {
		whole = mix(whole, uint64(r))
	}
	t.runes = append(t.runes, edge)
	t.tokens[t.first(whole, word)].times++
}

// first is the first token of the word that has just ended.
func (t *text) first(hash uint64, word []rune) int {
	for slot := hash % wordSlots; ; slot = (slot + 1) % wordSlots {
		at := int(t.words[slot]) - 1
		if at < 0 {
			t.words[slot] = uint16(len(t.tokens))
			return len(t.tokens) - 1
		}
		if one := &t.tokens[at]; slices.Equal(t.runes[one.from:one.to], word) {
			return at
		}
	}
}

// Kinds of runes.
const (
	between = iota // words
	letter
	han
	apostrophe
)

func kindOf(r rune) int {
	switch {
	case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
		return letter
	case r < 0x80:
		if r == '\'' {
			return apostrophe
		}
		return between
	case r >= 0x4E00 && r <= 0x9FFF:
		return han
	case r == '’':
		return apostrophe
	case unicode.IsLetter(r):
		if r >= 0x2E80 {
			return han
		}
		return letter
	case unicode.IsDigit(r):
		return letter
	}
	return between
}

// endings are those of English that keep a word's meaning.
var endings = [][]rune{[]rune("ing"), []rune("ed"), []rune("es"), []rune("s"), []rune("e")}

// stem is how much of a word is left without its ending.
func stem(w []rune) int {
	if hasEnd(w, 's', 's') {
		return len(w)
	}
	for _, end := range endings {
		if n := len(w) - len(end); n >= 3 && slices.Equal(w[n:], end) {
			if n >= 4 && len(end) > 1 && w[n-1] == w[n-2] {
				n-- // topped: top
			}
			if w[n-1] == 'e' {
				n--
			}
			return n
		}
	}
	return len(w)
}

func hasEnd(w []rune, a, b rune) bool {
	n := len(w)
	return n > 1 && w[n-2] == a && w[n-1] == b
}

// spread is 2^64 divided by the golden ratio: multiplied by it, numbers that
// lie close end up far apart.
const spread = 0x9E3779B97F4A7C15

// mix goes on with the next part of a hash. What it gives is different for
// each part, and for each beginning.
func mix(h, part uint64) uint64 {
	h = (h ^ part) * spread
	return h ^ h>>32
}
