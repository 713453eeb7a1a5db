package cookietest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

	"github.com/amplify-go/amplify/cookie"
)

func TestHeaderStore(t *testing.T) {
	Run(t, func(t *testing.T, lines []string) Exchange {
		response := http.Header{}
		return Exchange{
			Store:     cookie.NewHeaderStore(http.Header{"Cookie": lines}, response),
			SetCookie: func() []string { return response["Set-Cookie"] },
		}
	})
}

// TestHeaderStoreOverHTTP shows that a real connection changes nothing.
func TestHeaderStoreOverHTTP(t *testing.T) {
	Run(t, func(t *testing.T, lines []string) Exchange {
		stores, end := make(chan cookie.Store), make(chan struct{})
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			stores <- cookie.NewHeaderStore(r.Header, w.Header())
			<-end
		}))
		t.Cleanup(server.Close)
		r, err := http.NewRequest(http.MethodGet, server.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header["Cookie"] = lines
		sent := make(chan []string, 1)
		go func() {
			response, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Error(err)
				sent <- nil
				return
			}
			response.Body.Close()
			sent <- response.Header["Set-Cookie"]
		}()
		stop := sync.OnceFunc(func() { close(end) })
		t.Cleanup(stop)
		select {
		case store := <-stores:
			return Exchange{Store: store, SetCookie: func() []string {
				stop()
				return <-sent
			}}
		case <-sent:
			t.Fatal("the request does not arrive")
			return Exchange{}
		}
	})
}

// recorder takes the place of a testing.T.
type recorder struct {
	failures []string
	skipped  bool
}

func (r *recorder) Helper() {}
func (r *recorder) Errorf(format string, args ...any) {
	r.failures = append(r.failures, fmt.Sprintf(format, args...))
}
func (r *recorder) Skip(...any) { r.skipped = true }

// memory is a store that has all abilities, and the flaws that a test gives it.
type memory struct {
	mu     sync.Mutex
	lines  []string
	set    []string
	gone   bool
	ended  chan struct{}
	flaws  flaws
	buffer []byte // of the flaw reuses
}

// flaws are the ways in which a store can be broken.
type flaws struct {
	read       func(lines []string) []string // changes what the request shows
	line       func(c *http.Cookie) string   // changes what is sent
	same       func(a, b string) bool        // changes what replaces what
	reflects   bool                          // the request shows the response's cookies
	reuses     bool                          // strings of the request are overwritten by Set
	late       bool                          // Set works on after the header has gone
	writable   func(gone bool) bool
	half       bool // SetAll lets the header go between its cookies
	first      bool // SetAll sets only the first cookie
	lies       bool // SetAll returns true after the header has gone
	lateSetAll bool // SetAll sets cookies after the header has gone
	never      bool // SetAll returns false before the header has gone
	pending    func(lines []string) []string
}

func newMemory(f flaws, lines []string) (*memory, Exchange) {
	s := &memory{lines: lines, flaws: f, ended: make(chan struct{})}
	var sent []string
	return s, Exchange{
		Store: s,
		End: func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			sent, s.gone = slices.Clone(s.set), true
			close(s.ended)
		},
		SetCookie: func() []string {
			if s.flaws.late || s.flaws.lateSetAll {
				return s.set
			}
			return sent
		},
	}
}

func (s *memory) CookieHeader() []string {
	lines := s.lines
	if s.flaws.read != nil {
		lines = s.flaws.read(lines)
	}
	if s.flaws.reflects {
		for _, line := range s.set {
			pair, _, _ := strings.Cut(line, ";")
			lines = append(slices.Clone(lines), pair)
		}
	}
	if s.flaws.reuses {
		s.buffer = append(s.buffer[:0], strings.Join(lines, "; ")...)
		return []string{unsafe.String(unsafe.SliceData(s.buffer), len(s.buffer))}
	}
	return lines
}

func (s *memory) Set(c *http.Cookie) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.gone || s.flaws.late {
		s.add(c)
	}
}

func (s *memory) add(c *http.Cookie) {
	line := cookie.Format(c)
	if s.flaws.line != nil {
		line = s.flaws.line(c)
	}
	if line == "" {
		return
	}
	if s.flaws.reuses {
		copy(s.buffer, line)
	}
	same := s.flaws.same
	if same == nil {
		same = sameScope
	}
	for i, l := range s.set {
		if same(l, line) {
			s.set[i] = line
			return
		}
	}
	s.set = append(s.set, line)
}

// sameScope compares name, Domain and Path.
func sameScope(a, b string) bool {
	scope := func(line string) string {
		name, _, _ := strings.Cut(line, "=")
		_, domain, _ := strings.Cut(line, "; Domain=")
		domain, _, _ = strings.Cut(domain, ";")
		_, path, _ := strings.Cut(line, "; Path=")
		path, _, _ = strings.Cut(path, ";")
		return name + ";" + domain + ";" + path
	}
	return scope(a) == scope(b)
}

