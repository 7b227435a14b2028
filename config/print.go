package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/goccy/go-yaml/token"
	"golang.org/x/text/width"
)

// lineWidth is how long a line may get by putting things together; a
// character as wide as a Chinese one counts twice.
const lineWidth = 100

// printer writes a tree with its comments.
type printer struct {
	b     strings.Builder
	notes map[*node]*notes
}

func (p *printer) at(n *node) notes {
	if found := p.notes[n]; found != nil {
		return *found
	}
	return notes{}
}

// file writes the whole file.
func (p *printer) file(root *node, header []string) {
	p.above(header, 0, 0)
	p.pairs(root.fields, 0, 0)
	foot := p.at(root).foot
	if len(root.fields)+len(header) == 0 {
		p.above(foot, 0, 0)
	} else {
		p.lines(foot, 0)
	}
}

// lines writes comments and blank lines.
func (p *printer) lines(lines []string, indent int) {
	for _, l := range lines {
		if l != "" {
			l = strings.Repeat(" ", indent) + l
		}
		p.b.WriteString(l + "\n")
	}
}

// above writes what stands above the i-th of a collection.
func (p *printer) above(head []string, i, indent int) {
	if i == 0 && len(head) > 0 && head[0] == "" {
		head = head[1:]
	}
	p.lines(head, indent)
}

// pairs writes the keys of a mapping, each on a line of its own. The first of
// inline stand on the line that has been begun: their comments are above it.
func (p *printer) pairs(fields []pair, indent, inline int) {
	for i, f := range fields {
		n := p.at(f.value)
		if i >= inline {
			p.above(n.head, i, indent)
			p.b.WriteString(strings.Repeat(" ", indent))
		}
		key := quoted(f.key) + ":"
		p.b.WriteString(key)
		p.value(f.value, indent, indent+textWidth(key)+1, n.line)
	}
}

// value writes what stands behind a key, to the end of its lines.
func (p *printer) value(n *node, indent, col int, comment string) {
	end := trailing(comment)
	switch text, flat := p.flat(n); {
	case n.kind == null:
		p.b.WriteString(end)
	case n.lines():
		p.block(n.scalar, indent+2, end)
	case flat && (n.kind == scalar || len(n.fields)+len(n.items) == 0 || (col+textWidth(text) <= lineWidth && !(indent == 0 && n.nested()))):
		p.b.WriteString(" " + text + end)
	case n.kind == list && n.words() && !p.inside(n):
		p.filled(n, col, end)
	case n.kind == mapping:
		p.b.WriteString(end)
		p.pairs(n.fields, indent+2, 0)
		p.lines(p.at(n).foot, indent+2)
	default:
		p.b.WriteString(end)
		p.items(n, indent+2)
	}
}

func trailing(comment string) string {
	if comment == "" {
		return "\n"
	}
	return "  " + comment + "\n"
}

// nested tells whether a collection has collections in it.
func (n *node) nested() bool {
	return slices.ContainsFunc(n.fields, func(f pair) bool { return f.value.kind >= mapping }) || slices.ContainsFunc(n.items, func(i *node) bool { return i.kind >= mapping })
}

// words tells whether a list has nothing but values of one line.
func (n *node) words() bool {
	return !slices.ContainsFunc(n.items, func(i *node) bool { return i.kind >= mapping || i.lines() })
}

// lines tells whether a value was written as a block of lines, and can be.
func (n *node) lines() bool { return n.literal && isBlock(n.scalar) }

// inside tells whether there are comments within a collection.
func (p *printer) inside(n *node) bool {
	if len(p.at(n).foot) > 0 {
		return true
	}
	has := func(v *node) bool {
		own := p.at(v)
		return own.line != "" || slices.ContainsFunc(own.head, func(l string) bool { return l != "" }) || p.inside(v)
	}
	return slices.ContainsFunc(n.fields, func(f pair) bool { return has(f.value) }) || slices.ContainsFunc(n.items, has)
}

