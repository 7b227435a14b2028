package phone

import (
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"time"

	"hearken/internal/secret"
)

// Config of one line. Zero values take the defaults named here.
type Config struct {
	Name     string `yaml:"name"`
	Provider string `yaml:"provider"` // twilio, signalwire, telnyx; webhook: anybody who can POST; [twilio]

	// How the carrier is reached and believed.
	AccountSID string       `yaml:"account_sid"`
	AuthToken  secret.Value `yaml:"auth_token"`
	// NextAuthToken signs too while the token is being changed.
	NextAuthToken secret.Value      `yaml:"next_auth_token"`
	BaseURL       string            `yaml:"base_url"` // of the REST API, up to /Accounts: https://api.twilio.com/2010-04-01
	Signature     Signature         `yaml:"signature"`
	Parameters    map[string]string `yaml:"parameters"` // Twilio's name of a parameter to the carrier's, where they differ
	Numbers       []string          `yaml:"numbers"`    // E.164; the first sends text messages

	// The dialogue.
	Languages       []string          `yaml:"languages"`        // zh, en; with several the caller chooses by digit; [zh, en]
	NumberLanguages map[string]string `yaml:"number_languages"` // of a number, for who chooses nothing; the first of languages
	Decline         string            `yaml:"decline"`          // the key for "call me back, without recording": 2; none
	Menu            []Choice          `yaml:"menu"`             // what the complaint is about, by digit
	FollowUp        string            `yaml:"follow_up"`        // the key for "I have a complaint number": 9; none
	Message         []string          `yaml:"message"`          // record, speech, or speech and then record; [record]
	Record          Record            `yaml:"record"`
	OfferText       string            `yaml:"offer_text"` // the key for "send me the number as a text": 1; none
	Hours           Hours             `yaml:"hours"`      // when somebody is there: always
	Transfer        Transfer          `yaml:"transfer"`
	Voices          map[string]Voice  `yaml:"voices"` // by language

	// What comes of it.
	Transcription Transcription `yaml:"transcription"`
	Delete        bool          `yaml:"delete_recordings"` // at the carrier, once they are safe here
	MaxBytes      int64         `yaml:"max_bytes"`         // of one recording or file: 100 MiB
	EndWait       time.Duration `yaml:"end_wait"`          // what a call that ended may still bring, before it counts as without words: 20s
	TextWindow    time.Duration `yaml:"sms_window"`        // a number that writes again within it adds to its complaint: 72h
	TextRate      float64       `yaml:"sms_per_second"`    // that are sent: 1
	Reconcile     Reconcile     `yaml:"reconcile"`

	// With provider webhook.
	Fields   map[string]string `yaml:"fields"`    // a contact's field to its path in the body
	ReplyURL string            `yaml:"reply_url"` // where replies are posted, as JSON, signed alike
}

// Signature says how the carrier signs.
type Signature struct {
	Scheme    string       `yaml:"scheme"` // hmac-sha1 (Twilio's), ed25519 (Telnyx's), hmac-sha256 (of the body: webhook)
	Header    string       `yaml:"header"`
	Timestamp string       `yaml:"timestamp_header"` // signed together with the body, for ed25519 and hmac-sha256
	Key       secret.Value `yaml:"key"`              // auth_token where there is none; for ed25519 the carrier's public key
	NextKey   secret.Value `yaml:"next_key"`
}

// Choice is a line of the menu.
type Choice struct {
	Digit string            `yaml:"digit"`
	Type  string            `yaml:"type"` // of the rules
	Name  map[string]string `yaml:"name"` // by language, as it is said
}

// Record is how a message is recorded.
type Record struct {
	MaxLength time.Duration `yaml:"max_length"` // 5m
	Silence   time.Duration `yaml:"silence"`    // that ends it: 5s
	FinishKey string        `yaml:"finish_key"` // #
}

// Transfer puts callers through to people within the hours.
type Transfer struct {
	To       string        `yaml:"to"`        // E.164, or sip:...; "" for nobody
	Ring     time.Duration `yaml:"ring"`      // 20s
	CallerID string        `yaml:"caller_id"` // shown to them: the caller's
}

// Voice is how a language is spoken and listened to.
type Voice struct {
	Language string `yaml:"language"` // of Say: cmn-CN, en-US
	Voice    string `yaml:"voice"`    // Polly.Zhiyu, Polly.Joanna
	Speech   string `yaml:"speech"`   // of Gather: cmn-Hans-CN, en-US
	Model    string `yaml:"model"`    // of Gather; the carrier's default
}

// Transcription makes text of recordings.
type Transcription struct {
	By    string       `yaml:"by"`    // carrier (English only), http, or nobody
	URL   string       `yaml:"url"`   // of an endpoint like POST /v1/audio/transcriptions
	Token secret.Value `yaml:"token"` // sent as a bearer token
	Model string       `yaml:"model"`
}

