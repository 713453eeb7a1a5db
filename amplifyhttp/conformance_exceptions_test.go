package amplifyhttp

import (
	"encoding/json"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/amplify-go/amplify/cookie"
	"github.com/amplify-go/amplify/internal/conformance"
)

// routeExceptions are the forms of cases of auth-routes.json in which we differ on purpose.
func routeExceptions(t *testing.T) []conformance.Rule {
	rules := slices.Concat(settingsExceptions, signInExceptions, callbackExceptions, signOutExceptions)
	apps := appCases(t)
	// asApp returns what the App Router was recorded to answer to what a case asks the Pages
	// Router, or what we answer in its place.
	asApp := func(c conformance.Case) (conformance.Case, bool) {
		app, ok := apps[formOf(c)]
		if !ok || c.In("router") != "pages" {
			return c, false
		}
		if i := slices.IndexFunc(rules, func(r conformance.Rule) bool { return r.Match(app) }); i >= 0 {
			return c, false // neither judges
		}
		c.Expected = app.Expected
		return c, true
	}
	return append(rules, conformance.Rule{
		Name:   "App Router judges",
		Reason: "The Pages Router decodes the cookies of a sign-in, and takes the first of several. Nothing encodes them, and all of them are looked at.",
		Match: func(c conformance.Case) bool {
			if !oddProofs(c) {
				return false
			}
			app, ok := asApp(c)
			return ok && !sameAnswer(app, c) && (sameAnswer(c, signsIn(c)) || sameAnswer(c, answers(c, map[string]any{"status": 400})))
		},
		Instead: func(c conformance.Case) conformance.Case {
			app, _ := asApp(c)
			return app
		},
	})
}

// oddProofs reports whether the cookies of a sign-in come encoded or several times.
func oddProofs(c conformance.Case) bool {
	seen := map[string]bool{}
	for name, value := range cookie.Parse([]string{text(c.In("request", "cookieHeader"))}) {
		if strings.HasPrefix(name, flowNames) && (seen[name] || strings.Contains(value, "%")) {
			return true
		}
		seen[name] = true
	}
	return false
}

var settingsExceptions = []conformance.Rule{
	{
		Name:   "origin that no browser has",
		Reason: "The original's expression is half anchored and lets a path follow http://localhost. An origin is matched as a whole.",
		Match: func(c conformance.Case) bool {
			const label = `[a-z0-9]([a-z0-9-]*[a-z0-9])?`
			whole := regexp.MustCompile(`^https?://(` + label + `(\.` + label + `)*)(:\d{1,5})?$`).FindStringSubmatch(text(c.In("origin")))
			numeric := false
			if whole != nil && regexp.MustCompile(`(^|\.)(\d+|0x[0-9a-f]*)$`).MatchString(whole[1]) {
				_, err := netip.ParseAddr(whole[1])
				numeric = err != nil
			}
			_, mistake := settingsErrorOf(c)
			return text(c.In("origin")) != "" && (whole == nil || numeric) && (plausible(c) || mistake && c.Want("error", "message") != invalidOrigin.message)
		},
		Instead: func(c conformance.Case) conformance.Case {
			return fails(c, invalidOrigin.oursThrown, invalidOrigin.error())
		},
	},
	{
		Name: "what to do about the settings",
		Reason: "Suggestions name the options of this library. An invalid origin is an error of the runner, which uses it for more than the routes. " +
			"Of an incomplete oauth it is said what is missing, and a response type is not needed.",
		Match: func(c conformance.Case) bool {
			s, ok := settingsErrorOf(c)
			return ok && s.theirsThrown != "" && sameAnswer(c, thrown(c, errorOutcome{s.name, s.message, s.theirs}, s.theirsThrown))
		},
		Instead: func(c conformance.Case) conformance.Case {
			s, _ := settingsErrorOf(c)
			if s.name == "OAuthNotConfigureException" && text(oauthOf(c, "domain")) != "" {
				for _, kind := range []string{"redirectSignIn", "redirectSignOut"} {
					if oauthOf(c, kind) == nil {
						return fails(c, s.oursThrown, noRedirect(kind).error())
					}
				}
				ours, _ := signInOf(c)
				if to, _, _ := redirectOf(c, "redirectSignOut", "sign-out-callback"); c.In("request", "slug") == "sign-out" {
					return beginsSignOut(c, to)
				}
				return beginsSignIn(c, ours)
			}
			return fails(c, s.oursThrown, s.error())
		},
	},
	{
		Name:   "no redirect URL",
		Reason: "A configuration without a redirect URL of the origin is reported when the routes are made, not when one of them is used.",
		Match: func(c conformance.Case) bool {
			s, ok := settingsErrorOf(c)
			if !ok || s.theirsThrown != "" {
				return false
			}
			theirs := thrown(c, errorOutcome{s.name, s.message, s.theirs}, "")
			first := theirs.Expect([]string{deletion(c, flowNames+"isSigningOutRedirecting")}, "setCookie") // by the Pages Router
			return sameAnswer(c, theirs) || sameAnswer(c, first)
		},
		Instead: func(c conformance.Case) conformance.Case {
			s, _ := settingsErrorOf(c)
			return fails(c, s.oursThrown, s.error())
		},
	},
	{
		Name:   "SameSite=None without Secure",
		Reason: "Browsers refuse such cookies (RFC 6265bis §5.7), so nobody could sign in. It is reported when the runner is made.",
		Match: func(c conformance.Case) bool {
			return strings.HasPrefix(text(c.In("origin")), "http://") && c.In("runtimeOptions", "cookies", "sameSite") == "none" && plausible(c)
		},
		Instead: func(c conformance.Case) conformance.Case {
			return fails(c, "createServerRunner", errorOutcome{Message: `Options.Cookies: cookie: Options.SameSite is "None": ` +
				"browsers refuse SameSite=None cookies without Secure: leave Insecure off, or choose another SameSite"})
		},
	},
	redirectRule("redirect URL of a look-alike",
		"The original chooses by prefix, and sends codes to https://myapp.com.evil.test. Here the origin must match as a whole.",
		func(c conformance.Case, theirs, _ string, _ *errorOutcome) bool {
			u, err := url.Parse(theirs)
			return err == nil && theirs != "" && u.Scheme+"://"+u.Host != c.In("origin")
		}),
	redirectRule("one redirect URL missing",
		"A configuration that lacks the redirect URL of one callback is reported when the routes are made, not when that route is used.",
		func(_ conformance.Case, theirs, _ string, fault *errorOutcome) bool {
			return theirs == "" && fault != nil
		}),
	redirectRule("redirect URL of no route",
		"The original chooses the first URL of the origin. Here the one that a route answers is chosen; it is reported if there is none.",
		func(_ conformance.Case, theirs, ours string, _ *errorOutcome) bool {
			return theirs != "" && theirs != ours
		}),
}

