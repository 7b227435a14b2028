package history

import "testing"

// What programs, companies and politeness put below a mail.
var below = []string{
	"-- \nAnn Smith\nACME Ltd\nTel: +44 20 7946 0000", "___\nAnn Smith\nACME Ltd\nTel: +44 20 7946 0000", "__\nAnn Smith",
	"Best regards,\nAnn Smith", "Best regards,\n\nAnn Smith\nHead of Sales\nACME Ltd\nPhone: +44 20 7946 0000\nwww.example.com", "Kind regards\nAnn", "Regards,\nAnn Smith", "Many thanks and best regards,\nAnn",
	"Sincerely,\nAnn Smith", "Yours sincerely,\n\nAnn Smith\n12 High Street\nLeeds LS1 1AA", "Yours faithfully\nA. Smith", "Cheers,\nAnn", "Thanks,\nAnn", "Thanks and regards,\nAnn", "Best,\nAnn", "BR\nAnn", "Warm regards,\n\nAnn Smith",
	"Mit freundlichen Grüßen\n\nAnna Müller\nMusterstraße 12\n10115 Berlin\nTel. 030 1234567", "Mit freundlichem Gruß\nAnna Müller", "Viele Grüße\nAnna", "Freundliche Grüsse\nAnna Müller", "MfG\nMüller", "Beste Grüße,\nAnna", "Hochachtungsvoll\nMüller",
	"Cordialement,\nAnne Dupont\n06 12 34 56 78", "Bien cordialement\nAnne", "Bien à vous,\nAnne", "Sincères salutations,\nAnne Dupont", "Saludos,\nAna", "Un saludo\nAna García", "Atentamente,\nAna García\nCalle Mayor 1\n28013 Madrid", "Saludos cordiales,\nAna",
	"Cordiali saluti\nAnna Rossi", "Distinti saluti,\nAnna Rossi", "Atenciosamente,\nAna Silva", "Com os melhores cumprimentos,\nAna", "Met vriendelijke groet,\nAnna de Vries", "Groeten,\nAnna", "Med vänliga hälsningar\nAnna", "Mvh\nAnna", "Med venlig hilsen\nAnna", "Vennlig hilsen\nAnna", "Ystävällisin terveisin\nAnna", "Pozdrawiam\nAnna", "Z poważaniem,\nAnna Kowalska", "С уважением,\nАнна Иванова\n+7 495 123-45-67", "S pozdravem\nAnna", "Üdvözlettel,\nAnna", "Saygılarımla,\nAyşe", "З повагою,\nАнна", "Με εκτίμηση,\nΆννα", "Trân trọng,\nAn", "Hormat saya,\nAni", "בברכה,\nאנה", "مع أطيب التحيات\nآنا",
	"此致\n敬礼\n张伟", "此致\n敬礼！\n\n张伟\n2026年11月23日", "此致敬礼\n张伟", "祝商祺\n张伟", "顺颂商祺！\n张伟\n销售部经理\n电话：010-12345678", "祝好\n张伟", "祝工作顺利！\n张伟", "敬祝商祺\n張偉", "よろしくお願いいたします。\n山田太郎", "以上、よろしくお願いいたします。\n\n山田太郎\n株式会社サンプル\nTEL 03-1234-5678", "敬具\n山田", "감사합니다.\n홍길동", "홍길동 드림",
	"Ann Smith\nHead of Sales\nACME Ltd\nPhone: +44 20 7946 0000\nFax: +44 20 7946 0001\nwww.example.com\nann@example.com",
	"张伟\n示例科技有限公司\n电话：010-12345678\n传真：010-12345679\n邮箱：zhang@example.cn",
	"-Ann", "—Ann Smith",
	"Sent from my iPhone. Please excuse typos.", "Sent from my Galaxy", "Sent from my BlackBerry® wireless device", "Sent via BlackBerry by AT&T", "Sent on the Sprint® Now Network from my BlackBerry®", "Sent via the Samsung Galaxy S21, an AT&T 5G smartphone", "Sent from Proton Mail mobile", "Sent with Proton Mail secure email.", "Sent via Superhuman ( https://sprh.example/?vip=a )", "Sent from Mail for Windows", "Sent from Outlook for Android", "Get Outlook for Android", "Get BlueMail for Android", "Sent from Yahoo Mail on Android", "Yahoo Mail: Search, Organize, Conquer", "Sent from my Huawei phone", "Sent from Samsung tablet", "Sent from AOL on Android", "Sent from the all new AOL app for iOS", "Sent from Nine", "Sent with Spark", "Sent from Spark", "Sent from my mobile device", "Sent from my mobile phone. Please excuse brevity", "Sent using Zoho Mail", "Sent from TypeApp", "Sent with Shortwave", "Sent from Workspace ONE Boxer", "Sent from iCloud", "Sent from Tutanota", "(Sent from my iPhone)", "Sent from my iPhone X", "Sent from a mobile device", "sent from my phone",
	"Von meinem iPhone gesendet", "Von meinem Samsung Galaxy Smartphone gesendet.", "Von meinem/meiner Galaxy gesendet", "Gesendet von meinem iPad", "Gesendet von Mail für Windows 10", "Gesendet mit der GMX Mail App", "Gesendet von Outlook für iOS", "Outlook für iOS beziehen", "Laden Sie Outlook für Android herunter", "Holen Sie sich Outlook für iOS", "Diese Nachricht wurde von meinem Android Mobiltelefon mit WEB.DE Mail gesendet.", "Gesendet mit der mobilen Mail App", "Von Yahoo Mail auf Android gesendet",
	"Envoyé de mon iPad", "Envoyé depuis mon appareil Galaxy", "Envoyé depuis mon téléphone", "Envoyé à partir de Outlook pour iOS", "Télécharger Outlook pour iOS", "Provenance : Courrier pour Windows 10", "Envoyé depuis l'application Mail Orange", "Envoyé avec la messagerie sécurisée Proton Mail.", "Obtenir Outlook pour Android",
	"Enviado desde mi iPhone", "Enviado desde mi Galaxy", "Enviado desde Correo para Windows 10", "Obtener Outlook para iOS", "Enviado do meu iPhone", "Enviado do meu smartphone Samsung Galaxy.", "Obter o Outlook para Android", "Enviado do Yahoo Mail no Android", "Enviado via iPhone", "Enviado de mi iPhone", "Enviat des del meu iPhone",
	"Inviato da iPhone", "Inviato dal mio iPhone", "Inviato dal mio dispositivo Galaxy", "Scarica Outlook per iOS", "Ottieni Outlook per iOS", "Verzonden vanaf mijn Galaxy", "Verstuurd vanaf mijn iPad", "Outlook voor iOS downloaden", "Download Outlook voor Android", "Verzonden vanuit Mail voor Windows",
	"Отправлено с iPhone", "Отправлено из мобильной Почты Mail.ru", "Отправлено с моего Galaxy", "Отправлено из Яндекс Почты для мобильных", "Получить Outlook для iOS", "Надіслано з iPhone", "Надіслано з мого Galaxy", "Wysłane z iPhone'a", "Wysłano z mojego Galaxy", "Pobierz program Outlook dla systemu iOS", "Odesláno z iPhonu", "Odesláno z mého zařízení Galaxy", "Odoslané z iPhonu", "Skickat från min iPhone", "Skickat från Outlook för iOS", "Hämta Outlook för iOS", "Sendt fra min iPhone", "Sendt fra Outlook til iOS", "Hent Outlook til iOS", "Sendt fra min Galaxy", "Lähetetty iPhonesta", "Lähetetty Galaxystani", "Hanki Outlook for iOS", "iPhone'umdan gönderildi", "iPhone’umdan gönderildi", "Galaxy cihazımdan gönderildi", "Küldve az iPhone-omról", "Az én iPhone készülékemről küldve", "Trimis de pe iPhone-ul meu", "Στάλθηκε από το iPhone μου", "נשלח מה-iPhone שלי", "أرسلت من الـ iPhone", "أُرسلت من iPhone", "Đã gửi từ iPhone của tôi", "Dikirim dari iPhone saya", "ส่งจาก iPhone ของฉัน", "Poslano z mojega iPhone", "Изпратено от моя iPhone",
	"iPhoneから送信", "私のiPhoneから送信", "Windows 版のメールから送信", "Outlook for iOS を入手", "Yahoo!メールアプリから送信", "나의 iPhone에서 보냄", "내 Galaxy에서 보냄", "iOS용 Outlook 다운로드", "Windows용 메일에서 보냄", "네이버 메일앱에서 보냄",
	"发自我的iPad", "发自我的 iPhone", "发自我的小米手机", "从我的 Galaxy 发送", "从我的三星 Galaxy 智能手机发送。", "从Windows 版邮件发送", "发自新浪邮箱客户端", "发自网易邮箱大师", "从QQ邮箱发送", "从QQ邮箱手机版发送", "发自QQ邮箱iPhone版", "来自 Outlook for iOS", "發自我的 iPad", "從我的 iPhone 傳送", "傳送自 Windows 版郵件", "从 iPhone 发送", "发自我的荣耀手机", "获取 Outlook for iOS<https://aka.example.com/o>", "下载适用于 iOS 的 Outlook", "取得 Outlook for iOS", "发自 Outlook for Android", "来自阿里邮箱 Android版", "发自钉钉专属商务邮箱", "发自阿里邮箱 iPhone版", "来自我的华为手机", "发送自我的盖乐世", "通过 139 邮箱手机客户端发送",
	"This email has been checked for viruses by Avast antivirus software.\nwww.avast.com", "Virus-free. www.avast.com", "Virus-free.www.avast.com", "Virenfrei. www.avast.com", "Garanti sans virus. www.avast.com", "Libre de virus. www.avast.com", "L'absence de virus dans ce courrier électronique a été vérifiée par le logiciel antivirus Avast.\nhttps://www.avast.com/antivirus", "Diese E-Mail wurde von Avast-Antivirussoftware auf Viren geprüft.\nwww.avast.com", "El software de antivirus Avast ha analizado este correo electrónico en busca de virus.\nwww.avast.com", "Questa e-mail è stata controllata per individuare virus con Avast antivirus.", "Ta wiadomość została sprawdzona na obecność wirusów przez oprogramowanie antywirusowe Avast.", "No virus found in this message.\nChecked by AVG - www.avg.com\nVersion: 2016.0.7497", "__________ Information from ESET NOD32 Antivirus, version of virus signature database 4711 (20261123) __________\n\nThe message was checked by ESET NOD32 Antivirus.\n\nhttp://www.eset.com", "This message has been scanned for viruses and\ndangerous content by MailScanner, and is\nbelieved to be clean.", "Это сообщение проверено на вирусы антивирусом Avast.", "此电子邮件已由 Avast 防病毒软件检查过病毒。",
	"You received this message because you are subscribed to the Google Groups \"users\" group.\nTo unsubscribe from this group and stop receiving emails from it, send an email to users+unsubscribe@example.com.", "_______________________________________________\nUsers mailing list\nUsers@lists.example.org\nhttps://lists.example.org/mailman/listinfo/users", "_______________________________________________\nUsers mailing list -- users@lists.example.org\nTo unsubscribe send an email to users-leave@lists.example.org",
	"This e-mail is confidential and may also be privileged. If you are not the intended recipient,\nplease notify us immediately.", "NOTICE: This email may contain privileged information. If you are not the intended recipient, delete it.", "The information transmitted is intended only for the person or entity to which it is addressed and may contain confidential material.", "This email and any files transmitted with it are confidential and intended solely for the use of the individual to whom they are addressed.", "LEGAL DISCLAIMER\nThe contents of this email are confidential.", "Disclaimer: This message and its attachments may contain confidential information.", "Diese E-Mail enthält vertrauliche und/oder rechtlich geschützte Informationen. Wenn Sie nicht der richtige Adressat sind, informieren Sie bitte den Absender.", "Der Inhalt dieser E-Mail ist vertraulich.", "Sitz der Gesellschaft: Berlin, Amtsgericht Charlottenburg HRB 12345\nGeschäftsführer: Max Mustermann", "Ce message et ses pièces jointes peuvent contenir des informations confidentielles.", "Ce courriel est confidentiel et destiné exclusivement à son destinataire.", "Este correo electrónico y sus anexos son confidenciales y van dirigidos exclusivamente a su destinatario.", "Le informazioni contenute in questo messaggio sono riservate e confidenziali.", "Esta mensagem pode conter informação confidencial.", "このメールには機密情報が含まれている場合があります。誤って受信された場合は、送信者にご連絡のうえ削除してください。", "本邮件及附件含有保密信息，仅供收件人使用。如误收请删除。", "重要提示：本邮件及其附件内容仅供指定收件人使用，可能含有机密信息。", "【免责声明】本邮件所含信息仅供参考，未经授权不得传播。", "Before printing, think about the environment.", "Pensez à l'environnement avant d'imprimer ce message.", "Bitte denken Sie an die Umwelt, bevor Sie diese E-Mail ausdrucken.", "Antes de imprimir este mensaje, piense en el medio ambiente.", "请在打印此邮件前考虑环境保护。", "P Please consider the environment before printing",
}

