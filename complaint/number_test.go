package complaint

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestNumberVectors(t *testing.T) {
	// 572 is the example published with the algorithm.
	for _, v := range []struct {
		body string
		want byte
	}{{"26112300001", '7'}, {"26112300427", '9'}, {"26100800013", '0'}, {"26022400099", '0'}, {"572", '4'}} {
		if got := checkDigit(v.body); got != v.want {
			t.Errorf("checkDigit(%s) = %c, want %c", v.body, got, v.want)
		}
	}
}

func TestParseNumber(t *testing.T) {
	for _, in := range []string{
		"261123004279", "2611 2300 4279", "2611-2300-4279", "２６１１　２３００　４２７９", "TS2611 2300 4279", "投诉：2611-2300-4279", " 2611\u00a02300 4279 ",
	} {
		got, err := ParseNumber(in)
		if err != nil || got != "261123004279" {
			t.Errorf("ParseNumber(%q) = %q, %v", in, got, err)
		}
	}
	for _, in := range []string{"", "2611 2300 4278", "26112300427", "2611230042790", "2611/2300/4279", "complaint"} {
		if got, err := ParseNumber(in); err == nil {
			t.Errorf("ParseNumber(%q) = %q, want an error", in, got)
		}
	}
}

func TestNumberRoundTripAndSlips(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		day := Day(time.Unix(rapid.Int64Range(1e9, 4e9).Draw(t, "time"), 0))
		seq := rapid.IntRange(0, MaxSequence).Draw(t, "sequence")
		n, err := NewNumber(day, seq)
		if err != nil {
			t.Fatal(err)
		}
		if d, s, err := Sequence(Grouped(n)); err != nil || d != day || s != seq {
			t.Fatalf("Sequence(%s) = %s, %d, %v", n, d, s, err)
		}
		i := rapid.IntRange(0, len(n)-1).Draw(t, "place")
		wrong := []byte(n)
		wrong[i] = '0' + (wrong[i]-'0'+byte(rapid.IntRange(1, 9).Draw(t, "slip")))%10
		if _, err := ParseNumber(string(wrong)); err == nil {
			t.Fatalf("%s for %s was not noticed", wrong, n)
		}
		if i > 0 && n[i] != n[i-1] {
			swapped := []byte(n)
			swapped[i], swapped[i-1] = swapped[i-1], swapped[i]
			if _, err := ParseNumber(string(swapped)); err == nil {
				t.Fatalf("%s for %s was not noticed", swapped, n)
			}
		}
	})
	if _, err := NewNumber("261123", MaxSequence+1); err == nil {
		t.Error("the day's numbers never end")
	}
}

func TestRecordIDKeepsPartsApart(t *testing.T) {
	if RecordID("email", "a", "bc") == RecordID("email", "ab", "c") {
		t.Error("two different contacts share an id")
	}
	if RecordID("email", "a") != RecordID("email", "a") || RecordID("email", "a") == RecordID("chat", "a") {
		t.Error("the id does not follow from channel and ref alone")
	}
}