// redirectRule returns a rule for configurations of which the original was recorded to take another
// redirect URL than we do, or one where we take none. form looks at both, for each of the two
// lists.
func redirectRule(name, reason string, form func(c conformance.Case, theirs, ours string, fault *errorOutcome) bool) conformance.Rule {
	each := func(c conformance.Case, use func(theirs, ours string, fault *errorOutcome) bool) bool {
		for kind, route := range map[string]string{"redirectSignIn": "sign-in-callback", "redirectSignOut": "sign-out-callback"} {
			if oauthOf(c, kind) == nil {
				continue
			}
			if theirs, ours, fault := redirectOf(c, kind, route); form(c, theirs, ours, fault) && use(theirs, ours, fault) {
				return true
			}
		}
		return false
	}
	return conformance.Rule{
		Name: name, Reason: reason,
		Match: func(c conformance.Case) bool {
			return plausible(c) && each(c, func(theirs, _ string, fault *errorOutcome) bool {
				return fault != nil || strings.Contains(string(c.Expected), url.QueryEscape(theirs)) || strings.Contains(string(c.Expected), theirs)
			})
		},
		Instead: func(c conformance.Case) conformance.Case {
			out := c
			each(c, func(theirs, ours string, fault *errorOutcome) bool {
				if fault != nil {
					out = fails(c, "createAuthRouteHandlers", *fault)
					return true
				}
				s := strings.ReplaceAll(string(out.Expected), url.QueryEscape(theirs), url.QueryEscape(ours))
				out.Expected = json.RawMessage(strings.ReplaceAll(s, theirs, ours))
				return false
			})
			return out
		},
	}
}

// beginRule returns a rule for beginnings of a sign-in that was recorded to begin as the original
// does it. form tells in what it differs from ours.
func beginRule(name, reason string, form func(c conformance.Case, ours, theirs signIn) bool) conformance.Rule {
	return conformance.Rule{
		Name: name, Reason: reason,
		Match: func(c conformance.Case) bool {
			ours, theirs, differ := begins(c)
			return differ && form(c, ours, theirs)
		},
		Instead: func(c conformance.Case) conformance.Case {
			ours, _, _ := begins(c)
			return beginsSignIn(c, ours)
		},
	}
}

