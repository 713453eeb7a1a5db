//go:build !js

package amplify

import (
	"net"
	"net/http"
	"time"
)

// connectTimeout bounds each of the two steps of opening a connection. It is shorter than the limit
// of any call, so that a connection that could not be opened is told from an answer that did not
// come: the call may have had an effect only in the second case.
const connectTimeout = 5 * time.Second

func newTransport() http.RoundTripper {
	t := http.DefaultTransport.(*http.Transport).Clone()
	dialer := &net.Dialer{Timeout: connectTimeout, KeepAlive: 30 * time.Second}
	t.DialContext = dialer.DialContext
	t.TLSHandshakeTimeout = connectTimeout
	t.ResponseHeaderTimeout = answerTimeout
	// All calls of a process go to three or four hosts. With the default of two idle connections a
	// host, most calls under load would open a new one.
	t.MaxIdleConnsPerHost = 64
	return t
}

// refuseRedirects returns t: here [http.Client] is what follows redirects.
func refuseRedirects(t http.RoundTripper) http.RoundTripper { return t }
