package doctor

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/cookie"
	"github.com/amplify-go/amplify/internal/sessionkey"
)

// maxHops bounds how many redirects are followed.
const maxHops = 5

// application asks the running application for a page, as a browser and as a program,
// and for its way to managed login.
func (e *examination) application(ctx context.Context) {
	u, err := url.Parse(e.in.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
		e.problem("app", "Write an address such as https://myapp.com/home.", "The URL is not that of a page.")
		return
	}
	if u.Path == "" {
		u.Path = "/"
	}
	origin := originOf(e.in.URL)
	if own := e.in.Options.Origin; own != "" && own != origin {
		e.warn("app", "Open the application by its origin, or correct the origin (AMPLIFY_APP_ORIGIN).",
			"%s is not the origin %s: browsers keep cookies for each host apart, and managed login leads to the latter.", origin, own)
	}
	if u.Scheme == "http" && !isLocal(u) {
		e.problem("app", "Serve the application by https.", "By http browsers neither keep nor send Secure cookies.")
	}
	if e.page(ctx, u) {
		e.authRoutes(ctx, origin)
	}
}

// page asks for the page and follows redirects within its origin. It reports whether
// the application answers.
func (e *examination) page(ctx context.Context, u *url.URL) bool {
	session := http.Header{}
	switch {
	case u.Scheme == "http" && !isLocal(u):
		e.ok("app", "The application is asked without the session, which would travel unencrypted.")
	case e.refreshDue:
		e.ok("app", "The application is asked without the cookies, since the session is due for a refresh, which would change it.")
	case len(e.in.Requests) > 0:
		first := e.in.Requests[0].Header
		if len(first["Cookie"]) > 0 {
			session["Cookie"] = first["Cookie"]
		}
		if _, ok := e.bearerToken(first); ok {
			session["Authorization"] = first["Authorization"]
		}
	}
	header := func(accept string) http.Header {
		h := session.Clone()
		h.Set("Accept", accept)
		return h
	}
	// Programs are told reasons, people are led to a page.
	response, err := e.get(ctx, u.String(), header("application/json"))
	if err != nil {
		e.problem("app", "Start the application, and see that this machine reaches it.", "%s cannot be reached: %s.", u.Host, e.describe(err))
		return false
	}
	e.reason(response, len(session) > 0)
	response.Body.Close()

	for range maxHops {
		response, err := e.get(ctx, u.String(), header("text/html"))
		if err != nil {
			e.problem("app", "", "%s cannot be reached: %s.", u.Host, e.describe(err))
			return false
		}
		response.Body.Close()
		e.setCookies(u, response)
		e.caching(u, response, len(session) > 0)
		to, err := response.Location()
		if err != nil || response.StatusCode < 300 || response.StatusCode >= 400 {
			e.status(u, response)
			return true
		}
		if originOf(to.String()) != originOf(u.String()) {
			e.away(u, to)
			return true
		}
		e.ok("app", "%s redirects to %s (status %d).", e.show(u.Path), e.show(to.Path), response.StatusCode)
		u = to
	}
	e.problem("app", "See what the pages expect of each other: often a sign-in page that is guarded itself.", "The application redirects without end.")
	return true
}

// reason adds why a program is refused.
func (e *examination) reason(response *http.Response, session bool) {
	if response.StatusCode != http.StatusUnauthorized && response.StatusCode != http.StatusForbidden && response.StatusCode != http.StatusServiceUnavailable {
		return
	}
	f := Finding{Check: "app", Status: Problem, Message: fmt.Sprintf("To programs the application answers status %d.", response.StatusCode)}
	if !session && response.StatusCode == http.StatusUnauthorized {
		f.Status = OK // as it should, without a session
	}
	if kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type")); kind == "application/json" {
		var body struct{ Reason amplify.Reason }
		if json.NewDecoder(response.Body).Decode(&body) == nil && isWord(string(body.Reason)) {
			f.Reason = amplify.Reason(e.show(string(body.Reason)))
		}
	}
	if scheme, _, _ := strings.Cut(response.Header.Get("WWW-Authenticate"), " "); strings.EqualFold(scheme, "Bearer") {
		f.Message += " It accepts bearer tokens."
	}
	e.add(f)
}

