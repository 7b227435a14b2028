package letter

import (
	"strconv"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// list is how an open list counts its items.
type list struct {
	ordered bool
	letters byte // a, A, i or I; anything else are numbers
	next    int
}

func listOf(t html.Token) *list {
	l := &list{ordered: t.DataAtom == atom.Ol, next: 1}
	if n, err := strconv.Atoi(attr(t, "start")); err == nil {
		l.next = n
	}
	if kind := attr(t, "type"); kind != "" {
		l.letters = kind[0]
	}
	return l
}

// mark is what stands before the next item.
func (l *list) mark() string {
	if l == nil || !l.ordered {
		return "- "
	}
	n := l.next
	l.next++
	switch {
	case l.letters == 'a' && n > 0 && n <= 26:
		return string(rune('a'+n-1)) + ". "
	case l.letters == 'A' && n > 0 && n <= 26:
		return string(rune('A'+n-1)) + ". "
	case (l.letters == 'i' || l.letters == 'I') && n > 0 && n <= maxRoman:
		s := romanNumber(n)
		if l.letters == 'I' {
			s = strings.ToUpper(s)
		}
		return s + ". "
	}
	return strconv.Itoa(n) + ". "
}

// maxRoman is the largest number that roman writes.
const maxRoman = 3999

func romanNumber(n int) string {
	var b strings.Builder
	for _, d := range []struct {
		value int
		digit string
	}{{1000, "m"}, {900, "cm"}, {500, "d"}, {400, "cd"}, {100, "c"}, {90, "xc"}, {50, "l"}, {40, "xl"}, {10, "x"}, {9, "ix"}, {5, "v"}, {4, "iv"}, {1, "i"}} {
		for ; n >= d.value; n -= d.value {
			b.WriteString(d.digit)
		}
	}
	return b.String()
}

// item begins a list item with its mark.
func (p *page) item(t html.Token) {
	p.line(1)
	depth := 0
	var in *list
	for i := range p.open {
		if p.open[i].list != nil {
			depth++
			in = p.open[i].list
		}
	}
	if n, err := strconv.Atoi(attr(t, "value")); err == nil && in != nil {
		in.next = n
	}
	p.word(strings.Repeat("  ", min(max(depth-1, 0), maxQuotes)) + in.mark())
	p.blank, p.fresh = 0, true
}
