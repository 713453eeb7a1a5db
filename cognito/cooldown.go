package cognito

import (
	"math/rand/v2"
	"sync"
	"time"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/awsapi"
)

const (
	// firstCooldown is how long the first pause lasts at most. Each that follows upon another is twice as long.
	firstCooldown = time.Second
	// maxCooldown bounds a pause, and so how long after a storm the first call gets through.
	maxCooldown = 10 * time.Second
)

// cooldown keeps calls of one operation from a service that says "too many requests" even after the retries: more calls
// would only keep it saying so. Amazon Cognito counts per account and operation ("Quotas in Amazon Cognito"), so that
// all users of all servers suffer together.
//
// While it lasts calls fail at once, and whoever still has something valid goes on with that. After it a single call
// tries; the others follow once that has got through. Pauses are jittered, so that the servers of a
// fleet do not come back in step. The zero value is ready for use.
type cooldown struct {
	mu      sync.Mutex
	until   time.Time
	strikes int            // pauses in a row
	failure *amplify.Error // what the service said
}

// do makes a call unless it would have to wait. call returns an error of an AWS client as it is; do
// translates it.
func (c *cooldown) do(now func() time.Time, call func() error) *amplify.Error {
	if err := c.begin(now()); err != nil {
		return err
	}
	err := call()
	if err == nil {
		c.end(now(), nil)
		return nil
	}
	translated := awsapi.Error(err)
	if awsapi.Throttled(err) {
		c.end(now(), translated)
	}
	return translated
}

func (c *cooldown) begin(now time.Time) *amplify.Error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.strikes == 0:
		return nil
	case now.Before(c.until):
		return c.failure
	}
	// The others go on waiting while this one tries.
	c.pause(now)
	return nil
}

func (c *cooldown) end(now time.Time, throttled *amplify.Error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case throttled == nil:
		c.strikes = 0
	case c.strikes == 0: // calls that were under way when it began change nothing
		c.failure = throttled
		c.pause(now)
	}
}

func (c *cooldown) pause(now time.Time) {
	longest := min(firstCooldown<<min(c.strikes, 10), maxCooldown)
	c.strikes++
	c.until = now.Add(longest/2 + rand.N(longest/2))
}
