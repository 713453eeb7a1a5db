package amplifyhttp

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"
)

// TestForwardSession puts a ReverseProxy between a browser with an expired session and another
// server: that gets the refreshed tokens and no refresh token, and the browser gets all of them.
func TestForwardSession(t *testing.T) {
	f := newFixture(t, nil, nil)
	f = newFixture(t, f.backend.Refreshed("alice"), nil)
	var seen []string
	inner := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = r.Header["Cookie"]
		_, _ = io.WriteString(w, "inner")
	}))
	defer inner.Close()
	target, err := url.Parse(inner.URL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) {
		p.SetURL(target)
		if err := f.ForwardSession(p.In, p.Out, ForwardOptions{}); err != nil {
			t.Error(err)
		}
	}}
	w := serve(f.Middleware(proxy), request("/page", "a=1; "+f.backend.Session("alice", -time.Minute, nil)))
	if body, err := io.ReadAll(w.Body); string(body) != "inner" || err != nil {
		t.Fatalf("status %d, %q, %v", w.StatusCode, body, err)
	}
	set := setCookies(w.Header["Set-Cookie"])
	for _, key := range []string{"accessToken", "idToken"} {
		fresh := set[testPrefix+"alice."+key]["value"]
		if fresh == "" || len(seen) != 1 || !strings.Contains(seen[0], key+"="+fresh) {
			t.Errorf("the other server got %v, the browser %v", seen, set)
		}
	}
	if len(seen) == 1 && (strings.Contains(seen[0], "refreshToken") || !strings.HasPrefix(seen[0], "a=1; ")) {
		t.Errorf("the other server got %v", seen)
	}
}
