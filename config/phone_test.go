package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
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
