package config

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bad runs a folder of files with one fault each: every one must fail for its
// own reason, at a place in the file, and for that alone.
func bad(t *testing.T, folder string, load func(path string) error) {
	files, err := filepath.Glob(folder + "/*.yaml")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d files in %s, %v", len(files), folder, err)
	}
	for _, f := range files {
		want, err := os.ReadFile(strings.TrimSuffix(f, ".yaml") + ".expected")
		if err != nil {
			t.Fatal(err)
		}
		err = load(f)
		if err == nil || !strings.Contains(err.Error(), strings.TrimSpace(string(want))) || !strings.Contains(err.Error(), f+":") {
			t.Errorf("%s: %v\nwant %s", f, err, want)
			continue
		}
		if n := strings.Count(err.Error(), f+":"); n != 1 {
			t.Errorf("%s: %d faults of one: %v", f, n, err)
		}
	}
}

func TestBadConfigs(t *testing.T) {
	bad(t, "testdata/bad", func(p string) error { _, err := Load(p); return err })
}

func TestBadRules(t *testing.T) {
	bad(t, "testdata/bad-rules", func(p string) error { _, err := LoadRules(p); return err })
}

func TestExampleConfig(t *testing.T) {
	t.Setenv("SUPPORT_PASSWORD", "hunter2-support")
	t.Setenv("TWILIO_ACCOUNT_SID", "AC0123456789abcdef0123456789abcdef")
	t.Setenv("TWILIO_AUTH_TOKEN", "hunter2-twilio")
	cfg, err := Load("../config.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Queue.Spool.MaxBytes != 1<<30 || cfg.Queue.Spool.Keep != 10*time.Minute || cfg.Location.String() != DefaultTimezone {
		t.Errorf("read as %+v", cfg.Queue)
	}
	c := cfg.Channels
	if len(c.Email) != 1 || len(c.Phone) != 1 || len(c.Chat) != 1 || c.Email[0].IMAP.Password.Reveal() != "hunter2-support" {
		t.Errorf("channels: %+v", c)
	}
	if text := fmt.Sprintf("%+v %#v", cfg, cfg.Channels); strings.Contains(text, "hunter2") {
		t.Error("a secret is printed")
	}
}

func TestSecretsAreNotShownInFaults(t *testing.T) {
	text := "secret: hunter2hunter2hunter2\nchannels: {email: [{imap: {pasword: hunter2}}]}\nredis: {url: \"redis://:hunter2@a:1,b:1\"}\nqueue: {partitions: 0, prefix: \"a b\"}\n"
	f, err := parse("c.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.config()
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("faults: %v", err)
	}
	for _, want := range []string{"c.yaml:2:", "did you mean password?", "c.yaml:3:", "queue.partitions", "queue.prefix", `  | queue: {partitions: 0, prefix: "a b"}`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("not told: %s\n%v", want, err)
		}
	}
}

func TestExpand(t *testing.T) {
	t.Setenv("HEARKEN_TEST_SET", "a: b\nc")
	t.Setenv("HEARKEN_TEST_EMPTY", "")
	for in, want := range map[string]string{
		"${HEARKEN_TEST_SET}": "a: b\nc", "x${HEARKEN_TEST_NONE:-y}z": "xyz", "${HEARKEN_TEST_EMPTY:-d}": "d", "${HEARKEN_TEST_EMPTY}": "", "$$5": "$5", "5$": "5$", "${open": "${open",
	} {
		f := &file{}
		if got, ok := f.expand(&node{scalar: in}); !ok || got != want {
			t.Errorf("%q: %q, %v, want %q", in, got, ok, want)
		}
	}
}

const tiny = "version: 1\ndepartments: {CMO: {}, FIN: {}}\ndefault: %s\n"

