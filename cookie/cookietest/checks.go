package cookietest

import (
	"fmt"
	"maps"
	"net/http"
	"runtime"
	"slices"
	"strings"

	"github.com/amplify-go/amplify/cookie"
)

// reporter is what a check needs of a [testing.T]. The tests of the suite put a recorder in its
// place, in order to see which checks a broken store fails.
type reporter interface {
	Helper()
	Errorf(format string, args ...any)
	Skip(args ...any)
}

// check is one demand on a store.
type check struct {
	name string
	run  func(t reporter, open func(lines ...string) Exchange)
}

var checks = []check{
	{"request without cookies", checkNoCookies},
	{"request keeps order and duplicates", checkOrder},
	{"request of several lines", checkLines},
	{"request is not decoded", checkSpellings},
	{"request does not show the response", checkRequestStays},
	{"request strings stay valid", checkStrings},
	{"set sends attributes", checkAttributes},
	{"set sends values unchanged", checkValues},
	{"set sends deletions", checkDeletions},
	{"set replaces name, Domain and Path", checkReplacement},
	{"set keeps other Domains and Paths", checkScopes},
	{"late writes are not sent", checkLate},
	{"WritableStore", checkWritable},
	{"AtomicStore sets all", checkSetAll},
	{"AtomicStore sets none late", checkSetNone},
	{"AtomicStore and the header at the same time", checkSetAllOrNone},
	{"PendingStore shows what is set", checkPending},
	{"PendingStore for a second storage", checkSecondStorage},
}

// requests reports whether the store shows the cookies of the given lines.
func requests(t reporter, open func(lines ...string) Exchange, lines ...string) {
	t.Helper()
	got, want := cookies(open(lines...).Store.CookieHeader()), cookies(lines)
	if !slices.Equal(got, want) {
		t.Errorf("for the Cookie lines %q the store shows\n     %q\nwant %q", lines, got, want)
	}
}

// cookies returns the cookies of a Cookie header as "name=value". It does not depend on how they
// are spread over lines.
func cookies(lines []string) []string {
	all := []string{}
	for name, value := range cookie.Parse(lines) {
		all = append(all, name+"="+value)
	}
	return all
}

func checkNoCookies(t reporter, open func(lines ...string) Exchange) {
	requests(t, open)
	requests(t, open, "")
}

func checkOrder(t reporter, open func(lines ...string) Exchange) {
	requests(t, open, "z=1")
	requests(t, open, "z=1; a=2; z=3; m=4; a=2; z=1")
}

func checkLines(t reporter, open func(lines ...string) Exchange) {
	requests(t, open, "z=1; a=2", "z=3", "m=4; a=2")
}

func checkSpellings(t reporter, open func(lines ...string) Exchange) {
	for _, spelling := range []string{
		"percent=a%40b%3Bc", "p.%28x%29=1; p.(x)=2", "a@b.com=1; a%40b.com=2",
		"broken=%E0%A4%A; %zz=1", "plus=a+b",
		`quoted="a b"`, `json={"a":"b, c"}`, `back=\slash`, "empty=", "equals=a=b==",
		"utf8=zo\u00eb; zo\u00eb=1", "latin1=zo\xeb; zo\xeb=1",
		"Case=1; case=2", "$Version=1; $Path=/",
	} {
		requests(t, open, "first=1; "+spelling+"; last=1")
	}
}

func checkRequestStays(t reporter, open func(lines ...string) Exchange) {
	x := open("a=1; b=2")
	set(x,
		&http.Cookie{Name: "a", Value: "new", Path: "/"},
		&http.Cookie{Name: "c", Value: "new", Path: "/"},
		&http.Cookie{Name: "b", Path: "/", MaxAge: -1})
	if got, want := cookies(x.Store.CookieHeader()), []string{"a=1", "b=2"}; !slices.Equal(got, want) {
		t.Errorf("after cookies have been set, the store shows %q as the request's, want %q", got, want)
	}
}

