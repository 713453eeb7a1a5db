package flow

import (
	"errors"
	"log/slog"
	"net/http"
	"strings"

	"golang.org/x/oauth2"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/cognito"
)

// toManagedLogin sends a user to managed login, unless they are signed in.
func (a *Routes) toManagedLogin(p string) func(*Exchange, *http.Request) *Response {
	return func(x *Exchange, r *http.Request) *Response {
		q := r.URL.Query()
		returnTo, _ := a.runner.origin.returnTo(q.Get(returnToParameter))
		if _, err := x.Tokens(r.Context(), amplify.TokensInput{}); err == nil {
			return redirect(http.StatusFound, a.afterSignIn(x, returnTo))
		}
		if answer := a.runner.toOrigin(x, r); answer != nil {
			return answer
		}
		next := attempt{newState(a.options.CustomState), randomText(verifierLength), returnTo}
		a.runner.beginAttempt(x, x.flowCookies().attempts(), next)
		return redirect(http.StatusFound, a.managedLogin(p,
			"redirect_uri", a.signIn,
			"response_type", "code",
			"client_id", a.clientID,
			"scope", strings.Join(a.scopes, " "),
			"state", next.state,
			"code_challenge", oauth2.S256ChallengeFromVerifier(next.verifier),
			"code_challenge_method", challengeMethod,
			"identity_provider", identityProvider(short(q, "provider")),
			"lang", short(q, "lang"),
			"login_hint", short(q, "login_hint")))
	}
}

// identityProvider returns Cognito's name of an identity provider. Names that are not Amplify's
// own, those of SAML and OIDC providers for instance, are Cognito's already.
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
func (a *Routes) afterSignIn(x *Exchange, returnTo string) string {
	if returnTo != "" {
		return returnTo
	}
	return x.public(a.options.RedirectOnSignInComplete)
}

// signInCallback ends a sign-in: Cognito has sent the user back with a code for tokens, or with an
// error.
func (a *Routes) signInCallback(x *Exchange, r *http.Request) *Response {
	q := r.URL.Query()
	pending := x.flowCookies().attempts()
	code, state := short(q, "code"), short(q, "state")
	began, ok := pending.find(state)
	// Checked again: what a cookie says may have been set by a neighbour on the domain.
	returnTo, _ := a.runner.origin.returnTo(began.returnTo)
	if q.Get("error") != "" || q.Get("error_description") != "" {
		if pending.none() || state != "" && !ok {
			return a.timeout(x) // the texts may be those of another site's link
		}
		return a.notSignedIn(x, short(q, "error"), short(q, "error_description"), returnTo)
	}
	switch {
	case code == "" || state == "":
		return a.signInFailed(r, http.StatusBadRequest, "This address is only for the end of a sign-in.", "")
	case ok:
	case pending.none():
		if _, err := x.Tokens(r.Context(), amplify.TokensInput{}); err == nil {
			return a.signedIn(x, r, "") // back to the callback of an earlier sign-in
		}
		return a.timeout(x)
	default:
		// Another site's link, or an attempt that another tab has replaced (RFC 9700 §4.7.1).
		return a.signInFailed(r, http.StatusBadRequest, "This sign-in was not begun here, or another one has taken its place.", "")
	}
	tokens, err := a.runner.client.ExchangeCode(r.Context(), cognito.CodeGrant{
		Code: code, State: state, Verifier: began.verifier, RedirectURI: a.signIn, Accept: a.accept(r.Context()),
	})
	if err != nil {
		return a.exchangeFailed(x, r, err, returnTo)
	}
	if err := x.Start(r.Context(), tokens); err != nil {
		return a.startFailed(r, err, returnTo)
	}
	if n := headerSize(x.cookies.request); n > advisableHeaderSize {
		a.runner.log(r.Context(), slog.LevelWarn, "the browser sends more cookies than many proxies take (status 431)",
			"bytes", n, "advisable", advisableHeaderSize,
			"hint", "give tokens fewer claims, list clients of the past in Options.Cognito.ForgetClients, or raise the limit of the proxy")
	}
	a.runner.endAttempt(x, pending, state)
	return a.signedIn(x, r, returnTo)
}

