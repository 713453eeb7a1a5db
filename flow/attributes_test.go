package flow

import (
	"crypto/tls"
	"maps"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/amplify-go/amplify"
)

// TestSessionAttributes: the cookies of a session by origin.
func TestSessionAttributes(t *testing.T) {
	for name, tt := range map[string]struct {
		origin  string
		cookies CookieOptions
		want    map[string]string
	}{
		"https origin": {"https://myapp.com", CookieOptions{},
			map[string]string{"path": "/", "httponly": "", "secure": "", "samesite": "strict", "max-age": "31536000"}},
		"http origin": {"http://localhost:3000", CookieOptions{},
			map[string]string{"path": "/", "httponly": "", "samesite": "strict", "max-age": "31536000"}},
		"options": {"https://www.myapp.com", CookieOptions{Domain: ".myapp.com", SameSite: http.SameSiteLaxMode, MaxAge: 7 * 24 * time.Hour},
			map[string]string{"path": "/", "httponly": "", "secure": "", "samesite": "lax", "max-age": "604800", "domain": "myapp.com"}},
		"http loopback origin, insecure": {"http://127.0.0.1:3000", CookieOptions{Insecure: true},
			map[string]string{"path": "/", "httponly": "", "samesite": "strict", "max-age": "31536000"}},
		"https loopback origin, insecure": {"https://localhost:3000", CookieOptions{Insecure: true},
			map[string]string{"path": "/", "httponly": "", "samesite": "strict", "max-age": "31536000"}},
		"no origin": {"", CookieOptions{},
			map[string]string{"path": "/", "secure": "", "samesite": "lax", "max-age": "31536000"}},
	} {
		f := newFixture(t, nil, nil)
		f = newFixture(t, f.backend.Refreshed("alice"), func(_ *amplify.Config, o *Options) { o.Origin, o.Cookies = tt.origin, tt.cookies })
		w := serve(f.page(), request("/", f.backend.Session("alice", -time.Minute, nil)+"; "+testPrefix+"alice.signInDetails={}"))
		all := setCookies(w.Header["Set-Cookie"])
		got := maps.Clone(all[testPrefix+"alice.refreshToken"])
		if got["deleted"] != "" { // the host's own cookie, beside that of the domain
			got = maps.Clone(all[testPrefix+"alice.refreshToken of myapp.com"])
		}
		delete(got, "value")
		if d := cmp.Diff(tt.want, got); d != "" {
			t.Errorf("%s (-want +got)\n%s", name, d)
		}
		// With an origin only the four cookies of a session are ever written.
		if _, ok := all[testPrefix+"alice.signInDetails"]; ok != (tt.origin == "") {
			t.Errorf("%s: signInDetails written: %v", name, ok)
		}
	}
}

// TestInsecure: Secure is left off on the developer's own machine alone. Without an origin each
// request shows by its Host header whether it is there.
func TestInsecure(t *testing.T) {
	for host, secure := range map[string]bool{
		"localhost:3000": false, "localhost": false, "127.0.0.1:3000": false, "[::1]:3000": false,
		"myapp.com": true, "": true, "localhost.evil.test": true, "localhost.": true, "LOCALHOST": true, "127.0.0.2": true, "127.1": true, "0.0.0.0": true,
		"localhost:evil.test": true, "localhost@evil.test": true, "evil.test:127": true, "[::2]": true, "app.localhost": true,
	} {
		for _, chosen := range []bool{true, false} {
			f := newFixture(t, nil, nil)
			f = newFixture(t, f.backend.Refreshed("alice"), func(_ *amplify.Config, o *Options) { o.Origin, o.Cookies.Insecure = "", chosen })
			for _, encrypted := range []bool{false, true} {
				r := request("/", f.backend.Session("alice", -time.Minute, nil))
				r.Host = host
				if encrypted {
					r.TLS = &tls.ConnectionState{}
				}
				cookies := serve(f.page(), r).Cookies()
				if len(cookies) == 0 {
					t.Fatalf("%q: not refreshed", host)
				}
				for _, c := range cookies {
					if want := secure || !chosen || encrypted; c.Secure != want {
						t.Errorf("%q, chosen %v, encrypted %v: %v", host, chosen, encrypted, c)
					}
				}
			}
		}
	}
	// The cookies of a flow are those of an origin.
	f := newFixture(t, nil, func(cfg *amplify.Config, o *Options) {
		o.Origin, o.Cookies.Insecure = "https://localhost:3000", true
		cfg.Auth.OAuth.RedirectSignIn = []string{"https://localhost:3000/api/auth/sign-in-callback"}
		cfg.Auth.OAuth.RedirectSignOut = []string{"https://localhost:3000/api/auth/sign-out-callback"}
	})
	for _, route := range []string{"sign-in", "sign-out"} {
		cookies := serve(f.routes(t, RoutesOptions{}), request("/api/auth/"+route, "")).Cookies()
		if len(cookies) != 2 || cookies[0].Secure || cookies[1].Secure {
			t.Errorf("%s: %v", route, cookies)
		}
	}
}
