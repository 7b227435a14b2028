package config

import (
	"fmt"
	"reflect"

	"hearken/complaint"
	"hearken/dispatcher"
)

// Explanation says why a record is what it is and goes where it goes.
type Explanation struct {
	Record complaint.Record `json:"record"` // classified and routed by these rules
	dispatcher.Explanation
}

// Explain does to a contact what Apply does, and says why.
func (r *Rules) Explain(c complaint.Contact) Explanation {
	rec := r.Apply(c)
	return Explanation{rec, r.Router.Explain(&rec)}
}

// Replay is the contact that a record was made of, as far as the record tells:
// for trying other rules on past complaints. What had been left out of the
// narrative (quoted text, a signature) is not in it. Its number is: by that it
// is shared out between departments.
func Replay(rec complaint.Record) complaint.Contact {
	return complaint.Contact{
		ID: rec.ID, Number: rec.Number, Channel: rec.Channel, ContactPoint: rec.ContactPoint, Ref: rec.Source.Ref, ReceivedAt: rec.ReceivedAt,
		From: rec.Complainant, Subject: rec.Subject, Text: rec.Narrative, Language: rec.Complainant.Language,
		Attachments: rec.Attachments, Facts: rec.Facts, Automated: rec.Source.Automated,
	}
}

// testsFile is a file of tests beside the rules.
type testsFile struct {
	Tests []ruleTest `yaml:"tests"`
}

// TestFile runs the tests of another file: `tests:` in the form of the rules'
// own. The error tells what is wrong with the file, not which tests fail.
func (r *Rules) TestFile(path string) ([]TestResult, error) {
	f, err := read(path, maxRulesBytes)
	if err != nil {
		return nil, err
	}
	var in testsFile
	f.decode(f.root, reflect.ValueOf(&in).Elem())
	f.checkTests(in.Tests)
	f.checkExpected(in.Tests, r)
	if err := f.err(); err != nil {
		return nil, err
	}
	if len(in.Tests) == 0 {
		return nil, fmt.Errorf("%s: it has no tests", path)
	}
	own := &Rules{Normalizer: r.Normalizer, Router: r.Router, file: path, tests: in.Tests}
	return own.Test(), nil
}
