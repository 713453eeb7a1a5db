package login

import (
	"context"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/amplify-go/amplify/sandbox/internal/store"
	"github.com/amplify-go/amplify/sandbox/internal/ui"
	"github.com/amplify-go/amplify/sandbox/internal/userpool"
)

const (
	publicClient  = "4public00000000000000000001"
	secretClient  = "4secret00000000000000000001"
	socialClient  = "4social00000000000000000001"
	clientSecret  = "s3cr3t0123456789s3cr3t0123456789s3cr3t"
	callback      = "http://localhost:3000/api/auth/sign-in-callback"
	callbackQuery = "http://localhost:3000/cb?x=1"
	signOutURL    = "http://localhost:3000/api/auth/sign-out-callback"
	goodPassword  = "Correct-horse-9"
	// RFC 7636, appendix B
	verifier  = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
)

// clock is a clock that tests set.
type clock struct{ offset atomic.Int64 }

func (c *clock) Now() time.Time          { return time.Now().Add(time.Duration(c.offset.Load())) }
func (c *clock) Advance(d time.Duration) { c.offset.Add(int64(d)) }

// sandbox is managed login behind a real server.
type sandbox struct {
	*httptest.Server
	t     testing.TB
	mux   *http.ServeMux
	pool  *userpool.Pool
	store *store.Store
	clock *clock
	log   *strings.Builder
}

func poolConfig() userpool.Config {
	scopes := []string{"openid", "email", "phone", "profile", "aws.cognito.signin.user.admin"}
	all := []string{"COGNITO", "Google", "Facebook", "LoginWithAmazon", "SignInWithApple"}
	return userpool.Config{
		ID: "eu-west-1_Sandbox01", Region: "eu-west-1",
		Clients: []userpool.Client{
			{ID: publicClient, Name: "web", CallbackURLs: []string{callback, callbackQuery}, LogoutURLs: []string{signOutURL}, Scopes: scopes, Providers: all},
			{ID: secretClient, Name: "server", Secret: clientSecret, CallbackURLs: []string{callback}, LogoutURLs: []string{signOutURL}, Scopes: scopes, Providers: []string{"COGNITO"}},
			{ID: socialClient, Name: "social", CallbackURLs: []string{callback}, Scopes: []string{"openid"}, Providers: []string{"Google"}},
		},
		PasswordPolicy:     userpool.PasswordPolicy{MinLength: 8, RequireLowercase: true, RequireUppercase: true, RequireNumbers: true, RequireSymbols: true},
		UsernameAttributes: []string{"email"},
		RequiredAttributes: []string{"email"},
		VerifiedAttributes: []string{"email"},
	}
}

// signingKeys are made once: RSA keys take the better part of a second.
var signingKeys = sync.OnceValues(func() (keys []store.SigningKey, err error) {
	ctx := context.Background()
	st, err := store.Open(ctx, "")
	if err != nil {
		return nil, err
	}
	defer func() { _ = st.Close() }()
	if _, err := userpool.New(ctx, st, poolConfig()); err != nil {
		return nil, err
	}
	err = st.View(ctx, func(tx *store.Tx) (err error) {
		keys, err = tx.SigningKeys()
		return err
	})
	return keys, err
})

