package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/amplifyhttp"
	"github.com/amplify-go/amplify/auth"
	"github.com/amplify-go/amplify/sandbox"
	"github.com/amplify-go/amplify/sandbox/faults"
)

const (
	besides = 300 // users who are there during each attack
	// Their sessions have ten ages: during each attack a tenth of them expires, and another tenth
	// needs new credentials.
	ages          = 10
	attackAge     = time.Hour / ages
	besidesExpire = besides / ages
	// What a user waits at most for an answer, on a busy machine.
	userPatience = 30 * time.Second

	revocation     = "/oauth2/revoke"
	tokenEndpoint  = "/oauth2/token"
	getCredentials = "GetCredentialsForIdentity"
	getID          = "GetId"
)

// site is an application with pages, guarded pages and auth routes, its backend, and its users.
type site struct {
	*app
	pool     *pool
	clock    *clock
	config   amplify.Config
	upstream *upstream
	browsers []*browser
	extra    [4]*browser // two sessions each of two more users, which have expired before the first attack
	guests   [20]string  // Cookie headers of visitors
	attacks  int         // so far
	prefix   string      // of the names of a session's cookies
	log      *lines
}

// lines counts the lines of a log by level.
type lines struct {
	slog.Handler
	mu sync.Mutex
	n  map[slog.Level]int
}

func (l *lines) Enabled(context.Context, slog.Level) bool { return true }
func (l *lines) Handle(_ context.Context, r slog.Record) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.n[r.Level]++
	return nil
}

// above returns how many lines have come with a level of at least that, and forgets them.
func (l *lines) above(level slog.Level) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for at, lines := range l.n {
		if at >= level {
			n += lines
		}
	}
	clear(l.n)
	return n
}

// upstream is the way to the backend. While it stalls, the token endpoint answers a header and
// nothing after it.
type upstream struct {
	next  http.RoundTripper
	mu    sync.Mutex
	stall bool
	sent  map[string]time.Time // calls, by operation and body
	again map[string]int       // how many of an operation were sent once more for want of an answer
}

func (u *upstream) setStall(stall bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.stall = stall
}

// sentAgain returns how many calls of each operation have been sent once more because an answer
// took long, as it may on a busy machine, and forgets them.
func (u *upstream) sentAgain() map[string]int {
	u.mu.Lock()
	defer u.mu.Unlock()
	again := u.again
	u.sent, u.again = map[string]time.Time{}, map[string]int{}
	return again
}

// note remembers a call, and counts it if the same was sent long before.
func (u *upstream) note(r *http.Request) error {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	operation := r.URL.Path
	if _, name, ok := strings.Cut(r.Header.Get("X-Amz-Target"), "."); ok {
		operation = name
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	call := operation + " " + string(body)
	if before, ok := u.sent[call]; ok && time.Since(before) > 5*time.Second {
		u.again[operation]++
	}
	u.sent[call] = time.Now()
	return nil
}

func (u *upstream) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		r = r.Clone(r.Context())
		if err := u.note(r); err != nil {
			return nil, err
		}
	}
	u.mu.Lock()
	stall := u.stall
	u.mu.Unlock()
	if !stall || r.URL.Path != tokenEndpoint {
		return u.next.RoundTrip(r)
	}
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, ContentLength: 100,
		Request: r, Body: silent{r.Context()},
	}, nil
}

// silent is a body that never comes.
type silent struct{ ctx context.Context }

func (s silent) Read([]byte) (int, error) {
	<-s.ctx.Done()
	return 0, s.ctx.Err()
}
func (silent) Close() error { return nil }

