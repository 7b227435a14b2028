package complaint

import "time"

// Update is what a department writes back about a complaint, as a ticket
// system or `hearken update` puts it on {complaints}:updates.
type Update struct {
	Number  string `json:"number"`
	Status  string `json:"status"`            // Returned says that it is not theirs; any other that they have taken it
	Message string `json:"message,omitempty"` // for the customer
	By      string `json:"by,omitempty"`
	Note    string `json:"note,omitempty"` // for colleagues, never sent
}

// Kinds of Reply.
const (
	ReplyReceipt = "receipt" // "we have your complaint, its number is ..."
	ReplyUpdate  = "update"  // a department's answer
	// ReplyPresence tells an open window who is there: its Status is one of
	// the presences. It is worth nothing a moment later.
	ReplyPresence = "presence"
)

// Presences are words that an update can have for its status, and that are
// none: they are shown in the customer's open chat and booked nowhere.
const (
	PresenceTyping = "typing" // somebody writes an answer
	PresenceJoined = "joined" // somebody, Update.By, takes care of it
)

// Reply is something to be said to a customer, complete: a channel needs
// nothing else to send it. It is the JSON of the field "reply" on
// {complaints}:replies:<channel>.
type Reply struct {
	ID      string `json:"id"` // the same for every attempt
	Number  string `json:"number"`
	Kind    string `json:"kind"`
	Channel string `json:"channel"`
	Account string `json:"account"` // the mailbox, line or site to send from

	To           Person `json:"to"`
	Conversation string `json:"conversation,omitempty"` // the chat session to say it in; on the phone the number that the customer reached
	Language     string `json:"language"`

	Subject    string   `json:"subject,omitempty"` // the customer's own subject, for the thread
	InReplyTo  string   `json:"in_reply_to,omitempty"`
	References []string `json:"references,omitempty"`

	Text   string    `json:"text"` // a department's words; empty for a receipt, which the channel words itself
	Event  string    `json:"event,omitempty"`
	Status string    `json:"status,omitempty"`
	By     string    `json:"by,omitempty"`
	At     time.Time `json:"at"`
}

// ChatMessage is one message to a chat window, in the order of Seq.
type ChatMessage struct {
	ID     string    `json:"id"`   // appended once however often it is tried
	Seq    int64     `json:"seq"`  // 1, 2, 3 ... within the session
	From   string    `json:"from"` // "gateway" or "department"
	Text   string    `json:"text"`
	Number string    `json:"number,omitempty"`
	At     time.Time `json:"at"`
}

// ChatPlace is where a message stands in its session's log.
type ChatPlace struct {
	Seq   int64 // the message's own
	Heard int64 // the last one that a browser of the customer's confirmed
	Gone  bool  // the customer ended the chat
}

// ChatSession is what is remembered of a chat session.
type ChatSession struct {
	Log   []ChatMessage
	Notes map[string]string // the chat's own, by name
}

// Reply addresses a reply to whoever sent the record, on the channel it came
// by; its words, ID and Kind are the caller's.
func (r *Record) Reply() Reply {
	out := Reply{
		Number: r.Number, Channel: r.Channel, To: r.Complainant, Language: r.Complainant.Language, Subject: r.Subject,
	}
	switch r.Channel {
	case Email:
		out.Account = r.Facts["mailbox"]
		out.InReplyTo = r.Source.Ref
		out.References = append(append([]string(nil), r.Source.References...), r.Source.Ref)
	case Phone:
		out.Account = r.Facts["line"]
		out.Conversation = r.ContactPoint
	case Chat:
		out.Account = r.Facts["site"]
		out.Conversation = "chat:" + r.Facts["session"]
	}
	return out
}
