package amplify

import (
	"net/http"
	"time"
)

// answerTimeout is how long the App's own HTTP client waits for an answer. It is the last resort:
// most calls have a shorter limit of their own. The longest is that of the GraphQL API, which takes
// 30 seconds for slow resolvers: an earlier end would report mutations as failed that succeed.
const answerTimeout = 40 * time.Second

// newHTTPClient returns the client that an App uses if it is given none.
func newHTTPClient() *http.Client {
	return withoutRedirects(&http.Client{Transport: newTransport()})
}

// withoutRedirects returns a copy of client that follows no redirects. The services that an App
// calls send none. Following one would repeat a request, with the tokens in it, at an address that
// the answer names.
func withoutRedirects(client *http.Client) *http.Client {
	c := *client
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	c.Transport = refuseRedirects(c.Transport)
	return &c
}
