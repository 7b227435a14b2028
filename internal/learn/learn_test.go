package learn

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

// fine reads a set of short texts with many close labels.
func fine(t testing.TB, name string) []Example {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	var out []Example
	label := ""
	for line := range strings.Lines(string(b)) {
		line = strings.TrimSpace(line)
		if l, ok := strings.CutPrefix(line, "# "); ok {
			label = l
		} else if line != "" {
			out = append(out, Example{line, label})
		}
	}
	return out
}

// few are the examples of the first labels of a set.
func few(t testing.TB, name string, labels int) []Example {
	var out []Example
	seen := map[string]bool{}
	for _, e := range fine(t, name) {
		if seen[e.Label] = true; len(seen) <= labels {
			out = append(out, e)
		}
	}
	return out
}

func trained(t testing.TB, examples []Example) *Model {
	t.Helper()
	m, err := Train(t.Context(), examples, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// both is a model of eight labels of both languages, trained once.
func both(t testing.TB) *Model {
	t.Helper()
	bothOnce.Do(func() {
		bothModel, bothErr = Train(context.Background(), append(few(t, "fine.en.txt", 5), few(t, "fine.zh.txt", 5)...), Options{})
	})
	if bothErr != nil {
		t.Fatal(bothErr)
	}
	return bothModel
}

var (
	bothOnce  sync.Once
	bothModel *Model
	bothErr   error
)

func written(t testing.TB, m *Model) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := m.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// A third of the texts of five close labels is tried after training on the
// rest. The floors are a little under what was seen; BenchmarkAccuracy tries
// the whole sets.
func TestCloseLabels(t *testing.T) {
	for set, floor := range map[string]float64{"fine.en.txt": 0.6, "fine.zh.txt": 0.6} {
		var learnt, tried []Example
		for i, e := range few(t, set, 5) {
			if i%3 == 0 {
				tried = append(tried, e)
			} else {
				learnt = append(learnt, e)
			}
		}
		r := trained(t, learnt).Evaluate(tried)
		t.Logf("%s: accuracy %.3f, macro F1 %.3f, calibration error %.3f", set, r.Accuracy, r.MacroF1, r.CalibrationError)
		if r.Accuracy < floor || r.CalibrationError > 0.25 {
			t.Errorf("%s: accuracy %.3f, want %.2f; calibration error %.3f, want at most 0.25", set, r.Accuracy, floor, r.CalibrationError)
		}
	}
}

func TestCrossValidate(t *testing.T) {
	r, err := CrossValidate(t.Context(), few(t, "fine.zh.txt", 3), 2)
	if err != nil || r.Texts != 39 || r.Accuracy < 0.6 || len(r.Labels) != 3 {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestTrainingIsRepeatable(t *testing.T) {
	examples := few(t, "fine.zh.txt", 2)
	if a, b := written(t, trained(t, examples)), written(t, trained(t, examples)); !bytes.Equal(a, b) {
		t.Error("the same examples gave two models")
	}
}

func TestTypingErrorsAndOtherForms(t *testing.T) {
	m := both(t)
	for text, want := range map[string]string{
		"THE CARD WAS STOLLEN YESTERDAY": "card_lost_stolen",
		"activting my new card":          "card_activate",
		"還不發貨":                           "不发货",
		"发　错 货":                          "发错货",
	} {
		if got := m.Predict(text); got.Label != want {
			t.Errorf("%q is %v, want %s", text, got, want)
		}
	}
	if p := m.Predict("xyzzy 12"); p.Probability > 0.5 {
		t.Errorf("a text of which nothing is known: %v", p)
	}
	if p := m.Predict(""); p.Label == "" || math.IsNaN(p.Probability) {
		t.Errorf("an empty text: %v", p)
	}
}

func TestExplain(t *testing.T) {
	m := both(t)
	text := "您好，显示签收，我没拿到货"
	got := m.Read(text).Explain("显示签收没收到", 5)
	if len(got) == 0 || len(got) > 5 {
		t.Fatalf("evidence %v", got)
	}
	runes := []rune(text)
	for i, e := range got {
		if first, _, _ := strings.Cut(e.Text, " … "); !strings.HasPrefix(string(runes[e.At:]), first) {
			t.Errorf("%q does not stand at %d", e.Text, e.At)
		}
		if i > 0 && e.Weight > got[i-1].Weight || e.Weight <= 0 {
			t.Errorf("evidence is not in order: %v", got)
		}
	}
	if !strings.Contains(got[0].Text, "签收") && !strings.Contains(got[0].Text, "签") {
		t.Errorf("most spoke %q", got[0].Text)
	}
	english := "the driver marked my parcels as delivered"
	for _, e := range m.Read(english).Explain(m.Predict(english).Label, 9) {
		for _, word := range strings.Fields(strings.ReplaceAll(e.Text, " … ", " ")) {
			if !slices.Contains(strings.Fields(english), word) {
				t.Errorf("evidence %q is no word of the text", e.Text)
			}
		}
	}
	if e := m.Read(text).Explain("no such label", 5); e != nil {
		t.Errorf("evidence for a label that is not known: %v", e)
	}
}

func TestTrainRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		examples []Example
		want     string
	}{
		"nothing":     {nil, "the examples have 0 labels"},
		"one label":   {[]Example{{"a", "A"}, {"b", "A"}}, "the examples have 1 labels"},
		"single":      {[]Example{{"a", "A"}, {"b", "A"}, {"c", "B"}}, `label "B" has one example`},
		"empty label": {[]Example{{"a", " "}}, "example 1: its label must have"},
	} {
		if _, err := Train(t.Context(), c.examples, Options{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Train(ctx, few(t, "fine.en.txt", 3), Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestFile(t *testing.T) {
	m := both(t)
	b := written(t, m)
	path := filepath.Join(t.TempDir(), "model")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if got.Sum != m.Sum || got.Sum == "" || got.Texts != m.Texts {
		t.Errorf("read %+v, written %+v", got.Info, m.Info)
	}
	for _, e := range few(t, "fine.en.txt", 4) {
		if a, b := m.Predict(e.Text), got.Predict(e.Text); a != b {
			t.Errorf("%q: %v before, %v after", e.Text, a, b)
		}
	}
	if _, err := Load(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	rapid.Check(t, func(t *rapid.T) {
		bad := bytes.Clone(b)
		at := rapid.IntRange(0, len(bad)-1).Draw(t, "at")
		if rapid.Bool().Draw(t, "cut") {
			bad = bad[:at]
		} else {
			bad[at] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		}
		if _, err := Parse(bad); err == nil {
			t.Fatal("a damaged file was taken")
		}
	})
}

func TestReport(t *testing.T) {
	examples := []Example{{"", "A"}, {"", "A"}, {"", "B"}, {"", "B"}}
	got := []Prediction{{"A", 0.95}, {"B", 0.55}, {"B", 0.95}, {"B", 0.95}}
	r := NewReport(examples, got)
	if r.Accuracy != 0.75 || math.Abs(r.MacroF1-(2.0/3+0.8)/2) > 1e-9 {
		t.Errorf("accuracy %v, macro F1 %v", r.Accuracy, r.MacroF1)
	}
	if fmt.Sprint(r.Confusion) != "[{A B 1}]" {
		t.Errorf("confusion %v", r.Confusion)
	}
	if want := 0.05*0.75 + 0.55*0.25; math.Abs(r.CalibrationError-want) > 1e-9 {
		t.Errorf("calibration error %v, want %v", r.CalibrationError, want)
	}
	if over := r.Thresholds[2]; over.At != 0.7 || over.Share != 0.75 || over.Accuracy != 1 {
		t.Errorf("threshold %+v", over)
	}
	if e := NewReport(nil, nil); e.Accuracy != 0 || e.MacroF1 != 0 {
		t.Errorf("of nothing: %+v", e)
	}
}

// FuzzParse mends the checksum, so that what lies behind it is tried too.
func FuzzParse(f *testing.F) {
	whole := written(f, trained(f, few(f, "fine.zh.txt", 2)[10:16]))
	f.Add(whole[len(magic) : len(whole)-sha256.Size])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, body []byte) {
		b := append([]byte(magic), body...)
		sum := sha256.Sum256(b)
		m, err := Parse(append(b, sum[:]...))
		if err != nil {
			return
		}
		if p := m.Predict("退款 refund"); !(p.Probability >= 0 && p.Probability <= 1.0001) {
			t.Errorf("probability %v", p.Probability)
		}
		m.Read("退款 refund").Explain(m.Labels[0], 3)
	})
}

func FuzzPredict(f *testing.F) {
	m := both(f)
	for _, s := range []string{"", "没收到货", "CARD'S late\x00", "\xff\xfe签收", strings.Repeat("a", 9000)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p := m.Predict(text)
		if !(p.Probability >= 0 && p.Probability <= 1.0001) {
			t.Errorf("probability %v", p.Probability)
		}
		for _, e := range m.Read(text).Explain(p.Label, 5) {
			if e.At < 0 || e.At > len(text) || e.Text == "" {
				t.Errorf("evidence %+v", e)
			}
		}
	})
}

// BenchmarkAccuracy cross-validates on the whole sets: 38 English labels of 16
// texts and of 130, 25 Chinese ones of 13. A guess would find 3 and 4 per cent.
func BenchmarkAccuracy(b *testing.B) {
	sets := map[string][]Example{"fine.en": fine(b, "fine.en.txt"), "fine.zh": fine(b, "fine.zh.txt"), "dense.en": slices.Concat(writers(b)...)}
	for _, name := range slices.Sorted(maps.Keys(sets)) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				r, err := CrossValidate(b.Context(), sets[name], 5)
				if err != nil {
					b.Fatal(err)
				}
				report(b, r)
			}
		})
	}
}

// BenchmarkStrangers sorts what one of three writers wrote, after the examples
// of the other two: the first of them writes unlike them.
func BenchmarkStrangers(b *testing.B) {
	all := writers(b)
	for i := range all {
		b.Run(fmt.Sprint("writer", i+1), func(b *testing.B) {
			for b.Loop() {
				report(b, trained(b, slices.Concat(all[(i+1)%3], all[(i+2)%3])).Evaluate(all[i]))
			}
		})
	}
}

// writers are three sets of 40 to 50 texts for each of the labels of fine.en.
func writers(b *testing.B) (all [][]Example) {
	for _, name := range []string{"dense.1.en.txt", "dense.2.en.txt", "dense.3.en.txt"} {
		all = append(all, fine(b, name))
	}
	return all
}

func report(b *testing.B, r Report) {
	b.ReportMetric(100*r.Accuracy, "%right")
	b.ReportMetric(100*r.MacroF1, "%F1")
	b.ReportMetric(100*r.CalibrationError, "%miscalibrated")
}

// BenchmarkTrain learns 10,000 texts of 77 labels.
func BenchmarkTrain(b *testing.B) {
	var words []string
	for _, e := range fine(b, "fine.en.txt") {
		words = append(words, strings.Fields(e.Text)...)
	}
	random := rand.New(rand.NewPCG(1, 1))
	examples := make([]Example, 10_000)
	for i := range examples {
		label := i % 77
		var text []string
		for range 11 {
			if random.IntN(5) < 2 {
				text = append(text, words[(61*label+random.IntN(40))%len(words)])
			} else {
				text = append(text, words[random.IntN(len(words))])
			}
		}
		examples[i] = Example{strings.Join(text, " "), fmt.Sprint(label)}
	}
	for b.Loop() {
		m := trained(b, examples)
		b.ReportMetric(float64(len(written(b, m)))/1e6, "MB")
	}
}

func BenchmarkPredict(b *testing.B) {
	for _, set := range []string{"fine.en.txt", "fine.zh.txt"} {
		examples := fine(b, set)
		m := trained(b, examples)
		b.Run(set, func(b *testing.B) {
			i := 0
			for b.Loop() {
				m.Predict(examples[i%len(examples)].Text)
				i++
			}
		})
	}
}

// The sums and products in whole numbers are those of plain arithmetic.
func TestRows(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	const features = 500
	for _, widths := range [][parts]int{{1, 96}, {2, 8}, {7, 192}, {38, 9}, {77, maxUnits}} {
		r := newRows(widths[0], widths[1])
		r.bytes = make([]byte, features*r.stride)
		for p, width := range widths {
			weights := make([]float32, width)
			for f := range features {
				for i := range weights {
					weights[i] = float32(random.NormFloat64())
				}
				r.set(int32(f), p, weights)
			}
		}
		for _, n := range []int{0, 1, 3, features} {
			var x []cell
			for f := range n {
				x = append(x, cell{int32(f), random.Float32()})
			}
			var s [parts]sums
			r.addRows(&s, x)
			for p, width := range widths {
				checkSums(t, &r, p, width, x, &s[p])
			}
		}
	}
}

func checkSums(t *testing.T, r *rows, p, width int, x []cell, s *sums) {
	want, got, by := make([]float64, width), make([]float32, width), make([]int32, width)
	for i := range by {
		by[i] = (int32(i*7919) % (2*maxColumn(width) + 1)) - maxColumn(width)
	}
	var c columns
	c.set(by)
	from, to := r.part(p)
	for _, cell := range x {
		row, product := r.row(cell.at), int64(0)
		for i, v := range row[from : from+width] {
			want[i] += float64(cell.value) * float64(scale(row, p)) * (float64(v) - offset)
			product += int64(by[i]) * (int64(v) - offset)
		}
		if got := c.dot(row[from:to]); got != product {
			t.Fatalf("width %d: product %d, want %d", width, got, product)
		}
	}
	s.addTo(got)
	for i := range want {
		if math.Abs(want[i]-float64(got[i])) > 1e-3 {
			t.Fatalf("width %d, %d features, column %d: %v, want %v", width, len(x), i, got[i], want[i])
		}
	}
}
