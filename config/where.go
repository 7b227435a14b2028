package config

import (
	"errors"

	"hearken/complaint"
)

// Where reads a condition as it stands behind `when`, such as
// {type: [BILLING]}, and makes a test of it.
func (r *Rules) Where(text string) (func(*complaint.Record) bool, error) {
	f, err := parse("where", []byte(text))
	if err != nil {
		return nil, err
	}
	if err := f.err(); err != nil {
		return nil, err
	}
	w, ok := f.root.plain().(map[string]any)
	if !ok {
		return nil, errors.New("a condition looks like {type: [BILLING], priority: [P1]}")
	}
	w = f.inCondition(r.words, "where", w)
	if err := f.err(); err != nil {
		return nil, err
	}
	return r.Router.Where(w)
}
