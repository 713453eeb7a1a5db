package amplifyhttp

import (
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf16"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/amplify-go/amplify/cookie"
	"github.com/amplify-go/amplify/internal/conformance"
	"github.com/amplify-go/amplify/internal/sessionkey"
)

// What the rules of auth-routes.json expect, in the form of the recording.

// answers returns c with outcome in place of what is expected, but for warnings, which do not
// depend on it.
func answers(c conformance.Case, outcome map[string]any) conformance.Case {
	if warnings := c.Want("consoleWarnings"); warnings != nil {
		outcome["consoleWarnings"] = warnings
	}
	b, err := json.Marshal(outcome)
	if err != nil {
		panic(err) // made of what was JSON
	}
	c.Expected = b
	return c
}

// fails returns c with an error of ours, which thrownAt returns.
func fails(c conformance.Case, thrownAt string, e errorOutcome) conformance.Case {
	if c = answers(c, map[string]any{"error": e, "thrownAt": thrownAt}); thrownAt == "createServerRunner" {
		c = c.ExpectNo("consoleWarnings") // not even that
	}
	return c
}

// settingsError is an error of the original for settings, and ours.
type settingsError struct {
	name, message            string
	theirs, ours             string // suggestions
	theirsThrown, oursThrown string
}

func (s settingsError) error() errorOutcome { return errorOutcome{s.name, s.message, s.ours} }

var invalidOrigin = settingsError{
	"AmplifyServerContextError", "AMPLIFY_APP_ORIGIN environment variable contains an invalid origin string.",
	"Ensure the AMPLIFY_APP_ORIGIN environment variable is a valid origin string.",
	"Ensure the AMPLIFY_APP_ORIGIN environment variable, or Options.Origin, is a valid origin such as https://myapp.com.",
	"createAuthRouteHandlers", "createServerRunner",
}

// noRedirect is the error for a configuration without a redirect URL of that kind.
func noRedirect(kind string) settingsError {
	return settingsError{
		"AmplifyServerContextError", "No valid " + kind + " url found in the OAuth config.",
		"Check the OAuth config and ensure the " + kind + " url is valid.",
		"Check the OAuth config and ensure the " + kind + " url is valid: one of them must belong to the application's origin.",
		"", "createAuthRouteHandlers",
	}
}

var settingsErrors = []settingsError{
	invalidOrigin,
	{
		"AmplifyServerContextError", "Could not find the AMPLIFY_APP_ORIGIN environment variable.",
		"Add the AMPLIFY_APP_ORIGIN environment variable to the `.env` file of your Next.js project.",
		"Set AMPLIFY_APP_ORIGIN, or Options.Origin, to where browsers reach the application, such as https://myapp.com.",
		"createAuthRouteHandlers", "createAuthRouteHandlers",
	},
	{
		"OAuthNotConfigureException", "oauth param not configured.",
		"Make sure to call Amplify.configure with oauth parameter in your app.",
		"Make sure that the user pool has a domain for managed login, and that the configuration names it.",
		"createAuthRouteHandlers", "createAuthRouteHandlers",
	},
	{
		"AuthUserPoolException", "Auth UserPool not configured.",
		"Make sure to call Amplify.configure in your app with userPoolId and userPoolClientId.",
		"Make sure that the configuration has a user pool id and a user pool client id.",
		"createAuthRouteHandlers", "createAuthRouteHandlers",
	},
	noRedirect("redirectSignIn"),
	noRedirect("redirectSignOut"),
}

// settingsErrorOf returns the entry of settingsErrors that a case was recorded to fail with,
// exactly as recorded.
func settingsErrorOf(c conformance.Case) (settingsError, bool) {
	for _, s := range settingsErrors {
		if c.Want("error", "name") == s.name && c.Want("error", "message") == s.message &&
			c.Want("error", "recoverySuggestion") == s.theirs && text(c.Want("thrownAt")) == s.theirsThrown {
			return s, true
		}
	}
	return settingsError{}, false
}