// isWord reports whether s has the form of a reason.
func isWord(s string) bool {
	return s != "" && len(s) <= 40 && !strings.ContainsFunc(s, func(r rune) bool { return r != '_' && (r < 'a' || r > 'z') })
}

// status adds what a person gets.
func (e *examination) status(u *url.URL, response *http.Response) {
	switch code := response.StatusCode; {
	case code == http.StatusRequestHeaderFieldsTooLarge:
		e.problem("app", "Raise the limit of the proxy or server, and see what is said of cookies.", "%s answers status 431: the cookies are too large for it.", e.show(u.Path))
	case code >= 500:
		e.problem("app", "Read the log of the application.", "%s answers status %d.", e.show(u.Path), code)
	case code >= 400 && code != http.StatusUnauthorized && code != http.StatusForbidden:
		e.problem("app", "", "%s answers status %d.", e.show(u.Path), code)
	default:
		e.ok("app", "%s answers status %d.", e.show(u.Path), code)
	}
}

// setCookies examines the session cookies that a response sets.
func (e *examination) setCookies(u *url.URL, response *http.Response) {
	var set, deleted int
	var faults []string
	note := func(fault string) {
		if !slices.Contains(faults, fault) {
			faults = append(faults, fault)
		}
	}
	for _, c := range response.Cookies() {
		if !strings.HasPrefix(cookie.DecodeName(c.Name), e.sessionPrefix()) {
			continue
		}
		if c.MaxAge < 0 {
			deleted++
		} else {
			set++
		}
		switch {
		case c.Secure && u.Scheme == "http" && !isLocal(u):
			note("they are Secure, so that browsers ignore them by http")
		case !c.Secure && u.Scheme == "https":
			note("they are not Secure, so that they travel by http as well")
		}
		if !c.HttpOnly && e.in.Options.Origin != "" {
			note("scripts can read them, though the server signs users in")
		}
		if d := strings.TrimPrefix(c.Domain, "."); d != "" && u.Hostname() != d && !strings.HasSuffix(u.Hostname(), "."+d) {
			note("their Domain does not cover the host, so that browsers ignore them")
		}
		if len(c.Name)+len("=")+len(c.Value) > cookie.MaxSize {
			note("one is larger than browsers keep")
		}
	}
	switch {
	case len(faults) > 0:
		e.problem("app", "Correct Options.Origin and Options.Cookies, or what else sets these cookies.", "Cookies of the session are set wrongly: %s.", strings.Join(faults, "; "))
	case set > 0:
		e.ok("app", "%s sets %s of the session.", e.show(u.Path), plural(set, "cookie"))
	case deleted > 0:
		e.warn("app", "", "%s deletes the cookies of the session: it has ended.", e.show(u.Path))
	}
	if set+deleted > 0 && !isPrivate(response.Header) {
		e.problem("app", "Let Cache-Control of such responses be private, no-store, as the library does; see what overrides it.",
			"%s sets cookies of a session, and shared caches may keep that: they would hand the session to others.", e.show(u.Path))
	}
}

// caching examines whether what belongs to one user may be kept for others.
func (e *examination) caching(u *url.URL, response *http.Response, session bool) {
	if !session {
		return
	}
	control := strings.ToLower(strings.Join(response.Header.Values("Cache-Control"), ","))
	switch {
	case response.Header.Get("Age") != "":
		e.warn("app", "See that the cache in front leaves alone what depends on cookies.", "%s comes from a shared cache, also for a request with a session.", e.show(u.Path))
	case strings.Contains(control, "public") || strings.Contains(control, "s-maxage"):
		e.warn("app", "That is right for pages that are the same for everybody only.", "Shared caches may keep %s, also for a request with a session.", e.show(u.Path))
	}
}

// isPrivate reports whether shared caches must not keep a response.
func isPrivate(h http.Header) bool {
	control := strings.ToLower(strings.Join(h.Values("Cache-Control"), ","))
	return strings.Contains(control, "no-store") || strings.Contains(control, "private")
}

// away examines a redirect that leaves the application.
func (e *examination) away(from, to *url.URL) {
	if e.toManagedLogin("app", from, to) {
		return
	}
	e.ok("app", "%s redirects to another host, %s.", e.show(from.Path), e.show(cmp.Or(to.Host, to.Scheme+":")))
}

