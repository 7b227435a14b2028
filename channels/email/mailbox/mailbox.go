// Package mailbox is one IMAP mailbox over one connection. It hides go-imap
// and what can go wrong with it: every call ends in bounded time, memory does
// not grow with what a server sends, literals stream, and a server's habits
// (ID before SELECT, no IDLE, no MOVE) are its own affair.
//
// It never asks for ENVELOPE or BODYSTRUCTURE: one malformed answer would end
// the connection. Mail is read whole and parsed elsewhere.
package mailbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"hearken/channels/email/access"
	"hearken/internal/secret"
)

// Ways to protect the connection.
const (
	TLSImplicit = "implicit"
	TLSStart    = "starttls"
	TLSNone     = "none"
)

// Account says where a mailbox is and how to get in.
type Account struct {
	Addr     string // host:port
	TLS      string
	Username string
	Password secret.Value
	Tokens   *access.Tokens // instead of a password; nil for none
	CAFile   string         // PEM certificates that are trusted instead of the system's
	Mailbox  string
	ID       string // "auto", "always", "never": whether to tell who we are (RFC 2971)
	// Answer is how long the server may take for an answer, or for the next
	// byte of a mail; searches and moves of big mailboxes may take five times
	// as long. 0 means a minute.
	Answer time.Duration
}

// ErrLogin says that the server refused the username or password: trying again
// soon is no use and can lock the account.
var ErrLogin = errors.New("the server refused the login")

// answerTime is how long a server may take for an answer, see Account.Answer.
// Servers answer within a second or are in trouble.
const answerTime = time.Minute

// Mail is what the server says about a mail.
type Mail struct {
	UID      uint32
	Received time.Time // INTERNALDATE
	Size     int64     // bytes; of a part of it, of all of it
}

// Box is an open mailbox. One goroutine uses it.
type Box struct {
	Validity uint32 // UIDVALIDITY
	Next     uint32 // UIDNEXT when it was opened; 0 where the server does not say

	answer  time.Duration
	conn    *conn
	client  *imapclient.Client
	caps    imap.CapSet
	arrived chan struct{}
	noIdle  bool
	closing sync.Once
}

// Open connects, logs in and selects the mailbox.
func Open(ctx context.Context, a Account) (*Box, error) {
	b, err := open(ctx, a, a.ID == "always")
	var refused *imap.Error
	if err != nil && ctx.Err() == nil && a.ID != "never" && errors.As(err, &refused) && !errors.Is(err, ErrLogin) {
		// NetEase refuses SELECT ("Unsafe Login") until it has heard an ID.
		return open(ctx, a, true)
	}
	return b, err
}

func open(ctx context.Context, a Account, alwaysID bool) (*Box, error) {
	b := &Box{answer: a.Answer, arrived: make(chan struct{}, 1)}
	if b.answer == 0 {
		b.answer = answerTime
	}
	if err := b.connect(ctx, a); err != nil {
		return nil, err
	}
	if err := b.enter(ctx, a, alwaysID); err != nil {
		b.Close()
		return nil, err
	}
	return b, nil
}

