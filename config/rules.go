package config

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"hearken/complaint"
	"hearken/dispatcher"
	"hearken/internal/calendar"
	"hearken/normalize"
)

// Rules are a rules.yaml, compiled and tested.
type Rules struct {
	Version     string // the beginning of the file's SHA-256
	Departments []string
	Types       []string
	Normalizer  *normalize.Normalizer
	Router      *dispatcher.Rules
	calendars   map[string]*calendar.Calendar
	tests       []ruleTest
}

// The shape of rules.yaml.
type rulesFile struct {
	Version     int                   `yaml:"version"`
	Timezone    string                `yaml:"timezone"`
	Calendars   entries[calendarRule] `yaml:"calendars"`
	Departments entries[deptRule]     `yaml:"departments"`
	Words       entries[[]string]     `yaml:"words"`
	Types       entries[typeRule]     `yaml:"types"`
	Flags       entries[keywordsRule] `yaml:"flags"`
	Classifier  classifierRule        `yaml:"classifier"`
	Priorities  []floorRule           `yaml:"priorities"`
	Routes      []routeRule           `yaml:"routes"`
	Default     string                `yaml:"default"`
	Office      string                `yaml:"office"`
	MaxReturns  int                   `yaml:"max_returns"`
	Tenants     entries[tenantRule]   `yaml:"tenants"`
	Tests       []ruleTest            `yaml:"tests"`
}

type deptRule struct {
	Name     map[string]string `yaml:"name"`
	Conflict map[string]any    `yaml:"conflict"`
}

type calendarRule struct {
	Days     []string `yaml:"days"`
	Hours    []string `yaml:"hours"`
	Holidays []string `yaml:"holidays"`
	Workdays []string `yaml:"workdays"`
	Timezone string   `yaml:"timezone"`
}

// tenantRule is what one of several companies on this gateway has otherwise.
type tenantRule struct {
	ContactPoints []string    `yaml:"contact_points"`
	Routes        []routeRule `yaml:"routes"`
	Default       string      `yaml:"default"`
}

type typeRule struct {
	Name       map[string]string `yaml:"name"`
	Department string            `yaml:"department"`
	Keywords   []keywordsRule    `yaml:"keywords"`
}

type keywordsRule struct {
	Any    []string `yaml:"any"`
	Except []string `yaml:"except"`
	Weight float64  `yaml:"weight"`
}

type floorRule struct {
	Priority string         `yaml:"priority"`
	When     map[string]any `yaml:"when"`
}

// destination is a department's code, or departments and their weights.
type destination interface{}

type routeRule struct {
	Name      string            `yaml:"name"`
	When      map[string]any    `yaml:"when"`
	To        destination       `yaml:"to"`
	Then      []string          `yaml:"then"`
	Accept    string            `yaml:"unless_accepted_within"`
	With      []string          `yaml:"with"`
	Deadlines map[string]string `yaml:"deadlines"`
}

type ruleTest struct {
	Name   string    `yaml:"name"`
	Given  given     `yaml:"given"`
	Expect expecting `yaml:"expect"`
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
	Flags      []string `yaml:"flags"`
	Rule       string   `yaml:"rule"`
	Class      string   `yaml:"class"`
	Language   string   `yaml:"language"`
	OrderNo    string   `yaml:"order_no"`
	Amount     string   `yaml:"amount"`
}

// LoadRules reads, checks, compiles and tests a rules file. The error tells
// everything that is wrong, with its place.
func LoadRules(path string) (*Rules, error) {
	f, err := read(path, maxRulesBytes)
	if err != nil {
		return nil, err
	}
	return f.rules()
}

func parseRules(name string, text []byte) (*Rules, error) {
	f, err := parse(name, text)
	if err != nil {
		return nil, err
	}
	return f.rules()
}

func (f *file) rules() (*Rules, error) {
	var in rulesFile
	f.decode(f.root, reflect.ValueOf(&in).Elem())
	if in.Version != 1 {
		line, col := f.root.at("version")
		if f.root.get("version") == nil {
			line = 0
		}
		f.fault(line, col, "version must be 1: the form of the rules that this hearken reads")
	}
	if in.Timezone == "" {
		in.Timezone = DefaultTimezone
	}
	zone, err := time.LoadLocation(in.Timezone)
	if err != nil {
		line, col := f.root.at("timezone")
		f.fault(line, col, "%v; zones have names like Asia/Shanghai or Europe/Berlin", err)
	}
	sum := sha256.Sum256([]byte(strings.Join(f.lines, "\n")))
	out := &Rules{Version: hex.EncodeToString(sum[:])[:12], tests: in.Tests}
	f.compileRouter(out, in, zone)
	f.compileNormalizer(out, in)
	f.checkTests(in.Tests)
	f.checkExpected(in)
	if err := f.err(); err != nil {
		return nil, err
	}
	for i, t := range out.Test() {
		if !t.Passed() {
			line, col := f.root.at(fmt.Sprintf("tests[%d]", i))
			f.fault(line, col, "test %q fails: %s", t.Name, strings.Join(t.Failures, "; "))
		}
	}
	return out, f.err()
}

