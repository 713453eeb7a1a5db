package e2e

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/amplifyhttp"
	"github.com/amplify-go/amplify/sandbox"
)

// amplify is Amplify JS in the page that the tab shows.
func (b *tab) amplify() *amplifyJS {
	b.t.Helper()
	b.await("for Amplify JS", nil, `'amplify' in window`)
	return &amplifyJS{b.t, func(call []byte) ([]byte, error) {
		var answer string
		b.script(&answer, `amplify.call(...`+string(call)+`).then(JSON.stringify)`)
		return []byte(answer), nil
	}}
}

// spa is an application whose pages sign users in with Amplify JS (ssr: true), and whose server
// reads the cookies.
type spa struct {
	*app
	library library
	backend *backend
	clock   *clock
}

// startSPA starts the application and a backend, which rotates refresh tokens if library can.
func startSPA(t testing.TB, library library, config sandbox.Config) *spa {
	t.Helper()
	clock := new(clock)
	config.Clock = clock.now
	if config.Clients == nil {
		config.Clients = []sandbox.Client{{}}
	}
	config.Clients[0].RotateRefreshTokens = library.rotation
	backend := startBackend(t, config)
	app := startApp(t, newSite(t, "localhost"), backend, appOptions{
		Options:       amplifyhttp.Options{App: amplify.Options{Clock: clock.now}},
		Script:        library.bundle(t),
		Configuration: map[string]any{"config": backend.resourcesConfig(t), "options": map[string]any{"ssr": true}},
	})
	return &spa{app, library, backend, clock}
}

// open opens the page on which Amplify JS runs.
func (s *spa) open(b *tab) *amplifyJS {
	b.t.Helper()
	b.open(s.origin + "/amplify")
	return b.amplify()
}

// cookie returns the value of the cookie of a session whose name ends in key.
func (b *tab) cookie(key string) string {
	b.t.Helper()
	for name, c := range b.cookies() {
		if strings.HasSuffix(name, "."+key) {
			return c.Value
		}
	}
	return ""
}

func TestAmplifyJSInPage(t *testing.T) { testInPage(t, amplify6(t)) }

func testInPage(t *testing.T, library library) {
	spa := startSPA(t, library, sandbox.Config{})
	spa.backend.addUser(t, sandbox.User{Email: ada})

	t.Run("the server knows who signed in", func(t *testing.T) {
		b := browser.profile(t)
		js := spa.open(b)
		if got := b.whoami(); got.Reason != string(amplify.ReasonNoSession) {
			t.Errorf("before: %+v", got)
		}
		if step := signIn(js, ada, password); step != "DONE" {
			t.Fatalf("next step %s", step)
		}
		var user struct{ Username, UserID string }
		js.do(&user, "getCurrentUser")
		if got := b.whoami(); got.Username != user.Username || got.Sub != user.UserID {
			t.Errorf("the server knows %+v, the page %+v", got, user)
		}
		b.open(spa.origin + "/protected")
		b.sees("Inside, " + user.Username)

		js = spa.open(b)
		js.do(nil, "signOut")
		js.fails("UserUnAuthenticatedException", "getCurrentUser")
		if got := b.whoami(); got.Reason != string(amplify.ReasonNoSession) {
			t.Errorf("after: %+v", got)
		}
		b.open(spa.origin + "/")
		b.sees("Hello, stranger.")
	})

	// Where refresh tokens are good for one use, going on with an old one loses the session.
	t.Run("both refresh in turns", func(t *testing.T) {
		b := browser.profile(t)
		js := spa.open(b)
		signIn(js, ada, password)
		last := b.whoami()
		for range 3 {
			// The session expires; the server refreshes it, and the page goes on with what came
			// back as cookies.
			spa.clock.forward(2 * time.Hour)
			now := b.whoami()
			if now.Sub != last.Sub || now.IssuedAt < last.IssuedAt+int64(2*time.Hour/time.Second) {
				t.Fatalf("the server did not refresh: %+v, then %+v", last, now)
			}
			if library.copies {
				js = spa.open(b)
			}
			session := fetchAuthSession(js, false)
			if session.Tokens == nil || session.Tokens.AccessToken.Text != b.cookie("accessToken") {
				t.Fatal("the page does not go on with the server's tokens")
			}
			js.do(nil, "fetchUserAttributes") // which the user pool takes as well

			// The page refreshes, and the server goes on with that.
			spa.clock.forward(time.Second) // the times of tokens are whole seconds
			fetchAuthSession(js, true)
			last = b.whoami()
			if last.Sub != now.Sub || last.IssuedAt <= now.IssuedAt {
				t.Fatalf("the server does not go on with the page's tokens: %+v, then %+v", now, last)
			}
		}
	})

	t.Run("the end of the session elsewhere", func(t *testing.T) {
		b, elsewhere := browser.profile(t), browser.profile(t)
		js := spa.open(b)
		signIn(js, ada, password)
		b.whoami()
		there := spa.open(elsewhere)
		signIn(there, ada, password)
		there.do(nil, "signOut", map[string]any{"global": true})

		// The server learns it when the session has to be refreshed, and tells the page by deleting
		// the cookies.
		spa.clock.forward(2 * time.Hour)
		if got := b.whoami(); got.Reason != string(amplify.ReasonRefreshRejected) {
			t.Errorf("the server: %+v", got)
		}
		if library.copies { // the page learns it at its own next refresh
			js.fails("NotAuthorizedException", "fetchAuthSession", map[string]any{"forceRefresh": true})
		}
		js.fails("UserUnAuthenticatedException", "getCurrentUser")
		if got := b.cookie("refreshToken"); got != "" {
			t.Error("the cookies are still there")
		}
	})
}

