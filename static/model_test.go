package static_test

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/amplify-go/amplify/static"
)

// The model is what pages promise, in plain words: it knows no locks, no goroutines and no cache.
// It is asked what each reader must get, and told what happens, in the order of time.
type model struct {
	now           time.Time
	invalidations int
	variants      map[string]*variant
}

// variant is what the model knows of one page for one set of parameters.
type variant struct {
	page        *modelPage // what readers get; nil before the first render, or after an eviction
	render      *modelRender
	renders     int // so far
	failures    int // since the last success
	retry       time.Time
	invalidated int // the number of the last invalidation of it
}

type modelPage struct {
	body         string
	status       int
	due, expires time.Time
	after        int // how many invalidations there had been when its render began
}

// modelRender is a render under way. What becomes of it is known from the start.
type modelRender struct {
	ends    time.Time // when its readers know
	returns time.Time // when the next one may begin; later if it minds no deadline
	page    *modelPage
	known   bool // ends is over
	readers []*reader
}

// world is what renders depend on. The model and the render function look at the same.
type world struct {
	mu       sync.Mutex
	version  int
	fails    bool
	takes    time.Duration
	deaf     bool          // to the deadline
	lives    time.Duration // until the page expires; zero is for ever
	running  map[string]int
	renders  map[string]int
	overlaps int
}

const (
	modelRevalidate = time.Minute
	modelTimeout    = 10 * time.Second
)

// result returns what a render that begins now makes, and how long it takes.
func (w *world) result(name string, nth int) (
	body string, status int, fails bool, takes, lives time.Duration, deaf bool,
) {
	status = 200
	if w.version%7 == 3 {
		status = 404
	}
	body = fmt.Sprintf("%s: version %d, render %d", name, w.version, nth)
	return body, status, w.fails, w.takes, w.lives, w.deaf
}

// render returns the render function of a page.
func (w *world) render(page string) func(context.Context, static.Request) (*static.Content, error) {
	return func(ctx context.Context, r static.Request) (*static.Content, error) {
		name := page + "/" + r.Params["slug"]
		w.mu.Lock()
		w.renders[name]++
		if w.running[name]++; w.running[name] > 1 {
			w.overlaps++
		}
		body, status, fails, takes, lives, deaf := w.result(name, w.renders[name])
		w.mu.Unlock()
		defer func() {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.running[name]--
		}()
		c := &static.Content{
			Body: []byte(body), Status: status, Tags: []string{"tag " + r.Params["slug"]},
		}
		if lives != 0 {
			c.Expires = time.Now().Add(lives)
		}
		done := ctx.Done()
		if deaf {
			done = nil
		}
		select {
		case <-time.After(takes):
		case <-done:
			return nil, ctx.Err()
		}
		if fails {
			panic("the backend is down")
		}
		return c, nil
	}
}

// begin begins a render.
func (m *model) begin(name string, v *variant, w *world) {
	v.renders++
	body, status, fails, takes, lives, deaf := w.result(name, v.renders)
	r := &modelRender{ends: m.now.Add(min(takes, modelTimeout)), returns: m.now.Add(takes)}
	if !deaf {
		r.returns = r.ends
	}
	if !fails && takes < modelTimeout {
		r.page = &modelPage{
			body: body, status: status, due: m.now.Add(modelRevalidate), after: m.invalidations,
		}
		if lives != 0 {
			r.page.expires = m.now.Add(lives)
			if due := m.now.Add(lives * 3 / 4); due.Before(r.page.due) {
				r.page.due = due
			}
			if !r.ends.Before(r.page.expires) {
				r.page = nil // it is too late for it
			}
		}
	}
	v.render = r
}

// isFresh says whether nobody needs to render the page.
func (m *model) isFresh(v *variant) bool {
	return v.page != nil && m.now.Before(v.page.due) && v.page.after >= v.invalidated
}

