package cookie_test

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/amplify-go/amplify/cookie"
)

// spellings returns n spellings of key, the first as it is.
func spellings(key string, n int) (names []string) {
	for s := range n {
		var name strings.Builder
		for i := range len(key) {
			if s>>i&1 == 1 {
				fmt.Fprintf(&name, "%%%02X", key[i])
			} else {
				name.WriteByte(key[i])
			}
		}
		names = append(names, name.String())
	}
	return names
}

// TestSpellingsAreBounded: the spellings of one key do not make the response grow without limit.
func TestSpellingsAreBounded(t *testing.T) {
	for domain, want := range map[string]int{"": 16, "x.test": 32} {
		store := &plainStore{}
		for _, name := range spellings("abcdefghij", 1000) {
			store.request = append(store.request, name+"=x", name+"=y")
		}
		kv := cookie.NewKeyValueStorage(store, cookie.Options{Domain: domain})
		if err := kv.Delete("abcdefghij"); err != nil {
			t.Fatal(err)
		}
		if n := len(store.deleted()); n != want {
			t.Errorf("Domain %q: %d deletions, want %d", domain, n, want)
		}
		equal(t, "what is read", pairs(kv.All("")), []string{})
	}
}

// TestTooLargeHeader: a header beyond the limit is not read, but can be written to.
func TestTooLargeHeader(t *testing.T) {
	half := strings.Repeat("x", cookie.MaxHeaderSize/2-len("a=1; x="))
	line := "a=1; x=" + half
	kv := cookie.NewKeyValueStorage(storeOf(line, line), cookie.Options{})
	if kv.TooLarge() || len(pairs(kv.All("a"))) != 2 {
		t.Error("a header just within the limit is not read")
	}

	for _, o := range []cookie.Options{{}, {Domain: "x.test"}} {
		response := http.Header{}
		store := cookie.NewHeaderStore(lineHeader([]string{line, line, "b"}), response)
		kv := cookie.NewKeyValueStorage(store, o)
		if !kv.TooLarge() {
			t.Error("not too large")
		}
		equal(t, "what is read", pairs(kv.All("")), []string{})
		if err := errors.Join(kv.Set("a@b", "2"), kv.Delete("(x)")); err != nil {
			t.Fatal(err)
		}
		equal(t, "what is read", pairs(kv.All("")), []string{"a@b=2"})
		var names []string
		for _, line := range response["Set-Cookie"] {
			c, err := http.ParseSetCookie(line)
			if err != nil {
				t.Fatal(err)
			}
			names = append(names, c.Name+" of "+c.Domain)
		}
		want := []string{"a%40b of ", "%28x%29 of "}
		if o.Domain != "" { // the host's own cookies may be there
			want = []string{"a%40b of ", "a%40b of x.test", "%28x%29 of ", "%28x%29 of x.test"}
		}
		equal(t, "what is sent", names, want)
	}
}

// TestTooManyCookies: deletions come to an end, values do not.
func TestTooManyCookies(t *testing.T) {
	response := http.Header{}
	kv := cookie.NewKeyValueStorage(cookie.NewHeaderStore(lineHeader([]string{"last=1; %6cast=2; full=3"}), response), cookie.Options{})
	for range 2 { // the second time replaces the first
		for i := range cookie.MaxSetCookies - 1 {
			if err := kv.Delete(fmt.Sprintf("k%d", i)); err != nil {
				t.Fatal(i, err)
			}
		}
	}
	before := slices.Clone(response["Set-Cookie"])
	if err := kv.Delete("last"); !errors.Is(err, cookie.ErrTooManyCookies) { // room for one of two
		t.Errorf("got %v", err)
	}
	equal(t, "what is sent", response["Set-Cookie"], before)
	equal(t, "what is read", pairs(kv.All("")), []string{"last=1", "last=2", "full=3"})

	if err := kv.Delete("full"); err != nil {
		t.Fatal(err)
	}
	if n := len(response["Set-Cookie"]); n != cookie.MaxSetCookies {
		t.Errorf("%d cookies", n)
	}
	// Values find no room for the deletion of other spellings, but are written.
	if err := kv.SetAll([2]string{"last", "new"}, [2]string{"k1", "new"}, [2]string{"more", "new"}); err != nil {
		t.Error(err)
	}
	equal(t, "what is read", pairs(kv.All("")), []string{"last=new", "k1=new", "more=new"})
	if n := len(response["Set-Cookie"]); n != cookie.MaxSetCookies+2 {
		t.Errorf("%d cookies", n)
	}
	if err := kv.Delete("last"); !errors.Is(err, cookie.ErrTooManyCookies) {
		t.Errorf("got %v", err)
	}
	if err := kv.Delete("k1"); err != nil { // replaces
		t.Error(err)
	}
}

// TestPending: a storage reads what the response holds already.
func TestPending(t *testing.T) {
	response := http.Header{"Set-Cookie": {
		"theirs=1; Path=/x; HttpOnly", "a%40b=x%3By; Max-Age=60", "a@b=not our spelling", "gone=; Max-Age=0", "=x", "x",
		"both=; Max-Age=0", "both=v; Domain=x.test", "both2=v; Domain=x.test", "both2=; max-age=-1",
		"twice=1", "twice=2; Path=/", "odd=1; Max-Age=soon",
	}}
	request := lineHeader([]string{"a@b=old; gone=old; g%6fne=older; both=old; kept=old; theirs=old"})
	for _, o := range []cookie.Options{{}, {Domain: "x.test"}} {
		kv := cookie.NewKeyValueStorage(cookie.NewHeaderStore(request, response), o)
		// Values stand beside those of the request; a deletion hides them.
		want := []string{"a@b=old", "both=old", "kept=old", "theirs=old", "theirs=1", "a@b=x;y", "both=v", "both2=v", "twice=2", "odd=1"}
		equal(t, "what is read", pairs(kv.All("")), want)
		equal(t, "what is read with a prefix", pairs(kv.All("t")), []string{"theirs=old", "theirs=1", "twice=2"})
	}

	// Two storages on one response.
	for _, o := range []cookie.Options{{}, {Domain: "x.test", HTTPOnly: true}} {
		store := cookie.NewHeaderStore(lineHeader([]string{"p.a=1; p.b=1; p.(c)=1"}), http.Header{})
		first := cookie.NewKeyValueStorage(store, o)
		if err := errors.Join(first.Set("p.a", `"2;"`), first.Delete("p.(c)"), first.Set("p.d", "")); err != nil {
			t.Fatal(err)
		}
		second := cookie.NewKeyValueStorage(store, o)
		got, want := maps.Collect(second.All("p.")), maps.Collect(first.All("p."))
		if !maps.Equal(got, want) || len(got) != 3 || got["p.a"] != `"2;"` {
			t.Errorf("the second storage reads %q, the first %q", got, want)
		}
	}
}

// TestWritesAreLinear: a write does not look at the whole request again.
func TestWritesAreLinear(t *testing.T) {
	store := &countingStore{}
	for i := range 1000 {
		store.request = append(store.request, fmt.Sprintf("p.%d=x", i))
	}
	kv := cookie.NewKeyValueStorage(store, cookie.Options{})
	for i := range 50 {
		if err := errors.Join(kv.Delete(fmt.Sprintf("p.%d", i)), kv.Set("p.x", "y")); err != nil {
			t.Fatal(err)
		}
	}
	if store.reads != 1 {
		t.Errorf("the header is read %d times", store.reads)
	}
}

type countingStore struct {
	plainStore
	reads int
}

func (s *countingStore) CookieHeader() []string {
	s.reads++
	return s.plainStore.CookieHeader()
}
