package doctor_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/amplifyhttp"
	"github.com/amplify-go/amplify/doctor"
	"github.com/amplify-go/amplify/internal/testpool"
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
		"no managed login": {func(_ *world, c *amplify.Config, _ *doctor.Input) { c.Auth.OAuth = nil }, []string{"redirects problem configuration"}, "needs a domain for managed login"},
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
					return
				}
				http.Redirect(w, r, "/login", http.StatusFound)
			}
		}, []string{"managed-login problem"}, "sign-outs that come back to"},
		"no openid": {func(_ *world, c *amplify.Config, in *doctor.Input) {
			c.Auth.OAuth.Scopes = []string{"email"}
		}, []string{"redirects problem configuration"}, `lacks "openid"`},
		"no openid, no origin": {func(_ *world, c *amplify.Config, in *doctor.Input) {
			c.Auth.OAuth.Scopes, in.Options.Origin = []string{"email"}, ""
		}, []string{"scopes problem"}, `lack "openid"`},
		"no such client": {func(w *world, _ *amplify.Config, _ *doctor.Input) {
			w.login, w.api = errorPage("invalid_request"), exception("ResourceNotFoundException", "User pool client x does not exist.")
		}, []string{"app-client problem", "managed-login warning"}, "There is no app client 4testclientid000000000001 in eu-west-1"},
		"client of another pool": {func(w *world, _ *amplify.Config, _ *doctor.Input) { w.login = errorPage("invalid_request") },
			[]string{"managed-login problem"}, "does not accept the app client"},
		"client of another pool, in words": {func(w *world, _ *amplify.Config, _ *doctor.Input) { w.login = errorPage("Client does not exist") },
			[]string{"managed-login problem"}, "(Client does not exist)"},
		"a secret for a code": {func(w *world, _ *amplify.Config, _ *doctor.Input) { w.login = errorPage("<b>0123</b>") },
			[]string{"managed-login problem"}, "(error)"},
		"secret missing": {func(w *world, _ *amplify.Config, _ *doctor.Input) {
			w.api = exception("NotAuthorizedException", "Client x is configured with secret but SECRET_HASH was not received")
		}, []string{"app-client problem"}, "has a secret, and none is given"},
		"secret wrong": {func(w *world, _ *amplify.Config, in *doctor.Input) {
			in.Options.Cognito.ClientSecret = amplify.NewSecret("a-wrong-secret")
			w.api = exception("NotAuthorizedException", "Unable to verify secret hash for client x")
		}, []string{"app-client problem"}, "is not that of the app client"},
		"no answer of Cognito": {func(w *world, _ *amplify.Config, _ *doctor.Input) { w.api = http.NotFound },
			[]string{"app-client warning"}, "none of Cognito's"},
		"application instead of managed login": {func(w *world, _ *amplify.Config, _ *doctor.Input) {
			w.login = func(http.ResponseWriter, *http.Request) {}
		}, []string{"managed-login problem"}, "it answers status 200"},
		"parked domain": {func(w *world, _ *amplify.Config, _ *doctor.Input) {
			w.login = func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, "https://parking.test/", http.StatusFound)
			}
		}, []string{"managed-login problem"}, "with a redirect to parking.test"},
		"no such domain": {func(w *world, _ *amplify.Config, _ *doctor.Input) { w.login = http.NotFound },
			[]string{"managed-login problem"}, "it answers status 404"},
		"login out of order": {func(w *world, _ *amplify.Config, _ *doctor.Input) {
			w.login = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }
		}, []string{"managed-login problem"}, "cannot be reached: it answers status 503"},
		"identity provider": {func(w *world, _ *amplify.Config, _ *doctor.Input) {
			w.login = func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/logout" {
					http.Redirect(w, r, r.URL.Query().Get("logout_uri"), http.StatusFound)
					return
				}
				http.Redirect(w, r, "https://idp.test/saml?SAMLRequest=x", http.StatusFound)
			}
		}, []string{"managed-login ok"}, ""},
		"unknown scopes": {func(w *world, c *amplify.Config, _ *doctor.Input) {
			c.Auth.OAuth.Scopes = []string{"openid", "orders/read", "email", "orders/write"}
			w.login = func(w http.ResponseWriter, r *http.Request) {
				to := "/login"
				if strings.Contains(r.URL.Query().Get("scope"), "orders") {
					to = r.URL.Query().Get("redirect_uri") + "?error=invalid_scope"
				}
				http.Redirect(w, r, to, http.StatusFound)
			}
		}, []string{"managed-login problem"}, "may not have: orders/read, orders/write."},
		"code grant off": {func(w *world, _ *amplify.Config, _ *doctor.Input) {
			w.login = func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, r.URL.Query().Get("redirect_uri")+"?error=unauthorized_client", http.StatusFound)
			}
		}, []string{"managed-login problem"}, "with an authorization code (unauthorized_client)"},
		"the second callback, as Amplify JS": {func(w *world, c *amplify.Config, in *doctor.Input) {
			in.Options.Origin = ""
			c.Auth.OAuth.RedirectSignIn = []string{"https://a.test/", "https://b.test/"}
			w.login = func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Query().Get("redirect_uri") == "https://b.test/" {
					errorPage("redirect_mismatch")(w, r)
					return
				}
				http.Redirect(w, r, "/login", http.StatusFound)
			}
		}, []string{"managed-login problem"}, "come back to https://b.test/ (redirect_mismatch)"},
		"no such identity pool": {func(w *world, c *amplify.Config, _ *doctor.Input) {
			c.Auth.IdentityPoolID = "eu-west-1:11111111-2222-3333-4444-555555555555"
			w.api = exception("ResourceNotFoundException", "IdentityPool 'x' not found.")
		}, []string{"app-client problem", "identity-pool problem"}, "There is no identity pool eu-west-1:11111111-2222-3333-4444-555555555555."},
		"identity pool of others": {func(w *world, c *amplify.Config, _ *doctor.Input) {
			c.Auth.IdentityPoolID = "eu-west-1:11111111-2222-3333-4444-555555555555"
			w.api = exception("NotAuthorizedException", "Token is not from a supported provider of this identity pool.")
		}, []string{"app-client ok", "identity-pool problem"}, "does not accept users of this user pool"},
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
			in.Requests = nil
			test.change(w, &cfg, &in)
			r := examine(t, cfg, in)
			wantFindings(t, r, test.want...)
			if text := strings.Join(strings.Fields(r.String()), " "); !strings.Contains(text, test.text) {
				t.Errorf("%q is not said:\n%s", test.text, r)
			}
		})
	}
}

