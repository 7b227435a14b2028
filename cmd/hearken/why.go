package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"hearken/config"
	"hearken/dispatcher"
)

// explain writes the tree of why; was is what became of it, if anything did.
func (s *streams) explain(e config.Explanation, version, was string) {
	r, t := e.Record, tree{out: s.out}
	t.say(0, "rules %s: %s, %s, to %s by %s", version, r.Type, r.Priority, r.Route.Department, r.Route.Rule)
	if was != "" {
		t.say(0, "%s", was)
	}
	for _, note := range r.Notes {
		t.say(0, "note: %s", note)
	}
	t.say(0, "type %s, class %s, confidence %.2f%s", r.Type, r.IntakeClass, r.Classification.Confidence, behind("; also ", r.SecondaryTypes))
	for _, m := range r.Classification.Matched {
		note := ""
		if m.Note != "" {
			note = ", " + m.Note
		}
		if m.Weight != 0 {
			note = fmt.Sprintf(", weight %.2g%s", m.Weight, note)
		}
		t.say(1, "%s%s: %q in the %s at %d%s, by %s", m.Type, m.Flag, m.Term, m.Field, m.Offset, note, m.Rule)
	}
	if len(r.Classification.Matched) == 0 {
		t.say(1, "no keyword was found")
	}
	if l := r.Classification.Learnt; l != nil {
		what := "which decided"
		if !l.Used {
			what = "which was not sure enough to decide"
		}
		t.say(1, "the classifier (model %s) says %s, %.0f%% sure, %s", l.Model, l.Type, 100*l.Probability, what)
	}
	t.say(0, "priority %s%s", r.Priority, behind("; flags ", r.Flags))
	for _, f := range e.Floors {
		if f.Held {
			t.say(1, "+ %s because %s", f.Rule, orAlways(f.Asks))
		} else {
			t.failed(f)
		}
	}
	t.say(0, "route %s%s%s", e.Route.Department, behind("; with ", e.Route.Collaborators), behind("; then ", e.Route.Next))
	for _, one := range e.Tried {
		switch {
		case one.Held:
			t.say(1, "+ %s: %s, to %s%s", one.Rule, orAlways(one.Asks), one.To, inBrackets(one.Note))
		case one.Note != "":
			t.say(1, "- %s holds, but passes on: %s", one.Rule, one.Note)
		default:
			t.failed(one)
		}
	}
	if e.Route.Rule == dispatcher.RuleDefault {
		t.say(1, "+ default: no route holds, to %s", e.Route.Department)
	}
	for _, name := range slices.Sorted(maps.Keys(e.Route.Deadlines)) {
		t.say(1, "deadline %s: %s", name, e.Route.Deadlines[name])
	}
}

// tree writes lines, each level further in.
type tree struct{ out io.Writer }

func (t tree) say(depth int, format string, args ...any) {
	fmt.Fprintln(t.out, strings.Repeat("  ", depth)+plain(fmt.Sprintf(format, args...)))
}

// failed says what a rule would have needed, and part by part what holds,
// where that says more.
func (t tree) failed(one dispatcher.Tried) {
	t.say(1, "- %s would need %s", one.Rule, strings.Join(one.Failed, "; "))
	if slices.ContainsFunc(one.Parts, func(p dispatcher.Part) bool { return p.Held || len(p.Parts) > 0 }) {
		t.parts(2, one.Parts)
	}
}

func (t tree) parts(depth int, parts []dispatcher.Part) {
	for _, p := range parts {
		mark, has := "+", ""
		if !p.Held {
			mark = "-"
			if p.Has != "" {
				has = " (it has " + p.Has + ")"
			}
		}
		t.say(depth, "%s %s%s", mark, p.Asks, has)
		t.parts(depth+1, p.Parts)
	}
}

func inBrackets(s string) string {
	if s == "" {
		return ""
	}
	return " (" + s + ")"
}

func behind(before string, list []string) string {
	if len(list) == 0 {
		return ""
	}
	return before + strings.Join(list, ", ")
}

func orAlways(s string) string {
	if s == "" {
		return "always"
	}
	return s
}
