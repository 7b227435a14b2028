// Package clamd asks a ClamAV daemon whether a file holds a virus. It hides
// the daemon's protocol (clamd(8), INSTREAM).
package clamd

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

// Verdicts. An infected file's is Infected and the name of what was found, a
// failed one's Failed and why.
const (
	Clean    = "clean"
	Infected = "infected: "
	Failed   = "failed: "
)

const (
	// chunk is how much is sent at once.
	chunk = 64 << 10
	// scanTime bounds one scan; clamd gives up on a file after two minutes.
	scanTime = 3 * time.Minute
	maxReply = 4 << 10
)

// Scanner is where a daemon listens.
type Scanner struct{ network, addr string }

// New takes "unix:/run/clamav/clamd.ctl" or "tcp:127.0.0.1:3310".
func New(where string) (*Scanner, error) {
	network, addr, ok := strings.Cut(where, ":")
	if !ok || addr == "" || network != "unix" && network != "tcp" {
		return nil, fmt.Errorf("%q is neither unix:/path nor tcp:host:port", where)
	}
	if network == "tcp" {
		if _, _, err := net.SplitHostPort(addr); err != nil {
			return nil, fmt.Errorf("%q is neither unix:/path nor tcp:host:port", where)
		}
	}
	return &Scanner{network, addr}, nil
}

// Scan sends what r gives and returns the verdict. A daemon that is away, or
// finds the file too large, is a verdict too: a scanner's trouble must not
// hold up a complaint.
func (s *Scanner) Scan(ctx context.Context, r io.Reader) string {
	reply, err := s.ask(ctx, r)
	if err != nil {
		return Failed + err.Error()
	}
	_, said, _ := strings.Cut(reply, ": ") // "stream: "
	switch name, found := strings.CutSuffix(said, " FOUND"); {
	case found:
		return Infected + name
	case said == "OK":
		return Clean
	}
	return Failed + reply
}

func (s *Scanner) ask(ctx context.Context, r io.Reader) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, scanTime)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, s.network, s.addr)
	if err != nil {
		return "", fmt.Errorf("clamd does not answer: %w", err)
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	if _, err := io.WriteString(conn, "zINSTREAM\x00"); err != nil {
		return "", fmt.Errorf("ask clamd: %w", err)
	}
	sendErr := send(conn, r)
	// It answers even where it closes the stream early: the file is too large.
	reply, err := bufio.NewReaderSize(io.LimitReader(conn, maxReply), 512).ReadString(0)
	if reply = strings.TrimRight(reply, "\x00\n"); reply == "" {
		if sendErr != nil {
			err = sendErr
		}
		return "", fmt.Errorf("ask clamd: %w", err)
	}
	return reply, nil
}

// send writes the file in pieces, each with its length before it.
func send(w io.Writer, r io.Reader) error {
	buf := make([]byte, 4+chunk)
	for {
		n, err := io.ReadFull(r, buf[4:])
		if n > 0 {
			binary.BigEndian.PutUint32(buf, uint32(n))
			if _, err := w.Write(buf[:4+n]); err != nil {
				return err
			}
		}
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			_, err := w.Write([]byte{0, 0, 0, 0})
			return err
		}
		if err != nil {
			return err
		}
	}
}
