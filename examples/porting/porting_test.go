package porting

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/amplifyhttp"
	"github.com/amplify-go/amplify/amplifytest"
	"github.com/amplify-go/amplify/cognito"
	"github.com/amplify-go/amplify/cookie/cookietest"
	"github.com/amplify-go/amplify/data"
	"github.com/amplify-go/amplify/internal/markdown"
	"github.com/amplify-go/amplify/static"
)

// examples are the tests that run the code of each file.
var examples = map[string]func(*testing.T){
	"adapter.go":           testAdapter,
	"auth_routes.go":       testAuthRoutes,
	"cookies.go":           testCookies,
	"data_cookies.go":      testDataCookies,
	"data_reqres.go":       testDataReqRes,
	"dynamic_page.go":      testDynamicPage,
	"files.go":             testFiles,
	"middleware.go":        testMiddleware,
	"not_in_a_loop.go":     testNotInALoop,
	"route_handler.go":     testRouteHandler,
	"runner.go":            testRunner,
	"server_action.go":     testServerAction,
	"server_side_props.go": testServerSideProps,
	"session.go":           testSession,
	"sign_in_links.go":     testSignInLinks,
	"static_page.go":       testStaticPage,
	"static_props.go":      testStaticProps,
}

func TestExamples(t *testing.T) {
	for name, test := range examples {
		t.Run(name, test)
	}
}

// TestPage: each example of the page has a file of its own, whose code the page shows, and a test;
// and each file is on the page.
func TestPage(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/porting.md")
	if err != nil {
		t.Fatal(err)
	}
	page, err := markdown.Parse(string(text))
	if err != nil {
		t.Fatal(err)
	}
	javaScript, code := map[string]bool{}, map[string]string{} // by heading
	for _, block := range page.Blocks {
		switch block.Language {
		case "js", "jsx", "ts", "tsx":
			javaScript[block.Heading] = true
		case "go":
			code[block.Heading] += block.Text
		}
	}
	shown := map[string]bool{}
	for _, section := range strings.Split(string(text), "\n### ")[1:] {
		heading, body, _ := strings.Cut(section, "\n")
		_, link, _ := strings.Cut(body, "(../examples/porting/")
		name, _, _ := strings.Cut(link, ")")
		if !javaScript[heading] {
			t.Errorf("%q shows no JavaScript", heading)
		}
		if examples[name] == nil {
			t.Errorf("%q links to the file %q, which has no test in examples", heading, name)
			continue
		}
		shown[name] = true
		source, err := os.ReadFile(name)
		if err != nil {
			t.Error(err)
			continue
		}
		if code[heading] == "" ||
			!strings.Contains(unindented(string(source)), unindented(code[heading])) {
			t.Errorf("%q does not show the code of %s", heading, name)
		}
		delete(javaScript, heading)
	}
	for heading := range javaScript {
		t.Errorf("%q shows JavaScript: make it a heading of the third level", heading)
	}
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		name := file.Name()
		isExample := strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") &&
			name != "doc.go"
		if isExample && !shown[name] {
			t.Errorf("docs/porting.md does not show %s", name)
		}
	}
}

// unindented returns text with its lines' indentation taken off.
func unindented(text string) string {
	var lines []string
	for line := range strings.Lines(text) {
		lines = append(lines, strings.TrimSpace(line))
	}
	return strings.Join(lines, "\n")
}

const outputs = "testdata/amplify_outputs.json"

var ann = amplifytest.User{Name: "ann"}

// backend is a user pool, a bucket and a GraphQL API.
type backend struct {
	*amplifytest.Pool
	options amplifyhttp.Options
	runner  *amplifyhttp.ServerRunner
	cognito http.RoundTripper

	mu      sync.Mutex
	objects map[string]string // content types by key
	queries []string          // that the API got, with the user's token
}

