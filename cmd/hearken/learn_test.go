package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hearken/internal/learn"
)

// command runs a command and returns what it printed.
func command(t *testing.T, want int, args ...string) (out, errOut string) {
	t.Helper()
	var o, e bytes.Buffer
	if code := run(t.Context(), args, &o, &e); code != want {
		t.Fatalf("hearken %s: exit %d, want %d: %s", strings.Join(args, " "), code, want, e.String())
	}
	return o.String(), e.String()
}

func TestTrainAndEvaluate(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	var lines []string
	for i := range 8 {
		lines = append(lines,
			fmt.Sprintf(`{"subject": "parrot", "text": "it screams all night %d", "type": "OTHER"}`, i),
			fmt.Sprintf(`{"narrative": "账单的数目不对 %d", "label": "BILLING"}`, i),
			`{"text": "nobody has decided on this one"}`, "")
	}
	if err := os.WriteFile(path("past.jsonl"), []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}

	out, _ := command(t, 0, "rules", "train", path("past.jsonl"), "-o", path("model"), "--rules", "../../rules.example.yaml", "--json")
	var trained struct {
		learn.Info
		Model string `json:"model"`
	}
	if err := json.Unmarshal([]byte(out), &trained); err != nil || trained.Texts != 16 || len(trained.Labels) != 2 || trained.Model == "" {
		t.Errorf("trained %q, %v", out, err)
	}

	out, _ = command(t, 0, "rules", "evaluate", path("past.jsonl"), "-m", path("model"), "--json")
	var r learn.Report
	if err := json.Unmarshal([]byte(out), &r); err != nil || r.Texts != 16 || r.Accuracy != 1 {
		t.Errorf("evaluated %q, %v", out, err)
	}
	out, _ = command(t, 0, "rules", "evaluate", path("past.jsonl"), "--folds", "2")
	for _, want := range []string{"accuracy", "macro F1", "calibration error", "BILLING", "threshold"} {
		if !strings.Contains(out, want) {
			t.Errorf("the report lacks %q: %s", want, out)
		}
	}
	out, _ = command(t, 0, "rules", "evaluate", path("past.jsonl"), "-r", "../../rules.example.yaml", "--json")
	if err := json.Unmarshal([]byte(out), &r); err != nil || r.Texts != 16 {
		t.Errorf("rules evaluated %q, %v", out, err)
	}

	if err := os.WriteFile(path("odd.jsonl"), []byte(`{"text": "a", "type": "WEATHER"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, e := command(t, exitFailed, "rules", "train", path("odd.jsonl"), "-o", path("odd"), "--rules", "../../rules.example.yaml"); !strings.Contains(e, `labelled "WEATHER"`) {
		t.Errorf("an unknown type: %s", e)
	}
	if err := os.WriteFile(path("bad.jsonl"), []byte("{\"text\": \"a\", \"type\": \"A\"}\nnothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, e := command(t, exitFailed, "rules", "train", path("bad.jsonl"), "-o", path("bad")); !strings.Contains(e, "bad.jsonl:2:") {
		t.Errorf("a broken line: %s", e)
	}
	command(t, exitUsage, "rules", "evaluate", path("past.jsonl"), "--folds", "1")
}
