// Package flowtest has what the tests of flow and of its adapters share: a configuration on
// stand-ins for AWS, sessions of its users, and readers of the responses.
package flowtest

import (
	"bytes"
	"fmt"
	"html"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/cookie"
	"github.com/amplify-go/amplify/internal/conformance"
)

// The names of the recorded cases, so that their stand-ins serve here too.
const (
	Pool   = "eu-west-1_Corpus001"
	Client = "4corpusclientid0000000001"
	Prefix = "CognitoIdentityServiceProvider." + Client + "."
	Origin = "https://myapp.com"
)

// Backend is a backend with a fake clock. Its tokens are signed by Keys.
type Backend struct {
	t        testing.TB
	Config   amplify.Config
	App      amplify.Options
	Upstream *conformance.Upstream
	Log      *Buffer
	Now      time.Time
}

// Keys returns the keys of the backends, which are made once.
var Keys = sync.OnceValue(func() *conformance.Keys { return conformance.NewKeys(&testing.T{}) })

// New returns a backend that gives answers. No secret may be logged during the test.
func New(t testing.TB, answers map[string][]conformance.Answer) *Backend {
	t.Helper()
	t.(interface{ Setenv(k, v string) }).Setenv("AMPLIFY_APP_ORIGIN", "")
	b := &Backend{t: t, Upstream: conformance.NewUpstream(Keys(), answers), Log: &Buffer{}, Now: time.Now()}
	b.Config = amplify.Config{Auth: &amplify.AuthConfig{
		UserPoolID: Pool, UserPoolClientID: Client,
		OAuth: &amplify.OAuthConfig{
			Domain: "auth.corpus.test", Scopes: []string{"openid"}, ResponseType: "code",
			RedirectSignIn:  []string{Origin + "/api/auth/sign-in-callback"},
			RedirectSignOut: []string{Origin + "/api/auth/sign-out-callback"},
		},
	}}
	b.App = amplify.Options{
		HTTPClient: &http.Client{Transport: b.Upstream},
		Logger:     slog.New(slog.NewTextHandler(b.Log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Clock:      func() time.Time { return b.Now },
	}
	t.Cleanup(func() {
		for _, secret := range []string{"eyJ", "refresh-of-", "rotated", "the-code", "client-secret"} {
			if strings.Contains(b.Log.String(), secret) {
				t.Errorf("a secret is logged: %s", b.Log)
			}
		}
	})
	return b
}

// Tokens signs an access and an ID token of a user, which end after life. extra goes into both.
func (b *Backend) Tokens(user string, life time.Duration, extra map[string]any) (access, id string) {
	b.t.Helper()
	times := map[string]int64{"iat": -60, "auth_time": -60, "exp": int64(life.Seconds())}
	sign := func(use string, claims map[string]any) string {
		claims["sub"], claims["token_use"] = "sub-of-"+user, use
		claims["origin_jti"] = "sign-in-of-" + user
		claims["iss"] = "https://cognito-idp.eu-west-1.amazonaws.com/" + Pool
		maps.Copy(claims, extra)
		token, err := Keys().Sign(conformance.TokenSpec{Key: "pool", Claims: claims, Times: times}, b.Now)
		if err != nil {
			b.t.Fatal(err)
		}
		return token
	}
	return sign("access", map[string]any{"client_id": Client, "username": user, "scope": "openid email"}),
		sign("id", map[string]any{"aud": Client, "cognito:username": user})
}

// Session returns the Cookie header of a user's session.
func (b *Backend) Session(user string, life time.Duration, extra map[string]any) string {
	access, id := b.Tokens(user, life, extra)
	name := func(key string) string { return cookie.EncodeName(Prefix + user + "." + key) }
	return Prefix + "LastAuthUser=" + cookie.EncodeValue(user) + "; " + name("accessToken") + "=" + access + "; " +
		name("idToken") + "=" + id + "; " + name("refreshToken") + "=refresh-of-" + cookie.EncodeName(user)
}

// Refreshed returns what Cognito answers to the refresh of a user's session.
func (b *Backend) Refreshed(user string) map[string][]conformance.Answer {
	access, id := b.Tokens(user, time.Hour, map[string]any{"jti": "fresh"})
	return map[string][]conformance.Answer{"GetTokensFromRefreshToken": {{
		Status: 200, JSON: []byte(`{"AuthenticationResult":{"AccessToken":"` + access + `","IdToken":"` + id + `","RefreshToken":"rotated"}}`),
	}}}
}

// SignedIn returns what the token endpoint answers for a user.
func (b *Backend) SignedIn(user string) map[string][]conformance.Answer {
	access, id := b.Tokens(user, time.Hour, nil)
	return map[string][]conformance.Answer{"POST /oauth2/token": {{
		Status: 200, JSON: fmt.Appendf(nil, `{"access_token":%q,"id_token":%q,"refresh_token":"refresh-of-%s","token_type":"Bearer"}`, access, id, user),
	}}}
}

// Request returns a GET request with a Cookie header and further headers.
func Request(target, cookies string, headers ...string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, target, nil)
	if cookies != "" {
		r.Header.Set("Cookie", cookies)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return r
}

// Headers of browsers and programs.
var (
	Navigation = []string{"Sec-Fetch-Site", "same-origin", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document", "Accept", "text/html"}
	Fetched    = []string{"Sec-Fetch-Site", "same-origin", "Sec-Fetch-Mode", "cors", "Sec-Fetch-Dest", "empty", "Accept", "*/*"}
	FromAfar   = []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document", "Accept", "text/html"}
)

// Serve answers r by h.
func Serve(h http.Handler, r *http.Request) *http.Response {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

// SetCookies reads Set-Cookie lines into attributes by decoded name. A deletion needs
// only its scope to be effective.
func SetCookies(lines []string) map[string]map[string]string {
	all := map[string]map[string]string{}
	for _, line := range lines {
		pair, rest, _ := strings.Cut(line, ";")
		name, value, _ := strings.Cut(pair, "=")
		attributes := map[string]string{}
		for part := range strings.SplitSeq(rest, ";") {
			k, v, _ := strings.Cut(strings.TrimSpace(part), "=")
			switch k = strings.ToLower(k); k {
			case "domain":
				v = strings.TrimPrefix(v, ".")
			case "samesite":
				v = strings.ToLower(v)
			}
			attributes[k] = v
		}
		if value == "" && strings.Trim(attributes["max-age"], "-01") == "" {
			maps.DeleteFunc(attributes, func(k, _ string) bool { return k != "domain" && k != "path" })
			attributes["deleted"] = "true"
		} else {
			attributes["value"] = cookie.DecodeValue(value)
		}
		// A later line replaces an earlier one of the same scope, such as the deletion
		// before each cookie.
		key := cookie.DecodeName(name)
		if all[key] != nil && all[key]["domain"] != attributes["domain"] {
			key += " of " + attributes["domain"]
		}
		all[key] = attributes
	}
	return all
}

// BodyTargets reads where a page of flow leads. The script goes where the link goes.
func BodyTargets(body string) map[string]string {
	find := func(pattern string) string {
		if m := regexp.MustCompile(pattern).FindStringSubmatch(body); m != nil {
			return html.UnescapeString(m[1])
		}
		return ""
	}
	targets := map[string]string{
		"metaRefresh": find(`<meta http-equiv="refresh" content="0; url=([^"]*)">`),
		"link":        find(`<a id="next" href="([^"]*)">`),
	}
	if strings.Contains(body, `<script>location.replace(document.getElementById("next").href)</script>`) {
		targets["script"] = targets["link"]
	}
	return targets
}

// Buffer is a buffer for loggers.
type Buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *Buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *Buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
