package amplifytest

import (
	"crypto/tls"
	"errors"
	"html"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Browser returns a browser, without network, for the application whose handler is app. It keeps
// cookies and follows redirects: those to managed login too, which signs u in at once, without a
// page. Addresses are below [Pool.Origin] or the other origins of the redirect URLs:
//
//	browser := pool.Browser(app, ann)
//	page, err := browser.Get(pool.Origin() + "/notes") // by way of sign-in and its callback
//
// Its requests look like navigations inside the application (Sec-Fetch-Mode, Sec-Fetch-Site and so
// on), except where they have such headers already. It runs no scripts. A page that goes on by
// itself, as those of the callbacks do, becomes a redirect with status 303. Managed login remembers
// the user: after a sign-out the next sign-in succeeds.
func (p *Pool) Browser(app http.Handler, u User) *http.Client {
	p.t.Helper()
	p.SetUser(u)
	jar, err := cookiejar.New(nil)
	if err != nil {
		p.t.Fatal(err)
	}
	return &http.Client{Jar: jar, Transport: browser{p, app, u.ID()}}
}

// browser is the network of a browser: the application and managed login.
type browser struct {
	pool *Pool
	app  http.Handler
	sub  string // of the user
}

// RoundTrip implements [http.RoundTripper].
func (b browser) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		defer r.Body.Close()
	}
	w := httptest.NewRecorder()
	switch host := b.pool.loginHost(); {
	case host != "" && r.URL.Host == host:
		b.managedLogin(w, r)
	case b.pool.serves(originOf(r.URL.String())):
		b.app.ServeHTTP(w, navigation(r))
	default:
		b.pool.errorf("the browser opens %s, which is neither the application nor managed login: "+
			"its addresses begin with %s", withoutQuery(r.URL), b.pool.origin)
		return nil, errors.New("amplifytest: no such host: " + r.URL.Host)
	}
	response := w.Result()
	response.Request = r
	if to := goesOn(w); to != "" && w.Code == http.StatusOK {
		response.StatusCode, response.Status = http.StatusSeeOther, "303 See Other"
		response.Header.Set("Location", to)
	}
	return response, nil
}

// goesOn returns where a page goes by itself, at once: by its header, as those of an application's
// template do, or by its HTML.
func goesOn(w *httptest.ResponseRecorder) string {
	if to, ok := strings.CutPrefix(w.Header().Get("Refresh"), "0; url="); ok {
		return to
	}
	if to := metaRefresh.FindSubmatch(w.Body.Bytes()); to != nil {
		return html.UnescapeString(string(to[1]))
	}
	return ""
}

// metaRefresh finds where a page goes by itself, at once.
var metaRefresh = regexp.MustCompile(
	`(?i)<meta[^>]*http-equiv="refresh"[^>]*content="0;\s*url=([^"]*)"`)

// withoutQuery returns an address for a message. Queries and names of users may be secret.
func withoutQuery(u *url.URL) string { return u.Scheme + "://" + u.Host + u.Path }

// managedLogin answers as managed login.
func (b browser) managedLogin(w http.ResponseWriter, r *http.Request) {
	to, problem := "", "no such page: "+r.URL.Path
	switch r.URL.Path {
	case "/oauth2/authorize", "/signup":
		to, problem = b.pool.authorize(b.sub, r.URL.Query())
	case "/logout":
		to, problem = b.pool.logout(r.URL.Query())
	}
	if problem != "" {
		b.pool.errorf("managed login: %s", problem)
		http.Error(w, problem, http.StatusBadRequest)
		return
	}
	http.Redirect(w, r, to, http.StatusFound)
}

// serves reports whether an origin is one of the application's.
func (p *Pool) serves(origin string) bool {
	if origin == p.origin {
		return true
	}
	oauth := p.config.Auth.OAuth
	if oauth == nil {
		return false
	}
	redirects := slices.Concat(oauth.RedirectSignIn, oauth.RedirectSignOut)
	return slices.ContainsFunc(redirects, func(u string) bool { return originOf(u) == origin })
}

// navigation returns r, a client's request, as a server gets it from a browser.
func navigation(r *http.Request) *http.Request {
	in := r.Clone(r.Context())
	in.RequestURI, in.Host = r.URL.RequestURI(), r.URL.Host
	in.RemoteAddr = "192.0.2.1:1234" // as in httptest.NewRequest
	in.URL.Scheme, in.URL.Host, in.URL.User = "", "", nil
	if in.Body == nil {
		in.Body = http.NoBody
	}
	if r.URL.Scheme == "https" {
		in.TLS = &tls.ConnectionState{
			Version: tls.VersionTLS13, HandshakeComplete: true, ServerName: r.URL.Hostname(),
		}
	}
	for _, header := range [][2]string{
		{"Accept", "text/html,*/*;q=0.8"},
		{"Sec-Fetch-Dest", "document"},
		{"Sec-Fetch-Mode", "navigate"},
		{"Sec-Fetch-Site", "same-origin"},
	} {
		if in.Header.Get(header[0]) == "" {
			in.Header.Set(header[0], header[1])
		}
	}
	return in
}