// checkStrings: a store that uses its buffers again must not do so before the request has ended.
func checkStrings(t reporter, open func(lines ...string) Exchange) {
	x := open("a=" + strings.Repeat("1", 100) + "; b=2")
	held := slices.Clone(x.Store.CookieHeader())
	want := make([]string, len(held))
	for i := range held {
		want[i] = strings.Clone(held[i])
	}
	other := open("c=" + strings.Repeat("3", 100) + "; d=4")
	other.Store.CookieHeader()
	for range 2 {
		x.Store.CookieHeader()
		set(x, &http.Cookie{Name: "e", Value: strings.Repeat("5", 100), Path: "/"})
	}
	if p, ok := x.Store.(cookie.PendingStore); ok {
		p.SetCookieHeader()
	}
	other.end()
	if !slices.Equal(held, want) {
		t.Errorf("before the request has ended, its Cookie header changes from\n     %q\nto   %q", want, held)
	}
}

// set sets cookies one by one.
func set(x Exchange, cookies ...*http.Cookie) {
	for _, c := range cookies {
		x.Store.Set(c)
	}
}

// sends reports whether a browser gets the wanted cookies and no others, in any order.
func sends(t reporter, what string, got []string, want ...*http.Cookie) {
	t.Helper()
	lines := []string{}
	for _, c := range want {
		lines = append(lines, cookie.Format(c))
	}
	if got, want := meanings(got), meanings(lines); !slices.Equal(got, want) {
		t.Errorf("%s: the response has\n     %q\nwant %q", what, got, want)
	}
}

func checkAttributes(t reporter, open func(lines ...string) Exchange) {
	for _, c := range []*http.Cookie{
		{Path: "/", MaxAge: 31536000, Secure: true, SameSite: http.SameSiteLaxMode},
		{Path: "/app", Domain: "example.com", HttpOnly: true, SameSite: http.SameSiteStrictMode},
		{Path: "/", Secure: true, SameSite: http.SameSiteNoneMode},
		{Path: "/"},
	} {
		c.Name, c.Value = "a", "1"
		x := open()
		set(x, c)
		sends(t, "one cookie", x.end(), c)
	}
	x := open("a=old")
	sends(t, "no cookie", x.end())
}

// checkValues: names and values are encoded already.
func checkValues(t reporter, open func(lines ...string) Exchange) {
	x := open()
	all := []*http.Cookie{
		{Name: "!#$&'*+-.^_`|~%40", Value: "!#$&'()*+-./:<=>?@[]^_`{|}~", Path: "/"},
		{Name: "percent", Value: "a%40b%25%3B%C3%AB", Path: "/"},
		{Name: "Case", Value: "Case", Path: "/"},
		{Name: "case", Value: "case", Path: "/"},
		{Name: "empty", Path: "/"},
		{Name: "long", Value: strings.Repeat("x", cookie.MaxSize-len("long=")), Path: "/"},
	}
	set(x, all...)
	sends(t, "cookies", x.end(), all...)
}

// checkDeletions: what a browser has is to be deleted, whatever its name.
func checkDeletions(t reporter, open func(lines ...string) Exchange) {
	x := open("a=1; p.bob(admin)=1; p.zo\xeb=1; a%40b=1")
	var all []*http.Cookie
	for _, name := range []string{
		"a", "absent", "a%40b", "a@b", "p.bob(admin)", "p.{x}", "p.zo\u00eb", "p.zo\xeb", "%zz",
	} {
		all = append(all, &http.Cookie{
			Name: name, Path: "/", MaxAge: -1,
			Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
		})
	}
	set(x, all...)
	sends(t, "deletions", x.end(), all...)
}

