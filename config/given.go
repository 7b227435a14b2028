package config

import (
	"maps"
	"reflect"

	"hearken/complaint"
)

// Given changes a contact as the `given` of a test would: what text, such as
// {channel: phone, received: "2026-11-23T10:00:00+08:00"}, leaves out stays.
func Given(text string, c complaint.Contact) (complaint.Contact, error) {
	var g given
	f, err := oneTest("given", text, &g)
	if err != nil {
		return c, err
	}
	f.checkTests([]ruleTest{{Name: "given", Given: g, Expect: expecting{Type: complaint.DefaultType}}})
	if err := f.err(); err != nil {
		return c, err
	}
	made := ruleTest{Given: g}.contact()
	for _, s := range []struct {
		to   *string
		from string
	}{
		{&c.Number, made.Number}, {&c.ContactPoint, made.ContactPoint}, {&c.Subject, made.Subject}, {&c.Text, made.Text},
		{&c.Language, made.Language}, {&c.From.Email, made.From.Email}, {&c.From.Phone, made.From.Phone}, {&c.Channel, g.Channel},
	} {
		if s.from != "" {
			*s.to = s.from
		}
	}
	if !made.ReceivedAt.IsZero() {
		c.ReceivedAt = made.ReceivedAt
	}
	if g.Attachments > 0 {
		c.Attachments = made.Attachments
	}
	facts := map[string]string{}
	maps.Copy(facts, c.Facts)
	maps.Copy(facts, made.Facts)
	c.Facts, c.Automated = facts, c.Automated || made.Automated
	return c, nil
}

// Expected makes a check of what a test expects, such as {department: FIN}: it
// tells what of a record is otherwise.
func Expected(text string) (func(complaint.Record) []string, error) {
	var t ruleTest
	if _, err := oneTest("expect", text, &t.Expect); err != nil {
		return nil, err
	}
	return t.compare, nil
}

// oneTest reads a part of a test that stands by itself.
func oneTest(name, text string, to any) (*file, error) {
	f, err := parse(name, []byte(text))
	if err != nil {
		return nil, err
	}
	f.decode(f.root, reflect.ValueOf(to).Elem())
	return f, f.err()
}
