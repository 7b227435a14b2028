package main

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"

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
	Format string   `enum:"text,tap,junit" default:"text" help:"text, or tap or junit for CI."`
	JSON   bool     `name:"json" help:"As JSON."`
}

func (c *rulesTestCmd) Run(s *streams) error {
	rules, loadErr := config.LoadRules(c.File)
	if rules == nil || rules.Router == nil || rules.Normalizer == nil {
		return loadErr
	}
	results := rules.Test()
	for _, path := range c.Tests {
		more, err := rules.TestFile(path)
		if err != nil {
			return err
		}
		results = append(results, more...)
	}
	if err := c.write(s, results); err != nil {
		return err
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
	case loadErr != nil:
		return loadErr
	}
	return nil
}

func (c *rulesTestCmd) write(s *streams, results []config.TestResult) error {
	switch {
	case c.JSON:
		return json.NewEncoder(s.out).Encode(results)
	case c.Format == "tap":
		return s.tap(results)
	case c.Format == "junit":
		return s.junit(c.File, results)
	}
	failed := 0
	for _, r := range results {
		if r.Passed() {
			fmt.Fprintln(s.out, s.paint("32", "ok  "), r.Name)
			continue
		}
		failed++
		fmt.Fprintln(s.out, s.paint("31", "FAIL"), r.Name)
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
		_, lineErr := fmt.Fprintf(s.out, "%s %d - %s\n", word, i+1, plain(r.Name))
		err = errors.Join(err, lineErr)
		for _, f := range r.Failures {
			_, lineErr = fmt.Fprintf(s.out, "# %s\n", plain(f))
			err = errors.Join(err, lineErr)
		}
	}
	return err
}

// junit writes the XML that CI servers read.
func (s *streams) junit(name string, results []config.TestResult) error {
	type failure struct {
		Message string `xml:"message,attr"`
	}
	type testCase struct {
		Name    string   `xml:"name,attr"`
		Class   string   `xml:"classname,attr"`
		Failure *failure `xml:"failure"`
	}
	suite := struct {
		XMLName  xml.Name   `xml:"testsuite"`
		Name     string     `xml:"name,attr"`
		Tests    int        `xml:"tests,attr"`
		Failures int        `xml:"failures,attr"`
		Cases    []testCase `xml:"testcase"`
	}{Name: name, Tests: len(results)}
	for _, r := range results {
		one := testCase{Name: r.Name, Class: name}
		if !r.Passed() {
			suite.Failures++
			one.Failure = &failure{fmt.Sprint(r.Failures)}
		}
		suite.Cases = append(suite.Cases, one)
	}
	b, err := xml.MarshalIndent(suite, "", "  ")
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
