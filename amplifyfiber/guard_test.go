package amplifyfiber

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v3"
	"github.com/gofiber/fiber/v3/middleware/adaptor"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/static"
)

// TestGuards: a guard lets requests pass or answers them, behind Middleware or without.
func TestGuards(t *testing.T) {
	f := newFixture(t, nil, nil)
	alice := f.backend.Session("alice", time.Hour,
		map[string]any{"cognito:groups": []string{"editors"}})
	for name, tt := range map[string]struct {
		guard    fiber.Handler
		target   string
		cookies  string
		status   int
		location string
	}{
		"signed in": {must(f.RequireUser(Guard{SignIn: "/sign-in"})), "/", alice, 204, ""},
		"not signed in": {must(f.RequireUser(Guard{SignIn: "/sign-in"})), "/notes", "", 303,
			"/sign-in?return_to=%2Fnotes"},
		"excepted": {must(f.RequireUser(Guard{Except: []string{"/static/"}})), "/static/a.css",
			"", 204, ""},
		"in the group":  {must(f.RequireGroup(Guard{}, "editors")), "/", alice, 204, ""},
		"in another":    {must(f.RequireGroup(Guard{}, "admins")), "/", alice, 403, ""},
		"has the scope": {must(f.RequireScope(Guard{}, "email")), "/", alice, 204, ""},
		"lacks it":      {must(f.RequireScope(Guard{}, "notes/write")), "/", alice, 403, ""},
	} {
		for _, handlers := range [][]any{{tt.guard}, {f.Middleware, tt.guard}} {
			app := newApp()
			app.Use(handlers...)
			app.Get("/*", ok)
			w := serve(t, app, request(tt.target, tt.cookies, navigation...))
			if w.StatusCode != tt.status || w.Header.Get("Location") != tt.location {
				t.Errorf("%s: status %d, location %q", name, w.StatusCode, w.Header.Get("Location"))
			}
			if tt.target != "/static/a.css" && w.Header.Get("Cache-Control") != private {
				t.Errorf("%s: Cache-Control %q", name, w.Header.Get("Cache-Control"))
			}
		}
	}
}

