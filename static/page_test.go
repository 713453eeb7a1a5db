package static_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/auth"
	"github.com/amplify-go/amplify/static"
)

// guest is a runner whose guests have credentials, and no network.
type guest struct{ app *amplify.App }

func newGuest(tb testing.TB) guest {
	tb.Helper()
	app, err := amplify.New(amplify.Config{}, amplify.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	return guest{app}
}

func (g guest) RunAsGuest(ctx context.Context, operation func(context.Context) error) error {
	ctx, done := amplify.WithServerContext(ctx, g.app, amplify.Providers{Credentials: g})
	defer done()
	return operation(ctx)
}

func (guest) Credentials(context.Context, amplify.CredentialsInput) (*amplify.Credentials, error) {
	return &amplify.Credentials{AccessKeyID: "GUEST", IdentityID: "eu-west-1:guest"}, nil
}

// newPages returns Pages that are closed when the test ends.
func newPages(tb testing.TB, o static.Options) *static.Pages {
	tb.Helper()
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	pages, err := static.New(newGuest(tb), o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := pages.Close(context.Background()); err != nil {
			tb.Error(err)
		}
	})
	return pages
}

func newPage(tb testing.TB, pages *static.Pages, o static.PageOptions) *static.Page {
	tb.Helper()
	if o.Name == "" {
		o.Name = "page"
	}
	page, err := pages.Page(o)
	if err != nil {
		tb.Fatal(err)
	}
	return page
}

// get asks a page for what is at a path. The segment after the first one is the parameter "slug".
func get(page http.Handler, path string, header ...string) *httptest.ResponseRecorder {
	return send(page, httptest.NewRequest("GET", path, nil), header...)
}

func send(page http.Handler, r *http.Request, header ...string) *httptest.ResponseRecorder {
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	_, slug, _ := strings.Cut(r.URL.Path[1:], "/")
	r.SetPathValue("slug", slug)
	w := httptest.NewRecorder()
	page.ServeHTTP(w, r)
	return w
}

// want fails the test unless the answer has this status and begins with this text.
func want(t *testing.T, w *httptest.ResponseRecorder, status int, text string) {
	t.Helper()
	if w.Code != status || !strings.HasPrefix(w.Body.String(), text) {
		t.Errorf("%d %q, want %d %q", w.Code, w.Body, status, text)
	}
}

// source is what pages are rendered from. Its renders are numbered.
type source struct {
	mu      sync.Mutex
	renders int
	fails   error
	takes   time.Duration
	content static.Content // what renders return, with their number as the body
}

func (s *source) set(change func(*source)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(s)
}

func (s *source) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.renders
}

func (s *source) render(ctx context.Context, _ static.Request) (*static.Content, error) {
	s.mu.Lock()
	s.renders++
	n, takes, err, c := s.renders, s.takes, s.fails, s.content
	s.mu.Unlock()
	select {
	case <-time.After(takes):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, err
	}
	if c.Body == nil {
		c.Body = fmt.Append(nil, "render ", n)
	}
	return &c, nil
}

// TestRevalidate: a page that is due is served once more, at once, while the next one is rendered.
func TestRevalidate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{takes: time.Second}
		page := newPage(t, newPages(t, static.Options{}), static.PageOptions{
			Render: s.render, Revalidate: time.Minute,
		})
		begin := time.Now()
		want(t, get(page, "/"), 200, "render 1")
		if waited := time.Since(begin); waited != time.Second {
			t.Errorf("the first reader waited %v, want the render's second", waited)
		}
		for range 3 {
			time.Sleep(15 * time.Second)
			want(t, get(page, "/"), 200, "render 1")
		}
		time.Sleep(time.Minute)
		begin = time.Now()
		for range 3 {
			want(t, get(page, "/"), 200, "render 1")
		}
		if waited := time.Since(begin); waited != 0 {
			t.Errorf("readers of a page that is due waited %v", waited)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		want(t, get(page, "/"), 200, "render 2")
		if n := s.count(); n != 2 {
			t.Errorf("%d renders, want 2", n)
		}
	})
}

// TestCacheControl: shared caches may keep a page for what is left of its time, and no longer.
func TestCacheControl(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{}
		pages := newPages(t, static.Options{})
		page := newPage(t, pages, static.PageOptions{Render: s.render, Revalidate: time.Minute})
		cached := func(want string) {
			t.Helper()
			want = "public, max-age=0, must-revalidate, s-maxage=" + want
			if got := get(page, "/").Header().Get("Cache-Control"); got != want {
				t.Errorf("Cache-Control %q, want %q", got, want)
			}
		}
		cached("60")
		time.Sleep(20*time.Second + time.Millisecond)
		cached("39")
		s.set(func(s *source) { s.fails = errors.New("S3 is down") })
		time.Sleep(time.Minute)
		cached("0")
		synctest.Wait()
		cached("0")
		s.set(func(s *source) { s.fails = nil })
		time.Sleep(time.Second)
		cached("0")
		synctest.Wait()
		cached("60")
		pages.Invalidate("page")
		cached("0")

		w := httptest.NewRecorder()
		w.Header().Set("Cache-Control", "private, no-store")
		page.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
		if got := w.Header().Get("Cache-Control"); got != "private, no-store" {
			t.Errorf("Cache-Control %q, want that of the middleware", got)
		}
	})
}

// TestExpires: a page is rendered again before it expires, and is never served afterwards.
func TestExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{}
		expire := func(s *source) { s.content.Expires = time.Now().Add(time.Hour) }
		s.set(expire)
		page := newPage(t, newPages(t, static.Options{}), static.PageOptions{Render: s.render})
		want(t, get(page, "/"), 200, "render 1")
		got := get(page, "/").Header().Get("Cache-Control")
		if !strings.HasSuffix(got, "s-maxage=2700") {
			t.Errorf("Cache-Control %q, want three quarters of an hour", got)
		}
		time.Sleep(46 * time.Minute)
		s.set(expire)
		want(t, get(page, "/"), 200, "render 1")
		synctest.Wait()
		want(t, get(page, "/"), 200, "render 2")

		s.set(func(s *source) { s.fails = errors.New("S3 is down") })
		time.Sleep(time.Hour - time.Nanosecond)
		want(t, get(page, "/"), 200, "render 2")
		synctest.Wait()
		time.Sleep(time.Nanosecond)
		want(t, get(page, "/"), 503, "This page is not available")

		time.Sleep(time.Hour)
		s.set(func(s *source) { s.fails = nil })
		s.set(expire)
		want(t, get(page, "/"), 200, "render 4")
	})
}

// TestSession: a render has no session, and is told why.
func TestSession(t *testing.T) {
	var got error
	page := newPage(t, newPages(t, static.Options{}), static.PageOptions{
		Revalidate: time.Minute,
		Render: func(ctx context.Context, _ static.Request) (*static.Content, error) {
			_, got = auth.GetCurrentUser(ctx)
			session, err := auth.FetchAuthSession(ctx, auth.FetchAuthSessionInput{})
			if err != nil {
				return nil, err
			}
			return &static.Content{Body: []byte(session.IdentityID)}, nil
		},
	})
	want(t, get(page, "/", "Cookie", "a=b"), 200, "eu-west-1:guest")
	if !errors.Is(got, amplify.ErrUnauthenticated) ||
		amplify.ReasonOf(got) != amplify.ReasonStaticPage ||
		!strings.Contains(got.Error(), "A static page is the same for all readers") {
		t.Errorf("%v, want why there is no session", got)
	}
}
