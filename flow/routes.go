package flow

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"github.com/amplify-go/amplify"
)

// RoutesOptions are the settings of [Runner.Routes]. They correspond to the argument of
// createAuthRouteHandlers of adapter-nextjs.
type RoutesOptions struct {
	// RedirectOnSignInComplete is where users go who have signed in and did not come from anywhere
	// else: a path of the application, in front of which its prefix is put (see "Prefixes" in the
	// package documentation), or a URL. The default is "/".
	RedirectOnSignInComplete string
	// RedirectOnSignOutComplete is where users go who have signed out, or whose sign-in failed or
	// was cancelled: a path of the application or a URL. The default is "/". It gets the query
	// parameters error and error_description if something went wrong, and then return_to, if it is
	// a page of this application, with where the user wanted to go: see [Exchange.SignInURL].
	//
	// The route signed-out, "/api/auth/signed-out" for instance, is a page for it that says what
	// has happened and leads back to sign-in.
	RedirectOnSignOutComplete string
	// CustomState travels through the sign-in behind the random state, for Lambda triggers and logs
	// that see it. It is not secret.
	CustomState string
	// GlobalSignOut ends the sessions of a user on all devices whenever one of them signs out.
	// Without it /sign-out?global=true does.
	GlobalSignOut bool
	// AfterSignIn is called when a user has signed in and the tokens have verified, before the
	// browser gets any cookie: to create the user's records, for instance, or to keep a user out.
	// The context has the values of the request, and a server context of the new user:
	// GetCurrentUser and the other APIs work with it. If tokens are refreshed with it, the browser
	// gets the new ones. It can neither end the session, except by an error, nor begin another.
	//
	// If AfterSignIn returns an error or panics, the tokens are revoked and no cookie is set. The
	// error is logged and never shown. The user goes to RedirectOnSignOutComplete with
	// error=sign_in_failed, or gets a page with status 403 if that is not set. So does a user whose
	// AfterSignIn has not returned after ten seconds, or five seconds after the browser has gone.
	//
	// It is called once for each sign-in, also where the browser sends the callback several times:
	// all of these requests get the same outcome. It is not called for sessions that Amplify JS
	// starts in the browser, nor for refreshes. The session may still fail to start afterwards.
	//
	// It must be safe for concurrent use, and must not keep the context: API calls fail once it has
	// returned.
	AfterSignIn func(ctx context.Context) error
	// BeforeSignOut is called before a user's session is ended by the auth routes: to write an
	// audit log, for instance. The context is like that of AfterSignIn, with the server context of
	// the user, which can set no cookies. It ends after five seconds, and not when the browser
	// goes.
	//
	// It cannot keep the user from signing out: an error or a panic is logged, and if it has not
	// returned after five seconds, the sign-out goes on without it.
	//
	// It is called once for each sign-out in this process, if the tokens of the session verify. For
	// that, tokens that have expired are refreshed. It is not called where there is no session any
	// more, or where it cannot be read at the moment. What is said of concurrency and of keeping
	// the context of AfterSignIn holds here, too.
	BeforeSignOut func(ctx context.Context) error
}

// Routes answers the requests that sign users in and out through Cognito's managed login. It is
// immutable and safe for concurrent use.
type Routes struct {
	runner     *Runner
	options    RoutesOptions
	landing    bool // RedirectOnSignOutComplete is set
	clientID   string
	scopes     []string
	base       string // of managed login, a URL without path
	signIn     string // the address of sign-in-callback
	signOut    string // the address of sign-out-callback
	departures departures
}

