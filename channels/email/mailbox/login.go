package mailbox

import (
	"context"
	"errors"
	"fmt"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-sasl"
)

// login logs in with a token where there are tokens, otherwise with the
// password: by LOGIN, which every server has, or by AUTHENTICATE where the
// server wants no LOGIN (RFC 9051 section 6.2.3).
func (b *Box) login(ctx context.Context, a Account) error {
	if a.Tokens != nil {
		return b.loginByToken(ctx, a)
	}
	if err := b.capabilities(ctx); err != nil {
		return err
	}
	err := b.call(ctx, b.answer, func() error {
		switch {
		case !b.caps.Has(imap.CapLoginDisabled):
			return b.client.Login(a.Username, a.Password.Reveal()).Wait()
		case b.caps.Has(imap.AuthCap(sasl.Plain)):
			return b.client.Authenticate(sasl.NewPlainClient("", a.Username, a.Password.Reveal()))
		}
		return errors.New("the server takes no password on this connection; set imap.tls to implicit or starttls")
	})
	return loginError(err)
}

// loginByToken tries a new token where the server refuses the one at hand:
// they get revoked.
func (b *Box) loginByToken(ctx context.Context, a Account) error {
	token, err := a.Tokens.Token(ctx)
	if err != nil {
		return err
	}
	err = b.call(ctx, b.answer, func() error { return b.client.Authenticate(a.Tokens.Client(a.Addr, a.Username, token)) })
	var refused *imap.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &refused):
		err = loginError(err)
	case ctx.Err() == nil && !b.conn.spent() && !isClosed(b):
		// go-sasl's OAUTHBEARER gives up at the server's reason, before its NO.
		err = fmt.Errorf("%w: %w", ErrLogin, err)
	}
	if errors.Is(err, ErrLogin) {
		a.Tokens.Forget()
	}
	return err
}

func isClosed(b *Box) bool {
	select {
	case <-b.client.Closed():
		return true
	default:
		return false
	}
}

func (b *Box) capabilities(ctx context.Context) error {
	return b.call(ctx, b.answer, func() (err error) {
		b.caps, err = b.client.Capability().Wait()
		return err
	})
}

// loginError tells a refusal from a server that is merely in trouble.
func loginError(err error) error {
	var e *imap.Error
	if !errors.As(err, &e) || e.Type != imap.StatusResponseTypeNo {
		return err
	}
	switch e.Code {
	case imap.ResponseCodeUnavailable, imap.ResponseCodeServerBug, imap.ResponseCodeInUse, imap.ResponseCodeLimit, imap.ResponseCodeContactAdmin:
		return err
	}
	return fmt.Errorf("%w; check username and password (some providers want an app password or authorization code): %w", ErrLogin, err)
}
