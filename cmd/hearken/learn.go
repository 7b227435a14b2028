package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"hearken/complaint"
	"hearken/config"
	"hearken/internal/learn"
)

// rulesTrainCmd trains a classifier.
type rulesTrainCmd struct {
	Labelled string `arg:"" type:"existingfile" help:"Past complaints, a JSON object a line: subject, text, type."`
	Output   string `short:"o" required:"" type:"path" help:"Where to write the model."`
	Rules    string `type:"existingfile" help:"Rules whose types the labels must be."`
	Features int    `placeholder:"N" help:"At most so many words and n-grams: fewer make a smaller file, and know less."`
	JSON     bool   `name:"json" help:"As JSON."`
}

func (c *rulesTrainCmd) Run(ctx context.Context, s *streams) error {
	examples, err := readLabelled(c.Labelled)
	if err != nil {
		return err
	}
	if c.Rules != "" {
		if err := typesAre(examples, c.Rules); err != nil {
			return err
		}
	}
	m, err := learn.Train(ctx, examples, learn.Options{Features: c.Features})
	if err != nil {
		return fmt.Errorf("train on %s: %w", c.Labelled, err)
	}
	var b bytes.Buffer
	if err := m.Write(&b); err != nil {
		return err
	}
	if err := replaceFile(c.Output, b.Bytes()); err != nil {
		return fmt.Errorf("write the model: %w", err)
	}
	if c.JSON {
		return json.NewEncoder(s.out).Encode(struct {
			learn.Info
			Model string `json:"model"`
			Bytes int    `json:"bytes"`
		}{m.Info, m.Sum, b.Len()})
	}
	_, err = fmt.Fprintf(s.out, "%s: %d labels, learnt from %d texts, %d features, %.1f MB, %.1f%% right on texts held out\nName it in the rules: classifier: {model: %s, threshold: 0.7}\n",
		c.Output, len(m.Labels), m.Texts, m.Features, float64(b.Len())/1e6, 100*m.Accuracy, c.Output)
	return err
}

// replaceFile writes a file whole or not at all: the gateway may be reading
// it.
func replaceFile(path string, b []byte) error {
	part := path + ".part"
	if err := os.WriteFile(part, b, 0o644); err != nil {
		return err
	}
	return os.Rename(part, path)
}

// typesAre holds the labels to the types of a rules file.
func typesAre(examples []learn.Example, path string) error {
	rules, err := config.LoadRules(path)
	if err != nil {
		return err
	}
	known, unknown := map[string]bool{complaint.DefaultType: true}, map[string]int{}
	for _, t := range rules.Types {
		known[t] = true
	}
	for _, e := range examples {
		if !known[e.Label] {
			unknown[e.Label]++
		}
	}
	var errs []error
	for l, n := range unknown {
		errs = append(errs, fmt.Errorf("%d complaints are labelled %q, which is no type of %s", n, l, path))
	}
	return errors.Join(errs...)
}

// rulesEvaluateCmd measures the rules, a model, or by cross-validation the
// method.
type rulesEvaluateCmd struct {
	Labelled string `arg:"" type:"existingfile" help:"Complaints whose types are known, a JSON object a line: subject, text, type."`
	Model    string `short:"m" type:"existingfile" xor:"what" help:"A model of rules train."`
	Rules    string `short:"r" type:"existingfile" xor:"what" help:"A rules file: keywords, and its classifier where it has one."`
	Folds    int    `default:"5" help:"With neither: train on all but one of so many parts, try that one, for each."`
	JSON     bool   `name:"json" help:"As JSON."`
}

// Bounds of the parts: fewer leave too little to learn from, more take long.
const (
	minFolds = 2
	maxFolds = 20
)

