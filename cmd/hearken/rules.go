package main

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"hearken/config"
)

type rulesCmd struct {
	Test     rulesTestCmd     `cmd:"" help:"Check a rules file and run the tests in it, and in other files."`
	Explain  rulesExplainCmd  `cmd:"" help:"Say why a complaint, a mail or words go where they go."`
	Diff     rulesDiffCmd     `cmd:"" help:"Try new rules on past complaints: what would move where."`
	Coverage rulesCoverageCmd `cmd:"" help:"Say which rules decided past complaints, and which can never decide."`
	Fmt      rulesFmtCmd      `cmd:"" help:"Write rules files in canonical form: key order, quotes, indentation; comments stay."`
	Schema   rulesSchemaCmd   `cmd:"" help:"Print the JSON Schema of rules files, for editors."`
	Train    rulesTrainCmd    `cmd:"" help:"Train a classifier on past complaints whose types are known."`
	Evaluate rulesEvaluateCmd `cmd:"" help:"Measure how well types are found in complaints whose types are known."`
}

type rulesTestCmd struct {
	File   string   `arg:"" default:"rules.yaml" type:"path" help:"The rules file."`
	Tests  []string `short:"t" type:"existingfile" help:"More tests: files with tests: in the same form."`
	Only   string   `placeholder:"REGEXP" help:"Only the tests whose names match."`
	Format string   `enum:"text,tap,junit" default:"text" help:"text, or tap or junit for CI."`
	JSON   bool     `name:"json" help:"As JSON."`
}

func (c *rulesTestCmd) Run(s *streams) error {
	only, err := regexp.Compile(c.Only)
	if err != nil {
		return usage{fmt.Errorf("--only: %w", err)}
	}
	rules, loadErr := config.LoadRules(c.File)
	if rules == nil || rules.Router == nil || rules.Normalizer == nil {
		return c.notLoaded(s, c.File, loadErr)
	}
	results := rules.Test()
	for _, path := range c.Tests {
		more, err := rules.TestFile(path)
		if err != nil {
			return c.notLoaded(s, path, err)
		}
		results = append(results, more...)
	}
	results = slices.DeleteFunc(results, func(r config.TestResult) bool { return !only.MatchString(r.Name) })
	if err := c.write(s, results); err != nil {
		return err
	}
	for _, idle := range rules.Idle() {
		fmt.Fprintln(s.err, "hearken: warning:", idle)
	}
	failed := 0
	for _, r := range results {
		if !r.Passed() {
			failed++
		}
	}
	switch {
	case failed > 0:
		return fmt.Errorf("%s: %d of %d tests fail", c.File, failed, len(results))
	case c.Only != "" && len(results) == 0:
		return fmt.Errorf("%s: no test has a name like %q", c.File, c.Only)
	case loadErr != nil && c.Only == "":
		return loadErr
	}
	return nil
}

// notLoaded tells of a file that can't be tested at all. To a CI server, which
// reads only what was asked for, it is a test that fails.
func (c *rulesTestCmd) notLoaded(s *streams, path string, err error) error {
	if c.JSON || c.Format != "text" {
		failed := config.TestResult{File: path, Name: "the file can be loaded", Failures: strings.Split(err.Error(), "\n")}
		err = errors.Join(err, c.write(s, []config.TestResult{failed}))
	}
	return err
}

func (c *rulesTestCmd) write(s *streams, results []config.TestResult) error {
	switch {
	case c.JSON:
		return json.NewEncoder(s.out).Encode(results)
	case c.Format == "tap":
		return s.tap(results)
	case c.Format == "junit":
		return s.junit(results)
	}
	failed := 0
	for _, r := range results {
		if r.Passed() {
			fmt.Fprintln(s.out, s.paint("32", "ok  "), r.Name)
			continue
		}
		failed++
		fmt.Fprintf(s.out, "%s %s (%s:%d)\n", s.paint("31", "FAIL"), r.Name, filepath.Base(r.File), r.Line)
		for _, f := range r.Failures {
			fmt.Fprintln(s.out, "     "+f)
		}
	}
	_, err := fmt.Fprintf(s.out, "%d passed, %d failed\n", len(results)-failed, failed)
	return err
}

// tap writes the Test Anything Protocol, version 14.
func (s *streams) tap(results []config.TestResult) error {
	_, err := fmt.Fprintf(s.out, "TAP version 14\n1..%d\n", len(results))
	for i, r := range results {
		word := "ok"
		if !r.Passed() {
			word = "not ok"
		}
		_, lineErr := fmt.Fprintf(s.out, "%s %d - %s\n", word, i+1, strings.ReplaceAll(plain(r.Name), "#", `\#`)) // a # would begin a directive
		err = errors.Join(err, lineErr)
		for _, f := range r.Failures {
			_, lineErr = fmt.Fprintf(s.out, "# %s\n", plain(f))
			err = errors.Join(err, lineErr)
		}
	}
	return err
}

// The XML that CI servers read, as JUnit's tools write it.
type (
	junitSuites struct {
		XMLName  xml.Name      `xml:"testsuites"`
		Tests    int           `xml:"tests,attr"`
		Failures int           `xml:"failures,attr"`
		Suites   []*junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Errors   int         `xml:"errors,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Name    string        `xml:"name,attr"`
		Class   string        `xml:"classname,attr"`
		File    string        `xml:"file,attr"`
		Line    int           `xml:"line,attr,omitempty"`
		Failure *junitFailure `xml:"failure"`
	}
	junitFailure struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// junit writes a suite for each file.
func (s *streams) junit(results []config.TestResult) error {
	all := junitSuites{Tests: len(results)}
	for _, r := range results {
		if n := len(all.Suites); n == 0 || all.Suites[n-1].Name != r.File {
			all.Suites = append(all.Suites, &junitSuite{Name: r.File})
		}
		suite := all.Suites[len(all.Suites)-1]
		one := junitCase{Name: r.Name, Class: filepath.Base(r.File), File: r.File, Line: r.Line}
		if !r.Passed() {
			all.Failures++
			suite.Failures++
			one.Failure = &junitFailure{r.Failures[0], strings.Join(r.Failures, "\n")}
		}
		suite.Tests++
		suite.Cases = append(suite.Cases, one)
	}
	b, err := xml.MarshalIndent(all, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "%s%s\n", xml.Header, b)
	return err
}

// rulesSchemaCmd prints the schema.
type rulesSchemaCmd struct{}

func (rulesSchemaCmd) Run(s *streams) error {
	b, err := json.MarshalIndent(config.RulesSchema(), "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "%s\n", b)
	return err
}