func TestReloadKeepsTheOldRules(t *testing.T) {
	for name, put := range map[string]func(t *testing.T, path, text string){
		"written in place": func(t *testing.T, path, text string) {
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		},
		"a new file moved over it": func(t *testing.T, path, text string) {
			if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(path+".new", path); err != nil {
				t.Fatal(err)
			}
		},
		"a link swapped, as Kubernetes does": func(t *testing.T, path, text string) {
			dir, err := os.MkdirTemp(filepath.Dir(path), "..v")
			if err != nil {
				t.Fatal(err)
			}
			link := filepath.Join(filepath.Dir(path), "..data")
			steps := []error{os.WriteFile(filepath.Join(dir, "rules.yaml"), []byte(text), 0o600), os.Symlink(filepath.Base(dir), link+"_tmp"), os.Rename(link+"_tmp", link)}
			if _, err := os.Lstat(path); err != nil {
				steps = append(steps, os.Symlink("..data/rules.yaml", path))
			}
			for _, err := range steps {
				if err != nil {
					t.Fatal(err)
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "rules.yaml")
			put(t, path, fmt.Sprintf(tiny, "CMO"))
			l, err := NewLive(path, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			var wg sync.WaitGroup
			wg.Go(func() {
				if err := l.Run(ctx); err != nil {
					t.Error(err)
				}
			})
			defer wg.Wait()
			defer cancel()
			first := l.Current().Version
			// The watch may not be set up yet when the file changes first;
			// that is what Reload is for.
			put(t, path, fmt.Sprintf(tiny, "NOPE"))
			l.Reload()
			await(t, "a refusal", func() bool { return l.Err() != nil })
			if l.Current().Version != first {
				t.Error("broken rules came into force")
			}
			put(t, path, fmt.Sprintf(tiny, "FIN"))
			await(t, "the new rules", func() bool { return l.Current().Version != first && l.Err() == nil })
		})
	}
}

func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// A link to a file elsewhere: who changes that file does not wait for the poll.
func TestLiveFollowsALink(t *testing.T) {
	real, path := filepath.Join(t.TempDir(), "real.yaml"), filepath.Join(t.TempDir(), "rules.yaml")
	write := func(dept string) {
		if err := os.WriteFile(real, []byte(fmt.Sprintf(tiny, dept)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("CMO")
	if err := os.Symlink(real, path); err != nil {
		t.Fatal(err)
	}
	l, err := NewLive(path, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	told := make(chan string, 10)
	l.Reloaded = func(r *Rules) { told <- r.Version }
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := l.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	defer wg.Wait()
	defer cancel()
	l.Reload() // once it is told of, the watch is set up
	first := <-told
	write("FIN")
	select {
	case second := <-told:
		if second == first {
			t.Error("the same rules")
		}
	case <-time.After(10 * time.Second):
		t.Error("waited in vain for the new rules")
	}
}

// FuzzRules: whatever a rules file holds, loading it ends with rules that route
// everything or with faults, and formatting it changes nothing but its form.
func FuzzRules(f *testing.F) {
	f.Add([]byte(fmt.Sprintf(tiny, "CMO")))
	f.Add([]byte(soundRules))
	f.Add([]byte("version: 1\nroutes: [{when: {any: [{not: {text: {any: [x]}}}]}}]"))
	f.Add([]byte("a: &a [*a, *a]\n<<: *a\n? [x]\n: y"))
	for seed := range uint64(8) {
		g := newAnyRules(seed)
		f.Add([]byte(g.write(g.tree())))
		f.Add([]byte(g.spoilt(g.write(g.sound()))))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		hangs := time.AfterFunc(20*time.Second, func() { panic(fmt.Sprintf("it never ends: %q", text)) })
		defer hangs.Stop()
		r, err := parseRules("fuzz.yaml", text)
		if err == nil && r.Router.Route(new(r.Apply(ruleTest{}.contact()))).Department == "" {
			t.Error("rules without a department for everything")
		}
		if _, err := Format("fuzz.yaml", text); err == nil {
			formatted(t, string(text))
		}
	})
}
