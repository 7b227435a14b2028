package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRulesFmt(t *testing.T) {
	dir := t.TempDir()
	real, link, good, broken := filepath.Join(dir, "real.yaml"), filepath.Join(dir, "rules.yaml"), filepath.Join(dir, "good.yaml"), filepath.Join(dir, "broken.yaml")
	const odd, canonical = "default:   'CMO' # why\nversion: 1\n", "version: 1\ndefault: CMO  # why\n"
	for path, text := range map[string]string{real: odd, good: canonical, broken: "a: ["} {
		if err := os.WriteFile(path, []byte(text), 0o640); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("real.yaml", link); err != nil {
		t.Fatal(err)
	}
	if out, _ := command(t, 0, "rules", "fmt", link); out != canonical {
		t.Errorf("printed %q", out)
	}
	out, errOut := command(t, exitFailed, "rules", "fmt", "--check", link, good)
	if out != link+"\n" || !strings.Contains(errOut, "1 of 2 files") {
		t.Errorf("checked: %q, %q", out, errOut)
	}
	// What can't be read does not keep the others from being written.
	if out, errOut = command(t, exitFailed, "rules", "fmt", "-w", broken, link); out != "" || !strings.Contains(errOut, "broken.yaml:1:") {
		t.Errorf("%q, %q", out, errOut)
	}
	text, err := os.ReadFile(real)
	if err != nil || string(text) != canonical {
		t.Errorf("written %q, %v", text, err)
	}
	if fi, err := os.Lstat(link); err != nil || fi.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is %v, %v", fi, err)
	}
	if fi, err := os.Stat(real); err != nil || fi.Mode().Perm() != 0o640 {
		t.Errorf("the file is %v, %v", fi, err)
	}
	command(t, 0, "rules", "fmt", "--check", link, good)
	left, err := filepath.Glob(filepath.Join(dir, ".*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
