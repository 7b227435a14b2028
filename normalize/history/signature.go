package history

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// signatureMark stands above a signature (RFC 3676 section 4.3). The blank gets
// lost on the way, and without it people draw lines so.
const signatureMark = "-- "

// Bounds of a signature, in lines, and of its lines, in runes and words.
const (
	maxMarked     = 15 // below a mark
	maxClosed     = 14 // below a closing
	maxDetail     = 70
	maxContact    = 140 // with a phone or an address in it
	maxWords      = 8
	maxHan        = 20
	minContacts   = 3 // of a block that nothing announces
	maxNameWords  = 4
	maxHanName    = 6
	maxNameRunes  = 40
	maxCloseRunes = 60
)

// Closings, in lower case and without what ends them: below them stands a
// name. Behind thanks, and closings that mean other things too, it must.
var (
	closings = phrases(`regards|best regards|kind regards|kindest regards|warm regards|warmest regards|with best regards|with kind regards|with regards|all the best|best wishes|with best wishes|sincerely|sincerely yours|yours sincerely|yours truly|very truly yours|truly yours|yours faithfully|respectfully|respectfully yours|cordially|rgds|brgds|many thanks and best regards|many thanks and kind regards|thanks and regards|thanks & regards|thanks and best regards|thanks and kind regards|thank you and best regards|thank you and kind regards|with many thanks and best regards|thanks, regards|thanks & best regards|best rgds|take care|best greetings|kind greetings
mit freundlichen grüßen|mit freundlichen grüssen|mit freundlichem gruß|mit freundlichem gruss|freundliche grüße|freundliche grüsse|freundlicher gruß|freundlicher gruss|viele grüße|viele grüsse|liebe grüße|liebe grüsse|beste grüße|beste grüsse|schöne grüße|herzliche grüße|herzliche grüsse|mit besten grüßen|mit besten grüssen|mit herzlichen grüßen|mit vielen grüßen|mfg|gruß|gruss|grüße|grüsse|hochachtungsvoll|mit vorzüglicher hochachtung|vielen dank und freundliche grüße|vielen dank und viele grüße|vielen dank und beste grüße|mit freundlichen grüßen / best regards
cordialement|bien cordialement|très cordialement|bien à vous|bien à toi|sincères salutations|salutations|salutations distinguées|meilleures salutations|cordiales salutations|sincèrement|amicalement|respectueusement|cdlt|bonne journée|bonne réception|veuillez agréer mes salutations distinguées|veuillez agréer, madame, monsieur, mes salutations distinguées
saludos|un saludo|saludos cordiales|un cordial saludo|cordiales saludos|cordialmente|atentamente|muy atentamente|reciba un cordial saludo|un abrazo|atenciosamente|cumprimentos|com os melhores cumprimentos|melhores cumprimentos|cordiais saudações|saudações|abraços|abraço|atentament|salutacions
cordiali saluti|distinti saluti|saluti|un saluto|un cordiale saluto|porgo distinti saluti|cordialità|grazie e saluti|grazie e cordiali saluti
met vriendelijke groet|met vriendelijke groeten|vriendelijke groet|vriendelijke groeten|groeten|groet|hartelijke groet|hartelijke groeten|mvg|hoogachtend
med vänliga hälsningar|med vänlig hälsning|vänliga hälsningar|vänligen|hälsningar|bästa hälsningar|mvh|med venlig hilsen|venlig hilsen|de bedste hilsner|hilsen|vennlig hilsen|med vennlig hilsen|beste hilsen|ystävällisin terveisin|terveisin|parhain terveisin|yst. terv
pozdrawiam|z poważaniem|z wyrazami szacunku|serdecznie pozdrawiam|pozdrowienia|s pozdravem|s pozdravom|s přátelským pozdravem|s úctou|pozdrav|srdačan pozdrav|s poštovanjem|lep pozdrav|lijep pozdrav|srdačno|üdvözlettel|tisztelettel|üdv|köszönettel|cu stimă|cu respect|numai bine|lugupidamisega|tervitades|pagarbiai|ar cieņu
с уважением|с наилучшими пожеланиями|с приветом|всего доброго|з повагою|з найкращими побажаннями|с уважение|поздрави|с поштовањем|με εκτίμηση|φιλικά|με φιλικούς χαιρετισμούς|saygılarımla|saygılarımızla|iyi çalışmalar|iyi günler|saygılar
בברכה|בכבוד רב|בתודה|מהתודה|مع أطيب التحيات|مع خالص التحية|مع التحية|تحياتي|وتفضلوا بقبول فائق الاحترام|با احترام|trân trọng|thân ái|hormat saya|salam hormat|hormat kami|ขอแสดงความนับถือ|ด้วยความเคารพ|सादर
此致|敬礼|此致敬礼|此致 敬礼|此致，敬礼|致礼|祝好|祝安|祝商祺|敬祝商祺|顺颂商祺|順頌商祺|顺祝商祺|順祝商祺|顺颂时祺|順頌時祺|顺颂春祺|顺颂夏祺|顺颂秋祺|顺颂冬祺|顺致商祺|敬颂商祺|即颂商祺|商祺|顺祝商安|顺致敬意|致以敬意|祝工作顺利|祝您工作顺利|祝工作愉快|祝您工作愉快|祝生活愉快|祝您生活愉快|祝一切顺利|祝您一切顺利|祝顺利|祝愉快|祝安好|祝身体健康|祝您身体健康|祝生意兴隆|祝万事如意|祝您愉快|祝您健康|祝周末愉快|顺祝安好|谨启|敬启|敬上|谨上|敬啟|謹啟|此致敬禮|敬禮|祝順利|順祝 商祺|顺祝 商祺|祝 商祺|祝 好|祝：商祺
敬具|草々|敬白|かしこ`)
	thanks = phrases(`best|br|kr|lg|vg|t|att|ihr|ihre|yours|love|cheers|greetings|sevgiler|salam|atte|cdt|thanks|thank you|many thanks|thanks a lot|thanks in advance|thank you in advance|thx|ty|thanks so much|thank you very much|thank you so much|danke|vielen dank|danke im voraus|vielen dank im voraus|besten dank|merci|merci d'avance|merci beaucoup|merci par avance|gracias|muchas gracias|gracias de antemano|grazie|grazie mille|obrigado|obrigada|bedankt|alvast bedankt|dank u|tack|tak|takk|kiitos|dziękuję|děkuji|ďakujem|köszönöm|mulțumesc|teşekkürler|teşekkür ederim|спасибо|заранее спасибо|дякую|ευχαριστώ|תודה|شكرا|cảm ơn|terima kasih|ขอบคุณ
谢谢|谢谢您|谢谢！|多谢|感谢|非常感谢|謝謝|謝謝您|よろしくお願いします|よろしくお願いいたします|よろしくお願い致します|宜しくお願いします|宜しくお願いいたします|宜しくお願い致します|以上、よろしくお願いいたします|以上、よろしくお願いします|以上、宜しくお願いいたします|以上よろしくお願いいたします|何卒よろしくお願いいたします|どうぞよろしくお願いいたします|ありがとうございます|감사합니다|수고하세요|고맙습니다`)
)

