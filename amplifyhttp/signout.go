package amplifyhttp

import (
	"net/http"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/cookie"
)

// Values of the cookie that a sign-out leaves for its callback.
const (
	signingOut       = "true"
	signingOutGlobal = "global"
)

// toSignOut sends a user to managed login, which forgets who has signed in there and sends them back. Whoever
// leaves the browser before that stays signed in.
func (a *authRoutes) toSignOut(w http.ResponseWriter, r *http.Request, x *exchange) {
	value := signingOut
	if a.options.GlobalSignOut || r.URL.Query().Get("global") == "true" {
		value = signingOutGlobal
	}
	x.Set(a.flow(signingOutCookie, value))
	x.Set(a.flow(signOutRedirectingCookie, "true"))
	redirect(w, a.managedLogin("/logout", "client_id", a.oauth.ClientID, "logout_uri", a.signOut.String()))
}

// signOutCallback ends a sign-out, in two steps: when Cognito sends the user back, SameSite=Strict cookies do not
// come along. The first step is a page that opens the same address from our own site.
func (a *authRoutes) signOutCallback(w http.ResponseWriter, r *http.Request, x *exchange) {
	out, redirecting := "", false
	for name, value := range cookie.Parse(r.Header["Cookie"]) {
		switch {
		case value == "":
		case name == signingOutCookie:
			out = value
		case name == signOutRedirectingCookie:
			redirecting = true
		}
	}
	if out == "" {
		// Nobody asked for this, or it took longer than five minutes.
		a.runner.pages.write(w, page{
			Status: http.StatusBadRequest, Title: "You are not signed out", Text: "This address is only for the end of a sign-out.",
			Link: a.runner.routes + routeSignOut, LinkText: "Sign out",
		})
		return
	}
	if redirecting {
		x.Set(a.endFlow(signOutRedirectingCookie))
		a.runner.pages.write(w, page{
			Status: http.StatusOK, Title: "One moment…", Text: "You are being signed out.",
			Link: a.signOut.String(), LinkText: "Continue", Follow: true,
		})
		return
	}
	failure := x.providers().Session.End(r.Context(), amplify.EndInput{Global: out == signingOutGlobal})
	x.Set(a.endFlow(signingOutCookie))
	to := a.options.RedirectOnSignOutComplete
	if failure != nil {
		a.runner.app.Logger().WarnContext(r.Context(), "A session was ended here, but Cognito could not be told.", "error", failure)
		to = addQuery(to, "error", "revocation_failed",
			"error_description", "You are signed out here. Cognito could not be told to end the session everywhere.")
	}
	redirect(w, to)
}
