package auth_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
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

// sessionInput is the input of a case of session.json. A member that it lacks fails the case.
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
		Cookies cookieAttributes `json:"cookies"`
	} `json:"runtimeOptions"`
	Tokens           json.RawMessage                 `json:"tokens"` // for conformance.Keys
	CookieHeader     *string                         `json:"cookieHeader"`
	PresetSetCookie  []string                        `json:"presetSetCookie"`
	Jar              map[string]string               `json:"jar"`
	SetCookieOptions *cookieAttributes               `json:"setCookieOptions"`
	Upstream         map[string][]conformance.Answer `json:"upstream"`
	Calls            string                          `json:"calls"`
}

// cookieAttributes are the attributes of a cookie as Amplify JS takes them.
type cookieAttributes struct {
	Domain   string `json:"domain"`
	SameSite string `json:"sameSite"`
	MaxAge   int    `json:"maxAge"`
	Expires  struct {
		Date time.Time `json:"$date"`
	} `json:"expires"`

	// The runner decides these, here as in the original; a case with another answer has a rule.
	Path     string `json:"path"`
	Secure   *bool  `json:"secure"`
	HTTPOnly *bool  `json:"httpOnly"`
}

func (a cookieAttributes) sameSite() http.SameSite {
	return map[string]http.SameSite{
		"strict": http.SameSiteStrictMode, "lax": http.SameSiteLaxMode, "none": http.SameSiteNoneMode,
	}[strings.ToLower(a.SameSite)]
}

// outcome is what a call came to, in the shape of the recordings.
type outcome struct {
	Result any           `json:"result,omitempty"`
	Error  *errorOutcome `json:"error,omitempty"`
	// Unauthenticated is the reason why nobody is signed in. Only rules expect it.
	Unauthenticated amplify.Reason `json:"unauthenticated,omitempty"`
}

// sessionExpected is what a case of session.json expects. A member that it lacks fails the case.
type sessionExpected struct {
	outcome
	Results       []outcome      `json:"results"`
	SetCookie     []string       `json:"setCookie"`
	UpstreamCalls []recordedCall `json:"upstreamCalls"`
	StorageOps    []struct {
		Op      string           `json:"op"`
		Name    string           `json:"name"`
		Value   string           `json:"value"`
		Options cookieAttributes `json:"options"`
	} `json:"storageOps"`
	// Faults are the settings that the runner reports when it is made. Only rules expect them.
	Faults []string `json:"faults"`

	// What had been set a moment earlier than SetCookie, where that was something else: a matter of
	// the original's unfinished promises.
	SetCookieWhenSettled json.RawMessage `json:"setCookieWhenSettled"`
}

// recordedCall is a call to a service.
type recordedCall struct {
	conformance.Call
	// The original forbids caches that a browser has and a server has not.
	CacheControl string `json:"cacheControl"`
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
		if err := conformance.Decode([]byte(tokens.FillText(string(c.Input))), &in); err != nil {
			return fmt.Errorf("input: %w", err)
		}
		var want sessionExpected
		if err := conformance.Decode([]byte(fillDates(tokens.FillText(string(c.Expected)), tokens.Now)), &want); err != nil {
			return fmt.Errorf("expected: %w", err)
		}
		upstream := conformance.NewUpstream(keys, in.Upstream)
		got, setCookie, header, err := in.run(t, upstream)
		if want.Faults != nil {
			var fields []string
			for _, fault := range amplify.ConfigErrors(err) {
				fields = append(fields, fault.Field)
			}
			return conformance.Diff(c.Expected, map[string]any{"faults": fields})
		}
		if err != nil {
			return err
		}
		if want.SetCookie == nil || want.UpstreamCalls == nil {
			return errors.New("expected lacks setCookie or upstreamCalls")
		}

		results := want.Results
		if results == nil {
			results = []outcome{want.outcome}
		}
		var differences []error
		if err := sameOutcomes(results, got, in.Calls == "parallel", lastTarget(want.UpstreamCalls)); err != nil {
			differences = append(differences, err)
		}
		carried := carriedBy(header)
		operations, err := want.operations()
		if err != nil {
			return err
		}
		wantCookies, err := effects(append(want.SetCookie, operations...), carried)
		if err != nil {
			return err
		}
		gotCookies, err := effects(setCookie, carried)
		if err != nil {
			return err
		}
		dropDrift(wantCookies)
		domain := in.RuntimeOptions.Cookies.Domain
		if in.SetCookieOptions != nil {
			domain = in.SetCookieOptions.Domain
		}
		bothScopes(wantCookies, domain, carried)
		if d := cmp.Diff(wantCookies, gotCookies); d != "" {
			differences = append(differences, fmt.Errorf("cookies (-recorded +ours)\n%s", d))
		}
		differences = append(differences, sameCalls(want.UpstreamCalls, upstream.Calls()))
		if err := errors.Join(differences...); err != nil {
			return errors.New(tokens.Blank(err.Error()))
		}
		return nil
	})
}

