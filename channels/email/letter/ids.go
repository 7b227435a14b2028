package letter

import "strings"

// Bounds of threading fields. A thread of more than maxIDs mails keeps its
// first and its newest.
const (
	maxIDs    = 100
	maxIDSize = 500 // bytes; RFC 5322 lines end at 998
)

// messageIDs finds every <...@...> in s, whatever stands between: old mail
// programs put dates and phrases into In-Reply-To.
func messageIDs(s string) []string {
	var ids []string
	seen := map[string]bool{}
	for {
		i := strings.IndexByte(s, '<')
		if i < 0 {
			break
		}
		s = s[i+1:]
		end := strings.IndexAny(s, "<>")
		if end < 0 {
			break
		}
		if s[end] == '<' {
			s = s[end:]
			continue
		}
		// A fold within an id is a blank now.
		id := strings.Join(strings.Fields(s[:end]), "")
		s = s[end+1:]
		if ValidID(id) && !seen[id] {
			seen[id] = true
			ids = append(ids, id)
		}
	}
	if len(ids) > maxIDs {
		ids = append(ids[:1:1], ids[len(ids)-maxIDs+1:]...)
	}
	return ids
}

// threadIDs is messageIDs for what a mail says of its thread: some programs
// write it as encoded words, some without brackets.
func threadIDs(s string) []string {
	s = decodeWords(s, nil)
	if strings.Contains(s, "<") {
		return messageIDs(s)
	}
	ids := strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == '\t' || r == ',' })
	for _, id := range ids {
		if !strings.Contains(id, "@") || !ValidID(id) {
			return nil // a phrase
		}
	}
	return messageIDs("<" + strings.Join(ids, "><") + ">")
}

// looseID takes a Message-ID that lacks its angle brackets.
func looseID(s string) string {
	s = strings.Trim(strings.TrimSpace(s), "<>")
	if ValidID(s) {
		return s
	}
	return ""
}

// ValidID tells whether id can stand in a header between angle brackets.
func ValidID(id string) bool {
	if id == "" || len(id) > maxIDSize {
		return false
	}
	for i := range len(id) {
		if id[i] <= ' ' || id[i] >= 0x7f || id[i] == '<' || id[i] == '>' {
			return false
		}
	}
	return true
}
