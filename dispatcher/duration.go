package dispatcher

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"hearken/internal/calendar"
)

// duration is a length of time as the rules write it: of any time, or of a
// calendar's working time.
type duration struct {
	of   time.Duration
	days int                // of working days, instead of of
	ends bool               // days are any days, of which the last is a working day and ends at midnight
	cal  *calendar.Calendar // nil: any time
}

// after is when the duration has gone by since from.
func (d duration) after(from time.Time) time.Time {
	switch {
	case d.cal == nil:
		return from.Add(d.of)
	case d.ends:
		return d.cal.EndOfDay(from, d.days)
	case d.days > 0:
		return d.cal.AddDays(from, d.days)
	}
	return d.cal.Add(from, d.of)
}

// ending, before a calendar's name, counts days as laws do.
const ending = "ending "

// duration reads "2h", "3d" or, of the calendar named business, "8h business"
// and "3d ending business".
func (c *compiler) duration(path, text string) duration {
	length, rest, ofCalendar := strings.Cut(strings.TrimSpace(text), " ")
	of, err := ParseDuration(length)
	if err != nil {
		c.fault(path, notDuration(text).Error())
		return duration{}
	}
	d := duration{of: of}
	if !ofCalendar {
		return d
	}
	name, ends := strings.CutPrefix(strings.TrimSpace(rest), ending)
	name = strings.TrimSpace(name)
	if d.cal = c.cfg.Calendars[name]; d.cal == nil {
		c.fault(path, fmt.Sprintf("%q is not one of the calendars%s", name, Nearest(name, slices.Collect(maps.Keys(c.cfg.Calendars)))))
	}
	inDays := strings.HasSuffix(length, "d")
	if inDays {
		d.days = int(of / (24 * time.Hour))
	}
	if d.ends = ends; ends && !inDays {
		c.fault(path, fmt.Sprintf("%q: only days, like 3d, end with a working day", text))
	}
	return d
}

// maxDuration bounds a duration of the rules: ten years.
const maxDuration = 3650 * 24 * time.Hour

// ParseDuration reads 90m, 2h, 1h30m or, in days of 24 hours, 3d.
func ParseDuration(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if days, ok := strings.CutSuffix(s, "d"); ok {
		var n int64
		n, err = strconv.ParseInt(days, 10, 32)
		d = time.Duration(n) * 24 * time.Hour
	}
	if err != nil || d <= 0 || d > maxDuration {
		return 0, notDuration(s)
	}
	return d, nil
}

func notDuration(s string) error { return fmt.Errorf("%q is not a duration like 90m, 2h or 3d", s) }
