package letter

import (
	"net/url"
	"strings"
)

// maxLink is how much of a link's target is shown, in bytes.
const maxLink = 500

// target writes a link's target behind its words, unless they say it already.
func (p *page) target(e element) {
	to := p.targetOf(e.link)
	words := ""
	if e.linkAt <= p.out.Len() {
		words = strings.TrimSpace(p.out.String()[e.linkAt:])
	}
	if to == "" || words == "" || strings.EqualFold(bareTarget(words), bareTarget(to)) || strings.Contains(words, to) {
		return
	}
	p.blank = ' '
	p.word("(" + oneLine(to, maxLink) + ")")
}

// targetOf is where a link leads to: an address or a page; "" for an anchor or
// a script.
func (p *page) targetOf(link string) string {
	link = strings.TrimSpace(link)
	scheme, rest, ok := strings.Cut(link, ":")
	switch scheme = strings.ToLower(scheme); {
	case ok && scheme == "mailto":
		to, _, _ := strings.Cut(rest, "?")
		return to
	case ok && (scheme == "http" || scheme == "https"):
		return unwrapped(link)
	case ok && !strings.ContainsAny(scheme, "/?#."), p.base == nil, link == "", link[0] == '#':
		return ""
	}
	if to, err := p.base.Parse(link); err == nil {
		return to.String()
	}
	return ""
}

// wrappers are the parameters in which services that check or count clicks
// keep the target, by the end of their host.
var wrappers = map[string]string{
	"safelinks.protection.outlook.com": "url",
	"www.google.com/url":               "q",
	"l.facebook.com/l.php":             "u",
}

// unwrapped is the target that a click checker hides in its own link.
func unwrapped(link string) string {
	if len(link) > maxWrapped {
		return link
	}
	u, err := url.Parse(link)
	if err != nil {
		return link
	}
	if _, inner, ok := strings.Cut(link, "/v3/__"); ok && strings.HasPrefix(u.Host, "urldefense.") {
		if inner, _, ok := strings.Cut(inner, "__;"); ok {
			return inner
		}
	}
	for end, key := range wrappers {
		if !strings.HasSuffix(u.Host, end) && u.Host+u.Path != end {
			continue
		}
		if inner := u.Query().Get(key); strings.HasPrefix(inner, "http://") || strings.HasPrefix(inner, "https://") {
			return inner
		}
	}
	return link
}

// maxWrapped is the longest link that is looked into, in bytes.
const maxWrapped = 8 << 10

// bareTarget is a target as people write it.
func bareTarget(s string) string {
	if _, rest, ok := strings.Cut(s, "://"); ok {
		s = rest
	}
	if len(s) > 4 && strings.EqualFold(s[:4], "www.") {
		s = s[4:]
	}
	return strings.TrimSuffix(s, "/")
}
