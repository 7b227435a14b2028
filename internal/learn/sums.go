package learn

import (
	"encoding/binary"
	"math"
)

// Eight weights are read as one word, of which each of four lanes takes two:
// a byte times a whole number stays below 32 bits, also after all of a text's
// features have been added.
const (
	lane  = 0x000000FF_000000FF
	lanes = 4
	room  = 1<<32/256 - 1 // for the sum of the whole numbers
)

// sums is where a part of the rows is added up.
type sums struct {
	words [][lanes]uint64
	step  float32 // what 1 stands for
	times uint64  // rows that were added
}

// start makes ready for rows whose values times their scales are all
// together.
func (s *sums) start(width int, all float32, rows int) {
	if s.words == nil {
		s.words = make([][lanes]uint64, width/laneBytes)
	}
	clear(s.words)
	s.times, s.step = 0, all/float32(room-rows)
}

// four are pieces of rows that are added at once, which reads and writes the
// sums less often: where they begin, and how many times each is added.
type four struct {
	from [4]int
	by   [4]uint64
}

// addRows adds the rows of a text's features, each times its value, which is
// not negative.
func (r *rows) addRows(s *[parts]sums, x []cell) {
	var all [parts]float32
	for _, c := range x {
		row := r.row(c.at)
		for p := range parts {
			all[p] += c.value * scale(row, p)
		}
	}
	for p := range parts {
		s[p].start(r.widths[p], all[p], len(x))
	}
	var f four
	for len(x) > 0 {
		n := min(len(x), len(f.by))
		for p := range parts {
			from, _ := r.part(p)
			for i, c := range x[:n] {
				f.from[i] = int(c.at)*r.stride + from
				f.by[i] = s[p].by(c.value * scale(r.row(c.at), p))
			}
			for i := n; i < len(f.by); i++ {
				f.from[i], f.by[i] = f.from[0], 0
			}
			s[p].add(r.bytes, &f)
		}
		x = x[n:]
	}
}

// by is the whole number that stands for a value.
func (s *sums) by(value float32) uint64 {
	if s.step <= 0 {
		return 0
	}
	by := uint64(value/s.step + 0.5)
	s.times += by
	return by
}

func (s *sums) add(bytes []byte, f *four) {
	n := len(s.words) * laneBytes
	a, b, c, d := bytes[f.from[0]:][:n], bytes[f.from[1]:][:n], bytes[f.from[2]:][:n], bytes[f.from[3]:][:n]
	byA, byB, byC, byD := f.by[0], f.by[1], f.by[2], f.by[3]
	for i := range s.words {
		to := &s.words[i]
		w := binary.LittleEndian.Uint64(a[i*laneBytes:])
		x := binary.LittleEndian.Uint64(b[i*laneBytes:])
		y := binary.LittleEndian.Uint64(c[i*laneBytes:])
		z := binary.LittleEndian.Uint64(d[i*laneBytes:])
		to[0] += w&lane*byA + x&lane*byB + y&lane*byC + z&lane*byD
		to[1] += w>>8&lane*byA + x>>8&lane*byB + y>>8&lane*byC + z>>8&lane*byD
		to[2] += w>>16&lane*byA + x>>16&lane*byB + y>>16&lane*byC + z>>16&lane*byD
		to[3] += w>>24&lane*byA + x>>24&lane*byB + y>>24&lane*byC + z>>24&lane*byD
	}
}

// addTo adds the sums.
func (s *sums) addTo(to []float32) {
	less := int64(offset * s.times)
	for i := range to {
		sum := s.words[i/laneBytes][i%lanes] >> (i % laneBytes / lanes * 32) & math.MaxUint32
		to[i] += float32(int64(sum)-less) * s.step
	}
}

// columns are what the weights of a part of a row are multiplied by, packed
// for dot, and the sum of it.
type columns struct {
	words [][lanes]uint64
	sum   int64
}

// maxColumn bounds a column: the sum of a row's weights times their columns
// stays below 32 bits.
func maxColumn(width int) int32 { return int32(math.MaxInt32 / (math.MaxUint8 * width)) }

// set packs columns. Two lie in a word, crosswise to the two weights that
// they are multiplied by: the middle of the product is the sum of both.
func (c *columns) set(of []int32) {
	c.words, c.sum = c.words[:0], 0
	for i, v := range of {
		if i%laneBytes == 0 {
			c.words = append(c.words, [lanes]uint64{})
		}
		cross := 32 - i%laneBytes/lanes*32
		c.words[i/laneBytes][i%lanes] += uint64(int64(v)) << cross
		c.sum += int64(v)
	}
}

// dot is a part of a row times columns.
func (c *columns) dot(row []byte) int64 {
	var a, b uint64
	for i := range c.words {
		by := &c.words[i]
		w := binary.LittleEndian.Uint64(row[i*laneBytes:])
		a += w&lane*by[0] + w>>16&lane*by[2]
		b += w>>8&lane*by[1] + w>>24&lane*by[3]
	}
	return int64(a+b+1<<31)>>32 - offset*c.sum
}
