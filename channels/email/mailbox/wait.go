package mailbox

import (
	"context"
	"fmt"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

// Wait returns when something may have arrived, and after idle at the latest;
// on a server without IDLE after poll. The connection has answered within that
// time, or there is an error.
func (b *Box) Wait(ctx context.Context, idle, poll time.Duration) error {
	if !b.noIdle && (b.caps.Has(imap.CapIdle) || b.caps.Has(imap.CapIMAP4rev2)) {
		if err := b.idle(ctx, idle); !Refused(err) {
			return err
		}
		b.noIdle = true
	}
	if err := b.sleep(ctx, poll); err != nil {
		return err
	}
	return b.noop(ctx)
}

// idle runs one IDLE (RFC 2177) and ends it ourselves: a peer that died, or a
// NAT that forgot us, shows only when something is sent.
func (b *Box) idle(ctx context.Context, d time.Duration) error {
	var cmd *imapclient.IdleCommand
	err := b.call(ctx, b.answer, func() (err error) {
		cmd, err = b.client.Idle()
		return err
	})
	if err != nil {
		return fmt.Errorf("wait for mail: %w", err)
	}
	if err := b.sleep(ctx, d); err != nil {
		return err // the connection is of no more use
	}
	err = b.call(ctx, b.answer, func() error {
		if err := cmd.Close(); err != nil {
			return err
		}
		return cmd.Wait()
	})
	if err != nil {
		// Whatever it is, a refusal now is not a refusal of IDLE.
		return fmt.Errorf("end the wait for mail: %v", err)
	}
	return nil
}

func (b *Box) noop(ctx context.Context) error {
	if err := b.call(ctx, b.answer, func() error { return b.client.Noop().Wait() }); err != nil {
		return fmt.Errorf("ask for new mail: %w", err)
	}
	return nil
}

func (b *Box) sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-b.arrived:
		return nil
	case <-b.client.Closed():
		return fmt.Errorf("wait for mail: the server closed the connection")
	case <-ctx.Done():
		return ctx.Err()
	}
}
