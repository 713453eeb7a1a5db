package static_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/amplify-go/amplify/static"
)

// TestRefresh: who has changed what a page shows waits for a render that begins afterwards; readers
// do not wait.
func TestRefresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{takes: time.Second}
		page := newPage(t, newPages(t, static.Options{}), static.PageOptions{
			Render: s.render, Revalidate: time.Minute,
		})
		refresh := func() error { return page.Refresh(t.Context(), static.Request{}) }
		if err := refresh(); err != nil {
			t.Error(err)
		}
		want(t, get(page, "/"), 200, "render 1")

		time.Sleep(time.Minute)
		begin := time.Now()
		want(t, get(page, "/"), 200, "render 1") // and starts the second one
		time.Sleep(time.Second / 2)
		var group sync.WaitGroup
		group.Go(func() {
			if err := refresh(); err != nil {
				t.Error(err)
			}
			want(t, get(page, "/"), 200, "render 3")
		})
		want(t, get(page, "/"), 200, "render 1")
		group.Wait()
		if waited := time.Since(begin); waited != 2*time.Second {
			t.Errorf("refreshed after %v, want what is left of one render, and another", waited)
		}

		cause := errors.New("S3 is down")
		s.set(func(s *source) { s.fails = cause })
		for range 3 { // but one tries
			if err := refresh(); !errors.Is(err, cause) {
				t.Errorf("%v, want why it failed", err)
			}
		}
		want(t, get(page, "/"), 200, "render 3")
		if n := s.count(); n != 4 {
			t.Errorf("%d renders, want 4", n)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		time.Sleep(time.Minute)
		if err := page.Refresh(ctx, static.Request{}); !errors.Is(err, context.Canceled) {
			t.Errorf("%v, want that the caller has gone", err)
		}
	})
}

// TestInvalidateDuringRender: what a render makes that began before an invalidation is due at once.
func TestInvalidateDuringRender(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{takes: time.Second, content: static.Content{Tags: []string{"photos"}}}
		pages := newPages(t, static.Options{})
		page := newPage(t, pages, static.PageOptions{Render: s.render, Revalidate: time.Hour})
		for _, tag := range []string{"photos", "page", page.Tag(static.Request{})} {
			first := s.count() + 1
			var group sync.WaitGroup
			group.Go(func() { get(page, "/") })
			time.Sleep(time.Second / 2)
			pages.Invalidate(tag)
			group.Wait()
			time.Sleep(time.Second)
			want(t, get(page, "/"), 200, fmt.Sprint("render ", first))
			time.Sleep(time.Second)
			synctest.Wait()
			want(t, get(page, "/"), 200, fmt.Sprint("render ", first+1))
			time.Sleep(time.Hour)
		}
	})
}

// TestPrerender: what is listed is rendered before anybody asks, and all errors are reported.
func TestPrerender(t *testing.T) {
	s := &source{}
	pages := newPages(t, static.Options{})
	slug := func(slug string) static.Request {
		return static.Request{Params: map[string]string{"slug": slug}}
	}
	newPage(t, pages, static.PageOptions{Name: "home", Render: s.render, Revalidate: time.Hour})
	broken := true
	posts := newPage(t, pages, static.PageOptions{
		Name: "posts", Params: []string{"slug"}, Revalidate: time.Hour,
		Prerender: []static.Request{slug("a"), slug("b"), slug("c")},
		Render: func(ctx context.Context, r static.Request) (*static.Content, error) {
			if r.Params["slug"] != "b" && broken {
				return nil, fmt.Errorf("%s is broken", r.Params["slug"])
			}
			return s.render(ctx, r)
		},
	})
	err := pages.Prerender(t.Context())
	for _, text := range []string{
		`page "posts/slug=a?": `, "a is broken", `page "posts/slug=c?": `, "c is broken",
	} {
		if err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%v, want %q", err, text)
		}
	}
	if n := s.count(); n != 2 {
		t.Errorf("%d pages were rendered, want 2", n)
	}
	want(t, get(posts, "/posts/b"), 200, "render")
	if err := pages.Prerender(t.Context()); err == nil || s.count() != 2 {
		t.Errorf("%v, %d renders: want the same errors, and no more renders", err, s.count())
	}
}

