package amplifyhttp

import (
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/amplify-go/amplify/cookie"
	"github.com/amplify-go/amplify/internal/conformance"
)

// routeExceptions are the forms of cases of auth-routes.json in which we differ on purpose.
func routeExceptions(t *testing.T) []conformance.Rule {
	rules := []conformance.Rule{
		{
			Name:   "frameworks",
			Reason: "Route parameters and request types are those of Next.js. Here the path alone says what to do.",
			Match: func(c conformance.Case) bool {
				_, isText := c.In("request", "slug").(string)
				return !isText || c.In("request", "plainRequest") != nil || c.In("request", "noParams") != nil
			},
		},
		{
			Name:   "origin with a path",
			Reason: "The original's expression is half anchored and lets a path follow http://localhost. An origin is matched as a whole.",
			Match: func(c conformance.Case) bool {
				origin, _ := c.In("origin").(string)
				return strings.Count(origin, "/") > 2 && c.Want("error") == nil
			},
		},
		{
			Name:   "SameSite=None without Secure",
			Reason: "Browsers refuse such cookies (RFC 6265bis §5.7), so nobody could sign in. It is reported when the runner is made.",
			Match: func(c conformance.Case) bool {
				origin, _ := c.In("origin").(string)
				return strings.HasPrefix(origin, "http://") && c.In("runtimeOptions", "cookies", "sameSite") == "none"
			},
		},
		{
			Name:   "one redirect URL missing",
			Reason: "A configuration that lacks the redirect URL of one callback is reported when the routes are made, not when that route is used.",
			Match: func(c conformance.Case) bool {
				return c.Want("error") == nil && hasRedirect(c, "redirectSignIn") != hasRedirect(c, "redirectSignOut")
			},
		},
		{
			Name:   "redirect URL of a look-alike",
			Reason: "The original chooses by prefix, and sends codes to https://myapp.com.evil.test. Here the origin must match as a whole.",
			Match: func(c conformance.Case) bool {
				location, _ := c.Want("headers", "location").(string)
				u, _ := url.Parse(location)
				to, _ := url.Parse(u.Query().Get("redirect_uri"))
				return location != "" && to.Host != "" && to.Scheme+"://"+to.Host != c.In("origin")
			},
		},
		{
			Name:   "redirect URL of no route",
			Reason: "The original chooses the first URL of the origin. Here the one that a route answers is chosen; it is reported if there is none.",
			Match: func(c conformance.Case) bool {
				return c.Want("error") == nil && (misses(c, "redirectSignIn", "/sign-in-callback") || misses(c, "redirectSignOut", "/sign-out-callback"))
			},
		},
		{
			Name:   "response type",
			Reason: "Tokens in a fragment never reach a server. Servers ask for a code, whatever the configuration says.",
			Match: func(c conformance.Case) bool {
				return c.In("config", "Auth", "Cognito", "loginWith", "oauth", "responseType") == "token"
			},
		},
		{
			Name:   "second question mark",
			Reason: "A query ends at the fragment, and may hold question marks (RFC 3986 §3.4), for instance in return_to.",
			Match:  func(c conformance.Case) bool { return strings.Count(text(c.In("request", "url")), "?") > 1 },
		},
		{
			Name:   "login_hint",
			Reason: "It is passed on to managed login, which understands it.",
			Match: func(c conformance.Case) bool {
				return strings.Contains(text(c.In("request", "url")), "login_hint=")
			},
		},
		{
			Name:   "provider of Object.prototype",
			Reason: "The original looks names up in a JavaScript object and finds what every object inherits. Here they pass unchanged.",
			Match: func(c conformance.Case) bool {
				return strings.Contains(text(c.Want("headers", "location")), "%5Bobject+Object%5D")
			},
		},
		{
			Name:   "half a session",
			Reason: "A session needs both tokens. With the access token alone nobody is signed in, and so may sign in.",
			Match: func(c conformance.Case) bool {
				cookies := text(c.In("request", "cookieHeader"))
				return strings.HasPrefix(text(c.In("request", "slug")), "sign-in") &&
					strings.Contains(cookies, ".accessToken=") && !strings.Contains(cookies, ".idToken=")
			},
		},
		{
			Name:   "refresh on the way to sign-in",
			Reason: "The App Router refreshes into a response that nobody gets. Here refreshed tokens reach the browser, and a session that has ended is deleted.",
			Match: func(c conformance.Case) bool {
				return c.In("upstream", "GetTokensFromRefreshToken") != nil && text(c.In("request", "slug")) == "sign-in" &&
					!slices.ContainsFunc(recordedCookies(c), func(line string) bool { return strings.Contains(line, "accessToken=") })
			},
		},
		{
			Name:   "deletion without Path",
			Reason: "Browsers keep the cookies where the request's own path is not right below \"/\" (RFC 6265bis §5.7). Deletions have the Path and Domain of the cookies here.",
			Match: func(c conformance.Case) bool {
				return slices.ContainsFunc(recordedCookies(c), func(line string) bool {
					name, rest, _ := strings.Cut(line, "=")
					again := slices.ContainsFunc(recordedCookies(c), func(other string) bool { return other != line && strings.HasPrefix(other, name+"=") })
					return strings.HasPrefix(rest, ";") && !strings.Contains(rest, "Path=/") && !again
				})
			},
		},
		{
			Name:   "redirect that has a query",
			Reason: "The original adds a second question mark. Here parameters are added to those that are there.",
			Match: func(c conformance.Case) bool {
				return strings.Count(text(c.Want("headers", "location")), "?") > 1
			},
		},
		{
			Name:   "names written raw",
			Reason: "The original writes the user name into LastAuthUser as it is: it ends the cookie, is read as something else, or is refused by the HTTP library. Values are encoded here.",
			Match: func(c conformance.Case) bool {
				name := text(c.In("tokens", "access", "claims", "username"))
				return text(c.In("request", "slug")) == "sign-in-callback" &&
					(strings.ContainsAny(name, ";%") || strings.ContainsFunc(name, func(r rune) bool { return r > 0xff }))
			},
		},
		{
			Name:   "another user's cookies",
			Reason: "Cookies of earlier users of this client are removed when a session is written, before they add up to status 431.",
			Match: func(c conformance.Case) bool {
				return text(c.In("request", "slug")) == "sign-in-callback" && c.Want("status") == 200.0 &&
					strings.Contains(text(c.In("request", "cookieHeader")), "LastAuthUser=")
			},
		},
		{
			Name:   "no refresh token",
			Reason: "The original stores the text \"undefined\". Nothing is stored here, and what was stored before is deleted.",
			Match:  func(c conformance.Case) bool { return slices.ContainsFunc(recordedCookies(c), isUndefined) },
		},
		{
			Name:   "tokens that do not verify",
			Reason: "The original stores whatever the token endpoint answers. Tokens of a code exchange are verified here.",
			Match: func(c conformance.Case) bool {
				return text(c.In("request", "slug")) == "sign-in-callback" && c.In("tokens", "access", "key") == "rogue" && c.Want("status") == 200.0
			},
		},
		{
			Name:   "revocation fails",
			Reason: "Revoking is a matter of best effort: the original keeps the session, or takes the failure for success. Here the cookies are deleted, and the page behind is told, unless the pool revokes no tokens.",
			Match:  revocationFails,
		},
		{
			Name:   "sign-out clears everything",
			Reason: "The original leaves behind the session of names that it does not find, the cookies beside the tokens, and its own mark. Here sign-out deletes whatever is kept of this client's sessions.",
			Match:  leavesCookies,
		},
		{
			Name:   "equals sign in a value",
			Reason: "A value goes up to the semicolon (RFC 6265bis §5.6). The original cuts it at the second equals sign and revokes another token.",
			Match: func(c conformance.Case) bool {
				for name, value := range cookie.Parse([]string{text(c.In("request", "cookieHeader"))}) {
					if strings.HasSuffix(name, ".refreshToken") && strings.Contains(value, "=") {
						return !strings.Contains(string(c.Expected), `"token": "`+value) && !strings.Contains(string(c.Expected), `"token":"`+value)
					}
				}
				return false
			},
		},
		{
			Name:   "domain cookies and host cookies",
			Reason: "With a Domain configured, the cookies of the host alone are deleted too: a request does not tell which of them it carries.",
			Match: func(c conformance.Case) bool {
				return text(c.In("request", "slug")) == "sign-out-callback" && c.In("runtimeOptions", "cookies", "domain") != nil
			},
		},
	}
	apps := appCases(t)
	return append(rules, conformance.Rule{
		Name:   "App Router judges",
		Reason: "The Pages Router was recorded to behave differently.",
		Match: func(c conformance.Case) bool {
			app, ok := apps[formOf(c)]
			overruled := slices.ContainsFunc(rules, func(r conformance.Rule) bool { return r.Match(app) })
			return c.In("router") == "pages" && ok && !overruled && differ(app, c)
		},
	})
}

