package static_test

import (
	"bytes"
	"context"
	"errors"
	"math"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/amplify-go/amplify/static"
)

// shelf is a store in memory, which a test can disturb.
type shelf struct {
	mu     sync.Mutex
	values map[string][]byte
	lives  map[string]time.Duration
	get    func(value []byte) ([]byte, error) // in place of what is there
	set    func() error
}

func newShelf() *shelf {
	return &shelf{values: map[string][]byte{}, lives: map[string]time.Duration{}}
}

func (s *shelf) Get(_ context.Context, key string) ([]byte, error) {
	s.mu.Lock()
	value, get := bytes.Clone(s.values[key]), s.get
	s.mu.Unlock()
	if get != nil {
		return get(value)
	}
	return value, nil
}

func (s *shelf) Set(_ context.Context, key string, value []byte, life time.Duration) error {
	s.mu.Lock()
	set := s.set
	s.mu.Unlock()
	if set != nil {
		return set()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.values[key], s.lives[key] = bytes.Clone(value), life
	return nil
}

// longest returns how long what is there is stored at most.
func (s *shelf) longest() (longest time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, life := range s.lives {
		longest = max(longest, life)
	}
	return longest
}

// TestStore: what one process has rendered another one serves, until it is due; and also afterwards
// while it cannot render itself.
func TestStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shelf := newShelf()
		s := &source{content: static.Content{Status: 404, Tags: []string{"photos"}}}
		process := func() (*static.Pages, *static.Page) {
			pages := newPages(t, static.Options{Store: shelf})
			return pages, newPage(t, pages, static.PageOptions{
				Render: s.render, Revalidate: time.Minute,
			})
		}
		_, one := process()
		want(t, get(one, "/"), 404, "render 1")
		synctest.Wait()
		if life := shelf.longest(); life != 24*time.Hour+time.Minute {
			t.Errorf("it is stored for %v, want a day and a minute", life)
		}
		time.Sleep(30 * time.Second)
		pages, two := process()
		want(t, get(two, "/"), 404, "render 1")
		age := get(two, "/").Header().Get("Cache-Control")
		if !strings.HasSuffix(age, "s-maxage=30") {
			t.Errorf("Cache-Control %q, want what is left of the minute", age)
		}
		pages.Invalidate("photos")
		get(two, "/")
		synctest.Wait()
		want(t, get(two, "/"), 404, "render 2") // and not the stored one

		time.Sleep(time.Hour)
		s.set(func(s *source) { s.fails, s.takes = errors.New("S3 is down"), time.Second })
		_, three := process()
		begin := time.Now()
		want(t, get(three, "/"), 404, "render 2")
		if waited := time.Since(begin); waited != 0 {
			t.Errorf("the reader waited %v, although there was a page", waited)
		}
		time.Sleep(time.Second)
		want(t, get(three, "/"), 404, "render 2")
		time.Sleep(time.Minute)
		s.set(func(s *source) { s.fails, s.content.Expires = nil, time.Now().Add(time.Minute) })
		get(three, "/")
		time.Sleep(2 * time.Second)
		if life := shelf.longest(); life > time.Minute {
			t.Errorf("a page that expires is stored for %v", life)
		}
	})
}

