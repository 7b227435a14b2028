package main

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"hearken/channels/email/dovecot"
	"hearken/complaint"
)

// peak is the most memory that the gateway's process had, in bytes.
func (s *site) peak() int64 {
	s.t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		s.t.Fatal(err)
	}
	m := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(text)
	if m == nil {
		s.t.Fatal("the kernel does not tell the peak of memory")
	}
	kb, err := strconv.ParseInt(string(m[1]), 10, 64)
	if err != nil {
		s.t.Fatal(err)
	}
	return kb << 10
}

// TestWorstMails puts mails before the gateway that break mail programs. Each
// becomes a record, none holds up the one behind it, and memory stays flat.
func TestWorstMails(t *testing.T) {
	mail, err := dovecot.New(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { mail.Stop() })
	s := newSite(t, fmt.Sprintf(`  email:
    - name: support
      address: support@example.com
      since: all
      imap: {addr: %q, tls: none, username: support, password: %q}
      processed: {move_to: Processed}
`, mail.Addr, dovecot.Password), "")
	head := func(id, more string) string {
		return "From: c@example.cn\r\nTo: support@example.com\r\nSubject: " + id + "\r\nMessage-ID: <" + id + "@example.cn>\r\nMIME-Version: 1.0\r\n" + more + "\r\n"
	}
	var parts, nested strings.Builder
	for i := range 10000 {
		fmt.Fprintf(&parts, "--b\r\nContent-Type: text/plain\r\n\r\npart %d\r\n", i)
	}
	for i := range 2000 {
		fmt.Fprintf(&nested, "Content-Type: multipart/mixed; boundary=n%d\r\n\r\n--n%d\r\n", i, i)
	}
	line := strings.Repeat("QUJD", 19) + "\r\n"
	huge := append([]byte(head("huge", "Content-Type: multipart/mixed; boundary=b\r\n")+"--b\r\nContent-Type: text/plain\r\n\r\nmy parcel is lost\r\n--b\r\nContent-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=big.bin\r\nContent-Transfer-Encoding: base64\r\n\r\n"),
		bytes.Repeat([]byte(line), (200<<20)/len(line))...)
	mails := map[string][]byte{
		"huge":       append(huge, "--b--\r\n"...),
		"parts":      []byte(head("parts", "Content-Type: multipart/mixed; boundary=b\r\n") + parts.String() + "--b--\r\n"),
		"nested":     []byte(head("nested", strings.TrimSuffix(nested.String(), "\r\n"))),
		"charset":    []byte(head("charset", "Content-Type: text/plain; charset=klingon\r\n") + "tlhIngan maH! r\xe9fund, caf\xe9\r\n"),
		"noboundary": []byte(head("noboundary", "Content-Type: multipart/mixed\r\n") + "--x\r\n\r\nrefund\r\n"),
		"binary":     append([]byte(head("binary", "")), 0, 1, 2, 0xff, 0xfe, '\r', '\n'),
		"base64":     []byte(head("base64", "Content-Transfer-Encoding: base64\r\n") + "!!!!not base64 at all!!!!\r\n"),
		"noheader":   []byte("\r\nthere is no header, my parcel is lost\r\n"),
		"plain":      []byte(head("plain", "") + "my parcel is lost\r\n"),
	}
	for _, id := range []string{"huge", "parts", "nested", "charset", "noboundary", "binary", "base64", "noheader", "plain"} {
		if err := mail.Append("support", "INBOX", mails[id]); err != nil {
			t.Fatal(err)
		}
	}
	clear(mails)
	s.start()
	bySubject := map[string]complaint.Record{}
	for _, r := range awaitLeads(t, s.redisURL(), 9) {
		bySubject[r.Subject] = r
		if r.Source.Raw == "" {
			t.Errorf("%s: the original is not kept", r.Subject)
		}
	}
	for id, want := range map[string]string{"parts": "parts", "nested": "levels", "charset": "klingon", "base64": "which it is not"} {
		if r := bySubject[id]; !strings.Contains(strings.ToLower(strings.Join(r.Notes, " ")), want) {
			t.Errorf("%s: notes %q, want one on %q", id, r.Notes, want)
		}
	}
	if r := bySubject["huge"]; r.Narrative != "my parcel is lost" || len(r.Attachments) != 1 || r.Attachments[0].Size < 140<<20 {
		t.Errorf("huge: %q, %+v, %q", r.Narrative, r.Attachments, r.Notes)
	}
	if len(bySubject) != 9 {
		t.Errorf("%d records of 9 mails", len(bySubject))
	}
	peak := s.peak()
	t.Logf("peak memory %d MB", peak>>20)
	if peak > 200<<20 {
		t.Errorf("peak memory %d MB for a mail of 200 MB", peak>>20)
	}
}