var signInExceptions = []conformance.Rule{
	{
		Name:   "frameworks",
		Reason: "Route parameters and request types are those of Next.js. Here the path alone says what to do.",
		Match: func(c conformance.Case) bool {
			_, isText := c.In("request", "slug").(string)
			odd := !isText || c.In("request", "plainRequest") != nil || c.In("request", "noParams") != nil
			return odd && (sameAnswer(c, answers(c, map[string]any{"status": 400})) || sameAnswer(c, thrown(c, errorOutcome{
				Name: "Error", Message: "Invalid request and context/response combination. The request cannot be handled."}, "")))
		},
		Instead: func(c conformance.Case) conformance.Case {
			if strings.HasSuffix(text(c.In("request", "url")), "/sign-in") {
				ours, _ := signInOf(c)
				return beginsSignIn(c, ours)
			}
			return answers(c, map[string]any{"status": 404, "body": http.StatusText(http.StatusNotFound), "headers": map[string]any{"content-type": "text/plain"}})
		},
	},
	beginRule("response type", "Tokens in a fragment never reach a server. Servers ask for a code, whatever the configuration says.",
		func(_ conformance.Case, ours, theirs signIn) bool { return ours.responseType != theirs.responseType }),
	beginRule("odd queries", "A query ends at the fragment, and may hold question marks (RFC 3986 §3.4), for instance in return_to. "+
		"The original cuts it there. It also decodes as much as it can, where here a parameter that is not well formed is none.",
		func(c conformance.Case, _, _ signIn) bool {
			_, raw, _ := strings.Cut(text(c.In("request", "url")), "?")
			_, err := url.ParseQuery(raw)
			return strings.Contains(raw, "?") || err != nil
		}),
	beginRule("login_hint", "It is passed on to managed login, which understands it.",
		func(_ conformance.Case, ours, theirs signIn) bool { return ours.hint != theirs.hint }),
	beginRule("provider of Object.prototype",
		"The original looks names up in a JavaScript object and finds what every object inherits. Here they pass unchanged.",
		func(_ conformance.Case, ours, theirs signIn) bool { return ours.provider != theirs.provider }),
	{
		Name:   "half a session",
		Reason: "A session needs both tokens. With the access token alone nobody is signed in, and so may sign in.",
		Match: func(c conformance.Case) bool {
			cookies := text(c.In("request", "cookieHeader"))
			return isBegin(c) && strings.Contains(cookies, ".accessToken=") && !strings.Contains(cookies, ".idToken=") &&
				sameAnswer(c, answers(c, map[string]any{"status": 302, "headers": map[string]any{"location": target(c, "redirectOnSignInComplete")}}))
		},
		Instead: func(c conformance.Case) conformance.Case {
			ours, _ := signInOf(c)
			return beginsSignIn(c, ours)
		},
	},
	{
		Name:   "refresh on the way to sign-in",
		Reason: "The App Router refreshes into a response that nobody gets. Here refreshed tokens reach the browser.",
		Match: func(c conformance.Case) bool {
			return isBegin(c) && upstreamAnswer(c, "GetTokensFromRefreshToken")["AuthenticationResult"] != nil && len(recordedCookies(c)) == 0
		},
		Instead: func(c conformance.Case) conformance.Case {
			tokens, _ := upstreamAnswer(c, "GetTokensFromRefreshToken")["AuthenticationResult"].(map[string]any)
			user := text(c.In("tokens", "access", "claims", "username"))
			lines := []string{
				sessionCookie(c, "LastAuthUser", user), sessionCookie(c, user+".accessToken", text(tokens["AccessToken"])),
				sessionCookie(c, user+".idToken", text(tokens["IdToken"])),
			}
			refresh := text(tokens["RefreshToken"])
			if refresh == "" {
				refresh = cookieOf(c, sessionPrefix+user+".refreshToken")
			}
			return c.Expect(append(lines, sessionCookie(c, user+".refreshToken", refresh)), "setCookie")
		},
	},
	{
		Name: "session that has ended on the way to sign-in",
		Reason: "The App Router deletes it in a response that nobody gets, the Pages Router without the Path of the cookies, so that browsers keep those " +
			"(RFC 6265bis §5.7), and neither what is kept beside the tokens. Here all of it is deleted.",
		Match: func(c conformance.Case) bool {
			return isBegin(c) && upstreamAnswer(c, "GetTokensFromRefreshToken")["__type"] == "NotAuthorizedException" &&
				!slices.ContainsFunc(recordedCookies(c), func(line string) bool {
					return strings.HasPrefix(line, sessionPrefix) && (!strings.Contains(line, "=;") || strings.Contains(line, "Path="))
				})
		},
		Instead: func(c conformance.Case) conformance.Case {
			lines := slices.DeleteFunc(recordedCookies(c), func(line string) bool { return strings.HasPrefix(line, sessionPrefix) })
			user := cookieOf(c, sessionPrefix+"LastAuthUser")
			for _, key := range []string{"accessToken", "idToken", "refreshToken", "clockDrift", "signInDetails", "oauthMetadata"} {
				lines = append(lines, deletion(c, sessionPrefix+user+"."+key))
			}
			return c.Expect(append(lines, deletion(c, sessionPrefix+"LastAuthUser")), "setCookie")
		},
	},
}

