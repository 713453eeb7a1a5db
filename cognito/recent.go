package cognito

import (
	"sync"
	"sync/atomic"
	"time"
)

// recent remembers what happened lately: up to max entries, each until its time has come. When it
// is full the oldest entry leaves.
//
// It is a queue and no cache: a cache that prefers what is read often would drop what has just
// come, and that is what is asked for next.
type recent[K comparable, V any] struct {
	max  int
	size atomic.Int64 // of entries

	mu      sync.RWMutex
	entries map[K]recentEntry[V]
	queue   []arrival[K] // oldest first
	arrived uint64       // how many entries have come so far
}

type recentEntry[V any] struct {
	value V
	until time.Time
	nth   uint64 // tells an entry from an earlier one under the same key
}

type arrival[K comparable] struct {
	key K
	nth uint64
}

func newRecent[K comparable, V any](max int) *recent[K, V] {
	return &recent[K, V]{max: max, entries: map[K]recentEntry[V]{}}
}

// get returns what is remembered under key at the time now.
func (r *recent[K, V]) get(key K, now time.Time) (value V, ok bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	e, ok := r.entries[key]
	if !ok || !now.Before(e.until) {
		return value, false
	}
	return e.value, true
}

// put remembers value under key until a time.
func (r *recent[K, V]) put(key K, value V, now, until time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	defer r.count()
	r.evict(now)
	r.arrived++
	r.entries[key] = recentEntry[V]{value, until, r.arrived}
	r.queue = append(r.queue, arrival[K]{key, r.arrived})
}

// evict makes room for one entry, and drops the oldest ones whose time has come. r.mu is held.
func (r *recent[K, V]) evict(now time.Time) {
	for len(r.queue) > 0 {
		oldest := r.queue[0]
		e, ok := r.entries[oldest.key]
		current := ok && e.nth == oldest.nth // it was neither deleted nor replaced
		if current && now.Before(e.until) && len(r.queue) < r.max {
			return
		}
		if current {
			delete(r.entries, oldest.key)
		}
		r.queue = r.queue[1:]
	}
}

func (r *recent[K, V]) delete(key K) {
	r.mu.Lock()
	defer r.mu.Unlock()
	defer r.count()
	delete(r.entries, key)
}

func (r *recent[K, V]) count() { r.size.Store(int64(len(r.entries))) }

// empty reports whether nothing is remembered. It takes no lock, which spares every request one.
func (r *recent[K, V]) empty() bool { return r.size.Load() == 0 }
