package static_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"html/template"
	"log"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/amplifyhttp"
	"github.com/amplify-go/amplify/static"
	"github.com/amplify-go/amplify/storage"
)

// outputs is what //go:embed amplify_outputs.json gives.
var outputs = []byte(`{"version":"1.4",
	"auth":{"user_pool_id":"eu-west-1_Example01","user_pool_client_id":"1example23456789",
		"identity_pool_id":"eu-west-1:11111111-2222-3333-4444-555555555555",
		"aws_region":"eu-west-1","unauthenticated_identities_enabled":true},
	"storage":{"aws_region":"eu-west-1","bucket_name":"example-drive"}}`)

func newRunner() *amplifyhttp.ServerRunner {
	cfg, err := amplify.ParseConfig(outputs)
	if err != nil {
		log.Fatal(err)
	}
	runner, err := amplifyhttp.NewServerRunner(cfg, amplifyhttp.Options{})
	if err != nil {
		log.Fatal(err)
	}
	return runner
}

var splash = template.Must(template.New("").Parse(`<img src="{{.}}" alt="Splash Image">`))

// A page with a picture in S3: "Static rendering" and getStaticProps of the Amplify documentation.
// The address of the picture expires, and the page with it.
func Example() {
	runner := newRunner()
	defer runner.Close(context.Background())
	pages, err := static.New(runner, static.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer pages.Close(context.Background())

	page, err := pages.Page(static.PageOptions{
		Name: "splash",
		Render: func(ctx context.Context, _ static.Request) (*static.Content, error) {
			splashURL, err := storage.GetURL(ctx, storage.GetURLInput{
				Path:      storage.Path("public/splash.png"),
				ExpiresIn: time.Hour,
			})
			if err != nil {
				return nil, err
			}
			var body bytes.Buffer
			err = splash.Execute(&body, splashURL.URL)
			return &static.Content{Body: body.Bytes(), Expires: splashURL.ExpiresAt}, err
		},
	})
	if err != nil {
		log.Fatal(err)
	}

	mux := http.NewServeMux()
	mux.Handle("GET /splash", page)
	_ = runner.Middleware(mux) // http.ListenAndServe(":3000", runner.Middleware(mux))
}

// A page for each post of a blog, as JSON. Those that are listed are there from the start.
func ExamplePages_Page() {
	runner := newRunner()
	defer runner.Close(context.Background())
	pages, err := static.New(runner, static.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer pages.Close(context.Background())

	titles := map[string]string{"hello": "Hello, world"}
	post, err := pages.Page(static.PageOptions{
		Name:       "post",
		Params:     []string{"slug"},
		Revalidate: 10 * time.Minute,
		Prerender:  []static.Request{{Params: map[string]string{"slug": "hello"}}},
		Render: func(_ context.Context, r static.Request) (*static.Content, error) {
			title, ok := titles[r.Params["slug"]]
			if !ok {
				return &static.Content{
					Status: http.StatusNotFound, Body: []byte("No such post."),
				}, nil
			}
			body, err := json.Marshal(title)
			return &static.Content{
				Body:   body,
				Header: http.Header{"Content-Type": {"application/json"}},
			}, err
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := pages.Prerender(context.Background()); err != nil {
		log.Print(err) // the pages that failed are rendered when they are asked for
	}

	mux := http.NewServeMux()
	mux.Handle("GET /posts/{slug}", post)
	mux.HandleFunc("POST /posts/{slug}", func(w http.ResponseWriter, r *http.Request) {
		// … change the post, and then:
		err := post.Refresh(r.Context(), static.Request{
			Params: map[string]string{"slug": r.PathValue("slug")},
		})
		if err != nil {
			log.Print(err) // readers get the old page until a render succeeds
		}
	})

	for _, path := range []string{"/posts/hello", "/posts/bye"} {
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		fmt.Println(w.Code, w.Body)
	}
	// Output:
	// 200 "Hello, world"
	// 404 No such post.
}
