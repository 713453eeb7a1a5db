package amplifytest_test

import (
	"fmt"
	"html/template"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/amplifytest"
)

// open opens an address and returns where the browser ends up, with which status, and the page.
func open(t *testing.T, browser *http.Client, address string) (at string, status int, page string) {
	t.Helper()
	response, err := browser.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	b, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.Request.URL.String(), response.StatusCode, string(b)
}

// TestBrowser: a user signs in by way of a guard and managed login, stays signed in, and signs out.
func TestBrowser(t *testing.T) {
	t.Parallel()
	pool, app := newApp(t, amplifytest.Options{})
	browser := pool.Browser(app, ann)
	const code, refresh, revoke = "/oauth2/token", "GetTokensFromRefreshToken", "/oauth2/revoke"
	const global = "GlobalSignOut"
	for _, step := range []struct {
		path  string
		later time.Duration
		at    string
		want  string
		calls []string // once each
	}{
		{"/", 0, "/", `"no_session"`, nil},
		{"/edit", 0, "/edit", "the editor", []string{code}},
		{"/edit", 0, "/edit", "the editor", nil},
		{"/edit", 2 * time.Hour, "/edit", "the editor", []string{refresh}},
		{"/api/auth/sign-in?return_to=/", 0, "/", `"ann"`, nil},
		{"/api/auth/sign-out", 0, "/", `"no_session"`, []string{revoke}},
		{"/api/auth/sign-up?return_to=/", 0, "/", `"ann"`, []string{code}},
		{"/api/auth/sign-out?global=true", 0, "/", `"no_session"`, []string{global, revoke}},
	} {
		want := pool.Calls()
		for _, operation := range step.calls {
			want[operation]++
		}
		pool.Advance(step.later)
		at, status, page := open(t, browser, pool.Origin()+step.path)
		if at != pool.Origin()+step.at || status != 200 || !strings.Contains(page, step.want) {
			t.Fatalf("%s leads to %s, %d:\n%s", step.path, at, status, page)
		}
		got := pool.Calls()
		// Credentials are another test's business, and old keys are fetched again in the background.
		for _, calls := range []map[string]int{got, want} {
			delete(calls, "jwks.json")
			delete(calls, "GetId")
			delete(calls, "GetCredentialsForIdentity")
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", step.path, diff)
		}
	}
}

// TestBrowsers: each browser is its user's, and a group decides at sign-in.
func TestBrowsers(t *testing.T) {
	t.Parallel()
	pool, app := newApp(t, amplifytest.Options{})
	anns, bobs := pool.Browser(app, ann), pool.Browser(app, bob)
	edit := pool.Origin() + "/edit"
	if _, status, _ := open(t, anns, edit); status != http.StatusOK {
		t.Errorf("ann gets status %d", status)
	}
	if _, status, _ := open(t, bobs, edit); status != http.StatusForbidden {
		t.Errorf("bob gets status %d", status)
	}
	later := pool.Browser(app, bob)
	bob := bob
	bob.Groups = []string{"editors"}
	pool.SetUser(bob)
	if _, status, _ := open(t, later, edit); status != http.StatusOK {
		t.Errorf("bob as an editor gets status %d", status)
	}
}

// TestBrowserOnOwnPages: the pages of an application's template go on by a header.
func TestBrowserOnOwnPages(t *testing.T) {
	t.Parallel()
	pool := amplifytest.New(t, amplifytest.Options{})
	o := pool.Options()
	o.PageTemplate = template.Must(template.New("").Parse(`<p>{{.Title}}</p>`))
	browser := pool.Browser(serve(t, pool.Config(), o), ann)
	if at, status, page := open(t, browser, pool.Origin()+"/edit"); at != pool.Origin()+"/edit" || status != http.StatusOK {
		t.Errorf("leads to %s, %d:\n%s", at, status, page)
	}
}

// TestBrowserSteps: who wants to see each step stops redirects.
func TestBrowserSteps(t *testing.T) {
	t.Parallel()
	pool, app := newApp(t, amplifytest.Options{})
	browser := pool.Browser(app, ann)
	browser.CheckRedirect = func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}
	next := pool.Origin() + "/edit"
	for _, want := range []string{
		"/api/auth/sign-in", "/oauth2/authorize", "/api/auth/sign-in-callback", "/edit",
	} {
		response, err := browser.Get(next)
		if err != nil {
			t.Fatal(err)
		}
		location, err := response.Location()
		if err != nil {
			t.Fatalf("%s: %s", next, err)
		}
		if location.Path != want {
			t.Fatalf("%s leads to %s, want %s", next, location, want)
		}
		next = location.String()
	}
}

// TestBrowserRequests: requests look like a browser's, where the test does not say otherwise.
func TestBrowserRequests(t *testing.T) {
	t.Parallel()
	pool := amplifytest.New(t, amplifytest.Options{})
	var got *http.Request
	var form url.Values
	browser := pool.Browser(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		got, form = r, r.PostForm
	}), ann)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost,
		pool.Origin()+"/a%2Fb?c=d", strings.NewReader("e=f"))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Mode", "cors")
	response, err := browser.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	for what, pair := range map[string][2]string{
		"method":     {got.Method, "POST"},
		"RequestURI": {got.RequestURI, "/a%2Fb?c=d"},
		"URL":        {got.URL.String(), "/a%2Fb?c=d"},
		"Host":       {got.Host, "example.com"},
		"form":       {form.Encode(), "e=f"},
		"mode":       {got.Header.Get("Sec-Fetch-Mode"), "cors"},
		"site":       {got.Header.Get("Sec-Fetch-Site"), "same-origin"},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s: %q, want %q", what, pair[0], pair[1])
		}
	}
	if got.TLS == nil {
		t.Error("a request by https has no TLS state")
	}
}

