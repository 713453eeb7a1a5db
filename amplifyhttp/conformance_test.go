package amplifyhttp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"log/slog"
	"mime"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
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
	SetCookie     []string          `json:"setCookie"`
	Body          string            `json:"body"`
	BodyTargets   map[string]string `json:"bodyTargets"`
	LocationParts *struct {
		Endpoint string      `json:"endpoint"`
		Query    [][2]string `json:"query"`
	} `json:"locationParts"`
	UpstreamCalls   []conformance.Call `json:"upstreamCalls"`
	Random          *randomOutcome     `json:"random"`
	Error           *errorOutcome      `json:"error"`
	ThrownAt        string             `json:"thrownAt"`
	ConsoleWarnings []string           `json:"consoleWarnings"`

	// ours: all errors of which the original knows one at a time
	errors []errorOutcome
	log    string
}

type randomOutcome struct {
	State struct {
		Length   int    `json:"length"`
		Alphabet string `json:"alphabet"`
		Suffix   string `json:"suffix"`
	} `json:"state"`
	CodeVerifier struct {
		Length   int    `json:"length"`
		Alphabet string `json:"alphabet"`
	} `json:"codeVerifier"`
	Challenge bool `json:"codeChallengeIsBase64UrlSha256OfVerifier"`
	Cookie    bool `json:"stateParamEqualsCookie"`
}

type errorOutcome struct {
	Name               string `json:"name"`
	Message            string `json:"message"`
	RecoverySuggestion string `json:"recoverySuggestion"`
}

// isFailure reports whether e is an error of the JavaScript engine or of fetch: to be read as
// "fails".
func (e *errorOutcome) isFailure() bool {
	return e != nil && (e.Name == "TypeError" || e.Name == "SyntaxError" || e.Name == "RangeError")
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
		return diffRoutes(want, answerOf(t, in, conformance.NewUpstream(keys, in.Upstream)))
	})
}

// answerOf returns what we do in a case.
func answerOf(t *testing.T, in routesInput, upstream *conformance.Upstream) routesOutcome {
	var log bytes.Buffer
	handler, runner, thrownAt, err := routesOf(t, in, upstream, &log)
	if err != nil {
		got := routesOutcome{ThrownAt: thrownAt, log: log.String()}
		for _, fault := range amplify.ConfigErrors(err) {
			if js := fault.Err; js != nil {
				got.errors = append(got.errors, errorOutcome{js.Name, js.Message, js.RecoverySuggestion})
				continue
			}
			got.errors = append(got.errors, errorOutcome{Message: fault.Error()})
		}
		return got
	}
	defer func() { _ = runner.Close(context.Background()) }()
	w := httptest.NewRecorder()
	runner.Middleware(handler).ServeHTTP(w, in.request())
	got := routesOutcome{
		Status: w.Code, SetCookie: w.Result().Header["Set-Cookie"], Body: w.Body.String(), Headers: map[string]string{},
		BodyTargets: bodyTargets(w.Body.String()), UpstreamCalls: upstream.Calls(), log: log.String(),
	}
	for name := range w.Result().Header {
		got.Headers[strings.ToLower(name)] = w.Result().Header.Get(name)
	}
	return got
}

