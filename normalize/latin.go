package normalize

import (
	_ "embed"
	"slices"
	"strings"
	"sync"
	"unicode"
)

// latinProfiles has a language a line: its code, and its most frequent runs of
// three characters, the most frequent first. They are those of whatlanggo (MIT
// License, © 2017 Abado Jack Mtulla, © 2014 Titus Wormer, © 2008 Kent S
// Johnson), of the languages that customers are likely to write.
//
//go:embed latin.txt
var latinProfiles string

// profileLength is how many a profile has.
const profileLength = 300

// trigram is three characters in one number, in the order of their text.
type trigram uint64

func newTrigram(a, b, c rune) trigram { return trigram(a)<<42 | trigram(b)<<21 | trigram(c) }

// ranked is the place of a trigram in a language's profile.
type ranked struct{ language, rank int }

// latinLanguages knows the languages by trigram: a text's are looked up, not
// every language's in every text.
var latinLanguages = sync.OnceValue(func() (known struct {
	codes []string
	by    map[trigram][]ranked
}) {
	known.by = map[trigram][]ranked{}
	for line := range strings.Lines(latinProfiles) {
		code, profile, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		runes := []rune(profile)
		for i := 0; i+3 <= len(runes); i += 3 {
			t := newTrigram(runes[i], runes[i+1], runes[i+2])
			known.by[t] = append(known.by[t], ranked{len(known.codes), i / 3})
		}
		known.codes = append(known.codes, code)
	}
	return known
})

// latinLanguage is what whatlanggo says of a text in Latin letters: the
// language, and how sure that is, 0 to 1. ok is false for other texts.
func latinLanguage(text string) (code string, sure float64, ok bool) {
	all, ok := trigrams(text)
	if !ok {
		return "", 0, false
	}
	known := latinLanguages()
	scores := make([]int, len(known.codes))
	for at, t := range all {
		for _, r := range known.by[t] {
			scores[r.language] += profileLength - max(at-r.rank, r.rank-at)
		}
	}
	best := slices.Index(scores, slices.Max(scores))
	second := slices.Max(append(scores[:best:best], scores[best+1:]...))
	return known.codes[best], lead(scores[best], second, len(all)), true
}

// lead is how sure the best score is, by the second: from a certain lead on,
// which is the smaller the more trigrams there are, it is certain.
func lead(best, second, trigrams int) float64 {
	const (
		few, least = 12.0, 0.05
		alone      = 500
	)
	switch {
	case best == 0:
		return 0
	case second == 0:
		return min(1, float64(best/alone))
	}
	return min(1, float64(best-second)/float64(second)/(few/float64(trigrams)+least))
}

// trigrams are those of a text's words, the most frequent first.
func trigrams(text string) (all []trigram, ok bool) {
	var each []trigram
	letters := false
	a, b := ' ', rune(-1)
	add := func(c rune) {
		if b >= 0 && (b != ' ' || a != ' ' && c != ' ') {
			each = append(each, newTrigram(a, b, c))
		}
		if b >= 0 {
			a = b
		}
		b = c
	}
	for _, r := range text {
		switch {
		case unicode.IsSpace(r) || unicode.IsPunct(r) || unicode.IsDigit(r) || unicode.IsSymbol(r):
			r = ' '
		case unicode.Is(unicode.Latin, r):
			letters = true
		case r >= 0x80:
			return nil, false
		}
		add(unicode.ToLower(r))
	}
	add(' ')
	return frequent(each), letters
}

// frequent are trigrams without repeats, the most frequent first, of equals
// the one that is last by its text.
func frequent(each []trigram) []trigram {
	type counted struct {
		trigram
		n int
	}
	slices.Sort(each)
	var counts []counted
	for _, t := range each {
		if n := len(counts); n > 0 && counts[n-1].trigram == t {
			counts[n-1].n++
		} else {
			counts = append(counts, counted{t, 1})
		}
	}
	slices.Reverse(counts)
	slices.SortStableFunc(counts, func(a, b counted) int { return b.n - a.n })
	out := each[:0]
	for _, c := range counts {
		out = append(out, c.trigram)
	}
	return out
}
