package amplifyhttp

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"path"
	"strings"

	"golang.org/x/oauth2"

	"github.com/amplify-go/amplify"
)

// AuthRoutesOptions are the settings of [ServerRunner.AuthRoutes]. They correspond to the argument of
// createAuthRouteHandlers of adapter-nextjs.
type AuthRoutesOptions struct {
	// RedirectOnSignInComplete is where users go who have signed in and did not come from anywhere
	// else: a path or a URL. The default is "/".
	RedirectOnSignInComplete string
	// RedirectOnSignOutComplete is where users go who have signed out, or whose sign-in
	// failed: a path or a URL. The default is "/". It may get the query parameters error and error_description.
	RedirectOnSignOutComplete string
	// CustomState travels through the sign-in behind the random state, for Lambda triggers and logs
	// that see it. It is not secret.
	CustomState string
	// GlobalSignOut ends the sessions of a user on all devices whenever one of them signs out. Without it
	// /sign-out?global=true does.
	GlobalSignOut bool
}

// authRoutes is the handler that AuthRoutes returns.
type authRoutes struct {
	runner  *ServerRunner
	options AuthRoutesOptions
	oauth   oauth2.Config
	base    string   // of managed login, a URL without path
	signOut *url.URL // the address of sign-out-callback
}

// AuthRoutes returns the handler for signing in and out through Cognito's managed login. The last segment
// of the path says what to do, so that it can be mounted anywhere, below "/api/auth/" for instance:
//
//   - sign-in, sign-up: to managed login. Query parameters: provider (Google, Facebook, Amazon, Apple or the
//     name of another), lang, login_hint, and return_to, a path of this application to come back to.
//   - sign-in-callback: where Cognito sends users back. Their tokens are verified and become cookies.
//   - sign-out: out of managed login. With global=true on all devices.
//   - sign-out-callback: where Cognito sends users back. Their tokens are revoked and the cookies deleted.
//
// The addresses of the two callbacks must be among the redirect URLs of the app client, in the
// configuration and in Cognito. Each route answers GET only. Prefetching has no effect, and neither has
// embedding a route into another site's page. AuthRoutes reports every fault of the configuration and of o at once.
func (s *ServerRunner) AuthRoutes(o AuthRoutesOptions) (http.Handler, error) {
	if s.origin == "" {
		return nil, configurationError("Could not find the AMPLIFY_APP_ORIGIN environment variable.",
			"Set AMPLIFY_APP_ORIGIN, or Options.Origin, to where browsers reach the application, such as https://myapp.com.", nil)
	}
	auth := s.app.Config().Auth
	if auth == nil || auth.UserPoolID == "" || auth.UserPoolClientID == "" {
		return nil, &amplify.Error{
			Name:               "AuthUserPoolException",
			Reason:             amplify.ReasonConfiguration,
			Message:            "Auth UserPool not configured.",
			RecoverySuggestion: "Make sure that the configuration has a user pool id and a user pool client id.",
		}
	}
	if auth.OAuth == nil || auth.OAuth.Domain == "" {
		return nil, &amplify.Error{
			Name:               "OAuthNotConfigureException",
			Reason:             amplify.ReasonConfiguration,
			Message:            "oauth param not configured.",
			RecoverySuggestion: "Make sure that the user pool has a domain for managed login, and that the configuration names it.",
		}
	}
	signIn, signInErr := s.origin.redirect("redirectSignIn", auth.OAuth.RedirectSignIn)
	signOut, signOutErr := s.origin.redirect("redirectSignOut", auth.OAuth.RedirectSignOut)
	err := errors.Join(signInErr, signOutErr,
		s.origin.target("RedirectOnSignInComplete", &o.RedirectOnSignInComplete),
		s.origin.target("RedirectOnSignOutComplete", &o.RedirectOnSignOutComplete))
	if len(o.CustomState) > maxCustomState {
		err = errors.Join(err, configurationError("CustomState is too long to travel in addresses and cookies.", "Keep it shorter.", nil))
	}
	if err != nil {
		return nil, err
	}
	base := s.app.Endpoints().OAuth
	style := oauth2.AuthStyleInParams // a public client sends its id in the body
	if !s.secret.IsZero() {
		style = oauth2.AuthStyleInHeader // RFC 6749 §2.3.1
	}
	return &authRoutes{
		runner:  s,
		options: o,
		base:    base,
		signOut: signOut,
		oauth: oauth2.Config{
			ClientID:     auth.UserPoolClientID,
			ClientSecret: s.secret.Reveal(),
			RedirectURL:  signIn.String(),
			Scopes:       auth.OAuth.Scopes,
			Endpoint:     oauth2.Endpoint{TokenURL: base + "/oauth2/token", AuthStyle: style},
		},
	}, nil
}

