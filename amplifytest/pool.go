package amplifytest

import (
	"crypto/rand"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/amplifyhttp"
	"github.com/amplify-go/amplify/internal/testpool"
)

// defaultOrigin has the host that [net/http/httptest.NewRequest] gives requests.
const defaultOrigin = "https://example.com"

// Addresses of the pool. Names below test lead nowhere (RFC 6761 §6.2): no call reaches AWS by
// mistake.
const (
	userPoolURL     = "https://user-pool.test"
	identityPoolURL = "https://identity-pool.test"
)

// Options are the settings of a [Pool].
type Options struct {
	// Config is the configuration of the application, with the ids and redirect URLs that the pool
	// is to have. If it has no Auth, the pool makes one up: a user pool with managed login, and an
	// identity pool that allows guests. The redirect URLs are then the routes of /api/auth/ at
	// https://example.com, whose host [net/http/httptest.NewRequest] gives requests.
	Config amplify.Config
}

// Outage says what is wrong with a [Pool]: see [Pool.SetOutage].
type Outage int

// The outages of a pool.
const (
	// NoOutage ends an outage.
	NoOutage Outage = iota
	// Throttled refuses all calls with TooManyRequestsException or status 429. Keys are still
	// there.
	Throttled
	// Down answers everything with status 503, also requests for keys.
	Down
)

// Pool is a user pool with managed login and an identity pool, for one test. It is safe for
// concurrent use. A test may have several, and pools of parallel tests know nothing of each other.
//
// It remembers users by their ids. What it was told last about a user is what refreshes and
// attributes are about: see [Pool.SetUser].
type Pool struct {
	t       testing.TB
	backend *testpool.Pool // mints tokens, keeps the time, gives AWS credentials
	config  amplify.Config
	origin  string

	mu       sync.Mutex
	done     bool // the test has ended: nothing can be reported any more
	outage   Outage
	calls    map[string]int
	users    map[string]User     // by sub
	sessions map[string]*session // by the session's id, origin_jti
	refresh  map[string]*session // by refresh token
	codes    map[string]grant    // by authorization code
}

// New returns a pool that lives as long as the test of t. Its clock begins with the present time
// and stands still: see [Pool.Advance]. The test fails if o describes no user pool.
//
// New panics in programs that are not test binaries.
func New(t testing.TB, o Options) *Pool {
	if !testing.Testing() {
		panic("amplifytest: a pool accepts anybody, and works in tests only")
	}
	t.Helper()
	p := &Pool{
		t: t, config: o.Config, origin: defaultOrigin,
		calls: map[string]int{}, users: map[string]User{}, sessions: map[string]*session{},
		refresh: map[string]*session{}, codes: map[string]grant{},
	}
	if p.config.Auth == nil {
		p.config.Auth = madeUp()
	}
	auth := p.config.Auth
	if auth.UserPoolID == "" || auth.UserPoolClientID == "" {
		t.Fatal("amplifytest: Options.Config.Auth has no user pool or no app client: " +
			"set both, or leave Auth nil for a pool that is made up")
	}
	if err := p.config.Validate(); err != nil {
		t.Fatalf("amplifytest: Options.Config: %v", err)
	}
	if auth.OAuth != nil {
		for _, redirect := range auth.OAuth.RedirectSignIn {
			if of := originOf(redirect); of != "" {
				p.origin = of
				break
			}
		}
	}
	p.config = p.Config() // the caller may change its own
	p.backend = testpool.NewOf(t, auth.UserPoolID, auth.UserPoolClientID)
	p.backend.Advance(time.Now().UTC().Truncate(time.Second).Sub(p.backend.Now()))
	t.Cleanup(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.done = true
	})
	return p
}

