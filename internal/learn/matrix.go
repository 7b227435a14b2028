package learn

import (
	"encoding/binary"
	"math"
)

// matrix holds rows of weights in a byte each, and adds them eight at a time.
type matrix struct {
	width int
	scale []float32 // by row: what a weight of 1 stands for
	cells []byte    // of two's complement
}

const maxCell = 127

func newMatrix(rows, width int) matrix {
	return matrix{width, make([]float32, rows), make([]byte, rows*width)}
}

func pack(full []float32, width int) matrix {
	m := newMatrix(len(full)/width, width)
	for r := range m.scale {
		row := full[r*width : (r+1)*width]
		var most float32
		for _, v := range row {
			most = max(most, v, -v)
		}
		if most == 0 {
			continue
		}
		m.scale[r] = most / maxCell
		for i, v := range row {
			m.cells[r*width+i] = byte(int8(math.Round(float64(v / m.scale[r]))))
		}
	}
	return m
}

func (m *matrix) row(r int32) []byte { return m.cells[int(r)*m.width : (int(r)+1)*m.width] }

// Eight weights are read as one word and become four words of two sums each:
// a byte of a weight, made positive, times a whole number stays below 32 bits,
// also after all of a text's features have been added.
const (
	lanes    = 0x000000FF_000000FF
	positive = 0x80808080_80808080 // turned over, a weight is 128 more
	offset   = 128
	room     = 1<<32/256 - 1 // for the sum of the whole numbers
)

// sum adds the rows of a text's features, each times its value, which is not
// negative.
func (m *matrix) sum(x []cell, to []float32) {
	var all float32
	for _, c := range x {
		all += c.value * m.scale[c.at]
	}
	if !(all > 0) {
		return
	}
	step := all / float32(room-len(x))
	sums := make([]uint64, (m.width+7)/8*4)
	var times uint64
	for _, c := range x {
		by := uint64(c.value*m.scale[c.at]/step + 0.5)
		times += by
		addRow(m.row(c.at), by, sums)
	}
	for i := range to {
		sum := sums[i/8*4+i%4] >> (i % 8 / 4 * 32) & math.MaxUint32
		to[i] += float32(int64(sum)-int64(offset*times)) * step
	}
}

func addRow(row []byte, by uint64, sums []uint64) {
	for len(row) >= 8 && len(sums) >= 4 {
		w := binary.LittleEndian.Uint64(row) ^ positive
		sums[0] += w & lanes * by
		sums[1] += w >> 8 & lanes * by
		sums[2] += w >> 16 & lanes * by
		sums[3] += w >> 24 & lanes * by
		row, sums = row[8:], sums[4:]
	}
	for i, v := range row {
		sums[i%4] += uint64(v^offset) * by << (i / 4 * 32)
	}
}

// dot is a row times a vector.
func (m *matrix) dot(r int32, with []float32) float32 {
	row := m.row(r)
	with = with[:len(row)]
	var a, b, c, d float32 // four, so that none waits for the one before it
	i := 0
	for ; i+4 <= len(row); i += 4 {
		a += float32(int8(row[i])) * with[i]
		b += float32(int8(row[i+1])) * with[i+1]
		c += float32(int8(row[i+2])) * with[i+2]
		d += float32(int8(row[i+3])) * with[i+3]
	}
	for ; i < len(row); i++ {
		a += float32(int8(row[i])) * with[i]
	}
	return (a + b + c + d) * m.scale[r]
}
