// Package complaint holds the nouns of the trade: Contact, Record, Route,
// Update, Reply, Receipt and the complaint number. It hides nothing and does
// nothing: every other package speaks in these words, and it imports only the
// standard library.
package complaint

import "time"

// The channels that a customer can come by. The name is the last part of the
// stream {complaints}:replies:<channel> and the value of Record.Channel.
const (
	Email = "email"
	Phone = "phone"
	Chat  = "chat"
)

// Person is what a channel or the text tells about somebody. Every part may
// be empty; nothing is ever invented.
type Person struct {
	Name     string `json:"name,omitempty"`
	Email    string `json:"email,omitempty"`    // addr-spec
	Phone    string `json:"phone,omitempty"`    // E.164 where it could be normalised
	Language string `json:"language,omitempty"` // BCP 47, "zh" or "en" mostly
}

// Contact is one thing that a customer said on one channel: a mail, a
// recording, a text message, a chat message. A channel hands it over once it
// is complete; big bodies are in the blob store already.
type Contact struct {
	ID           string    `json:"id"`            // RecordID of the channel and Ref: the same for every redelivery
	Channel      string    `json:"channel"`       // Email, Phone or Chat
	Account      string    `json:"account"`       // the name of the mailbox, line or site in config.yaml
	ContactPoint string    `json:"contact_point"` // the address, number or site that the customer reached
	Ref          string    `json:"ref"`           // Message-ID; CallSid/RecordingSid; MessageSid; session/client id
	ReceivedAt   time.Time `json:"received_at"`   // the server's own time, never one that the customer's machine wrote

	From     Person `json:"from"`
	Subject  string `json:"subject,omitempty"`
	Text     string `json:"text,omitempty"`     // plain text, still with quoted history and signature
	Language string `json:"language,omitempty"` // where the channel knows it (a menu choice, the page's language)

	Attachments []Attachment `json:"attachments,omitempty"`
	Raw         string       `json:"raw,omitempty"` // blob reference of the untouched original

	InReplyTo  string   `json:"in_reply_to,omitempty"` // Message-ID without angle brackets
	References []string `json:"references,omitempty"`  // Message-IDs without angle brackets, oldest first
	// Topic names a thread at its source less surely than References do
	// (Outlook's Thread-Index): the next contact of the same sender with the
	// same Topic supplements the complaint.
	Topic string `json:"topic,omitempty"`

	// Conversation names what this contact is part of at its source: a call, a
	// chat session, a phone number and the line that it texts. The first
	// contact of a conversation registers a complaint, later ones supplement it.
	Conversation string `json:"conversation,omitempty"`
	// Window is how long the conversation stays open after its last contact;
	// 0 means as long as the queue remembers.
	Window time.Duration `json:"window,omitempty"`
	// AlsoConversation is another conversation that leads to the same complaint
	// for AlsoWindow: the text messages of who phoned.
	AlsoConversation string        `json:"also_conversation,omitempty"`
	AlsoWindow       time.Duration `json:"also_window,omitempty"`
	// Fragment says that the text is too little to register a complaint by
	// ("hello"). It is safe like any other contact, and waits for the next
	// contact of its conversation, or for Idle to pass, and is registered
	// together with it.
	Fragment bool `json:"fragment,omitempty"`
	// Part says of a Fragment that its text was cut by the source and goes on
	// in the next contact, without a break. It waits some seconds only.
	Part bool `json:"part,omitempty"`
	// OnlyOpens says that the contact matters only where its conversation has
	// no complaint yet (the end of a call): otherwise it adds nothing.
	OnlyOpens bool `json:"only_opens,omitempty"`

	// Number is the complaint that the customer named, if any, with a correct
	// check digit. NumberBy tells how ("message_id", "reply_address", "subject",
	// "keyed", "contact"). NumberProven is true where the source itself proves the right
	// to it (our own signed Message-ID); otherwise the sender must be known on
	// that complaint.
	Number       string `json:"number,omitempty"`
	NumberBy     string `json:"number_by,omitempty"`
	NumberProven bool   `json:"number_proven,omitempty"`

	// NumberNow asks for a number in the Receipt: somebody is on the line.
	NumberNow bool `json:"number_now,omitempty"`
	// WantsReceipt asks for the receipt to be sent as a Reply once the
	// complaint is registered, because the channel can't say it now. Together
	// with NumberNow it is sent only if no number could be told.
	WantsReceipt bool `json:"wants_receipt,omitempty"`
	// Automated marks a machine's mail: kept, never answered.
	Automated bool `json:"automated,omitempty"`

	Facts map[string]string `json:"facts,omitempty"`
	Notes []string          `json:"notes,omitempty"`
}

// Attachment is a file that came with a contact. Its bytes are in the blob
// store under Blob; Filename and MediaType are the sender's claims, cleaned
// of control characters and paths.
type Attachment struct {
	Filename  string `json:"filename"`
	MediaType string `json:"media_type"`
	Size      int64  `json:"size"` // bytes
	SHA256    string `json:"sha256"`
	Blob      string `json:"blob"` // "sha256/<hex>"

	// Detected is the type that the bytes themselves show, where it is another
	// than MediaType; Executable that opening the file may run it.
	Detected   string `json:"detected_type,omitempty"`
	Executable bool   `json:"executable,omitempty"`
	// ContentID names the file within its mail; Inline says that the text shows
	// it in its place, as pictures in a signature are.
	ContentID string `json:"content_id,omitempty"`
	Inline    bool   `json:"inline,omitempty"`
	// Scan is the virus scanner's verdict: "clean", "infected: <name>", or
	// "failed: <why>"; empty where none is set up.
	Scan string `json:"scan,omitempty"`
}

// Blob is what the blob store knows of something it keeps.
type Blob struct {
	Ref    string // "sha256/<hex>"
	SHA256 string // hex
	Size   int64  // bytes
}

// Receipt says that a Contact is safe on disk. Only with it in hand may the
// source forget the contact.
type Receipt struct {
	ID        string // the contact's
	Number    string // set where the contact asked NumberNow and a number could be had
	Event     string // Registered or Supplemented, as far as is known now; "" while it is not
	Duplicate bool   // this very contact had been accepted before
}
