package doctor

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/cognito"
	"github.com/amplify-go/amplify/cookie"
	"github.com/amplify-go/amplify/internal/sessionkey"
)

// bearerToken returns the token of an Authorization: Bearer header, if the application accepts
// those.
func (e *examination) bearerToken(h http.Header) (token string, ok bool) {
	scheme, token, _ := strings.Cut(h.Get("Authorization"), " ")
	return strings.TrimSpace(token), e.in.Options.Bearer && strings.EqualFold(scheme, "Bearer")
}

// session examines the session of the request, as a handler would find it. It reports whether the
// next request would refresh it.
func (e *examination) session(ctx context.Context, c *cognito.Client) (refreshDue bool) {
	if token, ok := e.bearerToken(e.request.Header); ok {
		e.bearer(ctx, c, token)
		return false
	}
	// As in a handler that can set cookies. None is set.
	store := cookie.NewHeaderStore(e.request.Header, http.Header{})
	x := c.Examine(ctx, cookie.NewKeyValueStorage(store, cookie.Options{}))
	e.unselected(x)
	status := Problem
	if !x.Expires.IsZero() {
		status = Warning // there is a pair of tokens to go on with
	}
	verified := false
	for _, u := range x.Users {
		if parts := u.AccessTokens + u.IDTokens + u.RefreshTokens; parts > 0 && len(u.Pairs) == 0 {
			e.add(Finding{Check: "tokens", Status: status, Message: e.missing(u), Reason: amplify.ReasonIncompleteSession,
				Advice: "Sign in again. If it comes back, a cookie is too large for the browser, or a proxy drops some."})
		}
		for _, p := range u.Pairs {
			switch {
			case p.Chosen:
				verified = true
				e.ok("tokens", "Access and ID token are good: signature, issuer, app client, use, and one user.")
			case p.Err != nil:
				e.refused(status, p.Err)
			}
		}
	}
	if verified {
		e.expiry(x)
	}
	e.verdict(x)
	return x.RefreshDue
}

// bearer examines an access token that takes the place of cookies.
func (e *examination) bearer(ctx context.Context, c *cognito.Client, token string) {
	_, err := c.BearerTokenProvider(token).Tokens(ctx, amplify.TokensInput{})
	reason := amplify.ReasonOf(err)
	switch reason {
	case "":
		e.ok("tokens", "The bearer token is good: signature, issuer, app client, use and times.")
	case amplify.ReasonExpiredNoRefreshToken:
		e.add(Finding{Check: "tokens", Status: Problem, Reason: reason, Message: "The bearer token has expired.",
			Advice: "The caller has to renew it: a server cannot."})
	default:
		e.refused(Problem, err)
	}
	e.verdict(&cognito.Examination{Err: err})
}

// unselected says whose tokens there are, if LastAuthUser does not select them.
func (e *examination) unselected(x *cognito.Examination) {
	var whose []string
	for _, u := range x.Unselected {
		if there, _ := parts(u); len(there) > 0 {
			whose = append(whose, e.cookieName(u)+" ("+strings.Join(there, ", ")+")")
		}
	}
	selected := slices.ContainsFunc(x.Users, func(u cognito.ExaminedUser) bool {
		there, _ := parts(u)
		return len(there) > 0
	})
	switch {
	case len(whose) == 0 || selected:
	case x.LastAuthUsers == 0:
		e.warn("tokens", "Sign in again. A program that copies cookies has to copy LastAuthUser as well.",
			`There is no LastAuthUser to say whose session it is. It is looked for under the name "username", as Amplify JS does. There are cookies of %s.`,
			strings.Join(whose, ", "))
	default:
		e.warn("tokens", "Sign in again. If it comes back, see what writes LastAuthUser.",
			"LastAuthUser selects a user of whom there are no tokens. There are cookies of %s.", strings.Join(whose, ", "))
	}
}

// parts returns the last segments of the cookies of a user: those that are there, and those that
// every session needs and that are not.
func parts(u cognito.ExaminedUser) (there, absent []string) {
	for _, part := range []struct {
		key    string
		n      int
		needed bool
	}{
		{sessionkey.AccessToken, u.AccessTokens, true},
		{sessionkey.IDToken, u.IDTokens, true},
		{sessionkey.RefreshToken, u.RefreshTokens, false},
	} {
		switch {
		case part.n > 0:
			there = append(there, part.key)
		case part.needed:
			absent = append(absent, part.key)
		}
	}
	return there, absent
}

// cookieName returns what the names of a user's cookies begin with.
func (e *examination) cookieName(u cognito.ExaminedUser) string {
	return e.sessionPrefix() + e.showName(cookie.EncodeName(u.Name))
}

// missing says which cookies of a session are not there.
func (e *examination) missing(u cognito.ExaminedUser) string {
	there, absent := parts(u)
	for i := range absent {
		absent[i] = e.cookieName(u) + "." + absent[i]
	}
	verb := "is"
	if len(absent) > 1 {
		verb = "are"
	}
	return fmt.Sprintf("The session is incomplete: %s %s missing. Of the same user there is %s.",
		strings.Join(absent, " and "), verb, strings.Join(there, " and "))
}

