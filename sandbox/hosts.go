package sandbox

import (
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/amplify-go/amplify/sandbox/internal/partition"
	"github.com/amplify-go/amplify/sandbox/internal/userpool"
)

// awsHosts are the host names under which AWS serves what the sandbox serves.
func awsHosts(c userpool.Config, domain string) []string {
	hosts := []string{c.APIHost(), "issuer-" + c.APIHost(), partition.Host("cognito-identity", c.Region)}
	if u, err := url.Parse("https://" + domain); err == nil && u.Hostname() != "" {
		hosts = append(hosts, strings.ToLower(u.Hostname()))
	}
	return hosts
}

// knownHosts refuses requests for hosts that are not served here: a page of another site can make its
// own name point to this machine, but not the Host header say otherwise (DNS rebinding).
func (s *Sandbox) knownHosts(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := hostname(r)
		if !isLoopback(host) && !slices.Contains(s.hosts, host) {
			http.Error(w, "The sandbox does not serve this host: use its loopback address.", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// hostname is what the Host header names, without the port.
func hostname(r *http.Request) string {
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	return strings.ToLower(strings.Trim(host, "[]"))
}

// isLoopback reports whether host names this machine. Names below localhost never leave it (RFC 6761 §6.3).
func isLoopback(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
