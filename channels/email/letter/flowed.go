package letter

import "strings"

// unflow joins flowed lines (RFC 3676 section 4).
func unflow(s string, delSp bool) string {
	var out strings.Builder
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		unstuffed := strings.TrimPrefix(line, " ")
		soft := strings.HasSuffix(line, " ") && line != "-- "
		if i+1 < len(lines) && quoteDepth(lines[i+1]) != quoteDepth(line) {
			soft = false
		}
		if depth := quoteDepth(line); depth > 0 && i > 0 && out.Len() > 0 && !strings.HasSuffix(out.String()[out.Len()-1:], "\n") {
			unstuffed = strings.TrimPrefix(line[depth:], " ")
		}
		if soft && delSp {
			unstuffed = strings.TrimSuffix(unstuffed, " ")
		}
		out.WriteString(unstuffed)
		if !soft && i+1 < len(lines) {
			out.WriteByte('\n')
		}
	}
	return out.String()
}

func quoteDepth(line string) int {
	return len(line) - len(strings.TrimLeft(line, ">"))
}
