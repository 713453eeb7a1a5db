package amplifyhttp

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/oauth2"

	"github.com/amplify-go/amplify"
)

// toManagedLogin sends a user to managed login, unless they are signed in.
func (a *authRoutes) toManagedLogin(p string) func(http.ResponseWriter, *http.Request, *exchange) {
	return func(w http.ResponseWriter, r *http.Request, x *exchange) {
		q := r.URL.Query()
		returnTo, _ := a.runner.origin.returnTo(q.Get(returnToParameter))
		if _, err := x.Tokens(r.Context(), amplify.TokensInput{}); err == nil {
			redirect(w, a.afterSignIn(returnTo))
			return
		}
		next := attempt{newState(a.options.CustomState), randomText(verifierLength), returnTo}
		a.beginAttempt(x, r, next)
		query := []string{
			"redirect_uri", a.oauth.RedirectURL,
			"response_type", "code",
			"client_id", a.oauth.ClientID,
			"scope", strings.Join(a.oauth.Scopes, " "),
			"state", next.state,
			"code_challenge", oauth2.S256ChallengeFromVerifier(next.verifier),
			"code_challenge_method", "S256",
		}
		for _, optional := range [][2]string{
			{"identity_provider", identityProvider(q.Get("provider"))},
			{"lang", q.Get("lang")},
			{"login_hint", q.Get("login_hint")},
		} {
			if optional[1] != "" {
				query = append(query, optional[0], optional[1])
			}
		}
		redirect(w, a.managedLogin(p, query...))
	}
}

// identityProvider returns Cognito's name of an identity provider. Names that are not Amplify's own, those of SAML and
// OIDC providers for instance, are Cognito's already.
func identityProvider(name string) string {
	switch strings.ToLower(name) {
	case "google":
		return "Google"
	case "facebook":
		return "Facebook"
	case "amazon":
		return "LoginWithAmazon"
	case "apple":
		return "SignInWithApple"
	}
	return name
}

// afterSignIn returns where a user goes who has signed in.
func (a *authRoutes) afterSignIn(returnTo string) string {
	if returnTo != "" {
		return returnTo
	}
	return a.options.RedirectOnSignInComplete
}

// signInCallback ends a sign-in: Cognito has sent the user back with a code for tokens.
func (a *authRoutes) signInCallback(w http.ResponseWriter, r *http.Request, x *exchange) {
	q := r.URL.Query()
	if failure, description := q.Get("error"), q.Get("error_description"); failure != "" || description != "" {
		redirect(w, addQuery(a.options.RedirectOnSignOutComplete, "error", failure, "error_description", description))
		return
	}
	code, state := q.Get("code"), q.Get("state")
	if code == "" || state == "" {
		a.signInFailed(w, http.StatusBadRequest, "This address is only for the end of a sign-in.", "")
		return
	}
	pending := readAttempts(r)
	began, ok := find(slices.Concat(pending.own, pending.newest), state)
	switch {
	case ok:
	case len(pending.own)+len(pending.newest) == 0:
		redirect(w, addQuery(a.options.RedirectOnSignOutComplete,
			"error", "timeout", "error_description", "Sign in has to be completed within 5 minutes."))
		return
	default:
		// Somebody else's link, or an attempt that another tab has replaced (RFC 9700 §4.7.1).
		a.signInFailed(w, http.StatusBadRequest, "This sign-in was not begun here, or another one has taken its place.", "")
		return
	}
	// Checked again: what a cookie says may have been set by a neighbour on the domain.
	returnTo, _ := a.runner.origin.returnTo(began.returnTo)
	token, err := a.oauth.Exchange(a.withClient(r.Context()), code, oauth2.VerifierOption(began.verifier))
	if err != nil {
		a.exchangeFailed(w, r, err, returnTo)
		return
	}
	idToken, _ := token.Extra("id_token").(string)
	if err := x.providers().Session.Start(r.Context(), amplify.IssuedTokens{
		AccessToken:  amplify.NewSecret(token.AccessToken),
		IDToken:      amplify.NewSecret(idToken),
		RefreshToken: amplify.NewSecret(token.RefreshToken),
	}); err != nil {
		a.storeFailed(w, r, err, returnTo)
		return
	}
	a.endAttempt(x, r, state)
	// Not a redirect: as part of a navigation that began at Cognito it would not carry SameSite=Strict cookies.
	a.runner.pages.write(w, page{
		Status: http.StatusOK, Title: "You are signed in", Text: "You are being taken to the page.",
		Link: a.afterSignIn(returnTo), LinkText: "Continue", Follow: true,
	})
}