// read says what a reader must get now. If that is not known yet, it is told to the reader later.
func (m *model) read(name string, w *world, r *reader) {
	v := m.variants[name]
	usable := v.page != nil && (v.page.expires.IsZero() || m.now.Before(v.page.expires))
	if !m.isFresh(v) && v.render == nil && !m.now.Before(v.retry) {
		m.begin(name, v, w)
	}
	switch {
	case usable:
		r.expect(m, v)
	case v.render != nil && !v.render.known:
		v.render.readers = append(v.render.readers, r)
	default:
		r.expectError()
	}
}

// advance lets time pass.
func (m *model) advance(d time.Duration) {
	end := m.now.Add(d)
	type event struct {
		at time.Time
		do func()
	}
	var events []event
	for _, v := range m.variants {
		r := v.render
		if r == nil {
			continue
		}
		if !r.known {
			events = append(events, event{r.ends, func() { m.settle(v, r) }})
		}
		events = append(events, event{r.returns, func() { v.render = nil }})
	}
	slices.SortStableFunc(events, func(a, b event) int { return a.at.Compare(b.at) })
	for _, e := range events {
		if !e.at.After(end) {
			m.now = e.at
			e.do()
		}
	}
	m.now = end
}

// settle ends a render.
func (m *model) settle(v *variant, r *modelRender) {
	r.known = true
	if r.page == nil {
		v.failures++
		v.retry = m.now.Add(min(time.Second<<(v.failures-1), time.Minute))
	} else {
		v.page, v.failures, v.retry = r.page, 0, time.Time{}
	}
	for _, reader := range r.readers {
		if r.page == nil {
			reader.expectError()
		} else {
			reader.expect(m, v)
		}
	}
}

// invalidate says that variants have changed.
func (m *model) invalidate(concerned func(name string) bool) {
	m.invalidations++
	for name, v := range m.variants {
		if concerned(name) {
			v.invalidated = m.invalidations
		}
	}
}

// reader is somebody who reads a page, and what he must get and has got.
type reader struct {
	name       string
	asked      int // in which step
	want, got  string
	hasAnswer  bool
	mustAnswer bool
}

func (r *reader) expect(m *model, v *variant) {
	left := 0
	if m.isFresh(v) {
		left = int(v.page.due.Sub(m.now) / time.Second)
	}
	r.mustAnswer = true
	r.want = fmt.Sprintf("%d %s, s-maxage=%d", v.page.status, v.page.body, left)
}

func (r *reader) expectError() { r.mustAnswer, r.want = true, "503" }

func (r *reader) answer(w *httptest.ResponseRecorder) {
	r.hasAnswer = true
	if r.got = fmt.Sprint(w.Code); w.Code != 503 {
		_, age, _ := strings.Cut(w.Header().Get("Cache-Control"), "s-maxage=")
		r.got = fmt.Sprintf("%d %s, s-maxage=%s", w.Code, w.Body, age)
	}
}

// TestModel has random readers, changes, failures, slow renders, invalidations and evictions, and
// compares each answer with the model's: which page, for how long, or that there is none. No two
// renders of one variant run at once, and there are as many as the model says.
func TestModel(t *testing.T) {
	for seed := range uint64(60) {
		synctest.Test(t, func(t *testing.T) { runModel(t, seed, 150) })
		if t.Failed() {
			t.Fatalf("with seed %d", seed)
		}
	}
}

