package appsync

import (
	"context"
	"crypto/sha256"
	"maps"
	"sync"
	"time"

	"github.com/amplify-go/amplify/sandbox/function"
)

const (
	// authorizerTimeout is how long an authorizer may take (AppSync Developer Guide, "AWS_LAMBDA
	// authorization").
	authorizerTimeout = 10 * time.Second
	// authorizerTTL is for how long an answer is kept if nothing else is said, and maxAuthorizerTTL
	// the longest time (AppSync API Reference, "LambdaAuthorizerConfig").
	authorizerTTL    = 5 * time.Minute
	maxAuthorizerTTL = time.Hour
	// maxAnswers is how many answers are kept. Anybody can have a token of their own.
	maxAnswers = 1000
)

// authorizer asks the function that stands for the Lambda authorizer, and keeps what it answers.
type authorizer struct {
	cfg     Config
	running slots

	mu      sync.Mutex
	answers map[tokenHash]keptAnswer
}

// tokenHash stands for a token, which the authorizer does not keep.
type tokenHash [sha256.Size]byte

type keptAnswer struct {
	function.AuthorizerResponse
	until time.Time
}

func newAuthorizer(cfg Config) *authorizer {
	return &authorizer{cfg: cfg, running: newSlots(), answers: map[tokenHash]keptAnswer{}}
}

// ask returns the answer for a token: the one that is kept, or a new one.
func (a *authorizer) ask(ctx context.Context, r function.AuthorizerRequest) (
	function.AuthorizerResponse, error) {
	hash := tokenHash(sha256.Sum256([]byte(r.Token)))
	if answer, ok := a.kept(hash); ok {
		return answer, nil
	}
	ctx, cancel := context.WithTimeout(ctx, authorizerTimeout)
	defer cancel()
	answer, err := call(ctx, a.cfg.Logger, "authorizer", a.running,
		func() (function.AuthorizerResponse, error) { return a.cfg.Authorizer(ctx, r) })
	if err == nil {
		a.keep(hash, answer)
	}
	return answer, err
}

func (a *authorizer) kept(hash tokenHash) (function.AuthorizerResponse, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	answer, ok := a.answers[hash]
	return answer.AuthorizerResponse, ok && a.cfg.Clock().Before(answer.until)
}

func (a *authorizer) keep(hash tokenHash, answer function.AuthorizerResponse) {
	ttl := authorizerTTL
	for _, said := range []time.Duration{a.cfg.AuthorizerTTL, answer.TTL} {
		if said != 0 {
			ttl = said
		}
	}
	now := a.cfg.Clock()
	until := now.Add(min(ttl, maxAuthorizerTTL))
	if !until.After(now) {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.answers) >= maxAnswers {
		maps.DeleteFunc(a.answers, func(_ tokenHash, old keptAnswer) bool {
			return !now.Before(old.until)
		})
	}
	for old := range a.answers {
		if len(a.answers) < maxAnswers {
			break
		}
		delete(a.answers, old)
	}
	a.answers[hash] = keptAnswer{answer, until}
}