// errorPage answers like Cognito where no redirect URL vouches for a request.
func errorPage(code string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/error?"+url.Values{"error": {code}}.Encode(), http.StatusFound)
	}
}

// TestRedirectOfTheRoutes: what managed login is asked about is what the auth routes would ask for,
// whatever else is configured.
func TestRedirectOfTheRoutes(t *testing.T) {
	w := newWorld(t)
	cfg, in := w.config(), w.input("")
	cfg.Auth.OAuth.RedirectSignIn = []string{appOrigin + "/", appOrigin + "/api/auth/sign-in-callback"}
	var asked []string
	w.login = func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		asked = append(asked, r.URL.Path+" "+q.Get("redirect_uri")+q.Get("logout_uri"))
		http.Redirect(w, r, "/login", http.StatusFound)
	}
	wantFindings(t, examine(t, cfg, in), "managed-login ok", "session problem no_session")
	want := "/oauth2/authorize " + cfg.Auth.OAuth.RedirectSignIn[1] + ", /logout " + cfg.Auth.OAuth.RedirectSignOut[0]
	if got := strings.Join(asked, ", "); got != want {
		t.Errorf("asked %s, want %s", got, want)
	}
}

// TestNothingIsMade: Cognito is asked nothing that makes or changes something, with one exception
// that has to be asked for.
func TestNothingIsMade(t *testing.T) {
	for name, guest := range map[string]bool{"as usual": false, "with a guest": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			cfg, in := w.config(), w.input("")
			cfg.Auth.IdentityPoolID, cfg.Auth.AllowGuestAccess = testpool.IdentityPool, true
			in.Guest = guest
			made := 0
			w.api = func(rw http.ResponseWriter, r *http.Request) {
				var call struct {
					RefreshToken string
					Logins       map[string]string
				}
				if err := json.NewDecoder(r.Body).Decode(&call); err != nil {
					t.Error(err)
				}
				_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
				switch {
				case operation == "GetTokensFromRefreshToken" && call.RefreshToken == "amplify-go-doctor",
					operation == "GetId" && len(call.Logins) == 1:
					exception("NotAuthorizedException", "refused")(rw, r)
				case operation == "GetId":
					made++
					fmt.Fprint(rw, `{"IdentityId":"eu-west-1:guest"}`)
				case operation == "GetCredentialsForIdentity":
					fmt.Fprintf(rw, `{"IdentityId":"eu-west-1:guest","Credentials":{"AccessKeyId":"a","SecretKey":"s","SessionToken":"t","Expiration":%d}}`, w.Now().Unix()+3600)
				default:
					t.Errorf("%s is called", operation)
				}
			}
			want := []string{"identity-pool ok", "session problem no_session"}
			if guest {
				want = append(want, "guest ok")
			}
			wantFindings(t, examine(t, cfg, in), want...)
			if (made == 1) != guest {
				t.Errorf("%d identities are made", made)
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
