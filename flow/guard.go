package flow

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/amplify-go/amplify"
)

// retryAfter is when to try again what does not work at the moment, in seconds.
const retryAfter = "5"

// GuardOptions say where users sign in, and which requests pass without a user. The zero value has
// no sign-in page, and no exceptions.
type GuardOptions struct {
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
	// a whole application. The auth routes are excepted as well.
	//
	// A path that is not clean, such as "/static/../admin" or "/static/..;/admin", is never
	// excepted. With an encoded slash, as in "/static/x%2fy", it must match both before and after it
	// is decoded. The pattern "/static/" does not match "/static".
	Except []string
}

// Guard decides which requests pass. It is immutable and safe for concurrent use.
type Guard struct {
	runner *Runner
	signIn string         // a path, with a query perhaps; "" for none
	public bool           // signIn is as browsers see it
	except *http.ServeMux // nil without exceptions
	permit func(amplify.Claims) error
}

// RequireUser returns the guard that lets requests of signed-in users pass. Access
// tokens that belong to no user (client credentials) do not. It reports every fault of
// o at once: see [amplify.ConfigErrors].
func (r *Runner) RequireUser(o GuardOptions) (*Guard, error) {
	return r.guard(o, isUser)
}

// RequireGroup returns a guard like [Runner.RequireUser] for users who are in at least one of the
// groups (the claim cognito:groups).
func (r *Runner) RequireGroup(o GuardOptions, groups ...string) (*Guard, error) {
	groups = slices.Clone(groups)
	return r.guard(o, func(c amplify.Claims) error {
		if err := isUser(c); err != nil {
			return err
		}
		if slices.ContainsFunc(groups, func(group string) bool { return slices.Contains(c.Groups, group) }) {
			return nil
		}
		return denied(amplify.ReasonMissingGroup, "The user is in none of the groups that this needs.")
	})
}

// RequireScope returns a guard that lets requests pass whose access token has all of the scopes.
// The token may belong to an app client (client credentials) instead of a user.
func (r *Runner) RequireScope(o GuardOptions, scopes ...string) (*Guard, error) {
	scopes = slices.Clone(scopes)
	return r.guard(o, func(c amplify.Claims) error {
		for _, scope := range scopes {
			if !slices.Contains(c.Scopes, scope) {
				return denied(amplify.ReasonMissingScope, "The access token lacks the scope "+scope+".")
			}
		}
		return nil
	})
}

func isUser(c amplify.Claims) error {
	if c.Username == "" {
		return amplify.Unauthenticated(amplify.ReasonNoUser, nil)
	}
	return nil
}

func denied(reason amplify.Reason, message string) error {
	return &amplify.Error{Name: "AccessDeniedException", Reason: reason, Message: message}
}

// guard returns a guard that lets requests pass whose access token's claims permit returns nil for.
func (r *Runner) guard(o GuardOptions, permit func(amplify.Claims) error) (*Guard, error) {
	var faults []*amplify.ConfigError
	g := &Guard{runner: r, permit: permit}
	if o.SignIn != "" {
		u, ok := r.origin.local(o.SignIn)
		if !ok {
			faults = append(faults, &amplify.ConfigError{
				Field: "Guard.SignIn", Value: o.SignIn, Problem: `is not a path of this application, such as "/sign-in"`,
			})
		} else {
			g.signIn = u.String()
			g.public = !strings.HasPrefix(o.SignIn, "/") || r.isAuthRoute(u.EscapedPath())
		}
	}
	if len(o.Except) > 0 {
		g.except = http.NewServeMux()
	}
	for i, pattern := range o.Except {
		if problem := register(g.except, pattern); problem != "" {
			faults = append(faults, &amplify.ConfigError{Field: fmt.Sprintf("Guard.Except[%d]", i), Value: pattern, Problem: problem})
		}
	}
	if err := amplify.NewConfigError(faults...); err != nil {
		return nil, err
	}
	return g, nil
}

// register registers a pattern, and returns what is wrong with it.
func register(mux *http.ServeMux, pattern string) (problem string) {
	defer func() {
		if p := recover(); p != nil {
			problem = fmt.Sprintf("is not a pattern of http.ServeMux: %v", p)
		}
	}()
	mux.Handle(pattern, excepted{})
	return ""
}

// excepted is what the patterns lead to. A mux also answers paths that are near a pattern, with
// redirects: "/news" for "/news/". Those are other pages behind the guard.
type excepted struct{}

func (excepted) ServeHTTP(http.ResponseWriter, *http.Request) {}

