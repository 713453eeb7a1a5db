package doctor

import (
	"cmp"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/amplify-go/amplify"
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
		if slices.ContainsFunc(amplify.ConfigErrors(err), func(f *amplify.ConfigError) bool { return f.Field == "Config.Auth.OAuth" }) {
			status = Warning // users can sign in by other means
		}
		e.fault("redirects", status, err)
		if others := e.otherOrigins(); len(others) > 0 {
			last := &e.report.Findings[len(e.report.Findings)-1]
			last.Message += " Those configured are for " + strings.Join(others, ", ") + "."
		}
		return
	}
	e.ok("redirects", "The origin has redirect URLs for signing in and out.")
}

// redirect returns the redirect URL that is used: of those of the origin, or of all if there is no
// origin, the one that ends in route, else the first.
func (e *examination) redirect(addresses []string, route string) (used string) {
	for _, a := range addresses {
		if origin := e.in.Options.Origin; origin != "" && originOf(a) != origin {
			continue
		}
		if path.Base(a) == route {
			return a
		}
		used = cmp.Or(used, a)
	}
	return used
}

// otherOrigins returns the other origins that redirect URLs have, of which a hint need
// not list more than a few.
func (e *examination) otherOrigins() (origins []string) {
	if e.cfg.Auth.OAuth == nil {
		return nil
	}
	for _, a := range append(slices.Clip(e.cfg.Auth.OAuth.RedirectSignIn), e.cfg.Auth.OAuth.RedirectSignOut...) {
		if o := originOf(a); o != "" && o != e.in.Options.Origin && !slices.Contains(origins, o) {
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
