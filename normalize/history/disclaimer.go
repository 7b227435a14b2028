package history

import (
	"slices"
	"strings"
)

// Beginnings of what nobody writes by hand under a mail, in lower case: virus
// scanners, lists, registers of companies.
var machines = []string{
	"think before you print", "virus-free", "avast logo", "virenfrei. ", "garanti sans virus", "libre de virus. ", "sin virus. ", "privo di virus", "livre de vírus", "l'absence de virus dans ce courrier", "l’absence de virus dans ce courrier", "diese e-mail wurde von avast", "el software de antivirus avast", "questa e-mail è stata controllata",
	"este email foi escaneado", "este e-mail foi verificado", "este correo electrónico ha sido comprobado", "ta wiadomość została sprawdzona na obecność", "no virus found in this", "no viruses found in this", "checked by avg", "information from eset", "the message was checked by eset", "this email has been checked for viruses", "this e-mail has been checked for viruses",
	"this email has been scanned", "this e-mail has been scanned", "this message has been scanned", "это сообщение проверено на вирусы", "deze e-mail is gecontroleerd op", "dit e-mailbericht is gecontroleerd op", "tato zpráva byla zkontrolována", "e-mailmeddelandet har sökts igenom", "此电子邮件已由 avast", "此邮件已通过 avast", "本邮件已经过",
	"you received this message because you are subscribed", "you received this email because you", "you are receiving this because you", "you are receiving this email because", "to unsubscribe from this", "to unsubscribe send", "to view this discussion on the web", "to post to this group",
	"sitz der gesellschaft:", "registergericht:", "geschäftsführer:", "geschäftsführung:", "geschäftsführerin:", "registered in england", "registered office:", "handelsregister:", "confidentiality notice", "privileged and confidential", "private and confidential", "if you are not the intended recipient", "if you have received this",
}

// Beginnings of the paragraph that lawyers put under a mail, in lower case.
// People begin a complaint so, too: behind titles one sign of the law must
// follow, behind openings two.
var (
	titles = []string{
		"the information contained", "the information transmitted", "the information in this e", "the content of this e", "the content of this m", "the contents of this e", "the contents of this m", "any views", "confidential", "legal notice",
		"legal disclaimer", "disclaimer", "notice of confidentiality", "e-mail disclaimer", "email disclaimer", "der inhalt dieser", "die in dieser", "rechtlicher hinweis", "haftungsausschluss", "vertraulich", "avis de confidentialité", "les informations contenues",
		"le contenu de ce", "aviso legal", "aviso de confidencial", "la información contenida", "le informazioni contenute", "avviso di riservatezza", "il contenuto di questa", "ai sensi del", "as informações contidas", "o conteúdo desta",
		"de informatie verzonden", "de informatie in dit", "информация, содержащаяся", "treść tej wiadomości", "obsah tohoto", "保密", "免责", "免責",
	}
	openings = []string{
		"this e-mail", "this email", "this message", "this electronic m", "this transmission", "this communication", "this correspondence", "important notice", "important:", "notice:", "diese e-mail", "diese email", "diese mail", "diese nachricht",
		"wichtiger hinweis", "hinweis:", "ce message", "ce courriel", "cet e-mail", "cet email", "ce mail", "ce courrier", "este mensaje", "este correo", "este e-mail", "este email", "este comunicado", "questo messaggio", "questa e-mail",
		"questa mail", "avvertenza", "esta mensagem", "dit bericht", "dit e-mailbericht", "deze e-mail", "denna e-post", "detta meddelande", "detta mejl", "denne e-mail", "denne e-post", "denne meddelelse", "denne mail", "tämä viesti", "tämä sähköposti",
		"это сообщение", "данное сообщение", "настоящее сообщение", "цей лист", "це повідомлення", "ta wiadomość", "niniejsza wiadomość", "tento e-mail", "táto správa", "tato zpráva", "ez az e-mail", "ez az üzenet", "jelen e-mail", "acest mesaj",
		"acest e-mail", "bu e-posta", "bu mesaj", "bu ileti", "το παρόν", "αυτό το μήνυμα", "הודעה זו", "هذه الرسالة", "هذا البريد", "thư này", "email này", "pesan ini", "email ini", "อีเมล", "本邮件", "此邮件", "这封邮件", "该邮件", "本电子邮件", "此电子邮件",
		"本电邮", "本信息", "本函", "重要提示", "声明", "郵件", "本郵件", "此郵件", "此電子郵件", "本電子郵件", "この電子メール", "このメール", "本メール", "本電子メール", "このeメール", "이 메일", "본 메일", "이 이메일", "본 이메일", "이 전자우편", "본 전자우편",
	}
)