// TestClose: closing ends renders and waits for them. What is in memory is served afterwards.
func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{}
		pages := newPages(t, static.Options{})
		home := newPage(t, pages, static.PageOptions{
			Name: "home", Render: s.render, Revalidate: time.Minute,
		})
		slow := newPage(t, pages, static.PageOptions{Name: "slow", Revalidate: time.Minute,
			Render: func(ctx context.Context, _ static.Request) (*static.Content, error) {
				<-ctx.Done()
				time.Sleep(time.Second) // it cleans up
				return nil, ctx.Err()
			}})
		want(t, get(home, "/"), 200, "render 1")
		var group sync.WaitGroup
		group.Go(func() { want(t, get(slow, "/"), 503, "") })
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if err := pages.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v, want that a render is still running", err)
		}
		group.Wait()
		begin := time.Now()
		if err := pages.Close(t.Context()); err != nil || time.Since(begin) == 0 {
			t.Errorf("closed after %v with %v, want when the render had ended",
				time.Since(begin), err)
		}
		time.Sleep(time.Hour)
		want(t, get(home, "/"), 200, "render 1")
		want(t, get(slow, "/"), 503, "")
		err := home.Refresh(t.Context(), static.Request{})
		if err == nil || !strings.Contains(err.Error(), "closed") {
			t.Errorf("%v, want that the pages are closed", err)
		}
	})
}

// TestClockPutBack: a clock that goes back makes no page last longer, and no pause after a failure.
func TestClockPutBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		now := time.Now()
		put := func(d time.Duration) {
			mu.Lock()
			defer mu.Unlock()
			now = now.Add(d)
		}
		s := &source{}
		page := newPage(t, newPages(t, static.Options{Clock: func() time.Time {
			mu.Lock()
			defer mu.Unlock()
			return now
		}}), static.PageOptions{Render: s.render, Revalidate: time.Minute})
		want(t, get(page, "/"), 200, "render 1")
		put(-time.Hour)
		want(t, get(page, "/"), 200, "render 1")
		synctest.Wait()
		want(t, get(page, "/"), 200, "render 2")
		s.set(func(s *source) { s.fails = errors.New("S3 is down") })
		put(time.Minute)
		get(page, "/")
		synctest.Wait()
		s.set(func(s *source) { s.fails = nil })
		put(-time.Hour)
		get(page, "/")
		synctest.Wait()
		want(t, get(page, "/"), 200, "render 4")
	})
}

// TestPrerenderWaits: Prerender returns when what was due has been rendered, and says what failed.
func TestPrerenderWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{takes: time.Second}
		pages := newPages(t, static.Options{})
		page := newPage(t, pages, static.PageOptions{Render: s.render, Revalidate: time.Minute})
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if err := pages.Prerender(ended); !errors.Is(err, context.Canceled) || s.count() != 0 {
			t.Errorf("%v, and %d renders for nobody", err, s.count())
		}
		for n := range 2 {
			if err := pages.Prerender(t.Context()); err != nil || s.count() != n+1 {
				t.Errorf("%v, %d renders, want %d", err, s.count(), n+1)
			}
			time.Sleep(time.Minute)
		}
		s.set(func(s *source) { s.fails = errors.New("S3 is down") })
		if err := pages.Prerender(t.Context()); !errors.Is(err, s.fails) {
			t.Errorf("%v, want why the page is not new", err)
		}
		want(t, get(page, "/"), 200, "render 2")
	})
}

// TestRefreshOfNothing: a variant that no request can be for is not rendered.
func TestRefreshOfNothing(t *testing.T) {
	s := &source{}
	page := newPage(t, newPages(t, static.Options{}), static.PageOptions{
		Render: s.render, Revalidate: time.Hour, Params: []string{"slug"},
	})
	for name, params := range map[string]map[string]string{
		"none":    nil,
		"another": {"Slug": "a"},
		"more":    {"slug": "a", "id": "1"},
	} {
		err := page.Refresh(t.Context(), static.Request{Params: params})
		if err == nil || s.count() > 0 {
			t.Errorf("%s: %v, %d renders", name, err, s.count())
		}
	}
}
