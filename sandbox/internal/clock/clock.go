// Package clock tells the sandbox's time, which can be made wrong.
package clock

import (
	"sync/atomic"
	"time"
)

// Clock is a clock. It is safe for concurrent use.
type Clock struct {
	right  func() time.Time
	offset atomic.Int64
}

// New returns a clock that goes by right, or by [time.Now] if that is nil.
func New(right func() time.Time) *Clock {
	if right == nil {
		right = time.Now
	}
	return &Clock{right: right}
}

// Now tells the time.
func (c *Clock) Now() time.Time { return c.right().Add(c.Offset()) }

// Offset is by how much the clock is fast; it is slow if that is negative.
func (c *Clock) Offset() time.Duration { return time.Duration(c.offset.Load()) }

// SetOffset makes the clock fast by d.
func (c *Clock) SetOffset(d time.Duration) { c.offset.Store(int64(d)) }