// startSite starts a site whose users have sessions of ten ages. Refresh tokens rotate without
// grace, so that a session that is refreshed twice is lost.
func startSite(t *testing.T) *site {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	origin := "http://" + server.Listener.Addr().String()
	var emails []string
	for i := range besides + 2 {
		emails = append(emails, fmt.Sprintf("user%d@example.com", i))
	}
	c := newClock()
	p := startPool(t, c, sandbox.Config{AppOrigins: []string{origin}, Clients: []sandbox.Client{{RotateRefreshTokens: true}}}, emails...)
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	t.Cleanup(transport.CloseIdleConnections)
	s := &site{pool: p, clock: c, config: p.config(t, ""), upstream: &upstream{next: transport, sent: map[string]time.Time{}, again: map[string]int{}}, log: &lines{n: map[slog.Level]int{}}}
	s.app = &app{Server: server, client: s.config.Auth.UserPoolClientID}
	s.prefix = "CognitoIdentityServiceProvider." + s.client + "."
	runner, err := amplifyhttp.NewServerRunner(s.config, amplifyhttp.Options{Origin: origin, Bearer: true, App: amplify.Options{
		Clock: c.now, Logger: slog.New(s.log), HTTPClient: &http.Client{Transport: s.upstream},
	}})
	if err != nil {
		t.Fatal(err)
	}
	routes, err := runner.AuthRoutes(amplifyhttp.AuthRoutesOptions{})
	if err != nil {
		t.Fatal(err)
	}
	signedIn, err := runner.RequireUser(amplifyhttp.Guard{SignIn: "/api/auth/sign-in"})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/session", session)
	mux.HandleFunc("/user", currentUser)
	mux.HandleFunc("/guest", guestSession)
	mux.Handle("/guarded", signedIn(http.HandlerFunc(currentUser)))
	mux.HandleFunc("/panic", func(w http.ResponseWriter, r *http.Request) {
		_, _ = auth.FetchAuthSession(r.Context(), auth.FetchAuthSessionInput{})
		panic("a mistake of the application")
	})
	mux.Handle("/api/auth/", routes)
	handler := runner.Middleware(mux)
	server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.arrived.Add(1)
		defer s.left.Add(1)
		handler.ServeHTTP(w, r)
	})
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.Start()
	own := &http.Transport{MaxIdleConnsPerHost: 1000}
	s.http = &http.Client{Transport: own, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	t.Cleanup(func() {
		own.CloseIdleConnections()
		server.Close()
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := runner.Close(ctx); err != nil {
			t.Errorf("closing the runner: %v", err)
		}
	})

	for i := range s.extra {
		s.extra[i] = p.signIn(t, s.app, emails[besides+i/2])
	}
	for i := range s.guests {
		s.guests[i] = s.newGuest(t)
		s.wantGuest(t, s.guests[i])
	}
	s.browsers = make([]*browser, besides)
	for age := range ages {
		if age > 0 {
			c.advance(attackAge)
		}
		group := s.browsers[age*besidesExpire:][:besidesExpire]
		each(besidesExpire, func(i int) { group[i] = p.signIn(t, s.app, emails[age*besidesExpire+i]) })
		s.serveUsers(t, group)
	}
	return s
}

// expiring returns a user whose session expires during the next attack.
func (s *site) expiring() *browser { return s.browsers[s.attacks%ages*besidesExpire] }

// newGuest returns the Cookie header of a visitor to whom the browser's Amplify JS has given an
// identity.
func (s *site) newGuest(t *testing.T) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.pool.URL(), strings.NewReader(fmt.Sprintf(`{"IdentityPoolId":%q}`, s.config.Auth.IdentityPoolID)))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Amz-Target", "AWSCognitoIdentityService.GetId")
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	resp, err := s.http.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var out struct{ IdentityId string }
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil || out.IdentityId == "" {
		t.Fatalf("GetId: %s, %v", resp.Status, err)
	}
	return s.guest(out.IdentityId)
}

// guest returns the Cookie header of a visitor with an identity.
func (s *site) guest(id string) string {
	return "com.amplify.Cognito." + s.config.Auth.IdentityPoolID + ".identityId=" + id
}

// wantGuest fails the test unless a visitor is served under the identity that the cookies name.
func (s *site) wantGuest(t *testing.T, cookies string) {
	t.Helper()
	said, _, err := s.ask(t.Context(), "/guest", cookies)
	if err != nil || said.status != http.StatusOK || !strings.HasSuffix(cookies, "="+said.IdentityID) {
		t.Errorf("a guest: %+v, %v", said, err)
	}
}

// currentUser is a page that asks for the user alone.
func currentUser(w http.ResponseWriter, r *http.Request) {
	a := answer{status: http.StatusOK}
	user, err := auth.GetCurrentUser(r.Context())
	if err != nil {
		a.Reason, a.status = amplify.ReasonOf(err), http.StatusUnauthorized
	} else {
		a.Sub = user.UserID
	}
	w.WriteHeader(a.status)
	_ = json.NewEncoder(w).Encode(a)
}