// refused adds why a pair of tokens does not count.
func (e *examination) refused(status Status, err error) {
	f := Finding{Check: "tokens", Status: status, Reason: amplify.ReasonOf(err)}
	f.Message, f.Advice = explain(f.Reason)
	if f.Reason == amplify.ReasonKeysUnavailable && e.in.Offline {
		f.Status = Warning
		f.Message, f.Advice = "The tokens cannot be verified offline.", "Go online, or give Options.Cognito.Keys."
	}
	e.add(f)
}

// expiry adds how long the session lasts.
func (e *examination) expiry(x *cognito.Examination) {
	left := x.Expires.Sub(e.app.Now())
	shortened := ""
	if x.Drift > 0 {
		shortened = " (" + span(x.Drift) + " early, because of the browser's clock)"
	}
	switch {
	case x.RefreshDue && left <= 0:
		e.warn("expiry", "", "The tokens expired %s ago%s. The next request redeems the refresh token; only then it shows whether that is good. "+
			"It has not been tried, since it may be good for one use only.", span(left), shortened)
	case left <= 0:
		e.add(Finding{Check: "expiry", Status: Problem, Reason: amplify.ReasonOf(x.Err),
			Message: "The tokens expired " + span(left) + " ago" + shortened + ", and there is no refresh token.",
			Advice:  "Sign in again. If there ought to be a refresh token, see that the app client issues one and that no proxy drops its cookie."})
	case !x.Refreshable:
		e.warn("expiry", "", "The tokens are good for another %s%s. The session ends then, since there is no refresh token.", span(left), shortened)
	default:
		e.ok("expiry", "The tokens are good for another %s%s, and there is a refresh token to renew them with.", span(left), shortened)
	}
}

// verdict adds what a handler would be told.
func (e *examination) verdict(x *cognito.Examination) {
	f := Finding{Check: "session", Reason: amplify.ReasonOf(x.Err)}
	switch {
	case x.RefreshDue:
		f.Status, f.Message = Warning, "Signed in, provided that Cognito accepts the refresh token."
	case x.Err == nil:
		f.Status, f.Message = OK, "Signed in."
	case f.Reason == amplify.ReasonKeysUnavailable && e.in.Offline:
		f.Status, f.Message = Warning, "Whether the user is signed in cannot be told offline."
	case f.Reason == amplify.ReasonKeysUnavailable:
		f.Status, f.Message = Problem, "Whether the user is signed in cannot be told. No cookie is deleted for that."
	default:
		f.Status, f.Message = Problem, "Not signed in."
		// What is wrong with tokens has been said with them.
		switch f.Reason {
		case amplify.ReasonNoSession, amplify.ReasonNotYetValid:
			var why string
			why, f.Advice = explain(f.Reason)
			f.Message += " " + why
			if scheme, _, _ := strings.Cut(e.request.Header.Get("Authorization"), " "); strings.EqualFold(scheme, "Bearer") && !e.in.Options.Bearer {
				f.Message += " The request has a bearer token, which the application does not accept."
				f.Advice = "Set Options.Bearer if it should. " + f.Advice
			}
		}
	}
	e.add(f)
}

// explain says what a reason means, and what to do about it.
func explain(reason amplify.Reason) (message, advice string) {
	switch reason {
	case amplify.ReasonNoSession:
		return "There is no session of this app client.",
			"Sign in. If the browser is signed in: configure Amplify JS with { ssr: true } and the same outputs, and see whether the cookies' Domain, Secure " +
				"and SameSite (Strict, where the user comes from another site) let the browser send them here."
	case amplify.ReasonTokenTooLarge:
		return "A token is larger than a cookie can be.", "Give tokens fewer attributes, groups or claims."
	case amplify.ReasonMalformedToken:
		return "A token is not a JSON Web Token.", "Sign in again. If it comes back, see what writes or rewrites the cookies."
	case amplify.ReasonBadAlgorithm:
		return "A token is not signed by RS256, the only algorithm of Cognito: it is a forgery, or from elsewhere.", "Sign in again."
	case amplify.ReasonUnknownKey:
		return "A token is signed by a key that the user pool does not publish.",
			"Sign in again. The token is forged, or from a user pool of the same name that is gone, such as a local sandbox that was started again."
	case amplify.ReasonBadSignature:
		return "The signature of a token is wrong: the token has been changed, or forged.", "Sign in again. If it comes back, see what rewrites the cookies."
	case amplify.ReasonWrongIssuer:
		return "A token comes from another user pool.",
			"Use the same outputs in the front end and on the server. For a replicated user pool list its regions in cognito.Options.ReplicaRegions."
	case amplify.ReasonWrongClient:
		return "A token was issued to another app client.", "Use the same outputs in the front end and on the server."
	case amplify.ReasonWrongTokenUse:
		return "An ID token stands where the access token belongs, or the reverse.", "See what writes the cookies."
	case amplify.ReasonNotYetValid:
		return "The tokens are from the future.", "Set the clock of this machine; cognito.Options.Leeway allows for small differences."
	case amplify.ReasonUserMismatch:
		return "The access token, the ID token and LastAuthUser do not belong to the same user.", "Sign out and in again. If it comes back, see what writes the cookies."
	case amplify.ReasonKeysUnavailable:
		return "The tokens cannot be verified, since the keys of the user pool cannot be fetched.", ""
	}
	return "A token does not count.", "Sign in again."
}