// What a company's mail server puts above a mail from outside.
var warnings = []string{
	"CAUTION: This email originated from outside of the organization. Do not click links or open attachments unless you recognize the sender.",
	"CAUTION: This email originated from outside of the organization. Do not click\nlinks or open attachments unless you recognize the sender and know the\ncontent is safe.",
	"[EXTERNAL]", "[EXTERNAL EMAIL] Use caution.", "*** EXTERNAL EMAIL ***", "EXTERNAL EMAIL: Do not click any links", "⚠ External sender", "This is an external email. Be careful.",
	"ACHTUNG: Diese E-Mail stammt von einem externen Absender.", "Externe E-Mail: Bitte Vorsicht", "ATTENTION : Cet e-mail provient de l'extérieur de l'organisation.", "PRECAUCIÓN: Este correo proviene de fuera de la organización.", "警告：此邮件来自组织外部，请勿点击链接。", "【外部邮件】请注意核实发件人身份", "注意：此邮件来自外部，请谨慎打开链接或附件。", "このメールは社外から送信されました。", "You don't often get email from zhang@example.cn. Learn why this is important", "WARNING: This email originated from outside of Example. DO NOT CLICK links",
}

func TestMoreTails(t *testing.T) {
	const fresh = "I want a refund.\n我要退款。"
	for _, tail := range below {
		if got, cut := Own(fresh+"\n\n"+tail, false); got != fresh || !cut {
			t.Errorf("%q: %q", tail, got)
		}
		if got, _ := Own(tail, false); !hasWords(got) {
			t.Errorf("%q alone: %q", tail, got)
		}
	}
	for _, w := range warnings {
		if got, cut := Own(w+"\n\n"+fresh, false); got != fresh || !cut {
			t.Errorf("%q: %q", w, got)
		}
	}
}