// Excepts reports whether a request passes whoever sends it: that of an auth route, and what
// [GuardOptions] except. The page to sign in on passes [Guard.Check].
func (g *Guard) Excepts(r *http.Request) bool {
	p := r.URL.Path
	if p != path.Clean(p) && p != path.Clean(p)+"/" || strings.Contains(p, `\`) ||
		strings.Contains(p, "/.;") || strings.Contains(p, "/..;") {
		// A handler behind the guard may clean the path, and serve a page that does not look
		// excepted. Java servers behind a proxy take ".." with a parameter for ".." (RFC 3986 §3.3).
		return false
	}
	switch {
	case isAuthRoute(lastSegment(p)) && g.runner.isAuthRoute(g.runner.path(r)):
		return true
	case g.except == nil || !g.matches(r):
		return false
	case r.URL.RawPath == "":
		return true
	}
	// The mux matches before it decodes. Handlers behind the guard may decode first:
	// "/news/1%2fedit" is "/news/{id}" to one, and "/news/{id}/edit" to the other.
	decoded := *r
	decoded.URL = &url.URL{Host: r.URL.Host, Path: p}
	return g.matches(&decoded)
}

func (g *Guard) matches(r *http.Request) bool {
	h, _ := g.except.Handler(r)
	return h == excepted{}
}

// signInURL returns where users sign in, as browsers see it.
func (g *Guard) signInURL(x *Exchange) string {
	if g.public {
		return g.signIn
	}
	return x.public(g.signIn)
}

// isSignIn reports whether a request is for the page that users sign in on.
func (g *Guard) isSignIn(x *Exchange, r *http.Request) bool {
	own := withoutQuery(g.signIn)
	if own == "" || !g.public && !strings.HasSuffix(requestPath(r), own) { // most requests
		return false
	}
	return g.runner.path(r) == withoutQuery(g.signInURL(x))
}

// withoutQuery returns the path of an address.
func withoutQuery(address string) string {
	if i := strings.IndexAny(address, "?#"); i >= 0 {
		return address[:i]
	}
	return address
}

// Check returns nil if the request of x passes, else why it does not: see [amplify.ReasonOf] and
// [amplify.ErrUnauthenticated].
func (g *Guard) Check(x *Exchange, r *http.Request) error {
	if g.isSignIn(x, r) {
		return nil
	}
	tokens, err := x.Tokens(r.Context(), amplify.TokensInput{})
	if err != nil {
		return err
	}
	return g.permit(tokens.AccessToken.Claims())
}

// Deny answers the request of x, which does not pass because of err. Users who navigate get pages,
// programs get JSON, {"error": "<name>", "reason": "<reason>"}:
//
//   - 401, or a redirect to the sign-in page, if the user is not signed in. The page of 401 leads to
//     the auth routes, if the configuration says where they are;
//   - 403 if the user lacks a group or scope: signing in again would not help;
//   - 431 if the cookies are too many to be read, with a way to delete them;
//   - 503 with Retry-After if it cannot be told at the moment. No user is signed out by that.
func (g *Guard) Deny(x *Exchange, r *http.Request, err error) *Response {
	reason := amplify.ReasonOf(err)
	p := Page{Link: x.public("/"), LinkText: "Home"}
	switch {
	case reason == amplify.ReasonCookiesTooLarge:
		return g.runner.cookiesTooLarge(x, r)
	case errors.Is(err, amplify.ErrUnauthenticated):
		if isNavigation(r) && g.signIn != "" {
			if reason == amplify.ReasonNoSession {
				if answer := g.runner.arrival(x, r); answer != nil {
					return answer
				}
			}
			// 303, so that a form that was sent does not get sent again to the sign-in page.
			return redirect(http.StatusSeeOther, withReturnTo(g.signInURL(x), g.runner.here(r)))
		}
		p.Name, p.Status = "sign-in-needed", http.StatusUnauthorized
		p.Title, p.Text = "Please sign in", "This page is for signed-in users."
		if g.runner.routes != "" {
			p.Link, p.LinkText = g.runner.signInAddress(g.runner.here(r)), "Sign in"
		}
	case reason == amplify.ReasonMissingGroup || reason == amplify.ReasonMissingScope:
		p.Name, p.Status = "not-allowed", http.StatusForbidden
		p.Title, p.Text = "Not allowed", "Your account may not see this page."
	case reason == amplify.ReasonConfiguration:
		g.runner.log(r.Context(), slog.LevelError, "session not read", "error", err)
		p.Name, p.Status = "failure", http.StatusInternalServerError
		p.Title, p.Text = "Something is wrong", "This page cannot be shown."
	default:
		g.runner.log(r.Context(), slog.LevelWarn, "session not read", "error", err)
		p.Name, p.Status = "try-again", http.StatusServiceUnavailable
		p.Title, p.Text = "Please try again", "We cannot tell who you are at the moment. You are still signed in."
		p.Link, p.LinkText = g.runner.here(r), "Try again"
	}
	answer := failure(p.Status, err)
	if isNavigation(r) {
		answer = g.runner.page(r, p)
	}
	if p.Status == http.StatusServiceUnavailable {
		answer.Header.Set("Retry-After", retryAfter)
	}
	if challenge := x.challenge(p.Status, reason); challenge != "" {
		answer.Header.Set("WWW-Authenticate", challenge)
	}
	return answer
}

// challenge returns the WWW-Authenticate header of RFC 6750 §3. It is empty unless
// bearer tokens are accepted.
func (x *Exchange) challenge(status int, reason amplify.Reason) string {
	_, given := x.bearerToken()
	switch {
	case !x.runner.bearer:
	case status == http.StatusUnauthorized && given:
		return `Bearer error="invalid_token"`
	case status == http.StatusUnauthorized:
		return "Bearer"
	case reason == amplify.ReasonMissingScope:
		return `Bearer error="insufficient_scope"`
	}
	return ""
}