func phrases(list string) map[string]bool {
	m := map[string]bool{}
	for _, s := range strings.FieldsFunc(list, func(r rune) bool { return r == '|' || r == '\n' }) {
		m[s] = true
	}
	return m
}

// beginsSignature tells whether line i begins a signature that nothing but
// more of it follows.
func beginsSignature(lines []string, i int) bool {
	line, left := lines[i], len(lines)-i-1
	low := closing(line)
	switch {
	case line == signatureMark || line == "--\u00a0":
		return left <= maxMarked
	case isDashes(line):
		return left <= maxMarked && (line[0] != '_' || left > 0 && alone(lines, i)) && !divides(lines, i) && onlyDetails(lines[i+1:])
	case low != "" && isClosing(line):
		return left <= maxClosed && onlyDetails(lines[i+1:])
	case thanks[low]:
		next := nextLine(lines, i+1)
		return left <= maxClosed && next < len(lines) && isName(lines[next]) && onlyDetails(lines[next:])
	case left == 0:
		return isSigned(lines, i)
	}
	return alone(lines, i) && left >= minContacts && left <= maxClosed && isCard(lines[i:]) && (i == 0 || !leadsOn(lines, i))
}

// isDashes tells the line above a signature that has lost its blank, or is
// drawn in another way.
func isDashes(line string) bool {
	if line == "" || strings.IndexByte("-_\xe2\xef", line[0]) < 0 {
		return false // most lines, told quickly
	}
	switch strings.TrimRight(line, " \u00a0") {
	case "--", "—", "－－", "__", "___", "____":
		return true
	}
	return false
}

