package history

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Beginnings of the lines that phones and programs put under a mail, in lower
// case, and that nobody writes.
var footers = []string{
	"get outlook for", "get bluemail", "get the outlook app", "yahoo mail: search", "sent on the go", "this message was sent from my", "cheers from my iphone",
	"laden sie outlook für", "holen sie sich outlook für", "outlook für ios beziehen", "outlook für android beziehen", "diese nachricht wurde von meinem", "diese nachricht wurde mit", "télécharger outlook", "obtenez outlook", "obtenir outlook",
	"obtener outlook", "descargar outlook", "obter o outlook", "baixar o outlook", "obtenha o outlook", "scarica outlook", "ottieni outlook", "outlook voor ios downloaden", "outlook voor android downloaden", "download outlook voor", "outlook voor ios ophalen",
	"получить outlook", "скачать outlook", "pobierz program outlook", "pobierz outlook", "получите outlook", "отримати outlook", "hämta outlook", "skaffa outlook", "hent outlook", "hanki outlook", "last ned outlook", "skaff deg outlook", "outlook pro ios získáte", "stáhnout outlook", "descarregar o outlook",
	"获取outlook", "获取 outlook", "下载 outlook", "下载outlook", "获取适用于", "下载适用于", "取得 outlook", "取得適用於", "outlook for ios を入手", "outlook for android を入手", "ios 版 outlook を入手", "ios용 outlook", "android용 outlook",
	"签名由网易邮箱", "签名由 网易邮箱", "由网易邮箱", "网易邮箱大师", "yahoo!メール",
}

// Beginnings of lines that say what a mail was sent with, in lower case. They
// are a program's where a device or a program follows: parcels and letters are
// sent too.
var sentWith = []string{
	"sent from", "sent via ", "sent with ", "sent using ", "sent on the ",
	"von meinem", "von meiner", "gesendet von", "gesendet mit", "gesendet aus", "gesendet über", "geschickt von", "von yahoo", "envoyé de ", "envoyé depuis", "envoyé à partir", "envoyé avec", "envoyé par", "envoyé via", "provenance :",
	"enviado desde", "enviado de", "enviado do", "enviado con", "enviado com", "enviado via", "enviado por", "enviado através", "enviada do", "enviat des del", "enviat amb", "inviato da", "inviato con", "inviato tramite", "inviata da", "verzonden vanaf", "verzonden vanuit", "verzonden met", "verzonden via", "verstuurd vanaf", "verstuurd met", "verstuurd via",
	"отправлено с", "отправлено из", "отправлено через", "надіслано з", "надіслано із", "надіслано через", "відправлено з", "изпратено от", "изпратено с", "wysłane z", "wysłano z", "wysłane przez", "odesláno z", "odoslané z", "poslano z", "poslano s", "poslano iz", "poslato sa", "skickat från", "skickat med", "sendt fra", "sendt med", "sendt via", "lähetetty ", "trimis de pe", "trimis din", "trimis de la", "saadetud minu", "išsiųsta iš", "nosūtīts no", "küldve",
	"στάλθηκε από", "נשלח מ", "أرسلت من", "أُرسلت من", "تم الإرسال من", "đã gửi từ", "gửi từ", "được gửi từ", "dikirim dari", "dihantar dari", "ส่งจาก",
	"发自", "发送自", "來自", "来自", "發自", "傳自", "傳送自", "寄自", "从", "從", "由", "通过", "iphone", "ipad", "galaxy", "android", "windows", "outlook", "az én iphone", "私の", "나의", "내", "네이버", "gmail", "yahoo",
}

// What follows them, or stands before in languages that say so at the end:
// devices, their makers, programs. Short ones are words of their own.
var senders = []string{
	"iphon", "ipad", "ipod", "android", "blackberry", "samsung", "galaxy", "huawei", "honor", "xiaomi", "redmi", "oppo", "vivo", "oneplus", "pixel", "nokia", "lumia", "motorola", " moto ", "sony", "xperia", " htc ", " lg ", "realme", "windows", "macbook", " ios ", " ios.", " mac ", "treo", "t-mobile", "nintendo",
	"mobile device", "mobile phone", "my mobile", "my phone", "my cell", "smartphone", "smart phone", "my tablet", "handheld", "wireless", "handy ", "mobiltelefon", "mobilgerät", "mobilen", "téléphone", "mon mobile", "tablette", "móvil", "celular", "teléfono", "telefon", "telefoon", "dispositivo", "appareil", "telefono", "cellulare", "telemóvel", "смартфон", "телефон", "мобильн",
	"mail for ", "mail für ", "mail voor ", "mail pour ", "mail per ", "mail app", "mail.ru", "mail orange", "mailbird", "mymail", "bluemail", "aquamail", "aqua mail", "outlook", "gmail", "yahoo", " aol ", "proton", "tutanota", " tuta ", "superhuman", "shortwave", "spark", " nine ", "typeapp", "boxer", "icloud", "zoho", "thunderbird", " k-9 ", "fastmail", " hey ", " newton ", "polymail", "spike", "edison", "mimestream", "notion", "яндекс", "почты для", "messagerie", "courrier pour", "correo para", "posta per", "web.de", " gmx", " app ",
	"手机", "手機", "平板", "邮箱", "郵箱", "信箱", "客户端", "钉钉", "飞书", "企业微信", "荣耀", "华为", "小米", "三星", "盖乐世", "メール", "메일", "네이버", "휴대폰", "갤럭시", "아이폰", "スマートフォン",
}

