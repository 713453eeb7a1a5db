package auth_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/conformance"
)

func rule(name, reason string, match func(*recordedCase) bool, instead func(*recordedCase) conformance.Case) conformance.Rule {
	return conformance.Rule{
		Name: name, Reason: reason,
		Match:   func(c conformance.Case) bool { return match(recorded(c)) },
		Instead: func(c conformance.Case) conformance.Case { return instead(recorded(c)) },
	}
}

// sessionRules say where the cases of session.json are excepted, why, and what we answer instead.
// The first that matches takes a case.
var sessionRules = []conformance.Rule{
	// Shapes that Go does not have.
	rule("unsupported context", "a context of a wrong type does not compile; the zero value is a guest's",
		func(r *recordedCase) bool { return r.in.Context == "unsupported" },
		func(r *recordedCase) conformance.Case { return r.nobody(amplify.ReasonNoSession) }),
	rule("sign-in details of another kind", "they are typed here; what is no such object tells nothing, and signs nobody out",
		func(r *recordedCase) bool { return r.cookie("signInDetails") != "" && r.details() == nil && r.intact() },
		(*recordedCase).signedIn),

	// What is accepted.
	rule("tokens of two users", "access and ID token must belong to one user",
		func(r *recordedCase) bool {
			access, id := r.presented("accessToken"), r.presented("idToken")
			return fault(access) == "" && fault(id) == "" && access.Claims != nil && id.Claims != nil &&
				access.Claims["sub"] != id.Claims["sub"] && r.recordedSignedIn()
		},
		func(r *recordedCase) conformance.Case { return r.nobody(amplify.ReasonUserMismatch) }),
	rule("adapter-core without a verifier", "signatures are verified everywhere",
		func(r *recordedCase) bool {
			return r.in.Context == "core" && fault(r.presented("accessToken")) != "" && r.recordedSignedIn()
		},
		func(r *recordedCase) conformance.Case { return r.nobody(fault(r.presented("accessToken"))) }),
	rule("keys that cannot be had", "that is an error, and signs nobody out",
		func(r *recordedCase) bool {
			id, _ := r.In("config", "Auth", "Cognito", "userPoolId").(string)
			issuer, _ := r.presented("accessToken").Claims["iss"].(string)
			return id != "eu-west-1_Corpus001" && strings.HasSuffix(issuer, "/"+id) && r.recordedNobody()
		},
		func(r *recordedCase) conformance.Case {
			return r.fails(wording{
				"FetchError", "The keys of the user pool cannot be fetched at the moment.",
				"Check that this server reaches the address of the keys, and that the user pool id is right.",
			}, amplify.ReasonKeysUnavailable, nil)
		}),
	rule("names that look like keys", "a key is what follows the last dot",
		func(r *recordedCase) bool {
			return (strings.Contains(r.user(), "accessToken") || strings.Contains(r.user(), "idToken")) && r.intact() && !r.recordedComplete()
		},
		(*recordedCase).signedIn),
	rule("no ID token, or a bad one", "half a session is none: the user would have no name. An identity pool gives its guests credentials",
		func(r *recordedCase) bool {
			bad := r.cookie("idToken") == "" || fault(r.presented("idToken")) != ""
			return bad && r.presented("accessToken").Claims != nil && fault(r.presented("accessToken")) == "" && !r.expired() &&
				(r.recordedSignedIn() || r.count("GetId") > 0)
		},
		func(r *recordedCase) conformance.Case {
			if r.cookie("idToken") == "" {
				return r.nobody(amplify.ReasonIncompleteSession)
			}
			return r.nobody(fault(r.presented("idToken")))
		}),

	// How cookies are read and written.
	rule("a guest's cookie that says the same", "it is not set again: a page that sets a cookie cannot be cached",
		func(r *recordedCase) bool {
			return r.guest() != "" && r.user() == "" && r.Want("result", "identityId") == r.guest() &&
				len(r.withoutIdentity()) < len(r.recordedCookies())
		},
		func(r *recordedCase) conformance.Case { return r.Expect(r.withoutIdentity(), "setCookie") }),
	rule("names with parentheses", "every spelling of a name is read",
		func(r *recordedCase) bool {
			return strings.ContainsAny(r.user(), "()") && r.intact() && r.recordedNobody()
		},
		(*recordedCase).signedIn),
	rule("LastAuthUser twice", "the candidate whose tokens verify wins",
		func(r *recordedCase) bool {
			return len(r.lastAuthUsers()) > 1 && r.intact() && r.recordedNobody()
		},
		(*recordedCase).signedIn),
	rule("LastAuthUser in quotes", "quotes around a value are not part of it, as for js-cookie",
		func(r *recordedCase) bool {
			last := r.lastAuthUsers()
			return len(last) == 1 && strings.HasPrefix(last[0], `"`) && r.intact() && r.recordedNobody()
		},
		(*recordedCase).signedIn),
	rule("values written raw", "values are encoded",
		func(r *recordedCase) bool {
			raw := r.in.Context == "nextRequest+response" || r.in.Context == "getServerSideProps"
			return raw && r.count("GetTokensFromRefreshToken") == 1 && r.intact() &&
				strings.ContainsFunc(r.user(), func(c rune) bool { return c == ';' || c > 0xff })
		},
		(*recordedCase).refreshed),
	rule("Set-Cookie before ours", "a session is written as a whole, in place of what was set before",
		func(r *recordedCase) bool {
			return slices.ContainsFunc(r.in.PresetSetCookie, func(line string) bool {
				return strings.HasPrefix(line, clientPrefix+r.user()+".accessToken=") && !strings.Contains(line, "{{token:")
			})
		},
		(*recordedCase).refreshed),
	rule("Secure off", "Secure follows from the origin",
		func(r *recordedCase) bool {
			secure := r.in.RuntimeOptions.Cookies.Secure
			return secure != nil && !*secure && r.in.Origin == "" && len(r.recordedCookies()) > 0
		},
		(*recordedCase).refreshed),
	rule("an invalid origin", "it is reported when the runner is made",
		func(r *recordedCase) bool {
			u, err := url.Parse(r.in.Origin)
			return r.in.Origin != "" && (err != nil || u.Host == "")
		},
		func(r *recordedCase) conformance.Case { return r.only().Expect([]string{"Options.Origin"}, "faults") }),
	rule("clearing with HttpOnly cookies", "what a sign-in by script left behind goes, too",
		func(r *recordedCase) bool {
			return r.in.Origin != "" && r.answers(func(a conformance.Answer) bool { return a.Status == http.StatusBadRequest }) &&
				len(r.recordedCookies()) > 0 && (r.cookie("signInDetails") != "" || r.cookie("clockDrift") != "")
		},
		func(r *recordedCase) conformance.Case { return r.Expect(r.deletions(), "setCookie") }),

	// Time.
	rule("clock drift", "it never lengthens a session, and shortens it by a minute at most",
		func(r *recordedCase) bool {
			return r.has("clockDrift") && r.intact() && r.expired() != (r.count("GetTokensFromRefreshToken") > 0)
		},
		(*recordedCase).signedIn),

	// Refresh.
	rule("no refresh token", "an expired session is no session; where a refresh is forced, the message says what is missing",
		func(r *recordedCase) bool { return r.Want("error", "name") == "TokenRefreshException" },
		(*recordedCase).notRefreshed),
	rule("the text undefined", "a refresh token that was never there is not sent",
		func(r *recordedCase) bool { return r.cookie("refreshToken") == "undefined" && r.calls("") },
		(*recordedCase).notRefreshed),
	rule("incomplete answers", "the user pool always answers both tokens; the old ones are kept, and the message says why",
		func(r *recordedCase) bool {
			return r.answers(func(a conformance.Answer) bool {
				answer := r.answer(a)
				return a.Status == http.StatusOK && strings.Contains(string(a.JSON), "AuthenticationResult") &&
					(answer.AccessToken == "" || answer.IDToken == "")
			})
		},
		func(r *recordedCase) conformance.Case {
			return r.fails(wording{"Unknown", "The user pool answered a refresh without an access and an ID token.", ""}, "", r.Want("upstreamCalls"))
		}),
	rule("answers that do not verify", "refreshed tokens are verified; the old ones are kept",
		func(r *recordedCase) bool { return r.answerFault() != "" && r.recordedSignedIn() },
		func(r *recordedCase) conformance.Case {
			return r.fails(wording{
				"TokenRefreshException",
				fmt.Sprintf("The user pool answered a refresh with tokens that do not verify (%s).", r.answerFault()),
				"Check that Endpoints.UserPool and Endpoints.UserPoolKeys belong to the same user pool.",
			}, "", r.Want("upstreamCalls"))
		}),
	rule("answers for another user", "a refresh token that belongs to somebody else ends the session",
		func(r *recordedCase) bool {
			next := r.token(r.lastAnswer().AccessToken)
			return next.Claims != nil && next.Claims["sub"] != r.presented("accessToken").Claims["sub"] && r.recordedSignedIn()
		},
		func(r *recordedCase) conformance.Case {
			return r.nobody(amplify.ReasonUserMismatch).
				Expect(r.deletions(), "setCookie").Expect(r.Want("upstreamCalls"), "upstreamCalls")
		}),
	rule("client metadata", "it is passed on, not dropped",
		func(r *recordedCase) bool {
			return r.in.Options.ClientMetadata != nil && r.count("GetTokensFromRefreshToken") > 0
		},
		func(r *recordedCase) conformance.Case {
			calls, _ := r.Want("upstreamCalls").([]any)
			for _, c := range calls {
				call := c.(map[string]any)
				if target, _ := call["target"].(string); strings.HasSuffix(target, ".GetTokensFromRefreshToken") {
					call["body"].(map[string]any)["ClientMetadata"] = r.in.Options.ClientMetadata
				}
			}
			return r.Expect(calls, "upstreamCalls")
		}),
	rule("5xx without JSON", "it is retried like any other 5xx",
		func(r *recordedCase) bool {
			operation, answers := r.brokenAnswers()
			return len(answers) > 0 && r.count(operation) == 1
		},
		(*recordedCase).retried),
	rule("read-only with rotation", "a rotated refresh token could not be kept: the session would be lost",
		func(r *recordedCase) bool {
			return r.in.Context == "cookies-readonly" && r.in.rotates() && r.count("GetTokensFromRefreshToken") > 0
		},
		func(r *recordedCase) conformance.Case { return r.nobody(amplify.ReasonRefreshNeedsWritableResponse) }),
	rule("two refreshes for one request", "one serves the whole request",
		func(r *recordedCase) bool {
			return r.in.Calls != "" && r.count("GetTokensFromRefreshToken") > 1 || r.secondFails()
		},
		(*recordedCase).refreshed),
	rule("two identities for one request", "one serves the whole request, as the original's credentials do",
		func(r *recordedCase) bool {
			return r.in.Calls != "" && r.count("GetId") > 1 && r.count("GetCredentialsForIdentity") == 1
		},
		func(r *recordedCase) conformance.Case {
			calls, _ := r.Want("upstreamCalls").([]any)
			seen := false
			return r.Expect(slices.DeleteFunc(calls, func(c any) bool {
				target, _ := c.(map[string]any)["target"].(string)
				again := seen && strings.HasSuffix(target, ".GetId")
				seen = seen || strings.HasSuffix(target, ".GetId")
				return again
			}), "upstreamCalls")
		}),
}

// fault tells why a token does not verify, so far as the descriptions of the recorded cases say it,
// or "".
func fault(t conformance.TokenSpec) amplify.Reason {
	switch {
	case t.Key == "" && t.Raw != "":
		return amplify.ReasonMalformedToken
	case t.Key == "rogue":
		return amplify.ReasonUnknownKey
	case t.Tamper != "":
		return amplify.ReasonBadSignature
	}
	return ""
}
