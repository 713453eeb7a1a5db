package userpool

import (
	"testing"
	"time"
)

// The time at which a pool was made outlives restarts.
func TestCreated(t *testing.T) {
	f := newFixture(t, nil)
	made := f.Now()
	later := newFixtureIn(t, f.store, func(c *Config) {
		c.Clock = func() time.Time { return made.Add(time.Hour) }
	})
	if !f.Created().Equal(made) || !later.Created().Equal(made) {
		t.Errorf("created %v, and after a restart %v; want %v", f.Created(), later.Created(), made)
	}
}
