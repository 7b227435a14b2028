package letter

import (
	"strconv"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// look is what an element's attributes say about how it is shown.
type look struct {
	hides      bool // it and all in it are not seen
	tiny       bool // its own words are too small to be seen
	sized      bool // it says how large its words are
	keepsLines bool // its line ends are seen
	spaced     bool // it says whether its line ends are seen
	flatAbove  bool // no empty line stands above it
	flatBelow  bool
}

// tinySize is the size, in pixels or points, up to which words are not to be
// read: preheaders have it.
const tinySize = 1

// lookOf reads an element's style. Templates hide by many means what a list of
// mails shows beside the subject.
func lookOf(t html.Token) look {
	l := look{hides: hidden(t)}
	if strings.HasPrefix(attr(t, "class"), "Mso") { // Outlook's paragraphs are lines
		l.flatAbove, l.flatBelow = true, true
	}
	s := attr(t, "style")
	if s == "" {
		return l
	}
	d := declarations(s)
	is := func(key string, any ...string) bool {
		for _, v := range any {
			if d[key] == v {
				return true
			}
		}
		return false
	}
	l.hides = l.hides || is("display", "none") || is("visibility", "hidden", "collapse") || is("mso-hide", "all") || zero(d["max-height"]) || zero(d["opacity"]) ||
		zero(d["height"]) && is("overflow", "hidden") || is("color", "transparent") || d["color"] != "" && colour(d["color"]) == colour(either(d["background-color"], d["background"]))
	if size := d["font-size"]; size != "" {
		n, ok := length(size)
		l.sized, l.tiny = true, ok && n <= tinySize
	}
	if space := d["white-space"]; space != "" {
		l.spaced, l.keepsLines = true, strings.HasPrefix(space, "pre") || space == "break-spaces"
	}
	if m := strings.Fields(d["margin"]); len(m) > 0 {
		l.flatAbove, l.flatBelow = zero(m[0]), zero(m[min(2, len(m)-1)])
		if len(m) < 3 {
			l.flatBelow = zero(m[0])
		}
	}
	if m, ok := d["margin-top"]; ok {
		l.flatAbove = zero(m)
	}
	if m, ok := d["margin-bottom"]; ok {
		l.flatBelow = zero(m)
	}
	return l
}

// hidden tells what is no text, and what says itself that it is not shown.
func hidden(t html.Token) bool {
	switch t.DataAtom {
	case atom.Script, atom.Style, atom.Title, atom.Template, atom.Svg, atom.Object, atom.Applet, atom.Iframe, atom.Select, atom.Noscript:
		return true
	case 0:
		if t.Data == "xml" { // Office's settings
			return true
		}
	}
	for _, a := range t.Attr {
		if a.Key == "hidden" {
			return true
		}
	}
	return false
}

// maxDeclarations is how many declarations of a style are read.
const maxDeclarations = 100

// declarations reads a style attribute. The last word counts, but for what is
// important.
func declarations(style string) map[string]string {
	d := map[string]string{}
	important := map[string]bool{}
	for range maxDeclarations {
		one, rest, more := strings.Cut(style, ";")
		key, value, _ := strings.Cut(one, ":")
		key = strings.ToLower(strings.TrimSpace(key))
		value, loud := strings.CutSuffix(strings.TrimSpace(strings.ToLower(value)), "important")
		value = strings.TrimRight(value, "! ")
		if !important[key] || loud {
			d[key], important[key] = value, loud
		}
		if !more {
			break
		}
		style = rest
	}
	return d
}

// smallest is a length that Outlook writes for none.
const smallest = 0.001

func zero(s string) bool {
	n, ok := length(s)
	return ok && n < smallest
}

// length reads "0", "14px" or ".0001pt"; other units are large ones.
func length(s string) (float64, bool) {
	number := strings.TrimRight(s, "abcdefghijklmnopqrstuvwxyz%")
	n, err := strconv.ParseFloat(number, 64)
	if unit := s[len(number):]; n != 0 && unit != "px" && unit != "pt" && unit != "" {
		n *= 10
	}
	return n, err == nil
}

// colour writes white in one way, since it is what hidden words have.
func colour(s string) string {
	switch s = strings.ReplaceAll(s, " ", ""); s {
	case "#fff", "#ffffff", "rgb(255,255,255)":
		return "white"
	}
	return s
}

func either(any ...string) string {
	for _, s := range any {
		if s != "" {
			return s
		}
	}
	return ""
}
