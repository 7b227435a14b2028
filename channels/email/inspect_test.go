package email

import (
	"bufio"
	"encoding/binary"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"hearken/channels/email/mailbox"
	"hearken/internal/clamd"
)

// wire speaks the daemon's side of INSTREAM; the daemon itself is tested where
// the protocol is.
func wire(t *testing.T) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer c.Close()
				r := bufio.NewReader(c)
				if _, err := r.ReadString(0); err != nil {
					return
				}
				var file strings.Builder
				for {
					var n uint32
					if binary.Read(r, binary.BigEndian, &n) != nil || n == 0 {
						break
					}
					_, _ = io.CopyN(&file, r, int64(n))
				}
				answer := "stream: OK\x00"
				if strings.Contains(file.String(), "virus") {
					answer = "stream: Some.Virus FOUND\x00"
				}
				_, _ = io.WriteString(c, answer)
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		all.Wait()
	})
	return "tcp:" + l.Addr().String()
}

func TestAttachmentsAreInspected(t *testing.T) {
	const mail = "Message-ID: <x@example.org>\r\nFrom: ann@example.org\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nsee files\r\n--b\r\nContent-Type: application/pdf; name=bill.pdf\r\n\r\n%PDF-1.4 a virus\r\n" +
		"--b\r\nContent-Type: text/plain; name=run.bat\r\nContent-Disposition: attachment\r\n\r\ndel\r\n--b--\r\n"
	hear := func(where string) (scans []string, facts map[string]string) {
		w := newWorld(t)
		cfg := config("127.0.0.1:1", "u")
		cfg.Attachments.Clamd = where
		r := reader{Email: w.channel(cfg), box: &mailbox.Box{}, trouble: &trouble{}}
		must(t, r.handle(t.Context(), mailbox.Mail{UID: 1}, raw{bytes: []byte(mail)}))
		c := w.intake.await(t, count(1))[0]
		for _, a := range c.Attachments {
			scans = append(scans, a.Scan)
		}
		return scans, c.Facts
	}
	scans, facts := hear(wire(t))
	if len(scans) != 2 || scans[0] != clamd.Infected+"Some.Virus" || scans[1] != clamd.Clean || facts["infected"] != "true" || facts["executable"] != "true" {
		t.Errorf("%q %v", scans, facts)
	}
	// A scanner that is away holds up nobody.
	if scans, facts = hear("tcp:127.0.0.1:1"); !strings.HasPrefix(scans[0], clamd.Failed) || facts["infected"] != "" {
		t.Errorf("%q %v", scans, facts)
	}
	if scans, _ = hear(""); scans[0] != "" {
		t.Errorf("%q", scans)
	}
}