func newSandbox(t testing.TB, change ...func(*userpool.Config)) *sandbox {
	t.Helper()
	ctx := context.Background()
	st, err := store.Open(ctx, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	keys, err := signingKeys()
	if err == nil {
		err = st.Update(ctx, func(tx *store.Tx) error {
			for _, k := range keys {
				if err := tx.AddSigningKey(k); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	s := &sandbox{t: t, store: st, mux: http.NewServeMux(), clock: &clock{}, log: &strings.Builder{}}
	cfg := poolConfig()
	cfg.Clock = s.clock.Now
	for _, f := range change {
		f(&cfg)
	}
	if s.pool, err = userpool.New(ctx, st, cfg); err != nil {
		t.Fatal(err)
	}
	s.mux.Handle("GET "+ui.AssetPrefix, ui.NewAssets())
	at := func(path string) func(*http.Request) string {
		return func(*http.Request) string { return path }
	}
	h := New(Config{Pool: s.pool, Store: st, Inbox: at("/inbox"), Console: at("/console"),
		Logger: slog.New(slog.NewTextHandler(s.log, nil))})
	h.Register(s.mux)
	s.mux.HandleFunc("GET /", h.ServeNotFound)
	s.Server = httptest.NewServer(s.mux)
	t.Cleanup(s.Close)
	return s
}

// A browser keeps cookies and follows redirects within the sandbox; at one that leaves for the
// application it stops.
type browser struct {
	t       testing.TB
	s       *sandbox
	client  *http.Client
	visited []string
}

func (s *sandbox) browser() *browser {
	jar, _ := cookiejar.New(nil)
	b := &browser{t: s.t, s: s}
	b.client = &http.Client{Jar: jar, CheckRedirect: func(req *http.Request, via []*http.Request) error {
		b.visited = append(b.visited, req.URL.Path)
		if !strings.HasPrefix(req.URL.String(), s.URL) || len(via) > 5 {
			return http.ErrUseLastResponse
		}
		return nil
	}}
	return b
}

// A page is what a browser shows.
type page struct {
	*http.Response
	Body string
	// Left is where the browser was sent to outside of the sandbox, or nil.
	Left *url.URL
}

func (b *browser) do(req *http.Request) *page {
	b.t.Helper()
	res, err := b.client.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	p := &page{Response: res, Body: string(body)}
	if l := res.Header.Get("Location"); l != "" {
		if p.Left, err = url.Parse(l); err != nil {
			b.t.Fatal(err)
		}
	}
	return p
}

func (b *browser) get(path string) *page {
	b.t.Helper()
	req, err := http.NewRequest("GET", b.s.URL+path, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.do(req)
}

func (b *browser) postForm(address string, form url.Values) *page {
	b.t.Helper()
	req, err := http.NewRequest("POST", address, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	return b.do(req)
}

var (
	formPattern  = regexp.MustCompile(`(?s)<form method="post" action="([^"]*)">(.*?)</form>`)
	inputPattern = regexp.MustCompile(`<input[^>]*\bname="([^"]*)"[^>]*\bvalue="([^"]*)"`)
	errorPattern = regexp.MustCompile(`(?s)<div class="notice bad" role="alert"[^>]*>(.*?)</div>`)
)

// submit fills in the first form of p whose action begins with path and submits it.
func (b *browser) submit(p *page, path string, values map[string]string) *page {
	b.t.Helper()
	for _, m := range formPattern.FindAllStringSubmatch(p.Body, -1) {
		action := unescape(m[1])
		if !strings.HasPrefix(action, path) {
			continue
		}
		form := url.Values{}
		for _, in := range inputPattern.FindAllStringSubmatch(m[2], -1) {
			form.Set(unescape(in[1]), unescape(in[2]))
		}
		for k, v := range values {
			form.Set(k, v)
		}
		return b.postForm(b.s.URL+action, form)
	}
	b.t.Fatalf("no form for %s in the page\n%s", path, p.Body)
	return nil
}

// alert returns what the page says went wrong.
func (p *page) alert() string {
	m := errorPattern.FindStringSubmatch(p.Body)
	if m == nil {
		return ""
	}
	return strings.TrimSpace(unescape(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(m[1], "")))
}

// authorizeQuery is a good request, with pairs of changes; an empty value removes.
func authorizeQuery(changes ...string) string {
	q := url.Values{
		"client_id": {publicClient}, "redirect_uri": {callback}, "response_type": {"code"}, "scope": {"openid email"},
		"state": {"a-state"}, "code_challenge": {challenge}, "code_challenge_method": {"S256"},
	}
	for i := 0; i < len(changes); i += 2 {
		if q.Del(changes[i]); changes[i+1] != "" {
			q.Set(changes[i], changes[i+1])
		}
	}
	return q.Encode()
}

func unescape(s string) string { return html.UnescapeString(s) }
