package doctor

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/amplify-go/amplify/cookie"
	"github.com/amplify-go/amplify/internal/sessionkey"
)

const (
	// maxHeader is what many proxies and servers take of a header (status 431 beyond), and
	// advisableHeader where it gets tight.
	maxHeader       = 8 << 10
	advisableHeader = 7 << 10
)

// maxClients bounds how many app clients are looked at to name some of them.
const maxClients = 10

const clientPrefix = "CognitoIdentityServiceProvider."

// cookies examines the Cookie header as a whole.
func (e *examination) cookies() {
	lines := e.request.Header["Cookie"]
	bytes := 0
	for _, line := range lines {
		bytes += len(line)
	}
	var (
		count, tooLarge int
		others          = map[string]bool{} // app clients
		times           = map[string]int{}  // by key of the session
		own             = e.sessionPrefix()
	)
	for name, value := range cookie.Parse(lines) {
		count++
		if len(name)+len("=")+len(value) > cookie.MaxSize {
			tooLarge++
		}
		key := cookie.DecodeName(name)
		if rest, ok := strings.CutPrefix(key, clientPrefix); ok && !strings.HasPrefix(key, own) {
			client, _, _ := strings.Cut(rest, ".")
			others[client] = true
		} else if ok && sessionkey.IsSession(key) {
			times[key]++
		}
	}

	before := len(e.report.Findings)
	const fewer = "Give tokens fewer attributes, groups or claims; list app clients of the past in Options.Cognito.ForgetClients; or raise the limit of the proxy."
	switch {
	case bytes > maxHeader:
		e.problem("cookies", fewer, "The Cookie header has %d bytes. Many proxies and servers refuse more than %d (status 431).", bytes, maxHeader)
	case bytes > advisableHeader:
		e.warn("cookies", fewer, "The Cookie header has %d bytes. Many proxies and servers refuse more than %d (status 431).", bytes, maxHeader)
	}
	if tooLarge > 0 {
		e.problem("cookies", "Give tokens fewer attributes, groups or claims.",
			"%s of more than %d bytes: browsers keep none such, and no token of that size is accepted.", plural(tooLarge, "cookie"), cookie.MaxSize)
	}
	if len(others) > 0 {
		e.warn("cookies", "If one of them should be this application's, its front end and its server use different outputs. Others may go: list them in Options.Cognito.ForgetClients.",
			"There are sessions of other app clients: %s.", e.clientNames(others))
	}
	for _, n := range times {
		if n > 1 {
			e.warn("cookies", "Use the same Domain wherever the session is set, in Amplify JS's cookie storage and in Options.Cookies. Signing out deletes both.",
				"Parts of the session came twice: one cookie belongs to the host, another one to a domain above it.")
			break
		}
	}
	if len(e.report.Findings) == before {
		e.ok("cookies", "%s in %d bytes.", plural(count, "cookie"), bytes)
	}
}

// sessionPrefix returns what the keys of the session begin with.
func (e *examination) sessionPrefix() string {
	if e.cfg.Auth == nil {
		return clientPrefix + "."
	}
	return clientPrefix + e.cfg.Auth.UserPoolClientID + "."
}

// clientNames lists some app clients. What cannot be one may be anything, and is not shown.
func (e *examination) clientNames(clients map[string]bool) string {
	var names []string
	hidden := 0
	for i, id := range slices.Sorted(maps.Keys(clients)) {
		if len(names) < 3 && i < maxClients && regexp.MustCompile(`^[a-z0-9]{1,40}$`).MatchString(id) && e.show(id) == id {
			names = append(names, id)
		} else {
			hidden++
		}
	}
	if hidden > 0 {
		names = append(names, fmt.Sprintf("%d more", hidden))
	}
	return strings.Join(names, ", ")
}
