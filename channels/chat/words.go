package chat

import "hearken/internal/words"

var texts = words.Texts{
	"en": {
		"chat.greeting":   "Hello! Please tell us what went wrong. Everything you write here is kept.",
		"chat.registered": "Your complaint is registered. Its number is {{.number}}. Please keep it; you can add more here at any time.",
	},
	"zh": {
		"chat.greeting":   "您好！请告诉我们发生了什么。您在这里写下的每一句话都会保存。",
		"chat.registered": "您的投诉已登记，编号 {{.number}}。请记下编号；您可以随时在这里补充。",
	},
}
