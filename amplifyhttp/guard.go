package amplifyhttp

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/amplify-go/amplify"
)

// Guard says how requests are answered that must not pass, and which pass unasked. The zero value
// answers with a small page, or JSON, and excepts nothing.
//
// People who navigate get pages, programs get JSON, {"error": "<name>", "reason": "<reason>"}:
//
//   - 401, or a redirect to SignIn, where nobody is signed in;
//   - 403 where the user lacks a group or scope: signing in again would not help;
//   - 503 with Retry-After where it cannot be told at the moment. Nobody is signed out by that.
//
// People who follow a link on another site, in an e-mail for instance, look signed out at first, since browsers
// withhold SameSite=Strict cookies from that request. Before they are sent to SignIn they get, once, a
// page that opens the same address again from the application's own site. Pages that are not guarded are shown as
// to somebody who is not signed in: that is the price of SameSite=Strict.
type Guard struct {
	// SignIn is the path that people who are not signed in are sent to, such as "/sign-in" or
	// "/api/auth/sign-in". It gets a query parameter return_to with where they wanted to go, which the
	// auth routes understand. It is never guarded itself.
	SignIn string
	// Except lists what needs no user, as patterns of [http.ServeMux]: "/favicon.ico", "/static/", "GET /{$}".
	// It is for guards around a whole mux. The auth routes are excepted as well. A path that is not
	// clean, such as "/static/../admin", is never excepted.
	Except []string
	// Denied answers instead. err says why: see [amplify.ReasonOf] and [amplify.ErrUnauthenticated].
	Denied func(w http.ResponseWriter, r *http.Request, err error)
}

// RequireUser lets requests of signed-in users pass. It panics if g is not valid, as [http.ServeMux.Handle] does.
//
// It needs no [ServerRunner.Middleware], but shares its work with it.
func (s *ServerRunner) RequireUser(g Guard) func(http.Handler) http.Handler {
	return s.guard(g, func(amplify.Claims) error { return nil })
}

// RequireGroup is [ServerRunner.RequireUser] for users who are in at least one of the groups (the claim
// cognito:groups).
func (s *ServerRunner) RequireGroup(g Guard, groups ...string) func(http.Handler) http.Handler {
	return s.guard(g, func(c amplify.Claims) error {
		if slices.ContainsFunc(groups, func(group string) bool { return slices.Contains(c.Groups, group) }) {
			return nil
		}
		return denied(amplify.ReasonMissingGroup, "The user is in none of the groups that this needs.")
	})
}

// RequireScope is [ServerRunner.RequireUser] for sessions whose access token has all of the scopes.
func (s *ServerRunner) RequireScope(g Guard, scopes ...string) func(http.Handler) http.Handler {
	return s.guard(g, func(c amplify.Claims) error {
		for _, scope := range scopes {
			if !slices.Contains(c.Scopes, scope) {
				return denied(amplify.ReasonMissingScope, "The access token lacks the scope "+scope+".")
			}
		}
		return nil
	})
}

func denied(reason amplify.Reason, message string) error {
	return &amplify.Error{Name: "AccessDeniedException", Reason: reason, Message: message}
}

// guard lets requests pass whose access token's claims permit returns nil for.
func (s *ServerRunner) guard(g Guard, permit func(amplify.Claims) error) func(http.Handler) http.Handler {
	signIn := &url.URL{}
	if g.SignIn != "" {
		var ok bool
		if signIn, ok = s.origin.local(g.SignIn); !ok {
			panic(fmt.Sprintf("amplifyhttp: Guard.SignIn %q is not a path of this application", g.SignIn))
		}
	}
	excepted := s.exceptions(g, signIn.Path)
	deny := func(w http.ResponseWriter, r *http.Request, err error) { s.deny(w, r, signIn, err) }
	if g.Denied != nil {
		deny = g.Denied
	}
	return func(next http.Handler) http.Handler {
		check := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			tokens, err := s.exchangeOf(r).Tokens(r.Context(), amplify.TokensInput{})
			if err == nil {
				err = permit(tokens.AccessToken.Claims())
			}
			if err != nil {
				deny(w, r, err)
				return
			}
			next.ServeHTTP(w, r)
		})
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if excepted(r) {
				next.ServeHTTP(w, r)
				return
			}
			s.serve(check, w, r)
		})
	}
}

