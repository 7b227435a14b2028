package chat

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"

	"hearken/internal/secret"
)

// Config of one site's chat. Zero values take the defaults named here.
type Config struct {
	Name           string   `yaml:"name"`
	Origins        []string `yaml:"origins"`         // pages that may open a chat, https://www.example.com
	Language       string   `yaml:"language"`        // where the browser names none: zh
	MaxConnections int      `yaml:"max_connections"` // 20000
	MaxPerIP       int      `yaml:"max_per_ip"`      // 50
	MaxFile        int64    `yaml:"max_file"`        // bytes: 20 MiB
	// TrustForwarded takes the client's address from X-Forwarded-For; only
	// behind a proxy that sets it.
	TrustForwarded bool `yaml:"trust_forwarded"`
	// FallbackAfter is how long an answer waits for the customer to come back
	// before it goes to the address that they left: 10 minutes.
	FallbackAfter time.Duration `yaml:"fallback_after"`
	// FileTypes are the media types that are taken, image/* for all images;
	// none means all but programs.
	FileTypes []string `yaml:"file_types"`
	// IdentityKey signs who is logged in at the site; without one, nobody is.
	IdentityKey secret.Value `yaml:"identity_key"`
}

func (c *Config) fill() {
	if c.Language == "" {
		c.Language = "zh"
	}
	if c.MaxConnections == 0 {
		c.MaxConnections = 20000
	}
	if c.MaxPerIP == 0 {
		c.MaxPerIP = 50
	}
	if c.MaxFile == 0 {
		c.MaxFile = 20 << 20
	}
	if c.FallbackAfter == 0 {
		c.FallbackAfter = 10 * time.Minute
	}
}

// Check reports what is wrong, each with the key that it is about.
func (c Config) Check() []error {
	var errs []error
	if !plainName(c.Name) {
		errs = append(errs, fmt.Errorf("name: %q must be 1 to 40 letters, digits, - and _: it is part of an address", c.Name))
	}
	for i, o := range c.Origins {
		if u, err := url.Parse(o); err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || strings.Trim(u.Path, "/") != "" {
			errs = append(errs, fmt.Errorf("origins[%d]: %q is not an origin like https://www.example.com", i, o))
		}
	}
	if c.MaxConnections < 0 || c.MaxPerIP < 0 || c.MaxFile < 0 {
		errs = append(errs, errors.New("max_connections: bounds must not be negative"))
	}
	if c.FallbackAfter < 0 {
		errs = append(errs, errors.New("fallback_after: a time must not be negative"))
	}
	for i, t := range c.FileTypes {
		if !fileType.MatchString(t) {
			errs = append(errs, fmt.Errorf("file_types[%d]: %q is not a media type like application/pdf or image/*", i, t))
		}
	}
	return errs
}

var fileType = regexp.MustCompile(`^[a-z]+/(\*|[a-z0-9.+-]+)$`)

func plainName(s string) bool {
	return s != "" && len(s) <= 40 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") == ""
}

func originOf(publicURL string) string {
	u, err := url.Parse(publicURL)
	if err != nil || u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}
