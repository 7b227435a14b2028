package words

import (
	"strings"
	"testing"
)

var builtin = Texts{
	"en": {"receipt": "Your number is {{.number}}.", "bye": "Goodbye.", "status.*": "Status: {{.status}}.", "status.done": "It is done."},
	"zh": {"receipt": "您的编号是 {{.number}}。", "status.*": "状态：{{.status}}。"},
}

func TestSay(t *testing.T) {
	b, err := New(builtin, Texts{"zh": {"bye": "再见。", "status.at_sea": "在海上。"}, "fr": {"bye": "Au revoir."}})
	if err != nil {
		t.Fatal(err)
	}
	n := map[string]string{"number": "2611 2300 4279", "status": "half"}
	for _, c := range []struct{ lang, key, want string }{
		{"en", "receipt", "Your number is 2611 2300 4279."},
		{"zh", "receipt", "您的编号是 2611 2300 4279。"},
		{"zh-Hant-TW", "bye", "再见。"},
		{"fr", "bye", "Au revoir."},
		{"fr", "receipt", "Your number is 2611 2300 4279."},
		{"", "bye", "Goodbye."},
		{"en", "status.done", "It is done."},
		{"en", "status.half", "Status: half."},
		{"zh", "status.at_sea", "在海上。"},
		{"zh", "status.done", "状态：half。"}, // rather in their language
		{"fr", "status.done", "It is done."},
	} {
		if got, err := b.Say(c.lang, c.key, n); err != nil || got != c.want {
			t.Errorf("Say(%q, %q) = %q, %v; want %q", c.lang, c.key, got, err, c.want)
		}
	}
	if _, err := b.Say("en", "receipt", nil); err == nil {
		t.Error("a text went out with a hole in it")
	}
	if _, err := b.Say("en", "nope", n); err == nil {
		t.Error("an unknown text was said")
	}
}

func TestNewRefuses(t *testing.T) {
	for _, c := range []struct {
		replace Texts
		want    string
	}{
		{Texts{"en": {"recipt": "x"}}, "no such text; there are bye, receipt"},
		{Texts{"zh": {"bye": "{{.x"}}, "zh.bye"},
	} {
		if _, err := New(builtin, c.replace); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("New: %v, want %q", err, c.want)
		}
	}
}
