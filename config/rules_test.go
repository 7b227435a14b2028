package config

import (
	"testing"
)

func TestExampleRules(t *testing.T) {
	r, err := LoadRules("../rules.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if n := len(r.Test()); n < 25 {
		t.Errorf("%d tests in the example", n)
	}
}
