package config

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"reflect"
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
	Flags       []string
	Normalizer  *normalize.Normalizer
	Router      *dispatcher.Rules
	calendars   map[string]*calendar.Calendar
	file        string // they come from
	routeNames  []string
	words       wordLists
	tests       []ruleTest
}

// The shape of rules.yaml.
type rulesFile struct {
	Version     int                   `yaml:"version" says:"1"`
	Timezone    string                `yaml:"timezone" says:"of hours and deadlines; Asia/Shanghai if left out"`
	Calendars   entries[calendarRule] `yaml:"calendars" says:"working time, by name: days, hours, holidays, workdays"`
	Departments entries[deptRule]     `yaml:"departments" says:"by code, which is the end of the stream"`
	Words       entries[[]string]     `yaml:"words" says:"lists of words that keywords name with @"`
	Types       entries[typeRule]     `yaml:"types" says:"by code, the riskiest first: the order decides a tie"`
	Flags       entries[flagRule]     `yaml:"flags" says:"what is watched for whatever the complaint is about"`
	Classifier  classifierRule        `yaml:"classifier" says:"a learnt classifier beside the keywords"`
	Priorities  []floorRule           `yaml:"priorities" says:"floors: the highest that holds counts, P4 otherwise"`
	Routes      []routeRule           `yaml:"routes" says:"the first that holds decides"`
	Default     string                `yaml:"default" says:"the department for what no route takes"`
	Office      string                `yaml:"office" says:"the complaint office: gets what keeps coming back; default if left out"`
	MaxReturns  *int                  `yaml:"max_returns" says:"how often a complaint may come back before the office gets it; 2 if left out"`
	Tenants     entries[tenantRule]   `yaml:"tenants" says:"what one of several companies has otherwise"`
	Tests       []ruleTest            `yaml:"tests" says:"run at every load: if one fails, the file is not taken"`
}

type deptRule struct {
	Name     map[string]string `yaml:"name"`
	Conflict map[string]any    `yaml:"conflict" says:"records for which it holds complain about this department, and never go to it"`
}

type calendarRule struct {
	Days     []string `yaml:"days" says:"mon to sun; Monday to Friday if left out"`
	Hours    []string `yaml:"hours" says:"09:00-12:00, in order; all day if left out"`
	Holidays []string `yaml:"holidays" says:"2026-10-01, or from and to: 2026-10-01/2026-10-07"`
	Workdays []string `yaml:"workdays" says:"days that are worked all the same (调休)"`
	Timezone string   `yaml:"timezone"`
}

// tenantRule is what one of several companies on this gateway has otherwise.
type tenantRule struct {
	ContactPoints []string    `yaml:"contact_points" says:"the addresses, numbers or sites of this tenant" must:"yes"`
	Routes        []routeRule `yaml:"routes" says:"tried before those for all"`
	Default       string      `yaml:"default" says:"takes what no route did"`
}

type typeRule struct {
	Name       map[string]string `yaml:"name"`
	Department string            `yaml:"department" says:"for to: type.department"`
	Keywords   []keywordsRule    `yaml:"keywords"`
}

type keywordsRule struct {
	Any    []string `yaml:"any" says:"words or phrases; a|b ~ c|d for words near each other" must:"yes"`
	Except []string `yaml:"except" says:"phrases in which the words mean something else"`
	Weight *float64 `yaml:"weight" says:"how much a word counts; 1 if left out"` // 1 if left out
}

// flagRule is what a flag is raised by: no weight, it is raised or not.
type flagRule struct {
	Any    []string `yaml:"any"`
	Except []string `yaml:"except"`
}

type floorRule struct {
	Priority string         `yaml:"priority" must:"yes"`
	When     map[string]any `yaml:"when"`
}

// destination is a department's code, or departments and their weights.
type destination interface{}

