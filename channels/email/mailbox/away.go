package mailbox

import (
	"context"
	"errors"
	"fmt"

	"github.com/emersion/go-imap/v2"
)

// Move moves mails to another mailbox, which is made where it is missing.
func (b *Box) Move(ctx context.Context, uids []uint32, target string) error {
	if !b.caps.Has(imap.CapMove) && !b.caps.Has(imap.CapUIDPlus) && !b.caps.Has(imap.CapIMAP4rev2) {
		// The fallback would be a plain EXPUNGE, which removes other people's
		// deleted mail too.
		return ErrCantMove
	}
	move := func() error {
		return b.call(ctx, 5*b.answer, func() error {
			_, err := b.client.Move(set(uids), target).Wait()
			return err
		})
	}
	if err := b.into(ctx, target, move); err != nil {
		return fmt.Errorf("move %d mails to %q: %w", len(uids), target, err)
	}
	return nil
}

// into does something that needs the mailbox target, and makes that where the
// server says that it is missing (RFC 9051 section 7.1, TRYCREATE).
func (b *Box) into(ctx context.Context, target string, do func() error) error {
	err := do()
	var refused *imap.Error
	if errors.As(err, &refused) && refused.Code == imap.ResponseCodeTryCreate {
		err = b.call(ctx, b.answer, func() error { return b.client.Create(target, nil).Wait() })
		if err == nil || errors.As(err, &refused) && refused.Code == imap.ResponseCodeAlreadyExists {
			err = do()
		}
	}
	return err
}

// Append puts a mail of ours into another mailbox, which is made where it is
// missing.
func (b *Box) Append(ctx context.Context, target string, mail []byte) error {
	err := b.into(ctx, target, func() error {
		return b.call(ctx, 5*b.answer, func() error {
			cmd := b.client.Append(target, int64(len(mail)), nil)
			if _, err := cmd.Write(mail); err != nil {
				return errors.Join(err, cmd.Close())
			}
			if err := cmd.Close(); err != nil {
				return err
			}
			_, err := cmd.Wait()
			return err
		})
	})
	if err != nil {
		return fmt.Errorf("put a note into %q: %w", target, err)
	}
	return nil
}

// ErrCantMove says that the server has neither MOVE nor UIDPLUS.
var ErrCantMove = errors.New("the server can't move mail safely (it has neither MOVE nor UIDPLUS); set processed: {flag: seen}")

// MarkSeen flags mails as \Seen.
func (b *Box) MarkSeen(ctx context.Context, uids []uint32) error {
	err := b.call(ctx, 5*b.answer, func() error {
		return b.client.Store(set(uids), &imap.StoreFlags{Op: imap.StoreFlagsAdd, Silent: true, Flags: []imap.Flag{imap.FlagSeen}}, nil).Close()
	})
	if err != nil {
		return fmt.Errorf("flag %d mails: %w", len(uids), err)
	}
	return nil
}

// Refused tells whether err is the server's answer to one command, after which
// the connection is still good.
func Refused(err error) bool {
	var e *imap.Error
	return errors.As(err, &e) && e.Type != imap.StatusResponseTypeBye
}