// Signs of the law, in lower case. What is said of a mail and of nothing else
// counts for two.
var (
	signs = []string{
		"confidential", "privileged", "recipient", "intended", "addressee", "unauthorized", "unauthorised", "disclos", "dissemination", "prohibited", "delete", "notify", "in error", "attachment", "attached files", "files transmitted", "copyright",
		"vertraulich", "rechtlich geschützt", "adressat", "empfänger", "anlagen", "anhänge", "vernichten", "löschen", "unbefugt", "irrtümlich", "confidentiel", "destinataire", "pièces jointes", "par erreur", "confidencial", "destinatari", "anexos", "adjuntos", "por error", "por engano", "riservat", "confidenzial", "allegati", "per errore", "vertrouwelijk", "geadresseerde", "bijlage", "per abuis",
		"fortrolig", "konfidentiel", "konfidensiel", "luottamuksel", "bilagor", "vedhæft", "vedlegg", "конфиденциальн", "конфіденційн", "вложени", "адресат", "poufn", "załącznik", "adresat", "důvěrn", "dôvern", "příloh", "bizalmas", "mellék", "gizli", "ekleri", "εμπιστευτικ", "συνημμέν", "חסוי", "סודי", "سرية", "المرفقات", "bảo mật", "rahasia", "lampiran", "ความลับ",
		"保密", "机密", "機密", "涉密", "误收", "誤收", "收件人", "收件者", "附件", "律师特权", "未经授权", "未經授權", "删除", "刪除", "传播", "誤って", "誤送信", "秘密", "削除", "添付", "기밀", "비밀", "수신인", "삭제", "첨부",
	}
	surely = []string{
		"intended recipient", "intended only for", "intended solely", "contains confidential", "contain confidential", "is confidential and", "for the addressee only", "enthält vertrauliche", "vertraulich und", "informations confidentielles", "est confidentiel", "información confidencial", "es confidencial y", "informazioni riservate", "informação confidencial", "vertrouwelijke informatie",
		"保密信息", "保密資訊", "机密信息", "機密資訊", "個人或群組", "个人或群组", "机密文件", "機密情報", "기밀 정보",
	}
)

// Beginnings of the lines that ask not to print a mail, and what they do it
// for, in lower case.
var (
	printers = []string{"please consider the", "consider the", "p please consider", "p before printing", "think before", "before printing", "save paper", "save a tree", "go green", "pensez à l", "avant d'imprimer", "avant d’imprimer", "n'imprimez", "bitte denken sie an", "bitte prüfen sie", "denken sie an die umwelt", "antes de imprimir", "piensa en el", "prima di stampare", "rispetta l", "pense no", "denk aan het", "tänk på miljön", "请在打印", "打印前", "打印此", "打印本", "请考虑", "列印", "印刷"}
	green    = []string{"environment", "environnement", "tree", "umwelt", "milieu", "ambiente", "miljö", "环境", "环保", "環境", "環保"}
)

