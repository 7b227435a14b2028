package config

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/token"
)

// Format writes a rules file, or a file of tests, in its canonical form: keys
// in their order, two spaces a level, what fits a line in one line, quotes
// where they are needed. It says the same, with the same comments; a blank
// line between two things stays. Keys whose order counts (types, routes), or
// is the author's to choose (within a `when`), stay where they are.
//
// The error is what keeps the file from being read as YAML; whether the rules
// make sense is not asked.
func Format(name string, text []byte) ([]byte, error) {
	text = []byte(strings.ReplaceAll(strings.TrimPrefix(string(text), "\ufeff"), "\r\n", "\n"))
	f, err := parse(name, text)
	if err != nil {
		return nil, err
	}
	if err := f.err(); err != nil {
		return nil, err
	}
	comments := commentsOf(text)
	p := printer{notes: f.attach(comments)}
	header := p.header(f.root)
	p.arrange(f.root, fileType)
	p.file(f.root, header)
	out := []byte(p.b.String())
	if err := sameRules(f, comments, out); err != nil {
		return nil, fmt.Errorf("%s: it was left as it is, because its canonical form would not be the same: %w", name, err)
	}
	return out, nil
}

// sameRules makes sure that out says what the file says, whatever the YAML
// library made of it.
func sameRules(f *file, comments []comment, out []byte) error {
	again, err := parse("canonical form", out)
	if err != nil {
		return err
	}
	if err := again.err(); err != nil {
		return err
	}
	if was, is := fmt.Sprintf("%#v", f.root.plain()), fmt.Sprintf("%#v", again.root.plain()); was != is {
		return fmt.Errorf("its values were %.200s and would be %.200s", was, is)
	}
	count := map[string]int{}
	for _, c := range comments {
		count[c.text]++
	}
	for _, c := range commentsOf(out) {
		count[c.text]--
	}
	for _, text := range slices.Sorted(maps.Keys(count)) {
		if count[text] != 0 {
			return fmt.Errorf("the comment %.200q stands there once more or less", text)
		}
	}
	return nil
}

// comment is one with its place; text begins with #.
type comment struct {
	place
	text string
}

func commentsOf(text []byte) []comment {
	var out []comment
	for _, t := range lexer.Tokenize(string(text)) {
		if t.Type == token.CommentType {
			out = append(out, comment{place{t.Position.Line, t.Position.Column}, strings.TrimRight("#"+t.Value, " \t")})
		}
	}
	return out
}

// notes are the comments at a value: of a key, of an item, or of the file.
type notes struct {
	head []string // lines above; "" is a blank line
	line string   // at the end of its line
	foot []string // lines at the end of a collection
}

// slot is where comments can be: a key or an item, with its value.
type slot struct {
	place
	value *node
	in    *node // the collection that it is in
	up    *slot // the slot of that; nil at the top
}

// attach finds out which value each comment and blank line belongs to.
func (f *file) attach(comments []comment) map[*node]*notes {
	a := &attacher{file: f, notes: map[*node]*notes{}}
	a.list(f.root, nil)
	slices.SortStableFunc(a.slots, func(x, y *slot) int { return x.compare(y.place) })
	for _, c := range comments {
		a.add(c)
	}
	for _, s := range a.slots {
		if f.blank(s.line - 1) {
			n := a.at(s.value)
			n.head = append(n.head, "")
		}
	}
	return a.notes
}

type attacher struct {
	*file
	slots  []*slot
	notes  map[*node]*notes
	headed *slot // the last one that got a comment above
}

func (a *attacher) list(n *node, up *slot) {
	for _, p := range n.fields {
		s := &slot{place{p.line, p.col}, p.value, n, up}
		a.slots = append(a.slots, s)
		a.list(p.value, s)
	}
	for _, item := range n.items {
		s := &slot{place{item.line, item.col}, item, n, up}
		a.slots = append(a.slots, s)
		a.list(item, s)
	}
}

func (a *attacher) at(n *node) *notes {
	if a.notes[n] == nil {
		a.notes[n] = &notes{}
	}
	return a.notes[n]
}

// blank tells whether a line of the file, counted from 1, is there and empty.
func (f *file) blank(line int) bool {
	return line >= 1 && line <= len(f.lines) && strings.TrimSpace(f.lines[line-1]) == ""
}

func (a *attacher) add(c comment) {
	next, _ := slices.BinarySearchFunc(a.slots, c.place, func(s *slot, p place) int { return s.compare(p) })
	var before, after *slot
	if next > 0 {
		before = a.slots[next-1]
	}
	if next < len(a.slots) {
		after = a.slots[next]
	}
	if before != nil && !a.alone(c) {
		for before.up != nil && before.in.endsBefore(c.place) {
			before = before.up
		}
		n := a.at(before.value)
		if n.line == "" {
			n.line = c.text
		} else {
			n.head = append(n.head, c.text)
		}
		return
	}
	var lines []string
	if a.blank(c.line - 1) {
		lines = append(lines, "")
	}
	lines = append(lines, c.text)
	switch in := a.closing(c, before, after); {
	case in != nil:
		n := a.at(in)
		n.foot = append(n.foot, lines...)
	case after == nil:
		n := a.at(a.root)
		n.foot = append(n.foot, lines...)
	default:
		a.headed = after
		n := a.at(after.value)
		n.head = append(n.head, lines...)
	}
}

