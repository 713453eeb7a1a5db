package doctor_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/amplifyhttp"
	"github.com/amplify-go/amplify/doctor"
	"github.com/amplify-go/amplify/internal/testpool"
)

// application makes an application of this library the world's.
func (w *world) application(t *testing.T, cfg amplify.Config, o amplifyhttp.Options) {
	t.Helper()
	runner, err := amplifyhttp.NewServerRunner(cfg, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := runner.Close(t.Context()); err != nil && t.Context().Err() == nil {
			t.Error(err)
		}
	})
	routes, err := runner.AuthRoutes(amplifyhttp.AuthRoutesOptions{})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/api/auth/", routes)
	guard, err := runner.RequireUser(amplifyhttp.Guard{SignIn: "/api/auth/sign-in"})
	if err != nil {
		t.Fatal(err)
	}
	mux.Handle("/home", guard(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {})))
	w.app = runner.Middleware(mux).ServeHTTP
}

// TestApplication: what a running application answers.
func TestApplication(t *testing.T) {
	w := newWorld(t)
	good := cookies(alice, w.Access(alice), w.ID(alice), refreshToken)
	prefix := testpool.Prefix + "alice.liddell%40example.com."
	header := func(status int, pairs ...string) func(*testing.T, *doctor.Input) {
		return func(_ *testing.T, in *doctor.Input) {
			w.app = func(w http.ResponseWriter, r *http.Request) {
				for i := 0; i < len(pairs); i += 2 {
					w.Header().Add(pairs[i], pairs[i+1])
				}
				w.WriteHeader(status)
			}
		}
	}
	tests := map[string]struct {
		cookies string
		change  func(*testing.T, *doctor.Input) // nil leaves an application of this library
		want    []string
		text    string
	}{
		"signed in":     {good, nil, []string{"session ok", "app ok", "auth-routes ok"}, "/home answers status 200."},
		"not signed in": {"a=b", nil, []string{"session problem no_session", "app problem no_session", "app ok", "auth-routes ok"}, "/home redirects to /api/auth/sign-in (status 303)"},
		"another origin": {good, func(_ *testing.T, in *doctor.Input) { in.URL = "http://app.example.test/home" },
			[]string{"app warning", "app problem"}, "is not the origin"},
		"down":            {good, func(_ *testing.T, in *doctor.Input) { w.app = nil }, []string{"app problem"}, "unexpected EOF"},
		"no page":         {good, func(_ *testing.T, in *doctor.Input) { in.URL = "ftp://x" }, []string{"app problem"}, "not that of a page"},
		"round and round": {good, header(302, "Location", "/home"), []string{"app problem", "auth-routes problem"}, "without end"},
		"431":             {good, header(431), []string{"app problem", "auth-routes problem"}, "too large for it"},
		"500":             {good, header(500), []string{"app problem", "auth-routes problem"}, "Read the log"},
		"kept by caches":  {good, header(200, "Cache-Control", "public, max-age=60"), []string{"app warning", "auth-routes problem"}, "Shared caches may keep /home"},
		"from a cache":    {good, header(200, "Age", "7"), []string{"app warning", "auth-routes problem"}, "comes from a shared cache"},
		"session for all": {good, header(200, "Set-Cookie", prefix+"accessToken=x; Path=/; Secure; HttpOnly"), []string{"app problem", "auth-routes problem"}, "hand the session to others"},
		"bad attributes": {good, header(200, "Cache-Control", "no-store", "Set-Cookie", prefix+"accessToken=x; Path=/; Domain=elsewhere.test"),
			[]string{"app problem", "auth-routes problem"}, "not Secure, so that they travel by http as well; scripts can read them, though the server signs users in; their Domain does not cover"},
		"signed out": {good, header(200, "Cache-Control", "no-store", "Set-Cookie", prefix+"accessToken=; Path=/; Max-Age=0; Secure; HttpOnly"),
			[]string{"app warning", "auth-routes problem"}, "it has ended"},
		"another client": {good, header(302, "Location", "https://"+loginHost+"/oauth2/authorize?client_id=x"), []string{"app problem", "auth-routes problem"}, "another app client"},
		"elsewhere":      {good, header(302, "Location", "https://elsewhere.test/x"), []string{"app ok", "auth-routes problem"}, "another host, elsewhere.test"},
		"echoes": {good, header(302, "Location", "/x/"+refreshToken[3:15], "Set-Cookie", "alice.liddell@example.com=x"),
			[]string{"app problem", "auth-routes problem"}, "redirects to (not shown)"},
		"echoes host": {good, header(302, "Location", "https://"+refreshToken+".test/"),
			[]string{"app ok", "auth-routes problem"}, "leads to (not shown), which is not managed login"},
		"no web address": {good, header(302, "Location", "file:///etc/passwd"), []string{"app ok", "auth-routes problem"}, "another host, file:."},
		"commands":       {good, header(302, "Location", "/\u009b31m"), []string{"app problem", "auth-routes problem"}, "redirects to (not shown)"},
		"right to left":  {good, header(302, "Location", "https://a\u202eb/"), []string{"app ok", "auth-routes problem"}, "another host, (not shown)"},
		"Latin-1":        {good, header(302, "Location", "https://a\x9b31m/"), []string{"app ok", "auth-routes problem"}, "another host, (not shown)"},
		"echoes reason": {"a=secretsecret", func(_ *testing.T, in *doctor.Input) {
			w.app = func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(http.StatusUnauthorized)
				_, _ = w.Write([]byte(`{"reason":"secretsecret"}`))
			}
		}, []string{"session problem no_session", "app problem (not shown)", "auth-routes problem"}, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			cfg, in := w.config(), w.input(test.cookies)
			in.URL = appOrigin + "/home?secret=in-the-query"
			w.application(t, cfg, in.Options)
			if test.change != nil {
				test.change(t, &in)
			}
			r := examine(t, cfg, in)
			wantFindings(t, r, test.want...)
			if text := strings.Join(strings.Fields(r.String()), " "); !strings.Contains(text, test.text) || strings.Contains(text, "in-the-query") {
				t.Errorf("want %q and no query:\n%s", test.text, r)
			}
		})
	}
}

