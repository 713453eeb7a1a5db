package amplifyhttp

import (
	"net/http"
	"net/url"
)

// SignInLink describes a link to managed login: see [ServerRunner.SignInURL]. The zero value is the form that
// anybody can sign in with.
type SignInLink struct {
	// SignUp leads to the form for new users.
	SignUp bool
	// Provider leads straight to Google, Facebook, Amazon, Apple or the identity provider of that name.
	Provider string
	// Lang is the language of the form, such as "fr".
	Lang string
	// LoginHint is the user name to begin with.
	LoginHint string
	// ReturnTo is the path to come back to in place of the page with the link. A page that users are
	// sent to for signing in sets it, so as not to come back to itself.
	ReturnTo string
}

// SignInURL returns the link from the page that r asks for to managed login. Users come back to where they wanted to
// go when they were sent to the page (its query parameter return_to), else to link.ReturnTo, else to the page.
//
// It is empty where the configuration has no redirect URL for the origin.
func (s *ServerRunner) SignInURL(r *http.Request, link SignInLink) string {
	if s.routes == "" {
		return ""
	}
	to, ok := s.origin.returnTo(r.URL.Query().Get(returnToParameter))
	if !ok && link.ReturnTo != "" {
		to, ok = s.origin.returnTo(link.ReturnTo)
	}
	if !ok {
		to = s.here(r)
	}
	u := url.URL{Path: s.routes + routeSignIn}
	if link.SignUp {
		u.Path = s.routes + routeSignUp
	}
	q := url.Values{}
	for name, value := range map[string]string{"provider": link.Provider, "lang": link.Lang, "login_hint": link.LoginHint} {
		if value != "" {
			q.Set(name, value)
		}
	}
	u.RawQuery = q.Encode()
	return withReturnTo(&u, to)
}
