package doctor_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/amplifyhttp"
	"github.com/amplify-go/amplify/doctor"
)

// TestSettings: faults of the configuration and of what it describes.
func TestSettings(t *testing.T) {
	tests := map[string]struct {
		change func(*world, *amplify.Config, *doctor.Input)
		want   []string
		text   string
	}{
		"another origin": {func(_ *world, _ *amplify.Config, in *doctor.Input) { in.Options.Origin = "https://other.test" },
			[]string{"redirects problem configuration"}, "Those configured are for https://app.example.test"},
		"origin by prefix": {func(_ *world, _ *amplify.Config, in *doctor.Input) { in.Options.Origin = "https://app.example" },
			[]string{"redirects problem configuration"}, ""},
		"no origin": {func(_ *world, _ *amplify.Config, in *doctor.Input) { in.Options.Origin = "" }, []string{"origin ok"}, "Amplify JS"},
		"bad origin": {func(_ *world, _ *amplify.Config, in *doctor.Input) { in.Options.Origin = "app.example.test/" },
			[]string{"configuration problem configuration"}, "no trailing slash"},
		"plain http": {func(_ *world, c *amplify.Config, in *doctor.Input) {
			in.Options.Origin = "http://app.example.test"
			c.Auth.OAuth.RedirectSignIn = []string{"http://app.example.test/api/auth/sign-in-callback"}
			c.Auth.OAuth.RedirectSignOut = []string{"http://app.example.test/api/auth/sign-out-callback"}
		}, []string{"origin warning"}, "unencrypted"},
		"SameSite=None by http": {func(_ *world, _ *amplify.Config, in *doctor.Input) {
			in.Options.Origin = "http://app.example.test"
			in.Options.Cookies.SameSite = http.SameSiteNoneMode
		}, []string{"configuration problem configuration"}, "SameSite=None"},
		"domain of others": {func(_ *world, _ *amplify.Config, in *doctor.Input) { in.Options.Cookies.Domain = "elsewhere.test" },
			[]string{"configuration problem configuration"}, "does not cover"},
		"other callback": {func(_ *world, c *amplify.Config, _ *doctor.Input) {
			c.Auth.OAuth.RedirectSignIn = []string{appOrigin + "/profile"}
		}, []string{"redirects problem configuration"}, "none of the auth routes"},
		"no managed login": {func(_ *world, c *amplify.Config, _ *doctor.Input) { c.Auth.OAuth = nil }, []string{"redirects warning configuration"}, ""},
		"no auth": {func(_ *world, c *amplify.Config, _ *doctor.Input) { c.Auth = nil },
			[]string{"configuration problem"}, "no user can be signed in"},
		"faults of the outputs": {func(_ *world, c *amplify.Config, _ *doctor.Input) {
			c.Auth.UserPoolID, c.Auth.IdentityPoolID = "pool", "identities"
		},
			[]string{"configuration problem configuration"}, "Config.Auth.IdentityPoolID"},

		"keys down": {func(w *world, _ *amplify.Config, _ *doctor.Input) { w.KeysDown(true) }, []string{"keys problem keys_unavailable"}, "answered Service Unavailable"},
		"clock ahead": {func(w *world, _ *amplify.Config, in *doctor.Input) {
			in.Options.App.Clock = func() time.Time { return w.Now().Add(2 * time.Minute) }
		}, []string{"clock warning"}, "2 minutes ahead of"},
		"clock behind": {func(w *world, _ *amplify.Config, in *doctor.Input) {
			in.Options.App.Clock = func() time.Time { return w.Now().Add(-3 * time.Hour) }
		}, []string{"clock problem"}, "3 hours behind"},
		"login down": {func(w *world, _ *amplify.Config, _ *doctor.Input) { w.login = nil }, []string{"managed-login problem"}, "unexpected EOF"},
		"unregistered": {func(w *world, _ *amplify.Config, _ *doctor.Input) {
			w.login = func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, "/error?error=redirect_mismatch", http.StatusFound)
			}
		}, []string{"managed-login problem"}, "(redirect_mismatch)"},
		"unregistered sign-out": {func(w *world, _ *amplify.Config, _ *doctor.Input) {
			w.login = func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/logout" {
					w.WriteHeader(http.StatusBadRequest)
				}
			}
		}, []string{"managed-login problem"}, "sign-outs that come back to"},
		"guests": {func(_ *world, c *amplify.Config, _ *doctor.Input) {
			c.Auth.IdentityPoolID, c.Auth.AllowGuestAccess = "eu-west-1:11111111-2222-3333-4444-555555555555", true
		}, []string{"identity-pool ok"}, "guests get them too"},
		"no guests": {func(_ *world, c *amplify.Config, _ *doctor.Input) {
			c.Auth.IdentityPoolID = "eu-west-1:11111111-2222-3333-4444-555555555555"
		}, []string{"identity-pool ok"}, "guests get none"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			cfg, in := w.config(), w.input("")
			in.Header = nil
			test.change(w, &cfg, &in)
			r := examine(t, cfg, in)
			wantFindings(t, r, test.want...)
			if text := strings.Join(strings.Fields(r.String()), " "); !strings.Contains(text, test.text) {
				t.Errorf("%q is not said:\n%s", test.text, r)
			}
		})
	}
}

// TestOriginFromEnvironment: as in the runner, the origin may come from there.
func TestOriginFromEnvironment(t *testing.T) {
	w := newWorld(t)
	in := w.input("")
	in.Options.Origin = ""
	t.Setenv("AMPLIFY_APP_ORIGIN", appOrigin)
	wantFindings(t, examine(t, w.config(), in), "origin ok", "redirects ok", "session problem no_session")
}

// TestClientSecret: settings that are secret are not told.
func TestClientSecret(t *testing.T) {
	w := newWorld(t)
	in := w.input("")
	in.Options.Cognito.ClientSecret = amplify.NewSecret("a-client-secret")
	in.Options.Cognito.Leeway = time.Hour // a fault
	r := examine(t, w.config(), in)
	wantFindings(t, r, "configuration problem configuration")
	if strings.Contains(r.String(), "a-client-secret") {
		t.Error(r)
	}
}

// TestOAuthWithoutADomain: nothing is asked of a host that is not named.
func TestOAuthWithoutADomain(t *testing.T) {
	cfg := amplify.Config{Auth: &amplify.AuthConfig{
		UserPoolID: "eu-west-1_TestPool1", UserPoolClientID: "client", OAuth: &amplify.OAuthConfig{RedirectSignIn: []string{"https://myapp.com/api/auth/sign-in-callback"}},
	}}
	asked := ""
	client := &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		if r.URL.Host == "" {
			asked = r.URL.String()
		}
		return nil, errors.New("down")
	})}
	report := doctor.Examine(t.Context(), cfg, doctor.Input{Options: amplifyhttp.Options{App: amplify.Options{HTTPClient: client}}})
	found := false
	for _, f := range report.Findings {
		found = found || f.Check == "managed-login" && strings.Contains(f.Message, "without a domain")
	}
	if asked != "" || !found {
		t.Errorf("asked %q; %+v", asked, report.Findings)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
