package phone

import (
	"bufio"
	"net"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	api "github.com/twilio/twilio-go/rest/api/v2010"

	"hearken/internal/secret"
)

// TestRequestsConform sends every request that we make to the REST API to a
// mock server that is made from Twilio's published OpenAPI description, and
// refuses what the description does not allow. It needs both:
//
//	npm install --prefix /tmp/prism @stoplight/prism-cli
//	TWILIO_OPENAPI=.../twilio_api_v2010.json PRISM=/tmp/prism/node_modules/.bin/prism go test -run Conform ./channels/phone
//
// The description is public: https://github.com/twilio/twilio-oai.
func TestRequestsConform(t *testing.T) {
	description := os.Getenv("TWILIO_OPENAPI")
	if description == "" {
		description = "../../../shared/twilio/twilio_api_v2010.json" // beside the project
	}
	if _, err := os.Stat(description); err != nil {
		t.Skipf("Twilio's API description is not here (set TWILIO_OPENAPI): %v", err)
	}
	program := os.Getenv("PRISM")
	if program == "" {
		program = "prism"
	}
	prism, err := exec.LookPath(program)
	if err != nil {
		t.Skipf("no mock server (npm install @stoplight/prism-cli, and set PRISM): %v", err)
	}
	base := mock(t, prism, description)
	acc, err := newAccount(Config{Provider: "twilio", AccountSID: accountSID, AuthToken: secret.New(token), BaseURL: base + "/2010-04-01"})
	if err != nil {
		t.Fatal(err)
	}
	defer acc.close()
	p := &Phone{account: acc, sid: twilioSID}
	rest := acc.api(t.Context())
	const re, mm, ca = "RE0123456789abcdef0123456789abcdef", "MM0123456789abcdef0123456789abcdef", "CA0123456789abcdef0123456789abcdef"
	const few = 1 // the next page that the mock names is an example of other requests
	at := time.Now().Add(-time.Hour).UTC()
	for name, send := range map[string]func() error{
		"send a message": func() error {
			params := &api.CreateMessageParams{}
			params.SetTo("+8613812345678").SetFrom(line).SetBody("您的投诉已登记").SetStatusCallback("https://intake.example.com/phone/hotline/status?of=261123004279&seal=00")
			_, err := rest.CreateMessage(params)
			return err
		},
		"list calls": func() error {
			params := &api.ListCallParams{}
			_, err := rest.ListCall(params.SetTo(line).SetStartTimeAfter(at).SetLimit(few))
			return err
		},
		"list legs": func() error {
			params := &api.ListCallParams{}
			_, err := rest.ListCall(params.SetParentCallSid(ca).SetLimit(few))
			return err
		},
		"list recordings": func() error {
			params := &api.ListRecordingParams{}
			_, err := rest.ListRecording(params.SetDateCreatedAfter(at).SetLimit(few))
			return err
		},
		"list messages": func() error {
			params := &api.ListMessageParams{}
			_, err := rest.ListMessage(params.SetTo("whatsapp:" + line).SetDateSentAfter(at).SetLimit(few))
			return err
		},
		"list messages that we sent": func() error {
			params := &api.ListMessageParams{}
			_, err := rest.ListMessage(params.SetTo("+8613812345678").SetFrom(line).SetDateSentAfter(at).SetLimit(few))
			return err
		},
		"list the files of a message": func() error { _, err := p.listMedia(t.Context(), mm); return err },
		"fetch a recording":           func() error { _, err := rest.FetchRecording(re, nil); return err },
		"delete a recording":          func() error { return rest.DeleteRecording(re, nil) },
	} {
		if err := send(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	// The mock does refuse: what we send is not let through for lack of looking.
	if _, err := rest.ListCall((&api.ListCallParams{}).SetParentCallSid("not a Sid")); err == nil {
		t.Error("a wrong request was not refused")
	}
	if _, err := rest.CreateMessage((&api.CreateMessageParams{}).SetBody("x")); err == nil {
		t.Error("a message without a receiver was not refused")
	}
}

// mock starts the mock server, and returns its base address.
func mock(t *testing.T, program, description string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	l.Close()
	cmd := exec.Command(program, "mock", "--host", "127.0.0.1", "--port", port, description)
	cmd.Env = append(os.Environ(), "NO_COLOR=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	up := make(chan bool, 1)
	go func() { // ends with the process
		scan := bufio.NewScanner(out)
		scan.Buffer(nil, 1<<20)
		for scan.Scan() {
			if strings.Contains(scan.Text(), "listening") {
				up <- true
			}
		}
		close(up)
	}()
	select {
	case ok := <-up:
		if !ok {
			t.Fatal("the mock server ended")
		}
	case <-time.After(time.Minute):
		t.Fatal("the mock server does not come up")
	}
	return (&url.URL{Scheme: "http", Host: "127.0.0.1:" + port}).String()
}
