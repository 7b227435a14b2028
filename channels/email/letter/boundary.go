package letter

import (
	"bytes"
	"slices"
	"strings"
)

// maxBoundary is the longest boundary that is looked for. RFC 2046 section
// 5.1.1 has 70 characters.
const maxBoundary = 250

// boundaryOf finds the boundary of the multipart that is being read: the
// declared one if the body has it, or what the body has instead. note says
// where they differ.
func (w *walker) boundaryOf(declared string) (boundary, note string) {
	declared = strings.TrimRight(declared, " ")
	if declared != "" && w.ahead(declared) {
		return declared, ""
	}
	for _, meant := range []string{strings.Trim(declared, "'"), strings.TrimPrefix(declared, "--")} {
		if meant != "" && meant != declared && w.ahead(meant) {
			return meant, "" // quoted in the way of other languages, or as it stands in the body
		}
	}
	if seen := w.sniffBoundary(); seen != "" && !slices.Contains(w.open, seen) {
		return seen, "a multipart has no boundary, or a wrong one; it was found by looking"
	}
	return declared, ""
}

// ahead tells whether the boundary line comes within what is in memory.
func (w *walker) ahead(boundary string) bool {
	peek := w.peek()
	return bytes.HasPrefix(peek, []byte("--"+boundary)) || bytes.Contains(peek, []byte("\n--"+boundary))
}

func (w *walker) peek() []byte {
	if len(w.back) > 0 {
		return bytes.Join(w.back, nil)
	}
	peek, _ := w.br.Peek(4096)
	return peek
}

// sniffBoundary looks for a line that can only be a boundary: dashes, with a
// Content- field on the next line, or with an empty one there and the same
// again further on.
func (w *walker) sniffBoundary() string {
	peek := w.peek()
	for len(peek) > 0 {
		line, rest, _ := bytes.Cut(peek, lf)
		line = bytes.TrimRight(line, " \t\r")
		if len(line) > 2 && len(line) < maxBoundary && bytes.HasPrefix(line, []byte("--")) {
			const field = "Content-"
			if len(rest) >= len(field) && bytes.EqualFold(rest[:len(field)], []byte(field)) {
				return string(line[2:])
			}
			if again := append([]byte{'\n'}, line...); bytes.HasPrefix(bytes.TrimLeft(rest, "\r"), lf) && bytes.Contains(rest, again) && !rule(line) {
				return string(line[2:])
			}
		}
		peek = rest
	}
	return ""
}

// rule tells whether a line is drawn of dashes alone, as texts have them.
func rule(line []byte) bool { return len(bytes.Trim(line, "-")) == 0 }
