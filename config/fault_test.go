package config

import (
	"strings"
	"testing"
)

const soundRules = `version: 1
departments: {FIN: {}, CMO: {}, LEGAL: {}}
types:
  BILLING: {department: FIN, keywords: [{any: [overcharged, 多收]}]}
flags:
  legal: {any: [lawyer, 律师]}
priorities:
  - {priority: P2, when: {flags: [legal]}}
routes:
  - name: legal
    when: {flags: [legal]}
    to: LEGAL
    with: [CMO]
    deadlines: {plan: 2h}
default: CMO
tests:
  - {name: billing, given: {text: I was overcharged}, expect: {department: CMO}}
`

// What people get wrong in such a file, and what they are told: the place, the
// reason, and what is underlined.
func TestMistakes(t *testing.T) {
	if _, err := parseRules("r", []byte(soundRules)); err != nil {
		t.Fatal(err)
	}
	const when = "when: {flags: [legal]}\n    to"
	for _, c := range []struct{ was, is, says, marked string }{
		// of YAML
		{"    when: {flags: [legal]}\n    to", "\twhen: {flags: [legal]}\n    to", "r:11:1: a tab: indent with spaces", " when"},
		{"to: LEGAL", "to:LEGAL", "r:12:5: here must be a key and its value", "to:LEGAL"},
		{"to: LEGAL", "to LEGAL", "is the colon missing", "to LEGAL"},
		{"to: LEGAL", "to：LEGAL", "r:12:7: a full-width colon (：): write : and a space", "：LEGAL"},
		{"with: [CMO]", "with: [CMO", "r:14:5: a list that begins with [ before this is not closed", "deadlines"},
		{when, "when: {flags: [legal]\n    to", "r:12:5: a mapping that begins with { before this is not closed", "to"},
		{"default: CMO", "default: \"CMO", "r:15:10: the quotation mark here is not closed", `"CMO`},
		{"    to: LEGAL", "   to: LEGAL", "r:12:4: this does not fit the lines above", "to"},
		{"    to: LEGAL", "    to: LEGAL\n    to: FIN", "r:13:5: to stands here a second time", "to"},
		{when, "when: &w {flags: [legal]}\n    to", "r:11:11: anchors, aliases and tags are not read here", "&w"},
		// of keys
		{"with:", "wiht:", "r:13:5: unknown key wiht; did you mean with?", "wiht"},
		{"routes:", "route:", "r:9:1: unknown key route; did you mean routes?", "route"},
		{when, "when: {flag: [legal]}\n    to", "r:11:12: routes[0].when.flag: no such field; did you mean flags?", "flag"},
		{when, "when: {amount: {mni: 5}}\n    to", "r:11:21: routes[0].when.amount.mni: no such key; did you mean min?", "mni"},
		{"name: legal\n    when", "when", "r:10:5: routes[0].name: a route needs a name", "when"},
		{"default: CMO\n", "", "r: default: there must be a default department", ""},
		{"version: 1\n", "", "r: version must be 1", ""},
		{when, "when:\n    to", "r:11:5: when says nothing: indent its fields below it", "when"},
		{when, "when: {type: }\n    to", "r:11:12: routes[0].when.type: has no value", "type"},
		{when, "when: {amount: {min: 500, max: 100}}\n    to", "r:11:36: routes[0].when.amount.max: no number is at least 500 and at most 100", "100"},
		{when, "when: {hours: {from: \"09:00\", to: \"09:00\"}}\n    to", "routes[0].when.hours: from and to are the same", "from"},
		{"{any: [overcharged, 多收]}", "{any: [overcharged], weight: -1}", "r:4:70: types.BILLING.keywords[0].weight: must be above 0", "-1"},
		{"[overcharged, 多收]", "[overcharged, '']", "r:4:61: term", "''"},
		{"deadlines: {plan: 2h}", "deadlines: {plan: 2h ending business}", `"business" is not one of the calendars; there are none`, "2h ending business"},
		{"default: CMO", "default: CMO\nmax_returns: -1", "r:16:14: max_returns: must be 0 or more", "-1"},
		{"{text: I was overcharged}, expect: {department: CMO}", "{channel: fax}, expect: {rule: leagl}", `the test can't pass: nothing has the rule "leagl"; did you mean legal?`, "fax"},
		{"default: CMO", "default: CMO\nclassifier: {threshold: 7}", "r:16:25: classifier.threshold: is 7: it must lie between 0 and 1", "classifier"},
		{when, "when: {from: {domain: [\"*.example.com\"]}}\n    to", `"*.example.com" is no domain like example.com`, `"*.example.com"`},
		{when, "when: {from: {address: ann}}\n    to", `"ann" is no whole address`, "ann"},
		{when, "when: {not: {text: {any: [\"@stuff\"]}}}\n    to", `r:11:31: there is no list "stuff" under words`, `"@stuff"`},
		{when, "when: {text: {all: [\"@stuff\"]}}\n    to", "all of the words of a list are not to be found together", `"@stuff"`},
		{"{priority: P2, when: {flags: [legal]}}", "{priority: P2, when: {any: [{event: [registered]}]}}", "priorities[0].when.any[0].event: is not known when priorities are decided", "["},
		// of names
		{"to: LEGAL", "to: LEGEL", `r:12:9: routes[0].to: "LEGEL" is not one of the departments; did you mean LEGAL?`, "LEGEL"},
		{"to: LEGAL", "to: legal", "did you mean LEGAL?", "legal"},
		{"default: CMO", "default: “CMO”", "did you mean CMO?; the quotation marks are typographic, YAML's are straight", "“CMO”"},
		{when, "when: {type: [BILING]}\n    to", `r:11:19: routes[0].when.type[0]: "BILING" is not one of the types; did you mean BILLING?`, "BILING"},
		{when, "when: {channel: mail}\n    to", `r:11:21: routes[0].when.channel[0]: "mail" is not one of the channels; did you mean email?`, "mail"},
		{"{priority: P2", "{priority: 2", `"2" is not one of the priorities; did you mean P2?`, "2"},
		{"with: [CMO]", "with: [CMO, BILLING]", `r:13:17: routes[0].with[1]: "BILLING" is not one of the departments; there are CMO, FIN, LEGAL`, "BILLING"},
		{"default: CMO", "  - {name: legal, when: {}, to: FIN}\ndefault: CMO", `r:15:12: routes[1].name: another route has the name "legal"`, "legal"},
		{"{department: CMO}", "{department: CM0}", `r:17:76: the test can't pass: nothing has the department "CM0"; did you mean CMO?`, "CM0"},
		{"version: 1", "version: 1\ntimezone: Asia/Beijing", "r:2:11: unknown time zone Asia/Beijing; zones have names like Asia/Shanghai", "Asia/Beijing"},
		// of values
		{"plan: 2h", "plan: 2 hours", `r:14:23: routes[0].deadlines.plan: "2 hours" is not a duration like 90m, 2h or 3d`, "2 hours"},
		{when, "when: [flags, legal]\n    to", "r:11:11: must be a mapping, it is a list", "["},
		{when, "when: {any: {type: BILLING}}\n    to", "routes[0].when.any: must be a list of conditions", "type"},
		{when, "when: {text: {regexp: \"(a, b\"}}\n    to", "r:11:27: routes[0].when.text.regexp: not a regular expression", `"(a, b"`},
		{when, "when: {hours: {days: [monday]}}\n    to", `"monday" is not one of sun, mon, tue`, "monday"},
		{when, "when: {amount: {min: 5k}}\n    to", "r:11:26: routes[0].when.amount.min: must be a number", "5k"},
		{when, "when: {repeat: \"yes\"}\n    to", "routes[0].when.repeat: must be true or false", `"yes"`},
		{"[{any: [overcharged, 多收]}]", "[多收]", "r:4:41: must be a mapping with some of any, except", "多收"},
		{"多收]}", "多收], weight: high}", "r:4:74: must be a number", "high"},
		{"{department: CMO}", "{department: LEGAL}", `r:17:6: test "billing" fails: department is "CMO", expected "LEGAL"`, "name"},
		{when, "when: {text: {any: [" + strings.Repeat("a long phrase, ", 20) + "\"-\"]}}\n    to", `r:11:325: routes[0].when.text.any[20]: term "-"`, `"-"`},
	} {
		text := strings.Replace(soundRules, c.was, c.is, 1)
		if text == soundRules {
			t.Fatalf("nothing was changed by %q", c.is)
		}
		_, err := parseRules("r", []byte(text))
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s:\n%v\nwant %s", c.is, err, c.says)
			continue
		}
		lines := strings.Split(err.Error(), "\n")
		if c.marked == "" {
			if len(lines) != 1 {
				t.Errorf("%s: shows a line for what is not there:\n%v", c.is, err)
			}
			continue
		}
		shown, under := lines[1], lines[2]
		if marked := between(shown, strings.IndexByte(under, '^'), strings.LastIndexByte(under, '^')+1); marked != c.marked || len(shown) > 200 {
			t.Errorf("%s: %q is underlined, not %q:\n%v", c.is, marked, c.marked, err)
		}
	}
}

