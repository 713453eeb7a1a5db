package static_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/static"
)

// crowd sends n requests at once and returns the answers.
func crowd(n int, send func(i int) *httptest.ResponseRecorder) []*httptest.ResponseRecorder {
	answers := make([]*httptest.ResponseRecorder, n)
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() { answers[i] = send(i) })
	}
	group.Wait()
	return answers
}

// TestCrowd: 1,000 readers share one render, also one that fails, and the next one waits.
func TestCrowd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{takes: time.Second, fails: errors.New("S3 is down")}
		page := newPage(t, newPages(t, static.Options{}), static.PageOptions{
			Render: s.render, Revalidate: time.Minute,
		})
		readers := func(status int, text string) {
			t.Helper()
			send := func(int) *httptest.ResponseRecorder { return get(page, "/") }
			for _, w := range crowd(1000, send) {
				want(t, w, status, text)
			}
		}
		readers(503, "This page is not available")
		readers(503, "This page is not available")
		if n := s.count(); n != 1 {
			t.Fatalf("%d renders, want 1", n)
		}
		// Ten minutes of outage, with a reader every second.
		var at []time.Duration
		begin, last := time.Now(), s.count()
		for range 600 {
			w := get(page, "/")
			after, err := strconv.Atoi(w.Header().Get("Retry-After"))
			if err != nil || after < 1 || after > 60 {
				t.Fatalf("Retry-After %q", w.Header().Get("Retry-After"))
			}
			if n := s.count(); n != last {
				at, last = append(at, time.Since(begin)), n
			}
			time.Sleep(time.Second)
		}
		if len(at) < 10 || len(at) > 15 || at[len(at)-1]-at[len(at)-2] < time.Minute {
			t.Errorf("renders at %v, want ever fewer, and one a minute in the end", at)
		}
		s.set(func(s *source) { s.fails = nil })
		time.Sleep(time.Minute)
		readers(200, "render")

		// A page that is due serves all while one render tries.
		s.set(func(s *source) { s.fails = errors.New("S3 is down") })
		time.Sleep(time.Minute)
		last = s.count()
		readers(200, "render")
		synctest.Wait()
		time.Sleep(time.Second)
		readers(200, "render")
		if n := s.count() - last; n != 1 {
			t.Errorf("%d renders of a page that is due, want 1", n)
		}
	})
}

// TestHangUp: a render does not end with the request that needed it, and has none of its values.
func TestHangUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type secret struct{}
		page := newPage(t, newPages(t, static.Options{}), static.PageOptions{
			Revalidate: time.Minute,
			Render: func(ctx context.Context, _ static.Request) (*static.Content, error) {
				if ctx.Value(secret{}) != nil {
					return nil, errors.New("the render sees the request")
				}
				select {
				case <-ctx.Done():
					return nil, ctx.Err()
				case <-time.After(time.Second):
					return &static.Content{Body: []byte("done")}, nil
				}
			},
		})
		ctx, hangUp := context.WithCancel(context.WithValue(t.Context(), secret{}, "alice"))
		var group sync.WaitGroup
		group.Go(func() { send(page, httptest.NewRequest("GET", "/", nil).WithContext(ctx)) })
		synctest.Wait()
		group.Go(func() { want(t, get(page, "/"), 200, "done") })
		synctest.Wait()
		hangUp()
		group.Wait()
	})
}

