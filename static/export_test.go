package static

// Evict takes a variant out of memory, as the cache does when it is full.
func Evict(p *Page, r Request) { p.pages.cache.Invalidate(p.key(p.normal(r))) }

// Size returns how many bytes the variants in memory take, as far as they are counted.
func Size(p *Pages) uint64 {
	p.cache.CleanUp()
	return p.cache.WeightedSize()
}

// Remembered returns how many failures a page remembers.
func Remembered(p *Page) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.failed)
}

// Bounds that tests reach.
const (
	MaxInvalidated = maxInvalidated
	MaxBackoff     = maxBackoff
	StoreTimeout   = storeTimeout
)
