package auth_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/amplifyhttp"
	"github.com/amplify-go/amplify/auth"
	"github.com/amplify-go/amplify/cognito"
	"github.com/amplify-go/amplify/cookie"
	"github.com/amplify-go/amplify/internal/conformance"
)

const clientPrefix = "CognitoIdentityServiceProvider.4corpusclientid0000000001."

// sessionInput is the input of a case of session.json.
type sessionInput struct {
	API     string `json:"api"`
	Options struct {
		ForceRefresh   bool              `json:"forceRefresh"`
		ClientMetadata map[string]string `json:"clientMetadata"`
	} `json:"options"`
	Context        string          `json:"context"`
	Config         json.RawMessage `json:"config"`
	Origin         string          `json:"origin"`
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
	CookieHeader    *string                         `json:"cookieHeader"`
	PresetSetCookie []string                        `json:"presetSetCookie"`
	Jar             map[string]string               `json:"jar"`
	Upstream        map[string][]conformance.Answer `json:"upstream"`
	Calls           string                          `json:"calls"`
}

// outcome is what a call came to, in the shape of the recordings.
type outcome struct {
	Result any           `json:"result,omitempty"`
	Error  *errorOutcome `json:"error,omitempty"`
}

type errorOutcome struct {
	Name    string `json:"name"`
	Message string `json:"message"`
}

// sessionExpected is what a case of session.json expects, as far as it is compared.
type sessionExpected struct {
	outcome
	Results       []outcome `json:"results"`
	SetCookie     []string  `json:"setCookie"`
	UpstreamCalls []struct {
		Host   string `json:"host"`
		Target string `json:"target"`
		Body   any    `json:"body"`
	} `json:"upstreamCalls"`
	StorageOps []struct {
		Op      string `json:"op"`
		Name    string `json:"name"`
		Value   string `json:"value"`
		Options struct {
			SameSite string `json:"sameSite"`
			Secure   bool   `json:"secure"`
			Path     string `json:"path"`
			MaxAge   int    `json:"maxAge"`
		} `json:"options"`
	} `json:"storageOps"`
}

func TestConformanceSession(t *testing.T) {
	t.Setenv("AMPLIFY_APP_ORIGIN", "")
	keys := conformance.NewKeys(t)
	conformance.Run(t, "session.json", sessionRules, func(t *testing.T, c conformance.Case) error {
		tokens, err := keys.Mint(c, time.Now())
		if err != nil {
			return err
		}
		var in sessionInput
		if err := tokens.Fill(c.Input, &in); err != nil {
			return err
		}
		var want sessionExpected
		if err := tokens.Fill(c.Expected, &want); err != nil {
			return err
		}
		upstream := conformance.NewUpstream(keys, in.Upstream)
		got, setCookie, header, err := in.run(t, upstream)
		if err != nil {
			return err
		}

		results := want.Results
		if results == nil {
			results = []outcome{want.outcome}
		}
		if err := sameOutcomes(results, got, in.Calls == "parallel"); err != nil {
			return errors.New(tokens.Blank(err.Error()))
		}
		carried := carriedBy(header)
		wantCookies := effects(append(want.SetCookie, want.operations()...), carried)
		gotCookies := effects(setCookie, carried)
		dropDrift(wantCookies)
		if d := cmp.Diff(wantCookies, gotCookies); d != "" {
			return fmt.Errorf("cookies (-recorded +ours)\n%s", tokens.Blank(d))
		}
		return sameCalls(want, upstream.Calls())
	})
}

// dropDrift takes the clockDrift that the original writes with every refresh out of the comparison. Here a refresh leaves the cookie
// alone: it tells the browser's error, not the server's, and a comparison without it still fails if we write one.
func dropDrift(effects map[string]effect) {
	for key, e := range effects {
		if strings.HasSuffix(key, ".clockDrift") && !e.Deleted {
			delete(effects, key)
		}
	}
}

// operations returns the storage operations of a case of adapter-core as Set-Cookie lines.
func (w *sessionExpected) operations() []string {
	var lines []string
	for _, op := range w.StorageOps {
		switch op.Op {
		case "delete":
			lines = append(lines, cookie.EncodeName(op.Name)+"=; Path=/; Max-Age=0")
		case "set":
			lines = append(lines, fmt.Sprintf("%s=%s; Path=%s; Max-Age=%d; SameSite=%s; Secure",
				cookie.EncodeName(op.Name), cookie.EncodeValue(op.Value), op.Options.Path, op.Options.MaxAge, op.Options.SameSite))
		}
	}
	return lines
}

