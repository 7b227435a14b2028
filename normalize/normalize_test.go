package normalize

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"

	"hearken/complaint"
	"hearken/normalize/history"
)

var small = Config{
	Version: "test",
	Types: []Type{
		{"SAFETY", []Keywords{{Any: []string{"受伤", "爆炸", "injured"}, Except: []string{"价格爆炸"}, Weight: 3}}},
		{"DELIVERY", []Keywords{{Any: []string{"没收到", "快递", "包裹", "courier", "parcel", "not delivered"}}}},
		{"BILLING", []Keywords{{Any: []string{"重复扣款", "多收", "overcharged", "double-charged"}, Weight: 2}, {Any: []string{"账单", "bill"}}}},
		{"REFUND", []Keywords{{Any: []string{"退款", "refund"}}}},
	},
	Flags: []Flag{
		{Name: "legal", Any: []string{"律师函", "lawyer"}},
		{Name: "safety", Any: []string{"受伤", "injured"}},
		{Name: "self_harm", Any: []string{"自杀"}},
	},
}

func normalizer(t testing.TB, change ...func(*Config)) *Normalizer {
	t.Helper()
	cfg := small
	for _, c := range change {
		c(&cfg)
	}
	n, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func contact(subject, text string) complaint.Contact {
	return complaint.Contact{ID: "x", Channel: complaint.Email, Account: "support", Ref: "r", Subject: subject, Text: text, ReceivedAt: time.Unix(1.8e9, 0)}
}

func TestRecordInFull(t *testing.T) {
	n := normalizer(t, func(c *Config) {
		c.Priority = func(r *complaint.Record) (string, []string) { return "P2", []string{"flag " + r.Flags[0] + ": P2"} }
	})
	c := contact("回复: Re[2]: 重复扣款 [2611-2300-4279]", "您好，\n\n我叫张伟，订单号：AB-20261123，被重复扣款 1,299.00元。请尽快退款，否则发律师函！\n电话 138 1234 5678\n\n-- \n张伟\n某公司")
	got := n.Record(c)
	got.Attachments, got.Notes = nil, nil
	want := complaint.Record{
		Schema: complaint.Schema, ID: "x", Channel: "email", ReceivedAt: c.ReceivedAt,
		Complainant: complaint.Person{Name: "张伟", Phone: "+8613812345678", Language: "zh"},
		Subject:     "重复扣款", Summary: "我叫张伟，订单号：AB-20261123，被重复扣款 1,299.00元。",
		Narrative:    "您好，\n\n我叫张伟，订单号：AB-20261123，被重复扣款 1,299.00元。请尽快退款，否则发律师函！\n电话 138 1234 5678",
		RemedySought: []string{"refund"}, RemedyText: "请尽快退款，否则发律师函",
		OrderNo: "AB-20261123", AmountInvolved: "1299.00", Currency: "CNY",
		IntakeClass: "complaint", Type: "BILLING", Priority: "P2", Flags: []string{"legal"},
		Classification: complaint.Classification{
			Matched: []complaint.Match{
				{Type: "BILLING", Term: "重复扣款", Field: "subject", Offset: 0, Weight: 4, Rule: "types.BILLING.keywords[0]"},
				{Type: "BILLING", Term: "重复扣款", Field: "narrative", Offset: 27, Weight: 2, Rule: "types.BILLING.keywords[0]"},
				{Type: "REFUND", Term: "退款", Field: "narrative", Offset: 45, Weight: 1, Rule: "types.REFUND.keywords[0]"},
				{Flag: "legal", Term: "律师函", Field: "narrative", Offset: 51, Rule: "flags.legal"},
			},
			Reasons: []string{"flag legal: P2"}, Confidence: 0.91, RulesVersion: "test",
		},
		Source: complaint.Source{Ref: "r"}, Facts: map[string]string{"mailbox": "support"},
	}
	if !reflect.DeepEqual(got, want) {
		g, _ := json.MarshalIndent(got, "", " ")
		w, _ := json.MarshalIndent(want, "", " ")
		t.Errorf("got %s\nwant %s", g, w)
	}
}

func TestSubject(t *testing.T) {
	for in, want := range map[string]string{
		"Re: RE: Fwd: lost": "lost", "回复：转发: 丢件": "丢件", "AW: [2611-2300-4279] Paket": "Paket", "Re[3]: x [2611-2300-4279]": "x",
		"[urgent] x": "[urgent] x", "Regarding: x": "Regarding: x", "re:": "", "[ [2611-2300-4279]": "[",
	} {
		if got := subject(in); got != want {
			t.Errorf("subject(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestMoneyAndOrders(t *testing.T) {
	for text, want := range map[string][3]string{
		"扣了199元":                       {"199.00", "CNY", ""},
		"一共3.5万元, 先付了2000块":            {"35000.00", "CNY", ""},
		"￥1，299.50":                    {"1299.50", "CNY", ""},
		"I paid $49.99 and £5":         {"49.99", "USD", ""},
		"1299 dollars, order #AB12345": {"1299.00", "USD", "AB12345"},
		"order number is 20261123-77":  {"", "", "20261123-77"},
		"订单 2026112300001 买了3件":        {"", "", "2026112300001"},
		"快递单号 SF1234567890":            {"", "", ""},
		"in order to complain":         {"", "", ""},
		"12315也不管, 我等了30天":             {"", "", ""},
		"$0":                           {"", "", ""},
	} {
		sum, cur := amount(text)
		if no := orderNo(text); sum != want[0] || cur != want[1] || no != want[2] {
			t.Errorf("%q: %q %q %q, want %q", text, sum, cur, no, want)
		}
	}
}

func TestPeople(t *testing.T) {
	n := normalizer(t)
	for _, c := range []struct {
		text string
		from complaint.Person
		want complaint.Person
	}{
		{"My name is John Smith, call me at +44 20 7946 0958", complaint.Person{}, complaint.Person{Name: "John Smith", Phone: "+442079460958", Language: "en"}},
		{"我是李娜，手机13912345678", complaint.Person{Email: "l@example.cn"}, complaint.Person{Name: "李娜", Phone: "+8613912345678", Email: "l@example.cn", Language: "zh"}},
		{"我是你们的老客户，邮箱 a.b@example.com.cn", complaint.Person{}, complaint.Person{Email: "a.b@example.com.cn", Language: "zh"}},
		{"我是在今天下单的", complaint.Person{Name: "张\n伟", Phone: "13812345678"}, complaint.Person{Name: "张 伟", Phone: "+8613812345678", Language: "zh"}},
		{"订单 13812345678901 还没到", complaint.Person{Phone: "anonymous"}, complaint.Person{Language: "zh"}},
		{"x", complaint.Person{Phone: "+266696687"}, complaint.Person{Language: "en"}},
		{"返金してください", complaint.Person{}, complaint.Person{Language: "ja"}},
		{"환불해 주세요", complaint.Person{}, complaint.Person{Language: "ko"}},
		{"Ich habe mein Paket bis heute nicht erhalten und möchte mein Geld zurück", complaint.Person{}, complaint.Person{Language: "de"}},
		{"投诉 refund please", complaint.Person{}, complaint.Person{Language: "zh"}},
		{"123", complaint.Person{}, complaint.Person{}},
		{"快递员电话 13812345678，态度恶劣。我写给 shop@example.cn 没人回", complaint.Person{}, complaint.Person{Language: "zh"}},
	} {
		in := contact("", c.text)
		in.From = c.from
		if got := n.Record(in).Complainant; got != c.want {
			t.Errorf("%q: %+v, want %+v", c.text, got, c.want)
		}
	}
}

func TestClasses(t *testing.T) {
	n := normalizer(t)
	for text, want := range map[string]string{
		"上次投诉处理得很好，点赞":         complaint.ClassPraise,
		"Thanks, well done!":   complaint.ClassPraise,
		"谢谢你们把包裹弄丢了，却没人管":      complaint.ClassComplaint,
		"请问营业时间是几点":            complaint.ClassEnquiry,
		"建议你们增加周末客服":           complaint.ClassSuggestion,
		"没收到包裹，请问怎么退款":         complaint.ClassComplaint,
		"Nobody answers, ever": complaint.ClassComplaint,
	} {
		if got := n.Record(contact("", text)).IntakeClass; got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

func TestSummarySkipsGreetings(t *testing.T) {
	for text, want := range map[string]string{
		"你好，在吗？\n我的包裹丢了。还没到": "我的包裹丢了。", "Dear Sir or Madam,\n\nIt broke. Twice.": "It broke.", "您好！我的包裹丢了": "我的包裹丢了", "hello": "", "Hello. It broke! Twice.": "It broke!",
	} {
		if got := summary("", text); got != want {
			t.Errorf("summary of %q is %q, want %q", text, got, want)
		}
	}
}

func TestNegationLowersButNeverHides(t *testing.T) {
	n := normalizer(t)
	r := n.Record(contact("", "包裹坏了, 没有人受伤"))
	if slices.Contains(r.Flags, "safety") || !slices.ContainsFunc(r.Notes, func(s string) bool { return strings.Contains(s, "受伤") }) {
		t.Errorf("nobody was hurt: flags %v, notes %v", r.Flags, r.Notes)
	}
	if r := n.Record(contact("", "我没有想自杀")); !slices.Contains(r.Flags, "self_harm") {
		t.Error("a word of self-harm was hidden by a negation")
	}
}

func TestNewReportsAllFaults(t *testing.T) {
	_, err := New(Config{Types: []Type{{"", []Keywords{{Any: []string{"-"}}}}}, Flags: []Flag{{Name: "x", Any: []string{""}}}})
	if err == nil || !strings.Contains(err.Error(), "no code") || strings.Count(err.Error(), "term") != 2 {
		t.Errorf("faults: %v", err)
	}
}

func TestRecordLaws(t *testing.T) {
	n := normalizer(t)
	alphabet := rapid.RuneFrom([]rune("a>: \n-_发件人主题From受伤退款1元$@.\x00\u200b\u202e😀"))
	rapid.Check(t, func(t *rapid.T) {
		c := contact(rapid.StringOf(alphabet).Draw(t, "subject"), rapid.StringOf(alphabet).Draw(t, "text"))
		holds(t, n, c)
	})
}

// holds checks what is true of every record.
func holds(t interface{ Errorf(string, ...any) }, n *Normalizer, c complaint.Contact) {
	r := n.Record(c)
	for what, s := range map[string]string{"subject": r.Subject, "narrative": r.Narrative, "summary": r.Summary, "name": r.Complainant.Name} {
		if !utf8.ValidString(s) || strings.ContainsAny(s, "\x00\u202e\r") {
			t.Errorf("%s is not clean: %q", what, s)
		}
	}
	letters := func(s string) bool {
		return strings.ContainsFunc(s, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) })
	}
	if letters(clean(c.Text)) && !letters(r.Narrative) {
		t.Errorf("the narrative lost the words of %q", c.Text)
	}
	if utf8.RuneCountInString(r.Narrative) > maxNarrative || utf8.RuneCountInString(r.Subject) > maxSubject || utf8.RuneCountInString(r.Summary) > maxSummary {
		t.Errorf("a text is longer than its bound")
	}
	if again, _ := history.Own(r.Narrative, false); again != r.Narrative && utf8.RuneCountInString(r.Narrative) < maxNarrative {
		t.Errorf("trimmed again: %q, was %q", again, r.Narrative)
	}
	if r.Type == "" || r.Priority == "" || len(r.RemedySought) == 0 || r.Classification.Matched == nil {
		t.Errorf("an element of the form is missing: %+v", r)
	}
	if !reflect.DeepEqual(r, n.Record(c)) {
		t.Errorf("the same contact gives two records")
	}
}

func FuzzRecord(f *testing.F) {
	f.Add("重复扣款", "我被扣了两次钱\n> 旧")
	f.Add("Re: x", "On 1 May a@b wrote:\n> hi\nFrom: x\nSent: y")
	f.Add("\xff", "\xfe-----Original Message-----\n￥1,299.00")
	n := normalizer(f)
	f.Fuzz(func(t *testing.T, subject, text string) {
		if len(text) > 1<<16 {
			return
		}
		holds(t, n, contact(subject, text))
	})
}

func BenchmarkRecord(b *testing.B) {
	n := normalizer(b)
	c := contact("重复扣款", strings.Repeat("我被扣了两次钱, 请退款. The courier lost my parcel.\n", 40)+"\n> quoted\n> quoted\n")
	b.SetBytes(int64(len(c.Text)))
	b.ReportAllocs()
	for b.Loop() {
		n.Record(c)
	}
}

func TestTermsOverEachOtherCountOnce(t *testing.T) {
	n := normalizer(t, func(c *Config) {
		c.Types = []Type{
			{"AFTERSALES", []Keywords{{Any: []string{"售后", "售后维修点"}}, {Any: []string{"维修"}, Weight: 0.5}, {Any: []string{"换件"}}}},
			{"REFUND", []Keywords{{Any: []string{"退"}, Weight: 0.5}, {Any: []string{"退款"}, Weight: 2}}},
		}
	})
	r := n.Record(contact("", "售后维修点不给退款，换件也不行"))
	var got []string
	for _, m := range r.Classification.Matched {
		got = append(got, m.Term)
	}
	if want := []string{"售后维修点", "退款", "换件"}; !slices.Equal(got, want) || r.Type != "AFTERSALES" {
		t.Errorf("%s by %v, want %v", r.Type, got, want)
	}
}

func TestNobodyNegates(t *testing.T) {
	r := normalizer(t).Record(contact("", "Nobody was injured, but the parcel is not delivered"))
	if len(r.Flags) > 0 || r.Type != "DELIVERY" {
		t.Errorf("type %s, flags %v", r.Type, r.Flags)
	}
}

// A subject that the gateway gave says nothing of the complaint.
func TestOwnSubjectIsNotRead(t *testing.T) {
	n := normalizer(t)
	c := contact("快递丢了, order A-88231, refund 99 yuan please", "")
	if r := n.Record(c); r.Type != "DELIVERY" || r.OrderNo == "" {
		t.Fatalf("a customer's subject: %s, order %q", r.Type, r.OrderNo)
	}
	c.Facts = map[string]string{complaint.FactSubjectBy: complaint.SubjectByGateway}
	r := n.Record(c)
	if r.Type != complaint.DefaultType || len(r.Classification.Matched) != 0 || r.OrderNo != "" || r.AmountInvolved != "" || !slices.Equal(r.RemedySought, []string{complaint.Unknown}) {
		t.Errorf("ours was read: %+v", r)
	}
	if r.Subject != c.Subject || r.Summary == "" {
		t.Errorf("and is not shown: %q, %q", r.Subject, r.Summary)
	}
	c.Text = "快递丢了"
	if r := n.Record(c); r.Type != "DELIVERY" {
		t.Errorf("the words below it: %s", r.Type)
	}
}
