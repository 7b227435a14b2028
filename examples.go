// Package hearken holds the example files, so that the demo and `hearken init`
// have them wherever the program runs.
package hearken

import _ "embed"

// ExampleRules is rules.example.yaml.
//
//go:embed rules.example.yaml
var ExampleRules []byte

// ExampleConfig is config.example.yaml.
//
//go:embed config.example.yaml
var ExampleConfig []byte
