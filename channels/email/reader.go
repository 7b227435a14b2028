package email

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"hearken/channels/email/mailbox"
	"hearken/complaint"
	"hearken/internal/blob"
)

const (
	// chunk is how many mails one FETCH asks for, and one MOVE puts away: enough
	// that the server's work for each (Dovecot writes its list of the mailbox
	// anew) costs little, few enough that a crash repeats little.
	chunk = 500
	// inFlight is how many mails are kept, parsed and accepted at once, so that
	// they share fsyncs, and inFlightBytes how large they may be together.
	inFlight      = 256
	inFlightBytes = 4 << 20
	// inMemory is the largest mail that waits in memory for its turn; larger
	// ones stream to the blob store first.
	inMemory = 256 << 10
	// partialBytes is what is read of a mail beyond max_size: any header, and
	// the text, which comes before the attachments.
	partialBytes = 4 << 20
	// overlooked is how old a mail may be that the cursor went past and that is
	// taken after all: what a server mislays comes back soon or never.
	overlooked = 3 * 24 * time.Hour
)

// errRefused says that mail could not be taken; it stays where it is.
var errRefused = errors.New("mail could not be taken now")

// trouble is what one connection learns for the next.
type trouble struct {
	careful int               // so many mails are read one by one, to find the one that breaks the connection
	failed  map[uint32]int    // how often a mail failed alone, in a row
	tooBig  map[uint32]bool   // mails beyond max_size of which the server told a smaller size, as Exchange does
	reasons map[uint32]string // why mails were set aside, as far as we saw it
	retried time.Time         // when what lies behind the cursor had its last chance
}

// reader reads one mailbox over one connection.
type reader struct {
	*Email
	box    *mailbox.Box
	folder string
	at     cursor
	*trouble
}

// sweep takes everything that is new.
func (r *reader) sweep(ctx context.Context) error {
	uids, err := r.box.Search(ctx, mailbox.Search{After: r.at.Last, Top: r.at.Top, Since: r.at.Old.Since, Unseen: r.at.Old.Unseen})
	if err != nil {
		return err
	}
	for len(uids) > 0 {
		n := min(len(uids), chunk)
		if r.careful > 0 {
			n = 1 // one of the next mails breaks the connection: find out which
			r.careful--
		}
		if err := r.take(ctx, uids[:n]); err != nil {
			return err
		}
		uids = uids[n:]
	}
	if r.at.Top > r.at.Last { // the old mail is done
		r.at.Last = r.at.Top
		if err := r.save(ctx); err != nil {
			return err
		}
	}
	return r.lookBack(ctx) // last: it may break the connection
}

// outcome is what became of a mail that the server gave.
type outcome struct {
	err      error // nil: it is safe
	received time.Time
	handled  bool // the mail was there: the error is ours, not the server's
}

// take reads a chunk of mails, hands them over, and then moves or flags those
// that are safe. The cursor passes no mail that is not.
func (r *reader) take(ctx context.Context, uids []uint32) error {
	got, err := r.fetch(ctx, uids)
	if err != nil && !mailbox.Refused(err) {
		return r.broken(ctx, uids, got, err)
	}
	var safe, missing []uint32
	for _, uid := range uids {
		if o, known := got[uid]; !known {
			missing = append(missing, uid)
		} else if o.err == nil {
			safe = append(safe, uid)
			delete(r.failed, uid)
		}
	}
	if len(missing) > 0 {
		// Gone by now, or kept from us: a server that sends the body before the
		// UID makes go-imap drop the mail without a word.
		there, err := r.box.Present(ctx, missing)
		if err != nil {
			return err
		}
		for _, uid := range there {
			r.failed[uid]++
			got[uid] = outcome{err: errors.New("the server did not give the mail")}
			if r.failed[uid] >= r.pace.settingAside {
				got[uid] = outcome{err: complaint.Permanent(got[uid].err)}
			}
		}
	}
	if len(safe) > 0 {
		if err := r.putAway(ctx, safe); err != nil {
			return err
		}
	}
	if err := r.advance(ctx, uids, got); err != nil {
		return err
	}
	return r.failNow(ctx, got)
}

// failNow moves away mails whose fault is their own: another try would end
// alike.
func (r *reader) failNow(ctx context.Context, got map[uint32]outcome) error {
	changed := false
	for uid, o := range got {
		if _, aside := r.at.Aside[uid]; aside && o.handled && r.fail(ctx, uid) {
			delete(r.at.Aside, uid)
			changed = true
		}
	}
	if changed {
		return r.save(ctx)
	}
	return nil
}