func newBackend(t *testing.T) *backend {
	t.Helper()
	cfg, err := amplify.LoadConfig(outputs)
	if err != nil {
		t.Fatal(err)
	}
	b := &backend{objects: map[string]string{}}
	b.Pool = amplifytest.New(t, amplifytest.Options{Config: cfg})
	b.options = b.Options()
	b.cognito = b.options.App.HTTPClient.Transport
	b.options.App.HTTPClient = &http.Client{Transport: b}
	b.runner, err = amplifyhttp.NewServerRunner(b.Config(), b.options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.runner.Close(context.Background()) })
	return b
}

// RoundTrip implements [http.RoundTripper].
func (b *backend) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	b.mu.Lock()
	defer b.mu.Unlock()
	switch host := r.URL.Hostname(); {
	case strings.Contains(host, "appsync-api"):
		var call struct{ Query string }
		if err := json.NewDecoder(r.Body).Decode(&call); err != nil ||
			r.Header.Get("Authorization") == "" {
			return nil, fmt.Errorf("%w; Authorization: %q", err, r.Header.Get("Authorization"))
		}
		b.queries = append(b.queries, call.Query)
		fmt.Fprint(w, `{"data": {"listTodos": {"items": [{"id": "1", "content": "port it"}]}}}`)
	case strings.HasPrefix(host, "example-drive.s3."):
		b.serveObject(w, r)
	default:
		return b.cognito.RoundTrip(r)
	}
	response := w.Result()
	response.Request = r
	return response, nil
}

func (b *backend) serveObject(w http.ResponseWriter, r *http.Request) {
	key := strings.TrimPrefix(r.URL.Path, "/")
	source, _ := strings.CutPrefix(strings.TrimPrefix(r.Header.Get("X-Amz-Copy-Source"), "/"),
		"example-drive/")
	switch {
	case !strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 "):
		w.WriteHeader(http.StatusForbidden)
	case r.Method == http.MethodGet && r.URL.Query().Get("list-type") == "2":
		var contents strings.Builder
		count, prefix := 0, r.URL.Query().Get("prefix")
		for _, key := range slices.Sorted(maps.Keys(b.objects)) {
			if strings.HasPrefix(key, prefix) {
				fmt.Fprintf(&contents, "<Contents><Key>%s</Key><Size>1</Size></Contents>", key)
				count++
			}
		}
		fmt.Fprintf(w, "<ListBucketResult><Name>example-drive</Name><Prefix>%s</Prefix>"+
			"<MaxKeys>%s</MaxKeys><KeyCount>%d</KeyCount>%s</ListBucketResult>",
			prefix, r.URL.Query().Get("max-keys"), count, &contents)
	case r.Method == http.MethodHead && b.objects[key] != "":
		w.Header().Set("Content-Type", b.objects[key])
	case r.Method == http.MethodPut && b.objects[source] != "":
		b.objects[key] = b.objects[source]
		fmt.Fprint(w, "<CopyObjectResult></CopyObjectResult>")
	case r.Method == http.MethodDelete:
		delete(b.objects, key)
		w.WriteHeader(http.StatusNoContent)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

// get asks h for a page, as a user or, without one, as nobody, and returns the answer.
func (b *backend) get(
	h http.Handler, path string, users ...amplifytest.User,
) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "https://myapp.com"+path, nil)
	r.Header.Set("Sec-Fetch-Mode", "navigate")
	for _, u := range users {
		b.SignIn(r, u)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func testRunner(t *testing.T) {
	runner, err := newRunner(outputs)
	if err != nil {
		t.Fatal(err)
	}
	defer runner.Close(t.Context())
	w := httptest.NewRecorder()
	runner.Middleware(http.HandlerFunc(currentUser)).ServeHTTP(w,
		httptest.NewRequest(http.MethodGet, "/", nil))
	if w.Code != http.StatusUnauthorized {
		t.Errorf("nobody: status %d", w.Code)
	}
	if _, err := newRunner("testdata/missing.json"); err == nil {
		t.Error("outputs that are not there: no error")
	}
}

func testCookies(t *testing.T) {
	b := newBackend(t)
	t.Setenv("AMPLIFY_APP_ORIGIN", b.Origin())
	runner, err := newSignInRunner(b.Config(), b.options.App)
	if err != nil {
		t.Fatal(err)
	}
	defer runner.Close(t.Context())
	page := runner.Middleware(http.HandlerFunc(hello))

	r := httptest.NewRequest(http.MethodGet, b.Origin(), nil)
	b.SignIn(r, ann, amplifytest.Expired) // so that the answer sets cookies
	w := httptest.NewRecorder()
	page.ServeHTTP(w, r)

	tokens := 0
	for _, c := range w.Result().Cookies() {
		if c.MaxAge < 0 || !strings.HasSuffix(c.Name, "Token") {
			continue
		}
		tokens++
		if c.Domain != "myapp.com" || c.SameSite != http.SameSiteStrictMode ||
			c.MaxAge != 7*24*60*60 || !c.HttpOnly || !c.Secure {
			t.Errorf("cookie: %v", c)
		}
	}
	if tokens == 0 {
		t.Errorf("status %d, no cookies", w.Code)
	}
}

func testAuthRoutes(t *testing.T) {
	b := newBackend(t)
	mux := http.NewServeMux()
	if err := handleAuth(mux, b.runner); err != nil {
		t.Fatal(err)
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.URL.Path) })
	browser := b.Browser(b.runner.Middleware(mux), ann)
	for _, tt := range [][2]string{
		{"/api/auth/sign-in", "/home"}, {"/api/auth/sign-out", "/sign-in"},
		{"/api/auth/sign-up", "/home"},
	} {
		page, err := browser.Get(b.Origin() + tt[0])
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(page.Body)
		page.Body.Close()
		if string(body) != tt[1] {
			t.Errorf("%s leads to %q, want %q", tt[0], body, tt[1])
		}
	}
}

