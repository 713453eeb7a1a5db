package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/amplifyhttp"
	"github.com/amplify-go/amplify/internal/testpool"
)

// BenchmarkWorst sends every route and API the requests that cost most, and reports the worst of
// them beside a bare handler that is sent the same: the ratio for a request of 1,000 KiB (budget
// 1.5), and the additional milliseconds for one of 64 KiB (budget 2). With -v it prints each.
func BenchmarkWorst(b *testing.B) {
	s := newWorst(b)
	for b.Loop() {
		for _, size := range []int{1000 << 10, 64 << 10} {
			var worst, most float64
			var worstName, mostName string
			for _, kind := range s.kinds(size) {
				for _, route := range s.routes {
					with, without := s.compare(b, route, kind.cookies)
					ratio, extra := with.Seconds()/without.Seconds(), (with-without).Seconds()*1000
					b.Logf("%4d KiB %-22s %-44s %8.3f ms, bare %7.3f ms: %.2f", size>>10, kind.name,
						route, with.Seconds()*1000, without.Seconds()*1000, ratio)
					if ratio > worst {
						worst, worstName = ratio, kind.name+" "+route
					}
					if extra > most {
						most, mostName = extra, kind.name+" "+route
					}
				}
			}
			unit := fmt.Sprintf("/%dKiB", size>>10)
			b.ReportMetric(worst, "ratio"+unit)
			b.ReportMetric(most, "ms-more"+unit)
			b.Logf("worst of %d KiB: %.2f times bare (%s), %.2f ms more (%s)", size>>10, worst,
				worstName, most, mostName)
		}
	}
}

// worst is a server with every route and API, and a bare one beside it.
type worst struct {
	pool   *testpool.Pool
	with   *connection
	bare   *connection
	routes []string
}

func newWorst(b *testing.B) *worst {
	pool := testpool.New(b)
	pool.OnRefresh(func(map[string]any) testpool.Answer {
		return testpool.Refused(http.StatusBadRequest, "NotAuthorizedException",
			"Invalid Refresh Token")
	})
	cfg := pool.IdentityConfig()
	cfg.Auth.OAuth = &amplify.OAuthConfig{
		Domain: "auth.example.test", Scopes: []string{"openid"}, ResponseType: "code",
		RedirectSignIn:  []string{"https://myapp.com/api/auth/sign-in-callback"},
		RedirectSignOut: []string{"https://myapp.com/api/auth/sign-out-callback"},
	}
	o := pool.Options()
	o.Logger = slog.New(slog.DiscardHandler)
	o.HTTPClient.Transport = answering{pool}
	runner, err := amplifyhttp.NewServerRunner(cfg,
		amplifyhttp.Options{Origin: "https://myapp.com", App: o})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = runner.Close(context.Background()) })
	routes, err := runner.AuthRoutes(amplifyhttp.AuthRoutesOptions{})
	if err != nil {
		b.Fatal(err)
	}
	signedIn, err := runner.RequireUser(amplifyhttp.Guard{SignIn: "/api/auth/sign-in"})
	if err != nil {
		b.Fatal(err)
	}
	u := testpool.User{Sub: "6f8b1c2a-1111-4222-8333-000000000001", Name: "starter"}
	tokens := amplify.IssuedTokens{
		AccessToken: amplify.NewSecret(pool.Access(u)), IDToken: amplify.NewSecret(pool.ID(u)),
		RefreshToken: amplify.NewSecret("r"),
	}
	mux := http.NewServeMux()
	mux.Handle("/me", answer(me))
	mux.Handle("/session", answer(session))
	mux.Handle("/guarded", signedIn(answer(me)))
	mux.Handle("/end", answer(func(ctx context.Context) (any, error) {
		sc, err := amplify.FromContext(ctx)
		if err != nil {
			return nil, err
		}
		return nil, sc.EndSession(ctx, amplify.EndInput{})
	}))
	mux.Handle("/start", answer(func(ctx context.Context) (any, error) {
		sc, err := amplify.FromContext(ctx)
		if err != nil {
			return nil, err
		}
		return nil, sc.StartSession(ctx, tokens)
	}))
	nothing := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, nil)
	})
	mux.Handle("/nothing", nothing)
	mux.Handle("/api/auth/", routes)
	return &worst{
		pool: pool,
		with: dial(b, runner.Middleware(mux)),
		bare: dial(b, nothing),
		routes: []string{
			"/nothing", "/me", "/session", "/guarded", "/end", "/start", "/api/auth/sign-in",
			"/api/auth/sign-up", "/api/auth/sign-out",
			"/api/auth/sign-out?global=true", "/api/auth/sign-in-callback?code=c&state=s",
			"/api/auth/sign-in-callback?error=e", "/api/auth/sign-out-callback",
		},
	}
}

// answering is a pool that answers revocations, too.
type answering struct{ *testpool.Pool }

func (a answering) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host == "auth.example.test" {
		return &http.Response{StatusCode: http.StatusBadRequest,
			Body: io.NopCloser(strings.NewReader(`{"error":"invalid_grant"}`)), Request: r}, nil
	}
	return a.Pool.RoundTrip(r)
}

// kind is a way to fill a Cookie header.
type kind struct{ name, cookies string }

