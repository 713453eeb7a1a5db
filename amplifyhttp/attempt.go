package amplifyhttp

import (
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/amplify-go/amplify/cookie"
)

// The flow cookies, named as in adapter-nextjs.
const (
	flowCookie               = "com.amplify.server_auth."
	pkceCookie               = flowCookie + "pkce"
	stateCookie              = flowCookie + "state"
	signingOutCookie         = flowCookie + "isSigningOut"
	signOutRedirectingCookie = flowCookie + "isSigningOutRedirecting"

	// attemptCookie begins the name of a cookie of our own for one attempt to sign in; its state follows.
	attemptCookie = flowCookie + "attempt."
)

// flowLifetime is how long a user has for a flow.
const flowLifetime = 5 * time.Minute

// maxAttemptBytes bounds the cookies of our own that attempts take, names included, so that links to sign-in
// cannot make a browser send more than proxies take.
const maxAttemptBytes = 3 << 10

// attempt is one attempt to sign in, between the redirect to Cognito and the callback.
//
// The newest attempt is in the two cookies that adapter-nextjs uses. Tabs that sign in at the same time
// would overwrite each other's there, and so an attempt also gets a cookie of its own where it has to return
// somewhere, or where another one is about to replace it. All of them are HttpOnly: nobody but
// the browser that began an attempt can end it (RFC 9700 §4.7).
type attempt struct {
	state, verifier, returnTo string
}

// marshal returns the value of the attempt's own cookie.
func (a attempt) marshal() string {
	return a.state + "." + a.verifier + "." + base64.RawURLEncoding.EncodeToString([]byte(a.returnTo))
}

// unmarshalAttempt reads what marshal wrote. What is not of that form is no attempt.
func unmarshalAttempt(s string) (attempt, bool) {
	parts := strings.Split(s, ".")
	if len(parts) != 3 || !isState(parts[0]) || !isAlphanumeric(parts[1]) || parts[1] == "" {
		return attempt{}, false
	}
	returnTo, err := base64.RawURLEncoding.Strict().DecodeString(parts[2])
	if err != nil {
		return attempt{}, false
	}
	return attempt{parts[0], parts[1], string(returnTo)}, true
}

// cookie returns the name of the attempt's own cookie.
func (a attempt) cookie() string { return attemptCookie + a.state[:stateLength] }

// size returns how many bytes the attempt's own cookie takes.
func (a attempt) size() int { return len(a.cookie()) + len(a.marshal()) }

// attempts are the attempts that a request's cookies tell of, the oldest first, since so do browsers send them.
type attempts struct {
	newest []attempt // in the two cookies of adapter-nextjs: one, or more where both the host and a domain have them
	own    []attempt // in cookies of their own
}

// readAttempts reads the flow cookies of a request. Their values are taken as they are: no decoding is due.
func readAttempts(r *http.Request) (as attempts) {
	var states, verifiers []string
	for name, value := range cookie.Parse(r.Header["Cookie"]) {
		switch {
		case value == "":
		case name == stateCookie:
			states = append(states, value)
		case name == pkceCookie:
			verifiers = append(verifiers, value)
		case strings.HasPrefix(name, attemptCookie):
			if a, ok := unmarshalAttempt(value); ok && a.cookie() == name {
				as.own = append(as.own, a)
			}
		}
	}
	for i, state := range states {
		if n := len(verifiers); n > 0 {
			as.newest = append(as.newest, attempt{state: state, verifier: verifiers[max(0, n-len(states)+i)]})
		}
	}
	return as
}

// find returns the attempt of list that state belongs to.
func find(list []attempt, state string) (attempt, bool) {
	for _, a := range list {
		if subtle.ConstantTimeCompare([]byte(a.state), []byte(state)) == 1 {
			return a, true
		}
	}
	return attempt{}, false
}

// beginAttempt sets the cookies of a new attempt, and keeps those of others.
func (a *authRoutes) beginAttempt(x *exchange, r *http.Request, next attempt) {
	pending := readAttempts(r)
	own := pending.own
	for _, old := range pending.newest { // it is about to be overwritten
		if _, kept := find(own, old.state); !kept && isState(old.state) && isAlphanumeric(old.verifier) {
			own = append(own, old)
			x.Set(a.flow(old.cookie(), old.marshal()))
		}
	}
	x.Set(a.flow(pkceCookie, next.verifier))
	x.Set(a.flow(stateCookie, next.state))
	if next.returnTo != "" {
		own = append(own, next)
		x.Set(a.flow(next.cookie(), next.marshal()))
	}
	size := 0
	for _, attempt := range slices.Backward(own) {
		if size += attempt.size(); size > maxAttemptBytes {
			x.Set(a.endFlow(attempt.cookie()))
		}
	}
}

// endAttempt deletes the cookies of an attempt, and no other's.
func (a *authRoutes) endAttempt(x *exchange, r *http.Request, state string) {
	pending := readAttempts(r)
	if _, ok := find(pending.newest, state); ok {
		x.Set(a.endFlow(pkceCookie))
		x.Set(a.endFlow(stateCookie))
	}
	if own, ok := find(pending.own, state); ok {
		x.Set(a.endFlow(own.cookie()))
	}
}

// flow returns a flow cookie. It is SameSite=Lax whatever the session's cookies are: it has to come along when
// Cognito sends the browser back.
func (a *authRoutes) flow(name, value string) *http.Cookie {
	return &http.Cookie{
		Name: name, Value: value,
		Domain: a.runner.cookies.Domain, Path: "/", MaxAge: int(flowLifetime.Seconds()),
		HttpOnly: true, Secure: a.runner.origin.secure(), SameSite: http.SameSiteLaxMode,
	}
}

// endFlow returns the deletion of a flow cookie.
func (a *authRoutes) endFlow(name string) *http.Cookie {
	c := a.flow(name, "")
	c.MaxAge = -1
	return c
}
