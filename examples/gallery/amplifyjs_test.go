package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/srptest"
)

// startBrowserManner serves the gallery for people whom Amplify JS signs in.
func startBrowserManner(t *testing.T) (*gallery, *httptest.Server) {
	t.Helper()
	t.Setenv("AMPLIFY_APP_ORIGIN", "")
	server := httptest.NewUnstartedServer(nil)
	origin := originOf(server.Listener)
	backend, err := startBackend(t.Context(), origin)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { backend.Close() })
	gallery, err := newGallery(backend, byBrowser, origin, []byte("// Amplify JS"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { gallery.Close() })
	server.Config.Handler = gallery.routes()
	server.Start()
	t.Cleanup(server.Close)
	return gallery, server
}

func TestAmplifyJSPage(t *testing.T) {
	gallery, server := startBrowserManner(t)
	b := newBrowser(t)
	b.open(server.URL + "/profile")
	b.wantAt("/sign-in")
	if got := b.at.Query().Get("return_to"); got != "/profile" {
		t.Errorf("return_to is %q", got)
	}
	b.wantText("This page needs JavaScript.", "-sign-in=server", `src="/amplifyjs.js"`)

	block := regexp.MustCompile(`(?s)<script type="application/json" id="resources-config">(.*?)</script>`).FindStringSubmatch(b.page)
	if block == nil {
		t.Fatalf("no configuration in the page:\n%s", b.page)
	}
	var config struct {
		Auth struct {
			Cognito struct{ UserPoolID, UserPoolClientID, UserPoolEndpoint string }
		}
	}
	if err := json.Unmarshal([]byte(block[1]), &config); err != nil {
		t.Fatal(err)
	}
	got := config.Auth.Cognito
	if got.UserPoolID != "us-east-1_Gallery01" || got.UserPoolClientID != browserClient || got.UserPoolEndpoint != gallery.backend.UserPool {
		t.Errorf("Amplify JS is configured with %+v", got)
	}

	b.open(server.URL + "/amplifyjs.js")
	b.wantText("// Amplify JS")
	b.open(server.URL + "/api/auth/sign-in")
	if b.status != 404 {
		t.Errorf("/api/auth/sign-in answers %d: nobody else signs people in", b.status)
	}
}

