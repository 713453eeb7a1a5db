package amplify

import (
	"net"
	"net/http"
	"time"
)

// newHTTPClient returns the client that an App uses where none is given. It does not follow
// redirects: none of the services that it calls sends one, and a token must not
// travel to an address that an answer names.
func newHTTPClient() *http.Client {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.DialContext = (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext
	t.TLSHandshakeTimeout = 10 * time.Second
	t.ResponseHeaderTimeout = 10 * time.Second
	// All calls of a process go to three or four hosts: the default of two idle
	// connections a host would open a new one for most calls under load.
	t.MaxIdleConnsPerHost = 64
	return &http.Client{
		Transport:     t,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