// TestGuardedStaticPage: shared caches do not get a page that only some may see, although it is the
// same for all of them. Without a guard they get it, whoever asks.
func TestGuardedStaticPage(t *testing.T) {
	f := newFixture(t, nil, nil)
	pages, err := static.New(f.ServerRunner, static.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer pages.Close(t.Context())
	page, err := pages.Page(static.PageOptions{
		Name: "page", Revalidate: time.Hour,
		Render: func(context.Context, static.Request) (*static.Content, error) {
			return &static.Content{}, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	guard := must(f.RequireUser(Guard{}))
	cookies := f.backend.Session("alice", time.Hour, nil)
	for name, tt := range map[string]struct {
		handlers []any
		public   bool
	}{
		"guard":      {[]any{guard}, false},
		"Middleware": {[]any{f.Middleware, guard}, false},
		"no guard":   {[]any{f.Middleware}, true},
	} {
		app := newApp()
		app.Use(append(tt.handlers, adaptor.HTTPHandler(page))...)
		w := serve(t, app, request("/", cookies))
		got := w.Header.Values("Cache-Control")
		public := len(got) == 1 && strings.HasPrefix(got[0], "public, ")
		if w.StatusCode != 200 || public != tt.public ||
			!public && !slices.Equal(got, []string{private}) {
			t.Errorf("%s: status %d, Cache-Control %q", name, w.StatusCode, got)
		}
	}
}

// TestSpellings: a guard in front of an application lets nobody to a page in a spelling of its path
// that the router takes for the page's, whichever they are.
func TestSpellings(t *testing.T) {
	f := newFixture(t, nil, nil)
	below := must(f.RequireUser(Guard{
		SignIn: "/sign-in", Except: []string{"/static/", "/docs/", "GET /open"},
	}))
	wild := must(f.RequireUser(Guard{
		SignIn: "/sign-in", Except: []string{"/{page}/public", "/{page}/{name}/open"},
	}))
	configs := map[string]fiber.Config{
		"default":   {},
		"unescaped": {UnescapePath: true},
		"strict":    {StrictRouting: true, CaseSensitive: true},
		"immutable": {Immutable: true, UnescapePath: true, DisableHeaderNormalizing: true},
	}
	pages := 0
	for name, cfg := range configs {
		reached := ""
		reach := func(app *fiber.App, target string) string {
			reached = ""
			raw(t, app, "GET "+target+" HTTP/1.1\r\nHost: example.com\r\n\r\n")
			return reached
		}
		page := func(path string) fiber.Handler {
			return func(c fiber.Ctx) error { reached = path; return ok(c) }
		}
		newApp := func(guard fiber.Handler) *fiber.App {
			app := fiber.New(cfg)
			app.Use("/*", guard)
			for _, path := range []string{
				"/admin", "/docs", "/home", "/admin/:page", "/static/admin/secret",
			} {
				app.All(path, page(path))
			}
			app.Group("/group").Get("/page", page("/group/page"))
			mounted := fiber.New()
			mounted.Get("/page", page("/mounted/page"))
			app.Use("/mounted", mounted)
			for _, path := range []string{
				"/static/*", "/:page/public", "/docs/*", "/open", "/sign-in",
			} {
				app.All(path, page(path))
			}
			return app
		}
		for target, path := range map[string]string{
			"/static/a.css": "/static/*", "/x/public": "/:page/public", "/docs/intro": "/docs/*",
			"/open": "/open", "/sign-in": "/sign-in",
		} {
			app := newApp(below)
			if path == "/:page/public" {
				app = newApp(wild)
			}
			if got := reach(app, target); got != path {
				t.Errorf("%s: %s leads to %q", name, target, got)
			}
		}
		for _, target := range []string{
			"/admin", "/ADMIN", "/Admin/", "/admin/", "//admin", "/%61dmin", "/admin%2f",
			"/admin%2F", "/admin?x=/static/", "/admin#/public",
			"/admin#/../static/", "/static/../admin", "/static/%2e%2e/admin", "/STATIC/../admin",
			"/static/..%2fadmin", "/static/..;/admin",
			"/./admin", "/admin/.", "/admin%00", "/%zz/../admin", "/static/%zz",
			"/static%2f..%2fadmin", `/static\..\admin`,
			"/docs", "/docs/", "/DOCS/", "/%64ocs/", "/docs%2f", "/docs//", "/home", "/HOME",
			"/home/", "//home", "/home/../home",
			"/group/page", "/GROUP/PAGE/", "/mounted/page", "/mounted/PAGE", "/STATIC/a.css",
			"/OPEN", "/Sign-In", "/sign-in/",
			"http://example.com/admin", "http://example.com/static/../admin", "http://static/admin",
			"/admin//public", "/admin%2fx/public",
		} {
			if target == "/docs/" && cfg.StrictRouting {
				continue // another page than "/docs"
			}
			if reach(newApp(fiber.Ctx.Next), target) != "" {
				pages++
			}
			for _, guard := range []fiber.Handler{below, wild} {
				if got := reach(newApp(guard), target); got != "" {
					t.Errorf("%s: %s leads to %s", name, target, got)
				}
			}
		}
	}
	if pages < 100 { // of 180
		t.Errorf("only %d of the requests ask for a page", pages)
	}
}

// TestTargetsWithoutSlash: a guard in front of a whole application, as Guard.Except says, is asked
// about each request that a handler may get.
func TestTargetsWithoutSlash(t *testing.T) {
	f := newFixture(t, nil, nil)
	app := fiber.New()
	app.Use("/*", must(f.RequireUser(Guard{Except: []string{"/static/"}})))
	reached := ""
	app.All("/*", func(c fiber.Ctx) error { reached = c.Path(); return ok(c) })
	for target, want := range map[string]string{
		"admin": "", "*": "", "static/x": "", "h:1": "", "?x": "", "http://h": "", "/admin": "",
		"/static/x": "/static/x",
	} {
		reached = ""
		raw(t, app, "GET "+target+" HTTP/1.1\r\nHost: example.com\r\n\r\n")
		if reached != want {
			t.Errorf("%s leads to %q", target, reached)
		}
	}
}

// TestGuardSeesWhatIsRouted: a handler in front of a guard may rewrite the path and the method.
func TestGuardSeesWhatIsRouted(t *testing.T) {
	f := newFixture(t, nil, nil)
	guard := must(f.RequireUser(Guard{Except: []string{"GET /open"}}))
	for name, tt := range map[string]struct {
		rewrite func(fiber.Ctx)
		target  string
		status  int
	}{
		"path":     {func(c fiber.Ctx) { c.Path("/admin") }, "/open", 401},
		"method":   {func(c fiber.Ctx) { c.Method("POST") }, "/open", 401},
		"way back": {func(c fiber.Ctx) { c.Path("/open") }, "/admin", 204},
		"query":    {func(c fiber.Ctx) { c.Path("/open?x") }, "/open", 401},
		"nothing":  {func(fiber.Ctx) {}, "/open", 204},
	} {
		for _, first := range []fiber.Handler{fiber.Ctx.Next, f.Middleware} {
			app := newApp()
			app.Use(first, func(c fiber.Ctx) error { tt.rewrite(c); return c.Next() }, guard)
			app.All("/*", ok)
			if w := serve(t, app, request(tt.target, "")); w.StatusCode != tt.status {
				t.Errorf("%s: status %d", name, w.StatusCode)
			}
		}
	}
}

// TestGuardFaults: a guard that cannot work is an error, not a panic.
func TestGuardFaults(t *testing.T) {
	f := newFixture(t, nil, nil)
	bad := Guard{SignIn: "//evil.test", Except: []string{"/{"}}
	for name, guard := range map[string]func() (fiber.Handler, error){
		"user":  func() (fiber.Handler, error) { return f.RequireUser(bad) },
		"group": func() (fiber.Handler, error) { return f.RequireGroup(bad, "x") },
		"scope": func() (fiber.Handler, error) { return f.RequireScope(bad, "x") },
	} {
		if h, err := guard(); h != nil || len(amplify.ConfigErrors(err)) != 2 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestGuardDenied: an application that answers itself gets the reason, and nothing is answered for
// it.
func TestGuardDenied(t *testing.T) {
	f := newFixture(t, nil, nil)
	app := newApp()
	teapot := func(c fiber.Ctx, err error) error {
		return c.Status(http.StatusTeapot).SendString(string(amplify.ReasonOf(err)))
	}
	app.Get("/", must(f.RequireUser(Guard{SignIn: "/sign-in", Denied: teapot})), ok)
	w := serve(t, app, request("/", "", fromAfar...))
	if got := body(t, w); w.StatusCode != http.StatusTeapot || got != "no_session" ||
		w.Header["Set-Cookie"] != nil {
		t.Errorf("%d %s", w.StatusCode, got)
	}
}

// TestProtect: forms of other sites are refused, whichever method changes something.
func TestProtect(t *testing.T) {
	app := newApp()
	app.Use(newFixture(t, nil, nil).Protect)
	app.All("/*", ok)
	for _, method := range []string{"POST", "PUT", "DELETE", "TRACE", "PATCH"} {
		for origin, status := range map[string]int{
			"https://myapp.com": 204, "https://evil.test": 403,
		} {
			r := request("/", "", "Sec-Fetch-Site", "cross-site", "Origin", origin)
			r.Method = method
			if w := serve(t, app, r); w.StatusCode != status {
				t.Errorf("%s from %s: status %d", method, origin, w.StatusCode)
			}
		}
	}
	for _, method := range []string{"GET", "HEAD", "OPTIONS"} {
		r := request("/", "", "Sec-Fetch-Site", "cross-site", "Origin", "https://evil.test")
		r.Method = method
		if w := serve(t, app, r); w.StatusCode != 204 {
			t.Errorf("%s: status %d", method, w.StatusCode)
		}
	}
}