// Every username has to be spelled as js-cookie spells it in the names of cookies, by whoever
// writes them.
func TestUsernames(t *testing.T) { testUsernames(t, amplify6(t), usernames...) }

// Cognito refuses names with spaces.
var usernames = []string{"ada", "a@b.com", "O'Brien+x@y.co", "user(1)", "50%25;=,x", "Zoë-山田-😀", "x.accessToken"}

func testUsernames(t *testing.T, library library, names ...string) {
	spa := startSPA(t, library, usersByName(t))
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			spa.backend.addUser(t, sandbox.User{Username: name, Email: "somebody@example.com"})
			spa.check(t, name, map[string]any{"username": name, "password": password}, name)
		})
	}
}

// Signing in by e-mail where usernames are UUIDs: depending on the flow, Amplify JS files the
// session under one or the other.
func TestAliases(t *testing.T) { testAliases(t, amplify6(t)) }

func testAliases(t *testing.T, library library) {
	flows := []string{"ALLOW_USER_SRP_AUTH", "ALLOW_USER_PASSWORD_AUTH"}
	if !library.rotation {
		flows = append(flows, "ALLOW_REFRESH_TOKEN_AUTH")
	}
	spa := startSPA(t, library, sandbox.Config{Clients: []sandbox.Client{{AuthFlows: flows}}})
	const email = "O'Brien+x@y.co"
	spa.backend.addUser(t, sandbox.User{Email: email})
	for flow, typed := range map[string]bool{"USER_SRP_AUTH": false, "USER_PASSWORD_AUTH": true} {
		t.Run(flow, func(t *testing.T) {
			lastAuthUser := ""
			if typed {
				lastAuthUser = email
			}
			spa.check(t, "", map[string]any{"username": email, "password": password, "options": map[string]any{"authFlowType": flow}}, lastAuthUser)
		})
	}
}

// check takes a session through its life: begun by the page, refreshed by the server, ended by the
// page. username and lastAuthUser are what must be known of the user; empty: the username in the
// tokens.
func (s *spa) check(t *testing.T, username string, signIn map[string]any, lastAuthUser string) {
	b := browser.profile(t)
	js := s.open(b)
	js.do(nil, "signIn", signIn)
	before := b.whoami()
	if before.Username == "" || username != "" && before.Username != username {
		t.Fatalf("the server knows %+v", before)
	}
	if lastAuthUser == "" {
		lastAuthUser = before.Username
	}
	if got := decodeCookie(t, b.cookie("LastAuthUser")); got != lastAuthUser {
		t.Errorf("LastAuthUser is %q, want %q", got, lastAuthUser)
	}
	names := cookieNames(b)
	s.clock.forward(2 * time.Hour)
	if after := b.whoami(); after.Sub != before.Sub || after.IssuedAt <= before.IssuedAt {
		t.Fatalf("the server did not refresh: %+v, then %+v", before, after)
	}
	if got := cookieNames(b); !slices.Equal(got, names) {
		t.Errorf("the refresh left cookies\n%q, want\n%q", got, names)
	}
	if s.library.copies {
		js = s.open(b)
	}
	if session := fetchAuthSession(js, false); session.Tokens == nil || session.Tokens.AccessToken.Text != b.cookie("accessToken") {
		t.Error("the page does not go on with the server's tokens")
	}
	js.do(nil, "signOut")
	if got := b.whoami(); got.Reason != string(amplify.ReasonNoSession) {
		t.Errorf("after the sign-out: %+v", got)
	}
}

func cookieNames(b *tab) []string {
	b.t.Helper()
	var names []string
	for name := range b.cookies() {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func decodeCookie(t testing.TB, value string) string {
	t.Helper()
	decoded, err := url.PathUnescape(value)
	if err != nil {
		t.Fatal(err)
	}
	return decoded
}

// usersByName is a user pool whose users have names of their choice.
func usersByName(t testing.TB) sandbox.Config {
	t.Helper()
	return sandbox.Config{Outputs: editOutputs(t, func(auth map[string]any) { auth["username_attributes"] = []string{} })}
}

// editOutputs returns the outputs of a new sandbox after edit has changed their section auth.
func editOutputs(t testing.TB, edit func(auth map[string]any)) []byte {
	t.Helper()
	var outputs map[string]any
	if err := json.Unmarshal(startBackend(t, sandbox.Config{}).Outputs(), &outputs); err != nil {
		t.Fatal(err)
	}
	edit(outputs["auth"].(map[string]any))
	edited, err := json.Marshal(outputs)
	if err != nil {
		t.Fatal(err)
	}
	return edited
}
