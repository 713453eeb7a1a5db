package flow

import (
	"crypto/subtle"
	"encoding/base64"
	"slices"
	"strings"
)

const (
	// maxAttemptBytes bounds the cookies of our own that attempts take, names included, so that
	// links to sign-in cannot make a browser send more than proxies take.
	maxAttemptBytes = 3 << 10
	// maxAttempts bounds how many such cookies are looked at: the newest ones. Six attempts of the
	// smallest size have maxAttemptBytes.
	maxAttempts = 16
	// maxEndedAttempts bounds how many of them one response deletes.
	maxEndedAttempts = 20
)

// attempt is one attempt to sign in, between the redirect to Cognito and the callback.
//
// The newest attempt is in the two cookies that adapter-nextjs uses. Tabs that sign in at the same
// time would overwrite each other's there. An attempt therefore also gets a cookie of its own if it
// has to return somewhere, or if another one is about to replace it. All of them are HttpOnly: only
// the browser that began an attempt can end it (RFC 9700 §4.7).
type attempt struct {
	state, verifier, returnTo string
}

// marshal returns the value of the attempt's own cookie.
func (a attempt) marshal() string {
	return a.state + "." + a.verifier + "." + base64.RawURLEncoding.EncodeToString([]byte(a.returnTo))
}

// unmarshalAttempt reads what marshal wrote.
func unmarshalAttempt(s string) (attempt, bool) {
	parts := strings.SplitN(s, ".", 4)
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

// attempts are the attempts that a request's cookies tell of, the oldest first: browsers send
// cookies in the order in which they were set.
type attempts struct {
	newest []attempt // in the two cookies of adapter-nextjs: more than one if host and domain have them
	own    []attempt // in cookies of their own
	older  []string  // the names of further cookies of that kind, not looked at
}

// attempts returns the attempts that the flow cookies tell of.
func (f *flowCookies) attempts() (as attempts) {
	for i, state := range f.states {
		// The nth verifier was written with the nth state. Unless there are as many of both, the
		// last ones belong together, and the first verifier to what is left.
		j := max(0, i-len(f.states)+len(f.verifiers))
		if j < len(f.verifiers) && state != "" && f.verifiers[j] != "" {
			as.newest = append(as.newest, attempt{state: state, verifier: f.verifiers[j]})
		}
	}
	for _, c := range f.ownAttempts {
		if a, ok := unmarshalAttempt(c[1]); ok && a.cookie() == c[0] {
			as.own = append(as.own, a)
		}
	}
	as.older = f.olderAttempts
	return as
}

// none reports whether the browser has no attempt under way.
func (as *attempts) none() bool { return len(as.newest)+len(as.own) == 0 }

// find returns the attempt that state belongs to.
func (as *attempts) find(state string) (attempt, bool) {
	return find(slices.Concat(as.own, as.newest), state)
}

func find(list []attempt, state string) (attempt, bool) {
	for _, a := range list {
		if subtle.ConstantTimeCompare([]byte(a.state), []byte(state)) == 1 {
			return a, true
		}
	}
	return attempt{}, false
}

// beginAttempt sets the cookies of a new attempt, and keeps those of others as far as
// they have room.
func (r *Runner) beginAttempt(x *Exchange, pending attempts, next attempt) {
	own := pending.own
	for _, old := range pending.newest { // it is about to be overwritten
		if _, kept := find(own, old.state); !kept && isState(old.state) && isAlphanumeric(old.verifier) {
			own = append(own, old)
			x.cookies.Set(r.flowCookie(old.cookie(), old.marshal()))
		}
	}
	x.cookies.Set(r.flowCookie(pkceCookie, next.verifier))
	x.cookies.Set(r.flowCookie(stateCookie, next.state))
	if next.returnTo != "" {
		own = append(own, next)
		x.cookies.Set(r.flowCookie(next.cookie(), next.marshal()))
	}
	var ended []string
	size := 0
	for _, attempt := range slices.Backward(own) {
		if size += attempt.size(); size > maxAttemptBytes {
			ended = append(ended, attempt.cookie())
		}
	}
	ended = append(ended, pending.older...)
	for _, name := range ended[:min(len(ended), maxEndedAttempts)] {
		x.cookies.Set(r.endFlowCookie(name))
	}
}

// endAttempt deletes the cookies of an attempt, and no other's.
func (r *Runner) endAttempt(x *Exchange, pending attempts, state string) {
	if _, ok := find(pending.newest, state); ok {
		x.cookies.Set(r.endFlowCookie(pkceCookie))
		x.cookies.Set(r.endFlowCookie(stateCookie))
	}
	if own, ok := find(pending.own, state); ok {
		x.cookies.Set(r.endFlowCookie(own.cookie()))
	}
}
