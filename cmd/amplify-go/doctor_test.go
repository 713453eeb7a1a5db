package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/amplifyhttp"
	"github.com/amplify-go/amplify/doctor"
	"github.com/amplify-go/amplify/sandbox"
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
	forged := tokens.AccessToken[:len(tokens.AccessToken)-8] + "AAAAAAAA"
	good, bad := cookies(tokens.AccessToken), cookies(forged)
	line := func(file string) string { return strings.TrimSpace(strings.TrimPrefix(read(t, file), "Cookie: ")) }
	curl := write(t, dir, "curl", "curl '"+origin+"/home?code=a-code-in-the-query' \\\n  -H 'accept: */*' \\\n  -b '"+line(good)+"'")
	windows := write(t, dir, "curl.txt", "\ufeffcurl ^\""+origin+"/home^\" ^\r\n  -b ^\""+strings.ReplaceAll(line(bad), "%", "^%^")+"^\"")
	har := write(t, dir, "app.har", harOf(harEntry(origin+"/home", line(good)), harEntry(origin+"/home?again", line(good)),
		harEntry(origin+"/me", line(bad)), harEntry("https://cdn.test/x", "")))
	bearer := write(t, dir, "bearer", "curl '"+origin+"/me' -H 'Authorization: Bearer "+tokens.AccessToken+"'")
	partial := write(t, dir, "partial", prefix+"LastAuthUser=alice%40example.com; "+prefix+"alice%40example.com.accessToken="+tokens.AccessToken)
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
		"incomplete":     {[]string{"--cookie-file", partial}, 1, prefix + "alice%40example.com.idToken is missing.", ""},
		"cURL":           {[]string{"--request", curl}, 0, "✓ session Signed in.", ""},
		"cURL, Windows":  {[]string{"--request", windows}, 1, "(bad_signature)", ""},
		"HAR":            {[]string{"--request", har}, 1, "GET " + origin + "/me ✓ cookies", ""},
		"page of a HAR":  {[]string{"--request", har, "--url", origin + "/home", "--offline"}, 0, "cannot be told offline", ""},
		"no such page":   {[]string{"--request", har, "--url", origin + "/x"}, 2, "", `there is "` + origin + `/home"`},
		"bearer token":   {[]string{"--request", bearer, "--bearer", "--url", origin + "/me"}, 1, "✓ session Signed in.", ""}, // the application accepts none
		"two sessions":   {[]string{"--request", har, "--cookie-file", good}, 2, "", "can't be used together"},
		"not copied":     {[]string{"--request", garbage}, 2, "", "Copy as cURL"},
		"to the other":   {[]string{"--cookie-file", curl}, 2, "", "give it to --request"},
		"stdin twice":    {[]string{"--client-secret-file=-", "--request=-"}, 2, "", "can be read once"},
		"no secret file": {[]string{"--client-secret-file=none"}, 2, "", "--client-secret-file"},
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
			stdout = strings.ReplaceAll(stdout, prefix+"alice%40example.com.", "") // the name of a cookie is none
			for _, secret := range []string{tokens.AccessToken, tokens.IdToken, tokens.RefreshToken, forged, "alice@example.com", "this-is-no-cookie-header", "a-code-in-the-query"} {
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

	t.Run("outputs by the environment", func(t *testing.T) {
		t.Setenv("AMPLIFY_OUTPUTS", s.Outputs)
		stdout, stderr, status := output(t, t.TempDir(), "doctor", "--offline", "--origin", origin)
		if status != 0 || !strings.Contains(stdout, cfg.Auth.UserPoolID) {
			t.Errorf("status %d:\n%s\n%s", status, stdout, stderr)
		}
		stdout, stderr, status = output(t, dir, "doctor", "--offline", "--outputs=none.json")
		if status != 2 || !strings.Contains(stderr, "none.json") {
			t.Errorf("the flag does not go first: status %d:\n%s\n%s", status, stdout, stderr)
		}
	})

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

// TestBrokenConfigurations: each of them gets the verdict that leads to its fault, and no other.
func TestBrokenConfigurations(t *testing.T) {
	t.Setenv("AMPLIFY_APP_ORIGIN", "")
	const origin, secret, confidential = "http://localhost:3000", "the-secret-of-an-app-client", "confidentialclient"
	backend := func(c sandbox.Config) *sandbox.Sandbox {
		c.AppOrigins, c.Logger = []string{origin}, slog.New(slog.DiscardHandler)
		s, err := sandbox.Start(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close(context.WithoutCancel(t.Context())) })
		return s
	}
	s := backend(sandbox.Config{Clients: []sandbox.Client{{}, {ID: confidential, Secret: secret}}})
	website := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(website.Close)
	closed := httptest.NewServer(nil)
	closed.Close()
	elsewhere := backend(sandbox.Config{})

	type object = map[string]any
	nothing := func(object, object) {}
	oauth := func(key string, value ...any) func(object, object) {
		return func(auth, _ object) { auth["oauth"].(object)[key] = value }
	}
	managedLogin := func(address string) func(object, object) {
		return func(_, endpoints object) { endpoints["oauth"] = address }
	}
	client := func(id string) func(object, object) {
		return func(auth, _ object) { auth["user_pool_client_id"] = id }
	}
	secretFile := write(t, t.TempDir(), "secret", secret+"\n")
	tests := map[string]struct {
		change func(auth, endpoints object)
		args   []string
		want   string // what is not ok
		text   string
	}{
		"none":                 {nothing, nil, "", "knows the app client and its redirect URLs"},
		"no such client":       {client("3nosuchclient"), nil, "app-client problem, managed-login warning", "There is no app client 3nosuchclient in "},
		"no managed login":     {managedLogin(closed.URL), nil, "managed-login problem", "cannot be reached"},
		"a website":            {managedLogin(website.URL), nil, "managed-login problem", "is not the managed login of a user pool: it answers status 200"},
		"another pool's login": {managedLogin(elsewhere.URL()), nil, "managed-login problem", "does not accept the app client"},
		"unknown scope":        {oauth("scopes", "openid", "orders/read"), nil, "managed-login problem", "may not have: orders/read."},
		"no openid":            {oauth("scopes", "email"), nil, "redirects problem", `lacks "openid"`},
		"unregistered callback": {oauth("redirect_sign_in_uri", origin+"/other/sign-in-callback"), nil, "managed-login problem",
			"refuses sign-ins that come back to " + origin + "/other/sign-in-callback (redirect_mismatch)"},
		"unregistered sign-out": {oauth("redirect_sign_out_uri", origin+"/other/sign-out-callback"), nil, "managed-login problem",
			"refuses sign-outs that come back to " + origin + "/other/sign-out-callback"},
		"callback not at the routes": {oauth("redirect_sign_in_uri", origin+"/"), nil, "managed-login problem, redirects problem", "/sign-in-callback"},
		"no oauth":                   {func(auth, _ object) { delete(auth, "oauth") }, nil, "redirects problem", "the user pool needs a domain"},
		"another origin":             {nothing, []string{"--origin=https://myapp.com"}, "redirects problem, redirects warning", "Those configured are for " + origin},
		"no such user pool":          {func(auth, _ object) { auth["user_pool_id"] = "us-east-1_NoSuchPool" }, nil, "identity-pool problem, keys problem", "answered 404 Not Found"},
		"no such identity pool": {func(auth, _ object) { auth["identity_pool_id"] = "us-east-1:00000000-1111-2222-3333-444444444444" }, nil,
			"identity-pool problem", "There is no identity pool us-east-1:00000000-1111-2222-3333-444444444444."},
		"no secret":      {client(confidential), nil, "app-client problem", "The app client has a secret, and none is given."},
		"secret":         {client(confidential), []string{"--client-secret-file", secretFile}, "", ""},
		"another secret": {client(confidential), []string{"--client-secret-file", write(t, t.TempDir(), "secret", "another-secret")}, "app-client problem", "The secret is not that"},
		"cookie domain":  {nothing, []string{"--cookie-domain=myapp.com"}, "configuration problem", "does not cover the host"},
		"guest":          {nothing, []string{"--guest"}, "", "A guest gets AWS credentials."},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var outputs object
			if err := json.Unmarshal(s.Outputs(), &outputs); err != nil {
				t.Fatal(err)
			}
			auth := outputs["auth"].(object)
			test.change(auth, outputs["custom"].(object)["amplify_go"].(object)["endpoints"].(object))
			b, err := json.Marshal(outputs)
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			write(t, dir, "amplify_outputs.json", string(b))
			stdout, stderr, status := output(t, dir, append([]string{"doctor", "--json", "--origin=" + origin}, test.args...)...)
			var report doctor.Report
			if err := json.Unmarshal([]byte(stdout), &report); err != nil {
				t.Fatalf("%v: %s%s", err, stdout, stderr)
			}
			found, said := map[string]bool{}, ""
			for _, f := range report.Findings {
				if f.Status != doctor.OK {
					found[f.Check+" "+string(f.Status)] = true
				}
				said += f.Message + " "
			}
			if got := strings.Join(slices.Sorted(maps.Keys(found)), ", "); got != test.want || !strings.Contains(said, test.text) {
				t.Errorf("%s, want %s with %q:\n%s", got, test.want, test.text, stdout)
			}
			if want := strings.Contains(test.want, "problem"); (status == 1) != want || status > 1 {
				t.Errorf("status %d", status)
			}
			if strings.Contains(stdout+stderr, "secret-of") || strings.Contains(stdout+stderr, "another-secret") {
				t.Errorf("the secret is printed: %s%s", stdout, stderr)
			}
		})
	}
}

