package config

import (
	"fmt"
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