func testSignInLinks(t *testing.T) {
	b := newBackend(t)
	mux := http.NewServeMux()
	if err := handleAuth(mux, b.runner); err != nil {
		t.Fatal(err)
	}
	var page strings.Builder
	if err := signInLinks.Execute(&page, nil); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"/oauth2/authorize?", "identity_provider=Google", "lang=fr", "/signup?", "/logout?",
	}
	for i, link := range strings.Split(page.String(), `href="`)[1:] {
		link, _, _ = strings.Cut(link, `"`)
		w := b.get(mux, link)
		location := w.Header().Get("Location")
		if !strings.HasPrefix(location, "https://auth.myapp.com/") ||
			!strings.Contains(location, want[i]) {
			t.Errorf("%s: status %d, location %q", link, w.Code, location)
		}
	}
}

func testMiddleware(t *testing.T) {
	b := newBackend(t)
	echo := func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.URL.Path) }
	h, err := protect(b.runner, http.HandlerFunc(echo))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/sign-in", "/api/x", "/static/x.css", "/favicon.ico"} {
		if w := b.get(h, path); w.Code != http.StatusOK {
			t.Errorf("%s: status %d", path, w.Code)
		}
	}
	w := b.get(h, "/notes")
	if location := w.Header().Get("Location"); location != "/sign-in?return_to=%2Fnotes" {
		t.Errorf("nobody: status %d, %q", w.Code, location)
	}
	if w := b.get(h, "/notes", ann); w.Code != http.StatusOK {
		t.Errorf("ann: status %d", w.Code)
	}
}

func testSession(t *testing.T) {
	b := newBackend(t)
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	b.SignIn(r, ann, amplifytest.Expired)
	w := httptest.NewRecorder()
	signedIn, err := isSignedIn(b.runner, w, r)
	if err != nil || !signedIn || w.Header().Get("Set-Cookie") == "" {
		t.Errorf("signed in: %v, %v; header %v", signedIn, err, w.Header())
	}
	b.SetOutage(amplifytest.Down)
	if signedIn, err = isSignedIn(b.runner, httptest.NewRecorder(), r); err == nil && !signedIn {
		t.Error("an outage: signed out")
	}
}