func sameName(a, b string) bool {
	an, _, _ := strings.Cut(a, "=")
	bn, _, _ := strings.Cut(b, "=")
	return an == bn
}

func (s *memory) Writable() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.flaws.writable != nil {
		return s.flaws.writable(s.gone)
	}
	return !s.gone
}

func (s *memory) SetAll(cookies []*http.Cookie) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gone && s.flaws.lies {
		return true
	}
	if s.gone && !s.flaws.lateSetAll {
		return false
	}
	for i, c := range cookies {
		if s.flaws.first && i > 0 {
			break
		}
		if s.flaws.half && i == 1 {
			s.mu.Unlock()
			select {
			case <-s.ended:
			case <-time.After(50 * time.Millisecond): // a check in which the header does not go
			}
			s.mu.Lock()
			if s.gone {
				return false
			}
		}
		s.add(c)
	}
	return !s.gone && !s.flaws.never
}

func (s *memory) SetCookieHeader() []string {
	if s.flaws.pending != nil {
		return s.flaws.pending(s.set)
	}
	return s.set
}

// failing returns the names of the checks that a store fails, and of those that it skips.
func failing(open func(lines []string) Exchange) (failed, skipped []string) {
	for _, c := range checks {
		r := &recorder{}
		c.run(r, func(lines ...string) Exchange { return open(lines) })
		if len(r.failures) > 0 {
			failed = append(failed, c.name)
		}
		if r.skipped {
			skipped = append(skipped, c.name)
		}
	}
	return failed, skipped
}

func TestGoodStores(t *testing.T) {
	open := func(lines []string) Exchange { _, x := newMemory(flaws{}, lines); return x }
	if failed, skipped := failing(open); len(failed)+len(skipped) > 0 {
		t.Errorf("a good store fails %q and skips %q", failed, skipped)
	}

	// A store without further abilities, which has only parsed cookies.
	plain := func(lines []string) Exchange {
		s, x := newMemory(flaws{read: func(lines []string) []string {
			return []string{strings.Join(cookies(lines), "; ")}
		}}, lines)
		x.Store = struct{ cookie.Store }{s}
		return x
	}
	want := []string{
		"WritableStore", "AtomicStore sets all", "AtomicStore sets none late", "AtomicStore and the header at the same time",
		"PendingStore shows what is set", "PendingStore for a second storage",
	}
	if failed, skipped := failing(plain); len(failed) > 0 || !slices.Equal(skipped, want) {
		t.Errorf("a plain store fails %q and skips %q", failed, skipped)
	}

	// A framework may spell attributes in its own way.
	spelled := func(lines []string) Exchange {
		_, x := newMemory(flaws{line: func(c *http.Cookie) string {
			line := strings.ReplaceAll(cookie.Format(c), "Max-Age=0", "expires=Thu, 01 Jan 1970 00:00:00 GMT; max-age=0")
			return strings.NewReplacer("; Secure", "; secure", "Domain=", "Domain=.", "SameSite", "samesite").Replace(line)
		}}, lines)
		return x
	}
	if failed, _ := failing(spelled); len(failed) > 0 {
		t.Errorf("a store that spells attributes in its own way fails %q", failed)
	}
}

