package calendar

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var shanghai = time.FixedZone("CST", 8*60*60)

// china2026 is the State Council's list for 2026.
func china2026(t testing.TB) *Calendar {
	t.Helper()
	c, err := New(Config{
		Hours: []string{"09:00-12:00", "13:00-18:00"}, Location: shanghai,
		Holidays: []string{"2026-01-01/2026-01-03", "2026-02-15/2026-02-23", "2026-04-04/2026-04-06", "2026-05-01/2026-05-05", "2026-06-19/2026-06-21", "2026-09-25/2026-09-27", "2026-10-01/2026-10-07"},
		Workdays: []string{"2026-01-04", "2026-02-14", "2026-02-28", "2026-05-09", "2026-09-20", "2026-10-10"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func when(t testing.TB, s string) time.Time {
	t.Helper()
	at, err := time.ParseInLocation("2006-01-02 15:04", s, shanghai)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestWorkingHours(t *testing.T) {
	c := china2026(t)
	for _, v := range []struct {
		from  string
		hours int
		due   string
	}{
		{"2026-11-23 11:30", 1, "2026-11-23 13:30"},
		{"2026-11-23 17:30", 1, "2026-11-24 09:30"},
		{"2026-11-20 17:30", 2, "2026-11-23 10:30"},
		{"2026-09-30 17:00", 2, "2026-10-08 10:00"},
		{"2026-09-19 20:00", 4, "2026-09-20 14:00"},
		{"2026-02-13 17:00", 8, "2026-02-14 17:00"},
		{"2026-02-14 15:00", 8, "2026-02-24 15:00"},
		{"2026-11-23 18:00", 1, "2026-11-24 10:00"},
		{"2026-11-23 09:00", 3, "2026-11-23 12:00"}, // the end of the morning, not the start of the afternoon
	} {
		if got := c.Add(when(t, v.from), time.Duration(v.hours)*time.Hour); !got.Equal(when(t, v.due)) {
			t.Errorf("%s and %d hours: %s, want %s", v.from, v.hours, got, v.due)
		}
	}
}

func TestWorkingDays(t *testing.T) {
	c := china2026(t)
	for _, v := range []struct {
		from string
		days int
		due  string
	}{
		{"2026-09-30 16:00", 3, "2026-10-10 18:00"},
		{"2026-04-30 10:00", 5, "2026-05-11 18:00"},
		{"2026-11-20 23:59", 1, "2026-11-23 18:00"},
	} {
		if got := c.AddDays(when(t, v.from), v.days); !got.Equal(when(t, v.due)) {
			t.Errorf("%s and %d days: %s, want %s", v.from, v.days, got, v.due)
		}
	}
}

func TestDaysAsLawsCountThem(t *testing.T) {
	c := china2026(t)
	for _, v := range []struct{ from, due string }{
		{"2026-11-20 10:00", "2026-11-24 00:00"},
		{"2026-11-19 10:00", "2026-11-24 00:00"}, // a Sunday: the next day
		{"2026-09-30 10:00", "2026-10-09 00:00"},
		{"2026-09-17 10:00", "2026-09-21 00:00"}, // a Sunday that is worked
		{"2026-10-07 10:00", "2026-10-11 00:00"}, // a Saturday that is worked
		{"2026-02-12 10:00", "2026-02-25 00:00"},
	} {
		if got := c.EndOfDay(when(t, v.from), 3); !got.Equal(when(t, v.due)) {
			t.Errorf("%s and 3 days: %s, want %s", v.from, got, v.due)
		}
	}
}

// TestAddIsMinuteByMinute compares with a clock that walks.
func TestAddIsMinuteByMinute(t *testing.T) {
	c := china2026(t)
	rapid.Check(t, func(rt *rapid.T) {
		from := when(t, "2026-01-01 00:00").Add(time.Duration(rapid.IntRange(0, 330*24*60).Draw(rt, "from")) * time.Minute)
		minutes := rapid.IntRange(1, 40*60).Draw(rt, "minutes")
		at, left := from, minutes
		for ; left > 0; at = at.Add(time.Minute) {
			if c.Works(at) {
				left--
			}
		}
		if got := c.Add(from, time.Duration(minutes)*time.Minute); !got.Equal(at) {
			rt.Fatalf("%s and %d minutes: %s, walked %s", from, minutes, got, at)
		}
	})
}

// TestAddAddsUp: two stretches are one long one.
func TestAddAddsUp(t *testing.T) {
	c := china2026(t)
	rapid.Check(t, func(rt *rapid.T) {
		from := when(t, "2026-01-01 00:00").Add(time.Duration(rapid.IntRange(0, 300*24*60*60).Draw(rt, "from")) * time.Second)
		a := time.Duration(rapid.IntRange(1, 200_000).Draw(rt, "a")) * time.Second
		b := time.Duration(rapid.IntRange(1, 200_000).Draw(rt, "b")) * time.Second
		if one, two := c.Add(from, a+b), c.Add(c.Add(from, a), b); !one.Equal(two) {
			rt.Fatalf("from %s: %s at once, %s in two", from, one, two)
		}
	})
}

func TestSummerTime(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	c, err := New(Config{Days: []string{"sun"}, Hours: []string{"01:00-09:00"}, Location: berlin})
	if err != nil {
		t.Fatal(err)
	}
	// On 2026-03-29 the clocks go from 02:00 to 03:00: seven hours are worked.
	day := time.Date(2026, 3, 29, 0, 0, 0, 0, berlin)
	if got := c.Add(day, 7*time.Hour); got.Hour() != 9 || got.Day() != 29 {
		t.Errorf("seven hours end at %s", got)
	}
}

func TestKnown(t *testing.T) {
	c := china2026(t)
	if !c.Known(when(t, "2026-12-31 23:00")) || c.Known(when(t, "2027-01-01 00:00")) {
		t.Error("it has the dates of 2026, and only those")
	}
}

func TestFaultsAreTold(t *testing.T) {
	_, err := New(Config{Days: []string{"mon", "montag"}, Hours: []string{"09:00-12:00", "11:00-18:00", "18:00"}, Holidays: []string{"2026-13-01", "2026-10-07/2026-10-01"}, Workdays: []string{"yesterday"}})
	for _, want := range []string{`"montag"`, `"11:00-18:00"`, `"18:00"`, `"2026-13-01"`, `"2026-10-07/2026-10-01"`, `"yesterday"`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s in it", err, want)
		}
	}
	if _, err := New(Config{Days: []string{}}); err == nil {
		t.Error("a week without work")
	}
	c, err := New(Config{Holidays: []string{"2026-01-01/2026-12-31", "2027-01-01/2027-12-31", "2028-01-01/2028-12-31", "2029-01-01/2029-12-31"}})
	if err != nil {
		t.Fatal(err)
	}
	if from := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC); !c.Add(from, time.Hour).Equal(from.Add(time.Hour)) {
		t.Error("years without work have no end")
	}
}
