package cookie_test

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/cookie"
)

var _ amplify.KeyValueStorage = (*cookie.KeyValueStorage)(nil)

// plainStore is a Store without further abilities, as one would write it for a web framework that
// has cookies and no headers.
type plainStore struct {
	request []string // "name=value"
	set     []*http.Cookie
}

func (s *plainStore) CookieHeader() []string { return []string{strings.Join(s.request, "; ")} }
func (s *plainStore) Set(c *http.Cookie)     { s.set = append(s.set, c) }

// deleted returns the deletions among the cookies that were set.
func (s *plainStore) deleted() (deleted []*http.Cookie) {
	for _, c := range s.set {
		if c.MaxAge < 0 {
			deleted = append(deleted, c)
		}
	}
	return deleted
}

func storeOf(lines ...string) *cookie.HeaderStore {
	return cookie.NewHeaderStore(lineHeader(lines), http.Header{})
}
func lineHeader(lines []string) http.Header { return http.Header{"Cookie": lines} }

// pairs returns what seq yields as "key=value".
func pairs(seq iter.Seq2[string, string]) []string {
	all := []string{}
	for key, value := range seq {
		all = append(all, key+"="+value)
	}
	return all
}

func equal(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n got %q\nwant %q", what, got, want)
	}
}

func TestAll(t *testing.T) {
	for _, tt := range []struct {
		name, prefix string
		lines, want  []string
	}{
		{"none", "p.", nil, []string{}},
		{"others", "p.", []string{"a=1; pp.x=2; P.x=3; q.x=4; p=5"}, []string{}},
		{"in order, duplicates kept", "p.", []string{"p.a=2; x=y; p.b=3; p.a=1"}, []string{"p.a=2", "p.b=3", "p.a=1"}},
		{"several lines", "p.", []string{"p.a=1; b=2", "", "p.c=3"}, []string{"p.a=1", "p.c=3"}},
		{"every spelling", "p.", []string{"p.a@b.x=1; p.a%40b.x=2; p.a%40b%2Ex=3; %70.a@b.x=4"}, []string{"p.a@b.x=1", "p.a@b.x=2", "p.a@b.x=3", "p.a@b.x=4"}},
		{"parentheses", "p.", []string{"p.bob(admin)=1; p.bob%28admin%29=2"}, []string{"p.bob(admin)=1", "p.bob(admin)=2"}},
		{"UTF-8 and Latin-1", "p.", []string{"p.zo\xc3\xab=zo\xeb; p.zo\xeb=zo%C3%AB"}, []string{"p.zoë=zoë", "p.zoë=zoë"}},
		{"a prefix that is encoded", "i.eu-west-1:1", []string{"i.eu-west-1%3A11.id=a; i.eu-west-1:12.id=b; i.eu-west-2%3A1=c"}, []string{"i.eu-west-1:11.id=a", "i.eu-west-1:12.id=b"}},
		{"a prefix beyond ASCII", "ë", []string{"%C3%ABx=1; \xebx=2; ëx=3; %c3%aax=4"}, []string{"ëx=1", "ëx=2", "ëx=3"}},
		{"raw JSON", "p.", []string{`p.d={"a":"b c"}; p.e={%22a%22:%22b%22}`}, []string{`p.d={"a":"b c"}`, `p.e={"a":"b"}`}},
		{"garbage beside", "p.", []string{";;=; ;=x; %=1; p.a=%E0%A4%A; bad; p.b = 2 ;p.c=3;\tp.d=4"}, []string{"p.a=%E0%A4%A", "p.b=2", "p.c=3", "p.d=4"}},
		{"empty values", "p.", []string{"p.a=; p.b"}, []string{"p.a="}},
		{"no prefix", "", []string{"a=1; %62=2; =3"}, []string{"a=1", "b=2"}},
	} {
		store := storeOf(tt.lines...)
		equal(t, tt.name, pairs(cookie.NewKeyValueStorage(store, cookie.Options{}).All(tt.prefix)), tt.want)
		// A framework that joins its cookies is read alike.
		framework := &plainStore{}
		for name, value := range cookie.Parse(store.CookieHeader()) {
			framework.request = append(framework.request, name+"="+value)
		}
		equal(t, tt.name+", joined", pairs(cookie.NewKeyValueStorage(framework, cookie.Options{}).All(tt.prefix)), tt.want)
	}
}

func TestAllStops(t *testing.T) {
	kv := cookie.NewKeyValueStorage(storeOf("p.a=1; p.b=2"), cookie.Options{})
	if err := kv.Set("p.c", "3"); err != nil {
		t.Fatal(err)
	}
	for n := range 4 {
		got := []string{}
		for key := range kv.All("p.") {
			if len(got) == n {
				break
			}
			got = append(got, key)
		}
		equal(t, "keys", got, []string{"p.a", "p.b", "p.c"}[:min(n, 3)])
	}
}