var httpDate = regexp.MustCompile(`{{httpdate:now\+(\d+)}}`)

// fillDates puts dates in place of {{httpdate:now+N}}.
func fillDates(s string, now time.Time) string {
	return httpDate.ReplaceAllStringFunc(s, func(placeholder string) string {
		seconds, err := strconv.Atoi(httpDate.FindStringSubmatch(placeholder)[1])
		if err != nil {
			return placeholder
		}
		return now.Add(time.Duration(seconds) * time.Second).UTC().Format(http.TimeFormat)
	})
}

// dropDrift takes the clockDrift that the original writes with every refresh out of the comparison.
// Here a refresh leaves the cookie alone: it tells the browser's error, not the server's, and a
// comparison without it still fails if we write one.
func dropDrift(effects map[string]effect) {
	for key, e := range effects {
		if name, _, _ := strings.Cut(key, "; "); strings.HasSuffix(name, ".clockDrift") && !e.Deleted {
			delete(effects, key)
		}
	}
}

// bothScopes changes effects to what we do where cookies have a Domain: a request does not tell
// whether a cookie that it carries has one, so the cookie of the other scope is always deleted.
func bothScopes(effects map[string]effect, domain string, carried func(string) bool) {
	domain = strings.TrimPrefix(domain, ".")
	if domain == "" {
		return
	}
	suffix := "; Domain=" + domain
	for key, e := range maps.Clone(effects) {
		name, scoped := strings.CutSuffix(key, suffix)
		switch {
		case e.Deleted && !scoped:
			if _, set := effects[key+suffix]; !set {
				effects[key+suffix] = e
			}
		case !e.Deleted && scoped && carried(name):
			effects[name] = effect{Deleted: true, Path: "/"}
		}
	}
}

// operations returns the storage operations of a case of adapter-core as Set-Cookie lines.
func (w *sessionExpected) operations() (lines []string, err error) {
	for _, op := range w.StorageOps {
		line := cookie.EncodeName(op.Name) + "=" + cookie.EncodeValue(op.Value)
		a := op.Options
		switch op.Op {
		case "delete":
			if op.Value != "" || a != (cookieAttributes{}) {
				return nil, fmt.Errorf("operation %+v", op)
			}
			lines = append(lines, line+"; Max-Age=0")
			continue
		case "set":
		default:
			return nil, fmt.Errorf("operation %q", op.Op)
		}
		for name, value := range map[string]string{"Path": a.Path, "Domain": a.Domain, "SameSite": a.SameSite} {
			if value != "" {
				line += "; " + name + "=" + value
			}
		}
		if a.MaxAge != 0 {
			line += fmt.Sprintf("; Max-Age=%d", a.MaxAge)
		}
		if !a.Expires.Date.IsZero() {
			line += "; Expires=" + a.Expires.Date.UTC().Format(http.TimeFormat)
		}
		if a.Secure != nil && *a.Secure {
			line += "; Secure"
		}
		if a.HTTPOnly != nil && *a.HTTPOnly {
			line += "; HttpOnly"
		}
		lines = append(lines, line)
	}
	return lines, nil
}