// guestSession is a page for everybody with an identity.
func guestSession(w http.ResponseWriter, r *http.Request) {
	a := answer{status: http.StatusOK}
	s, err := auth.FetchAuthSession(r.Context(), auth.FetchAuthSessionInput{})
	if err != nil || s.Credentials == nil {
		a.Reason, a.status = amplify.ReasonOf(err), http.StatusServiceUnavailable
	} else {
		a.Sub, a.IdentityID = s.UserSub, s.IdentityID
	}
	w.WriteHeader(a.status)
	_ = json.NewEncoder(w).Encode(a)
}

// ask sends a request as it is, with a Cookie header that may be anything.
func (s *site) ask(ctx context.Context, path, cookies string, header ...string) (*answer, http.Header, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+path, nil)
	if err != nil {
		return nil, nil, err
	}
	if cookies != "" {
		r.Header["Cookie"] = []string{cookies}
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := s.http.Do(r)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, nil, err
	}
	said := &answer{}
	_ = json.Unmarshal(body, said) // pages say nothing
	said.status, said.cookies = resp.StatusCode, resp.Cookies()
	return said, resp.Header, nil
}

// serveUsers sends two requests of each user side by side. Each must be answered as that user's.
func (s *site) serveUsers(t *testing.T, users []*browser) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), userPatience)
	defer cancel()
	var all sync.WaitGroup
	for _, b := range users {
		cookies := header(b.cookies())
		for _, path := range []string{"/user", "/session"} {
			all.Go(func() {
				said, _, err := s.ask(ctx, path, cookies)
				switch {
				case err != nil:
					t.Errorf("%s: %v", path, err)
					return
				case path == "/session" && said.IdentityID == "":
					t.Errorf("%s: no credentials: %s %s", path, said.Name, said.Reason)
				}
				b.wantUser(t, said)
				b.keep(said.cookies)
			})
		}
	}
	all.Wait()
}

// beside lets a tenth of the sessions expire, serves all users while attack runs, and returns what
// it has all cost upstream besides what the users are entitled to.
func (s *site) beside(t *testing.T, attack func()) map[string]int {
	t.Helper()
	s.clock.advance(attackAge)
	s.pool.ResetCalls()
	s.upstream.sentAgain()
	s.log.above(slog.LevelDebug)
	var all sync.WaitGroup
	all.Go(attack)
	s.serveUsers(t, s.browsers)
	all.Wait()
	s.attacks++
	cost := s.pool.Calls()
	cost[refresh] -= besidesExpire
	cost[getCredentials] -= 2 * besidesExpire
	delete(cost, "jwks.json") // hourly
	again := s.upstream.sentAgain()
	for operation, n := range again {
		cost[operation] -= n
	}
	t.Logf("cost upstream: %v, sent again: %v", cost, again)
	return cost
}

// each calls f n times at once.
func each(n int, f func(i int)) {
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { f(i) })
	}
	all.Wait()
}

// header returns the Cookie header that a browser sends.
func header(cookies []*http.Cookie) string {
	var texts []string
	for _, c := range cookies {
		texts = append(texts, c.Name+"="+c.Value)
	}
	return strings.Join(texts, "; ")
}

// wantCost fails the test if something has been called more often than that.
func wantCost(t *testing.T, cost map[string]int, most map[string]int) {
	t.Helper()
	for operation, n := range cost {
		if n > most[operation] {
			t.Errorf("the attack has cost %d calls of %s, want %d at most", n, operation, most[operation])
		}
	}
}

// signingOut is what the browser of a user who signs out sends along to sign-out-callback.
const signingOut = "com.amplify.server_auth.isSigningOut=true; "