func TestSet(t *testing.T) {
	response := http.Header{}
	kv := cookie.NewKeyValueStorage(cookie.NewHeaderStore(lineHeader([]string{"p.a=old; p.b=kept; p.a=older"}), response), cookie.Options{})
	for _, value := range []string{"first", "x; Domain=evil.test"} {
		if err := kv.Set("p.a", value); err != nil {
			t.Fatal(err)
		}
	}
	equal(t, "what is read", pairs(kv.All("p.")), []string{"p.b=kept", "p.a=x; Domain=evil.test"})
	equal(t, "what is sent", response["Set-Cookie"], []string{
		"p.a=x%3B%20Domain=evil.test; Path=/; Max-Age=31536000; Secure; SameSite=Lax",
	})
	if err := kv.Delete("p.a"); err != nil {
		t.Fatal(err)
	}
	equal(t, "what is read", pairs(kv.All("p.")), []string{"p.b=kept"})
	equal(t, "what is sent", response["Set-Cookie"], []string{"p.a=; Path=/; Max-Age=0; Secure; SameSite=Lax"})
}

func TestSetCookieAttributes(t *testing.T) {
	for want, o := range map[string]cookie.Options{
		"Path=/; Max-Age=31536000; Secure; SameSite=Lax": {},
		"Path=/app; Domain=myapp.com; Max-Age=3600; HttpOnly; Secure; SameSite=Strict": {
			Domain: ".myapp.com", Path: "/app", MaxAge: 3600e9, HTTPOnly: true, SameSite: http.SameSiteStrictMode,
		},
		"Path=/; Max-Age=31536000; SameSite=Lax":          {Insecure: true},
		"Path=/; Max-Age=31536000; Secure; SameSite=None": {SameSite: http.SameSiteNoneMode},
		"Path=/; Expires=Tue, 06 May 2031 07:08:09 GMT; Secure; SameSite=Lax": {
			Expires: date(t, "2031-05-06T07:08:09Z"),
		},
	} {
		if err := o.Validate(); err != nil {
			t.Error(err)
		}
		response := http.Header{}
		kv := cookie.NewKeyValueStorage(cookie.NewHeaderStore(nil, response), o)
		if err := kv.Set("k", "v"); err != nil {
			t.Fatal(err)
		}
		equal(t, "what is sent", response["Set-Cookie"], []string{"k=v; " + want})
	}
}

// TestDeletionsReach tests deletions by what a browser then has, for every way in which the cookie
// may be there.
func TestDeletionsReach(t *testing.T) {
	const origin, path = "https://app.myapp.com", "/api/data/x"
	for _, o := range []cookie.Options{{}, {Domain: ".myapp.com"}} {
		for _, there := range []string{
			"p.bob%28admin%29=1; path=/; secure",
			"p.bob(admin)=1; path=/; secure",
			"p.bob%28admin%29=1; path=/; domain=.myapp.com; secure; HttpOnly; SameSite=Strict",
			"p.bob(admin)=1; path=/; domain=myapp.com",
		} {
			if strings.Contains(there, "domain") && o.Domain == "" {
				continue // it can be deleted only with its Domain
			}
			for _, write := range []func(*cookie.KeyValueStorage) error{
				func(kv *cookie.KeyValueStorage) error { return kv.Delete("p.bob(admin)") },
				func(kv *cookie.KeyValueStorage) error { return kv.Set("p.bob(admin)", "new") },
			} {
				j := newJar(origin, date(t, "2030-01-01T00:00:00Z"))
				j.set(there, "/", false)
				response := http.Header{}
				kv := cookie.NewKeyValueStorage(cookie.NewHeaderStore(lineHeader([]string{j.header(path)}), response), o)
				if err := write(kv); err != nil {
					t.Fatal(err)
				}
				for _, line := range response["Set-Cookie"] {
					j.set(line, path, false)
				}
				for _, c := range j.cookies() {
					if c.Value != "new" || c.Name != "p.bob%28admin%29" {
						t.Errorf("with Domain %q, after %q the browser still has %s=%s", o.Domain, there, c.Name, c.Value)
					}
				}
				if len(j.cookies()) > 1 {
					t.Errorf("the browser has %d cookies", len(j.cookies()))
				}
			}
		}
	}
}

func TestDeleteNeedsNoCookie(t *testing.T) {
	store := &plainStore{}
	if err := cookie.NewKeyValueStorage(store, cookie.Options{Domain: "x.test"}).Delete("a@b"); err != nil {
		t.Fatal(err)
	}
	if c := store.deleted(); len(store.set) != 1 || len(c) != 1 || c[0].Name != "a%40b" || c[0].Domain != "x.test" ||
		c[0].Path != "/" || c[0].Value != "" {
		t.Errorf("set %v", store.set)
	}
}

