package amplifytest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/amplifyhttp"
	"github.com/amplify-go/amplify/amplifytest"
	"github.com/amplify-go/amplify/auth"
)

// TestMain takes the network away: everything here must get on without.
func TestMain(m *testing.M) {
	http.DefaultTransport = noNetwork{}
	os.Exit(m.Run())
}

type noNetwork struct{}

func (noNetwork) RoundTrip(r *http.Request) (*http.Response, error) {
	panic("a request to " + r.URL.Host)
}

var (
	ann = amplifytest.User{
		Name: "ann", Email: "ann@example.com", Groups: []string{"editors"},
		Attributes: map[string]string{"name": "Ann Lee", "custom:plan": "gold"},
	}
	bob = amplifytest.User{Email: "bob+notes@example.com"}
)

// verdict is what an application makes of a request.
type verdict struct {
	Reason   amplify.Reason
	User     string
	Identity string
}

// serve returns an application that answers with its verdict at /, and at /read-only with that of a
// context that sets no cookies; it has the auth routes, and editors may see /edit.
func serve(t *testing.T, cfg amplify.Config, o amplifyhttp.Options) http.Handler {
	t.Helper()
	runner, err := amplifyhttp.NewServerRunner(cfg, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := runner.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	mux := http.NewServeMux()
	judge := func(ctx context.Context) (v verdict, err error) {
		session, err := auth.FetchAuthSession(ctx, auth.FetchAuthSessionInput{})
		if err != nil {
			return verdict{Reason: amplify.ReasonOf(err)}, nil
		}
		v = verdict{Reason: amplify.ReasonOf(session.Unauthenticated), Identity: session.IdentityID}
		if user, err := auth.GetCurrentUser(ctx); err == nil {
			v.User = user.Username
		}
		return v, nil
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		v, _ := judge(r.Context())
		_ = json.NewEncoder(w).Encode(v)
	})
	mux.HandleFunc("/read-only", func(w http.ResponseWriter, r *http.Request) {
		v, _ := amplifyhttp.RunWithServerContext(runner, amplifyhttp.ReadOnly(r), judge)
		_ = json.NewEncoder(w).Encode(v)
	})
	mux.HandleFunc("/attributes", func(w http.ResponseWriter, r *http.Request) {
		attributes, err := auth.FetchUserAttributes(r.Context())
		if err != nil {
			http.Error(w, err.Error(), http.StatusUnauthorized)
			return
		}
		_ = json.NewEncoder(w).Encode(attributes)
	})
	editors, err := runner.RequireGroup(amplifyhttp.Guard{SignIn: "/api/auth/sign-in"}, "editors")
	if err != nil {
		t.Fatal(err)
	}
	edit := func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "the editor") }
	mux.Handle("/edit", editors(http.HandlerFunc(edit)))
	if o.Origin != "" && cfg.Auth.OAuth != nil {
		routes, err := runner.AuthRoutes(amplifyhttp.AuthRoutesOptions{})
		if err != nil {
			t.Fatal(err)
		}
		mux.Handle("/api/auth/", routes)
	}
	return runner.Middleware(mux)
}

// ask returns the verdict of app on r, and which session cookies the answer sets and deletes.
func ask(t *testing.T, app http.Handler, r *http.Request) (v verdict, cookies string) {
	t.Helper()
	w := httptest.NewRecorder()
	app.ServeHTTP(w, r)
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil {
		t.Fatalf("%s: %s", err, w.Body)
	}
	for _, c := range w.Result().Cookies() {
		if strings.HasSuffix(c.Name, ".accessToken") {
			if c.MaxAge < 0 {
				cookies = "deleted"
			} else {
				return v, "set"
			}
		}
	}
	return v, cookies
}

