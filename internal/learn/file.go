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
	magic        = "hearken learnt model 1\n"
	maxHeader    = 1 << 20 // of labels and numbers
	maxModelFile = 256 << 20
)

type header struct {
	Info
	Share shares `json:"share"`
	Width int    `json:"width"`
	Nets  int    `json:"nets"`
}

// Write writes the model, and sets its Sum.
func (m *Model) Write(w io.Writer) error {
	var b bytes.Buffer
	b.WriteString(magic)
	head, err := json.Marshal(header{m.Info, m.share, netWidth, len(m.nets)})
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
	out := []any{m.vocabulary.hashes, m.vocabulary.block, m.vocabulary.rarity, m.margin.scale, m.margin.cells, m.bias}
	for i := range m.nets {
		n := &m.nets[i]
		out = append(out, n.in.scale, n.in.cells, n.inBias, n.out, n.bias)
	}
	return out
}

// Load reads a model's file.
func Load(path string) (*Model, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("learnt model: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxModelFile+1))
	if err != nil {
		return nil, fmt.Errorf("learnt model %s: %w", path, err)
	}
	m, err := Parse(b)
	if err != nil {
		return nil, fmt.Errorf("learnt model %s: %w; train it again with hearken rules train", path, err)
	}
	return m, nil
}

// Parse reads what Write wrote. It checks everything that Predict relies on.
func Parse(b []byte) (*Model, error) {
	if len(b) > maxModelFile {
		return nil, fmt.Errorf("it has more than %d bytes", maxModelFile)
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
	m := h.empty()
	r := bytes.NewReader(rest[length:])
	for _, a := range m.arrays() {
		if err := binary.Read(r, binary.LittleEndian, a); err != nil {
			return nil, errCut
		}
	}
	m.Sum = short(sum)
	m.vocabulary.index()
	return m, m.check()
}

var errCut = errors.New("it is shorter or longer than it says")

// check holds the header to its bounds, and to how many bytes follow, before
// memory is taken for them.
func (h *header) check(follow int) error {
	switch {
	case len(h.Labels) < 2 || len(h.Labels) > maxLabels || !slices.IsSorted(h.Labels) || len(slices.Compact(slices.Clone(h.Labels))) != len(h.Labels):
		return fmt.Errorf("its labels must be 2 to %d, sorted, each once", maxLabels)
	case h.Features < 0 || h.Features > MaxFeatures, h.Nets < 0 || h.Nets > 16, h.Width != netWidth:
		return errors.New("its sizes are out of bounds")
	}
	for _, l := range h.Labels {
		if l == "" || len(l) > maxLabel || !utf8.ValidString(l) {
			return fmt.Errorf("label %q must have 1 to %d bytes", l, maxLabel)
		}
	}
	f, l, w := h.Features, len(h.Labels), h.Width
	want := f*(8+1+4) + f*(4+l) + 4*l + h.Nets*(f*(4+w)+4*w+4*w*l+4*l)
	if want != follow {
		return errCut
	}
	return nil
}

// empty is a model of the header's sizes.
func (h *header) empty() *Model {
	f, l := h.Features, len(h.Labels)
	m := &Model{
		Info: h.Info, extractor: newExtractor(), share: h.Share, margin: newMatrix(f, l), bias: make([]float32, l),
		vocabulary: &vocabulary{hashes: make([]uint64, f), block: make([]uint8, f), rarity: make([]float32, f)},
	}
	for range h.Nets {
		m.nets = append(m.nets, smallNet{newMatrix(f, h.Width), make([]float32, h.Width), make([]float32, h.Width*l), make([]float32, l)})
	}
	return m
}

// maxWeight bounds every number of a model: sums of them stay far from
// infinity.
const maxWeight = 1e9

func (m *Model) check() error {
	for _, b := range m.vocabulary.block {
		if b >= blocks {
			return errors.New("a feature is of no kind that is known")
		}
	}
	for _, r := range m.vocabulary.rarity {
		if !(r > 1e-3) {
			return errors.New("a feature's rarity is not positive")
		}
	}
	scales := [][]float32{m.margin.scale}
	for i := range m.nets {
		scales = append(scales, m.nets[i].in.scale)
	}
	for _, list := range scales {
		for _, x := range list {
			if x < 0 {
				return errors.New("a scale is negative")
			}
		}
	}
	numbers := [][]float32{m.vocabulary.rarity, {m.share.Margin, m.share.Net}}
	for _, a := range m.arrays() {
		if f, ok := a.([]float32); ok {
			numbers = append(numbers, f)
		}
	}
	for _, list := range numbers {
		for _, x := range list {
			if !(math.Abs(float64(x)) <= maxWeight) { // NaN too
				return errors.New("a weight is no number, or out of bounds")
			}
		}
	}
	return nil
}
