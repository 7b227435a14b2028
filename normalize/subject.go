package normalize

import (
	"slices"
	"strings"
)

// What mail programs put before a subject: of an answer, and of a mail that
// is passed on.
var (
	forwardPrefixes = []string{"fw", "fwd", "wg", "tr", "rv", "i", "enc", "doorst", "vs", "vl", "vb", "pd", "転送", "转发", "轉寄", "전달"}
	replyPrefixes   = append([]string{"re", "aw", "sv", "antw", "ref", "rif", "res", "ynt", "odp", "回复", "答复", "回覆", "答覆", "自动回复", "返信", "회신"}, forwardPrefixes...)
)

// forwarded tells whether a subject says that the mail passes another one on.
func forwarded(subject string) bool {
	prefix, _, ok := strings.Cut(strings.ToLower(strings.TrimSpace(strings.ReplaceAll(subject, "：", ":"))), ":")
	return ok && slices.Contains(forwardPrefixes, strings.TrimSpace(prefix))
}

// subject strips "Re:", "回复：" and our own "[2611-2300-4279]" from a subject,
// however often they stand there.
func subject(s string) string {
	s = oneLine(s)
	for {
		before := s
		low := strings.ToLower(s)
		for _, p := range replyPrefixes {
			rest, ok := strings.CutPrefix(low, p)
			if !ok {
				continue
			}
			if end := strings.IndexByte(rest, ']'); strings.HasPrefix(rest, "[") && end > 0 && end <= 3 {
				rest = rest[end+1:] // Re[2]:
			}
			rest = strings.TrimLeft(rest, " ")
			if tail, ok := strings.CutPrefix(rest, ":"); ok {
				rest = tail
			} else if tail, ok := strings.CutPrefix(rest, "："); ok {
				rest = tail
			} else {
				continue
			}
			if len(rest) <= len(s) && strings.HasSuffix(strings.ToLower(s), rest) {
				s = strings.TrimSpace(s[len(s)-len(rest):])
			}
			break
		}
		s = strings.TrimSpace(dropTag(s))
		if s == before {
			return s
		}
	}
}

// dropTag takes the first [2611-2300-4279] out.
func dropTag(s string) string {
	for from := 0; ; {
		open := strings.IndexByte(s[from:], '[')
		if open < 0 {
			return s
		}
		open += from
		end := strings.IndexByte(s[open:], ']')
		if end < 0 {
			return s
		}
		inside := s[open+1 : open+end]
		if len(inside) == 14 && strings.Trim(inside, "0123456789-") == "" {
			return oneLine(s[:open] + " " + s[open+end+1:])
		}
		from = open + 1
	}
}