// TestSessions: each kind of session gets the verdict that it is for.
func TestSessions(t *testing.T) {
	t.Parallel()
	type flaws = []amplifytest.Flaw
	signedIn := verdict{"", "ann", "eu-west-1:" + ann.ID()}
	guest := func(reason amplify.Reason) verdict { return verdict{reason, "", "eu-west-1:guest-1"} }
	const expired, revoked, forged = amplifytest.Expired, amplifytest.Revoked, amplifytest.Forged
	const otherClient, otherPool = amplifytest.OtherClient, amplifytest.OtherPool
	refused := func(reason amplify.Reason) verdict { return verdict{Reason: reason} }
	tests := map[string]struct {
		flaws   flaws
		path    string
		bearer  bool
		want    verdict
		cookies string
	}{
		"signed in":         {want: signedIn},
		"expired":           {flaws: flaws{expired}, want: signedIn, cookies: "set"},
		"revoked":           {flaws: flaws{revoked}, want: signedIn},
		"forged":            {flaws: flaws{forged}, want: guest(amplify.ReasonBadSignature)},
		"of another client": {flaws: flaws{otherClient}, want: guest(amplify.ReasonWrongClient)},
		"of another pool":   {flaws: flaws{otherPool}, want: guest(amplify.ReasonWrongIssuer)},
		"forged and expired": {
			flaws: flaws{forged, expired}, want: guest(amplify.ReasonBadSignature),
		},
		"expired and revoked": {
			flaws: flaws{expired, revoked}, want: guest(amplify.ReasonRefreshRejected),
			cookies: "deleted",
		},
		"expired, read-only": {
			flaws: flaws{expired}, path: "read-only",
			want: guest(amplify.ReasonRefreshNeedsWritableResponse),
		},
		"bearer": {bearer: true, want: verdict{User: "ann"}}, // without credentials
		"expired bearer": {
			bearer: true, flaws: flaws{expired}, want: refused(amplify.ReasonExpiredNoRefreshToken),
		},
		"forged bearer": {
			bearer: true, flaws: flaws{forged}, want: refused(amplify.ReasonBadSignature),
		},
		"bearer of another client": {
			bearer: true, flaws: flaws{otherClient}, want: refused(amplify.ReasonWrongClient),
		},
		"bearer of another pool": {
			bearer: true, flaws: flaws{otherPool}, want: refused(amplify.ReasonWrongIssuer),
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pool := amplifytest.New(t, amplifytest.Options{})
			o := pool.Options()
			o.Bearer = true
			app := serve(t, pool.Config(), o)
			r := httptest.NewRequest(http.MethodGet, "/"+tt.path, nil)
			if tt.bearer {
				pool.Authorize(r, ann, tt.flaws...)
			} else {
				pool.SignIn(r, ann, tt.flaws...)
			}
			got, cookies := ask(t, app, r)
			if got != tt.want || cookies != tt.cookies {
				t.Errorf("%+v, cookies %q, want %+v, %q", got, cookies, tt.want, tt.cookies)
			}
		})
	}
}

// get returns a request for a path, and signedIn one of u.
func get(path string) *http.Request { return httptest.NewRequest(http.MethodGet, path, nil) }

func signedIn(
	pool *amplifytest.Pool, path string, u amplifytest.User, flaws ...amplifytest.Flaw,
) *http.Request {
	r := get(path)
	pool.SignIn(r, u, flaws...)
	return r
}

// newApp returns an application on a new pool.
func newApp(t *testing.T, o amplifytest.Options) (*amplifytest.Pool, http.Handler) {
	t.Helper()
	pool := amplifytest.New(t, o)
	return pool, serve(t, pool.Config(), pool.Options())
}

