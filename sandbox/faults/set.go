package faults

import (
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// Set holds the faults of a backend. It is safe for concurrent use.
type Set struct {
	operations []string

	mu     sync.Mutex
	random *rand.Rand
	active []*Active
	lastID int
}

// Active is a fault of a Set.
type Active struct {
	// ID is what [Set.Remove] takes.
	ID    int   `json:"id"`
	Fault Fault `json:"fault"`
	// Struck is the number of calls that it has struck. The fault has ended once that is Count.
	Struck int `json:"struck"`
}

// NewSet returns a Set without faults, for calls with those names. The seed makes the choice
// of calls for faults with a [Fault.Probability] reproducible. Zero means a random seed.
func NewSet(operations []string, seed uint64) *Set {
	if seed == 0 {
		seed = rand.Uint64()
	}
	return &Set{operations: slices.Sorted(slices.Values(operations)), random: rand.New(rand.NewPCG(seed, 0))}
}

// Operations returns the names of calls, sorted.
func (s *Set) Operations() []string { return slices.Clone(s.operations) }

// Add adds a fault after the others and returns its id.
// The error reports all that is wrong with the fault.
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

// Remove ends a fault. It reports whether there was a fault with that id.
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

// List returns all faults in the order in which they were
// added, also those that have struck all of their calls.
func (s *Set) List() []Active {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]Active, 0, len(s.active))
	for _, a := range s.active {
		list = append(list, *a)
	}
	return list
}

// strike decides what happens to a call. Latencies add
// up. The first fault with an outcome ends the search.
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
