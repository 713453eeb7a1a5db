package flow

import (
	"net/http"
	"net/url"
)

// SignInLink describes a link to managed login: see [Runner.SignInURL]. The zero value
// is the form for all users.
type SignInLink struct {
	// SignUp leads to the form for new users.
	SignUp bool
	// Provider leads straight to Google, Facebook, Amazon, Apple or the identity
	// provider of that name.
	Provider string
	// Lang is the language of the form, such as "fr".
	Lang string
	// LoginHint is the user name to begin with.
	LoginHint string
	// ReturnTo is the path to come back to instead of the page with the link. A sign-in page sets
	// it, so that users do not come back to the sign-in page.
	ReturnTo string
}

// SignInURL returns the link from the page that request asks for to managed login. Users come back
// to where they wanted to go when they were sent to the page (its query parameter return_to), else
// to link.ReturnTo, else to the page.
//
// It is empty if the configuration has no redirect URL for the origin.
func (r *Runner) SignInURL(request *http.Request, link SignInLink) string {
	if r.routes == "" {
		return ""
	}
	to, ok := r.origin.returnTo(request.URL.Query().Get(returnToParameter))
	if !ok && link.ReturnTo != "" {
		to, ok = r.origin.returnTo(link.ReturnTo)
	}
	if !ok {
		to = r.here(request)
	}
	u := url.URL{Path: r.routes + routeSignIn}
	if link.SignUp {
		u.Path = r.routes + routeSignUp
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

// signInAddress returns the address of sign-in, to come back to a path that has been checked.
func (r *Runner) signInAddress(returnTo string) string {
	return withReturnTo(&url.URL{Path: r.routes + routeSignIn}, returnTo)
}
