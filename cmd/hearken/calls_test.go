package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hearken/channels/phone/carrier"
	"hearken/complaint"
	"hearken/internal/redisserver/redistest"
)

// balancer spreads requests over gateways, as one before them does: one after
// the other, and to another where one does not answer.
func balancer(t *testing.T, gateways ...*site) *httptest.Server {
	var n atomic.Int64
	client := &http.Client{Timeout: 15 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 50}}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		first := int(n.Add(1))
		for i := range gateways {
			req, err := http.NewRequestWithContext(r.Context(), r.Method, "http://"+gateways[(first+i)%len(gateways)].http+r.RequestURI, strings.NewReader(string(body)))
			if err != nil {
				continue
			}
			req.Header = r.Header.Clone()
			resp, err := client.Do(req)
			if err != nil {
				continue
			}
			defer resp.Body.Close()
			w.Header().Set("Content-Type", resp.Header.Get("Content-Type"))
			w.WriteHeader(resp.StatusCode)
			_, _ = io.Copy(w, resp.Body)
			return
		}
		http.Error(w, "no gateway answers", http.StatusBadGateway)
	}))
	t.Cleanup(func() { srv.Close(); client.CloseIdleConnections() })
	return srv
}

// fate is what happens to one call.
type fate struct {
	hangsUp string
	silent  bool
	times   [3]int // how often each of fatedWebhooks arrives
	swapped bool   // the callbacks after the call come in another order
}

var fatedWebhooks = [3]string{"voice/recorded", "recording", "status"}

func fates() []fate {
	var all []fate
	for _, f := range []fate{{hangsUp: carrier.DuringGreeting}, {hangsUp: carrier.BeforeRecording}, {hangsUp: carrier.DuringRecording}, {silent: true}, {}} {
		for _, f.swapped = range []bool{false, true} {
			for n := range 27 {
				f.times = [3]int{n % 3, n / 3 % 3, n / 9}
				all = append(all, f)
			}
		}
	}
	return all
}

func (f fate) point() string {
	if f.silent {
		return "stays, says nothing"
	}
	return cmp.Or(f.hangsUp, "stays to the end")
}

func (f fate) webhooks() string {
	lost, repeated := 0, 0
	for _, n := range f.times {
		lost += map[bool]int{true: 1}[n == 0]
		repeated += map[bool]int{true: 1}[n == 2]
	}
	words := []string{}
	for what, n := range map[string]int{"lost": lost, "repeated": repeated} {
		if n > 0 {
			words = append(words, what)
		}
	}
	if f.swapped {
		words = append(words, "swapped")
	}
	slices.Sort(words)
	return cmp.Or(strings.Join(words, "+"), "all once")
}

type phoned struct {
	fate  fate
	sid   string
	heard string // the number, as it was said
	spoke int    // messages that were recorded: none where a kill ended the call before
}

// TestEveryCallIsOneComplaintOfOneNumber phones two gateways behind a balancer
// while they are killed in turn: every hang-up point, with every webhook of
// its message and its end lost, repeated or swapped. HEARKEN_CALLS says how
// many calls; every combination once is 270.
func TestEveryCallIsOneComplaintOfOneNumber(t *testing.T) {
	calls := len(fates())
	if s := os.Getenv("HEARKEN_CALLS"); s != "" {
		var err error
		if calls, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	redis := redistest.Start(t)
	line := fmt.Sprintf("  phone:\n    - {name: hotline, account_sid: %s, auth_token: %s, numbers: [\"+14155550100\"], languages: [en], base_url: BASE, end_wait: 1s, reconcile: {every: 2s}}\nsecret: a secret of both gateways\n", testAccount, testToken)
	a, b := newSite(t, line, redis.URL()), newSite(t, line, redis.URL())
	front := balancer(t, a, b)
	// What happens is dated back so far that it counts as settled soon after.
	phones, err := carrier.New(carrier.Config{AccountSID: testAccount, AuthToken: testToken, Line: front.URL + "/phone/hotline", Ago: 3*time.Minute - 3*time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { phones.Close() })
	for _, s := range []*site{a, b} {
		path := filepath.Join(s.dir, "config.yaml")
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		fixed := strings.NewReplacer("BASE", phones.URL(), `public_url: "http://`+s.http, `public_url: "`+front.URL).Replace(string(text))
		if err := os.WriteFile(path, []byte(fixed), 0o600); err != nil {
			t.Fatal(err)
		}
		s.start()
	}
	awaitHTTP(t, a, b)
	began := time.Now()
	ctx, stopKilling := context.WithCancel(t.Context())
	killed := make(chan int, 1)
	go func() { killed <- killInTurn(ctx, t, a, b) }()
	all := phoneAll(t, phones, calls)
	stopKilling()
	kills := <-killed
	judge(t, redis.URL(), all)
	t.Logf("%d calls, %d kills, two gateways, %s", calls, kills, time.Since(began).Round(time.Second))
}

func awaitHTTP(t *testing.T, sites ...*site) {
	t.Helper()
	for _, s := range sites {
		for end := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			resp, err := http.Get("http://" + s.http + "/")
			if err == nil {
				resp.Body.Close()
				break
			}
			if time.Now().After(end) {
				t.Fatal(err)
			}
		}
	}
}

// killInTurn kills gateways as a power cut would, one after the other, until
// ctx ends; all are up again when it returns.
func killInTurn(ctx context.Context, t *testing.T, sites ...*site) (kills int) {
	for ctx.Err() == nil {
		s := sites[kills%len(sites)]
		select {
		case <-ctx.Done():
			return kills
		case <-time.After(time.Duration(150+rand.IntN(250)) * time.Millisecond):
		}
		s.kill()
		s.start()
		kills++
	}
	return kills
}

// phoneAll makes the calls, some at a time.
func phoneAll(t *testing.T, phones *carrier.Carrier, calls int) []phoned {
	all := make([]phoned, calls)
	next := make(chan int)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range next {
				f := fates()[i%len(fates())]
				who := &carrier.Caller{Seconds: 2, HangsUp: f.hangsUp}
				if f.silent {
					who.Seconds = 0
				}
				call := carrier.Call{SID: carrier.SID("CA"), From: fmt.Sprintf("+86138%08d", i), To: "+14155550100", Person: who, Faults: func(kind string) int {
					if at := slices.Index(fatedWebhooks[:], kind); at >= 0 {
						return f.times[at]
					}
					return 1
				}}
				if f.swapped {
					call.EndFirst, call.Shuffle = true, rand.Shuffle
				}
				// A refused webhook ends a call; it is a complaint all the same.
				_, _ = phones.Phone(t.Context(), call)
				all[i] = phoned{f, call.SID, number(who.Heard()), who.Spoke}
			}
		})
	}
	for i := range calls {
		next <- i
	}
	close(next)
	wg.Wait()
	return all
}

