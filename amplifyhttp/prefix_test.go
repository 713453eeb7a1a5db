package amplifyhttp

import (
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/flowtest"
)

// application is a whole application: a page to sign in on, pages for signed-in users, and the auth
// routes, all behind one guard. It does not know where it is mounted.
func (f *fixture) application(t *testing.T) http.Handler {
	t.Helper()
	routes, err := f.AuthRoutes(AuthRoutesOptions{RedirectOnSignInComplete: "/home", RedirectOnSignOutComplete: "/bye"})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/api/auth/", routes)
	mux.HandleFunc("/sign-in", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `<a href="%s">Sign in</a>`, html.EscapeString(f.SignInURL(r, SignInLink{ReturnTo: "/home"})))
	})
	mux.HandleFunc("/notes", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "notes") })
	// A part of the application that has its own guard, and does not see its own prefix.
	admins := must(f.RequireGroup(Guard{SignIn: "/sign-in"}, "admins"))
	mux.Handle("/admin/", http.StripPrefix("/admin", admins(http.HandlerFunc(ok))))
	return must(f.RequireUser(Guard{SignIn: "/sign-in", Except: []string{"/admin/"}}))(mux)
}

// stripping returns a real server that serves h, behind a real proxy that takes prefix off.
func stripping(t *testing.T, prefix string, h http.Handler) http.Handler {
	t.Helper()
	backend := httptest.NewServer(h)
	t.Cleanup(backend.Close)
	at, err := url.Parse(backend.URL)
	if err != nil {
		t.Fatal(err)
	}
	return http.StripPrefix(prefix, &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(at)
		r.Out.Host = r.In.Host
	}})
}