// TestRefresh: sessions expire as the time moves on, a crowd is refreshed by one call, and what is
// new about the user arrives then.
func TestRefresh(t *testing.T) {
	t.Parallel()
	pool, app := newApp(t, amplifytest.Options{})
	r := signedIn(pool, "/edit", ann)
	edit := func() int {
		w := httptest.NewRecorder()
		app.ServeHTTP(w, r.Clone(t.Context()))
		return w.Code
	}
	ann := ann
	ann.Groups = nil
	pool.SetUser(ann)
	if got := edit(); got != http.StatusOK {
		t.Errorf("with tokens from before: status %d", got)
	}
	pool.Advance(2 * time.Hour)
	var crowd sync.WaitGroup
	for range 20 {
		crowd.Go(func() {
			if got := edit(); got != http.StatusForbidden {
				t.Errorf("with new tokens: status %d", got)
			}
		})
	}
	crowd.Wait()
	if got := pool.Calls()["GetTokensFromRefreshToken"]; got != 1 {
		t.Errorf("%d refreshes", got)
	}
	pool.Revoke(ann)
	pool.Advance(2 * time.Hour)
	r.URL.Path = "/"
	got, cookies := ask(t, app, r)
	if got.Reason != amplify.ReasonRefreshRejected || cookies != "deleted" {
		t.Errorf("after Revoke: %+v, cookies %q", got, cookies)
	}
	if got, _ := ask(t, app, signedIn(pool, "/", ann)); got.User != "ann" {
		t.Errorf("a session from after Revoke: %+v", got)
	}
}

// TestAttributes: the user pool answers with the user that it was told last, and refuses tokens of
// sessions that have been revoked.
func TestAttributes(t *testing.T) {
	t.Parallel()
	pool, app := newApp(t, amplifytest.Options{})
	fetch := func(r *http.Request) (attributes map[string]string, body string) {
		w := httptest.NewRecorder()
		app.ServeHTTP(w, r)
		_ = json.Unmarshal(w.Body.Bytes(), &attributes)
		return attributes, w.Body.String()
	}
	attributesOf := func(u amplifytest.User, plan string) map[string]string {
		return map[string]string{
			"sub": u.ID(), "email": u.Email, "email_verified": "true",
			"name": "Ann Lee", "custom:plan": plan,
		}
	}
	ann := ann
	r := signedIn(pool, "/attributes", ann)
	got, body := fetch(r)
	if diff := cmp.Diff(attributesOf(ann, "gold"), got); diff != "" {
		t.Errorf("%s\n%s", diff, body)
	}
	ann.Attributes = map[string]string{"name": "Ann Lee", "custom:plan": "free"}
	pool.SetUser(ann)
	if got, body = fetch(r); got["custom:plan"] != "free" {
		t.Errorf("after SetUser: %s", body)
	}
	if n := pool.Calls()["GetUser"]; n != 2 {
		t.Errorf("%d calls of GetUser", n)
	}
	ann.Scopes = []string{"openid"}
	got, body = fetch(signedIn(pool, "/attributes", ann))
	if diff := cmp.Diff(attributesOf(ann, "free"), got); diff != "" {
		t.Errorf("of the ID token: %s\n%s", diff, body)
	}
	pool.Revoke(ann)
	if _, body = fetch(r); !strings.Contains(body, "NotAuthorizedException") {
		t.Errorf("after Revoke: %s", body)
	}
}

// TestForeignTokens: the pool itself takes no tokens that are not its own, or expired ones.
func TestForeignTokens(t *testing.T) {
	t.Parallel()
	pool := amplifytest.New(t, amplifytest.Options{})
	client := pool.Options().App.HTTPClient
	for name, tt := range map[string]struct {
		flaws            []amplifytest.Flaw
		refresh, getUser int
	}{
		"own":               {nil, 200, 200},
		"expired":           {[]amplifytest.Flaw{amplifytest.Expired}, 200, 400},
		"revoked":           {[]amplifytest.Flaw{amplifytest.Revoked}, 400, 400},
		"forged":            {[]amplifytest.Flaw{amplifytest.Forged}, 400, 400},
		"of another client": {[]amplifytest.Flaw{amplifytest.OtherClient}, 400, 400},
		"of another pool":   {[]amplifytest.Flaw{amplifytest.OtherPool}, 400, 400},
	} {
		tokens := pool.Tokens(ann, tt.flaws...)
		for _, call := range []struct {
			operation, member string
			token             amplify.Secret
			want              int
		}{
			{"GetUser", "AccessToken", tokens.AccessToken, tt.getUser},
			{"GetTokensFromRefreshToken", "RefreshToken", tokens.RefreshToken, tt.refresh},
			{"GlobalSignOut", "AccessToken", tokens.AccessToken, tt.getUser},
		} {
			body := fmt.Sprintf(`{%q: %q}`, call.member, call.token.Reveal())
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost,
				"https://user-pool.test/", strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("X-Amz-Target", "AWSCognitoIdentityProviderService."+call.operation)
			response, err := client.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			if response.StatusCode != call.want {
				t.Errorf("%s, %s: status %d", name, call.operation, response.StatusCode)
			}
		}
	}
}

