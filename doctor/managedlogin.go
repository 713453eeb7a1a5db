package doctor

import (
	"context"
	"fmt"
	"net/url"
	"regexp"
	"strings"
)

// maxRedirectURLs bounds how many redirect URLs managed login is asked about.
const maxRedirectURLs = 5

// managedLogin asks managed login for the page to sign in on, and for the way out. The doctor is
// not signed in, so that neither has an effect. The answers tell apart a wrong address, a wrong app
// client, redirect URLs that are not registered, and scopes.
func (e *examination) managedLogin(ctx context.Context) {
	host := hostOf(e.app.Endpoints().OAuth)
	signIn, signOut := e.managedLoginAddresses(ctx)
	for _, address := range signIn {
		if !e.signsIn(ctx, host, address) {
			return
		}
	}
	for _, address := range signOut {
		if !e.signsOut(ctx, host, address) {
			return
		}
	}
	e.ok("managed-login", "%s knows the app client and its redirect URLs.", host)
}

// managedLoginAddresses returns the addresses of managed login that sign users in and out: where
// the auth routes lead or, without them, those for the first redirect URLs of the configuration, of
// which Amplify JS takes the one that fits the page.
func (e *examination) managedLoginAddresses(ctx context.Context) (signIn, signOut []string) {
	if e.routes != nil {
		return []string{e.route(ctx, "sign-in")}, []string{e.route(ctx, "sign-out")}
	}
	base, id, oauth := e.app.Endpoints().OAuth, e.cfg.Auth.UserPoolClientID, e.cfg.Auth.OAuth
	for _, u := range oauth.RedirectSignIn[:min(len(oauth.RedirectSignIn), maxRedirectURLs)] {
		signIn = append(signIn, base+"/oauth2/authorize?"+url.Values{
			"client_id": {id}, "response_type": {"code"}, "redirect_uri": {u},
			"scope": {strings.Join(oauth.Scopes, " ")}, "state": {"doctor"},
		}.Encode())
	}
	for _, u := range oauth.RedirectSignOut[:min(len(oauth.RedirectSignOut), maxRedirectURLs)] {
		query := url.Values{"client_id": {id}, "logout_uri": {u}}
		signOut = append(signOut, base+"/logout?"+query.Encode())
	}
	return signIn, signOut
}

// signsIn examines whether managed login would let users sign in by an address.
func (e *examination) signsIn(ctx context.Context, host, address string) bool {
	const (
		check  = "managed-login"
		domain = "Check the domain of oauth in the outputs, and that the user pool still has it."
	)
	code, back, err := e.ask(ctx, address)
	foreign, isForeign := err.(notManagedLogin)
	switch {
	case isForeign:
		e.problem(check, domain,
			"%s is not the managed login of a user pool: it answers %s.", host, foreign)
	case err != nil:
		e.problem(check, domain, "%s cannot be reached: %s.", host, e.describe(err))
	case code == "":
		return true
	case back && code == "invalid_scope":
		e.problem(check, "Allow them in the app client (scopes in the backend's definition of auth), "+
			"or remove them from the outputs.",
			"%s refuses scopes that the app client may not have: %s.", host, e.refusedScopes(ctx, address))
	case back && code == "unauthorized_client":
		e.problem(check, "Let the app client use the authorization code grant.",
			"%s does not let the app client sign users in with an authorization code (%s).", host, code)
	case back:
		e.problem(check, "See the settings of the app client for managed login.",
			"%s refuses sign-ins (%s).", host, code)
	case code == "redirect_mismatch":
		e.problem(check, "Add it to the app client's allowed callback URLs "+
			"(callbackUrls in the backend's definition of auth).",
			"%s refuses sign-ins that come back to %s (%s).", host, parameter(address, "redirect_uri"), code)
	case e.clientUnknown:
		e.warn(check, "Correct the app client first.", "%s is managed login, "+
			"but nothing more can be said without an app client that exists (%s).", host, code)
	default:
		e.problem(check, "Use domain, user pool and app client of the same outputs, "+
			"and see that the client has managed login with an identity provider.",
			"%s does not accept the app client %s (%s): the domain belongs to another user pool "+
				"than the client, or the client has no managed login.",
			host, e.cfg.Auth.UserPoolClientID, code)
	}
	return false
}

// signsOut examines whether managed login would let users sign out by an address.
func (e *examination) signsOut(ctx context.Context, host, address string) bool {
	refusal, _, err := e.ask(ctx, address)
	if answer, ok := err.(notManagedLogin); ok { // it has let users sign in
		refusal, err = string(answer), nil
	}
	if err != nil || refusal == "" {
		return true
	}
	e.problem("managed-login", "Add it to the app client's allowed sign-out URLs "+
		"(logoutUrls in the backend's definition of auth).",
		"%s refuses sign-outs that come back to %s (%s).", host, parameter(address, "logout_uri"), refusal)
	return false
}

// refusedScopes returns those of the scopes in an address that managed login refuses, which it does
// not say of itself.
func (e *examination) refusedScopes(ctx context.Context, address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	q := u.Query()
	all := strings.Fields(q.Get("scope"))
	var refused []string
	for _, scope := range all[:min(len(all), 20)] {
		q.Set("scope", scope)
		u.RawQuery = q.Encode()
		if code, _, err := e.ask(ctx, u.String()); err == nil && code == "invalid_scope" {
			refused = append(refused, scope)
		}
	}
	if len(refused) == 0 {
		refused = all
	}
	return strings.Join(refused, ", ")
}

// notManagedLogin is an answer that managed login does not give.
type notManagedLogin string

func (n notManagedLogin) Error() string { return string(n) }

// ask asks managed login for a page. It returns by which code that is refused, or "", and whether
// that is an answer to the application; else it is a page of managed login's own.
//
// Managed login redirects: to its pages or to an identity provider; to its page of errors if client
// or redirect URL are unknown; and with other errors to the application. See
// https://docs.aws.amazon.com/cognito/latest/developerguide/authorization-endpoint.html
func (e *examination) ask(ctx context.Context, address string) (code string, back bool, err error) {
	response, err := e.get(ctx, address, nil)
	if err != nil {
		return "", false, err
	}
	response.Body.Close()
	if response.StatusCode >= 500 {
		return "", false, fmt.Errorf("it answers status %d", response.StatusCode)
	}
	to, err := response.Location()
	if err != nil || response.StatusCode < 300 || response.StatusCode >= 400 {
		return "", false, notManagedLogin(fmt.Sprintf("status %d", response.StatusCode))
	}
	q := to.Query()
	back = originOf(to.String()) != originOf(address)
	if code = q.Get("error"); code != "" {
		if !regexp.MustCompile(`^[A-Za-z_ ]{1,40}$`).MatchString(code) {
			code = "error"
		}
		return code, back, nil
	}
	toProvider := q.Has("client_id") || q.Has("SAMLRequest")
	if back && !toProvider && to.String() != parameter(address, "logout_uri") {
		return "", false, notManagedLogin(
			fmt.Sprintf("status %d with a redirect to %s", response.StatusCode, e.show(to.Host)))
	}
	return "", back, nil
}

// parameter returns a parameter of the query of an address.
func parameter(address, name string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Query().Get(name)
}
