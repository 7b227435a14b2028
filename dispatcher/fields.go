package dispatcher

import (
	"fmt"
	"maps"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"hearken/complaint"
	"hearken/internal/calendar"
	"hearken/internal/terms"
)

// view is a record as conditions look at it. The terms of all rules are
// looked for at once, when the first condition asks.
type view struct {
	*complaint.Record
	rules *Rules
	terms map[int]bool // owners found; nil until asked
}

// found are the owners of the terms in the record's words.
func (v *view) found() map[int]bool {
	if v.terms == nil {
		v.terms = map[int]bool{}
		subject, narrative := v.Words()
		for _, text := range []string{subject, narrative} {
			for _, h := range v.rules.terms.Find(text) {
				v.terms[h.Owner] = true
			}
		}
	}
	return v.terms
}

// has tells whether a term of the owner is in the record's words.
func (v *view) has(owner int) bool { return v.found()[owner] }

// field compiles the value that stands behind its name in a `when`.
type field func(c *compiler, name, path string, value any) condition

// values are what a record has of a field.
type values func(*complaint.Record) []string

// termField is the field of the keys that are terms.
const termField = "text"

// fields is the one table of what `when` can ask: a new field is a line here.
func fields() map[string]field {
	return map[string]field{
		"type":          only(known("types", func(r *complaint.Record) []string { return []string{r.Type} })),
		"any_type":      known("types", func(r *complaint.Record) []string { return append([]string{r.Type}, r.SecondaryTypes...) }),
		"priority":      only(known("priorities", func(r *complaint.Record) []string { return []string{r.Priority} })),
		"channel":       only(known("channels", func(r *complaint.Record) []string { return []string{r.Channel} })),
		"flags":         known("flags", func(r *complaint.Record) []string { return r.Flags }),
		"event":         only(known("events", func(r *complaint.Record) []string { return []string{r.Event} })),
		"class":         only(known("classes", func(r *complaint.Record) []string { return []string{r.IntakeClass} })),
		"remedy":        words(func(r *complaint.Record) []string { return r.RemedySought }),
		"contact_point": only(words(func(r *complaint.Record) []string { return []string{r.ContactPoint} })),
		"language":      only(words(func(r *complaint.Record) []string { return []string{r.Complainant.Language} })),
		"customer": words(func(r *complaint.Record) []string {
			return strings.Fields(strings.ReplaceAll(r.Facts["customer"], ",", " "))
		}),
		"repeat":      repeat,
		"automated":   truth(func(r *complaint.Record) bool { return r.Source.Automated }),
		"attachments": attachments,
		"text":        text,
		"from":        from,
		"amount":      amount,
		"hours":       hours,
	}
}

// known compares with names that must be defined.
func known(kind string, get values) field {
	return func(c *compiler, name, path string, value any) condition {
		list := c.list(path, value)
		for i, s := range list {
			c.mustKnow(fmt.Sprintf("%s[%d]", path, i), kind, s)
		}
		return c.oneOf(name, list, get)
	}
}

// only is a field of which a record has one value at most.
func only(f field) field {
	return func(c *compiler, name, path string, value any) condition {
		out := f(c, name, path, value)
		out.alone = true
		return out
	}
}

// words compares with any words, without regard to case.
func words(get values) field {
	return func(c *compiler, name, path string, value any) condition {
		return c.oneOf(name, c.list(path, value), get)
	}
}

// oneOf holds where the record has one of the listed values.
func (c *compiler) oneOf(name string, list []string, get values) condition {
	c.getters[name] = func(v *view) []string { return get(v.Record) }
	out := condition{what: name, want: "[" + strings.Join(list, ", ") + "]", exact: true, sets: [][]key{keysOf(name, list)}}
	out.got = func(v *view) string { return strings.Join(get(v.Record), ", ") }
	wanted := map[string]bool{}
	for _, want := range list {
		wanted[strings.ToLower(want)] = true
	}
	out.test = func(v *view) bool {
		return slices.ContainsFunc(get(v.Record), func(have string) bool { return wanted[have] || wanted[strings.ToLower(have)] })
	}
	return out
}

func keysOf(name string, list []string) []key {
	keys := make([]key, 0, len(list))
	for _, s := range list {
		keys = append(keys, key{name, strings.ToLower(s)})
	}
	return keys
}

// leaf is a condition that no key leads to.
func leaf(name string, value any, test func(*view) bool, got func(*view) string) condition {
	return condition{what: name, want: written(value), test: test, got: got}
}

// written shows a value as a person would say it.
func written(value any) string {
	m, ok := value.(map[string]any)
	if !ok {
		return fmt.Sprint(value)
	}
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		parts = append(parts, k+" "+fmt.Sprint(m[k]))
	}
	return strings.Join(parts, ", ")
}

func truth(get func(*complaint.Record) bool) field {
	return func(c *compiler, name, path string, value any) condition {
		want, ok := value.(bool)
		if !ok {
			c.fault(path, "must be true or false")
		}
		return c.oneOf(name, []string{strconv.FormatBool(want)}, func(r *complaint.Record) []string { return []string{fmt.Sprint(get(r))} })
	}
}