// TestUser: names and ids are those that a user pool gives.
func TestUser(t *testing.T) {
	t.Parallel()
	pool, app := newApp(t, amplifytest.Options{})
	const sub = "0a0b0c0d-1111-4222-8333-444455556666"
	for want, u := range map[string]amplifytest.User{
		"ann":    ann,
		bob.ID(): bob, // as where people sign in with an e-mail address
		sub:      {Email: "carol@example.com", Sub: sub},
	} {
		got, _ := ask(t, app, signedIn(pool, "/", u))
		if got.User != want || got.Identity != "eu-west-1:"+u.ID() {
			t.Errorf("%+v, want %s", got, want)
		}
	}
	if ann.ID() == bob.ID() || ann.ID() != (amplifytest.User{Name: "ann"}).ID() {
		t.Error("ids do not follow from names")
	}
}

// TestClaims: what triggers add, groups and scopes are in the tokens that have them with Cognito.
func TestClaims(t *testing.T) {
	t.Parallel()
	pool := amplifytest.New(t, amplifytest.Options{})
	u := ann
	u.Scopes, u.Claims = []string{"notes/read"}, map[string]any{"tenant": 7}
	tokens := pool.Tokens(u)
	now := float64(pool.Now().Unix())
	auth := pool.Config().Auth
	common := map[string]any{
		"sub": ann.ID(), "iss": "https://cognito-idp.eu-west-1.amazonaws.com/" + auth.UserPoolID,
		"cognito:groups": []any{"editors"}, "tenant": 7.0,
		"iat": now, "auth_time": now, "exp": now + 3600,
	}
	for _, tt := range []struct {
		token string
		more  map[string]any
	}{
		{tokens.AccessToken.Reveal(), map[string]any{
			"token_use": "access", "client_id": auth.UserPoolClientID, "username": "ann",
			"scope": "notes/read",
		}},
		{tokens.IDToken.Reveal(), map[string]any{
			"token_use": "id", "aud": auth.UserPoolClientID, "cognito:username": "ann",
			"email": "ann@example.com", "email_verified": true,
			"name": "Ann Lee", "custom:plan": "gold",
		}},
	} {
		want := maps.Clone(common)
		maps.Copy(want, tt.more)
		var got map[string]any
		if err := amplify.NewToken(tt.token, nil).Decode(&got); err != nil {
			t.Fatal(err)
		}
		for _, random := range []string{"jti", "origin_jti", "event_id"} {
			if id, _ := got[random].(string); len(id) != 36 {
				t.Errorf("%s is %q", random, id)
			}
			delete(got, random)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
}

// TestCredentials: users and guests get credentials of their own that are complete.
func TestCredentials(t *testing.T) {
	t.Parallel()
	pool := amplifytest.New(t, amplifytest.Options{})
	runner, err := amplifyhttp.NewServerRunner(pool.Config(), pool.Options())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = runner.Close(context.Background()) })
	keys := map[string]bool{}
	for who, r := range map[string]*http.Request{
		"ann": signedIn(pool, "/", ann), "bob": signedIn(pool, "/", bob), "guest": get("/"),
	} {
		fetch := func(ctx context.Context) (*auth.Session, error) {
			return auth.FetchAuthSession(ctx, auth.FetchAuthSessionInput{})
		}
		session, err := amplifyhttp.RunWithServerContext(runner, amplifyhttp.ReadOnly(r), fetch)
		if err != nil {
			t.Fatal(err)
		}
		c := session.Credentials
		if c == nil || c.AccessKeyID == "" || c.SecretAccessKey.IsZero() ||
			c.SessionToken.IsZero() || !c.Expires.Equal(pool.Now().Add(time.Hour)) {
			t.Errorf("%s: %+v", who, c)
			continue
		}
		if keys[c.AccessKeyID] {
			t.Errorf("%s has the keys of another", who)
		}
		keys[c.AccessKeyID] = true
	}
	want := map[string]int{"jwks.json": 1, "GetId": 3, "GetCredentialsForIdentity": 3}
	if diff := cmp.Diff(want, pool.Calls()); diff != "" {
		t.Error(diff)
	}
}

