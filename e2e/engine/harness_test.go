package engine

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"runtime"
	"runtime/pprof"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/amplifyhttp"
	"github.com/amplify-go/amplify/auth"
	"github.com/amplify-go/amplify/sandbox"
)

// patience bounds what should happen soon, on a busy machine.
const patience = time.Minute

// password is everybody's.
const password = "Correct-horse-1"

// refresh is the operation that the tests are about, as sandboxes call it.
const refresh = "GetTokensFromRefreshToken"

// clock is a time that stands still between calls of advance.
type clock struct{ unix atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.unix.Store(time.Now().Unix())
	return c
}

func (c *clock) now() time.Time          { return time.Unix(c.unix.Load(), 0) }
func (c *clock) advance(d time.Duration) { c.unix.Add(int64(d / time.Second)) }

// pool is a sandbox, and the AWS SDK for those who sign in there.
type pool struct {
	*sandbox.Sandbox
	clock *clock
	api   *cognitoidentityprovider.Client
}

// startPool starts a sandbox with those users, by e-mail address, which ends with the test.
func startPool(t testing.TB, c *clock, config sandbox.Config, users ...string) *pool {
	t.Helper()
	config.Clock = c.now
	config.Logger = slog.New(slog.DiscardHandler)
	if len(config.Clients) == 0 {
		config.Clients = []sandbox.Client{{}}
	}
	for i := range config.Clients { // one call for each sign-in, and no work as that of SRP
		config.Clients[i].AuthFlows = []string{"ALLOW_USER_PASSWORD_AUTH"}
	}
	for _, email := range users {
		config.Users = append(config.Users, sandbox.User{Email: email, Password: password})
	}
	s, err := sandbox.Start(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := s.Close(ctx); err != nil {
			t.Errorf("closing the sandbox: %v", err)
		}
	})
	return &pool{s, c, cognitoidentityprovider.New(cognitoidentityprovider.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(s.URL()), Credentials: aws.AnonymousCredentials{},
		HTTPClient: wholeAnswers{&http.Client{Transport: transport}},
	})}
}

// config is the application's configuration, with another app client than that of the outputs if
// client is not empty.
func (p *pool) config(t testing.TB, client string) amplify.Config {
	t.Helper()
	config, err := amplify.ParseConfig(p.Outputs())
	if err != nil {
		t.Fatal(err)
	}
	if client != "" {
		config.Auth.UserPoolClientID = client
	}
	return config
}

// app is an application whose one page says who asks for it.
type app struct {
	*httptest.Server
	client  string // app client
	http    *http.Client
	arrived atomic.Int64 // requests
	left    atomic.Int64 // requests that have been answered, or given up
}

// startApp starts an application, which ends with the test.
func startApp(t testing.TB, c *clock, config amplify.Config, o amplify.Options) *app {
	t.Helper()
	a := &app{client: config.Auth.UserPoolClientID, Server: httptest.NewUnstartedServer(nil)}
	o.Clock = c.now
	o.Logger = slog.New(slog.DiscardHandler)
	runner, err := amplifyhttp.NewServerRunner(config, amplifyhttp.Options{Origin: "http://" + a.Listener.Addr().String(), App: o})
	if err != nil {
		t.Fatal(err)
	}
	page := runner.Middleware(http.HandlerFunc(session))
	a.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.arrived.Add(1)
		defer a.left.Add(1)
		page.ServeHTTP(w, r)
	})
	a.Start()
	transport := &http.Transport{MaxIdleConnsPerHost: 1000}
	a.http = &http.Client{Transport: transport}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		a.Close()
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := runner.Close(ctx); err != nil {
			t.Errorf("closing the runner: %v", err)
		}
	})
	return a
}

// answer is what the page says.
type answer struct {
	Sub         string         `json:"sub,omitempty"`
	IdentityID  string         `json:"identityId,omitempty"`
	AccessKeyID string         `json:"accessKeyId,omitempty"`
	Name        string         `json:"name,omitempty"`   // of an error
	Reason      amplify.Reason `json:"reason,omitempty"` // why nobody is signed in, or of an error

	status  int
	cookies []*http.Cookie // that it sets
}

// session is the page: 200 for users, 401 for others, 503 where that cannot be told.
func session(w http.ResponseWriter, r *http.Request) {
	var a answer
	s, err := auth.FetchAuthSession(r.Context(), auth.FetchAuthSessionInput{})
	a.status = http.StatusOK
	switch {
	case err != nil:
		a.Reason, a.status = amplify.ReasonOf(err), http.StatusServiceUnavailable
		if e := (*amplify.Error)(nil); errors.As(err, &e) {
			a.Name = e.Name
		}
		if errors.Is(err, amplify.ErrUnauthenticated) {
			a.status = http.StatusUnauthorized
		}
	case s.Tokens == nil:
		a.Reason, a.status = amplify.ReasonOf(s.Unauthenticated), http.StatusUnauthorized
	default:
		a.Sub, a.IdentityID = s.UserSub, s.IdentityID
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(a.status)
	_ = json.NewEncoder(w).Encode(a)
}

// get asks for the page with those cookies.
func (a *app) get(ctx context.Context, cookies []*http.Cookie) (*answer, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, a.URL+"/session", nil)
	if err != nil {
		return nil, err
	}
	for _, c := range cookies {
		r.AddCookie(c)
	}
	resp, err := a.http.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	said := &answer{status: resp.StatusCode, cookies: resp.Cookies()}
	return said, json.Unmarshal(body, said)
}