func oauthOf(c conformance.Case, member string) any {
	return c.In("config", "Auth", "Cognito", "loginWith", "oauth", member)
}

func texts(v any) (all []string) {
	list, _ := v.([]any)
	for _, v := range list {
		all = append(all, text(v))
	}
	return all
}

// redirectOf returns the redirect URL of a kind that ends in route, else the error for the
// settings. theirs is the one that the original chooses.
func redirectOf(c conformance.Case, kind, route string) (theirs, ours string, fault *errorOutcome) {
	for _, s := range texts(oauthOf(c, kind)) {
		if theirs == "" && strings.HasPrefix(s, text(c.In("origin"))) {
			theirs = s
		}
		if u, err := url.Parse(s); err == nil && u.Scheme+"://"+u.Host == c.In("origin") && (ours == "" || strings.HasSuffix(u.Path, "/"+route)) {
			if ours = s; strings.HasSuffix(u.Path, "/"+route) {
				return theirs, ours, nil
			}
		}
	}
	if ours == "" {
		e := noRedirect(kind).error()
		return theirs, "", &e
	}
	list := map[string]string{
		"redirectSignIn": "a callback URL of the app client (callbackUrls in defineAuth)", "redirectSignOut": "a sign-out URL of the app client (logoutUrls in defineAuth)",
	}
	return theirs, "", &errorOutcome{Message: fmt.Sprintf(
		"Config.Auth.OAuth.%s%s %q: leads to none of the auth routes: register %s/api/auth/%s, or where else the auth routes are mounted, as %s",
		strings.ToUpper(kind[:1]), kind[1:], ours, c.In("origin"), route, list[kind])}
}

// attributesOf returns the attributes of a cookie as the original writes them.
func attributesOf(c conformance.Case, sameSite, maxAge string) string {
	all := ";"
	if domain := text(c.In("runtimeOptions", "cookies", "domain")); domain != "" {
		all += "Domain=" + domain + ";"
	}
	all += "HttpOnly;SameSite=" + sameSite + ";"
	if strings.HasPrefix(text(c.In("origin")), "https://") {
		all += "Secure;"
	}
	return all + "Path=/;Max-Age=" + maxAge
}

// sessionCookie returns the line that sets a cookie of a session. Cases in which cookies have other
// options than these are none of ours to make up.
func sessionCookie(c conformance.Case, key, value string) string {
	sameSite, maxAge := "strict", "31536000"
	if s := text(c.In("runtimeOptions", "cookies", "sameSite")); s != "" {
		sameSite = s
	}
	if n, ok := c.In("runtimeOptions", "cookies", "maxAge").(float64); ok {
		maxAge = fmt.Sprint(int(n))
	}
	attributes := attributesOf(c, sameSite, maxAge)
	until, err := time.Parse(time.RFC3339, text(c.In("runtimeOptions", "cookies", "expires", "$date")))
	if err == nil && c.In("runtimeOptions", "cookies", "maxAge") == nil {
		attributes = strings.TrimSuffix(attributes, "Max-Age="+maxAge) + "Expires=" + until.UTC().Format(http.TimeFormat)
	}
	return cookie.EncodeName(sessionPrefix+key) + "=" + cookie.EncodeValue(value) + attributes
}

func flowCookie(c conformance.Case, name, value string) string {
	return name + "=" + value + attributesOf(c, "lax", "300")
}

func deletion(c conformance.Case, key string) string {
	domain := ""
	if d := text(c.In("runtimeOptions", "cookies", "domain")); d != "" {
		domain = "Domain=" + d + ";"
	}
	return cookie.EncodeName(key) + "=;" + domain + "Path=/;Max-Age=-1"
}

const (
	sessionPrefix = "CognitoIdentityServiceProvider.4corpusclientid0000000001."
	flowNames     = "com.amplify.server_auth."
)

