package phone

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf16"

	"golang.org/x/text/width"
)

// What the carrier does to text messages before we hear of them: it acts on
// some words itself, and may cut what is long.

// carrierWords are the ones that carriers act on: to register them would
// answer a person who asked not to be written to
// (https://help.twilio.com/articles/223134027; in China T, TD and their like).
// Of other languages there are those that ask for an end, and none that asks
// for help: that, no carrier answers.
var carrierWords = map[string]bool{
	"stop": true, "stopall": true, "unsubscribe": true, "cancel": true, "end": true, "quit": true, "optout": true, "revoke": true,
	"start": true, "unstop": true, "help": true, "info": true,
	"arret": true, "arrêt": true, "parar": true, "alto": true, "baja": true, "stopp": true,
	"td": true, "t": true, "退订": true, "退訂": true, "取消订阅": true, "停止": true, "拒收": true,
}

// wordMost is how long, in bytes, a message with nothing but such a word can
// be, whatever is around it.
const wordMost = 60

// forCarrier tells a message that is between the customer and the carrier:
// nothing but one of its words. One with files says more.
func forCarrier(h hook, body string) bool {
	// OptOutType is there where the carrier has answered already
	// (https://www.twilio.com/docs/messaging/tutorials/advanced-opt-out).
	if h.get("OptOutType") != "" {
		return true
	}
	if len(body) > wordMost {
		return false
	}
	word := strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.IsPunct(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, width.Fold.String(body))
	return carrierWords[word] && strings.Trim(h.get("NumMedia"), "0") == ""
}

// The lengths at which a text is cut in parts: without a header that tells so,
// and with one of either size (3GPP TS 23.040 section 9.2.3.24.1 and .8); in
// septets, and in units of UCS-2.
var partsGSM, partsUCS2 = []int{160, 153, 152}, []int{70, 67, 66}

// isPart tells a text that was cut by a carrier that does not join them: it is
// exactly as long as one message can be. Others tell the parts they joined.
func isPart(body, segments string) bool {
	if segments != "" && segments != "1" {
		return false
	}
	if n, ok := septets(body); ok {
		return slices.Contains(partsGSM, n)
	}
	return slices.Contains(partsUCS2, len(utf16.Encode([]rune(body))))
}

// The alphabet of text messages (3GPP TS 23.038 section 6.2.1) beyond ASCII,
// and what takes two septets in it. What has another character is UCS-2.
const (
	gsmLetters = "£¥èéùìòÇØøÅåΔΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà"
	gsmTwice   = "^{}\\[~]|€"
)

// septets is how long a text is in that alphabet; ok is false where it has
// other characters.
func septets(s string) (n int, ok bool) {
	for _, r := range s {
		switch {
		case strings.ContainsRune(gsmTwice, r):
			n += 2
		case r == '\n', r == '\r', r >= ' ' && r <= '~' && r != '`', r > '~' && strings.ContainsRune(gsmLetters, r):
			n++
		default:
			return 0, false
		}
	}
	return n, true
}
