package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/amplifyhttp"
	"github.com/amplify-go/amplify/doctor"
)

// TestDoctor runs the command against a sandbox, with a session of it, and against an application.
func TestDoctor(t *testing.T) {
	t.Setenv("AMPLIFY_APP_ORIGIN", "")
	t.Setenv("LC_ALL", "C.UTF-8")
	dir := t.TempDir()
	app := httptest.NewUnstartedServer(nil)
	origin := "http://" + app.Listener.Addr().String()
	s := startSandbox(t, dir, "--users", write(t, dir, "users.json", aliceFile), "--app-origin="+origin)
	cfg, err := amplify.LoadConfig(s.Outputs)
	if err != nil {
		t.Fatal(err)
	}
	runner, err := amplifyhttp.NewServerRunner(cfg, amplifyhttp.Options{Origin: origin})
	if err != nil {
		t.Fatal(err)
	}
	routes, err := runner.AuthRoutes(amplifyhttp.AuthRoutesOptions{})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/api/auth/", routes)
	for path, guarded := range map[string]struct {
		guard amplifyhttp.Guard
		page  http.HandlerFunc
	}{
		"/home": {amplifyhttp.Guard{SignIn: "/api/auth/sign-in"}, http.NotFound},
		"/me":   {amplifyhttp.Guard{}, func(http.ResponseWriter, *http.Request) {}},
	} {
		signedIn, err := runner.RequireUser(guarded.guard)
		if err != nil {
			t.Fatal(err)
		}
		mux.Handle(path, signedIn(guarded.page))
	}
	app.Config.Handler = mux
	app.Start()
	t.Cleanup(app.Close)

	_, answer := s.signIn(cfg.Auth.UserPoolClientID, "alice@example.com", "Sunflowers-1888")
	var signedIn struct {
		AuthenticationResult struct{ AccessToken, IdToken, RefreshToken string } //nolint:revive // the name that Cognito gives it
	}
	if err := json.Unmarshal([]byte(answer), &signedIn); err != nil {
		t.Fatal(err)
	}
	tokens := signedIn.AuthenticationResult
	prefix := "CognitoIdentityServiceProvider." + cfg.Auth.UserPoolClientID + "."
	cookies := func(access string) string {
		return write(t, t.TempDir(), "cookies", "Cookie: "+prefix+"LastAuthUser=alice%40example.com; "+
			prefix+"alice%40example.com.accessToken="+access+"; "+prefix+"alice%40example.com.idToken="+tokens.IdToken+"; "+
			prefix+"alice%40example.com.refreshToken="+tokens.RefreshToken+"\n")
	}
	good, bad := cookies(tokens.AccessToken), cookies(tokens.AccessToken[:len(tokens.AccessToken)-8]+"AAAAAAAA")
	garbage := write(t, dir, "garbage", "this-is-no-cookie-header")

	tests := map[string]struct {
		args           []string
		status         int
		stdout, stderr string
	}{
		"version":        {nil, 0, "amplify-go " + version() + " ", ""},
		"configuration":  {nil, 0, "knows the app client and its redirect URLs", ""},
		"signed in":      {[]string{"--cookie-file", good}, 0, "✓ session Signed in.", ""},
		"forged":         {[]string{"--cookie-file", bad}, 1, "(bad_signature)", ""},
		"offline":        {[]string{"--cookie-file", good, "--offline"}, 0, "cannot be told offline", ""},
		"application":    {[]string{"--cookie-file", good, "--url", origin + "/me"}, 0, "/me answers status 200.", ""},
		"not signed in":  {[]string{"--url", origin + "/home"}, 0, "/api/auth/sign-in leads to managed login", ""},
		"another origin": {[]string{"--origin=https://myapp.com"}, 1, "Those configured are for " + origin, ""},
		"no outputs":     {[]string{"--outputs=none.json"}, 2, "", "name the outputs"},
		"bad outputs":    {[]string{"--outputs", garbage}, 1, "", "garbage"},
		"no cookie file": {[]string{"--cookie-file=none"}, 2, "", "none"},
		"no cookies":     {[]string{"--cookie-file", garbage}, 2, "", "is no Cookie header"},
		"URL offline":    {[]string{"--offline", "--url=" + origin}, 2, "", "leave --offline out"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			args := append([]string{"doctor", "--outputs", s.Outputs, "--origin", origin}, test.args...)
			stdout, stderr, status := output(t, dir, args...)
			unwrapped := strings.Join(strings.Fields(stdout), " ")
			if status != test.status || !strings.Contains(unwrapped, test.stdout) || !strings.Contains(stderr, test.stderr) {
				t.Errorf("status %d, want %d with %q on stdout and %q on stderr; stdout:\n%s\nstderr:\n%s",
					status, test.status, test.stdout, test.stderr, stdout, stderr)
			}
			for _, secret := range []string{tokens.AccessToken, tokens.IdToken, tokens.RefreshToken, "alice@example.com", "this-is-no-cookie-header"} {
				for i := 0; i+9 <= len(secret); i++ {
					if strings.Contains(stdout+stderr, secret[i:i+9]) {
						t.Fatalf("a part of a secret is printed:\n%s%s", stdout, stderr)
					}
				}
			}
			if strings.Contains(stdout, "\x1b") {
				t.Error("colours in a file")
			}
		})
	}

	t.Run("JSON by standard input", func(t *testing.T) {
		cmd := command(t, dir, "doctor", "--outputs", s.Outputs, "--origin", origin, "--cookie-file=-", "--json")
		in, err := os.Open(filepath.Clean(good))
		if err != nil {
			t.Fatal(err)
		}
		defer in.Close()
		cmd.Stdin = in
		stdout, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		var report struct {
			Version string
			doctor.Report
		}
		if err := json.Unmarshal(stdout, &report); err != nil {
			t.Fatal(err)
		}
		if report.Version != version() {
			t.Errorf("version %q", report.Version)
		}
		if last := report.Findings[len(report.Findings)-1]; last.Check != "session" || last.Status != doctor.OK {
			t.Errorf("%+v", last)
		}
	})
}

