package flow

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/amplify-go/amplify/cookie"
)

// TestManyAttempts: made-up cookies of attempts cost bounded work, few deletions, and
// not the newest attempts.
func TestManyAttempts(t *testing.T) {
	f := newFixture(t, nil, nil)
	routes := f.routes(t, RoutesOptions{})
	kept := attempt{newState(""), randomText(verifierLength), "/notes"}
	for name, tt := range map[string]struct {
		count int
		value func(state string) string
	}{
		"no attempts":    {600, func(string) string { return "x" }},
		"small attempts": {400, func(state string) string { return state + ".v." + strings.Repeat("L", 40) }},
		"large attempts": {100, func(state string) string { return state + ".v." + strings.Repeat("L", 400) }},
	} {
		var header strings.Builder
		for i := range tt.count {
			state := fmt.Sprintf("%032d", i)
			fmt.Fprintf(&header, "%s%s=%s; ", attemptCookie, state, tt.value(state))
		}
		header.WriteString(kept.cookie() + "=" + kept.marshal())
		if header.Len() > cookie.MaxHeaderSize {
			t.Fatalf("%d bytes", header.Len())
		}
		w := serve(routes, request("/api/auth/sign-in", header.String()))
		deleted := 0
		for name, attributes := range setCookies(w.Header["Set-Cookie"]) {
			if attributes["deleted"] != "" {
				deleted++
			}
			if name == kept.cookie() {
				t.Errorf("%s: the newest attempt is touched: %v", name, attributes)
			}
		}
		if w.StatusCode != 302 || deleted == 0 || deleted > maxEndedAttempts || len(w.Header["Set-Cookie"]) > maxEndedAttempts+3 {
			t.Errorf("%s: status %d, %d deletions of %d cookies", name, w.StatusCode, deleted, len(w.Header["Set-Cookie"]))
		}
		var x Exchange
		f.Begin(&x, request("/", header.String()))
		cookies := x.flowCookies()
		if n := len(cookies.ownAttempts); n != maxAttempts || len(cookies.olderAttempts) != maxEndedAttempts {
			t.Errorf("%s: %d attempts are looked at", name, n)
		}
		if as := cookies.attempts(); as.own[len(as.own)-1] != kept {
			t.Errorf("%s: %v", name, as.own)
		}
	}
}

