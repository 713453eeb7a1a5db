package flow

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/amplify-go/amplify/cookie"
	"github.com/amplify-go/amplify/cookie/cookietest"
)

// begin returns the exchange of a request, with its response's header if it is direct.
func (f *fixture) begin(r *http.Request, direct http.Header) *Exchange {
	x := &Exchange{}
	if direct != nil {
		f.BeginDirect(x, r, direct)
	} else {
		f.Begin(x, r)
	}
	return x
}

// TestStore: the exchange's cookies pass the suite for stores in both of its modes.
func TestStore(t *testing.T) {
	f := newFixture(t, nil, nil)
	for name, header := range map[string]func() http.Header{
		"waiting": func() http.Header { return nil },
		"direct":  func() http.Header { return http.Header{} },
	} {
		t.Run(name, func(t *testing.T) {
			cookietest.Run(t, func(_ *testing.T, lines []string) cookietest.Exchange {
				r, h := request("/", ""), header()
				if lines != nil {
					r.Header["Cookie"] = lines
				}
				x := f.begin(r, h)
				if h == nil {
					h = http.Header{}
				}
				return cookietest.Exchange{
					Store:     &x.cookies,
					End:       func() { x.Commit(h) },
					SetCookie: func() []string { x.Commit(h); return h["Set-Cookie"] },
				}
			})
		})
	}
}

func deletion(name string) *http.Cookie {
	return &http.Cookie{Name: name, Path: "/", MaxAge: -1}
}

// TestSetCookieLinesAreBounded: of too many Set-Cookie lines the deletions of other cookies are
// dropped first, and those that make a session never are.
func TestSetCookieLinesAreBounded(t *testing.T) {
	f := newFixture(t, nil, nil)
	names := func(h http.Header) map[string]int {
		n := map[string]int{}
		for _, line := range h["Set-Cookie"] {
			name, rest, _ := strings.Cut(line, "=")
			kind := strings.TrimRight(strings.TrimPrefix(name, testPrefix), "0123456789")
			if strings.HasPrefix(rest, ";") {
				kind += " deleted"
			}
			n[kind]++
		}
		return n
	}
	for name, direct := range map[string]http.Header{"waiting": nil, "direct": {}} {
		x := f.begin(request("/", ""), direct)
		h := direct
		if h == nil {
			h = http.Header{}
		}
		for i := range 150 {
			x.cookies.Set(deletion(fmt.Sprintf("junk%d", i)))
		}
		for i := range 60 {
			x.cookies.Set(deletion(fmt.Sprintf("%sold%d", testPrefix, i)))
		}
		for i := range 30 {
			x.cookies.Set(&http.Cookie{Name: fmt.Sprintf("flow%d", i), Value: "x"})
		}
		if !x.cookies.SetAll([]*http.Cookie{{Name: testPrefix + "alice.idToken", Value: "x"}, {Name: testPrefix + "LastAuthUser", Value: "x"}}) {
			t.Error("not set")
		}
		x.Commit(h)
		want := map[string]int{"alice.idToken": 1, "LastAuthUser": 1, "flow": 30, "old deleted": 60, "junk deleted": 8}
		if d := cmp.Diff(want, names(h)); d != "" {
			t.Errorf("%s (-want +got)\n%s", name, d)
		}
	}
	// The handler's own lines count, and stay.
	h := http.Header{}
	for i := range 120 {
		h.Add("Set-Cookie", fmt.Sprintf("own%d=x", i))
	}
	x := f.begin(request("/", ""), nil)
	x.cookies.SetAll([]*http.Cookie{deletion("junk"), {Name: "flow", Value: "x"}, {Name: testPrefix + "LastAuthUser", Value: "x"}})
	x.Commit(h)
	if d := cmp.Diff(map[string]int{"own": 120, "LastAuthUser": 1}, names(h)); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

// TestSetAfterTheHeader: a refresh that ends while the header is being written changes
// nothing any more.
func TestSetAfterTheHeader(t *testing.T) {
	f := newFixture(t, nil, nil)
	for name, direct := range map[string]http.Header{"waiting": nil, "direct": {}} {
		x := f.begin(request("/", ""), direct)
		h := direct
		if h == nil {
			h = http.Header{}
		}
		x.cookies.Set(&http.Cookie{Name: "a", Value: "1"})
		x.Commit(h)
		x.cookies.Set(&http.Cookie{Name: "b", Value: "2"})
		_ = x.cookies.CookieHeader()
		x.Commit(h)
		if got := h["Set-Cookie"]; len(got) != 1 || x.cookies.Writable() {
			t.Errorf("%s: cookies %v, writable %v", name, got, x.cookies.Writable())
		}
		if err := x.storage().Set("k", "v"); err != cookie.ErrReadOnly { //nolint:errorlint // the sentinel itself
			t.Errorf("%s: error %v", name, err)
		}
	}
}

// TestLaterExchangesSeeEarlierOnes: of two operations on one response the second knows
// what the first has set.
func TestLaterExchangesSeeEarlierOnes(t *testing.T) {
	f := newFixture(t, nil, nil)
	h, r := http.Header{}, request("/", "")
	first := f.begin(r, h)
	first.cookies.Set(&http.Cookie{Name: "a", Value: "1"})
	first.Commit(h)
	second := f.begin(r, h)
	second.cookies.Set(&http.Cookie{Name: "b", Value: "2"})
	if got := second.cookies.SetCookieHeader(); len(got) != 2 || got[0] != "a=1" || got[1] != "b=2" {
		t.Errorf("%v", got)
	}
	// The lines that the handler adds meanwhile are its own.
	h.Add("Set-Cookie", "c=3")
	if got := second.cookies.SetCookieHeader(); len(got) != 2 {
		t.Errorf("%v", got)
	}
}
