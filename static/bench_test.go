package static_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/amplify-go/amplify/static"
)

// handlers are the same bytes as a cached page and as a static handler that has them in memory.
func handlers(b *testing.B, size int) map[string]http.Handler {
	body := make([]byte, size)
	for i := range body {
		body[i] = 'a' + byte(i%26)
	}
	pages := newPages(b, static.Options{})
	o := static.PageOptions{
		Name: "home", Revalidate: time.Hour,
		Render: func(context.Context, static.Request) (*static.Content, error) {
			return &static.Content{Body: body}, nil
		},
	}
	page := newPage(b, pages, o)
	o.Name, o.Params = "posts", []string{"slug"}
	posts := newPage(b, pages, o)
	return map[string]http.Handler{
		"static": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			h := w.Header()
			h.Set("Content-Type", "text/html; charset=utf-8")
			h.Set("Cache-Control", "public, max-age=0, must-revalidate, s-maxage=3600")
			h.Set("Etag", `"AAAAAAAAAAAAAAAAAAAAAA"`)
			h.Set("Content-Length", strconv.Itoa(len(body)))
			_, _ = w.Write(body)
		}),
		"cached": page,
		"cached variant": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.SetPathValue("slug", "hello")
			posts.ServeHTTP(w, r)
		}),
	}
}

// BenchmarkServed asks over a connection for a cached page and for a static handler of the same
// bytes, by turns. speed-ratio is how many pages are served in the time of one static answer: the
// goal is 0.9.
func BenchmarkServed(b *testing.B) {
	for _, size := range []int{1 << 10, 32 << 10} {
		all := handlers(b, size)
		for _, name := range []string{"cached", "cached variant"} {
			b.Run(fmt.Sprintf("%s/%d KiB", name, size>>10), func(b *testing.B) {
				page, static := httptest.NewServer(all[name]), httptest.NewServer(all["static"])
				defer page.Close()
				defer static.Close()
				var pageTime, staticTime time.Duration
				for b.Loop() {
					pageTime += timed(b, page, size)
					staticTime += timed(b, static, size)
				}
				b.ReportMetric(float64(staticTime)/float64(pageTime), "speed-ratio")
				b.ReportMetric(float64(pageTime.Nanoseconds())/float64(b.N), "ns/page")
				b.ReportMetric(float64(staticTime.Nanoseconds())/float64(b.N), "ns/static")
			})
		}
	}
}

// timed returns how long it takes to get so many bytes of a server.
func timed(b *testing.B, server *httptest.Server, size int) time.Duration {
	started := time.Now()
	response, err := server.Client().Get(server.URL)
	if err != nil {
		b.Fatal(err)
	}
	n, err := io.Copy(io.Discard, response.Body)
	if err != nil || n != int64(size) {
		b.Fatal(n, err)
	}
	response.Body.Close()
	return time.Since(started)
}

// discard is a response that nobody reads.
type discard http.Header

func (d discard) Header() http.Header         { return http.Header(d) }
func (d discard) Write(b []byte) (int, error) { return len(b), nil }
func (discard) WriteHeader(int)               {}

// BenchmarkHandler is what a page costs without a connection.
func BenchmarkHandler(b *testing.B) {
	for name, handler := range handlers(b, 32<<10) {
		b.Run(name, func(b *testing.B) {
			r := httptest.NewRequest("GET", "/", nil)
			b.ReportAllocs()
			for b.Loop() {
				handler.ServeHTTP(discard{}, r)
			}
		})
	}
}
