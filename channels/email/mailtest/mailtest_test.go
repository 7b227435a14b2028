package mailtest

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestServer(t *testing.T) {
	s, err := Start(Account{"a@example.com", "p"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	mail := "Subject: x\r\n\r\nhello\r\n"
	c, err := smtp.Dial(s.SMTPAddr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SendMail("b@example.com", []string{"A@example.com"}, strings.NewReader(mail)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	got, err := s.Await(ctx, "a@example.com", 1)
	if err != nil || string(got[0]) != "Return-Path: <b@example.com>\r\n"+mail {
		t.Errorf("%q, %v", got, err)
	}
	if err := c.SendMail("b@example.com", []string{"nobody@example.com"}, strings.NewReader(mail)); err == nil {
		t.Error("mail to nobody was taken")
	}
	if err := s.Deliver("nobody@example.com", []byte(mail)); err == nil {
		t.Error("mail to nobody was delivered")
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Error("the second Close:", err)
	}
}
