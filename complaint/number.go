package complaint

import (
	"fmt"
	"strings"
	"time"
)

// A complaint number is YYMMDD, a five-digit sequence of that day and a Damm
// check digit: twelve digits that can be keyed in, read out and checked in
// any language.
const (
	NumberDigits = 12
	MaxSequence  = 99999 // per day
)

// damm is the quasigroup of H. M. Damm's check digit: it catches every single
// wrong digit and every swap of neighbours.
var damm = [10][10]byte{
	{0, 3, 1, 7, 5, 9, 8, 6, 4, 2},
	{7, 0, 9, 2, 1, 5, 4, 8, 6, 3},
	{4, 2, 0, 6, 8, 7, 1, 3, 5, 9},
	{1, 7, 5, 0, 9, 8, 3, 4, 2, 6},
	{6, 1, 2, 3, 0, 4, 5, 9, 7, 8},
	{3, 6, 7, 4, 2, 0, 9, 5, 8, 1},
	{5, 8, 6, 9, 7, 2, 0, 1, 3, 4},
	{8, 9, 4, 5, 3, 6, 2, 0, 1, 7},
	{9, 4, 3, 8, 6, 1, 7, 2, 0, 5},
	{2, 5, 8, 1, 4, 3, 6, 7, 9, 0},
}

// checkDigit returns the Damm check digit of digits, which must be ASCII
// digits. The digit of a string that ends in its own check digit is '0'.
func checkDigit(digits string) byte {
	var c byte
	for i := range len(digits) {
		c = damm[c][digits[i]-'0']
	}
	return '0' + c
}

// Day is the part of a number that tells its date, in the clock's own zone.
func Day(t time.Time) string { return t.Format("060102") }

// NewNumber makes the number of the sequence'th complaint of a day (see Day).
// It refuses a sequence outside 0 to MaxSequence.
func NewNumber(day string, sequence int) (string, error) {
	if sequence < 0 || sequence > MaxSequence || len(day) != 6 || !allDigits(day) {
		return "", fmt.Errorf("number %d of day %q: the day must be YYMMDD and the sequence 0 to %d", sequence, day, MaxSequence)
	}
	body := fmt.Sprintf("%s%05d", day, sequence)
	return body + string(checkDigit(body)), nil
}

// ParseNumber reads a number as people write it: spaces, hyphens, full-width
// digits and a leading TS or 投诉 are allowed. A wrong check digit is an error,
// never a search for a neighbour.
func ParseNumber(s string) (string, error) {
	s = strings.TrimSpace(s)
	for _, prefix := range []string{"TS", "ts", "投诉编号", "投诉"} {
		if rest, ok := strings.CutPrefix(s, prefix); ok {
			s = strings.TrimLeft(rest, " :：#-")
			break
		}
	}
	var b strings.Builder
	for _, r := range s {
		switch {
		case r >= '0' && r <= '9':
			b.WriteRune(r)
		case r >= '０' && r <= '９':
			b.WriteRune(r - '０' + '0')
		case r == ' ' || r == '-' || r == '\u00a0' || r == '\u3000' || r == '－' || r == '‐' || r == '–':
		default:
			return "", fmt.Errorf("not a complaint number: it has a character that is not a digit")
		}
	}
	n := b.String()
	if len(n) != NumberDigits {
		return "", fmt.Errorf("not a complaint number: it has %d digits, not %d", len(n), NumberDigits)
	}
	if checkDigit(n) != '0' {
		return "", fmt.Errorf("not a valid complaint number: its check digit is wrong; please compare it with the receipt")
	}
	return n, nil
}

// Grouped writes a number as it is shown: 2611 2300 4279.
func Grouped(number string) string { return group(number, " ") }

// Tag writes a number as it stands in a mail's subject: [2611-2300-4279].
func Tag(number string) string { return "[" + group(number, "-") + "]" }

func group(n, sep string) string {
	if len(n) != NumberDigits {
		return n
	}
	return n[:4] + sep + n[4:8] + sep + n[8:]
}

// Sequence returns the day and sequence that a valid number is made of.
func Sequence(number string) (day string, sequence int, err error) {
	n, err := ParseNumber(number)
	if err != nil {
		return "", 0, err
	}
	for _, d := range n[6:11] {
		sequence = sequence*10 + int(d-'0')
	}
	return n[:6], sequence, nil
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}
