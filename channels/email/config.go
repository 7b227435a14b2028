package email

import (
	"fmt"
	"net"
	"net/mail"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"hearken/channels/email/access"
	"hearken/channels/email/mailbox"
	"hearken/internal/clamd"
	"hearken/internal/secret"
)

// Config is one mailbox in config.yaml.
type Config struct {
	Name    string `yaml:"name"`    // in logs, facts and rules
	Address string `yaml:"address"` // that customers write to, and that we answer from

	IMAP IMAP `yaml:"imap"`
	SMTP SMTP `yaml:"smtp"` // without an addr nothing is sent
	// OAuth gets access tokens that stand in for the passwords of both.
	OAuth access.OAuth `yaml:"oauth"`

	Processed Processed `yaml:"processed"`
	// Since says what of the mail that is there at the very first start is
	// taken: "all", "now" (nothing), an age ("7d", "36h") or a day
	// ("2026-11-01"), both of unseen mail only. Empty means "7d".
	Since string `yaml:"since"`
	// MaxSize is the largest mail that is read whole, in bytes or as "64MiB".
	// Of a larger one the beginning is read and noted as such; the mail itself
	// stays in the mailbox. Empty means 256MiB.
	MaxSize  string   `yaml:"max_size"`
	Receipts Receipts `yaml:"receipts"`
	// Attachments are scanned where a ClamAV daemon is named.
	Attachments Attachments `yaml:"attachments"`

	// Automated says what becomes of a machine's mail that is not about one of
	// ours (a newsletter, a notification): "register" (default), never
	// answered, or "file", kept only in the mailbox and as its original.
	Automated string `yaml:"automated"`
	// PlusAddresses says that the server takes mail for address+anything:
	// replies then come back to a signed address of the complaint's own.
	PlusAddresses bool `yaml:"plus_addresses"`
	// Staff are colleagues who pass on what customers write to them: addresses,
	// or "@example.com". The complaint is the customer's.
	Staff []string `yaml:"staff"`
	Forms []Form   `yaml:"forms"`
}

// What Config.Automated may be.
const (
	automatedRegister = "register"
	automatedFile     = "file"
)

// IMAP says how to read the mailbox.
type IMAP struct {
	Addr     string       `yaml:"addr"` // host:port
	TLS      string       `yaml:"tls"`  // implicit (default), starttls or none
	Username string       `yaml:"username"`
	Password secret.Value `yaml:"password"`
	Mailbox  string       `yaml:"mailbox"` // INBOX where empty
	Also     []string     `yaml:"also"`    // more of them to read: "Junk", a shared one
	CAFile   string       `yaml:"ca_file"` // PEM certificates that are trusted instead of the system's
	ID       string       `yaml:"id"`      // auto (default), always or never: the ID command that NetEase wants
	// AllowInsecure lets the password go over an unencrypted connection to a
	// host that is not this one.
	AllowInsecure bool `yaml:"allow_insecure"`
}

// SMTP says how to send.
type SMTP struct {
	Addr          string       `yaml:"addr"` // host:port
	TLS           string       `yaml:"tls"`  // implicit (default), starttls or none
	Username      string       `yaml:"username"`
	Password      secret.Value `yaml:"password"`
	CAFile        string       `yaml:"ca_file"`    // PEM certificates that are trusted instead of the system's
	PerMinute     int          `yaml:"per_minute"` // mails at most; 0 means 120: providers lock out who sends faster
	AllowInsecure bool         `yaml:"allow_insecure"`
}

// Processed says what becomes of a mail that is safe.
type Processed struct {
	MoveTo string `yaml:"move_to"` // a mailbox, made where it is missing
	Flag   string `yaml:"flag"`    // "seen", the default without move_to
	// FailedTo is where a mail goes that can't be taken, beside a note that
	// says why: "Failed" where mail is moved at all.
	FailedTo string `yaml:"failed_to"`
}

// Receipts bounds what we send by ourselves.
type Receipts struct {
	PerHour string `yaml:"per_hour"` // to one address; empty means 10
}