// signInFailed tells a user that a sign-in has not come to its end, and lets them begin again.
func (a *authRoutes) signInFailed(w http.ResponseWriter, status int, text, returnTo string) {
	a.runner.pages.write(w, page{
		Status: status, Title: "You are not signed in", Text: text,
		Link: withReturnTo(&url.URL{Path: a.runner.routes + routeSignIn}, returnTo), LinkText: "Sign in",
	})
}

// exchangeFailed answers where the token endpoint gave no tokens.
func (a *authRoutes) exchangeFailed(w http.ResponseWriter, r *http.Request, err error, returnTo string) {
	var refused *oauth2.RetrieveError
	if errors.As(err, &refused) && refused.ErrorCode != "" && refused.Response.StatusCode < 500 {
		// What RFC 6749 §5.2 lists is safe to show. The description and the body are not logged: they could quote the request.
		a.runner.app.Logger().ErrorContext(r.Context(), "Cognito refused an authorization code.",
			"error", refused.ErrorCode, "hint", hint(refused.ErrorCode))
		a.signInFailed(w, http.StatusInternalServerError, "Cognito says: "+refused.ErrorCode+".", returnTo)
		return
	}
	a.runner.app.Logger().WarnContext(r.Context(), "Cognito could not be asked for tokens.", "error", withoutBody(err))
	w.Header().Set("Retry-After", "5")
	a.signInFailed(w, http.StatusServiceUnavailable, "Signing in does not work at the moment. Please try again.", returnTo)
}

// hint says what an error code of the token endpoint usually comes from.
func hint(code string) string {
	switch code {
	case "invalid_client", "unauthorized_client":
		return "check Options.Cognito.ClientSecret: it must be the app client's, or empty if that has none; the client must allow the authorization code grant"
	case "invalid_grant":
		return "the code has been used or has expired, or the redirect URL is not the one it was issued for"
	}
	return ""
}

// withoutBody returns what may be logged of an error of the token endpoint: not what it answered.
func withoutBody(err error) error {
	var refused *oauth2.RetrieveError
	if errors.As(err, &refused) {
		return fmt.Errorf("token endpoint: status %d", refused.Response.StatusCode)
	}
	return err
}

// storeFailed answers where tokens could not become a session.
func (a *authRoutes) storeFailed(w http.ResponseWriter, r *http.Request, err error, returnTo string) {
	log := a.runner.app.Logger()
	switch {
	case amplify.ReasonOf(err) == amplify.ReasonTokenTooLarge:
		log.ErrorContext(r.Context(), "A session does not fit into cookies.", "error", err)
		a.signInFailed(w, http.StatusInternalServerError, "Your account has more attributes or groups than a browser can keep.", returnTo)
	case errors.Is(err, amplify.ErrUnauthenticated):
		log.ErrorContext(r.Context(), "Cognito answered tokens that are not valid.", "error", err)
		a.signInFailed(w, http.StatusInternalServerError, "Cognito's answer could not be verified.", returnTo)
	default:
		log.WarnContext(r.Context(), "Tokens cannot be verified at the moment.", "error", err)
		w.Header().Set("Retry-After", "5")
		a.signInFailed(w, http.StatusServiceUnavailable, "Signing in does not work at the moment. Please try again.", returnTo)
	}
}