func text(v any) string {
	s, _ := v.(string)
	return s
}

// hasRedirect reports whether the configuration of a case has a redirect URL of that
// kind for its origin.
func hasRedirect(c conformance.Case, kind string) bool {
	urls, ok := c.In("config", "Auth", "Cognito", "loginWith", "oauth", kind).([]any)
	return !ok || slices.ContainsFunc(urls, func(u any) bool { return strings.HasPrefix(text(u), text(c.In("origin"))) })
}

// misses reports whether the origin of a case has redirect URLs of that kind, and none
// ends in route.
func misses(c conformance.Case, kind, route string) bool {
	urls, ok := c.In("config", "Auth", "Cognito", "loginWith", "oauth", kind).([]any)
	return ok && hasRedirect(c, kind) && !slices.ContainsFunc(urls, func(u any) bool {
		return strings.HasPrefix(text(u), text(c.In("origin"))+"/") && strings.HasSuffix(text(u), route)
	})
}

func recordedCookies(c conformance.Case) []string {
	var lines []string
	list, _ := c.Want("setCookie").([]any)
	for _, line := range list {
		lines = append(lines, text(line))
	}
	return lines
}

func isUndefined(line string) bool { return strings.Contains(line, ".refreshToken=undefined;") }

// revocationFails reports whether the token of a case cannot be revoked.
func revocationFails(c conformance.Case) bool {
	answers, _ := c.In("upstream", "POST /oauth2/revoke").([]any)
	if text(c.In("request", "slug")) != "sign-out-callback" || len(answers) == 0 {
		return false
	}
	answer, _ := answers[0].(map[string]any)
	body, _ := answer["json"].(map[string]any)
	if body["error"] == "invalid_request" && c.Want("status") == 302.0 {
		return false // token revocation is off, and that is no failure
	}
	return answer["status"] != 200.0
}

