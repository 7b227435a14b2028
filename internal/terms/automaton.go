package terms

import "slices"

// node is a state of the automaton (Aho and Corasick, 1975).
type node struct {
	next  map[rune]int32 // while the set is made
	edges []edge         // the same, sorted
	fail  int32
	out   []int32 // phrases that end here
	more  int32   // the next state on the way of fails that has some
}

type edge struct {
	on rune
	to int32
}

// grow adds the states of a phrase.
func (s *Set) grow(runes []rune, phrase int32) {
	at := int32(0)
	for _, r := range runes {
		next, ok := s.nodes[at].next[r]
		if !ok {
			next = int32(len(s.nodes))
			s.nodes = append(s.nodes, node{more: -1})
			if s.nodes[at].next == nil {
				s.nodes[at].next = map[rune]int32{}
			}
			s.nodes[at].next[r] = next
		}
		at = next
	}
	s.nodes[at].out = append(s.nodes[at].out, phrase)
}

// link sets the fails, breadth first.
func (s *Set) link() {
	queue := []int32{0}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		for r, child := range s.nodes[at].next {
			if at != 0 {
				s.nodes[child].fail = s.step(s.nodes[at].fail, r)
			}
			fail := s.nodes[child].fail
			if s.nodes[child].more = fail; len(s.nodes[fail].out) == 0 {
				s.nodes[child].more = s.nodes[fail].more
			}
			queue = append(queue, child)
		}
	}
	s.pack()
}

// pack puts the maps into lists, which are quicker to look through, and the
// root's into a table: most characters of a text end there.
func (s *Set) pack() {
	s.roots = make([]int32, 1<<16)
	for i := range s.nodes {
		n := &s.nodes[i]
		for r, to := range n.next {
			if i == 0 && r < rune(len(s.roots)) {
				s.roots[r] = to
			}
			n.edges = append(n.edges, edge{r, to})
		}
		slices.SortFunc(n.edges, func(a, b edge) int { return int(a.on - b.on) })
		n.next = nil
	}
}

// step follows the maps, while the set is made.
func (s *Set) step(at int32, r rune) int32 {
	for {
		if next, ok := s.nodes[at].next[r]; ok {
			return next
		}
		if at == 0 {
			return 0
		}
		at = s.nodes[at].fail
	}
}

// fewEdges is how many are quicker looked through than searched.
const fewEdges = 8

// follow is step for the finished set.
func (s *Set) follow(at int32, r rune) int32 {
	for at != 0 {
		edges := s.nodes[at].edges
		if len(edges) > fewEdges {
			if i, ok := slices.BinarySearchFunc(edges, r, func(e edge, r rune) int { return int(e.on - r) }); ok {
				return edges[i].to
			}
		} else {
			for _, e := range edges {
				if e.on == r {
					return e.to
				}
			}
		}
		at = s.nodes[at].fail
	}
	if r < rune(len(s.roots)) {
		return s.roots[r]
	}
	for _, e := range s.nodes[0].edges {
		if e.on == r {
			return e.to
		}
	}
	return 0
}