// TestAttacks: 300 signed-in users beside each attack. All of them are served, and the attack's
// cost is bounded.
func TestAttacks(t *testing.T) {
	noLeaks(t)
	s := startSite(t)
	run := func(name string, attack func(t *testing.T, s *site)) {
		t.Run(name, func(t *testing.T) {
			begun := time.Now()
			attack(t, s)
			t.Logf("%v, %d lines of log at level Warn and above", time.Since(begun).Round(time.Millisecond), s.log.above(slog.LevelWarn))
		})
	}

	run("made-up refresh tokens at sign-out-callback", madeUpSignOuts)
	run("made-up guests after throttling", guestsAfterThrottling)
	run("one refused refresh token", refusedRefreshToken)
	run("leaked tokens with made-up refresh tokens", leakedTokens)
	run("hang-ups while the token endpoint stalls", hangUps)
	run("a flood of made-up guests", guestFlood)
	run("headers of 1,000 KiB, and a token endpoint that sends headers alone", stalledTokenEndpoint)
	run("old cookies after a sign-out", oldCookies)
	run("a handler that panics", panics)
	run("a callback whose client hangs up", callbackHangUp)
	run("planted cookies at sign-out", plantedCookies)
}

func madeUpSignOuts(t *testing.T, s *site) {
	b := s.expiring()
	otherTab := header(b.cookies())
	cost := s.beside(t, func() {
		each(100, func(i int) {
			var line strings.Builder
			line.WriteString(signingOut + s.prefix + "LastAuthUser=u0; ")
			for j := 0; line.Len() < 60<<10; j++ {
				fmt.Fprintf(&line, "%su%d.refreshToken=made-up-%d-%d; ", s.prefix, j, i, j)
			}
			if said, _, err := s.ask(t.Context(), "/api/auth/sign-out-callback", line.String()); err != nil || said.status != http.StatusFound {
				t.Errorf("sign-out-callback: %+v, %v", said, err)
			}
		})
	})
	wantCost(t, cost, map[string]int{revocation: 50})
	// What the attack has left in memory has not driven out what the other tab needs.
	refreshes := s.pool.Calls()[refresh]
	said, _, err := s.ask(t.Context(), "/session", otherTab)
	if err != nil {
		t.Fatal(err)
	}
	b.wantUser(t, said)
	if got, want := cookieValue(said.cookies, ".refreshToken"), cookieValue(b.cookies(), ".refreshToken"); got != want {
		t.Error("another tab got another refresh token")
	}
	if n := s.pool.Calls()[refresh] - refreshes; n != 0 {
		t.Errorf("%d refreshes, want none", n)
	}
}

func guestsAfterThrottling(t *testing.T, s *site) {
	// As often as one call is sent, retries included.
	if _, err := s.pool.Faults().Add(faults.Fault{Operation: getCredentials, Outcome: faults.Throttle, Count: 3}); err != nil {
		t.Fatal(err)
	}
	madeUp := func(i int) {
		id := fmt.Sprintf("us-east-1:99999999-0000-4000-8000-%012d", i)
		if _, _, err := s.ask(t.Context(), "/guest", s.guest(id)); err != nil {
			t.Error(err)
		}
	}
	if said, _, err := s.ask(t.Context(), "/guest", s.newGuest(t)); err != nil || said.status != http.StatusServiceUnavailable {
		t.Fatalf("the throttled one: %+v, %v", said, err)
	}
	s.clock.advance(time.Second)
	madeUp(0) // the one that tries
	cost := s.beside(t, func() {
		for i := range 20 {
			madeUp(2*i + 1)
			madeUp(2*i + 2)
			s.clock.advance(time.Second)
		}
	})
	wantCost(t, cost, map[string]int{getCredentials: 2*20 + 2, getID: 1})
}

func refusedRefreshToken(t *testing.T, s *site) {
	victim := s.extra[0]
	if _, err := s.pool.api.RevokeToken(t.Context(), &cognitoidentityprovider.RevokeTokenInput{
		ClientId: aws.String(s.client), Token: aws.String(cookieValue(victim.cookies(), ".refreshToken")),
	}); err != nil {
		t.Fatal(err)
	}
	cost := s.beside(t, func() {
		cookies := header(victim.cookies())
		each(100, func(int) {
			said, _, err := s.ask(t.Context(), "/session", cookies)
			if err != nil || said.status != http.StatusUnauthorized || said.Reason != amplify.ReasonRefreshRejected || len(said.cookies) == 0 {
				t.Errorf("a session that was revoked: %+v, %v", said, err)
			}
		})
	})
	wantCost(t, cost, map[string]int{refresh: 1, getCredentials: 1, getID: 1}) // and the shared guest
}

