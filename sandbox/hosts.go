package sandbox

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/amplify-go/amplify/sandbox/internal/partition"
	"github.com/amplify-go/amplify/sandbox/internal/userpool"
)

// awsHosts returns the host names under which AWS serves what the
// sandbox serves. The domain of managed login is among them if it
// is a DNS name. It may come from an outputs file of another party.
func awsHosts(c userpool.Config, domain string) []string {
	hosts := []string{c.APIHost(), "issuer-" + c.APIHost(), partition.Host("cognito-identity", c.Region)}
	if u, err := url.Parse("https://" + domain); err == nil {
		if host := strings.ToLower(u.Hostname()); dnsName.MatchString(host) {
			hosts = append(hosts, host)
		}
	}
	return hosts
}

// dnsName matches names of at least two labels whose last one is no number. The sandbox's authority
// can sign for these names and for names below them, so a wildcard, an IP address or a top-level
// domain must not be among them.
var dnsName = regexp.MustCompile(`^([a-z0-9_]([a-z0-9_-]*[a-z0-9_])?\.)+[a-z]([a-z0-9-]*[a-z0-9])?$`)

// knownHosts refuses requests for hosts that the sandbox does not serve. It is the defence against
// DNS rebinding: a web page can make its own name point to this machine, but its browser then sends
// that name as the Host.
func (s *Sandbox) knownHosts(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if host := hostname(r); !isLoopback(host) && !slices.Contains(s.hosts, host) {
			http.Error(w, "The sandbox does not serve this host. Use its loopback address.", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// loopbackOnly refuses requests that name another host than this machine, also those for AWS's
// hosts and for the domain of managed login. It guards the console, the inbox and the admin
// API, which ask for no password. Another party may control where those other names point to.
func loopbackOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isLoopback(hostname(r)) {
			http.Error(w, "The sandbox serves this page on its loopback address only.", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// hostname returns the host that a request names, in lower
// case and without the port. An IPv6 address has no brackets.
func hostname(r *http.Request) string { return hostOf(r.Host) }

// hostOf returns the host of a Host header; see [hostname].
func hostOf(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	} else if strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]") {
		host = host[1 : len(host)-1]
	}
	return strings.ToLower(host)
}

// isLoopback reports whether host names this machine: localhost, a name below localhost (RFC 6761
// §6.3), or a loopback address.
func isLoopback(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Zone() == "" && ip.IsLoopback()
}
