package config

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Bounds of what is read. A file that passes them is not one that a person
// keeps.
const (
	maxConfigBytes = 1 << 20
	maxRulesBytes  = 16 << 20
	maxDepth       = 40
)

// node is a YAML value with its place in the file. Exactly one of fields,
// items and scalar is meant, by kind.
type node struct {
	kind      kind
	line, col int
	fields    []pair
	items     []*node
	scalar    string
	value     any // of a scalar: string, bool, int64, uint64, float64

	// What only a formatter asks: how it was written.
	literal bool   // a block of lines, | or >
	flow    bool   // in brackets or braces
	end     *place // of the closing one
}

// place is a line and a column, counted in characters from 1.
type place struct{ line, col int }

func (p place) compare(other place) int { return cmp.Or(p.line-other.line, p.col-other.col) }

type kind int

const (
	null kind = iota
	scalar
	mapping
	list
)

func (k kind) String() string {
	return [...]string{"nothing", "a value", "a mapping", "a list"}[k]
}

type pair struct {
	key       string
	line, col int // of the key
	value     *node
}

// file is a parsed file and the faults found in it so far.
type file struct {
	name   string
	lines  []string
	root   *node
	faults []fault
	secret map[int]bool // lines that hold one
}

type fault struct {
	place
	message string
}

// fault notes something wrong at a place; line 0 is the file as a whole.
func (f *file) fault(line, col int, format string, args ...any) {
	f.faults = append(f.faults, fault{place{line, col}, fmt.Sprintf(format, args...)})
}

// faultAt notes something wrong with what a path leads to.
func (f *file) faultAt(path, format string, args ...any) {
	line, col := f.root.at(path)
	f.fault(line, col, "%s", path+": "+fmt.Sprintf(format, args...))
}

// err puts all faults together, in the order of the file, each with its line
// shown.
func (f *file) err() error {
	if len(f.faults) == 0 {
		return nil
	}
	slices.SortStableFunc(f.faults, func(a, b fault) int { return a.compare(b.place) })
	var out []string
	for _, one := range f.faults {
		if f.curly(one.place) {
			one.message += "; the quotation marks are typographic, YAML's are straight"
		}
		if one.line == 0 {
			out = append(out, fmt.Sprintf("%s: %s", f.name, one.message))
			continue
		}
		text := fmt.Sprintf("%s:%d:%d: %s", f.name, one.line, one.col, one.message)
		if one.line <= len(f.lines) {
			text += f.pointed(one.place)
		}
		out = append(out, text)
	}
	return errors.New(strings.Join(out, "\n"))
}

// secretive tells a line that may hold a secret although no key of that name
// is known: a misspelt password is one all the same.
var secretive = regexp.MustCompile(`(?i)pass|pasw|token|secret|auth|\bkey\b|_key|://[^/ ]*@`)

// shown is a line of the file, without what must not be printed.
func (f *file) shown(line int) string {
	text := strings.ReplaceAll(f.lines[line-1], "\t", " ")
	if f.secret[line] || secretive.MatchString(text) {
		if colon := strings.IndexByte(text, ':'); colon >= 0 {
			return text[:colon+1] + " (not shown: it may hold a secret)"
		}
		return "(not shown: it may hold a secret)"
	}
	return text
}