// run makes the calls of a case. It returns their outcomes, the Set-Cookie lines of the response and the Cookie header of the
// request.
func (in *sessionInput) run(t *testing.T, upstream *conformance.Upstream) (got []outcome, setCookie []string, header string, err error) {
	cfg, err := amplify.ParseConfig(in.Config)
	if err != nil {
		return nil, nil, "", err
	}
	o := amplifyhttp.Options{
		Origin: in.Origin,
		Cookies: amplifyhttp.CookieOptions{
			Domain:  in.RuntimeOptions.Cookies.Domain,
			MaxAge:  time.Duration(in.RuntimeOptions.Cookies.MaxAge) * time.Second,
			Expires: in.RuntimeOptions.Cookies.Expires.Date,
		},
		App: amplify.Options{HTTPClient: &http.Client{Transport: upstream}},
	}
	switch in.RuntimeOptions.Cookies.SameSite {
	case "strict":
		o.Cookies.SameSite = http.SameSiteStrictMode
	case "lax":
		o.Cookies.SameSite = http.SameSiteLaxMode
	}
	// Guests were recorded with identities of their own.
	o.Cognito.GuestIdentity = cognito.GuestPerVisitor
	if !in.rotates() {
		o.Cognito.RefreshTokenRotation = cognito.RotationOff
	}

	w := httptest.NewRecorder()
	for _, line := range in.PresetSetCookie {
		w.Header().Add("Set-Cookie", line)
	}
	r := httptest.NewRequest(http.MethodGet, "https://myapp.com/page", nil)
	if in.CookieHeader != nil {
		header = *in.CookieHeader
	}
	for name, value := range in.Jar {
		if header != "" {
			header += "; "
		}
		header += cookie.EncodeName(name) + "=" + cookie.EncodeValue(value)
	}
	if header != "" {
		r.Header.Set("Cookie", header)
	}

	inContext, err := in.server(t, cfg, o, w, r)
	if err != nil {
		return nil, nil, "", err
	}
	switch in.Calls {
	case "":
		inContext(func(ctx context.Context) { got = append(got, in.call(ctx)) })
	case "new-context":
		for range 2 {
			inContext(func(ctx context.Context) { got = append(got, in.call(ctx)) })
		}
	case "sequential":
		inContext(func(ctx context.Context) { got = append(got, in.call(ctx), in.call(ctx)) })
	case "parallel":
		inContext(func(ctx context.Context) {
			other := make(chan outcome)
			go func() { other <- in.call(ctx) }()
			got = append(got, in.call(ctx), <-other)
		})
	default:
		return nil, nil, "", fmt.Errorf("calls %q", in.Calls)
	}
	return got, w.Result().Header["Set-Cookie"], header, nil
}

// rotates reports whether the app client of a case rotates refresh tokens, which a server would know.
func (in *sessionInput) rotates() bool {
	for _, a := range in.Upstream["GetTokensFromRefreshToken"] {
		if strings.Contains(string(a.JSON), `"RefreshToken"`) {
			return true
		}
	}
	return false
}

// server returns what runs an operation in a context like that of the case.
func (in *sessionInput) server(t *testing.T, cfg amplify.Config, o amplifyhttp.Options, w http.ResponseWriter, r *http.Request) (func(func(context.Context)), error) {
	if in.Context == "core" {
		app, err := amplify.New(cfg, o.App)
		if err != nil {
			return nil, err
		}
		cog, err := cognito.New(app, o.Cognito)
		if err != nil {
			return nil, err
		}
		closeWith(t, cog, app)
		kv := cookie.NewKeyValueStorage(cookie.NewHeaderStore(r.Header, w.Header()), cookie.Options{})
		return func(operation func(context.Context)) {
			_, _ = amplify.RunWithServerContext(t.Context(), app, cog.Providers(kv),
				func(ctx context.Context) (any, error) { operation(ctx); return nil, nil })
		}, nil
	}
	runner, err := amplifyhttp.NewServerRunner(cfg, o)
	if err != nil {
		return nil, err
	}
	closeWith(t, runner)
	access := amplifyhttp.ReadWrite(w, r)
	switch in.Context {
	case "cookies-readonly":
		access = amplifyhttp.ReadOnly(r)
	case "null":
		access = amplifyhttp.Static(t.Context())
	}
	return func(operation func(context.Context)) {
		_, _ = amplifyhttp.RunWithServerContext(runner, access,
			func(ctx context.Context) (any, error) { operation(ctx); return nil, nil })
	}, nil
}