// TestOutages: what the library makes of a Cognito that fails, and that no session gets lost by it.
func TestOutages(t *testing.T) {
	t.Parallel()
	const throttled, down = amplifytest.Throttled, amplifytest.Down
	expired := []amplifytest.Flaw{amplifytest.Expired}
	tests := map[string]struct {
		outage amplifytest.Outage
		warm   bool // the application knows the keys
		flaws  []amplifytest.Flaw
		want   amplify.Reason
	}{
		"throttled":              {throttled, false, nil, ""},
		"throttled and expired":  {throttled, false, expired, amplify.ReasonServiceUnavailable},
		"down":                   {down, false, nil, amplify.ReasonKeysUnavailable},
		"down later":             {down, true, nil, ""},
		"down later and expired": {down, true, expired, amplify.ReasonServiceUnavailable},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pool := amplifytest.New(t, amplifytest.Options{})
			cfg := pool.Config()
			cfg.Auth.IdentityPoolID = ""
			app := serve(t, cfg, pool.Options())
			if tt.warm {
				ask(t, app, signedIn(pool, "/", bob))
			}
			pool.SetOutage(tt.outage)
			r := signedIn(pool, "/", ann, tt.flaws...)
			if got, cookies := ask(t, app, r); got.Reason != tt.want || cookies != "" {
				t.Errorf("%+v, cookies %q, want %q", got, cookies, tt.want)
			}
			pool.SetOutage(amplifytest.NoOutage)
			pool.Advance(time.Minute) // pauses end
			if got, _ := ask(t, app, r); got.User != "ann" {
				t.Errorf("afterwards: %+v", got)
			}
		})
	}
}

// TestSignIn: a request has the session of the last SignIn, and keeps the application's cookies.
func TestSignIn(t *testing.T) {
	t.Parallel()
	pool, app := newApp(t, amplifytest.Options{})
	r := get("/")
	r.Header.Set("Cookie", `theme="dark mode"; a(b)=c`)
	pool.SignIn(r, ann)
	pool.SignIn(r, bob)
	if got, _ := ask(t, app, r); got.User != bob.ID() {
		t.Errorf("%+v, want bob", got)
	}
	got, own := r.Header.Get("Cookie"), `theme="dark mode"; a(b)=c; Cognito`
	if !strings.HasPrefix(got, own) || strings.Contains(got, ".ann.") {
		t.Errorf("cookies: %s", got)
	}
}

