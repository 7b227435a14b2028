package dispatcher

import (
	"fmt"
	"slices"
	"strings"
)

// Fault is something wrong with the rules. Path leads to it in the file:
// routes[2].when.type[0].
type Fault struct {
	Path    string
	Message string
	Key     bool // the last key of Path is what is wrong, not its value
}

func (f Fault) Error() string { return f.Path + ": " + f.Message }

// Faults are all that Compile found.
type Faults []Fault

func (f Faults) Error() string {
	var lines []string
	for _, one := range f {
		lines = append(lines, one.Error())
	}
	return strings.Join(lines, "\n")
}

// Nearest suggests the candidate that s was probably meant to be: ", did you
// mean ...?", or lists what there is where none is near and they are few.
func Nearest(s string, candidates []string) string {
	best, least := "", 1+len(s)/3
	for _, c := range candidates {
		if d := distance(strings.ToLower(s), strings.ToLower(c)); d <= least && (best == "" || d < least) {
			best, least = c, d
		}
	}
	if best != "" {
		return fmt.Sprintf("; did you mean %s?", best)
	}
	if len(candidates) == 0 {
		return "; there are none"
	}
	sorted := slices.Sorted(slices.Values(candidates))
	if len(sorted) > 25 {
		sorted = append(sorted[:25], "...")
	}
	return "; there are " + strings.Join(sorted, ", ")
}

// distance is the number of changes (Levenshtein) between two words.
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	row := make([]int, len(y)+1)
	for j := range row {
		row[j] = j
	}
	for i := range x {
		before := row[0]
		row[0] = i + 1
		for j := range y {
			cost := before
			if x[i] != y[j] {
				cost = 1 + min(before, row[j], row[j+1])
			}
			before, row[j+1] = row[j+1], cost
		}
	}
	return row[len(y)]
}
