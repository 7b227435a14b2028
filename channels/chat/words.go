package chat

import (
	"errors"

	"hearken/internal/words"
)

// CheckWords tells what is wrong with an admin's replaced texts: the
// gateway's messages, and the labels of the window.
func CheckWords(messages, labels words.Texts) error {
	_, err := words.New(texts, messages)
	_, wrong := widgetTexts(labels)
	return errors.Join(err, wrong)
}

var texts = words.Texts{
	"en": {
		"chat.joined":                  "{{.by}} has joined the chat.",
		"chat.joined_nameless":         "Somebody of the department has joined the chat.",
		"chat.greeting":                "Hello! Please tell us what went wrong. Everything you write here is kept.",
		"chat.registered":              "Your complaint is registered. Its number is {{.number}}. Please keep it; you can add more here at any time.",
		"chat.continued":               "Thank you. What you write here is added to your complaint {{.number}}. Write \"status\" to see how it stands.",
		"chat.unproven":                "We could not match the number you named with your e-mail address or phone number, so this is registered as a new complaint, {{.number}}. It mentions the other one.",
		"chat.ask_what":                "What went wrong? A sentence or two is enough to begin.",
		"chat.ask_prove":               "To continue complaint {{.number}}, please tell us the e-mail address or phone number that you used for it.",
		"chat.ask_number":              "Which complaint do you mean? Please write its number, and the e-mail address or phone number that you used for it.",
		"chat.ask_digits":              "{{.number}} is not a complaint number of ours: a digit may be wrong, please compare it. If it is the number of an order, please tell us what went wrong.",
		"chat.other_number":            "This chat belongs to complaint {{.told}}, and what you write is added to that one. To continue complaint {{.number}}, please end this chat and start a new one.",
		"chat.ask_reach":               "What is your name, and how can we reach you if you leave this page? An e-mail address or a phone number is enough.",
		"chat.ask_order":               "Is there an order or contract number? If so, please write it here.",
		"chat.status.*":                "The status of complaint {{.number}} is: {{.status}}.",
		"chat.status.accepted":         "Complaint {{.number}} has been taken up by the department.",
		"chat.status.in_progress":      "Complaint {{.number}} is being worked on.",
		"chat.status.investigating":    "Complaint {{.number}} is being investigated.",
		"chat.status.plan_decided":     "For complaint {{.number}} it is decided what will be done.",
		"chat.status.pending_customer": "Complaint {{.number}} waits for something from you; see the last answer.",
		"chat.status.returned":         "Complaint {{.number}} is being handed to another department.",
		"chat.status.resolved":         "Complaint {{.number}} is resolved.",
		"chat.status.closed":           "Complaint {{.number}} is closed.",
		"chat.status_new":              "Complaint {{.number}} is with the department. There is no answer from it yet; it will appear here.",
	},
	"zh": {
		"chat.joined":                  "{{.by}} 已加入对话。",
		"chat.joined_nameless":         "客服人员已加入对话。",
		"chat.greeting":                "您好！请告诉我们发生了什么。您在这里写下的每一句话都会保存。",
		"chat.registered":              "您的投诉已登记，编号 {{.number}}。请记下编号；您可以随时在这里补充。",
		"chat.continued":               "谢谢。您在这里写的内容会补充到投诉 {{.number}}。输入“进度”可以查询处理情况。",
		"chat.unproven":                "您说的编号与您的邮箱或电话对不上，因此登记为新的投诉，编号 {{.number}}，其中注明了原编号。",
		"chat.ask_what":                "请问发生了什么？先写一两句话就可以。",
		"chat.ask_prove":               "要继续投诉 {{.number}}，请告诉我们当时留下的邮箱或电话。",
		"chat.ask_number":              "请问是哪一件投诉？请写下投诉编号，以及当时留下的邮箱或电话。",
		"chat.ask_digits":              "{{.number}} 不是我们的投诉编号，可能有一位数字写错了，请核对。如果这是订单号，请说说发生了什么。",
		"chat.other_number":            "本次对话属于投诉 {{.told}}，您写的内容都会补充到该投诉。要继续投诉 {{.number}}，请先结束本次对话，再开始新的对话。",
		"chat.ask_reach":               "请问怎么称呼您？如果您离开本页，怎么联系您？留下邮箱或电话即可。",
		"chat.ask_order":               "请问有订单号或合同号吗？有的话请写在这里。",
		"chat.status.*":                "投诉 {{.number}} 的状态：{{.status}}。",
		"chat.status.accepted":         "投诉 {{.number}} 已由负责部门受理。",
		"chat.status.in_progress":      "投诉 {{.number}} 正在处理。",
		"chat.status.investigating":    "投诉 {{.number}} 正在调查核实。",
		"chat.status.plan_decided":     "投诉 {{.number}} 的处理方案已确定。",
		"chat.status.pending_customer": "投诉 {{.number}} 需要您补充信息，请看最近一次答复。",
		"chat.status.returned":         "投诉 {{.number}} 正在转交另一部门。",
		"chat.status.resolved":         "投诉 {{.number}} 已解决。",
		"chat.status.closed":           "投诉 {{.number}} 已办结。",
		"chat.status_new":              "投诉 {{.number}} 已转交负责部门，尚无答复；有答复时会显示在这里。",
	},
}
