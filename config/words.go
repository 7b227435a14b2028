package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"hearken/internal/terms"
)

// listSign begins the name of a list of words where its words are meant.
const listSign = "@"

// wordLists are the lists of `words` by name, without names in them.
type wordLists map[string][]string

// wordLists reads the lists. A list may name those before it.
func (f *file) wordLists(in entries[[]string]) wordLists {
	lists := wordLists{}
	for _, l := range in {
		lists[l.Key] = f.terms(lists, l.Value, "words."+l.Key)
	}
	return lists
}

// terms puts the words of lists where they are named: "@fire" stands for all
// of them, and in "@card ~ lost" for any of them near "lost".
func (f *file) terms(lists wordLists, in []string, path string) []string {
	var out []string
	for i, term := range in {
		got, err := lists.put(term)
		if err == nil && !strings.Contains(term, listSign) { // what a list has was looked at there
			err = terms.Check(term)
		}
		if err != nil {
			line, col := f.root.at(fmt.Sprintf("%s[%d]", path, i))
			f.fault(line, col, "%v", err)
			continue
		}
		out = append(out, got...)
	}
	return out
}

func (l wordLists) put(term string) ([]string, error) {
	if !strings.Contains(term, listSign) {
		return []string{term}, nil
	}
	if !terms.IsNear(term) {
		if name, ok := strings.CutPrefix(term, listSign); ok {
			return l.named(name)
		}
		return []string{term}, nil // somebody@example.com
	}
	parts := strings.Split(term, terms.Near)
	for i, part := range parts {
		var words []string
		for _, word := range strings.Split(part, terms.Either) {
			name, ok := strings.CutPrefix(strings.TrimSpace(word), listSign)
			if !ok {
				words = append(words, word)
				continue
			}
			list, err := l.named(name)
			if err != nil {
				return nil, err
			}
			if slices.ContainsFunc(list, terms.IsNear) {
				return nil, fmt.Errorf("the list %q has words near each other in it: it can't be a part of %q", name, term)
			}
			words = append(words, list...)
		}
		parts[i] = strings.Join(words, terms.Either)
	}
	return []string{strings.Join(parts, terms.Near)}, nil
}

func (l wordLists) named(name string) ([]string, error) {
	list, ok := l[name]
	if !ok {
		return nil, fmt.Errorf("there is no list %q under words, or only further down", name)
	}
	return list, nil
}

// inCondition puts lists where the text of a condition names them, also in the
// conditions within it. With all of "@staff" any of its words is not meant, so
// that is told.
func (f *file) inCondition(lists wordLists, path string, w map[string]any) map[string]any {
	if w == nil {
		return nil
	}
	out := maps.Clone(w)
	for name, value := range w {
		at := path + "." + name
		switch v := value.(type) {
		case []any: // any, all
			many := slices.Clone(v)
			for i, one := range v {
				if kid, ok := one.(map[string]any); ok && name != "text" {
					many[i] = f.inCondition(lists, fmt.Sprintf("%s[%d]", at, i), kid)
				}
			}
			out[name] = many
		case map[string]any:
			if name == "not" {
				out[name] = f.inCondition(lists, at, v)
			} else if name == "text" {
				out[name] = f.inText(lists, at, v)
			}
		}
	}
	return out
}

func (f *file) inText(lists wordLists, path string, text map[string]any) map[string]any {
	out := maps.Clone(text)
	for _, which := range []string{"any", "none", "all"} {
		at := path + "." + which
		terms := asTerms(text[which])
		names := slices.IndexFunc(terms, func(t string) bool { return strings.HasPrefix(t, listSign) && len(t) > len(listSign) })
		switch {
		case !slices.ContainsFunc(terms, func(t string) bool { return strings.Contains(t, listSign) }):
		case which == "all" && names >= 0:
			f.faultAt(fmt.Sprintf("%s[%d]", at, names), "all of the words of a list are not to be found together; name it under any")
		default:
			if put := f.terms(lists, terms, at); len(put) > 0 { // else it was told
				out[which] = anyList(put)
			}
		}
	}
	return out
}

// asTerms reads the terms of a condition's text; nil where there is something
// else, which compiling the condition tells.
func asTerms(value any) []string {
	switch v := value.(type) {
	case string:
		return []string{v}
	case []any:
		var out []string
		for _, one := range v {
			term, ok := one.(string)
			if !ok {
				return nil
			}
			out = append(out, term)
		}
		return out
	}
	return nil
}
