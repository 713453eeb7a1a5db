package flow

import (
	"net/http"
	"net/url"
	"strings"
)

// returnToParameter says where to go after signing in.
const returnToParameter = "return_to"

// maxParameter bounds what is passed on of a query parameter, in bytes. Names of users and
// providers have at most 128 characters, and codes are shorter. Longer ones would make answers, and
// calls, larger than the requests that cause them: each byte may take three.
const maxParameter = 1024

// short returns the query parameter name of an address, or "" if it is too long to be meant.
func short(q url.Values, name string) string {
	if v := q.Get(name); len(v) <= maxParameter {
		return v
	}
	return ""
}

// isNavigation reports whether a user's browser asks for a page, rather than a program for data.
func isNavigation(r *http.Request) bool {
	if mode := r.Header.Get("Sec-Fetch-Mode"); mode != "" {
		return mode == "navigate"
	}
	return strings.Contains(r.Header.Get("Accept"), "text/html")
}

// hostname returns the name in a Host header, without the port.
func hostname(host string) string { return (&url.URL{Host: host}).Hostname() }

// isSpeculative reports whether a browser, or a script of the application, asks for a page before
// the user wants to see it. Scripts cannot set Sec-Purpose: those of Turbo send X-Sec-Purpose.
func isSpeculative(r *http.Request) bool {
	for _, name := range []string{"Sec-Purpose", "X-Sec-Purpose", "Purpose", "X-Purpose", "X-Moz"} {
		// Also "prefetch;prerender", and "preview" of an old Safari.
		purpose := strings.ToLower(r.Header.Get(name))
		if strings.HasPrefix(purpose, "prefetch") || strings.HasPrefix(purpose, "preview") {
			return true
		}
	}
	// Next.js sends 1 or 2, the preload extension of htmx true.
	return r.Header.Get("Next-Router-Prefetch") != "" || r.Header.Get("HX-Preloaded") != ""
}

// isEmbedded reports whether a page of another site asks for something other than a navigation: an
// image, a frame, a script's fetch. The user has not asked for such requests.
func isEmbedded(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "none", "same-origin":
		return false
	}
	return r.Header.Get("Sec-Fetch-Mode") != "navigate" || r.Header.Get("Sec-Fetch-Dest") != "document"
}

// here returns the address of request as a path to return to. It is empty if the request is a form
// that was sent: returning to it would be another request.
func (r *Runner) here(request *http.Request) string {
	if request.Method != http.MethodGet && request.Method != http.MethodHead ||
		len(request.RequestURI) > maxReturnTo+len(r.origin) { // which would be parsed in vain
		return ""
	}
	u, ok := r.address(request)
	if !ok {
		return ""
	}
	to, _ := r.origin.returnTo(u.String())
	return to
}

// withReturnTo returns address with a query parameter return_to, unless to is "".
func withReturnTo(address, to string) string {
	u, err := url.Parse(address)
	if err != nil || to == "" {
		return address
	}
	q := u.Query()
	q.Set(returnToParameter, to)
	u.RawQuery = q.Encode()
	return u.String()
}

// addQuery adds name, value pairs to a path or URL, leaving out empty values.
func addQuery(to string, query ...string) string {
	u, err := url.Parse(to)
	if err != nil {
		return to
	}
	for i := 0; i < len(query); i += 2 {
		if query[i+1] == "" {
			continue
		}
		if u.RawQuery != "" {
			u.RawQuery += "&"
		}
		u.RawQuery += query[i] + "=" + url.QueryEscape(query[i+1])
	}
	return u.String()
}
