package auth_test

import (
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/amplify-go/amplify/cookie"
	"github.com/amplify-go/amplify/internal/conformance"
)

// recordedCase is a case of session.json as the rules look at it.
type recordedCase struct {
	conformance.Case
	in struct {
		sessionInput
		CookieHeader string                           `json:"cookieHeader"`
		Tokens       map[string]conformance.TokenSpec `json:"tokens"`
	}
}

func recorded(c conformance.Case) *recordedCase {
	r := &recordedCase{Case: c}
	if err := json.Unmarshal(c.Input, &r.in); err != nil {
		panic(err)
	}
	return r
}

// cookies returns the values under a key of the app client, with placeholders for tokens.
func (r *recordedCase) cookies(key string) (values []string) {
	for name, value := range cookie.Parse([]string{r.in.CookieHeader}) {
		if cookie.DecodeName(name) == clientPrefix+key {
			values = append(values, value)
		}
	}
	return values
}

func (r *recordedCase) cookie(key string) string {
	if values := r.cookies(key); len(values) > 0 {
		return cookie.DecodeValue(values[0])
	}
	return ""
}

func (r *recordedCase) lastAuthUser() string { return r.cookie("LastAuthUser") }

// presented returns the description of the token that LastAuthUser selects.
func (r *recordedCase) presented(key string) conformance.TokenSpec {
	name := strings.TrimSuffix(strings.TrimPrefix(r.cookie(r.lastAuthUser()+"."+key), "{{token:"), "}}")
	return r.in.Tokens[name]
}

// calls reports whether the recorded calls name the target.
func (r *recordedCase) calls(target string) bool {
	calls, _ := r.Want("upstreamCalls").([]any)
	return slices.ContainsFunc(calls, func(c any) bool {
		m, _ := c.(map[string]any)
		s, _ := m["target"].(string)
		return strings.HasPrefix(s, target)
	})
}

// count tells how many of the recorded calls are of the operation.
func (r *recordedCase) count(operation string) (n int) {
	calls, _ := r.Want("upstreamCalls").([]any)
	for _, c := range calls {
		m, _ := c.(map[string]any)
		if s, _ := m["target"].(string); strings.HasSuffix(s, "."+operation) {
			n++
		}
	}
	return n
}

// guest returns the guest's identity that the request carries.
func (r *recordedCase) guest() string {
	for name, value := range cookie.Parse([]string{r.in.CookieHeader}) {
		if name := cookie.DecodeName(name); strings.HasPrefix(name, "com.amplify.Cognito.") && strings.HasSuffix(name, ".identityId") {
			return cookie.DecodeValue(value)
		}
	}
	return ""
}

// answers reports whether f holds for an answer to a refresh.
func (r *recordedCase) answers(f func(conformance.Answer) bool) bool {
	return slices.ContainsFunc(r.in.Upstream["GetTokensFromRefreshToken"], f)
}

func rule(name, reason string, match func(*recordedCase) bool) conformance.Rule {
	return conformance.Rule{Name: name, Reason: reason, Match: func(c conformance.Case) bool { return match(recorded(c)) }}
}

