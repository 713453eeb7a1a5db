package amplifyhttp

import (
	"bytes"
	"context"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/cookie"
	"github.com/amplify-go/amplify/internal/conformance"
)

// The names of the recorded cases, so that their stand-ins serve here too.
const (
	testPool   = "eu-west-1_Corpus001"
	testClient = "4corpusclientid0000000001"
	testPrefix = "CognitoIdentityServiceProvider." + testClient + "."
)

// fixture is a runner on stand-ins for AWS, with a fake clock.
type fixture struct {
	*ServerRunner
	t        testing.TB
	upstream *conformance.Upstream
	log      *lockedBuffer
	now      time.Time
}

var testKeys = sync.OnceValue(func() *conformance.Keys { return conformance.NewKeys(&testing.T{}) })

// newFixture returns a runner. change may alter its configuration and options.
func newFixture(t testing.TB, answers map[string][]conformance.Answer, change func(*amplify.Config, *Options)) *fixture {
	t.Helper()
	t.(interface{ Setenv(k, v string) }).Setenv("AMPLIFY_APP_ORIGIN", "")
	f := &fixture{t: t, upstream: conformance.NewUpstream(testKeys(), answers), log: &lockedBuffer{}, now: time.Now()}
	cfg := amplify.Config{Auth: &amplify.AuthConfig{
		UserPoolID: testPool, UserPoolClientID: testClient,
		OAuth: &amplify.OAuthConfig{
			Domain: "auth.corpus.test", Scopes: []string{"openid"}, ResponseType: "code",
			RedirectSignIn:  []string{"https://myapp.com/api/auth/sign-in-callback"},
			RedirectSignOut: []string{"https://myapp.com/api/auth/sign-out-callback"},
		},
	}}
	o := Options{
		Origin: "https://myapp.com",
		App: amplify.Options{
			HTTPClient: &http.Client{Transport: f.upstream},
			Logger:     slog.New(slog.NewTextHandler(f.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
			Clock:      func() time.Time { return f.now },
		},
	}
	if change != nil {
		change(&cfg, &o)
	}
	runner, err := NewServerRunner(cfg, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, secret := range []string{"eyJ", "refresh-of-", "rotated", "the-code", "client-secret"} {
			if strings.Contains(f.log.String(), secret) {
				t.Errorf("a secret is logged: %s", f.log)
			}
		}
		if err := runner.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	f.ServerRunner = runner
	return f
}

// tokens signs an access and an ID token of a user, which end after life. extra goes into both.
func (f *fixture) tokens(user string, life time.Duration, extra map[string]any) (access, id string) {
	f.t.Helper()
	times := map[string]int64{"iat": -60, "auth_time": -60, "exp": int64(life.Seconds())}
	sign := func(use string, claims map[string]any) string {
		claims["sub"], claims["token_use"] = "sub-of-"+user, use
		claims["iss"] = "https://cognito-idp.eu-west-1.amazonaws.com/" + testPool
		maps.Copy(claims, extra)
		token, err := testKeys().Sign(conformance.TokenSpec{Key: "pool", Claims: claims, Times: times}, f.now)
		if err != nil {
			f.t.Fatal(err)
		}
		return token
	}
	return sign("access", map[string]any{"client_id": testClient, "username": user, "scope": "openid email"}),
		sign("id", map[string]any{"aud": testClient, "cognito:username": user})
}

// session returns the Cookie header of a user's session.
func (f *fixture) session(user string, life time.Duration, extra map[string]any) string {
	access, id := f.tokens(user, life, extra)
	name := func(key string) string { return cookie.EncodeName(testPrefix + user + "." + key) }
	return testPrefix + "LastAuthUser=" + cookie.EncodeValue(user) + "; " + name("accessToken") + "=" + access + "; " +
		name("idToken") + "=" + id + "; " + name("refreshToken") + "=refresh-of-" + cookie.EncodeName(user)
}

// refreshed returns what Cognito answers to the refresh of a user's session.
func (f *fixture) refreshed(user string) map[string][]conformance.Answer {
	access, id := f.tokens(user, time.Hour, map[string]any{"jti": "fresh"})
	return map[string][]conformance.Answer{"GetTokensFromRefreshToken": {{
		Status: 200, JSON: []byte(`{"AuthenticationResult":{"AccessToken":"` + access + `","IdToken":"` + id + `","RefreshToken":"rotated"}}`),
	}}}
}

// request returns a GET request with a Cookie header and further headers.
func request(target, cookies string, headers ...string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, target, nil)
	if cookies != "" {
		r.Header.Set("Cookie", cookies)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return r
}

// serve answers r by h.
func serve(h http.Handler, r *http.Request) *http.Response {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

// lockedBuffer is a buffer for loggers.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