// TestOtherOrigins: all origins that the redirect URLs have are the application's.
func TestOtherOrigins(t *testing.T) {
	t.Parallel()
	cfg := amplifytest.New(t, amplifytest.Options{}).Config()
	const local = "http://localhost:3000"
	oauth := cfg.Auth.OAuth
	oauth.RedirectSignIn = append(oauth.RedirectSignIn, local+"/api/auth/sign-in-callback")
	oauth.RedirectSignOut = append(oauth.RedirectSignOut, local+"/api/auth/sign-out-callback")
	pool := amplifytest.New(t, amplifytest.Options{Config: cfg})
	o := pool.Options()
	o.Origin = local
	browser := pool.Browser(serve(t, pool.Config(), o), ann)
	if at, status, page := open(t, browser, local+"/edit"); at != local+"/edit" || status != 200 {
		t.Errorf("at %s, status %d: %s", at, status, page)
	}
}

// TestTokenEndpoint: a code is good once, for its redirect URL and verifier.
func TestTokenEndpoint(t *testing.T) {
	t.Parallel()
	pool := amplifytest.New(t, amplifytest.Options{})
	auth := pool.Config().Auth
	browser := pool.Browser(http.NotFoundHandler(), ann)
	back := auth.OAuth.RedirectSignIn[0]
	// The example of RFC 7636, appendix B.
	const (
		verifier  = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
		challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
	)
	for name, tt := range map[string]struct {
		parameter, changed string
		times, want        int
	}{
		"good":                 {"", "", 1, 200},
		"twice":                {"", "", 2, 400},
		"another redirect URL": {"redirect_uri", "https://example.com/", 1, 400},
		"another verifier":     {"code_verifier", challenge, 1, 400},
		"another code":         {"code", "x", 1, 400},
		"another grant":        {"grant_type", "password", 1, 400},
	} {
		at, _, _ := open(t, browser, "https://auth.example.com/oauth2/authorize?"+url.Values{
			"client_id":             {auth.UserPoolClientID},
			"redirect_uri":          {back},
			"response_type":         {"code"},
			"state":                 {"a state"},
			"code_challenge":        {challenge},
			"code_challenge_method": {"S256"},
		}.Encode())
		u, err := url.Parse(at)
		if err != nil {
			t.Fatal(err)
		}
		if got := u.Query().Get("state"); got != "a state" || !strings.HasPrefix(at, back+"?") {
			t.Fatalf("the browser is sent to %s", at)
		}
		form := url.Values{
			"grant_type":    {"authorization_code"},
			"code":          {u.Query().Get("code")},
			"redirect_uri":  {back},
			"code_verifier": {verifier},
		}
		if tt.parameter != "" {
			form.Set(tt.parameter, tt.changed)
		}
		status := 0
		client := pool.Options().App.HTTPClient
		for range tt.times {
			response, err := client.PostForm("https://auth.example.com/oauth2/token", form)
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			status = response.StatusCode
		}
		if status != tt.want {
			t.Errorf("%s: status %d, want %d", name, status, tt.want)
		}
	}
}

// TestBrowserOfAJSApplication: without managed login a browser has the application alone.
func TestBrowserOfAJSApplication(t *testing.T) {
	t.Parallel()
	pool := amplifytest.New(t, amplifytest.Options{Config: amplify.Config{Auth: &amplify.AuthConfig{
		UserPoolID: "us-east-1_Abc123", UserPoolClientID: "myclient",
	}}})
	o := pool.Options()
	o.Origin = ""
	browser := pool.Browser(serve(t, pool.Config(), o), ann)
	cookies, err := amplifytest.Cookies(pool.Config(), pool.Tokens(ann))
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(pool.Origin())
	if err != nil {
		t.Fatal(err)
	}
	browser.Jar.SetCookies(u, cookies)
	if _, _, page := open(t, browser, pool.Origin()+"/"); !strings.Contains(page, `"ann"`) {
		t.Errorf("the page says %s", page)
	}
}

// TestConcurrentUse: users who come at the same time do not get in each other's way.
func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	pool, app := newApp(t, amplifytest.Options{})
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			u := amplifytest.User{Name: fmt.Sprint("user", i), Groups: []string{"editors"}}
			browser := pool.Browser(app, u)
			if _, status, _ := open(t, browser, pool.Origin()+"/edit"); status != http.StatusOK {
				t.Errorf("%s gets status %d", u.Name, status)
			}
			r := signedIn(pool, "/", u, amplifytest.Expired)
			if got, _ := ask(t, app, r); got.User != u.Name {
				t.Errorf("%s is %+v", u.Name, got)
			}
			pool.Revoke(u)
			if got, _ := ask(t, app, signedIn(pool, "/", u)); got.Identity != "eu-west-1:"+u.ID() {
				t.Errorf("%s is %+v", u.Name, got)
			}
		})
	}
	all.Wait()
	if got := pool.Calls()["/oauth2/token"]; got != 20 {
		t.Errorf("%d sign-ins", got)
	}
}
