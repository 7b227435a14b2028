package config

import (
	"maps"
	"reflect"
	"strings"

	"hearken/complaint"
	"hearken/dispatcher"
	"hearken/internal/calendar"
)

// RulesSchema is the JSON Schema (2020-12) of a rules file, made of the same
// structs and the same table of fields that read it.
func RulesSchema() map[string]any {
	s := schemaOf(reflect.TypeFor[rulesFile]())
	s["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	s["title"] = "Hearken rules"
	s["$defs"] = map[string]any{"when": whenSchema()}
	return s
}

// whenSchema is that of a condition: the fields, and any, all, not.
func whenSchema() map[string]any {
	again := map[string]any{"$ref": "#/$defs/when"}
	many := map[string]any{"type": "array", "items": again, "minItems": 1}
	fields := map[string]any{"any": many, "all": many, "not": again}
	shapes := fieldShapes()
	for _, name := range dispatcher.FieldNames() {
		fields[name] = shapes[name]
	}
	return map[string]any{
		"type": "object", "properties": fields, "patternProperties": map[string]any{`^fact\.`: oneOrMore(word)}, "additionalProperties": false,
	}
}

// word is a value as a person writes it: 12315 is one too.
var word = map[string]any{"type": []any{"string", "number", "boolean"}}

func oneOrMore(one map[string]any) map[string]any {
	return map[string]any{"oneOf": []any{map[string]any{"type": "array", "items": one, "minItems": 1}, one}}
}

func among(values ...string) map[string]any { return map[string]any{"enum": values} }

// object is a mapping with some of the given keys.
func object(keys map[string]any) map[string]any {
	return map[string]any{"type": "object", "properties": keys, "additionalProperties": false, "minProperties": 1}
}

// fieldShapes are the values of a condition's fields, with what an editor says
// of them. A field that has none here fails the schema's test.
func fieldShapes() map[string]map[string]any {
	number, boolean := map[string]any{"type": []any{"number", "string"}}, map[string]any{"type": "boolean"}
	words, limits := oneOrMore(word), object(map[string]any{"min": number, "max": number})
	count := map[string]any{"oneOf": []any{boolean, limits}}
	time := map[string]any{"type": "string", "pattern": `^\d{1,2}:\d{2}$`}
	said := func(shape map[string]any, what string) map[string]any {
		out := maps.Clone(shape)
		out["description"] = what
		return out
	}
	return map[string]map[string]any{
		"type":          said(words, "the type of the complaint"),
		"any_type":      said(words, "the type, or one of the secondary types"),
		"flags":         said(words, "flags, any of them"),
		"priority":      said(oneOrMore(among(dispatcher.Priorities...)), "the priority; only routes can ask for it"),
		"channel":       said(oneOrMore(among(dispatcher.Channels...)), "how it came"),
		"class":         said(oneOrMore(among(dispatcher.Classes...)), "what it is at all"),
		"event":         said(oneOrMore(among(complaint.Registered, complaint.Supplemented)), "a new complaint, or more of one"),
		"contact_point": said(words, "the address, number or site that the customer reached"),
		"language":      said(words, "what the customer writes: zh, en"),
		"remedy":        said(words, "what the customer asks for: refund"),
		"customer":      said(words, "tags of the fact customer: vip"),
		"automated":     said(boolean, "a machine wrote it"),
		"attachments":   said(count, "files: true, false or {min: 1}"),
		"repeat":        said(count, "earlier complaints of the customer: true, false or {min: 2}"),
		"amount":        said(object(map[string]any{"min": number, "max": number, "currency": words}), "the amount involved"),
		"from":          said(object(map[string]any{"address": words, "domain": words}), "the customer's e-mail address; a domain has its subdomains"),
		"text":          said(object(map[string]any{"any": words, "all": words, "none": words, "regexp": map[string]any{"type": "string"}}), "words in the subject or the text"),
		"hours": said(object(map[string]any{
			"days": oneOrMore(among(calendar.Weekdays...)), "from": time, "to": time, "calendar": map[string]any{"type": "string"}, "open": boolean,
		}), "when it was received: on days, from, to; or in a calendar's working time"),
	}
}

// choices are the values of keys that take few.
var choices = map[string][]string{"priority": dispatcher.Priorities, "channel": dispatcher.Channels, "class": dispatcher.Classes}

func schemaOf(t reflect.Type) map[string]any {
	switch {
	case t.Kind() == reflect.Pointer:
		return schemaOf(t.Elem())
	case t == reflect.TypeFor[map[string]any]():
		return map[string]any{"$ref": "#/$defs/when"}
	case t == reflect.TypeFor[destination]():
		return map[string]any{"oneOf": []any{map[string]any{"type": "string"}, map[string]any{"type": "object", "additionalProperties": map[string]any{"type": "integer"}}}}
	case strings.HasPrefix(t.Name(), "entries["):
		// A mapping that keeps its order: code to value.
		pair, _ := t.Elem().FieldByName("Value")
		return map[string]any{"type": "object", "additionalProperties": schemaOf(pair.Type)}
	}
	switch t.Kind() {
	case reflect.Struct:
		return structSchema(t)
	case reflect.Slice:
		// One value may stand for a list of one.
		items := schemaOf(t.Elem())
		if t.Elem().Kind() == reflect.Struct {
			return map[string]any{"type": "array", "items": items}
		}
		return map[string]any{"oneOf": []any{map[string]any{"type": "array", "items": items}, items}}
	case reflect.Map:
		return map[string]any{"type": "object", "additionalProperties": schemaOf(t.Elem())}
	case reflect.String:
		return maps.Clone(word)
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Int, reflect.Int64:
		return map[string]any{"type": "integer"}
	case reflect.Float64:
		return map[string]any{"type": "number"}
	}
	return map[string]any{}
}

// structSchema has a struct's keys, with what their tags say to who writes
// them, and which must be there.
func structSchema(t reflect.Type) map[string]any {
	props, must := map[string]any{}, []string{}
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if name == "" || name == "-" {
			continue
		}
		shape := schemaOf(f.Type)
		if few := choices[name]; few != nil && f.Type.Kind() == reflect.String {
			shape = among(few...)
		}
		if what := f.Tag.Get("says"); what != "" {
			shape["description"] = what
		}
		if f.Tag.Get("must") != "" {
			must = append(must, name)
		}
		props[name] = shape
	}
	out := map[string]any{"type": "object", "properties": props, "additionalProperties": false}
	if len(must) > 0 {
		out["required"] = must
	}
	return out
}
