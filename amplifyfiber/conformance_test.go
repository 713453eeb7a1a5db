package amplifyfiber

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/amplifyhttp"
	"github.com/amplify-go/amplify/internal/conformance"
	"github.com/amplify-go/amplify/internal/flowtest"
)

// routesInput is the input of a case of auth-routes.json.
type routesInput struct {
	Origin         *string         `json:"origin"`
	Config         json.RawMessage `json:"config"`
	RuntimeOptions struct {
		Cookies struct {
			Domain   string `json:"domain"`
			SameSite string `json:"sameSite"`
			MaxAge   int    `json:"maxAge"`
		} `json:"cookies"`
	} `json:"runtimeOptions"`
	HandlerInput struct {
		RedirectOnSignInComplete  string `json:"redirectOnSignInComplete"`
		RedirectOnSignOutComplete string `json:"redirectOnSignOutComplete"`
		CustomState               string `json:"customState"`
	} `json:"handlerInput"`
	Request struct {
		Method       string `json:"method"`
		URL          string `json:"url"`
		CookieHeader string `json:"cookieHeader"`
		Slug         any    `json:"slug"`
	} `json:"request"`
	Upstream map[string][]conformance.Answer `json:"upstream"`
}

// TestConformanceAuthRoutes sends the recorded requests to this adapter and to that for net/http,
// which the recordings judge: amplifyhttp.TestConformanceAuthRoutes. Both must answer the same.
func TestConformanceAuthRoutes(t *testing.T) {
	keys := conformance.NewKeys(t)
	answered := 0
	conformance.Run(t, "auth-routes.json", nil, func(t *testing.T, c conformance.Case) error {
		var in routesInput
		tokens, err := keys.Mint(c, time.Now())
		if err != nil {
			return err
		}
		if err := tokens.Fill(c.Input, &in); err != nil {
			return err
		}
		t.Setenv("AMPLIFY_APP_ORIGIN", "")
		if in.Origin != nil {
			t.Setenv("AMPLIFY_APP_ORIGIN", *in.Origin)
		}
		cfg, err := amplify.ParseConfig(in.Config)
		if err != nil {
			return nil // before there is an adapter
		}
		routes := AuthRoutesOptions{
			RedirectOnSignInComplete:  in.HandlerInput.RedirectOnSignInComplete,
			RedirectOnSignOutComplete: in.HandlerInput.RedirectOnSignOutComplete,
			CustomState:               in.HandlerInput.CustomState,
		}
		theirs, calls, err1 := in.netHTTP(t, cfg, routes, keys)
		ours, ownCalls, err2 := in.fiber(t, cfg, routes, keys)
		switch {
		case err1 != nil && err2 != nil && err1.Error() == err2.Error():
			return nil
		case err1 != nil || err2 != nil:
			return fmt.Errorf("net/http: %w, Fiber: %w", err1, err2)
		}
		answered++
		return errors.Join(same("answer", theirs, ours), same("calls", calls, ownCalls))
	})
	if answered == 0 {
		t.Error("no case has an answer")
	}
}

func same(what, theirs, ours string) error {
	if theirs == ours {
		return nil
	}
	return fmt.Errorf("%s of net/http:\n%s\nof Fiber:\n%s", what, theirs, ours)
}

func (in routesInput) options(upstream http.RoundTripper) Options {
	cookies := in.RuntimeOptions.Cookies
	return Options{
		Cookies: CookieOptions{
			Domain: cookies.Domain,
			SameSite: map[string]http.SameSite{
				"lax": http.SameSiteLaxMode, "strict": http.SameSiteStrictMode,
				"none": http.SameSiteNoneMode,
			}[cookies.SameSite],
			MaxAge: time.Duration(cookies.MaxAge) * time.Second,
		},
		App: amplify.Options{
			HTTPClient: &http.Client{Transport: upstream}, Logger: slog.New(slog.DiscardHandler),
		},
	}
}

func (in routesInput) netHTTP(
	t *testing.T, cfg amplify.Config, o AuthRoutesOptions, keys *conformance.Keys,
) (answer, calls string, err error) {
	upstream := conformance.NewUpstream(keys, in.Upstream)
	runner, err := amplifyhttp.NewServerRunner(cfg, in.options(upstream))
	if err != nil {
		return "", "", err
	}
	defer func() { _ = runner.Close(t.Context()) }()
	routes, err := runner.AuthRoutes(o)
	if err != nil {
		return "", "", err
	}
	w := flowtest.Serve(runner.Middleware(routes), in.request())
	if in.Request.Method == http.MethodHead {
		w.Body = http.NoBody // servers leave it out
	}
	return outline(t, w), outlineCalls(upstream), nil
}

func (in routesInput) fiber(
	t *testing.T, cfg amplify.Config, o AuthRoutesOptions, keys *conformance.Keys,
) (answer, calls string, err error) {
	upstream := conformance.NewUpstream(keys, in.Upstream)
	runner, err := NewServerRunner(cfg, in.options(upstream))
	if err != nil {
		return "", "", err
	}
	defer func() { _ = runner.Close(t.Context()) }()
	routes, err := runner.AuthRoutes(o)
	if err != nil {
		return "", "", err
	}
	app := newApp()
	app.Use(runner.Middleware, routes)
	return outline(t, serve(t, app, in.request())), outlineCalls(upstream), nil
}

// request returns the request of a case. What a framework hands over as slug is here the last
// segment of the path.
func (in routesInput) request() *http.Request {
	u, _ := url.Parse(in.Request.URL)
	if slug, ok := in.Request.Slug.(string); ok {
		u.Path = "/api/auth/" + slug
	}
	r := httptest.NewRequest(in.Request.Method, u.String(), nil)
	r.Host = "myapp.com"
	if in.Request.CookieHeader != "" {
		r.Header.Set("Cookie", in.Request.CookieHeader)
	}
	return r
}

// random finds the texts that differ from one answer to the next.
var random = regexp.MustCompile(`(com\.amplify\.server_auth\.(?:pkce|state|attempt\.|confirm)=?|` +
	`state=|code_challenge=|confirm=)[\w.-]+`)

// outline returns what an answer consists of, without what servers add and what is random.
func outline(t *testing.T, w *http.Response) string {
	var lines []string
	for key, values := range w.Header {
		if slices.Contains([]string{"Content-Length", "Date", "Connection"}, key) {
			continue
		}
		for _, value := range values {
			lines = append(lines, key+": "+random.ReplaceAllString(value, "$1*"))
		}
	}
	slices.Sort(lines)
	return fmt.Sprintf("%d\n%s\n\n%s", w.StatusCode, strings.Join(lines, "\n"),
		random.ReplaceAllString(body(t, w), "$1*"))
}

func outlineCalls(upstream *conformance.Upstream) string {
	var lines []string
	for _, call := range upstream.Calls() {
		text, _ := json.Marshal(call)
		lines = append(lines, string(text))
	}
	return strings.Join(lines, "\n")
}