// signedIn sends a user on who has signed in. It is no redirect: as part of a navigation that began
// at Cognito that would not carry SameSite=Strict cookies.
func (a *Routes) signedIn(x *Exchange, r *http.Request, returnTo string) *Response {
	return a.runner.page(r, Page{
		Name: "signed-in", Status: http.StatusOK, Title: "You are signed in", Text: "You are being taken to the page.",
		Link: a.afterSignIn(x, returnTo), LinkText: "Continue", Follow: true,
	})
}

// timeout sends a user on whose sign-in this browser does not know, or no longer.
func (a *Routes) timeout(x *Exchange) *Response {
	return a.notSignedIn(x, "timeout", textTimeout, "")
}

// notSignedIn sends a user on who has not signed in. What the texts say must not be a secret.
func (a *Routes) notSignedIn(x *Exchange, code, description, returnTo string) *Response {
	to := x.public(a.options.RedirectOnSignOutComplete)
	if _, ok := a.runner.origin.local(to); !ok {
		returnTo = "" // it means nothing to another application
	}
	return redirect(http.StatusFound, addQuery(to,
		"error", code, "error_description", description, returnToParameter, returnTo))
}

// notAccepted answers if the application's AfterSignIn has failed. Without a place for that there
// is a page: "/" may be guarded, and would sign the user in again at once, and again.
func (a *Routes) notAccepted(x *Exchange, r *http.Request, returnTo string) *Response {
	if a.landing {
		return a.notSignedIn(x, "sign_in_failed", textFailed, returnTo)
	}
	return a.signInFailed(r, http.StatusForbidden, textFailed, returnTo)
}

// signInFailed tells a user that a sign-in has not come to its end, and lets them begin again.
func (a *Routes) signInFailed(r *http.Request, status int, text, returnTo string) *Response {
	return a.runner.page(r, Page{
		Name: "not-signed-in", Status: status, Title: "You are not signed in", Text: text,
		Link: a.runner.signInAddress(returnTo), LinkText: "Sign in",
	})
}

// unavailable tells a user that signing in does not work at the moment.
func (a *Routes) unavailable(r *http.Request, returnTo string) *Response {
	answer := a.signInFailed(r, http.StatusServiceUnavailable, "Signing in does not work at the moment. Please try again.", returnTo)
	answer.Header.Set("Retry-After", retryAfter)
	return answer
}

// exchangeFailed answers if the token endpoint has given no tokens.
func (a *Routes) exchangeFailed(x *Exchange, r *http.Request, err error, returnTo string) *Response {
	switch reason := amplify.ReasonOf(err); {
	case errors.Is(err, errNotAccepted):
		return a.notAccepted(x, r, returnTo)
	case errors.Is(err, amplify.ErrUnauthenticated):
		return a.startFailed(r, err, returnTo) // before AfterSignIn was called
	case reason == amplify.ReasonCodeRefused || reason == amplify.ReasonConfiguration:
		code := "invalid_request"
		if e := (*amplify.Error)(nil); errors.As(err, &e) {
			code = e.Name // what RFC 6749 §5.2 lists is safe to show
		}
		hint := "the code has been used or has expired, or the redirect URL is not the one it was issued for"
		if reason == amplify.ReasonConfiguration {
			hint = "check Options.Cognito.ClientSecret: it must be the app client's, or empty if that has none; " +
				"the client must allow the authorization code grant"
		}
		a.runner.log(r.Context(), slog.LevelError, "authorization code refused", "error", err, "hint", hint)
		return a.signInFailed(r, http.StatusInternalServerError, textCognito+" "+code+".", returnTo)
	default:
		a.runner.log(r.Context(), slog.LevelWarn, "authorization code not redeemed", "error", err)
		return a.unavailable(r, returnTo)
	}
}

// startFailed answers if tokens could not become a session.
func (a *Routes) startFailed(r *http.Request, err error, returnTo string) *Response {
	text := ""
	switch reason := amplify.ReasonOf(err); {
	case reason == amplify.ReasonTokenTooLarge:
		text = "Your account has more attributes or groups than a browser can keep."
	case reason == amplify.ReasonConfiguration, reason == amplify.ReasonReadOnly:
		text = "This application is not set up right."
	case errors.Is(err, amplify.ErrUnauthenticated):
		text = "Cognito's answer could not be verified."
	default:
		a.runner.log(r.Context(), slog.LevelWarn, "session not started", "error", err)
		return a.unavailable(r, returnTo)
	}
	a.runner.log(r.Context(), slog.LevelError, "session not started", "error", err)
	return a.signInFailed(r, http.StatusInternalServerError, text, returnTo)
}
