package complaint

import (
	"crypto/sha256"
	"fmt"
	"strconv"
	"strings"
)

// RecordID derives the id of a contact from what names it at its source. The
// same parts always give the same id, so that whatever is delivered again is
// the same record. It has the form of a UUIDv8 (RFC 9562 section 5.8).
func RecordID(channel string, parts ...string) string {
	var b strings.Builder
	b.WriteString(channel)
	for _, p := range parts {
		// The length keeps ("a", "bc") apart from ("ab", "c").
		b.WriteString("\x00" + strconv.Itoa(len(p)) + ":" + p)
	}
	h := sha256.Sum256([]byte(b.String()))
	h[6] = h[6]&0x0f | 0x80
	h[8] = h[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", h[0:4], h[4:6], h[6:8], h[8:10], h[10:16])
}