// alone tells whether a comment has its line for itself, or with the dash of
// the item that it is about.
func (a *attacher) alone(c comment) bool {
	if c.line > len(a.lines) {
		return true
	}
	line := []rune(a.lines[c.line-1])
	return strings.Trim(string(line[:min(len(line), c.col-1)]), " \t-") == ""
}

// afterDash tells whether the last line with something on it, up to the one
// given, is a dash whose item is still to come.
func (a *attacher) afterDash(line int) bool {
	for ; line >= 1; line-- {
		text, _, _ := strings.Cut(a.lines[min(line, len(a.lines))-1], "#")
		if text = strings.TrimSpace(text); text != "" {
			return strings.Trim(text, "- ") == ""
		}
	}
	return false
}

func (n *node) endsBefore(p place) bool { return n.flow && n.end != nil && n.end.compare(p) < 0 }

// closing is the collection whose last line a comment is: one that ends
// between the slots around it, and that the comment is indented as.
func (a *attacher) closing(c comment, before, after *slot) *node {
	open := map[*node]bool{}
	margin := a.root.col
	if after != nil {
		margin = after.in.col
		for s := after; s != nil; s = s.up {
			open[s.in] = true
		}
	}
	if before == nil || (after != nil && (a.headed == after || a.afterDash(c.line-1))) {
		return nil
	}
	for s := before; s != nil; s = s.up {
		switch in := s.in; {
		case open[in]:
			return nil
		case in.flow && in.end != nil && in.end.compare(c.place) > 0:
			return in
		case !in.flow && c.col >= in.col && c.col > margin && in != a.root:
			return in
		}
	}
	return nil
}

// header takes off what stands above the first key, as far as a blank line
// parts it from it: it is about the file, and stays on top whichever key is
// first.
func (p *printer) header(root *node) (lines []string) {
	if len(root.fields) == 0 || p.notes[root.fields[0].value] == nil {
		return nil
	}
	n := p.notes[root.fields[0].value]
	lines, n.head = n.head, nil
	for i := len(lines) - 1; i >= 0; i-- {
		if lines[i] == "" {
			lines, n.head = lines[:i+1], lines[i+1:]
			break
		}
	}
	return lines
}

// arrange puts the keys of all mappings in order. What stands above the first
// value within an item stands above the item, which begins with a dash.
func (p *printer) arrange(n *node, t reflect.Type) {
	n.fields = inOrder(n.fields, t)
	for _, f := range n.fields {
		p.arrange(f.value, typeOf(t, f.key))
	}
	for _, item := range n.items {
		p.arrange(item, typeOf(t, ""))
		first := p.notes[item.first()]
		if first == nil {
			continue
		}
		if p.notes[item] == nil {
			p.notes[item] = &notes{}
		}
		for _, l := range first.head {
			if l != "" {
				p.notes[item].head = append(p.notes[item].head, l)
			}
		}
		first.head = nil
	}
}

// first is the first value in a collection; nil where there is none.
func (n *node) first() *node {
	switch {
	case len(n.fields) > 0:
		return n.fields[0].value
	case len(n.items) > 0:
		return n.items[0]
	}
	return nil
}

// fileType is what keys are put in order by.
var fileType = reflect.TypeFor[rulesFile]()

// inOrder puts the keys of a mapping of the type in its order; those that it
// does not know stay behind.
func inOrder(fields []pair, t reflect.Type) []pair {
	if t == nil || t.Kind() != reflect.Struct {
		return fields
	}
	names, _ := keys(t)
	rank := func(p pair) int {
		if i := slices.Index(names, p.key); i >= 0 {
			return i
		}
		return len(names)
	}
	out := slices.Clone(fields)
	slices.SortStableFunc(out, func(x, y pair) int { return rank(x) - rank(y) })
	return out
}

// typeOf is the type of what a key, or an item (""), of a t has.
func typeOf(t reflect.Type, key string) reflect.Type {
	switch {
	case t == nil:
		return nil
	case reflect.PointerTo(t).Implements(reflect.TypeFor[ordered]()):
		value, _ := t.Elem().FieldByName("Value")
		return value.Type
	case t.Kind() == reflect.Struct:
		if _, index := keys(t); key != "" {
			if i, ok := index[key]; ok {
				return t.Field(i).Type
			}
		}
		return nil
	case t.Kind() == reflect.Slice || t.Kind() == reflect.Map:
		return t.Elem()
	}
	return nil
}
