package letter

import (
	"strings"
	"testing"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/encoding/unicode/utf32"
)

// TestLabels has the names that programs give to charsets.
func TestLabels(t *testing.T) {
	for label, c := range map[string]struct {
		enc  encoding.Encoding
		text string
	}{
		"cp-850": {charmap.CodePage850, "Größe à café"}, "IBM850": {charmap.CodePage850, "Größe à café"}, "cp858": {charmap.CodePage858, "5 €, Größe"},
		"win-1251": {charmap.Windows1251, "Где мой заказ?"}, "cp1251": {charmap.Windows1251, "Где мой заказ?"}, "windows1251": {charmap.Windows1251, "Где мой заказ?"},
		"1252": {charmap.Windows1252, "“Größe”"}, "8859_1": {charmap.ISO8859_1, "Größe"}, "ISO8859_15": {charmap.ISO8859_15, "5 €"},
		"cp932": {japanese.ShiftJIS, "①髙橋ﾃﾝﾌﾟ"}, "cp51932": {japanese.EUCJP, "返金のお願い"}, "uhc": {korean.EUCKR, "똠방각하"}, "windows-949": {korean.EUCKR, "환불"},
		"GB_18030": {simplifiedchinese.GB18030, "退款"}, "x-big5": {traditionalchinese.Big5, "退款"},
		"utf-32": {utf32.UTF32(utf32.LittleEndian, utf32.UseBOM), "退款😀"}, "utf-8-sig": {encoding.Nop, "退款"}, `"UTF 8"`: {encoding.Nop, "退款"}, "utf-8;format=flowed": {encoding.Nop, "退款"}, "charset=utf-8": {encoding.Nop, "退款"},
		"koi8-r (Russian)": {charmap.KOI8R, "Где мой заказ?"}, "macintosh": {charmap.Macintosh, "Größe …"}, "tis-620": {charmap.Windows874, "คืนเงิน"}, "iso-8859-8-i": {charmap.ISO8859_8, "החזר כספי"},
	} {
		if got, note := decodeCharset(label, []byte(encode(t, c.enc, c.text)), nil); got != c.text || note != "" {
			t.Errorf("%s: %q (%s), want %q", label, got, note, c.text)
		}
	}
}

