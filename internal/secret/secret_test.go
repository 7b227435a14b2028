package secret

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func TestValueIsNeverPrinted(t *testing.T) {
	const s = "hunter2-and-more"
	v := struct{ Password Value }{New(s)}
	j, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "v", v.Password, "all", v)
	out := string(j) + log.String()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		out += fmt.Sprintf(verb, v) + fmt.Sprintf(verb, v.Password) + fmt.Sprintf(verb, &v.Password)
	}
	if strings.Contains(out, s) || strings.Contains(out, fmt.Sprintf("%x", s)) {
		t.Errorf("the secret is in %s", out)
	}
	if !strings.Contains(out, hidden) || v.Password.Reveal() != s {
		t.Error("a secret that is set must show as set, and be there for Reveal")
	}
}

func TestKeys(t *testing.T) {
	dir := t.TempDir()
	keys := make([]*Keys, 8)
	var wg sync.WaitGroup
	for i := range keys {
		wg.Go(func() {
			var err error
			if keys[i], err = LoadKeys(Value{}, dir); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	mac := keys[0].Signer("chat").Sign("session", 16)
	for _, k := range keys {
		if !k.Signer("chat").Verify("session", mac, 16) {
			t.Error("two processes of one data_dir disagree about the secret")
		}
		if k.Signer("mail").Verify("session", mac, 16) || k.Signer("chat").Verify("Session", mac, 16) {
			t.Error("a signature is good for what it was not made for")
		}
	}
	if fi, err := os.Stat(filepath.Join(dir, "secret")); err != nil || fi.Mode().Perm() != 0o600 {
		t.Errorf("secret file: %v, %v", fi, err)
	}
	if _, err := LoadKeys(New("short"), dir); err == nil {
		t.Error("a secret that can be guessed was taken")
	}
	if err := os.WriteFile(filepath.Join(dir, "secret"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadKeys(Value{}, dir); err == nil || !strings.Contains(err.Error(), "cut short") {
		t.Errorf("a cut file: %v", err)
	}
}