// The scripts of the sign-in page come from this server and speak to the user pool alone.
func TestContentSecurityPolicy(t *testing.T) {
	gallery, server := startBrowserManner(t)
	const strict = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	for path, want := range map[string]string{
		"/cellar":  strict,
		"/sign-in": strict + "; script-src 'self'; connect-src " + gallery.backend.UserPool,
	} {
		response, err := http.Get(server.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if got := response.Header.Get("Content-Security-Policy"); got != want {
			t.Errorf("%s: policy\n%s, want\n%s", path, got, want)
		}
	}
}

// The rooms know who has the cookies that Amplify JS writes.
func TestAmplifyJSCookies(t *testing.T) {
	gallery, server := startBrowserManner(t)
	session := signInAsAmplifyJS(t, gallery.backend, "alice@example.com")
	b := newBrowser(t)
	origin, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	b.client.Jar.SetCookies(origin, session)

	b.open(server.URL)
	b.wantText("Hello, Alice.", `<a href="/sign-in">Sign out</a>`)
	b.open(server.URL + "/photos")
	b.wantText("The album is empty.")
	b.open(server.URL + "/home")
	b.wantAt("/home")
	b.wantText("Welcome home, Alice.")
	b.open(server.URL + "/profile")
	b.wantText("alice@example.com", "curators")
	b.open(server.URL + "/apis/get-current-user")
	b.wantText(`"username":`)
	b.open(server.URL + "/sign-in")
	b.wantText("You are in, Alice.", `<form id="sign-out"`)
	if strings.Contains(b.page, `<form id="sign-in"`) {
		t.Error("a signed-in visitor is asked to sign in")
	}
}

// signInAsAmplifyJS signs somebody in and returns the cookies in which Amplify JS, with ssr, keeps
// the session.
func signInAsAmplifyJS(t *testing.T, b *backend, email string) []*http.Cookie {
	t.Helper()
	call := func(operation string, input any, output any) {
		t.Helper()
		body, err := json.Marshal(input)
		if err != nil {
			t.Fatal(err)
		}
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.UserPool, bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/x-amz-json-1.1")
		request.Header.Set("X-Amz-Target", "AWSCognitoIdentityProviderService."+operation)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		if err := json.NewDecoder(response.Body).Decode(output); err != nil || response.StatusCode != 200 {
			t.Fatalf("%s: status %d, %v", operation, response.StatusCode, err)
		}
	}
	config, err := amplify.ParseConfig(b.Outputs)
	if err != nil {
		t.Fatal(err)
	}
	by, err := srptest.New(config.Auth.UserPoolID, seedPassword)
	if err != nil {
		t.Fatal(err)
	}
	var challenge struct {
		ChallengeName       string
		ChallengeParameters map[string]string
	}
	call("InitiateAuth", map[string]any{
		"ClientId": browserClient, "AuthFlow": "USER_SRP_AUTH",
		"AuthParameters": map[string]string{"USERNAME": email, "SRP_A": by.A()},
	}, &challenge)
	responses, err := by.Answer(challenge.ChallengeParameters)
	if err != nil {
		t.Fatal(err)
	}
	var auth struct {
		AuthenticationResult struct{ AccessToken, IDToken, RefreshToken string }
	}
	call("RespondToAuthChallenge", map[string]any{
		"ClientId": browserClient, "ChallengeName": challenge.ChallengeName,
		"ChallengeResponses": responses,
	}, &auth)
	tokens := auth.AuthenticationResult
	var user struct{ Username string }
	call("GetUser", map[string]string{"AccessToken": tokens.AccessToken}, &user)

	prefix := "CognitoIdentityServiceProvider." + browserClient + "."
	cookies := []*http.Cookie{{Name: prefix + "LastAuthUser", Value: user.Username}}
	for key, value := range map[string]string{
		"accessToken": tokens.AccessToken, "idToken": tokens.IDToken, "refreshToken": tokens.RefreshToken, "clockDrift": "12",
		"signInDetails": "{%22loginId%22:%22alice@example.com%22%2C%22authFlowType%22:%22USER_SRP_AUTH%22}", // as js-cookie encodes JSON
	} {
		cookies = append(cookies, &http.Cookie{Name: prefix + user.Username + "." + key, Value: value})
	}
	return cookies
}

// Every page says who signs people in, and how to see the other mode.
func TestMannerIsExplained(t *testing.T) {
	_, browserManner := startBrowserManner(t)
	serverManner := startGallery(t)
	for origin, want := range map[string]string{
		browserManner.URL:       "cannot be HttpOnly",
		serverManner["Gallery"]: "go run ./examples/gallery -sign-in=browser",
	} {
		for _, path := range []string{"/", "/sign-in", "/cellar"} {
			b := newBrowser(t)
			b.open(origin + path)
			b.wantText("Who signs people in here", want)
		}
	}
}

func TestUnfitStarts(t *testing.T) {
	tests := map[string]struct {
		by      mode
		prepare func(t *testing.T)
		want    string
	}{
		"unknown mode": {"magic", func(*testing.T) {}, "say server or browser"},
		"no npm":       {byBrowser, func(t *testing.T) { t.Setenv("PATH", t.TempDir()) }, "install Node.js"},
		"elsewhere":    {byBrowser, func(t *testing.T) { t.Chdir(t.TempDir()) }, "root of its repository"},
		"origin set":   {byBrowser, func(t *testing.T) { fakeNPM(t, "0"); t.Setenv("AMPLIFY_APP_ORIGIN", "http://localhost:3000") }, "unset it"},
		"npm fails":    {byBrowser, func(t *testing.T) { fakeNPM(t, "1") }, "npm ci in web: exit status 1\nno network"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			test.prepare(t)
			var out strings.Builder
			if err := run(t.Context(), "localhost:0", test.by, &out); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q", err, test.want)
			}
		})
	}
}

// Packages are fetched once for each lock file.
func TestBundle(t *testing.T) {
	fakeNPM(t, "0")
	for i, lock := range []string{"one", "one", "two"} {
		if err := os.WriteFile("web/package-lock.json", []byte(lock), 0o644); err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		bundle, err := bundleAmplifyJS(t.Context(), &out)
		if err != nil || string(bundle) != "bundle\n" {
			t.Fatalf("bundle %q, error %v", bundle, err)
		}
		if fetched := strings.Contains(out.String(), "Fetching"); fetched != (i != 1) {
			t.Errorf("start %d, lock file %q: fetched %v", i, lock, fetched)
		}
	}
}

// fakeNPM moves to a directory with web, and puts an npm into the PATH whose ci exits with code.
func fakeNPM(t *testing.T, code string) {
	t.Helper()
	dir := t.TempDir()
	script := "#!/bin/sh\ncase $1 in\nci) echo no network >&2; exit " + code + ";;\nrun) echo bundle;;\nesac\n"
	for _, err := range []error{
		os.MkdirAll(filepath.Join(dir, "web", "node_modules"), 0o755),
		os.WriteFile(filepath.Join(dir, "web", "package-lock.json"), []byte("{}"), 0o644),
		os.WriteFile(filepath.Join(dir, "npm"), []byte(script), 0o755),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir)
	t.Chdir(dir)
}
