package email

import "hearken/internal/words"

// texts are what a mail from us says. {{.number}} is the number in groups;
// nothing that the customer wrote goes in, so that nobody can make us say
// something to somebody else.
// email.html is the frame of the page: {{.text}} is the text, made of the
// others.
var texts = words.Texts{
	"zh": {
		"email.receipt.registered": `您好！

您的来信我们已经收到并登记，投诉编号是：

    {{.number}}

我们会有专人查看，有结果会回复到这个邮箱。如果想补充情况或材料，直接回复这封邮件就可以，也可以凭这个编号来电或在线询问。

给您添麻烦了，也谢谢您告诉我们。

（这封邮件由系统自动发出）
`,
		"email.receipt.supplemented": `您好！

您补充的内容我们已经收到，并记入投诉 {{.number}}，负责的同事会一并看到。

还有要补充的，直接回复这封邮件就可以。

（这封邮件由系统自动发出）
`,
		"email.update.footer": `--
投诉编号 {{.number}}。如需继续沟通，直接回复这封邮件即可。
`,
		"email.subject": `您的投诉`,
	},
	"en": {
		"email.receipt.registered": `Hello,

We have received your message and registered your complaint. Its number is:

    {{.number}}

A colleague will look into it, and the answer will come to this address. If you would like to add something, just reply to this mail; you can also give the number on the phone or in the chat.

We are sorry for the trouble, and thank you for telling us.

(This mail was sent automatically.)
`,
		"email.receipt.supplemented": `Hello,

We have received what you sent and added it to your complaint {{.number}}, where the colleagues working on it will see it.

If there is anything else, just reply to this mail.

(This mail was sent automatically.)
`,
		"email.update.footer": `--
Complaint {{.number}}. To write back, just reply to this mail.
`,
		"email.subject": `Your complaint`,
		"email.html": `<!DOCTYPE html>
<html lang="{{.language}}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"></head>
<body style="margin:0;padding:16px;font:16px/1.6 -apple-system,'Segoe UI','PingFang SC','Microsoft YaHei',Arial,sans-serif;color:#1a1a1a">
<div style="max-width:600px">
{{.text}}</div>
</body>
</html>
`,
	},
}

// CheckWords tells what is wrong with an admin's replaced texts.
func CheckWords(replaced words.Texts) error {
	_, err := words.New(texts, replaced)
	return err
}
