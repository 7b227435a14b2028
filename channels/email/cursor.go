package email

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"hearken/channels/email/mailbox"
)

// overlap is how far behind the newest mail a renumbered mailbox is read
// again: INTERNALDATE has no exact order.
const overlap = 3 * 24 * time.Hour

// cursor is how far a mailbox is read; JSON in Cursors.
type cursor struct {
	Validity uint32    `json:"validity"` // the UIDVALIDITY that all UIDs here belong to
	Last     uint32    `json:"last"`     // every mail up to it is done, or in Aside
	Newest   time.Time `json:"newest,omitzero"`

	// Of the mail up to Top only what Old says is taken.
	Top uint32   `json:"top,omitempty"`
	Old baseline `json:"old"`
	// First is what the very first start took, for a renumbered mailbox.
	First baseline `json:"first"`

	// Aside are mails that failed again and again by themselves, each with the
	// time of the newest mail before it. They do not stop the others, and are
	// tried again now and then.
	Aside map[uint32]time.Time `json:"aside,omitempty"`
}

// maxAside bounds the cursor: a mailbox in which more fail has another fault.
const maxAside = 1000

func (r *reader) key() string { return "mailbox:" + r.cfg.Name + ":" + r.folder }

// load finds where reading goes on.
func (r *reader) load(ctx context.Context) error {
	raw, err := r.deps.Cursors.Load(ctx, r.key())
	if err != nil {
		return fmt.Errorf("find how far the mailbox was read: %w", err)
	}
	if raw != nil {
		if err := json.Unmarshal(raw, &r.at); err != nil {
			return fmt.Errorf("find how far the mailbox was read: %w", err)
		}
	}
	switch {
	case raw == nil:
		if err := r.begin(ctx); err != nil {
			return err
		}
	case r.at.Validity != r.box.Validity:
		// RFC 3501 section 2.3.1.1: all UIDs are void. Recent mail is read again;
		// what we had is not taken twice, because the same mail has the same id.
		r.log.Warn("mailbox was renumbered by the server", "was", r.at.Validity, "is", r.box.Validity)
		first := r.at.First
		old := first
		if from := r.at.oldestOpen(); !from.IsZero() {
			old = baseline{Since: from.Add(-overlap)}
		}
		clear(r.failed)
		clear(r.tooBig)
		r.at = cursor{Validity: r.box.Validity, Newest: r.at.Newest, First: first, Old: old}
		if err := r.setTop(ctx); err != nil {
			return err
		}
	default:
		return nil
	}
	return r.save(ctx)
}

// oldestOpen is the time up to which nothing is left to do; zero where that is
// not known.
func (c *cursor) oldestOpen() time.Time {
	at := c.Newest
	for _, before := range c.Aside {
		if before.Before(at) {
			at = before
		}
	}
	return at
}

// begin is the very first start on this mailbox.
func (r *reader) begin(ctx context.Context) error {
	r.at = cursor{Validity: r.box.Validity, Old: r.since, First: r.since}
	if err := r.setTop(ctx); err != nil {
		return err
	}
	if r.since.None {
		r.at.Last = r.at.Top
		r.at.First = baseline{Since: time.Now()}
	}
	return nil
}

// setTop draws the line between the mail that was there and the mail to come.
func (r *reader) setTop(ctx context.Context) error {
	if r.at.Old == (baseline{}) {
		return nil
	}
	if r.box.Next > 0 {
		r.at.Top = r.box.Next - 1
		return nil
	}
	uids, err := r.box.Search(ctx, mailbox.Search{})
	if err != nil {
		return err
	}
	if len(uids) > 0 {
		r.at.Top = uids[len(uids)-1]
	}
	return nil
}

func (r *reader) save(ctx context.Context) error {
	raw, err := json.Marshal(r.at)
	if err != nil {
		return fmt.Errorf("remember how far the mailbox is read: %w", err)
	}
	if err := r.deps.Cursors.Save(ctx, r.key(), raw); err != nil {
		return fmt.Errorf("remember how far the mailbox is read: %w", err)
	}
	return nil
}