// TestUnusualEnds: whatever a render does, its readers get an answer, and the last good page stays.
func TestUnusualEnds(t *testing.T) {
	makes := func(c *static.Content) func(context.Context) (*static.Content, error) {
		return func(context.Context) (*static.Content, error) { return c, nil }
	}
	ends := map[string]func(context.Context) (*static.Content, error){
		"panic": func(context.Context) (*static.Content, error) { panic("alice's password") },
		"Goexit": func(context.Context) (*static.Content, error) {
			runtime.Goexit()
			return nil, nil
		},
		"deaf": func(context.Context) (*static.Content, error) {
			time.Sleep(time.Hour)
			return nil, nil
		},
		"expired": func(context.Context) (*static.Content, error) {
			return &static.Content{Expires: time.Now()}, nil
		},
		"nothing":           makes(nil),
		"status 500":        makes(&static.Content{Status: 500}),
		"nowhere":           makes(&static.Content{Status: 301}),
		"fresh in the past": makes(&static.Content{Revalidate: -1}),
		"too large":         makes(&static.Content{Body: make([]byte, 9<<20)}),
		"too many tags":     makes(&static.Content{Tags: make([]string, 101)}),
	}
	for _, name := range []string{
		"Set-Cookie", "set-cookie", "Vary", "Cache-Control", "CDN-Cache-Control",
		"Surrogate-Control", "Expires", "ETag", "Last-Modified", "Age", "Date", "Content-Length",
		"Transfer-Encoding", "Connection",
	} {
		ends[name] = makes(&static.Content{Header: http.Header{name: {"a=b"}}})
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var works atomic.Bool
				render := func(ctx context.Context, _ static.Request) (*static.Content, error) {
					if works.Load() {
						return &static.Content{Body: []byte("good")}, nil
					}
					return end(ctx)
				}
				page := newPage(t, newPages(t, static.Options{}), static.PageOptions{
					Render: render, Revalidate: time.Minute,
				})
				want(t, get(page, "/"), 503, "This page is not available")
				time.Sleep(2 * time.Hour)
				works.Store(true)
				want(t, get(page, "/"), 200, "good")
				works.Store(false)
				time.Sleep(time.Minute)
				want(t, get(page, "/"), 200, "good")
				time.Sleep(30 * time.Second)
				want(t, get(page, "/"), 200, "good")
				time.Sleep(2 * time.Hour)
			})
		})
	}
}

// TestFailed: the application answers for pages that are not there, and may see why.
func TestFailed(t *testing.T) {
	cause := errors.New("S3 is down")
	page := newPage(t, newPages(t, static.Options{}), static.PageOptions{
		Revalidate: time.Minute,
		Render: func(context.Context, static.Request) (*static.Content, error) {
			return nil, cause
		},
		Failed: func(w http.ResponseWriter, _ *http.Request, err error) {
			if !errors.Is(err, cause) || amplify.ReasonOf(err) != amplify.ReasonServiceUnavailable {
				t.Errorf("the error is %v", err)
			}
			w.WriteHeader(http.StatusTeapot)
		},
	})
	for range 2 {
		w := get(page, "/")
		want(t, w, http.StatusTeapot, "")
		if w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("Retry-After") != "1" {
			t.Errorf("header %v", w.Header())
		}
	}
}

// TestNewVariantsAreBounded: visitors who make up parameters start few renders, and take neither
// pages from memory nor renders from other pages.
func TestNewVariantsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pages := newPages(t, static.Options{MaxNewVariants: 60, MaxBytes: 1 << 20})
		var renders atomic.Int64
		render := func(_ context.Context, r static.Request) (*static.Content, error) {
			renders.Add(1)
			return &static.Content{Body: []byte(r.Params["slug"] + strings.Repeat(" ", 8<<10))}, nil
		}
		o := static.PageOptions{
			Name: "posts", Render: render, Params: []string{"slug"}, Revalidate: time.Hour,
			Prerender: []static.Request{{Params: map[string]string{"slug": "listed"}}},
		}
		posts := newPage(t, pages, o)
		o.Name = "other"
		other := newPage(t, pages, o)
		for range 20 {
			want(t, get(posts, "/posts/hello"), 200, "hello")
		}
		refused := 0
		for i := range 10_000 {
			if get(posts, fmt.Sprint("/posts/made-up-", i)).Code == 503 {
				refused++
			}
			if i%100 == 0 {
				time.Sleep(time.Second)
				want(t, get(posts, "/posts/hello"), 200, "hello")
			}
		}
		if n := renders.Load(); n > 60+100+1 {
			t.Errorf("%d renders in 100 seconds, want at most 60 and one a second", n)
		}
		if refused < 9000 {
			t.Errorf("%d made-up keys were refused", refused)
		}
		want(t, get(posts, "/posts/listed"), 200, "listed")
		want(t, get(other, "/other/hello"), 200, "hello")
		before := renders.Load()
		want(t, get(posts, "/posts/hello"), 200, "hello")
		if renders.Load() != before {
			t.Error("a page that is read often was not in memory any more")
		}
	})
}

