package normalize

import (
	"slices"

	"hearken/complaint"
)

// fieldStated is the Match.Field of what the customer said by choosing, not
// in words.
const fieldStated = "stated"

// honour puts the type that the customer chose from a menu before the one that
// the words speak for, which becomes the first of the secondary types.
func (n *Normalizer) honour(r *complaint.Record, c *complaint.Classification) {
	stated := r.Facts[complaint.FactStatedType]
	if stated == "" {
		return
	}
	if !n.HasType(stated) {
		r.Notes = append(r.Notes, "the type that was chosen from the menu is not in the rules")
		return
	}
	c.Matched = append(c.Matched, complaint.Match{Type: stated, Term: stated, Field: fieldStated})
	if stated == r.Type {
		c.Confidence = 1
		return
	}
	others := slices.DeleteFunc(r.SecondaryTypes, func(s string) bool { return s == stated })
	if r.Type != complaint.DefaultType {
		others = slices.Insert(others, 0, r.Type)
	}
	r.Type, r.SecondaryTypes, c.Confidence = stated, others[:min(len(others), maxSecondary)], 1
}

// HasType tells whether the rules know a type.
func (n *Normalizer) HasType(code string) bool {
	return code == complaint.DefaultType || slices.ContainsFunc(n.cfg.Types, func(t Type) bool { return t.Code == code })
}
