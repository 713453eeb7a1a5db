package cognito

import (
	"context"
	"crypto/rsa"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/token"
)

const (
	// keysMaxAge is the age at which a key set is fetched again, while the known keys go on
	// serving.
	keysMaxAge = time.Hour
	// keysInterval is the shortest time between two fetches of a key set, whatever key ids tokens
	// name.
	keysInterval = time.Minute
	// keysRetry replaces keysInterval while the set cannot be fetched.
	keysRetry = 5 * time.Second
	// keysTimeout bounds one fetch.
	keysTimeout = 5 * time.Second
	// keysMaxBytes bounds a key set. Cognito publishes two keys in under 1 KB.
	keysMaxBytes = 64 << 10
)

// key is one public key of an issuer. Sessions are remembered with the keys that signed them. A key
// that vanishes from its set ends their trust.
type key struct {
	public   *rsa.PublicKey
	set      *keySet
	vanished atomic.Bool
}

// Public implements [token.Key].
func (k *key) Public() *rsa.PublicKey { return k.public }

// trusted reports whether what k has signed still counts. It renews the set of k if that is old.
func (k *key) trusted() bool {
	k.set.renew()
	return !k.vanished.Load()
}

// keySet holds the keys of one issuer. It fetches them when they are first needed, again in the
// background when they are old, and at once, but rarely, when a token names an unknown key. The
// known keys go on serving while no others can be fetched.
//
// It is a policy of our own: keyfunc's refreshes go by the wall clock, wait in the request for the
// rate limit, and do not tell which keys have vanished.
type keySet struct {
	app      *amplify.App
	work     *work
	issuer   string
	url      string
	optional bool // the issuer may never have been used: then the address answers 403

	renewAt atomic.Int64 // from when it is to be fetched in the background, in Unix nanoseconds

	mu      sync.Mutex
	keys    map[string]*key
	tried   time.Time     // when the last fetch began; zero if there was none
	failure error         // of the last fetch
	fetch   chan struct{} // closed when the fetch under way has ended; nil if there is none
}

func newKeySet(app *amplify.App, w *work, issuer, url string, optional bool) *keySet {
	return &keySet{app: app, work: w, issuer: issuer, url: url, optional: optional}
}

// Issuer implements [token.Keys].
func (s *keySet) Issuer() string { return s.issuer }

// Key implements [token.Keys]. If the key is unknown and the set may be fetched, it waits for that.
// The error matches [amplify.ErrUnauthenticated] if the issuer does not publish such a key, and has
// [amplify.ReasonKeysUnavailable] if that cannot be found out now.
func (s *keySet) Key(ctx context.Context, id string) (token.Key, error) {
	s.mu.Lock()
	k := s.keys[id]
	if k == nil && s.fetch == nil && s.due() {
		s.start()
	}
	fetch, failure := s.fetch, s.failure
	s.mu.Unlock()
	switch {
	case k != nil:
		s.renew()
		return k, nil
	case fetch == nil:
		return nil, unknownKey(failure)
	}
	if err := wait(ctx, fetch); err != nil {
		return nil, keysUnavailable(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if k := s.keys[id]; k != nil {
		return k, nil
	}
	return nil, unknownKey(s.failure)
}

// MayHave implements [token.Keys].
func (s *keySet) MayHave(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.keys[id] != nil || s.fetch != nil || s.failure != nil || s.due()
}

func unknownKey(failure error) error {
	if failure != nil {
		return keysUnavailable(failure)
	}
	return amplify.Unauthenticated(amplify.ReasonUnknownKey, nil)
}

// keysUnavailable returns a transient error. FetchError is what aws-jwt-verify throws.
func keysUnavailable(cause error) error {
	return &amplify.Error{
		Name:    "FetchError",
		Reason:  amplify.ReasonKeysUnavailable,
		Message: "The keys of the user pool cannot be fetched at the moment.",
		RecoverySuggestion: "Check that this server reaches the address of the keys, and that " +
			"the user pool id is right.",
		Err: cause,
	}
}

// warmUp fetches the set unless it is known.
func (s *keySet) warmUp(ctx context.Context) error {
	s.mu.Lock()
	if s.keys != nil {
		s.mu.Unlock()
		return nil
	}
	if s.fetch == nil {
		s.start()
	}
	fetch := s.fetch
	s.mu.Unlock()
	if fetch != nil {
		if err := wait(ctx, fetch); err != nil {
			return keysUnavailable(err)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failure != nil {
		return keysUnavailable(s.failure)
	}
	return nil
}

func wait(ctx context.Context, done <-chan struct{}) error {
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// renew fetches an old set in the background. It costs one atomic read otherwise.
func (s *keySet) renew() {
	if s.app.Now().UnixNano() < s.renewAt.Load() {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fetch == nil && s.due() {
		s.start()
	}
}

// due reports whether the set may be fetched now. s.mu is held.
func (s *keySet) due() bool {
	if s.tried.IsZero() {
		return true
	}
	interval := keysInterval
	if s.failure != nil {
		interval = keysRetry
	}
	since := s.app.Now().Sub(s.tried)
	return since >= interval || since < 0 // negative: the clock was set back
}

// start begins to fetch the set. s.mu is held, and s.fetch is nil.
func (s *keySet) start() {
	ctx, done, err := s.work.begin(keysTimeout)
	if err != nil {
		s.failure = err
		return
	}
	fetch := make(chan struct{})
	s.tried, s.fetch = s.app.Now(), fetch
	go func() {
		defer done()
		got, err := s.work.protect(func() (any, error) { return s.get(ctx) })
		keys, _ := got.(map[string]*rsa.PublicKey)
		if err != nil && s.work.ctx.Err() == nil {
			s.app.Logger().WarnContext(ctx, "amplify: fetching the keys of a user pool failed",
				"url", s.url, "error", err)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.failure, s.fetch = err, nil
		next := keysMaxAge
		if err != nil {
			next = keysInterval
		} else {
			s.replaceLocked(keys)
		}
		s.renewAt.Store(s.app.Now().Add(next).UnixNano())
		close(fetch)
	}()
}

// get fetches the set.
func (s *keySet) get(ctx context.Context) (map[string]*rsa.PublicKey, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
	resp, err := s.app.HTTPClient().Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusOK:
	case s.optional && (resp.StatusCode == http.StatusForbidden ||
		resp.StatusCode == http.StatusNotFound):
		return nil, nil // the pool was never switched to this issuer
	default:
		return nil, fmt.Errorf("%s answered %s", s.url, resp.Status)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, keysMaxBytes+1))
	if err != nil {
		return nil, err
	}
	if len(body) > keysMaxBytes {
		return nil, fmt.Errorf("%s answered more than %d bytes", s.url, keysMaxBytes)
	}
	return token.ParseKeys(body)
}

// replace makes keys the keys of the set.
func (s *keySet) replace(keys map[string]*rsa.PublicKey) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.replaceLocked(keys)
}

func (s *keySet) replaceLocked(keys map[string]*rsa.PublicKey) {
	next := make(map[string]*key, len(keys))
	for id, public := range keys {
		if old := s.keys[id]; old != nil && old.public.Equal(public) {
			next[id] = old
			continue
		}
		next[id] = &key{public: public, set: s}
	}
	for id, old := range s.keys {
		if next[id] != old {
			old.vanished.Store(true)
		}
	}
	s.keys = next
}
