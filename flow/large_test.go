package flow

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/cookie"
)

// TestCookiesTooLarge: a request with more cookies than are read is neither sent to sign in, which
// would be refused as well, nor taken for a guest's. Its user can delete the cookies.
func TestCookiesTooLarge(t *testing.T) {
	f := newFixture(t, nil, func(_ *amplify.Config, o *Options) { o.Cookies.Domain = ".myapp.com" })
	var cookies strings.Builder
	for i := range 900 {
		fmt.Fprintf(&cookies, "small%d=%s; ", i, strings.Repeat("x", 60))
	}
	for i := range 5 {
		fmt.Fprintf(&cookies, "large%d=%s; ", i, strings.Repeat("x", 4000))
	}
	header := cookies.String()
	if len(header) <= cookie.MaxHeaderSize {
		t.Fatal(len(header))
	}
	without := func(headers []string, site string) []string {
		headers = append([]string{}, headers...)
		headers[1] = site
		return headers
	}
	guarded := f.guarded(f.RequireUser(GuardOptions{SignIn: "/sign-in"}))
	routes := f.routes(t, RoutesOptions{})
	for target, h := range map[string]http.Handler{
		"/notes?id=1":        guarded,
		"/api/auth/sign-in":  routes,
		"/api/auth/sign-out": routes,
		"/api/auth/sign-in-callback?code=c&state=s": routes,
		"/api/auth/sign-out-callback":               routes,
	} {
		w := serve(h, request(target, header, fromAfar...))
		body, _ := io.ReadAll(w.Body)
		link := bodyTargets(string(body))["link"]
		if w.StatusCode != 431 || !strings.Contains(link, clearParameter+"=true") || !strings.HasPrefix(link, strings.Split(target, "?")[0]+"?") || w.Header["Set-Cookie"] != nil {
			t.Fatalf("%s: %d %v %s", target, w.StatusCode, w.Header, body)
		}

		// A program is told.
		w = serve(h, request(target, header, fetched...))
		var answer struct{ Reason amplify.Reason }
		if err := json.NewDecoder(w.Body).Decode(&answer); err != nil || w.StatusCode != 431 || answer.Reason != amplify.ReasonCookiesTooLarge {
			t.Errorf("%s: %d %v %v", target, w.StatusCode, answer, err)
		}

		// The link deletes the largest cookies, and leads back.
		for name, headers := range map[string][]string{"same origin": navigation, "an old browser": {"Accept", "text/html"}} {
			w = serve(h, request(link, header, headers...))
			set := setCookies(w.Header["Set-Cookie"])
			if w.StatusCode != 303 || w.Header.Get("Location") != target || w.Header.Get("Clear-Site-Data") != `"cookies"` {
				t.Fatalf("%s, %s: %d %v", target, name, w.StatusCode, w.Header)
			}
			if len(w.Header["Set-Cookie"]) > cookie.MaxSetCookies || set["large0"]["deleted"] == "" || set["large0 of myapp.com"]["deleted"] == "" {
				t.Errorf("%s, %s: %d cookies", target, name, len(w.Header["Set-Cookie"]))
			}
		}
		// Only from the application itself, by the user's click, and only while that is needed.
		for name, r := range map[string]*http.Request{
			"cross site": request(link, header, fromAfar...),
			"same site":  request(link, header, without(navigation, "same-site")...),
			"typed":      request(link, header, without(navigation, "none")...),
			"prefetch":   request(link, header, append([]string{"Sec-Purpose", "prefetch"}, navigation...)...),
			"not large":  request(link, "a=b", navigation...),
		} {
			if w := serve(h, r); w.StatusCode == 204 || w.Header.Get("Clear-Site-Data") != "" || len(w.Header["Set-Cookie"]) > 3 {
				t.Errorf("%s, %s: %d %v", target, name, w.StatusCode, w.Header)
			}
		}
		if w := serve(h, request(link, "a=b", navigation...)); w.StatusCode == 431 {
			t.Errorf("%s: not large: %d", target, w.StatusCode)
		}
	}
	post := request("/notes?"+clearParameter+"=true", header, navigation...)
	post.Method = http.MethodPost
	if w := serve(guarded, post); w.StatusCode != 431 || w.Header["Set-Cookie"] != nil {
		t.Errorf("POST: %d %v", w.StatusCode, w.Header)
	}
	// Nowhere else.
	if w := serve(guarded, request("//evil.test/", header, navigation...)); w.StatusCode != 431 {
		t.Error(w.StatusCode)
	} else if body, _ := io.ReadAll(w.Body); !strings.HasPrefix(bodyTargets(string(body))["link"], "/?") {
		t.Errorf("%s", body)
	}
}
