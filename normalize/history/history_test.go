package history

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestOwn(t *testing.T) {
	quote := "\n> 您的订单已发货\n> 谢谢"
	for name, c := range map[string]struct{ text, want string }{
		"plain":             {"没收到包裹", "没收到包裹"},
		"gmail":             {"Still nothing.\n\nOn Mon, 3 Nov 2025 at 10:00, Support <s@example.com> wrote:\n> your parcel", "Still nothing."},
		"gmail two lines":   {"Still nothing.\n\nOn Mon, 3 Nov 2025 at 10:00, Support\n<s@example.com> wrote:\n\n> your parcel", "Still nothing."},
		"gmail zh":          {"还没收到\n\n客服 <s@example.com> 于2025年11月3日周一 10:00写道：\n" + quote, "还没收到"},
		"apple zh":          {"还没收到\n\n在 2025年11月3日，10:00，客服 <s@example.com> 写道：\n" + quote, "还没收到"},
		"outlook":           {"Please answer.\n\n________________________________\nFrom: Support <s@example.com>\nSent: Monday\nTo: me\nSubject: Re", "Please answer."},
		"outlook bare":      {"Please answer.\n\nFrom: Support <s@example.com>\nSent: Monday\nTo: me", "Please answer."},
		"outlook de":        {"Bitte antworten.\n\nVon: Support\nGesendet: Montag\nAn: mich\nBetreff: AW", "Bitte antworten."},
		"outlook zh":        {"请回复\n\n发件人: 客服 <s@example.com>\n发送时间: 2025年11月3日\n收件人: 我\n主题: 回复", "请回复"},
		"qq":                {"请回复\n\n\n------------------ 原始邮件 ------------------\n发件人: \"客服\"<s@example.com>;\n发送时间: 2025年11月3日", "请回复"},
		"netease":           {"请回复\n\n\n---- 回复的原邮件 ----\n| 发件人 | 客服 |", "请回复"},
		"original message":  {"No.\n-----Original Message-----\nFrom: x", "No."},
		"inline answers":    {"> 收到了吗?\n没收到\n> 要退款吗?\n要退款", "没收到\n要退款"},
		"signature":         {"退款\n-- \n张伟\n经理", "退款"},
		"iphone":            {"退款\n\n发自我的iPhone", "退款"},
		"iphone en":         {"refund\n\nSent from my iPhone", "refund"},
		"disclaimer":        {"refund me\n\nThis e-mail and any attachments are legally privileged.", "refund me"},
		"disclaimer zh":     {"退款\n\n本邮件及其附件含有保密信息，律师特权", "退款"},
		"only a forward":    {"---------- Forwarded message ----------\nFrom: a@example.com\nmy parcel is lost", "---------- Forwarded message ----------\nFrom: a@example.com\nmy parcel is lost"},
		"only a quote":      {"> lost parcel", "> lost parcel"},
		"from in a story":   {"From: the beginning it was bad.\nIt never worked.", "From: the beginning it was bad.\nIt never worked."},
		"she wrote":         {"I asked twice and she wrote:\nno refund", "I asked twice and she wrote:\nno refund"},
		"dashes in a story": {"first\n-----\nsecond", "first\n-----\nsecond"},
		"empty":             {"", ""},
		"spaces":            {"a  \n\n\n\n b\t\n", "a\n\n b"},
	} {
		got, _ := Own(c.text, false)
		if got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// What programs put above the mail that they answer, each below the words
// "新的内容 new words" and above an old mail.
var answers = map[string]string{
	"gmail en":          "On Mon, Nov 23, 2026 at 10:00 AM Support <support@example.com> wrote:",
	"gmail en 24h":      "On Mon, 23 Nov 2026 at 10:00, Support <support@example.com> wrote:",
	"gmail broken":      "On Mon, Nov 23, 2026 at 10:00 AM Support of a Company with a Long Name\n<\nsupport@example.com> wrote:",
	"gmail zh":          "Support <support@example.com> 于2026年11月23日周一 10:00写道：",
	"gmail tw":          "Support <support@example.com> 於 2026年11月23日 週一 上午10:00寫道：",
	"gmail de":          "Am Mo., 23. Nov. 2026 um 10:00 Uhr schrieb Support <support@example.com>:",
	"gmail fr":          "Le lun. 23 nov. 2026 à 10:00, Support <support@example.com> a écrit :",
	"gmail es":          "El lun, 23 nov 2026 a las 10:00, Support (<support@example.com>) escribió:",
	"gmail it":          "Il giorno lun 23 nov 2026 alle ore 10:00 Support <support@example.com> ha scritto:",
	"gmail pt":          "Em seg., 23 de nov. de 2026 às 10:00, Support <support@example.com> escreveu:",
	"gmail nl":          "Op ma 23 nov 2026 om 10:00 schreef Support <support@example.com>:",
	"gmail pl":          "pon., 23 lis 2026 o 10:00 Support <support@example.com> napisał(a):",
	"gmail ja":          "2026年11月23日(月) 10:00 Support <support@example.com>:",
	"gmail ko":          "2026년 11월 23일 (월) 오전 10:00, Support <support@example.com>님이 작성:",
	"gmail ru":          "пн, 23 нояб. 2026 г. в 10:00, Support <support@example.com>:",
	"gmail sv":          "Den mån 23 nov. 2026 kl 10:00 skrev Support <support@example.com>:",
	"apple en":          "On Nov 23, 2026, at 10:00 AM, Support <support@example.com> wrote:",
	"apple de":          "Am 23.11.2026 um 10:00 schrieb Support <support@example.com>:",
	"apple fr":          "Le 23 nov. 2026 à 10:00, Support <support@example.com> a écrit :",
	"apple zh":          "在 2026年11月23日，10:00，Support <support@example.com> 写道：",
	"apple zh, no mail": "在 2026年11月23日，上午10:00，客服中心 写道：",
	"apple ja":          "2026/11/23 10:00、Support <support@example.com>のメール:",
	"apple es":          "El 23 nov 2026, a las 10:00, Support <support@example.com> escribió:",
	"thunderbird en":    "On 11/23/26 10:00, Support wrote:",
	"thunderbird de":    "Am 23.11.26 um 10:00 schrieb Support:",
	"thunderbird fr":    "Le 23/11/2026 à 10:00, Support a écrit :",
	"thunderbird zh":    "在 2026/11/23 10:00, Support 写道:",
	"thunderbird es":    "El 23/11/26 a las 10:00, Support escribió:",
	"yahoo":             "On Monday, November 23, 2026 at 10:00:00 AM GMT+8, Support <support@example.com> wrote:",
	"yahoo de":          "Am Montag, 23. November 2026 um 10:00:00 MEZ hat Support <support@example.com> Folgendes geschrieben:",
	"netease":           "At 2026-11-23 10:00:00, \"Support\" <support@example.com> wrote:",
	"netease zh":        "在 2026-11-23 10:00:00，\"客服\" <support@example.com> 写道：",
	"netease new":       "---- 回复的原邮件 ----\n| 发件人 | 客服<support@example.com> |\n| 发送日期 | 2026年11月23日 10:00 |\n| 收件人 | zhang@example.cn |\n| 主题 | 订单 |",
	"qq":                "------------------ 原始邮件 ------------------\n发件人: \"客服\" <support@example.com>;\n发送时间: 2026年11月23日(星期一) 上午10:00\n收件人: \"张伟\"<zhang@example.cn>;\n主题: 订单",
	"qq en":             "------------------ Original ------------------\nFrom:  \"Support\" <support@example.com>;\nDate:  Mon, Nov 23, 2026 10:00 AM\nTo:  \"zhang\"<zhang@example.cn>;\nSubject:  order",
	"qq mobile":         "---Original---\nFrom: \"客服\"<support@example.com>\nDate: Mon, Nov 23, 2026 10:00 AM\nTo: \"zhang\"<zhang@example.cn>;\nSubject: 订单",
	"wecom":             "------------------\u00a0Original\u00a0------------------\nFrom: 客服 <support@example.com>\nDate: 2026年11月23日 10:00\nTo: zhang@example.cn\nSubject: 订单",
	"foxmail":           "发件人： 客服\n发送时间： 2026-11-23 10:00\n收件人： zhang\n主题： 订单",
	"foxmail en":        "From: Support\nDate: 2026-11-23 10:00\nTo: zhang\nSubject: order",
	"dingtalk":          "------------------------------------------------------------------\n发件人：客服<support@example.com>\n发送时间：2026年11月23日(星期一) 10:00\n收件人：zhang<zhang@example.cn>\n主　题：订单",
	"feishu":            "发件人：客服 <support@example.com>\n日期：2026年11月23日 (周一) 10:00\n主题：订单\n收件人：zhang@example.cn",
	"feishu en":         "From: \"Support\"<support@example.com>\nDate:  Mon, Nov 23, 2026, 10:00\nSubject:  order\nTo: \"zhang\"<zhang@example.cn>",
	"outlook en":        "From: Support <support@example.com>\nSent: Monday, November 23, 2026 10:00 AM\nTo: zhang@example.cn\nSubject: order",
	"outlook stars":     "*From:* Support <support@example.com>\n*Sent:* Monday, November 23, 2026 10:00 AM\n*To:* zhang@example.cn\n*Subject:* order",
	"outlook line":      "________________________________\nFrom: Support <support@example.com>\nSent: Monday, November 23, 2026 10:00 AM\nTo: zhang@example.cn\nSubject: order",
	"outlook old":       "-----Original Message-----\nFrom: Support [mailto:support@example.com]\nSent: Monday\nTo: zhang\nSubject: order",
	"outlook de":        "Von: Support <support@example.com>\nGesendet: Montag, 23. November 2026 10:00\nAn: zhang@example.cn\nBetreff: Bestellung",
	"outlook de old":    "-----Ursprüngliche Nachricht-----\nVon: Support",
	"outlook fr":        "De : Support <support@example.com>\nEnvoyé : lundi 23 novembre 2026 10:00\nÀ : zhang@example.cn\nObjet : commande",
	"outlook fr old":    "-----Message d'origine-----\nDe : Support",
	"outlook es":        "De: Support <support@example.com>\nEnviado el: lunes, 23 de noviembre de 2026 10:00\nPara: zhang@example.cn\nAsunto: pedido",
	"outlook it":        "Da: Support <support@example.com>\nInviato: lunedì 23 novembre 2026 10:00\nA: zhang@example.cn\nOggetto: ordine",
	"outlook pt":        "De: Support <support@example.com>\nEnviada em: segunda-feira, 23 de novembro de 2026 10:00\nPara: zhang@example.cn\nAssunto: pedido",
	"outlook nl":        "Van: Support <support@example.com>\nVerzonden: maandag 23 november 2026 10:00\nAan: zhang@example.cn\nOnderwerp: bestelling",
	"outlook pl":        "Od: Support <support@example.com>\nWysłano: poniedziałek, 23 listopada 2026 10:00\nDo: zhang@example.cn\nTemat: zamówienie",
	"outlook ru":        "От: Support <support@example.com>\nОтправлено: 23 ноября 2026 г. 10:00\nКому: zhang@example.cn\nТема: заказ",
	"outlook sv":        "Från: Support <support@example.com>\nSkickat: den 23 november 2026 10:00\nTill: zhang@example.cn\nÄmne: order",
	"outlook da":        "Fra: Support <support@example.com>\nSendt: 23. november 2026 10:00\nTil: zhang@example.cn\nEmne: ordre",
	"outlook fi":        "Lähettäjä: Support <support@example.com>\nLähetetty: maanantai 23. marraskuuta 2026 10:00\nVastaanottaja: zhang@example.cn\nAihe: tilaus",
	"outlook ja":        "差出人: Support <support@example.com>\n送信日時: 2026年11月23日 10:00\n宛先: zhang@example.cn\n件名: 注文",
	"outlook ko":        "보낸 사람: Support <support@example.com>\n보낸 날짜: 2026년 11월 23일 월요일 오전 10:00\n받는 사람: zhang@example.cn\n제목: 주문",
	"outlook zh":        "发件人: 客服 <support@example.com>\n发送时间: 2026年11月23日 10:00\n收件人: zhang@example.cn\n主题: 订单",
	"outlook tw":        "寄件者: 客服 <support@example.com>\n寄件日期: 2026年11月23日 10:00\n收件者: zhang@example.cn\n主旨: 訂單",
	"outlook tr":        "Kimden: Support <support@example.com>\nGönderildi: 23 Kasım 2026 10:00\nKime: zhang@example.cn\nKonu: sipariş",
	"outlook cs":        "Od: Support <support@example.com>\nOdesláno: pondělí 23. listopadu 2026 10:00\nKomu: zhang@example.cn\nPředmět: objednávka",
	"outlook hu":        "Feladó: Support <support@example.com>\nElküldve: 2026. november 23. 10:00\nCímzett: zhang@example.cn\nTárgy: rendelés",
	"lotus notes":       "-----Support wrote: -----\nTo: zhang@example.cn\nFrom: Support\nDate: 11/23/2026 10:00AM\nSubject: order",
	"desk, write above": "##- Please type your reply above this line -##",
	"desk zh":           "——— 请在此线上方回复 ———",
}

func TestAnswersOfTheWorld(t *testing.T) {
	for name, intro := range answers {
		for form, old := range map[string]string{"bare": "\n\nThe old words, order 123.\n您的旧邮件", "quoted": "\n\n> The old words, order 123.\n>\n> 您的旧邮件"} {
			const fresh = "新的内容 new words\nsecond line"
			if got, cut := Own(fresh+"\n\n\n"+intro+old+"\n", false); got != fresh || !cut {
				t.Errorf("%s, %s: %q", name, form, got)
			}
		}
	}
}

func TestAnswersBelowAndBetween(t *testing.T) {
	for name, intro := range answers {
		below := intro + "\n> old question one\n> and more\n\nnew answer below\n"
		if got, _ := Own(below, false); got != "new answer below" {
			t.Errorf("%s, below: %q", name, got)
		}
		between := "Hello,\n\n" + intro + "\n> old question one\nanswer one\n> old question two\n\nanswer two\n"
		if got, _ := Own(between, false); got != "Hello,\n\nanswer one\n\nanswer two" && got != "Hello,\n\nanswer one\nanswer two" {
			t.Errorf("%s, between: %q", name, got)
		}
	}
}

func TestForwardsKeepWhatTheyPassOn(t *testing.T) {
	const story = "My parcel never came.\nOrder 4711."
	for name, intro := range map[string]string{
		"gmail":   "---------- Forwarded message ---------\nFrom: Ann <ann@example.org>\nDate: Mon, Nov 23, 2026 at 10:00 AM\nSubject: parcel\nTo: <shop@example.com>",
		"apple":   "Begin forwarded message:\n\nFrom: Ann <ann@example.org>\nSubject: parcel\nDate: 23 November 2026 at 10:00\nTo: shop@example.com",
		"qq":      "------------------ 转发邮件 ------------------\n发件人: \"安\"<ann@example.org>\n发送时间: 2026年11月23日\n主题: 包裹",
		"netease": "-------- 转发邮件信息 --------\n发件人：\"安\" <ann@example.org>\n发送日期：2026-11-23 10:00:00\n收件人：shop@example.com\n主题：包裹",
		"moz de":  "-------- Weitergeleitete Nachricht --------\nBetreff: Paket\nDatum: Mon, 23 Nov 2026 10:00:00\nVon: Ann <ann@example.org>\nAn: shop@example.com",
	} {
		for _, note := range []string{"", "FYI, please handle.\n\n", "请处理\n\n"} {
			got, _ := Own(note+intro+"\n\n"+story+"\n\nOn Sun, 22 Nov 2026 at 10:00, Shop <shop@example.com> wrote:\n> sent today", false)
			if want := strings.TrimSpace(note); !strings.HasPrefix(got, want) || !strings.HasSuffix(got, story) {
				t.Errorf("%s: %q", name, got)
			}
		}
	}
	// Outlook's has no mark but its subject.
	outlook := "Please handle.\n\nFrom: Ann <ann@example.org>\nSent: Monday, November 23, 2026 10:00 AM\nTo: Shop\nSubject: parcel\n\n" + story
	if got, _ := Own(outlook, true); !strings.HasSuffix(got, story) {
		t.Errorf("%q", got)
	}
	if got, _ := Own(outlook, false); got != "Please handle." {
		t.Errorf("%q", got)
	}
}

func TestTails(t *testing.T) {
	const fresh = "I want a refund.\n我要退款。"
	for _, tail := range []string{
		"-- \nAnn Smith\nACME\n+44 20 7946 0000", "--\n张伟", "Sent from my iPhone", "Get Outlook for iOS<https://aka.example.com/o>", "Sent from Yahoo Mail for iPhone", "Von meinem iPhone gesendet",
		"Envoyé de mon iPhone", "Enviado desde mi iPhone", "Inviato da iPhone", "Enviado do meu iPhone", "Verstuurd vanaf mijn iPhone", "Отправлено с iPhone", "iPhoneから送信", "나의 iPhone에서 보냄",
		"发自我的iPhone", "发自我的华为手机", "來自我的 iPhone", "来自我的vivo手机", "从我的 OPPO 手机发送", "发自 网易邮箱大师", "| |\n张伟\n|\n签名由网易邮箱大师定制", "获取 Outlook for Android", "来自QQ邮箱手机版",
		"This e-mail and any attachments are confidential and may be legally privileged. If you are not the intended recipient, delete it.", "CONFIDENTIALITY NOTICE: This message is for the addressee only.",
		"________________________________\n本邮件及其附件含有保密信息，仅限于发送给上面地址中列出的个人或群组。", "Diese E-Mail enthält vertrauliche Informationen.", "Ce message et toutes les pièces jointes sont confidentiels.",
		"Este mensaje y sus anexos son confidenciales.", "*Please consider the environment before printing this e-mail.*",
	} {
		got, cut := Own(fresh+"\n\n"+tail, false)
		if got != fresh || !cut {
			t.Errorf("%q: %q", tail, got)
		}
	}
	if got, _ := Own("CAUTION: This email originated from outside of the organization. Do not click links.\n\n"+fresh, false); got != fresh {
		t.Errorf("%q", got)
	}
}

// What a customer writes must not be taken for a program's.
func TestStoriesStayWhole(t *testing.T) {
	for _, story := range []string{
		"On 3 May your agent wrote:\nYou get your money on Friday.\nI did not.",
		"Am 3. Mai schrieb mir Ihre Kollegin:\nMorgen.\nNichts.",
		"客服写道：\n三天内退款。\n但没有退。",
		"投诉内容如下\n时间：11月3日\n主题：退款\n订单号：123\n请处理",
		"Date: 3 May\nSubject: my parcel\nIt never came.",
		"What happened:\n--------------------\nThe lamp broke.",
		"One\n____________________\nTwo",
		"The mail from my bank says:\nFrom: the 3rd of May on, no fee.\nBut there was one.",
		"Sent by registered mail on Monday, with all the papers you asked for, and never answered since then.\nWhy?",
		"I got a disclaimer and\ndisclaimer: none of this is true, they said.\nThat is a joke.",
		"Forwarded message: I was told to wait.\nI waited.",
		"原始邮件我已经删了\n但是我有截图",
	} {
		if got, cut := Own(story, false); got != story || cut {
			t.Errorf("%q: %q", story, got)
		}
	}
}

func TestOwnOfOwnIsOwn(t *testing.T) {
	var pieces []string
	for _, intro := range answers {
		pieces = append(pieces, intro)
	}
	slices.Sort(pieces)
	pieces = append(pieces, "> quoted", "words", "更多的话", "", "-- ", "Sent from my iPhone", "---------- Forwarded message ---------", "From: a@example.com", "Date: x", "This e-mail and any attachments",
		"Best regards,", "Thanks", "Ann Smith", "ACME Ltd", "Tel. 030 1234567", "此致", "--", "___", "____________________", "| quoted", "JD> quoted", "> 3 weeks", ">>> A <a@example.com> 11/23/2026 10:00 >>>", "[EXTERNAL]", "My answers are below:",
		"CAUTION: This email originated from outside", "原始邮件", "is confidential", "https://example.com", "Get Outlook for iOS", "| |", "签名由网易邮箱大师定制", "On Mon, 23 Nov 2026 at 10:00, a <a@example.com>", "wrote:")
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 1, 12).Draw(t, "lines"), "\n")
		forwarded := rapid.Bool().Draw(t, "forwarded")
		once, _ := Own(text, forwarded)
		if twice, _ := Own(once, forwarded); twice != once {
			t.Fatalf("%q, then %q", once, twice)
		}
		if hasWords(text) && !hasWords(once) {
			t.Fatalf("no words left of %q", text)
		}
	})
}

