package flow

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/cookie"
)

// advisableHeaderSize is when it is time to warn, in bytes: many proxies and servers refuse headers
// of more than 8 KiB (status 431).
const advisableHeaderSize = 7 << 10

// tooLarge reports whether the cookies of a request are too many to be read.
func tooLarge(lines []string) bool { return headerSize(lines) > cookie.MaxHeaderSize }

func headerSize(lines []string) (n int) {
	for _, line := range lines {
		n += len(line)
	}
	return n
}

// clearParameter in an address asks for the cookies of the site to be deleted, as long
// as they are too large.
const clearParameter = "amplify_clear_cookies"

// maxCleared bounds how many cookies one response deletes, the largest first. Sixteen cookies of
// the greatest size have cookie.MaxHeaderSize.
const maxCleared = cookie.MaxSetCookies / 2

// cookiesTooLarge answers a request whose cookies are too many to be read. A program is told so. A
// user gets a page with a link that deletes the cookies. The link leads to the same address with
// [clearParameter], since that is sure to be answered by the same guard or route.
//
// Another site's link deletes nothing where browsers say where a request comes from. Elsewhere it
// can delete what is of no use any more.
func (r *Runner) cookiesTooLarge(x *Exchange, request *http.Request) *Response {
	const status = http.StatusRequestHeaderFieldsTooLarge
	if !isNavigation(request) {
		return failure(status, amplify.Unauthenticated(amplify.ReasonCookiesTooLarge, nil))
	}
	u, ok := r.address(request)
	if !ok {
		u, _ = url.Parse(x.public("/")) // which is clean
	}
	query := u.Query()
	clear := query.Has(clearParameter)
	if len(u.RawQuery) > maxReturnTo {
		query = url.Values{} // the answer must not grow with the address
	}
	site := request.Header.Get("Sec-Fetch-Site")
	if clear && request.Method == http.MethodGet && (site == "" || site == "same-origin") && !isSpeculative(request) {
		query.Del(clearParameter)
		u.RawQuery = query.Encode()
		return r.clearCookies(x, u.String())
	}
	query.Set(clearParameter, "true")
	u.RawQuery = query.Encode()
	p := Page{
		Name: "too-many-cookies", Status: status, Title: "Too many cookies",
		Text: "Your browser sends more cookies to this site than can be read. Delete them to go on. You will be signed out.",
		Link: u.String(), LinkText: "Delete the cookies of this site",
	}
	if len(u.Path) > maxReturnTo {
		p.Link = ""
	}
	return r.page(request, p)
}

// clearCookies deletes the cookies of the site and sends the user on.
func (r *Runner) clearCookies(x *Exchange, to string) *Response {
	type sized struct {
		name string
		size int
	}
	var found []sized
	seen := map[string]bool{}
	size := 0
	for name, value := range cookie.Parse(x.cookies.request) {
		if size += len(name) + len(value); size > cookie.MaxHeaderSize {
			break
		}
		if !seen[name] {
			seen[name] = true
			found = append(found, sized{name, len(name) + len(value)})
		}
	}
	slices.SortStableFunc(found, func(a, b sized) int { return cmp.Compare(b.size, a.size) })
	insecure := x.attributes().Insecure
	for _, c := range found[:min(len(found), maxCleared)] {
		deletion := &http.Cookie{Name: c.name, Path: "/", MaxAge: -1, Secure: !insecure}
		x.cookies.Set(deletion)
		if r.cookies.Domain != "" {
			ofDomain := *deletion
			ofDomain.Domain = r.cookies.Domain
			x.cookies.Set(&ofDomain)
		}
	}
	answer := redirect(http.StatusSeeOther, to)
	answer.Header.Set("Clear-Site-Data", `"cookies"`)
	return answer
}