func leakedTokens(t *testing.T, s *site) {
	leaked, own := s.extra[2], s.extra[3]
	cost := s.beside(t, func() {
		each(100, func(i int) {
			cookies := leaked.cookies()
			for _, c := range cookies {
				if strings.HasSuffix(c.Name, ".refreshToken") {
					c.Value = fmt.Sprintf("made-up-%d", i)
				}
			}
			said, _, err := s.ask(t.Context(), "/session", header(cookies))
			if err != nil || said.status != http.StatusUnauthorized && said.status != http.StatusServiceUnavailable {
				t.Errorf("a made-up refresh token: %+v, %v", said, err)
			}
		})
	})
	wantCost(t, cost, map[string]int{refresh: 5, getCredentials: 1, getID: 1})
	own.wantUser(t, own.get(t))
}

func hangUps(t *testing.T, s *site) {
	if _, err := s.pool.Faults().Add(faults.Fault{Operation: tokenEndpoint, Latency: time.Hour}); err != nil {
		t.Fatal(err)
	}
	defer s.pool.Faults().Clear()
	s.http.CloseIdleConnections()
	before := runtime.NumGoroutine()
	cost := s.beside(t, func() {
		for round := range 5 {
			ctx, hangUp := context.WithCancel(t.Context())
			calls := s.pool.Calls()[tokenEndpoint]
			var all sync.WaitGroup
			for i := range 200 {
				all.Go(func() { _, _, _ = s.ask(ctx, callback(fmt.Sprintf("made-up-%d-%d", round, i)), attemptCookies) })
			}
			eventually(t, "they wait for the token endpoint", func() bool { return s.pool.Calls()[tokenEndpoint] == calls+200 })
			hangUp()
			all.Wait()
		}
	})
	wantCost(t, cost, map[string]int{tokenEndpoint: 1000, getID: 1})
	ended := time.Now()
	s.http.CloseIdleConnections()
	eventually(t, "what they have begun has ended", func() bool { return runtime.NumGoroutine() <= before+100 })
	t.Logf("%d goroutines before, %d %v after", before, runtime.NumGoroutine(), time.Since(ended).Round(time.Millisecond))
	if waited := time.Since(ended); waited > 25*time.Second {
		t.Errorf("it took %v", waited)
	}
}

// attemptCookies are the cookies of an attempt to sign in that nobody has begun. Anybody can make
// them up.
const attemptCookies = "com.amplify.server_auth.state=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA; com.amplify.server_auth.pkce=verifier"

// callback returns the address at which that attempt ends.
func callback(code string) string {
	return "/api/auth/sign-in-callback?state=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA&code=" + code
}

func guestFlood(t *testing.T, s *site) {
	cost := s.beside(t, func() {
		each(400, func(i int) {
			id := fmt.Sprintf("us-east-1:88888888-0000-4000-8000-%012d", i)
			if said, _, err := s.ask(t.Context(), "/guest", s.guest(id)); err != nil || said.IdentityID == id {
				t.Errorf("a made-up identity: %+v, %v", said, err)
			}
		})
		for _, g := range s.guests { // their credentials are due
			s.wantGuest(t, g)
		}
	})
	wantCost(t, cost, map[string]int{getCredentials: 100 + len(s.guests) + 1, getID: 1})
}