// TestFlowCookiesAreBounded: what a request repeats is read a few times at most.
func TestFlowCookiesAreBounded(t *testing.T) {
	f := newFixture(t, nil, nil)
	header := func(n int) string {
		return strings.Repeat(stateCookie+"=s; "+pkceCookie+"=v; "+arrivalCookie+"=a; "+confirmCookie+"=c; "+attemptCookie+"x=y; ", n)
	}
	var x Exchange
	f.Begin(&x, request("/", header(100)))
	c := x.flowCookies()
	if len(c.states) != maxFlowDuplicates || len(c.verifiers) != maxFlowDuplicates || len(c.arrivals) != maxFlowDuplicates ||
		len(c.confirmings) != maxFlowDuplicates || len(c.ownAttempts) != 1 {
		t.Errorf("%+v", c)
	}
	f.Begin(&x, request("/", header(1000))) // too large
	if d := cmp.Diff(&flowCookies{}, x.flowCookies(), cmp.AllowUnexported(flowCookies{})); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

// TestDuplicatesArePaired: a host and a domain cookie have a pair each.
func TestDuplicatesArePaired(t *testing.T) {
	f := newFixture(t, nil, nil)
	for header, want := range map[string][]attempt{
		"s=1; p=a":                {{state: "1", verifier: "a"}},
		"s=1; s=2; p=a; p=b":      {{state: "1", verifier: "a"}, {state: "2", verifier: "b"}},
		"s=1; p=a; s=2; p=b":      {{state: "1", verifier: "a"}, {state: "2", verifier: "b"}},
		"p=a; p=b; s=1; s=2":      {{state: "1", verifier: "a"}, {state: "2", verifier: "b"}},
		"s=; s=2; p=; p=b":        {{state: "2", verifier: "b"}},
		"s=1; s=; p=a; p=b":       {{state: "1", verifier: "a"}},
		"s=; s=2; p=a; p=b":       {{state: "2", verifier: "b"}},
		"s=1; s=1; p=a; p=b":      {{state: "1", verifier: "a"}, {state: "1", verifier: "b"}},
		"s=1; s=2; p=b":           {{state: "1", verifier: "b"}, {state: "2", verifier: "b"}},
		"s=2; p=a; p=b":           {{state: "2", verifier: "b"}},
		"s=1":                     nil,
		"p=1":                     nil,
		"s=1; s=2; s=3; p=a; p=b": {{state: "1", verifier: "a"}, {state: "2", verifier: "a"}, {state: "3", verifier: "b"}},
	} {
		var x Exchange
		f.Begin(&x, request("/", strings.NewReplacer("s=", stateCookie+"=", "p=", pkceCookie+"=").Replace(header)))
		if d := cmp.Diff(want, x.flowCookies().attempts().newest, cmp.AllowUnexported(attempt{})); d != "" {
			t.Errorf("%s (-want +got)\n%s", header, d)
		}
	}
}

// TestFormOfAttempts: what a sibling on the domain writes is an attempt only if it has the form of
// one, and the name of its own.
func TestFormOfAttempts(t *testing.T) {
	f := newFixture(t, nil, nil)
	good := attempt{newState(""), randomText(verifierLength), "/notes"}
	custom := attempt{newState("tenant"), "v", ""}
	state := good.state
	for name, tt := range map[string]struct {
		name, value string
		want        []attempt
	}{
		"as it is written":              {good.cookie(), good.marshal(), []attempt{good}},
		"with a custom state":           {custom.cookie(), custom.marshal(), []attempt{custom}},
		"another's name":                {custom.cookie(), good.marshal(), nil},
		"no name":                       {attemptCookie, good.marshal(), nil},
		"no state":                      {attemptCookie, ".v.", nil},
		"a short state":                 {attemptCookie + state[1:], state[1:] + ".v.", nil},
		"a long state":                  {attemptCookie + state, state + "0.v.", nil},
		"a state of other characters":   {attemptCookie + state[1:] + "_", state[1:] + "_.v.", nil},
		"a custom state of other ones":  {attemptCookie + state, state + "-_.v.", nil},
		"no verifier":                   {attemptCookie + state, state + "..", nil},
		"a verifier of other ones":      {attemptCookie + state, state + ".v_.", nil},
		"two parts":                     {attemptCookie + state, state + ".v", nil},
		"four parts":                    {attemptCookie + state, state + ".v..", nil},
		"a return that is no base64url": {attemptCookie + state, state + ".v.+", nil},
	} {
		var x Exchange
		f.Begin(&x, request("/", tt.name+"="+tt.value))
		if d := cmp.Diff(tt.want, x.flowCookies().attempts().own, cmp.AllowUnexported(attempt{})); d != "" {
			t.Errorf("%s (-want +got)\n%s", name, d)
		}
	}

	// The newest attempt gets a cookie of its own when it gives way: if it has that form, too.
	routes := f.routes(t, RoutesOptions{})
	for name, tt := range map[string]struct {
		state, verifier string
		kept            bool
	}{
		"good":                        {state, good.verifier, true},
		"a short state":               {state[1:], good.verifier, false},
		"a long state":                {state + "0", good.verifier, false},
		"a state of other characters": {state[1:] + "_", good.verifier, false},
		"a verifier of other ones":    {state, "v.w", false},
	} {
		w := serve(routes, request("/api/auth/sign-in", stateCookie+"="+tt.state+"; "+pkceCookie+"="+tt.verifier))
		kept := false
		for name := range setCookies(w.Header["Set-Cookie"]) {
			kept = kept || strings.HasPrefix(name, attemptCookie)
		}
		if w.StatusCode != 302 || kept != tt.kept {
			t.Errorf("%s: status %d, kept %v", name, w.StatusCode, kept)
		}
	}
}
