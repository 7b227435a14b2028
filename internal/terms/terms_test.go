package terms

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func compile(t testing.TB, patterns ...Pattern) *Set {
	t.Helper()
	s, err := Compile(patterns)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestFind(t *testing.T) {
	for _, c := range []struct {
		term, text string
		want       bool
	}{
		{"退款", "请给我退款", true},
		{"退款", "請給我退 款", true},
		{"与描述不符", "商品與描述不符", true},
		{"投诉", "ｔ投​诉", true},
		{"refund", "I want a REFUND now", true},
		{"refund", "Refunded? refunds, refunding", true},
		{"refund", "refundable", false},
		{"refund", "prerefund", false},
		{"charge", "they charged me", true},
		{"fire", "he was fired", true},
		{"tv", "tvs", false},
		{"double-charged", "I was double charged", true},
		{"double-charged", "Double-\nCharged!", true},
		{"double charged", "double-charged", true},
		{"not-as-described", "Not As Described", true},
		{"FCA", "the FCA says", true},
		{"FCA", "fca", false},
		{"APP", "用APP打开", true},
		{"app", "用App打开", true},
		{"12315", "我要打12315投诉", true},
		{"12315", "订单912315", false},
		{"12315", "12315元", false},
		{"12345", "Order #AB12345", false},
		{"120", "¥120", false},
		{"120", "打120急救", true},
		{"120", "120.50", false},
		{"café", "the CAFE", true},
		{"fee", "ＦＥＥ", true},
		{"late", "later", false},
		{"charge", "they keep charging me", true},
		{"charge", "the charger", false},
		{"delivery", "two deliveries", true},
		{"deny", "they denied it", true},
		{"rip", "it ripped", true},
		{"bed", "bedding", true},
		{"see", "seeing", false},
		{"didn't work", "it didn’t work", true},
		{"didn't work", "it didn`t work", true},
	} {
		hits := compile(t, Pattern{Term: c.term}).Find(c.text)
		if got := len(hits) > 0; got != c.want {
			t.Errorf("%q in %q: %v, want %v", c.term, c.text, got, c.want)
		}
	}
}

func TestExceptAndLongest(t *testing.T) {
	s := compile(t,
		Pattern{Owner: 1, Term: "爆炸", Except: []string{"价格爆炸"}},
		Pattern{Owner: 2, Term: "质量", Except: []string{"服务质量", "质量保证金"}},
		Pattern{Owner: 3, Term: "退款"}, Pattern{Owner: 3, Term: "拒绝退款"},
		Pattern{Owner: 4, Term: "fire", Except: []string{"fire-sale"}},
	)
	for text, want := range map[string]string{
		"电池爆炸了":           "[1:爆炸 2-4]",
		"价格爆炸":            "[]",
		"價格爆炸, 后来真的爆炸":    "[1:爆炸 10-12]",
		"服务质量差, 质量保证金不退":  "[]",
		"质量差":             "[2:质量 0-2]",
		"商家拒绝退款":          "[3:拒绝退款 2-6]",
		"fire sale":       "[]",
		"a fire started":  "[4:fire 2-6]",
		"":                "[]",
		"a Fire-Sale; no": "[]",
	} {
		var got []string
		for _, h := range s.Find(text) {
			got = append(got, fmt.Sprintf("%d:%s %d-%d", h.Owner, h.Term, h.Start, h.End))
		}
		if g := fmt.Sprint(got); g != want {
			t.Errorf("%q: %s, want %s", text, g, want)
		}
	}
}

func TestNegated(t *testing.T) {
	s := compile(t, Pattern{Term: "受伤"}, Pattern{Term: "injured"}, Pattern{Term: "退款"})
	for text, want := range map[string]bool{
		"孩子受伤了": false, "没有受伤": true, "没有人受伤": true, "未受伤": true, "并非受伤": true, "没有说话, 受伤了": false,
		"he is injured": false, "nobody was not injured": true, "no one got injured": true, "wasn't badly injured": true, "I did not know. He is injured": false,
		"从来没有给我们退款": false, "没有给我退款": true,
	} {
		hits := s.Find(text)
		if len(hits) != 1 || hits[0].Negated != want {
			t.Errorf("%q: %+v, want negated %v", text, hits, want)
		}
	}
}

// A "not" that denies nothing, or another thing.
func TestNotDenied(t *testing.T) {
	s := compile(t, Pattern{Term: "受伤"}, Pattern{Term: "burn"}, Pattern{Term: "冻结"})
	for text, want := range map[string]bool{
		"没想到受伤了": false, "没几天就受伤": false, "未成年受伤": false, "无故冻结": false, "不是受伤": true, "是不是受伤了": false, "有没有人受伤": false,
		"没有任何受伤": true, "it didn't stop burning": false, "not only burned": false, "dont burn": true, "nothing was burnt": true, "nothing burned": true,
	} {
		hits := s.Find(text)
		if text == "nothing was burnt" {
			if len(hits) != 0 {
				t.Errorf("%q: %+v, an irregular form is a term of its own", text, hits)
			}
			continue
		}
		if len(hits) != 1 || hits[0].Negated != want {
			t.Errorf("%q: %+v, want negated %v", text, hits, want)
		}
	}
}

func TestNear(t *testing.T) {
	s := compile(t,
		Pattern{Owner: 1, Term: "charge|take|took|扣|收 ~ twice|two times|两次|重复"},
		Pattern{Owner: 2, Term: "not|never|haven't|没|未 ~ arrive|receive|收到|到货", Except: []string{"not only"}},
		Pattern{Owner: 3, Term: "phone|手机 ~ screen|屏 ~ black|dead|黑"},
		Pattern{Owner: 4, Term: "twice"},
	)
	for text, want := range map[string]string{
		"My card was charged for the order twice.":       "[1:charge … twice 12-39] [4:twice 34-39]",
		"两次都扣了我的钱":                                       "[1:两次 … 扣 0-4]",
		"Charged. It broke twice.":                       "[4:twice 18-23]",
		"took it a b c d e f g h twice":                  "[4:twice 24-29]",
		"Version 1.2 took 3.50 twice":                    "[1:took … twice 12-27] [4:twice 22-27]",
		"It has not arrived, I never got it":             "[2:not … arrive 7-17]",
		"还没有收到":                                          "[2:没 … 收到 1-5]",
		"not only that: received":                        "[]",
		"The screen of my phone went black":              "[3:screen … phone … black 4-33]",
		"手機屏幕黑了":                                         "[3:手机 … 屏 … 黑 0-5]",
		"I wasn't charged twice":                         "[1:charge … twice! 9-22] [4:twice! 17-22]",
		"charged twice, charged once; charged two times": "[1:charge … twice 0-13] [4:twice 8-13]",
		"扣": "[]",
	} {
		var got []string
		for _, h := range s.Find(text) {
			no := ""
			if h.Negated {
				no = "!"
			}
			got = append(got, fmt.Sprintf("[%d:%s%s %d-%d]", h.Owner, h.Term, no, h.Start, h.End))
		}
		if g := strings.Join(got, " "); g != want && (want != "[]" || g != "") {
			t.Errorf("%q: %s, want %s", text, g, want)
		}
	}
}

// TestNearCost holds the parts of a hostile text to what an honest one costs.
func TestNearCost(t *testing.T) {
	s := compile(t, Pattern{Term: "a|b ~ c|d ~ e"}, Pattern{Term: "a ~ z"})
	for _, text := range []string{strings.Repeat("a ", 10_000), strings.Repeat("a c ", 10_000), strings.Repeat("ac", 10_000)} {
		if hits := s.Find(text); len(hits) != 0 {
			t.Errorf("%.10q...: %v", text, hits)
		}
	}
}

// TestAgainstOneByOne holds the automaton to the plain way of looking.
func TestAgainstOneByOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.StringOfN(rapid.RuneFrom([]rune("ab退款")), 1, 4, -1)
		terms := rapid.SliceOfNDistinct(word, 1, 6, rapid.ID[string]).Draw(t, "terms")
		text := rapid.StringOfN(rapid.RuneFrom([]rune("ab 退款")), 0, 30, -1).Draw(t, "text")
		var all []Pattern
		for i, term := range terms {
			all = append(all, Pattern{Owner: i, Term: term})
		}
		together, err := Compile(all)
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		for _, p := range all {
			alone, err := Compile([]Pattern{p})
			if err != nil {
				t.Fatal(err)
			}
			for _, h := range alone.Find(text) {
				h.Pattern = p.Owner
				want = append(want, fmt.Sprint(h))
			}
		}
		var got []string
		for _, h := range together.Find(text) {
			got = append(got, fmt.Sprint(h))
		}
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Fatalf("%q in %q:\n%v\n%v", terms, text, got, want)
		}
	})
}

