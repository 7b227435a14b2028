package history

import "strings"

// The words between the dashes of "-----Original Message-----" and its kin, in
// lower case.
var replyMarks = []string{
	"original message", "original mail", "original email", "original e-mail", "original", "original appointment", "reply message", "replied message", "mensaje original", "message d'origine",
	"message d’origine", "message original", "mail original", "ursprüngliche nachricht", "ursprüngliche mail", "ursprüngliche e-mail", "originalnachricht", "original-nachricht", "originalmail", "messaggio originale", "messaggio originario", "mail originale",
	"mensagem original", "missatge original", "oorspronkelijk bericht", "origineel bericht", "oprindelig meddelelse", "oprindelig besked", "oprindelig mail", "ursprungligt meddelande", "originalmeddelande", "ursprungligt mail",
	"opprinnelig melding", "alkuperäinen viesti", "исходное сообщение", "оригинальное сообщение", "оригінальне повідомлення", "вихідне повідомлення", "початкове повідомлення", "оригинално съобщение", "оригинална порука", "originalna poruka", "izvorna poruka", "izvirno sporočilo",
	"původní zpráva", "původní e-mail", "pôvodná správa", "pôvodný e-mail", "originálna správa", "wiadomość oryginalna", "oryginalna wiadomość", "wiadomość pierwotna", "eredeti üzenet", "eredeti levél", "mesaj original", "mesajul original", "algne kiri", "algsõnum", "sākotnējais ziņojums", "pradinis laiškas",
	"orijinal mesaj", "özgün ileti", "orijinal ileti", "özgün mesaj", "αρχικό μήνυμα", "הודעה מקורית", "ההודעה המקורית", "الرسالة الأصلية", "رسالة أصلية", "پیام اصلی", "मूल संदेश", "원본 메시지", "원본 메일", "원본 이메일", "original von", "元のメッセージ", "元のメール", "元メール", "受信メール", "thư gốc", "tin nhắn gốc",
	"pesan asli", "mesej asal", "ข้อความต้นฉบับ", "ต้นฉบับ", "ข้อความเดิม",
	"原始邮件", "原邮件", "原邮件信息", "原始邮件信息", "回复的原邮件", "原始郵件", "回复邮件", "回复的邮件", "以下是引用的邮件", "邮件原件", "邮件原文", "回覆的原郵件", "原始信件", "原郵件", "原始訊息", "原始消息", "原始內容", "原始内容",
}

var forwardMarks = []string{
	"forwarded message", "forwarded mail", "forwarded email", "begin forwarded message", "forwarded letter", "forwarded by", "start of forwarded message", "weitergeleitete nachricht", "weitergeleitete mail", "weitergeleitete e-mail", "anfang der weitergeleiteten nachricht", "anfang der weitergeleiteten e-mail",
	"message transféré", "message transmis", "début du message transféré", "début du message réexpédié", "mail transféré", "message réexpédié", "mensaje reenviado", "inicio del mensaje reenviado", "missatge reenviat", "messaggio inoltrato",
	"inizio messaggio inoltrato", "mensagem encaminhada", "mensagem reencaminhada", "início da mensagem encaminhada", "início da mensagem reencaminhada", "doorgestuurd bericht", "begin doorgestuurd bericht", "doorgestuurde mail", "videresendt besked", "videresendt meddelelse", "start på videresendt besked",
	"vidarebefordrat meddelande", "vidarebefordrat mejl", "vidarebefordrat brev", "videresendt melding", "begynnelse på videresendt melding", "välitetty viesti", "edelleenlähetetty viesti", "пересылаемое сообщение", "пересланное сообщение", "перенаправленное сообщение", "начало переадресованного сообщения", "начало пересылаемого сообщения", "переслане повідомлення", "початок листа, що пересилається",
	"препратено съобщение", "przekazana wiadomość", "przesłana wiadomość", "początek przekazywanej wiadomości", "treść przekazanej wiadomości", "přeposlaná zpráva", "začátek přeposílané zprávy", "preposlaná správa", "továbbított üzenet", "továbbított levél", "mesaj redirecționat", "mesaj transmis mai departe", "proslijeđena poruka", "posredovano sporočilo", "prosleđena poruka",
	"iletilen mesaj", "iletilen ileti", "yönlendirilmiş mesaj", "yönlendirilen ileti", "προωθημένο μήνυμα", "הודעה שהועברה", "תחילת ההודעה שהועברה", "رسالة معاد توجيهها", "رسالة محولة", "بدء الرسالة المعاد توجيهها", "thư đã chuyển tiếp", "tin nhắn chuyển tiếp", "bắt đầu thư được chuyển tiếp", "pesan terusan", "pesan yang diteruskan", "mulai pesan terusan", "ข้อความที่ส่งต่อ", "전달된 메시지", "전달된 메일", "전달 메시지",
	"転送されたメッセージ", "転送されたメール", "転送メッセージ", "転送", "转发的邮件", "转发邮件信息", "转发邮件", "轉寄的郵件", "转发的原邮件", "已转发邮件", "轉寄郵件", "开始转发邮件", "开始转发的邮件", "被转发邮件", "被转发的邮件", "轉寄訊息", "轉寄的訊息", "開始轉寄郵件", "以下是轉寄的郵件", "已轉寄的郵件", "下面是被转发的邮件", "下面是被轉寄的信件",
	"以下是转发的邮件", "邮件转发信息",
}

