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
	s = plain(s[:min(len(s), maxList)], hint) // other charsets have quotes and commas within characters
	// A quote or a comment that never closes is text like any other, and
	// without a semicolon there is no group.
	ends := listEnds{strings.LastIndexByte(s, '"'), strings.LastIndexByte(s, ')'), strings.LastIndexByte(s, ';')}
	var out []Address
	tried := 0
	for from, at := 0, 0; at < len(s) && tried < maxAddresses; {
		end, next, comma := cutAddress(s, at, ends)
		if comma && !strings.Contains(s[at:end], "@") {
			at = next // "Lee, Ann <ann@example.org>", without quotes
			continue
		}
		for one := strings.TrimLeft(s[from:end], ", \t\r\n"); one != "" && tried < maxAddresses; tried++ {
			var a Address
			var ok bool
			if a, one, ok = parseAddress(one, hint); ok && (len(out) == 0 || out[len(out)-1].Addr != a.Addr) {
				out = append(out, a)
			}
		}
		from, at = next, next
	}
	return out
}

// listEnds are where the last of some characters stand in a list.
type listEnds struct{ quote, paren, semicolon int }

// cutAddress finds the separator behind at: a comma, or the colon and semicolon
// of a group, whose name is no address. next is what is behind it.
func cutAddress(s string, at int, ends listEnds) (end, next int, comma bool) {
	quoted, angle, route, depth := false, false, false, 0
	for i := at; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && (quoted || depth > 0):
			i++
		case quoted:
			quoted = c != '"'
		case c == '=' && strings.HasPrefix(s[i:], "=?"):
			if _, _, rest, ok := cutWord(s[i:]); ok {
				i = len(s) - len(rest) - 1
			}
		case c == '"' && depth == 0:
			quoted = i < ends.quote
		case c == '(' && !angle && i < ends.paren:
			depth++
		case c == ')' && depth > 0:
			depth--
		case depth > 0:
		case c == '<':
			angle, route = true, strings.HasPrefix(s[i+1:], "@")
		case c == '>':
			angle, route = false, false
		case c == ':' && !angle && i < ends.semicolon:
			return at, i + 1, false
		case c == ',' && !route || c == ';':
			return i, i + 1, c == ','
		}
	}
	return len(s), len(s), false
}

// parseAddress reads one mailbox; rest is what follows it where a separator is
// missing.
func parseAddress(s string, hint *clue) (_ Address, rest string, ok bool) {
	if a, rest, ok := parseMailbox(s, hint); ok {
		return a, rest, true
	}
	// Some programs encode name and address as one word.
	if whole := decodeWords(s, hint); whole != s && strings.Contains(whole, "<") {
		a, _, ok := parseMailbox(whole, hint)
		return a, "", ok
	}
	return Address{}, "", false
}

func parseMailbox(s string, hint *clue) (_ Address, rest string, ok bool) {
	name, addr, rest := cutAngle(s, hint)
	if addr == "" {
		bare, comment := cutComment(s)
		name, rest = comment, ""
		fields := strings.Fields(bare)
		for i, f := range fields {
			// "Zhang zhang@example.cn", without the brackets.
			if strings.Count(f, `"`)%2 != 0 {
				continue // half of a quoted local part
			}
			if addr = cleanAddr(decodeWords(f, hint)); ValidAddress(addr) {
				if i > 0 {
					name = strings.Join(fields[:i], " ")
				}
				break
			}
			if i >= maxName {
				break
			}
		}
		if !ValidAddress(addr) {
			addr = cleanAddr(decodeWords(bare, hint)) // blanks around the "@"
		}
	}
	if !ValidAddress(addr) {
		return Address{}, "", false
	}
	name = oneLine(bareName(decodeWords(unquote(name), hint)), maxName)
	if strings.EqualFold(name, addr) {
		name = ""
	}
	return Address{Name: name, Addr: addr}, rest, true
}

// maxAngle is how far a ">" may be from its "<": an address, encoded perhaps,
// behind a route.
const maxAngle = 1000

// cutAngle finds the first address in angle brackets that is one. rest is what
// follows it, if that has an address too.
func cutAngle(s string, hint *clue) (name, addr, rest string) {
	close := strings.LastIndexByte(s, '"')
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '"' && i < close:
			for i++; i < close && s[i] != '"'; i++ {
				if s[i] == '\\' {
					i++
				}
			}
		case s[i] == '<':
			inside, _, _ := strings.Cut(s[i+1:min(len(s), i+1+maxAngle)], ">")
			if strings.Contains(inside, "<") {
				continue
			}
			addr = cleanAddr(decodeWords(inside, hint))
			if !ValidAddress(addr) {
				continue
			}
			rest = strings.TrimLeft(s[i+1+len(inside):], "> \t")
			if !strings.Contains(rest, "<") {
				rest = ""
			}
			name, comment := strings.TrimRight(s[:i], "< \t"), ""
			if name == "" {
				_, comment = cutComment(s[i+1+len(inside):])
				name = comment
			}
			return name, addr, rest
		}
	}
	return "", "", ""
}

// bareName takes quotes off that stand around a name.
func bareName(s string) string {
	s = strings.TrimLeft(s, " \t\r\n,;") // a separator that was encoded with the name
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
	s = strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Cf, r) {
			return -1 // copied from a page with what takes no room
		}
		return r
	}, s)
	s = strings.Trim(s, " \t\r\n<>'.,;")
	if len(s) > len("mailto:") && strings.EqualFold(s[:len("mailto:")], "mailto:") {
		s = s[len("mailto:"):]
	}
	if i := strings.LastIndexByte(s, ':'); i >= 0 && strings.HasPrefix(s, "@") {
		s = s[i+1:] // RFC 5322 section 4.4: a source route
	}
	s = unquote(s) // the local part, or all of it; what must be quoted is refused
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
