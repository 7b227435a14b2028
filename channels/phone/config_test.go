package phone

import (
	"errors"
	"strings"
	"testing"
	"time"

	"hearken/internal/secret"
)

func goodConfig() Config {
	return Config{Name: "hotline", AccountSID: accountSID, AuthToken: secret.New(token), Numbers: []string{line}}
}

// TestFaults: each fault is told once, with its key.
func TestFaults(t *testing.T) {
	if err := errors.Join(goodConfig().Check()...); err != nil {
		t.Fatal(err)
	}
	names := map[string]string{"zh": "计费", "en": "billing"}
	for key, change := range map[string]func(*Config){
		"name":                func(c *Config) { c.Name = "a b" },
		"provider":            func(c *Config) { c.Provider = "pigeon" },
		"account_sid":         func(c *Config) { c.AccountSID = "AC1" },
		"base_url":            func(c *Config) { c.BaseURL = "api.example.com" },
		"numbers[0]":          func(c *Config) { c.Numbers[0] = "110" },
		"languages[1]":        func(c *Config) { c.Languages = []string{"zh", "fr"} },
		"number_languages.+1": func(c *Config) { c.NumberLanguages = map[string]string{"+1": "zh"} },
		"decline":             func(c *Config) { c.Decline = "22" },
		"offer_text":          func(c *Config) { c.OfferText = "2" }, // as decline
		"menu[1].digit":       func(c *Config) { c.Menu = []Choice{{"1", "A", names}, {"1", "B", names}} },
		"menu[0].digit":       func(c *Config) { c.Menu = []Choice{{"9", "A", names}} }, // as follow_up
		"menu[0].type":        func(c *Config) { c.Menu = []Choice{{"1", "", names}} },
		"menu[0].name":        func(c *Config) { c.Menu = []Choice{{"1", "A", map[string]string{"zh": "计费"}}} },
		"message":             func(c *Config) { c.Message = []string{"record", "speech"} },
		"record.finish_key":   func(c *Config) { c.Record.FinishKey = "x" },
		"record":              func(c *Config) { c.EndWait = -1 },
		"hours.days[0]":       func(c *Config) { c.Hours.Days = []string{"montag"} },
		"hours.from":          func(c *Config) { c.Hours.From = "9:00" },
		"hours.to":            func(c *Config) { c.Hours.From, c.Hours.To = "09:00", "09:00" },
		"hours.holidays":      func(c *Config) { c.Hours.Holidays = []string{"1 May"} },
		"hours.workdays":      func(c *Config) { c.Hours.Workdays = []string{"2026-10-07/2026-10-01"} },
		"hours.timezone":      func(c *Config) { c.Hours.Timezone = "Asia/Nowhere" },
		"transfer.to":         func(c *Config) { c.Transfer.To = "110" },
		"transfer.caller_id":  func(c *Config) { c.Transfer.CallerID = "us" },
		"voices.fr":           func(c *Config) { c.Voices = map[string]Voice{"fr": {}} },
		"transcription.by":    func(c *Config) { c.Transcription.By = "magic" },
		"transcription.url":   func(c *Config) { c.Transcription.By = "http" },
		"signature.scheme":    func(c *Config) { c.Signature.Scheme = "rot13" },
		"signature.key":       func(c *Config) { c.Provider = "telnyx" }, // the token is no public key
		"signature.timestamp_header": func(c *Config) {
			c.Signature = Signature{Scheme: schemeEd25519, Header: "X", Key: secret.New("MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDA=")}
		},
		"fields.phone": func(c *Config) {
			c.Provider, c.Fields = ProviderWebhook, map[string]string{"phone": "x"}
		},
		"reply_url": func(c *Config) { c.Provider, c.ReplyURL = ProviderWebhook, "x" },
	} {
		c := goodConfig()
		change(&c)
		errs := c.Check()
		if len(errs) != 1 || !strings.HasPrefix(errs[0].Error(), key+": ") {
			t.Errorf("%s: %v", key, errs)
		}
		if err := errors.Join(errs...); err != nil && strings.Contains(err.Error(), token) {
			t.Errorf("%s: a secret is told: %v", key, err)
		}
	}
}