func checkReplacement(t reporter, open func(lines ...string) Exchange) {
	for _, domain := range []string{"", "example.com"} {
		x := open("a=0")
		first := &http.Cookie{Name: "a", Value: "1", Domain: domain, Path: "/"}
		second := &http.Cookie{Name: "a", Value: "2", Domain: domain, Path: "/", MaxAge: 5, Secure: true}
		other := &http.Cookie{Name: "aa", Value: "3", Domain: domain, Path: "/"}
		deletion := &http.Cookie{Name: "a", Domain: domain, Path: "/", MaxAge: -1, Secure: true}

		set(x, first, other, second)
		sends(t, "a cookie that is set twice", x.end(), second, other)

		x = open("a=0")
		set(x, first, deletion)
		sends(t, "a cookie that is set and deleted", x.end(), deletion)

		x = open("a=0")
		set(x, deletion, first)
		sends(t, "a cookie that is deleted and set", x.end(), first)
	}
}

// checkScopes: a response can delete the host's cookie and set the domain's cookie of that name.
func checkScopes(t reporter, open func(lines ...string) Exchange) {
	host := &http.Cookie{Name: "a", Path: "/", MaxAge: -1, Secure: true}
	domain := &http.Cookie{Name: "a", Value: "1", Domain: "example.com", Path: "/", Secure: true}
	for _, both := range [][]*http.Cookie{{host, domain}, {domain, host}} {
		x := open("a=0; a=1")
		set(x, both...)
		sends(t, "the deletion of a host's cookie beside a domain's cookie", x.end(), both...)
	}
	x := open()
	all := []*http.Cookie{
		{Name: "a", Value: "1", Path: "/"},
		{Name: "a", Value: "2", Path: "/app"},
		{Name: "a", Value: "3", Domain: "example.com", Path: "/"},
		{Name: "a", Value: "4", Domain: "www.example.com", Path: "/"},
		{Name: "A", Value: "5", Path: "/"},
	}
	set(x, all...)
	sends(t, "cookies of one name", x.end(), all...)
}

func checkLate(t reporter, open func(lines ...string) Exchange) {
	x := open("b=0")
	if x.End == nil {
		t.Skip("the store does not know when the header goes")
		return
	}
	early := &http.Cookie{Name: "a", Value: "1", Path: "/"}
	set(x, early)
	x.End()
	set(x,
		&http.Cookie{Name: "a", Value: "2", Path: "/"},
		&http.Cookie{Name: "b", Path: "/", MaxAge: -1})
	if got, want := cookies(x.Store.CookieHeader()), []string{"b=0"}; !slices.Equal(got, want) {
		t.Errorf("after the header has gone, the store shows %q as the request's, want %q", got, want)
	}
	sends(t, "cookies set before and after the header has gone", x.SetCookie(), early)
}

func checkWritable(t reporter, open func(lines ...string) Exchange) {
	x := open()
	s, ok := x.Store.(cookie.WritableStore)
	if !ok {
		t.Skip("not a WritableStore")
		return
	}
	for range 2 {
		if !s.Writable() {
			t.Errorf("not writable before the header has gone")
		}
		set(x, &http.Cookie{Name: "a", Value: "1", Path: "/"})
	}
	if x.End == nil {
		return
	}
	x.End()
	if s.Writable() {
		t.Errorf("writable after the header has gone")
	}
}

// session returns cookies as a sign-in sets them. Some replace each other.
func session() (all, want []*http.Cookie) {
	for i := range 10 {
		want = append(want,
			&http.Cookie{Name: fmt.Sprint("k", i), Path: "/", MaxAge: -1},
			&http.Cookie{Name: fmt.Sprint("k", i), Value: "new", Domain: "example.com", Path: "/", MaxAge: 5})
	}
	old := &http.Cookie{Name: "k3", Value: "old", Domain: "example.com", Path: "/"}
	return append([]*http.Cookie{old}, want...), want
}

func checkSetAll(t reporter, open func(lines ...string) Exchange) {
	x := open("k1=old")
	s, ok := x.Store.(cookie.AtomicStore)
	if !ok {
		t.Skip("not an AtomicStore")
		return
	}
	before := &http.Cookie{Name: "before", Value: "1", Path: "/"}
	set(x, before, &http.Cookie{Name: "k2", Value: "old", Domain: "example.com", Path: "/"})
	all, want := session()
	if !s.SetAll(all) {
		t.Errorf("SetAll returns false before the header has gone")
	}
	if !s.SetAll(nil) {
		t.Errorf("SetAll of no cookies returns false before the header has gone")
	}
	sends(t, "SetAll", x.end(), append(want, before)...)
}