// Reconcile looks for what the carrier knows and we never heard of.
type Reconcile struct {
	Every time.Duration `yaml:"every"` // 10m; negative: never
	Back  time.Duration `yaml:"back"`  // 24h
}

// None switches a key of the dialogue off.
const None = "none"

// A message is taken by these.
const (
	byRecord = "record"
	bySpeech = "speech"
)

// byCarrier has the carrier transcribe.
const byCarrier = "carrier"

// ProviderWebhook is the provider of a Hook.
const ProviderWebhook = "webhook"

const (
	schemeHMACSHA1   = "hmac-sha1"
	schemeEd25519    = "ed25519"
	schemeHMACSHA256 = "hmac-sha256"
)

var defaultVoices = map[string]Voice{
	"zh": {Language: "cmn-CN", Voice: "Polly.Zhiyu", Speech: "cmn-Hans-CN"},
	"en": {Language: "en-US", Voice: "Polly.Joanna", Speech: "en-US"},
}

func set[T comparable](v *T, to T) {
	var zero T
	if *v == zero {
		*v = to
	}
}

func (c *Config) fill() {
	set(&c.Provider, "twilio")
	set(&c.BaseURL, carriers[c.Provider].base)
	sig := carriers[c.Provider].signature
	if c.Provider == ProviderWebhook {
		sig = Signature{Scheme: schemeHMACSHA256, Header: "X-Hearken-Signature"}
	}
	set(&c.Signature.Scheme, sig.Scheme)
	set(&c.Signature.Header, sig.Header)
	set(&c.Signature.Timestamp, sig.Timestamp)
	set(&c.Signature.Key, c.AuthToken)
	set(&c.Signature.NextKey, c.NextAuthToken)
	if len(c.Languages) == 0 {
		c.Languages = []string{"zh", "en"}
	}
	if len(c.Message) == 0 {
		c.Message = []string{byRecord}
	}
	set(&c.Decline, "2")
	set(&c.FollowUp, "9")
	set(&c.OfferText, "1")
	set(&c.Record.MaxLength, 5*time.Minute)
	set(&c.Record.Silence, 5*time.Second)
	set(&c.Record.FinishKey, "#")
	set(&c.Hours.Timezone, "Asia/Shanghai")
	set(&c.Transfer.Ring, 20*time.Second)
	set(&c.MaxBytes, 100<<20)
	set(&c.EndWait, 20*time.Second)
	set(&c.TextWindow, 72*time.Hour)
	set(&c.TextRate, 1.0)
	set(&c.Reconcile.Every, 10*time.Minute)
	set(&c.Reconcile.Back, 24*time.Hour)
	voices := maps.Clone(c.Voices) // not in place: others hold the same map
	if voices == nil {
		voices = map[string]Voice{}
	}
	for lang, v := range defaultVoices {
		own := c.Voices[lang]
		set(&own.Language, v.Language)
		set(&own.Voice, v.Voice)
		set(&own.Speech, v.Speech)
		voices[lang] = own
	}
	c.Voices = voices
}

var (
	twilioAccount = regexp.MustCompile(`^AC[0-9a-fA-F]{32}$`)
	otherAccount  = regexp.MustCompile(`^[0-9A-Za-z-]{8,64}$`)
	numberShape   = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)
	sipShape      = regexp.MustCompile(`^sips?:[^\s<>"]{3,250}$`)
	nameShape     = regexp.MustCompile(`^[A-Za-z0-9_-]{1,40}$`)
	keyShape      = regexp.MustCompile(`^[0-9*]$`)
	finishShape   = regexp.MustCompile(`^[0-9*#]+$`)
	clockShape    = regexp.MustCompile(`^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$`)
)

// faults collects what is wrong, each with the key that it is about.
type faults []error

func (f *faults) add(format string, args ...any) { *f = append(*f, fmt.Errorf(format, args...)) }

// Check reports what is wrong, each with the key that it is about.
func (c Config) Check() []error {
	c.fill()
	var f faults
	if !nameShape.MatchString(c.Name) {
		f.add("name: %q must be 1 to 40 letters, digits, - and _: it is part of an address", c.Name)
	}
	if c.Provider == ProviderWebhook {
		c.checkHook(&f)
		return f
	}
	c.checkCarrier(&f)
	c.checkDialogue(&f)
	if c.Record.MaxLength < 0 || c.Record.Silence < 0 || c.TextWindow < 0 || c.MaxBytes < 0 || c.EndWait < 0 || c.TextRate < 0 {
		f.add("record: bounds must not be negative")
	}
	switch c.Transcription.By {
	case "", None, byCarrier:
	case "http":
		f.address("transcription.url", c.Transcription.URL)
	default:
		f.add("transcription.by: %q is not known; there are carrier and http", c.Transcription.By)
	}
	return f
}