// TestApplicationKeepsRefreshToken: a session that is due for a refresh is not sent to the
// application, which would redeem its refresh token for nobody.
func TestApplicationKeepsRefreshToken(t *testing.T) {
	w := newWorld(t)
	in := w.input(cookies(alice, w.Access(alice), w.ID(alice), refreshToken))
	in.URL = appOrigin + "/home"
	w.app = func(_ http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Cookie") != "" {
			t.Error("the cookies are sent")
		}
	}
	w.Advance(2 * time.Hour)
	wantFindings(t, examine(t, w.config(), in), "session warning", "app ok", "auth-routes problem")
}

// TestCookiesStayWithTheApplication: no other host gets the cookies, whatever redirects say.
func TestCookiesStayWithTheApplication(t *testing.T) {
	w := newWorld(t)
	in := w.input(cookies(alice, w.Access(alice), w.ID(alice), refreshToken))
	in.URL = appOrigin + "/home"
	w.app = func(rw http.ResponseWriter, r *http.Request) {
		http.Redirect(rw, r, "https://"+loginHost+"/steal", http.StatusFound)
	}
	w.login = func(_ http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Cookie") != "" || r.URL.Path == "/steal" {
			t.Errorf("%s is asked, with cookies: %v", r.URL.Path, r.Header.Get("Cookie") != "")
		}
	}
	examine(t, w.config(), in)
}

// TestNoSessionInClearText: by plain http the session is sent to this machine alone.
func TestNoSessionInClearText(t *testing.T) {
	for host, want := range map[string]bool{"app.example.test": false, "app.localhost": true} {
		w := newWorld(t)
		in := w.input(cookies(alice, w.Access(alice), w.ID(alice), refreshToken))
		in.URL, in.Options.Origin = "http://"+host+"/home", "http://"+host
		sent := false
		in.Options.App.HTTPClient.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
			if r.URL.Host != host {
				return w.RoundTrip(r)
			}
			sent = sent || r.Header.Get("Cookie") != ""
			return answer(http.NotFoundHandler(), r), nil
		})
		examine(t, w.config(), in)
		if sent != want {
			t.Errorf("%s: the cookies are sent: %v", host, sent)
		}
	}
}

// TestGarbledAnswers: what is no HTTP is told of by errors, which quote it. It may repeat the
// cookies, and may hold commands for the terminal.
func TestGarbledAnswers(t *testing.T) {
	w := newWorld(t)
	for name, garbled := range map[string]func(cookies string) string{
		"a line":         func(cookies string) string { return "HTTP/1.1 200 OK\r\n" + cookies + "\r\n\r\n" },
		"the status":     func(cookies string) string { return "HTTP/1.1 " + cookies + "\r\n\r\n" },
		"the first line": func(cookies string) string { return cookies + "\r\n\r\n" },
		"the length":     func(cookies string) string { return "HTTP/1.1 200 OK\r\nContent-Length: " + cookies + "\r\n\r\n" },
		"the coding":     func(cookies string) string { return "HTTP/1.1 200 OK\r\nTransfer-Encoding: " + cookies + "\r\n\r\n" },
		"the location":   func(cookies string) string { return "HTTP/1.1 302 Found\r\nLocation: https://" + cookies + "\r\n\r\n" },
		"commands":       func(string) string { return "HTTP/1.1 200 OK\r\n\x1b[31m\u009b31m\r\n\r\n" },
	} {
		in := w.input(cookies(alice, w.Access(alice), w.ID(alice), refreshToken))
		in.URL = appOrigin + "/home"
		application := &http.Transport{DialTLSContext: func(context.Context, string, string) (net.Conn, error) {
			client, server := net.Pipe()
			go func() {
				defer server.Close()
				if r, err := http.ReadRequest(bufio.NewReader(server)); err == nil {
					_, _ = io.WriteString(server, garbled(r.Header.Get("Cookie")))
				}
			}()
			return client, nil
		}}
		t.Cleanup(application.CloseIdleConnections)
		in.Options.App.HTTPClient.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
			if r.URL.Host == "app.example.test" {
				return application.RoundTrip(r)
			}
			return w.RoundTrip(r)
		})
		report := examine(t, w.config(), in)
		if text := report.String(); !strings.Contains(text, "cannot be reached") || strings.ContainsAny(text, "\x1b\u009b") {
			t.Errorf("%s: %q", name, text)
		}
	}
}

// roundTripper is an [http.RoundTripper].
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