// Attachments says what is done with files.
type Attachments struct {
	Clamd string `yaml:"clamd"` // "unix:/run/clamav/clamd.ctl" or "tcp:host:port"; empty for no scan
}

// What empty values mean.
const (
	defaultSince    = "7d"
	defaultMaxSize  = 256 << 20
	defaultReceipts = 10
)

// Check returns everything that is wrong with the stanza.
func (c Config) Check() []error {
	var errs []error
	fault := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if c.Name == "" {
		fault("name: it is empty; give the mailbox a short name")
	}
	if a, err := mail.ParseAddress(c.Address); err != nil || a.Address != c.Address {
		fault("address: %q is no mail address", c.Address)
	}
	checkServer("imap", c.IMAP.Addr, c.IMAP.TLS, c.IMAP.AllowInsecure, true, fault)
	if c.IMAP.Username == "" {
		fault("imap.username: it is empty")
	}
	if c.IMAP.Password.IsZero() && !c.OAuth.Configured() {
		fault("imap.password: it is empty; set it by ${ENV} or password_file, or set oauth")
	}
	errs = append(errs, c.OAuth.Check()...)
	switch c.IMAP.ID {
	case "", "auto", "always", "never":
	default:
		fault("imap.id: %q is none of auto, always, never", c.IMAP.ID)
	}
	if c.SMTP.Addr != "" {
		checkServer("smtp", c.SMTP.Addr, c.SMTP.TLS, c.SMTP.AllowInsecure, !c.SMTP.Password.IsZero(), fault)
		if c.SMTP.PerMinute < 0 {
			fault("smtp.per_minute: %d is less than 0", c.SMTP.PerMinute)
		}
		if (c.SMTP.Username == "") != c.SMTP.Password.IsZero() && !c.OAuth.Configured() {
			fault("smtp.username: username and password go together; give both or none")
		}
	}
	if c.Processed.MoveTo != "" && c.Processed.Flag != "" {
		fault("processed: give move_to or flag, not both")
	}
	if f := c.Processed.Flag; f != "" && f != "seen" {
		fault("processed.flag: %q is not seen", f)
	}
	for i, f := range c.folders() {
		if slices.Contains(c.folders()[:i], f) || f == "" {
			fault("imap.also: %q is empty or there twice", f)
		}
		if strings.EqualFold(c.Processed.MoveTo, f) {
			fault("processed.move_to: it is a mailbox that is read")
		}
		if strings.EqualFold(c.Processed.FailedTo, f) {
			fault("processed.failed_to: it is a mailbox that is read")
		}
	}
	for key, file := range map[string]string{"imap": c.IMAP.CAFile, "smtp": c.SMTP.CAFile} {
		if _, err := access.TLS("host:1", file); err != nil {
			fault("%s.ca_file: %w", key, err)
		}
	}
	if c.Attachments.Clamd != "" {
		if _, err := clamd.New(c.Attachments.Clamd); err != nil {
			fault("attachments.clamd: %w", err)
		}
	}
	if a := orDefault(c.Automated, automatedRegister); a != automatedRegister && a != automatedFile {
		fault("automated: %q is neither register nor file", c.Automated)
	}
	for i, s := range c.Staff {
		if err := (Form{From: s}).check(i); err != nil {
			fault("staff[%d]: %q is neither an address nor @domain", i, s)
		}
	}
	for i, f := range c.Forms {
		if err := f.check(i); err != nil {
			fault("%w", err)
		}
	}
	if _, err := c.since(time.Now()); err != nil {
		fault("since: %w", err)
	}
	if _, err := c.maxSize(); err != nil {
		fault("max_size: %w", err)
	}
	if _, err := c.perHour(); err != nil {
		fault("receipts.per_hour: %w", err)
	}
	return errs
}

