// Package mail measures what reading mail costs, beside the libraries that
// others read it with. It is a module of its own, so that Hearken does not
// depend on them.
package mail

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"mime/quotedprintable"
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/simplifiedchinese"
)

// mails is how many mails a corpus has.
const mails = 300

var stories = map[string][]string{
	"en": {
		"I was charged twice for order %d and nobody answers my mails. Please refund 199.00 to my card.",
		"The parcel %d never arrived although the tracking says delivered. I want my money back or a new one.",
		"Your agent on the phone was rude and hung up. This is the third time that I call about ticket %d.",
	},
	"zh": {
		"订单 %d 被重复扣款两次，打了三次客服电话都没有人接，请尽快退款 199.00 元。",
		"包裹 %d 显示已签收，但是我根本没有收到，快递员态度恶劣，要求赔偿。",
		"购买的商品 %d 收到时已经损坏，商家拒绝退货，我要投诉。",
	},
	"fr": {"Ma commande %d n’est jamais arrivée et le service client ne répond pas. Je demande un remboursement."},
}

// corpus makes the same mails every time: four languages' worth of charsets,
// plain, HTML and both, quoted history, and, for a third of them where mixed
// is set, an attachment of 50 to 500 KB.
func corpus(mixed bool) [][]byte {
	rnd := rand.New(rand.NewPCG(1, 2))
	var out [][]byte
	for i := range mails {
		out = append(out, one(rnd, i, mixed && i%3 == 0))
	}
	return out
}

func one(rnd *rand.Rand, i int, attach bool) []byte {
	lang := []string{"en", "zh", "en", "zh", "fr"}[rnd.IntN(5)]
	var text strings.Builder
	for range 3 + rnd.IntN(8) {
		fmt.Fprintf(&text, stories[lang][rnd.IntN(len(stories[lang]))]+"\r\n\r\n", rnd.IntN(1_000_000))
	}
	if i%2 == 0 {
		text.WriteString("On Mon, 23 Nov 2026 at 10:00, Support <support@example.com> wrote:\r\n")
		for range 5 + rnd.IntN(30) {
			fmt.Fprintf(&text, "> "+stories["en"][rnd.IntN(3)]+"\r\n", rnd.IntN(1_000_000))
		}
	}
	charset, enc := "utf-8", encoding.Encoding(nil)
	switch {
	case lang == "zh" && i%3 == 1:
		charset, enc = "gb2312", simplifiedchinese.GB18030
	case lang == "fr":
		charset, enc = "windows-1252", charmap.Windows1252
	}
	encode := func(s string) []byte {
		if enc == nil {
			return []byte(s)
		}
		b, err := enc.NewEncoder().Bytes([]byte(s))
		if err != nil {
			panic(err)
		}
		return b
	}
	plain := encode(text.String())
	page := encode("<html><head><style>p{margin:0}</style></head><body><p>" + strings.ReplaceAll(text.String(), "\r\n\r\n", "</p><p>") + "</p><img src=\"https://t.example.com/p.gif\" width=1 height=1></body></html>")
	var b bytes.Buffer
	fmt.Fprintf(&b, "Return-Path: <c%d@example.cn>\r\nReceived: from mx.example.cn by mail.example.com; Mon, 23 Nov 2026 10:00:00 +0800\r\nMessage-ID: <%d.%d@example.cn>\r\nFrom: =?%s?B?%s?= <c%d@example.cn>\r\nTo: support@example.com\r\n",
		i, i, rnd.Uint64(), charset, base64.StdEncoding.EncodeToString(encode("Zhang")), i)
	fmt.Fprintf(&b, "Subject: =?%s?B?%s?=\r\nDate: Mon, 23 Nov 2026 10:00:00 +0800\r\nMIME-Version: 1.0\r\n", charset, base64.StdEncoding.EncodeToString(encode(fmt.Sprintf("投诉 %d", i)[:0]+fmt.Sprintf("order %d", i))))
	part := func(kind string, body []byte) {
		fmt.Fprintf(&b, "Content-Type: %s; charset=%s\r\n", kind, charset)
		if i%2 == 0 {
			b.WriteString("Content-Transfer-Encoding: quoted-printable\r\n\r\n")
			w := quotedprintable.NewWriter(&b)
			_, _ = w.Write(body)
			_ = w.Close()
		} else {
			b.WriteString("Content-Transfer-Encoding: base64\r\n\r\n")
			wrapped(&b, body)
		}
		b.WriteString("\r\n")
	}
	body := func() {
		switch i % 4 {
		case 0:
			part("text/plain", plain)
		case 1:
			part("text/html", page)
		default:
			b.WriteString("Content-Type: multipart/alternative; boundary=\"alt\"\r\n\r\n--alt\r\n")
			part("text/plain", plain)
			b.WriteString("--alt\r\n")
			part("text/html", page)
			b.WriteString("--alt--\r\n")
		}
	}
	if !attach {
		body()
		return b.Bytes()
	}
	b.WriteString("Content-Type: multipart/mixed; boundary=\"mix\"\r\n\r\n--mix\r\n")
	body()
	b.WriteString("--mix\r\nContent-Type: image/jpeg; name=\"photo.jpg\"\r\nContent-Disposition: attachment; filename=\"photo.jpg\"\r\nContent-Transfer-Encoding: base64\r\n\r\n")
	photo := make([]byte, 50_000+rnd.IntN(450_000))
	for j := range photo {
		photo[j] = byte(rnd.Uint32())
	}
	wrapped(&b, photo)
	b.WriteString("--mix--\r\n")
	return b.Bytes()
}

// wrapped writes base64 in lines of 76.
func wrapped(b *bytes.Buffer, data []byte) {
	s := base64.StdEncoding.EncodeToString(data)
	for len(s) > 76 {
		b.WriteString(s[:76] + "\r\n")
		s = s[76:]
	}
	b.WriteString(s + "\r\n")
}