// leavesCookies reports whether the original was recorded to end a sign-out without deleting every
// session cookie that the request carries, and its own mark.
func leavesCookies(c conformance.Case) bool {
	if text(c.In("request", "slug")) != "sign-out-callback" || c.Want("status") != 302.0 {
		return false
	}
	var deleted []string
	for _, line := range recordedCookies(c) {
		name, _, _ := strings.Cut(line, "=")
		deleted = append(deleted, cookie.DecodeName(name))
	}
	for name := range cookie.Parse([]string{text(c.In("request", "cookieHeader"))}) {
		key := cookie.DecodeName(name)
		if (strings.HasPrefix(key, "CognitoIdentityServiceProvider.") || strings.HasPrefix(key, "com.amplify.")) && !slices.Contains(deleted, key) {
			return true
		}
	}
	return false
}

// appCases returns the cases of the App Router by what is asked.
func appCases(t *testing.T) map[string]conformance.Case {
	cases := map[string]conformance.Case{}
	for _, c := range conformance.Load(t, "auth-routes.json") {
		if c.In("router") == "app" {
			cases[formOf(c)] = c
		}
	}
	return cases
}

// formOf returns what a case asks, whichever router it asks.
func formOf(c conformance.Case) string {
	var input map[string]any
	if err := json.Unmarshal(c.Input, &input); err != nil {
		return ""
	}
	delete(input, "router")
	delete(input, "routers")
	b, _ := json.Marshal(input)
	return string(b)
}

// differ reports whether two cases were recorded to differ in what is compared.
func differ(app, pages conformance.Case) bool {
	var a, p routesOutcome
	if err := errors.Join(json.Unmarshal(app.Expected, &a), json.Unmarshal(pages.Expected, &p)); err != nil {
		return true
	}
	if a.Error != nil && p.Error != nil && *a.Error == *p.Error {
		return false // thrown to the framework, which answers 500
	}
	a.Random, a.BodyTargets, p.BodyTargets = nil, nil, nil
	a.Error, p.Error = nil, nil
	return diffRoutes(a, p) != nil
}
