package reach

import (
	"strings"
	"testing"
)

func TestEmail(t *testing.T) {
	for text, want := range map[string]string{
		"":                            "",
		"no address, only an @ sign":  "",
		"ann@example.com":             "ann@example.com",
		"Ann Lee, ann@example.com.":   "ann@example.com",
		"my mail is info@bakery.test": "info@bakery.test",
		"info@bakery.test":            "info@bakery.test",
		"I wrote to support@shop.test three times and nobody answers":       "",
		"I have sent three mails to tom@shop.test. Mine is ann@example.com": "ann@example.com",
		"I emailed tom@shop.test, please answer to ann@example.com":         "ann@example.com",
		"please send the answer to ann@example.com":                         "ann@example.com",
		"I wrote you from ann@example.com last week":                        "ann@example.com",
		"the reply I got came from tom@shop.test":                           "",
		"support@shop.test never answers":                                   "",
		"我发邮件给 tom@shop.test，没有人回":                                          "",
		"请回复到 ann@example.cn":                                               "ann@example.cn",
		"收到 tom@shop.test 的邮件，我的邮箱是 ann@example.cn":                         "ann@example.cn",
		"联系邮箱：ann@example.cn":                                               "ann@example.cn",
		"包裹丢了，张伟 ann@example.cn":                                            "ann@example.cn",
		strings.Repeat("张", 300) + "@" + strings.Repeat("a@b.", 300):        "a@b",
	} {
		if want == "a@b" { // whatever it is, it comes to an end
			Email(text)
			continue
		}
		if got := Email(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestOfSomebodyElse(t *testing.T) {
	for before, want := range map[string]bool{
		"快递员电话 ": true, "快递员 ": true, "我打了客服电话 ": true, "the courier, ": true, "I called ": true, "the seller's phone number is ": true,
		"我的电话是 ": false, "张伟 ": false, "手机 ": false, "please call me at ": false, "快递员很粗暴。张伟 ": false, "": false,
	} {
		if got := OfSomebodyElse(before); got != want {
			t.Errorf("%q: %v", before, got)
		}
	}
}

// Of many @ those are tried that an address may be around.
func TestEmailAmongOthers(t *testing.T) {
	for text, want := range map[string]string{
		"I am at a.b+c@example.co.uk.": "a.b+c@example.co.uk", "@1 @x.y a@b @": "", "@home, me@example.com": "me@example.com", "a@b a@b.c": "a@b.c", "包@例.中国": "",
	} {
		if got := Email(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