// routesOf makes the handler of a case. thrownAt tells which function of the original corresponds
// to the one of ours that fails.
func routesOf(t *testing.T, in routesInput, upstream http.RoundTripper, log *bytes.Buffer) (handler http.Handler, runner *ServerRunner, thrownAt string, err error) {
	t.Setenv("AMPLIFY_APP_ORIGIN", "")
	if in.Origin != nil {
		t.Setenv("AMPLIFY_APP_ORIGIN", *in.Origin)
	}
	cfg, err := amplify.ParseConfig(in.Config)
	if err != nil {
		return nil, nil, "parseAmplifyConfig", err
	}
	cookies := in.RuntimeOptions.Cookies
	runner, err = NewServerRunner(cfg, Options{
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
		return nil, nil, "createServerRunner", err
	}
	handler, err = runner.AuthRoutes(AuthRoutesOptions{
		RedirectOnSignInComplete:  in.HandlerInput.RedirectOnSignInComplete,
		RedirectOnSignOutComplete: in.HandlerInput.RedirectOnSignOutComplete,
		CustomState:               in.HandlerInput.CustomState,
	})
	if err != nil {
		_ = runner.Close(context.Background())
		return nil, nil, "createAuthRouteHandlers", err
	}
	return handler, runner, "", nil
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

// diffRoutes compares all that is recorded, but for the text around the targets of a page, and for
// what the framework of the original writes itself.
func diffRoutes(want, got routesOutcome) error {
	var faults []error
	fault := func(format string, a ...any) { faults = append(faults, fmt.Errorf(format, a...)) }
	same := func(what string, want, got any) {
		if d := cmp.Diff(want, got); d != "" {
			fault("%s (-recorded +ours)\n%s", what, d)
		}
	}
	const insecure = "HTTP origin detected. This is insecure and should only be used for local development."
	var warnings []string
	if strings.Contains(got.log, insecure) {
		warnings = []string{insecure}
	}
	same("warnings", slices.Compact(want.ConsoleWarnings), warnings) // the original looks at the origin twice
	if want.Error.isFailure() && want.ThrownAt != "" && got.ThrownAt != "" {
		return errors.Join(append(faults, want.nothingElse())...) // both fail
	}
	same("thrown at", want.ThrownAt, got.ThrownAt)
	if want.Error != nil && !want.Error.isFailure() || got.ThrownAt != "" {
		// We report all faults of the settings at once, and the original the first.
		if want.Error == nil || !slices.Contains(got.errors, *want.Error) {
			fault("recorded the error %+v, ours are %+v", want.Error, got.errors)
		}
		return errors.Join(append(faults, want.nothingElse())...)
	}
	if want.Error.isFailure() {
		// Frameworks answer 500. Ours says what the matter is.
		if got.Status < 500 {
			fault("recorded an exception, ours is status %d", got.Status)
		}
		if want.Status != 0 && (want.Status != http.StatusInternalServerError || want.Body != "Internal Server Error") {
			fault("recorded an exception and status %d, %s", want.Status, want.Body)
		}
		want.Body, want.Headers = "", nil
	} else {
		same("status", want.Status, got.Status)
	}
	cookies := setCookies(got.SetCookie)
	if err := diffRandom(want, &got, cookies); err != nil {
		fault("%w", err)
	}
	location := got.Headers["location"]
	same("location", want.Headers["location"], location)
	if want.LocationParts != nil {
		endpoint, query, _ := strings.Cut(location, "?")
		var pairs [][2]string
		for pair := range strings.SplitSeq(query, "&") {
			name, value, _ := strings.Cut(pair, "=")
			decoded, err := url.QueryUnescape(value)
			if err != nil {
				fault("query: %w", err)
			}
			pairs = append(pairs, [2]string{name, decoded})
		}
		same("endpoint", want.LocationParts.Endpoint, endpoint)
		same("query", want.LocationParts.Query, pairs)
	}
	same("cookies", byScope(setCookies(want.SetCookie)), byScope(cookies))

	contentType := func(o routesOutcome) string {
		t, _, _ := mime.ParseMediaType(o.Headers["content-type"])
		return t
	}
	switch {
	case want.Status >= 400 || want.Error != nil:
		// Where the original answers without a body, ours has a text for people.
		if want.Body != "" {
			same("content type", contentType(want), contentType(got))
		}
		if !strings.Contains(html.UnescapeString(got.Body), want.Body) {
			fault("the body lacks %q: %s", want.Body, got.Body)
		}
	case want.Status >= 300:
		same("content type", contentType(want), contentType(got))
		same("body", "", got.Body)
		// The Pages Router repeats the target in the body.
		if want.Body != "" && want.Body != want.Headers["location"] {
			fault("recorded the body %q of a redirect", want.Body)
		}
	default:
		same("content type", contentType(want), contentType(got))
		same("targets of the page", normalTargets(want.BodyTargets), got.BodyTargets)
	}
	for _, calls := range [][]conformance.Call{want.UpstreamCalls, got.UpstreamCalls} {
		for i := range calls {
			if err := sameForm(calls[i]); err != nil {
				fault("call %d: %w", i, err)
			}
			calls[i].RawBody = "" // the order of parameters does not matter; Form has them all
		}
	}
	if len(want.UpstreamCalls)+len(got.UpstreamCalls) > 0 {
		same("calls", want.UpstreamCalls, got.UpstreamCalls)
	}
	return errors.Join(faults...)
}

// byScope returns cookies by name and, if they have one, Domain.
func byScope(cookies map[string]map[string]string) map[string]map[string]string {
	all := map[string]map[string]string{}
	for name, attributes := range cookies {
		if domain := attributes["domain"]; domain != "" {
			name = strings.TrimSuffix(name, " of "+domain) + " of " + domain
		} else {
			name = strings.TrimSuffix(name, " of ")
		}
		all[name] = attributes
	}
	return all
}

// sameForm returns an error unless the form of a call is what its body says.
func sameForm(call conformance.Call) error {
	form, err := url.ParseQuery(call.RawBody)
	if err != nil {
		return err
	}
	for name, value := range call.Form {
		if form.Get(name) != value {
			return fmt.Errorf("%s is %q in the form, %q in the body", name, value, form.Get(name))
		}
	}
	if len(form) != len(call.Form) {
		return fmt.Errorf("the body %s is another form than %v", call.RawBody, call.Form)
	}
	return nil
}

// nothingElse returns an error unless o, an error that was thrown, has no answer but that of the
// framework.
func (o routesOutcome) nothingElse() error {
	framework := o.Status == http.StatusInternalServerError && o.Body == "Internal Server Error"
	if o.Status != 0 && !framework || len(o.Headers)+len(o.SetCookie)+len(o.UpstreamCalls) > 0 || o.LocationParts != nil || o.Random != nil {
		return fmt.Errorf("recorded an error and more than that: %+v", o)
	}
	return nil
}

// diffRandom checks the random proofs of a sign-in, and puts their placeholders in their place.
func diffRandom(want routesOutcome, got *routesOutcome, cookies map[string]map[string]string) error {
	if want.Random == nil {
		return nil
	}
	verifier := cookies["com.amplify.server_auth.pkce"]["value"]
	state := cookies["com.amplify.server_auth.state"]["value"]
	random := strings.TrimSuffix(state, want.Random.State.Suffix)
	query, _ := url.Parse(got.Headers["location"])
	if len(random)+len(verifier) == 0 {
		return errors.New("no sign-in has begun")
	}
	r := randomOutcome{
		Challenge: query.Query().Get("code_challenge") == oauth2.S256ChallengeFromVerifier(verifier),
		Cookie:    query.Query().Get("state") == state,
	}
	r.State.Length, r.State.Alphabet, r.State.Suffix = len(random), alphabet(random), strings.TrimPrefix(state, random)
	r.CodeVerifier.Length, r.CodeVerifier.Alphabet = len(verifier), alphabet(verifier)
	if d := cmp.Diff(*want.Random, r); d != "" {
		return fmt.Errorf("random (-recorded +ours)\n%s", d)
	}
	cookies["com.amplify.server_auth.pkce"]["value"] = "{{codeVerifier}}"
	cookies["com.amplify.server_auth.state"]["value"] = "{{state}}" + want.Random.State.Suffix
	location := strings.ReplaceAll(got.Headers["location"], "state="+random, "state={{state}}")
	got.Headers["location"] = strings.ReplaceAll(location, oauth2.S256ChallengeFromVerifier(verifier), "{{codeChallenge}}")
	return nil
}

// alphabet returns what s is made of, as the recordings say it.
func alphabet(s string) string {
	if regexp.MustCompile(`^[A-Za-z0-9]+$`).MatchString(s) {
		return "A-Za-z0-9"
	}
	return "other than A-Za-z0-9: " + s
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
