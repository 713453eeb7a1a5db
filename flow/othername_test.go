package flow

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/amplify-go/amplify"
)

// at returns a fixture of an application at an origin.
func at(t *testing.T, origin, domain string) *fixture {
	return newFixture(t, nil, func(cfg *amplify.Config, o *Options) {
		o.Origin, o.Cookies.Domain = origin, domain
		cfg.Auth.OAuth.RedirectSignIn = []string{origin + "/api/auth/sign-in-callback"}
		cfg.Auth.OAuth.RedirectSignOut = []string{origin + "/api/auth/sign-out-callback"}
	})
}

// TestOtherNames: a flow that begins under another name of the origin goes on at the origin, whose
// cookies Cognito's answer comes with. No other name leads anywhere, and none is repeated.
func TestOtherNames(t *testing.T) {
	const local, secureLocal, apex, www = "http://localhost:3000", "https://127.0.0.1", "https://myapp.com", "https://www.myapp.com"
	const idn = "https://xn--bcher-kva.example:8443"
	for _, tt := range []struct {
		origin, domain, host string
		leads, logged        bool
	}{
		{local, "", "localhost:3000", false, false},
		{local, "", "localhost:8080", false, false}, // cookies do not tell ports apart
		{local, "", "LOCALHOST:3000", false, false},
		{local, "", "", false, false},
		{local, "", "127.0.0.1:3000", true, true},
		{local, "", "[::1]:3000", true, true},
		{secureLocal, "", "localhost", true, true},
		{secureLocal, "", "[::1]", true, true},
		{apex, "", "myapp.com", false, false},
		{apex, "", "www.myapp.com", true, true},
		{www, "", "myapp.com", true, true},
		{idn, "", "www.xn--bcher-kva.example:8443", true, true},
		{www, ".myapp.com", "myapp.com", false, false}, // the cookies reach both
		{www, "myapp.com", "other.myapp.com", false, false},

		{local, "", "127.0.0.1", false, true},
		{local, "", "127.0.0.1:3001", false, true},
		{local, "", "127.0.0.2:3000", false, true},
		{local, "", "127.1:3000", false, true},
		{local, "", "2130706433:3000", false, true},
		{local, "", "0.0.0.0:3000", false, true},
		{local, "", "[::ffff:127.0.0.1]:3000", false, true},
		{local, "", "[0:0:0:0:0:0:0:1]:3000", false, true},
		{local, "", "localhost.:3000", false, true},
		{local, "", "www.localhost:3000", false, true},
		{local, "", "localhost.evil.test:3000", false, true},
		{local, "", "127.0.0.1.evil.test:3000", false, true},
		{local, "", "127.0.0.1:3000@evil.test", false, true},
		{local, "", "evil.test", false, true},
		{apex, "", "127.0.0.1:3000", false, true}, // a proxy that replaces the header
		{apex, "", "localhost", false, true},
		{apex, "", "WWW.myapp.com", false, true},
		{apex, "", "www.myapp.com:443", false, true},
		{apex, "", "www.myapp.com.", false, true},
		{apex, "", "myapp.com.", false, true},
		{apex, "", "www.www.myapp.com", false, true},
		{apex, "", "wwwmyapp.com", false, true},
		{apex, "", "www.myapp.com.evil.test", false, true},
		{apex, "", "evil.test/www.myapp.com", false, true},
		{apex, "", "m.myapp.com", false, true},
		{apex, "myapp.com", "evilmyapp.com", false, true},
		{www, "", "www.www.myapp.com", false, true},
		{idn, "", "www.bücher.example:8443", false, true},
	} {
		f := at(t, tt.origin, tt.domain)
		h := f.routes(t, RoutesOptions{})
		for _, address := range []string{"/api/auth/sign-in?return_to=%2Fnotes&lang=fr", "/api/auth/sign-up", "/api/auth/sign-out?global=true"} {
			r := request(address, "", navigation...)
			r.Host = tt.host
			w := serve(h, r)
			location := w.Header.Get("Location")
			if !tt.leads {
				if !strings.HasPrefix(location, "https://auth.corpus.test/") {
					t.Errorf("%s under %q at %s: status %d, location %q", address, tt.host, tt.origin, w.StatusCode, location)
				}
				continue
			}
			if w.StatusCode != http.StatusFound || location != tt.origin+address {
				t.Errorf("%s under %q at %s: status %d, location %q", address, tt.host, tt.origin, w.StatusCode, location)
			}
			// Where the browser's name is another one than the request's, it comes back.
			r = request(address, w.Cookies()[0].String(), navigation...)
			r.Host = tt.host
			if w := serve(h, r); len(w.Cookies()) < 2 || !strings.HasPrefix(w.Header.Get("Location"), "https://auth.corpus.test/") {
				t.Errorf("%s under %q at %s, again: status %d, location %q", address, tt.host, tt.origin, w.StatusCode, w.Header.Get("Location"))
			}
		}
		const line = "under another name"
		if n := strings.Count(f.backend.Log.String(), line); n > 1 || (n == 1) != tt.logged {
			t.Errorf("%q at %s: %d lines are logged", tt.host, tt.origin, n)
		}
	}
}

// TestOtherNameCookie: the mark belongs to the name alone, and is soon forgotten.
func TestOtherNameCookie(t *testing.T) {
	f := at(t, "https://www.myapp.com", "")
	r := request("/api/auth/sign-in", "")
	r.Host = "myapp.com"
	w := serve(f.routes(t, RoutesOptions{}), r)
	if len(w.Cookies()) != 1 {
		t.Fatalf("cookies %v", w.Header["Set-Cookie"])
	}
	c := w.Cookies()[0]
	if c.Domain != "" || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.MaxAge <= 0 || c.MaxAge > 60 {
		t.Errorf("%v", c)
	}
}

// TestOtherNameOfSignedIn: users who are signed in under the name stay there.
func TestOtherNameOfSignedIn(t *testing.T) {
	f := at(t, "http://localhost:3000", "")
	r := request("/api/auth/sign-in?return_to=%2Fnotes", f.backend.Session("alice", time.Hour, nil))
	r.Host = "127.0.0.1:3000"
	if w := serve(f.routes(t, RoutesOptions{}), r); w.Header.Get("Location") != "/notes" {
		t.Errorf("status %d, location %q", w.StatusCode, w.Header.Get("Location"))
	}
}

// TestOtherNameOfOddAddresses: an address that does not begin with a path would become part of the
// host, and a long one makes no long answer.
func TestOtherNameOfOddAddresses(t *testing.T) {
	f := at(t, "http://localhost:3000", "")
	h := f.routes(t, RoutesOptions{})
	for _, address := range []string{"@evil.test/", ".evil.test/", ":80/", "//evil.test/", "http://evil.test/", "/?x=" + strings.Repeat("<", 2000), "/" + strings.Repeat("<", 2000)} {
		r := request("/api/auth/sign-in", "")
		r.Host, r.RequestURI = "127.0.0.1:3000", address
		if w := serve(h, r); !strings.HasPrefix(w.Header.Get("Location"), "https://auth.corpus.test/") {
			t.Errorf("%.40s: location %.60q", address, w.Header.Get("Location"))
		}
	}
}
