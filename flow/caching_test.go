package flow

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/cookie"
)

// TestCachingOfWhatMayBeRead: a handler may read the session after the header has been sent. A
// response to a request that has one is not shared, unless the handler says so.
func TestCachingOfWhatMayBeRead(t *testing.T) {
	f := newFixture(t, nil, func(_ *amplify.Config, o *Options) { o.Bearer = true })
	large := strings.Repeat("a=b; ", cookie.MaxHeaderSize/4)
	for name, tt := range map[string]struct {
		r    *http.Request
		h    http.Header
		want http.Header
	}{
		"no cookies":            {request("/", ""), http.Header{}, http.Header{}},
		"other cookies":         {request("/", "theme=dark; CognitoIdentityServiceProvider.other.LastAuthUser=x"), http.Header{}, http.Header{}},
		"session":               {request("/", "a=b; "+testPrefix+"LastAuthUser=x"), http.Header{}, http.Header{"Cache-Control": {revalidated}}},
		"session, spelled":      {request("/", strings.ReplaceAll(testPrefix, ".", "%2E")+"x.idToken=x"), http.Header{}, http.Header{"Cache-Control": {revalidated}}},
		"bearer":                {request("/", "", "Authorization", "Bearer x"), http.Header{}, http.Header{"Cache-Control": {revalidated}}},
		"basic":                 {request("/", "", "Authorization", "Basic x"), http.Header{}, http.Header{}},
		"too many to look":      {request("/", large), http.Header{}, http.Header{"Cache-Control": {revalidated}}},
		"the handler has said":  {request("/", testPrefix+"LastAuthUser=x"), http.Header{"Cache-Control": {"public"}}, http.Header{"Cache-Control": {"public"}}},
		"said in another style": {request("/", testPrefix+"LastAuthUser=x"), http.Header{"cache-control": {"public"}}, http.Header{"cache-control": {"public"}}},
		"an empty field":        {request("/", testPrefix+"LastAuthUser=x"), http.Header{"Cache-Control": {}}, http.Header{"Cache-Control": {revalidated}}},
	} {
		for _, direct := range []bool{false, true} {
			h := tt.h.Clone()
			var x *Exchange
			if direct {
				x = f.begin(tt.r, h)
			} else {
				x = f.begin(tt.r, nil)
			}
			x.Commit(h)
			if d := cmp.Diff(tt.want, h); d != "" {
				t.Errorf("%s, direct %v (-want +got)\n%s", name, direct, d)
			}
		}
	}
	h := http.Header{}
	x := f.begin(request("/", f.backend.Session("alice", time.Hour, nil)), h)
	if got := h.Get("Cache-Control"); got != revalidated { // in case the operation sends the header
		t.Errorf("direct, at the beginning: %q", got)
	}
	_, _ = x.Tokens(t.Context(), amplify.TokensInput{})
	x.Commit(h)
	if got := h.Get("Cache-Control"); got != private {
		t.Errorf("direct, read: %q", got)
	}
}

// TestSpellingsOfFields: handlers may put keys into the header that net/http would have spelled
// otherwise.
func TestSpellingsOfFields(t *testing.T) {
	f := newFixture(t, nil, nil)
	h := http.Header{
		"cache-control": {"public"}, "CACHE-CONTROL": {"max-age=60"}, "Cdn-cache-Control": {"public"},
		"vercel-cdn-cache-control": {"public"}, "SURROGATE-CONTROL": {"public"}, "vary": {"Accept, cookie"},
	}
	x := f.begin(request("/", ""), nil)
	x.cookies.Set(&http.Cookie{Name: testPrefix + "LastAuthUser", Value: "x"})
	x.Commit(h)
	delete(h, "Set-Cookie")
	if d := cmp.Diff(http.Header{"Cache-Control": {private}, "vary": {"Accept, cookie"}}, h); d != "" {
		t.Errorf("set (-want +got)\n%s", d)
	}
	h = http.Header{"CACHE-CONTROL": {"public"}}
	x = f.begin(request("/", ""), nil)
	_ = x.cookies.CookieHeader()
	x.Commit(h)
	if d := cmp.Diff(http.Header{"CACHE-CONTROL": {"public"}}, h); d != "" {
		t.Errorf("read (-want +got)\n%s", d)
	}
}