func (b *Box) enter(ctx context.Context, a Account, alwaysID bool) error {
	if err := b.login(ctx, a); err != nil {
		return fmt.Errorf("log in to %s: %w", a.Addr, err)
	}
	// Capabilities change with the login (Exchange shows MOVE only then).
	if err := b.capabilities(ctx); err != nil {
		return fmt.Errorf("ask %s what it can do: %w", a.Addr, err)
	}
	if alwaysID || a.ID != "never" && b.caps.Has(imap.CapID) {
		err := b.call(ctx, b.answer, func() error {
			_, err := b.client.ID(&imap.IDData{Name: "Hearken", Version: "1", Vendor: "Hearken"}).Wait()
			return err
		})
		var refused *imap.Error
		if err != nil && !errors.As(err, &refused) {
			return fmt.Errorf("tell %s who we are (set id: never if it can't take that): %w", a.Addr, err)
		}
	}
	err := b.call(ctx, b.answer, func() error {
		data, err := b.client.Select(a.Mailbox, nil).Wait()
		if err == nil {
			b.Validity, b.Next = data.UIDValidity, uint32(data.UIDNext)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("open mailbox %q on %s: %w", a.Mailbox, a.Addr, err)
	}
	return nil
}

// call runs one exchange with the server. When it takes longer than d, or ctx
// ends, the connection is closed, which makes every pending call return.
func (b *Box) call(ctx context.Context, d time.Duration, f func() error) error {
	b.conn.refill()
	late := time.AfterFunc(d, b.conn.abort)
	defer late.Stop()
	defer context.AfterFunc(ctx, b.conn.abort)()
	err := f()
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case b.conn.spent():
		return fmt.Errorf("the server sent more than %d bytes in one answer: %w", answerBytes, err)
	}
	return err
}

// Close ends the connection without ceremony.
func (b *Box) Close() {
	b.closing.Do(func() {
		b.conn.abort()
		if b.client != nil {
			_ = b.client.Close() // the mailbox keeps everything; nothing to lose
		}
	})
}

// What to look for: all mail above After, and of the mail up to Top only what
// came on or after the day of Since, or is Unseen where that is set.
type Search struct {
	After  uint32
	Top    uint32
	Since  time.Time
	Unseen bool
}

// Search returns the UIDs that s describes, in ascending order.
func (b *Box) Search(ctx context.Context, s Search) ([]uint32, error) {
	var uids []uint32
	if s.Top > s.After {
		old := &imap.SearchCriteria{UID: span(s.After+1, s.Top), Since: s.Since}
		if s.Unseen {
			old.NotFlag = []imap.Flag{imap.FlagSeen}
		}
		found, err := b.search(ctx, old)
		if err != nil {
			return nil, err
		}
		uids = found
	}
	from := max(s.After, s.Top)
	found, err := b.search(ctx, &imap.SearchCriteria{UID: span(from+1, 0)})
	if err != nil {
		return nil, err
	}
	for _, u := range found {
		if u > from { // "n:*" finds the last mail even where it is below n
			uids = append(uids, u)
		}
	}
	slices.Sort(uids)
	return slices.Compact(uids), nil
}

// Unseen returns the UIDs from first to last of unseen mail that came on or
// after the day of since.
func (b *Box) Unseen(ctx context.Context, first, last uint32, since time.Time) ([]uint32, error) {
	if first > last {
		return nil, nil
	}
	return b.search(ctx, &imap.SearchCriteria{UID: span(first, last), Since: since, NotFlag: []imap.Flag{imap.FlagSeen}})
}

// Larger returns those of uids whose mail has more than size bytes.
func (b *Box) Larger(ctx context.Context, uids []uint32, size int64) ([]uint32, error) {
	return b.search(ctx, &imap.SearchCriteria{UID: []imap.UIDSet{set(uids)}, Larger: size})
}

// Present returns those of uids that are in the mailbox.
func (b *Box) Present(ctx context.Context, uids []uint32) ([]uint32, error) {
	return b.search(ctx, &imap.SearchCriteria{UID: []imap.UIDSet{set(uids)}})
}

func (b *Box) search(ctx context.Context, c *imap.SearchCriteria) ([]uint32, error) {
	var uids []uint32
	err := b.call(ctx, 5*b.answer, func() error {
		data, err := b.client.UIDSearch(c, nil).Wait()
		if err != nil {
			return err
		}
		for _, u := range data.AllUIDs() {
			uids = append(uids, uint32(u))
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("search the mailbox: %w", err)
	}
	slices.Sort(uids)
	return uids, nil
}

// Fetch reads mails and calls each with every one that the server gives; a
// mail that is gone by now is left out. r is good until each returns; what is
// left of it is skipped. Where limit is not 0 only that many bytes of a mail
// are asked for. An error of each ends the fetch.
func (b *Box) Fetch(ctx context.Context, uids []uint32, limit int64, each func(m Mail, r io.Reader) error) error {
	body := &imap.FetchItemBodySection{Peek: true}
	if limit > 0 {
		body.Partial = &imap.SectionPartial{Offset: 0, Size: limit}
	}
	return b.call(ctx, 24*time.Hour, func() error {
		// A transfer is watched by its progress, and only while we wait for the
		// server: what each does with the mail is not the server's delay.
		stall := time.AfterFunc(b.answer, b.conn.abort)
		defer stall.Stop()
		cmd := b.client.Fetch(set(uids), &imap.FetchOptions{UID: true, InternalDate: true, RFC822Size: true, BodySection: []*imap.FetchItemBodySection{body}})
		for msg := cmd.Next(); msg != nil; msg = cmd.Next() {
			var m Mail
			for item := msg.Next(); item != nil; item = msg.Next() {
				stall.Reset(b.answer)
				switch item := item.(type) {
				case imapclient.FetchItemDataUID:
					m.UID = uint32(item.UID)
				case imapclient.FetchItemDataInternalDate:
					m.Received = item.Time
				case imapclient.FetchItemDataRFC822Size:
					m.Size = item.Size
				case imapclient.FetchItemDataBodySection:
					if item.Literal == nil {
						continue
					}
					r := &progress{literal: item.Literal, box: b, stall: stall}
					stall.Stop()
					err := each(m, r)
					if err != nil {
						// The rest of the answer can't be skipped in bounded time.
						b.conn.abort()
					}
					_, skipped := io.Copy(io.Discard, r)
					if r.broken != nil {
						// go-imap reads a literal again after its error, while its own
						// reader goes on: let that one end first.
						_ = b.client.Close()
					}
					if err == nil && skipped != nil {
						err = fmt.Errorf("fetch mail: %w", skipped)
					}
					stall.Reset(b.answer)
					if err != nil {
						_ = cmd.Close()
						return err
					}
				}
			}
			stall.Reset(b.answer)
		}
		if err := cmd.Close(); err != nil {
			return fmt.Errorf("fetch mail: %w", err)
		}
		return nil
	})
}

// progress lets the connection give as many bytes more as were really used,
// so that only what go-imap buffers by itself is bounded. After an error it
// does not touch the literal any more.
type progress struct {
	literal io.Reader
	box     *Box
	stall   *time.Timer
	broken  error
}

func (p *progress) Read(buf []byte) (int, error) {
	if p.broken != nil {
		return 0, p.broken
	}
	p.stall.Reset(p.box.answer)
	n, err := p.literal.Read(buf)
	p.stall.Stop()
	p.box.conn.grant(n)
	if err != nil && !errors.Is(err, io.EOF) {
		p.broken = err
	}
	return n, err
}

func span(from, to uint32) []imap.UIDSet {
	var s imap.UIDSet
	s.AddRange(imap.UID(from), imap.UID(to)) // 0 is "*"
	return []imap.UIDSet{s}
}

func set(uids []uint32) imap.UIDSet {
	var s imap.UIDSet
	for _, u := range uids {
		s.AddNum(imap.UID(u))
	}
	return s
}
