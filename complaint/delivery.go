package complaint

import (
	"errors"
	"time"
)

// Delivery is an entry of {complaints}:intake on its way to a department.
type Delivery struct {
	Partition int
	Entry     string // stream entry id
	Record    Record
	Text      string // Record as it came, JSON; "" where it was changed since
	// Of an event that is Asked: who asks, why, and who led the complaint then.
	By, Reason, Lead string
	Attempts         int     // how often it has been delivered, this time included
	Current          *Route  // where the complaint is already, for what is not Registered
	Booked           string  // Current as it is booked, JSON
	Before           *Record // by which it got there, for a supplement that brings a transcript
	Err              error   // the entry can't be read as a record; it belongs on the dead stream
}

// Move is a Delivery with the route it was given. A route to no department
// finishes what asks for nothing any more.
type Move struct {
	Delivery
	Route Route
}

// ErrUnreachable is returned by a channel that knows no way to reach the
// customer any more (a closed chat, an address that does not exist): another
// channel may be tried, trying again is no use.
var ErrUnreachable = errors.New("customer can't be reached on this channel")

// ErrUnknown says that no complaint has the number.
var ErrUnknown = errors.New("no complaint has this number")

// ErrFull is returned where a bound of the spool is reached: nothing was
// written, the source must keep the contact and offer it again later.
var ErrFull = errors.New("spool is full")

// permanent marks an error that trying again can't cure.
type permanent struct{ err error }

func (p permanent) Error() string { return p.err.Error() }
func (p permanent) Unwrap() error { return p.err }

// Permanent marks err as one that no retry can cure. Errors are temporary
// unless marked.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return permanent{err}
}

// IsPermanent tells whether err, or one that it wraps, was marked.
func IsPermanent(err error) bool {
	var p permanent
	return errors.As(err, &p)
}

// notYet is an error that is none: a channel has the reply, and waits for
// the customer.
type notYet struct{ until time.Time }

func (n notYet) Error() string { return "the customer has not heard it yet" }

// NotYet says that a reply waits for the customer, and is to be offered again
// from time to time: a channel must know by until whether it was heard.
func NotYet(until time.Time) error { return notYet{until} }

// IsNotYet tells whether err says NotYet, and until when.
func IsNotYet(err error) (until time.Time, ok bool) {
	var n notYet
	ok = errors.As(err, &n)
	return n.until, ok
}
