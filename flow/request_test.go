package flow

import (
	"io"
	"strings"
	"testing"

	"github.com/amplify-go/amplify/cookie"
)

// TestAnswersDoNotGrow: an address of 900 KiB does not make an answer, or a call, larger than
// itself. Nothing of it that is too long to be meant is passed on.
func TestAnswersDoNotGrow(t *testing.T) {
	f := newFixture(t, nil, nil)
	routes := f.routes(t, RoutesOptions{})
	guarded := f.guarded(f.RequireUser(GuardOptions{SignIn: "/sign-in"}))
	state := newState("")
	attempt := stateCookie + "=" + state + "; " + pkceCookie + "=v; "
	many := strings.Repeat("a=b; ", cookie.MaxHeaderSize/5+1)
	long := strings.Repeat("<", 900<<10)
	for target, cookies := range map[string]string{
		"/api/auth/sign-in?login_hint=" + long:                                    "",
		"/api/auth/sign-in?lang=" + long:                                          "",
		"/api/auth/sign-in?provider=" + long:                                      "",
		"/api/auth/sign-in?return_to=/" + long:                                    "",
		"/api/auth/sign-in-callback?state=" + state + "&code=" + long:             attempt,
		"/api/auth/sign-in-callback?state=" + state + "&error=" + long:            attempt,
		"/api/auth/sign-in-callback?error_description=" + long:                    attempt,
		"/api/auth/sign-in?x=" + long:                                             many,
		"/notes/" + long:                                                          many,
		"/api/auth/sign-in?amplify_clear_cookies=true&x=" + long:                  many,
		"/notes?x=" + long:                                                        "",
		"/api/auth/sign-out?confirm=" + long + "&global=true&x=" + long[:100<<10]: "",
	} {
		h := routes
		if strings.HasPrefix(target, "/notes") {
			h = guarded
		}
		w := serve(h, request(target, cookies, navigation...))
		body, err := io.ReadAll(w.Body)
		size := len(body) + len(w.Header.Get("Location"))
		if err != nil || w.StatusCode == 0 || size > 16<<10 {
			t.Errorf("%.60s: status %d, %d bytes, %v", target, w.StatusCode, size, err)
		}
	}
	if n := len(f.upstream.Calls()); n != 0 {
		t.Errorf("%d calls", n)
	}
	if w := serve(routes, request("/api/auth/sign-in?login_hint="+strings.Repeat("x", 320)+"&lang=fr", "", navigation...)); !strings.Contains(w.Header.Get("Location"), "lang=fr&login_hint="+strings.Repeat("x", 320)) {
		t.Errorf("a long name: %s", w.Header.Get("Location"))
	}
}
