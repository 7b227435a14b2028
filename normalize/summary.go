package normalize

import (
	"strings"
	"unicode/utf8"
)

// summary is the first sentence that says something.
func summary(subject, narrative string) string {
	for line := range strings.Lines(narrative) {
		line = oneLine(line)
		if isGreeting(line) {
			continue
		}
		for line != "" {
			var sentence string
			if sentence, line = firstSentence(line); !isGreeting(sentence) {
				sentence, _ = shorten(sentence, maxSummary)
				return sentence
			}
		}
	}
	subject, _ = shorten(subject, maxSummary)
	return subject
}

// firstSentence cuts a line behind its first full stop, of either script.
func firstSentence(line string) (sentence, rest string) {
	end := len(line)
	if i := strings.IndexFunc(line, endsSentence); i >= 0 {
		_, size := utf8.DecodeRuneInString(line[i:])
		end = i + size
	}
	if i := strings.Index(line, ". "); i >= 0 && i+1 < end {
		end = i + 1
	}
	return line[:end], strings.TrimSpace(line[end:])
}

// Words that begin a line which only greets, and words that are one.
var (
	salutations = []string{"dear ", "尊敬的", "亲爱的", "to whom it may concern"}
	greetings   = map[string]bool{
		"": true, "你好": true, "您好": true, "嗨": true, "喂": true, "哈喽": true, "在吗": true, "在么": true, "有人吗": true, "有人在吗": true, "客服": true, "客服你好": true, "你好客服": true,
		"hi": true, "hello": true, "hey": true, "hi there": true, "hello there": true, "anyone there": true, "is anyone there": true, "hi all": true, "hello all": true,
		"good morning": true, "good afternoon": true, "good evening": true, "hi team": true, "hello team": true, "早上好": true, "下午好": true, "晚上好": true,
	}
)

// isGreeting tells a line that is only a salutation.
func isGreeting(line string) bool {
	if len(line) <= longestSalutation {
		low := strings.ToLower(line)
		for _, s := range salutations {
			if strings.HasPrefix(low, s) && utf8.RuneCountInString(low) <= 40 && !strings.ContainsAny(low, "。.!！?？") {
				return true
			}
		}
	}
	for part := range strings.FieldsFuncSeq(line, parts) {
		if part = strings.TrimSpace(part); len(part) > longestGreeting || !greetings[strings.ToLower(part)] {
			return false
		}
	}
	return true
}

// Bounds of what may greet, in bytes, so that no long line is looked through
// for that. A letter has up to four bytes, and its small form no fewer than a
// third of them.
const (
	longestSalutation = 40 * 4 * 3
	longestGreeting   = 24 * 3
)

func parts(r rune) bool {
	switch r {
	case ',', '，', '。', '.', '!', '！', '?', '？', '~', ':', '：', ';', '；':
		return true
	}
	return false
}

func endsSentence(r rune) bool {
	switch r {
	case '。', '！', '？', '!', '?':
		return true
	}
	return false
}
