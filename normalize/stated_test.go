package normalize

import (
	"slices"
	"testing"

	"hearken/complaint"
)

// TestStatedType: what the customer chose from a menu comes before what the
// words speak for, and never hides it.
func TestStatedType(t *testing.T) {
	n, err := New(Config{Types: []Type{
		{Code: "SAFETY", Keywords: []Keywords{{Any: []string{"fire"}}}}, {Code: "BILLING", Keywords: []Keywords{{Any: []string{"charged twice"}}}}, {Code: "DELIVERY", Keywords: []Keywords{{Any: []string{"parcel"}}}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		stated, text string
		typ          string
		secondary    []string
		notes        int
	}{
		"nothing said":     {"BILLING", "", "BILLING", nil, 0},
		"the same said":    {"BILLING", "I was charged twice", "BILLING", nil, 0},
		"another said":     {"BILLING", "my parcel is lost", "BILLING", []string{"DELIVERY"}, 0},
		"both said":        {"BILLING", "charged twice, and the parcel is on fire", "BILLING", []string{"SAFETY", "DELIVERY"}, 0},
		"the default one":  {complaint.DefaultType, "my parcel is lost", complaint.DefaultType, []string{"DELIVERY"}, 0},
		"not in the rules": {"BILING", "my parcel is lost", "DELIVERY", nil, 1},
		"nothing stated":   {"", "my parcel is lost", "DELIVERY", nil, 0},
	} {
		r := n.Record(complaint.Contact{ID: "x", Channel: complaint.Phone, Text: c.text, Facts: map[string]string{complaint.FactStatedType: c.stated}})
		if r.Type != c.typ || !slices.Equal(r.SecondaryTypes, c.secondary) || len(r.Notes) != c.notes {
			t.Errorf("%s: %s, %v, notes %q; want %s, %v", name, r.Type, r.SecondaryTypes, r.Notes, c.typ, c.secondary)
		}
		stated := slices.ContainsFunc(r.Classification.Matched, func(m complaint.Match) bool { return m.Field == fieldStated && m.Type == c.stated })
		if stated != (c.stated != "" && c.notes == 0) {
			t.Errorf("%s: evidence %+v", name, r.Classification.Matched)
		}
	}
}
