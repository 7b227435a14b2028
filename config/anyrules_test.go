package config

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"hearken/dispatcher"
)

// anyRules draws rules files: half of what it says is right, made of the same
// structs as the schema, and written in any style that YAML knows.
type anyRules struct{ *rand.Rand }

func newAnyRules(seed uint64) anyRules { return anyRules{rand.New(rand.NewPCG(seed, 7))} }

// A drawn tree is made of these, strings, and numbers as they are written.
type (
	drawnMap  []drawnPair
	drawnList []any
	raw       string
	drawnPair struct {
		key   string
		value any
	}
)

func pick[T any](g anyRules, from ...T) T { return from[g.IntN(len(from))] }

func (g anyRules) odds(one int) bool { return g.IntN(one) == 0 }

// names come up again and again, so that references often hit.
var names = []string{"FIN", "CMO", "LEGAL", "BILLING", "REFUND", "legal", "safety", "P1", "P2", "email", "type.department", "by-type", "CNY"}

var texts = []string{
	"", "a", "refund", "退款", "# not a comment", "no", "true", "null", "~", "1", "0x1f", "1e3", "2026-11-23", "09:00", "a: b", "- a", "[", "}", "*a", "&a", "!t", "%d", "@", "`",
	"it's", `say "hi"`, `back\slash`, "two\nlines", "one\n", "ends\n\n", " front", "back ", "two  spaces", "tab\there", "\u200b", "\ufeff", "\u0085", "e\u0301", "👍", "${HEARKEN_NONE}", "$$", "a #b", "a,b",
	"(", "[a-z]+", "30m", "3d", "Asia/Shanghai", "mon", "example.com", "-", "?", "||", ">-", "=", "<<", "...", "---", "人，们", "什么？",
}

// of draws a value of the type, or something else in its place.
func (g anyRules) of(t reflect.Type, depth int) any {
	if depth > 6 || g.odds(25) {
		return g.scalar()
	}
	switch {
	case t == reflect.TypeFor[map[string]any]():
		return g.when(depth)
	case reflect.PointerTo(t).Implements(reflect.TypeFor[ordered]()):
		var out drawnMap
		for range g.IntN(4) {
			out = append(out, drawnPair{pick(g, names...), g.of(typeOf(t, "x"), depth+1)})
		}
		return out
	}
	switch t.Kind() {
	case reflect.Struct:
		all, _ := keys(t)
		var out drawnMap
		for _, key := range all {
			if key != "classifier" && !g.odds(3) {
				out = append(out, drawnPair{key, g.of(typeOf(t, key), depth+1)})
			}
		}
		if g.odds(20) {
			out = append(out, drawnPair{pick(g, texts...), g.scalar()})
		}
		g.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
		return out
	case reflect.Slice:
		var out drawnList
		for range g.IntN(5) {
			out = append(out, g.of(t.Elem(), depth+1))
		}
		return out
	case reflect.Map:
		var out drawnMap
		for range g.IntN(3) {
			out = append(out, drawnPair{pick(g, "en", "zh", "plan", "accept"), g.of(t.Elem(), depth+1)})
		}
		return out
	case reflect.String:
		if g.odds(2) {
			return pick(g, names...)
		}
		return pick(g, texts...)
	case reflect.Int, reflect.Float64:
		return raw(strconv.Itoa(1))
	case reflect.Bool:
		return raw("true")
	}
	return g.scalar()
}

func (g anyRules) scalar() any {
	if g.odds(3) {
		return raw(pick(g, "1", "0.5", "1_000", "0x1F", "true", "null", ".inf", "-0", "1e400"))
	}
	return pick(g, texts...)
}