// attachments: true, false or {min: 2}.
func attachments(c *compiler, name, path string, value any) condition {
	return c.count(name, path, value, func(v *view) int64 { return int64(len(v.Attachments)) })
}

// count compares a number of things: true for any, false for none, or
// {min: 2, max: 5}.
func (c *compiler) count(name, path string, value any, number func(*view) int64) condition {
	var within reach
	switch want := value.(type) {
	case bool:
		if within.low = big.NewRat(1, 1); !want {
			within = reach{high: new(big.Rat)}
		}
	case map[string]any:
		c.object(path, value, "min", "max")
		within = c.reach(path, want)
	default:
		c.fault(path, "must be true or false, or like {min: 2}")
	}
	out := leaf(name, value, func(v *view) bool { return within.has(big.NewRat(number(v), 1)) }, func(v *view) string { return strconv.FormatInt(number(v), 10) })
	out.reach = &within
	return out
}

// reach reads min and max.
func (c *compiler) reach(path string, m map[string]any) reach {
	out := reach{low: c.decimal(path+".min", m["min"]), high: c.decimal(path+".max", m["max"])}
	if out.low != nil && out.high != nil && out.low.Cmp(out.high) > 0 {
		c.fault(path+".max", fmt.Sprintf("no number is at least %v and at most %v", m["min"], m["max"]))
	}
	return out
}

// maxRegexp bounds a regular expression, in bytes; Go's never backtrack.
const maxRegexp = 1000

// text: {any: [...], all: [...], none: [...], regexp: "..."} over subject and
// narrative.
func text(c *compiler, name, path string, value any) condition {
	m := c.object(path, value, "any", "all", "none", "regexp")
	var kids []condition
	owners := func(which string) (out []int) {
		for i, term := range c.list(path+"."+which, m[which]) {
			out = append(out, c.term(fmt.Sprintf("%s.%s[%d]", path, which, i), term))
		}
		return out
	}
	part := func(which string, test func(*view) bool, sets [][]key) condition {
		one := leaf(name+"."+which, m[which], test, func(*view) string { return "other words" })
		one.sets, one.exact = sets, sets != nil
		return one
	}
	if m["any"] != nil {
		list := owners("any")
		kids = append(kids, part("any", func(v *view) bool { return slices.ContainsFunc(list, v.has) }, [][]key{termKeys(list...)}))
	}
	if m["all"] != nil {
		list := owners("all")
		var sets [][]key
		for _, o := range list {
			sets = append(sets, termKeys(o))
		}
		kids = append(kids, part("all", func(v *view) bool {
			return !slices.ContainsFunc(list, func(o int) bool { return !v.has(o) })
		}, sets))
	}
	if m["none"] != nil {
		list := owners("none")
		found := part("none", func(v *view) bool { return slices.ContainsFunc(list, v.has) }, [][]key{termKeys(list...)})
		found.what = name + ".any"
		kids = append(kids, unless(found))
	}
	if m["regexp"] != nil {
		s, _ := m["regexp"].(string)
		re, err := regexp.Compile(s)
		if err != nil || s == "" || len(s) > maxRegexp {
			c.fault(path+".regexp", fmt.Sprintf("not a regular expression of at most %d characters: %v", maxRegexp, err))
		} else {
			kids = append(kids, part("regexp", func(v *view) bool {
				subject, narrative := v.Words()
				return re.MatchString(subject) || re.MatchString(narrative)
			}, nil))
		}
	}
	return every("text", kids)
}

func termKeys(owners ...int) []key {
	var keys []key
	for _, o := range owners {
		keys = append(keys, key{termField, strconv.Itoa(o)})
	}
	return keys
}

// from: {address: [...], domain: [...]} of the complainant's e-mail; a domain
// stands for its subdomains too.
func from(c *compiler, name, path string, value any) condition {
	m := c.object(path, value, "address", "domain")
	addresses, domains := c.list(path+".address", m["address"]), c.list(path+".domain", m["domain"])
	for i, a := range addresses {
		if !strings.Contains(a, "@") || strings.Contains(a, "*") {
			c.fault(fmt.Sprintf("%s.address[%d]", path, i), fmt.Sprintf("%q is no whole address; for all of a domain there is domain: [example.com]", a))
		}
	}
	for i, d := range domains {
		if strings.ContainsAny(d, "*/ ") {
			c.fault(fmt.Sprintf("%s.domain[%d]", path, i), fmt.Sprintf("%q is no domain like example.com, which stands for those below it too", d))
		}
		addresses = append(addresses, "@"+strings.TrimPrefix(d, "@"))
	}
	return c.oneOf(name, addresses, func(r *complaint.Record) []string { return senders(r.Complainant.Email) })
}

