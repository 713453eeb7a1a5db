package amplifyhttp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"mime"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/oauth2"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/conformance"
)

// routesInput is the input of a case of auth-routes.json.
type routesInput struct {
	Router         string          `json:"router"`
	Origin         *string         `json:"origin"`
	Config         json.RawMessage `json:"config"`
	RuntimeOptions struct {
		Cookies struct {
			Domain   string `json:"domain"`
			SameSite string `json:"sameSite"`
			MaxAge   int    `json:"maxAge"`
			Expires  struct {
				Date time.Time `json:"$date"`
			} `json:"expires"`
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

// routesOutcome is what a case of auth-routes.json expects, and what we do.
type routesOutcome struct {
	Status  int               `json:"status"`
	Headers map[string]string `json:"headers"`
	// SetCookie is in order, which does not matter: each name is set once.
	SetCookie     []string           `json:"setCookie"`
	Body          string             `json:"body"`
	BodyTargets   map[string]string  `json:"bodyTargets"`
	UpstreamCalls []conformance.Call `json:"upstreamCalls"`
	Random        *struct {
		State struct {
			Length   int    `json:"length"`
			Alphabet string `json:"alphabet"`
			Suffix   string `json:"suffix"`
		} `json:"state"`
		CodeVerifier struct {
			Length   int    `json:"length"`
			Alphabet string `json:"alphabet"`
		} `json:"codeVerifier"`
	} `json:"random"`
	Error *struct {
		Name    string `json:"name"`
		Message string `json:"message"`
	} `json:"error"`
	ThrownAt        string   `json:"thrownAt"`
	ConsoleWarnings []string `json:"consoleWarnings"`
}

func TestConformanceAuthRoutes(t *testing.T) {
	keys := conformance.NewKeys(t)
	conformance.Run(t, "auth-routes.json", routeExceptions(t), func(t *testing.T, c conformance.Case) error {
		var in routesInput
		var want routesOutcome
		tokens, err := keys.Mint(c, time.Now())
		if err != nil {
			return err
		}
		if err := errors.Join(tokens.Fill(c.Input, &in), tokens.Fill(c.Expected, &want)); err != nil {
			return err
		}
		upstream := conformance.NewUpstream(keys, in.Upstream)
		var log bytes.Buffer
		handler, runner, err := routesOf(t, in, upstream, &log)
		if err != nil {
			return diffError(want, err)
		}
		defer runner.Close(context.Background())
		w := httptest.NewRecorder()
		runner.Middleware(handler).ServeHTTP(w, in.request())
		got := routesOutcome{
			Status: w.Code, SetCookie: w.Result().Header["Set-Cookie"], Body: w.Body.String(),
			Headers: map[string]string{}, UpstreamCalls: upstream.Calls(),
		}
		for name := range w.Result().Header {
			got.Headers[strings.ToLower(name)] = w.Result().Header.Get(name)
		}
		for _, warning := range want.ConsoleWarnings {
			if !strings.Contains(log.String(), warning) {
				return fmt.Errorf("no warning %q", warning)
			}
		}
		return diffRoutes(want, got)
	})
}

// routesOf makes the handler of a case.
func routesOf(t *testing.T, in routesInput, upstream http.RoundTripper, log *bytes.Buffer) (http.Handler, *ServerRunner, error) {
	t.Setenv("AMPLIFY_APP_ORIGIN", "")
	if in.Origin != nil {
		t.Setenv("AMPLIFY_APP_ORIGIN", *in.Origin)
	}
	cfg, err := amplify.ParseConfig(in.Config)
	if err != nil {
		return nil, nil, err
	}
	cookies := in.RuntimeOptions.Cookies
	runner, err := NewServerRunner(cfg, Options{
		Cookies: CookieOptions{
			Domain:   cookies.Domain,
			SameSite: map[string]http.SameSite{"lax": http.SameSiteLaxMode, "strict": http.SameSiteStrictMode, "none": http.SameSiteNoneMode}[cookies.SameSite],
			MaxAge:   time.Duration(cookies.MaxAge) * time.Second,
			Expires:  cookies.Expires.Date,
		},
		App: amplify.Options{
			HTTPClient: &http.Client{Transport: upstream},
			Logger:     slog.New(slog.NewTextHandler(log, nil)),
		},
	})
	if err != nil {
		return nil, nil, err
	}
	handler, err := runner.AuthRoutes(AuthRoutesOptions{
		RedirectOnSignInComplete:  in.HandlerInput.RedirectOnSignInComplete,
		RedirectOnSignOutComplete: in.HandlerInput.RedirectOnSignOutComplete,
		CustomState:               in.HandlerInput.CustomState,
	})
	if err != nil {
		return nil, nil, errors.Join(err, runner.Close(context.Background()))
	}
	return handler, runner, nil
}

// request returns the request of a case. What a framework hands over as slug is here
// the last segment of the path.
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

// diffError compares the error that making the routes returned. It may be one of
// several, and we report some earlier.
func diffError(want routesOutcome, err error) error {
	if want.Error == nil {
		return fmt.Errorf("making the routes fails: %w", err)
	}
	for _, e := range flatten(err) {
		if e.Name == want.Error.Name && e.Message == want.Error.Message && e.RecoverySuggestion != "" {
			return nil
		}
	}
	return fmt.Errorf("recorded %s: %s, ours %w", want.Error.Name, want.Error.Message, err)
}

// flatten returns all errors of the library in the tree of err.
func flatten(err error) (all []*amplify.Error) {
	if e, ok := err.(*amplify.Error); ok {
		all = append(all, e)
	}
	switch e := err.(type) {
	case interface{ Unwrap() []error }:
		for _, err := range e.Unwrap() {
			all = append(all, flatten(err)...)
		}
	case interface{ Unwrap() error }:
		all = append(all, flatten(e.Unwrap())...)
	}
	return all
}

func diffRoutes(want, got routesOutcome) error {
	var faults []error
	fault := func(format string, a ...any) { faults = append(faults, fmt.Errorf(format, a...)) }
	switch {
	case want.ThrownAt != "":
		return fmt.Errorf("recorded an error of %s, ours is none", want.ThrownAt)
	case want.Error != nil && want.Error.Name == "AmplifyServerContextError":
		return fmt.Errorf("recorded %s, ours is none", want.Error.Message)
	case want.Error != nil:
		// An error of the JavaScript engine: to be read as "fails". Frameworks answer 500.
		if got.Status < 500 {
			fault("recorded an exception, ours is status %d", got.Status)
		}
	case want.Status != got.Status:
		fault("status: recorded %d, ours %d", want.Status, got.Status)
	}
	cookies := setCookies(got.SetCookie)
	if err := diffRandom(want, &got, cookies); err != nil {
		fault("%w", err)
	}
	if d := cmp.Diff(want.Headers["location"], got.Headers["location"]); d != "" {
		fault("location (-recorded +ours)\n%s", d)
	}
	if want.Headers["content-type"] != "" && want.BodyTargets != nil {
		w, _, _ := mime.ParseMediaType(want.Headers["content-type"])
		if g, _, _ := mime.ParseMediaType(got.Headers["content-type"]); g != w {
			fault("content type: recorded %s, ours %s", w, g)
		}
	}
	if d := cmp.Diff(setCookies(want.SetCookie), cookies); d != "" {
		fault("cookies (-recorded +ours)\n%s", d)
	}
	if want.BodyTargets != nil {
		if d := cmp.Diff(normalTargets(want.BodyTargets), bodyTargets(got.Body)); d != "" {
			fault("targets of the page (-recorded +ours)\n%s", d)
		}
	} else if want.Status >= 400 && want.Error == nil && !strings.Contains(got.Body, want.Body) {
		fault("the body lacks %q", want.Body)
	}
	for i := range want.UpstreamCalls {
		want.UpstreamCalls[i].RawBody = "" // the order of parameters does not matter; Form has them all
	}
	for i := range got.UpstreamCalls {
		got.UpstreamCalls[i].RawBody = ""
	}
	if len(want.UpstreamCalls)+len(got.UpstreamCalls) > 0 {
		if d := cmp.Diff(want.UpstreamCalls, got.UpstreamCalls); d != "" {
			fault("calls (-recorded +ours)\n%s", d)
		}
	}
	return errors.Join(faults...)
}

// diffRandom checks the random proofs of a sign-in, and puts their placeholders in their place.
func diffRandom(want routesOutcome, got *routesOutcome, cookies map[string]map[string]string) error {
	if want.Random == nil {
		return nil
	}
	verifier := cookies["com.amplify.server_auth.pkce"]["value"]
	state := cookies["com.amplify.server_auth.state"]["value"]
	random := strings.TrimSuffix(state, want.Random.State.Suffix)
	alphabet := regexp.MustCompile(`^[A-Za-z0-9]+$`)
	if len(random) != want.Random.State.Length || !alphabet.MatchString(random) || random+want.Random.State.Suffix != state {
		return fmt.Errorf("state %q", state)
	}
	if len(verifier) != want.Random.CodeVerifier.Length || !alphabet.MatchString(verifier) {
		return fmt.Errorf("code verifier %q", verifier)
	}
	cookies["com.amplify.server_auth.pkce"]["value"] = "{{codeVerifier}}"
	cookies["com.amplify.server_auth.state"]["value"] = "{{state}}" + want.Random.State.Suffix
	location := strings.ReplaceAll(got.Headers["location"], "state="+random, "state={{state}}")
	got.Headers["location"] = strings.ReplaceAll(location, oauth2.S256ChallengeFromVerifier(verifier), "{{codeChallenge}}")
	return nil
}

// normalTargets percent-encodes the targets of a page, as a browser does.
func normalTargets(targets map[string]string) map[string]string {
	normal := map[string]string{}
	for place, target := range targets {
		u, err := url.Parse(target)
		if err != nil {
			normal[place] = err.Error()
			continue
		}
		normal[place] = u.String()
	}
	return normal
}