// browser is a browser in which a user has signed in to an application.
type browser struct {
	app *app
	jar *cookiejar.Jar
	url *url.URL
	sub string // whose session it is
}

// signIn signs a user in, and leaves the session in a browser as Amplify JS does.
func (p *pool) signIn(t testing.TB, a *app, email string) *browser {
	t.Helper()
	out, err := p.api.InitiateAuth(context.WithoutCancel(t.Context()), &cognitoidentityprovider.InitiateAuthInput{
		ClientId: aws.String(a.client), AuthFlow: types.AuthFlowTypeUserPasswordAuth,
		AuthParameters: map[string]string{"USERNAME": email, "PASSWORD": password},
	})
	if err != nil {
		t.Fatal(err)
	}
	tokens := out.AuthenticationResult
	var claims struct{ Sub, Username string }
	_, payload, _ := strings.Cut(*tokens.AccessToken, ".")
	payload, _, _ = strings.Cut(payload, ".")
	text, err := base64.RawURLEncoding.DecodeString(payload)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &claims); err != nil {
		t.Fatal(err)
	}
	b := &browser{app: a, sub: claims.Sub}
	if b.jar, err = cookiejar.New(nil); err != nil {
		t.Fatal(err)
	}
	if b.url, err = url.Parse(a.URL); err != nil {
		t.Fatal(err)
	}
	prefix := "CognitoIdentityServiceProvider." + a.client + "."
	var cookies []*http.Cookie
	for name, value := range map[string]string{
		"LastAuthUser":                    claims.Username,
		claims.Username + ".accessToken":  *tokens.AccessToken,
		claims.Username + ".idToken":      *tokens.IdToken,
		claims.Username + ".refreshToken": *tokens.RefreshToken,
	} {
		cookies = append(cookies, &http.Cookie{Name: prefix + name, Value: value, Path: "/"})
	}
	b.keep(cookies)
	return b
}

// cookies are what the browser would send now.
func (b *browser) cookies() []*http.Cookie { return b.jar.Cookies(b.url) }

// keep takes over what an answer has set.
func (b *browser) keep(cookies []*http.Cookie) { b.jar.SetCookies(b.url, cookies) }

// get asks for the page, and keeps what it sets.
func (b *browser) get(t testing.TB) *answer {
	t.Helper()
	said, err := b.app.get(t.Context(), b.cookies())
	if err != nil {
		t.Fatal(err)
	}
	b.keep(said.cookies)
	return said
}

// wantUser fails the test unless the browser's user is who asks.
func (b *browser) wantUser(t testing.TB, said *answer) {
	t.Helper()
	if said.status != http.StatusOK || said.Sub != b.sub {
		t.Errorf("status %d (%s %s) for user %q, want 200 for %q", said.status, said.Name, said.Reason, said.Sub, b.sub)
	}
}

// cookieValue returns the value of the one cookie whose name ends so, or "".
func cookieValue(cookies []*http.Cookie, suffix string) string {
	for _, c := range cookies {
		if strings.HasSuffix(c.Name, suffix) {
			return c.Value
		}
	}
	return ""
}

// eventually waits until a condition holds that nothing announces.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); !holds(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("after %v, still not: %s", patience, what)
		}
	}
}

// noLeaks fails the test if goroutines or file descriptors that it has made outlive it. It is to be
// called before anything else.
func noLeaks(t testing.TB) {
	goroutines, files := runtime.NumGoroutine(), openFiles(t)
	t.Cleanup(func() {
		// Both ends of a connection that has been closed take a moment to notice.
		var g, f int
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for deadline := time.Now().Add(patience); time.Now().Before(deadline); <-tick.C {
			if g, f = runtime.NumGoroutine(), openFiles(t); g <= goroutines && f <= files {
				return
			}
		}
		var stacks bytes.Buffer
		_ = pprof.Lookup("goroutine").WriteTo(&stacks, 1)
		t.Errorf("%d goroutines and %d open files, %d and %d before\n%s", g, f, goroutines, files, stacks.Bytes())
	})
}

// openFiles returns how many file descriptors this process has open (proc(5)).
func openFiles(t testing.TB) int {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// wholeAnswers is an HTTP client for the AWS SDK that reads answers to their end before it returns
// them. The SDK closes the body of a request once the header of the answer has come. If net/http is
// then still looking whether the request has more, it takes that for an error and breaks the
// connection off, and the rest of the answer is lost: in one of some ten thousand calls here.
type wholeAnswers struct{ client *http.Client }

func (c wholeAnswers) Do(r *http.Request) (*http.Response, error) {
	response, err := c.client.Do(r)
	if err != nil {
		return response, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	response.Body = io.NopCloser(bytes.NewReader(body))
	return response, err
}
