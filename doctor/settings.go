package doctor

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/amplify-go/amplify/amplifyhttp"
)

// settings examines what can be judged without asking any service.
func (e *examination) settings(runner *amplifyhttp.ServerRunner) {
	auth := e.cfg.Auth
	if auth == nil || auth.UserPoolID == "" {
		e.problem("configuration", "Generate the outputs of a backend with auth (npx ampx generate outputs), or name the right file.",
			"There is no user pool, so that no user can be signed in.")
		return
	}
	e.ok("configuration", "User pool %s, app client %s.", auth.UserPoolID, auth.UserPoolClientID)

	origin := e.in.Options.Origin
	if origin == "" {
		e.ok("origin", "None is set: sessions are those that Amplify JS makes in the browser, and the server has no auth routes.")
		if oauth := auth.OAuth; oauth != nil && len(oauth.Scopes) > 0 && !slices.Contains(oauth.Scopes, "openid") {
			e.problem("scopes", `Add "openid" to the scopes of the app client, and generate the outputs again.`,
				`The scopes of managed login lack "openid", without which Cognito issues no ID token: no such session is complete.`)
		}
		return
	}
	if u, err := url.Parse(origin); err == nil && u.Scheme == "http" && !isLocal(u) {
		e.warn("origin", "Serve the application by https, and set the origin accordingly.",
			"%s: tokens travel unencrypted, since browsers send cookies without Secure to it.", origin)
	} else {
		e.ok("origin", "%s: the server signs users in, and keeps sessions in HttpOnly cookies.", origin)
	}
	e.redirects(runner)
}

// redirects examines the redirect URLs for the origin, and what else the auth routes need.
func (e *examination) redirects(runner *amplifyhttp.ServerRunner) {
	routes, err := runner.AuthRoutes(amplifyhttp.AuthRoutesOptions{})
	if err != nil {
		e.fault("redirects", Problem, err)
		if others := e.otherOrigins(); len(others) > 0 {
			e.warn("redirects", "If the application is one of them, correct the origin (AMPLIFY_APP_ORIGIN).",
				"No redirect URL is for the origin. Those configured are for %s.", strings.Join(others, ", "))
		}
		return
	}
	e.routes = routes
	e.ok("redirects", "The origin has redirect URLs for signing in and out.")
}

// route returns where one of the auth routes sends a browser, or "" if there are no routes. What it
// returns is by construction what the application would answer.
func (e *examination) route(ctx context.Context, name string) string {
	if e.routes == nil {
		return ""
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, e.in.Options.Origin+"/"+name, nil)
	if err != nil {
		return ""
	}
	r.Header.Set("Sec-Fetch-Site", "same-origin") // sign-out asks users who come from elsewhere
	w := headerWriter{}
	e.routes.ServeHTTP(w, r)
	return http.Header(w).Get("Location")
}

// headerWriter keeps the header of a response.
type headerWriter http.Header

func (w headerWriter) Header() http.Header         { return http.Header(w) }
func (w headerWriter) Write(b []byte) (int, error) { return len(b), nil }
func (w headerWriter) WriteHeader(int)             {}

// otherOrigins returns the origins that redirect URLs have, of which a hint need not list more than
// a few; or none if one is for the origin.
func (e *examination) otherOrigins() (origins []string) {
	if e.cfg.Auth.OAuth == nil {
		return nil
	}
	for _, a := range append(slices.Clip(e.cfg.Auth.OAuth.RedirectSignIn), e.cfg.Auth.OAuth.RedirectSignOut...) {
		switch o := originOf(a); {
		case o == e.in.Options.Origin:
			return nil
		case o != "" && !slices.Contains(origins, o):
			origins = append(origins, o)
		}
	}
	return origins[:min(len(origins), 5)]
}

// originOf returns scheme and host of an address, or "".
func originOf(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// isLocal reports whether browsers trust u without https: they keep Secure cookies for it.
func isLocal(u *url.URL) bool {
	host := u.Hostname()
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || host == "127.0.0.1" || host == "::1"
}
