package phone

import (
	"strings"

	"hearken/internal/words"
)

var texts = words.Texts{
	"en": {
		"phone.choose":      "For English, press {{.digit}}.",
		"phone.greeting":    "Thank you for calling. We are sorry that something went wrong. Your message will be recorded so that we can handle it.",
		"phone.speak":       "After the tone, please tell us your name, your order number and what happened. Press the hash key when you have finished.",
		"phone.again":       "We did not hear you. Please speak after the tone.",
		"phone.number":      "Your complaint is registered. Its number is {{.number}}.",
		"phone.repeat":      "I repeat: {{.number}}.",
		"phone.nonumber":    "Your complaint is kept. We will send you its number.",
		"phone.callback":    "We have noted that you would like to be called back.",
		"phone.goodbye":     "Thank you. Goodbye.",
		"phone.recorded":    "Phone call with a recording",
		"phone.nowords":     "Phone call without words: please call back",
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
		"phone.greeting":    "感谢您的来电。给您带来不便，我们深表歉意。为了处理您的投诉，接下来的留言将被录音。",
		"phone.speak":       "听到提示音后，请说出您的姓名、订单号和事情经过，说完请按井号键。",
		"phone.again":       "没有听到您的声音，请在提示音后留言。",
		"phone.number":      "您的投诉已登记，编号是{{.number}}。",
		"phone.repeat":      "重复一遍：{{.number}}。",
		"phone.nonumber":    "您的投诉已收到，编号稍后会发给您。",
		"phone.callback":    "我们已记录，会有人给您回电。",
		"phone.goodbye":     "谢谢您，再见。",
		"phone.recorded":    "电话留言，附录音",
		"phone.nowords":     "电话未留言，请回电",
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