// broken deals with a connection that ended within a chunk. Nothing can be
// moved any more, so all of it is read again, one by one to find the mail that
// it broke at; one that fails alone again and again is set aside, be it safe or
// not: it must not stop the others.
func (r *reader) broken(ctx context.Context, uids []uint32, got map[uint32]outcome, err error) error {
	if ctx.Err() != nil || errors.Is(err, errRefused) {
		return err
	}
	r.careful = len(uids)
	if len(uids) > 1 || errors.Is(got[uids[0]].err, errRefused) {
		return err
	}
	if r.failed[uids[0]]++; r.failed[uids[0]] < r.pace.settingAside {
		return err
	}
	aside := map[uint32]outcome{uids[0]: {err: complaint.Permanent(err)}}
	return errors.Join(err, r.advance(ctx, uids, aside))
}

// advance moves the cursor over what is done, gone or set aside.
func (r *reader) advance(ctx context.Context, uids []uint32, got map[uint32]outcome) error {
	was, aside := r.at.Last, len(r.at.Aside)
	var stopped error
	for _, uid := range uids {
		o := got[uid]
		if o.err != nil && (!complaint.IsPermanent(o.err) || len(r.at.Aside) >= maxAside) {
			stopped = fmt.Errorf("mail %d: %w", uid, o.err)
			break
		}
		if o.err != nil {
			r.log.Error("a mail is set aside and tried again later; the others go on", "uid", uid, "err", o.err)
			if r.at.Aside == nil {
				r.at.Aside = map[uint32]time.Time{}
			}
			r.at.Aside[uid] = r.at.Newest
			if r.reasons == nil {
				r.reasons = map[uint32]string{}
			}
			r.reasons[uid] = o.err.Error()
		}
		r.at.Last = max(r.at.Last, uid)
		if o.received.After(r.at.Newest) {
			r.at.Newest = o.received
		}
	}
	if r.at.Last != was || len(r.at.Aside) != aside {
		if err := r.save(ctx); err != nil {
			return errors.Join(stopped, err)
		}
	}
	return stopped
}

// fetch reads mails and hands them over, several at once. It returns what is
// known of each, also with an error.
func (r *reader) fetch(ctx context.Context, uids []uint32) (map[uint32]outcome, error) {
	large, err := r.box.Larger(ctx, uids, r.maxSize)
	if err != nil {
		return nil, err
	}
	for _, uid := range uids {
		if r.tooBig[uid] && !slices.Contains(large, uid) {
			large = append(large, uid)
		}
	}
	var mu sync.Mutex
	got := map[uint32]outcome{}
	var work errgroup.Group
	room := semaphore.NewWeighted(inFlightBytes)
	each := func(m mailbox.Mail, body io.Reader) error {
		if m.UID == 0 || !slices.Contains(uids, m.UID) {
			return nil
		}
		if r.tooBig[m.UID] {
			m.Size = max(m.Size, r.maxSize+1)
		}
		source, err := r.lift(m, body)
		if err != nil {
			return err
		}
		takes := int64(max(inFlightBytes/inFlight, len(source.bytes)))
		if source.bytes == nil { // it is read in pieces
			takes = inMemory
		}
		if err := room.Acquire(ctx, takes); err != nil {
			return err
		}
		work.Go(func() error {
			defer room.Release(takes)
			err := r.handle(ctx, m, source)
			mu.Lock()
			defer mu.Unlock()
			got[m.UID] = outcome{err: err, received: m.Received, handled: true}
			return nil
		})
		return nil
	}
	small := slices.DeleteFunc(slices.Clone(uids), func(u uint32) bool { return slices.Contains(large, u) })
	if len(small) > 0 {
		err = r.box.Fetch(ctx, small, 0, each)
	}
	if err == nil && len(large) > 0 {
		err = r.box.Fetch(ctx, large, partialBytes, each)
	}
	_ = work.Wait() // the outcomes have the errors
	return got, err
}

// lift takes a mail off the connection: small ones into memory, so that the
// disk does not hold up the wire, others into the blob store.
func (r *reader) lift(m mailbox.Mail, body io.Reader) (raw, error) {
	var buf bytes.Buffer
	buf.Grow(int(min(max(m.Size, 0), inMemory)) + bytes.MinRead)
	n, err := io.Copy(&buf, io.LimitReader(body, inMemory))
	if err != nil {
		return raw{}, fmt.Errorf("read mail %d: %w", m.UID, err)
	}
	if n < inMemory {
		return raw{bytes: buf.Bytes()}, nil
	}
	// The server's word for a mail's size is not to be trusted with the disk.
	b, err := r.deps.Blobs.Put(io.MultiReader(&buf, body), r.maxSize+partialBytes)
	if errors.Is(err, blob.ErrTooBig) {
		r.tooBig[m.UID] = true // only its beginning is asked for next time
	}
	if err != nil {
		return raw{}, fmt.Errorf("%w: keep mail %d: %w", errRefused, m.UID, err)
	}
	return raw{blob: b}, nil
}