// query returns the first value of a query parameter of the request, as we read it or as the
// original does: that takes the query only up to a second question mark, and decodes as much of it
// as it can.
func query(c conformance.Case, name string, theirs bool) string {
	_, raw, _ := strings.Cut(text(c.In("request", "url")), "?")
	if theirs {
		raw, _, _ = strings.Cut(raw, "?")
	}
	for pair := range strings.SplitSeq(raw, "&") {
		key, value, _ := strings.Cut(pair, "=")
		if key != name {
			continue
		}
		decoded, err := url.QueryUnescape(value)
		switch {
		case err == nil:
			return decoded
		case !theirs:
			return ""
		}
		return strings.ToValidUTF8(regexp.MustCompile(`%[0-9A-Fa-f]{2}`).ReplaceAllStringFunc(value, func(s string) string {
			decoded, _ := url.PathUnescape(s)
			return decoded
		}), "\ufffd")
	}
	return ""
}

// signIn is the part of the beginning of a sign-in about which we may differ.
type signIn struct{ provider, lang, hint, responseType, redirect string }

// signInOf returns what we do, and what the original does.
func signInOf(c conformance.Case) (ours, theirs signIn) {
	names := map[string]string{"google": "Google", "facebook": "Facebook", "amazon": "LoginWithAmazon", "apple": "SignInWithApple"}
	named := func(p string) string {
		if known, ok := names[strings.ToLower(p)]; ok {
			return known
		}
		return p
	}
	their, our, _ := redirectOf(c, "redirectSignIn", "sign-in-callback")
	ours = signIn{named(query(c, "provider", false)), query(c, "lang", false), query(c, "login_hint", false), "code", our}
	theirs = signIn{named(query(c, "provider", true)), query(c, "lang", true), "", text(oauthOf(c, "responseType")), their}
	if strings.ToLower(query(c, "provider", true)) == "__proto__" {
		theirs.provider = "[object Object]"
	}
	return ours, theirs
}

// beginsSignIn returns c with an answer that leads to managed login.
func beginsSignIn(c conformance.Case, s signIn) conformance.Case {
	endpoint := "https://" + text(oauthOf(c, "domain")) + "/oauth2/authorize"
	if c.In("request", "slug") == "sign-up" {
		endpoint = "https://" + text(oauthOf(c, "domain")) + "/signup"
	}
	suffix := ""
	if custom := text(c.In("handlerInput", "customState")); custom != "" {
		suffix = "-"
		for _, unit := range utf16.Encode([]rune(custom)) {
			suffix += fmt.Sprintf("%02x", unit)
		}
	}
	var pairs [][2]string
	var raw []string
	for _, p := range [][2]string{
		{"redirect_uri", s.redirect}, {"response_type", s.responseType}, {"client_id", text(c.In("config", "Auth", "Cognito", "userPoolClientId"))},
		{"scope", strings.Join(texts(oauthOf(c, "scopes")), " ")}, {"state", "{{state}}" + suffix}, {"code_challenge", "{{codeChallenge}}"},
		{"code_challenge_method", "S256"}, {"identity_provider", s.provider}, {"lang", s.lang}, {"login_hint", s.hint},
	} {
		if p[1] != "" {
			pairs = append(pairs, p)
			raw = append(raw, p[0]+"="+strings.NewReplacer("%7B%7B", "{{", "%7D%7D", "}}").Replace(url.QueryEscape(p[1])))
		}
	}
	characters := "A-Za-z0-9"
	return answers(c, map[string]any{
		"status": 302, "headers": map[string]any{"location": endpoint + "?" + strings.Join(raw, "&")},
		"locationParts": map[string]any{"endpoint": endpoint, "query": pairs}, "upstreamCalls": []any{},
		"random": map[string]any{
			"state": map[string]any{"length": 32, "alphabet": characters, "suffix": suffix}, "codeVerifier": map[string]any{"length": 128, "alphabet": characters},
			"codeChallengeIsBase64UrlSha256OfVerifier": true, "stateParamEqualsCookie": true,
		},
		"setCookie": []string{flowCookie(c, flowNames+"pkce", "{{codeVerifier}}"), flowCookie(c, flowNames+"state", "{{state}}"+suffix)},
	})
}