// items writes a list, each item on lines of its own.
func (p *printer) items(n *node, indent int) {
	for i, item := range n.items {
		own := p.at(item)
		dash := strings.Repeat(" ", indent) + "-"
		text, flat := p.flat(item)
		switch {
		case item.kind == null:
			p.above(own.head, i, indent)
			p.b.WriteString(dash + " null" + trailing(own.line))
		case item.lines():
			p.above(own.head, i, indent)
			p.b.WriteString(dash)
			p.block(item.scalar, indent+2, trailing(own.line))
		case flat && (item.kind == scalar || indent+2+textWidth(text) <= lineWidth):
			p.above(own.head, i, indent)
			p.b.WriteString(dash + " " + text + trailing(own.line))
		case item.kind == mapping:
			p.above(own.head, i, indent)
			if own.line != "" { // what was at the end of one line is above several
				p.lines([]string{own.line}, indent)
			}
			p.b.WriteString(dash + " ")
			p.pairs(item.fields, indent+2, 1)
			p.lines(p.at(item).foot, indent+2)
		default:
			p.above(own.head, i, indent)
			if own.line != "" {
				p.lines([]string{own.line}, indent)
			}
			p.b.WriteString(dash + "\n")
			p.items(item, indent+2)
		}
	}
	p.lines(p.at(n).foot, indent)
}

// flat writes a value in one line; not where it has comments or lines within.
func (p *printer) flat(n *node) (string, bool) {
	switch {
	case n.kind == null:
		return "null", true
	case n.kind == scalar:
		if s, isText := n.value.(string); isText {
			return quoted(s), !n.lines()
		}
		return n.scalar, true
	case p.inside(n):
		return "", false
	}
	var parts []string
	for _, f := range n.fields {
		text, ok := p.flat(f.value)
		if !ok {
			return "", false
		}
		parts = append(parts, quoted(f.key)+": "+text)
	}
	for _, item := range n.items {
		text, ok := p.flat(item)
		if !ok {
			return "", false
		}
		parts = append(parts, text)
	}
	if n.kind == mapping {
		return "{" + strings.Join(parts, ", ") + "}", true
	}
	return "[" + strings.Join(parts, ", ") + "]", true
}

// filled writes a long list of words in brackets, on as many lines as it needs.
func (p *printer) filled(n *node, col int, end string) {
	p.b.WriteString(" [")
	margin := col + 1
	at := margin
	for i, item := range n.items {
		text, _ := p.flat(item)
		if i < len(n.items)-1 {
			text += ","
		}
		switch w := textWidth(text); {
		case i == 0:
			at += w
		case at+1+w > lineWidth:
			p.b.WriteString("\n" + strings.Repeat(" ", margin))
			at = margin + w
		default:
			p.b.WriteString(" ")
			at += 1 + w
		}
		p.b.WriteString(text)
	}
	p.b.WriteString("]" + end)
}

// isBlock tells whether a text can be written as a block of lines (|).
func isBlock(s string) bool {
	return strings.Contains(s, "\n") && !strings.HasPrefix(s, " ") && !strings.HasPrefix(s, "\n") && !strings.HasSuffix(s, "\n\n") &&
		!strings.ContainsFunc(s, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }) &&
		!slices.ContainsFunc(strings.Split(s, "\n"), func(l string) bool { return strings.TrimRight(l, " ") != l })
}

func (p *printer) block(s string, indent int, end string) {
	body, closed := strings.CutSuffix(s, "\n")
	p.b.WriteString(" |")
	if !closed {
		p.b.WriteString("-")
	}
	p.b.WriteString(end)
	for l := range strings.SplitSeq(body, "\n") {
		if l != "" {
			l = strings.Repeat(" ", indent) + l
		}
		p.b.WriteString(l + "\n")
	}
}

// quoted writes a text: plainly where no reader of YAML could take it for
// anything else, in double quotes otherwise.
func quoted(s string) string {
	if isPlain(s) {
		return s
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteRune('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case unicode.IsPrint(r):
			b.WriteRune(r)
		case r > 0xffff:
			fmt.Fprintf(&b, `\U%08x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// isPlain keeps well within what YAML allows: letters and digits, with a few
// signs and single spaces between them, that are not a number or another word
// with a meaning of its own.
func isPlain(s string) bool {
	last := ' '
	for i, r := range s {
		switch {
		case unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) && i > 0 || r == '_':
		case i > 0 && (strings.ContainsRune("-./()'&+%$@", r) || r > 0x7f && unicode.IsPunct(r)):
		case r == ' ' && last != ' ':
		default:
			return false
		}
		last = r
	}
	_, err := strconv.ParseFloat(s, 64)
	return last != ' ' && err != nil && !token.IsNeedQuoted(s) && token.New(s, s, &token.Position{}).Type == token.StringType
}

// textWidth is how many columns a text takes.
func textWidth(s string) int {
	n := 0
	for _, r := range s {
		switch width.LookupRune(r).Kind() {
		case width.EastAsianWide, width.EastAsianFullwidth:
			n += 2
		default:
			n++
		}
	}
	return n
}