func testDynamicPage(t *testing.T) {
	b := newBackend(t)
	h := b.runner.Middleware(http.HandlerFunc(hello))
	if w := b.get(h, "/", ann); w.Body.String() != "<p>Hello, ann</p>" {
		t.Errorf("ann: %s", w.Body)
	}
	w := b.get(h, "/", amplifytest.User{Name: "<b>"})
	if w.Body.String() != "<p>Hello, &lt;b&gt;</p>" {
		t.Errorf("a name with markup: %s", w.Body)
	}
	if w := b.get(h, "/"); w.Code != http.StatusInternalServerError {
		t.Errorf("nobody: status %d", w.Code)
	}
}

func testRouteHandler(t *testing.T) {
	b := newBackend(t)
	h := b.runner.Middleware(http.HandlerFunc(currentUser))
	w := b.get(h, "/apis/get-current-user", ann)
	if !strings.Contains(w.Body.String(), `{"user":{"username":"ann"`) {
		t.Errorf("ann: %s", w.Body)
	}
	if w := b.get(h, "/apis/get-current-user"); w.Code != http.StatusUnauthorized {
		t.Errorf("nobody: status %d", w.Code)
	}
}

func testServerSideProps(t *testing.T) {
	b := newBackend(t)
	if w := b.get(profile(b.runner), "/", ann); w.Body.String() != "<p>Hello, ann</p>" {
		t.Errorf("ann: %s", w.Body)
	}
	if w := b.get(profile(b.runner), "/"); w.Header().Get("Location") != "/sign-in" {
		t.Errorf("nobody: status %d", w.Code)
	}
}

func testServerAction(t *testing.T) {
	b := newBackend(t)
	names := map[string]string{}
	mux := http.NewServeMux()
	handleForm(mux, b.runner, func(_ context.Context, userID, nickname string) error {
		names[userID] = nickname
		return nil
	})
	send := func(site string) int {
		r := httptest.NewRequest(http.MethodPost, "https://myapp.com/profile",
			strings.NewReader("nickname=Annie"))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", site)
		b.SignIn(r, ann)
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		return w.Code
	}
	if status := send("cross-site"); status != http.StatusForbidden || len(names) > 0 {
		t.Errorf("another site: status %d, %v", status, names)
	}
	if status := send("same-origin"); status != http.StatusSeeOther || names[ann.ID()] != "Annie" {
		t.Errorf("status %d, %v", status, names)
	}
}

// newPages returns Pages on the clock of b.
func newPages(t *testing.T, b *backend) *static.Pages {
	t.Helper()
	pages, err := static.New(b.runner, static.Options{Clock: b.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pages.Close(context.Background()) })
	return pages
}

func testStaticPage(t *testing.T) {
	b := newBackend(t)
	page, err := newStaticPage(newPages(t, b))
	if err != nil {
		t.Fatal(err)
	}
	h := b.runner.Middleware(page)
	first := b.get(h, "/splash", ann)
	if !strings.HasPrefix(first.Body.String(), `<img src="https://example-drive.s3.`) ||
		!strings.Contains(first.Body.String(), "/public/splash.png?") {
		t.Errorf("status %d: %s", first.Code, first.Body)
	}
	b.Advance(10 * time.Minute)
	if again := b.get(h, "/splash"); again.Body.String() != first.Body.String() {
		t.Error("the page is another one ten minutes later, and for nobody")
	}
	b.Advance(3 * time.Hour)
	if later := b.get(h, "/splash"); later.Code != http.StatusOK ||
		later.Body.String() == first.Body.String() {
		t.Errorf("the page is served with a link that has expired: status %d", later.Code)
	}
}

func testStaticProps(t *testing.T) {
	b := newBackend(t)
	page, err := newStaticProps(newPages(t, b))
	if err != nil {
		t.Fatal(err)
	}
	first := b.get(page, "/splash")
	if !strings.HasPrefix(first.Body.String(), `{"imageUrl":"https://example-drive.s3.`) ||
		// three quarters of 15 minutes
		!strings.HasSuffix(first.Header().Get("Cache-Control"), "s-maxage=675") {
		t.Errorf("%s\n%v", first.Body, first.Header())
	}
	b.Advance(16 * time.Minute)
	if later := b.get(page, "/splash"); later.Code != http.StatusOK ||
		later.Body.String() == first.Body.String() {
		t.Errorf("the link has expired: status %d", later.Code)
	}
}

