package learn

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"unicode/utf8"
)

// The file: the magic line with the version of the form; the length of a JSON
// header, and the header; the arrays, little endian, in the order of
// (*Model).arrays; the SHA-256 of all that.
const (
	magic        = "hearken learnt model 2\n"
	maxHeader    = 1 << 20 // of labels and numbers
	maxModelFile = 256 << 20
	maxUnits     = 1024 // far more than a training makes
)

type header struct {
	Info
	Share shares `json:"share"`
	Units int    `json:"units"` // of the net
}

// Write writes the model, and sets its Sum.
func (m *Model) Write(w io.Writer) error {
	var b bytes.Buffer
	b.WriteString(magic)
	head, err := json.Marshal(header{m.Info, m.share, len(m.net.inBias)})
	if err != nil {
		return err
	}
	if err := binary.Write(&b, binary.LittleEndian, uint32(len(head))); err != nil {
		return err
	}
	b.Write(head)
	for _, a := range m.arrays() {
		if err := binary.Write(&b, binary.LittleEndian, a); err != nil {
			return err
		}
	}
	sum := sha256.Sum256(b.Bytes())
	b.Write(sum[:])
	m.Sum = short(sum)
	_, err = w.Write(b.Bytes())
	return err
}

func short(sum [sha256.Size]byte) string { return hex.EncodeToString(sum[:])[:12] }

// arrays are what stands behind the header.
func (m *Model) arrays() []any {
	out := []any{m.vocabulary.entries, m.rows.bytes}
	for _, a := range m.numbers() {
		out = append(out, *a)
	}
	return out
}

// numbers are the arrays that are not a piece of the file.
func (m *Model) numbers() []*[]float32 {
	return []*[]float32{&m.bias, &m.net.inBias, &m.net.out, &m.net.bias}
}

// Load reads a model's file.
func Load(path string) (*Model, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("learnt model: %w", err)
	}
	defer f.Close()
	b, err := readAll(f)
	if err != nil {
		return nil, fmt.Errorf("learnt model %s: %w", path, err)
	}
	m, err := Parse(b)
	if err != nil {
		return nil, fmt.Errorf("learnt model %s: %w; train it again with hearken rules train", path, err)
	}
	return m, nil
}

// readAll reads a file into just the memory that it needs, since the model
// keeps that.
func readAll(f *os.File) ([]byte, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() > maxModelFile {
		return nil, errLarge
	}
	b := make([]byte, info.Size())
	_, err = io.ReadFull(f, b)
	return b, err
}

// Parse reads what Write wrote. It checks everything that Predict relies on.
// The model keeps b, which must not be changed after: what is large stays
// where it is.
func Parse(b []byte) (*Model, error) {
	if len(b) > maxModelFile {
		return nil, errLarge
	}
	rest, ok := bytes.CutPrefix(b, []byte(magic))
	if !ok {
		return nil, errors.New("it is no learnt model, or of a form that this hearken does not read")
	}
	if len(rest) < 4+sha256.Size {
		return nil, errCut
	}
	sum := sha256.Sum256(b[:len(b)-sha256.Size])
	if !bytes.Equal(sum[:], b[len(b)-sha256.Size:]) {
		return nil, errors.New("its checksum is wrong: it was cut or changed")
	}
	length := binary.LittleEndian.Uint32(rest)
	rest = rest[4 : len(rest)-sha256.Size]
	if length > maxHeader || int(length) > len(rest) {
		return nil, errCut
	}
	var h header
	if err := json.Unmarshal(rest[:length], &h); err != nil {
		return nil, fmt.Errorf("its header: %w", err)
	}
	if err := h.check(len(rest) - int(length)); err != nil {
		return nil, err
	}
	m := h.model(rest[length:])
	m.Sum = short(sum)
	return m, m.check()
}

var (
	errCut   = errors.New("it is shorter or longer than it says")
	errLarge = fmt.Errorf("it has more than %d bytes", maxModelFile)
)

// check holds the header to its bounds, and to how many bytes follow, before
// memory is taken for them.
func (h *header) check(follow int) error {
	switch {
	case len(h.Labels) < 2 || len(h.Labels) > maxLabels || !slices.IsSorted(h.Labels) || len(slices.Compact(slices.Clone(h.Labels))) != len(h.Labels):
		return fmt.Errorf("its labels must be 2 to %d, sorted, each once", maxLabels)
	case h.Features < 0 || h.Features > MaxFeatures, h.Units < 0 || h.Units > maxUnits:
		return errors.New("its sizes are out of bounds")
	}
	for _, l := range h.Labels {
		if l == "" || len(l) > maxLabel || !utf8.ValidString(l) {
			return fmt.Errorf("label %q must have 1 to %d bytes", l, maxLabel)
		}
	}
	f, l, shape := h.Features, len(h.Labels), newRows(len(h.Labels), h.Units)
	if f*(entryBytes+shape.stride)+4*(l+h.Units+h.Units*l+l) != follow {
		return errCut
	}
	return nil
}

// model is what the header and the bytes behind it say.
func (h *header) model(b []byte) *Model {
	take := func(n int) []byte {
		taken := b[:n:n]
		b = b[n:]
		return taken
	}
	l := len(h.Labels)
	m := &Model{
		Info: h.Info, share: h.Share, vocabulary: &vocabulary{}, rows: newRows(l, h.Units),
		bias: make([]float32, l), net: smallNet{make([]float32, h.Units), make([]float32, h.Units*l), make([]float32, l)},
	}
	m.vocabulary.entries = take(h.Features * entryBytes)
	m.rows.bytes = take(h.Features * m.rows.stride)
	for _, list := range m.numbers() {
		for i := range *list {
			(*list)[i] = math.Float32frombits(binary.LittleEndian.Uint32(take(4)))
		}
	}
	m.vocabulary.index()
	return m
}

// maxWeight bounds every number of a model: sums of them stay far from
// infinity.
const maxWeight = 1e9

func (m *Model) check() error {
	if err := errors.Join(m.vocabulary.check(), m.rows.check()); err != nil {
		return err
	}
	for _, list := range append(m.numbers(), &[]float32{m.share.Margin, m.share.Net}) {
		for _, x := range *list {
			if !(math.Abs(float64(x)) <= maxWeight) { // NaN too
				return errors.New("a weight is no number, or out of bounds")
			}
		}
	}
	return nil
}