// Ends of such lines in the languages that have the verb there. Where a line
// begins with one of verbLast, it must end so: "von meinem Konto wurden 5 €
// abgebucht" is a complaint.
var (
	sentLast = []string{"gesendet", "geschickt", "verschickt", "发送", "发出", "發送", "傳送", "寄出", "発信", "から送信", "에서 보냄", "에서 전송", "에서 발송", "gönderildi", "küldve", "에서 보냈습니다"}
	verbLast = []string{"von ", "从", "從", "由", "通过", "iphone", "ipad", "galaxy", "android", "windows", "outlook", "az én", "私の", "나의", "내", "네이버", "gmail", "yahoo"}
)

// A footer has no date: "sent by our Samsung shop on 3 May" is a story.
var dated = regexp.MustCompile(`\b(?:on|am|le|el|il|em|op|den|dne|dnia|в)\s+\d`)

// What a line says that complains about the device: "从手机上无法发送".
var denials = []string{"无法", "不能", "没", "未", "不了", "？", "?", "：", "；", "，", "。"}

// Bounds of a footer: its runes, those of one that has no other sign than its
// device, and the words of a toy's name, "Sent from my flying carpet".
const (
	maxFooter     = 80
	maxDeviceLine = 60
	maxToy        = 3
)

// nearEnd is how many lines with words may follow a footer.
const nearEnd = 3

// dropFooters drops the footers among the last lines, each with the link that
// belongs to it. What follows one stays: people go on below. It changes lines.
func dropFooters(lines []string, first int) []string {
	after := 0
	for i := len(lines) - 1; i > first && after <= nearEnd; i-- {
		if !isFooter(lines[i]) {
			if hasWords(lines[i]) && !isBareLink(lines[i]) {
				after++
			}
			continue
		}
		end := i + 1
		if next := nextLine(lines, end); next < len(lines) && isBareLink(lines[next]) && next-end <= 1 {
			end = next + 1
		}
		lines = slices.Delete(lines, len(trimDecoration(lines[:card(lines, i)])), end)
		i = min(i, len(lines))
	}
	return lines
}

// maxCard is how many lines a card has that NetEase's program draws.
const maxCard = 10

// card is where the card begins that is drawn with bars and ends at line i; i
// where there is none.
func card(lines []string, i int) int {
	if !strings.Contains(lines[i], "网易邮箱") {
		return i
	}
	for top := i - 1; top >= 0 && i-top <= maxCard && isDetail(lines[top]); top-- {
		if line := strings.TrimSpace(lines[top]); len(line) > 1 && strings.Trim(line, "| ") == "" {
			return top
		}
	}
	return i
}

func isFooter(line string) bool {
	low := strings.ReplaceAll(plain(line), "[", "")
	if link := strings.IndexAny(low, "<("); link > 0 {
		low = low[:link] // where the program is to be had
	}
	low = strings.TrimRight(low, " .)!。*_|]")
	if footerStarts.of(low) != "" {
		return utf8.RuneCountInString(low) <= maxFooter
	}
	start := sentStarts.of(low)
	if start == "" || utf8.RuneCountInString(low) > maxFooter {
		return false
	}
	rest := low[len(start):]
	if toy, ok := strings.CutPrefix(low, "sent from my "); ok && len(strings.Fields(toy)) <= maxToy && !strings.ContainsAny(toy, "?,") {
		return true
	}
	if !containsAny(" "+low+" ", senders) || utf8.RuneCountInString(low) > maxDeviceLine && !strings.Contains(low, ".") && start != "sent via " || containsAny(rest, denials) || strings.Contains(rest, ",") && !strings.HasPrefix(start, "sent ") || dated.MatchString(rest) {
		return false
	}
	return !startsWithAny(low, verbLast) || endsWithAny(low, sentLast)
}

func endsWithAny(s string, any []string) bool {
	for _, a := range any {
		if strings.HasSuffix(s, a) {
			return true
		}
	}
	return false
}

// isBareLink tells a line that is nothing but a link.
func isBareLink(line string) bool {
	line = strings.Trim(seen(line), "<>()[] ")
	return !strings.Contains(line, " ") && (strings.HasPrefix(line, "http://") || strings.HasPrefix(line, "https://") || strings.HasPrefix(line, "www."))
}

var footerStarts, sentStarts = beginningsOf(footers), beginningsOf(sentWith)