// TestBrokenStores: the suite finds each flaw, by the checks that are about it.
func TestBrokenStores(t *testing.T) {
	pairwise := func(change func(name, value string) string) func(lines []string) []string {
		return func(lines []string) []string {
			var all []string
			for name, value := range cookie.Parse(lines) {
				all = append(all, change(name, value))
			}
			return []string{strings.Join(all, "; ")}
		}
	}
	for _, tt := range []struct {
		name  string
		flaws flaws
		want  []string // checks that must fail; others may fail in consequence
	}{
		{"drops duplicates", flaws{read: func(lines []string) []string {
			var all, names []string
			for name, value := range cookie.Parse(lines) {
				if !slices.Contains(names, name) {
					names, all = append(names, name), append(all, name+"="+value)
				}
			}
			return []string{strings.Join(all, "; ")}
		}}, []string{"request keeps order and duplicates"}},
		{"sorts", flaws{read: func(lines []string) []string {
			all := cookies(lines)
			slices.Sort(all)
			return all
		}}, []string{"request keeps order and duplicates"}},
		{"reads the first line only", flaws{read: func(lines []string) []string { return lines[:min(1, len(lines))] }},
			[]string{"request of several lines"}},
		{"makes up a cookie", flaws{read: func(lines []string) []string { return append(slices.Clone(lines), "x=") }},
			[]string{"request without cookies"}},
		{"decodes names", flaws{read: pairwise(func(n, v string) string { return cookie.DecodeName(n) + "=" + v })},
			[]string{"request is not decoded"}},
		{"decodes values", flaws{read: pairwise(func(n, v string) string { return n + "=" + cookie.DecodeValue(v) })},
			[]string{"request is not decoded"}},
		{"strips quotes", flaws{read: pairwise(func(n, v string) string { return n + "=" + strings.Trim(v, `"`) })},
			[]string{"request is not decoded"}},
		{"reads like net/http", flaws{read: func(lines []string) []string {
			var all []string
			for _, c := range (&http.Request{Header: http.Header{"Cookie": lines}}).Cookies() {
				all = append(all, c.Name+"="+c.Value)
			}
			return []string{strings.Join(all, "; ")}
		}}, []string{"request is not decoded"}},
		{"makes valid UTF-8", flaws{read: pairwise(func(n, v string) string { return strings.ToValidUTF8(n+"="+v, "?") })},
			[]string{"request is not decoded"}},
		{"shows the response in the request", flaws{reflects: true}, []string{"request does not show the response"}},
		{"uses a buffer again", flaws{reuses: true}, []string{"request strings stay valid"}},

		{"loses SameSite", flaws{line: func(c *http.Cookie) string {
			d := *c
			d.SameSite = 0
			return cookie.Format(&d)
		}}, []string{"set sends attributes", "set sends deletions"}},
		{"loses Max-Age", flaws{line: func(c *http.Cookie) string {
			d := *c
			d.MaxAge = 0
			return cookie.Format(&d)
		}}, []string{"set sends attributes", "set sends deletions"}},
		{"loses Domain", flaws{line: func(c *http.Cookie) string {
			d := *c
			d.Domain = ""
			return cookie.Format(&d)
		}}, []string{"set sends attributes", "set keeps other Domains and Paths"}},
		{"makes everything HttpOnly", flaws{line: func(c *http.Cookie) string {
			d := *c
			d.HttpOnly = true
			return cookie.Format(&d)
		}}, []string{"set sends attributes"}},
		{"encodes values", flaws{line: func(c *http.Cookie) string {
			d := *c
			d.Value = strings.ReplaceAll(d.Value, "%", "%25")
			return cookie.Format(&d)
		}}, []string{"set sends values unchanged"}},
		{"sends like net/http", flaws{line: (*http.Cookie).String}, []string{"set sends deletions"}},
		{"ignores deletions", flaws{line: func(c *http.Cookie) string {
			if c.MaxAge < 0 {
				return ""
			}
			return cookie.Format(c)
		}}, []string{"set sends deletions", "set replaces name, Domain and Path"}},

		{"replaces by name, as fasthttp", flaws{same: sameName}, []string{"set keeps other Domains and Paths"}},
		{"replaces by name and Path", flaws{same: func(a, b string) bool {
			return sameName(a, b) && strings.Contains(a, "Path=/app") == strings.Contains(b, "Path=/app")
		}}, []string{"set keeps other Domains and Paths"}},
		{"replaces whatever the case", flaws{same: func(a, b string) bool {
			return sameScope(strings.ToLower(a), strings.ToLower(b))
		}}, []string{"set sends values unchanged"}},
		{"replaces nothing", flaws{same: func(a, b string) bool { return false }},
			[]string{"set replaces name, Domain and Path", "AtomicStore sets all", "PendingStore shows what is set"}},

		{"sends what is late", flaws{late: true}, []string{"late writes are not sent"}},
		{"always writable", flaws{writable: func(bool) bool { return true }}, []string{"WritableStore"}},
		{"never writable", flaws{writable: func(bool) bool { return false }}, []string{"WritableStore"}},
		{"sets half", flaws{half: true}, []string{"AtomicStore and the header at the same time"}},
		{"sets the first", flaws{first: true}, []string{"AtomicStore sets all"}},
		{"refuses all", flaws{never: true}, []string{"AtomicStore sets all"}},
		{"claims to have set late", flaws{lies: true}, []string{"AtomicStore sets none late"}},
		{"sets all late", flaws{lateSetAll: true}, []string{"AtomicStore sets none late"}},

		{"shows nothing pending", flaws{pending: func([]string) []string { return nil }},
			[]string{"PendingStore shows what is set", "PendingStore for a second storage"}},
		{"shows values pending alone", flaws{pending: func(lines []string) []string {
			return slices.DeleteFunc(slices.Clone(lines), func(l string) bool { return strings.Contains(l, "Max-Age=0") })
		}}, []string{"PendingStore shows what is set", "PendingStore for a second storage"}},
		{"shows pending lines without attributes", flaws{pending: func(lines []string) (pairs []string) {
			for _, line := range lines {
				pair, _, _ := strings.Cut(line, ";")
				pairs = append(pairs, pair)
			}
			return pairs
		}}, []string{"PendingStore shows what is set", "PendingStore for a second storage"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			failed, _ := failing(func(lines []string) Exchange { _, x := newMemory(tt.flaws, lines); return x })
			for _, name := range tt.want {
				if !slices.Contains(failed, name) {
					t.Errorf("passes %q, and fails %q", name, failed)
				}
			}
			t.Logf("fails %q", failed)
		})
	}
}