// beginsSignOut returns c with an answer that leads to managed login's logout.
func beginsSignOut(c conformance.Case, redirect string) conformance.Case {
	endpoint, client := "https://"+text(oauthOf(c, "domain"))+"/logout", text(c.In("config", "Auth", "Cognito", "userPoolClientId"))
	return answers(c, map[string]any{
		"status": 302, "headers": map[string]any{"location": endpoint + "?client_id=" + client + "&logout_uri=" + url.QueryEscape(redirect)},
		"locationParts": map[string]any{"endpoint": endpoint, "query": [][2]string{{"client_id", client}, {"logout_uri", redirect}}},
		"setCookie":     []string{flowCookie(c, flowNames+"isSigningOut", "true"), flowCookie(c, flowNames+"isSigningOutRedirecting", "true")},
	})
}

// begins reports whether a case asks for the beginning of a sign-in and was recorded to get the one
// that the original makes, which differs from ours.
func begins(c conformance.Case) (ours, theirs signIn, differ bool) {
	if slug := c.In("request", "slug"); slug != "sign-in" && slug != "sign-up" {
		return ours, theirs, false
	}
	ours, theirs = signInOf(c)
	return ours, theirs, ours != theirs && sameAnswer(c, beginsSignIn(c, theirs))
}

// signsIn returns c with the page that ends a sign-in. further are cookies beside those of the
// session.
func signsIn(c conformance.Case, further ...string) conformance.Case {
	user := text(c.In("tokens", "access", "claims", "username"))
	answer := upstreamAnswer(c, "POST /oauth2/token")
	lines := []string{
		sessionCookie(c, user+".accessToken", "{{token:access}}"), sessionCookie(c, user+".idToken", "{{token:id}}"),
		sessionCookie(c, "LastAuthUser", user), deletion(c, flowNames+"pkce"), deletion(c, flowNames+"state"),
	}
	if refresh := text(answer["refresh_token"]); refresh != "" {
		lines = append(lines, sessionCookie(c, user+".refreshToken", refresh))
	} else {
		lines = append(lines, deletion(c, sessionPrefix+user+".refreshToken"))
	}
	to := target(c, "redirectOnSignInComplete")
	return answers(c, map[string]any{
		"status": 200, "headers": map[string]any{"content-type": "text/html"}, "setCookie": append(lines, further...),
		"bodyTargets": map[string]any{"metaRefresh": to, "link": to, "script": to}, "upstreamCalls": exchanges(c),
	})
}

// ourSignIn is signsIn with what we delete beside: the cookies of others, and, if the cookies have
// a Domain, those of the host alone.
func ourSignIn(c conformance.Case) conformance.Case {
	lines := hostDeletions(c, sessionKeys(c))
	for _, key := range othersKeys(c) {
		lines = append(lines, deletion(c, key))
	}
	return signsIn(c, lines...)
}

// othersKeys returns the keys of sessions that the request carries, but for those of the user who
// signs in.
func othersKeys(c conformance.Case) []string {
	own := sessionPrefix + text(c.In("tokens", "access", "claims", "username")) + "."
	return slices.DeleteFunc(sessionKeys(c), func(key string) bool { return strings.HasPrefix(key, own) || key == sessionPrefix+"LastAuthUser" })
}

// exchanges returns the call that exchanges the code of a case for tokens.
func exchanges(c conformance.Case) []any {
	redirect, _, _ := redirectOf(c, "redirectSignIn", "sign-in-callback")
	return []any{post(c, "/oauth2/token", map[string]string{
		"client_id": text(c.In("config", "Auth", "Cognito", "userPoolClientId")), "code": query(c, "code", false), "redirect_uri": redirect,
		"code_verifier": cookieOf(c, flowNames+"pkce"), "grant_type": "authorization_code",
	})}
}