// TestMounts signs a user in and out of an application that is mounted in all the ways there are.
// It is the same application each time, and users come back to where they were.
func TestMounts(t *testing.T) {
	for name, tt := range map[string]struct {
		base       string // Options.BasePath
		prefix     string // as browsers see it
		middleware bool
		mount      func(*testing.T, http.Handler) http.Handler
	}{
		"at the root": {"", "", true, func(_ *testing.T, h http.Handler) http.Handler { return h }},
		"http.StripPrefix": {"", "/app", true, func(_ *testing.T, h http.Handler) http.Handler {
			return http.StripPrefix("/app", h)
		}},
		"http.StripPrefix, without Middleware": {"", "/app", false, func(_ *testing.T, h http.Handler) http.Handler {
			return http.StripPrefix("/app", h)
		}},
		"proxy": {"/app", "/app", true, func(t *testing.T, h http.Handler) http.Handler {
			return stripping(t, "/app", h)
		}},
		"proxy, long prefix": {"/my%20apps/one", "/my%20apps/one", true, func(t *testing.T, h http.Handler) http.Handler {
			return stripping(t, "/my apps/one", h)
		}},
		"proxy and http.StripPrefix": {"/base", "/base/app", true, func(t *testing.T, h http.Handler) http.Handler {
			return stripping(t, "/base", http.StripPrefix("/app", h))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, nil, nil)
			f = newFixture(t, f.backend.SignedIn("alice"), func(cfg *amplify.Config, o *Options) {
				o.BasePath = tt.base
				cfg.Auth.OAuth.RedirectSignIn = []string{flowtest.Origin + "/", flowtest.Origin + tt.prefix + "/api/auth/sign-in-callback"}
				cfg.Auth.OAuth.RedirectSignOut = []string{flowtest.Origin + "/", flowtest.Origin + tt.prefix + "/api/auth/sign-out-callback"}
			})
			h := f.application(t)
			if tt.middleware {
				h = f.Middleware(h)
			}
			b := &visitor{t: t, handler: tt.mount(t, h), cookies: map[string]string{}}
			escaped := url.QueryEscape(tt.prefix)

			// The guard sends to the page, which is not guarded, which links to managed login.
			location, _ := b.get(303, tt.prefix+"/notes?page=2")
			if want := tt.prefix + "/sign-in?return_to=" + url.QueryEscape(tt.prefix+"/notes?page=2"); location != want {
				t.Fatalf("the guard leads to %q, not to %q", location, want)
			}
			_, body := b.get(200, location)
			link := html.UnescapeString(regexp.MustCompile(`href="([^"]*)"`).FindStringSubmatch(body)[1])
			if want := tt.prefix + "/api/auth/sign-in?return_to=" + url.QueryEscape(tt.prefix+"/notes?page=2"); link != want {
				t.Fatalf("the page leads to %q, not to %q", link, want)
			}
			_, body = b.get(200, tt.prefix+"/sign-in")
			if want := `href="` + tt.prefix + `/api/auth/sign-in?return_to=` + escaped + `%2Fhome"`; !strings.Contains(body, want) {
				t.Errorf("the page opened by hand: %s lacks %s", body, want)
			}
			location, _ = b.get(302, link)
			login, _ := url.Parse(location)
			callback := flowtest.Origin + tt.prefix + "/api/auth/sign-in-callback"
			if login.Host != "auth.corpus.test" || login.Query().Get("redirect_uri") != callback {
				t.Fatalf("sign-in leads to %q", location)
			}
			_, body = b.get(200, strings.TrimPrefix(callback, flowtest.Origin)+"?code=the-code&state="+url.QueryEscape(login.Query().Get("state")))
			if got := bodyTargets(body)["link"]; got != tt.prefix+"/notes?page=2" {
				t.Fatalf("the user comes back to %q", got)
			}
			if _, body := b.get(200, tt.prefix+"/notes?page=2"); body != "notes" {
				t.Errorf("the page: %s", body)
			}
			if location, _ := b.get(302, tt.prefix+"/api/auth/sign-in"); location != tt.prefix+"/home" {
				t.Errorf("signed in, sign-in leads to %q", location)
			}

			location, _ = b.get(302, tt.prefix+"/api/auth/sign-out")
			logout, _ := url.Parse(location)
			if got := logout.Query().Get("logout_uri"); got != flowtest.Origin+tt.prefix+"/api/auth/sign-out-callback" {
				t.Fatalf("sign-out leads to %q", location)
			}
			_, body = b.get(200, tt.prefix+"/api/auth/sign-out-callback")
			if got := bodyTargets(body)["link"]; got != logout.Query().Get("logout_uri") {
				t.Errorf("the first step of sign-out leads to %q", got)
			}
			location, _ = b.get(302, tt.prefix+"/api/auth/sign-out-callback")
			if to, _, _ := strings.Cut(location, "?"); to != tt.prefix+"/bye" {
				t.Errorf("sign-out ends at %q", location)
			}

			// A guard in a part of the application sends to the application's page. A page of
			// that part with the same name is another one. Without Middleware its guard sees no
			// more than the part.
			if !tt.middleware {
				return
			}
			for _, page := range []string{"/admin/users", "/admin/sign-in"} {
				location, _ = b.get(303, tt.prefix+page)
				if to, _, _ := strings.Cut(location, "?"); to != tt.prefix+"/sign-in" {
					t.Errorf("%s: the guard leads to %q", page, location)
				}
			}
		})
	}
}

// visitor is a browser, as far as it keeps cookies.
type visitor struct {
	t       *testing.T
	handler http.Handler
	cookies map[string]string
}

// get opens an address of the origin.
func (v *visitor) get(status int, target string) (location, body string) {
	v.t.Helper()
	r := request(target, "", navigation...)
	r.Host = "myapp.com"
	for name, value := range v.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	w := serve(v.handler, r)
	for _, c := range w.Cookies() {
		if v.cookies[c.Name] = c.Value; c.MaxAge < 0 {
			delete(v.cookies, c.Name)
		}
	}
	text, err := io.ReadAll(w.Body)
	if err != nil || w.StatusCode != status {
		v.t.Fatalf("%s: status %d, location %q, %v\n%s", target, w.StatusCode, w.Header.Get("Location"), err, text)
	}
	return w.Header.Get("Location"), string(text)
}

