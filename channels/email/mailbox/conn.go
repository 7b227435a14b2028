package mailbox

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"hearken/channels/email/access"

	"github.com/emersion/go-imap/v2/imapclient"
)

// answerBytes is what a server may send in one answer beside the literals
// that we stream: go-imap buffers all of it. A search of a million mails
// takes 8 MB.
const answerBytes = 16 << 20

// conn is the connection with a budget of bytes and an end that can be called
// from anywhere.
type conn struct {
	net.Conn
	left atomic.Int64
}

var errSpent = errors.New("the server sends too much")

func (c *conn) Read(p []byte) (int, error) {
	if c.spent() {
		return 0, errSpent
	}
	n, err := c.Conn.Read(p)
	c.left.Add(-int64(n))
	return n, err
}

func (c *conn) refill()     { c.left.Store(answerBytes) }
func (c *conn) grant(n int) { c.left.Add(int64(n)) }
func (c *conn) spent() bool { return c.left.Load() <= 0 }

// abort closes the connection. For TLS that is the connection below it: a
// close notice could block on a dead peer.
func (c *conn) abort() {
	if t, ok := c.Conn.(*tls.Conn); ok {
		_ = t.NetConn().Close()
		return
	}
	_ = c.Conn.Close()
}

// connect dials and waits for the greeting.
func (b *Box) connect(ctx context.Context, a Account) error {
	ctx, cancel := context.WithTimeout(ctx, b.answer)
	defer cancel()
	config, err := access.TLS(a.Addr, a.CAFile)
	if err != nil {
		return err
	}
	config.NextProtos = []string{"imap"} // RFC 7301
	// A dead peer is noticed within a minute (30 s idle, 3 probes of 10 s).
	d := &net.Dialer{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 30 * time.Second, Interval: 10 * time.Second, Count: 3}}
	var raw net.Conn
	if a.TLS == TLSImplicit {
		raw, err = (&tls.Dialer{NetDialer: d, Config: config}).DialContext(ctx, "tcp", a.Addr)
	} else {
		raw, err = d.DialContext(ctx, "tcp", a.Addr)
	}
	if err != nil {
		return fmt.Errorf("connect to %s: %w", a.Addr, err)
	}
	b.conn = &conn{Conn: raw}
	b.conn.refill()
	options := &imapclient.Options{UnilateralDataHandler: &imapclient.UnilateralDataHandler{
		// It runs on the connection's reader: it must neither block nor call.
		Mailbox: func(data *imapclient.UnilateralDataMailbox) {
			if data.NumMessages != nil {
				select {
				case b.arrived <- struct{}{}:
				default:
				}
			}
		},
	}}
	err = b.call(ctx, b.answer, func() error {
		if a.TLS != TLSStart {
			b.client = imapclient.New(b.conn, options)
			return b.client.WaitGreeting()
		}
		options.TLSConfig = config
		client, err := imapclient.NewStartTLS(b.conn, options)
		if err != nil {
			return fmt.Errorf("start TLS: %w", err)
		}
		b.client = client
		return nil
	})
	if err != nil {
		b.Close()
		return fmt.Errorf("connect to %s: %w", a.Addr, err)
	}
	return nil
}
