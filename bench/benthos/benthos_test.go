// Package benthos measures the dispatcher beside Benthos (Redpanda Connect)
// doing the same job: 20 rules, from the intake to the departments' streams.
package benthos

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	_ "github.com/redpanda-data/benthos/v4/public/components/pure"
	"github.com/redpanda-data/benthos/v4/public/service"
	_ "github.com/redpanda-data/connect/v4/public/components/redis"

	"hearken/bench/hop"
	"hearken/complaint"
	"hearken/config"
)

// route is a rule in both forms.
type route struct {
	name, when, to string // YAML
	asks           string // Bloblang
}

func twenty() []route {
	out := []route{
		{"life-and-limb", "{flags: [safety, self_harm]}", "QSAFE", `$flags.contains("safety") || $flags.contains("self_harm")`},
		{"about-our-handling", "{type: [HANDLING]}", "CMO", `this.type == "HANDLING"`},
		{"in-the-media", "{flags: [media]}", "type.department", `$flags.contains("media")`},
		{"law-and-regulators", "{flags: [legal, regulator]}", "type.department", `$flags.contains("legal") || $flags.contains("regulator")`},
		{"big-refunds", "{type: [REFUND, BILLING], amount: {min: 5000, currency: CNY}}", "FIN", `(this.type == "REFUND" || this.type == "BILLING") && this.currency.or("") == "CNY" && this.amount_involved.or("0").number() >= 5000`},
		{"terms-and-claims", "{type: [CONTRACT, ADVERTISING, COUNTERFEIT]}", "type.department", `["CONTRACT", "ADVERTISING", "COUNTERFEIT"].contains(this.type)`},
		{"billing-in-english", "{type: [BILLING], language: [en]}", "FIN", `this.type == "BILLING" && this.complainant.language.or("") == "en"`},
	}
	for i := range 12 {
		word := hop.Product(i)
		out = append(out, route{"product-" + fmt.Sprint(i), fmt.Sprintf("{text: {any: [%s]}, channel: [email]}", word), [...]string{"QA", "LOG", "FIN", "CS"}[i%4], fmt.Sprintf(`this.channel == "email" && $text.contains(%q)`, word)})
	}
	return append(out, route{"by-type", "{}", "type.department", "true"})
}

func rulesOf(t testing.TB, all []route) *config.Rules {
	var b strings.Builder
	for _, r := range all {
		fmt.Fprintf(&b, "  - {name: %s, when: %s, to: %s}\n", r.name, r.when, r.to)
	}
	return hop.Rules(t, b.String())
}

// mapping is the rules in Bloblang.
func mapping(t testing.TB, all []route) string {
	own := map[string]string{}
	byType := hop.Rules(t, "  - {name: by-type, when: {}, to: type.department}\n")
	for _, kind := range byType.Types {
		if r := byType.Router.Route(&complaint.Record{Type: kind}); r.Rule == "by-type" { // some have no department of their own
			own[kind] = r.Department
		}
	}
	departments, err := json.Marshal(own)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "let flags = this.flags.or([])\nlet text = (this.subject + \" \" + this.narrative).lowercase()\nlet own = %s.get(this.type).or(\"\")\nlet route = match {\n", departments)
	for _, r := range all {
		to, asks := fmt.Sprintf("%q", r.to), "("+r.asks+")"
		if r.to == "type.department" {
			to, asks = "$own", asks+` && $own != ""`
		}
		fmt.Fprintf(&b, "  %s => {\"department\": %s, \"rule\": %q}\n", asks, to, r.name)
	}
	b.WriteString("  _ => {\"department\": \"CMO\", \"rule\": \"default\"}\n}\nroot = this\nroot.route = $route\nmeta stream = \"{complaints}:dept:\" + $route.department\n")
	return b.String()
}