// authRoutes asks the route that signs users in where it sends them.
func (e *examination) authRoutes(ctx context.Context, origin string) {
	toLogin, err := url.Parse(e.route(ctx, "sign-in"))
	if err != nil || toLogin.Host == "" {
		return // said with the redirects
	}
	callback, err := url.Parse(toLogin.Query().Get("redirect_uri"))
	if err != nil || originOf(callback.String()) != origin {
		return
	}
	folder, _ := path.Split(callback.Path)
	u, err := url.Parse(origin + folder + "sign-in")
	if err != nil {
		return
	}
	response, err := e.get(ctx, u.String(), http.Header{"Accept": {"text/html"}})
	if err != nil {
		e.problem("auth-routes", "", "%s cannot be asked: %s.", u.Path, e.describe(err))
		return
	}
	response.Body.Close()
	to, err := response.Location()
	switch {
	case err != nil:
		e.problem("auth-routes", `Mount ServerRunner.AuthRoutes at "`+folder+`".`, "%s answers status %d instead of leading to managed login.", u.Path, response.StatusCode)
	case !e.toManagedLogin("auth-routes", u, to):
		e.problem("auth-routes", "Let the application use the same outputs.", "%s leads to %s, which is not managed login of these outputs.", u.Path, e.show(to.Host))
	}
}

// toManagedLogin examines a redirect to managed login. It reports whether it is one.
func (e *examination) toManagedLogin(check string, from, to *url.URL) bool {
	base := e.app.Endpoints().OAuth
	if base == "" || originOf(to.String()) != originOf(base) {
		return false
	}
	q := to.Query()
	redirect := q.Get("redirect_uri")
	switch {
	case q.Get("client_id") != e.cfg.Auth.UserPoolClientID:
		e.problem(check, "Let the application use the same outputs.", "%s leads to managed login for another app client.", e.show(from.Path))
	case !slices.Contains(e.cfg.Auth.OAuth.RedirectSignIn, redirect):
		e.problem(check, "Let the application use the same outputs.", "%s leads to managed login with a redirect URL that the outputs do not have.", e.show(from.Path))
	case originOf(redirect) != originOf(from.String()):
		e.problem(check, "Set AMPLIFY_APP_ORIGIN, or Options.Origin, to where browsers open the application.",
			"%s leads to managed login, but users would come back to %s.", e.show(from.Path), originOf(redirect))
	default:
		e.ok(check, "%s leads to managed login, and from there back to %s.", e.show(from.Path), redirect)
	}
	return true
}

// longestShown is how many characters of a secret a report may have in a row.
const longestShown = 8

// show returns a text that comes from outside, unless it may be a secret: if it shares more than
// eight characters with the value of a cookie, which a server may have sent back, with a bearer
// token or with the client secret. Nor does it return what a terminal may take for commands.
func (e *examination) show(s string) string {
	return e.showUnless(s, func(string) bool { return true })
}

// showName is show for a user's name as the names of cookies have it. LastAuthUser and
// signInDetails hold it too, and neither is a secret.
func (e *examination) showName(name string) string {
	return e.showUnless(name, func(key string) bool {
		return !strings.HasPrefix(key, clientPrefix) ||
			!strings.HasSuffix(key, "."+sessionkey.LastAuthUser) && !strings.HasSuffix(key, "."+sessionkey.SignInDetails)
	})
}

// showUnless returns s unless it may be a part of the value of a cookie for which secret reports
// true.
func (e *examination) showUnless(s string, secret func(key string) bool) string {
	hidden := len(s) > 200 || printable(s) != s
	hide := func(value string) {
		for i := 0; i+longestShown < len(s) && !hidden; i++ {
			hidden = strings.Contains(value, s[i:i+longestShown+1])
		}
	}
	for _, r := range e.in.Requests {
		for name, value := range cookie.Parse(r.Header["Cookie"]) {
			if secret(cookie.DecodeName(name)) {
				hide(value)
				hide(cookie.DecodeValue(value))
			}
		}
		for _, value := range r.Header["Authorization"] {
			hide(value)
		}
	}
	hide(e.in.Options.Cognito.ClientSecret.Reveal())
	if hidden {
		return "(not shown)"
	}
	return s
}