func FuzzOwn(f *testing.F) {
	for _, intro := range answers {
		f.Add("new\n\n"+intro+"\n> old\n", false)
	}
	f.Fuzz(func(t *testing.T, text string, forwarded bool) {
		once, _ := Own(text, forwarded)
		if twice, _ := Own(once, forwarded); twice != once {
			t.Errorf("%q, then %q", once, twice)
		}
		if len(once) > len(text) {
			t.Error("longer than it was")
		}
	})
}

// BenchmarkOwn shows what the worst texts cost: many lines that look like
// something, and many signatures, each of which ends the text anew.
func BenchmarkOwn(b *testing.B) {
	for name, text := range map[string]string{
		"mail":        "Hello,\nI want a refund for order 4711.\n\nOn Mon, 23 Nov 2026 at 10:00, Support <support@example.com> wrote:\n> your parcel\n",
		"lines":       strings.Repeat("am 5. Mai um 10:00 dort\n", 4000),
		"signatures":  strings.Repeat("a\n-- \n", 30000),
		"footers":     strings.Repeat("Sent from my iPhone\n", 10000),
		"disclaimers": strings.Repeat("This email is confidential and privileged.\n\n", 5000),
		"closings":    strings.Repeat("Regards,\nAnn\n\n", 10000),
		"labels":      strings.Repeat("To: x\n", 30000),
		"quotes":      strings.Repeat("> x\ny\n", 30000),
		"attribution": strings.Repeat("On Mon, 23 Nov 2026 at 10:00, a <a@example.com>\n", 4000),
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				Own(text, false)
			}
		})
	}
}