func largeHeaders(t *testing.T, s *site) {
	const size = 1000 << 10
	fill := func(first string, next func(i int) string) string {
		var line strings.Builder
		line.WriteString(signingOut + attemptCookies + "; " + first)
		for i := 0; ; i++ {
			c := next(i)
			if line.Len()+len(c) > size-200 {
				return line.String()
			}
			line.WriteString(c)
		}
	}
	always := func(text string) func(int) string { return func(int) string { return text } }
	kinds := map[string]string{
		"small":            fill("", always("a=;")),
		"without names":    fill("", always("=;")),
		"of a session":     fill("", func(i int) string { return fmt.Sprintf("%su%d.accessToken=x;", s.prefix, i) }),
		"otherwise spelt":  fill("", func(i int) string { return fmt.Sprintf("%%43%su%d%%2EidToken=%%41;", s.prefix[1:], i) }),
		"attempts":         fill("", func(i int) string { return fmt.Sprintf("com.amplify.server_auth.attempt.%032d=%032d.v.;", i, i) }),
		"beyond ASCII":     fill("", always(s.prefix+"\xfc.idToken=\xfc;")),
		"a user's, behind": fill(header(s.browsers[0].cookies())+"; ", always("a=;")),
	}
	routes := map[string]int{
		"/user": http.StatusUnauthorized, "/session": http.StatusUnauthorized, "/guarded": http.StatusRequestHeaderFieldsTooLarge,
		"/api/auth/sign-in": http.StatusRequestHeaderFieldsTooLarge, callback("c"): http.StatusRequestHeaderFieldsTooLarge,
		"/api/auth/sign-out": http.StatusRequestHeaderFieldsTooLarge, "/api/auth/sign-out-callback": http.StatusRequestHeaderFieldsTooLarge,
	}
	cost := s.beside(t, func() {
		for kind, cookies := range kinds {
			for route, want := range routes {
				begun := time.Now()
				said, _, err := s.ask(t.Context(), route, cookies)
				if err != nil || said.status != want || said.Sub != "" {
					t.Errorf("%s, %s: %+v, %v; want %d", kind, route, said, err, want)
				}
				if took := time.Since(begun); took > 5*time.Second {
					t.Errorf("%s, %s: %v", kind, route, took)
				}
			}
		}
		// With all that it sends a page deletes what is largest.
		said, header, err := s.ask(t.Context(), "/guarded?amplify_clear_cookies=true", kinds["small"], "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Site", "same-origin")
		if err != nil || said.status != http.StatusSeeOther || header.Get("Clear-Site-Data") == "" {
			t.Errorf("clearing: %+v, %v", said, err)
		}
	})
	wantCost(t, cost, map[string]int{getCredentials: 1, getID: 1})
}

func stalledTokenEndpoint(t *testing.T, s *site) {
	s.upstream.setStall(true)
	defer s.upstream.setStall(false)
	const limit = 10 * time.Second
	var stalled sync.WaitGroup
	for i := range 20 {
		stalled.Go(func() {
			begun := time.Now()
			said, header, err := s.ask(t.Context(), callback(fmt.Sprint("stalled-", i)), attemptCookies)
			if err != nil || said.status != http.StatusServiceUnavailable || header.Get("Retry-After") == "" {
				t.Errorf("a callback: %+v, %v", said, err)
			}
			if took := time.Since(begun); took > 2*limit {
				t.Errorf("a callback took %v", took)
			}
		})
	}
	largeHeaders(t, s)
	stalled.Wait()
}

// refreshes reports whether the user pool still takes a refresh token.
func (s *site) refreshes(t *testing.T, token string) bool {
	t.Helper()
	_, err := s.pool.api.GetTokensFromRefreshToken(context.WithoutCancel(t.Context()), &cognitoidentityprovider.GetTokensFromRefreshTokenInput{
		ClientId: aws.String(s.client), RefreshToken: aws.String(token),
	})
	return err == nil
}

func plantedCookies(t *testing.T, s *site) {
	// Browsers send cookies with longer paths first, and a neighbour on the domain may set some.
	plant := func(names ...string) func(own []*http.Cookie) string {
		return func(own []*http.Cookie) string {
			var line strings.Builder
			for _, name := range names {
				line.WriteString(s.prefix + name + "; ")
			}
			return strings.ReplaceAll(line.String(), "USER", cookieValue(own, ".LastAuthUser"))
		}
	}
	for name, planted := range map[string]func([]*http.Cookie) string{
		"names":             plant("LastAuthUser=a", "LastAuthUser=b", "LastAuthUser=c"),
		"users with tokens": plant("a.accessToken=x.y.z", "b.accessToken=x.y.z", "c.accessToken=x.y.z", "LastAuthUser=a", "LastAuthUser=b", "LastAuthUser=c"),
		"refresh tokens":    plant("USER.refreshToken=a", "USER.refreshToken=b", "USER.refreshToken=c"),
		"a refresh token":   plant("USER.refreshToken=a"),
		"whole sessions": plant("a.accessToken=x.y.z", "a.idToken=x.y.z", "a.refreshToken=a", "b.accessToken=x.y.z", "b.idToken=x.y.z", "b.refreshToken=b",
			"c.accessToken=x.y.z", "c.idToken=x.y.z", "c.refreshToken=c", "LastAuthUser=a", "LastAuthUser=b", "LastAuthUser=c"),
	} {
		b := s.pool.signIn(t, s.app, "user300@example.com")
		b.wantUser(t, b.get(t))
		own := header(b.cookies())
		calls := s.pool.Calls()[revocation]
		said, _, err := s.ask(t.Context(), "/api/auth/sign-out-callback", signingOut+planted(b.cookies())+own)
		if err != nil || said.status != http.StatusFound {
			t.Errorf("%s: sign-out-callback: %+v, %v", name, said, err)
		}
		if n := s.pool.Calls()[revocation] - calls; n < 1 || n > 8 {
			t.Errorf("%s: %d revocations, want 1 to 8", name, n)
		}
		if s.refreshes(t, cookieValue(b.cookies(), ".refreshToken")) {
			t.Errorf("%s: the user's refresh token still works", name)
		}
		if said, _, err := s.ask(t.Context(), "/session", own); err != nil || said.status != http.StatusUnauthorized {
			t.Errorf("%s: after the sign-out: %+v, %v", name, said, err)
		}
	}
}

