package hop

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// manyRoutes are n: each asks for a product, most of them for something more;
// the last is for all the rest.
func manyRoutes(n int) string {
	var b strings.Builder
	for i := range n - 1 {
		more := [...]string{"", ", channel: [email]", ", priority: [P1, P2]", ", amount: {min: 1000}"}[i%4]
		fmt.Fprintf(&b, "  - {name: product-%d, when: {text: {any: [%s, 型号第%06d号]}%s}, to: %s}\n", i, Product(i), i, more, [...]string{"QA", "LOG", "FIN", "CS"}[i/4%4])
	}
	b.WriteString("  - {name: by-type, when: {}, to: type.department, deadlines: {plan: 24h}}\n")
	return b.String()
}

// BenchmarkDispatch moves records by 1,000 rules, and in turn with it does the
// bare hop. One round of each is one operation.
func BenchmarkDispatch(b *testing.B) {
	rules := Rules(b, manyRoutes(1000))
	all := Entries(b, rules, 900)
	s := NewSite(b)
	var bare, ours time.Duration
	for b.Loop() {
		s.Fill(b, all)
		bare += s.Bare(b, len(all))
		s.Fill(b, all)
		ours += s.Dispatch(b, rules, len(all))
		s.Moved(b, rules, all)
	}
	n := float64(b.N * len(all))
	b.ReportMetric(n/bare.Seconds(), "bare-records/s")
	b.ReportMetric(n/ours.Seconds(), "records/s")
	b.ReportMetric(bare.Seconds()/ours.Seconds(), "of-bare")
	size := 0
	for _, e := range all {
		size += len(e.Text)
	}
	b.ReportMetric(float64(size)/float64(len(all)), "bytes/record")
}
