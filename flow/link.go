package flow

import (
	"net/http"
	"net/url"
)

// SignInLink describes a link to managed login: see [Exchange.SignInURL]. The zero value
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
	// ReturnTo is the path of the application to come back to instead of the page with the link. A
	// sign-in page sets it, so that users do not come back to the sign-in page.
	ReturnTo string
}

// SignInURL returns the link from the page that request, that of x or one derived from it, asks for
// to managed login. Users come back to where they wanted to go when they were sent to the page (its
// query parameter return_to), else to link.ReturnTo, else to the page.
//
// It is empty if the configuration has no redirect URL that leads to the auth routes.
func (x *Exchange) SignInURL(request *http.Request, link SignInLink) string {
	r := x.runner
	if r.routes == "" {
		return ""
	}
	to, ok := r.origin.returnTo(request.URL.Query().Get(returnToParameter))
	if !ok && link.ReturnTo != "" {
		if _, ok = r.origin.returnTo(link.ReturnTo); ok {
			to, ok = r.origin.returnTo(x.public(link.ReturnTo))
		}
	}
	if !ok {
		to = r.here(request)
	}
	route := routeSignIn
	if link.SignUp {
		route = routeSignUp
	}
	q := url.Values{}
	for name, value := range map[string]string{"provider": link.Provider, "lang": link.Lang, "login_hint": link.LoginHint} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if to != "" {
		q.Set(returnToParameter, to)
	}
	if len(q) == 0 {
		return r.routes + route
	}
	return r.routes + route + "?" + q.Encode()
}

// signInAddress returns the address of sign-in, to come back to a path that has been checked.
func (r *Runner) signInAddress(returnTo string) string {
	return withReturnTo(r.routes+routeSignIn, returnTo)
}