func oldCookies(t *testing.T, s *site) {
	b := s.pool.signIn(t, s.app, "user301@example.com")
	b.wantUser(t, b.get(t))
	own := header(b.cookies())
	cost := s.beside(t, func() {
		said, _, err := s.ask(t.Context(), "/api/auth/sign-out-callback", signingOut+own)
		if err != nil || said.status != http.StatusFound {
			t.Fatalf("sign-out-callback: %+v, %v", said, err)
		}
		b.keep(said.cookies)
		if left := header(b.cookies()); strings.Contains(left, s.prefix) {
			t.Error("cookies of the session are left")
		}
		access := cookieValue(s.cookiesOf(own), ".accessToken")
		bare := func(cookies, from, to string) string { return strings.ReplaceAll(cookies, from, to) }
		for name, cookies := range map[string]string{
			"another tab":        own,
			"spelled by escapes": bare(own, s.prefix, "%43ognito%49dentity%53ervice%50rovider%2E"+s.client+"%2e"),
			"quoted":             regexp.MustCompile(`=([^;]+)`).ReplaceAllString(own, `="$1"`),
			"in one name":        bare(own, cookieValue(s.cookiesOf(own), ".LastAuthUser"), "somebody"),
			"twice":              own + "; " + own,
			"without refresh":    regexp.MustCompile(`[^ ]*refreshToken=[^;]*`).ReplaceAllString(own, "a=b"),
			"another refresh":    regexp.MustCompile(`refreshToken=[^;]*`).ReplaceAllString(own, "refreshToken=another"),
		} {
			for _, path := range []string{"/user", "/session", "/guarded"} {
				said, _, err := s.ask(t.Context(), path, cookies)
				if err != nil || said.status != http.StatusUnauthorized || said.Sub != "" {
					t.Errorf("%s, %s: %+v, %v", path, name, said, err)
				}
				if name == "another tab" && path == "/user" {
					if said.Reason != amplify.ReasonSignedOut || cookieValueSet(said.cookies, ".accessToken") {
						t.Errorf("another tab: %+v", said)
					}
				}
			}
		}
		for _, scheme := range []string{"Bearer ", "bearer ", "Bearer  "} {
			said, _, err := s.ask(t.Context(), "/user", "", "Authorization", scheme+access)
			if err != nil || said.status != http.StatusUnauthorized {
				t.Errorf("as a bearer token: %+v, %v", said, err)
			}
		}
	})
	wantCost(t, cost, map[string]int{revocation: 1, getCredentials: 1, getID: 1})
}

// cookiesOf reads a Cookie header.
func (s *site) cookiesOf(header string) []*http.Cookie {
	r := http.Request{Header: http.Header{"Cookie": {header}}}
	return r.Cookies()
}

// cookieValueSet reports whether an answer sets a cookie whose name ends so, rather than deletes
// it.
func cookieValueSet(cookies []*http.Cookie, suffix string) bool {
	return slices.ContainsFunc(cookies, func(c *http.Cookie) bool { return strings.HasSuffix(c.Name, suffix) && c.MaxAge >= 0 })
}

