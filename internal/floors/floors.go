// Package floors knows which package may import which (docs/flow.md). It
// hides nothing; a test holds the tree to it.
package floors

import (
	"fmt"
	"slices"
	"strings"
)

// module is the path that our own packages begin with.
const module = "hearken"

// Package is what matters of one.
type Package struct {
	Path    string
	Imports []string // of its product code
	Tests   []string // of its tests, in addition
}

// room is the part of the tree that a package belongs to, and its floor.
type room struct {
	name  string
	floor int
}

// rooms lists the tree. A package belongs to the first that fits.
var rooms = []struct {
	prefix string
	room
}{
	{module + "/cmd", room{"cmd", 4}},
	{module + "/config", room{"config", 3}},
	{module + "/channels/email", room{"channels/email", 1}},
	{module + "/channels/phone", room{"channels/phone", 1}},
	{module + "/channels/chat", room{"channels/chat", 1}},
	{module + "/channels", room{"channels", 2}},
	{module + "/normalize", room{"normalize", 1}},
	{module + "/queue", room{"queue", 1}},
	{module + "/dispatcher", room{"dispatcher", 1}},
	{module + "/internal", room{"internal", 0}},
	{module + "/complaint", room{"complaint", 0}},
	{module, room{"examples", 0}},
}

// owners says in which rooms a library may be imported.
var owners = []struct {
	library string
	rooms   []string
}{
	{"github.com/redis/go-redis", []string{"queue"}},
	{"github.com/emersion/", []string{"channels/email"}},
	{"github.com/gorilla/websocket", []string{"channels/chat"}},
	{"github.com/twilio/", []string{"channels/phone"}},
	{"github.com/goccy/go-yaml", []string{"config"}},
	{"gopkg.in/yaml", nil},
	{"go.yaml.in/yaml", nil},
	{"github.com/alecthomas/kong", []string{"cmd"}},
}

func roomOf(path string) (room, bool) {
	for _, r := range rooms {
		if path == r.prefix || (r.prefix != module && strings.HasPrefix(path, r.prefix+"/")) {
			return r.room, true
		}
	}
	return room{}, false
}

// Check returns what is wrong with a tree, a line each.
func Check(packages []Package) []string {
	var wrong []string
	for _, p := range packages {
		own, ok := roomOf(p.Path)
		if !ok {
			wrong = append(wrong, p.Path+" is in no room of the floor plan")
			continue
		}
		for _, imp := range append(slices.Clone(p.Imports), p.Tests...) {
			if why := refuse(own, p.Path, imp); why != "" {
				wrong = append(wrong, fmt.Sprintf("%s must not import %s: %s", p.Path, imp, why))
			}
		}
	}
	slices.Sort(wrong)
	return slices.Compact(wrong)
}

func refuse(own room, path, imp string) string {
	if other, ok := roomOf(imp); ok {
		switch {
		case path == module+"/complaint":
			return "the nouns import only the standard library"
		case other.name == own.name:
			return ""
		case other.floor > own.floor:
			return fmt.Sprintf("it is upstairs (floor %d, this is %d)", other.floor, own.floor)
		case other.floor == own.floor && own.floor > 0:
			return "siblings do not know each other"
		}
		return ""
	}
	for _, o := range owners {
		if strings.HasPrefix(imp, o.library) && !slices.Contains(o.rooms, own.name) {
			return fmt.Sprintf("only %v may", o.rooms)
		}
	}
	if path == module+"/complaint" && strings.Contains(strings.Split(imp, "/")[0], ".") {
		return "the nouns import only the standard library"
	}
	return ""
}