// TestPoolsApart: users of one pool are nobody to the application of another.
func TestPoolsApart(t *testing.T) {
	t.Parallel()
	mine := amplifytest.New(t, amplifytest.Options{})
	other, app := newApp(t, amplifytest.Options{})
	if got, _ := ask(t, app, signedIn(mine, "/", ann)); got.Reason != amplify.ReasonNoSession {
		t.Errorf("%+v", got)
	}
	cookies, err := amplifytest.Cookies(other.Config(), mine.Tokens(ann))
	if err != nil {
		t.Fatal(err)
	}
	r := get("/")
	for _, c := range cookies {
		r.AddCookie(c)
	}
	if got, _ := ask(t, app, r); got.Reason != amplify.ReasonWrongIssuer {
		t.Errorf("%+v", got)
	}
}

// TestOwnConfig: an application's own configuration serves, wherever its backend is.
func TestOwnConfig(t *testing.T) {
	t.Parallel()
	const outputs = `{
		"version": "1.4",
		"auth": {
			"aws_region": "cn-north-1", "user_pool_id": "cn-north-1_Abc123",
			"user_pool_client_id": "myclient" %s
		},
		"custom": {"amplify_go": {"endpoints": {
			"user_pool": "http://127.0.0.1:4960", "user_pool_keys": "http://127.0.0.1:4960"
		}}}
	}`
	const oauth = `, "identity_pool_id": "cn-north-1:x",
		"oauth": {
			"identity_providers": [], "domain": "auth.my.test", "scopes": ["openid"],
			"response_type": "code",
			"redirect_sign_in_uri": [
				"myapp://callback", "http://localhost:3000/auth/sign-in-callback",
				"https://my.test/auth/sign-in-callback"
			],
			"redirect_sign_out_uri": ["http://localhost:3000/auth/sign-out-callback"]
		}`
	for name, tt := range map[string]struct{ more, origin, identity string }{
		"sign-in by the server": {oauth, "http://localhost:3000", "cn-north-1:" + ann.ID()},
		"sign-in by Amplify JS": {"", "https://example.com", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg, err := amplify.ParseConfig(fmt.Appendf(nil, outputs, tt.more))
			if err != nil {
				t.Fatal(err)
			}
			pool, app := newApp(t, amplifytest.Options{Config: cfg})
			if pool.Origin() != tt.origin {
				t.Errorf("the origin is %s", pool.Origin())
			}
			r := signedIn(pool, "/", ann, amplifytest.Expired)
			got, cookies := ask(t, app, r)
			if got != (verdict{"", "ann", tt.identity}) || cookies != "set" {
				t.Errorf("%+v, cookies %q", got, cookies)
			}
		})
	}
}

// TestCopies: what a test changes of its own changes nothing in the pool.
func TestCopies(t *testing.T) {
	t.Parallel()
	pool := amplifytest.New(t, amplifytest.Options{})
	cfg, want := pool.Config(), pool.Config()
	cfg.Auth.UserPoolID, cfg.Auth.OAuth.Domain = "x", "x"
	oauth := cfg.Auth.OAuth
	oauth.Scopes[0], oauth.RedirectSignIn[0], oauth.RedirectSignOut[0] = "x", "x", "x"
	if diff := cmp.Diff(want.Auth, pool.Config().Auth); diff != "" {
		t.Error(diff)
	}

	given := want
	pool = amplifytest.New(t, amplifytest.Options{Config: given})
	given.Auth.UserPoolID = "x"
	if got := pool.Config().Auth.UserPoolID; got == "x" {
		t.Error("the pool has another id")
	}

	app := serve(t, pool.Config(), pool.Options())
	u := amplifytest.User{Name: "ann", Groups: []string{"editors"}}
	r := signedIn(pool, "/edit", u, amplifytest.Expired)
	u.Groups[0] = "readers"
	w := httptest.NewRecorder()
	if app.ServeHTTP(w, r); w.Code != http.StatusOK {
		t.Errorf("the user has other groups: status %d", w.Code)
	}
}

// TestProduction: a program that is no test gets no pool.
func TestProduction(t *testing.T) {
	t.Parallel()
	out, err := exec.Command("go", "run", "./testdata/production").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "works in tests only") {
		t.Errorf("%v\n%s", err, out)
	}
}
