package queue

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"hearken/complaint"
)

// handed reads n deliveries off the intake.
func handed(t *testing.T, in *Intake, n int) (all []complaint.Delivery) {
	t.Helper()
	await(t, "deliveries", func() bool {
		got, err := in.Read(t.Context(), 10)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, got...)
		return len(all) >= n
	})
	return all
}

// addArgs puts a delivery on a stream as publishing does.
func addArgs(stream string, d complaint.Delivery) *redis.XAddArgs {
	return &redis.XAddArgs{Stream: stream, Values: []any{"id", d.Record.ID, "number", d.Record.Number, "event", d.Record.Event, "record", d.Text}}
}

// A move that is repeated, because its answer was lost or another dispatcher
// has claimed the batch, changes nothing.
func TestMoveOnce(t *testing.T) {
	r := newRig(t)
	r.accept(mail("a@example.com", "a@example.com", "x"))
	r.accept(mail("b@example.com", "b@example.com", "y"))
	r.awaitIntake(2)
	in := r.client.Intake()
	var moves []complaint.Move
	for _, d := range handed(t, in, 2) {
		moves = append(moves, complaint.Move{Delivery: d, Route: complaint.Route{Department: "CMO", Collaborators: []string{"LEGAL"}, Rule: "default"}})
	}
	for _, batch := range [][]complaint.Move{moves[:1], moves, moves} {
		if err := in.Move(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
	}
	// Given again as another entry, as a retried dead letter is.
	again, err := r.client.write.XAdd(t.Context(), addArgs(r.client.parts[0].stream(streamIntake), moves[0].Delivery)).Result()
	if err != nil {
		t.Fatal(err)
	}
	d := handed(t, in, 1)[0]
	if d.Entry != again {
		t.Fatalf("handed %s, not %s", d.Entry, again)
	}
	if err := in.Move(t.Context(), []complaint.Move{{Delivery: d, Route: complaint.Route{Department: "FIN"}}}); err != nil {
		t.Fatal(err)
	}
	if lead, other, late := len(r.records("dept:CMO")), len(r.records("dept:LEGAL")), len(r.records("dept:FIN")); lead != 2 || other != 2 || late != 0 {
		t.Errorf("%d at the lead, %d at the collaborator, %d elsewhere", lead, other, late)
	}
	pending, err := r.client.write.XPending(t.Context(), r.client.parts[0].stream(streamIntake), groupDispatchers).Result()
	if err != nil || pending.Count != 0 {
		t.Errorf("pending: %+v, %v", pending, err)
	}
	number := moves[0].Record.Number
	if got := events(t, r.client, number); !slices.Equal(got, []string{"registered", "routed"}) {
		t.Errorf("history: %q", got)
	}
	if ttl := r.client.write.TTL(t.Context(), r.client.parts[0].complaint(number)).Val(); ttl < time.Hour {
		t.Errorf("the complaint is kept for %s", ttl)
	}
}

// events are what a complaint's history tells, oldest first.
func events(t *testing.T, c *Client, number string) (all []string) {
	t.Helper()
	k, err := c.Complaint(t.Context(), number)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range k.History {
		var line struct{ Event, At string }
		if err := json.Unmarshal(text, &line); err != nil || line.At == "" {
			t.Errorf("line %s: %v", text, err)
		}
		all = append(all, line.Event)
	}
	return all
}

// A record goes on with what a newer gateway has written into it, and with its
// route.
func TestMoveKeepsWhatItDoesNotKnow(t *testing.T) {
	r := newRig(t)
	d := complaint.Delivery{Record: complaint.Record{ID: "one", Number: "261123000012", Event: complaint.Registered}, Text: `{"id":"one","number":"261123000012","event":"registered","newer":{"<a>":1},"narrative":"\u003cb\u003e"}`}
	if err := r.client.write.XAdd(t.Context(), addArgs(r.client.parts[0].stream(streamIntake), d)).Err(); err != nil {
		t.Fatal(err)
	}
	in := r.client.Intake()
	got := handed(t, in, 1)[0]
	if err := in.Move(t.Context(), []complaint.Move{{Delivery: got, Route: complaint.Route{Department: "CMO", Rule: "a \"b\"}"}}}); err != nil {
		t.Fatal(err)
	}
	entry := r.records("dept:CMO")[0]
	var loose struct {
		Newer map[string]int
		Route complaint.Route
	}
	rec := recordOf(t, entry)
	if err := json.Unmarshal([]byte(entry.text("record")), &loose); err != nil || loose.Newer["<a>"] != 1 || loose.Route.Rule != "a \"b\"}" || rec.Narrative != "<b>" || rec.Route.Department != "CMO" {
		t.Errorf("moved %s, %v", entry.text("record"), err)
	}
	// Where the record was changed on the way, the change counts.
	changed := complaint.Move{Delivery: got, Route: complaint.Route{Department: "FIN"}}
	changed.Text, changed.Record.Priority = "", "P1"
	text, err := appendRouted(nil, &changed, []byte(`{}`))
	if err != nil || !strings.Contains(string(text), `"priority":"P1"`) || !strings.Contains(string(text), `"department":"FIN"`) {
		t.Errorf("%s, %v", text, err)
	}
	// This was never published: its key was new, and must not stay for ever.
	if ttl := r.client.write.TTL(t.Context(), r.client.parts[0].complaint("261123000012")).Val(); ttl < time.Hour {
		t.Errorf("the complaint is kept for %s", ttl)
	}
}

// A department whose stream's key is taken by something else costs its own
// records, which lie on the dead stream with the reason, and no others; the
// collaborators of such a record have nothing of it.
func TestMoveToWhatIsNoStream(t *testing.T) {
	r := newRig(t)
	for _, name := range []string{"a", "b", "c"} {
		r.accept(mail(name+"@example.com", name+"@example.com", name))
	}
	r.awaitIntake(3)
	p := r.client.parts[0]
	if err := r.client.write.Set(t.Context(), p.dept("BAD"), "not a stream", 0).Err(); err != nil {
		t.Fatal(err)
	}
	in := r.client.Intake()
	var moves []complaint.Move
	for i, d := range handed(t, in, 3) {
		moves = append(moves, complaint.Move{Delivery: d, Route: []complaint.Route{{Department: "CMO"}, {Department: "LEGAL", Collaborators: []string{"BAD"}}, {Department: "CMO", Collaborators: []string{"FIN"}}}[i]})
	}
	if err := in.Move(t.Context(), moves); err != nil {
		t.Fatal(err)
	}
	if a, b, c := len(r.records("dept:CMO")), len(r.records("dept:LEGAL")), len(r.records("dept:FIN")); a != 2 || b != 0 || c != 1 {
		t.Errorf("%d at CMO, %d at LEGAL, %d at FIN", a, b, c)
	}
	dead, err := r.client.DeadList(t.Context())
	if err != nil || len(dead) != 1 || !strings.Contains(dead[0].Reason, "dept:BAD") {
		t.Fatalf("dead: %+v, %v", dead, err)
	}
	if err := r.client.write.Del(t.Context(), p.dept("BAD")).Err(); err != nil {
		t.Fatal(err)
	}
	if err := r.client.DeadRetry(t.Context(), dead[0].ID); err != nil {
		t.Fatal(err)
	}
	if err := in.Move(t.Context(), []complaint.Move{{Delivery: handed(t, in, 1)[0], Route: moves[1].Route}}); err != nil {
		t.Fatal(err)
	}
	if b, bad := len(r.records("dept:LEGAL")), len(r.records("dept:BAD")); b != 1 || bad != 1 {
		t.Errorf("after the retry %d at LEGAL, %d at BAD", b, bad)
	}
}
