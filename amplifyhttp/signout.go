package amplifyhttp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

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
		x.Delete(a.endFlow(signOutRedirectingCookie))
		a.runner.pages.write(w, page{
			Status: http.StatusOK, Title: "One moment…", Text: "You are being signed out.",
			Link: a.signOut.String(), LinkText: "Continue", Follow: true,
		})
		return
	}
	// Revocation is a matter of best effort, deletion is not.
	failure := a.revoke(r.Context(), x, out == signingOutGlobal)
	a.runner.cognito.Forget(x.sessionStorage())
	a.runner.clear(x)
	x.Delete(a.endFlow(signingOutCookie))
	to := a.options.RedirectOnSignOutComplete
	if failure != nil {
		a.runner.app.Logger().WarnContext(r.Context(), "A session was ended here, but Cognito could not be told.", "error", failure)
		to = addQuery(to, "error", "revocation_failed",
			"error_description", "You are signed out here. Cognito could not be told to end the session everywhere.")
	}
	redirect(w, to)
}

// revoke tells Cognito that the request's sessions have ended.
func (a *authRoutes) revoke(ctx context.Context, x *exchange, global bool) error {
	var errs []error
	if global {
		tokens, err := x.Tokens(ctx, amplify.TokensInput{})
		if err == nil {
			err = a.runner.cognito.GlobalSignOut(ctx, tokens.AccessToken)
		}
		errs = append(errs, err)
	}
	var refreshTokens []string
	for key, value := range x.sessionStorage().All(a.runner.session) {
		if strings.HasSuffix(key, ".refreshToken") && value != "" && !slices.Contains(refreshTokens, value) {
			refreshTokens = append(refreshTokens, value)
		}
	}
	for _, t := range refreshTokens[:min(len(refreshTokens), maxRevocations)] {
		errs = append(errs, a.revokeToken(ctx, t))
	}
	return errors.Join(errs...)
}

// maxRevocations bounds the calls that one request can cause. A browser has one session, now and then one more
// that another user has left behind.
const maxRevocations = 3

// revokeToken revokes a refresh token and the access tokens that came of it (RFC 7009; Cognito Developer Guide,
// "The token revocation endpoint").
func (a *authRoutes) revokeToken(ctx context.Context, token string) error {
	form := url.Values{"token": {token}, "client_id": {a.oauth.ClientID}}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, a.base+"/oauth2/revoke", strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if a.oauth.ClientSecret != "" {
		r.SetBasicAuth(url.QueryEscape(a.oauth.ClientID), url.QueryEscape(a.oauth.ClientSecret)) // RFC 6749 §2.3.1
	}
	response, err := a.runner.app.HTTPClient().Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 64<<10)) // so that the connection can be used again
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("revocation endpoint: status %d", response.StatusCode)
	}
	return nil
}
