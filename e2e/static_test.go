package e2e

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/auth"
	"github.com/amplify-go/amplify/sandbox"
	"github.com/amplify-go/amplify/sandbox/faults"
	"github.com/amplify-go/amplify/static"
	"github.com/amplify-go/amplify/storage"
)

// S3 and Cognito are down, and a page is due that needs both. 1,000 readers at once get the last
// good page, and one render tries: again only after a pause. When the backend is back, so is the
// page.
func TestStaticPageDuringOutage(t *testing.T) {
	const readers = 1000
	d := startDrive(t, sandbox.Config{})
	d.as(t, ada, func(ctx context.Context) {
		_, err := storage.UploadData(ctx, storage.UploadDataInput{
			Path: storage.Path("public/splash.png"), Body: strings.NewReader("splash"),
		})
		if err != nil {
			t.Fatal(err)
		}
	})
	var later atomic.Int64 // how much later it is
	now := stopped()
	clock := func() time.Time { return now().Add(time.Duration(later.Load())) }
	server := newVisitors(t, d.Outputs(), amplify.Options{Clock: clock})
	pages, err := static.New(server.runner, static.Options{Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	defer pages.Close(context.WithoutCancel(t.Context()))
	var renders atomic.Int64
	ended := make(chan struct{}, 10) // one for each render
	page, err := pages.Page(static.PageOptions{
		Name: "splash", Revalidate: time.Minute,
		Render: func(ctx context.Context, _ static.Request) (*static.Content, error) {
			defer func() { ended <- struct{}{} }()
			renders.Add(1)
			// A render that needs new credentials.
			_, err := auth.FetchAuthSession(ctx, auth.FetchAuthSessionInput{ForceRefresh: true})
			if err != nil {
				return nil, err
			}
			_, err = storage.List(ctx, storage.ListInput{Path: storage.Path("public/")})
			if err != nil {
				return nil, err
			}
			splash, err := storage.GetURL(ctx, storage.GetURLInput{
				Path: storage.Path("public/splash.png"),
			})
			if err != nil {
				return nil, err
			}
			return &static.Content{Body: []byte(splash.URL)}, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	site := httptest.NewServer(server.runner.Middleware(page))
	defer site.Close()
	transport := &http.Transport{MaxIdleConnsPerHost: 64, MaxConnsPerHost: 64}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	read := func() (body, cached string) {
		response, err := client.Get(site.URL)
		if err != nil {
			t.Error(err)
			return
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		if err != nil || response.StatusCode != http.StatusOK {
			t.Errorf("%s, %v", response.Status, err)
		}
		return string(text), response.Header.Get("Cache-Control")
	}
	crowd := func(want string) {
		t.Helper()
		var group sync.WaitGroup
		for range readers {
			group.Go(func() {
				body, cached := read()
				if body != want || !strings.HasSuffix(cached, "s-maxage=0") {
					t.Errorf("a reader got %q, Cache-Control %q", body, cached)
				}
			})
		}
		group.Wait()
	}
	// An ended render has yet to be noted: readers join it until then.
	wantRenders := func(want int64) {
		t.Helper()
		<-ended
		if n := renders.Load(); n != want {
			t.Errorf("%d renders, want %d", n, want)
		}
	}

	first, _ := read()
	if !strings.Contains(first, "X-Amz-Signature") {
		t.Fatalf("the page is %q", first)
	}
	wantRenders(1)
	if _, err := d.Faults().Add(faults.Fault{Outcome: faults.Drop}); err != nil {
		t.Fatal(err)
	}
	later.Add(int64(time.Minute))
	crowd(first)
	wantRenders(2)
	crowd(first)
	if n := renders.Load(); n != 2 {
		t.Errorf("%d renders before the pause was over, want 2", n)
	}
	later.Add(int64(time.Minute))
	crowd(first)
	wantRenders(3)

	d.Faults().Clear()
	later.Add(int64(2 * time.Minute))
	if err := page.Refresh(t.Context(), static.Request{}); err != nil {
		t.Fatal(err)
	}
	if body, cached := read(); body == first || strings.HasSuffix(cached, "s-maxage=0") {
		t.Errorf("after the outage readers get %q, Cache-Control %q", body, cached)
	}
}
