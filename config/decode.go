package config

import (
	"fmt"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"hearken/dispatcher"
	"hearken/internal/secret"
)

// Size is a number of bytes, written 512KiB, 64MiB, 1GiB or plainly.
type Size int64

// entries is a mapping whose order counts.
type entries[T any] []entryOf[T]

type entryOf[T any] struct {
	Key   string
	Value T
}

// ordered is what decode looks for in a mapping whose order counts.
type ordered interface {
	grow() (key *string, value any)
}

func (e *entries[T]) grow() (*string, any) {
	*e = append(*e, entryOf[T]{})
	last := &(*e)[len(*e)-1]
	return &last.Key, &last.Value
}

var (
	durationType = reflect.TypeFor[time.Duration]()
	sizeType     = reflect.TypeFor[Size]()
	secretType   = reflect.TypeFor[secret.Value]()

	conditionType = reflect.TypeFor[map[string]any]()
)

// decode fills v from n. What does not fit is noted as a fault, and the rest
// goes on: all faults of a file are told at once.
func (f *file) decode(n *node, v reflect.Value) {
	if n.kind == null {
		return
	}
	if o, ok := v.Addr().Interface().(ordered); ok {
		if f.must(n, mapping) {
			for _, p := range n.fields {
				key, value := o.grow()
				*key = p.key
				f.decode(p.value, reflect.ValueOf(value).Elem())
			}
		}
		return
	}
	switch v.Type() {
	case durationType, sizeType, secretType:
		f.decodeText(n, v)
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		f.decodeStruct(n, v)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		f.decode(n, v.Elem())
	case reflect.Slice:
		if n.kind == scalar && v.Type().Elem().Kind() == reflect.String {
			n = &node{kind: list, items: []*node{n}, line: n.line, col: n.col} // one is a list of one
		}
		if f.must(n, list) {
			v.Set(reflect.MakeSlice(v.Type(), len(n.items), len(n.items)))
			for i, item := range n.items {
				f.decode(item, v.Index(i))
			}
		}
	case reflect.Map:
		if f.must(n, mapping) {
			v.Set(reflect.MakeMap(v.Type()))
			for _, p := range n.fields {
				one := reflect.New(v.Type().Elem()).Elem()
				f.decode(p.value, one)
				v.SetMapIndex(reflect.ValueOf(p.key), one)
			}
		}
	case reflect.Interface:
		if value := n.plain(); value != nil {
			v.Set(reflect.ValueOf(value))
		}
	default:
		f.decodeText(n, v)
	}
}

func (f *file) must(n *node, want kind) bool {
	if n.kind != want {
		how := ""
		if want == list {
			how = " (its items in brackets, or each behind a dash on a line of its own)"
		}
		f.fault(n.line, n.col, "must be %s%s, it is %s", want, how, n.kind)
	}
	return n.kind == want
}

// keys lists the YAML names of a struct's fields.
func keys(t reflect.Type) (names []string, index map[string]int) {
	index = map[string]int{}
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ",")
		if name == "" || name == "-" {
			continue
		}
		index[name] = i
		names = append(names, name)
		if t.Field(i).Type == secretType {
			names = append(names, name+"_file")
		}
	}
	return names, index
}

func (f *file) decodeStruct(n *node, v reflect.Value) {
	names, index := keys(v.Type())
	if n.kind != mapping {
		f.fault(n.line, n.col, "must be a mapping with some of %s, like {%s: ...}; it is %s", strings.Join(names, ", "), names[0], n.kind)
		return
	}
	for _, p := range n.fields {
		i, ok := index[p.key]
		if base, isFile := strings.CutSuffix(p.key, "_file"); !ok && isFile && slices.Contains(names, p.key) {
			f.decodeSecretFile(p, n.get(base) != nil, v.Field(index[base]))
			continue
		}
		if !ok {
			f.fault(p.line, p.col, "unknown key %s%s", p.key, dispatcher.Nearest(p.key, names))
			continue
		}
		if p.value.kind == null && v.Field(i).Type() == conditionType {
			// Its fields may have slipped out, and it would hold for everything.
			f.fault(p.line, p.col, "%s says nothing: indent its fields below it, or write {} for always", p.key)
		}
		f.decode(p.value, v.Field(i))
	}
}