// TestProxiedAttacks: what a request spells in odd ways gets past no guard behind a proxy that
// takes a prefix off, and leads nowhere else.
func TestProxiedAttacks(t *testing.T) {
	f := newFixture(t, nil, func(cfg *amplify.Config, o *Options) {
		o.BasePath = "/app"
		cfg.Auth.OAuth.RedirectSignIn = []string{flowtest.Origin + "/app/api/auth/sign-in-callback"}
	})
	guarded := must(f.RequireUser(Guard{SignIn: "/sign-in", Except: []string{"/static/", "GET /news/{id}"}}))(http.HandlerFunc(ok))
	h := stripping(t, "/app", f.Middleware(guarded))
	for target, passes := range map[string]bool{
		"/app/static/a.css": true, "/app/news/1": true, "/app/sign-in": true, "/app/api/auth/sign-in": true,
		"/app/static/../notes": false, "/app/static/%2e%2e/notes": false, "/app/static/..%2fnotes": false, "/app/static%2f..%2fnotes": false,
		"/app/static//../notes": false, "/app//static/a.css": false, "/app/news/1%2fedit": false, "/app/static/..%5cnotes": false,
		"/app//evil.test/static/": false, "/app/%2fevil.test": false, "/app/%5cevil.test": false, "/app//evil.test/sign-in": false,
		"/app/Sign-In": false, "/app/%73ign-in": false, "/app/app/sign-in": false, "/app/STATIC/a.css": false, "/app/sign-in/": false,
	} {
		for _, host := range []string{"myapp.com", "myapp.com:443", "myapp.com.", "MyApp.com", "evil.test", "www.myapp.com", "127.0.0.1:3000", "xn--myapp-xyz.com"} {
			r := request(target, "", navigation...)
			r.Host = host
			w := serve(h, r)
			u, err := url.Parse(w.Header.Get("Location"))
			if passes != (w.StatusCode == http.StatusNoContent) || !passes && (err != nil || u.Host != "" || u.Path != "/app/sign-in") {
				t.Errorf("%s at %s: status %d, location %q", target, host, w.StatusCode, w.Header.Get("Location"))
				continue
			}
			if to := u.Query().Get("return_to"); to != "" && (!strings.HasPrefix(to, "/app/") || strings.HasPrefix(to, "/app//")) {
				t.Errorf("%s: return_to %q", target, to)
			}
		}
	}
}

// TestOtherName: a server that listens on all loopback names signs users in at its origin.
func TestOtherName(t *testing.T) {
	var handler http.Handler
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	t.Cleanup(server.Close)
	origin := strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
	f := newFixture(t, nil, func(cfg *amplify.Config, o *Options) {
		o.Origin = origin
		cfg.Auth.OAuth.RedirectSignIn = []string{origin + "/api/auth/sign-in-callback"}
		cfg.Auth.OAuth.RedirectSignOut = []string{origin + "/api/auth/sign-out-callback"}
	})
	var err error
	if handler, err = f.AuthRoutes(AuthRoutesOptions{}); err != nil {
		t.Fatal(err)
	}
	client := &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, Timeout: 10 * time.Second,
	}
	open := func(address string) string {
		t.Helper()
		w, err := client.Get(address)
		if err != nil {
			t.Fatal(err)
		}
		_ = w.Body.Close()
		return w.Header.Get("Location")
	}
	location := open(server.URL + "/api/auth/sign-in?return_to=%2Fnotes")
	if location != origin+"/api/auth/sign-in?return_to=%2Fnotes" {
		t.Fatalf("leads to %q", location)
	}
	r := request(strings.TrimPrefix(location, origin), "")
	r.Host = strings.TrimPrefix(origin, "http://")
	if location := serve(handler, r).Header.Get("Location"); !strings.HasPrefix(location, "https://auth.corpus.test/oauth2/authorize?") {
		t.Errorf("there, leads to %q", location)
	}
}
