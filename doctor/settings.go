package doctor

import (
	"context"
	"errors"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/amplifyhttp"
)

// settings examines what can be judged without asking anybody.
func (e *examination) settings() {
	runner, err := amplifyhttp.NewServerRunner(e.cfg, e.in.Options)
	if err != nil {
		e.fault("configuration", Problem, err)
		return
	}
	defer runner.Close(context.Background()) // it has not started anything

	auth := e.cfg.Auth
	if auth == nil || auth.UserPoolID == "" {
		e.problem("configuration", "Generate the outputs of a backend with auth (npx ampx generate outputs), or name the right file.",
			"There is no user pool, so that nobody can be signed in.")
		return
	}
	e.ok("configuration", "User pool %s, app client %s.", auth.UserPoolID, auth.UserPoolClientID)

	origin := e.in.Options.Origin
	if origin == "" {
		e.ok("origin", "None is set: sessions are those that Amplify JS makes in the browser, and the server has no auth routes.")
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

// redirects examines the redirect URLs for the origin.
func (e *examination) redirects(runner *amplifyhttp.ServerRunner) {
	if _, err := runner.AuthRoutes(amplifyhttp.AuthRoutesOptions{}); err != nil {
		status := Problem
		if own := (*amplify.Error)(nil); errors.As(err, &own) && own.Name == "OAuthNotConfigureException" {
			status = Warning // one can sign in by other means
		}
		e.fault("redirects", status, err)
		if others := e.otherOrigins(); len(others) > 0 {
			last := &e.report.Findings[len(e.report.Findings)-1]
			last.Message += " Those configured are for " + strings.Join(others, ", ") + "."
		}
		return
	}
	before := len(e.report.Findings)
	for _, r := range []struct{ setting, address, route string }{
		{"redirectSignIn", e.redirect(e.cfg.Auth.OAuth.RedirectSignIn), "sign-in-callback"},
		{"redirectSignOut", e.redirect(e.cfg.Auth.OAuth.RedirectSignOut), "sign-out-callback"},
	} {
		if u, err := url.Parse(r.address); err == nil && path.Base(u.Path) != r.route {
			e.warn("redirects", "Let the first "+r.setting+" URL of the origin end in /"+r.route+", as in "+e.in.Options.Origin+"/api/auth/"+r.route+".",
				"Users come back to %s, which is none of the auth routes.", r.address)
		}
	}
	if len(e.report.Findings) == before {
		e.ok("redirects", "The origin has redirect URLs for signing in and out.")
	}
}

// redirect returns the redirect URL that is used: the first of the origin, or the first of all where there is no origin.
func (e *examination) redirect(addresses []string) string {
	for _, a := range addresses {
		if origin := e.in.Options.Origin; origin == "" || originOf(a) == origin {
			return a
		}
	}
	return ""
}

// otherOrigins returns the origins of all redirect URLs, of which a hint need not list more than a few.
func (e *examination) otherOrigins() (origins []string) {
	if e.cfg.Auth.OAuth == nil {
		return nil
	}
	for _, a := range append(slices.Clip(e.cfg.Auth.OAuth.RedirectSignIn), e.cfg.Auth.OAuth.RedirectSignOut...) {
		if o := originOf(a); o != "" && !slices.Contains(origins, o) {
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
