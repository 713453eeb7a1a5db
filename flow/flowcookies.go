package flow

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/amplify-go/amplify/cookie"
)

// The flow cookies, named as in adapter-nextjs.
const (
	flowPrefix               = "com.amplify.server_auth."
	pkceCookie               = flowPrefix + "pkce"
	stateCookie              = flowPrefix + "state"
	signingOutCookie         = flowPrefix + "isSigningOut"
	signOutRedirectingCookie = flowPrefix + "isSigningOutRedirecting"
)

// Flow cookies of our own.
const (
	// attemptCookie begins the name of a cookie for one attempt to sign in. Its state follows.
	attemptCookie = flowPrefix + "attempt."
	// arrivalCookie marks that a browser has been given the arrival page.
	arrivalCookie = flowPrefix + "arrival"
	// otherNameCookie marks that a browser has been sent to the origin from another name of it.
	otherNameCookie = flowPrefix + "otherName"
	// confirmCookie holds what the link of the page must say that asks before a sign-out.
	confirmCookie = flowPrefix + "confirm"
)

// flowLifetime is how long a user has for a flow.
const flowLifetime = 5 * time.Minute

// maxFlowDuplicates bounds how many values of one flow cookie are looked at. Browsers send two if
// one belongs to the host and one to the domain.
const maxFlowDuplicates = 4

// flowCookies are the cookies of flows that a request carries. Their values are taken
// as they are: none of them is encoded.
type flowCookies struct {
	states, verifiers     []string
	ownAttempts           [][2]string // name and value
	olderAttempts         []string    // names
	signingOut            string
	redirecting           bool
	otherName             bool
	arrivals, confirmings []string
}

// flowCookies reads the flow cookies of the request in one pass.
func (x *Exchange) flowCookies() *flowCookies {
	f := &flowCookies{}
	if tooLarge(x.cookies.request) {
		return f
	}
	add := func(list *[]string, value string) {
		if len(*list) < maxFlowDuplicates {
			*list = append(*list, value)
		}
	}
	for name, value := range cookie.Parse(x.cookies.request) {
		switch name {
		case stateCookie:
			add(&f.states, value)
		case pkceCookie:
			add(&f.verifiers, value)
		case arrivalCookie:
			add(&f.arrivals, value)
		case otherNameCookie:
			f.otherName = true
		case confirmCookie:
			add(&f.confirmings, value)
		case signingOutCookie:
			if value != "" {
				f.signingOut = value
			}
		case signOutRedirectingCookie:
			f.redirecting = f.redirecting || value != ""
		default:
			if strings.HasPrefix(name, attemptCookie) {
				f.addAttempt(name, value)
			}
		}
	}
	return f
}

// addAttempt keeps the newest maxAttempts cookies of attempts, and the names of some older ones.
func (f *flowCookies) addAttempt(name, value string) {
	if slices.Contains(f.ownAttempts, [2]string{name, value}) {
		return
	}
	f.ownAttempts = append(f.ownAttempts, [2]string{name, value})
	if len(f.ownAttempts) <= maxAttempts {
		return
	}
	if len(f.olderAttempts) < maxEndedAttempts {
		f.olderAttempts = append(f.olderAttempts, f.ownAttempts[0][0])
	}
	f.ownAttempts = slices.Delete(f.ownAttempts, 0, 1)
}

// flowCookie returns a flow cookie. It is SameSite=Lax whatever the session's cookies are: it has
// to come along when Cognito sends the browser back.
func (r *Runner) flowCookie(name, value string) *http.Cookie {
	return &http.Cookie{
		Name: name, Value: value,
		Domain: r.cookies.Domain, Path: "/", MaxAge: int(flowLifetime.Seconds()),
		HttpOnly: true, Secure: !r.cookies.Insecure, SameSite: http.SameSiteLaxMode,
	}
}

// endFlowCookie returns the deletion of a flow cookie.
func (r *Runner) endFlowCookie(name string) *http.Cookie {
	c := r.flowCookie(name, "")
	c.MaxAge = -1
	return c
}
