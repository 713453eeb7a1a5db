package faults

import (
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// Set is the faults of a backend. It is safe for concurrent use.
type Set struct {
	operations []string

	mu     sync.Mutex
	random *rand.Rand
	active []*Active
	lastID int
}

// Active is a fault in force.
type Active struct {
	// ID is for [Set.Remove].
	ID    int   `json:"id"`
	Fault Fault `json:"fault"`
	// Struck is how many calls it has struck. Once that is Count, it is spent.
	Struck int `json:"struck"`
}

// NewSet returns a Set without faults for calls with those names. The seed decides which calls faults with a
// [Fault.Probability] strike; zero leaves it to chance.
func NewSet(operations []string, seed uint64) *Set {
	if seed == 0 {
		seed = rand.Uint64()
	}
	return &Set{operations: slices.Sorted(slices.Values(operations)), random: rand.New(rand.NewPCG(seed, 0))}
}

// Operations returns the names that calls can have, in order.
func (s *Set) Operations() []string { return slices.Clone(s.operations) }

// Add puts a fault in force, after those there are, and returns its id. The error says all that is wrong with it.
func (s *Set) Add(f Fault) (id int, err error) {
	if err := f.validate(s.operations); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lastID++
	s.active = append(s.active, &Active{ID: s.lastID, Fault: f})
	return s.lastID, nil
}

// Remove ends a fault. It reports whether there was one of that id.
func (s *Set) Remove(id int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := len(s.active)
	s.active = slices.DeleteFunc(s.active, func(a *Active) bool { return a.ID == id })
	return len(s.active) < before
}

// Clear ends all faults.
func (s *Set) Clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.active = nil
}

// List returns the faults in force, in order, and those that are spent.
func (s *Set) List() []Active {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]Active, 0, len(s.active))
	for _, a := range s.active {
		list = append(list, *a)
	}
	return list
}

// strike decides what happens to a call. Latencies add up; the first fault that has an outcome is the last.
func (s *Set) strike(operation string) (latency time.Duration, outcome Outcome) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.active {
		f := a.Fault
		if f.Operation != "" && f.Operation != operation || f.Count > 0 && a.Struck >= f.Count {
			continue
		}
		if f.Probability > 0 && f.Probability < 1 && s.random.Float64() >= f.Probability {
			continue
		}
		a.Struck++
		latency += f.Latency
		if f.Outcome != "" {
			return latency, f.Outcome
		}
	}
	return latency, ""
}
