package letter

import (
	"strings"
	"unicode"
)

// Bounds of address fields: a field with more is a mailing gone wrong.
const (
	maxAddresses = 200
	maxList      = 64 << 10 // bytes of a list that are read
	maxAddress   = 254      // RFC 5321 section 4.5.3.1.3
	maxName      = 200      // runes
)

// Address is a mailbox of an address field.
type Address struct {
	Name string // decoded; may be empty
	Addr string // local@domain, checked by its form
}

// parseAddresses reads an address list as mail programs write it (RFC 5322
// section 3.4 and worse). What is no address is left out.
func parseAddresses(s string, hint *clue) []Address {
	s = s[:min(len(s), maxList)]
	// A quote or a comment that never closes is text like any other.
	lastQuote, lastParen := strings.LastIndexByte(s, '"'), strings.LastIndexByte(s, ')')
	var out []Address
	for at := 0; at < len(s) && len(out) < maxAddresses; {
		one, next := cutAddress(s, at, lastQuote, lastParen)
		if a, ok := parseAddress(one, hint); ok {
			out = append(out, a)
		}
		at = next
	}
	return out
}

// cutAddress takes the text from at up to the next separator: a comma, or the
// colon and semicolon of a group; next is what is behind it.
func cutAddress(s string, at, lastQuote, lastParen int) (one string, next int) {
	quoted, angle, depth := false, false, 0
	for i := at; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && (quoted || depth > 0):
			i++
		case quoted:
			quoted = c != '"'
		case c == '"' && depth == 0:
			quoted = i < lastQuote
		case c == '(' && !angle && i < lastParen:
			depth++
		case c == ')' && depth > 0:
			depth--
		case depth > 0:
		case c == '<':
			angle = true
		case c == '>':
			angle = false
		case c == ',' || c == ';' || c == ':' && !angle:
			if c == ':' {
				return "", i + 1 // a group's name
			}
			return s[at:i], i + 1
		}
	}
	return s[at:], len(s)
}

func parseAddress(s string, hint *clue) (Address, bool) {
	a, ok := parseMailbox(s, hint)
	if !ok {
		// Some programs encode name and address as one word.
		if whole := decodeWords(s, hint); whole != s && strings.Contains(whole, "<") {
			return parseMailbox(whole, hint)
		}
	}
	return a, ok
}

func parseMailbox(s string, hint *clue) (Address, bool) {
	name, comment, addr := "", "", ""
	if open := strings.LastIndexByte(s, '<'); open >= 0 {
		inside, _, _ := strings.Cut(s[open+1:], ">")
		addr, name = inside, s[:open]
	} else {
		s, comment = cutComment(s)
		addr = s
		if fields := strings.Fields(s); len(fields) > 1 {
			// "Zhang zhang@example.cn", without the brackets.
			for i := len(fields) - 1; i >= 0; i-- {
				if strings.Contains(fields[i], "@") {
					addr, name = fields[i], strings.Join(fields[:i], " ")
					break
				}
			}
		}
	}
	addr = cleanAddr(decodeWords(addr, hint))
	if !ValidAddress(addr) {
		return Address{}, false
	}
	if strings.TrimSpace(name) == "" {
		name = comment
	}
	name = oneLine(bareName(decodeWords(unquote(name), hint)), maxName)
	if strings.EqualFold(name, addr) {
		name = ""
	}
	return Address{Name: name, Addr: addr}, true
}

// bareName takes quotes off that stand around a name.
func bareName(s string) string {
	s = strings.TrimSpace(s)
	for len(s) > 1 && s[0] == s[len(s)-1] && (s[0] == '"' || s[0] == '\'') {
		s = strings.TrimSpace(s[1 : len(s)-1])
	}
	return s
}

// cutComment takes the last (comment) off: the old way to give a name.
func cutComment(s string) (rest, comment string) {
	open := strings.IndexByte(s, '(')
	if open < 0 {
		return s, ""
	}
	end := strings.LastIndexByte(s, ')')
	if end < open {
		return s[:open], ""
	}
	return s[:open] + " " + s[end+1:], s[open+1 : end]
}

func unquote(s string) string {
	if !strings.ContainsAny(s, `"\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		case s[i] != '"':
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

func cleanAddr(s string) string {
	s = strings.Trim(s, " \t\r\n<>\"'.,;")
	s = strings.TrimPrefix(strings.TrimPrefix(s, "mailto:"), "MAILTO:")
	if i := strings.LastIndexByte(s, ':'); i >= 0 && strings.HasPrefix(s, "@") {
		s = s[i+1:] // RFC 5322 section 4.4: a source route
	}
	local, domain, ok := strings.Cut(s, "@")
	if !ok {
		return s
	}
	return strings.TrimSpace(local) + "@" + strings.ToLower(strings.TrimSpace(domain))
}

// ValidAddress tells whether s has the form of an address that mail can be sent
// to; whether it exists is another matter.
func ValidAddress(s string) bool {
	at := strings.LastIndexByte(s, '@')
	if at < 1 || at == len(s)-1 || len(s) > maxAddress || at > 64 {
		return false
	}
	for _, r := range s {
		if r <= ' ' || r == 0x7f || unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || strings.ContainsRune(`<>()[]\,;:"`, r) || r == '\uFFFD' {
			return false
		}
	}
	domain := s[at+1:]
	return !strings.Contains(domain, "..") && domain[0] != '.' && domain[0] != '-' && strings.Count(s, "@") == 1
}
