package starter

import (
	"encoding/json"
	"os"
	"runtime"
	"strings"
	"testing"
	"unicode/utf8"

	"hearken/internal/learn"
)

// The model is one of the example's types, and reads what it was not trained
// on letter by letter.
func TestModel(t *testing.T) {
	m, err := Model()
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Labels) != 16+len(Flags) {
		t.Errorf("labels %v", m.Labels)
	}
	for text, want := range map[string]string{
		"the parcel never came and nobody knows where it is":                 "DELIVERY",
		"保安冲我大吼大叫, 还骂人":                                                      "STAFF",
		"洗衣机用了三天就不转了":                                                        "QUALITY",
		"the app closes itself":                                              "TECH",
		"I've put the keys and the papers on the table for whoever finds me": "self_harm",
	} {
		if got := m.Read(text); got.Label != want {
			t.Errorf("%q is %v, want %s", text, got, want)
		}
	}
}

// BenchmarkRead is what the classifier costs a record: a chat message, a mail
// that says the same again and again, and one that doesn't; with the evidence.
func BenchmarkRead(b *testing.B) {
	m, err := Model()
	if err != nil {
		b.Fatal(err)
	}
	for name, text := range map[string]string{
		"chat.zh": "我的包裹丢了，订单 88231，请退款", "chat.en": "My parcel never arrived, order 88231, please refund me.",
		"mail.en":   strings.Repeat("I was charged twice for the same order and nobody answers my calls. The courier says it was delivered but it was not. ", 10),
		"mail.long": long(b),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r := m.Read(text)
				r.Explain(r.Label, 5)
				r.Done()
			}
		})
	}
}

// long is a text of different English complaints.
func long(b *testing.B) string {
	lines, err := os.ReadFile("complaints.jsonl")
	if err != nil {
		b.Fatal(err)
	}
	var out []string
	for line := range strings.Lines(string(lines)) {
		var one struct{ Text string }
		if err := json.Unmarshal([]byte(line), &one); err != nil {
			b.Fatal(err)
		}
		if n := len(one.Text); n == utf8.RuneCountInString(one.Text) && len(out) < 50 {
			out = append(out, one.Text)
		}
	}
	return strings.Join(out, ". ")
}

// BenchmarkModel is what the classifier costs a process: the garbage of
// reading it, and what remains in use.
func BenchmarkModel(b *testing.B) {
	if _, err := Model(); err != nil { // what all share is made
		b.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var m *learn.Model
	b.ReportAllocs()
	for b.Loop() {
		m, _ = Model()
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(after.HeapAlloc)-float64(before.HeapAlloc), "B-in-use")
	runtime.KeepAlive(m)
}
