package config

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"hearken/dispatcher"
)

// TestRulesSchema holds the published schema to the code, the example to the
// schema, and the schema to finding what the loader finds.
func TestRulesSchema(t *testing.T) {
	made, err := json.MarshalIndent(RulesSchema(), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	published, err := os.ReadFile("../docs/schema/rules.v1.json")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(bytes.TrimSpace(published), made) {
		t.Error("docs/schema/rules.v1.json is not what the code says; write it anew: hearken rules schema > docs/schema/rules.v1.json")
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(made))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("rules.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("rules.json")
	if err != nil {
		t.Fatal(err)
	}
	example, err := os.ReadFile("../rules.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	check := func(text string) error {
		t.Helper()
		asJSON, err := yaml.YAMLToJSON([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(asJSON))
		if err != nil {
			t.Fatal(err)
		}
		return schema.Validate(value)
	}
	if err := check(string(example)); err != nil {
		t.Errorf("the example: %v", err)
	}
	for _, wrong := range []string{
		"version: 1\nroute: []",
		"routes: [{name: x, when: {tipe: [A]}, to: B}]",
		"types: {A: {keyword: [x]}}",
		"routes: [{name: x, when: {any: [{nothing: 1}]}, to: B}]",
		"routes: [{name: x, when: {priority: P7}, to: B}]",
		"routes: [{name: x, when: {hours: {from: 9}}, to: B}]",
		"routes: [{name: x, when: {text: refund}, to: B}]",
		"routes: [{name: x, when: {type: A}}]",
		"priorities: [{priority: P0, when: {}}]",
	} {
		if err := check(wrong); err == nil {
			t.Errorf("%s: no fault", strings.ReplaceAll(wrong, "\n", "; "))
		}
	}
}

// TestEveryFieldIsShown: what an editor completes it also knows the values of.
func TestEveryFieldIsShown(t *testing.T) {
	shapes := fieldShapes()
	for _, name := range dispatcher.FieldNames() {
		if shapes[name]["description"] == nil {
			t.Errorf("the schema says nothing of %s", name)
		}
	}
}