// post returns a call of managed login.
func post(c conformance.Case, path string, form map[string]string) map[string]any {
	values := url.Values{}
	for name, value := range form {
		values.Set(name, value)
	}
	return map[string]any{
		"host": oauthOf(c, "domain"), "method": "POST", "path": path, "contentType": "application/x-www-form-urlencoded",
		"form": form, "rawBody": values.Encode(),
	}
}

// target returns where users go whose flow is complete.
func target(c conformance.Case, setting string) string {
	if to := text(c.In("handlerInput", setting)); to != "" {
		return to
	}
	return "/"
}

// upstreamAnswer returns the JSON that an operation was answered first.
func upstreamAnswer(c conformance.Case, operation string) map[string]any {
	list, _ := c.In("upstream", operation).([]any)
	if len(list) == 0 {
		return nil
	}
	answer, _ := list[0].(map[string]any)
	body, _ := answer["json"].(map[string]any)
	return body
}

// sessionKeys returns the keys of sessions that the request carries, and of what belongs to them:
// not of devices, which are remembered beyond a sign-out.
func sessionKeys(c conformance.Case) (keys []string) {
	for name := range cookie.Parse([]string{text(c.In("request", "cookieHeader"))}) {
		key := cookie.DecodeName(name)
		if strings.HasPrefix(key, sessionPrefix) && !sessionkey.IsDevice(key) && !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	return keys
}

// hostDeletions returns, if the cookies of a case have a Domain, deletions of keys among the
// cookies of the host alone.
func hostDeletions(c conformance.Case, keys []string) (lines []string) {
	if text(c.In("runtimeOptions", "cookies", "domain")) == "" {
		return nil
	}
	for _, key := range keys {
		lines = append(lines, cookie.EncodeName(key)+"=;Path=/;Max-Age=-1")
	}
	return lines
}

// cookieOf returns the value of a cookie of the request.
func cookieOf(c conformance.Case, key string) string {
	for name, value := range cookie.Parse([]string{text(c.In("request", "cookieHeader"))}) {
		if cookie.DecodeName(name) == key {
			return cookie.DecodeValue(value)
		}
	}
	return ""
}

// signsOut returns c with the answer of ours that ends a sign-out: the session is revoked, all its
// cookies are deleted, and the user goes on.
func signsOut(c conformance.Case) conformance.Case {
	lines := append(hostDeletions(c, sessionKeys(c)), deletion(c, flowNames+"isSigningOut"))
	for _, key := range sessionKeys(c) {
		lines = append(lines, deletion(c, key))
	}
	parameters := ""
	if revocationFails(c) && upstreamAnswer(c, "POST /oauth2/revoke")["error"] != "invalid_request" {
		parameters = "error=revocation_failed&error_description=" +
			url.QueryEscape("You are signed out here. Cognito could not be told to end the session everywhere.")
	}
	calls := []any{}
	client := text(c.In("config", "Auth", "Cognito", "userPoolClientId"))
	if token := cookieOf(c, sessionPrefix+cookieOf(c, sessionPrefix+"LastAuthUser")+".refreshToken"); token != "" {
		calls = append(calls, post(c, "/oauth2/revoke", map[string]string{"client_id": client, "token": token}))
	}
	to := target(c, "redirectOnSignOutComplete")
	if parameters != "" && len(calls) > 0 {
		to += map[bool]string{true: "&", false: "?"}[strings.Contains(to, "?")] + parameters
	}
	return answers(c, map[string]any{"status": 302, "headers": map[string]any{"location": to}, "setCookie": lines, "upstreamCalls": calls})
}

// theirSignOut returns c with the answer of the original that ends a sign-out: what is kept beside
// the tokens stays.
func theirSignOut(c conformance.Case) conformance.Case {
	lines := []string{deletion(c, flowNames+"isSigningOut")}
	for _, key := range sessionKeys(c) {
		if sessionkey.IsSession(key) {
			lines = append(lines, deletion(c, key))
		}
	}
	return signsOut(c).Expect(lines, "setCookie").Expect(target(c, "redirectOnSignOutComplete"), "headers", "location")
}

// says returns c with a page that says what has gone wrong in the end of a sign-in.
func says(c conformance.Case, status int, sentence string) conformance.Case {
	return answers(c, map[string]any{
		"status": status, "headers": map[string]any{"content-type": "text/html"}, "body": sentence, "setCookie": []any{}, "upstreamCalls": exchanges(c),
	})
}

// thrown returns c with an error of the original, and cookies that it has set before.
func thrown(c conformance.Case, e errorOutcome, thrownAt string, cookies ...string) conformance.Case {
	return answers(c, map[string]any{"error": e, "thrownAt": thrownAt, "setCookie": cookies, "upstreamCalls": []any{}})
}

// plausible reports whether a case was recorded to get what the original answers where all goes
// well, whichever redirect URL it takes.
func plausible(c conformance.Case) bool {
	_, theirs := signInOf(c)
	to, _, _ := redirectOf(c, "redirectSignOut", "sign-out-callback")
	var all []conformance.Case
	switch c.In("request", "slug") {
	case "sign-in", "sign-up":
		all = []conformance.Case{beginsSignIn(c, theirs)}
	case "sign-in-callback":
		all = []conformance.Case{signsIn(c)}
	case "sign-out":
		all = []conformance.Case{beginsSignOut(c, to)}
	case "sign-out-callback":
		all = []conformance.Case{theirSignOut(c), answers(c, map[string]any{
			"status": 200, "headers": map[string]any{"content-type": "text/html"}, "setCookie": []string{deletion(c, flowNames+"isSigningOutRedirecting")},
			"bodyTargets": map[string]any{"metaRefresh": to, "link": to, "script": to},
		})}
	}
	return slices.ContainsFunc(all, func(a conformance.Case) bool { return sameAnswer(c, a) })
}

// sameAnswer reports whether the answers of two cases mean the same. What the two routers write by
// themselves does not count: that of the App Router throws where that of the Pages Router answers
// 500, and the latter repeats the target of a redirect in its body.
func sameAnswer(a, b conformance.Case) bool { return gocmp.Equal(meaningOf(a), meaningOf(b)) }

func meaningOf(c conformance.Case) any {
	var o routesOutcome
	if err := json.Unmarshal(c.Expected, &o); err != nil {
		return err.Error()
	}
	calls := []conformance.Call{}
	for _, call := range o.UpstreamCalls {
		if err := sameForm(call); err != nil {
			return err.Error()
		}
		call.RawBody = ""
		calls = append(calls, call)
	}
	if o.Error != nil {
		if o.Error.isFailure() {
			o.Error = &errorOutcome{Name: "fails"}
		}
		if o.Status == 500 && o.Body == "Internal Server Error" {
			o.Status, o.Body, o.Headers = 0, "", nil
		}
	}
	contentType, _, _ := mime.ParseMediaType(o.Headers["content-type"])
	switch location := o.Headers["location"]; {
	case o.Status >= 400 && contentType == "text/plain":
		contentType = "" // the Pages Router does not say it
	case o.Status >= 300 && o.Body == location, o.Status == 200 && o.BodyTargets != nil:
		o.Body = ""
	}
	delete(o.Headers, "content-type")
	return map[string]any{
		"status": o.Status, "type": contentType, "headers": fmt.Sprint(o.Headers), "parts": fmt.Sprint(o.LocationParts), "body": o.Body,
		"cookies": byScope(setCookies(o.SetCookie)), "targets": normalTargets(o.BodyTargets), "calls": calls, "random": o.Random,
		"error": o.Error, "thrownAt": o.ThrownAt, "warnings": fmt.Sprint(o.ConsoleWarnings),
	}
}