// target checks where a setting sends users, and fills in its default.
func (o origin) target(setting string, to *string) error {
	if *to == "" {
		*to = "/"
	}
	u, ok := o.local(*to)
	if !ok {
		var err error
		u, err = url.Parse(*to)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return configurationError(setting+" is neither a path nor an http or https URL.", "Give a path such as /home.", nil)
		}
	}
	*to = u.String()
	return nil
}

// ServeHTTP answers the request for a route.
func (a *authRoutes) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", private)
	if r.Method != http.MethodGet {
		// HEAD too: link checkers must not sign anybody out.
		w.Header().Set("Allow", http.MethodGet)
		refuse(w, http.StatusMethodNotAllowed)
		return
	}
	route := a.route(r.URL.Path)
	if route == nil {
		refuse(w, http.StatusNotFound)
		return
	}
	if isSpeculative(r) {
		// Nobody has clicked yet. An error makes the browser ask again when somebody does.
		refuse(w, http.StatusServiceUnavailable)
		return
	}
	if isEmbedded(r) {
		refuse(w, http.StatusForbidden)
		return
	}
	a.runner.serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		route(w, r, a.runner.exchangeOf(r))
	}), w, r)
}

// refuse answers a request that is not a person's, or no route's.
func refuse(w http.ResponseWriter, status int) { http.Error(w, http.StatusText(status), status) }

// route returns what serves path, or nil.
func (a *authRoutes) route(p string) func(http.ResponseWriter, *http.Request, *exchange) {
	switch p[strings.LastIndexByte(p, '/')+1:] {
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
	}
	return nil
}

// isSpeculative reports whether a browser asks for a page before anybody wants to see it.
func isSpeculative(r *http.Request) bool {
	return strings.HasPrefix(r.Header.Get("Sec-Purpose"), "prefetch") || // also "prefetch;prerender"
		r.Header.Get("Purpose") == "prefetch" || r.Header.Get("X-Moz") == "prefetch"
}

// isEmbedded reports whether a page of another site asks for something other than to be left for it: an image,
// a frame, a script's fetch. Such requests come without anybody's doing.
func isEmbedded(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "none", "same-origin":
		return false
	}
	return r.Header.Get("Sec-Fetch-Mode") != "navigate" || r.Header.Get("Sec-Fetch-Dest") != "document"
}

// isAuthRoute reports whether p is one of the auth routes at the place where the configuration says they are.
func (s *ServerRunner) isAuthRoute(p string) bool {
	dir, route := path.Split(p)
	return s.routes != "" && dir == s.routes && isAuthRoute(route)
}

// managedLogin returns an address of managed login with a query of name, value pairs in that order.
func (a *authRoutes) managedLogin(p string, query ...string) string {
	var b strings.Builder
	b.WriteString(a.base + p)
	for i := 0; i < len(query); i += 2 {
		separator := "&"
		if i == 0 {
			separator = "?"
		}
		b.WriteString(separator + query[i] + "=" + url.QueryEscape(query[i+1]))
	}
	return b.String()
}

// withClient returns a context in which golang.org/x/oauth2 uses the App's HTTP client.
func (a *authRoutes) withClient(ctx context.Context) context.Context {
	return context.WithValue(ctx, oauth2.HTTPClient, a.runner.app.HTTPClient())
}

// redirect sends a user on. Targets are the configuration's, or checked.
func redirect(w http.ResponseWriter, to string) {
	w.Header().Set("Location", to)
	w.WriteHeader(http.StatusFound)
}

// addQuery adds name, value pairs to a path or URL, leaving out empty values.
func addQuery(to string, query ...string) string {
	u, err := url.Parse(to)
	if err != nil {
		return to
	}
	for i := 0; i < len(query); i += 2 {
		if query[i+1] == "" {
			continue
		}
		if u.RawQuery != "" {
			u.RawQuery += "&"
		}
		u.RawQuery += query[i] + "=" + url.QueryEscape(query[i+1])
	}
	return u.String()
}
