package email

import (
	"html"
	"regexp"
	"strings"

	"hearken/complaint"
)

// bodyMark stands in the frame of the page for the text, which is put in
// afterwards: it may be longer than what words renders.
const bodyMark = "<!-- the text -->"

// page is the mail's text as HTML, in the frame email.html. What a department
// or a template says is escaped: it is text, in either form.
func (e *Email) page(r complaint.Reply, text string) (string, error) {
	lang := r.Language
	if !plainToken(lang) {
		lang = "en"
	}
	frame, err := e.book.Say(r.Language, "email.html", map[string]string{"number": complaint.Grouped(r.Number), "language": lang, "text": bodyMark})
	if err != nil {
		return "", err
	}
	return strings.Replace(frame, bodyMark, paragraphs(text, complaint.Grouped(r.Number)), 1), nil
}

// paragraphs makes HTML of plain text: an empty line ends a paragraph, the
// number on a line of its own stands out, web addresses can be followed.
func paragraphs(text, number string) string {
	var out strings.Builder
	for _, p := range strings.Split(strings.TrimSpace(text), "\n\n") {
		switch p = strings.Trim(p, "\n"); {
		case strings.TrimSpace(p) == "":
			continue
		case strings.TrimSpace(p) == number:
			out.WriteString(`<p style="font-size:24px;font-weight:bold;letter-spacing:1px">` + html.EscapeString(number) + "</p>\n")
			continue
		}
		style := ""
		if rest, ok := strings.CutPrefix(p, "--\n"); ok {
			p, style = rest, ` style="color:#595959;border-top:1px solid #ddd;padding-top:8px"`
		}
		out.WriteString("<p" + style + ">" + strings.ReplaceAll(linked(p), "\n", "<br>\n") + "</p>\n")
	}
	return out.String()
}

var webAddress = regexp.MustCompile(`https?://[^\s<>"'（）。，、；！？]{1,1000}`)

// linked escapes text and makes links of the web addresses in it.
func linked(s string) string {
	var out strings.Builder
	at := 0
	for _, m := range webAddress.FindAllStringIndex(s, 200) {
		url := strings.TrimRight(s[m[0]:m[1]], ".,;:!?)")
		out.WriteString(html.EscapeString(s[at:m[0]]))
		escaped := html.EscapeString(url)
		out.WriteString(`<a href="` + escaped + `">` + escaped + "</a>")
		at = m[0] + len(url)
	}
	out.WriteString(html.EscapeString(s[at:]))
	return out.String()
}