// Beginnings of the line that a company's mail server puts above mail from
// outside, in lower case, and words of which it has one.
var (
	banners = []string{
		"caution", "external", "this email originated", "this e-mail originated", "this message originated", "this is an external", "this email is from an external", "this message is from an external", "this email was sent from outside", "this email came from outside", "warning: ", "attention", "be careful", "you don't often get email from", "some people who received this message don't often get email",
		"achtung: ", "vorsicht: ", "externe ", "précaution", "expéditeur externe", "precaución", "atención", "correo externo", "attenzione", "email esterna", "atenção", "let op", "varning", "advarsel", "внимание", "uwaga", "注意", "警告", "外部邮件", "外部郵件", "此邮件来自", "此郵件來自", "このメールは社外", "社外メール", "外部メール",
	}
	outside = []string{"outside", "external email", "external e-mail", "external sender", "external mail", "external message", "external]", "often get email", "externe e-mail", "externe mail", "externen", "extern ", "extérieur", "expéditeur externe", "fuera", "externo", "esterno", "esterna", "внешн", "zewn", "外部邮件", "外部郵件", "来自外部", "來自外部", "组织外部", "組織外部", "公司外部", "外部发件", "外部メール", "社外"}
)

// maxBanner is how many lines a banner may run over, and wrapped is how long a
// line is, in runes, whose words may go on in the next one.
const (
	maxBanner = 5
	wrapped   = 50
)

var (
	machineStarts = beginningsOf(machines)
	titleStarts   = beginningsOf(titles)
	openingStarts = beginningsOf(openings)
	printerStarts = beginningsOf(printers)
	bannerStarts  = beginningsOf(banners)

	// Of all that isDisclaimer looks for.
	disclaimerStarts = beginningsOf(slices.Concat(machines, titles, openings, printers))
)

// isDisclaimer tells whether a paragraph that no customer wrote begins at line
// i.
func isDisclaimer(lines []string, i int) bool {
	line := bare(lines[i])
	switch {
	case disclaimerStarts.of(line) == "":
	case machineStarts.of(line) != "":
		return alone(lines, i)
	case titleStarts.of(line) != "":
		return alone(lines, i) && lawful(lines, i, titleStarts.of(line)) >= 1
	case openingStarts.of(line) != "":
		return alone(lines, i) && lawful(lines, i, openingStarts.of(line)) >= 2
	case printerStarts.of(line) != "":
		return alone(lines, i) && containsAny(plain(line), green)
	}
	return isRule(lines[i]) && i+1 < len(lines) && strings.Contains(lower(lines[i+1]), "mailing list")
}

// lawful counts the signs of the law in the paragraph at line i behind its
// start.
func lawful(lines []string, i int, start string) int {
	_, said, _ := strings.Cut(paragraph(lines, i), start)
	n := 0
	for _, w := range signs {
		if strings.Contains(said, w) {
			n++
		}
	}
	if containsAny(said, surely) {
		n += 2
	}
	return n
}

// dropBanner drops the banners that stand above all else.
func dropBanner(lines []string) []string {
	lines = trimEmpty(lines)
	for len(lines) > 1 {
		n := banner(lines)
		if n == 0 || !hasWords(strings.Join(lines[n:], "")) {
			break
		}
		lines = trimEmpty(lines[n:])
	}
	return lines
}

// banner returns how many lines a banner has that begins a mail.
func banner(lines []string) int {
	low := plain(lines[0])
	if bannerStarts.of(low) == "" || !containsAny(low+" ", outside) {
		return 0
	}
	n := 1
	for n < len(lines) && n < maxBanner && goesOn(lines[n-1]) && strings.TrimSpace(lines[n]) != "" {
		n++
	}
	if n < len(lines) && isRule(lines[n]) {
		n++
	}
	return n
}

// goesOn tells whether a line's sentence ends in the next one.
func goesOn(line string) bool {
	line = seen(line)
	return len(line) >= wrapped && !strings.ContainsAny(line[len(line)-1:], ".!?]*") && !endsWithAny(line, []string{"。", "！", "】"})
}