// run makes the calls of a case. It returns their outcomes, the Set-Cookie lines of the response
// and the Cookie header of the request.
func (in *sessionInput) run(t *testing.T, upstream *conformance.Upstream) (got []outcome, setCookie []string, header string, err error) {
	cfg, err := amplify.ParseConfig(in.Config)
	if err != nil {
		return nil, nil, "", err
	}
	attributes := in.RuntimeOptions.Cookies
	o := amplifyhttp.Options{
		Origin: in.Origin,
		Cookies: amplifyhttp.CookieOptions{
			Domain:   attributes.Domain,
			SameSite: attributes.sameSite(),
			MaxAge:   time.Duration(attributes.MaxAge) * time.Second,
			Expires:  attributes.Expires.Date,
		},
		App: amplify.Options{HTTPClient: &http.Client{Transport: upstream}},
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

// rotates reports whether the app client of a case rotates refresh tokens, which a server would
// know.
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
		var attributes cookie.Options
		if a := in.SetCookieOptions; a != nil {
			attributes = cookie.Options{
				Domain: a.Domain, Path: a.Path, SameSite: a.sameSite(), Expires: a.Expires.Date,
				MaxAge:   time.Duration(a.MaxAge) * time.Second,
				Insecure: a.Secure != nil && !*a.Secure, HTTPOnly: a.HTTPOnly != nil && *a.HTTPOnly,
			}
		}
		kv := cookie.NewKeyValueStorage(cookie.NewHeaderStore(r.Header, w.Header()), attributes)
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
	access := map[string]amplifyhttp.Access{
		"nextRequest+nextResponse": amplifyhttp.ReadWrite(w, r),
		"nextRequest+response":     amplifyhttp.ReadWrite(w, r),
		"cookies-mutable":          amplifyhttp.ReadWrite(w, r),
		"getServerSideProps":       amplifyhttp.ReadWrite(w, r),
		"cookies-readonly":         amplifyhttp.ReadOnly(r),
		"null":                     amplifyhttp.Static(t.Context()),
		"unsupported":              {}, // the nearest thing to an object that fits nothing
	}
	a, known := access[in.Context]
	if !known {
		return nil, fmt.Errorf("context %q", in.Context)
	}
	return func(operation func(context.Context)) {
		_, _ = amplifyhttp.RunWithServerContext(runner, a,
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
	case "fetchAuthSession":
		s, err := auth.FetchAuthSession(ctx, auth.FetchAuthSessionInput{
			ForceRefresh: in.Options.ForceRefresh, ClientMetadata: in.Options.ClientMetadata,
		})
		if err != nil {
			return failed(err)
		}
		return outcome{Result: sessionResult(s), Unauthenticated: amplify.ReasonOf(s.Unauthenticated)}
	}
	return failed(fmt.Errorf("api %q", in.API))
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

// sameOutcomes compares outcomes, in any order if they were parallel.
func sameOutcomes(want, got []outcome, anyOrder bool, last string) error {
	if len(want) != len(got) {
		return fmt.Errorf("%d outcomes, recorded %d", len(got), len(want))
	}
	inOrder := func(got []outcome) error {
		var errs []error
		for i := range want {
			errs = append(errs, sameOutcome(want[i], got[i], last))
		}
		return errors.Join(errs...)
	}
	err := inOrder(got)
	if err != nil && anyOrder && len(got) == 2 && inOrder([]outcome{got[1], got[0]}) == nil {
		return nil
	}
	return err
}

func sameOutcome(want, got outcome, last string) error {
	if want.Unauthenticated == "" {
		got.Unauthenticated = ""
	}
	if want.Error != nil && got.Error != nil {
		if err := sameError(want.Error, got.Error, last); err != nil {
			return err
		}
		want.Error, got.Error = nil, nil
	}
	b, err := json.Marshal(want)
	if err != nil {
		return err
	}
	return conformance.Diff(b, got)
}

func lastTarget(calls []recordedCall) string {
	if len(calls) == 0 {
		return ""
	}
	return calls[len(calls)-1].Target
}

// sameCalls compares calls to services in their order.
func sameCalls(want []recordedCall, calls []conformance.Call) error {
	var w, g []conformance.Call
	for _, c := range want {
		w = append(w, c.Call)
	}
	for _, c := range calls {
		c.SDKRequest, _, _ = strings.Cut(c.SDKRequest, "; ttl=") // of the SDK for Go alone
		g = append(g, c)
	}
	if d := cmp.Diff(w, g); d != "" {
		return fmt.Errorf("calls (-recorded +ours)\n%s", d)
	}
	return nil
}
