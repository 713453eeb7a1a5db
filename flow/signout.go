package flow

import (
	"context"
	"crypto/subtle"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"slices"

	"github.com/amplify-go/amplify"
)

// Values of the cookie that a sign-out leaves for its callback.
const (
	signingOut       = "true"
	signingOutGlobal = "global"
)

// codeRevocationFailed is the error that a user is sent on with who is signed out here only.
const codeRevocationFailed = "revocation_failed"

// Query parameters of sign-out.
const (
	globalParameter  = "global"
	confirmParameter = "confirm"
)

// toSignOut sends a user to managed login, which forgets who has signed in there and sends them
// back. A user who leaves the browser before that stays signed in.
func (a *Routes) toSignOut(x *Exchange, r *http.Request) *Response {
	if answer := a.runner.toOrigin(x, r); answer != nil {
		return answer
	}
	global := r.URL.Query().Get(globalParameter) == "true"
	if !a.mayBegin(x, r, global) {
		return a.askToSignOut(x, r, global)
	}
	value := signingOut
	if a.options.GlobalSignOut || global {
		value = signingOutGlobal
	}
	if r.URL.Query().Has(confirmParameter) {
		x.cookies.Set(a.confirmation("", -1)) // it is good for once
	}
	x.cookies.Set(a.runner.flowCookie(signingOutCookie, value))
	x.cookies.Set(a.runner.flowCookie(signOutRedirectingCookie, "true"))
	return redirect(http.StatusFound, a.managedLogin("/logout", "client_id", a.clientID, "logout_uri", a.signOut))
}

// mayBegin reports whether a request for sign-out comes from the application itself. Links of other
// sites must not sign users out, and only the application's own may do so on all devices. A request
// may always begin if it comes from the page that asks: browsers that do not say where a request
// comes from show that by the cookie, which other sites can neither read nor send.
func (a *Routes) mayBegin(x *Exchange, r *http.Request, global bool) bool {
	site := r.Header.Get("Sec-Fetch-Site")
	if site == "same-origin" || !global && site != "cross-site" {
		return true
	}
	given := r.URL.Query().Get(confirmParameter)
	return given != "" && slices.ContainsFunc(x.flowCookies().confirmings, func(kept string) bool {
		return subtle.ConstantTimeCompare([]byte(given), []byte(kept)) == 1
	})
}

// askToSignOut lets the user decide.
func (a *Routes) askToSignOut(x *Exchange, r *http.Request, global bool) *Response {
	value := randomText(stateLength)
	x.cookies.Set(a.confirmation(value, int(flowLifetime.Seconds())))
	text, query := "Do you want to sign out?", url.Values{confirmParameter: {value}}
	if global {
		text = "Do you want to sign out on all devices?"
		query.Set(globalParameter, "true")
	}
	return a.runner.page(r, Page{
		Name: "confirm-sign-out", Status: http.StatusOK, Title: "Sign out", Text: text, Link: a.runner.routes + routeSignOut + "?" + query.Encode(), LinkText: "Sign out",
	})
}

// confirmation returns the cookie that the link of the page that asks must match.
func (a *Routes) confirmation(value string, maxAge int) *http.Cookie {
	c := a.runner.flowCookie(confirmCookie, value)
	c.Domain, c.SameSite, c.MaxAge = "", http.SameSiteStrictMode, maxAge
	return c
}

// signOutCallback ends a sign-out, in two steps: when Cognito sends the user back,
// SameSite=Strict cookies do not come along. The first step is a page that opens the
// same address from our own site.
func (a *Routes) signOutCallback(x *Exchange, r *http.Request) *Response {
	cookies := x.flowCookies()
	if cookies.signingOut == "" {
		// The sign-out was not begun here, or has taken longer than five minutes.
		return a.runner.page(r, Page{
			Name: "not-signed-out", Status: http.StatusBadRequest,
			Title: "You are not signed out", Text: "This address is only for the end of a sign-out.",
			Link: a.runner.routes + routeSignOut, LinkText: "Sign out",
		})
	}
	if cookies.redirecting {
		x.cookies.Set(a.runner.endFlowCookie(signOutRedirectingCookie))
		return a.runner.page(r, Page{
			Name: "signing-out", Status: http.StatusOK, Title: "One moment…", Text: "You are being signed out.",
			Link: a.signOut, LinkText: "Continue", Follow: true,
		})
	}
	to := x.public(a.options.RedirectOnSignOutComplete)
	ctx := r.Context()
	if a.options.BeforeSignOut != nil {
		ctx = context.WithoutCancel(ctx) // what the hook is told of happens, even if the browser goes
	}
	defer a.beforeSignOut(ctx, x)()
	err := x.End(ctx, amplify.EndInput{Global: cookies.signingOut == signingOutGlobal})
	switch {
	case err == nil:
	case amplify.ReasonOf(err) == amplify.ReasonReadOnly:
		a.runner.log(r.Context(), slog.LevelError, "session not ended", "error", err)
		return a.runner.page(r, Page{
			Name: "not-signed-out", Status: http.StatusInternalServerError, Title: "You are not signed out", Text: "Something is wrong.",
		})
	default: // the session is deleted all the same
		a.runner.log(r.Context(), slog.LevelWarn, "session ended without telling Cognito", "error", err)
		to = addQuery(to, "error", codeRevocationFailed, "error_description", textRevocationFailed)
	}
	x.cookies.Set(a.runner.endFlowCookie(signingOutCookie))
	return redirect(http.StatusFound, to)
}

// signedOut is a place for RedirectOnSignOutComplete. Other sites may lead here, too: what it says
// is chosen by the error, and is none of the request's texts.
func (a *Routes) signedOut(x *Exchange, r *http.Request) *Response {
	if _, err := x.Tokens(r.Context(), amplify.TokensInput{}); !errors.Is(err, amplify.ErrUnauthenticated) {
		// Signed in, or that cannot be told at the moment.
		return redirect(http.StatusFound, x.public(a.options.RedirectOnSignInComplete))
	}
	q := r.URL.Query()
	returnTo, _ := a.runner.origin.returnTo(q.Get(returnToParameter))
	p := Page{
		Name: "not-signed-in", Status: http.StatusOK, Title: "You are not signed in", Text: textFailed,
		Link: a.runner.signInAddress(returnTo), LinkText: "Sign in",
	}
	switch q.Get("error") {
	case "", codeRevocationFailed:
		p.Name, p.Title, p.Text, p.LinkText = "signed-out", "You are signed out", "", "Sign in again"
		if q.Has("error") {
			p.Text = textRevocationFailed
		}
	case "timeout":
		p.Text = textTimeout
	case "access_denied": // RFC 6749 §4.1.2.1
		p.Text = "The sign-in was cancelled."
	}
	return a.runner.page(r, p)
}
