package amplifyfiber

import (
	"net/http"
	"strings"

	"github.com/gofiber/fiber/v3"

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
	// "GET /{$}". They match the paths that handlers behind the guard see. It is for guards in
	// front of a whole application. The auth routes are excepted as well.
	//
	// Put such a guard there by app.Use("/*", guard): requests may ask for "admin" instead of
	// "/admin". Fiber has app.Use(guard) leave these out, and passes them to routes such as "/*".
	//
	// Patterns are case-sensitive, however the application routes: "/STATIC/a.css" is guarded. A
	// path that is not clean, such as "/static/../admin" or "/static/..;/admin", is never excepted.
	// With percent-encoding, as in "/static/x%2fy", it must match both before and after it is
	// decoded. The pattern "/static/" does not match "/static", nor "/static/" unless
	// [fiber.Config.StrictRouting] is set: without it both are the same page.
	Except []string
	// Denied answers instead. err says why: see [amplify.ReasonOf] and
	// [amplify.ErrUnauthenticated].
	Denied func(c fiber.Ctx, err error) error
}

// RequireUser lets requests of signed-in users pass. Access tokens that belong to no user (client
// credentials) do not. It needs no [ServerRunner.Middleware], but shares its work with it.
//
// It reports every fault of g at once: see [amplify.ConfigErrors].
func (s *ServerRunner) RequireUser(g Guard) (fiber.Handler, error) {
	guard, err := s.flow.RequireUser(g.options())
	return s.guard(g, guard, err)
}

// RequireGroup is [ServerRunner.RequireUser] for users who are in at least one of the groups (the
// claim cognito:groups).
func (s *ServerRunner) RequireGroup(g Guard, groups ...string) (fiber.Handler, error) {
	guard, err := s.flow.RequireGroup(g.options(), groups...)
	return s.guard(g, guard, err)
}

// RequireScope lets requests pass whose access token has all of the scopes. The token may belong to
// an app client (client credentials) instead of a user.
func (s *ServerRunner) RequireScope(g Guard, scopes ...string) (fiber.Handler, error) {
	guard, err := s.flow.RequireScope(g.options(), scopes...)
	return s.guard(g, guard, err)
}

func (g Guard) options() flow.GuardOptions {
	return flow.GuardOptions{SignIn: g.SignIn, Except: g.Except}
}

// guard returns the handler of a guard, unless that could not be made.
func (s *ServerRunner) guard(o Guard, g *flow.Guard, err error) (fiber.Handler, error) {
	if err != nil {
		return nil, err
	}
	return func(c fiber.Ctx) error {
		r := s.current(c)
		if excepts(g, r, c) {
			return c.Next()
		}
		return s.serve(c, r, func(x *flow.Exchange) error {
			switch err := g.Check(x, r); {
			case err == nil:
				edit(&c.Response().Header, x.Mark)
				return c.Next()
			case o.Denied != nil:
				return o.Denied(c, err)
			default:
				return write(c, g.Deny(x, withHeader(r, c), err))
			}
		})
	}, nil
}

// excepts reports whether a request passes without a user, in each spelling of its path that Fiber
// takes for the same.
func excepts(g *flow.Guard, r *http.Request, c fiber.Ctx) bool {
	if !g.Excepts(r) {
		return false
	}
	if !strings.HasSuffix(r.URL.Path, "/") || r.URL.Path == "/" || c.App().Config().StrictRouting {
		return true
	}
	trimmed, u := *r, *r.URL
	u.Path, u.RawPath = strings.TrimSuffix(u.Path, "/"), strings.TrimSuffix(u.RawPath, "/")
	trimmed.URL = &u
	return g.Excepts(&trimmed)
}
