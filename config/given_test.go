package config

import (
	"strings"
	"testing"
	"time"

	"hearken/complaint"
)

func TestGivenChangesWhatItSays(t *testing.T) {
	c := complaint.Contact{Channel: complaint.Email, Subject: "bill", Text: "I was charged", Facts: map[string]string{"a": "1"}}
	got, err := Given(`{channel: phone, received: "2026-10-09T20:00:00+08:00", facts: {b: "2"}, attachments: 2}`, c)
	if err != nil {
		t.Fatal(err)
	}
	if got.Channel != complaint.Phone || got.Text != c.Text || got.Subject != "bill" || got.ReceivedAt.Month() != time.October || len(got.Attachments) != 2 || got.Facts["a"]+got.Facts["b"] != "12" || len(c.Facts) != 1 {
		t.Errorf("%+v", got)
	}
	for text, says := range map[string]string{
		"{chanel: phone}": "given:1:2: unknown key chanel; did you mean channel?",
		"{channel: fax}":  `"fax" is not one of the channels`,
		"{received: now}": "received must be a time",
	} {
		if _, err := Given(text, c); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestExpected(t *testing.T) {
	differs, err := Expected("{department: FIN, deadlines: {plan: \"2026-10-09T20:00:00+08:00\"}}")
	if err != nil {
		t.Fatal(err)
	}
	rec := complaint.Record{Route: &complaint.Route{Department: "FIN", Deadlines: map[string]string{"plan": "2026-10-09T12:00:00Z"}}}
	if got := differs(rec); len(got) > 0 {
		t.Errorf("the same moment in another zone: %q", got)
	}
	rec.Route.Deadlines["plan"] = "2026-10-09T12:00:01Z"
	rec.Route.Department = "CMO"
	if got := differs(rec); len(got) != 2 {
		t.Errorf("%q", got)
	}
	if _, err := Expected("{departmnt: FIN}"); err == nil || !strings.Contains(err.Error(), "did you mean department?") {
		t.Errorf("%v", err)
	}
}