// isBegin reports whether a case asks for sign-in or sign-up.
func isBegin(c conformance.Case) bool {
	return c.In("request", "slug") == "sign-in" || c.In("request", "slug") == "sign-up"
}

var callbackExceptions = []conformance.Rule{
	{
		Name:   "redirect that has a query",
		Reason: "The original adds a second question mark. Here parameters are added to those that are there.",
		Match: func(c conformance.Case) bool {
			to := target(c, "redirectOnSignOutComplete")
			return strings.Contains(to, "?") && strings.HasPrefix(text(c.Want("headers", "location")), to+"?")
		},
		Instead: func(c conformance.Case) conformance.Case {
			to := target(c, "redirectOnSignOutComplete")
			location := strings.Replace(text(c.Want("headers", "location")), to+"?", to+"&", 1)
			if c = c.Expect(location, "headers", "location"); c.In("router") == "pages" {
				c = c.Expect(location, "body")
			}
			return c
		},
	},
	{
		Name: "names written raw",
		Reason: "The original writes the user name into LastAuthUser as it is: it ends the cookie, is read as something else, " +
			"or is refused by the HTTP library. Values are encoded here.",
		Match: func(c conformance.Case) bool {
			name := text(c.In("tokens", "access", "claims", "username"))
			wide := strings.ContainsFunc(name, func(r rune) bool { return r > 0xff })
			if c.In("request", "slug") != "sign-in-callback" || !wide && !strings.Contains(name, ";") && cookie.DecodeValue(name) == name {
				return false
			}
			ours := signsIn(c)
			lines := recordedCookies(ours)
			last := slices.IndexFunc(lines, func(line string) bool { return strings.HasPrefix(line, sessionPrefix+"LastAuthUser=") })
			if !wide {
				lines[last] = strings.Replace(sessionCookie(c, "LastAuthUser", "x"), "=x;", "="+name+";", 1)
				return sameAnswer(c, ours.Expect(lines, "setCookie"))
			}
			failed := thrown(c, errorOutcome{Name: "TypeError"}, "").Expect(exchanges(c), "upstreamCalls")
			lines = slices.DeleteFunc(lines, func(line string) bool {
				return strings.HasPrefix(line, flowNames) || strings.HasPrefix(line, sessionPrefix+"LastAuthUser=")
			})
			return sameAnswer(c, failed) || sameAnswer(c, failed.Expect(lines, "setCookie")) // the Pages Router has set the others
		},
		Instead: ourSignIn,
	},
	{
		Name: "another user's cookies",
		Reason: "Cookies of earlier users of this client are removed when a session is written, before they add up to status 431, " +
			"and those of the host alone if the cookies have a Domain.",
		Match: func(c conformance.Case) bool {
			return c.In("request", "slug") == "sign-in-callback" && len(othersKeys(c))+len(hostDeletions(c, sessionKeys(c))) > 0 && sameAnswer(c, signsIn(c))
		},
		Instead: ourSignIn,
	},
	{
		Name:   "no refresh token",
		Reason: "The original stores the text \"undefined\". Nothing is stored here, and what was stored before is deleted.",
		Match: func(c conformance.Case) bool {
			user := text(c.In("tokens", "access", "claims", "username"))
			return c.In("request", "slug") == "sign-in-callback" && upstreamAnswer(c, "POST /oauth2/token")["refresh_token"] == nil &&
				sameAnswer(c, signsIn(c, sessionCookie(c, user+".refreshToken", "undefined")))
		},
		Instead: ourSignIn,
	},
	{
		Name:   "tokens that do not verify",
		Reason: "The original stores whatever the token endpoint answers. Tokens of a code exchange are verified here.",
		Match: func(c conformance.Case) bool {
			return c.In("request", "slug") == "sign-in-callback" && c.In("tokens", "access", "key") == "rogue" && sameAnswer(c, signsIn(c))
		},
		Instead: func(c conformance.Case) conformance.Case {
			return says(c, 500, "Cognito's answer could not be verified.")
		},
	},
	{
		Name:   "refused code",
		Reason: "The original answers with the bare error code. Here a page says whose it is, and lets the user begin again.",
		Match: func(c conformance.Case) bool {
			code := text(upstreamAnswer(c, "POST /oauth2/token")["error"])
			return c.In("request", "slug") == "sign-in-callback" && code != "" &&
				sameAnswer(c, answers(c, map[string]any{"status": 500, "body": code, "upstreamCalls": exchanges(c)}))
		},
		Instead: func(c conformance.Case) conformance.Case {
			return says(c, 500, "Cognito says: "+text(c.Want("body"))+".")
		},
	},
}