// when draws a condition: fields with values of all the forms that they take.
func (g anyRules) when(depth int) any {
	var out drawnMap
	fields := append(dispatcher.FieldNames(), "any", "all", "not", "fact.line")
	for range g.IntN(3) {
		field := pick(g, fields...)
		var value any
		switch {
		case field == "not":
			value = g.when(depth + 1)
		case field == "any" || field == "all":
			value = drawnList{g.when(depth + 1), g.when(depth + 1)}
		default:
			value = pick(g, any(drawnList{pick(g, names...), pick(g, names...)}), any(pick(g, names...)), g.scalar(), any(g.object()))
		}
		out = append(out, drawnPair{field, value})
	}
	return out
}

func (g anyRules) object() drawnMap {
	var out drawnMap
	for range g.IntN(3) {
		value := g.scalar()
		if g.odds(3) {
			value = drawnList{g.scalar(), g.scalar()}
		}
		out = append(out, drawnPair{pick(g, "any", "all", "none", "regexp", "min", "max", "currency", "days", "from", "to", "domain", "address"), value})
	}
	return out
}

// tree draws a whole file, each key once in its mapping.
func (g anyRules) tree() drawnMap {
	out, ok := g.of(fileType, 0).(drawnMap)
	if !ok {
		out = drawnMap{{"version", raw("1")}}
	}
	return once(out).(drawnMap)
}

// sound draws a file that loads.
func (g anyRules) sound() drawnMap {
	var departments, types drawnMap
	for _, code := range names[:3] {
		departments = append(departments, drawnPair{code, drawnMap{{"name", drawnMap{{"zh", pick(g, texts...)}}}}})
	}
	for _, code := range names[3:5] {
		types = append(types, drawnPair{code, drawnMap{{"department", "FIN"}, {"keywords", drawnList{drawnMap{{"any", drawnList{"退款", "a refund", "charged twice"}}, {"weight", raw("0.5")}}}}}})
	}
	var list drawnList
	for i := range g.IntN(5) {
		when := pick(g, drawnMap{}, drawnMap{{"type", "REFUND"}, {"channel", drawnList{"email", "chat"}}}, drawnMap{{"text", drawnMap{{"any", "it's (not) a: #test"}}}}, drawnMap{{"not", drawnMap{{"priority", drawnList{"P1"}}}}})
		route := drawnMap{{"name", fmt.Sprint("route ", i)}, {"to", pick(g, "FIN", "type.department")}, {"when", when}, {"deadlines", drawnMap{{"plan", "2h"}}}}
		g.Shuffle(len(route), func(i, j int) { route[i], route[j] = route[j], route[i] })
		list = append(list, route)
	}
	return drawnMap{{"default", "CMO"}, {"version", raw("1")}, {"types", types}, {"departments", departments}, {"routes", list}}
}

func once(v any) any {
	switch v := v.(type) {
	case drawnMap:
		seen := map[string]bool{}
		var out drawnMap
		for _, p := range v {
			if !seen[p.key] && p.key != "<<" {
				seen[p.key] = true
				out = append(out, drawnPair{p.key, once(p.value)})
			}
		}
		return out
	case drawnList:
		for i := range v {
			v[i] = once(v[i])
		}
	}
	return v
}

// write writes a tree in any style, with comments where YAML allows them.
type anyStyle struct {
	anyRules
	b        strings.Builder
	comments int
}

func (g anyRules) write(tree drawnMap) string {
	s := &anyStyle{anyRules: g}
	s.above(0)
	s.block(tree, 0)
	s.above(0)
	return s.b.String()
}

func (s *anyStyle) above(indent int) {
	for s.odds(5) {
		if s.odds(2) {
			s.b.WriteString("\n")
			continue
		}
		s.comments++
		fmt.Fprintf(&s.b, "%s# comment %d: 说明\n", strings.Repeat(" ", indent), s.comments)
	}
}

func (s *anyStyle) end() {
	if s.odds(6) {
		s.comments++
		fmt.Fprintf(&s.b, "  # comment %d", s.comments)
	}
	s.b.WriteString("\n")
}

