package flow

import (
	"net/url"
	"strings"

	"github.com/amplify-go/amplify/internal/conformance"
)

// originExceptions are the forms of cases of origins.json in which we differ on purpose.
func originExceptions() []conformance.Rule {
	return []conformance.Rule{
		{
			Name:   "half anchored",
			Reason: "The original's expression lets anything follow http://localhost, and precede the rest. An origin is matched as a whole.",
			Match: func(c conformance.Case) bool {
				origin := text(c.In("origin"))
				_, rest, _ := strings.Cut(origin, "://")
				return c.Want("isValidOrigin", "value") == true && (strings.ContainsAny(rest, "/?# ") || strings.HasSuffix(rest, ":") || strings.TrimSpace(origin) != origin)
			},
		},
		{
			Name:   "redirect URL of a look-alike",
			Reason: "The original chooses by prefix, and sends codes to https://myapp.community. Here the origin must match as a whole.",
			Match: func(c conformance.Case) bool {
				u, err := url.Parse(text(c.Want("redirectSignIn", "value")))
				return err == nil && u.Host != "" && u.Scheme+"://"+u.Host != c.In("origin")
			},
		},
	}
}

// stateExceptions are the forms of cases of oauth-state.json in which we differ on purpose.
func stateExceptions() []conformance.Rule {
	return []conformance.Rule{
		{
			Name:   "bias",
			Reason: "The original takes bytes modulo 62, which favours the first letters. Here each character is as likely as any other.",
			Match:  func(c conformance.Case) bool { return c.In("kind") == "bias" },
		},
		{
			Name:   "provider of Object.prototype",
			Reason: "The original looks names up in a JavaScript object and finds what every object inherits. Here they pass unchanged.",
			Match: func(c conformance.Case) bool {
				return c.In("kind") == "provider" && c.Want("isString") == false && c.Want("value") != nil
			},
		},
		{
			Name:   "second question mark",
			Reason: "A query ends at the fragment, and may hold question marks (RFC 3986 §3.4), for instance in return_to.",
			Match: func(c conformance.Case) bool {
				return c.In("kind") == "query" && text(c.Want("value")) != "" && strings.Count(text(c.In("url")), "?") > 1
			},
		},
		{
			Name:   "broken percent-encoding",
			Reason: "The original decodes as much as it can. Here a parameter that is not well formed is none, and nothing is sent on of it.",
			Match: func(c conformance.Case) bool {
				u, err := url.Parse(text(c.In("url")))
				if err != nil || c.In("kind") != "query" {
					return false
				}
				_, err = url.ParseQuery(u.RawQuery)
				return err != nil
			},
		},
	}
}

func text(v any) string {
	s, _ := v.(string)
	return s
}
