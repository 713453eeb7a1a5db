package doctor_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/amplifyhttp"
	"github.com/amplify-go/amplify/cookie"
	"github.com/amplify-go/amplify/doctor"
	"github.com/amplify-go/amplify/internal/testpool"
)

// Two users whose names are long enough to be noticed in a report.
var (
	alice = testpool.User{Sub: testpool.Alice.Sub, Name: "alice.liddell@example.com"}
	bob   = testpool.User{Sub: testpool.Bob.Sub, Name: "bob.the.builder@example.com"}
)

// refreshToken is a refresh token, which no text has a part of.
const refreshToken = "kq3vZx81mTf0WcLp7RbY"

// Where managed login is, an application, and a bucket.
const (
	loginHost = "login.example.test"
	appOrigin = "https://app.example.test"

	bucketHost = "drive.s3.eu-west-1.amazonaws.com"
)

// world is the network: a user pool, managed login, an identity pool, and an application.
type world struct {
	*testpool.Pool
	login, app http.HandlerFunc // nil does not answer
	bucket     http.HandlerFunc // of the bucket drive; nil does not answer
	api        http.HandlerFunc // answers the APIs of both pools, unless it is nil
}

// exception answers with an error of an AWS service.
func exception(name, message string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		w.WriteHeader(http.StatusBadRequest)
		_ = json.NewEncoder(w).Encode(map[string]string{"__type": name, "message": message})
	}
}

func newWorld(t *testing.T) *world {
	t.Setenv("AMPLIFY_APP_ORIGIN", "")
	return &world{Pool: testpool.New(t), login: func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/login", http.StatusFound)
	}}
}

func (w *world) RoundTrip(r *http.Request) (*http.Response, error) {
	h := map[string]http.HandlerFunc{
		loginHost:          w.login,
		"app.example.test": w.app,
		bucketHost:         w.bucket,
	}
	switch target := r.Header.Get("X-Amz-Target"); {
	case w.api != nil && target != "":
		h[r.URL.Host] = w.api
	case strings.HasSuffix(target, ".GetTokensFromRefreshToken"): // a token that nobody was given
		h[r.URL.Host] = exception("NotAuthorizedException", "Invalid Refresh Token")
	case strings.HasSuffix(target, ".GetId"): // a token that nobody signed
		h[r.URL.Host] = exception("NotAuthorizedException", "Invalid login token. Couldn't verify signed token.")
	}
	handler, ok := h[r.URL.Host]
	switch {
	case !ok:
		return w.Pool.RoundTrip(r)
	case handler == nil:
		return nil, io.ErrUnexpectedEOF
	}
	return answer(handler, r), nil
}

// answer is what h answers to r.
func answer(h http.Handler, r *http.Request) *http.Response {
	rec := &recorder{header: http.Header{}, status: http.StatusOK}
	h.ServeHTTP(rec, r)
	return &http.Response{
		StatusCode: rec.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: rec.header, Body: io.NopCloser(strings.NewReader(rec.body.String())), Request: r,
	}
}

type recorder struct {
	header http.Header
	status int
	body   strings.Builder
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) WriteHeader(status int)      { r.status = status }
func (r *recorder) Write(b []byte) (int, error) { return r.body.Write(b) }

// config is the configuration of an application of the world.
func (w *world) config() amplify.Config {
	cfg := w.Config()
	cfg.Auth.OAuth = &amplify.OAuthConfig{
		Domain: loginHost, ResponseType: "code", Scopes: []string{"openid"},
		RedirectSignIn:  []string{appOrigin + "/api/auth/sign-in-callback"},
		RedirectSignOut: []string{appOrigin + "/api/auth/sign-out-callback"},
	}
	return cfg
}

// input is that application's, with the cookies of a request.
func (w *world) input(cookies string) doctor.Input {
	options := w.Options()
	options.HTTPClient.Transport = w
	return doctor.Input{
		Options:  amplifyhttp.Options{Origin: appOrigin, App: options},
		Requests: []*http.Request{request("/home", cookies)},
	}
}

// request is one of a browser.
func request(path, cookies string) *http.Request {
	r, err := http.NewRequest(http.MethodGet, appOrigin+path, nil)
	if err != nil {
		panic(err)
	}
	if cookies != "" {
		r.Header.Set("Cookie", cookies)
	}
	return r
}

// cookies returns a Cookie header with a session as Amplify JS spells it.
func cookies(u testpool.User, access, id, refresh string) string {
	name := cookie.EncodeName(u.Name)
	return testpool.Cookies(testpool.User{Sub: u.Sub, Name: name}, access, id, refresh)
}

// examine examines, and fails if the report tells a secret.
func examine(t *testing.T, cfg amplify.Config, in doctor.Input) *doctor.Report {
	t.Helper()
	report := doctor.Examine(t.Context(), cfg, in)
	b, err := json.Marshal(report)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{report.String(), string(b)} {
		for _, r := range in.Requests {
			noSecret(t, text, r.Header)
		}
	}
	return report
}

// noSecret fails if text has more than eight characters in a row of a cookie's value or a bearer
// token, or somebody's id. The name of a user is no secret within the name of a cookie.
func noSecret(t *testing.T, text string, h http.Header) {
	t.Helper()
	text = regexp.MustCompile(regexp.QuoteMeta(testpool.Prefix)+`[^ ]+`).ReplaceAllString(text, "")
	for _, u := range []testpool.User{alice, bob} {
		if strings.Contains(text, u.Name) || strings.Contains(text, cookie.EncodeName(u.Name)) || strings.Contains(text, u.Sub) {
			t.Errorf("the report names a user:\n%s", text)
		}
	}
	for _, token := range h["Authorization"] {
		for i := 0; i+9 <= len(token); i++ {
			if strings.Contains(text, token[i:i+9]) {
				t.Fatalf("the report tells a part of the bearer token:\n%s", text)
			}
		}
	}
	for name, value := range cookie.Parse(h["Cookie"]) {
		for _, v := range []string{value, cookie.DecodeValue(value), url.QueryEscape(value)} {
			for i := 0; i+9 <= len(v); i++ {
				if strings.Contains(text, v[i:i+9]) {
					t.Fatalf("the report tells a part of the cookie %s:\n%s", name, text)
				}
			}
		}
	}
}

// wantFindings expects findings, each written as "check status" or "check status
// reason", and no other problems.
func wantFindings(t *testing.T, r *doctor.Report, want ...string) {
	t.Helper()
	got := map[string]bool{}
	for _, f := range r.Findings {
		key := strings.TrimSpace(f.Check + " " + string(f.Status) + " " + string(f.Reason))
		got[key] = true
		if f.Message == "" {
			t.Errorf("%s says nothing", key)
		}
	}
	expected := map[string]bool{}
	for _, w := range want {
		expected[w] = true
		if !got[w] {
			t.Errorf("no finding %q", w)
		}
	}
	for key := range got {
		if strings.Contains(key, string(doctor.Problem)) && !expected[key] {
			t.Errorf("a finding %q", key)
		}
	}
	if t.Failed() {
		t.Logf("\n%s", r)
	}
}