// divides tells whether line i is one of several that divide a text.
func divides(lines []string, i int) bool {
	return slices.ContainsFunc(lines[max(0, i-tailLines):i], isDashes)
}

// beforeClosings are the beginnings of all of them.
var beforeClosings = func() firstLetters {
	o := firstLetters{}
	for _, list := range []map[string]bool{closings, thanks} {
		for s := range list {
			o.add(s)
		}
	}
	return o
}()

// closing is a line as the lists of closings have it, "" where none of them
// begins so.
func closing(line string) string {
	if len(line) > maxCloseRunes*utf8.UTFMax {
		return ""
	}
	line = strings.Trim(seen(line), " *_,.!~:;，。！：、～")
	if !beforeClosings.begin(line) {
		return ""
	}
	return strings.ToLower(line)
}

func isClosing(line string) bool {
	low := closing(line)
	if low == "" {
		return false
	}
	if closings[low] {
		return true
	}
	if at := strings.IndexAny(low, "/|"); at > 0 { // in two languages
		return closings[strings.TrimSpace(low[:at])] && closings[strings.TrimSpace(low[at+1:])]
	}
	// "Regards, Ann"
	if at := strings.IndexAny(line, ",，"); at > 0 && closings[closing(line[:at])] {
		_, size := utf8.DecodeRuneInString(line[at:])
		return isName(line[at+size:])
	}
	return false
}

// isName tells a line that may be a person's name.
func isName(line string) bool {
	line = strings.Trim(seen(line), "*_ ,")
	if line == "" || utf8.RuneCountInString(line) > maxNameRunes || strings.ContainsAny(line, ":：?？!！。，,0123456789@") {
		return false
	}
	words := strings.Fields(line)
	if isCJK(firstRune(line)) {
		return utf8.RuneCountInString(strings.ReplaceAll(line, " ", "")) <= maxHanName && !containsAny(line, spokenHan) || hasLatin(line)
	}
	return len(words) <= maxNameWords && !unicode.IsLower(firstRune(line)) && !strings.HasSuffix(line, ".")
}

// hasLatin tells a name in two scripts: "张伟 Wei Zhang".
func hasLatin(line string) bool {
	return strings.ContainsFunc(line, func(r rune) bool { return r >= 'A' && r <= 'Z' })
}

// Words that a Chinese sentence has, and no name or title.
var spokenHan = []string{"了", "吗", "不", "没", "沒", "请", "請", "你们", "您", "我", "的", "是"}

func firstRune(s string) rune {
	r, _ := utf8.DecodeRuneInString(s)
	return r
}

var (
	// What contacts look like: "Tel. 030 1234567", an address, a site.
	contact = regexp.MustCompile(`(?i)(?:^|[^\p{L}])(?:tel|phone|ph|mob|mobile|cell|fax|t|m|f|p|e|w|d|direct|office|e-?mail|mail|web|website|skype|wechat|whatsapp|qq|telefon|telefax|mobil|handy|tél|téléphone|teléfono|móvil|telefono|cellulare|тел|моб|факс|电话|手机|传真|邮箱|电邮|网址|网站|微信|電話|手機|傳真|地址|热线|座机|住所|携帯|전화|팩스|이메일)\s*[.:：)]*\s*[:：]?\s*(?:[+(]?\d|[^\s@]+@|www\.|https?:)|^[+(]?\d[\d ()/.+-]{5,}$|[^\s@]+@[^\s@]+\.[^\s@]+|\bwww\.|https?://|^(?i:TEL|FAX)\s*[:：.]?\s*\d`)
	// A company's line: "ACME Ltd", "示例科技有限公司".
	company = regexp.MustCompile(`(?i)\b(?:ltd|inc|llc|gmbh|ag|co|corp|s\.?a\.?s?|s\.?r\.?l|b\.?v|oy|ab|plc|kg|e\.?v)\b\.?$|公司|集团|株式会社`)
	// What facts about a complaint are named by; with a digit they are some.
	facts   = regexp.MustCompile(`(?i)order|invoice|ticket|case|ref|account|customer|policy|contract|booking|tracking|serial|bestell|rechnung|kunden|vertrag|auftrag|commande|facture|dossier|contrat|pedido|factura|ordine|fattura|заказ|договор|zamówi|umow|订单|单号|合同|会员|账号|帐号|发票|编号|保单|運單|訂單|注文|会員|주문`)
	amounts = regexp.MustCompile(`[€$£¥￥]\s?\d|\d\s?(?:€|£|元|円|원|EUR|USD|CNY|RMB)`)
)

