package sandbox_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/amplify-go/amplify/sandbox"
)

// TestForeignDomain starts a sandbox with an outputs file whose domain belongs to another party.
// The domain reaches managed login, but neither the console nor the inbox nor the admin API.
func TestForeignDomain(t *testing.T) {
	outputs := strings.ReplaceAll(given, "auth.my-app.example", "login.stranger.example")
	s := start(t, sandbox.Config{Outputs: []byte(outputs)})
	o := outputsOf(t, s)
	login := "?" + url.Values{"client_id": {o.Auth.ClientID}, "response_type": {"code"}, "redirect_uri": {o.Auth.OAuth.SignIn[0]}}.Encode()
	hosts := map[string]string{
		"loopback": "127.0.0.1:4960", "localhost": "localhost:4960", "below localhost": "app.localhost", "IPv6": "[::1]:4960",
		"domain": "login.stranger.example", "domain with a port": "LOGIN.stranger.example:4960",
		"AWS":     "cognito-idp.eu-central-1.amazonaws.com",
		"rebound": "evil.example", "rebound, dotted": "127.0.0.1.evil.example", "not localhost": "localhost.evil.example",
		"below the domain": "x.login.stranger.example", "unspecified": "0.0.0.0:4960", "unspecified, IPv6": "[::]:4960",
		"bracketed": "[localhost]:4960", "trailing dot": "localhost.:4960", "none": "-",
	}
	served := map[string]string{
		"loopback": "all", "localhost": "all", "below localhost": "all", "IPv6": "all", "bracketed": "all",
		"domain": "AWS", "domain with a port": "AWS", "AWS": "AWS",
	}
	for what, host := range hosts {
		for _, c := range []struct {
			method, path string
			want         int
			local        bool
		}{
			{"GET", "/login" + login, 200, false},
			{"GET", "/" + o.Auth.PoolID + "/.well-known/jwks.json", 200, false},
			{"POST", "/", 400, false}, // no operation
			{"GET", "/", 302, true},
			{"GET", "/console", 200, true},
			{"GET", "/console/users", 200, true},
			{"GET", "/console/outputs", 200, true},
			{"POST", "/console/keys/rotate", 403, true}, // no form token
			{"GET", "/inbox", 200, true},
			{"GET", "/admin/faults", 200, true},
			{"GET", "/admin/calls", 200, true},
			{"DELETE", "/admin/calls", 204, true},
			{"DELETE", "/admin/faults", 204, true},
			{"GET", "//inbox", 307, true},
		} {
			want := c.want
			if served[what] == "" || c.local && served[what] != "all" && c.path != "//inbox" {
				want = 421
			}
			res, body := call(t, c.method, s.URL()+c.path, "", map[string]string{"Host": host})
			if res.StatusCode != want {
				t.Errorf("%s: %s %s answers %d, want %d", what, c.method, c.path, res.StatusCode, want)
			}
			if want == 421 && (strings.Contains(body, "<") || strings.Contains(body, o.Auth.PoolID)) {
				t.Errorf("%s: %s %s tells %.60q", what, c.method, c.path, body)
			}
		}
	}
}

// TestInboxLink follows the link to the inbox from a page under the domain: it leads to an address
// that serves the inbox.
func TestInboxLink(t *testing.T) {
	s := start(t, sandbox.Config{Outputs: []byte(given)})
	o := outputsOf(t, s)
	page := s.URL() + "/confirm?" + url.Values{"client_id": {o.Auth.ClientID}, "response_type": {"code"}, "redirect_uri": {o.Auth.OAuth.SignIn[0]}}.Encode()
	for host, want := range map[string]string{"localhost:4960": "/inbox", "auth.my-app.example": s.URL() + "/inbox"} {
		if _, body := call(t, "GET", page, "", map[string]string{"Host": host}); !strings.Contains(body, `href="`+want+`"`) {
			t.Errorf("%s: no link to %s in\n%s", host, want, body)
		}
	}
}

// TestPagesCallNoAdministration imitates a web page of the sandbox's own origin, under an
// AWS name that leads to this machine. Browsers then send all headers without a preflight.
func TestPagesCallNoAdministration(t *testing.T) {
	s := start(t, sandbox.Config{})
	o := outputsOf(t, s)
	body := `{"UserPoolId": "` + o.Auth.PoolID + `"}`
	for what, c := range map[string]struct {
		name, value string
		status      int
	}{
		"a program":         {"X-Other", "x", 200},
		"same origin":       {"Origin", "http://cognito-idp.us-east-1.amazonaws.com:4960", 403},
		"same origin, site": {"Sec-Fetch-Site", "same-origin", 403},
		"another site":      {"Sec-Fetch-Site", "cross-site", 403},
		"opaque":            {"Origin", "null", 403},
	} {
		res, answer := call(t, "POST", s.URL(), body, map[string]string{
			"X-Amz-Target": target + "ListUsers", "Authorization": "AWS4-HMAC-SHA256 x", c.name: c.value})
		if res.StatusCode != c.status {
			t.Errorf("%s: %d %s, want %d", what, res.StatusCode, answer, c.status)
		}
	}
	for asked, want := range map[string]string{"*,authorization,x-amz-target": "x-amz-target", "AUTHORIZATION": "", "*": ""} {
		res, _ := call(t, "OPTIONS", s.URL()+"/", "", map[string]string{"Access-Control-Request-Headers": asked})
		if got := res.Header.Get("Access-Control-Allow-Headers"); got != want {
			t.Errorf("preflight for %q allows %q", asked, got)
		}
	}
}

// TestBodyLimits sends a megabyte to every endpoint that takes a body. The header limit stops
// requests that are large without a body.
func TestBodyLimits(t *testing.T) {
	s := start(t, sandbox.Config{})
	o := outputsOf(t, s)
	login := "?" + url.Values{"client_id": {o.Auth.ClientID}, "response_type": {"code"}, "redirect_uri": {"http://x/"}}.Encode()
	large := strings.Repeat("x=y&", 1<<18)
	for _, path := range []string{"/", "/oauth2/token", "/oauth2/revoke", "/oauth2/userInfo", "/login" + login, "/signup" + login,
		"/console/faults", "/console/clock", "/console/keys/rotate", "/admin/faults", "/admin/keys/rotate?"} {
		for _, contentType := range []string{"application/x-www-form-urlencoded", "application/json", "multipart/form-data; boundary=x"} {
			res, body := call(t, "POST", s.URL()+path, large, map[string]string{
				"Content-Type": contentType, "X-Amz-Target": target + "InitiateAuth"})
			if res.StatusCode < 400 && !strings.HasPrefix(path, "/admin/keys") {
				t.Errorf("%s as %s: %d %s", path, contentType, res.StatusCode, body)
			}
		}
	}
	res, _ := call(t, "GET", s.URL()+"/console", "", map[string]string{"Cookie": "a=" + strings.Repeat("x", 100<<10)})
	if res.StatusCode != 431 {
		t.Errorf("a header of 100 KiB: %d", res.StatusCode)
	}
	res, _ = call(t, "GET", s.URL()+"/console", "", map[string]string{"Cookie": "a=" + strings.Repeat("x", 40<<10)})
	if res.StatusCode != 200 {
		t.Errorf("a header of 40 KiB: %d", res.StatusCode)
	}
}
