package email

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"hearken/channels/email/mailbox"
	"hearken/complaint"
)

// lookBack gives the mail behind the cursor another chance now and then: what
// was set aside, and what a server let appear below a UID that we had seen
// already, which RFC 3501 section 2.3.1.1 forbids.
func (r *reader) lookBack(ctx context.Context) error {
	if time.Since(r.retried) < r.pace.again {
		return nil
	}
	first := r.retried.IsZero()
	r.retried = time.Now()
	if first {
		return nil // not at once: what failed a moment ago fails again
	}
	aside := slices.Collect(maps.Keys(r.at.Aside))
	// One that breaks the connection must not always be the first.
	rand.Shuffle(len(aside), func(i, j int) { aside[i], aside[j] = aside[j], aside[i] })
	for _, uid := range aside {
		gone, err := r.retry(ctx, uid)
		if err != nil {
			return err
		}
		if !gone {
			gone = r.fail(ctx, uid)
		}
		if gone {
			delete(r.at.Aside, uid)
			if err := r.save(ctx); err != nil {
				return err
			}
		}
	}
	return r.takeOverlooked(ctx)
}

// retry takes one mail that was set aside. gone says that it needs no more of
// our care.
func (r *reader) retry(ctx context.Context, uid uint32) (gone bool, err error) {
	got, err := r.fetch(ctx, []uint32{uid})
	if err != nil && !mailbox.Refused(err) {
		return false, err
	}
	if o, known := got[uid]; known {
		if o.err != nil {
			if r.reasons == nil {
				r.reasons = map[uint32]string{}
			}
			r.reasons[uid] = o.err.Error()
			return false, nil
		}
		return true, r.putAway(ctx, []uint32{uid})
	}
	there, err := r.box.Present(ctx, []uint32{uid})
	return err == nil && len(there) == 0, err
}

// takeOverlooked takes recent unseen mail that the cursor went past. Where mail
// is moved away none is left behind; where it is only flagged, people may have
// marked it unread for themselves. What is read twice has the same id.
func (r *reader) takeOverlooked(ctx context.Context) error {
	if r.cfg.Processed.MoveTo == "" {
		return nil
	}
	uids, err := r.box.Unseen(ctx, r.at.Top+1, r.at.Last, time.Now().Add(-overlooked))
	if err != nil {
		return err
	}
	uids = slices.DeleteFunc(uids, func(uid uint32) bool {
		_, aside := r.at.Aside[uid]
		return aside
	})
	for chunk := range slices.Chunk(uids, chunk) {
		r.log.Warn("unread mail behind the cursor is taken", "mails", len(chunk))
		if err := r.take(ctx, chunk); err != nil {
			return err
		}
	}
	return nil
}

// fail moves a mail that failed twice, an hour apart, out of the way, with a
// note beside it: from there a person can move it back, which makes it new
// mail. done says that it needs no more of our care.
func (r *reader) fail(ctx context.Context, uid uint32) (done bool) {
	target := r.cfg.failedTo()
	if target == "" {
		return false
	}
	reason := r.reasons[uid]
	if reason == "" {
		reason = "it could not be read from the server"
	}
	if err := r.box.Append(ctx, target, r.failureNote(uid, reason)); err != nil {
		r.log.Error("a mail that can't be taken stays where it is", "uid", uid, "err", err)
		return false
	}
	if err := r.box.Move(ctx, []uint32{uid}, target); err != nil {
		r.log.Error("a mail that can't be taken stays where it is", "uid", uid, "err", err)
		return false
	}
	r.log.Error("a mail can't be taken and was moved; move it back to have it tried again", "uid", uid, "to", target, "err", reason)
	r.deps.Audit.Rejected(complaint.Email, r.cfg.Name, "a mail can't be taken: "+reason)
	return true
}

// failureNote is the mail that says why. It bears our loop header, so that it
// is never taken for a customer's.
func (r *reader) failureNote(uid uint32, reason string) []byte {
	reason = strings.ReplaceAll(strings.ReplaceAll(strings.ToValidUTF8(reason, "?"), "\r", " "), "\n", " ")
	return fmt.Appendf(nil, "From: %s\r\nTo: %s\r\nDate: %s\r\nSubject: Not registered: the mail beside this note\r\nAuto-Submitted: auto-generated\r\n%s: %s\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"+
		"A mail of %s (UID %d there) could not be taken and is NOT registered.\r\n\r\nWhy: %s\r\n\r\nMove it back to %s to have it tried again, or register it by hand.\r\n",
		r.cfg.Address, r.cfg.Address, time.Now().Format(time.RFC1123Z), loopHeader, r.cfg.Address, r.folder, uid, reason, r.folder)
}

// putAway moves or flags mails that are safe.
func (r *reader) putAway(ctx context.Context, uids []uint32) error {
	if r.cfg.Processed.MoveTo != "" {
		err := r.box.Move(ctx, uids, r.cfg.Processed.MoveTo)
		if err == nil {
			return nil
		}
		if !mailbox.Refused(err) && !errors.Is(err, mailbox.ErrCantMove) {
			return err
		}
		r.log.Error("mail could not be moved and is flagged instead", "mails", len(uids), "err", err)
	}
	err := r.box.MarkSeen(ctx, uids)
	if mailbox.Refused(err) {
		// They are safe, and the cursor knows it.
		r.log.Error("mail could not be flagged", "mails", len(uids), "err", err)
		return nil
	}
	return err
}