func runModel(t *testing.T, seed uint64, steps int) {
	random := rand.New(rand.NewPCG(seed, 0))
	pages := newPages(t, static.Options{RenderTimeout: modelTimeout, MaxNewVariants: 1e6})
	w := &world{takes: time.Millisecond, running: map[string]int{}, renders: map[string]int{}}
	m := &model{now: time.Now(), variants: map[string]*variant{}}
	site := map[string]*static.Page{}
	var all []string
	for _, name := range []string{"home", "posts", "drafts"} {
		o := static.PageOptions{Name: name, Render: w.render(name), Revalidate: modelRevalidate}
		slugs := []string{""}
		if name != "home" {
			o.Params, slugs = []string{"slug"}, []string{"a", "b", "a/b", "a&slug=b"}
		}
		site[name] = newPage(t, pages, o)
		for _, slug := range slugs {
			all = append(all, name+"/"+slug)
			m.variants[name+"/"+slug] = &variant{}
		}
	}
	request := func(name string) (*static.Page, static.Request) {
		page, slug, _ := strings.Cut(name, "/")
		if slug == "" {
			return site[page], static.Request{}
		}
		return site[page], static.Request{Params: map[string]string{"slug": slug}}
	}
	var mu sync.Mutex // of readers
	var readers []*reader
	read := func(step int, name string, hangUp bool) {
		r := &reader{name: name, asked: step}
		m.read(name, w, r)
		page, in := request(name)
		ctx, cancel := context.WithCancel(t.Context())
		hr := httptest.NewRequest("GET", "/", nil).WithContext(ctx)
		hr.SetPathValue("slug", in.Params["slug"])
		if !hangUp {
			readers = append(readers, r)
		}
		go func() {
			defer cancel()
			answer := httptest.NewRecorder()
			page.ServeHTTP(answer, hr)
			mu.Lock()
			defer mu.Unlock()
			r.answer(answer)
		}()
		if hangUp {
			synctest.Wait()
			cancel()
		}
	}
	check := func() {
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		readers = slices.DeleteFunc(readers, func(r *reader) bool {
			if r.hasAnswer != r.mustAnswer || r.got != r.want {
				t.Errorf("seed %d, %s asked for in step %d: %q, want %q",
					seed, r.name, r.asked, r.got, r.want)
				return true
			}
			return r.hasAnswer
		})
	}
	for step := range steps {
		name := all[random.IntN(len(all))]
		page, in := request(name)
		switch random.IntN(16) {
		case 0, 1, 2, 3:
			read(step, name, false)
		case 4:
			for range 20 {
				read(step, name, false)
			}
		case 5:
			read(step, name, true)
		case 6, 7:
			d := time.Duration(random.IntN(3000)) * time.Millisecond
			time.Sleep(d)
			m.advance(d)
		case 8, 9:
			d := time.Duration(random.IntN(90_000)) * time.Millisecond
			time.Sleep(d)
			m.advance(d)
		case 10:
			w.mu.Lock()
			w.version++
			w.takes = cmp.Or(time.Duration(random.IntN(4))*100*time.Millisecond, 12*time.Second)
			if w.deaf = random.IntN(4) == 0; random.IntN(3) > 0 {
				w.takes = time.Millisecond
			}
			w.mu.Unlock()
		case 11:
			w.mu.Lock()
			w.fails = random.IntN(3) == 0
			w.mu.Unlock()
		case 12:
			w.mu.Lock()
			lives := []time.Duration{0, 0, 2 * time.Second, 40 * time.Second, time.Hour}
			w.lives = lives[random.IntN(len(lives))]
			w.mu.Unlock()
		case 13:
			pages.Invalidate(page.Tag(in))
			m.invalidate(func(other string) bool { return other == name })
		case 14:
			if random.IntN(2) == 0 {
				slug := in.Params["slug"]
				pages.Invalidate("unknown", "tag "+slug)
				m.invalidate(func(other string) bool {
					_, otherSlug, _ := strings.Cut(other, "/")
					return otherSlug == slug
				})
			} else {
				p, _, _ := strings.Cut(name, "/")
				pages.Invalidate(p)
				m.invalidate(func(other string) bool { return strings.HasPrefix(other, p+"/") })
			}
		case 15:
			static.Evict(page, in)
			if in.Params != nil {
				m.variants[name].page = nil
			}
		}
		check()
	}
	time.Sleep(time.Minute)
	m.advance(time.Minute)
	check()
	if len(readers) > 0 || w.overlaps > 0 {
		t.Errorf("%d readers without an answer, %d renders of a variant at once",
			len(readers), w.overlaps)
	}
	for name, v := range m.variants {
		if w.renders[name] != v.renders {
			t.Errorf("%s was rendered %d times, want %d", name, w.renders[name], v.renders)
		}
	}
}
