package config

import (
	"path/filepath"
	"slices"
	"strings"

	"hearken/complaint"
	"hearken/config/starter"
	"hearken/internal/learn"
	"hearken/normalize"
)

// classifierRule is the part of rules.yaml that names a learnt classifier.
type classifierRule struct {
	Model     string  `yaml:"model"` // a file of `hearken rules train`, beside the rules; or "starter"
	Threshold float64 `yaml:"threshold"`
}

// defaultThreshold is how sure the classifier must be where the rules don't
// say.
const defaultThreshold = 0.7

// learnt adds the classifier, if the rules name one.
func (f *file) learnt(cfg *normalize.Config, in rulesFile) {
	c := in.Classifier
	if c == (classifierRule{}) {
		return
	}
	if c.Threshold == 0 {
		c.Threshold = defaultThreshold
	}
	if c.Threshold < 0 || c.Threshold > 1 {
		f.faultAt("classifier.threshold", "is %v: it must lie between 0 and 1", c.Threshold)
	}
	if c.Model == "" {
		f.faultAt("classifier.model", "must name a file that hearken rules train has written")
		return
	}
	m, err := f.model(c.Model)
	if err != nil {
		f.faultAt("classifier.model", "%v", err)
		return
	}
	unknown := slices.DeleteFunc(slices.Clone(m.Labels), func(label string) bool {
		return label == complaint.DefaultType || slices.ContainsFunc(in.Types, func(t entryOf[typeRule]) bool { return t.Key == label }) ||
			slices.ContainsFunc(in.Flags, func(f entryOf[flagRule]) bool { return f.Key == label }) ||
			c.Model == starter.Name && slices.Contains(starter.Flags, label) // says nothing where the rules have no such flag
	})
	if len(unknown) > 0 {
		f.faultAt("classifier.model", "it knows what is neither among types nor flags: %s; add them, or train again", strings.Join(unknown, ", "))
	}
	cfg.Learnt, cfg.Threshold = m, c.Threshold
}

// model reads a model by the name that the rules give.
func (f *file) model(name string) (*learn.Model, error) {
	if name == starter.Name {
		return starter.Model()
	}
	if !filepath.IsAbs(name) {
		name = filepath.Join(filepath.Dir(f.name), name)
	}
	return learn.Load(name)
}
