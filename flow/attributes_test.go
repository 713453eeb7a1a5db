package flow

import (
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
