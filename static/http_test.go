package static_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/static"
)

// TestHTTP: what a page answers to which requests.
func TestHTTP(t *testing.T) {
	pages := newPages(t, static.Options{})
	contents := map[string]static.Content{
		"page": {Body: []byte("Hello, world.")},
		"json": {Body: []byte("{}"), Header: http.Header{
			"content-type": {"application/json"}, "X-A": {"1", "2"},
		}},
		"none":   {Status: 404, Body: []byte("There is no such page.")},
		"gone":   {Status: 410},
		"moved":  {Status: 308, Header: http.Header{"Location": {"/page"}}},
		"latest": {Body: []byte("Hello, world!"), Revalidate: time.Second},
	}
	page := newPage(t, pages, static.PageOptions{
		Params: []string{"slug"}, Revalidate: time.Hour,
		Render: func(_ context.Context, r static.Request) (*static.Content, error) {
			c := contents[r.Params["slug"]]
			return &c, nil
		},
	})
	tag := get(page, "/x/page").Header().Get("ETag")
	if other := get(page, "/x/latest").Header().Get("ETag"); other == tag || tag == "" {
		t.Errorf("other pages have the ETags %q and %q", tag, other)
	}
	const hello = "Hello, world."
	type fields = []string
	for name, test := range map[string]struct {
		method, path string
		header       fields
		status       int
		body         string
		want         fields // of the answer
	}{
		"page": {"GET", "/x/page", nil, 200, hello, fields{
			"Content-Type", "text/html; charset=utf-8", "ETag", tag, "Content-Length", "13",
		}},
		"HEAD": {"HEAD", "/x/page", nil, 200, "", fields{"ETag", tag, "Content-Length", "13"}},
		"JSON": {"GET", "/x/json", nil, 200, "{}", fields{
			"Content-Type", "application/json", "X-A", "1",
		}},
		"POST": {"POST", "/x/page", nil, 405, "Method Not Allowed\n", fields{"Allow", "GET, HEAD"}},
		"same": {"GET", "/x/page", fields{"If-None-Match", tag}, 304, "", fields{
			"ETag", tag, "Content-Type", "",
		}},
		"HEAD same":  {"HEAD", "/x/page", fields{"If-None-Match", tag}, 304, "", nil},
		"same, weak": {"GET", "/x/page", fields{"If-None-Match", "W/" + tag}, 304, "", nil},
		"same, in a list": {
			"GET", "/x/page", fields{"If-None-Match", `"a,b", W/"c",` + tag}, 304, "", nil,
		},
		"any":     {"GET", "/x/page", fields{"If-None-Match", "*"}, 304, "", nil},
		"another": {"GET", "/x/page", fields{"If-None-Match", `"another"`}, 200, hello, nil},
		"no tag": {
			"GET", "/x/page", fields{"If-None-Match", strings.Trim(tag, `"`)}, 200, hello, nil,
		},
		"If-Match":       {"GET", "/x/page", fields{"If-Match", tag}, 200, hello, nil},
		"If-Match, weak": {"GET", "/x/page", fields{"If-Match", "W/" + tag}, 412, "", nil},
		"range":          {"GET", "/x/page", fields{"Range", "bytes=0-4"}, 206, "Hello", nil},
		"range of another": {
			"GET", "/x/page", fields{"Range", "bytes=0-4", "If-Range", `"another"`},
			200, hello, nil,
		},
		"range beyond": {
			"GET", "/x/page", fields{"Range", "bytes=100-"},
			416, "invalid range: failed to overlap\n", nil,
		},
		"not found": {
			"GET", "/x/none", fields{"If-None-Match", "*"},
			404, "There is no such page.", fields{"ETag", ""},
		},
		"HEAD not found": {"HEAD", "/x/none", nil, 404, "", fields{"Content-Length", "22"}},
		"gone":           {"GET", "/x/gone", nil, 410, "", nil},
		"moved":          {"GET", "/x/moved", nil, 308, "", fields{"Location", "/page"}},
		"with a long header": {
			"GET", "/x/page", fields{"If-None-Match", strings.Repeat(`"a", `, 10_000)},
			200, hello, nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := send(page, httptest.NewRequest(test.method, test.path, nil), test.header...)
			if w.Code != test.status || w.Body.String() != test.body {
				t.Errorf("%d %q, want %d %q", w.Code, w.Body, test.status, test.body)
			}
			for i := 0; i < len(test.want); i += 2 {
				if got := w.Header().Get(test.want[i]); got != test.want[i+1] {
					t.Errorf("%s %q, want %q", test.want[i], got, test.want[i+1])
				}
			}
		})
	}
}

// TestAnswersAreTheirOwn: what a middleware does to the header of one answer concerns no other.
func TestAnswersAreTheirOwn(t *testing.T) {
	page := newPage(t, newPages(t, static.Options{}), static.PageOptions{
		Revalidate: time.Hour,
		Render: func(context.Context, static.Request) (*static.Content, error) {
			return &static.Content{Header: http.Header{"Link": {"</a>", "</b>"}}}, nil
		},
	})
	for range 2 {
		w := get(page, "/")
		for name, want := range map[string]string{
			"Link": "</a>", "Content-Type": "text/html; charset=utf-8",
		} {
			if lines := w.Header()[name]; lines[0] != want {
				t.Errorf("%s %q, want %q", name, lines[0], want)
			} else {
				lines[0] = "overwritten"
			}
		}
	}
}