// TestClientSecret: where the secret comes from.
func TestClientSecret(t *testing.T) {
	file := write(t, t.TempDir(), "secret", "of-a-file\r\n")
	for name, test := range map[string]struct{ environment, file, stdin, want string }{
		"none":        {"", "", "", ""},
		"environment": {"of-the-environment", "", "", "of-the-environment"},
		"file":        {"of-the-environment", file, "", "of-a-file"},
		"stdin":       {"", "-", "of-stdin\n", "of-stdin"},
		"too long":    {"", "-", strings.Repeat("x", maxSecretFile+1), "error"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(secretEnv, test.environment)
			in, err := (&doctorCommand{ClientSecretFile: test.file}).input(strings.NewReader(test.stdin))
			got := in.Options.Cognito.ClientSecret.Reveal()
			if err != nil {
				got = "error"
			}
			if got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
}

func TestReadCookies(t *testing.T) {
	for text, want := range map[string][]string{
		"a=b; c=d":                      {"a=b; c=d"},
		"Cookie: a=b\n\ncookie:c=d\r\n": {"a=b", "c=d"},
		"":                              nil,
		"a=b:c":                         {"a=b:c"},
		"no-cookie-at-all":              {"error"},
		"\ufeffa=b":                     {"a=b"},
		"curl 'https://a.test/?b=c'":    {"error"},
		"a=b\x00c":                      {"error"},
		strings.Repeat("x=y; ", maxCookieFile/5+1): {"error"},
	} {
		requests, err := readCookies("-", strings.NewReader(text))
		var got []string
		if err == nil {
			got = requests[0].Header["Cookie"]
		} else {
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
