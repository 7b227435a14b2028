// Package contracts holds the documents that other programs rely on
// (docs/streams.md, docs/schema) to the code. It has tests only.
package contracts