func closeWith(t *testing.T, closers ...interface{ Close(context.Context) error }) {
	t.Cleanup(func() {
		for _, c := range closers {
			if err := c.Close(context.Background()); err != nil {
				t.Error(err)
			}
		}
	})
}

// call calls the API of the case.
func (in *sessionInput) call(ctx context.Context) outcome {
	switch in.API {
	case "getCurrentUser":
		user, err := auth.GetCurrentUser(ctx)
		if err != nil {
			return failed(err)
		}
		result := map[string]any{"username": user.Username, "userId": user.UserID}
		if user.SignInDetails != nil {
			result["signInDetails"] = user.SignInDetails
		}
		return outcome{Result: result}
	case "fetchUserAttributes":
		attributes, err := auth.FetchUserAttributes(ctx)
		if err != nil {
			return failed(err)
		}
		return outcome{Result: attributes}
	default:
		s, err := auth.FetchAuthSession(ctx, auth.FetchAuthSessionInput{
			ForceRefresh: in.Options.ForceRefresh, ClientMetadata: in.Options.ClientMetadata,
		})
		if err != nil {
			return failed(err)
		}
		return outcome{Result: sessionResult(s)}
	}
}

func sessionResult(s *auth.Session) map[string]any {
	result := map[string]any{}
	if s.Tokens != nil {
		tokens := map[string]any{"accessToken": s.Tokens.AccessToken.Reveal()}
		if s.Tokens.IDToken != nil {
			tokens["idToken"] = s.Tokens.IDToken.Reveal()
		}
		if s.Tokens.SignInDetails != nil {
			tokens["signInDetails"] = s.Tokens.SignInDetails
		}
		result["tokens"], result["userSub"] = tokens, s.UserSub
	}
	if s.Credentials != nil {
		result["credentials"] = map[string]any{
			"accessKeyId": s.Credentials.AccessKeyID, "secretAccessKey": s.Credentials.SecretAccessKey.Reveal(),
			"sessionToken": s.Credentials.SessionToken.Reveal(), "expiration": s.Credentials.Expires.UTC().Format("2006-01-02T15:04:05.000Z"),
		}
		result["identityId"] = s.IdentityID
	}
	return result
}

func failed(err error) outcome {
	var e *amplify.Error
	if !errors.As(err, &e) {
		return outcome{Error: &errorOutcome{"Error", err.Error()}}
	}
	return outcome{Error: &errorOutcome{e.Name, e.Message}}
}

// sameOutcomes compares outcomes, in any order if they were parallel. The texts of errors are compared where they
// come from a service or from Amplify: what JavaScript engines say is to be read as "fails".
func sameOutcomes(want, got []outcome, anyOrder bool) error {
	if len(want) != len(got) {
		return fmt.Errorf("%d outcomes, recorded %d", len(got), len(want))
	}
	err := errors.Join(sameOutcome(want[0], got[0]), sameLast(want, got))
	if err != nil && anyOrder && len(got) == 2 && errors.Join(sameOutcome(want[0], got[1]), sameOutcome(want[1], got[0])) == nil {
		return nil
	}
	return err
}

func sameLast(want, got []outcome) error {
	if len(want) == 1 {
		return nil
	}
	return sameOutcome(want[1], got[1])
}

func sameOutcome(want, got outcome) error {
	if want.Error != nil && got.Error != nil && engineErrors[want.Error.Name] {
		return nil
	}
	b, err := json.Marshal(want)
	if err != nil {
		return err
	}
	return conformance.Diff(b, got)
}

// engineErrors are the errors of JavaScript engines.
var engineErrors = map[string]bool{"SyntaxError": true, "TypeError": true, "RangeError": true}

func sameCalls(want sessionExpected, calls []conformance.Call) error {
	type call struct {
		Host, Target string
		Body         any
	}
	var w, g []call
	for _, c := range want.UpstreamCalls {
		w = append(w, call{c.Host, c.Target, c.Body})
	}
	for _, c := range calls {
		g = append(g, call{c.Host, c.Target, c.Body})
	}
	if d := cmp.Diff(w, g); d != "" {
		return fmt.Errorf("calls (-recorded +ours)\n%s", d)
	}
	return nil
}