// Lines below which programs put what was said before: customers are asked to
// write above them.
var aboveMarks = []string{
	"请在此线上方回复", "请在此行上方回复", "请在这条线上方回复", "請在此線上方回覆", "bitte oberhalb dieser linie antworten", "bitte antworten sie oberhalb dieser linie", "bitte antworten sie über dieser zeile",
	"répondre au-dessus de cette ligne", "répondez au-dessus de cette ligne", "responda por encima de esta línea", "rispondi sopra questa riga", "responda acima desta linha", "この行より上に返信してください",
}

// How the English of those lines begins and what it says in the end.
var aboveStarts = []string{"reply", "please", "in repl", "to reply", "write", "type", "respond", "add your reply", "your reply", "enter your reply"}

const aboveWords = "above this line"

// marks finds what a mark begins.
var marks = func() map[string]kind {
	m := map[string]kind{}
	for k, list := range map[kind][]string{reply: replyMarks, forward: forwardMarks, above: aboveMarks} {
		for _, s := range list {
			m[s] = k
		}
	}
	return m
}()

// beforeMarks are the beginnings of whatever separator looks for.
var beforeMarks = func() firstLetters {
	o := firstLetters{}
	for s := range marks {
		o.add(s)
	}
	for _, s := range append([]string{notesMark}, aboveStarts...) {
		o.add(s)
	}
	return o
}()

// notesMark is how Notes says who wrote what follows.
const notesMark = "inactive hide details for "

// role is what a label of a mail's header stands before.
type role int

const (
	unlabelled role = iota
	sender
	when
	subject
	other
)

// Labels of the header that mail programs put above an older mail, in the
// languages of Outlook and the programs of China, Japan and Korea.
var labels = func() map[string]role {
	m := map[string]role{}
	for r, words := range map[role]string{
		sender: `from 发件人 发送人 寄件者 寄件人 發件人 自 von absender de expéditeur remitente da mittente van fra från lähettäjä от від от_кого od odesílatel šalje pošiljatelj de_la expeditor
			feladó kimden gönderen από מאת من từ dari daripada จาก प्रेषक saatja nuo 差出人 送信者 送信元 보낸_사람 보낸사람 보낸_이 발신 발신자`,
		when: `sent date 发件时间 发送时间 发送日期 發送時間 傳送日期 傳送時間 寄件日期 寄件時間 日期 时间 時間 gesendet datum envoyé envoyé_le message_du enviado enviado_el enviat fecha data enviada enviada_em data_de_envio enviado_em inviato verzonden verzonden_op sendt dato skickat lähetetty päivämäärä päiväys
			отправлено дата надіслано изпратено wysłano wysłane odesláno odoslané poslano poslato trimis elküldve dátum küldve gönderildi gönderilme_tarihi tarih στάλθηκε ημερομηνία נשלח תאריך تم_الإرسال تاريخ_الإرسال التاريخ تاريخ
			đã_gửi gửi ngày dikirim terkirim tanggal dihantar tarikh ส่ง วันที่ส่ง วันที่ भेजा_गया दिनांक saadetud kuupäev išsiųsta nosūtīts 送信日時 送信日 日時 보낸_날짜 보낸날짜 날짜 보낸_시간`,
		subject: `subject 主题 主旨 主題 标题 標題 betreff objet sujet asunto tema oggetto assunto onderwerp emne ämne aihe тема относно temat předmět predmet zadeva subiect subiectul tárgy konu θέμα נושא الموضوع موضوع
			chủ_đề tiêu_đề subjek perihal เรื่อง หัวข้อ विषय teema tēma 件名 표제 제목`,
		other: `to cc bcc reply-to importance attachments priority 收件人 收件者 抄送 抄送人 副本 密送 密件副本 附件 答复 至 an kopie cc bcc wichtigkeit antwort_an à a copie copie_à pour para con_copia per_a per aan til till kopi vastaanottaja kopio
			кому копия копія до komu kopie kopia do dw prima za címzett másolatot_kap kime bilgi către copie_la προς κοιν. אל עותק إلى نسخة tới đến kepada salinan ถึง สำเนาถึง สำเนา प्रति adressaat koopia kam kopija 宛先 받는_사람 받는사람 받은_사람 수신 수신자 참조`,
	} {
		for _, w := range strings.Fields(words) {
			m[strings.ReplaceAll(w, "_", " ")] = r
		}
	}
	return m
}()