func (f *faults) address(key, s string) {
	if u, err := url.Parse(s); err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		f.add("%s: %q is not an address like https://host/path", key, s)
	}
}

func (c Config) checkCarrier(f *faults) {
	carrier, known := carriers[c.Provider]
	shape, like := otherAccount, "letters, digits and -"
	switch {
	case !known:
		f.add("provider: %q is not known; there are twilio, signalwire, telnyx and webhook", c.Provider)
	case c.Provider == "twilio":
		shape, like = twilioAccount, "AC and 32 hex digits, as the Twilio console shows it"
	}
	if !shape.MatchString(c.AccountSID) {
		f.add("account_sid: it must be %s", like)
	}
	if c.AuthToken.IsZero() {
		f.add("auth_token: it is needed for the carrier's REST API and, mostly, its signatures; give it as ${TWILIO_AUTH_TOKEN} or auth_token_file")
	}
	if known && carrier.base == "" && c.BaseURL == "" {
		f.add("base_url: it is needed, up to /Accounts: https://SPACE.signalwire.com/api/laml/2010-04-01")
	} else if known {
		f.address("base_url", c.BaseURL)
	}
	if known {
		c.checkSignature(f)
	}
	if len(c.Numbers) == 0 {
		f.add("numbers: at least one is needed")
	}
	for i, n := range c.Numbers {
		if !numberShape.MatchString(n) {
			f.add("numbers[%d]: %q is not a number like +14155550100", i, n)
		}
	}
}

func (c Config) checkSignature(f *faults) {
	switch s := c.Signature; s.Scheme {
	case schemeHMACSHA1, schemeHMACSHA256:
		if s.Key.IsZero() {
			f.add("signature.key: it is needed: without it anybody could call this address")
		}
	case schemeEd25519:
		if _, err := publicKey(s.Key); err != nil {
			f.add("signature.key: it must be the carrier's public key, base64 of 32 bytes")
		}
		if s.Timestamp == "" {
			f.add("signature.timestamp_header: it is needed: it is a part of what is signed")
		}
	default:
		f.add("signature.scheme: %q is not known; there are %s, %s and %s", s.Scheme, schemeHMACSHA1, schemeEd25519, schemeHMACSHA256)
	}
}

func (c Config) checkDialogue(f *faults) {
	for i, l := range c.Languages {
		if texts[l] == nil {
			f.add("languages[%d]: %q is not known; there are zh and en", i, l)
		}
	}
	for n, l := range c.NumberLanguages {
		if !slices.Contains(c.Numbers, n) || !slices.Contains(c.Languages, l) {
			f.add("number_languages.%s: it must be one of numbers, with one of languages", n)
		}
	}
	used := map[string]string{}
	key := func(at, k string) {
		if k == None {
			return
		}
		if !keyShape.MatchString(k) {
			f.add("%s: %q is not a key of a telephone (0 to 9, *), or none", at, k)
		} else if used[k] != "" {
			f.add("%s: key %s is taken by %s", at, k, used[k])
		}
		used[k] = at
	}
	key("decline", c.Decline)
	key("offer_text", c.OfferText)
	clear(used) // they are asked for at other times
	key("follow_up", c.FollowUp)
	for i, m := range c.Menu {
		key(fmt.Sprintf("menu[%d].digit", i), m.Digit)
		if m.Type == "" {
			f.add("menu[%d].type: it is needed: a type of the rules", i)
		}
		for _, l := range c.Languages {
			if m.Name[l] == "" {
				f.add("menu[%d].name: it has no %s", i, l)
			}
		}
	}
	if !slices.ContainsFunc([][]string{{byRecord}, {bySpeech}, {bySpeech, byRecord}}, func(m []string) bool { return slices.Equal(m, c.Message) }) {
		f.add("message: it must be [record], [speech] or [speech, record]")
	}
	if !finishShape.MatchString(c.Record.FinishKey) {
		f.add("record.finish_key: %q is not made of 0 to 9, * and #", c.Record.FinishKey)
	}
	c.checkHours(f)
	if t := c.Transfer; t.To != "" && !numberShape.MatchString(t.To) && !sipShape.MatchString(t.To) {
		f.add("transfer.to: %q is neither a number like +14155550100 nor sip:somebody@example.com", t.To)
	}
	if t := c.Transfer; t.CallerID != "" && !numberShape.MatchString(t.CallerID) {
		f.add("transfer.caller_id: %q is not a number like +14155550100", t.CallerID)
	}
	for lang := range c.Voices {
		if defaultVoices[lang] == (Voice{}) {
			f.add("voices.%s: it is not known; there are zh and en", lang)
		}
	}
}
