package complaint

import "time"

// Schema names the shape of Record on the wire. Fields may be added under the
// same name; readers ignore what they do not know.
const Schema = "complaint.v1"

// What an entry on a stream tells.
const (
	Registered   = "registered"   // a new complaint under a new number
	Supplemented = "supplemented" // something more under a number that exists
	Rerouted     = "rerouted"     // the complaint as it is has another lead; route.again says why
)

// Why a complaint comes to the dispatcher again. On the departments' streams
// each is Rerouted.
const (
	Returned   = "returned"   // its lead says that it is not theirs
	Unaccepted = "unaccepted" // its lead has not taken it in time
	Redirected = "redirected" // an operator had the rules asked again
)

// Asked tells an event that asks for another lead, rather than bringing words.
func Asked(event string) bool { return event == Returned || event == Unaccepted || event == Redirected }

// The classes of contacts that the gateway tells apart.
const (
	ClassComplaint  = "complaint"
	ClassEnquiry    = "enquiry"
	ClassSuggestion = "suggestion"
	ClassPraise     = "praise"
)

// Unknown stands where an element of the standard form was not told.
const Unknown = "unknown"

// DefaultType is the type of a record that no keyword fits.
const DefaultType = "OTHER"

// DefaultPriority is the priority of a record that no floor lifts. P1 is the
// highest.
const DefaultPriority = "P4"

// Record is a complaint, or a supplement to one, in the standard form. It is
// the JSON of the field "record" on every stream.
type Record struct {
	Schema string `json:"schema"`
	ID     string `json:"id"`     // consumers dedupe on it
	Number string `json:"number"` // 12 digits, see Number
	Event  string `json:"event"`  // Registered or Supplemented

	Channel      string    `json:"channel"`
	ContactPoint string    `json:"contact_point"`
	ReceivedAt   time.Time `json:"received_at"`
	RegisteredAt time.Time `json:"registered_at"`

	Complainant Person `json:"complainant"`

	Subject        string   `json:"subject"`
	Summary        string   `json:"summary"`
	Narrative      string   `json:"narrative"`     // the new text only
	RemedySought   []string `json:"remedy_sought"` // codes ("refund", ...), or ["unknown"]
	RemedyText     string   `json:"remedy_text,omitempty"`
	OrderNo        string   `json:"order_no,omitempty"`
	AmountInvolved string   `json:"amount_involved,omitempty"` // decimal, no separators
	Currency       string   `json:"currency,omitempty"`        // ISO 4217

	IntakeClass    string         `json:"intake_class"`
	Type           string         `json:"type"`
	SecondaryTypes []string       `json:"secondary_types,omitempty"`
	Priority       string         `json:"priority"`
	Flags          []string       `json:"flags,omitempty"`
	Classification Classification `json:"classification"`

	Attachments []Attachment      `json:"attachments,omitempty"`
	Source      Source            `json:"source"`
	Facts       map[string]string `json:"facts,omitempty"`
	Notes       []string          `json:"notes,omitempty"`

	Thread *Thread `json:"thread,omitempty"`
	Route  *Route  `json:"route,omitempty"`
}

// Classification is the evidence for type, flags and priority.
type Classification struct {
	Matched      []Match  `json:"matched"`
	Reasons      []string `json:"reasons,omitempty"` // why this priority: "flag legal: P2"
	Confidence   float64  `json:"confidence"`        // 0 to 1
	Learnt       *Learnt  `json:"learnt,omitempty"`  // what the learnt classifier says, where there is one
	RulesVersion string   `json:"rules_version"`
}

// Learnt is the opinion of a classifier that was trained on past complaints.
type Learnt struct {
	Type        string  `json:"type"`
	Probability float64 `json:"probability"` // 0 to 1
	Model       string  `json:"model"`       // the beginning of its file's SHA-256
	Used        bool    `json:"used"`        // it was sure enough to decide the type
}

// Match is one piece of evidence: a term that was found, or what the learnt
// classifier went by. Exactly one of Type and Flag is set.
type Match struct {
	Type   string  `json:"type,omitempty"`
	Flag   string  `json:"flag,omitempty"`
	Term   string  `json:"term"`
	Field  string  `json:"field"`            // "subject" or "narrative"
	Offset int     `json:"offset"`           // in runes from the field's start
	Weight float64 `json:"weight,omitempty"` // what it added to the score of the type, or of a flag that the classifier raised
	Rule   string  `json:"rule,omitempty"`   // the place in the rules: "types.BILLING.keywords[0]"; "classifier"
	Note   string  `json:"note,omitempty"`   // "negated"
}

// Source says where the record came from.
type Source struct {
	Ref        string   `json:"ref"`
	Raw        string   `json:"raw,omitempty"`
	InReplyTo  string   `json:"in_reply_to,omitempty"`
	References []string `json:"references,omitempty"`
	Automated  bool     `json:"automated"`
}

// Thread says which complaint a record continues and how that was known:
// "conversation", "references", "message_id", "reply_address", "topic",
// "subject", "keyed", "contact".
type Thread struct {
	Of string `json:"of"`
	By string `json:"by"`
}

// Facts of a record that other rooms than its channel act on.
const (
	// FactStatedType is the type that the customer chose from a menu.
	FactStatedType = "stated_type"
	// FactSubjectBy is SubjectByGateway where the customer wrote no subject,
	// and the record has one of the gateway's, for a list of complaints to show.
	FactSubjectBy    = "subject_by"
	SubjectByGateway = "gateway"

	// FactTranscript is "true" where a supplement brings the words of what was
	// registered without them.
	FactTranscript = "transcript"
	// FactRepeats is how many other complaints the customer has registered
	// lately, as far as the queue knows; absent where there is none.
	FactRepeats = "repeats"
)

// Route is where the dispatcher's rules send a record.
type Route struct {
	Department    string            `json:"department"`              // the lead
	Collaborators []string          `json:"collaborators,omitempty"` // never the lead, no repeats
	Rule          string            `json:"rule"`                    // the route's name; "default" where none matched
	Deadlines     map[string]string `json:"deadlines,omitempty"`     // clock name to RFC 3339 time
	RoutedAt      string            `json:"routed_at,omitempty"`     // RFC 3339
	// Again says why a complaint that had a route was given a new one:
	// "no words before", "priority P4 to P2", "returned by FIN: not ours".
	Again string `json:"again,omitempty"`

	AcceptBy string   `json:"accept_by,omitempty"` // RFC 3339: who has not taken it by then loses it to the next
	Next     []string `json:"next,omitempty"`      // departments that are next, should the lead return it or not take it
	Before   []string `json:"before,omitempty"`    // that led it before, oldest first
	Returns  int      `json:"returns,omitempty"`   // how often a lead gave it back
}

// Words are the customer's own, by which a complaint is classified and routed:
// without a subject that the gateway gave.
func (r *Record) Words() (subject, narrative string) {
	if r.Facts[FactSubjectBy] == SubjectByGateway {
		return "", r.Narrative
	}
	return r.Subject, r.Narrative
}