// onlyDetails tells whether lines hold nothing but what signatures do.
func onlyDetails(lines []string) bool {
	for _, line := range lines {
		if !isDetail(line) {
			return false
		}
	}
	return true
}

// isDetail tells a line of a signature: a name, a title, a company, an
// address. A sentence is none, and what names the complaint is none.
func isDetail(line string) bool {
	line = strings.Trim(seen(line), "*_|[] ")
	n := utf8.RuneCountInString(line)
	switch {
	case n == 0 || !hasWords(line):
		return true
	case n > maxContact || hasDigit(line) && facts.MatchString(line) || amounts.MatchString(line) || startsWithAny(lower(line), listed):
		return false
	case contact.MatchString(line) || strings.Contains(line, " | "):
		return true
	case n > maxDetail || strings.ContainsAny(line, "?？!！。；;") || len(strings.Fields(line)) > maxWords:
		return false
	case isCJK(firstRune(line)):
		return n <= maxHan && !strings.Contains(line, "，") && !containsAny(line, spokenHan)
	case strings.HasSuffix(line, ".") && len(strings.Fields(line)) > 1 && !company.MatchString(line):
		return false
	case strings.HasSuffix(line, ":") || strings.HasSuffix(line, "："):
		return false
	}
	return !unicode.IsLower(firstRune(line)) || len(strings.Fields(line)) == 1 || startsWithAny(line, proxies)
}

// What lines begin with that go on with the complaint, in lower case.
var listed = []string{"- ", "• ", "· ", "> ", "1.", "2.", "1)", "p.s", "ps:", "ps ", "ps.", "p. s", "n.b", "nb:", "附", "另", "備考", "追伸", "pd:", "p.d."}

// Who signs for another.
var proxies = []string{"i. A.", "i.A.", "i. V.", "i.V.", "ppa.", "p.p.", "p.o.", "on behalf of", "de la part de"}

func hasDigit(s string) bool { return strings.ContainsAny(s, "0123456789") }

// isCard tells whether lines are what stands on a visiting card, a name first:
// without a closing above, only a company's or many contacts make one.
func isCard(lines []string) bool {
	if !isName(lines[0]) || !onlyDetails(lines) {
		return false
	}
	contacts, firm := 0, false
	for _, line := range lines {
		line = strings.Trim(seen(line), "*_| ")
		if contact.MatchString(line) {
			contacts++
		}
		firm = firm || company.MatchString(line)
	}
	return contacts >= minContacts || contacts > 1 && firm
}

// leadsOn tells whether the last line with words above line i ends in a colon:
// "call me there:".
func leadsOn(lines []string, i int) bool {
	for i--; i >= 0; i-- {
		if hasWords(lines[i]) {
			return endsInColon(lines[i])
		}
	}
	return false
}

// isSigned tells a last line like "-Ann" or "홍길동 드림".
func isSigned(lines []string, i int) bool {
	line := seen(lines[i])
	if i == 0 || strings.TrimSpace(lines[i-1]) != "" {
		return false
	}
	if utf8.RuneCountInString(line) <= 12 && endsWithAny(line, []string{" 드림", " 올림", "敬上", "谨上", "敬启", "敬啟", "拝"}) {
		return true
	}
	name := strings.TrimLeft(line, "-–—~")
	if name == line || name == "" || !unicode.IsUpper(firstRune(name)) || !isName(name) {
		return false
	}
	for _, l := range lines[:i] {
		if startsWithAny(seen(l), []string{"-", "–", "—", "~"}) {
			return false // one more of a list
		}
	}
	return true
}
