package config

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"

	"hearken/complaint"
	"hearken/normalize"
)

// exampleRules are the rules that come with Hearken: tens of thousands of
// phrases; with their classifier, or without.
func exampleRules(t testing.TB, learnt bool) *normalize.Normalizer {
	t.Helper()
	text, err := os.ReadFile("../rules.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if !learnt {
		text = regexp.MustCompile(`(?m)^classifier:.*$`).ReplaceAll(text, nil)
	}
	path := filepath.Join(t.TempDir(), "rules.yaml")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	rules, err := LoadRules(path)
	if err != nil {
		t.Fatal(err)
	}
	return rules.Normalizer
}

func mail(subject, text string) complaint.Contact {
	return complaint.Contact{ID: "x", Channel: complaint.Email, Account: "support", Ref: "r", Subject: subject, Text: text, ReceivedAt: time.Unix(1.8e9, 0)}
}

// mailBytes is how long the long mails are that are measured.
const mailBytes = 8 << 10

// longMail puts complaints of one language one below the other: dense with
// keywords, and none like the one before.
func longMail(t testing.TB, chinese bool) string {
	t.Helper()
	var b strings.Builder
	for _, name := range []string{"first", "tuned"} {
		file, err := os.ReadFile("testdata/complaints." + name + ".jsonl")
		if err != nil {
			t.Fatal(err)
		}
		for line := range bytes.Lines(file) {
			var one struct{ Text string }
			if err := json.Unmarshal(line, &one); err != nil {
				t.Fatal(err)
			}
			han := strings.ContainsFunc(one.Text, func(r rune) bool { return unicode.Is(unicode.Han, r) })
			if han == chinese && b.Len() < mailBytes {
				b.WriteString(one.Text + "\r\n")
			}
		}
	}
	return b.String()
}

// BenchmarkExampleRules reads texts by the example rules: without the
// classifier, which is measured in internal/learn, and with it.
func BenchmarkExampleRules(b *testing.B) {
	plain, learnt := exampleRules(b, false), exampleRules(b, true)
	for _, c := range []struct{ name, subject, text string }{
		{"drain", "order 17", strings.Repeat("The parcel never came, and nobody answers. 包裹没有收到，客服不理人。\r\n", 80)},
		{"english", "Complaint about my last orders", longMail(b, false)},
		{"chinese", "投诉你们的订单", longMail(b, true)},
		{"chat-en", "", "my parcel still hasn't arrived"},
		{"chat-zh", "", "你好，我的包裹一直没有收到，怎么回事"},
		{"hostile", "", strings.Repeat("not phone 没 收到 broke ", 800)},
	} {
		measure := func(n *normalize.Normalizer) func(*testing.B) {
			return func(b *testing.B) {
				b.SetBytes(int64(len(c.text)))
				b.ReportAllocs()
				for b.Loop() {
					n.Record(mail(c.subject, c.text))
				}
			}
		}
		b.Run(c.name+"/keywords", measure(plain))
		b.Run(c.name+"/learnt", measure(learnt))
	}
}