// maxSecretFile bounds a file that holds a secret.
const maxSecretFile = 64 << 10

func (f *file) decodeSecretFile(p pair, both bool, v reflect.Value) {
	if both {
		f.fault(p.line, p.col, "give the secret or its file, not both")
		return
	}
	var path string
	f.decode(p.value, reflect.ValueOf(&path).Elem())
	if path == "" {
		return
	}
	b, err := os.ReadFile(path)
	switch {
	case err != nil:
		f.fault(p.value.line, p.value.col, "read the secret: %v", err)
	case len(b) > maxSecretFile:
		f.fault(p.value.line, p.value.col, "the secret's file has more than %d bytes", maxSecretFile)
	default:
		v.Set(reflect.ValueOf(secret.New(strings.TrimRight(string(b), "\r\n"))))
	}
}

// decodeText fills what is written as one word.
func (f *file) decodeText(n *node, v reflect.Value) {
	if !f.must(n, scalar) {
		return
	}
	if v.Type() == secretType {
		f.secret[n.line] = true
	}
	text, ok := f.expand(n)
	if !ok {
		return
	}
	switch {
	case v.Type() == durationType:
		d, err := time.ParseDuration(text)
		if err != nil {
			d, err = dispatcher.ParseDuration(text)
		}
		if err != nil {
			f.fault(n.line, n.col, "%q is not a duration like 30s, 10m, 2h or 3d", text)
		}
		v.SetInt(int64(d))
	case v.Type() == sizeType:
		size, err := parseSize(text)
		if err != nil {
			f.fault(n.line, n.col, "%v", err)
		}
		v.SetInt(size)
	case v.Type() == secretType:
		v.Set(reflect.ValueOf(secret.New(text)))
	case v.Kind() == reflect.String:
		v.SetString(text)
	case v.Kind() == reflect.Bool:
		b, err := strconv.ParseBool(text)
		if err != nil {
			f.fault(n.line, n.col, "must be true or false")
		}
		v.SetBool(b)
	case v.CanInt():
		i, err := strconv.ParseInt(text, 10, v.Type().Bits())
		if err != nil {
			f.fault(n.line, n.col, "must be a whole number")
		}
		v.SetInt(i)
	case v.CanFloat():
		x, err := strconv.ParseFloat(text, 64)
		if err != nil {
			f.fault(n.line, n.col, "must be a number")
		}
		v.SetFloat(x)
	default:
		f.fault(n.line, n.col, "this key can't be set from a file")
	}
}

// expand puts in the environment's values: ${NAME}, ${NAME:-default}; $$ is a
// dollar sign. It works on values after parsing, so that a value can't change
// the file's shape.
func (f *file) expand(n *node) (string, bool) {
	text := n.scalar
	if !strings.Contains(text, "$") {
		return text, true
	}
	var b strings.Builder
	for text != "" {
		before, rest, found := strings.Cut(text, "$")
		b.WriteString(before)
		if !found {
			break
		}
		if after, ok := strings.CutPrefix(rest, "$"); ok {
			b.WriteByte('$')
			text = after
			continue
		}
		inside, ok := strings.CutPrefix(rest, "{")
		name, after, closed := strings.Cut(inside, "}")
		if !ok || !closed {
			b.WriteByte('$')
			text = rest
			continue
		}
		name, fallback, hasFallback := strings.Cut(name, ":-")
		value, set := os.LookupEnv(name)
		switch {
		case set && (value != "" || !hasFallback):
			b.WriteString(value)
		case hasFallback:
			b.WriteString(fallback)
		default:
			f.fault(n.line, n.col, "the environment has no %s; set it, or give a default: ${%s:-...}", name, name)
			return "", false
		}
		text = after
	}
	return b.String(), true
}

func parseSize(text string) (int64, error) {
	number, factor := text, int64(1)
	for i, unit := range []string{"KiB", "MiB", "GiB", "TiB"} {
		if n, ok := strings.CutSuffix(text, unit); ok {
			number, factor = strings.TrimSpace(n), 1<<(10*(i+1))
		}
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 0 || n > (1<<62)/factor {
		return 0, fmt.Errorf("%q is not a size like 512KiB, 64MiB or 1GiB", text)
	}
	return n * factor, nil
}
