package static

import (
	"crypto/sha256"
	"sync"
	"sync/atomic"
	"time"
)

// tag is the SHA-256 of a tag's text, which may be long.
type tag [sha256.Size]byte

func newTag(text string) tag { return sha256.Sum256([]byte(text)) }

// maxInvalidated is how many tags are remembered as invalidated. Beyond it all pages are
// invalidated at once, and the tags are forgotten.
const maxInvalidated = 10_000

// invalidations remembers which tags have been invalidated. A page has the number of invalidations
// before its render began, and is outdated if one of its tags has a later one. So a render that was
// under way meanwhile makes a page that is outdated from the start.
type invalidations struct {
	count atomic.Uint64 // so far

	mu   sync.RWMutex
	tags map[tag]invalidation // the last one of each tag
	all  invalidation         // the last one of all pages
}

type invalidation struct {
	nth uint64
	at  time.Time
}

// add notes that tags are invalidated, and returns the number of this invalidation.
func (v *invalidations) add(now time.Time, tags ...tag) uint64 {
	v.mu.Lock()
	defer v.mu.Unlock()
	in := invalidation{v.count.Load() + 1, now}
	if len(v.tags)+len(tags) > maxInvalidated {
		v.tags, v.all = nil, in
	} else {
		if v.tags == nil {
			v.tags = map[tag]invalidation{}
		}
		for _, t := range tags {
			v.tags[t] = in
		}
	}
	v.count.Store(in.nth)
	return in.nth
}

// concern reports whether k has been invalidated since its render began.
func (v *invalidations) concern(k *kept) bool {
	count := v.count.Load()
	if k.clean.Load() >= count {
		return false
	}
	if last := v.last(k.tags); last.nth > k.after {
		return true
	}
	k.clean.Store(count)
	return false
}

// last returns the last invalidation of any of tags.
func (v *invalidations) last(tags []tag) invalidation {
	v.mu.RLock()
	defer v.mu.RUnlock()
	last := v.all
	for _, t := range tags {
		if in := v.tags[t]; in.nth > last.nth {
			last = in
		}
	}
	return last
}
