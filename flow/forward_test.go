package flow

import (
	"net/http"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/cookie"
)

// TestForward: another server gets the cookies of the session that verifies, and none that claim to
// be a session; what else the browser has sent goes on unchanged.
func TestForward(t *testing.T) {
	f := newFixture(t, nil, nil)
	alice := f.backend.Session("alice", time.Hour, nil)
	access, id := f.backend.Tokens("alice", time.Hour, nil)
	mallory := testPrefix + "mallory.accessToken=x"
	for name, test := range map[string]struct {
		cookies string
		options ForwardOptions
		others  string // what goes on unchanged
		user    string
		reason  amplify.Reason
	}{
		"signed in":              {cookies: alice, user: "alice"},
		"between others":         {cookies: `a="1"; ` + alice + `; b=%20ü; b=2`, others: `a="1"; b=%20ü; b=2`, user: "alice"},
		"another user beside it": {cookies: mallory + "; " + alice, user: "alice"},
		"with its refresh token": {cookies: alice, options: ForwardOptions{RefreshToken: true}, user: "alice"},
		"nobody":                 {cookies: "a=1", others: "a=1", reason: amplify.ReasonNoSession},
		"no cookies":             {reason: amplify.ReasonNoSession},
		"forged":                 {cookies: strings.Replace(alice, access, access[:len(access)-9]+"forgeryAA", 1) + "; a=1", others: "a=1", reason: amplify.ReasonBadSignature},
		"spelled otherwise": {
			cookies: "%43" + testPrefix[1:] + "LastAuthUser=mallory; %43" + testPrefix[1:] + "mallory.idToken=x; a=1", others: "a=1",
			reason: amplify.ReasonIncompleteSession,
		},
		"in Latin-1": {cookies: testPrefix + "\xfc.idToken=x", reason: amplify.ReasonIncompleteSession},
		"too many":   {cookies: strings.Repeat("a=1; ", 20_000) + alice, reason: amplify.ReasonCookiesTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			r := request("/", test.cookies)
			var x Exchange
			f.Begin(&x, r)
			header := r.Header.Clone()
			header.Set("X-Other", "stays")
			if err := x.Forward(t.Context(), header, test.options); amplify.ReasonOf(err) != test.reason {
				t.Errorf("error %v, want reason %q", err, test.reason)
			}
			got := map[string]string{}
			var others []string
			for name, value := range cookie.Parse(header["Cookie"]) {
				if key, ok := strings.CutPrefix(cookie.DecodeName(name), testPrefix); ok {
					got[key] = cookie.DecodeValue(value)
				} else {
					others = append(others, name+"="+value)
				}
			}
			if got := strings.Join(others, "; "); got != test.others {
				t.Errorf("other cookies are %q, want %q", got, test.others)
			}
			want := map[string]string{}
			if test.user != "" {
				want = map[string]string{"LastAuthUser": "alice", "alice.accessToken": access, "alice.idToken": id}
			}
			if test.options.RefreshToken {
				want["alice.refreshToken"] = "refresh-of-alice"
			}
			if len(got) != len(want) {
				t.Errorf("%d cookies of a session, want %d", len(got), len(want))
			}
			for key, value := range want {
				if got[key] != value {
					t.Errorf("%s is %q, want %q", key, got[key], value)
				}
			}
			if len(header["Cookie"]) > 1 || header.Get("X-Other") != "stays" {
				t.Errorf("header %v", header)
			}
		})
	}
}

// TestForwardSpellings: cookies are what they are, however the key of the header is spelled.
func TestForwardSpellings(t *testing.T) {
	f := newFixture(t, nil, nil)
	var x Exchange
	f.Begin(&x, request("/", ""))
	for _, key := range []string{"cookie", "COOKIE", "Cookie"} {
		header := http.Header{key: {testPrefix + "LastAuthUser=mallory; a=1"}, "Cookie2": {"stays"}}
		if err := x.Forward(t.Context(), header, ForwardOptions{}); amplify.ReasonOf(err) != amplify.ReasonNoSession {
			t.Errorf("%s: error %v", key, err)
		}
		want := http.Header{"Cookie": {"a=1"}, "Cookie2": {"stays"}}
		if d := gocmp.Diff(want, header); d != "" {
			t.Errorf("%s: header (-want +got)\n%s", key, d)
		}
	}
}

// TestForwardBearer: what an Authorization header proves goes on in it, and no cookies beside it
// claim to be another user.
func TestForwardBearer(t *testing.T) {
	f := newFixture(t, nil, func(_ *amplify.Config, o *Options) { o.Bearer = true })
	access, _ := f.backend.Tokens("alice", time.Hour, nil)
	for token, reason := range map[string]amplify.Reason{access: "", "x.y.z": amplify.ReasonMalformedToken} {
		r := request("/", f.backend.Session("bob", time.Hour, nil)+"; a=1")
		r.Header.Set("Authorization", "Bearer "+token)
		var x Exchange
		f.Begin(&x, r)
		out := http.Header{"Cookie": r.Header["Cookie"], "Authorization": r.Header["Authorization"]}
		if err := x.Forward(t.Context(), out, ForwardOptions{}); amplify.ReasonOf(err) != reason {
			t.Errorf("error %v, want reason %q", err, reason)
		}
		if out.Get("Cookie") != "a=1" || out.Get("Authorization") != "Bearer "+token {
			t.Errorf("header %v", out)
		}
	}
}
