package letter

import (
	"bytes"
	"encoding/base64"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	"pgregory.net/rapid"

	"hearken/complaint"
	"hearken/internal/blob"
)

func store(t testing.TB) *blob.Store {
	t.Helper()
	s, err := blob.New(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func read(t testing.TB, mail string) *Letter {
	t.Helper()
	l, err := Read(strings.NewReader(mail), store(t), DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func encode(t testing.TB, e encoding.Encoding, s string) string {
	t.Helper()
	out, err := e.NewEncoder().String(s)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func noted(l *Letter, part string) bool {
	return strings.Contains(strings.Join(l.Notes, "\n"), part)
}

func TestPlainMail(t *testing.T) {
	l := read(t, "Message-ID: <a@example.cn>\r\nFrom: =?GBK?B?1cXOsA==?= <zhang@Example.CN>\r\nReply-To: z2@example.cn\r\nTo: support@example.com\r\n"+
		"Subject: =?UTF-8?B?6YeN5aSN5omj?=\r\n =?UTF-8?B?5qy+?=\r\nIn-Reply-To: Your mail of Monday <x@example.com>\r\nReferences: <w@example.com>\r\n <x@example.com>\r\n"+
		"Date: Mon, 23 Nov 2026 10:00:00 +0800\r\n\r\n我被扣了两次钱。\r\n请退款。\r\n")
	if l.MessageID != "a@example.cn" || l.From[0] != (Address{"张伟", "zhang@example.cn"}) || l.ReplyTo[0].Addr != "z2@example.cn" {
		t.Errorf("people: %+v", l)
	}
	if l.Subject != "重复扣款" || l.Text != "我被扣了两次钱。\n请退款。" {
		t.Errorf("subject %q, text %q", l.Subject, l.Text)
	}
	if len(l.InReplyTo) != 1 || l.InReplyTo[0] != "x@example.com" || len(l.References) != 2 || len(l.Notes) != 0 {
		t.Errorf("thread %v %v, notes %v", l.InReplyTo, l.References, l.Notes)
	}
}

func TestCharsets(t *testing.T) {
	hans, hant, ja, ko, ru := "您好，我的订单被重复扣款，请尽快退款给我。", "您好，我的訂單被重複扣款，請盡快退款給我。", "請求書の金額が間違っています。確認してください。", "청구서 금액이 잘못되었습니다", "Здравствуйте, с меня дважды списали деньги за заказ"
	for _, c := range []struct {
		name, label string
		enc         encoding.Encoding
		want        string
	}{
		{"declared gbk", "gbk", simplifiedchinese.GBK, hans},
		{"declared gb18030", "GB18030", simplifiedchinese.GB18030, hans + "𠮷㐀"},
		{"gb2312 that is gb18030", "gb2312", simplifiedchinese.GB18030, hans + "镕𠮷"},
		{"hz", "hz-gb-2312", simplifiedchinese.HZGB2312, hans},
		{"declared big5", "big5", traditionalchinese.Big5, hant},
		{"declared iso-2022-jp", "iso-2022-jp", japanese.ISO2022JP, ja},
		{"declared shift_jis", "Shift_JIS", japanese.ShiftJIS, ja},
		{"declared euc-kr", "euc-kr", korean.EUCKR, ko},
		{"declared koi8-r", "koi8-r", charmap.KOI8R, ru},
		{"declared windows-1251", "cp1251", charmap.Windows1251, ru},
		{"undeclared gbk", "", simplifiedchinese.GBK, hans},
		{"undeclared big5", "", traditionalchinese.Big5, hant},
		{"undeclared shift_jis", "", japanese.ShiftJIS, ja},
		{"undeclared iso-2022-jp", "", japanese.ISO2022JP, ja},
		{"undeclared koi8-r", "", charmap.KOI8R, ru},
		{"undeclared windows-1251", "", charmap.Windows1251, ru},
		{"us-ascii that is gbk", "us-ascii", simplifiedchinese.GBK, hans},
		{"iso-8859-1 that is gbk", "iso-8859-1", simplifiedchinese.GBK, hans},
		{"utf-8 that is gbk", "utf-8", simplifiedchinese.GBK, hans},
		{"unknown that is utf-8", "x-own", encoding.Nop, hans},
		{"gbk that is utf-8", "iso-8859-1", encoding.Nop, hans},
		{"real latin", "iso-8859-1", charmap.Windows1252, "Größe für €5 à café"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, _ := decodeCharset(c.label, []byte(encode(t, c.enc, c.want)), nil)
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
	if _, note := decodeCharset("gb2312", []byte(encode(t, simplifiedchinese.GB18030, "朱镕基")), nil); note != "charset gb2312 decoded as gb18030" {
		t.Errorf("note %q", note)
	}
	if got, _ := decodeCharset("utf-7", []byte("Hi +ZeVnLIqe- 1 +- 1"), nil); got != "Hi 日本語 1 + 1" {
		t.Errorf("utf-7: %q", got)
	}
}

func TestRawHeadersFollowTheTextsCharset(t *testing.T) {
	l := read(t, encode(t, simplifiedchinese.GBK, "From: 张伟 <zhang@example.cn>\nSubject: 投诉\nContent-Type: text/plain; charset=gbk\n\n请退款\n"))
	if l.Subject != "投诉" || l.From[0].Name != "张伟" || l.Text != "请退款" {
		t.Errorf("%q %q %q", l.Subject, l.From[0].Name, l.Text)
	}
}

func TestEncodedWords(t *testing.T) {
	gbk := encode(t, simplifiedchinese.GBK, "重复扣款")
	split := "=?gbk?B?" + base64.StdEncoding.EncodeToString([]byte(gbk[:3])) + "?=\r\n =?GBK?B?" + base64.StdEncoding.EncodeToString([]byte(gbk[3:])) + "?="
	for in, want := range map[string]string{
		split:                                 "重复扣款",
		"=?utf-8?B?5oqV6K+J?=":                "投诉",
		"=?utf-8?B?5oqV6K-J?= x":              "投诉 x",
		"=?utf-8 ?b?5oqV6K+J?=":               "投诉",
		"=??Q?=CD=B6=CB=DF?=":                 "投诉",
		"=? is this?= b":                      "=? is this?= b",
		"=?iso-8859-1?Q?=BF=C9ste=3F?=":       "¿Éste?", // of the bytes of a Chinese character
		"=?iso-8859-1?Q?DEVOLU=C7=C3O?=":      "DEVOLUÇÃO",
		"=?iso-8859-1?Q?=C5G=C5RD?=":          "ÅGÅRD", // Big5 has them as characters too
		"=?iso-8859-1?Q?P=C4=C4M=C4=C4R=C4?=": "PÄÄMÄÄRÄ",
		"=?iso-8859-1?Q?HYV=C4=C4?=":          "HYVÄÄ",
		"=?iso-8859-1?Q?=CD=CB=BF=EE?=":       "退款", // and these are
		"DEVOLU\xc7\xc3O":                     "DEVOLUÇÃO",
		"=?utf-8?Q?caf=C3=A9_ol=C3=A9?=":      "café olé",
		"=?utf-8*en?q?a b?= c":                "a b c",
		"\"=?utf-8?B?5oqV6K+J?=\" <a@b>":      "\"投诉\" <a@b>",
		"=?utf-8?B?5oqV6K+?=":                 "投\uFFFD",
		"=?nonsense?Q?=CD=B6=CB=DF?=":         "投诉",
		"a =?utf-8?Q?b?= c =?utf-8?Q?d?=":     "a b c d",
		"=?=?=?":                              "=?=?=?",
		"=?utf-8?X?abc?=":                     "=?utf-8?X?abc?=",
	} {
		if got := decodeWords(strings.ReplaceAll(in, "\r\n", ""), nil); got != want {
			t.Errorf("decodeWords(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestFilenames(t *testing.T) {
	gbk := encode(t, simplifiedchinese.GBK, "发票.pdf")
	for in, want := range map[string]string{
		`attachment; filename="发票.pdf"`:                                                    "发票.pdf",
		"attachment; filename*=gbk''%B7%A2%C6%B1.pdf":                                      "发票.pdf",
		"attachment; filename*0*=utf-8''%E5%8F%91; filename*1*=%E7%A5%A8; filename*2=.pdf": "发票.pdf",
		`attachment; filename="=?gbk?B?t6LGsS5wZGY=?="`:                                    "发票.pdf",
		`attachment; filename*1="b.pdf"; filename*0=a`:                                     "ab.pdf",
		`attachment; filename*1="a"; filename*3="b.pdf"`:                                   "ab.pdf",
		`attachment; filename*0*=utf-8''%E5%8F; filename*1*=%91; filename*2="100%25.pdf"`:  "发100%25.pdf",
		"attachment; filename*=utf-8'%E5%8F%91.pdf":                                        "发.pdf", // an apostrophe is missing
		"attachment; filename*=utf-8''%E5%8F%91%zz.pdf":                                    "发%zz.pdf",
		"attachment; filename*=utf-8''%3D%3Futf-8%3FQ%3Fa%3F%3D.pdf":                       "a.pdf",
		`attachment; filename="%E5%8F%91.pdf"`:                                             "发.pdf",
		"attachment; filename=UTF-8''%E5%8F%91.pdf":                                        "发.pdf", // the asterisk is missing
		`attachment; filename="it''s 100%.pdf"`:                                            "it''s 100%.pdf",
		`attachment; filename="100%25.pdf"`:                                                "100%25.pdf",
		`attachment; filename="=?utf-8?B?5Y+R?=" "=?utf-8?B?56Wo?=.pdf"`:                   "发票.pdf",
		`attachment; filename==?utf-8?Q?a;b?=.pdf; size=1`:                                 "a;b.pdf",
		`attachment; filename="a.pdf; size=4`:                                              "a.pdf",
		`attachment filename="a.pdf"`:                                                      "a.pdf",
		`attachment, filename="a.pdf" size=4`:                                              "a.pdf",
		`filename="a.pdf"`:                                                                 "a.pdf",
		`"attachment"; filename="a.pdf"`:                                                   "a.pdf",
		`attachment (see; "x=y"); filename=a.pdf`:                                          "a.pdf",
		"attachment; filename=\"\x1b$B;3ED\x1b(B.pdf\"":                                    "山田.pdf",
		"attachment; filename=\"\xa5\\\xaf\xe0\xb3\\\xa5i.pdf\"":                           "功能許可.pdf", // Big5: the backslashes are halves of characters
		"attachment\nContent-Description: a.pdf":                                           "a.pdf",
		"attachment\nContent-Location: https://example.cn/x/a.pdf?y=1":                     "a.pdf",
		"attachment; filename=" + gbk:                                                      "发票.pdf",
		`attachment; filename="a.pdf"; filename="b.pdf"`:                                   "a.pdf",
		`attachment; filename=two words.pdf; size=1`:                                       "two words.pdf",
		`attachment; filename="never closed.pdf`:                                           "never closed.pdf",
		`attachment; filename="../../etc/passwd"`:                                          "passwd",
		`attachment; filename="C:\\x\\evil.exe"`:                                           "evil.exe",
		"attachment; filename=\"\u202efdp.exe\x01\"":                                       "fdp.exe",
		`attachment; filename=".."`:                                                        "part-2.pdf",
	} {
		l := read(t, "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: application/pdf\nContent-Disposition: "+in+"\n\nx\n--b--\n")
		if len(l.Attachments) != 1 || l.Attachments[0].Filename != want {
			t.Errorf("%s: %+v, want %q", in, l.Attachments, want)
		}
	}
}

func TestAddresses(t *testing.T) {
	for in, want := range map[string][]Address{
		`"Zhang, Wei" <a@example.cn>, b@example.cn`:         {{"Zhang, Wei", "a@example.cn"}, {"", "b@example.cn"}},
		`undisclosed-recipients:;`:                          nil,
		`staff: a@example.cn, "B" <b@example.cn>;`:          {{"", "a@example.cn"}, {"B", "b@example.cn"}},
		`a@example.cn (Zhang Wei)`:                          {{"Zhang Wei", "a@example.cn"}},
		`=?utf-8?B?5byg5LyfLCDmsI8=?= <a@example.cn>`:       {{"张伟, 氏", "a@example.cn"}},
		`Zhang Wei a@example.cn`:                            {{"Zhang Wei", "a@example.cn"}},
		`"never closed <a@example.cn>`:                      {{"never closed", "a@example.cn"}},
		`<@relay:a@example.cn>`:                             {{"", "a@example.cn"}},
		`a@example.cn" <b@example.cn>`:                      {{"a@example.cn", "b@example.cn"}},
		"Evil\r\nBcc: x <a@example.cn>":                     {{"Evil Bcc: x", "a@example.cn"}},
		`nobody`:                                            nil,
		`<>`:                                                nil,
		`a@b@example.cn`:                                    nil,
		`"张伟"@example.cn`:                                   {{"", "张伟@example.cn"}},
		`"zhang wei"@example.cn`:                            nil,
		`"zhang..wei"@example.cn`:                           {{"", "zhang..wei@example.cn"}},
		`Zhang, Wei <a@example.cn>, Li, Na <b@example.cn>`:  {{"Zhang, Wei", "a@example.cn"}, {"Li, Na", "b@example.cn"}},
		`Zhang, Wei <a@example.cn>; b@example.cn;`:          {{"Zhang, Wei", "a@example.cn"}, {"", "b@example.cn"}},
		`Li <a@example.cn> Wu <b@example.cn>`:               {{"Li", "a@example.cn"}, {"Wu", "b@example.cn"}},
		`Li <a@example.cn> <a@example.cn>`:                  {{"Li", "a@example.cn"}},
		`Li <<a@example.cn>>`:                               {{"Li", "a@example.cn"}},
		`Li <Mailto:a@example.cn>`:                          {{"Li", "a@example.cn"}},
		`Li <@x.example,@y.example:a@example.cn>`:           {{"Li", "a@example.cn"}},
		`Shop: Li <a@example.cn>`:                           {{"Shop: Li", "a@example.cn"}},
		`=?utf-8?Q?Li,_Na_(Shop?= <a@example.cn>`:           {{"Li, Na (Shop", "a@example.cn"}},
		`a@example.cn [mailto:a@example.cn]`:                {{"", "a@example.cn"}},
		"Li <a@example.cn\u200b>":                           {{"Li", "a@example.cn"}},
		`"Li <x@y.example>" <a@example.cn>`:                 {{"Li <x@y.example>", "a@example.cn"}},
		"\x1b$B;3ED\x1b(B <a@example.cn>":                   {{"山田", "a@example.cn"}},
		"\"\x95\\\x8e\xa6\x83\\\x83t\x83g\" <a@example.cn>": {{"表示ソフト", "a@example.cn"}},
		`,, a@example.cn,`:                                  {{"", "a@example.cn"}},
	} {
		got := parseAddresses(in, nil)
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestStructure(t *testing.T) {
	for _, c := range []struct{ name, mail, text, note string }{
		{"alternative takes the plain text", "Content-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain\n\nplain\n--b\nContent-Type: text/html\n\n<p>html\n--b--\n", "plain", ""},
		{"alternative with an empty plain text", "Content-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain\n\n \n--b\nContent-Type: text/html\n\n<p>html</p>\n--b--\n", "html", ""},
		{"no closing boundary", "Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b\n\ntwo", "one\n\ntwo", "no closing boundary"},
		{"inner boundary not closed", "Content-Type: multipart/mixed; boundary=o\n\n--o\nContent-Type: multipart/alternative; boundary=i\n\n--i\n\none\n--o\n\ntwo\n--o--\n", "one\n\ntwo", "no closing boundary"},
		{"no boundary parameter", "Content-Type: multipart/mixed\n\n--b\nContent-Type: text/plain\n\none\n--b--\n", "one", "found by looking"},
		{"wrong boundary", "Content-Type: multipart/mixed; boundary=x\n\n--b\nContent-Type: text/plain\n\none\n--b--\n", "one", "found by looking"},
		{"no parts at all", "Content-Type: multipart/mixed; boundary=x\n\njust text\n", "just text", "no parts"},
		{"lines end by CR alone", "Subject: a\rContent-Type: text/plain\r\rone\rtwo\r", "one\ntwo", ""},
		{"no header", "\nonly text\n", "only text", ""},
		{"text at once", "only text, no header at all\nmore\n\nand more", "only text, no header at all\nmore\n\nand more", "empty line"},
		{"mbox line and a line without a colon", "From zhang@example.cn Mon Nov 23\nSubject: a\nbroken line\nContent-Type: text/plain\n\none\n", "one", "no colon"},
		{"a fold on the first line", " Subject: a\nX: y\n\none\n", "one", ""},
		{"base64 with junk", "Content-Transfer-Encoding: base64\n\naGVs*bG8g\n\nd29y bGQ=\n", "hello world", ""},
		{"base64 without padding", "Content-Transfer-Encoding: BASE64\n\naGVsbG8", "hello", ""},
		{"base64 in two pieces", "Content-Transfer-Encoding: base64\n\naGVsbG8=\nIHdvcmxk\n", "hello world", ""},
		{"quoted-printable with junk", "Content-Transfer-Encoding: quoted-printable\n\n100=25 =ZZ =\nok=3D= \t\n.=", "100% =ZZ ok=.", ""},
		{"unknown encoding", "Content-Transfer-Encoding: x-own\n\none\n", "one", "unknown transfer encoding"},
		{"duplicate charset", "Content-Type: text/plain; charset=utf-8; charset=gbk\n\n中\n", "中", ""},
		{"flowed", "Content-Type: text/plain; format=flowed\n\na long \nline\n\n-- \nsig\n", "a long line\n\n-- \nsig", ""},
		{"forwarded mail", "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nsee below\n--b\nContent-Type: message/rfc822\n\nFrom: A <a@example.cn>\nSubject: inner\n\ninside\n--b--\n", "see below\n\n-------- Forwarded Message --------\nFrom: A <a@example.cn>\nSubject: inner\n\ninside", ""},
		{"forwarded mail in base64", "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n" + base64.StdEncoding.EncodeToString([]byte("Subject: inner\n\ninside\n")), "-------- Forwarded Message --------\nSubject: inner\n\ninside", ""},
		{"signed", "Content-Type: multipart/signed; boundary=b\n\n--b\n\none\n--b\nContent-Type: application/pgp-signature\n\nxx\n--b--\n", "one", "signature"},
		{"the only text has a name", "Content-Type: text/plain; charset=utf-8; name=body.txt\n\none\n", "one", ""},
		{"encrypted", "Content-Type: multipart/encrypted; boundary=b\n\n--b\nContent-Type: application/pgp-encrypted\n\nVersion: 1\n--b--\n", "", "encrypted"},
		{"enveloped", "Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m\n\nxx\n", "", "encrypted"},
		{"null bytes", "\na\x00b\n", "ab", ""},
		{"lines end by CR CR LF", "Subject: a\r\r\n\r\r\none\r\r\ntwo\r\r\n", "one\ntwo", ""},
		{"empty lines before the header", "\r\n\r\nSubject: a\r\nContent-Type: text/html\r\n\r\n<b>one\r\n", "one", ""},
		{"an empty line before that of an mbox", "\nFrom a@example.cn Mon Nov 23\nSubject: a\nContent-Type: text/html\n\n<b>one\n", "one", ""},
		{"XHTML as text", "Content-Type: text/plain\n\n<?xml version=\"1.0\"?>\n<!DOCTYPE html>\n<html><p>one</p></html>\n", "one", ""},
		{"empty lines around texts", "Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n\n\n--b\n\n\ntwo\n--b--\n", "one\n\ntwo", ""},
		{"a byte order mark before the header", "\xef\xbb\xbfContent-Type: text/html\n\n<b>one\n", "one", ""},
		{"an mbox line within", "Subject: a\n>From a@example.cn Mon Nov 23 10:00:00 2026\nContent-Type: text/html\n\n<b>one\n", "one", ""},
		{"a field with a name that is none", "Subject: a\nX-\xe9: b\n c\nContent-Type: text/html\n\n<b>one\n", "one", "no proper name"},
		{"an empty Content-Type first", "Content-Type:\nContent-Type: text/html\n\n<b>one\n", "one", ""},
		{"a boundary at once", "Content-Type: multipart/mixed; boundary=b\n--b\nContent-Type: text/plain\n\none\n--b--\n", "one", "empty line"},
		{"a type in quotes, with blanks", "Content-Type: \"text / html\"; charset=utf-8\n\n<b>one\n", "one", ""},
		{"parameters without semicolons", "Content-Type: multipart/mixed boundary=\"b\" charset=utf-8\n\n--b\n\none\n--b--\n", "one", ""},
		{"a type that is none", "Content-Type: nonsense\n\none\n", "one", ""},
		{"a parameter for a type", "Content-Type: charset=utf-8\n\none\n", "one", ""},
		{"a boundary in single quotes", "Content-Type: multipart/mixed; boundary='b'\n\n--b\n\none\n--b--\n", "one", ""},
		{"a boundary with its dashes", "Content-Type: multipart/mixed; boundary=\"--b\"\n\n--b\n\none\n--b--\n", "one", ""},
		{"a boundary like an encoded word", "Content-Type: multipart/mixed; boundary=\"=?utf-8?Q?x?=\"\n\n--=?utf-8?Q?x?=\n\none\n--=?utf-8?Q?x?=--\n", "one", ""},
		{"a boundary in GBK", "Content-Type: multipart/mixed; boundary=\"\xb1\xdf\"\n\n--\xb1\xdf\n\none\n--\xb1\xdf--\n", "one", ""},
		{"a blank before the last dashes", "Content-Type: multipart/mixed; boundary=\"b \"\n\n--b \n\none\n--b --\n", "one", ""},
		{"no boundary parameter, parts without header", "Content-Type: multipart/mixed\n\n--b\n\none\n--b\n\ntwo\n--b--\n", "one\n\ntwo", "found by looking"},
		{"a line of dashes is no boundary", "Content-Type: multipart/mixed\n\n-----\n\none\n-----\n\ntwo\n", "-----\n\none\n-----\n\ntwo", "read as text"},
		{"closed too early", "Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b--\n\n--b\n\ntwo\n--b--\nbehind\n", "one\n\ntwo", "goes on"},
		{"a multipart called text/html", "Content-Type: text/html; boundary=b\n\n--b\nContent-Type: text/plain\n\none\n--b\nContent-Type: text/html\n\n<b>one\n--b--\n", "one", ""},
		{"a multipart called nothing", "MIME-Version: 1.0\n\n--b\nContent-Type: text/html\n\n<b>one\n--b--\n", "one", "found by looking"},
		{"a multipart in base64", "Content-Type: multipart/mixed; boundary=b\nContent-Transfer-Encoding: base64\n\n" + base64.StdEncoding.EncodeToString([]byte("--b\n\none\n--b--\n")), "one", ""},
		{"a multipart that only says base64", "Content-Type: multipart/mixed; boundary=b\nContent-Transfer-Encoding: base64\n\n--b\n\none\n--b--\n", "one", ""},
		{"a digest", "Content-Type: multipart/digest; boundary=b\n\n--b\n\nFrom: A <a@example.cn>\nSubject: inner\n\ninside\n--b--\n", "-------- Forwarded Message --------\nFrom: A <a@example.cn>\nSubject: inner\n\ninside", ""},
		{"text that says base64", "Content-Transfer-Encoding: base64\n\nDear shop,\n\nit broke.\n", "Dear shop,\n\nit broke.", "which it is not"},
		{"Chinese that says base64", "Content-Transfer-Encoding: base64\n\n壶坏了，请退款。\n", "壶坏了，请退款。", "which it is not"},
		{"a footer behind base64", "Content-Transfer-Encoding: base64\n\naGVsbG8gdGhlcmUh\nIQ==\n_____________________\nsupport mailing list\nsupport@example.org\n", "hello there!!", ""},
		{"a footer behind base64 without padding", "Content-Transfer-Encoding: base64\n\naGVsbG8gdGhlcmUh\n-- This mail was looked through by a scanner.\n", "hello there!", ""},
		{"names of quoted-printable", "Content-Transfer-Encoding: (x) Quoted_Printable;\n\ncaf=c3=a9\n", "café", ""},
		{"names of base64", "Content-Transfer-Encoding: base 64\n\naGVsbG8\n", "hello", ""},
		{"blanks that a server put at a line's end", "Content-Transfer-Encoding: quoted-printable\n\none  \t\ntwo=20\nthree\n", "one\ntwo \nthree", ""},
		{"uuencoded as a whole", "Content-Transfer-Encoding: x-uuencode\n\nbegin 644 a.txt\n%:&5L;&\\\n`\nend\n", "hello", ""},
		{"the only part is called an attachment", "Content-Disposition: attachment\n\none\n", "one", ""},
		{"the only text is a file to be seen", "Content-Type: text/plain; name=a.txt\nContent-Disposition: inline; filename=a.txt\n\none\n", "one", ""},
		{"a file to be seen before the text", "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain; name=a.txt\nContent-Disposition: inline\n\nfile\n--b\n\none\n--b--\n", "one", ""},
		{"names in an alternative", "Content-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain; name=a.txt\nContent-Disposition: inline\n\none\n--b\nContent-Type: text/html; name=a.html\nContent-Disposition: inline\n\n<b>one\n--b--\n", "one", ""},
		{"a piece of a mail", "Content-Type: message/partial; id=x@y; number=2; total=3\n\nrest\n", "", "a piece"},
		{"AMP beside the page", "Content-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/x-amp-html\n\n<html>amp\n--b\nContent-Type: text/html\n\n<b>one\n--b--\n", "one", ""},
		{"part without empty line", "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n--b\n\ntwo\n--b--\n", "two", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := read(t, c.mail)
			if l.Text != c.text {
				t.Errorf("text %q, want %q", l.Text, c.text)
			}
			if c.note == "" && len(l.Notes) > 0 || !noted(l, c.note) {
				t.Errorf("notes %q, want %q", l.Notes, c.note)
			}
		})
	}
}

// TestWhatIsAFile has parts of which some are the mail's text and some are not.
func TestWhatIsAFile(t *testing.T) {
	for _, c := range []struct{ name, part, file string }{
		{"a page with a name, behind the text", "Content-Type: text/html; name=report.html\n\n<b>x", "report.html text/html"},
		{"a page within the text", "Content-Type: text/html\n\n<b>x", ""},
		{"a table", "Content-Type: text/csv\n\n1,2", "part-3.csv text/csv"},
		{"a text to be kept", "Content-Type: text/plain\nContent-Disposition: attachment\n\nx", "part-3.txt text/plain"},
		{"a text with a name", "Content-Type: text/plain; name=a.log\nContent-Disposition: inline\n\nx", "a.log text/plain"},
		{"text of a type nobody knows", "Content-Type: text/x-own\n\nx", ""},
		{"a type without a subtype", "Content-Type: pdf; name=a.pdf\n\nx", "a.pdf application/octet-stream"},
		{"uuencoded", "Content-Type: application/pdf\nContent-Transfer-Encoding: x-uue\n\nbegin 644 a.pdf\n%:&5L;&\\\n`\nend\n", "a.pdf application/pdf"},
		{"not encoded at all", "Content-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\n%PDF-1.4\n%\xe2\xe3\xcf\xd3\n", "a.pdf application/pdf"},
	} {
		l := read(t, "Content-Type: multipart/mixed; boundary=b\n\n--b\n\ntext\n--b\n"+c.part+"\n--b--\n")
		file := ""
		for _, a := range l.Attachments {
			file += a.Filename + " " + a.MediaType
		}
		if file != c.file || (l.Text == "text") == (c.file == "") {
			t.Errorf("%s: file %q, want %q; text %q", c.name, file, c.file, l.Text)
		}
	}
}

func TestThread(t *testing.T) {
	for in, want := range map[string]string{
		"<a@x>\n\t<b@x>": "a@x b@x", "<a@x>,<b@x>": "a@x b@x", "a@x b@x": "a@x b@x",
		"=?utf-8?Q?=3Ca=40x=3E?=\n =?utf-8?Q?_=3Cb=40x=3E?=": "a@x b@x",
		"Your mail of Monday from ann@example.org":           "", "Monday (<a@x>)": "a@x",
	} {
		if got := strings.Join(read(t, "References: "+in+"\n\nx").References, " "); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestTheFirstSubjectThatSaysSomething(t *testing.T) {
	if l := read(t, "Subject:\nSubject: one\nSubject: two\n\nx"); l.Subject != "one" {
		t.Errorf("%q", l.Subject)
	}
}

func TestAttachmentBytesAreExact(t *testing.T) {
	s := &kept{}
	rapid.Check(t, func(rt *rapid.T) {
		data := rapid.SliceOf(rapid.Byte()).Draw(rt, "data")
		b64 := base64.StdEncoding.EncodeToString(data)
		width := rapid.IntRange(1, 80).Draw(rt, "width")
		var body strings.Builder
		for i := 0; i < len(b64); i += width {
			body.WriteString(b64[i:min(i+width, len(b64))] + "\r\n")
		}
		l, err := Read(strings.NewReader("Content-Type: multipart/mixed; boundary=\"=_b\"\r\n\r\n--=_b\r\nContent-Type: application/pdf; name=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n"+body.String()+"\r\n--=_b--\r\n"), s, DefaultLimits)
		if err != nil || len(l.Attachments) != 1 {
			rt.Fatalf("%+v, %v", l, err)
		}
		if !bytes.Equal(s.last, data) {
			rt.Fatalf("%x came out as %x", data, s.last)
		}
	})
}

func TestBinaryPartKeepsItsLineEnds(t *testing.T) {
	s := store(t)
	l, err := Read(strings.NewReader("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: application/x; name=a\r\n\r\n\n\r\n--bx\n\r\r\n\r\n--b--\r\n"), s, DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	f, err := s.Open(l.Attachments[0].Blob)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if got, _ := io.ReadAll(f); string(got) != "\n\r\n--bx\n\r\r\n" {
		t.Errorf("%q", got)
	}
}

func TestBodyHashIsOfTheBodyAlone(t *testing.T) {
	a := read(t, "Received: by x\nSubject: a\n\nbody\n")
	b := read(t, "Received: by y\nSubject: a\n\nbody\n")
	c := read(t, "Subject: a\n\nbody 2\n")
	if a.BodyHash != b.BodyHash || a.BodyHash == c.BodyHash {
		t.Error(a.BodyHash, b.BodyHash, c.BodyHash)
	}
}

func TestReport(t *testing.T) {
	l := read(t, "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\nSorry.\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\nFinal-Recipient: rfc822; a@example.cn\nAction: Failed\nStatus: 5.1.1\n\n--b\nContent-Type: text/rfc822-headers\n\nMessage-ID: <h.1@example.com>\n\n--b--\n")
	if r := l.Report; r == nil || r.Type != "delivery-status" || r.Action != "failed" || r.Status != "5.1.1" || r.Original != "h.1@example.com" || l.Text != "Sorry." {
		t.Errorf("%+v %q", l.Report, l.Text)
	}
	forwarded := read(t, "Content-Type: multipart/mixed; boundary=o\n\n--o\n\nwhat is this?\n--o\nContent-Type: message/rfc822\n\nContent-Type: multipart/report; boundary=b\n\n--b\n\nSorry.\n--b\nContent-Type: message/delivery-status\n\nAction: failed\n\n--b--\n--o--\n")
	if forwarded.Report != nil || !strings.Contains(forwarded.Text, "what is this?") {
		t.Errorf("a forwarded report was taken for one: %+v", forwarded)
	}
}

func TestHTML(t *testing.T) {
	for in, want := range map[string]string{
		"<p>One<p>Two <b>bold</b> end":                                                          "One\n\nTwo bold end",
		"a<br>b<br><br><br>c":                                                                   "a\nb\n\nc",
		"<ul><li>one<li>two<ol><li>x</ol></ul>":                                                 "- one\n- two\n  1. x",
		"<ul><li><p>a</p></li><li><div>b</div></ul>":                                            "- a\n\n- b",
		`<ol start="3"><li>a</li><li>b</li></ol>`:                                               "3. a\n4. b",
		"<p>a<blockquote><p>b<p>c</blockquote>d":                                                "a\n\n> b\n>\n> c\n\nd",
		"<details><summary>a</summary>b</details>":                                              "a\nb",
		"<ol><li>a</li><li>b</li></ol>":                                                         "1. a\n2. b",
		"<table><tr><td>Order</td><td>No 1</td></tr><tr><td>Sum<td>5</table>":                   "Order\tNo 1\nSum\t5",
		`<a href="https://example.com/">example.com</a> <a href="https://a.example/x">here</a>`: "example.com here (https://a.example/x)",
		`<a href="#top">up</a><a href="javascript:x()">js</a>`:                                  "upjs",
		`<div style="display: none">preheader &zwnj;</div><p>seen`:                              "seen",
		`<p style="display:none">gone<p>seen`:                                                   "seen",
		`<style>p{}</style><script>x</script><title>t</title>text`:                              "text",
		"<blockquote>said<br>twice</blockquote>answer":                                          "> said\n> twice\nanswer",
		"<pre>a\n  b</pre>":                                                                     "a\n  b",
		`<img src=x width=1 height=1 alt=pix><img alt="Logo">`:                                  "[Logo]",
		"a&nbsp;&lt;b&gt;\u200b c":                                                              "a <b> c",
		"no tags at all":                                                                        "no tags at all",
		"<div><div>a</div></div><div>b</div>":                                                   "a\nb",
	} {
		if got := htmlText(in, 1<<20); got != want {
			t.Errorf("%s\n got %q\nwant %q", in, got, want)
		}
	}
}

func TestLimits(t *testing.T) {
	t.Run("parts", func(t *testing.T) {
		l := read(t, "Content-Type: multipart/mixed; boundary=b\n\n"+strings.Repeat("--b\n\nx\n", 10_000)+"--b--\n")
		if !noted(l, "more than 500 parts") || len(l.Text) > 2000 {
			t.Error(l.Notes, len(l.Text))
		}
	})
	t.Run("depth", func(t *testing.T) {
		var b strings.Builder
		for i := range 5000 {
			fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n", i, i)
		}
		l := read(t, b.String()+"\nx\n")
		if !noted(l, "more than 20 levels") {
			t.Error(l.Notes)
		}
	})
	t.Run("header", func(t *testing.T) {
		l := read(t, "Subject: a\nX: "+strings.Repeat("x", 8<<20)+"\n\ntext\n")
		if !noted(l, "header block is longer") || l.Text != "text" || l.Subject != "a" {
			t.Error(l.Notes, l.Subject)
		}
	})
	t.Run("text", func(t *testing.T) {
		l := read(t, "\n"+strings.Repeat("x\n", 3<<20))
		if !noted(l, "text is longer") || len(l.Text) > 2<<20 {
			t.Error(l.Notes, len(l.Text))
		}
	})
	t.Run("attachments", func(t *testing.T) {
		small := DefaultLimits
		small.Decoded = 10
		l, err := Read(strings.NewReader("Content-Type: application/x\n\n0123456789abc"), store(t), small)
		if err != nil || !noted(l, "attachments of more than") || l.Attachments[0].Size != 10 {
			t.Error(l, err)
		}
	})
}

// Each of these once took a minute or two.
func TestHostileHeadersEnd(t *testing.T) {
	words := strings.Builder{}
	for i := 0; words.Len() < 200<<10; i++ {
		fmt.Fprintf(&words, "=?a%d?q?=81=ff=e9=20?= ", i%10)
	}
	for name, value := range map[string]string{
		"blanks and ats":   strings.Repeat("@ ", 100<<10),
		"open comments":    strings.Repeat("(,", 100<<10),
		"unknown charsets": words.String(),
		"raw bytes":        strings.Repeat("\xe9\xff\x81 =?", 40<<10),
		"raw addresses":    strings.Repeat("\xe9\xff\x81@x,", 30<<10),
		"brackets":         strings.Repeat("<a@", 80<<10),
		"half words":       strings.Repeat("=?a?q?", 40<<10),
		"switches":         strings.Repeat("\x1b$B", 80<<10),
	} {
		t.Run(name, func(t *testing.T) {
			for _, field := range []string{"From: ", "Subject: ", "Content-Disposition: x; filename="} {
				if l := read(t, field+value+"\n\ntext\n"); l.Text != "text" && len(l.Attachments) != 1 {
					t.Errorf("%s: text %q, %d attachments", field, l.Text, len(l.Attachments))
				}
			}
		})
	}
}

// And so did these bodies.
func TestHostileBodiesEnd(t *testing.T) {
	for name, mail := range map[string]string{
		"references to pictures": "Content-Type: text/html\n\n" + strings.Repeat("cid:", 500<<10),
		"blanks":                 "Content-Transfer-Encoding: quoted-printable\n\n" + strings.Repeat(strings.Repeat(" ", 79)+"x", 20<<10),
		"closing boundaries":     "Content-Type: multipart/mixed; boundary=b\n\n" + strings.Repeat("--b--\n", 500<<10),
		"stars for base64":       "Content-Transfer-Encoding: base64\n\nQUJD\n" + strings.Repeat("*", 4<<20),
	} {
		start := time.Now()
		read(t, mail)
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("%s: %v", name, took)
		}
	}
}

func TestMemoryStaysFlat(t *testing.T) {
	const size = 32 << 20
	head := "Content-Type: application/zip; name=a.zip\nContent-Transfer-Encoding: base64\n\n"
	line := strings.Repeat("QUJD", 19) + "\r\n"
	r := io.MultiReader(strings.NewReader(head), io.LimitReader(&repeat{s: line}, size))
	var before, after runtime.MemStats
	s := store(t)
	runtime.ReadMemStats(&before)
	l, err := Read(r, s, DefaultLimits)
	if err != nil || len(l.Attachments) != 1 || l.Attachments[0].Size < size/2 {
		t.Fatal(l, err)
	}
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > 4<<20 {
		t.Errorf("%d bytes were allocated for a mail of %d", got, size)
	}
}

type repeat struct {
	s  string
	at int
}

func (r *repeat) Read(p []byte) (int, error) {
	n := copy(p, r.s[r.at:])
	r.at = (r.at + n) % len(r.s)
	return n, nil
}

type failing struct{}

func (failing) Put(io.Reader, int64) (complaint.Blob, error) {
	return complaint.Blob{}, io.ErrClosedPipe
}

func TestAFullDiskIsAnError(t *testing.T) {
	if _, err := Read(strings.NewReader("Content-Type: application/x\n\nx"), failing{}, DefaultLimits); err == nil {
		t.Error("an attachment was lost silently")
	}
}

// update writes what is read now beside the golden mails: look at the diff.
var update = flag.Bool("update", false, "write the golden files")

// TestGolden reads the mails of testdata, which are written the way that real
// mail programs write them, and compares with what stands beside them.
func TestGolden(t *testing.T) {
	mails, err := filepath.Glob("testdata/*.eml")
	if err != nil || len(mails) == 0 {
		t.Fatal("no golden mails", err)
	}
	for _, path := range mails {
		t.Run(filepath.Base(path), func(t *testing.T) {
			raw, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			golden := strings.TrimSuffix(path, ".eml") + ".txt"
			got := summary(read(t, string(raw)))
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}

func summary(l *Letter) string {
	var b strings.Builder
	for _, a := range l.From {
		fmt.Fprintf(&b, "From: %s <%s>\n", a.Name, a.Addr)
	}
	fmt.Fprintf(&b, "Subject: %s\n", l.Subject)
	for _, a := range l.Attachments {
		fmt.Fprintf(&b, "Attachment: %s %s %d", a.Filename, a.MediaType, a.Size)
		if a.Inline {
			b.WriteString(" inline")
		}
		if a.Detected != "" {
			b.WriteString(" really " + a.Detected)
		}
		if a.Executable {
			b.WriteString(" executable")
		}
		b.WriteString("\n")
	}
	for _, n := range l.Notes {
		fmt.Fprintf(&b, "Note: %s\n", n)
	}
	return b.String() + "\n" + l.Text + "\n"
}

// kept is a Keeper of the last attachment, in memory.
type kept struct{ last []byte }

func (k *kept) Put(r io.Reader, limit int64) (_ complaint.Blob, err error) {
	k.last, err = io.ReadAll(io.LimitReader(r, limit))
	return complaint.Blob{Size: int64(len(k.last))}, err
}

// counting keeps nothing: fuzzing is to try parsers, not the disk.
type counting struct{}

func (counting) Put(r io.Reader, limit int64) (complaint.Blob, error) {
	n, err := io.Copy(io.Discard, io.LimitReader(r, limit+1))
	if n > limit {
		return complaint.Blob{}, blob.ErrTooBig
	}
	return complaint.Blob{Size: n}, err
}

func FuzzRead(f *testing.F) {
	mails, _ := filepath.Glob("testdata/*.eml")
	for _, path := range mails {
		raw, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	for _, s := range []string{
		"", "\n", "\r", "From \n", ":\n\n", " :\n", "Content-Type: multipart/x; boundary=\"\"\n\n--\n",
		"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/mixed; boundary=b\n\n--b\n--b--\n--b--\n",
		"Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n" + strings.Repeat("Q29udGVudC1UeXBlOiBtZXNzYWdlL3JmYzgyMgoK", 5),
		"Subject: =?utf-7?B?K0FBQQ==?= =?iso-2022-jp?Q?=1B$B?=\n\n\x1b$B",
		"Content-Type: text/html\n\n<table><td hidden><blockquote><ol><li><a href=x><pre>",
		"Content-Type: application/x; name*99=a; name*0*=''%; name*=x'\n\n",
		"Content-Transfer-Encoding: quoted-printable\n\n=\n= \n=4",
	} {
		f.Add([]byte(s))
	}
	s := counting{}
	f.Fuzz(func(t *testing.T, mail []byte) {
		l, err := Read(bytes.NewReader(mail), s, DefaultLimits)
		if err != nil {
			t.Fatal(err)
		}
		if !utf8.ValidString(l.Text) || !utf8.ValidString(l.Subject) || strings.ContainsAny(l.Subject, "\r\n") {
			t.Errorf("subject %q, text %q", l.Subject, l.Text)
		}
		for _, a := range append(l.From, l.ReplyTo...) {
			if !ValidAddress(a.Addr) || strings.ContainsAny(a.Name, "\r\n") || !utf8.ValidString(a.Name) {
				t.Errorf("address %+q", a)
			}
		}
		for _, a := range l.Attachments {
			if strings.ContainsAny(a.Filename, "/\\\x00\r\n") || a.Filename == "" || utf8.RuneCountInString(a.Filename) > maxFilename {
				t.Errorf("filename %q", a.Filename)
			}
		}
		again, err := Read(bytes.NewReader(mail), s, DefaultLimits)
		if err != nil || again.BodyHash != l.BodyHash {
			t.Error("the same bytes gave another hash", err)
		}
	})
}

func BenchmarkRead(b *testing.B) {
	mails, err := filepath.Glob("testdata/*.eml")
	if err != nil {
		b.Fatal(err)
	}
	var raws [][]byte
	size := 0
	for _, path := range mails {
		raw, err := os.ReadFile(path)
		if err != nil {
			b.Fatal(err)
		}
		raws = append(raws, raw)
		size += len(raw)
	}
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		for _, raw := range raws {
			if _, err := Read(bytes.NewReader(raw), counting{}, DefaultLimits); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// once fails at its end, tells it once, and says then that it has ended.
type once struct {
	text string
	told bool
}

func (o *once) Read(p []byte) (int, error) {
	n := copy(p, o.text)
	if o.text = o.text[n:]; n > 0 {
		return n, nil
	}
	if o.told {
		return 0, io.EOF
	}
	o.told = true
	return 0, errors.New("the disk is not well")
}

// What could not be read to its end is no mail, however short it is.
func TestAnErrorThatIsToldOnce(t *testing.T) {
	for _, text := range []string{"", "From: a@b\r\n", "From: a@b\r\n\r\nx\r\n", "From: a@b\r\r" + strings.Repeat("x\r", 4000), "From: a@b\r\n\r\n" + strings.Repeat("x\r\n", 9000)} {
		if l, err := Read(&once{text: text}, failing{}, DefaultLimits); err == nil {
			t.Errorf("%d bytes of a mail: %+v", len(text), l)
		}
	}
}