// exceptions returns a function that reports whether a request passes unasked.
func (s *ServerRunner) exceptions(g Guard, signIn string) func(*http.Request) bool {
	mux := http.NewServeMux()
	for _, pattern := range g.Except {
		mux.Handle(pattern, http.NotFoundHandler())
	}
	return func(r *http.Request) bool {
		if p := r.URL.Path; p != path.Clean(p) && p != path.Clean(p)+"/" {
			// What is behind us may clean the path, and serve a page that this one does not look like.
			return false
		}
		if r.URL.Path == signIn && signIn != "" || s.isAuthRoute(r.URL.Path) {
			return true
		}
		if len(g.Except) == 0 {
			return false
		}
		_, pattern := mux.Handler(r)
		return pattern != ""
	}
}

// deny answers a request that must not pass.
func (s *ServerRunner) deny(w http.ResponseWriter, r *http.Request, signIn *url.URL, err error) {
	reason := amplify.ReasonOf(err)
	p := page{Link: "/", LinkText: "Home"}
	switch {
	case errors.Is(err, amplify.ErrUnauthenticated):
		if isNavigation(r) && signIn.Path != "" {
			if reason == amplify.ReasonNoSession && s.arrival(w, r) {
				return
			}
			w.Header().Set("Cache-Control", private)
			// 303, so that a form that was sent does not get sent again to the sign-in page.
			http.Redirect(w, r, withReturnTo(signIn, s.here(r)), http.StatusSeeOther)
			return
		}
		p.Status, p.Title, p.Text = http.StatusUnauthorized, "Please sign in", "This page is for signed-in users."
	case reason == amplify.ReasonMissingGroup || reason == amplify.ReasonMissingScope:
		p.Status, p.Title, p.Text = http.StatusForbidden, "Not allowed", "Your account may not see this page."
	case reason == amplify.ReasonConfiguration:
		s.app.Logger().ErrorContext(r.Context(), "A session cannot be read.", "error", err)
		p.Status, p.Title, p.Text = http.StatusInternalServerError, "Something is wrong", "This page cannot be shown."
	default:
		s.app.Logger().WarnContext(r.Context(), "A session cannot be read at the moment.", "error", err)
		w.Header().Set("Retry-After", "5")
		p.Status, p.Title, p.Text = http.StatusServiceUnavailable, "Please try again", "We cannot tell who you are at the moment. You are still signed in."
		p.Link, p.LinkText = s.here(r), "Try again"
	}
	s.challenge(w, r, p.Status, reason)
	if isNavigation(r) {
		s.pages.write(w, p)
		return
	}
	writeError(w, p.Status, err)
}

// challenge adds the WWW-Authenticate header of RFC 6750 §3, where bearer tokens are accepted.
func (s *ServerRunner) challenge(w http.ResponseWriter, r *http.Request, status int, reason amplify.Reason) {
	if !s.bearer {
		return
	}
	_, given := bearerToken(r)
	switch {
	case status == http.StatusUnauthorized && given:
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
	case status == http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", "Bearer")
	case reason == amplify.ReasonMissingScope:
		w.Header().Set("WWW-Authenticate", `Bearer error="insufficient_scope"`)
	}
}

// here returns the address of r as a path to return to, or "" where coming back makes no sense: nobody
// returns to a form that was sent.
func (s *ServerRunner) here(r *http.Request) string {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return ""
	}
	to, _ := s.origin.returnTo(address(r))
	return to
}

// address returns the address that the client asked for: handlers see r.URL without what
// [http.StripPrefix] took off.
func address(r *http.Request) string {
	if r.RequestURI != "" {
		return r.RequestURI
	}
	return r.URL.RequestURI()
}

// withReturnTo returns u with a query parameter return_to, unless to is "".
func withReturnTo(u *url.URL, to string) string {
	v := *u
	if to != "" {
		q := v.Query()
		q.Set(returnToParameter, to)
		v.RawQuery = q.Encode()
	}
	return v.String()
}

const returnToParameter = "return_to"

// isNavigation reports whether a person's browser asks for a page, rather than a program for data.
func isNavigation(r *http.Request) bool {
	if mode := r.Header.Get("Sec-Fetch-Mode"); mode != "" {
		return mode == "navigate"
	}
	return strings.Contains(r.Header.Get("Accept"), "text/html")
}

// writeError answers a program. The message of err stays here: it may name what the caller need not know.
func writeError(w http.ResponseWriter, status int, err error) {
	var body struct {
		Error  string         `json:"error"`
		Reason amplify.Reason `json:"reason,omitempty"`
	}
	body.Error, body.Reason = "UnknownError", amplify.ReasonOf(err)
	if e := (*amplify.Error)(nil); errors.As(err, &e) {
		body.Error = e.Name
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", private)
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
