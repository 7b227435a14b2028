package letter

import (
	"fmt"
	"net/url"
	"strings"
)

// maxParams bounds the parameters of one field: real mail has under ten.
const maxParams = 100

// value is a field like Content-Type: a main word and its parameters, decoded.
type value struct {
	main   string // lower case
	params map[string]string
}

// parseValue reads a field with parameters as mail programs write them: names
// in RFC 2231 with any charset and in pieces, RFC 2047 where it is not allowed,
// bare words with blanks, quotes that never close, a parameter given twice (the
// first counts). It never fails; what makes no sense is left out.
func parseValue(s string, hint *clue) value {
	main, rest, _ := strings.Cut(s, ";")
	v := value{main: strings.ToLower(strings.TrimSpace(main)), params: map[string]string{}}
	if i := strings.IndexAny(v.main, " \t("); i > 0 {
		v.main = v.main[:i]
	}
	var pieces map[string]*pieced // RFC 2231 section 3
	for n := 0; rest != "" && n < maxParams; n++ {
		var name, val string
		name, val, rest = cutParam(rest)
		if name == "" {
			continue
		}
		base, section, encoded := splitName(name)
		if section < 0 && !encoded {
			if _, again := v.params[base]; !again {
				v.params[base] = decodeWords(val, hint)
			}
			continue
		}
		if pieces == nil {
			pieces = map[string]*pieced{}
		}
		if pieces[base] == nil {
			pieces[base] = &pieced{parts: map[int]string{}}
		}
		pieces[base].add(section, val, encoded)
	}
	for base, p := range pieces {
		// The encoded form is the better one where both are given (RFC 6266
		// section 4.3 says so for the web).
		if s := p.join(hint); s != "" {
			v.params[base] = s
		}
	}
	return v
}

// cutParam takes one name=value off s.
func cutParam(s string) (name, val, rest string) {
	s = strings.TrimLeft(s, "; \t\r\n")
	eq := strings.IndexAny(s, "=;")
	if eq < 0 {
		return "", "", ""
	}
	if s[eq] == ';' {
		return "", "", s[eq+1:]
	}
	name = strings.ToLower(strings.TrimSpace(s[:eq]))
	s = strings.TrimLeft(s[eq+1:], " \t\r\n")
	if !strings.HasPrefix(s, `"`) {
		val, rest, _ = strings.Cut(s, ";")
		return name, strings.TrimSpace(val), rest
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '"':
			_, rest, _ = strings.Cut(s[i+1:], ";")
			return name, b.String(), rest
		case s[i] == '\\' && i+1 < len(s) && (s[i+1] == '"' || s[i+1] == '\\'):
			i++
			b.WriteByte(s[i])
		default:
			b.WriteByte(s[i])
		}
	}
	return name, b.String(), ""
}

// splitName reads "filename*0*": base "filename", section 0, encoded.
func splitName(name string) (base string, section int, encoded bool) {
	base, ext, starred := strings.Cut(name, "*")
	if !starred {
		return name, -1, false
	}
	if ext == "" {
		return base, -1, true
	}
	num, encoded := strings.CutSuffix(ext, "*")
	if _, err := fmt.Sscanf(num, "%d", &section); err != nil || section < 0 || section > maxParams {
		return name, -1, false
	}
	return base, section, encoded
}

// pieced collects the sections of one parameter.
type pieced struct {
	whole   string // name*=...
	charset string
	parts   map[int]string
}

func (p *pieced) add(section int, val string, encoded bool) {
	if encoded && section <= 0 {
		if cs, rest, ok := strings.Cut(val, "'"); ok {
			if _, text, ok := strings.Cut(rest, "'"); ok {
				p.charset, val = cs, text
			}
		}
	}
	if encoded {
		if un, err := url.PathUnescape(val); err == nil {
			val = un
		}
	}
	if section < 0 {
		p.whole = val
	} else if _, again := p.parts[section]; !again {
		p.parts[section] = val
	}
}

func (p *pieced) join(hint *clue) string {
	s := p.whole
	if s == "" {
		var b strings.Builder
		for i := 0; ; i++ {
			part, ok := p.parts[i]
			if !ok {
				break
			}
			b.WriteString(part)
		}
		s = b.String()
	}
	if p.charset == "" {
		return decodeWords(s, hint)
	}
	text, _ := decodeCharset(p.charset, []byte(s), hint)
	return text
}