// TestRendersAreBounded: the variants of a page share a number of renders, of which new ones get
// half, and as many more wait as may. Other pages are not concerned.
func TestRendersAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const most = 4
		pages := newPages(t, static.Options{MaxRenders: most, RenderTimeout: time.Minute})
		var running, max atomic.Int64
		takes := time.Duration(0)
		render := func(_ context.Context, r static.Request) (*static.Content, error) {
			n := running.Add(1)
			defer running.Add(-1)
			for old := max.Load(); n > old && !max.CompareAndSwap(old, n); old = max.Load() {
			}
			time.Sleep(takes)
			return &static.Content{Body: []byte(r.Params["slug"])}, nil
		}
		o := static.PageOptions{
			Name: "posts", Render: render, Params: []string{"slug"}, Revalidate: time.Hour,
		}
		posts := newPage(t, pages, o)
		o.Name, o.Params = "home", nil
		home := newPage(t, pages, o)
		want(t, get(posts, "/posts/known"), 200, "known")
		time.Sleep(time.Hour)

		takes = time.Second // no render is running
		var group sync.WaitGroup
		begin := time.Now()
		statuses := map[int]int{}
		var mu sync.Mutex
		for i := range 100 {
			group.Go(func() {
				w := get(posts, fmt.Sprint("/posts/", i))
				mu.Lock()
				defer mu.Unlock()
				statuses[w.Code]++
			})
		}
		synctest.Wait()
		if n := running.Load(); n != most/2 {
			t.Errorf("%d renders of new keys, want %d", n, most/2)
		}
		want(t, get(posts, "/posts/known"), 200, "known")
		synctest.Wait()
		if n := running.Load(); n != most/2+1 {
			t.Error("a known variant waits for new ones")
		}
		want(t, get(home, "/"), 200, "")
		if waited := time.Since(begin); waited != time.Second {
			t.Errorf("another page waited %v", waited)
		}
		group.Wait()
		if n := statuses[200]; n < 20 || n > 22 || statuses[503] != 100-n {
			t.Errorf("statuses %v, want 200 for two that run and 20 that wait", statuses)
		}
	})
}

// TestLongVariants: no render begins for what takes long to quote.
func TestLongVariants(t *testing.T) {
	s := &source{}
	page := newPage(t, newPages(t, static.Options{}), static.PageOptions{
		Render: s.render, Revalidate: time.Minute, Params: []string{"slug"}, Query: []string{"q"},
	})
	long := strings.Repeat("x", 4<<10)
	for path, status := range map[string]int{
		"/posts/" + long[:4000]:                       200,
		"/posts/" + long:                              414,
		"/posts/a?q=" + long:                          414,
		"/posts/a?" + strings.Repeat("q=&", 4<<10):    414,
		"/posts/a?theme=" + long:                      200, // is ignored
		"/posts/" + long[:2100] + "?q=" + long[2000:]: 414,
	} {
		before := s.count()
		w := get(page, path)
		if w.Code != status || (s.count() > before) != (status == 200) {
			t.Errorf("%.20s: status %d, %d renders", path, w.Code, s.count()-before)
		}
		if cache := w.Header().Get("Cache-Control"); (cache == "no-store") != (status == 414) {
			t.Errorf("%.20s: Cache-Control %q", path, cache)
		}
	}
}

// TestLogIsBounded: variants that anybody can make up do not fill the log, and what is left out is
// counted. Other pages have lines of their own.
func TestLogIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer // is read when no render is under way
		logger := slog.New(slog.NewTextHandler(&log, nil))
		shelf := newShelf()
		shelf.get = func([]byte) ([]byte, error) { return nil, errors.New("the store is down") }
		pages := newPages(t, static.Options{Logger: logger, Store: shelf})
		o := static.PageOptions{
			Params: []string{"slug"}, Revalidate: time.Minute,
			Render: func(context.Context, static.Request) (*static.Content, error) {
				panic("no such post")
			},
		}
		page := newPage(t, pages, o)
		o.Name = "other"
		other := newPage(t, pages, o)
		fail := func(page *static.Page, n int) {
			for i := range n {
				get(page, fmt.Sprint("/posts/", i))
				synctest.Wait()
			}
		}
		fail(page, 100)
		fail(other, 1)
		for _, message := range []string{
			"the render of a static page panicked", "a static page could not be rendered",
			"the store of static pages failed",
		} {
			line := `msg="amplify: ` + message + `" page=`
			first, second := strings.Count(log.String(), line+"page"),
				strings.Count(log.String(), line+"other")
			if first != 10 || second != 1 {
				t.Errorf("%q: %d lines of one page, want 10, and %d of another, want 1",
					message, first, second)
			}
		}
		log.Reset()
		time.Sleep(time.Minute)
		fail(page, 1)
		if n := strings.Count(log.String(), "dropped=90"); n != 3 {
			t.Errorf("%d lines tell that 90 were dropped, want 3:\n%s", n, log.String())
		}
	})
}