func TestSwitchingCharsets(t *testing.T) {
	seven := func(enc encoding.Encoding, s string) string {
		b := []byte(encode(t, enc, s))
		for i := range b {
			b[i] &= 0x7f
		}
		return string(b)
	}
	gb, ks, ja := seven(simplifiedchinese.GBK, "退款"), seven(korean.EUCKR, "환불"), seven(japanese.EUCJP, "返金")
	for _, c := range []struct{ name, label, in, want string }{
		{"not switched back", "iso-2022-jp", "\x1b$B" + ja, "返金"},
		{"not switched back at a line's end", "iso-2022-jp", "\x1b$B" + ja + "\r\nplain", "返金\r\nplain"},
		{"old sequences", "iso-2022-jp", "\x1b$@" + ja + "\x1b(J \\500", "返金 ¥500"},
		{"katakana of half the width", "iso-2022-jp", "\x1b(I\x36\x3d\x40\x1b(B.", "ｶｽﾀ."},
		{"Chinese and Korean in Japanese", "iso-2022-jp-2", "\x1b$A" + gb + "\x1b(B \x1b$(C" + ks + "\x1b(B.", "退款 환불."},
		{"a letter by single shift", "iso-2022-jp-2", "\x1b.Acaf\x1bNi", "café"},
		{"Korean", "iso-2022-kr", "\x1b$)C\x0e" + ks + "\x0f ok", "환불 ok"},
		{"Chinese", "iso-2022-cn", "\x1b$)A\x0e" + gb + "\x0f ok", "退款 ok"},
		{"declared as utf-8", "utf-8", "\x1b$B" + ja + "\x1b(B", "返金"},
		{"declared as shift_jis", "shift_jis", "\x1b$B" + ja + "\x1b(B", "返金"},
		{"half a character", "iso-2022-jp", "\x1b$B" + ja[:3] + "\x1b(B.", "返\uFFFD."},
		{"an unknown sequence", "iso-2022-jp", "\x1b%x\x1b$B" + ja, "\uFFFD%x返金"},
	} {
		if got, _ := decodeCharset(c.label, []byte(c.in), nil); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// TestLabelsThatLie has labels that stand on something else.
func TestLabelsThatLie(t *testing.T) {
	hans, ru := "您好，我上周买的电饭煲收到时外壳已经破裂，请退款", "Здравствуйте, чайник пришёл с трещиной, прошу вернуть деньги"
	for _, c := range []struct {
		label string
		enc   encoding.Encoding
		text  string
	}{
		{"koi8-r", encoding.Nop, ru}, {"windows-1251", encoding.Nop, ru}, {"big5", encoding.Nop, hans}, {"gb2312", encoding.Nop, hans}, {"iso-8859-2", encoding.Nop, "Proszę o zwrot pieniędzy, garnek był zepsuty"},
		{"iso-8859-1", charmap.Windows1251, ru}, {"iso-8859-1", charmap.KOI8R, ru}, {"big5", simplifiedchinese.GBK, hans},
		{"iso-8859-2", charmap.Windows1250, "žádám „peníze“ zpět, šaty"}, {"iso-8859-7", charmap.Windows1253, "το “σπασμένο” προϊόν"},
		{"utf-16", encoding.Nop, "Größe ist falsch"}, {"utf-16le", encoding.Nop, "I want my money back, please"}, {"x-user-defined", charmap.Windows1251, ru},
		{"us-ascii", japanese.ShiftJIS, "ｶｽﾀﾏｰｾﾝﾀｰ御中 商品が届きません。"},
		{"windows-1258", encoding.Nop, "Thân Mệnh"}, {"iso-8859-2", encoding.Nop, "Müller"}, {"gb2312", encoding.Nop, "投诉"}, {"shift_jis", encoding.Nop, "返金"}, {"gb2312", traditionalchinese.Big5, "我要申請退款，謝謝"},
		// And these tell the truth.
		{"koi8-r", charmap.KOI8R, "её"}, {"cp866", charmap.CodePage866, "уже"}, {"tis-620", charmap.Windows874, "แขก"}, {"gbk", simplifiedchinese.GBK, "璇玑"}, {"shift_jis", japanese.ShiftJIS, "返金"},
		{"windows-1251", charmap.Windows1251, ru}, {"iso-8859-1", charmap.ISO8859_1, "ÀÉÎÕÜ àéîõü: ÄÖÜäöüß, ÅÆØ, ¡Él! ¿Ésa? AÇÃO Ñ"}, {"gb2312", simplifiedchinese.GBK, "一"}, {"big5", traditionalchinese.Big5, "您好，我要退款，謝謝您的幫忙"},
	} {
		if got, _ := decodeCharset(c.label, []byte(encode(t, c.enc, c.text)), nil); got != c.text {
			t.Errorf("%s: %q, want %q", c.label, got, c.text)
		}
	}
}

func TestUnicodeForms(t *testing.T) {
	for _, c := range []struct{ name, label, in, want string }{
		{"a mark against the label", "utf-8", "\xff\xfe\x00\x90>k", "退款"},
		{"a mark without a label", "", "\xfe\xff\x90\x00k>", "退款"},
		{"no mark, big end", "utf-16", "\x00H\x00i", "Hi"},
		{"no mark, little end", "utf-16", "H\x00i\x00", "Hi"},
		{"no mark, no Latin", "utf-16", "\x00\x90>k\x0c\xff", "退款，"},
		{"half a pair", "utf-16be", "\xd8\x3d\x00a\x00b\x00c\x00d\x00e\x00f\x00g\x00h\x00i\x00j\x00k\x00l\x00m\x00n\x00o\x00p\x00q\x00r\x00s", "\uFFFDabcdefghijklmnopqrs"},
		{"surrogates in UTF-8", "utf-8", "a \xed\xa0\xbd\xed\xb8\x80 b", "a 😀 b"},
		{"UTF-7 of IMAP", "utf-7-imap", "Gr&APw-n &- x", "Grün & x"},
		{"written twice", "utf-8", "GrÃ¶ÃŸe", "GrÃ¶ÃŸe"},
	} {
		if got, _ := decodeCharset(c.label, []byte(c.in), nil); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// TestTongues has texts that declare nothing, in the charsets that their
// countries had before UTF-8.
func TestTongues(t *testing.T) {
	for _, c := range []struct {
		text string
		in   []encoding.Encoding
	}{
		{"Der Wasserkocher läuft nicht, ich möchte das Geld zurück. Grüße", []encoding.Encoding{charmap.Windows1252, charmap.CodePage850}},
		{"La bouilloire est cassée, où dois-je l'envoyer ? À bientôt, ça presse", []encoding.Encoding{charmap.Windows1252}},
		{"¿Dónde está mi dinero? El señor no contestó, además", []encoding.Encoding{charmap.Windows1252}},
		{"A informação não está certa, e ninguém responde", []encoding.Encoding{charmap.Windows1252}},
		{"Kupiłem czajnik, który już się zepsuł. Proszę o zwrot pieniędzy. Łukasz Źródło", []encoding.Encoding{charmap.Windows1250, charmap.ISO8859_2}},
		{"Konvice je už rozbitá, žádám vrácení peněz. Jiří Dvořák", []encoding.Encoding{charmap.Windows1250, charmap.ISO8859_2}},
		{"A vízforraló elromlott, kérem vissza a pénzemet. Köszönöm, Győző", []encoding.Encoding{charmap.Windows1250}},
		{"Fierbătorul s-a stricat, aş dori banii înapoi. Vă mulţumesc", []encoding.Encoding{charmap.Windows1250}},
		{"Isıtıcı bozuldu, paramın iadesini istiyorum. Teşekkürler, İğdır", []encoding.Encoding{charmap.Windows1254}},
		{"Virdulys sugedo, prašau grąžinti pinigus kuo greičiau. Ačiū", []encoding.Encoding{charmap.Windows1257}},
		{"Чайник сломался, прошу вернуть деньги", []encoding.Encoding{charmap.Windows1251, charmap.KOI8R, charmap.CodePage866, charmap.ISO8859_5}},
		{"ЧАЙНИК СЛОМАЛСЯ, ПРОШУ ВЕРНУТЬ ДЕНЬГИ", []encoding.Encoding{charmap.Windows1251}},
		{"Чайник зламався, прошу повернути гроші, і якнайшвидше", []encoding.Encoding{charmap.Windows1251, charmap.KOI8U}},
		{"Ο βραστήρας χάλασε και θέλω τα χρήματά μου πίσω", []encoding.Encoding{charmap.Windows1253}},
		{"הקומקום התקלקל, אני מבקש החזר כספי", []encoding.Encoding{charmap.Windows1255}},
		{"تعطلت الغلاية وأرجو إعادة المال في أقرب وقت", []encoding.Encoding{charmap.Windows1256, charmap.ISO8859_6}},
		{"It’s “broken” – 5 m³, £20, 30°C", []encoding.Encoding{charmap.Windows1252}},
	} {
		for _, enc := range c.in {
			if got, _ := decodeCharset("", []byte(encode(t, enc, c.text)), nil); got != c.text {
				t.Errorf("%v: %q, want %q", enc, got, c.text)
			}
		}
	}
	polish := encode(t, charmap.ISO8859_2, "Kupiłem czajnik, który już się zepsuł. Proszę o zwrot pieniędzy u państwa. Łukasz Żółw")
	if got, _ := decodeCharset("iso-8859-1", []byte(polish), nil); !strings.Contains(got, "już się zepsuł") {
		t.Errorf("under the label of others: %q", got)
	}
}

// TestDamagedText has texts of which a byte went wrong on the way.
func TestDamagedText(t *testing.T) {
	hint := &clue{charset: "gb2312"}
	for _, c := range []struct{ label, in, want string }{
		{"", "订单退款申请"[:17], "订单退款申\uFFFD"},
		{"", "退款"[:5], "退\uFFFD"},
		{"", "您好，请退款给我，谢谢 caf\xe9", "您好，请退款给我，谢谢 caf\uFFFD"},
		{"gb2312", "\xc4\xfa\xba\xc3\xa3\xac\xa0\xc7\xeb\xcd\xcb\xbf\xee", ""},
	} {
		for _, h := range []*clue{nil, hint} {
			got, _ := decodeCharset(c.label, []byte(c.in), h)
			if h != nil && len(c.in) < 6 {
				continue // one character says less than the rest of the mail
			}
			if got != c.want && (c.want != "" || !strings.HasPrefix(got, "您好，")) {
				t.Errorf("%q: %q, want %q", c.in, got, c.want)
			}
		}
	}
}

// TestRawHeadersAndWhatTheTextTells has subjects in raw bytes, which mostly have
// the charset that the text has, not the one that it claims.
func TestRawHeadersAndWhatTheTextTells(t *testing.T) {
	hans := encode(t, simplifiedchinese.GBK, "您好，我上周买的电饭煲收到时外壳已经破裂，请退款")
	for _, c := range []struct {
		name, subject string
		in            encoding.Encoding
		label, body   string
	}{
		{"a label that lies", "投诉", simplifiedchinese.GBK, "iso-8859-1", hans},
		{"a label of nothing", "投诉电饭煲", simplifiedchinese.GBK, "iso-8859-1", "see the file"},
		{"a Russian one", "Жалоба", charmap.Windows1251, "iso-8859-1", encode(t, charmap.Windows1251, "Здравствуйте, три недели назад я купил у вас чайник")},
		{"the label's own", "退款", traditionalchinese.Big5, "big5", encode(t, traditionalchinese.Big5, "請退款")},
		{"nobody's label", "zwrot pieniędzy", charmap.Windows1250, "x-unknown", encode(t, charmap.Windows1250, "Kupiłem czajnik, który już się zepsuł. Łukasz Źródło")},
		{"another one", "Beschädigt", charmap.ISO8859_1, "gb2312", hans},
	} {
		l := read(t, "Subject: "+encode(t, c.in, c.subject)+"\nContent-Type: text/plain; charset="+c.label+"\n\n"+c.body+"\n")
		if l.Subject != c.subject {
			t.Errorf("%s: %q, want %q", c.name, l.Subject, c.subject)
		}
	}
}
