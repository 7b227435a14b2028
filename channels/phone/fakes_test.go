package phone

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// notebook is in memory; it outlives a Phone like the one on disk.
type notebook struct {
	mu sync.Mutex
	m  map[string][]byte
}

func (n *notebook) Put(k string, v []byte) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.m[k] = v
	return nil
}

func (n *notebook) Delete(k string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.m, k)
	return nil
}

func (n *notebook) List(prefix string) (map[string][]byte, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	out := maps.Clone(n.m)
	maps.DeleteFunc(out, func(k string, _ []byte) bool { return !strings.HasPrefix(k, prefix) })
	return out, nil
}

// memory is in memory: what gateways share.
type memory struct {
	mu     sync.Mutex
	facts  map[string]map[string]string
	booked []string
	led    []string // conversation and number
}

func (m *memory) Learn(_ context.Context, of string, facts map[string]string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.facts[of] == nil {
		m.facts[of] = map[string]string{}
	}
	maps.Copy(m.facts[of], facts)
	return nil
}

func (m *memory) Known(_ context.Context, of string) (map[string]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.facts[of]), nil
}

func (m *memory) Book(_ context.Context, number, id, event string, details map[string]string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if line := fmt.Sprint(number, " ", id, " ", event, " ", details["status"], " ", details["code"]); !slices.Contains(m.booked, line) {
		m.booked = append(m.booked, line)
	}
	return nil
}

func (m *memory) Continue(_ context.Context, number, conversation string, _ time.Duration) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.led = append(m.led, conversation+" "+number)
	return nil
}

func (m *memory) history() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return strings.Join(m.booked, "\n")
}

// Hold has one holder: this one.
func (m *memory) Hold(ctx context.Context, _ string, run func(context.Context) error) error {
	return run(ctx)
}