// TestBadStore: a store that fails, is slow, panics or gives what is not the page costs half a
// second at most, and none of what it gives is served.
func TestBadStore(t *testing.T) {
	var other []byte // the page of another key
	synctest.Test(t, func(t *testing.T) {
		shelf, s := newShelf(), &source{content: static.Content{Body: []byte("of another page")}}
		page := newPage(t, newPages(t, static.Options{Store: shelf}), static.PageOptions{
			Name: "other", Render: s.render, Revalidate: time.Hour,
		})
		get(page, "/")
		synctest.Wait()
		for _, other = range shelf.values {
		}
	})
	for name, bad := range map[string]func(value []byte) ([]byte, error){
		"error": func([]byte) ([]byte, error) { return nil, errors.New("no connection") },
		"panic": func([]byte) ([]byte, error) { panic("no connection") },
		"slow": func(value []byte) ([]byte, error) {
			time.Sleep(time.Second)
			return value, nil
		},
		"dead":  func([]byte) ([]byte, error) { time.Sleep(time.Hour); return nil, nil },
		"empty": func([]byte) ([]byte, error) { return []byte{}, nil },
		"nonsense": func([]byte) ([]byte, error) {
			return bytes.Repeat([]byte("nonsense"), 100), nil
		},
		"another key": func([]byte) ([]byte, error) { return other, nil },
		"cut":         func(value []byte) ([]byte, error) { return value[:len(value)/2], nil },
		"changed": func(value []byte) ([]byte, error) {
			return bytes.ReplaceAll(value, []byte("render 1"), []byte("<script>")), nil
		},
		"large": func([]byte) ([]byte, error) { return make([]byte, 17<<20), nil },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				shelf, s := newShelf(), &source{}
				process := func() *static.Page {
					return newPage(t, newPages(t, static.Options{Store: shelf}), static.PageOptions{
						Render: s.render, Revalidate: time.Minute,
					})
				}
				want(t, get(process(), "/"), 200, "render 1")
				synctest.Wait()
				shelf.get, shelf.set = bad, func() error { _, err := bad(nil); return err }
				begin := time.Now()
				page := process()
				want(t, get(page, "/"), 200, "render 2")
				if waited := time.Since(begin); waited > static.StoreTimeout {
					t.Errorf("the reader waited %v", waited)
				}
				// Nor does it keep the page from being rendered again.
				for n := range 70 {
					time.Sleep(time.Minute)
					get(page, "/")
					time.Sleep(2 * static.StoreTimeout)
					if got := s.count(); got != n+3 {
						t.Fatalf("%d renders after %d minutes", got, n+1)
					}
				}
				time.Sleep(2 * time.Hour)
			})
		})
	}
}

// TestStoredForever: a page that is always fresh is stored, too.
func TestStoredForever(t *testing.T) {
	shelf, s := newShelf(), &source{}
	pages := newPages(t, static.Options{Store: shelf})
	newPage(t, pages, static.PageOptions{Render: s.render, Revalidate: math.MaxInt64})
	if err := pages.Prerender(t.Context()); err != nil {
		t.Fatal(err)
	}
	if life := shelf.longest(); life < 100*365*24*time.Hour {
		t.Errorf("it is stored for %v", life)
	}
}

// TestStoreHasMore: what the store has is served instead of a page that has expired in memory.
func TestStoreHasMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shelf, s := newShelf(), &source{}
		expire := func(s *source) { s.content.Expires = time.Now().Add(time.Hour) }
		process := func() *static.Page {
			return newPage(t, newPages(t, static.Options{Store: shelf}), static.PageOptions{
				Render: s.render, Revalidate: time.Minute,
			})
		}
		s.set(expire)
		one, two := process(), process()
		want(t, get(one, "/"), 200, "render 1")
		synctest.Wait()
		want(t, get(two, "/"), 200, "render 1")
		time.Sleep(30 * time.Minute)
		s.set(expire)
		get(one, "/")
		synctest.Wait()
		want(t, get(one, "/"), 200, "render 2")
		time.Sleep(45 * time.Minute)
		s.set(func(s *source) { s.fails = errors.New("S3 is down") })
		want(t, get(two, "/"), 200, "render 2")
	})
}

// TestStoredTooLarge: a page of a process that may have larger ones is not used.
func TestStoredTooLarge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shelf, s := newShelf(), &source{content: static.Content{Body: make([]byte, 9<<10)}}
		for n, maxBytes := range []int64{1 << 20, 64 << 10} {
			page := newPage(t, newPages(t, static.Options{Store: shelf, MaxBytes: maxBytes}),
				static.PageOptions{Render: s.render, Revalidate: time.Hour})
			if w := get(page, "/"); w.Code != []int{200, 503}[n] {
				t.Errorf("status %d with %d bytes", w.Code, maxBytes)
			}
			synctest.Wait()
		}
	})
}

// TestExpiredWhileStored: who needs a page while the one before, which has expired, is still being
// stored does not get that one.
func TestExpiredWhileStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shelf := newShelf()
		shelf.set = func() error {
			time.Sleep(time.Second) // longer than anybody waits for it
			return nil
		}
		const life = 300 * time.Millisecond
		page := newPage(t, newPages(t, static.Options{Store: shelf}), static.PageOptions{
			Render: func(context.Context, static.Request) (*static.Content, error) {
				return &static.Content{Expires: time.Now().Add(life)}, nil
			},
		})
		want(t, get(page, "/"), 200, "")
		time.Sleep(life)
		want(t, get(page, "/"), 200, "")
		time.Sleep(time.Minute)
	})
}