func TestReadCookies(t *testing.T) {
	for text, want := range map[string][]string{
		"a=b; c=d":                      {"a=b; c=d"},
		"Cookie: a=b\n\ncookie:c=d\r\n": {"a=b", "c=d"},
		"":                              nil,
		"a=b:c":                         {"a=b:c"},
		"no-cookie-at-all":              {"error"},
		"a=b\x00c":                      {"error"},
		strings.Repeat("x=y; ", maxCookieFile/5+1): {"error"},
	} {
		header, err := readCookies("-", strings.NewReader(text))
		got := header["Cookie"]
		if err != nil {
			got = []string{"error"}
			if len(text) > 5 && strings.Contains(err.Error(), text[:5]) {
				t.Errorf("the error quotes the input: %v", err)
			}
		}
		if strings.Join(got, "|") != strings.Join(want, "|") {
			t.Errorf("%.20q: %q, want %q", text, got, want)
		}
	}
}

func TestDecorate(t *testing.T) {
	const report = "✓ a  ✓ b\n     → c …\n! d\n✗ e\n"
	for _, test := range []struct {
		unicode, colors bool
		want            string
	}{
		{true, false, report},
		{false, false, "+ a  ✓ b\n     > c ...\n! d\nx e\n"},
		{true, true, "\x1b[32m✓\x1b[0m a  ✓ b\n     → c …\n\x1b[33m!\x1b[0m d\n\x1b[31m✗\x1b[0m e\n"},
	} {
		if got := decorate(report, test.unicode, test.colors); got != test.want {
			t.Errorf("%q, want %q", got, test.want)
		}
	}
}

func TestLocale(t *testing.T) {
	for _, test := range []struct {
		environment map[string]string
		want        bool
	}{
		{nil, true},
		{map[string]string{"LANG": "en_GB.UTF-8"}, true},
		{map[string]string{"LANG": "C.utf8"}, true},
		{map[string]string{"LANG": "C"}, false},
		{map[string]string{"LANG": "en_GB.UTF-8", "LC_ALL": "POSIX"}, false},
	} {
		if got := unicodeLocale(func(name string) string { return test.environment[name] }); got != test.want {
			t.Errorf("%v: %v", test.environment, got)
		}
	}
}
