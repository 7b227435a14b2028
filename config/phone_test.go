package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hearken/channels/email"
	"hearken/channels/phone"
)

// TestPhonePageIsTrue loads the lines that docs/phone.md shows.
func TestPhonePageIsTrue(t *testing.T) {
	page, err := os.ReadFile("../docs/phone.md")
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range map[string]string{"TWILIO_ACCOUNT_SID": "AC0123456789abcdef0123456789abcdef", "TWILIO_AUTH_TOKEN": "x", "STT_TOKEN": "x", "HOOK_KEY": "x"} {
		t.Setenv(k, v)
	}
	var lines []string
	inside := false
	for line := range strings.Lines(string(page)) {
		if strings.HasPrefix(line, "    - name: ") {
			inside = true
		} else if !strings.HasPrefix(line, "      ") {
			inside = false
		}
		if inside {
			lines = append(lines, line)
		}
	}
	path := filepath.Join(t.TempDir(), "config.yaml")
	text := "http: {public_url: \"https://intake.example.com\"}\nchannels:\n  phone:\n" + strings.Join(lines, "")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := Load(path)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if len(cfg.Channels.Phone) != 2 || len(cfg.Channels.Phone[0].Menu) != 2 || cfg.Channels.Phone[1].Fields["fact.agent"] != "call.agent" {
		t.Errorf("read as %+v", cfg.Channels.Phone)
	}
	rules, err := LoadRules("../rules.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := cfg.Against(rules); err != nil {
		t.Error(err)
	}
	cfg.Channels.Phone[0].Menu[1].Type = "BILING"
	if err := cfg.Against(rules); err == nil || !strings.Contains(err.Error(), "channels.phone[0].menu[1].type") {
		t.Errorf("a type that is not there: %v", err)
	}
}

func TestContactPointsThatNothingReaches(t *testing.T) {
	rules, err := parseRules("r", []byte(manyFirms))
	if err != nil {
		t.Fatal(err)
	}
	cfg := &Config{}
	cfg.Channels.Email = []email.Config{{Name: "acme", Address: "Help@acme.example.com"}}
	if got := cfg.Unreached(rules); len(got) > 0 {
		t.Errorf("%q", got)
	}
	cfg.Channels.Email[0].Address = "helps@acme.example.com"
	if got := cfg.Unreached(rules); len(got) != 1 || !strings.Contains(got[0], "help@acme.example.com, which no channel has; did you mean helps@acme.example.com?") {
		t.Errorf("%q", got)
	}
	cfg.Channels.Phone = []phone.Config{{Name: "cloud", Provider: phone.ProviderWebhook}}
	if got := cfg.Unreached(rules); got != nil {
		t.Errorf("whom a webhook stands for is not known: %q", got)
	}
}