// read parses a file. A file that can't be parsed at all is an error; what is
// wrong within the tree is noted as faults.
func read(path string, most int64) (*file, error) {
	fi, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	if fi.Size() > most {
		return nil, fmt.Errorf("read %s: it has %d bytes; at most %d are read", path, fi.Size(), most)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return parse(path, text)
}

func parse(name string, text []byte) (f *file, err error) {
	defer func() {
		if p := recover(); p != nil { // the parser's; ours does not panic
			err = fmt.Errorf("%s: the YAML can't be read: %v", name, p)
		}
	}()
	text = bytes.TrimPrefix(text, []byte("\ufeff")) // some editors begin a file with it
	f = &file{name: name, lines: strings.Split(string(text), "\n"), secret: map[int]bool{}}
	if !f.readable(text) {
		return nil, f.err()
	}
	tree, err := parser.ParseBytes(text, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		var syntax *yaml.SyntaxError
		if errors.As(err, &syntax) && syntax.Token != nil {
			f.syntax(place{syntax.Token.Position.Line, syntax.Token.Position.Column}, syntax.Message)
			return nil, f.err()
		}
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	f.root = &node{kind: mapping, line: 1, col: 1}
	docs := 0
	for _, d := range tree.Docs {
		if d.Body == nil {
			continue
		}
		if docs++; docs > 1 {
			f.fault(position(d.Body), position2(d.Body), "a second document; only one is read")
			break
		}
		f.root = f.convert(d.Body, 0)
	}
	if f.root.kind == null {
		f.root = &node{kind: mapping, line: 1, col: 1}
	}
	if f.root.kind != mapping {
		f.fault(f.root.line, f.root.col, "the file must be a mapping, it is %s", f.root.kind)
		f.root = &node{kind: mapping, line: 1, col: 1}
	}
	return f, nil
}

// readable tells whether a file is text as YAML has it. One in GBK would be
// read, and none of its Chinese terms ever found.
func (f *file) readable(text []byte) bool {
	switch {
	case bytes.HasPrefix(text, []byte("\xff\xfe")), bytes.HasPrefix(text, []byte("\xfe\xff")):
		f.fault(0, 0, "the file is in UTF-16; save it as UTF-8")
	case bytes.IndexByte(text, 0) >= 0:
		f.fault(0, 0, "the file is no text: it has NUL bytes")
	case !utf8.Valid(text):
		line := slices.IndexFunc(f.lines, func(l string) bool { return !utf8.ValidString(l) })
		f.fault(0, 0, "line %d is not in UTF-8 but perhaps in GBK; save the file as UTF-8", line+1)
	}
	return len(f.faults) == 0
}

func position(n ast.Node) int  { return n.GetToken().Position.Line }
func position2(n ast.Node) int { return n.GetToken().Position.Column }

func (f *file) convert(n ast.Node, depth int) *node {
	out := &node{line: 1, col: 1}
	if n == nil || n.GetToken() == nil {
		return out
	}
	out.line, out.col = position(n), position2(n)
	if depth > maxDepth {
		f.fault(out.line, out.col, "nested more than %d deep", maxDepth)
		return out
	}
	switch v := n.(type) {
	case *ast.MappingNode:
		out.kind, out.flow, out.end = mapping, v.IsFlowStyle, endOf(v.End)
		for _, p := range v.Values {
			f.addPair(out, p, depth)
		}
		if len(out.fields) > 0 {
			out.line, out.col = out.fields[0].line, out.fields[0].col
		}
	case *ast.MappingValueNode:
		out.kind = mapping
		f.addPair(out, v, depth)
	case *ast.SequenceNode:
		out.kind, out.flow, out.end = list, v.IsFlowStyle, endOf(v.End)
		for _, item := range v.Values {
			out.items = append(out.items, f.convert(item, depth+1))
		}
	case *ast.AnchorNode, *ast.AliasNode, *ast.MergeKeyNode, *ast.TagNode:
		f.fault(out.line, out.col, "anchors, aliases and tags are not read here; write the value out")
		// What they are put to is read, so that nothing else seems wrong.
		switch v := n.(type) {
		case *ast.AnchorNode:
			return f.convert(v.Value, depth+1)
		case *ast.TagNode:
			return f.convert(v.Value, depth+1)
		}
	case *ast.NullNode:
	case *ast.LiteralNode:
		out.kind, out.scalar, out.value, out.literal = scalar, v.Value.Value, v.Value.Value, true
	case *ast.StringNode:
		out.kind, out.scalar, out.value = scalar, v.Value, v.Value
	case ast.ScalarNode:
		out.kind, out.value = scalar, v.GetValue()
		out.scalar = v.GetToken().Value
		if i, ok := out.value.(uint64); ok && i < 1<<62 {
			out.value = int64(i)
		}
	default:
		f.fault(out.line, out.col, "this kind of YAML is not read here")
	}
	return out
}

func endOf(t *token.Token) *place {
	if t == nil {
		return nil
	}
	return &place{t.Position.Line, t.Position.Column}
}

func (f *file) addPair(out *node, p *ast.MappingValueNode, depth int) {
	line, col := position(p.Key), position2(p.Key)
	key, ok := p.Key.(ast.ScalarNode)
	if !ok {
		f.fault(line, col, "a key must be a plain word")
		return
	}
	name := key.GetToken().Value
	if s, isString := p.Key.(*ast.StringNode); isString {
		name = s.Value
	}
	if _, isMerge := p.Key.(*ast.MergeKeyNode); isMerge || name == "<<" {
		f.fault(line, col, "merging is not read here; write the values out")
		return
	}
	if slices.ContainsFunc(out.fields, func(q pair) bool { return q.key == name }) {
		f.fault(line, col, "%s stands here a second time", name)
		return
	}
	out.fields = append(out.fields, pair{name, line, col, f.convert(p.Value, depth+1)})
}

// get returns the value of a key; nil where it is not there.
func (n *node) get(key string) *node {
	for _, p := range n.fields {
		if p.key == key {
			return p.value
		}
	}
	return nil
}

// at finds the place that a path like routes[2].when.fact.line leads to, or
// the last one on the way that exists.
func (n *node) at(path string) (line, col int) {
	_, value := n.find(path)
	return value.line, value.col
}

// find finds the places of the last key on a path, and of its value.
func (n *node) find(path string) (key, value place) {
	value = place{n.line, n.col}
	for path != "" {
		path = strings.TrimPrefix(path, ".")
		if rest, ok := strings.CutPrefix(path, "["); ok {
			number, after, _ := strings.Cut(rest, "]")
			i, err := strconv.Atoi(number)
			if n.kind == scalar && i == 0 { // one is a list of one
				return key, place{n.line, n.col}
			}
			if err != nil || i >= len(n.items) {
				return key, value
			}
			n, path = n.items[i], after
			value = place{n.line, n.col}
			continue
		}
		best := -1
		for i, p := range n.fields {
			rest, ok := strings.CutPrefix(path, p.key)
			if ok && (rest == "" || rest[0] == '.' || rest[0] == '[') && (best < 0 || len(p.key) > len(n.fields[best].key)) {
				best = i
			}
		}
		if best < 0 {
			return key, value
		}
		p := n.fields[best]
		path = path[len(p.key):]
		key = place{p.line, p.col}
		value = key
		if p.value.kind != null && path == "" {
			value = place{p.value.line, p.value.col}
		}
		n = p.value
	}
	return key, value
}

// plain turns a tree into the values that YAML decodes to.
func (n *node) plain() any {
	switch n.kind {
	case scalar:
		return n.value
	case list:
		out := make([]any, 0, len(n.items))
		for _, item := range n.items {
			out = append(out, item.plain())
		}
		return out
	case mapping:
		out := make(map[string]any, len(n.fields))
		for _, p := range n.fields {
			out[p.key] = p.value.plain()
		}
		return out
	}
	return nil
}