// pump has Benthos move everything, and returns when it is on the streams.
// Batches as the dispatcher reads them, and as many threads as there are cores,
// were faster here than 256 messages in flight without batches, than one
// thread, and than batches of 1,000.
func pump(t testing.TB, s *hop.Site, all []route, n int) time.Duration {
	t.Helper()
	b := service.NewStreamBuilder()
	indented := strings.ReplaceAll(strings.TrimSpace(mapping(t, all)), "\n", "\n        ")
	err := b.SetYAML(fmt.Sprintf(`
logger: {level: "OFF"}
input:
  redis_streams:
    url: %[1]s
    body_key: record
    streams: ["{complaints}:intake"]
    consumer_group: benthos
    client_id: one
    limit: %[2]d
    commit_period: 100ms
pipeline:
  threads: -1
  processors:
    - mapping: |
        %[3]s
output:
  redis_streams:
    url: %[1]s
    stream: ${! meta("stream") }
    body_key: record
    max_in_flight: 64
    metadata: {exclude_prefixes: [stream]}
    batching: {count: %[2]d, period: 5ms}
`, s.Server.URL(), hop.Batch, indented))
	if err != nil {
		t.Fatal(err)
	}
	stream, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	start := time.Now()
	go func() { ended <- stream.Run(context.Background()) }()
	for added(t, s) < n {
		select {
		case err := <-ended:
			t.Fatalf("benthos ended: %v", err)
		case <-time.After(5 * time.Millisecond):
		}
	}
	took := time.Since(start)
	// Its reader must be gone before Redis is filled again.
	if err := stream.StopWithin(30 * time.Second); err != nil {
		t.Fatal(err)
	}
	<-ended
	return took
}

// streams are the departments' that there are.
func streams(t testing.TB, s *hop.Site) []string {
	t.Helper()
	all, err := s.Redis.Keys(t.Context(), "{complaints}:dept:*").Result()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

var codes = []string{"CMO", "CS", "QA", "QSAFE", "LOG", "AFTER", "FIN", "SALES", "MKT", "HR", "DPO", "IT", "RISK", "LEGAL", "PR"}

func added(t testing.TB, s *hop.Site) (n int) {
	t.Helper()
	for _, code := range codes {
		l, err := s.Redis.XLen(t.Context(), "{complaints}:dept:"+code).Result()
		if err != nil {
			t.Fatal(err)
		}
		n += int(l)
	}
	return n
}

// same holds Benthos to the departments and the rules that the router decides.
func same(t testing.TB, s *hop.Site, rules *config.Rules, all []hop.Entry) {
	t.Helper()
	want := map[string]string{}
	for _, e := range all {
		r := rules.Router.Route(&e.Record)
		want[e.Record.ID] = r.Department + " by " + r.Rule
	}
	seen := map[string]bool{}
	for _, stream := range streams(t, s) {
		msgs, err := s.Redis.XRange(t.Context(), stream, "-", "+").Result()
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range msgs {
			var r complaint.Record
			if err := json.Unmarshal([]byte(m.Values["record"].(string)), &r); err != nil {
				t.Fatal(err)
			}
			seen[r.ID] = true
			if got := r.Route.Department + " by " + r.Route.Rule; got != want[r.ID] || !strings.HasSuffix(stream, ":"+r.Route.Department) {
				t.Fatalf("%s: %s on %s, want %s", r.ID, got, stream, want[r.ID])
			}
		}
	}
	if len(seen) != len(all) {
		t.Fatalf("%d of %d records moved", len(seen), len(all))
	}
}

// BenchmarkTwentyRules has both move the same records in turn. Benthos does
// less: no acknowledgement is tied to the record's being added, nothing is
// remembered against repetitions, no history, no collaborators.
func BenchmarkTwentyRules(b *testing.B) {
	all := twenty()
	rules := rulesOf(b, all)
	if n := len(rules.Router.Names()); n != 20 {
		b.Fatalf("%d rules", n)
	}
	entries := hop.Entries(b, rules, 12)
	s := hop.NewSite(b)
	var ours, theirs time.Duration
	for b.Loop() {
		s.Fill(b, entries)
		theirs += pump(b, s, all, len(entries))
		same(b, s, rules, entries)
		s.Fill(b, entries)
		ours += s.Dispatch(b, rules, len(entries))
		s.Moved(b, rules, entries)
	}
	n := float64(b.N * len(entries))
	b.ReportMetric(n/theirs.Seconds(), "benthos-records/s")
	b.ReportMetric(n/ours.Seconds(), "records/s")
	b.ReportMetric(theirs.Seconds()/ours.Seconds(), "times-faster")
}