// number finds the complaint number in what a caller was told.
func number(heard string) string {
	_, after, ok := strings.Cut(heard, "Its number is ")
	if !ok {
		return ""
	}
	said, _, _ := strings.Cut(after, ".")
	var out strings.Builder
	for _, word := range strings.FieldsFunc(said, func(r rune) bool { return r == ' ' || r == ',' }) {
		fmt.Fprint(&out, slices.Index([]string{"zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"}, word))
	}
	return out.String()
}

// judge waits until every call is a complaint, and holds each to one number.
func judge(t *testing.T, url string, all []phoned) {
	t.Helper()
	byCall := map[string][]complaint.Record{}
	for end := time.Now().Add(2 * time.Minute); ; time.Sleep(250 * time.Millisecond) {
		records, err := leads(url)
		if err == nil {
			clear(byCall)
			for _, r := range records {
				byCall[r.Facts["call_sid"]] = append(byCall[r.Facts["call_sid"]], r)
			}
			// Every recording that exists is in the end on its complaint.
			done := !slices.ContainsFunc(all, func(p phoned) bool {
				rs := byCall[p.sid]
				return len(rs) == 0 || (p.spoke > 0 && !slices.ContainsFunc(rs, func(r complaint.Record) bool { return len(r.Attachments) > 0 }))
			})
			if done {
				break
			}
		}
		if time.Now().After(end) {
			break // the table says which
		}
	}
	type row struct{ calls, complaints, numbers, missing, double, recordings, told, alias int }
	table := map[string]*row{}
	for _, p := range all {
		name := fmt.Sprintf("%-22s %s", p.fate.point(), p.fate.webhooks())
		if table[name] == nil {
			table[name] = new(row)
		}
		r := table[name]
		r.calls++
		numbers := map[string]bool{}
		registered, audio, twice := 0, 0, map[string]int{}
		for _, one := range byCall[p.sid] {
			numbers[one.Number] = true
			registered += map[bool]int{true: 1}[one.Event == complaint.Registered]
			audio += len(one.Attachments)
			for _, a := range one.Attachments {
				twice[a.Filename]++
			}
		}
		r.complaints += registered
		r.numbers += len(numbers)
		r.recordings += audio
		if registered == 0 {
			r.missing++
			t.Errorf("call %s (%s) is no complaint", p.sid, name)
		}
		// A call whose webhook was refused is asked to speak again: that is another recording.
		again := slices.ContainsFunc(slices.Collect(maps.Values(twice)), func(n int) bool { return n > 1 })
		if registered > 1 || len(numbers) > 1 || again {
			r.double++
			t.Errorf("call %s (%s): %d complaints, %d numbers, recordings %v", p.sid, name, registered, len(numbers), twice)
		}
		if p.spoke > 0 && audio == 0 {
			t.Errorf("call %s (%s): its recording is missing", p.sid, name)
		}
		if p.heard != "" {
			r.told++
			if !numbers[p.heard] {
				r.alias++
				if to, err := redisCLI(url, "HGET", "{complaints}:complaint:"+p.heard, "alias"); err != nil || len(to) != 1 || !numbers[to[0]] {
					t.Errorf("call %s (%s): was told %s, which leads nowhere: %v, %v", p.sid, name, p.heard, to, err)
				}
			}
		}
	}
	lines := []string{fmt.Sprintf("%-50s %6s %6s %6s %6s %6s %6s %6s %6s", "hang-up point, webhooks", "calls", "compl.", "numb.", "miss.", "double", "record", "told", "alias")}
	sum := row{}
	for _, name := range slices.Sorted(maps.Keys(table)) {
		r := *table[name]
		lines = append(lines, fmt.Sprintf("%-50s %6d %6d %6d %6d %6d %6d %6d %6d", name, r.calls, r.complaints, r.numbers, r.missing, r.double, r.recordings, r.told, r.alias))
		sum = row{sum.calls + r.calls, sum.complaints + r.complaints, sum.numbers + r.numbers, sum.missing + r.missing, sum.double + r.double, sum.recordings + r.recordings, sum.told + r.told, sum.alias + r.alias}
	}
	lines = append(lines, fmt.Sprintf("%-50s %6d %6d %6d %6d %6d %6d %6d %6d", "all", sum.calls, sum.complaints, sum.numbers, sum.missing, sum.double, sum.recordings, sum.told, sum.alias))
	if sum.told == 0 {
		t.Error("nobody was told a number: the dialogues broke off")
	}
	t.Log("\n" + strings.Join(lines, "\n"))
}
