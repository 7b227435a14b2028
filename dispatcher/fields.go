package dispatcher

import (
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"time"

	"hearken/complaint"
	"hearken/internal/terms"
)

// view is a record as conditions look at it. The terms of all rules are
// looked for at once, when the first condition asks.
type view struct {
	*complaint.Record
	rules *Rules
	terms map[int]bool // owners found; nil until asked
}

// has tells whether a term of the owner is in the record's words.
func (v *view) has(owner int) bool {
	if v.terms == nil {
		v.terms = map[int]bool{}
		for _, text := range []string{v.Subject, v.Narrative} {
			for _, h := range v.rules.terms.Find(text) {
				v.terms[h.Owner] = true
			}
		}
	}
	return v.terms[owner]
}

// test is a compiled condition.
type test func(*view) bool

// field compiles the value that stands behind its name in a `when`.
type field func(c *compiler, path string, value any) test

// fields is the one table of what `when` can ask: a new field is a line here.
func fields() map[string]field {
	return map[string]field{
		"type":          known("types", func(r *complaint.Record) []string { return append([]string{r.Type}, r.SecondaryTypes...)[:1] }),
		"any_type":      known("types", func(r *complaint.Record) []string { return append([]string{r.Type}, r.SecondaryTypes...) }),
		"priority":      known("priorities", func(r *complaint.Record) []string { return []string{r.Priority} }),
		"channel":       known("channels", func(r *complaint.Record) []string { return []string{r.Channel} }),
		"flags":         known("flags", func(r *complaint.Record) []string { return r.Flags }),
		"event":         known("events", func(r *complaint.Record) []string { return []string{r.Event} }),
		"class":         known("classes", func(r *complaint.Record) []string { return []string{r.IntakeClass} }),
		"remedy":        words(func(r *complaint.Record) []string { return r.RemedySought }),
		"contact_point": words(func(r *complaint.Record) []string { return []string{r.ContactPoint} }),
		"language":      words(func(r *complaint.Record) []string { return []string{r.Complainant.Language} }),
		"customer": words(func(r *complaint.Record) []string {
			return strings.Fields(strings.ReplaceAll(r.Facts["customer"], ",", " "))
		}),
		"repeat":      truth(func(r *complaint.Record) bool { return r.Facts["repeat"] == "true" }),
		"automated":   truth(func(r *complaint.Record) bool { return r.Source.Automated }),
		"attachments": attachments,
		"text":        text,
		"from":        from,
		"amount":      amount,
		"hours":       hours,
	}
}

// known compares with names that must be defined.
func known(kind string, get func(*complaint.Record) []string) field {
	return func(c *compiler, path string, value any) test {
		list := c.list(path, value)
		for i, s := range list {
			c.mustKnow(fmt.Sprintf("%s[%d]", path, i), kind, s)
		}
		return anyOf(list, get)
	}
}

// words compares with any words, without regard to case.
func words(get func(*complaint.Record) []string) field {
	return func(c *compiler, path string, value any) test { return anyOf(c.list(path, value), get) }
}

func anyOf(list []string, get func(*complaint.Record) []string) test {
	return func(v *view) bool {
		for _, have := range get(v.Record) {
			for _, want := range list {
				if strings.EqualFold(have, want) {
					return true
				}
			}
		}
		return false
	}
}

func truth(get func(*complaint.Record) bool) field {
	return func(c *compiler, path string, value any) test {
		want, ok := value.(bool)
		if !ok {
			c.fault(path, "must be true or false")
		}
		return func(v *view) bool { return get(v.Record) == want }
	}
}

// attachments: true, false or {min: 2}.
func attachments(c *compiler, path string, value any) test {
	if want, ok := value.(bool); ok {
		return func(v *view) bool { return (len(v.Attachments) > 0) == want }
	}
	m := c.object(path, value, "min", "max")
	low, high := c.decimal(path+".min", m["min"]), c.decimal(path+".max", m["max"])
	return func(v *view) bool { return within(big.NewRat(int64(len(v.Attachments)), 1), low, high) }
}

// maxRegexp bounds a regular expression, in bytes; Go's never backtrack.
const maxRegexp = 1000