// madeUp returns the configuration of a backend like those that Amplify makes. Its ids are its own,
// so that no other pool's tokens are good for it.
func madeUp() *amplify.AuthConfig {
	const region = "eu-west-1"
	return &amplify.AuthConfig{
		UserPoolID: region + "_" + rand.Text()[:9], UserPoolClientID: strings.ToLower(rand.Text()),
		IdentityPoolID: region + ":" + newUUID(), AllowGuestAccess: true,
		OAuth: &amplify.OAuthConfig{
			Domain: "auth.example.com", ResponseType: "code",
			Scopes:          []string{"phone", "email", "openid", "profile", adminScope},
			RedirectSignIn:  []string{defaultOrigin + "/api/auth/sign-in-callback"},
			RedirectSignOut: []string{defaultOrigin + "/api/auth/sign-out-callback"},
		},
	}
}

// originOf returns the origin of a web address, or "".
func originOf(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// Config returns the configuration of the application under test. It is a copy: the test may change
// what it points to. What the pool itself should know belongs in [Options].Config.
func (p *Pool) Config() amplify.Config {
	c := p.config
	auth := *c.Auth
	if auth.OAuth != nil {
		oauth := *auth.OAuth
		oauth.Scopes = slices.Clone(oauth.Scopes)
		oauth.RedirectSignIn = slices.Clone(oauth.RedirectSignIn)
		oauth.RedirectSignOut = slices.Clone(oauth.RedirectSignOut)
		auth.OAuth = &oauth
	}
	c.Auth = &auth
	return c
}

// Origin returns the origin of the application under test, such as "https://example.com": that of
// the configuration's first redirect URL.
func (p *Pool) Origin() string { return p.origin }

// Options returns the options of the application under test: Origin is that of [Pool.Origin], App
// leads every call to the pool and takes the time from it, and its Logger writes to the test's log.
// The application sets the other options as it does elsewhere. An application that leaves signing
// in to Amplify JS sets Origin to "".
//
// An application that calls something that the pool does not know fails the test.
func (p *Pool) Options() amplifyhttp.Options {
	endpoints := amplify.Endpoints{
		UserPool: userPoolURL, UserPoolKeys: userPoolURL, IdentityPool: identityPoolURL,
	}
	if host := p.loginHost(); host != "" {
		endpoints.OAuth = "https://" + host
	}
	return amplifyhttp.Options{Origin: p.origin, App: amplify.Options{
		HTTPClient: &http.Client{Transport: upstream{p}},
		Logger:     slog.New(slog.NewTextHandler(testLog{p}, nil)),
		Clock:      p.Now,
		Endpoints:  endpoints,
	}}
}

// Now returns the pool's time, which is also that of the application under test.
func (p *Pool) Now() time.Time { return p.backend.Now() }

// Advance moves the pool's time on. Access and ID tokens last for an hour, so that
//
//	pool.Advance(2 * time.Hour)
//
// lets those of every session expire.
func (p *Pool) Advance(d time.Duration) { p.backend.Advance(d) }

// SetOutage begins an outage, or ends it with [NoOutage]. An application that has verified a
// session before knows the keys, and goes on to verify sessions.
func (p *Pool) SetOutage(o Outage) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.outage = o
}

// Calls returns how many calls of the application have arrived, by operation:
//
//   - "jwks.json": the keys of the user pool
//   - "GetTokensFromRefreshToken": refreshes
//   - "/oauth2/revoke", or "RevokeToken" without managed login: revocations
//   - "GlobalSignOut", "GetUser", "/oauth2/token": what they say
//   - "GetId" and "GetCredentialsForIdentity": the identity pool
//
// Calls that an outage refuses count as well. The library repeats some of them.
func (p *Pool) Calls() map[string]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.calls)
}

// errorf fails the test, unless that has ended.
func (p *Pool) errorf(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.done {
		p.t.Errorf("amplifytest: "+format, args...)
	}
}

// testLog writes to the log of the pool's test, as long as there is one.
type testLog struct{ pool *Pool }

func (l testLog) Write(b []byte) (int, error) {
	l.pool.mu.Lock()
	defer l.pool.mu.Unlock()
	if l.pool.done {
		return len(b), nil
	}
	return l.pool.t.Output().Write(b)
}
