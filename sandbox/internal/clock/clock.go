// Package clock gives the sandbox a clock that can be set wrong on purpose.
package clock

import (
	"sync/atomic"
	"time"
)

// Clock is a clock with an offset. It is safe for concurrent use.
type Clock struct {
	right  func() time.Time
	offset atomic.Int64
}

// New returns a clock that follows right, or [time.Now] if right is nil.
func New(right func() time.Time) *Clock {
	if right == nil {
		right = time.Now
	}
	return &Clock{right: right}
}

// Now returns the time with the offset.
func (c *Clock) Now() time.Time { return c.right().Add(c.Offset()) }

// Offset returns how far the clock is ahead. A negative offset means that it is behind.
func (c *Clock) Offset() time.Duration { return time.Duration(c.offset.Load()) }

// SetOffset sets the clock ahead by d, or behind if d is negative.
func (c *Clock) SetOffset(d time.Duration) { c.offset.Store(int64(d)) }