func checkServer(key, addr, tls string, insecure, password bool, fault func(string, ...any)) {
	host, port, err := net.SplitHostPort(addr)
	if n, perr := strconv.Atoi(port); err != nil || host == "" || perr != nil || n < 1 || n > 65535 {
		fault("%s.addr: %q is not host:port", key, addr)
	}
	switch tls {
	case "", mailbox.TLSImplicit, mailbox.TLSStart:
	case mailbox.TLSNone:
		if password && !insecure && !loopback(host) {
			fault("%s.tls: none would send the password in the clear to %s; use implicit or starttls, or set %s.allow_insecure: true", key, host, key)
		}
	default:
		fault("%s.tls: %q is none of implicit, starttls, none", key, tls)
	}
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func orDefault(s, def string) string {
	if s == "" {
		return def
	}
	return s
}

// folders lists the mailboxes that are read.
func (c Config) folders() []string {
	return append([]string{orDefault(c.IMAP.Mailbox, "INBOX")}, c.IMAP.Also...)
}

// failedTo is where mail goes that can't be taken; "" for nowhere.
func (c Config) failedTo() string {
	if c.Processed.MoveTo == "" {
		return c.Processed.FailedTo
	}
	return orDefault(c.Processed.FailedTo, "Failed")
}

func (c Config) account(folder string, tokens *access.Tokens) mailbox.Account {
	return mailbox.Account{
		Addr: c.IMAP.Addr, TLS: orDefault(c.IMAP.TLS, mailbox.TLSImplicit), Username: c.IMAP.Username,
		Password: c.IMAP.Password, Tokens: tokens, CAFile: c.IMAP.CAFile, Mailbox: folder, ID: orDefault(c.IMAP.ID, "auto"),
	}
}

func (c Config) perHour() (int, error) {
	if c.Receipts.PerHour == "" {
		return defaultReceipts, nil
	}
	n, err := strconv.Atoi(c.Receipts.PerHour)
	if err != nil || n < 1 {
		return 0, fmt.Errorf("%q is not a number from 1", c.Receipts.PerHour)
	}
	return n, nil
}

// baseline is what the first start takes of the mail that is there already.
type baseline struct {
	None   bool      `json:"none,omitempty"`
	Since  time.Time `json:"since,omitzero"`
	Unseen bool      `json:"unseen,omitempty"`
}

func (c Config) since(now time.Time) (baseline, error) {
	s := orDefault(c.Since, defaultSince)
	switch s {
	case "all":
		return baseline{}, nil
	case "now":
		return baseline{None: true}, nil
	}
	if day, err := time.Parse(time.DateOnly, s); err == nil {
		return baseline{Since: day, Unseen: true}, nil
	}
	if days, ok := strings.CutSuffix(s, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil && n > 0 && n < 100_000 {
			return baseline{Since: now.AddDate(0, 0, -n), Unseen: true}, nil
		}
	}
	if d, err := time.ParseDuration(s); err == nil && d > 0 {
		return baseline{Since: now.Add(-d), Unseen: true}, nil
	}
	return baseline{}, fmt.Errorf("%q is none of all, now, an age (7d, 36h), a day (2026-11-01)", s)
}

var sizes = regexp.MustCompile(`^(\d{1,9})\s*(B|KiB|MiB|GiB|KB|MB|GB)?$`)

func (c Config) maxSize() (int64, error) {
	if c.MaxSize == "" {
		return defaultMaxSize, nil
	}
	m := sizes.FindStringSubmatch(c.MaxSize)
	if m == nil {
		return 0, fmt.Errorf("%q is no size; write for example 64MiB", c.MaxSize)
	}
	n, _ := strconv.ParseInt(m[1], 10, 64) // nine digits
	switch strings.TrimSuffix(m[2], "B") {
	case "Ki":
		n <<= 10
	case "Mi":
		n <<= 20
	case "Gi":
		n <<= 30
	case "K":
		n *= 1e3
	case "M":
		n *= 1e6
	case "G":
		n *= 1e9
	}
	if n < 64<<10 {
		return 0, fmt.Errorf("%q is less than 64KiB, which is not enough for a header and a text", c.MaxSize)
	}
	return n, nil
}
