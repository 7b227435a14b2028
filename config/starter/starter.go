// Package starter is the classifier that comes with Hearken: of the sixteen
// types of the example rules and words of farewell, learnt from complaints that
// were written for it, in English and Chinese. A company's own past complaints
// make a better one. It hides that the model is a file within the program.
//
// complaints.jsonl is what it was learnt from:
//
//	hearken rules train config/starter/complaints.jsonl --features 30000 -o config/starter/starter.model
package starter

import (
	_ "embed"

	"hearken/internal/learn"
)

// Name is how the rules name it, where they could name a file.
const Name = "starter"

// Flags are what it knows beside the types.
var Flags = []string{"self_harm"}

//go:embed starter.model
var file []byte

// Model reads it.
func Model() (*learn.Model, error) { return learn.Parse(file) }
