package config

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"hearken/dispatcher"
	"hearken/internal/calendar"
)

// calendars reads the rules' calendars; one that is wrong is told and left out.
func (f *file) calendars(in entries[calendarRule], zone *time.Location) map[string]*calendar.Calendar {
	out := map[string]*calendar.Calendar{}
	for _, c := range in {
		path := "calendars." + c.Key
		line, col := f.root.at(path)
		own := zone
		if c.Value.Timezone != "" {
			var err error
			if own, err = time.LoadLocation(c.Value.Timezone); err != nil {
				f.fault(line, col, "%s.timezone: %v", path, err)
				own = zone
			}
		}
		cal, err := calendar.New(calendar.Config{Days: c.Value.Days, Hours: c.Value.Hours, Holidays: c.Value.Holidays, Workdays: c.Value.Workdays, Location: own})
		if err != nil {
			f.fault(line, col, "%s: %v", path, err)
			cal = &calendar.Calendar{} // known by its name: what uses it is not wrong too
		}
		out[c.Key] = cal
	}
	return out
}

// routes lists the routes as they are tried: the tenants' own, those for all,
// and the tenants' defaults.
func (f *file) routes(cfg *dispatcher.Config, in rulesFile) {
	var last []dispatcher.RouteRule
	for _, t := range in.Tenants {
		path := "tenants." + t.Key
		if len(t.Value.ContactPoints) == 0 {
			line, col := f.root.at(path)
			f.fault(line, col, "%s: contact_points must name the addresses, numbers or sites of this tenant", path)
			continue
		}
		mine := map[string]any{"contact_point": anyList(t.Value.ContactPoints)}
		for i, r := range t.Value.Routes {
			one := f.route(fmt.Sprintf("%s.routes[%d]", path, i), r)
			one.Name = t.Key + "/" + r.Name
			if one.When = mine; len(r.When) > 0 {
				one.When = map[string]any{"all": []any{mine, r.When}}
			}
			cfg.Routes = append(cfg.Routes, one)
		}
		if t.Value.Default != "" {
			last = append(last, dispatcher.RouteRule{Path: path + ".default", Name: t.Key + "/default", When: mine, To: t.Value.Default})
		}
	}
	for i, r := range in.Routes {
		cfg.Routes = append(cfg.Routes, f.route(fmt.Sprintf("routes[%d]", i), r))
	}
	cfg.Routes = append(cfg.Routes, last...)
}

func anyList(list []string) []any {
	out := make([]any, len(list))
	for i, s := range list {
		out[i] = s
	}
	return out
}

func (f *file) route(path string, r routeRule) dispatcher.RouteRule {
	out := dispatcher.RouteRule{Path: path, Name: r.Name, When: r.When, Then: r.Then, Accept: r.Accept, With: r.With, Deadlines: r.Deadlines}
	switch to := r.To.(type) {
	case map[string]any:
		out.Shares = map[string]int{}
		for _, code := range slices.Sorted(maps.Keys(to)) {
			weight, ok := asInt(to[code])
			if !ok {
				line, col := f.root.at(path + ".to." + code)
				f.fault(line, col, "%s.to.%s: a weight is a whole number", path, code)
			}
			out.Shares[code] = weight
		}
	case nil:
	default:
		out.To = fmt.Sprint(to)
	}
	return out
}

// asInt reads a whole number as a YAML mapping decodes it.
func asInt(v any) (int, bool) {
	switch n := v.(type) {
	case int:
		return n, true
	case int64:
		return int(n), true
	case uint64:
		return int(n), n < 1<<31
	}
	return 0, false
}

// Warnings tells what is not wrong, and should be seen to: a calendar that has
// no dates of this year.
func (r *Rules) Warnings(now time.Time) []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(r.calendars)) {
		if !r.calendars[name].Known(now) {
			out = append(out, fmt.Sprintf("calendar %s has no holidays or workdays of %d: its days off are taken for working days", name, now.Year()))
		}
	}
	return out
}