// Labels of a time that people's own forms have, too.
var dates = []string{"date", "datum", "data", "fecha", "dato", "日期", "时间", "時間", "日時", "tarih", "dátum", "дата", "päivä", "ημερομηνία", "تاريخ", "ngày", "tanggal", "วันที่", "날짜"}

// Verbs of the line above an older mail, in lower case.
var verbs = []string{
	"wrote", "writes", "schrieb", "geschrieben", "a écrit", "escribió", "ha scritto", "escreveu", "va escriure", "schreef", "geschreven", "skrev", "kirjoitti", "kirjutas",
	"napisał", "pisze", "napisana przez", "napsal", "napísal", "писал", "написа", "пишет", "пише", "написао", "napisao", "napisala", "je napisal", "rašė", "rakstīja",
	"írta", "a scris", "yazdı", "έγραψε", "כתב", "كتب", "كتابة", "نوشت", "लिखा", "đã viết", "menulis", "เขียนว่า", "เขียน", "ส่งข้อความ",
	"写道", "寫道", "写到", "书写道", "撰写", "撰寫", "来信", "写信", "書きました", "のメール", "書いた", "님이 작성", "작성", "쓴 글", "님이 쓴",
}

// Words of people who tell what they or others wrote, in lower case: programs
// speak of nobody but by name.
var (
	firstPerson = []string{" i wrote", "schrieb ich", " ich schrieb", " j'ai écrit", " j’ai écrit", " escribí", " ho scritto", " escrevi", " ik schreef", "schreef ik", " skrev jag", " jag skrev", " skrev jeg", " jeg skrev", " я писал", " я написал", " napisałem", " napisałam", "我写", "我寫", "本人"}
	possessives = []string{" your ", " our ", " my ", " he wrote", " she wrote", " they wrote", " ihr ", " ihre ", " ihrem ", " eure ", " euer ", " mein ", " meine ", " votre ", " vos ", " su ", " sus ", " vuestro", " vostro ", " vostra ", " seu ", " sua ", " uw ", " jullie ", " ваш", " wasz", " wasza", "你们", "你們", "贵司", "贵公司", "貴社"}
)

// Words that announce answers inside the older mail, and the words behind them
// that say where; in Chinese both at once.
var (
	answerWords  = []string{"answers", "answer is", "replies", "responses", "comments", "antworten", "kommentare", "anmerkungen", "réponses", "commentaires", "respuestas", "comentarios", "risposte", "commenti", "respostas", "antwoorden", "svar", "ответы", "odpowiedzi"}
	placeWords   = []string{"below", "inline", "in line", "in-line", "in red", "in blue", "in green", "in bold", "unten", "in rot", "rot markiert", "in blau", "im text", "ci-dessous", "en rouge", "en bleu", "abajo", "en rojo", "en azul", "sotto", "in rosso", "in blu", "abaixo", "em vermelho", "hieronder", "in het rood", "nedan", "nedenfor", "ниже", "красным", "poniżej", "na czerwono"}
	answersBelow = []string{"回复见下", "回复如下", "答复见下", "答复如下", "回答如下", "批注如下", "回覆如下", "答覆如下", "见下方红字", "见红字", "红色字", "蓝色字", "紅字", "原文中回复", "在原文", "赤字で回答", "下記に回答"}
)

// placeNear is how far behind the answers the place is said, in bytes.
const placeNear = 40
