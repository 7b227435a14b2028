package dispatcher

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"strings"
	"time"

	"hearken/complaint"
)

// share is a department's part of what a rule sends.
type share struct {
	department string
	weight     int
}

// weightMost bounds a weight: a share is a ratio, not a count.
const weightMost = 1000

// shares reads weights in the order of the codes, which decides who gets which
// complaint.
func (c *compiler) shares(path string, weights map[string]int) []share {
	var out []share
	total := 0
	for _, code := range slices.Sorted(maps.Keys(weights)) {
		c.mustKnow(path+"."+code, "departments", code)
		if w := weights[code]; w < 0 || w > weightMost {
			c.fault(path+"."+code, fmt.Sprintf("a weight is from 0 to %d", weightMost))
		}
		total += weights[code]
		out = append(out, share{code, weights[code]})
	}
	if len(out) > 0 && total <= 0 {
		c.fault(path, "one weight at least must be above 0")
	}
	return out
}

// target is where a rule sends a record, or why it does not.
type target struct {
	department string // "": the next rule is asked
	why        string
}

// target finds the department of a rule whose condition holds. A type without
// a department of its own goes on to the next rule, and so does a department
// that the record complains about.
func (r *Rules) target(rule *route, v *view) target {
	if !rule.when.test(v) {
		return target{}
	}
	if len(rule.shares) > 0 {
		return r.pick(rule, v)
	}
	to := rule.To
	if to == TypeDepartment {
		if to = r.cfg.TypeDepartments[v.Type]; to == "" {
			return target{why: "type " + v.Type + " has no department of its own"}
		}
	}
	if why := r.complainedAbout(to, v); why != "" {
		return target{why: why}
	}
	return target{department: to}
}

// pick shares complaints out by their numbers: the same complaint always goes
// to the same department, and of many each gets its part.
func (r *Rules) pick(rule *route, v *view) target {
	var open []share
	var passed []string
	total := 0
	for _, s := range rule.shares {
		if why := r.complainedAbout(s.department, v); why != "" {
			passed = append(passed, why)
			continue
		}
		open = append(open, s)
		total += s.weight
	}
	if total <= 0 {
		return target{why: strings.Join(passed, "; ")}
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(cmp.Or(v.Number, v.ID))) // a hash never fails
	at := int(h.Sum32() % uint32(total))
	for _, s := range open {
		if at -= s.weight; at < 0 {
			why := fmt.Sprintf("its share is %d of %d, by the complaint's number", s.weight, total)
			return target{s.department, strings.Join(append(passed, why), "; ")}
		}
	}
	return target{} // not reached: at is below the total
}

// complainedAbout tells why a department must not have a record, "" where it
// may.
func (r *Rules) complainedAbout(department string, v *view) string {
	c, ok := r.conflicts[department]
	if !ok || !c.test(v) {
		return ""
	}
	return department + " is what is complained about: " + c.brief()
}

// follow is where a supplement goes: to who leads its complaint and hears of
// it. But who is complained about in it does not get it, and where that is the
// lead, the complaint office does; who leads the complaint stays as it is, for
// the office to decide.
func (r *Rules) follow(current complaint.Route, rec *complaint.Record) complaint.Route {
	out := current
	out.Rule, out.Again = RuleThread, "" // why it was routed anew, once, is not why this comes
	if len(r.conflicts) == 0 {
		return out
	}
	v := &view{Record: rec, rules: r}
	if r.complainedAbout(out.Department, v) != "" {
		if to := r.otherwise(v, r.cfg.Office); to != out.Department {
			out.Department, out.Rule, out.AcceptBy, out.Next = to, RuleConflict, "", nil
		}
	}
	out.Collaborators = slices.DeleteFunc(slices.Clone(out.Collaborators), func(code string) bool {
		return code == out.Department || r.complainedAbout(code, v) != ""
	})
	return out
}

// Where makes a test of one condition, as routes have them.
func (r *Rules) Where(w When) (func(*complaint.Record) bool, error) {
	cfg := r.cfg
	cfg.Floors, cfg.Conflicts, cfg.Office = nil, nil, ""
	cfg.Routes = []RouteRule{{Path: "where", Name: "where", When: w, To: cfg.Default}}
	one, err := Compile(cfg)
	if err != nil {
		return nil, err
	}
	return func(rec *complaint.Record) bool { return one.Route(rec).Rule == "where" }, nil
}

// Again finds the next lead of a complaint that its lead returned or did not
// take, or that an operator asks anew for. current is the route it has.
func (r *Rules) Again(d *complaint.Delivery, current complaint.Route) complaint.Route {
	rec := &d.Record
	reason := ""
	if d.Reason != "" {
		reason = ": " + d.Reason
	}
	if rec.Event == complaint.Redirected {
		out := r.Route(rec)
		out.Again = "asked anew by " + cmp.Or(d.By, "an operator") + reason
		out.Before, out.Returns = former(current), current.Returns
		return out
	}
	out := current
	out.Before, out.AcceptBy = former(current), ""
	switch rec.Event {
	case complaint.Returned:
		out.Returns++
		out.Again = "returned by " + current.Department + reason
	case complaint.Unaccepted:
		out.Again = "not accepted by " + current.Department + " in time"
	}
	out.Department, out.Next = r.next(&view{Record: rec, rules: r}, current, out)
	if out.Department == current.Department {
		out.Before = current.Before
		out.Again += "; there is nobody else"
	}
	out.Collaborators = slices.DeleteFunc(slices.Clone(out.Collaborators), func(code string) bool { return code == out.Department })
	return out
}

func former(current complaint.Route) []string {
	return append(slices.Clone(current.Before), current.Department)
}

// next is the first of the steps that has not had the complaint, then the
// default, then the complaint office, which keeps it.
func (r *Rules) next(v *view, current, out complaint.Route) (to string, rest []string) {
	known := func(code string) bool { return slices.Contains(r.cfg.Departments, code) }
	if out.Returns <= r.maxReturns {
		for i, code := range append(slices.Clone(current.Next), r.fallback(v)) {
			if !known(code) || slices.Contains(out.Before, code) || r.complainedAbout(code, v) != "" {
				continue
			}
			if i < len(current.Next) {
				rest = slices.Clone(current.Next[i+1:])
			}
			return code, rest
		}
	}
	return r.otherwise(v, r.cfg.Office), nil
}

// otherwise is who gets what nobody else does: a department of last resort, or
// where that is what the record complains about, the default, the office, or
// else the first that is not. Where all are, it is that one: somebody must.
func (r *Rules) otherwise(v *view, last string) string {
	for _, code := range append([]string{last, r.cfg.Default, r.cfg.Office}, r.cfg.Departments...) {
		if r.complainedAbout(code, v) == "" {
			return code
		}
	}
	return last
}

// fallback is the default: the tenant's where the record is a tenant's that
// has one, so that no company's complaint ends at another's.
func (r *Rules) fallback(v *view) string {
	for _, i := range r.fallbacks {
		if r.routes[i].when.test(v) {
			return r.routes[i].To
		}
	}
	return r.cfg.Default
}

// AcceptBy is the time by which the lead of a route must have taken it, given
// to it now; "" where it may take its time. The complaint office always may:
// nobody comes after it.
func (r *Rules) AcceptBy(route complaint.Route, now time.Time) string {
	i, ok := r.byName[route.Rule]
	if !ok || r.routes[i].accept == nil || route.Department == r.cfg.Office {
		return ""
	}
	return r.routes[i].accept.after(now.In(r.cfg.Location)).Format(time.RFC3339)
}