func (c *rulesEvaluateCmd) Run(ctx context.Context, s *streams) error {
	if c.Folds < minFolds || c.Folds > maxFolds {
		return usage{fmt.Errorf("--folds must be %d to %d", minFolds, maxFolds)}
	}
	examples, err := readLabelled(c.Labelled)
	if err != nil {
		return err
	}
	var report learn.Report
	switch {
	case c.Model != "":
		m, err := learn.Load(c.Model)
		if err != nil {
			return err
		}
		report = m.Evaluate(examples)
	case c.Rules != "":
		rules, err := config.LoadRules(c.Rules)
		if err != nil {
			return err
		}
		got := make([]learn.Prediction, len(examples))
		for i, e := range examples {
			subject, text, _ := strings.Cut(e.Text, "\n")
			r := rules.Normalizer.Record(complaint.Contact{Subject: subject, Text: text})
			got[i] = learn.Prediction{Label: r.Type, Probability: r.Classification.Confidence}
		}
		report = learn.NewReport(examples, got)
	default:
		if report, err = learn.CrossValidate(ctx, examples, c.Folds); err != nil {
			return err
		}
	}
	if c.JSON {
		return json.NewEncoder(s.out).Encode(report)
	}
	return printReport(s.out, report)
}

// mostConfused is how many confusions are shown to a person.
const mostConfused = 20

func printReport(out io.Writer, r learn.Report) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "texts\t%d\t\naccuracy\t%.1f%%\t\nmacro F1\t%.1f%%\t\ncalibration error\t%.1f%%\t\n\n", r.Texts, 100*r.Accuracy, 100*r.MacroF1, 100*r.CalibrationError)
	fmt.Fprint(w, "label\ttexts\tprecision\trecall\tF1\t\n")
	for _, l := range r.Labels {
		fmt.Fprintf(w, "%s\t%d\t%.1f%%\t%.1f%%\t%.1f%%\t\n", l.Label, l.Texts, 100*l.Precision, 100*l.Recall, 100*l.F1)
	}
	fmt.Fprint(w, "\nis\ttaken for\ttexts\t\n")
	for _, c := range r.Confusion[:min(len(r.Confusion), mostConfused)] {
		fmt.Fprintf(w, "%s\t%s\t%d\t\n", c.Label, c.Taken, c.Texts)
	}
	fmt.Fprint(w, "\nsure\ttexts\tcame true\t\n")
	for _, b := range r.Calibration {
		fmt.Fprintf(w, "%.0f%%\t%d\t%.1f%%\t\n", 100*b.Said, b.Texts, 100*b.CameTrue)
	}
	fmt.Fprint(w, "\nthreshold\tdecided\tright\t\n")
	for _, t := range r.Thresholds {
		fmt.Fprintf(w, "%.2f\t%.1f%%\t%.1f%%\t\n", t.At, 100*t.Share, 100*t.Accuracy)
	}
	return w.Flush()
}

// Bounds of a file of labelled complaints: what one machine can learn from.
const (
	maxLabelledLine = 1 << 20
	maxLabelled     = 1_000_000
)

// labelledLine is a complaint with its type. A record of the streams fits too.
type labelledLine struct {
	Subject   string `json:"subject"`
	Text      string `json:"text"`
	Narrative string `json:"narrative"` // a record's name for the text
	Type      string `json:"type"`
	Label     string `json:"label"` // the same
}

// readLabelled reads a JSON object a line. Lines without a type are left out:
// nobody has decided on them.
func readLabelled(path string) ([]learn.Example, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var out []learn.Example
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, maxLabelledLine)
	for n := 1; lines.Scan(); n++ {
		line := bytes.TrimSpace(lines.Bytes())
		if len(line) == 0 {
			continue
		}
		var one labelledLine
		if err := json.Unmarshal(line, &one); err != nil {
			return nil, fmt.Errorf("%s:%d: not a JSON object with subject, text and type: %w", path, n, err)
		}
		label, text := first(one.Type, one.Label), first(one.Text, one.Narrative)
		if label == "" {
			continue
		}
		if len(out) == maxLabelled {
			return nil, fmt.Errorf("%s: more than %d complaints; take a sample", path, maxLabelled)
		}
		out = append(out, learn.Example{Text: one.Subject + "\n" + text, Label: label})
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%s: no line has a type", path)
	}
	return out, nil
}

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
