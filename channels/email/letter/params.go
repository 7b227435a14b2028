package letter

import (
	"fmt"
	"strings"
	"unicode/utf8"
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
// first counts), semicolons left out. It never fails; what makes no sense is
// left out.
func parseValue(s string, hint *clue) value {
	main, rest := cutMain(s)
	if !strings.HasPrefix(main, "multipart") {
		// A multipart's boundary must be the bytes that it is; in other
		// charsets quotes and semicolons may stand within characters.
		main, rest = cutMain(plain(s, hint))
	}
	v := value{main: main, params: map[string]string{}}
	var pieces map[string]*pieced // RFC 2231 section 3
	for n := 0; rest != "" && n < maxParams; n++ {
		var name, val string
		name, val, rest = cutParam(rest)
		if name == "" {
			continue
		}
		base, section, encoded := splitName(name)
		if section < 0 && !encoded {
			if _, again := v.params[base]; !again && base == "boundary" {
				v.params[base] = val
			} else if !again {
				v.params[base] = unescaped(decodeWords(val, hint), hint)
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

// cutMain takes the main word off a field, in lower case: "text/plain", though
// written "text / plain" or in quotes.
func cutMain(s string) (main, rest string) {
	const ends = "\"';,=( \t\r\n"
	s = strings.TrimLeft(s, "\"' \t\r\n")
	end := len(s)
	if i := strings.IndexAny(s, ends); i >= 0 {
		end = i
	}
	main, rest = s[:end], s[end:]
	if strings.HasPrefix(rest, "=") {
		return "", s // a parameter already
	}
	if sub := strings.TrimLeft(rest, " \t"); strings.HasPrefix(sub, "/") && !strings.Contains(main, "/") {
		main += "/"
		rest = sub[1:]
	}
	if strings.HasSuffix(main, "/") {
		rest = strings.TrimLeft(rest, " \t")
		sub := rest
		if i := strings.IndexAny(rest, ends); i >= 0 {
			sub = rest[:i]
		}
		main, rest = main+sub, rest[len(sub):]
	}
	return strings.ToLower(main), strings.TrimLeft(rest, "\"'")
}

// cutParam takes one name=value off s.
func cutParam(s string) (name, val, rest string) {
	s = skipComment(strings.TrimLeft(s, ";, \t\r\n"))
	eq := strings.IndexAny(s, "=;")
	if eq < 0 {
		return "", "", ""
	}
	if s[eq] == ';' {
		return "", "", s[eq+1:]
	}
	name = strings.ToLower(strings.TrimSpace(s[:eq]))
	s = strings.TrimLeft(s[eq+1:], " \t\r\n")
	if strings.HasPrefix(s, `"`) {
		val, rest = cutQuoted(s)
		return name, val, rest
	}
	end := 0
	for strings.HasPrefix(s[end:], "=?") { // a semicolon within an encoded word is no end
		_, _, behind, ok := cutWord(s[end:])
		if !ok {
			break
		}
		end = len(s) - len(strings.TrimLeft(behind, " \t"))
	}
	val, rest, _ = strings.Cut(s[end:], ";")
	return name, strings.TrimSpace(s[:end] + val), rest
}

// skipComment takes a comment off the front (RFC 2045 section 5.1).
func skipComment(s string) string {
	if !strings.HasPrefix(s, "(") {
		return s
	}
	if _, rest, ok := strings.Cut(s, ")"); ok {
		return strings.TrimLeft(rest, ";, \t\r\n")
	}
	return s
}

// cutQuoted takes a quoted string off the front, or several with blanks
// between them.
func cutQuoted(s string) (val, rest string) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '"':
			rest = s[i+1:]
			if more := strings.TrimLeft(rest, " \t\r\n"); len(more) < len(rest) && strings.HasPrefix(more, `"`) {
				b.WriteByte(' ')
				i = len(s) - len(more)
				continue
			}
			return b.String(), rest
		case s[i] == '\\' && i+1 < len(s) && (s[i+1] == '"' || s[i+1] == '\\'):
			i++
			b.WriteByte(s[i])
		default:
			b.WriteByte(s[i])
		}
	}
	// It never closes: another parameter ends it.
	if i := strings.IndexByte(s, ';'); i > 0 && strings.Contains(s[i:], "=") {
		return s[1:i], s[i+1:]
	}
	return b.String(), ""
}

// unescaped decodes a name that is percent-encoded as in the address of a page,
// if that makes words of another script of it: "100%25" may be meant as it is.
// Some programs write all of RFC 2231 but the asterisk.
func unescaped(s string, hint *clue) string {
	if !strings.Contains(s, "%") {
		return s
	}
	if label, text := cutCharset(s); label != "" {
		text, _ = decodeCharset(label, []byte(unpercent(text)), hint)
		return text
	}
	if un := unpercent(s); utf8.ValidString(un) && !isASCII([]byte(un)) && isASCII([]byte(s)) {
		return un
	}
	return s
}

// unpercent undoes the percent-encoding; what is none stays.
func unpercent(s string) string {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) && unhex(s[i+1]) < 16 && unhex(s[i+2]) < 16 {
			out = append(out, unhex(s[i+1])<<4|unhex(s[i+2]))
			i += 2
			continue
		}
		out = append(out, s[i])
	}
	return string(out)
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
		p.charset, val = cutCharset(val)
	}
	if encoded {
		val = unpercent(val)
	}
	if section < 0 {
		p.whole = val
	} else if _, again := p.parts[section]; !again {
		p.parts[section] = val
	}
}

// cutCharset takes charset and language off an encoded value: "utf-8'en'x".
func cutCharset(val string) (charset, text string) {
	label, rest, ok := strings.Cut(val, "'")
	if !ok {
		return "", val
	}
	if clean := cleanLabel(label); label != "" && clean != "utf-8" && clean != "us-ascii" && lookup(clean) == nil {
		return "", val // an apostrophe like any other
	}
	if _, text, ok = strings.Cut(rest, "'"); ok {
		return label, text
	}
	return label, rest // one was forgotten
}

func (p *pieced) join(hint *clue) string {
	s := p.whole
	if s == "" {
		var b strings.Builder
		for i := range maxParams + 1 { // whether or not one is missing
			b.WriteString(p.parts[i])
		}
		s = b.String()
	}
	if p.charset != "" {
		s, _ = decodeCharset(p.charset, []byte(s), hint)
	}
	return decodeWords(s, hint)
}