// between cuts a text by the columns of a terminal.
func between(text string, from, to int) string {
	var b strings.Builder
	col := 0
	for _, r := range text {
		if col >= from && col < to {
			b.WriteRune(r)
		}
		col += textWidth(string(r))
	}
	return b.String()
}

// What other programs write: a mark at the beginning is none of the file's
// words; what is not UTF-8 would be read, and its Chinese never found.
func TestEncodings(t *testing.T) {
	if _, err := parseRules("r", []byte("\ufeff"+soundRules)); err != nil {
		t.Errorf("with a byte order mark: %v", err)
	}
	for text, says := range map[string]string{
		strings.Replace(soundRules, "多收", "\xb6\xe0\xca\xd5", 1): "line 4 is not in UTF-8 but perhaps in GBK",
		"\xff\xfev\x00":  "the file is in UTF-16",
		"version: 1\x00": "the file is no text",
	} {
		if _, err := parseRules("r", []byte(text)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v", says, err)
		}
	}
}

// All that is wrong is told at once, in the order of the file.
func TestMistakesAllAtOnce(t *testing.T) {
	text := strings.NewReplacer("to: LEGAL", "to: LEGEL", "default: CMO", "default: CM0", "plan: 2h", "plan: soon", "with:", "wiht:", "P2", "P9").Replace(soundRules)
	_, err := parseRules("r", []byte(text))
	at := -1
	for _, want := range []string{"r:8:", "r:12:", "r:13:", "r:14:", "r:15:"} {
		i := strings.Index(err.Error(), want)
		if i <= at {
			t.Errorf("%s is not told, or not in its place:\n%v", want, err)
		}
		at = i
	}
}
