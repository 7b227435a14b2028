package config

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"hearken/complaint"
	"hearken/dispatcher"
)

type ruleTest struct {
	line   int       // in its file
	Name   string    `yaml:"name" must:"yes"`
	Given  given     `yaml:"given"`
	Expect expecting `yaml:"expect" says:"what is left out is not looked at" must:"yes"`
}

// given is the contact of a test.
type given struct {
	Number       string            `yaml:"number"`
	Channel      string            `yaml:"channel"`
	ContactPoint string            `yaml:"contact_point"`
	Subject      string            `yaml:"subject"`
	Text         string            `yaml:"text"`
	Email        string            `yaml:"email"`
	Phone        string            `yaml:"phone"`
	Language     string            `yaml:"language"`
	Received     string            `yaml:"received"`
	Attachments  int               `yaml:"attachments"`
	Automated    bool              `yaml:"automated"`
	Facts        map[string]string `yaml:"facts"`
}

// expecting holds what a test looks at; what is left out is not looked at.
type expecting struct {
	Type       string   `yaml:"type"`
	Secondary  []string `yaml:"secondary_types"`
	Priority   string   `yaml:"priority"`
	Department string   `yaml:"department"`
	With       []string `yaml:"with"`
	Then       []string `yaml:"then"`
	Flags      []string `yaml:"flags"`
	Rule       string   `yaml:"rule"`
	Class      string   `yaml:"class"`
	Language   string   `yaml:"language"`
	OrderNo    string   `yaml:"order_no"`
	Amount     string   `yaml:"amount"`

	Deadlines map[string]string `yaml:"deadlines"`
}

func (f *file) checkTests(tests []ruleTest) {
	for i, t := range tests {
		line, col := f.root.at(fmt.Sprintf("tests[%d]", i))
		tests[i].line = line
		if t.Name == "" {
			f.fault(line, col, "a test needs a name")
		}
		if reflect.ValueOf(t.Expect).IsZero() {
			f.fault(line, col, "test %q expects nothing", t.Name)
		}
		if _, err := time.Parse(time.RFC3339, t.Given.Received); t.Given.Received != "" && err != nil {
			f.fault(line, col, "received must be a time like 2026-11-23T10:00:00+08:00")
		}
		if c := t.Given.Channel; c != "" && !slices.Contains(dispatcher.Channels, c) {
			f.faultAt(fmt.Sprintf("tests[%d].given.channel", i), "%q is not one of the channels%s", c, dispatcher.Nearest(c, dispatcher.Channels))
		}
	}
}

// checkExpected finds tests that can never pass, because they expect a name
// that nothing has.
func (f *file) checkExpected(tests []ruleTest, r *Rules) {
	types := append(slices.Clone(r.Types), complaint.DefaultType)
	known := func(i int, key string, all []string, names ...string) {
		for _, name := range names {
			if name != "" && !slices.Contains(all, name) {
				line, col := f.root.at(fmt.Sprintf("tests[%d].expect.%s", i, key))
				f.fault(line, col, "the test can't pass: nothing has the %s %q%s", strings.TrimSuffix(key, "s"), name, dispatcher.Nearest(name, all))
			}
		}
	}
	for i, t := range tests {
		known(i, "department", r.Departments, t.Expect.Department)
		known(i, "with", r.Departments, t.Expect.With...)
		known(i, "then", r.Departments, t.Expect.Then...)
		known(i, "type", types, t.Expect.Type)
		known(i, "secondary_types", types, t.Expect.Secondary...)
		known(i, "flags", r.Flags, t.Expect.Flags...)
		known(i, "priority", dispatcher.Priorities, t.Expect.Priority)
		known(i, "rule", append(slices.Clone(r.routeNames), dispatcher.RuleDefault), t.Expect.Rule)
		known(i, "class", dispatcher.Classes, t.Expect.Class)
	}
}

// TestResult is what came of one of the rules' own tests.
type TestResult struct {
	File     string   `json:"file,omitempty"` // that the test stands in
	Line     int      `json:"line,omitempty"`
	Name     string   `json:"name"`
	Failures []string `json:"failures,omitempty"` // empty: passed
}

// Passed tells whether all was as expected.
func (r TestResult) Passed() bool { return len(r.Failures) == 0 }

// Test runs the tests in the rules file, in their order.
func (r *Rules) Test() []TestResult {
	var out []TestResult
	for _, t := range r.tests {
		rec := r.Apply(t.contact())
		out = append(out, TestResult{r.file, t.line, t.Name, t.compare(rec)})
	}
	return out
}

// TestRecords are what the rules make of what their tests give.
func (r *Rules) TestRecords() []complaint.Record {
	var out []complaint.Record
	for _, t := range r.tests {
		out = append(out, r.Apply(t.contact()))
	}
	return out
}

func (t ruleTest) contact() complaint.Contact {
	g := t.Given
	c := complaint.Contact{
		ID: "test", Number: g.Number, Channel: g.Channel, ContactPoint: g.ContactPoint, Ref: "test", Subject: g.Subject, Text: g.Text, Language: g.Language,
		From: complaint.Person{Email: g.Email, Phone: g.Phone}, Automated: g.Automated, Facts: maps.Clone(g.Facts),
		Attachments: make([]complaint.Attachment, max(0, min(g.Attachments, 1000))),
	}
	if c.Channel == "" {
		c.Channel = complaint.Email
	}
	c.ReceivedAt, _ = time.Parse(time.RFC3339, g.Received) // checked at load; "" is the zero time
	return c
}

func (t ruleTest) compare(r complaint.Record) (failures []string) {
	e := t.Expect
	same := func(what, want, got string) {
		if want != "" && want != got {
			failures = append(failures, fmt.Sprintf("%s is %q, expected %q", what, got, want))
		}
	}
	set := func(what string, want, got []string) {
		if want != nil && !slices.Equal(slices.Sorted(slices.Values(want)), slices.Sorted(slices.Values(got))) {
			failures = append(failures, fmt.Sprintf("%s are %v, expected %v", what, got, want))
		}
	}
	same("type", e.Type, r.Type)
	same("priority", e.Priority, r.Priority)
	same("department", e.Department, r.Route.Department)
	same("rule", e.Rule, r.Route.Rule)
	same("class", e.Class, r.IntakeClass)
	same("language", e.Language, r.Complainant.Language)
	same("order_no", e.OrderNo, r.OrderNo)
	same("amount", e.Amount, r.AmountInvolved)
	set("flags", e.Flags, r.Flags)
	set("with", e.With, r.Route.Collaborators)
	if e.Then != nil && !slices.Equal(e.Then, r.Route.Next) {
		failures = append(failures, fmt.Sprintf("then is %v, expected %v", r.Route.Next, e.Then))
	}
	for _, clock := range slices.Sorted(maps.Keys(e.Deadlines)) {
		want, err := time.Parse(time.RFC3339, e.Deadlines[clock])
		got, _ := time.Parse(time.RFC3339, r.Route.Deadlines[clock])
		if err != nil || !got.Equal(want) {
			failures = append(failures, fmt.Sprintf("the deadline %s is %q, expected %q", clock, r.Route.Deadlines[clock], e.Deadlines[clock]))
		}
	}
	set("secondary_types", e.Secondary, r.SecondaryTypes)
	return failures
}