// sessionRules say where the cases of session.json are excepted, and why. The first that matches takes a case.
var sessionRules = []conformance.Rule{
	// Shapes that Go does not have.
	rule("unsupported context", "a context of a wrong type does not compile",
		func(r *recordedCase) bool { return r.in.Context == "unsupported" }),
	rule("sign-in details of another kind", "they are typed here; what is no such object tells nothing, and signs nobody out",
		func(r *recordedCase) bool {
			details := r.cookie(r.lastAuthUser() + ".signInDetails")
			return details != "" && json.Unmarshal([]byte(details), &struct{}{}) != nil
		}),

	// What is accepted.
	rule("tokens of two users", "access and ID token must belong to one user",
		func(r *recordedCase) bool {
			access, id := r.presented("accessToken"), r.presented("idToken")
			return access.Claims != nil && id.Claims != nil && access.Claims["sub"] != id.Claims["sub"]
		}),
	rule("adapter-core without a verifier", "signatures are verified everywhere",
		func(r *recordedCase) bool { return r.in.Context == "core" && r.in.Tokens["access"].Key == "rogue" }),
	rule("keys that cannot be had", "that is an error, and signs nobody out",
		func(r *recordedCase) bool {
			return r.In("config", "Auth", "Cognito", "userPoolId") == "eu-west-1_NoJwks"
		}),
	rule("names that look like keys", "a key is what follows the last dot",
		func(r *recordedCase) bool { return strings.HasSuffix(r.lastAuthUser(), ".accessToken") }),
	rule("no ID token, or a bad one", "half a session is none: the user would have no name",
		func(r *recordedCase) bool {
			result, ok := r.Want("result").(map[string]any)
			tokens, _ := result["tokens"].(map[string]any)
			_, id := tokens["idToken"]
			return ok && !id && r.presented("accessToken").Claims != nil && !r.calls("") &&
				(tokens != nil || r.in.API == "getCurrentUser" && len(result) == 0)
		}),

	rule("no ID token where guests are allowed", "half a session is none, and an identity pool gives its guests credentials",
		func(r *recordedCase) bool {
			return r.count("GetId") > 0 && r.presented("accessToken").Claims != nil && r.presented("idToken").Claims == nil
		}),

	// How cookies are read and written.
	rule("a guest's cookie that says the same", "it is not set again: a page that sets a cookie cannot be cached",
		func(r *recordedCase) bool {
			return r.guest() != "" && r.lastAuthUser() == "" && r.in.Origin == "" && r.Want("result", "identityId") == r.guest()
		}),
	rule("names with parentheses", "every spelling of a name is read",
		func(r *recordedCase) bool { return strings.Contains(r.in.CookieHeader, "%28") }),
	rule("LastAuthUser twice or in quotes", "the candidate whose tokens verify wins; quotes are not part of a value",
		func(r *recordedCase) bool {
			last := r.cookies("LastAuthUser")
			return r.Want("error") != nil && (len(last) > 1 || len(last) == 1 && strings.HasPrefix(last[0], `"`))
		}),
	rule("values written raw", "values are encoded",
		func(r *recordedCase) bool {
			return (r.in.Context == "nextRequest+response" || r.in.Context == "getServerSideProps") && r.calls("") &&
				strings.ContainsFunc(r.lastAuthUser(), func(c rune) bool { return c == ';' || c > 0xff })
		}),
	rule("Set-Cookie before ours", "a session is written as a whole, whatever was set before",
		func(r *recordedCase) bool { return len(r.in.PresetSetCookie) > 0 }),
	rule("Secure off", "Secure follows from the origin",
		func(r *recordedCase) bool {
			return r.In("runtimeOptions", "cookies", "secure") == false && r.in.Origin == ""
		}),
	rule("an invalid origin", "it is reported when the runner is made",
		func(r *recordedCase) bool {
			u, err := url.Parse(r.in.Origin)
			return r.in.Origin != "" && (err != nil || u.Host == "")
		}),
	rule("clearing with HttpOnly cookies", "what a sign-in by script left behind goes, too",
		func(r *recordedCase) bool {
			return strings.HasPrefix(r.in.Origin, "https:") && r.answers(func(a conformance.Answer) bool { return a.Status == 400 }) &&
				r.cookie(r.lastAuthUser()+".signInDetails") != "" && r.in.Context != "cookies-readonly"
		}),

	// Time.
	rule("clock drift", "it never lengthens a session, and shortens it by a minute at most",
		func(r *recordedCase) bool {
			values := r.cookies(r.lastAuthUser() + ".clockDrift")
			if len(values) == 0 {
				return false
			}
			drift, err := strconv.Atoi(values[0])
			return err != nil || drift < -60_000 || drift > 60_000
		}),

	// Refresh.
	rule("no refresh token", "an expired session is no session; the message says what is missing",
		func(r *recordedCase) bool { return r.Want("error", "name") == "TokenRefreshException" }),
	rule("the text undefined", "a refresh token that was never there is not sent",
		func(r *recordedCase) bool { return r.cookie(r.lastAuthUser()+".refreshToken") == "undefined" }),
	rule("incomplete answers", "the user pool always answers both tokens; the old ones are kept, and the message says why",
		func(r *recordedCase) bool {
			return r.answers(func(a conformance.Answer) bool {
				text := string(a.JSON)
				return strings.Contains(text, "AuthenticationResult") &&
					!(strings.Contains(text, `"AccessToken"`) && strings.Contains(text, `"IdToken"`))
			})
		}),
	rule("answers that do not verify", "refreshed tokens are verified, and must belong to the same user",
		func(r *recordedCase) bool {
			next := r.in.Tokens["access2"]
			return next.Key == "rogue" || next.Claims != nil && next.Claims["sub"] != r.in.Tokens["access"].Claims["sub"]
		}),
	rule("client metadata", "it is passed on, not dropped",
		func(r *recordedCase) bool { return r.in.Options.ClientMetadata != nil }),
	rule("5xx without JSON", "it is retried like any other 5xx",
		func(r *recordedCase) bool {
			broken := func(a conformance.Answer) bool { return a.Status >= 500 && a.JSON == nil }
			return r.answers(broken) || slices.ContainsFunc(r.in.Upstream["GetId"], broken)
		}),
	rule("read-only with rotation", "a rotated refresh token could not be kept: the session would be lost",
		func(r *recordedCase) bool { return r.in.Context == "cookies-readonly" && r.in.rotates() && r.calls("") }),
	rule("two calls", "one refresh, and one identity, serves the whole request",
		func(r *recordedCase) bool {
			if r.count("GetId") > 1 && r.in.Calls != "" {
				return true
			}
			results, _ := r.Want("results").([]any)
			return slices.ContainsFunc(results, func(v any) bool { m, _ := v.(map[string]any); return m["error"] != nil })
		}),
}
