package chat

import (
	"context"
	"slices"
	"strings"

	"hearken/complaint"
)

// The ids of what the gateway says, each once in a session: its log is the
// memory of the dialogue, on whichever gateway it goes on.
const (
	sayWhat   = "ask-what"
	sayProve  = "ask-prove"
	sayNumber = "ask-number"
	sayReach  = "ask-reach"
	sayOrder  = "ask-order"
	sayDigits = "ask-digits-"   // and what was written for a number
	sayOther  = "other-number-" // and the number
	// registeredID is whatever tells the number.
	registeredID = "registered"
)

// tooLittle tells a message that can't stand for a complaint yet: it greets,
// names an earlier complaint, or is only an answer to who somebody is.
func (k *conn) tooLittle(text string) bool {
	if k.told != "" {
		return false
	}
	question := isStatusQuestion(text)
	rest := aroundNumber.ReplaceAllString(numberIn.ReplaceAllString(text, " "), " ")
	switch {
	case k.number != "":
		// Where who they are is told, the complaint can be found.
		return !k.known() && (question || isFragment(rest))
	case mistyped(text) != "":
		return true
	case slices.Contains(k.asked, sayNumber):
		return isFragment(withoutPeople(rest)) // has none
	case question:
		return true // of which complaint?
	}
	return isFragment(withoutPeople(text))
}

func (k *conn) known() bool { return k.from.Email != "" || k.from.Phone != "" }

// answer says what follows from a message that is safe: the number, or what
// is still missing. It asks one thing at a time, and each at most once; who
// does not answer is not asked again.
func (k *conn) answer(id, text, number string) {
	var all []complaint.ChatMessage
	if number != "" && k.told == "" {
		all = k.tellNumber(number)
	}
	other := namedNumber(text)
	switch {
	case k.told == "":
		all = append(all, k.askForComplaint(text)...)
	case other != "" && other != k.told && other != k.number:
		all = append(all, k.ask(sayOther+other, "chat.other_number", complaint.Grouped(other))...)
	case k.asks:
		k.remember(func() { k.asks = false })
		all = append(all, k.status(id)...)
	default:
		all = append(all, k.askForRest()...)
	}
	k.say(all)
}

// askForComplaint asks for what a complaint needs to be registered or found.
func (k *conn) askForComplaint(text string) []complaint.ChatMessage {
	wrong := mistyped(text)
	switch {
	case k.number != "" && !k.known():
		return k.once(sayProve)
	case wrong != "":
		return k.ask(sayDigits+strings.Join(strings.FieldsFunc(wrong, notWord), ""), "chat.ask_digits", wrong)
	case k.asks && !slices.Contains(k.asked, sayNumber):
		return k.once(sayNumber)
	}
	return k.once(sayWhat)
}

// askForRest asks for what is good to know of a complaint that is registered.
func (k *conn) askForRest() []complaint.ChatMessage {
	switch {
	case !k.known() && !slices.Contains(k.asked, sayReach):
		return k.once(sayReach)
	case !k.ordered && k.number == "":
		return k.once(sayOrder)
	}
	return nil
}

// tellNumber says under which number this chat is registered.
func (k *conn) tellNumber(number string) []complaint.ChatMessage {
	key := "chat.registered"
	switch k.number {
	case "":
	case number:
		key = "chat.continued"
	default:
		key = "chat.unproven"
		k.chat.guessed.allow(k.ip)
	}
	if k.number != number {
		// Of another complaint they are told nothing, and of this one there is nothing yet.
		k.remember(func() { k.asks = false })
	}
	k.told = number
	all := k.word(registeredID, key, map[string]string{"number": complaint.Grouped(number)})
	for i := range all {
		all[i].Number = number
	}
	return all
}

// once asks a question that was not asked in this session.
func (k *conn) once(id string) []complaint.ChatMessage {
	return k.ask(id, "chat."+strings.ReplaceAll(id, "-", "_"), complaint.Grouped(k.number))
}

// ask asks about a number what was not asked about it.
func (k *conn) ask(id, key, number string) []complaint.ChatMessage {
	if slices.Contains(k.asked, id) {
		return nil
	}
	k.asked = append(k.asked, id)
	return k.word(id, key, map[string]string{"number": number, "told": complaint.Grouped(k.told)})
}

// status says how the session's own complaint stands; never another's.
func (k *conn) status(id string) []complaint.ChatMessage {
	ctx, cancel := context.WithTimeout(k.chat.ctx, sayWait)
	defer cancel()
	status, err := k.chat.deps.Sessions.Status(ctx, k.told)
	if err != nil {
		k.chat.deps.Log.Warn("look up a complaint's status", "site", k.chat.cfg.Name, "number", k.told, "err", err)
		return nil
	}
	key := "chat.status." + strings.ReplaceAll(status, ".", "_")
	if status == "" {
		key = "chat.status_new"
	}
	return k.word("status-"+id, key, map[string]string{"number": complaint.Grouped(k.told), "status": strings.ReplaceAll(status, "_", " ")})
}