func panics(t *testing.T, s *site) {
	b := s.expiring()
	var before string
	cost := s.beside(t, func() {
		before = header(b.cookies())
		each(100, func(int) {
			if _, _, err := s.ask(t.Context(), "/panic", before); err == nil {
				t.Error("a handler that panics has answered")
			}
		})
	})
	wantCost(t, cost, nil)
	// The tokens of the answer that was lost are handed to the next request.
	said, _, err := s.ask(t.Context(), "/session", before)
	if err != nil {
		t.Fatal(err)
	}
	b.wantUser(t, said)
}

// form is a form of managed login, and inputs are its fields.
var (
	form   = regexp.MustCompile(`(?s)<form method="post" action="(/login[^"]*)">(.*?)</form>`)
	inputs = regexp.MustCompile(`<input[^>]*\bname="([^"]*)"[^>]*\bvalue="([^"]*)"`)
)

// toCallback signs a user in by managed login, up to the address of the callback, which is returned
// with the Cookie header for it.
func (s *site) toCallback(t *testing.T, email string) (path, cookies string) {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: s.http.Transport, Jar: jar, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if strings.HasSuffix(r.URL.Path, "/sign-in-callback") {
			return http.ErrUseLastResponse
		}
		return nil
	}}
	page, err := client.Get(s.URL + "/api/auth/sign-in")
	if err != nil {
		t.Fatal(err)
	}
	defer page.Body.Close()
	text, err := io.ReadAll(page.Body)
	if err != nil {
		t.Fatal(err)
	}
	found := form.FindSubmatch(text)
	if found == nil {
		t.Fatalf("no form: %s %s", page.Status, page.Request.URL.Path)
	}
	values := url.Values{}
	for _, in := range inputs.FindAllSubmatch(found[2], -1) {
		values.Set(html.UnescapeString(string(in[1])), html.UnescapeString(string(in[2])))
	}
	values.Set("username", email)
	values.Set("password", password)
	sent, err := client.PostForm(s.pool.URL()+html.UnescapeString(string(found[1])), values)
	if err != nil {
		t.Fatal(err)
	}
	defer sent.Body.Close()
	to, err := url.Parse(sent.Header.Get("Location"))
	if err != nil || !strings.HasSuffix(to.Path, "/sign-in-callback") {
		t.Fatalf("managed login answered %s, %q, %v", sent.Status, to, err)
	}
	site, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	return to.RequestURI(), header(jar.Cookies(site))
}

func callbackHangUp(t *testing.T, s *site) {
	id, err := s.pool.Faults().Add(faults.Fault{Operation: tokenEndpoint, Latency: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer s.pool.Faults().Remove(id)
	var path, cookies string
	cost := s.beside(t, func() {
		path, cookies = s.toCallback(t, "user301@example.com")
		ctx, hangUp := context.WithCancel(t.Context())
		gone := make(chan struct{})
		go func() {
			defer close(gone)
			_, _, _ = s.ask(ctx, path, cookies)
		}()
		eventually(t, "the code is being redeemed", func() bool { return s.pool.Calls()[tokenEndpoint] > 0 })
		hangUp()
		<-gone
		for range 2 { // a reload, and another
			said, _, err := s.ask(t.Context(), path, cookies)
			if err != nil || said.status != http.StatusOK || !cookieValueSet(said.cookies, ".accessToken") {
				t.Fatalf("the callback again: %+v, %v", said, err)
			}
			session, _, err := s.ask(t.Context(), "/session", header(said.cookies))
			if err != nil || session.status != http.StatusOK || session.Sub != s.extra[2].sub {
				t.Errorf("the session: %+v, %v", session, err)
			}
		}
	})
	wantCost(t, cost, map[string]int{"/oauth2/authorize": 1, tokenEndpoint: 1, getCredentials: 1, getID: 1})
	// With somebody else's code, or in another browser, it is told.
	for _, cookies := range []string{"", attemptCookies} {
		said, _, err := s.ask(t.Context(), path, cookies)
		if err != nil || said.status == http.StatusOK || cookieValueSet(said.cookies, ".accessToken") {
			t.Errorf("the callback in another browser: %+v, %v", said, err)
		}
	}
}
