package config

import (
	"reflect"
	"strings"

	"hearken/dispatcher"
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
	for _, name := range dispatcher.FieldNames() {
		fields[name] = map[string]any{}
	}
	return map[string]any{
		"type": "object", "properties": fields, "patternProperties": map[string]any{`^fact\.`: map[string]any{}}, "additionalProperties": false,
	}
}

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
		props := map[string]any{}
		for f := range t.Fields() {
			if name, _, _ := strings.Cut(f.Tag.Get("yaml"), ","); name != "" && name != "-" {
				props[name] = schemaOf(f.Type)
			}
		}
		return map[string]any{"type": "object", "properties": props, "additionalProperties": false}
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
		return map[string]any{"type": []any{"string", "number", "boolean"}}
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Int, reflect.Int64:
		return map[string]any{"type": "integer"}
	case reflect.Float64:
		return map[string]any{"type": "number"}
	}
	return map[string]any{}
}