// block writes what stands on lines of its own.
func (s *anyStyle) block(v any, indent int) {
	pad := strings.Repeat(" ", indent)
	switch v := v.(type) {
	case drawnMap:
		for _, p := range v {
			s.above(indent)
			s.b.WriteString(pad + s.quoted(p.key) + ":")
			s.behind(p.value, indent)
		}
	case drawnList:
		for _, item := range v {
			s.above(indent)
			s.b.WriteString(pad + "-")
			s.behind(item, indent)
		}
	}
}

// behind writes what follows a key or a dash.
func (s *anyStyle) behind(v any, indent int) {
	n := 0
	switch v := v.(type) {
	case drawnMap:
		n = len(v)
	case drawnList:
		n = len(v)
	case string:
		if isBlock(v) && s.odds(2) {
			s.b.WriteString(" |")
			body, closed := strings.CutSuffix(v, "\n")
			if !closed {
				s.b.WriteString("-")
			}
			s.end()
			for l := range strings.SplitSeq(body, "\n") {
				s.b.WriteString(strings.Repeat(" ", indent+3) + l + "\n")
			}
			return
		}
	}
	if n == 0 || s.odds(3) {
		s.b.WriteString(" ")
		s.flow(v, indent+2)
		s.end()
		return
	}
	s.end()
	s.block(v, indent+1+s.IntN(4))
}

// flow writes a value in brackets, sometimes over several lines.
func (s *anyStyle) flow(v any, indent int) {
	gap := func() {
		if s.odds(8) {
			s.end()
			s.b.WriteString(strings.Repeat(" ", indent+1+s.IntN(3)))
		}
	}
	switch v := v.(type) {
	case drawnMap:
		s.b.WriteString("{")
		for i, p := range v {
			if i > 0 {
				s.b.WriteString(", ")
				gap()
			}
			s.b.WriteString(s.quoted(p.key) + ": ")
			s.flow(p.value, indent+2)
		}
		s.b.WriteString("}")
	case drawnList:
		s.b.WriteString("[")
		for i, item := range v {
			if i > 0 {
				s.b.WriteString(", ")
				gap()
			}
			s.flow(item, indent+2)
		}
		s.b.WriteString("]")
	case raw:
		s.b.WriteString(string(v))
	case string:
		s.b.WriteString(s.quoted(v))
	}
}

// quoted writes a text in one of the ways that read back as it.
func (s *anyStyle) quoted(text string) string {
	single := !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == '\u0085' || r == '\ufeff' })
	switch {
	case isPlain(text) && s.odds(2):
		return text
	case single && s.odds(2):
		return "'" + strings.ReplaceAll(text, "'", "''") + "'"
	}
	if q := quoted(text); q != text {
		return q
	}
	return `"` + text + `"`
}

// spoilt breaks a file as an editor's hand might: lines go, come twice, or
// are indented otherwise; characters that mean something come in anywhere.
func (g anyRules) spoilt(text string) string {
	for range 1 + g.IntN(4) {
		lines := strings.Split(text, "\n")
		i := g.IntN(len(lines))
		switch g.IntN(6) {
		case 0:
			lines = slices.Delete(lines, i, i+1)
		case 1:
			lines = slices.Insert(lines, i, lines[i])
		case 2:
			lines[i] = strings.Repeat(" ", g.IntN(4)) + lines[i]
		case 3:
			lines[i] = strings.TrimPrefix(lines[i], " ")
		default:
			at := g.IntN(len(lines[i]) + 1)
			odd := pick(g, ":", ": ", "-", "- ", "[", "]", "{", "}", ",", "#", " #", "\"", "'", "|", ">", "&a ", "*a", "!x ", "\t", "\r", "\x00", "\xff", "<<: ", "? ", "---\n", "...\n", "\u2028", "%")
			lines[i] = lines[i][:at] + odd + lines[i][at:]
		}
		text = strings.Join(lines, "\n")
	}
	return text
}