type routeRule struct {
	Name      string            `yaml:"name" says:"told by records and reports" must:"yes"`
	When      map[string]any    `yaml:"when" says:"all fields must hold; {} always does"`
	To        destination       `yaml:"to" says:"a department, type.department, or departments and their weights: {CS1: 3, CS2: 1}" must:"yes"`
	Then      []string          `yaml:"then" says:"who is next, should the lead return it or not take it"`
	Accept    string            `yaml:"unless_accepted_within" says:"how long the lead has to take it: 30m, 2h business"`
	With      []string          `yaml:"with" says:"collaborators; type.departments for those of all its types"`
	Deadlines map[string]string `yaml:"deadlines" says:"from the receipt: 2h, 3d, 8h business, 3d business, 3d ending business"`
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
	out := &Rules{Version: hex.EncodeToString(sum[:])[:12], file: f.name, tests: in.Tests}
	out.words = f.wordLists(in.Words)
	f.compileRouter(out, in, zone)
	f.compileNormalizer(out, in)
	f.checkTests(in.Tests)
	f.checkExpected(in.Tests, out)
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
		if d.Value.Conflict != nil && len(d.Value.Conflict) == 0 {
			f.faultAt("departments."+d.Key+".conflict", "always holds: the department would never get anything")
		}
		if d.Value.Conflict != nil {
			cfg.Conflicts[d.Key] = f.inCondition(out.words, "departments."+d.Key+".conflict", d.Value.Conflict)
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
	out.Flags = cfg.Flags
	for i, p := range in.Priorities {
		f.tooEarly(fmt.Sprintf("priorities[%d].when", i), p.When)
		cfg.Floors = append(cfg.Floors, dispatcher.Floor{Priority: p.Priority, When: f.inCondition(out.words, fmt.Sprintf("priorities[%d].when", i), p.When)})
	}
	f.routes(&cfg, in)
	for i := range cfg.Routes {
		one := &cfg.Routes[i]
		one.When = f.inCondition(out.words, one.Path+".when", one.When)
		out.routeNames = append(out.routeNames, one.Name)
	}
	for what, codes := range map[string][]string{"departments": cfg.Departments, "types": cfg.Types} {
		for _, code := range codes {
			if !plainCode(code) {
				key, _ := f.root.find(what + "." + code)
				f.fault(key.line, key.col, "%q can't be a code: use letters, digits, - and _, at most 40", code)
			}
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

// tooEarly tells of what a priority asks for before it is known: it would hold
// for nothing, or for everything.
func (f *file) tooEarly(path string, w map[string]any) {
	for name, value := range w {
		at := path + "." + name
		if name == "priority" || name == "event" {
			f.faultAt(at, "is not known when priorities are decided; routes can ask for it")
		}
		if kid, ok := value.(map[string]any); ok && name == "not" {
			f.tooEarly(at, kid)
		}
		if kids, ok := value.([]any); ok && (name == "any" || name == "all") {
			for i, one := range kids {
				if kid, ok := one.(map[string]any); ok {
					f.tooEarly(fmt.Sprintf("%s[%d]", at, i), kid)
				}
			}
		}
	}
}

// plainCode says what can be part of a stream's name.
func plainCode(s string) bool {
	return s != "" && len(s) <= 40 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") == ""
}

func (f *file) compileNormalizer(out *Rules, in rulesFile) {
	cfg := normalize.Config{Version: out.Version}
	lists := out.words
	for _, t := range in.Types {
		one := normalize.Type{Code: t.Key}
		for i, k := range t.Value.Keywords {
			path := fmt.Sprintf("types.%s.keywords[%d]", t.Key, i)
			one.Keywords = append(one.Keywords, normalize.Keywords{
				Any: f.terms(lists, k.Any, path+".any"), Except: f.terms(lists, k.Except, path+".except"), Weight: f.weight(k, path),
			})
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

// weightMost bounds what a term weighs: against a larger one no other counts.
const weightMost = 100

func (f *file) weight(k keywordsRule, path string) float64 {
	if len(k.Any) == 0 {
		f.faultAt(path, "any must list the words, like {any: [overcharged]}")
	}
	if k.Weight == nil {
		return 1
	}
	if w := *k.Weight; !(w > 0 && w <= weightMost) { // not-a-number is neither
		f.faultAt(path+".weight", "must be above 0 and at most %d", weightMost)
	}
	return *k.Weight
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