// TestQuery: of the query, what is listed matters, in whatever spelling and order.
func TestQuery(t *testing.T) {
	s := &source{}
	page := newPage(t, newPages(t, static.Options{}), static.PageOptions{
		Revalidate: time.Hour, Query: []string{"lang", "tag"},
		Render: func(ctx context.Context, r static.Request) (*static.Content, error) {
			c, err := s.render(ctx, r)
			c.Body = []byte(r.Query.Encode())
			return c, err
		},
	})
	for _, test := range []struct {
		query, want string
		renders     int
	}{
		{"", "", 1},
		{"?utm_source=x&%6Cong=1", "", 1},
		{"?lang=de", "lang=de", 2},
		{"?l%61ng=d%65&session=alice", "lang=de", 2},
		{"?LANG=de", "", 2},
		{"?tag=b&lang=de&tag=a", "lang=de&tag=a&tag=b", 3},
		{"?tag=a&tag=b&lang=de", "lang=de&tag=a&tag=b", 3},
		{"?lang=", "lang=", 4},
		{"?lang=de%26tag%3Da", "lang=de%26tag%3Da", 5},
	} {
		want(t, get(page, "/"+test.query), 200, test.want)
		if n := s.count(); n != test.renders {
			t.Errorf("%q: %d renders, want %d", test.query, n, test.renders)
		}
	}
}

// FuzzVariants: two requests are for one variant if, and only if, their parameters are the same.
func FuzzVariants(f *testing.F) {
	f.Add("a", "b", "c", "a", "b", "c")
	f.Add("a/b", "", "", "a", "b", "")
	f.Add("a&b=", "", "", "a", "", "")
	f.Add("a?lang=x", "", "y", "a", "", "x&lang=y")
	f.Add("%61", "\x00", "é", "a", "", "é")
	f.Add("x&b=y", "", "", "x", "y&b=", "")
	f.Add("", "x?lang=y", "z", "", "x", "y?lang=z")
	page := newPage(f, newPages(f, static.Options{}), static.PageOptions{
		Params: []string{"a", "b"}, Query: []string{"lang"}, Revalidate: time.Hour,
		Render: func(context.Context, static.Request) (*static.Content, error) { return nil, nil },
	})
	request := func(a, b, lang string) static.Request {
		return static.Request{
			Params: map[string]string{"a": a, "b": b},
			Query:  url.Values{"lang": {lang}, "other": {a}},
		}
	}
	f.Fuzz(func(t *testing.T, a1, b1, lang1, a2, b2, lang2 string) {
		one, two := page.Tag(request(a1, b1, lang1)), page.Tag(request(a2, b2, lang2))
		if same := a1 == a2 && b1 == b2 && lang1 == lang2; same != (one == two) {
			t.Errorf("the tags are %q and %q", one, two)
		}
	})
}

// TestFaults: all faults of settings are reported, and at once.
func TestFaults(t *testing.T) {
	_, err := static.New(nil, static.Options{
		MaxBytes: -1, MaxRenders: -1, MaxNewVariants: -1, RenderTimeout: -1,
	})
	wantFaults(t, err, "Options.MaxBytes", "Options.MaxRenders", "Options.MaxNewVariants",
		"Options.RenderTimeout", "Runner")

	pages := newPages(t, static.Options{})
	render := func(context.Context, static.Request) (*static.Content, error) { return nil, nil }
	newPage(t, pages, static.PageOptions{Name: "home", Render: render})
	_, err = pages.Page(static.PageOptions{
		Name: "a/b", Revalidate: time.Millisecond,
		Params: []string{"slug", "slug"}, Query: []string{""},
		Prerender: []static.Request{{}, {
			Params: map[string]string{"slug": "a"}, Query: url.Values{"x": {"y"}},
		}},
	})
	wantFaults(t, err, "PageOptions.Name", "PageOptions.Render", "PageOptions.Revalidate",
		"PageOptions.Params", "PageOptions.Query", "PageOptions.Prerender", "PageOptions.Prerender")
	_, err = pages.Page(static.PageOptions{Name: "home", Render: render})
	wantFaults(t, err, "PageOptions.Name")
}

func wantFaults(t *testing.T, err error, fields ...string) {
	t.Helper()
	var got []string
	for _, fault := range amplify.ConfigErrors(err) {
		got = append(got, fault.Field)
	}
	if strings.Join(got, " ") != strings.Join(fields, " ") {
		t.Errorf("faults of %v, want %v", got, fields)
	}
}

// TestNotShared: answers that are one reader's stay out of shared caches: with a cookie that a
// middleware has set, or to a condition of the reader's own, which fails.
func TestNotShared(t *testing.T) {
	s := &source{}
	page := newPage(t, newPages(t, static.Options{}), static.PageOptions{
		Render: s.render, Revalidate: time.Hour,
	})
	withCookie := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "session", Value: "alice"})
		page.ServeHTTP(w, r)
	})
	for name, w := range map[string]*httptest.ResponseRecorder{
		"a cookie":             get(withCookie, "/"),
		"a cookie, 304":        get(withCookie, "/", "If-None-Match", "*"),
		"a condition":          get(page, "/", "If-Match", `"another"`),
		"a condition that has": get(page, "/", "If-Match", "*"),
	} {
		if got := w.Header().Get("Cache-Control"); got != "private, no-store" {
			t.Errorf("%s: status %d, Cache-Control %q", name, w.Code, got)
		}
	}
}

// TestManyRanges: who asks for many parts gets the page, and not an answer of many times its size.
func TestManyRanges(t *testing.T) {
	s := &source{content: static.Content{Body: make([]byte, 32<<10)}}
	page := newPage(t, newPages(t, static.Options{}), static.PageOptions{
		Render: s.render, Revalidate: time.Hour,
	})
	w := get(page, "/", "Range", "bytes=0-0"+strings.Repeat(",0-0", 10_000))
	if w.Code != 200 || w.Body.Len() != 32<<10 {
		t.Errorf("status %d, %d bytes", w.Code, w.Body.Len())
	}
}