func TestHours(t *testing.T) {
	at := func(s string) time.Time {
		v, err := time.Parse("2006-01-02 15:04", s) // 2026-11-23 is a Monday
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	week := []string{"mon", "Tue", "wed", "thu", "fri"}
	for _, c := range []struct {
		h    Hours
		at   string
		want bool
	}{
		{Hours{Timezone: "UTC"}, "2026-11-22 03:00", true},
		{Hours{Days: week, From: "09:00", To: "18:00", Timezone: "UTC"}, "2026-11-23 09:00", true},
		{Hours{Days: week, From: "09:00", To: "18:00", Timezone: "UTC"}, "2026-11-23 18:00", false},
		{Hours{Days: week, From: "09:00", To: "18:00", Timezone: "UTC"}, "2026-11-22 12:00", false},
		{Hours{Days: week, From: "09:00", To: "18:00", Timezone: "Asia/Shanghai"}, "2026-11-23 01:00", true},
		{Hours{Days: week, From: "09:00", To: "18:00", Timezone: "Asia/Shanghai"}, "2026-11-23 12:00", false},
		{Hours{Days: []string{"fri"}, From: "22:00", To: "06:00", Timezone: "UTC"}, "2026-11-28 03:00", true}, // the night from Friday
		{Hours{Days: []string{"fri"}, From: "22:00", To: "06:00", Timezone: "UTC"}, "2026-11-27 03:00", false},
		{Hours{Days: week, From: "09:00", To: "18:00", Timezone: "UTC"}, "2026-11-23 08:59", false},
		{Hours{Days: week, From: "09:00", To: "18:00", Timezone: "UTC"}, "2026-11-23 17:59", true},
		{Hours{Days: week, Holidays: []string{"2026-10-01/2026-10-07"}, Timezone: "Asia/Shanghai"}, "2026-10-07 15:59", false},
		{Hours{Days: week, Holidays: []string{"2026-10-01/2026-10-07"}, Timezone: "Asia/Shanghai"}, "2026-10-07 16:00", true}, // the 8th, there
		{Hours{Days: week, Workdays: []string{"2026-10-10"}, Timezone: "UTC"}, "2026-10-10 12:00", true},                      // a Saturday
		{Hours{Days: []string{"thu"}, From: "22:00", To: "06:00", Holidays: []string{"2026-10-01"}, Timezone: "UTC"}, "2026-10-02 03:00", false},
		{Hours{From: "09:00", To: "24:00", Timezone: "UTC"}, "2026-11-23 23:59", true},
	} {
		if got := c.h.open(at(c.at)); got != c.want {
			t.Errorf("%+v at %s: %v", c.h, c.at, got)
		}
	}
}

func TestRecordingLength(t *testing.T) {
	head := func(chunks string) string { return "RIFF\x00\x00\x00\x00WAVE" + chunks }
	format := "fmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x40\x1f\x00\x00\x01\x00\x08\x00" // 8000 bytes a second
	for name, c := range map[string]struct{ file, want string }{
		"plain":            {head(format + "data\x80\x3e\x00\x00"), "2"},
		"rounded up":       {head(format + "data\x81\x3e\x00\x00"), "3"},
		"a chunk before":   {head("LIST\x03\x00\x00\x00abc\x00" + format + "data\x40\x1f\x00\x00"), "1"},
		"no format":        {head("data\x40\x1f\x00\x00"), ""},
		"cut":              {head(format[:20]), ""},
		"an endless chunk": {head("LIST\xff\xff\xff\xff" + format), ""},
		"not a WAV file":   {"ID3 something", ""},
		"nothing":          {"", ""},
	} {
		if got := wavSeconds([]byte(c.file)); got != c.want {
			t.Errorf("%s: %q", name, got)
		}
	}
}
