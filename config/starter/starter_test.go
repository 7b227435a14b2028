package starter

import (
	"testing"
)

// The model is one of the example's types, and reads what it was not trained
// on letter by letter.
func TestModel(t *testing.T) {
	m, err := Model()
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Labels) != 16 {
		t.Errorf("labels %v", m.Labels)
	}
	for text, want := range map[string]string{
		"the parcel never came and nobody knows where it is": "DELIVERY",
		"保安冲我大吼大叫, 还骂人":                                      "STAFF",
		"洗衣机用了三天就不转了":                                        "QUALITY",
		"the app closes itself":                              "TECH",
	} {
		if got := m.Predict(text); got.Label != want {
			t.Errorf("%q is %v, want %s", text, got, want)
		}
	}
}
