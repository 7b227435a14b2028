package contracts

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"hearken/complaint"
)

func read(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("../../docs/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// fields lists the JSON members of a struct, with their types.
func fields(t reflect.Type) map[string]reflect.Type {
	out := map[string]reflect.Type{}
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		out[name] = f.Type
	}
	return out
}

type node struct {
	Properties map[string]*node `json:"properties"`
	Items      *node            `json:"items"`
}

// same compares a struct with its schema, both ways, all the way down.
func same(t *testing.T, path string, typ reflect.Type, n *node) {
	t.Helper()
	for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice {
		if typ.Kind() == reflect.Slice {
			if n = n.Items; n == nil {
				t.Errorf("%s: the schema does not say what is in the list", path)
				return
			}
		}
		typ = typ.Elem()
	}
	if typ.Kind() != reflect.Struct || typ == reflect.TypeFor[time.Time]() {
		return
	}
	have := fields(typ)
	for name := range n.Properties {
		if have[name] == nil {
			t.Errorf("%s.%s is in the schema, not in the code", path, name)
		}
	}
	for name, ft := range have {
		if n.Properties[name] == nil {
			t.Errorf("%s.%s is in the code, not in the schema", path, name)
			continue
		}
		same(t, path+"."+name, ft, n.Properties[name])
	}
}

func TestSchemaIsTheRecord(t *testing.T) {
	var n node
	if err := json.Unmarshal(read(t, "schema/complaint.v1.json"), &n); err != nil {
		t.Fatal(err)
	}
	same(t, "record", reflect.TypeFor[complaint.Record](), &n)
}

func sample() complaint.Record {
	at := time.Date(2026, 11, 23, 10, 0, 0, 0, time.FixedZone("", 8*3600))
	sum := strings.Repeat("0a", 32)
	return complaint.Record{
		Schema: complaint.Schema, ID: "x", Number: "261123004279", Event: complaint.Supplemented, Channel: complaint.Email, ContactPoint: "support@example.com",
		ReceivedAt: at, RegisteredAt: at, Complainant: complaint.Person{Name: "张伟", Email: "z@example.cn", Phone: "+8613812345678", Language: "zh"},
		Subject: "s", Summary: "s", Narrative: "n", RemedySought: []string{"refund"}, RemedyText: "r", OrderNo: "A1", AmountInvolved: "199.00", Currency: "CNY",
		IntakeClass: complaint.ClassComplaint, Type: "BILLING", SecondaryTypes: []string{"REFUND"}, Priority: "P3", Flags: []string{"legal"},
		Classification: complaint.Classification{
			Matched: []complaint.Match{{Type: "BILLING", Term: "t", Field: "subject", Weight: 2}, {Flag: "legal", Term: "t", Field: "narrative", Offset: 3, Note: "negated"}},
			Reasons: []string{"r"}, Confidence: 0.8, RulesVersion: "v",
		},
		Attachments: []complaint.Attachment{{Filename: "f", MediaType: "a/b", Size: 1, SHA256: sum, Blob: "sha256/" + sum}},
		Source:      complaint.Source{Ref: "r", Raw: "sha256/" + sum, InReplyTo: "i", References: []string{"i"}}, Facts: map[string]string{"mailbox": "support"}, Notes: []string{"n"},
		Thread: &complaint.Thread{Of: "261123004279", By: "references"},
		Route:  &complaint.Route{Department: "FIN", Collaborators: []string{"LEGAL"}, Rule: "r", Deadlines: map[string]string{"plan": at.Format(time.RFC3339)}},
	}
}

func TestRecordsAreValid(t *testing.T) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(read(t, "schema/complaint.v1.json")))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("record.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("record.json")
	if err != nil {
		t.Fatal(err)
	}
	check := func(change func(map[string]any)) error {
		b, err := json.Marshal(sample())
		if err != nil {
			t.Fatal(err)
		}
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		change(v.(map[string]any))
		return schema.Validate(v)
	}
	if err := check(func(map[string]any) {}); err != nil {
		t.Error(err)
	}
	if err := check(func(m map[string]any) { m["new_member"] = 1 }); err != nil {
		t.Errorf("a member that is not known: %v", err)
	}
	if check(func(m map[string]any) { m["priority"] = "P9" }) == nil || check(func(m map[string]any) { delete(m, "number") }) == nil {
		t.Error("a wrong record is valid")
	}
}

var code = regexp.MustCompile("`([^`]+)`")

// TestStreamsPageNamesEverything holds docs/streams.md to the structs, and the
// AsyncAPI file to the page.
func TestStreamsPageNamesEverything(t *testing.T) {
	page := string(read(t, "streams.md"))
	named := map[string]bool{}
	for _, m := range code.FindAllStringSubmatch(page, -1) {
		named[m[1]] = true
	}
	for _, typ := range []reflect.Type{
		reflect.TypeFor[complaint.Record](), reflect.TypeFor[complaint.Person](), reflect.TypeFor[complaint.Classification](), reflect.TypeFor[complaint.Match](),
		reflect.TypeFor[complaint.Attachment](), reflect.TypeFor[complaint.Source](), reflect.TypeFor[complaint.Thread](), reflect.TypeFor[complaint.Route](),
		reflect.TypeFor[complaint.Update](), reflect.TypeFor[complaint.Reply](),
	} {
		for name := range fields(typ) {
			if !named[name] {
				t.Errorf("streams.md does not name %s of %s", name, typ.Name())
			}
		}
	}
	var api struct {
		Channels map[string]struct {
			Address  string
			Messages map[string]struct{ Payload node }
		}
	}
	if err := json.Unmarshal(read(t, "schema/asyncapi.json"), &api); err != nil {
		t.Fatal(err)
	}
	rows := map[string]string{}
	for _, line := range strings.Split(page, "\n") {
		if cells := strings.Split(line, "|"); strings.HasPrefix(line, "| `{complaints}") && len(cells) > 3 {
			rows[strings.Trim(cells[1], " `")] = cells[2]
		}
	}
	if len(rows) != len(api.Channels) {
		t.Errorf("%d streams on the page, %d in the AsyncAPI file", len(rows), len(api.Channels))
	}
	for _, c := range api.Channels {
		var on []string
		for _, m := range code.FindAllStringSubmatch(rows[c.Address], -1) {
			on = append(on, m[1])
		}
		slices.Sort(on)
		if in := slices.Sorted(maps.Keys(c.Messages["entry"].Payload.Properties)); !slices.Equal(on, in) {
			t.Errorf("%s: fields %v on the page, %v in the AsyncAPI file", c.Address, on, in)
		}
	}
}