func (s *worst) kinds(size int) []kind {
	forged := func(use string, i int) string {
		claims := map[string]any{"token_use": use, "client_id": testpool.Client,
			"aud": testpool.Client, "username": "u", "cognito:username": "u"}
		return s.pool.JWT(jwt.SigningMethodRS256, s.pool.Key("rogue"),
			map[string]any{"kid": "key-1"},
			s.pool.Claims(claims, testpool.Alice, testpool.Claim{Name: "jti", Value: i}))
	}
	var tokens strings.Builder
	for user := range 3 {
		fmt.Fprintf(&tokens, "%sLastAuthUser=u%d; ", testpool.Prefix, user)
		for i := range 3 {
			fmt.Fprintf(&tokens, "%su%d.accessToken=%s; %su%d.idToken=%s; %su%d.refreshToken=r%d; ",
				testpool.Prefix, user, forged("access", 10*user+i), testpool.Prefix, user,
				forged("id", 10*user+i), testpool.Prefix, user, i)
		}
	}
	good := testpool.Cookies(testpool.Alice, s.pool.Access(testpool.Alice),
		s.pool.ID(testpool.Alice), "refresh-1") + "; "
	const ending = "com.amplify.server_auth.isSigningOut=true; " +
		"com.amplify.server_auth.state=s; com.amplify.server_auth.pkce=v; "
	fill := func(first string, next func(i int) string) string {
		var line strings.Builder
		line.WriteString(ending + first)
		for i := 0; ; i++ {
			c := next(i)
			if line.Len()+len(c) > size-200 { // the rest of the header
				return line.String()
			}
			line.WriteString(c)
		}
	}
	always := func(text string) func(int) string { return func(int) string { return text } }
	ofUser := func(format string) func(int) string {
		return func(i int) string { return testpool.Prefix + fmt.Sprintf(format, i) }
	}
	state := func(i int) string { return fmt.Sprintf("%032d", i) }
	return []kind{
		{"small", fill("", always("a=;"))},
		{"without names", fill("", always("=;"))},
		{"semicolons", fill("", always(";"))},
		{"one of a session", fill("", always(testpool.Prefix+"x.y=;"))},
		{"of a session", fill("", ofUser("u%d.accessToken=x;"))},
		{"of a session, short", fill("", ofUser("%x.=;"))},
		{"spelled otherwise", fill("", func(i int) string {
			return fmt.Sprintf("%%43%su%d%%2EidToken=%%41;", testpool.Prefix[1:], i)
		})},
		{"in other spellings", fill("", func(i int) string {
			return strings.Replace(testpool.Prefix, string(testpool.Prefix[i%25]),
				fmt.Sprintf("%%%02x", testpool.Prefix[i%25]), 1) + "LastAuthUser=a;"
		})},
		{"escapes", fill("", always("%41=;"))},
		{"Latin-1", fill("", always(testpool.Prefix+"\xfc.idToken=\xfc\xfc;"))},
		{"LastAuthUser", fill("", ofUser("LastAuthUser=u%d;"))},
		{"attempts", fill("", func(i int) string {
			return fmt.Sprintf("com.amplify.server_auth.attempt.%s=%s.v.;", state(i), state(i))
		})},
		{"one attempt", fill("", always("com.amplify.server_auth.attempt."+state(1)+"=x;"))},
		{"states", fill("", always("com.amplify.server_auth.state=s;"))},
		{"forged tokens", fill(tokens.String(), always("a=;"))},
		{"a large token", fill(testpool.Prefix+"LastAuthUser=u; "+testpool.Prefix+
			"u.idToken=x.y.z; "+testpool.Prefix+"u.accessToken=", always("eyJx"))},
		{"a session, and many", fill(good, ofUser("u%d.idToken=x;"))},
		{"a session, and details",
			fill(good+testpool.Prefix+"alice.signInDetails=", always("{\"a\":"))},
		{"devices", fill(good, ofUser("u%d.deviceKey=x;"))},
	}
}

// compare returns how long a request takes, and a bare one of the same size: the least of several
// rounds each, since other work on the machine only ever adds to it. What looks costly is measured
// for longer: among so many requests one is always hit by other work in each of a few rounds.
func (s *worst) compare(b *testing.B, route, cookies string) (with, without time.Duration) {
	with, without = time.Hour, time.Hour
	for round := range 60 {
		if round >= 9 && with < without*5/4 && with < without+time.Millisecond {
			break
		}
		with = min(with, s.with.ask(b, route, cookies))
		without = min(without, s.bare.ask(b, route, cookies))
	}
	return with, without
}

// connection is a connection to a server that is kept alive.
type connection struct {
	conn   net.Conn
	answer *bufio.Reader
}

func dial(b *testing.B, handler http.Handler) *connection {
	b.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.Config.MaxHeaderBytes = 2 << 20
	server.Start()
	b.Cleanup(server.Close)
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = conn.Close() })
	return &connection{conn, bufio.NewReader(conn)}
}

// ask sends a request and returns how long the answer took.
func (c *connection) ask(b *testing.B, route, cookies string) time.Duration {
	b.Helper()
	request := "GET " + route + " HTTP/1.1\r\nHost: myapp.com\r\nCookie: " + cookies + "\r\n\r\n"
	begin := time.Now()
	if _, err := io.WriteString(c.conn, request); err != nil {
		b.Fatal(err)
	}
	r, err := http.ReadResponse(c.answer, nil)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		b.Fatal(err)
	}
	if err := r.Body.Close(); err != nil {
		b.Fatal(err)
	}
	return time.Since(begin)
}