var signOutExceptions = []conformance.Rule{
	{
		Name: "revocation fails",
		Reason: "Revoking is a matter of best effort: the original keeps the session, or takes the failure for success. " +
			"Here the cookies are deleted, and the page behind is told, unless the pool revokes no tokens.",
		Match: func(c conformance.Case) bool {
			calls, code := signsOut(c).Want("upstreamCalls"), upstreamAnswer(c, "POST /oauth2/revoke")["error"]
			return revocationFails(c) && (sameAnswer(c, theirSignOut(c)) ||
				sameAnswer(c, answers(c, map[string]any{"status": 500, "body": code, "upstreamCalls": calls})) ||
				sameAnswer(c, thrown(c, errorOutcome{Name: "TypeError"}, "").Expect(calls, "upstreamCalls")))
		},
		Instead: signsOut,
	},
	{
		Name:   "equals sign in a value",
		Reason: "A value goes up to the semicolon (RFC 6265bis §5.6). The original cuts it at the second equals sign and revokes another token.",
		Match: func(c conformance.Case) bool {
			token := cookieOf(c, sessionPrefix+cookieOf(c, sessionPrefix+"LastAuthUser")+".refreshToken")
			cut, _, ok := strings.Cut(token, "=")
			client := text(c.In("config", "Auth", "Cognito", "userPoolClientId"))
			call := post(c, "/oauth2/revoke", map[string]string{"client_id": client, "token": cut})
			return ok && c.In("request", "slug") == "sign-out-callback" && sameAnswer(c, theirSignOut(c).Expect([]any{call}, "upstreamCalls"))
		},
		Instead: signsOut,
	},
	{
		Name:   "domain cookies and host cookies",
		Reason: "With a Domain configured, the cookies of the host alone are deleted too: a request does not tell which of them it carries.",
		Match: func(c conformance.Case) bool {
			return c.In("request", "slug") == "sign-out-callback" && len(hostDeletions(c, sessionKeys(c))) > 0 && sameAnswer(c, theirSignOut(c))
		},
		Instead: signsOut,
	},
	{
		Name: "sign-out clears everything",
		Reason: "The original leaves behind the session of names that it does not find, the cookies beside the tokens, and its own mark. " +
			"Here sign-out deletes whatever is kept of this client's sessions, and revokes it.",
		Match: func(c conformance.Case) bool {
			theirs := theirSignOut(c)
			nothing := theirs.Expect([]string{}, "setCookie").Expect([]any{}, "upstreamCalls")
			return c.In("request", "slug") == "sign-out-callback" && !sameAnswer(c, signsOut(c)) && (sameAnswer(c, nothing) || sameAnswer(c, theirs))
		},
		Instead: signsOut,
	},
}

func text(v any) string {
	s, _ := v.(string)
	return s
}

func recordedCookies(c conformance.Case) []string { return texts(c.Want("setCookie")) }

// revocationFails reports whether the token of a case cannot be revoked.
func revocationFails(c conformance.Case) bool {
	list, _ := c.In("upstream", "POST /oauth2/revoke").([]any)
	if c.In("request", "slug") != "sign-out-callback" || len(list) == 0 {
		return false
	}
	answer, _ := list[0].(map[string]any)
	if upstreamAnswer(c, "POST /oauth2/revoke")["error"] == "invalid_request" && c.Want("status") == 302.0 {
		return false // token revocation is off, and that is no failure
	}
	return answer["status"] != 200.0
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