func checkSetNone(t reporter, open func(lines ...string) Exchange) {
	x := open("k1=old")
	s, ok := x.Store.(cookie.AtomicStore)
	if !ok || x.End == nil {
		t.Skip("not an AtomicStore, or it does not know when the header goes")
		return
	}
	early := &http.Cookie{Name: "k1", Value: "1", Path: "/"}
	set(x, early)
	x.End()
	all, _ := session()
	if s.SetAll(all) {
		t.Errorf("SetAll returns true after the header has gone")
	}
	sends(t, "SetAll after the header has gone", x.SetCookie(), early)
}

// checkSetAllOrNone lets the header go while cookies are being set.
func checkSetAllOrNone(t reporter, open func(lines ...string) Exchange) {
	const rounds = 50
	for round := range rounds {
		x := open()
		s, ok := x.Store.(cookie.AtomicStore)
		if !ok || x.End == nil {
			t.Skip("not an AtomicStore, or it does not know when the header goes")
			return
		}
		all, want := session()
		started, result := make(chan struct{}), make(chan bool)
		go func() {
			close(started)
			result <- s.SetAll(all)
		}()
		<-started
		for range round { // the header goes at another moment in each round
			runtime.Gosched()
		}
		x.End()
		if <-result {
			sends(t, "SetAll that returns true", x.SetCookie(), want...)
		} else {
			sends(t, "SetAll that returns false", x.SetCookie())
		}
	}
}

func checkPending(t reporter, open func(lines ...string) Exchange) {
	x := open("a=0")
	s, ok := x.Store.(cookie.PendingStore)
	if !ok {
		t.Skip("not a PendingStore")
		return
	}
	sends(t, "SetCookieHeader of a response without cookies", s.SetCookieHeader())
	a := &http.Cookie{Name: "a", Value: "1", Path: "/", Secure: true}
	b := &http.Cookie{Name: "p.(b)", Domain: "example.com", Path: "/", MaxAge: -1}
	replaced := &http.Cookie{Name: "a", Value: "2", Path: "/", Secure: true}
	set(x, a, b)
	sends(t, "SetCookieHeader", s.SetCookieHeader(), a, b)
	set(x, replaced)
	sends(t, "SetCookieHeader after a replacement", s.SetCookieHeader(), replaced, b)
	sends(t, "the header", x.end(), replaced, b)
}

// checkSecondStorage: of two storages on one response the second reads what the first has written.
func checkSecondStorage(t reporter, open func(lines ...string) Exchange) {
	for _, o := range []cookie.Options{{}, {Domain: ".example.com"}} {
		x := open("p.set=old; p.deleted=old; p.kept=old; p.replaced=old; p.%28odd)=old")
		if _, ok := x.Store.(cookie.PendingStore); !ok {
			t.Skip("not a PendingStore")
			return
		}
		first := cookie.NewKeyValueStorage(x.Store, o)
		for _, err := range []error{
			first.Set("p.set", `a "value"; with, all`),
			first.Delete("p.deleted"), first.Delete("p.(odd)"),
			first.Set("p.replaced", "1"), first.Set("p.replaced", "2"),
			first.Set("p.gone", "1"), first.Delete("p.gone"),
		} {
			if err != nil {
				t.Errorf("the first storage: %v", err)
			}
		}
		got := maps.Collect(cookie.NewKeyValueStorage(x.Store, o).All("p."))
		want := map[string]string{"p.set": `a "value"; with, all`, "p.kept": "old", "p.replaced": "2"}
		if !maps.Equal(got, want) {
			t.Errorf("with Domain %q, the second storage reads\n     %q\nwant %q", o.Domain, got, want)
		}
	}
}
