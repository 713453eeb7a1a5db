package amplifyhttp

import (
	"net/http"

	"github.com/amplify-go/amplify/flow"
)

// Guard says how requests are answered that must not pass, and which pass without a user. The zero
// value answers with a small page, or JSON, and excepts nothing.
//
// Users who navigate get pages, programs get JSON, {"error": "<name>", "reason": "<reason>"}:
//
//   - 401, or a redirect to SignIn, if the user is not signed in. The page of 401 leads to the auth
//     routes, if the configuration says where they are;
//   - 403 if the user lacks a group or scope: signing in again would not help;
//   - 431 if the cookies are too many to be read, with a way to delete them;
//   - 503 with Retry-After if it cannot be told at the moment. No user is signed out by that.
//
// Users who follow a link on another site, in an e-mail for instance, look signed out at first,
// since browsers withhold SameSite=Strict cookies from that request. Before they are sent to SignIn
// they get, once, a page that opens the same address again from the application's own site. Pages
// that are not guarded are shown to them as to a user who is not signed in: that is the price of
// SameSite=Strict.
type Guard struct {
	// SignIn is the path that users are sent to who are not signed in, such as "/sign-in" or
	// "/api/auth/sign-in". It gets a query parameter return_to with where they wanted to go, which
	// the auth routes understand. It is never guarded itself.
	//
	// It is a path of the application: the application's prefix is put in front of it (see
	// "Prefixes" in the package documentation). A URL of the origin, and the address of an auth
	// route as browsers see it, stay as they are.
	SignIn string
	// Except lists what needs no user, as patterns of [http.ServeMux]: "/favicon.ico", "/static/",
	// "GET /{$}". They match the paths that handlers behind the guard see. It is for guards around
	// a whole mux. The auth routes are excepted as well.
	//
	// A path that is not clean, such as "/static/../admin" or "/static/..;/admin", is never
	// excepted. With an encoded slash, as in "/static/x%2fy", it must match both before and after it
	// is decoded. The pattern "/static/" does not match "/static".
	Except []string
	// Denied answers instead. err says why: see [amplify.ReasonOf] and
	// [amplify.ErrUnauthenticated].
	Denied func(w http.ResponseWriter, r *http.Request, err error)
}

// RequireUser lets requests of signed-in users pass. Access tokens that belong to no user (client
// credentials) do not. It needs no [ServerRunner.Middleware], but shares its work with it.
//
// It reports every fault of g at once: see [amplify.ConfigErrors].
func (s *ServerRunner) RequireUser(g Guard) (func(http.Handler) http.Handler, error) {
	guard, err := s.flow.RequireUser(g.options())
	return s.middleware(g, guard, err)
}

// RequireGroup is [ServerRunner.RequireUser] for users who are in at least one of the
// groups (the claim cognito:groups).
func (s *ServerRunner) RequireGroup(g Guard, groups ...string) (func(http.Handler) http.Handler, error) {
	guard, err := s.flow.RequireGroup(g.options(), groups...)
	return s.middleware(g, guard, err)
}

// RequireScope lets requests pass whose access token has all of the scopes. The token may belong to
// an app client (client credentials) instead of a user.
func (s *ServerRunner) RequireScope(g Guard, scopes ...string) (func(http.Handler) http.Handler, error) {
	guard, err := s.flow.RequireScope(g.options(), scopes...)
	return s.middleware(g, guard, err)
}

func (g Guard) options() flow.GuardOptions {
	return flow.GuardOptions{SignIn: g.SignIn, Except: g.Except}
}

// middleware returns the middleware of a guard, unless that could not be made.
func (s *ServerRunner) middleware(o Guard, g *flow.Guard, err error) (func(http.Handler) http.Handler, error) {
	if err != nil {
		return nil, err
	}
	return func(next http.Handler) http.Handler {
		check := func(w http.ResponseWriter, r *http.Request, x *flow.Exchange) {
			switch err := g.Check(x, r); {
			case err == nil:
				x.Mark(w.Header())
				next.ServeHTTP(w, r)
			case o.Denied != nil:
				o.Denied(w, r, err)
			default:
				write(w, g.Deny(x, r, err))
			}
		}
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if g.Excepts(r) {
				next.ServeHTTP(w, r)
				return
			}
			s.serve(w, r, check)
		})
	}, nil
}
