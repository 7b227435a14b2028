package floors

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"
)

// TestTree holds the whole tree to the floor plan.
func TestTree(t *testing.T) {
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports,TestImports,XTestImports", "hearken/...")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var packages []Package
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct {
			ImportPath                         string
			Imports, TestImports, XTestImports []string
		}
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		tests := append(p.TestImports, p.XTestImports...)
		if p.ImportPath == "hearken/complaint" {
			tests = nil // its tests may use a library
		}
		packages = append(packages, Package{p.ImportPath, p.Imports, tests})
	}
	if len(packages) < 10 {
		t.Fatalf("go list found only %d packages", len(packages))
	}
	for _, w := range Check(packages) {
		t.Error(w)
	}
}

func TestCheckFindsWrongImports(t *testing.T) {
	for _, c := range []struct {
		path, imp, want string
	}{
		{"hearken/normalize", "hearken/queue", "siblings"},
		{"hearken/channels/chat", "hearken/channels/email/letter", "siblings"},
		{"hearken/queue", "hearken/channels", "upstairs"},
		{"hearken/channels", "hearken/config", "upstairs"},
		{"hearken/internal/blob", "hearken/queue", "upstairs"},
		{"hearken/complaint", "hearken/internal/audit", "standard library"},
		{"hearken/complaint", "golang.org/x/text", "standard library"},
		{"hearken/dispatcher", "github.com/redis/go-redis/v9", "only [queue]"},
		{"hearken/cmd/hearken", "github.com/gorilla/websocket", "only [channels/chat]"},
		{"hearken/channels", "github.com/emersion/go-imap/v2", "only [channels/email]"},
		{"hearken/channels/phone", "github.com/goccy/go-yaml", "only [config]"},
		{"hearken/config", "gopkg.in/yaml.v3", "only []"},
		{"hearken/util", "fmt", "in no room"},
		{"hearken/cmd/hearken", "hearken/queue", ""},
		{"hearken/channels", "hearken/channels/email", ""},
		{"hearken/channels/email", "hearken/channels/email/letter", ""},
		{"hearken/queue", "hearken/internal/audit", ""},
	} {
		for _, p := range []Package{{c.path, []string{c.imp}, nil}, {c.path, nil, []string{c.imp}}} {
			wrong := strings.Join(Check([]Package{p}), "\n")
			if (c.want == "") != (wrong == "") || !strings.Contains(wrong, c.want) {
				t.Errorf("%s importing %s: %q, want %q", c.path, c.imp, wrong, c.want)
			}
		}
	}
	if len(Check([]Package{{"elsewhere/x", nil, nil}})) != 1 {
		t.Error("a package in no room passed")
	}
}