// TestMemoryIsBounded: pages, failures and invalidations take a bounded amount of memory.
func TestMemoryIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const most = 1 << 20
		pages := newPages(t, static.Options{MaxBytes: most, MaxNewVariants: 1e6})
		var fails atomic.Bool
		o := static.PageOptions{
			Params: []string{"slug"}, Revalidate: time.Hour,
			Render: func(context.Context, static.Request) (*static.Content, error) {
				if fails.Load() {
					return nil, errors.New("S3 is down")
				}
				return &static.Content{Body: make([]byte, 10<<10)}, nil
			},
		}
		page := newPage(t, pages, o)
		for i := range 500 {
			if w := get(page, fmt.Sprint("/posts/", i)); w.Code != 200 {
				t.Fatalf("status %d", w.Code)
			}
		}
		if size := static.Size(pages); size > most || size < most/2 {
			t.Errorf("%d bytes in memory, want up to %d", size, most)
		}
		fails.Store(true)
		for i := range 5000 {
			want(t, get(page, fmt.Sprint("/posts/failing-", i)), 503, "")
			if i%1000 == 999 {
				time.Sleep(2 * static.MaxBackoff)
			}
		}
		if n := static.Remembered(page); n > 2000 {
			t.Errorf("%d failures are remembered", n)
		}
	})
}

// TestManyInvalidations: more tags than are remembered invalidate all pages.
func TestManyInvalidations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{}
		pages := newPages(t, static.Options{})
		page := newPage(t, pages, static.PageOptions{Render: s.render, Revalidate: time.Hour})
		want(t, get(page, "/"), 200, "render 1")
		for i := range static.MaxInvalidated {
			pages.Invalidate(fmt.Sprint("photo ", i))
		}
		get(page, "/")
		synctest.Wait()
		want(t, get(page, "/"), 200, "render 1")
		pages.Invalidate("one more")
		get(page, "/")
		synctest.Wait()
		want(t, get(page, "/"), 200, "render 2")
	})
}

// stuck is a log that takes nothing until it is let go.
type stuck struct {
	slog.Handler
	begun, letGo chan struct{}
}

func (s stuck) Handle(context.Context, slog.Record) error {
	close(s.begun)
	<-s.letGo
	return nil
}

// TestStuckLog: a log that takes no lines keeps nobody from a page.
func TestStuckLog(t *testing.T) {
	log := stuck{slog.Default().Handler(), make(chan struct{}), make(chan struct{})}
	page := newPage(t, newPages(t, static.Options{Logger: slog.New(log)}), static.PageOptions{
		Params: []string{"slug"}, Revalidate: time.Hour,
		Render: func(_ context.Context, r static.Request) (*static.Content, error) {
			if r.Params["slug"] == "bad" {
				return nil, errors.New("S3 is down")
			}
			return &static.Content{}, nil
		},
	})
	defer close(log.letGo)
	bad, good := make(chan int, 1), make(chan int, 1)
	go func() { bad <- get(page, "/x/bad").Code }()
	<-log.begun
	go func() { good <- get(page, "/x/good").Code }()
	for c, want := range map[chan int]int{bad: 503, good: 200} {
		select {
		case got := <-c:
			if got != want {
				t.Errorf("status %d, want %d", got, want)
			}
		case <-time.After(10 * time.Second):
			t.Error("a reader waits for the log")
		}
	}
}
