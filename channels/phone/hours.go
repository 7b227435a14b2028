package phone

import (
	"slices"
	"strings"
	"time"

	"hearken/internal/calendar"
)

// Hours of a line. Zero is always.
type Hours struct {
	Days     []string `yaml:"days"` // mon ... sun; every day
	From     string   `yaml:"from"` // 09:00
	To       string   `yaml:"to"`
	Timezone string   `yaml:"timezone"` // Asia/Shanghai
	Holidays []string `yaml:"holidays"` // 2026-10-01, or 2026-10-01/2026-10-07
	Workdays []string `yaml:"workdays"` // worked in their stead, whatever day of the week (调休)
}

// week is the days of a line that names none.
var week = slices.Concat(calendar.Weekdays[1:], calendar.Weekdays[:1])

// days tells on which days somebody is there.
func (h Hours) days(zone *time.Location) (*calendar.Calendar, error) {
	if len(h.Days) == 0 {
		h.Days = week
	}
	return calendar.New(calendar.Config{Days: h.Days, Holidays: h.Holidays, Workdays: h.Workdays, Location: zone})
}

// open tells whether somebody is there.
func (h Hours) open(now time.Time) bool {
	zone, err := time.LoadLocation(h.Timezone)
	if err != nil {
		return true
	}
	days, err := h.days(zone)
	if err != nil {
		return true
	}
	t := now.In(zone)
	clock, from, to := t.Format("15:04"), h.From, h.To
	set(&from, "00:00")
	set(&to, "24:00")
	in := clock >= from && clock < to
	if from > to { // the night belongs to the day before
		in = clock >= from || clock < to
		if clock < to {
			t = t.AddDate(0, 0, -1)
		}
	}
	return in && days.Works(t)
}

func (c Config) checkHours(f *faults) {
	h := c.Hours
	for i, d := range h.Days {
		if !slices.Contains(week, strings.ToLower(d)) {
			f.add("hours.days[%d]: %q is not one of %s", i, d, strings.Join(week, ", "))
		}
	}
	for key, s := range map[string]string{"hours.from": h.From, "hours.to": h.To} {
		if s != "" && !clockShape.MatchString(s) {
			f.add(`%s: it must be a time of day like "09:30", in quotes`, key)
		}
	}
	if h.From != "" && h.From == h.To {
		f.add("hours.to: it is the same as from: there would never be anybody")
	}
	if _, err := time.LoadLocation(h.Timezone); err != nil {
		f.add("hours.timezone: %v", err)
	}
	for key, part := range map[string]Hours{"hours.holidays": {Holidays: h.Holidays}, "hours.workdays": {Workdays: h.Workdays}} {
		if _, err := part.days(time.UTC); err != nil {
			f.add("%s: %v", key, err)
		}
	}
}