// TestTooLarge: what browsers would drop is refused, and nothing is written in part.
func TestTooLarge(t *testing.T) {
	store := &plainStore{request: []string{"k=old"}}
	kv := cookie.NewKeyValueStorage(store, cookie.Options{})
	const secret = "s3cr3t"
	value := func(size int) string { return strings.Repeat("x", size-len("k=")-len(secret)) + secret }

	var tooLarge *cookie.TooLargeError
	err := kv.SetAll([2]string{"a", "1"}, [2]string{"k", value(cookie.MaxSize + 1)}, [2]string{"b", "2"})
	if !errors.As(err, &tooLarge) || tooLarge.Key != "k" || tooLarge.Size != cookie.MaxSize+1 {
		t.Fatalf("got %v", err)
	}
	if strings.Contains(err.Error(), secret) {
		t.Errorf("the error holds the value: %v", err)
	}
	if len(store.set) > 0 {
		t.Errorf("written in part: %v", store.set)
	}
	var marked interface {
		error
		ValueTooLarge()
	}
	if !errors.As(err, &marked) {
		t.Error("the error is not marked")
	}
	equal(t, "what is read", pairs(kv.All("")), []string{"k=old"})

	// Encoding counts.
	if err := kv.Set("k", strings.Repeat(";", cookie.MaxSize/2)); !errors.As(err, &tooLarge) {
		t.Errorf("got %v", err)
	}
	if err := kv.Set("k", value(cookie.MaxSize)); err != nil {
		t.Fatal(err)
	}
	// A browser keeps what is just not too large.
	j := newJar("https://x.test", date(t, "2030-01-01T00:00:00Z"))
	if j.set(cookie.Format(store.set[0]), "/", false); len(j.cookies()) != 1 {
		t.Error("refused by the browser")
	}
}

func TestReadOnly(t *testing.T) {
	store := cookie.NewHeaderStore(lineHeader([]string{"a=1"}), nil)
	kv := cookie.NewKeyValueStorage(store, cookie.Options{})
	if kv.Writable() {
		t.Error("writable without a response")
	}
	for _, err := range []error{kv.Set("a", "2"), kv.SetAll([2]string{"a", "2"}), kv.Delete("a")} {
		if !errors.Is(err, cookie.ErrReadOnly) {
			t.Errorf("got %v", err)
		}
	}
	store.Set(&http.Cookie{Name: "a", Value: "2"}) // and no panic
	if store.SetAll(nil) || store.SetAll([]*http.Cookie{{Name: "a", Value: "2"}}) || store.SetCookieHeader() != nil {
		t.Error("cookies are set without a response")
	}
	equal(t, "what is read", pairs(kv.All("")), []string{"a=1"})
	if !cookie.NewKeyValueStorage(&plainStore{}, cookie.Options{}).Writable() {
		t.Error("a store that does not say is not writable")
	}
}

// departing is a store whose response header goes as soon as a first cookie was set.
type departing struct {
	plainStore
	gone bool
}

func (s *departing) SetAll(cookies []*http.Cookie) bool {
	if s.gone {
		return false
	}
	s.set, s.gone = append(s.set, cookies...), true
	return true
}

func TestStoreThatSetsAll(t *testing.T) {
	store := &departing{plainStore: plainStore{request: []string{"%62=old"}}}
	kv := cookie.NewKeyValueStorage(store, cookie.Options{})
	if err := kv.SetAll([2]string{"a", "1"}, [2]string{"b", "2"}); err != nil || len(store.set) != 3 {
		t.Errorf("set %v, %v", store.set, err)
	}
	for _, err := range []error{kv.Delete("a"), kv.Set("b", "3")} {
		if !errors.Is(err, cookie.ErrReadOnly) {
			t.Errorf("got %v", err)
		}
	}
	equal(t, "what is read", pairs(kv.All("")), []string{"a=1", "b=2"})
}

func TestSessionOnly(t *testing.T) {
	store := &plainStore{}
	kv := cookie.NewKeyValueStorage(store, cookie.Options{SessionOnly: true})
	if err := kv.SetAll([2]string{"p.c.alice.accessToken", "1"}, [2]string{"p.c.alice.clockDrift", "2"}); err != nil {
		t.Fatal(err)
	}
	if err := kv.Delete("p.c.alice.clockDrift"); err != nil {
		t.Fatal(err)
	}
	if len(store.set) != 2 || len(store.deleted()) != 1 {
		t.Errorf("set %v", store.set)
	}
}

func TestConcurrentUse(t *testing.T) {
	kv := cookie.NewKeyValueStorage(storeOf("p.a=1; p.b=2"), cookie.Options{})
	var all sync.WaitGroup
	for i := range 50 {
		all.Go(func() {
			key := fmt.Sprintf("p.%d", i)
			if err := errors.Join(kv.Set(key, "x"), kv.Delete("p.a")); err != nil {
				t.Error(err)
			}
			if got := maps.Collect(kv.All("p.")); got[key] != "x" || got["p.b"] != "2" || !kv.Writable() {
				t.Errorf("reads %v", got)
			}
		})
	}
	all.Wait()
}

func TestAllAllocates(t *testing.T) {
	for _, user := range []string{"alice", "alice@example.com"} {
		header := lineHeader([]string{sessionHeader(user)})
		kv := cookie.NewKeyValueStorage(cookie.NewHeaderStore(header, nil), cookie.Options{})
		if n := testing.AllocsPerRun(100, func() {
			for range kv.All(prefix) {
				continue
			}
		}); n > 2 {
			t.Errorf("%s: %v allocations, want 2 at most", user, n)
		}
	}
}
