package mail

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/emersion/go-message"
	_ "github.com/emersion/go-message/charset"
	"github.com/jhillyerd/enmime/v2"

	"hearken/channels/email/letter"
	"hearken/complaint"
	"hearken/config"
)

// BenchmarkRead reads a corpus with go-message alone (every part to its end),
// with enmime, with our reader, and with our reader and the normaliser behind
// it under the example rules.
func BenchmarkRead(b *testing.B) {
	rules, err := config.LoadRules("../../rules.example.yaml")
	if err != nil {
		b.Fatal(err)
	}
	readers := []struct {
		name string
		read func([]byte) error
	}{
		{"go-message", goMessage},
		{"enmime", func(m []byte) error { _, err := enmime.ReadEnvelope(bytes.NewReader(m)); return err }},
		{"letter", func(m []byte) error {
			_, err := letter.Read(bytes.NewReader(m), discard{}, letter.DefaultLimits)
			return err
		}},
		{"letter+normalize", func(m []byte) error {
			l, err := letter.Read(bytes.NewReader(m), discard{}, letter.DefaultLimits)
			if err != nil {
				return err
			}
			rules.Normalizer.Record(complaint.Contact{ID: "x", Channel: complaint.Email, ReceivedAt: time.Now(), From: sender(l), Subject: l.Subject, Text: l.Text, Attachments: l.Attachments})
			return nil
		}},
	}
	for _, kind := range []string{"mixed", "texts"} {
		all := corpus(kind == "mixed")
		size := 0
		for _, m := range all {
			size += len(m)
		}
		for _, r := range readers {
			b.Run(kind+"/"+r.name, func(b *testing.B) {
				b.ReportAllocs()
				b.SetBytes(int64(size))
				for b.Loop() {
					for _, m := range all {
						if err := r.read(m); err != nil {
							b.Fatal(err)
						}
					}
				}
				b.ReportMetric(float64(len(all)*b.N)/b.Elapsed().Seconds(), "mails/s")
			})
		}
	}
}

func goMessage(m []byte) error {
	e, err := message.Read(bytes.NewReader(m))
	if err != nil && !message.IsUnknownCharset(err) {
		return err
	}
	return e.Walk(func(_ []int, e *message.Entity, err error) error {
		if err != nil && !message.IsUnknownCharset(err) {
			return err
		}
		if e.MultipartReader() != nil {
			return nil
		}
		if _, err := io.Copy(io.Discard, e.Body); err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		return nil
	})
}

// sender is who wrote a mail, as the channel tells it.
func sender(l *letter.Letter) complaint.Person {
	if len(l.From) == 0 {
		return complaint.Person{}
	}
	return complaint.Person{Name: l.From[0].Name, Email: l.From[0].Addr}
}

// discard is a blob store without a disk.
type discard struct{}

func (discard) Put(r io.Reader, limit int64) (complaint.Blob, error) {
	n, err := io.Copy(io.Discard, io.LimitReader(r, limit))
	return complaint.Blob{Size: n}, err
}