func testDataCookies(t *testing.T) {
	b := newBackend(t)
	mux := http.NewServeMux()
	if err := handleTodos(mux, b.runner); err != nil {
		t.Fatal(err)
	}
	w := b.get(mux, "/todos", ann)
	if strings.TrimSpace(w.Body.String()) != `[{"id":"1","content":"port it"}]` ||
		len(b.queries) != 1 {
		t.Errorf("status %d: %s\n%q", w.Code, w.Body, b.queries)
	}
	if w := b.get(mux, "/todos"); w.Code != http.StatusBadGateway || len(b.queries) != 1 {
		t.Errorf("nobody: status %d: %s", w.Code, w.Body)
	}
}

func testDataReqRes(t *testing.T) {
	b := newBackend(t)
	todos, err := data.ModelOf[Todo](b.runner.App(), "Todo")
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	b.SignIn(r, ann)
	page, err := todosOf(b.runner, todos, httptest.NewRecorder(), r)
	if err != nil || len(page.Items) != 1 || page.Items[0].Content != "port it" {
		t.Errorf("%v, %v", page, err)
	}
}

func testFiles(t *testing.T) {
	b := newBackend(t)
	b.objects = map[string]string{"drafts/a.png": "image/png", "drafts/b.txt": "text/plain"}
	h := b.runner.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if err := publish(r.Context()); err != nil {
			t.Error(err)
		}
	}))
	b.get(h, "/", ann)
	keys := slices.Sorted(maps.Keys(b.objects))
	if !slices.Equal(keys, []string{"drafts/b.txt", "public/a.png"}) {
		t.Errorf("objects: %q", keys)
	}
}

func testNotInALoop(t *testing.T) {
	b := newBackend(t)
	w := b.get(b.runner.Middleware(http.HandlerFunc(album)), "/album", ann)
	if links := strings.Count(w.Body.String(), "https://example-drive.s3."); links != 100 {
		t.Errorf("%d links: %s", links, w.Body)
	}
	if calls := b.Calls(); calls["GetId"] != 1 || calls["GetCredentialsForIdentity"] != 1 {
		t.Errorf("calls: %v", calls)
	}
}

func testAdapter(t *testing.T) {
	b := newBackend(t)
	client, err := cognito.New(b.runner.App(), cognito.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close(t.Context())
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	b.SignIn(r, ann)
	request := frameworkRequest{cookies: r.Cookies(), response: http.Header{}}
	if got, err := welcome(t.Context(), b.runner.App(), client, request); err != nil ||
		got != "Welcome ann!" {
		t.Errorf("%q, %v", got, err)
	}
	b.Advance(2 * time.Hour)
	_, err = welcome(t.Context(), b.runner.App(), client, request)
	if err != nil || request.response.Get("Set-Cookie") == "" {
		t.Errorf("two hours later: %v, header %v", err, request.response)
	}
	nobody := frameworkRequest{response: http.Header{}}
	_, err = welcome(t.Context(), b.runner.App(), client, nobody)
	if amplify.ReasonOf(err) != amplify.ReasonNoSession {
		t.Errorf("nobody: %v", err)
	}
	cookietest.Run(t, func(_ *testing.T, lines []string) cookietest.Exchange {
		var request frameworkRequest
		request.response = http.Header{}
		for pair := range strings.SplitSeq(strings.Join(lines, "; "), ";") {
			name, value, _ := strings.Cut(strings.TrimSpace(pair), "=")
			request.cookies = append(request.cookies, &http.Cookie{Name: name, Value: value})
		}
		return cookietest.Exchange{Store: request, SetCookie: func() []string {
			return request.response.Values("Set-Cookie")
		}}
	})
}