func (f *file) compileRouter(out *Rules, in rulesFile, zone *time.Location) {
	cfg := dispatcher.Config{
		TypeDepartments: map[string]string{}, Default: in.Default, Office: in.Office, MaxReturns: in.MaxReturns, Location: zone,
		Calendars: f.calendars(in.Calendars, zone), Conflicts: map[string]map[string]any{},
	}
	for _, d := range in.Departments {
		cfg.Departments = append(cfg.Departments, d.Key)
		if d.Value.Conflict != nil {
			cfg.Conflicts[d.Key] = d.Value.Conflict
		}
	}
	out.calendars = cfg.Calendars
	out.Departments = cfg.Departments
	for _, t := range in.Types {
		out.Types = append(out.Types, t.Key)
		cfg.Types = append(cfg.Types, t.Key)
		if t.Value.Department != "" {
			cfg.TypeDepartments[t.Key] = t.Value.Department
		}
	}
	for _, fl := range in.Flags {
		cfg.Flags = append(cfg.Flags, fl.Key)
	}
	for _, p := range in.Priorities {
		cfg.Floors = append(cfg.Floors, dispatcher.Floor{Priority: p.Priority, When: p.When})
	}
	f.routes(&cfg, in)
	for _, code := range append(slices.Clone(cfg.Departments), cfg.Types...) {
		if !plainCode(code) {
			f.fault(1, 1, "%q can't be a code: use letters, digits, - and _, at most 40", code)
		}
	}
	var err error
	out.Router, err = dispatcher.Compile(cfg)
	var faults dispatcher.Faults
	switch {
	case errors.As(err, &faults):
		for _, one := range faults {
			line, col := f.root.at(one.Path)
			if one.Key {
				key, _ := f.root.find(one.Path)
				line, col = key.line, key.col
			}
			if one.Path == "default" && f.root.get("default") == nil {
				line = 0 // no line shows what is not there
			}
			f.fault(line, col, "%s", one.Error())
		}
	case err != nil:
		f.fault(0, 0, "%v", err)
	}
}

// plainCode says what can be part of a stream's name.
func plainCode(s string) bool {
	return s != "" && len(s) <= 40 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") == ""
}

func (f *file) compileNormalizer(out *Rules, in rulesFile) {
	cfg := normalize.Config{Version: out.Version}
	lists := f.wordLists(in.Words)
	for _, t := range in.Types {
		one := normalize.Type{Code: t.Key}
		for i, k := range t.Value.Keywords {
			path := fmt.Sprintf("types.%s.keywords[%d]", t.Key, i)
			k.Any, k.Except = f.terms(lists, k.Any, path+".any"), f.terms(lists, k.Except, path+".except")
			one.Keywords = append(one.Keywords, normalize.Keywords(k))
		}
		cfg.Types = append(cfg.Types, one)
	}
	for _, fl := range in.Flags {
		path := "flags." + fl.Key
		cfg.Flags = append(cfg.Flags, normalize.Flag{
			Name: fl.Key, Any: f.terms(lists, fl.Value.Any, path+".any"), Except: f.terms(lists, fl.Value.Except, path+".except"),
		})
	}
	if out.Router != nil {
		cfg.Priority = out.Router.Priority
	}
	f.learnt(&cfg, in)
	var err error
	if out.Normalizer, err = normalize.New(cfg); err != nil {
		line, col := f.root.at("types")
		f.fault(line, col, "%v", err)
	}
}

func (f *file) checkTests(tests []ruleTest) {
	for i, t := range tests {
		line, col := f.root.at(fmt.Sprintf("tests[%d]", i))
		if t.Name == "" {
			f.fault(line, col, "a test needs a name")
		}
		if reflect.ValueOf(t.Expect).IsZero() {
			f.fault(line, col, "test %q expects nothing", t.Name)
		}
		if _, err := time.Parse(time.RFC3339, t.Given.Received); t.Given.Received != "" && err != nil {
			f.fault(line, col, "received must be a time like 2026-11-23T10:00:00+08:00")
		}
	}
}

// checkExpected finds tests that can never pass, because they expect a name
// that nothing has.
func (f *file) checkExpected(in rulesFile) {
	var departments, types, flags []string
	for _, d := range in.Departments {
		departments = append(departments, d.Key)
	}
	for _, t := range in.Types {
		types = append(types, t.Key)
	}
	for _, fl := range in.Flags {
		flags = append(flags, fl.Key)
	}
	types = append(types, complaint.DefaultType)
	known := func(i int, key string, all []string, names ...string) {
		for _, name := range names {
			if name != "" && !slices.Contains(all, name) {
				line, col := f.root.at(fmt.Sprintf("tests[%d].expect.%s", i, key))
				f.fault(line, col, "the test can't pass: nothing has the %s %q%s", strings.TrimSuffix(key, "s"), name, dispatcher.Nearest(name, all))
			}
		}
	}
	for i, t := range in.Tests {
		known(i, "department", departments, t.Expect.Department)
		known(i, "with", departments, t.Expect.With...)
		known(i, "type", types, t.Expect.Type)
		known(i, "secondary_types", types, t.Expect.Secondary...)
		known(i, "flags", flags, t.Expect.Flags...)
		known(i, "priority", dispatcher.Priorities, t.Expect.Priority)
	}
}

// TestResult is what came of one of the rules' own tests.
type TestResult struct {
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
		out = append(out, TestResult{t.Name, t.compare(rec)})
	}
	return out
}

// Apply does to a contact what the gateway and the dispatcher would.
func (r *Rules) Apply(c complaint.Contact) complaint.Record {
	rec := r.Normalizer.Record(c)
	rec.Number = c.Number
	rec.Event = complaint.Registered
	route := r.Router.Route(&rec)
	rec.Route = &route
	return rec
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
	set("secondary_types", e.Secondary, r.SecondaryTypes)
	return failures
}
