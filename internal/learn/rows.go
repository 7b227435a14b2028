package learn

import (
	"encoding/binary"
	"errors"
	"math"
)

// rows holds what the classifiers make of each feature. A feature's row has a
// part for each of them: first the parts' scales (what a weight of 1 stands
// for), then their weights, a byte each. All lie together, since a text needs
// all of them.
type rows struct {
	widths [parts]int // in bytes; multiples of laneBytes
	stride int        // bytes of a row
	bytes  []byte     // of a file it is a piece
}

// The parts of a row.
const (
	partMargin = iota // by label
	partNet           // by unit
	parts
)

// Weights are read eight at a time.
const (
	laneBytes  = 8
	scaleBytes = 4
	maxCell    = 127
	offset     = 128 // is added to a weight: a byte of one is never negative
)

// newRows makes the shape of rows. Their bytes are still to be set.
func newRows(labels, units int) rows {
	r := rows{widths: [parts]int{labels, units}, stride: scaleBytes * parts}
	for p, w := range r.widths {
		r.widths[p] = (w + laneBytes - 1) / laneBytes * laneBytes
		r.stride += r.widths[p]
	}
	return r
}

func (r *rows) row(at int32) []byte { return r.bytes[int(at)*r.stride:][:r.stride] }

// part is where a part of a row begins and ends.
func (r *rows) part(p int) (from, to int) {
	from = scaleBytes * parts
	for _, w := range r.widths[:p] {
		from += w
	}
	return from, from + r.widths[p]
}

// scale is what a weight of 1 stands for, in a part of a row.
func scale(row []byte, part int) float32 {
	return math.Float32frombits(binary.LittleEndian.Uint32(row[scaleBytes*part:]))
}

// set packs weights into a part of a row.
func (r *rows) set(at int32, part int, weights []float32) {
	row := r.row(at)
	var most float32
	for _, v := range weights {
		most = max(most, v, -v)
	}
	scale := most / maxCell
	binary.LittleEndian.PutUint32(row[scaleBytes*part:], math.Float32bits(scale))
	from, to := r.part(part)
	for i := range row[from:to] {
		cell := 0.0
		if scale > 0 && i < len(weights) {
			cell = math.Round(float64(weights[i] / scale))
		}
		row[from+i] = byte(offset + cell)
	}
}

// check holds the scales to what sums rely on.
func (r *rows) check() error {
	for at := range len(r.bytes) / r.stride {
		for p := range parts {
			if s := scale(r.row(int32(at)), p); !(s >= 0 && s <= maxWeight) {
				return errors.New("a scale is negative, or out of bounds")
			}
		}
	}
	return nil
}
