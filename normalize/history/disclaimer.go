package history

import "strings"

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
// People begin a complaint so, too: one of legal must follow.
var lawyers = []string{
	"this e-mail", "this email", "this message", "this electronic m", "this transmission", "this communication", "this correspondence", "the information", "the content of this", "the contents of this", "the contents are", "any views", "confidential", "legal notice", "legal disclaimer", "disclaimer", "important notice", "important:", "notice:", "notice of confidentiality", "e-mail disclaimer", "email disclaimer",
	"diese e-mail", "diese email", "diese mail", "diese nachricht", "der inhalt dieser", "die in dieser", "die information", "wichtiger hinweis", "rechtlicher hinweis", "haftungsausschluss", "vertraulich", "hinweis:",
	"ce message", "ce courriel", "cet e-mail", "cet email", "ce mail", "ce courrier", "avis de confidentialité", "les informations", "l'information contenue", "le contenu de", "este mensaje", "este correo", "este e-mail", "este email", "aviso legal", "aviso de confidencial", "la información", "este comunicado", "questo messaggio", "questa e-mail", "questa mail", "le informazioni", "avviso di riservatezza", "il contenuto", "avvertenza", "ai sensi del",
	"esta mensagem", "a informação", "as informações", "o conteúdo", "dit bericht", "dit e-mailbericht", "deze e-mail", "de informatie", "denna e-post", "detta meddelande", "detta mejl", "denne e-mail", "denne e-post", "denne meddelelse", "denne mail", "tämä viesti", "tämä sähköposti", "это сообщение", "данное сообщение", "настоящее сообщение", "информация, содержащаяся", "цей лист", "це повідомлення",
	"ta wiadomość", "treść tej wiadomości", "niniejsza wiadomość", "tento e-mail", "táto správa", "tato zpráva", "obsah tohoto", "ez az e-mail", "ez az üzenet", "jelen e-mail", "acest mesaj", "acest e-mail", "bu e-posta", "bu mesaj", "bu ileti", "το παρόν", "αυτό το μήνυμα", "הודעה זו", "هذه الرسالة", "هذا البريد", "thư này", "email này", "pesan ini", "email ini", "อีเมล",
	"本邮件", "此邮件", "这封邮件", "该邮件", "本电子邮件", "此电子邮件", "本电邮", "本信息", "本函", "保密", "免责", "重要提示", "声明", "郵件", "本郵件", "此郵件", "此電子郵件", "本電子郵件", "免責", "この電子メール", "このメール", "本メール", "本電子メール", "このeメール", "이 메일", "본 메일", "이 이메일", "본 이메일", "이 전자우편", "본 전자우편",
}

// Words of the law, in lower case.
var legal = []string{
	"confidential", "privileged", "intended recipient", "intended only", "intended solely", "addressee", "unauthorized", "unauthorised", "scanned", "liability", "vertraulich", "rechtlich geschützt", "adressat", "haftung", "confidenti", "confidenci", "destinataire", "destinatari", "destinat", "riservat", "vertrouwelijk", "geadresseerde", "fortrolig", "konfidentiel", "konfidensiel", "luottamuksel",
	"конфиденциальн", "конфіденційн", "poufn", "důvěrn", "dôvern", "bizalmas", "gizli", "εμπιστευτικ", "חסוי", "סודי", "سرية", "سري", "bảo mật", "rahasia", "ความลับ",
	"保密", "机密", "機密", "涉密", "误收", "誤收", "收件人", "收件者", "律师特权", "未经授权", "未經授權", "法律责任", "个人或群组", "誤って", "誤送信", "秘密", "기밀", "비밀", "수신인",
}

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
	lawyerStarts  = beginningsOf(lawyers)
	printerStarts = beginningsOf(printers)
	bannerStarts  = beginningsOf(banners)
)

// isDisclaimer tells whether a paragraph that no customer wrote begins at line
// i.
func isDisclaimer(lines []string, i int) bool {
	low := plain(lines[i])
	switch start := lawyerStarts.of(low); {
	case machineStarts.of(low) != "":
		return alone(lines, i)
	case start != "":
		said := strings.TrimPrefix(paragraph(lines, i), start)
		if at := strings.Index(said, start); at >= 0 {
			said = said[at+len(start):]
		}
		return alone(lines, i) && containsAny(said, legal)
	case printerStarts.of(low) != "":
		return alone(lines, i) && containsAny(low, green)
	}
	return isRule(lines[i]) && i+1 < len(lines) && strings.Contains(lower(lines[i+1]), "mailing list")
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
