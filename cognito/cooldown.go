package cognito

import (
	"math/rand/v2"
	"sync"
	"time"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/awsapi"
)

const (
	// firstCooldown is how long the first pause lasts at most. Each that follows upon another is
	// twice as long.
	firstCooldown = time.Second
	// maxCooldown bounds a pause, and so how long after a storm the first call gets through.
	maxCooldown = 10 * time.Second
)

// cooldown pauses the calls of one operation while its service says "too many requests" even after
// the retries: more calls would only keep it saying so. Amazon Cognito counts per account and
// operation ("Quotas in Amazon Cognito"), so that all users of all servers suffer together.
//
// During a pause calls fail at once, and callers go on with what is still valid. After it a single
// call tries. The first answer that shows the service well ends the cool-down: any that is neither
// throttling nor a failure of server or network, a refusal included. Pauses are jittered, so that
// the servers of a fleet do not come back in step. The zero value is ready for use.
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
		c.end()
		return nil
	}
	translated := awsapi.Error(err)
	switch {
	case awsapi.Throttled(err):
		c.throttled(now(), translated)
	case translated.Reason != amplify.ReasonServiceUnavailable:
		c.end()
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

// end ends the cool-down.
func (c *cooldown) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.strikes = 0
}

// throttled begins a cool-down, unless there is one: calls that were under way when it began change
// nothing.
func (c *cooldown) throttled(now time.Time, failure *amplify.Error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.strikes == 0 {
		c.failure = failure
		c.pause(now)
	}
}

func (c *cooldown) pause(now time.Time) {
	longest := min(firstCooldown<<min(c.strikes, 10), maxCooldown)
	c.strikes++
	c.until = now.Add(longest/2 + rand.N(longest/2))
}