func TestCompileRefuses(t *testing.T) {
	for _, term := range []string{"", " - ", strings.Repeat("长", maxTerm+1), "a ~ ", "a | ~ b", "a ~ b ~ c ~ d ~ e"} {
		if _, err := Compile([]Pattern{{Term: term}}); err == nil {
			t.Errorf("term %q was taken", term)
		}
	}
}

func FuzzFind(f *testing.F) {
	f.Add("请退款 refund FCA 12315")
	f.Add("ﬁre ㎏ ½ \u200b退\u00ad款 價格")
	f.Add("\xff\xfe没有受伤")
	s := compile(f, Pattern{Term: "退款"}, Pattern{Term: "refund"}, Pattern{Term: "fire", Except: []string{"fire sale"}}, Pattern{Term: "12315"}, Pattern{Term: "FCA"},
		Pattern{Term: "fire|退 ~ no|款 ~ 12"})
	f.Fuzz(func(t *testing.T, text string) {
		n := utf8.RuneCountInString(text)
		for _, h := range s.Find(text) {
			if h.Start < 0 || h.End <= h.Start || h.End > n {
				t.Errorf("%+v is outside of the text's %d runes", h, n)
			}
		}
	})
}

func BenchmarkFind(b *testing.B) {
	for _, n := range []int{100, 10000} {
		var all []Pattern
		for i := range n {
			all = append(all, Pattern{Owner: i, Term: fmt.Sprintf("term%dx", i)}, Pattern{Owner: i, Term: fmt.Sprintf("投诉%d号", i)})
		}
		s := compile(b, all...)
		text := strings.Repeat("我昨天买的手机坏了, 商家拒绝退款. The courier lost my parcel term7x. ", 10)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				s.Find(text)
			}
		})
	}
}
