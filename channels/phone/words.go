package phone

import (
	"strings"

	"hearken/internal/words"
)

var texts = words.Texts{
	"en": {
		"phone.choose":      "For English, press {{.digit}}.",
		"phone.greeting":    "Thank you for calling. We are sorry that something went wrong.",
		"phone.closed":      "Thank you for calling. Nobody is here at this hour, but your complaint is taken now, and we will get back to you on the next working day.",
		"phone.transfer":    "We are putting you through. Please hold the line.",
		"phone.nobody":      "Nobody is free just now. We take your complaint here, so that it does not wait.",
		"phone.notice":      "Your message will be recorded so that we can handle it.",
		"phone.decline":     "To be called back instead, without a recording, press {{.digit}}.",
		"phone.option":      "For {{.name}}, press {{.digit}}.",
		"phone.followup":    "If you have a complaint number already, press {{.digit}}.",
		"phone.otherwise":   "Otherwise, please hold the line.",
		"phone.enter":       "Please enter the twelve digits of your complaint number.",
		"phone.numbered":    "You call about complaint {{.number}}.",
		"phone.wrong":       "This number is not a complaint number. Please compare it with your receipt.",
		"phone.without":     "Let us go on without the number.",
		"phone.describe":    "Please tell us in a sentence or two what happened.",
		"phone.speak":       "After the tone, please tell us your name, your order number and what happened. Press {{if eq .key \"#\"}}the hash key{{else}}{{.key}}{{end}} when you have finished.",
		"phone.more":        "If you want to say more, please speak after the tone. Otherwise you can hang up.",
		"phone.again":       "We did not hear you. Please speak after the tone.",
		"phone.number":      "Your complaint is registered. Its number is {{.number}}.",
		"phone.added":       "Your message was added to complaint {{.number}}.",
		"phone.repeat":      "I repeat: {{.number}}.",
		"phone.nonumber":    "Your complaint is kept. We will send you its number.",
		"phone.offer":       "To get the number as a text message, press {{.digit}}.",
		"phone.sent":        "The text message is on its way.",
		"phone.callback":    "We have noted that you would like to be called back.",
		"phone.withheld":    "We have noted your call. Your number is withheld, so we can't call you back; please call again and leave a message.",
		"phone.goodbye":     "Thank you. Goodbye.",
		"phone.recorded":    "Phone call with a recording",
		"phone.nowords":     "Phone call without words",
		"phone.notext":      "Text message without words",
		"phone.media":       "Files of a text message: {{.count}}",
		"phone.receipt":     "Your complaint is registered under number {{.number}}. You can reply to this message to add to it.",
		"phone.supplement":  "Your message was added to complaint {{.number}}.",
		"phone.kept":        "Your message was received. The complaint number follows.",
		"phone.update":      "Complaint {{.number}}: {{.text}}",
		"phone.transcript":  "Transcript of the recording",
		"phone.audio":       "The recording is attached.",
		"phone.norecording": "The recording could not be fetched from the provider.",
	},
	"zh": {
		"phone.choose":      "中文请按{{.digit}}。",
		"phone.greeting":    "感谢您的来电。给您带来不便，我们深表歉意。",
		"phone.closed":      "感谢您的来电。现在是非工作时间，您的投诉会立即登记，我们将在下一个工作日与您联系。",
		"phone.transfer":    "正在为您转接，请稍候。",
		"phone.nobody":      "客服正忙，我们先登记您的投诉。",
		"phone.notice":      "为了处理您的投诉，接下来的留言将被录音。",
		"phone.decline":     "如不愿录音，请按{{.digit}}，我们会给您回电。",
		"phone.option":      "{{.name}}，请按{{.digit}}。",
		"phone.followup":    "已有投诉编号，请按{{.digit}}。",
		"phone.otherwise":   "其他问题，请不要挂机。",
		"phone.enter":       "请输入十二位投诉编号。",
		"phone.numbered":    "您来电是为了投诉{{.number}}。",
		"phone.wrong":       "这个编号不正确，请核对收到的回执。",
		"phone.without":     "我们先不用编号，继续登记。",
		"phone.describe":    "请用一两句话说说发生了什么。",
		"phone.speak":       "听到提示音后，请说出您的姓名、订单号和事情经过，说完请按{{if eq .key \"#\"}}井号键{{else}}{{.key}}{{end}}。",
		"phone.more":        "如需补充，请在提示音后留言，否则可以挂机。",
		"phone.again":       "没有听到您的声音，请在提示音后留言。",
		"phone.number":      "您的投诉已登记，编号是{{.number}}。",
		"phone.added":       "您的留言已记入投诉{{.number}}。",
		"phone.repeat":      "重复一遍：{{.number}}。",
		"phone.nonumber":    "您的投诉已收到，编号稍后会发给您。",
		"phone.offer":       "需要短信接收编号，请按{{.digit}}。",
		"phone.sent":        "短信已发出。",
		"phone.callback":    "我们已记录，会有人给您回电。",
		"phone.withheld":    "我们已记录您的来电。您的号码未显示，我们无法回电，请再次来电留言。",
		"phone.goodbye":     "谢谢您，再见。",
		"phone.recorded":    "电话留言，附录音",
		"phone.nowords":     "电话未留言",
		"phone.notext":      "短信没有文字",
		"phone.media":       "短信附件：{{.count}}个",
		"phone.receipt":     "您的投诉已登记，编号 {{.number}}。回复本短信可以补充。",
		"phone.supplement":  "您的补充已记入投诉 {{.number}}。",
		"phone.kept":        "您的信息已收到，投诉编号稍后发给您。",
		"phone.update":      "投诉 {{.number}}：{{.text}}",
		"phone.transcript":  "录音转写",
		"phone.audio":       "附件为通话录音。",
		"phone.norecording": "未能从服务商取得录音。",
	},
}

// Chinese digits as they are read out on the phone: 幺 for one, so that it is
// not taken for seven.
var digitsZH = []string{"零", "幺", "二", "三", "四", "五", "六", "七", "八", "九"}
var digitsEN = []string{"zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"}

// spoken writes a number as it is read out: digit by digit, in groups of four.
func spoken(lang, number string) string {
	digits, between, groups := digitsEN, " ", ", "
	if lang == "zh" {
		digits, between, groups = digitsZH, "", "，"
	}
	var out []string
	for i := 0; i < len(number); i += 4 {
		var group []string
		for _, d := range number[i:min(i+4, len(number))] {
			group = append(group, digits[d-'0'])
		}
		out = append(out, strings.Join(group, between))
	}
	return strings.Join(out, groups)
}

// CheckWords tells what is wrong with an admin's replaced texts.
func CheckWords(replaced words.Texts) error {
	_, err := words.New(texts, replaced)
	return err
}
