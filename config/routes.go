package config

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"hearken/dispatcher"
	"hearken/internal/calendar"
)

// calendars reads the rules' calendars; one that is wrong is told and left out.
func (f *file) calendars(in entries[calendarRule], zone *time.Location) map[string]*calendar.Calendar {
	out := map[string]*calendar.Calendar{}
	for _, c := range in {
		path := "calendars." + c.Key
		own := zone
		if c.Value.Timezone != "" {
			var err error
			if own, err = time.LoadLocation(c.Value.Timezone); err != nil {
				f.faultAt(path+".timezone", "%v", err)
				own = zone
			}
		}
		cal, err := calendar.New(calendar.Config{Days: c.Value.Days, Hours: c.Value.Hours, Holidays: c.Value.Holidays, Workdays: c.Value.Workdays, Location: own})
		var faults calendar.Faults
		if errors.As(err, &faults) {
			for _, one := range faults {
				f.faultAt(path+"."+one.Path, "%s", one.Message)
			}
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
	owner := map[string]string{}
	for _, t := range in.Tenants {
		path := "tenants." + t.Key
		if len(t.Value.ContactPoints) == 0 {
			f.faultAt(path+".contact_points", "must name the addresses, numbers or sites of this tenant")
		}
		for i, point := range t.Value.ContactPoints {
			if other, taken := owner[strings.ToLower(point)]; taken {
				f.faultAt(fmt.Sprintf("%s.contact_points[%d]", path, i), "%s is the tenant %s's already", point, other)
			}
			owner[strings.ToLower(point)] = t.Key
		}
		var mine map[string]any
		if len(t.Value.ContactPoints) > 0 {
			mine = map[string]any{"contact_point": anyList(t.Value.ContactPoints)}
		}
		for i, r := range t.Value.Routes {
			one := f.route(fmt.Sprintf("%s.routes[%d]", path, i), r)
			one.Within = mine
			if r.Name != "" {
				one.Name = t.Key + "/" + r.Name
			}
			cfg.Routes = append(cfg.Routes, one)
		}
		if t.Value.Default != "" {
			last = append(last, dispatcher.RouteRule{Path: path + ".default", Name: t.Key + "/default", Within: mine, To: t.Value.Default, Fallback: true})
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
				f.faultAt(path+".to."+code, "a weight is a whole number")
				weight = 1 // so that nothing else seems wrong
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

// yearAhead is how long before a year begins its holidays are asked for: the
// deadlines of the weeks before already reach into it.
const yearAhead = 31 * 24 * time.Hour

// Warnings tells what is not wrong, and should be seen to: a calendar that has
// no dates of this year or the one that is about to begin, and rules that do
// nothing.
func (r *Rules) Warnings(now time.Time) []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(r.calendars)) {
		if ahead := now.Add(yearAhead); !r.calendars[name].Known(ahead) {
			out = append(out, fmt.Sprintf("calendar %s has no holidays or workdays of %d: its days off are taken for working days", name, ahead.Year()))
		}
	}
	return append(out, r.Idle()...)
}

// Idle tells of rules, and parts of them, that have no effect.
func (r *Rules) Idle() []string {
	var out []string
	for _, s := range r.Router.Shadowed() {
		out = append(out, fmt.Sprintf("route %s can never decide: %s", s.Rule, s.Why()))
	}
	for _, s := range r.Router.IdleFloors() {
		out = append(out, fmt.Sprintf("the priority %s changes nothing: %s", s.Rule, s.Why()))
	}
	return append(out, r.Router.Slips()...)
}