// text: {any: [...], all: [...], none: [...], regexp: "..."} over subject and
// narrative.
func text(c *compiler, path string, value any) test {
	m := c.object(path, value, "any", "all", "none", "regexp")
	var tests []test
	owners := func(key string) []int {
		var out []int
		for i, term := range c.list(path+"."+key, m[key]) {
			out = append(out, c.term(fmt.Sprintf("%s.%s[%d]", path, key, i), term))
		}
		return out
	}
	if m["any"] != nil {
		list := owners("any")
		tests = append(tests, func(v *view) bool { return slices.ContainsFunc(list, v.has) })
	}
	if m["all"] != nil {
		list := owners("all")
		tests = append(tests, func(v *view) bool {
			return !slices.ContainsFunc(list, func(o int) bool { return !v.has(o) })
		})
	}
	if m["none"] != nil {
		list := owners("none")
		tests = append(tests, func(v *view) bool { return !slices.ContainsFunc(list, v.has) })
	}
	if m["regexp"] != nil {
		s, _ := m["regexp"].(string)
		re, err := regexp.Compile(s)
		if err != nil || s == "" || len(s) > maxRegexp {
			c.fault(path+".regexp", fmt.Sprintf("not a regular expression of at most %d characters: %v", maxRegexp, err))
		} else {
			tests = append(tests, func(v *view) bool { return re.MatchString(v.Subject) || re.MatchString(v.Narrative) })
		}
	}
	return all(tests)
}

// from: {address: [...], domain: [...]} of the complainant's e-mail; a domain
// stands for its subdomains too.
func from(c *compiler, path string, value any) test {
	m := c.object(path, value, "address", "domain")
	addresses, domains := c.list(path+".address", m["address"]), c.list(path+".domain", m["domain"])
	return func(v *view) bool {
		email := strings.ToLower(v.Complainant.Email)
		_, host, _ := strings.Cut(email, "@")
		for _, a := range addresses {
			if email != "" && strings.EqualFold(email, a) {
				return true
			}
		}
		for _, d := range domains {
			d = strings.ToLower(strings.TrimPrefix(d, "@"))
			if host == d || strings.HasSuffix(host, "."+d) {
				return true
			}
		}
		return false
	}
}

// amount: {min: 1000, max: 5000, currency: CNY}; without a currency any one
// counts. A record without an amount never matches.
func amount(c *compiler, path string, value any) test {
	m := c.object(path, value, "min", "max", "currency")
	low, high := c.decimal(path+".min", m["min"]), c.decimal(path+".max", m["max"])
	currencies := c.list(path+".currency", m["currency"])
	return func(v *view) bool {
		sum, ok := new(big.Rat).SetString(v.AmountInvolved)
		if !ok || (len(currencies) > 0 && !slices.Contains(currencies, v.Currency)) {
			return false
		}
		return within(sum, low, high)
	}
}

func within(x, low, high *big.Rat) bool {
	return (low == nil || x.Cmp(low) >= 0) && (high == nil || x.Cmp(high) <= 0)
}

var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// hours: {days: [mon, tue], from: "09:00", to: "18:00"} of the time the
// contact was received, in the rules' time zone; from after to spans midnight.
func hours(c *compiler, path string, value any) test {
	m := c.object(path, value, "days", "from", "to")
	days := c.list(path+".days", m["days"])
	for i, d := range days {
		if !slices.Contains(weekdays, strings.ToLower(d)) {
			c.fault(fmt.Sprintf("%s.days[%d]", path, i), fmt.Sprintf("%q is not one of %s", d, strings.Join(weekdays, ", ")))
		}
	}
	begin, end := c.clock(path+".from", m["from"], 0), c.clock(path+".to", m["to"], 24*60)
	zone := c.cfg.Location
	return func(v *view) bool {
		t := v.ReceivedAt.In(zone)
		minute := t.Hour()*60 + t.Minute()
		in := minute >= begin && minute < end
		if begin > end {
			in = minute >= begin || minute < end
			if minute < end { // the night belongs to the day before
				t = t.AddDate(0, 0, -1)
			}
		}
		return in && (len(days) == 0 || slices.ContainsFunc(days, func(d string) bool { return strings.EqualFold(d, weekdays[t.Weekday()]) }))
	}
}

// clock reads "09:30" as minutes of the day.
func (c *compiler) clock(path string, value any, absent int) int {
	if value == nil {
		return absent
	}
	s, _ := value.(string)
	if s == "24:00" {
		return 24 * 60
	}
	t, err := time.Parse("15:04", s)
	if err != nil {
		c.fault(path, `must be a time of day like "09:30", in quotes`)
	}
	return t.Hour()*60 + t.Minute()
}

func all(tests []test) test {
	return func(v *view) bool {
		for _, t := range tests {
			if !t(v) {
				return false
			}
		}
		return true
	}
}

// term registers a term of the rules and returns its owner.
func (c *compiler) term(path, term string) int {
	if _, err := terms.Compile([]terms.Pattern{{Term: term}}); err != nil {
		c.fault(path, err.Error())
		return -1
	}
	if owner, ok := c.owners[term]; ok {
		return owner
	}
	owner := len(c.patterns)
	c.owners[term] = owner
	c.patterns = append(c.patterns, terms.Pattern{Owner: owner, Term: term})
	return owner
}