// senders are the names that an address goes by: itself, and its domain with
// all above it.
func senders(email string) []string {
	_, host, ok := strings.Cut(email, "@")
	if !ok {
		return nil
	}
	out := []string{email, "@" + host}
	for {
		_, rest, ok := strings.Cut(host, ".")
		if !ok {
			return out
		}
		host = rest
		out = append(out, "@"+host)
	}
}

// amount: {min: 1000, max: 5000, currency: CNY}; without a currency any one
// counts. A record without an amount never matches.
func amount(c *compiler, name, path string, value any) condition {
	m := c.object(path, value, "min", "max", "currency")
	within := c.reach(path, m)
	for _, currency := range c.list(path+".currency", m["currency"]) {
		within.currencies = append(within.currencies, strings.ToUpper(currency))
	}
	out := leaf(name, value, func(v *view) bool {
		sum, ok := exact(v.AmountInvolved)
		return ok && (len(within.currencies) == 0 || slices.Contains(within.currencies, v.Currency)) && within.has(sum)
	}, func(v *view) string { return strings.TrimSpace(v.AmountInvolved + " " + v.Currency) })
	out.reach = &within
	return out
}

// hours: {days: [mon, tue], from: "09:00", to: "18:00"} of the time the
// contact was received, in the rules' time zone; from after to spans midnight.
// Or {calendar: business, open: false}.
func hours(c *compiler, name, path string, value any) condition {
	m := c.object(path, value, "days", "from", "to", "calendar", "open")
	if m["calendar"] != nil || m["open"] != nil {
		return open(c, name, path, m)
	}
	days := c.list(path+".days", m["days"])
	for i, d := range days {
		if !slices.Contains(calendar.Weekdays, strings.ToLower(d)) {
			c.fault(fmt.Sprintf("%s.days[%d]", path, i), fmt.Sprintf("%q is not one of %s", d, strings.Join(calendar.Weekdays, ", ")))
		}
	}
	w := &week{begin: c.clock(path+".from", m["from"], 0), end: c.clock(path+".to", m["to"], dayMinutes)}
	for day, called := range calendar.Weekdays {
		w.days[day] = len(days) == 0 || slices.ContainsFunc(days, func(d string) bool { return strings.EqualFold(d, called) })
	}
	if w.begin == w.end {
		c.fault(path, "from and to are the same: no time is between them; leave both out for all day")
	}
	zone := c.cfg.Location
	out := leaf(name, value, func(v *view) bool {
		t := v.ReceivedAt.In(zone)
		return w.holds(int(t.Weekday()), t.Hour()*60+t.Minute())
	}, func(v *view) string { return v.ReceivedAt.In(zone).Format("Mon 15:04") })
	out.week = w
	return out
}

// clock reads "09:30" as minutes of the day.
func (c *compiler) clock(path string, value any, absent int) int {
	if value == nil {
		return absent
	}
	s, _ := value.(string)
	minutes, err := calendar.Minutes(s)
	if err != nil {
		c.fault(path, `must be a time of day like "09:30", in quotes`)
	}
	return minutes
}

// open: {calendar: business} holds in its working time, with open: false
// outside of it.
func open(c *compiler, name, path string, m map[string]any) condition {
	which, _ := m["calendar"].(string)
	cal := c.cfg.Calendars[which]
	if cal == nil {
		c.fault(path+".calendar", fmt.Sprintf("%q is not one of the calendars%s", which, Nearest(which, slices.Collect(maps.Keys(c.cfg.Calendars)))))
	}
	want, ok := true, true
	if m["open"] != nil {
		want, ok = m["open"].(bool)
	}
	if !ok || m["days"] != nil || m["from"] != nil || m["to"] != nil {
		c.fault(path, "a calendar takes open: true or false beside it, and neither days, from nor to")
	}
	// As a value that a record has or not, so that rules are found by it, and
	// open is known to be the contrary of not open.
	out := c.oneOf(name+" "+which, []string{strconv.FormatBool(want)}, func(r *complaint.Record) []string {
		return []string{strconv.FormatBool(cal.Works(r.ReceivedAt))}
	})
	out.what, out.want, out.alone = name, written(m), true
	out.got = func(v *view) string { return v.ReceivedAt.In(c.cfg.Location).Format("2006-01-02 Mon 15:04") }
	return out
}

// repeat: true, false or {min: 2}: how many complaints the customer had
// registered in the time before (facts.repeats).
func repeat(c *compiler, name, path string, value any) condition {
	return c.count(name, path, value, func(v *view) int64 {
		n, _ := strconv.ParseInt(v.Facts[complaint.FactRepeats], 10, 64) // absent: none is known of
		if n == 0 && v.Facts["repeat"] == "true" {
			n = 1
		}
		return n
	})
}

// term registers a term of the rules and returns its owner.
func (c *compiler) term(path, term string) int {
	if owner, ok := c.owners[term]; ok {
		return owner
	}
	if err := terms.Check(term); err != nil {
		c.fault(path, err.Error())
		return 0
	}
	owner := len(c.patterns)
	c.owners[term] = owner
	c.patterns = append(c.patterns, terms.Pattern{Owner: owner, Term: term})
	return owner
}