// What looks like a program's and is a customer's.
func TestMoreStoriesStayWhole(t *testing.T) {
	for _, story := range []string{
		"On Monday I wrote:\nplease send my money.\nNobody answered.",
		"I am angry.\n\nOn 3 May 2026 your agent wrote:\nYou get your money on Friday.\nI did not.",
		"I am angry.\n\nOn 3 May 2026 at 10:00 your agent wrote:\nYou get your money on Friday.\nI did not.",
		"I am angry.\n\nOn 3 May 2026 at 10:00 I wrote:\nWhere is it?\nNobody answered.",
		"Am 3.5.2026 um 10:00 schrieb ich:\nWo ist mein Paket?\nKeine Antwort.\nUnd jetzt?",
		"投诉\n2026年5月3日 10:00 我写道：\n退款\n没人理。",
		"My trip was awful.\nFrom: Beijing\nTo: Shanghai\nDate: 3 May\nThe train was late.",
		"My trip was awful.\n\nFrom: Beijing\nTo: Shanghai\n\nThe train was late by 3 hours.",
		"包裹丢了。\n发件人：李四\n收件人：张三\n电话：13800000000\n一直没收到。",
		"包裹丢了。\n寄件人：李四\n收件人：张三\n时间：11月3日\n一直没收到。",
		"快递单上的发件人: 是错的\n请核实。",
		"I got this mail from you:\nFrom: Shop <shop@example.com>\nSubject: Your refund\nDate: 3 May 2026\n\nWe pay you on Friday.\n\nBut you never did!",
		"What I bought:\n- a lamp\n- a table\n-- two chairs\nAll broken.",
		"-a lamp\n-a table",
		"Broken:\n\n- lamp\n\n- Ann",
		"Order one is broken.\n--\nOrder two came late and I want my money back for it.\n--\nOrder three never came.",
		"I paid twice.\n---\nPlease look into it.",
		"Chat:\n客服: 您好\n我: 我要退款\n客服: 不行",
		"Agent: Hi\nMe: I want a refund\nAgent: no\nSent by: Agent 5",
		"The bill was wrong. Regards to your team, but\nthis is not acceptable.\nI want 5 EUR.",
		"I sent it back.\nThanks in advance for your help.",
		"Please refund.\nThanks in advance",
		"Item   Price\n-----  -----\nLamp   10.00\nTable  20.00\n-----  -----\nSum    30.00",
		"从我的银行卡扣了两次钱",
		"你好\n从我的账户扣了100元，请退款。",
		"Guten Tag,\nVon meinem Konto wurden 50 € abgebucht.",
		"Guten Tag,\n\nDiese E-Mail und die vorige blieben unbeantwortet. Ich warte seit Mai.",
		"Buenos días,\n\nEste correo es para reclamar la devolución de mi dinero.",
		"Buongiorno,\n\nquesto messaggio è il terzo che vi scrivo e nessuno risponde.",
		"Bonjour,\n\nCe courriel est le troisième. Personne ne me répond.",
		"お世話になります。\n\nこのメールは返金のお願いです。",
		"お世話になっております。\n\n本メールにて返品を申請します。",
		"Hello,\n\nThis message is intended to warn you: I will sue.",
		"Hello,\n\nImportant notice: my contract ends in May and I want my deposit.",
		"Olá,\n\nEsta mensagem é a terceira.",
		"Hallo,\n\nDit bericht is mijn derde klacht.",
		"您好\n\n本信息费被重复扣款三次。",
		"您好，\n\n此邮件及上一封都没有得到回复，请处理退款。",
		"Where is my parcel?\n\nSent via UPS on Monday",
		"Where is my parcel?\n\nSent with DHL",
		"Where is my parcel?\nSent by courier",
		"Where is my letter?\nSent from my account on 3 May, and still no answer from you.",
		"Dove è?\n\nInviato da Milano il 3 maggio",
		"¿Dónde está?\n\nEnviado desde Madrid el 3 de mayo",
		"Wo ist es?\n\nGesendet von Berlin am 3. Mai",
		"Gdzie?\n\nWysłano z Krakowa 3 maja",
		"包裹\n发自 北京 的快递没到",
		"I want a refund.\n\nP.S. I also want an apology.",
		"Please call me:\nTel: 020 7946 0000\nMail: ann@example.com",
		"Refund my order.\n\nBest regards,\nAnn\n\nP.S. The order number is 4711 and I paid by card.",
		"Refund me.\n\nRegards,\nAnn Smith\nOrder 4711",
		"Refund me.\n\n此致\n敬礼\n订单号：4711",
		"Regards,\nAnn", "Best regards,\nAnn Smith\nACME", "此致\n敬礼", "Ann", "OK", "Thanks", "Sent from my iPhone",
		"Roses are red,\n> violets are blue\nYour service is bad.",
		"Temperature > 30 degrees\nand nothing works.",
		"I waited\n> 3 weeks\nfor this.",
		"Very bad service\n>:(\nnever again",
		"The agent said:\n\"On Mon, 23 Nov 2026 at 10:00 you called\"\nThat is wrong.",
		"Subject: complaint\nTo: the manager\nI want a refund.",
		"To: Customer Service\nFrom: Ann Smith\nRe: Order 4711\n\nI want a refund.",
		"Dear team,\n\nTo: Customer Service\nFrom: Ann Smith\n\nI want a refund.",
		"From: 3 May to: 5 May no heating.\nI want 50 off.",
		"时间：2026年11月3日 10:00\n地点：北京\n主题：漏水\n发送：无",
		"I wrote to support@example.com on 3 May 2026 at 10:00:\nno answer.\nWhy?",
		"Unanswered since:\n2026-11-03 10:00 ann@example.com:\nmy first mail\n2026-11-05 my second",
		"I keep getting your ads.\n\nUnsubscribe",
		"Your app says: Original Message\nand crashes.",
		"I called twice.\n\nBest\nBuy is my shop.",
		"They took my money\nCheers\nto you for nothing, I want it back now please!",
		"First\n\n***\n\nSecond",
		"Your Avast antivirus found a virus in my file.\nThis is bad.",
		"Confidentiality: your agent told my neighbour my balance!\nThat is a breach.",
		"Hi,\n\nConfidentiality: your agent told my neighbour my balance!\nThat is a breach.",
		"My details:\nName: Ann Smith\nPhone: 020 7946 0000\nEmail: ann@example.com\nAddress: 12 High Street",
		"投诉人：张三\n电话：13800000000\n地址：北京市\n邮箱：a@example.cn\n诉求：退款",
		"我要投诉\n姓名：张三\n电话：13800000000\n邮箱：a@example.cn",
		"The best\nRegards\nis a shop on High Street that I will never visit again.",
	} {
		if got, cut := Own(story, false); got != story || cut {
			t.Errorf("%q: %q", story, got)
		}
	}
}
