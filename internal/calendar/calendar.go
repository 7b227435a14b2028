// Package calendar counts in working time: the hours of a week, less the
// holidays, plus the weekends that are worked in their stead (调休). It hides
// that days have gaps (a lunch break) and that clocks jump (summer time).
package calendar

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Config is a calendar as it is written.
type Config struct {
	Days     []string // mon to sun; Monday to Friday if left out
	Hours    []string // "09:00-12:00", in order; all day if left out
	Holidays []string // "2026-10-01", or from and to: "2026-10-01/2026-10-07"
	Workdays []string // days that are worked though the week or a holiday says otherwise
	Location *time.Location
}

// Calendar tells working time from the rest. It is safe for concurrent use.
type Calendar struct {
	days  [7]bool
	spans []span
	exact map[string]bool // by date: worked or not, whatever the week says
	zone  *time.Location
	last  string // the last year that holidays or workdays are known of
}

// span is working time within a day, in minutes.
type span struct{ from, to int }

// Weekdays are the names of the days, as time.Weekday counts them.
var Weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

const (
	dayLayout = "2006-01-02"
	// rangeMost bounds a holiday from one day to another.
	rangeMost = 366
	// searchMost is how many days ahead the next working time is looked for.
	searchMost = 3 * 366
)

// Fault is something wrong with a calendar. Path leads to it: hours[1].
type Fault struct{ Path, Message string }

// Faults are all that New found.
type Faults []Fault

func (f Faults) Error() string {
	var lines []string
	for _, one := range f {
		lines = append(lines, one.Path+": "+one.Message)
	}
	return strings.Join(lines, "\n")
}

// New checks a calendar. The error is Faults: all of them.
func New(cfg Config) (*Calendar, error) {
	c := &Calendar{zone: cfg.Location, exact: map[string]bool{}}
	if c.zone == nil {
		c.zone = time.UTC
	}
	var faults Faults
	fault := func(list string, i int, format string, args ...any) {
		faults = append(faults, Fault{fmt.Sprintf("%s[%d]", list, i), fmt.Sprintf(format, args...)})
	}
	if cfg.Days == nil {
		cfg.Days = Weekdays[1:6]
	}
	for i, d := range cfg.Days {
		day := slices.Index(Weekdays, strings.ToLower(d))
		if day < 0 {
			fault("days", i, "%q is not one of %s", d, strings.Join(Weekdays, ", "))
			continue
		}
		c.days[day] = true
	}
	if cfg.Hours == nil {
		cfg.Hours = []string{"00:00-24:00"}
	}
	for i, text := range cfg.Hours {
		s, err := readSpan(text)
		switch {
		case err != nil:
			fault("hours", i, "%v", err)
		case len(c.spans) > 0 && s.from < c.spans[len(c.spans)-1].to:
			fault("hours", i, "%q begins before the hours in front of it end", text)
		}
		c.spans = append(c.spans, s)
	}
	for i, text := range cfg.Holidays {
		if err := c.book(text, false); err != nil {
			fault("holidays", i, "%v", err)
		}
	}
	for i, text := range cfg.Workdays { // they come last, and win
		if err := c.book(text, true); err != nil {
			fault("workdays", i, "%v", err)
		}
	}
	if !slices.Contains(c.days[:], true) && len(faults) == 0 {
		faults = append(faults, Fault{"days", "no day of the week is worked"})
	}
	if len(faults) > 0 {
		return nil, faults
	}
	return c, nil
}

func readSpan(text string) (span, error) {
	from, to, ok := strings.Cut(text, "-")
	a, err1 := Minutes(strings.TrimSpace(from))
	b, err2 := Minutes(strings.TrimSpace(to))
	if !ok || err1 != nil || err2 != nil || a >= b {
		return span{}, fmt.Errorf("%q is not hours like 09:00-12:00", text)
	}
	return span{a, b}, nil
}

// Minutes reads a time of day, "00:00" to "24:00", as minutes.
func Minutes(s string) (int, error) {
	if s == "24:00" {
		return 24 * 60, nil
	}
	t, err := time.Parse("15:04", s)
	return t.Hour()*60 + t.Minute(), err
}

// book notes a day, or the days from one to another, as worked or not.
func (c *Calendar) book(text string, worked bool) error {
	from, to, ok := strings.Cut(text, "/")
	if !ok {
		to = from
	}
	a, err1 := time.Parse(dayLayout, strings.TrimSpace(from))
	b, err2 := time.Parse(dayLayout, strings.TrimSpace(to))
	if err1 != nil || err2 != nil || b.Before(a) || b.Sub(a) > rangeMost*24*time.Hour {
		return fmt.Errorf("%q is not a day like 2026-10-01, nor from one to another like 2026-10-01/2026-10-07", text)
	}
	for d := a; !d.After(b); d = d.AddDate(0, 0, 1) {
		c.exact[d.Format(dayLayout)] = worked
		c.last = max(c.last, d.Format("2006"))
	}
	return nil
}

// Works tells whether t is working time.
func (c *Calendar) Works(t time.Time) bool {
	t = t.In(c.zone)
	if !c.worked(t) {
		return false
	}
	minute := t.Hour()*60 + t.Minute()
	return slices.ContainsFunc(c.spans, func(s span) bool { return s.from <= minute && minute < s.to })
}

// Known tells whether the calendar has dates of the year of t or of a later
// one, or has none at all and so misses none.
func (c *Calendar) Known(t time.Time) bool {
	return c.last == "" || t.In(c.zone).Format("2006") <= c.last
}

func (c *Calendar) worked(day time.Time) bool {
	if is, ok := c.exact[day.Format(dayLayout)]; ok {
		return is
	}
	return c.days[day.Weekday()]
}

// Add is the moment at which so much working time has gone by since t: the
// end of a span, rather than the beginning of the next. Where there is no
// working time within three years it is t and d of any time.
func (c *Calendar) Add(t time.Time, d time.Duration) time.Time {
	t = t.In(c.zone)
	rest := d
	for n, day := 0, midnight(t); n < searchMost; n, day = n+1, day.AddDate(0, 0, 1) {
		if !c.worked(day) {
			continue
		}
		for _, s := range c.spans {
			from, to := at(day, s.from), at(day, s.to)
			if from.Before(t) {
				from = t
			}
			if !from.Before(to) {
				continue
			}
			if left := to.Sub(from); rest > left {
				rest -= left
				continue
			}
			return from.Add(rest)
		}
	}
	return t.Add(d)
}

// AddDays is the end of work on the nth working day after the day of t.
func (c *Calendar) AddDays(t time.Time, days int) time.Time {
	t = t.In(c.zone)
	day := midnight(t)
	for n := 0; n < searchMost && days > 0; n++ {
		if day = day.AddDate(0, 0, 1); c.worked(day) {
			days--
		}
	}
	return at(day, c.spans[len(c.spans)-1].to)
}

// EndOfDay is the end, at midnight, of the nth day after the day of t; of the
// next worked one where that is not worked. So laws count days: the first is
// left out, and a last one that is a holiday does not count.
func (c *Calendar) EndOfDay(t time.Time, days int) time.Time {
	day := midnight(t.In(c.zone)).AddDate(0, 0, days)
	for n := 0; n < searchMost && !c.worked(day); n++ {
		day = day.AddDate(0, 0, 1)
	}
	return at(day, 24*60)
}

func midnight(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, t.Location())
}

// at is a time of day by the clock on the wall, summer time or not.
func at(day time.Time, minute int) time.Time {
	return time.Date(day.Year(), day.Month(), day.Day(), 0, minute, 0, 0, day.Location())
}
