package starter

import (
	"strings"
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
		if got := m.Read(text); got.Label != want {
			t.Errorf("%q is %v, want %s", text, got, want)
		}
	}
}

// BenchmarkRead is what the classifier costs a record: a chat message, and a
// long mail; with the evidence.
func BenchmarkRead(b *testing.B) {
	m, err := Model()
	if err != nil {
		b.Fatal(err)
	}
	for name, text := range map[string]string{
		"chat.zh": "我的包裹丢了，订单 88231，请退款", "chat.en": "My parcel never arrived, order 88231, please refund me.",
		"mail.en": strings.Repeat("I was charged twice for the same order and nobody answers my calls. The courier says it was delivered but it was not. ", 10),
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
