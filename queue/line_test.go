package queue

import (
	"encoding/json"
	"testing"
	"time"

	"hearken/complaint"
)

// What is written by hand is what the encoder would write.
func TestLines(t *testing.T) {
	for _, k := range []known{{}, {Number: "261123004279"}, {Number: "261123004279", Event: complaint.Supplemented}} {
		if want, err := json.Marshal(k); err != nil || string(k.line()) != string(want) {
			t.Errorf("%s, want %s, %v", k.line(), want, err)
		}
	}
	for _, at := range []time.Time{{}, time.Date(2026, 11, 23, 10, 0, 0, 120, time.FixedZone("", 8*60*60))} {
		c := conv{"261123004279", at}
		if want, err := json.Marshal(c); err != nil || string(c.line()) != string(want) {
			t.Errorf("%s, want %s, %v", c.line(), want, err)
		}
	}
}