// Routes returns the auth routes. It reports every fault of the configuration and of o
// at once: see [amplify.ConfigErrors].
func (r *Runner) Routes(o RoutesOptions) (*Routes, error) {
	var faults []*amplify.ConfigError
	fault := func(field, problem string, js *amplify.Error) {
		faults = append(faults, &amplify.ConfigError{Field: field, Problem: problem, Err: js})
	}
	if r.origin == "" {
		fault("Options.Origin", "is empty: set it, or AMPLIFY_APP_ORIGIN, to where browsers reach the application, such as https://myapp.com",
			&amplify.Error{
				Name:               "AmplifyServerContextError",
				Message:            "Could not find the AMPLIFY_APP_ORIGIN environment variable.",
				RecoverySuggestion: "Set AMPLIFY_APP_ORIGIN, or Options.Origin, to where browsers reach the application, such as https://myapp.com.",
			})
	}
	auth := r.app.Config().Auth
	if auth == nil {
		auth = &amplify.AuthConfig{}
	}
	if auth.UserPoolID == "" {
		fault("Config.Auth.UserPoolID", "is empty: signing in needs a user pool and an app client of it", &amplify.Error{
			Name:               "AuthUserPoolException",
			Message:            "Auth UserPool not configured.",
			RecoverySuggestion: "Make sure that the configuration has a user pool id and a user pool client id.",
		})
	}
	a := &Routes{
		runner: r, options: o, landing: o.RedirectOnSignOutComplete != "",
		clientID: auth.UserPoolClientID, base: r.app.Endpoints().OAuth,
	}
	switch oauth := auth.OAuth; {
	case oauth == nil || oauth.Domain == "":
		fault("Config.Auth.OAuth", "is missing: the user pool needs a domain for managed login", &amplify.Error{
			Name:               "OAuthNotConfigureException",
			Message:            "oauth param not configured.",
			RecoverySuggestion: "Make sure that the user pool has a domain for managed login, and that the configuration names it.",
		})
	default:
		a.scopes = oauth.Scopes
		if len(a.scopes) > 0 && !slices.Contains(a.scopes, "openid") {
			fault("Config.Auth.OAuth.Scopes", `lacks "openid", without which Cognito issues no ID token`, nil)
		}
		if r.origin == "" {
			break
		}
		for _, callback := range []struct {
			setting, route string
			urls           []string
			to             *string
		}{
			{"RedirectSignIn", routeSignInCallback, oauth.RedirectSignIn, &a.signIn},
			{"RedirectSignOut", routeSignOutCallback, oauth.RedirectSignOut, &a.signOut},
		} {
			u, f := r.origin.callback(r.base, callback.setting, callback.route, callback.urls)
			if f != nil {
				faults = append(faults, f)
				continue
			}
			*callback.to = u.String()
		}
	}
	for _, target := range []struct {
		field string
		to    *string
	}{
		{"RedirectOnSignInComplete", &a.options.RedirectOnSignInComplete},
		{"RedirectOnSignOutComplete", &a.options.RedirectOnSignOutComplete},
	} {
		if !checkTarget(target.to) {
			fault("AuthRoutesOptions."+target.field, "is neither a path nor an http or https URL: give a path such as /home", nil)
		}
	}
	if len(o.CustomState) > maxCustomState {
		fault("AuthRoutesOptions.CustomState", fmt.Sprintf("has more than the %d bytes that can travel in addresses and cookies", maxCustomState), nil)
	}
	if err := amplify.NewConfigError(faults...); err != nil {
		return nil, err
	}
	return a, nil
}

// checkTarget checks where a setting sends users, and fills in its default. A URL stays one, even
// if it belongs to the application's own origin.
func checkTarget(to *string) bool {
	if *to == "" {
		*to = "/"
	}
	u, ok := origin("").local(*to)
	if !ok {
		var err error
		u, err = url.Parse(*to)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return false
		}
	}
	*to = u.String()
	return true
}

// Answer answers the request of x. The last segment of the path says what to do: sign-in, sign-up,
// sign-in-callback, sign-out, sign-out-callback or signed-out.
//
// Each route answers GET only. Prefetching has no effect, nor has embedding a route
// into a page of another site.
func (a *Routes) Answer(x *Exchange, r *http.Request) *Response {
	route := a.route(r.URL.Path)
	switch {
	case r.Method != http.MethodGet:
		// HEAD too: link checkers must not sign users out.
		answer := refuse(http.StatusMethodNotAllowed)
		answer.Header.Set("Allow", http.MethodGet)
		return answer
	case route == nil:
		return refuse(http.StatusNotFound)
	case isSpeculative(r):
		// The user has not clicked yet. After an error the browser asks again when that happens.
		return refuse(http.StatusServiceUnavailable)
	case isEmbedded(r):
		return refuse(http.StatusForbidden)
	case tooLarge(x.cookies.request):
		return a.runner.cookiesTooLarge(x, r)
	}
	return route(x, r)
}

// route returns what answers a path, or nil.
func (a *Routes) route(p string) func(*Exchange, *http.Request) *Response {
	switch lastSegment(p) {
	case routeSignIn:
		return a.toManagedLogin("/oauth2/authorize")
	case routeSignUp:
		return a.toManagedLogin("/signup")
	case routeSignInCallback:
		return a.signInCallback
	case routeSignOut:
		return a.toSignOut
	case routeSignOutCallback:
		return a.signOutCallback
	case routeSignedOut:
		return a.signedOut
	}
	return nil
}

// managedLogin returns an address of managed login with a query of name, value pairs in that order.
func (a *Routes) managedLogin(p string, query ...string) string { return addQuery(a.base+p, query...) }
